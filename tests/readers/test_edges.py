"""Edges of each reader: what is refused or noted that the catalogue does not list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nenc_estimates import EstimatesError
from nenc_estimates.readers import (
    Limits,
    describe_file,
    read_deaths,
    read_fingertips,
    read_imd,
    read_indicator,
    read_lookup,
    read_mid_year_estimates,
    read_nomis,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = Path(__file__).parents[1] / "files"


def frame(**columns: Any) -> pd.DataFrame:
    """Fingertips rows of one indicator, with some columns of one's own."""
    n = max([len(c) for c in columns.values() if isinstance(c, list)], default=1)
    plain = {
        "Indicator ID": 1,
        "Indicator Name": "Emergency admissions",
        "Area Code": "E06000047",
        "Area Name": "County Durham",
        "Sex": "Persons",
        "Age": "All ages",
        "Time period": "2022",
        "Value": 5.0,
    }
    return pd.DataFrame({**plain, **columns}, index=range(n))


def test_counts_of_men_and_women_that_miss_those_of_persons_are_noted() -> None:
    sexes = ["Male", "Female", "Persons"]
    right = read_fingertips(frame(Sex=sexes, Value=[1.0, 2.0, 3.0], Count=[10.0, 20.0, 30.0])).report
    wrong = read_fingertips(frame(Sex=sexes, Value=[1.0, 2.0, 3.0], Count=[10.0, 20.0, 35.0])).report
    assert "do not add up" not in str(right)
    assert "do not add up to those of persons in row 2" in str(wrong)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"Value": [-1.0, -7.0], "Sex": ["Male", "Female"]}, "-1.0 in row 0 may be a value or not"),
        ({"Count": [-3.0]}, "count is negative in row 0"),
        ({"Indicator ID": ["x"]}, "indicator ID 'x' is not a whole number"),
        ({"Category": ["White"]}, "a category without type"),
        ({"Category": ["White"], "Category Type": ["Ethnic groups"]}, "only rows by category"),
        ({"Time period range": ["3y"]}, "lasts 12 months, but the file says '3y'"),
        ({"Time period": ["2018-19"]}, "say year_type="),
        ({"Time period Sortable": ["20190000"]}, "does not begin in the year of its sort key"),
        ({"Time period": ["x" * 100]}, "cannot read period"),
        ({"Age": ["Oct-14"]}, "is a date"),
        ({"Sex": ["Other"]}, "sex 'Other' is unknown"),
        ({"Value": [True]}, "not numbers"),
        ({"Value": ["5"], "missing_reason": ["because"]}, "'because' is not one of"),
        ({"Area Code": [None]}, "'Area Code' is empty in row 0"),
        ({"Value": [float("inf")]}, "not finite in row 0"),
    ],
)
def test_a_fingertips_row_that_contradicts_itself_is_refused(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_fingertips(frame(**columns))


def test_a_value_of_minus_one_with_limits_around_it_is_a_value() -> None:
    limits = {"Lower CI 95.0 limit": [-2.0], "Upper CI 95.0 limit": [0.5]}
    assert read_fingertips(frame(Value=[-1.0], **limits)).table["value"].tolist() == [-1.0]


def test_percentages_above_100_and_denominators_of_zero_are_noted() -> None:
    report = read_fingertips(frame(**{"Indicator Name": "Uptake (%)", "Value": [120.0], "Denominator": [0.0]})).report
    assert "is above 100" in str(report)
    assert "denominator of 0 or less read as missing" in str(report)


def test_codes_of_practices_stay_and_columns_of_whole_floats_are_text() -> None:
    codes = ["A81002", "U02739", "RR7"]
    table = read_fingertips(frame(**{"Area Code": codes, "Time period": [2022.0] * 3, "Value": [1, 2, 3]})).table
    assert table["area_code"].tolist() == codes
    assert set(table["period"]) == {"2022"}


def test_a_column_without_values_is_missing_throughout() -> None:
    assert np.isnan(read_fingertips(frame(Value=[None])).table["value"]).all()


def test_a_column_of_lists_is_refused() -> None:
    table = pa.Table.from_pandas(frame()).drop_columns("Sex").append_column("Sex", pa.array([["Male"]]))
    with pytest.raises(EstimatesError, match="Sex"):
        read_fingertips(table)


IMD = "LSOA21CD,IMD Score,IMD Rank (where 1 is most deprived),IMD Decile\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (IMD + "E02000001,5,1,1\n", "is not an LSOA"),
        (IMD + "E01000001,5,,1\n", "the rank is missing"),
        (IMD + "E01000001,5,1,1\nE01000002,4,1,1\n", "ranks must begin at 1 and never repeat"),
        (IMD + "E01000001,5,1,11\n", "deciles must lie between 1 and 10"),
        (IMD + "E01000001,5,1,1\nE01000002,6,2,1\n", "the score does not fall as the rank rises"),
        ("LSOA code,rank,score\nE01000001,1,2\n", "whether its LSOAs are those of 2011 or of 2021"),
    ],
)
def test_a_table_of_deprivation_that_contradicts_itself_is_refused(text: str, words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_imd(text.encode(), rows=None)


def test_scores_prove_the_direction_of_ranks_that_do_not_say_it() -> None:
    read = read_imd(b"LSOA11CD,IMDScore,IMDRank\nE01000001,50.5,1\nE01000002,40.25,2\n", rows=2)
    assert "rank 1 is the most deprived: it has the highest score" in read.report.assumptions
    assert set(read.table["census"]) == {"lsoa11"}


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("LSOA21CD,LAD22CD\nE01000001,E54000050\n", {}, "is not a code of lad22"),
        ("LAD22CD,LAD22NM\nE06000047,x\n", {"key": "icb22_code"}, "has no column 'icb22_code'"),
        ("LAD22CD,ICB22CD\nE06000047,E54000050\nE06000047,E54000054\n", {"key": "lad22_code"}, "have one key"),
        ("LAD22CD,LAD2022CD\nE06000047,E06000047\n", {}, "two columns mean lad22_code"),
        ("a,b\nx,y\n", {}, "hold no header above area codes"),
        ("LAD22CD,ICB22CD\nE06000047,\nE06000057,E54000050\n", {}, "'ICB22CD' is empty in row 2"),
    ],
)
def test_a_lookup_that_contradicts_itself_is_refused(text: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_lookup(text.encode(), rows=None, **options)


def test_a_frame_without_codes_is_no_lookup() -> None:
    with pytest.raises(EstimatesError, match="no column of area codes"):
        read_lookup(pd.DataFrame({"a": ["x"], "b": ["y"]}))


NOMIS = "GEOGRAPHY_CODE,DATE,MEASURES_NAME,SEX,OBS_VALUE\n"


def test_a_nomis_extract_without_sex_or_age_is_of_everybody() -> None:
    read = read_nomis(b"GEOGRAPHY_CODE,DATE,OBS_VALUE\nE06000047,2022,5\n")
    assert read.table[["sex", "age"]].to_numpy().tolist() == [["Persons", "all ages"]]
    older = read_nomis((NOMIS + "E06000047,2010,Value,5,7\nE06000047,2010,Percent,5,100\n").encode())
    assert older.table[["sex", "people"]].to_numpy().tolist() == [["Male", 7]]
    assert "1 × another measure" in str(older.report)


def test_a_nomis_extract_of_exactly_as_many_records_as_it_returns_is_refused() -> None:
    rows = "".join(f"E07{i:06d},2022,5\n" for i in range(25_000))
    with pytest.raises(EstimatesError, match="exactly 25,000 records"):
        read_nomis(("GEOGRAPHY_CODE,DATE,OBS_VALUE\n" + rows).encode())


def test_a_table_of_the_nomis_website_is_read() -> None:
    ages = ",".join(f"Aged {age}" for age in range(90)) + ",Aged 90+"
    text = f'Population estimates\nDate:,2022\nGender,Total\n\narea,mnemonic,All Ages,"{ages}"\n'.replace('"', "")
    text += "County Durham,E06000047,91," + ",".join("1" for _ in range(91)) + "\n"
    read = read_nomis(text.encode())
    assert set(read.table["sex"]) == {"Persons"}
    assert read.table["people"].sum() == 91


@pytest.mark.parametrize(
    ("reader", "text", "words"),
    [
        (read_deaths, "GEOGRAPHY_CODE,DATE,MEASURE_NAME,OBS_VALUE\nE06000047,2022,Rate,5\n", "no numbers of deaths"),
        (read_deaths, "area_code,sex,age,year,deaths\nE06000047,M,old,2022,5\n", "age 'old' is unknown"),
        (read_deaths, "area_code,sex,age,year,deaths\nE06000047,M,٥,2022,5\n", "is unknown"),
        (read_mid_year_estimates, "Mid-2022\ncode,name,All ages,0,1\nE06000047,x,2,1,1\n", "does not say whose ages"),
        (read_mid_year_estimates, "Males, mid-2022\ncode,name,All ages,0,00\nE06000047,x,2,1,1\n", "mean the same age"),
    ],
)
def test_counts_that_are_not_understood_are_refused(reader: Callable[..., Any], text: str, words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        reader(text.encode())


def test_workbooks_are_refused_that_are_too_large_or_lack_the_sheet() -> None:
    with pytest.raises(EstimatesError, match="has no sheet 'Males'"):
        read_mid_year_estimates(FILES / "mye2.xlsx", sheet="Males")
    with pytest.raises(EstimatesError, match="holds no sheet that is"):
        read_fingertips(FILES / "mye2.xlsx")
    with pytest.raises(EstimatesError, match="is no workbook"):
        read_fingertips(FILES / "fingertips_api.csv", sheet="Data")
    with pytest.raises(EstimatesError, match="a cell has"):
        read_fingertips(FILES / "fingertips.xlsx", limits=Limits(cell_characters=20))
    with pytest.raises(EstimatesError, match="cannot be read as a workbook"):
        read_fingertips(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("Indicator ID\n", "comes nearest"),
        ((FILES / "fingertips_api.csv").read_text().splitlines()[0], "has a header but no rows"),
        ("\ufeff".encode("utf-16-le").decode("utf-16-le") + "\0", "zero byte"),
    ],
)
def test_texts_without_a_table_are_refused(text: str, words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_fingertips(text.encode())
    with pytest.raises(EstimatesError):
        describe_file(text.encode())


def test_a_wrong_edition_names_those_there_are() -> None:
    with pytest.raises(EstimatesError, match=r"There are: .*hle_birth ons_2022_03"):
        read_indicator("hle_birth", edition="2020")
