"""Age bands and age labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.age_bands import (
    ABRIDGED_85,
    ABRIDGED_90,
    ESP2013,
    FIVE_YEAR_90,
    AgeBands,
    parse_age,
)
from nenc_estimates.errors import SchemaError


@pytest.mark.parametrize(
    ("label", "ages"),
    [
        ("0", (0, 0)),
        ("<1", (0, 0)),
        ("< 1 year", (0, 0)),
        ("Under 1", (0, 0)),
        ("under 1 year", (0, 0)),
        ("Aged under 1", (0, 0)),
        ("1-4", (1, 4)),
        ("01-04", (1, 4)),
        ("01 to 04", (1, 4)),
        ("1 to 4", (1, 4)),
        ("Aged 1 to 4 years", (1, 4)),
        ("5–9", (5, 9)),
        (" 5 - 9 ", (5, 9)),
        ("90+", (90, None)),
        ("90 +", (90, None)),
        ("90 and over", (90, None)),
        ("90 years and over", (90, None)),
        ("Aged 90 years and over", (90, None)),
        ("90 or over", (90, None)),
        ("90plus", (90, None)),
        (">=90", (90, None)),
        ("18+", (18, None)),
        ("18+ yrs", (18, None)),
        ("65 yrs", (65, 65)),
        ("Age 65", (65, 65)),
        ("16-64 yrs", (16, 64)),
        ("<75 yrs", (0, 74)),
        ("Under 75", (0, 74)),
        ("Aged 4 years and under", (0, 4)),
        ("all", (0, None)),
        ("All ages", (0, None)),
        ("At birth", (0, None)),
    ],
)
def test_every_label_in_use_is_read(label: str, ages: tuple[int, int | None]) -> None:
    assert parse_age(label) == ages


@pytest.mark.parametrize(
    "label",
    ["01-Apr", "1-Apr", "04-Jan", "Oct-14", "Apr-01", "10-October", "2026-04-01 00:00:00", "01/04/2026"],
)
def test_dates_that_a_spreadsheet_made_are_refused_with_the_cause(label: str) -> None:
    with pytest.raises(SchemaError, match=r"Excel turned an age band like '1-4' or '10-14'"):
        parse_age(label)


@pytest.mark.parametrize("label", ["", "children", "9-5", "<0", "6-8 weeks", "-5", "1.5", "nan", "> 65", "5-9-14"])
def test_an_unknown_label_is_refused_by_name(label: str) -> None:
    with pytest.raises(SchemaError, match="is unknown") as caught:
        parse_age(label)
    assert repr(label) in str(caught.value)


@given(st.lists(st.integers(0, 120), min_size=2, max_size=30, unique=True))
def test_labels_of_any_bands_lead_back_to_them(ages: list[int]) -> None:
    bands = AgeBands(tuple(sorted(ages)))
    assert AgeBands.from_labels(bands.labels[::-1]) == bands
    assert [bands.index(label) for label in bands.labels] == list(range(len(bands)))
    assert [bands.index(age) for age in bands.lower] == list(range(len(bands)))


def test_bands_of_ohid_have_twenty_widths_and_its_fractions() -> None:
    # Fingertips technical guidance on life expectancy: 0.1 in the first year, 0.5 elsewhere
    assert ABRIDGED_90.width.tolist() == [1.0, 4.0, *[5.0] * 17, np.inf]
    np.testing.assert_array_equal(ABRIDGED_90.nax, [0.1, 2.0, *[2.5] * 17, np.nan])
    assert (len(ABRIDGED_90), len(ABRIDGED_85), len(FIVE_YEAR_90)) == (20, 19, 19)
    assert ABRIDGED_85.labels[-1] == "85+"
    assert FIVE_YEAR_90.nax[0] == 0.5
    assert AgeBands.single_years(100).nax[50] == 0.5


def test_standard_population_2013_has_its_published_total_and_bands() -> None:
    assert sum(ESP2013.values()) == 100_000
    assert tuple(ESP2013) == FIVE_YEAR_90.lower
    assert (ESP2013[0], ESP2013[35], ESP2013[90]) == (5000, 7000, 1000)


@pytest.mark.parametrize("lower", [(0,), (0, 0, 5), (5, 1), (-1, 5), (0, 1.5)])
def test_impossible_bands_are_refused(lower: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="lower"):
        AgeBands(lower)


@pytest.mark.parametrize("labels", [["0-4", "10+"], ["0-4", "4+"], ["0-4", "5-9"], ["0+"], ["0+", "90+"]])
def test_labels_with_gaps_overlaps_or_no_open_end_are_refused(labels: list[str]) -> None:
    with pytest.raises(SchemaError, match="band"):
        AgeBands.from_labels(labels)


@pytest.mark.parametrize("label", ["0-4", "6", "85+", "90-94", "All ages"])
def test_a_band_that_is_not_there_is_not_guessed(label: str) -> None:
    with pytest.raises(SchemaError, match="none of the bands"):
        ABRIDGED_90.index(label)
