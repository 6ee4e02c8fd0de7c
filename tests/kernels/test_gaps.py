"""Gaps and their variance."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.kernels.gaps import (
    area_from_gap,
    gap,
    gap_variance,
    person_years_se,
    rounding_variance,
)


def test_nested_gap_has_the_reference_standard_error(reference):
    """Origin: gap_variance_nested.csv, closed form printed to 10 decimals."""
    with (reference / "trajectories" / "gap_variance_nested.csv").open() as file:
        for row in csv.DictReader(file):
            area, whole, share = (float(row[k]) for k in ("se_area", "se_reference", "area_share_of_reference"))
            se = np.sqrt(gap_variance(area**2, whole**2, share=share))
            assert se == pytest.approx(float(row["se_gap_nested"]), abs=6e-11)


@given(st.floats(0.001, 1), st.floats(0.001, 1), st.floats(0, 1))
def test_nested_variance_is_that_of_the_rest_against_the_area(v_area, v_rest, share):
    reference = share**2 * v_area + (1 - share) ** 2 * v_rest
    expected = (1 - share) ** 2 * (v_area + v_rest)
    got = gap_variance(v_area, reference * (1 + 1e-12), share=share)
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-11)


def test_a_reference_more_certain_than_its_part_allows_is_missing():
    assert np.isnan(gap_variance([0.04, 0.04], [0.001, 0.02], share=[0.5, 0.5])).tolist() == [True, False]
    # alone: a share outside 0 to 1 of a reference uncertain enough for any, and a negative variance
    assert np.isnan(gap_variance(0.01, 1.0, share=[-0.1, 0.0, 1.0, 1.1])).tolist() == [True, False, False, True]
    assert np.isnan(gap_variance([-0.01, 0.0], 1.0)).tolist() == [True, False]
    assert gap_variance(0.25, 1.0) == 1.25  # an area outside its reference


def test_a_reference_may_be_no_more_uncertain_than_the_area_makes_it():
    assert gap_variance(1.0, 0.25, share=0.5) == 0.25  # others without error: half the area's own error
    assert gap_variance(0.3, 0.3, share=1.0) == 0  # the area is the reference


@given(st.floats(-100, 100), st.floats(-100, 100), st.sampled_from(["higher", "lower"]))
def test_area_is_reference_and_gap(area, reference, better):
    assert area_from_gap(gap(area, reference, better=better), reference, better=better) == pytest.approx(
        area, abs=1e-13
    )


def test_a_gap_is_positive_where_the_area_is_worse():
    """North East men 2018-20: life expectancy 77.6 against 79.4; suicide 2016-18: 11.3 against 9.6 (ONS)."""
    assert gap(77.6, 79.4, better="higher") == pytest.approx(1.8)
    assert gap(11.3, 9.6, better="lower") == pytest.approx(1.7)
    with pytest.raises(ValueError, match="'higher' or 'lower'"):
        gap(1.0, 2.0, better="more")


def test_person_years_rule_falls_with_the_root_of_exposure():
    assert person_years_se(1e4, sex="male") == pytest.approx(1.36)
    assert person_years_se(1e4, sex="female") == pytest.approx(1.29)
    assert person_years_se(0.25, sex="male") == pytest.approx(272)
    assert np.isnan(person_years_se([0.0, -1.0], sex="male")).all()
    with pytest.raises(ValueError, match="sex is one of male, female"):
        person_years_se(1.0, sex="persons")


def test_rounding_adds_the_variance_of_a_uniform_error():
    error = (np.arange(100_001) / 100_000 - 0.5) * 0.1
    assert rounding_variance(1) == pytest.approx(error.var(), rel=1e-4)
    assert rounding_variance(0) == pytest.approx(100 * rounding_variance(1))
    assert rounding_variance(2) == pytest.approx(rounding_variance(1) / 100)


def test_the_published_gap_of_men_is_three_point_seven_years():
    # Integrated Care Strategy, December 2022: 63.1 in England, 59.4 in North East and North Cumbria
    np.testing.assert_allclose(gap([59.4], [63.1], better="higher"), [3.7], rtol=1e-14)


@given(st.floats(0, 1), st.floats(1e-6, 10), st.floats(1e-6, 10))
def test_the_variance_of_a_gap_is_that_of_area_and_rest_apart(share, area, rest):
    # reference = w area + (1 - w) rest, so the gap is (1 - w) (rest - area): V_g = (1 - w)² (V + V_rest)
    whole = share**2 * area + (1 - share) ** 2 * rest
    expected = (1 - share) ** 2 * (area + rest)
    made = gap_variance(area, whole, share=share)
    # at w near 1 rounding may put the reference below its own part by an ulp
    assert np.isnan(made) or made == pytest.approx(expected, rel=1e-9, abs=1e-14)
    assert share > 1 - 1e-6 or np.isfinite(made)


def test_a_reference_more_certain_than_its_part_allows_has_no_gap_variance():
    np.testing.assert_array_equal(gap_variance([1.0, 1.0], [0.24, 0.26], share=0.5), [np.nan, 0.26])
