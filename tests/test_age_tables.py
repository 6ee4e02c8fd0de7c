"""Tables by age: labels, keys and empty cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nenc_estimates.age_bands import ABRIDGED_85, ABRIDGED_90, AgeBands
from nenc_estimates.age_tables import chosen_ages, limit_columns, stack_ages
from nenc_estimates.errors import InvalidDataError, SchemaError

SPELLINGS = {
    "first ages": list(ABRIDGED_90.lower),
    "floats": [float(age) for age in ABRIDGED_90.lower],
    "padded": ["<1", "01-04", "05-09", *ABRIDGED_90.labels[3:-1], "90 +"],
    "words": ["Under 1", *(label.replace("-", " to ") for label in ABRIDGED_90.labels[1:-1]), "90 and over"],
    "dashes": ["Aged 0", *(label.replace("-", "–") for label in ABRIDGED_90.labels[1:-1]), "90 years and over"],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_any_spelling_of_ages_is_found_by_its_meaning_in_any_order(spelling):
    frame = pd.DataFrame({"age": SPELLINGS[spelling], "deaths": np.arange(20)}).sample(frac=1, random_state=3)
    stacked = stack_ages(frame, ["deaths"], by=[], bands=ABRIDGED_90)
    assert stacked.values["deaths"].tolist() == [list(range(20))]
    assert stacked.labels == ABRIDGED_90.labels


def test_two_spellings_in_one_table_are_one_band():
    ages = [*ABRIDGED_90.labels, *SPELLINGS["padded"]]
    frame = pd.DataFrame({"area": ["A"] * 20 + ["B"] * 20, "age": ages, "deaths": np.arange(40.0)})
    np.testing.assert_array_equal(
        stack_ages(frame, ["deaths"], by=["area"], bands=ABRIDGED_90).values["deaths"], np.arange(40).reshape(2, 20)
    )


def test_a_band_that_stands_twice_in_a_group_is_refused_by_row():
    frame = pd.DataFrame({"area": "A", "age": [*ABRIDGED_90.labels, "01-04"], "deaths": 1})
    with pytest.raises(
        InvalidDataError, match=r"rows 20 and 1 \(area A\) are the same age band|rows 1 and 20 \(area A\)"
    ):
        stack_ages(frame, ["deaths"], by=["area"], bands=ABRIDGED_90)
    frame = pd.DataFrame({"area": "A", "age": [*ABRIDGED_90.labels, "1-4"], "deaths": 1})
    with pytest.raises(InvalidDataError, match=r"rows 1 and 20 \(area A, age 1-4; equal values\)"):
        stack_ages(frame, ["deaths"], by=["area"], bands=ABRIDGED_90)


def test_a_band_that_one_group_lacks_is_empty_there_and_nowhere_else():
    frame = pd.DataFrame({"area": ["A"] * 20 + ["B"] * 20, "age": ABRIDGED_90.labels * 2, "deaths": 1}).drop(index=27)
    stacked = stack_ages(frame, ["deaths"], by=["area"], bands=ABRIDGED_90)
    assert np.argwhere(stacked.rows < 0).tolist() == [[1, 7]]
    assert np.argwhere(np.isnan(stacked.values["deaths"])).tolist() == [[1, 7]]


def test_a_band_that_no_group_has_is_empty_in_all():
    frame = pd.DataFrame({"area": ["A"] * 19, "age": ABRIDGED_90.labels[:19], "deaths": 1})
    assert stack_ages(frame, ["deaths"], by=["area"], bands=ABRIDGED_90).rows[0, -1] == -1


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("01-Apr", r"'01-Apr' is a date: a spreadsheet such as Excel.*row 1 \(age 01-Apr, area A\)"),
        ("14-Oct", r"'14-Oct' is a date"),
        ("1-5", r"'1-5' is none of the bands.*row 1 .*AgeBands.from_labels"),
        ("All ages", r"'All ages' is none of the bands"),
        ("unknown", r"'unknown' is unknown; expected a form such as"),
    ],
)
def test_labels_that_are_no_band_are_refused_with_their_rows_and_the_cure(label, words):
    frame = pd.DataFrame({"area": "A", "age": ["0", label], "deaths": 1})
    with pytest.raises(SchemaError, match=words):
        stack_ages(frame, ["deaths"], by=["area"], bands=ABRIDGED_90)


def test_other_bands_than_the_tables_are_refused():
    frame = pd.DataFrame({"age": ABRIDGED_90.labels, "deaths": 1})
    with pytest.raises(SchemaError, match=r"'85-89' is none of the bands|'90\+' is none of the bands"):
        stack_ages(frame, ["deaths"], by=[], bands=ABRIDGED_85)


def test_ages_are_chosen_by_label_or_first_age():
    assert chosen_ages("all", ABRIDGED_90).tolist() == list(range(20))
    assert chosen_ages("65-69", ABRIDGED_90).tolist() == chosen_ages(65, ABRIDGED_90).tolist() == [14]
    assert chosen_ages(["90 and over", 0, "0"], ABRIDGED_90).tolist() == [0, 19]
    with pytest.raises(SchemaError, match="66 is none of the bands"):
        chosen_ages(66, ABRIDGED_90)
    assert AgeBands((0, 65)).labels[chosen_ages(65, AgeBands((0, 65)))[0]] == "65+"


@pytest.mark.parametrize(("levels", "ending"), [((0.95, 0.998), "998"), ((0.998, 0.95), "95"), ((0.9, 0.995), "995")])
def test_limits_of_further_levels_carry_them_in_their_name(levels, ending):
    columns = limit_columns(np.array([80.0]), np.array([0.5]), levels)
    assert list(columns) == ["lower", "upper", f"lower_{ending}", f"upper_{ending}"]


@pytest.mark.parametrize("level", [95, 0, 1, (0.95, 99.8)])
def test_levels_are_fractions(level):
    with pytest.raises(ValueError, match="confidence"):
        limit_columns(np.array([80.0]), np.array([0.5]), level)
