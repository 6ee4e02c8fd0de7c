"""What is written is read back bit for bit, from every kind of file and frame, in every supported pandas."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from nenc_estimates import EstimatesError
from nenc_estimates.readers import (
    describe_file,
    read_deaths,
    read_fingertips,
    read_imd,
    read_lookup,
    read_mid_year_estimates,
    read_nomis,
)

FILES = Path(__file__).parents[1] / "files"
READ = {
    "fingertips_api.csv": read_fingertips,
    "value_notes.csv": read_fingertips,
    "myeb1.xlsx": read_mid_year_estimates,
    "deaths.csv": read_deaths,
    "19_imd.csv": lambda source: read_imd(source, rows=34),
    "18_lookup.csv": lambda source: read_lookup(source, rows=34),
}


def as_csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def as_parquet(table: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pandas(table, preserve_index=False), out)
    return out.getvalue()


WAYS: dict[str, Any] = {
    "csv": as_csv,
    "parquet": as_parquet,
    "pandas": lambda table: table,
    "polars": pl.from_pandas,
    "pyarrow": lambda table: pa.Table.from_pandas(table, preserve_index=False),
}


def as_pandas(table: Any) -> pd.DataFrame:
    return table if isinstance(table, pd.DataFrame) else table.to_pandas()


def digest(table: pd.DataFrame) -> str:
    """One number for all bits: texts as UTF-8, numbers as their eight bytes, every nan alike."""
    total = hashlib.sha256()
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_float_dtype(column.dtype):
            for value in column:
                total.update(struct.pack("<d", np.nan if np.isnan(value) else value))
        else:
            total.update("\0".join(map(str, column.tolist())).encode())
        total.update(name.encode())
    return total.hexdigest()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", READ)
def test_what_is_written_is_read_back_bit_for_bit(name: str, way: str) -> None:
    reader = READ[name]
    table = reader(FILES / name).table
    again = reader(WAYS[way](table)).table
    assert list(again.columns if way != "pyarrow" else again.column_names) == list(table.columns)
    assert digest(as_pandas(again)) == digest(table)


@given(
    values=st.lists(
        st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300).filter(
            lambda x: x not in (-1, -99, -999) and (x == 0 or abs(x) > 1e-300)
        ),
        min_size=1,
        max_size=8,
    ),
    way=st.sampled_from(sorted(WAYS)),
)
@settings(max_examples=150, deadline=None)
def test_any_finite_number_survives(values: list[float], way: str) -> None:
    frame = pd.DataFrame(
        {
            "Indicator ID": 1,
            "Indicator Name": "A difference",
            "Area Code": [f"E0700{i:04d}" for i in range(len(values))],
            "Area Name": "",
            "Sex": "Persons",
            "Age": "All ages",
            "Time period": "2022",
            "Value": values,
        }
    )
    table = as_pandas(read_fingertips(WAYS[way](frame)).table)
    assert [struct.pack("<d", v + 0.0) for v in table["value"]] == [struct.pack("<d", v + 0.0) for v in values]


@pytest.mark.parametrize(("way", "kind"), [("polars", pl.DataFrame), ("pyarrow", pa.Table), ("pandas", pd.DataFrame)])
def test_a_table_comes_back_as_the_kind_it_was(way: str, kind: type) -> None:
    frame = pd.read_csv(FILES / "fingertips_api.csv", keep_default_na=False, dtype=str)
    assert isinstance(read_fingertips(WAYS[way](frame)).table, kind)


def test_workbooks_and_text_give_the_same_bits() -> None:
    sound = {digest(read_fingertips(FILES / f"fingertips{ending}").table) for ending in (".xlsx", ".ods", "_api.csv")}
    assert len(sound) == 1


def test_every_supported_pandas_gives_the_same_bits() -> None:
    """The numbers were taken with pandas 3.1; this test runs with every version that is supported."""
    known = json.loads((FILES / "digests.json").read_text())
    found = {name: digest(reader(FILES / name).table) for name, reader in READ.items()}
    assert found == known


def test_a_frame_that_pandas_read_as_numbers_gives_the_same_bits() -> None:
    frame = arrow_csv.read_csv(FILES / "fingertips_api.csv").to_pandas()
    assert digest(read_fingertips(frame).table) == digest(read_fingertips(FILES / "fingertips_api.csv").table)


def test_a_report_prints_and_goes_into_a_record_of_the_run() -> None:
    report = read_fingertips(FILES / "07_england_twice.csv").report
    assert "24 rows read, 20 kept, 4 set aside; 20 rows out" in str(report)
    assert "set aside" in report._repr_html_()
    record = json.loads(json.dumps(report.to_dict()))
    assert record["rows_read"] == record["rows_kept"] + sum(part["rows"] for part in record["set_aside"])
    assert record["sha256"] == hashlib.sha256((FILES / "07_england_twice.csv").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "reader", "words"),
    [
        ("fingertips_api.csv", "read_fingertips", "latest of 90366, England: 2018 - 20"),
        ("fingertips.xlsx", "read_fingertips", "sheets: Data"),
        ("17_mixed_vintages.csv", "read_fingertips", "E06000063 Cumberland: unitary from 2023-04-01"),
        ("24_nomis.csv", "read_nomis", "'All Ages' (6)"),
        ("deaths.csv", "read_deaths", "'Under 1' (2)"),
        ("08_sexes.csv", "read_mid_year_estimates", "year: '2021' (30), '2022' (30)"),
        ("mye2.xlsx", "read_mid_year_estimates", "MYE2 - Males"),
        ("19_imd.csv", "read_imd", "lsoa_code"),
        ("18_lookup.csv", "read_lookup", "lad22cd: 'E06000047' (24), 'E08000021' (10)"),
    ],
)
def test_a_description_says_what_is_in_a_file_and_which_reader_takes_it(name: str, reader: str, words: str) -> None:
    described = describe_file(FILES / name)
    assert described.reader == reader
    assert words in str(described)
    assert "<table>" in described._repr_html_()


NOMIS = "GEOGRAPHY_CODE,DATE,GENDER,C_AGE,MEASURES,OBS_VALUE\n"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("E06000047,2022,1,999,20100,5", "C_AGE '999' is unknown"),
        ("E06000047,2022,9,200,20100,5", "sex '9' is unknown"),
        ("E06000047,22,1,200,20100,5", "'22' is not a year"),
        ("E06000047,2022,1,200,20301,5", "holds no values"),
    ],
)
def test_a_nomis_record_that_is_not_understood_is_refused(row: str, words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_nomis((NOMIS + row + "\n").encode())


def test_nomis_codes_of_sex_and_age_are_read_without_their_names() -> None:
    rows = "".join(f"E06000047,2022,{sex},{age},20100,5\n" for sex in (1, 2) for age in (101, 191))
    read = read_nomis((NOMIS + rows).encode())
    assert set(read.table["age"]) == {"0", "90+"}
    assert "no RECORD_COUNT to check by" in str(read.report)


def test_a_nomis_extract_of_deaths_is_read_as_deaths() -> None:
    head = "GEOGRAPHY_CODE,GEOGRAPHY_NAME,DATE,GENDER_NAME,AGE_NAME,CAUSE_OF_DEATH_NAME,"
    head += "MEASURE_NAME,OBS_VALUE,RECORD_COUNT\n"
    rows = "E06000047,County Durham,2022,Male,Aged 1 to 4,All causes,Deaths,3,2\n"
    rows += "E06000047,County Durham,2022,Male,Aged 1 to 4,All causes,Age-standardised rate,0.1,2\n"
    read = read_deaths((head + rows).encode())
    assert read.table[["sex", "age", "cause", "period", "deaths"]].to_numpy().tolist() == [
        ["Male", "1-4", "All causes", "2022", 3.0]
    ]


def test_small_areas_by_sex_and_age_are_read_from_letters() -> None:
    ages = [f"{sex}{age}" for sex in "FM" for age in range(91)]
    text = "Mid-2022 population\nLAD 2021 Code,LSOA 2021 Code,LSOA 2021 Name,Total," + ",".join(ages) + "\n"
    text += "E06000047,E01020634,County Durham 001A,182," + ",".join("1" for _ in ages) + "\n"
    read = read_mid_year_estimates(text.encode())
    assert len(read.table) == 182
    assert set(read.table["year"]) == {2022}
    assert {"Male", "Female"} == set(read.table["sex"])
    with pytest.raises(EstimatesError, match="do not add up to their total in row 3"):
        read_mid_year_estimates(text.replace(",182,", ",183,").encode())
    with pytest.raises(EstimatesError, match="does not say one year"):
        read_mid_year_estimates(text.replace("Mid-2022", "Some").encode())


def test_single_years_that_end_elsewhere_must_say_whether_the_last_is_open() -> None:
    head = "area_code,sex,age,year,people\n"
    rows = "".join(f"E06000047,M,{age},2022,5\n" for age in range(86))
    with pytest.raises(EstimatesError, match="single years of age end at 85"):
        read_mid_year_estimates((head + rows).encode())
    assert "85+" in set(read_mid_year_estimates((head + rows.replace(",85,", ",85+,")).encode()).table["age"])


def test_ages_that_overlap_are_noted() -> None:
    text = b"area_code,sex,age,year,people\nE06000047,M,0-4,2022,5\nE06000047,M,1,2022,1\n"
    assert "ages overlap" in str(read_mid_year_estimates(text).report)
