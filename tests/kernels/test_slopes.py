"""Slope and relative index against OHID's and the WHO's packages, least squares, and identities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nenc_estimates.kernels.inequality import population_shares, ridit_ranks
from nenc_estimates.kernels.slopes import (
    SCALES,
    relative_index,
    scale_named,
    scatter_errors,
    slope_index,
    slope_weights,
)

if TYPE_CHECKING:
    from pathlib import Path

Z = 1.959963984540054
WHO_VALUE = np.array([75.60530, 91.01997, 96.03959, 97.04223, 99.22405])
WHO_SE = np.array([1.5996131, 1.1351504, 0.6461946, 0.5676206, 0.2237683])
WHO_PEOPLE = np.array([2072.436, 2112.204, 1983.059, 2052.124, 1884.510])

quantiles = st.integers(3, 12)
groups = quantiles.flatmap(
    lambda size: st.tuples(
        arrays(np.float64, size, elements=st.floats(0.05, 0.95)),
        arrays(np.float64, size, elements=st.floats(100, 10_000)),
        arrays(np.float64, size, elements=st.floats(0.0005, 0.02)),
    )
)


def least_squares(value, people):
    """Intercept and slope from a general solver: another route than the weights."""
    shares = people / people.sum()
    design = np.column_stack([np.ones_like(shares), np.cumsum(shares) - shares / 2])
    root = np.sqrt(shares)
    return np.linalg.lstsq(root[:, None] * design, root * value, rcond=None)[0]


@pytest.mark.parametrize("sex", ["female", "male"])
def test_slope_and_relative_index_are_those_of_phe_sii_without_simulation(reference: Path, sex):
    # PHEindicatormethods 2.1.0; points are exact, limits from 100,000 draws: 0.0085 standard errors of the
    # slope (0.23) is one Monte Carlo error, four of them 0.008
    table = pd.read_csv(reference / "demography/inequality/le_by_quintile_synthetic_inputs.csv")
    rows = table[table.sex == sex].sort_values("quintile")
    expected = pd.read_csv(reference / "demography/inequality/expected_phe_sii_quintiles_synthetic.csv")
    expected = expected.set_index("sex").loc[sex]
    sii = slope_index(rows.estimate, rows.population, se=rows.se)
    assert sii.value == pytest.approx(expected.sii, rel=1e-12)
    assert sii.lower == pytest.approx(expected.sii_lower95_0cl, abs=0.008)
    assert sii.upper == pytest.approx(expected.sii_upper95_0cl, abs=0.008)
    rii = relative_index(rows.estimate, rows.population, se=rows.se)
    assert rii.value == pytest.approx(expected.rii, rel=1e-12)
    assert rii.lower == pytest.approx(expected.rii_lower95_0cl, abs=0.00012)
    assert rii.upper == pytest.approx(expected.rii_upper95_0cl, abs=0.00012)
    intercept = (rows.estimate * population_shares(rows.population)).sum() - sii.value / 2
    assert intercept == pytest.approx(expected.intercept, rel=1e-12)


def test_scatter_and_sampling_errors_of_the_same_slope_are_told_apart():
    # healthequal 1.0.1 gives HC1, 8.59, where the sampling errors of the five values give 1.77. Beside limits
    # of the logistic form, 4.29 either way, it prints a standard error of 0.0219, on the scale 0-1.
    sampling = slope_index(WHO_VALUE, WHO_PEOPLE, se=WHO_SE)
    scatter = slope_index(WHO_VALUE, WHO_PEOPLE, se=scatter_errors(WHO_VALUE, WHO_PEOPLE))
    assert sampling.se == pytest.approx(1.77, abs=0.005)
    assert scatter.se == pytest.approx(8.59, abs=0.005)
    assert sampling.value == scatter.value
    for ours in (sampling, scatter):
        assert ours.upper - ours.value == pytest.approx(Z * ours.se)


def test_years_of_life_are_not_a_percentage(reference: Path):
    # healthequal 1.0.1 takes any value between 1 and 100 for a percentage and fits a logistic model: 12.05
    # years for these men, where the line gives 12.21. Here the scale is what the caller says.
    table = pd.read_csv(reference / "demography/inequality/le_by_quintile_synthetic_inputs.csv")
    men = table[table.sex == "male"].sort_values("quintile")
    linear = slope_index(men.estimate, men.population, se=men.se)
    logit = slope_index(men.estimate / 100, men.population, se=men.se / 100, scale="logit")
    assert linear.value == pytest.approx(12.21, abs=0.005)
    assert abs(100 * logit.value - linear.value) > 0.1


def test_weights_are_people_and_not_people_squared():
    # healthequal 1.0.1 passes the population twice to a grouped logistic fit, and so weights by its square
    # (44.445 where 44.905 is right)
    value, population = np.array([0.6, 0.7, 0.9]), np.array([500.0, 300.0, 200.0])
    for scale in SCALES:
        whole = slope_index(value, population, se=np.zeros(3), scale=scale)
        tenfold = slope_index(value, 10 * population, se=np.zeros(3), scale=scale)
        assert whole.value == pytest.approx(tenfold.value, rel=1e-13)
    intercept, slope = least_squares(value, population)
    squared = least_squares(value, population**2)
    assert slope_index(value, population, se=np.zeros(3)).value == pytest.approx(slope, rel=1e-12)
    assert abs(squared[1] - slope) > 0.01
    assert relative_index(value, population, se=np.zeros(3)).value == pytest.approx(1 + slope / intercept)


@given(group=groups)
def test_the_slope_is_that_of_weighted_least_squares(group):
    value, people, se = group
    _, slope = least_squares(value, people)
    assert slope_index(value, people, se=se).value == pytest.approx(slope, abs=1e-12)
    logged = least_squares(np.log(value), people)
    assert relative_index(value, people, se=se, scale="log").value == pytest.approx(np.exp(logged[1]))
    ends = np.exp(logged[0] + logged[1]) - np.exp(logged[0])
    assert slope_index(value, people, se=se, scale="log").value == pytest.approx(ends, abs=1e-12)


@given(group=groups, add=st.floats(-10, 10), times=st.floats(-10, 10))
def test_the_slope_is_linear_in_the_values(group, add, times):
    value, people, se = group
    one = slope_index(value, people, se=se)
    other = slope_index(add + times * value, people, se=abs(times) * se)
    assert other.value == pytest.approx(times * one.value, abs=1e-11)
    assert other.se == pytest.approx(abs(times) * one.se, abs=1e-12)
    assert other.lower <= other.value <= other.upper


@given(group=groups)
def test_the_order_of_limits_holds_in_every_unit(group):
    # phe_sii 2.1.0 exchanges the limits of a rate for any multiplier below 1, so that in units of a half its
    # limits come out reversed (-1.418, -1.740) and the relative ones leave out the estimate
    value, people, se = group
    whole, half = (relative_index(unit * value, people, se=unit * se, scale="log") for unit in (1.0, 0.5))
    assert half.value == pytest.approx(whole.value)
    assert half.lower <= half.value <= half.upper
    assert [half.lower, half.upper] == pytest.approx([whole.lower, whole.upper])
    slopes = [slope_index(unit * value, people, se=unit * se, scale="log") for unit in (1.0, 0.5)]
    assert slopes[1].lower == pytest.approx(slopes[0].lower / 2, abs=1e-12)


@pytest.mark.parametrize("scale", SCALES)
@given(group=groups)
def test_a_reversed_ranking_changes_the_sign_and_inverts_the_ratio(scale, group):
    value, people, se = group
    there = slope_index(value, people, se=se, scale=scale)
    back = slope_index(value[::-1], people[::-1], se=se[::-1], scale=scale)
    assert there.value == pytest.approx(-back.value, abs=1e-11)
    assert there.lower == pytest.approx(-back.upper, abs=1e-11)
    ratio, inverse = (
        relative_index(each[0], each[1], se=each[2], scale=scale)
        for each in ((value, people, se), (value[::-1], people[::-1], se[::-1]))
    )
    if scale != "linear":
        assert ratio.value == pytest.approx(1 / inverse.value)
        assert ratio.lower == pytest.approx(1 / inverse.upper)


@pytest.mark.parametrize("scale", SCALES)
def test_standard_errors_are_those_of_monte_carlo(scale):
    value, people = np.array([0.30, 0.27, 0.22, 0.21, 0.17]), np.array([30.0, 25, 20, 15, 10])
    se = np.array([0.003, 0.002, 0.004, 0.003, 0.005])
    drawn = np.random.default_rng(8).normal(value, se, (100_000, 5))
    for index in (slope_index, relative_index):
        ours = index(value, people, se=se, scale=scale)
        replicates = index(drawn, people, se=np.zeros(5), scale=scale).value
        # delta method on errors of 1-3 %, 100,000 draws: good to a percent
        assert ours.se == pytest.approx(replicates.std(), rel=0.015)
        covered = np.mean((ours.lower < replicates) & (replicates < ours.upper))
        assert covered == pytest.approx(0.95, abs=0.005)


@given(group=groups)
def test_fieller_limits_are_where_the_ratio_is_just_rejected(group):
    value, people, se = group
    ours = relative_index(value, people, se=se)
    weights, shares = slope_weights(people), population_shares(people)
    for limit in (ours.lower, ours.upper):
        if np.isfinite(limit):
            contrast = shares * (1 - limit) + weights * (1 + limit) / 2  # top - limit * bottom
            distance = (contrast * value).sum() / np.sqrt((contrast**2 * se**2).sum())
            assert abs(distance) == pytest.approx(Z, rel=1e-6)


def test_a_ratio_to_a_fitted_value_that_may_be_zero_has_no_limits():
    doubtful = relative_index([1.0, 5.0, 9.0], [1, 1, 1], se=[2.0, 2.0, 2.0])
    assert np.isnan(doubtful.value)
    doubtful = relative_index([3.0, 5.0, 9.0], [1, 1, 1], se=[2.0, 2.0, 2.0])
    assert doubtful.value > 1
    assert np.isnan(doubtful.lower)
    assert np.isnan(doubtful.upper)

    for se in (20.0, 1e200):
        hopeless = relative_index([3.0, 5.0, 9.0], [1, 1, 1], se=[se] * 3)
        assert hopeless.value == doubtful.value
        assert np.isnan([hopeless.lower, hopeless.upper]).all()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("index", [slope_index, relative_index])
def test_each_level_of_confidence_of_a_batch_is_that_level_of_each_group(index, scale):
    value = np.array([[0.30, 0.27, 0.22, 0.21, 0.17], [0.2, 0.25, 0.22, 0.21, 0.27]])
    people, se = np.array([30.0, 25, 20, 15, 10]), np.array([0.003, 0.002, 0.004, 0.003, 0.005])
    ours = index(value, people, se=se, scale=scale, confidence=(0.9, 0.998))
    assert ours.lower.shape == ours.upper.shape == (2, 2)
    for row in range(2):
        for at, level in enumerate((0.9, 0.998)):
            alone = index(value[row], people, se=se, scale=scale, confidence=level)
            assert [ours.lower[at, row], ours.upper[at, row]] == pytest.approx([alone.lower, alone.upper], rel=1e-12)


def test_a_value_without_a_logarithm_has_no_distance_from_the_line():
    ours = scatter_errors([[0.0, 0.1, 0.2], [0.1, 0.1, 0.2]], [1, 1, 1], scale="log")
    assert np.isnan(ours).tolist() == [[True] * 3, [False] * 3]


@pytest.mark.parametrize("scale", SCALES)
def test_scatter_errors_are_on_the_scale_of_the_line(scale):
    value, people = np.array([0.30, 0.27, 0.22, 0.21, 0.17]), np.array([30.0, 25, 20, 15, 10])
    transformed = scale_named(scale).to(value)
    intercept, slope = least_squares(transformed, people)
    residual = transformed - intercept - slope * ridit_ranks(people)
    # HC1 by the sandwich formula
    root = np.sqrt(people / people.sum())
    design = root[:, None] * np.column_stack([np.ones(5), ridit_ranks(people)])
    bread = np.linalg.inv(design.T @ design)
    meat = design.T @ np.diag((root * residual) ** 2) @ design * 5 / 3
    gradient = np.array([0.0, 1.0])
    expected = gradient @ bread @ meat @ bread @ gradient
    natural = scatter_errors(value, people, scale=scale)
    weights = slope_weights(people)
    ours = (weights**2 * (natural / scale_named(scale).derivative(value)) ** 2).sum()
    assert ours == pytest.approx(expected, rel=1e-10)
    assert np.isnan(scatter_errors([1.0, 2.0], [1, 1])).all()


def test_the_doubled_midpoint_is_the_average():
    weights = slope_weights([[10, 20, 30], [1, 1, 1]])
    np.testing.assert_allclose(weights.sum(-1), 0, atol=1e-15)
    np.testing.assert_allclose((weights * ridit_ranks([[10, 20, 30], [1, 1, 1]])).sum(-1), 1, rtol=1e-14)


def test_a_group_without_people_in_a_quantile_has_no_weights_and_one_quantile_no_slope():
    weights = slope_weights([[1, 0, 2], [1, 1, 1]])
    assert np.isnan(weights).tolist() == [[True] * 3, [False] * 3]
    for population in ([5.0], 5.0):
        with pytest.raises(ValueError, match="two or more quantiles"):
            slope_weights(population)


def test_a_line_that_ends_at_nought_has_no_ratio_and_a_share_may_fall_to_nothing():
    assert np.isnan(relative_index([1.0, 3.0, 5.0], [1, 1, 1], se=[0.1] * 3).value)
    vanishing = slope_index([1e-300, 1e-150, 0.5], [1, 1, 1], se=np.zeros(3), scale="logit")
    assert vanishing.value == pytest.approx(1)


def test_a_batch_equals_one_group_at_a_time_across_blocks():
    rng = np.random.default_rng(9)
    value, people = rng.uniform(60, 80, (5000, 10)), rng.uniform(1e3, 1e4, (5000, 10))
    se = rng.uniform(0.1, 1, 10)
    ours = slope_index(value, people, se=se)
    for row in (0, 2047, 2048, 4999):
        alone = slope_index(value[row], people[row], se=se)
        assert ours.value[row] == pytest.approx(alone.value, abs=1e-11)
        assert ours.upper[row] == pytest.approx(alone.upper, abs=1e-11)
    shaped = slope_index(value.reshape(50, 100, 10), people.reshape(50, 100, 10), se=se)
    np.testing.assert_array_equal(shaped.value, ours.value.reshape(50, 100))
    assert slope_index(np.ones((0, 5)), np.ones((0, 5)), se=np.ones((0, 5))).value.shape == (0,)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("index", [slope_index, relative_index])
def test_one_bad_group_never_spoils_another(index, scale):
    value, people, se = (np.stack([each] * 7) for each in (WHO_VALUE / 100, WHO_PEOPLE, WHO_SE / 100))
    value[1, 2], people[2, 0], people[3, 4], se[4, 1], value[6, 4] = np.nan, 0.0, np.inf, -1.0, np.inf
    ours = index(value, people, se=se, scale=scale)
    alone = index(WHO_VALUE / 100, WHO_PEOPLE, se=WHO_SE / 100, scale=scale)
    np.testing.assert_allclose(ours.value[[0, 5]], alone.value, rtol=1e-12)
    np.testing.assert_allclose(ours.lower[[0, 5]], alone.lower, rtol=1e-12)
    assert np.isnan(ours.value[[1, 2, 3, 6]]).all()
    assert np.isnan(ours.lower[[1, 2, 3, 4, 6]]).all()


def test_values_without_error_keep_their_slope_beside_a_group_with_an_impossible_error():
    ours = slope_index([[1.0, 2.0, 3.0]] * 2, [1, 1, 1], se=[[0.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    np.testing.assert_array_equal(ours.se, [0.0, np.nan])
    assert ours.lower[0] == ours.value[0] == ours.value[1]


def test_an_infinite_value_counts_even_where_its_weight_is_nought():
    assert np.isnan(slope_index([70.0, np.inf, 80.0], [1, 1, 1], se=[1.0] * 3).value)


def test_a_rate_of_zero_has_no_logarithm_and_makes_its_group_nan():
    ours = slope_index([[0.0, 0.1, 0.2], [0.1, 0.1, 0.2]], [1, 1, 1], se=[0.01, 0.01, 0.01], scale="log")
    assert np.isnan(ours.value[0])
    assert np.isfinite(ours.value[1])


def test_an_unknown_scale_is_named():
    with pytest.raises(ValueError, match="a scale is one of linear, log, logit, not 'sqrt'"):
        slope_index([1, 2, 3], [1, 1, 1], se=[1, 1, 1], scale="sqrt")


def test_inputs_are_not_changed():
    arrays_ = [WHO_VALUE.copy(), WHO_PEOPLE.copy(), WHO_SE.copy()]
    for array in arrays_:
        array.flags.writeable = False
    slope_index(arrays_[0], arrays_[1], se=arrays_[2])
    relative_index(arrays_[0].astype(np.float32), arrays_[1].astype(int), se=arrays_[2])
    np.testing.assert_array_equal(arrays_[0], WHO_VALUE)
