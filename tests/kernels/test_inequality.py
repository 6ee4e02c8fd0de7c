"""Quantiles, gaps and attributable shares against OHID's package, the WHO's sample, and identities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nenc_estimates.kernels.inequality import (
    absolute_concentration_index,
    absolute_gap,
    attributable_contributions,
    attributable_fraction,
    attributable_risk,
    population_shares,
    quantile_ranks,
    ratio,
    relative_concentration_index,
    ridit_ranks,
)
from nenc_estimates.kernels.slopes import slope_index

if TYPE_CHECKING:
    from pathlib import Path

# births attended by skilled staff [%] by wealth quintile: the OrderedSample of healthequal 1.0.1 (WHO)
WHO_VALUE = np.array([75.60530, 91.01997, 96.03959, 97.04223, 99.22405])
WHO_SE = np.array([1.5996131, 1.1351504, 0.6461946, 0.5676206, 0.2237683])
WHO_PEOPLE = np.array([2072.436, 2112.204, 1983.059, 2052.124, 1884.510])

values = arrays(np.float64, 5, elements=st.floats(40, 90))
people = arrays(np.float64, 5, elements=st.floats(100, 10_000))
errors = arrays(np.float64, 5, elements=st.floats(0.01, 2))
WEIGHTED = [
    attributable_risk,
    attributable_fraction,
    absolute_concentration_index,
    relative_concentration_index,
]


@pytest.mark.parametrize(
    ("column", "quantiles", "highest_first"),
    [("d10", 10, True), ("q5", 5, True), ("q5_noinv", 5, False), ("q7", 7, True)],
)
def test_quantiles_are_those_of_phe_quantile_with_ties_and_missing_scores(
    reference: Path, column, quantiles, highest_first
):
    # PHEindicatormethods 2.1.0; each g is one group
    table = pd.read_csv(reference / "phe/quantile_edges.csv")
    for _, group in table.groupby("g"):
        ours = quantile_ranks(group.vals, quantiles=quantiles, highest_first=highest_first)
        np.testing.assert_array_equal(ours, group[column].astype(float))


def test_fewer_scores_than_quantiles_have_no_quantile_and_do_not_affect_other_groups():
    scores = np.array([[4.0, 3.0, np.nan, np.nan, 1.0], [5.0, 4.0, 3.0, 2.0, 1.0]])
    ours = quantile_ranks(scores, quantiles=5)
    assert np.isnan(ours[0]).all()
    np.testing.assert_array_equal(ours[1], [1, 2, 3, 4, 5])
    assert quantile_ranks(np.empty((0, 7)), quantiles=5).shape == (0, 7)
    assert np.isnan(quantile_ranks([np.nan] * 6, quantiles=5)).all()


@given(
    scores=arrays(np.float64, st.integers(5, 60), elements=st.integers(0, 40).map(float)),
    quantiles=st.integers(2, 5),
)
def test_quantiles_follow_the_scores_and_ties_share_one(scores, quantiles):
    ours = quantile_ranks(scores, quantiles=quantiles)
    order = np.argsort(-scores, kind="stable")
    assert (np.diff(ours[order]) >= 0).all()
    assert ours.min() == 1
    assert ours.max() <= quantiles
    for score in np.unique(scores):
        assert len(set(ours[scores == score])) == 1


@given(scores=st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=60, unique=True))
def test_without_ties_quantiles_are_of_equal_size_to_one(scores):
    sizes = np.bincount(quantile_ranks(scores, quantiles=4).astype(int))[1:]
    assert sizes.max() - sizes.min() <= 1


def test_a_batch_with_ties_and_gaps_is_ranked_row_by_row():
    scores = np.random.default_rng(5).integers(0, 9, (4, 3, 30)).astype(float)
    scores[scores == 4] = np.nan
    ours = quantile_ranks(scores, quantiles=5)
    for index in np.ndindex(4, 3):
        np.testing.assert_array_equal(ours[index], quantile_ranks(scores[index], quantiles=5))


def test_a_number_of_quantiles_that_makes_no_sense_is_refused():
    for quantiles in (1, 2.5):
        with pytest.raises(ValueError, match="quantiles must be a whole number of 2 or more"):
            quantile_ranks([1, 2, 3], quantiles=quantiles)


@given(people=people)
def test_the_mean_ridit_rank_is_one_half(people):
    assert (population_shares(people) * ridit_ranks(people)).sum() == pytest.approx(0.5, abs=1e-14)


def test_a_group_without_people_is_nan_and_no_other_is():
    ranks = ridit_ranks([[1, 1], [1, 0], [np.nan, 1], [-1, 1], [np.inf, 1]])
    np.testing.assert_array_equal(ranks[0], [0.25, 0.75])
    assert np.isnan(ranks[1:]).all()
    with pytest.raises(ValueError, match="two or more quantiles"):
        population_shares([5.0])


def test_attributable_risk_and_fraction_have_the_errors_that_the_values_have():
    # healthequal 1.0.1 prints 0.337 for the risk and 0.00368 for the fraction of 8.3 %: it mixes the scales
    # 0-1 and 0-100. Monte Carlo over the group errors gives 0.476 and 0.555 percentage points.
    risk = attributable_risk(WHO_VALUE, WHO_PEOPLE, se=WHO_SE)
    fraction = attributable_fraction(WHO_VALUE, WHO_PEOPLE, se=WHO_SE)
    assert risk.se == pytest.approx(0.476, abs=5e-4)
    assert 100 * fraction.se == pytest.approx(0.555, abs=5e-4)
    drawn = np.random.default_rng(6).normal(WHO_VALUE, WHO_SE, (200_000, 5))
    risks = attributable_risk(drawn, WHO_PEOPLE, se=0.0).value
    fractions = attributable_fraction(drawn, WHO_PEOPLE, se=0.0).value
    # the error of a standard deviation of 200,000 draws is 0.16 %
    assert risk.se == pytest.approx(risks.std(), rel=0.01)
    assert fraction.se == pytest.approx(fractions.std(), rel=0.01)


@pytest.mark.parametrize("measure", WEIGHTED)
def test_standard_errors_are_those_of_monte_carlo(measure):
    value, se = np.array([60.0, 64, 66, 69, 71]), np.array([0.9, 0.7, 0.8, 0.6, 0.7])
    drawn = np.random.default_rng(7).normal(value, se, (100_000, 5))
    ours = measure(value, WHO_PEOPLE, se=se)
    assert ours.se == pytest.approx(measure(drawn, WHO_PEOPLE, se=0.0).value.std(), rel=0.015)
    z = 1.959963984540054
    assert [ours.lower, ours.upper] == pytest.approx([ours.value - z * ours.se, ours.value + z * ours.se])


@given(value=values, people=people, se=errors, reference=st.integers(0, 4))
def test_contributions_of_quantiles_sum_to_the_attributable_risk(value, people, se, reference):
    parts = attributable_contributions(value, people, se=se, reference=reference)
    whole = attributable_risk(value, people, se=se, reference=reference)
    assert parts.value.sum() == pytest.approx(whole.value, abs=1e-12)
    assert parts.value[reference] == parts.se[reference] == 0
    mean = (population_shares(people) * value).sum()
    assert whole.value == pytest.approx(value[reference] - mean, abs=1e-12)
    assert attributable_fraction(value, people, se=se, reference=reference).value == pytest.approx(
        whole.value / mean, abs=1e-13
    )


@given(value=values, people=people, se=errors)
def test_the_concentration_index_is_a_slope_index_rescaled(value, people, se):
    ours = absolute_concentration_index(value, people, se=se)
    shares, ranks = population_shares(people), ridit_ranks(people)
    factor = 2 * (shares * (ranks - 0.5) ** 2).sum()
    slope = slope_index(value, people, se=se)
    assert ours.value == pytest.approx(factor * slope.value, abs=1e-11)
    assert ours.se == pytest.approx(factor * slope.se, rel=1e-12)
    relative = relative_concentration_index(value, people, se=se)
    assert relative.value == pytest.approx(ours.value / (shares * value).sum(), abs=1e-13)


@given(value=values, people=people, se=errors, unit=st.floats(0.01, 100))
def test_absolute_measures_scale_with_the_unit_and_relative_ones_do_not(value, people, se, unit):
    for measure, power in zip(WEIGHTED, (1, 0, 1, 0), strict=True):
        one, other = (measure(factor * value, people, se=factor * se) for factor in (1.0, unit))
        assert other.value == pytest.approx(unit**power * one.value, rel=1e-9, abs=1e-12 * max(unit, 1))
        assert other.se == pytest.approx(unit**power * one.se, rel=1e-9)
    assert ratio(unit * value, se=unit * se).lower == pytest.approx(ratio(value, se=se).lower)


@given(value=values, people=people, se=errors)
def test_measures_change_sign_when_the_ranking_is_reversed(value, people, se):
    for measure in (absolute_concentration_index, relative_concentration_index):
        there, back = measure(value, people, se=se), measure(value[::-1], people[::-1], se=se[::-1])
        assert there.value == pytest.approx(-back.value, abs=1e-12)
    assert absolute_gap(value, se=se).value == -absolute_gap(value[::-1], se=se[::-1]).value
    assert ratio(value, se=se).upper == pytest.approx(1 / ratio(value[::-1], se=se[::-1]).lower)


def test_a_gap_has_the_error_of_a_difference_of_independent_values():
    gap = absolute_gap([[70.0, 75.0, 82.0]], se=[[0.3, 9.0, 0.4]])
    assert gap.value == 12.0
    assert gap.se == pytest.approx(0.5)
    assert gap.upper - gap.lower == pytest.approx(2 * 1.959963984540054 * 0.5)


def test_a_ratio_of_values_that_are_not_positive_is_nan():
    ours = ratio([[0.0, 1.0], [1.0, 0.0], [-1.0, 1.0], [1.0, 2.0]], se=0.1 * np.ones(2))
    assert np.isnan(ours.value[:3]).all()
    assert ours.value[3] == 2


def test_a_ratio_has_the_error_of_monte_carlo_and_limits_that_multiply_to_its_square():
    value, se = np.array([4.0, 3.0, 2.0]), np.array([0.04, 9.0, 0.03])
    ours = ratio(value, se=se, confidence=(0.95, 0.998))
    assert ours.value == 0.5
    drawn = np.random.default_rng(8).normal(value, se, (100_000, 3))
    assert ours.se == pytest.approx(ratio(drawn, se=se).value.std(), rel=0.015)
    np.testing.assert_allclose(ours.lower * ours.upper, 0.25, rtol=1e-14)
    np.testing.assert_allclose(np.log(ours.upper / 0.5), np.array([1.959964, 3.090232]) * ours.se / 0.5, rtol=1e-6)


@pytest.mark.parametrize(
    "measure", [*WEIGHTED, attributable_contributions, lambda value, _, **rest: absolute_gap(value, **rest)]
)
def test_limits_of_every_level_are_that_many_errors_away(measure):
    ours = measure(np.stack([WHO_VALUE] * 3), WHO_PEOPLE, se=WHO_SE, confidence=(0.9, 0.998))
    for z, lower, upper in zip((1.644854, 3.090232), ours.lower, ours.upper, strict=True):
        np.testing.assert_allclose(lower, ours.value - z * ours.se, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(upper, ours.value + z * ours.se, rtol=1e-6, atol=1e-12)


def test_several_levels_of_confidence_put_an_axis_in_front():
    ours = attributable_risk(np.stack([WHO_VALUE] * 3), WHO_PEOPLE, se=WHO_SE, confidence=(0.95, 0.998))
    assert ours.lower.shape == ours.upper.shape == (2, 3)
    assert (ours.lower[1] < ours.lower[0]).all()


@pytest.mark.parametrize("measure", [*WEIGHTED, attributable_contributions])
def test_one_bad_group_never_spoils_another(measure):
    value = np.stack([WHO_VALUE] * 5)
    population, se = np.stack([WHO_PEOPLE] * 5), np.stack([WHO_SE] * 5)
    value[1, 2], population[2, 0], se[3, 4] = np.nan, 0.0, -1.0
    ours = measure(value, population, se=se)
    alone = measure(WHO_VALUE, WHO_PEOPLE, se=WHO_SE)
    for good in (0, 4):
        np.testing.assert_allclose(ours.value[good], alone.value, rtol=1e-14)
        np.testing.assert_allclose(ours.upper[good], alone.upper, rtol=1e-14)
    assert np.isnan(ours.value[[1, 2]]).any(axis=tuple(range(1, ours.value.ndim))).all()
    assert np.isnan(ours.lower[[1, 2, 3]]).any(axis=tuple(range(1, ours.value.ndim))).all()


@pytest.mark.parametrize("measure", [*WEIGHTED, attributable_contributions])
def test_values_without_error_have_limits_without_width(measure):
    ours = measure(WHO_VALUE, WHO_PEOPLE, se=np.zeros(5))
    np.testing.assert_array_equal(ours.lower, ours.value)
    np.testing.assert_array_equal(ours.upper, ours.value)


def test_a_mean_of_zero_has_no_relative_measure():
    for measure in (attributable_fraction, relative_concentration_index):
        assert np.isnan(measure([-1.0, 1.0], [1, 1], se=[0.1, 0.1]).value)
