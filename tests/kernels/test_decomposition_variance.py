"""Standard errors of contributions against Monte Carlo and numerical derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from nenc_estimates.kernels.decomposition import (
    METHODS,
    age_contributions,
    cause_contributions,
    healthy_contributions,
    mortality_sensitivity,
    years_gained,
)
from nenc_estimates.kernels.decomposition_variance import (
    contribution_variance,
    healthy_contribution_variance,
    years_gained_variance,
)

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = np.array([1.0, 4.0, *[5.0] * 17, np.inf])
NAX = np.array([0.1, 2.0, *[2.5] * 17, np.nan])
BANDS = {"width": WIDTH, "nax": NAX}
SCHEDULE = np.array([4e-3, *np.exp(np.linspace(np.log(1e-4), np.log(0.2), 19))])
CAUSES = ["cancer", "circulatory", "digestive", "external", "mental_nervous", "other", "respiratory"]
PAIRS = [(*areas, sex) for areas in (("England", "ICP"), ("Q5", "Q1")) for sex in ("male", "female")]


@pytest.fixture(scope="module")
def counts(reference: Path):
    """Deaths by cause and person-years of an area and sex, ages in order."""
    deaths = pd.read_csv(reference / "demography/decomp/synthetic_deaths_by_cause_20bands.csv")
    people = pd.read_csv(reference / "demography/lifetable/synthetic_deaths_population_20bands.csv")

    def of(area, sex):
        mine = deaths[(deaths.area == area) & (deaths.sex == sex)]
        by_cause = mine.pivot(index="cause", columns="age", values="deaths").loc[CAUSES].to_numpy()
        lived = people[(people.area == area) & (people.sex == sex)].sort_values("age").population.to_numpy()
        return by_cause.astype(float), lived.astype(float)

    return of


def poisson(counts, area, sex):
    deaths, people = counts(area, sex)
    return deaths / people, deaths / people**2


@pytest.mark.parametrize("pair", PAIRS)
def test_standard_errors_by_cause_and_of_the_gap_are_those_of_monte_carlo(reference, counts, pair):
    # 3,000 Poisson replicates: one standard deviation is known to 1.3 %, so 5 % is four of its errors
    table = pd.read_csv(reference / "demography/uncertainty/cause_contribution_se.csv")
    rows = table[(table.pop1 == pair[0]) & (table.pop2 == pair[1]) & (table.sex == pair[2])].set_index("cause")
    (first, variance1), (second, variance2) = (poisson(counts, area, pair[2]) for area in pair[:2])
    groups = np.ones((8, 7, 20), dtype=bool)
    groups[:7] = np.eye(7, dtype=bool)[:, :, None]
    variance = contribution_variance(first, second, variance1, variance2, groups=groups, **BANDS)
    np.testing.assert_allclose(np.sqrt(variance), rows.se_mc3000.loc[[*CAUSES, "ALL"]], rtol=0.05)
    np.testing.assert_allclose(
        cause_contributions(first, second, **BANDS).sum(-1), rows.contribution_secant.loc[CAUSES], atol=1e-9
    )


def test_standard_errors_by_age_are_those_of_the_full_jacobian_and_of_monte_carlo(reference, counts):
    rows = pd.read_csv(reference / "demography/uncertainty/decomposition_contribution_se.csv")
    (first, variance1), (second, variance2) = (poisson(counts, area, "male") for area in ("England", "ICP"))
    one_cause = [np.sum(each, axis=0, keepdims=True) for each in (first, second, variance1, variance2)]
    groups = np.eye(20, dtype=bool)[:, None, :]
    ours = np.sqrt(contribution_variance(*one_cause, groups=groups, **BANDS))
    # the file's Jacobian is numerical, and it takes the age total of its own draws
    np.testing.assert_allclose(ours, rows.sd_delta, rtol=1e-4)
    np.testing.assert_allclose(ours, rows.sd_mc, rtol=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_the_gap_has_the_variance_of_two_life_expectancies(counts, method):
    (first, variance1), (second, variance2) = (poisson(counts, area, "female") for area in ("Q5", "Q1"))
    everything = np.ones((1, 7, 20), dtype=bool)
    ours = contribution_variance(first, second, variance1, variance2, groups=everything, **BANDS, method=method)
    slopes = [mortality_sensitivity(rate.sum(0), rate.sum(0), **BANDS) for rate in (first, second)]
    expected = (slopes[0] ** 2 * variance1.sum(0)).sum() + (slopes[1] ** 2 * variance2.sum(0)).sum()
    # for the path to the accuracy of its sum
    np.testing.assert_allclose(ours, [expected], rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_variances_of_cells_are_those_of_numerical_derivatives(counts, method):
    first, variance1 = poisson(counts, "Q5", "male")
    second, variance2 = poisson(counts, "Q1", "male")
    # a step below a rate of 0 would be impossible
    first, second, variance1, variance2 = (each[:2] + 1e-7 for each in (first, second, variance1, variance2))
    groups = np.zeros((3, 2, 20), dtype=bool)
    groups[0, 0, 3] = groups[1, :, 12] = groups[2, 1, 10:] = True

    def subtotals(one, two):
        cells = cause_contributions(one, two, **BANDS, method=method)
        return np.stack([np.where(group, cells, 0).sum((-1, -2)) for group in groups], axis=-1)

    total = 0.0
    for position, variance in ((0, variance1), (1, variance2)):
        pair = [first, second]
        size = 1e-5 * pair[position]
        steps = np.eye(40).reshape(40, 2, 20) * size
        up, down = ([*pair[:position], pair[position] + way, *pair[position + 1 :]] for way in (steps, -steps))
        slopes = (subtotals(*up) - subtotals(*down)) / (2 * size.reshape(40, 1))
        total = total + (slopes**2 * variance.reshape(40, 1)).sum(0)
    ours = contribution_variance(first, second, variance1, variance2, groups=groups, **BANDS, method=method)
    np.testing.assert_allclose(ours, total, rtol=1e-5)


def test_a_fixed_comparator_adds_nothing(counts):
    (first, variance1), (second, variance2) = (poisson(counts, area, "male") for area in ("England", "ICP"))
    groups = np.eye(7, dtype=bool)[:, :, None] & np.ones(20, dtype=bool)
    parts = [
        contribution_variance(first, second, one, two, groups=groups, **BANDS)
        for one, two in ((variance1, variance2), (variance1, 0 * variance2), (0 * variance1, variance2))
    ]
    np.testing.assert_allclose(parts[0], parts[1] + parts[2], rtol=1e-14)
    assert (parts[1] < 0.1 * parts[2]).all()


@pytest.mark.parametrize("method", METHODS)
def test_variances_of_mortality_and_health_effects_are_those_of_numerical_derivatives(method):
    values = [SCHEDULE, SCHEDULE * 1.3, np.linspace(0.97, 0.4, 20), np.linspace(0.94, 0.2, 20)]
    variances = tuple(value * 1e-4 for value in values)
    groups = np.zeros((4, 2, 20), dtype=bool)
    groups[0, 0, 5] = groups[1, 1, 15] = groups[2, 0] = groups[3] = True

    def subtotals(*inputs):
        parts = healthy_contributions(*inputs, **BANDS, method=method)
        effects = np.stack([parts.mortality, parts.health], axis=-2)
        return np.stack([np.where(group, effects, 0).sum((-1, -2)) for group in groups], axis=-1)

    total = 0.0
    for position, variance in enumerate(variances):
        steps = 1e-5 * np.diag(values[position])
        up, down = ([*values[:position], values[position] + way, *values[position + 1 :]] for way in (steps, -steps))
        slopes = (subtotals(*up) - subtotals(*down)) / (2e-5 * values[position][:, None])
        total = total + (slopes**2 * variance[:, None]).sum(0)
    ours = healthy_contribution_variance(*values, variances=variances, groups=groups, **BANDS, method=method)
    np.testing.assert_allclose(ours, total, rtol=1e-5)


def test_a_batch_with_one_impossible_pair_equals_one_pair_at_a_time():
    rng = np.random.default_rng(4)
    first, second = SCHEDULE * rng.uniform(0.2, 0.5, (2, 2, 3, 2, 20))
    first[1, 2, 0, -1] = first[1, 2, 1, -1] = 0.0
    variances = first * 1e-5, second * 1e-5
    groups = np.eye(2, dtype=bool)[:, :, None] & np.ones(20, dtype=bool)
    ours = contribution_variance(first, second, *variances, groups=groups, **BANDS)
    assert ours.shape == (2, 3, 2)
    assert np.isnan(ours[1, 2]).all()
    for index in [(0, 0), (0, 2), (1, 1)]:
        alone = contribution_variance(
            first[index], second[index], variances[0][index], variances[1][index], groups=groups, **BANDS
        )
        np.testing.assert_allclose(ours[index], alone, rtol=1e-14)


def test_shares_in_good_health_and_years_gained_of_a_batch_are_those_of_each_pair():
    rng = np.random.default_rng(6)
    first, second = SCHEDULE * rng.uniform(0.2, 0.5, (2, 2, 3, 2, 20))
    good, better = rng.uniform(0.3, 0.9, (2, 2, 3, 20))
    groups, cells = np.eye(40).reshape(40, 2, 20), rng.random((2, 3, 2, 20)) < 0.5
    variances = first * 1e-5, second * 1e-5
    errors = {"healthy_variance": (good * 1e-4, better * 1e-4), "groups": groups}
    ours = contribution_variance(first, second, *variances, healthy=(good, better), **errors, **BANDS)
    gained = years_gained_variance(first, second, *variances, cells=cells, **BANDS)
    for at in np.ndindex(2, 3):
        pair = (first[at], second[at], variances[0][at], variances[1][at])
        errors = {"healthy_variance": (good[at] * 1e-4, better[at] * 1e-4), "groups": groups}
        alone = contribution_variance(*pair, healthy=(good[at], better[at]), **errors, **BANDS)
        np.testing.assert_allclose(ours[at], alone, rtol=1e-13)
        np.testing.assert_allclose(gained[at], years_gained_variance(*pair, cells=cells[at], **BANDS), rtol=1e-13)


def test_one_comparator_serves_a_batch():
    rng = np.random.default_rng(5)
    areas = SCHEDULE * rng.uniform(0.5, 1.5, (3, 1, 20))
    groups = np.ones((1, 1, 20), dtype=bool)
    ours = contribution_variance(areas, SCHEDULE[None], areas * 1e-5, np.zeros((1, 20)), groups=groups, **BANDS)
    slopes = mortality_sensitivity(areas[:, 0], areas[:, 0], **BANDS)
    np.testing.assert_allclose(ours[:, 0], (slopes**2 * areas[:, 0] * 1e-5).sum(-1), rtol=1e-10)
    assert age_contributions(areas[:, 0], SCHEDULE, **BANDS).shape == (3, 20)


def test_causes_of_a_healthy_gap_have_the_variance_of_its_mortality_effect(counts):
    (first, v1), (second, v2) = (poisson(counts, area, "male") for area in ("Q5", "Q1"))
    healthy = (np.linspace(0.95, 0.4, 20), np.linspace(0.9, 0.2, 20))
    errors = (np.full(20, 1e-4), np.full(20, 4e-4))
    ours = contribution_variance(
        first, second, v1, v2, groups=np.ones((1, 7, 20)), healthy=healthy, healthy_variance=errors, **BANDS
    )
    mortality = np.stack([np.ones(20), np.zeros(20)])[None]
    other = healthy_contribution_variance(
        first.sum(0),
        second.sum(0),
        *healthy,
        variances=(v1.sum(0), v2.sum(0), *errors),
        groups=mortality,
        **BANDS,
    )
    np.testing.assert_allclose(ours, other, rtol=1e-12)


@pytest.mark.parametrize("ages", [range(20), [0, 7, 19]])
def test_the_variance_of_years_gained_is_that_of_numerical_derivatives(counts, ages):
    (first, v1), (second, v2) = (poisson(counts, area, "female") for area in ("England", "ICP"))
    cells = np.zeros((7, 20), dtype=bool)
    cells[np.ix_([1, 4], list(ages))] = True
    total = 0.0
    for index in np.ndindex(first.shape):
        for side, variance in ((0, v1), (1, v2)):
            values = []
            for sign in (1, -1):
                moved = [first.copy(), second.copy()]
                moved[side][index] += sign * 1e-7
                values.append(years_gained(*moved, cells=cells, **BANDS))
            total += ((values[0] - values[1]) / 2e-7) ** 2 * variance[index]
    ours = years_gained_variance(first, second, v1, v2, cells=cells, **BANDS)
    np.testing.assert_allclose(ours, total, rtol=1e-6)
