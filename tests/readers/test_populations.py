"""Deaths and people of populations: labels under one spelling, impossible cells by row."""

from __future__ import annotations

import pandas as pd
import pytest

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.packaged import read_packaged
from nenc_estimates.readers.populations import read_populations

HEAD = b"area,sex,period,age,cause,deaths,population\n"


def test_the_packaged_example_is_read_back_with_a_period_of_its_own():
    table = read_packaged("lookups", "invented_deaths_by_cause.csv").to_pandas().assign(period="2022")
    read = read_populations(table).table
    pd.testing.assert_frame_equal(read, table, check_dtype=False)


def test_labels_get_one_spelling_and_suppressed_deaths_are_missing():
    read = read_populations(HEAD + b"here,M,2022,under 1,all,[c],10\nhere,Males,2022,01 to 04,all,3,20.5\n").table
    assert read["sex"].tolist() == ["Male", "Male"]
    assert read["age"].tolist() == ["0", "1-4"]
    assert read["deaths"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (b",M,2022,0,all,1,2\n", "'area' is empty in row 2"),
        (b"here,M,soon,0,all,1,2\n", "soon"),
        (b"here,M,2022,old,all,1,2\n", "old"),
        (b"here,M,2022,0,all,-4,2\n", "-4"),
        (b"here,M,2022,0,all,1.5,2\n", "1.5"),
    ],
)
def test_what_is_none_is_refused_with_its_row(row, words):
    with pytest.raises((InvalidDataError, SchemaError), match=words):
        read_populations(HEAD + row)


def test_a_table_without_people_is_refused():
    with pytest.raises(SchemaError, match="population"):
        read_populations(b"area,sex,period,age,deaths\nhere,M,2022,0,1\n")
