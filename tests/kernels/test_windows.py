"""Windows of years."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.kernels.windows import (
    break_flags,
    shock_columns,
    window_centre,
    window_overlap,
    window_weights,
)


def test_windows_are_centred_on_their_middle_year_or_between_two():
    assert window_centre([2018, 2020, 2019], [3, 2, 1]).tolist() == [2019.0, 2020.5, 2019.0]


def test_rolling_three_year_windows_correlate_by_thirds():
    """The overlap of a moving mean of three: 1, 2/3, 1/3, 0 (exact, so to rounding error)."""
    overlap = window_overlap(np.arange(2010, 2015), np.full(5, 3))
    expected = np.maximum(1 - np.abs(np.subtract.outer(range(5), range(5))) / 3, 0)
    np.testing.assert_allclose(overlap, expected, rtol=0, atol=1e-15)


@given(st.lists(st.tuples(st.integers(1990, 2030), st.integers(1, 5)), min_size=1, max_size=12, unique=True))
def test_overlap_is_the_correlation_of_means_of_independent_years(windows):
    first, n = np.array(windows).T
    weights = window_weights(first, n, years=np.arange(1985, 2040))
    covariance = weights @ weights.T
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(window_overlap(first, n), covariance / sd[:, None] / sd, atol=1e-12)


def test_overlap_between_two_sets_of_windows_has_a_row_for_each_of_the_first():
    np.testing.assert_allclose(window_overlap([2018], [3], [2018, 2020, 2021], [3, 1, 3]), [[1, 3**-0.5, 0]])


def test_population_weighs_the_years_of_a_window():
    weights = window_weights([2018], [2], years=[2018, 2019, 2020], population=[1.0, 3.0, 5.0])
    assert weights.tolist() == [[0.25, 0.75, 0.0]]


@pytest.mark.parametrize("first", [2017, 2019])
def test_a_window_outside_the_years_is_refused(first):
    with pytest.raises(ValueError, match=r"outside the years 2018 to 2020.*until"):
        window_weights([first], [3], years=[2018, 2019, 2020])


def test_covid_weighs_thirds_on_the_windows_that_touch_it_and_nothing_later():
    years = np.arange(2017, 2026)
    seen = window_weights(np.arange(2017, 2024), [3] * 7, years=years) @ shock_columns(years, [(2020, 2021)])
    np.testing.assert_allclose(seen[:, 0], np.array([0, 1, 2, 2, 1, 0, 0]) / 3, atol=1e-15)


def test_no_shock_and_no_break_are_no_columns():
    assert shock_columns([2018, 2019], []).shape == (2, 0)
    assert break_flags([2018, 2019], []).shape == (2, 0)


def test_a_break_flags_whole_windows_from_its_year():
    assert break_flags([2019, 2020, 2021], [2020, 2021]).tolist() == [[0, 0], [1, 0], [1, 1]]
