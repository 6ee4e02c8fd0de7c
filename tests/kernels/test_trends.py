"""Recent-trend markers."""

from __future__ import annotations

import csv
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nenc_estimates.kernels.trends import proportion_trend, value_trend, window_trend

finite = st.floats(-50, 50)
errors = arrays(float, (3, 5), elements=st.floats(0.05, 5))
values = arrays(float, (3, 5), elements=finite)


def test_proportions_match_the_published_markers(reference):
    """Origin: fingertips_trend_markers.csv (tests of OHID's R function), printed to 4 decimals."""
    sign = {"Increasing": 1, "Decreasing": -1}
    with (reference / "trajectories" / "fingertips_trend_markers.csv").open() as file:
        cases = [list(group) for _, group in itertools.groupby(csv.DictReader(file), lambda row: row["case"])]
    for case in cases:
        marker = proportion_trend([float(row["count"]) for row in case], [float(row["denominator"]) for row in case])
        assert marker.chi2 == pytest.approx(float(case[-1]["expected_chi2"]), abs=6e-5)
        assert marker.slope == pytest.approx(float(case[-1]["expected_slope"]), abs=6e-5)
        assert marker.direction == sign[case[-1]["expected_trend"]]


def test_values_match_the_published_formula():
    """The example in the documentation of OHID's R function; sums written out as OHID publishes them."""
    value = np.array([30.6, 30.2, 28.0, 24.6, 24.67])
    lower, upper = [28.98, 28.63, 26.44, 23.15, 23.16], [32.25, 31.9, 29.64, 26.19, 26.25]
    s = (np.array(upper) - lower) / 3.92
    w, t = 1 / s**2, np.arange(1, 6)
    d = w.sum() * (w * t**2).sum() - (w * t).sum() ** 2
    slope = (w.sum() * (w * value * t).sum() - (w * t).sum() * (w * value).sum()) / d
    marker = value_trend(value, s)
    assert marker.slope == pytest.approx(slope, rel=1e-12)
    assert marker.chi2 == pytest.approx(slope**2 * d / w.sum(), rel=1e-12)
    assert marker.direction == -1


@given(values, errors)
def test_single_years_in_a_row_are_the_fingertips_test(value, se):
    fingertips = value_trend(value, se)
    window = window_trend(value, se, first_year=range(2015, 2020), n_years=[1] * 5)
    np.testing.assert_allclose(window.chi2, fingertips.chi2, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(window.slope, fingertips.slope, rtol=1e-9, atol=1e-12)


@given(values, errors, st.floats(0.1, 10))
def test_markers_ignore_the_level_and_the_unit(value, se, scale):
    windows = {"first_year": range(2015, 2020), "n_years": [3] * 5}
    marker = window_trend(value, se, **windows)
    moved = window_trend(scale * (value + 7), scale * se, **windows)
    np.testing.assert_allclose(moved.chi2, marker.chi2, rtol=1e-6, atol=1e-9)
    turned = window_trend(-value, se, **windows)
    np.testing.assert_allclose(turned.chi2, marker.chi2, rtol=1e-9, atol=1e-12)


def test_rolling_windows_are_judged_more_strictly_than_independent_years():
    """Slope variance of rolling windows is 1.467 times the naive one at five points (closed form)."""
    value, se = np.array([10.0, 10.4, 10.8, 11.2, 11.6]), np.full(5, 0.3)
    naive = value_trend(value, se)
    window = window_trend(value, se, first_year=range(2014, 2019), n_years=[3] * 5)
    assert window.slope == pytest.approx(0.4)
    assert 1.1 < naive.chi2 / window.chi2 < 1.467


def test_an_outlier_that_carries_the_slope_is_no_change():
    value = [10.0, 9.9, 9.8, 9.7, 14.0]
    marker = value_trend(value, [0.1] * 5)
    assert marker.chi2 > 100
    assert (float(marker.consistent), float(marker.direction)) == (0.0, 0.0)


def test_only_the_last_five_points_count():
    value = np.array([50.0, 60.0, 10.0, 11.0, 12.0, 13.0, 14.0])
    long, short = value_trend(value, 0.1), value_trend(value[-5:], 0.1)
    assert long.chi2 == short.chi2
    count = np.array([90, 80, 30, 33, 36, 39, 45])
    assert proportion_trend(count, 100).chi2 == proportion_trend(count[-5:], 100).chi2
    years = np.arange(2010, 2017)
    assert (
        window_trend(value, 0.1, first_year=years, n_years=[1] * 7).chi2
        == window_trend(value[-5:], 0.1, first_year=years[-5:], n_years=[1] * 5).chi2
    )


def test_positions_are_used_across_gaps_unless_years_are_given():
    """A gap of one year in five points makes a real difference, as OHID's published 47.35 against 44.74."""
    count, denominator = [1200, 1150, 1080, 1020, 950], [5000] * 5
    positions = proportion_trend(count, denominator)
    years = proportion_trend(count, denominator, year=[2012, 2013, 2014, 2016, 2017])
    assert years.chi2 < positions.chi2
    same = proportion_trend(count, denominator, year=range(2012, 2017))
    assert same.chi2 == pytest.approx(positions.chi2, rel=1e-12)


@pytest.mark.parametrize("field", ["chi2", "slope", "consistent", "direction"])
def test_what_cannot_be_calculated_is_missing_and_leaves_the_others_alone(field):
    value = np.tile([1.0, 2.0, 3.0, 4.0, 5.5], (4, 1))
    se = np.full((4, 5), 0.2)
    value[0, 2], se[1, 0], se[2, 4] = np.nan, 0.0, -1.0
    windows = {"first_year": range(5), "n_years": [1] * 5}
    for marker in (value_trend(value, se), window_trend(value, se, **windows)):
        assert np.isnan(getattr(marker, field)).tolist() == [True, True, True, False]
    count = np.array([[1, 2, 3, 4, 10], [0, 2, 3, 4, 5], [1, 2, 3, 4, 5]])
    marker = proportion_trend(count, 10)
    assert np.isnan(getattr(marker, field)).tolist() == [True, True, False]


def test_fewer_than_five_points_cannot_be_calculated():
    assert np.isnan(value_trend([1.0, 2.0, 3.0, 4.0], 0.1).direction)
    assert np.isnan(proportion_trend([1, 2], [5, 5]).direction)
    short = window_trend(np.ones((2, 4)), 0.1, first_year=range(4), n_years=[3] * 4)
    assert np.isnan(short.direction).tolist() == [True, True]


def test_no_series_give_no_markers():
    assert value_trend(np.ones((0, 5)), np.ones((0, 5))).chi2.shape == (0,)


def test_as_many_windows_count_as_asked_for_and_the_threshold_is_the_callers():
    value, years = np.array([90.0, 10.0, 10.2, 10.3, 10.4, 10.6, 10.7]), np.arange(2010, 2017)
    four = window_trend(value, 0.1, first_year=years, n_years=[3] * 7, points=4)
    alone = window_trend(value[-4:], 0.1, first_year=years[-4:], n_years=[3] * 4, points=4)
    assert (four.chi2, four.slope, four.direction) == (alone.chi2, alone.slope, alone.direction)
    assert np.isnan(window_trend(value, 0.1, first_year=years, n_years=[3] * 7, points=8).chi2)
    for marker in (window_trend, value_trend):
        windows = {"first_year": years, "n_years": [1] * 7} if marker is window_trend else {}
        chi2 = float(marker(value, 0.1, **windows).chi2)
        assert marker(value, 0.1, **windows, threshold=0.99 * chi2).direction == 1
        assert marker(value, 0.1, **windows, threshold=1.01 * chi2).direction == 0


def test_years_of_a_long_series_are_those_of_its_last_points():
    value, years = np.array([9.0, 10.0, 10.2, 10.3, 10.4, 10.7]), np.array([2010, 2012, 2013, 2014, 2016, 2017])
    long, short = (value_trend(value[cut], 0.1, year=years[cut]) for cut in (slice(None), slice(1, None)))
    assert (long.chi2, long.slope) == (short.chi2, short.slope)
    weight = years[1:] - years[1:].mean()
    assert short.slope == pytest.approx((weight * value[1:]).sum() / (weight**2).sum(), rel=1e-12)


def test_a_proportion_needs_events_and_people_without_one():
    count = np.array([[10, 20, 30, 40, 50], [10, 20, 30, 40, 100], [10, 20, 30, 40, 101], [10, 20, 0, 40, 50]])
    assert np.isfinite(proportion_trend(count, 100).chi2).tolist() == [True, False, False, False]


def test_a_series_at_rest_has_no_direction():
    for marker in (value_trend([5.0] * 5, 0.1), proportion_trend([20] * 5, [100] * 5)):
        assert marker.chi2 == pytest.approx(0, abs=1e-12)
        assert marker.slope == pytest.approx(0, abs=1e-15)
        assert marker.direction == 0


def test_a_slope_of_nought_without_a_point_counts_as_upwards():
    # Fingertips; the change of the last year alone makes the slope, which without it is nought
    value = [[0.0, 0, 0, 0, 1], [0.0, 0, 0, 0, -1], [0.0, -1, -2, -3, -4]]
    marker = value_trend(value, 0.01)
    assert (marker.chi2 > 100).all()
    assert marker.consistent.tolist() == [1, 0, 1]
    assert marker.direction.tolist() == [1, 0, -1]
