"""Files from strangers: nothing is fetched, followed, run or expanded without bound; every fault is our own error."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from nenc_estimates import EstimatesError, SchemaError
from nenc_estimates.readers import (
    Limits,
    describe_file,
    read_deaths,
    read_fingertips,
    read_imd,
    read_lookup,
    read_mid_year_estimates,
    read_nomis,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = Path(__file__).parents[1] / "files"
READERS: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "fingertips": (read_fingertips, ["fingertips_api.csv", "fingertips.xlsx", "fingertips.ods", "09_categories.csv"]),
    "mid_year": (read_mid_year_estimates, ["08_sexes.csv", "mye2.xlsx", "23_ages_to_90.csv"]),
    "nomis": (read_nomis, ["24_nomis.csv"]),
    "lookup": (lambda source: read_lookup(source, rows=None), ["18_lookup.csv"]),
    "imd": (lambda source: read_imd(source, rows=None), ["19_imd.csv"]),
    "deaths": (read_deaths, ["deaths.csv"]),
    "describe": (describe_file, ["fingertips_api.csv", "18_lookup.csv", "deaths.csv"]),
}


@pytest.mark.parametrize(
    "address",
    [
        "https://fingertips.phe.org.uk/x.csv",
        "file:///etc/hosts",
        "s3://bucket/key",
        "data:text/csv,a",
        "ftp://x/y",
        "HTTP://x",
    ],
)
def test_an_address_is_refused(address: str) -> None:
    with pytest.raises(SchemaError, match="is an address, not a local path"):
        read_fingertips(address)


@pytest.mark.parametrize("path", ["", ".", "/dev/zero", "no such file.csv", "a\0b", "~/x.csv"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(SchemaError):
        read_fingertips(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SchemaError, match="is not a file"):
        read_fingertips(tmp_path / "pipe")


@pytest.mark.parametrize("thing", [None, 3, object(), ["a"], io.BytesIO(b"x")])
def test_what_is_neither_path_bytes_nor_table_is_refused(thing: Any) -> None:
    with pytest.raises(SchemaError, match="expected a path, bytes, or a pandas, polars or pyarrow table"):
        read_fingertips(thing)


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped({"a.csv": b"0" * 20_000_000}), "unpacks to too much"),
        (zipped({f"{i}.csv": b"" for i in range(3_000)}), "unpacks to too much"),
        (zipped({"a.zip": zipped({"b.csv": b"x"})}), "holds an archive"),
        (zipped({"a.csv": b"x", "b.csv": b"y"}), "holds 2 files"),
        (zipped({"a.csv": b"x"})[:-30], "cannot be unpacked"),
        (zipped({"xl/workbook.bin": b"x"}), "binary workbook"),
        (pickle.dumps({"a": 1}), "a Python pickle"),
        (b"\x1f\x8b\x08\x00", "compressed with gzip"),
        (b"ARROW1\0\0", "an Arrow file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is a web page"),
        (b"", "is empty"),
        (b"a;b;c;d\n1;2;3;4\n", "parted by semicolons"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_fingertips(content)


def changed_workbook(name: str, member: str, change: Callable[[bytes], bytes]) -> bytes:
    with zipfile.ZipFile(FILES / name) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    return zipped({**members, member: change(members[member])})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            changed_workbook(
                "fingertips.xlsx", "xl/worksheets/sheet2.xml", lambda x: x.replace(b'r="A1"', b'r="XFD1048576"')
            ),
            "a sheet spans more than",
        ),
        (
            changed_workbook(
                "fingertips.ods",
                "content.xml",
                lambda x: x.replace(b"<table:table-row>", b'<table:table-row table:number-rows-repeated="1000000">', 2),
            ),
            "a sheet spans more than",
        ),
        (
            changed_workbook(
                "fingertips.xlsx",
                "xl/worksheets/sheet2.xml",
                lambda x: b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + x,
            ),
            "is not sound XML",
        ),
        (changed_workbook("fingertips.xlsx", "xl/worksheets/sheet2.xml", lambda x: x[:-400]), "is not sound XML"),
        (changed_workbook("fingertips.xlsx", "xl/workbook.xml", lambda _: b"<x/>"), "holds no sheet|cannot be read"),
    ],
)
def test_a_workbook_is_measured_before_it_is_opened(content: bytes, words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_fingertips(content)


def parquet_bytes(table: pa.Table) -> bytes:
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def test_a_parquet_file_is_measured_by_its_footer() -> None:
    many = parquet_bytes(pa.table({"a": pa.nulls(5_000_000, pa.int8())}))
    assert len(many) < 100_000
    with pytest.raises(EstimatesError, match="5,000,000 × 1 cells"):
        read_fingertips(many, limits=Limits(cells=1_000_000))


def test_a_long_text_in_every_row_of_a_parquet_file_is_refused() -> None:
    frame = read_fingertips(FILES / "fingertips_api.csv").table.assign(value_note="x" * 100_000)
    with pytest.raises(EstimatesError, match="has 100,000 bytes"):
        read_fingertips(parquet_bytes(pa.Table.from_pandas(frame)))


def test_a_parquet_file_with_lists_is_refused() -> None:
    frame = read_fingertips(FILES / "fingertips_api.csv").table
    table = pa.Table.from_pandas(frame.drop(columns="sex")).append_column("sex", pa.array([["Male"]] * len(frame)))
    with pytest.raises(EstimatesError, match="sex"):
        read_fingertips(parquet_bytes(table))


def test_a_message_shows_at_most_80_characters_of_a_cell() -> None:
    text = (FILES / "fingertips_api.csv").read_text().replace("E06000047", "E0600004" + "7" * 5_000)
    with pytest.raises(EstimatesError) as caught:
        read_fingertips(text.encode())
    assert len(str(caught.value)) < 400


def test_a_column_of_mixed_things_is_refused() -> None:
    frame = read_fingertips(FILES / "fingertips_api.csv").table.astype({"sex": object})
    frame.loc[0, "sex"] = 3.5
    with pytest.raises(EstimatesError):
        read_fingertips(frame)
    doubled = pd.concat([frame, frame], axis=1)
    with pytest.raises(EstimatesError):
        read_fingertips(doubled)


@pytest.mark.parametrize("name", READERS)
@given(content=st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_bytes_give_our_own_error(name: str, content: bytes) -> None:
    with pytest.raises(EstimatesError):
        READERS[name][0](content)


PARTS = [b'"', b",", b"\n", b"\0", b"\xff", b"[c]", b"1e999", b"-1", b"=1+1", b"\r", b",,,,", b"\x7f\x80"]
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.one_of(st.binary(max_size=6), st.sampled_from(PARTS))),
    min_size=1,
    max_size=6,
)
"""Where, how many bytes are replaced, and by what."""


def damaged(content: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    for share, length, part in damage:
        where = int(share * len(content))
        content = content[:where] + part + content[where + length :]
    return content


@pytest.mark.parametrize("name", READERS)
@given(file=st.integers(0, 3), damage=DAMAGE)
@settings(max_examples=60, deadline=None)
def test_damaged_files_give_a_table_or_our_own_error(
    name: str, file: int, damage: list[tuple[float, int, bytes]]
) -> None:
    reader, files = READERS[name]
    content = damaged((FILES / files[file % len(files)]).read_bytes(), damage)
    try:
        read = reader(content)
    except EstimatesError as error:
        assert len(str(error)) < 5_000  # noqa: PT017 - an error is one of two right outcomes
    else:
        assert read is not None
        assert str(getattr(read, "report", read))


@given(damage=DAMAGE)
@settings(max_examples=100, deadline=None)
def test_damaged_parquet_files_give_a_table_or_our_own_error(damage: list[tuple[float, int, bytes]]) -> None:
    frame = read_fingertips(FILES / "fingertips_api.csv").table
    content = damaged(parquet_bytes(pa.Table.from_pandas(frame)), damage)
    try:
        read = read_fingertips(content)
    except EstimatesError:
        return
    assert len(read.table) <= len(frame)
