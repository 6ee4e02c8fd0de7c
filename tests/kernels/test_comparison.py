from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.kernels.comparison import gap, gap_variance, share_in_ill_health


def test_the_published_gap_of_men_is_three_point_seven_years():
    # Integrated Care Strategy, December 2022: 63.1 in England, 59.4 in North East and North Cumbria
    np.testing.assert_allclose(gap([59.4], [63.1]), [3.7], rtol=1e-14)


def test_a_gap_is_positive_where_the_area_is_worse():
    assert gap(10.0, 8.0, better="lower") == 2.0
    assert gap(10.0, 8.0) == -2.0


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


def test_the_variance_of_a_share_agrees_with_draws():
    # 400,000 seeded draws: the SD of a simulated SD is SD / sqrt(2 n), 0.11 %; five of them are allowed
    share, variance = share_in_ill_health(60.0, 80.0, 0.09, 0.01)
    draws = np.random.default_rng(1).normal([60.0, 80.0], [0.3, 0.1], size=(400_000, 2))
    simulated = np.std(1 - draws[:, 0] / draws[:, 1])
    assert share == 0.25
    assert np.sqrt(variance) == pytest.approx(simulated, rel=0.006)


@given(st.floats(0, 100), st.floats(1, 100), st.floats(0.01, 100))
def test_a_share_does_not_change_with_the_unit_of_life(healthy, life, scale):
    share, variance = share_in_ill_health(healthy, life, 0.1, 0.2)
    scaled, same = share_in_ill_health(healthy * scale, life * scale, 0.1 * scale**2, 0.2 * scale**2)
    np.testing.assert_allclose([scaled, same], [share, variance], rtol=1e-10, atol=1e-12)


def test_no_life_or_a_negative_one_has_no_share():
    share, variance = share_in_ill_health([60, -1, 60], [0, 80, 80], [0.1] * 3, [0.1] * 3)
    np.testing.assert_array_equal(np.isnan(share), [True, True, False])
    np.testing.assert_array_equal(np.isnan(variance), [True, True, False])
