from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.tables import number_column, open_frame, rows_where, stack, text_column, tidy

FRAME = pd.DataFrame({"area_code": ["B", "A", "B"], "sex": ["M", "M", "F"], "value": [2, 1, 3]})


def test_groups_and_labels_come_in_order_and_gaps_are_nan():
    made = stack(FRAME, ["value"], by=["sex"], axis="area_code")
    assert made.labels == ("A", "B")
    assert made.keys["sex"].tolist() == ["F", "M"]
    np.testing.assert_array_equal(made.values["value"], [[np.nan, 3], [1, 2]])
    np.testing.assert_array_equal(made.rows, [[-1, 2], [1, 0]])


def test_without_keys_the_table_is_one_group():
    made = stack(FRAME[:2], ["value"], by=[], axis="area_code")
    assert made.values["value"].tolist() == [[1, 2]]
    assert made.group_named(0) == "the table"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from("pq")), unique=True, min_size=1)
)
def test_every_row_is_found_in_its_cell(keys):
    frame = pd.DataFrame(keys, columns=["sex", "area_code", "period"]).assign(value=np.arange(len(keys)) * 1.5)
    made = stack(frame, ["value"], by=["sex", "period"], axis="area_code")
    for group, label in np.argwhere(made.rows >= 0):
        row = frame.iloc[made.rows[group, label]]
        assert (row["sex"], row["period"]) == (made.keys["sex"][group], made.keys["period"][group])
        assert row["area_code"] == made.labels[label]
        assert row["value"] == made.values["value"][group, label]
    assert (made.rows >= 0).sum() == len(frame)
    groups = list(zip(made.keys["sex"], made.keys["period"], strict=True))
    assert groups == sorted(set(groups))


def test_messages_name_cells_with_and_without_a_row():
    made = stack(FRAME, ["value"], by=["sex"], axis="area_code")
    assert (
        made.named(np.array([[True, False], [True, False]]))
        == "no row for area_code A, sex F; row 1 (area_code A, sex M)"
    )
    assert made.group_named(1) == "sex M"


def test_optional_columns_are_read_where_they_exist():
    made = stack(FRAME.assign(se=0.5), ["value"], by=["sex"], axis="area_code", optional=["se", "lower"])
    assert set(made.values) == {"value", "se"}


def test_keys_of_any_type_are_read_as_text():
    opened = open_frame(pl.DataFrame({"year": [2020], "day": [date(2020, 1, 2)]}), ["year"])
    assert text_column(opened, "year").tolist() == ["2020"]
    assert text_column(opened, "day").tolist() == ["2020-01-02"]


def test_numbers_of_any_width_become_float64_and_stay_unshared():
    values = np.array([1, 2], dtype=np.float32)
    opened = open_frame(pd.DataFrame({"value": values}), ["value"])
    read = number_column(opened, "value")
    read[0] = 9
    assert read.dtype == np.float64
    assert number_column(opened, "value").tolist() == [1, 2]


def test_an_empty_column_of_no_type_is_missing_numbers():
    for frame in (
        pl.DataFrame({"value": [None, None]}),
        pd.DataFrame({"value": pd.Series([None, None], dtype=object)}),
    ):
        assert np.isnan(number_column(open_frame(frame, []), "value")).all()


def test_repeated_keys_are_listed_up_to_five():
    frame = pd.DataFrame({"area_code": [*"AABBCCDDEEFFGG"], "value": [*[1.0, 1.0, 2.0, np.nan], *[5.0] * 10]})
    with pytest.raises(InvalidDataError) as caught:
        stack(frame, ["value"], by=[], axis="area_code")
    message = str(caught.value)
    assert "rows 0 and 1 (area_code A; equal values); rows 2 and 3 (area_code B; different values);" in message
    assert "(area_code E; equal values) and 2 more repeat it" in message
    assert "area_code F" not in message


def test_rows_that_differ_in_a_series_column_only_are_told_to_name_it():
    draws = pd.concat([FRAME.assign(draw=0), FRAME.assign(draw=1)], ignore_index=True)
    with pytest.raises(InvalidDataError, match=r"repeat it\. They differ in 'draw': name it in by=\.$"):
        stack(draws, ["value"], by=["sex"], axis="area_code")
    with pytest.raises(InvalidDataError, match="Drop the copies"):
        stack(draws.assign(draw=0), ["value"], by=["sex"], axis="area_code")


@pytest.mark.parametrize(
    ("written", "name"), [("AreaCode", "area_code"), ("Area Code", "area_code"), ("Value", "value")]
)
def test_a_column_written_otherwise_is_named_with_its_cure(written, name):
    with pytest.raises(SchemaError, match=f"no column '{name}'.* Rename '{written}' to '{name}'"):
        open_frame(FRAME.rename(columns={name: written}), ["area_code", "value"])


def test_a_column_of_another_meaning_is_not_proposed():
    with pytest.raises(SchemaError, match=r"It has: area_code, sex, value\.$"):
        open_frame(FRAME, ["area_name"])


def test_labels_that_a_spreadsheet_made_dates_of_among_text_are_refused_with_the_cure():
    ages = pd.Series(["0-4", datetime(2024, 9, 5), "10-14"], dtype=object)
    with pytest.raises(SchemaError, match="column 'age' mixes text with cells of another kind, such as dates"):
        stack(FRAME.assign(age=ages), ["value"], by=["age"], axis="area_code")


def test_a_path_is_to_be_read_first():
    for path in ("own.csv", Path("own.csv")):
        with pytest.raises(SchemaError, match=r"Read a file first: pandas.read_csv\('own.csv'\)"):
            open_frame(path, [])


def test_frames_keep_their_kind():
    for backend, kind in (("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table)):
        made = tidy({"a": ["x", "y"], "b": [1.0, 2.0]}, backend)
        assert isinstance(made, kind)
        assert isinstance(rows_where(made, np.array([True, False])), kind)
        assert len(rows_where(made, np.array([True, False]))) == 1


@pytest.mark.parametrize("frame", [None, 5, {"value": [1]}, np.ones(3), pd.Series([1])])
def test_what_is_no_table_is_refused(frame):
    with pytest.raises(SchemaError, match="the list cannot be read as a pandas, polars or pyarrow table"):
        open_frame(frame, [], what="the list")
