"""A stream of batches gives what the table in memory gives, to the last bit, and refuses what it cannot see whole."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invented_england import write_age_rows
from nenc_estimates.age_bands import ABRIDGED_90, AgeBands
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.life_expectancy import estimate_life_expectancy
from nenc_estimates.streaming import life_expectancy_batches, stream_life_expectancy
from nenc_estimates.withholding import NONE, OHID

BY = ["area_code", "sex"]
BANDS = AgeBands((0, 40, 80))
counts = st.one_of(st.integers(-1, 60), st.none(), st.sampled_from([np.inf, 1e9]))


def tables(*rows, labels=BANDS.labels, **columns):
    """Life tables of three ages, one area each."""
    flat = [cell for row in rows for cell in row]
    size = len(flat) // 3
    return pa.table(
        {
            "area_code": [f"E{i // 3:08d}" for i in range(len(flat))],
            "sex": ["Male"] * len(flat),
            "age": list(labels) * size,
            "deaths": pa.array([deaths for deaths, _ in flat]),
            "population": pa.array([population for _, population in flat]),
            **columns,
        }
    )


def streamed(table, rows=None, **options):
    batches = table.to_batches(max_chunksize=rows) if rows else table.combine_chunks().to_batches()
    return pa.Table.from_batches(life_expectancy_batches(batches, **({"by": BY, "bands": BANDS} | options)))


def same(made, expected):
    for name in ("value", "se"):
        left, right = (np.array(table[name].to_pylist(), dtype=float) for table in (made, expected))
        np.testing.assert_array_equal(left, right)
    for name in (*BY, "quality"):
        assert made[name].to_pylist() == expected[name].to_pylist()


@settings(max_examples=40)
@given(
    rows=st.lists(st.lists(st.tuples(counts, counts), min_size=3, max_size=3), min_size=1, max_size=8),
    size=st.integers(1, 30),
    rules=st.sampled_from([OHID, NONE]),
)
def test_a_stream_is_the_table_in_memory_wherever_batches_end(rows, size, rules):
    flat = [(deaths, population) for row in rows for deaths, population in row]
    deaths, population = (pa.array(side, pa.float64()) for side in zip(*flat, strict=True))
    table = tables(*rows).drop_columns(["deaths", "population"])
    table = table.append_column("deaths", deaths).append_column("population", population)
    expected = estimate_life_expectancy(table, by=BY, at=0, bands=BANDS, rules=rules)
    same(streamed(table, size, rules=rules), expected)


def test_a_file_gives_what_its_table_gives(tmp_path):
    source = write_age_rows(tmp_path / "ages.parquet", 999, chunk=100)
    assert stream_life_expectancy(source, tmp_path / "years.parquet", by=BY) == 999
    made = pq.read_table(tmp_path / "years.parquet")
    assert made.column_names == [*BY, "value", "se", "quality"]
    same(made, estimate_life_expectancy(pq.read_table(source), by=BY, at=0))
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["ages.parquet", "years.parquet"]


def test_files_and_folders_are_read_one_after_the_other(tmp_path):
    table = tables(*([[(5, 1000), (50, 900), (90, 300 + i)] for i in range(7)]))
    (tmp_path / "parts").mkdir()
    pq.write_table(table.slice(0, 4), tmp_path / "parts" / "0.parquet")  # a life table goes on in the next file
    pq.write_table(table.slice(4, 11), tmp_path / "parts" / "1.parquet")
    pq.write_table(table.slice(15), tmp_path / "last.parquet")
    sources = [tmp_path / "parts", tmp_path / "last.parquet"]
    assert stream_life_expectancy(sources, tmp_path / "out.parquet", by=BY, bands=BANDS, rules=NONE) == 7
    same(pq.read_table(tmp_path / "out.parquet"), streamed(table, rules=NONE))


def test_ages_may_be_numbers_or_written_in_several_ways_and_keys_dictionaries():
    rows = [[(5, 1000), (50, 900), (90, 300)], [(4, 1000), (40, 900), (80, 310)]]
    expected = streamed(tables(*rows), rules=NONE)
    same(streamed(tables(*rows, age=[0, 40, 80] * 2), rules=NONE), expected)
    mixed = tables(*rows, age=["<40", "40 to 79", "80 and over", "0-39", "40-79", "80+"])
    same(streamed(mixed, rules=NONE), expected)
    coded = mixed.set_column(0, "area_code", mixed["area_code"].dictionary_encode())
    same(streamed(coded, rules=NONE), expected)
    same(streamed(coded, 2, rules=NONE), expected)


def test_no_batches_and_empty_batches_make_no_estimates():
    assert list(life_expectancy_batches([], by=BY)) == []
    assert list(life_expectancy_batches(tables([(1, 2)] * 3).slice(0, 0).to_batches(), by=BY, bands=BANDS)) == []


WHOLE = [(5, 1000), (50, 900), (90, 300)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"age": ["0-39", "80+", "40-79"] * 2}, "area_code E00000000, sex Male: age 80\\+ stands where 40-79 should"),
        ({"age": ["0-39", "40-79", "40-79"] * 2}, "age 40-79 stands where 80\\+ should"),
        (
            {"age": ["0-39", "40-79", "80+", "0-39", "75-79", "80+"]},
            "E00000001, sex Male: age 75-79 stands where 40",
        ),
        ({"area_code": ["A"] * 6}, "area_code A, sex Male: it stands there twice"),
        ({"area_code": ["A"] * 2 + ["B"] * 4}, "area_code B, sex Male: the keys change before the last age"),
        ({"sex": ["Male", None] * 3}, "sex None: column 'sex' is empty"),
        ({"age": ["0-39", "40-79", None] * 2}, "E00000000, sex Male: column 'age' is empty"),
    ],
)
@pytest.mark.parametrize("size", [None, 2])
def test_tables_that_are_not_whole_and_in_order_are_refused_by_name(columns, message, size):
    with pytest.raises(InvalidDataError, match=message):
        streamed(tables(WHOLE, WHOLE, **columns), size)


def test_a_table_whose_batches_differ_in_types_and_order_of_columns_is_one_table():
    table = tables(WHOLE, WHOLE)
    fractions = table.set_column(3, "deaths", table["deaths"].cast("float64")).select([4, 3, 2, 1, 0])
    batches = [*table.slice(0, 2).to_batches(), *fractions.slice(2).to_batches()]
    same(pa.Table.from_batches(life_expectancy_batches(batches, by=BY, bands=BANDS)), streamed(table))


def test_a_key_whose_label_is_missing_is_refused():
    nobody = pa.DictionaryArray.from_arrays(pa.array([0] * 3), pa.array([None, "Male"]))
    with pytest.raises(InvalidDataError, match="column 'sex' is empty"):
        streamed(tables(WHOLE, sex=nobody))


def test_a_table_that_the_stream_ends_in_is_refused():
    with pytest.raises(InvalidDataError, match="E00000001, sex Male: the stream ends before the table does"):
        streamed(tables(WHOLE, WHOLE).slice(0, 5))


def test_wrong_columns_and_options_are_refused(tmp_path):
    with pytest.raises(ValueError, match="by names at least one column"):
        streamed(tables(WHOLE), by=[])
    with pytest.raises(SchemaError, match="the stream has no column 'period'"):
        streamed(tables(WHOLE), by=[*BY, "period"])
    with pytest.raises(SchemaError, match="column 'deaths' holds string, not numbers"):
        streamed(tables(WHOLE, deaths=["5", "50", "90"]))
    with pytest.raises(ValueError, match=r"of pyarrow.RecordBatch, not of ChunkedArray: table.to_batches\(\)"):
        next(life_expectancy_batches(tables(WHOLE), by=BY, bands=BANDS))
    pq.write_table(tables(WHOLE), tmp_path / "ages.parquet")
    for source in (tmp_path, tmp_path / "ages.parquet"):
        with pytest.raises(ValueError, match="is a file to be read, and would be lost: name another"):
            stream_life_expectancy(source, tmp_path / "ages.parquet", by=BY, bands=BANDS)
    with pytest.raises(SchemaError, match="has no column 'period'"):
        stream_life_expectancy(tmp_path / "ages.parquet", tmp_path / "out.parquet", by=[*BY, "period"])


def test_a_run_that_fails_leaves_no_file(tmp_path):
    table = pa.concat_tables([tables(*[WHOLE] * 50), tables(WHOLE).slice(0, 2)])
    pq.write_table(table, tmp_path / "ages.parquet", row_group_size=6)
    with pytest.raises(InvalidDataError, match="the stream ends before"):
        stream_life_expectancy(tmp_path / "ages.parquet", tmp_path / "out.parquet", by=BY, bands=BANDS)
    pq.write_table(table.slice(0, 0), tmp_path / "ages.parquet")
    with pytest.raises(InvalidDataError, match="holds no rows"):
        stream_life_expectancy(tmp_path / "ages.parquet", tmp_path / "out.parquet", by=BY, bands=BANDS)
    assert [path.name for path in tmp_path.iterdir()] == ["ages.parquet"]


FAULT_WHILE_WRITING = """
import sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from nenc_estimates import AgeBands, InvalidDataError, stream_life_expectancy
from nenc_estimates.streaming import WRITTEN
folder, size = sys.argv[1], 2 * (WRITTEN + 5)
ages = np.tile([1, 2], size // 2)
ages[-1] = 3  # the last table is wrong, just when all before it are being written
codes = pa.array(np.repeat(np.arange(size // 2), 2)).cast("string")
table = {"area_code": codes, "age": ages, "deaths": np.full(size, 9), "population": np.full(size, 9999)}
pq.write_table(pa.table(table), f"{folder}/ages.parquet")
try:
    stream_life_expectancy(f"{folder}/ages.parquet", f"{folder}/out.parquet", by=["area_code"], bands=AgeBands((1, 2)))
except InvalidDataError as fault:
    print("refused:", fault)
"""


def test_a_fault_while_the_file_is_being_written_is_an_error_and_no_crash(tmp_path):
    for _ in range(3):  # in a process of its own: a file that is closed under its writer ends the process
        ended = subprocess.run(
            [sys.executable, "-c", FAULT_WHILE_WRITING, str(tmp_path)], check=False, capture_output=True, text=True
        )
        assert (ended.returncode, ended.stdout[:8]) == (0, "refused:")
    assert [path.name for path in tmp_path.iterdir()] == ["ages.parquet"]


def test_an_earlier_file_is_replaced_only_by_a_whole_one(tmp_path):
    source = write_age_rows(tmp_path / "ages.parquet", 10)
    target = tmp_path / "years.parquet"
    target.write_bytes(b"earlier")
    with pytest.raises(SchemaError):
        stream_life_expectancy(source, target, by=["period"])
    assert target.read_bytes() == b"earlier"
    assert stream_life_expectancy(source, target, by=BY) == 10
    assert pq.read_table(target).num_rows == 10
    assert len(ABRIDGED_90) * 10 == pq.read_table(source).num_rows
