"""Simulated limits against the exact ones where those exist, and against OHID's package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from nenc_estimates.kernels.levels import z_value
from nenc_estimates.kernels.simulated_slopes import simulated_slope_index
from nenc_estimates.kernels.slopes import relative_index, slope_index

if TYPE_CHECKING:
    from pathlib import Path

RATE = np.array([0.30, 0.27, 0.22, 0.21, 0.17])
PEOPLE = np.array([30.0, 25, 20, 15, 10])
SE = np.array([0.03, 0.02, 0.04, 0.03, 0.05])


def test_limits_of_years_are_those_of_phe_sii_and_the_exact_ones(reference: Path):
    table = pd.read_csv(reference / "demography/inequality/le_by_quintile_synthetic_inputs.csv")
    expected = pd.read_csv(reference / "demography/inequality/expected_phe_sii_quintiles_synthetic.csv")
    rows = table.sort_values(["sex", "quintile"])
    value, people, se = (rows[name].to_numpy().reshape(2, 5) for name in ("estimate", "population", "se"))
    ours = simulated_slope_index(value, people, se=se, noise="linear", rng=np.random.default_rng(10))
    # two simulations of 100,000 draws: six times the error 0.0085 x 0.23 years of one
    np.testing.assert_allclose(ours.slope.lower, expected.sii_lower95_0cl, atol=0.012)
    np.testing.assert_allclose(ours.slope.upper, expected.sii_upper95_0cl, atol=0.012)
    np.testing.assert_allclose(ours.relative.lower, expected.rii_lower95_0cl, atol=0.0002)
    exact = slope_index(value, people, se=se)
    np.testing.assert_allclose(ours.slope.value, exact.value, rtol=1e-12)
    np.testing.assert_allclose(ours.slope.lower, exact.lower, atol=0.008)
    fieller = relative_index(value, people, se=se)
    np.testing.assert_allclose(ours.relative.value, fieller.value, rtol=1e-12)
    np.testing.assert_allclose(ours.relative.upper, fieller.upper, atol=0.00012)


@pytest.mark.parametrize("noise", ["log", "logit"])
def test_on_the_natural_scale_errors_are_skewed_as_on_their_own(noise):
    ours = simulated_slope_index(RATE, PEOPLE, se=SE, noise=noise, rng=np.random.default_rng(11))
    exact = slope_index(RATE, PEOPLE, se=SE)
    assert ours.slope.value == pytest.approx(exact.value, rel=1e-12)
    assert ours.slope.se == pytest.approx(exact.se, rel=0.05)
    # a skewed error moves the limits away from the normal ones by more than the Monte Carlo error
    assert abs(ours.slope.upper - exact.upper) > 0.02 * exact.se


def test_a_line_on_the_log_scale_has_the_limits_of_its_slope():
    ours = simulated_slope_index(RATE, PEOPLE, se=SE, noise="log", transform=True, rng=np.random.default_rng(12))
    exact = relative_index(RATE, PEOPLE, se=SE, scale="log")
    assert ours.relative.value == pytest.approx(exact.value, rel=1e-12)
    # 0.0085 standard errors of the log ratio is one Monte Carlo error
    tolerance = 4 * 0.0085 * np.log(exact.upper / exact.lower) / (2 * float(z_value(0.95)))
    assert np.log(ours.relative.lower) == pytest.approx(np.log(exact.lower), abs=tolerance)
    assert np.log(ours.relative.upper) == pytest.approx(np.log(exact.upper), abs=tolerance)


def test_holding_the_middle_of_the_line_fixed_as_ohid_does_covers_too_little():
    # PHEindicatormethods 2.1.0 moves both ends of the line alike for the slope's error. Where the error is
    # that of the most deprived quantile, its end moves more: 95 % limits hold the truth in fewer than 90 % of
    # 1,000 replicates, those of the delta method for both ends in 95 % (standard error 0.7 points).
    rng = np.random.default_rng(13)
    truth = np.array([0.10, 0.05, 0.03, 0.015, 0.008])
    people, error = np.ones(5), np.array([0.25, 0.02, 0.02, 0.02, 0.02])
    drawn = truth * np.exp(rng.normal(0, error, (1000, 5)))
    target = slope_index(truth, people, se=np.zeros(5), scale="log").value
    full = slope_index(drawn, people, se=drawn * error, scale="log")
    fixed = simulated_slope_index(
        drawn, people, se=drawn * error, noise="log", transform=True, rng=rng, draws=1000
    ).slope
    covers = [np.mean((each.lower <= target) & (target <= each.upper)) for each in (full, fixed)]
    assert covers[0] == pytest.approx(0.95, abs=0.025)
    assert covers[1] < 0.9


def test_a_group_does_not_depend_on_the_groups_beside_it():
    batch = np.stack([RATE, RATE[::-1], RATE * np.nan, RATE])
    ours = simulated_slope_index(batch, PEOPLE, se=SE, noise="log", rng=np.random.default_rng(14), draws=1000)
    alone = simulated_slope_index(RATE, PEOPLE, se=SE, noise="log", rng=np.random.default_rng(14), draws=1000)
    for measure, other in ((ours.slope, alone.slope), (ours.relative, alone.relative)):
        np.testing.assert_allclose(measure.lower[[0, 3]], other.lower, rtol=1e-13)
        np.testing.assert_allclose(measure.se[[0, 3]], other.se, rtol=1e-10)
        assert np.isnan([measure.value[2], measure.lower[2], measure.upper[2], measure.se[2]]).all()
    shaped = simulated_slope_index(
        batch.reshape(2, 2, 5), PEOPLE, se=SE, noise="log", rng=np.random.default_rng(14), draws=1000
    )
    np.testing.assert_array_equal(shaped.slope.upper, ours.slope.upper.reshape(2, 2))


def test_the_ratio_moves_with_the_middle_of_the_line_unless_it_is_held_fixed():
    # an error of the most deprived moves the middle against the slope: holding it fixed would add 17 %
    se = np.array([0.03, 0.002, 0.002, 0.002, 0.002])
    value = np.array([0.30, 0.27, 0.22, 0.21, 0.17])
    ours = simulated_slope_index(value, PEOPLE, se=se, noise="linear", rng=np.random.default_rng(16))
    assert ours.relative.se == pytest.approx(relative_index(value, PEOPLE, se=se).se, rel=0.05)
    fixed = simulated_slope_index(value, PEOPLE, se=se, noise="log", transform=True, rng=np.random.default_rng(17))
    assert fixed.slope.lower < fixed.slope.value < fixed.slope.upper


def test_values_without_error_have_limits_without_width_and_a_rate_of_nought_has_none():
    rates = np.stack([RATE, np.where(np.arange(RATE.size) == 2, 0.0, RATE)])
    ours = simulated_slope_index(
        rates, PEOPLE, se=np.zeros(RATE.size), noise="log", rng=np.random.default_rng(18), draws=1000
    )
    np.testing.assert_allclose([ours.slope.lower[0], ours.slope.upper[0]], ours.slope.value[0], rtol=1e-12)
    assert np.isnan([ours.slope.lower[1], ours.slope.upper[1], ours.slope.se[1]]).all()


def test_limits_at_998_per_cent_of_1000_draws_are_the_lowest_and_the_last_but_one():
    ours = simulated_slope_index(
        [1.0, 2.0], [1, 1], se=[1.0, 1.0], noise="linear", rng=np.random.default_rng(15), draws=1000, confidence=0.998
    )
    drawn = np.array([1.0, 2.0]) + np.random.default_rng(15).standard_normal((1000, 2))
    slopes = np.sort(2 * (drawn[:, 1] - drawn[:, 0]))
    assert [ours.slope.lower, ours.slope.upper] == pytest.approx([slopes[0], slopes[998]], abs=1e-13)


def test_limits_are_the_order_statistics_of_ohid():
    # 1,000 draws at 0.95: numbers 25 and 975
    ours = simulated_slope_index(
        [1.0, 2.0], [1, 1], se=[1.0, 1.0], noise="linear", rng=np.random.default_rng(15), draws=1000
    )
    drawn = np.array([1.0, 2.0]) + np.random.default_rng(15).standard_normal((1000, 2))
    slopes = np.sort(2 * (drawn[:, 1] - drawn[:, 0]))
    assert [ours.slope.lower, ours.slope.upper] == pytest.approx([slopes[24], slopes[974]], abs=1e-13)


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="rng is 7: pass a generator"):
        simulated_slope_index(RATE, PEOPLE, se=SE, noise="log", rng=7)
    with pytest.raises(ValueError, match="draws must be a whole number of 1,000 or more, not 999"):
        simulated_slope_index(RATE, PEOPLE, se=SE, noise="log", rng=np.random.default_rng(1), draws=999)
    with pytest.raises(ValueError, match="a scale is one of"):
        simulated_slope_index(RATE, PEOPLE, se=SE, noise="rate", rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="confidence"):
        simulated_slope_index(RATE, PEOPLE, se=SE, noise="log", rng=np.random.default_rng(1), confidence=95)
