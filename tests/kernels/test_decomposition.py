"""Contributions against published packages, exact arithmetic, and the identities they must keep."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nenc_estimates.kernels.decomposition import (
    METHODS,
    age_contributions,
    cause_contributions,
    health_sensitivity,
    healthy_contributions,
    mortality_sensitivity,
    years_gained,
)

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = np.array([1.0, 4.0, *[5.0] * 17, np.inf])
NAX = np.array([0.1, 2.0, *[2.5] * 17, np.nan])
BANDS = {"width": WIDTH, "nax": NAX}
SCHEDULE = np.array([4e-3, *np.exp(np.linspace(np.log(1e-4), np.log(0.2), 19))])
PAIRS = [(*areas, sex) for areas in (("England", "ICP"), ("Q5", "Q1")) for sex in ("male", "female")]


def life_expectancy(nMx, healthy=1.0):
    """Textbook columns l, L, T from forward products: another route than the backward recursion."""
    n, a, m = WIDTH[:-1], NAX[:-1], np.asarray(nMx)
    q = n * m[..., :-1] / (1 + (n - a) * m[..., :-1])
    lx = np.concatenate([np.ones_like(m[..., :1]), np.cumprod(1 - q, axis=-1)], axis=-1)
    Lx = np.concatenate([lx[..., :-1] * (n - (n - a) * q), lx[..., -1:] / m[..., -1:]], axis=-1)
    return (Lx * healthy).sum(axis=-1)


ratios = arrays(np.float64, 20, elements=st.floats(0.25, 4.0))
rates = ratios.map(lambda ratio: np.minimum(SCHEDULE * ratio, 0.39))
by_cause = arrays(np.float64, (3, 20), elements=st.floats(0.05, 1.0)).map(lambda ratio: SCHEDULE * ratio)
shares = arrays(np.float64, 20, elements=st.floats(0.0, 1.0))


@pytest.fixture(scope="module")
def by_age(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "demography/decomp/expected_age_phe_lifetable.csv")


@pytest.fixture(scope="module")
def by_age_and_cause(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "demography/decomp/expected_age_cause_phe_lifetable.csv")


def only(table, pair):
    return table[(table.pop1 == pair[0]) & (table.pop2 == pair[1]) & (table.sex == pair[2])]


def extrapolated(rows):
    """Midpoint sums with 20 and 200 steps err by 1/N² and 1/N⁴: one Richardson step leaves 1e-11."""
    return (100 * rows.horiuchi_N200 - rows.horiuchi_N20).to_numpy() / 99


@pytest.mark.parametrize("pair", PAIRS)
def test_ages_contribute_what_published_packages_give(by_age, pair):
    # decompositionLE 1.0.0 arriaga3, DemoDecomp 1.14.1 stepwise_replacement; they lose digits to 1e-13 years
    rows = only(by_age, pair)
    ours = age_contributions(rows.m1, rows.m2, **BANDS)
    np.testing.assert_allclose(ours, rows.arriaga3_total, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours, rows.stepwise_sym_both, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("pair", PAIRS)
def test_the_path_integral_is_the_limit_of_horiuchi_in_demodecomp(by_age, by_age_and_cause, pair):
    rows = only(by_age, pair)
    ours = age_contributions(rows.m1, rows.m2, **BANDS, method="path")
    np.testing.assert_allclose(ours, extrapolated(rows), rtol=1e-9, atol=1e-9)
    cells = only(by_age_and_cause, pair)
    first, second, expected = (
        cells.assign(limit=extrapolated(cells)).pivot(index="cause", columns="age", values=column).to_numpy()
        for column in ("m1", "m2", "limit")
    )
    np.testing.assert_allclose(
        cause_contributions(first, second, **BANDS, method="path"), expected, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("pair", PAIRS)
def test_causes_contribute_what_decompositionle_gives(by_age_and_cause, pair):
    cells = only(by_age_and_cause, pair)
    first, second, expected = (
        cells.pivot(index="cause", columns="age", values=column).to_numpy() for column in ("m1", "m2", "arriaga3_share")
    )
    ours = cause_contributions(first, second, **BANDS)
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def test_contributions_sum_to_the_published_gap(reference, by_age):
    gaps = pd.read_csv(reference / "demography/decomp/expected_summary_phe_lifetable.csv")
    for gap in gaps.itertuples():
        rows = only(by_age, (gap.pop1, gap.pop2, gap.sex))
        for method in METHODS:
            total = age_contributions(rows.m1, rows.m2, **BANDS, method=method).sum()
            assert total == pytest.approx(gap.gap, abs=1e-12)


def exact_contributions(nMx1, nMx2):
    """Arriaga's textbook columns l, L, T in both directions, in rational arithmetic: no rounding at all."""
    n, a = [Fraction(x) for x in WIDTH[:-1]], [Fraction(x) for x in NAX[:-1]]

    def table(nMx):
        m, lx, Lx = [Fraction(float(x)) for x in nMx], [Fraction(1)], []
        for x in range(19):
            q = n[x] * m[x] / (1 + (n[x] - a[x]) * m[x])
            Lx.append(n[x] * lx[x] * (1 - q) + a[x] * lx[x] * q)
            lx.append(lx[x] * (1 - q))
        Lx.append(lx[-1] / m[-1])
        return lx, Lx, [sum(Lx[x:]) for x in range(21)]

    def one_way(first, second):
        (l1, L1, T1), (l2, L2, T2) = first, second
        closed = [
            l1[x] * (L2[x] / l2[x] - L1[x] / l1[x]) + T2[x + 1] * (l1[x] / l2[x] - l1[x + 1] / l2[x + 1])
            for x in range(19)
        ]
        return [*closed, l1[19] * (T2[19] / l2[19] - T1[19] / l1[19])]

    one, two = table(nMx1), table(nMx2)
    return [(forth - back) / 2 for forth, back in zip(one_way(one, two), one_way(two, one), strict=True)]


@pytest.mark.parametrize("relative_gap", [1e-1, 1e-3, 1e-6, 1e-9, 1e-12])
def test_digits_are_kept_however_small_the_difference_is(by_age, relative_gap):
    # the textbook columns lose up to 3e-4 of the answer at 1e-9; the bound is about five roundings
    rows = only(by_age, PAIRS[0])
    first = rows.m1.to_numpy()
    second = first * (1 + relative_gap * np.linspace(1, 2, 20))
    ours = age_contributions(first, second, **BANDS)
    for value, exact in zip(ours, exact_contributions(first, second), strict=True):
        assert abs(Fraction(value) / exact - 1) <= Fraction(1e-15)


@given(first=rates, second=rates)
def test_contributions_sum_to_the_gap(first, second):
    gap = life_expectancy(second) - life_expectancy(first)
    assert age_contributions(first, second, **BANDS).sum() == pytest.approx(gap, abs=1e-12)


@pytest.mark.parametrize(("ratio", "error"), [(1.5, 1e-12), (2, 1e-10), (4, 1e-5)])
def test_the_path_sums_to_the_gap_as_closely_as_it_says(ratio, error):
    first, second = SCHEDULE * 0.6 * np.sqrt(ratio), SCHEDULE * 0.6 / np.sqrt(ratio)
    gap = life_expectancy(second) - life_expectancy(first)
    assert age_contributions(first, second, **BANDS, method="path").sum() == pytest.approx(gap, abs=error)


@pytest.mark.parametrize("method", METHODS)
@given(first=rates, second=rates)
def test_contributions_change_sign_when_the_populations_swap(method, first, second):
    there = age_contributions(first, second, **BANDS, method=method)
    back = age_contributions(second, first, **BANDS, method=method)
    np.testing.assert_allclose(there, -back, rtol=1e-13)


@pytest.mark.parametrize("method", METHODS)
@given(first=rates, second=rates, same=arrays(np.bool_, 20))
def test_ages_with_equal_rates_contribute_nothing(method, first, second, same):
    ours = age_contributions(first, np.where(same, first, second), **BANDS, method=method)
    assert (ours[same] == 0).all()
    assert not np.signbit(ours[same]).any()


@pytest.mark.parametrize("method", METHODS)
@given(first=by_cause, second=by_cause)
def test_causes_sum_to_ages_and_grouping_causes_sums_their_contributions(method, first, second):
    ours = cause_contributions(first, second, **BANDS, method=method)
    ages = age_contributions(first.sum(0), second.sum(0), **BANDS, method=method)
    np.testing.assert_allclose(ours.sum(0), ages, rtol=1e-11, atol=1e-14)
    merged = [np.stack([causes[0] + causes[1], causes[2]]) for causes in (first, second)]
    grouped = cause_contributions(*merged, **BANDS, method=method)
    np.testing.assert_allclose(grouped[0], ours[0] + ours[1], rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_causes_that_offset_each_other_keep_their_contributions(method):
    # the share rule (cause difference over all-cause difference) is 0/0 here
    first = np.stack([SCHEDULE * 0.25, SCHEDULE * 0.75])
    second = first[::-1]
    ours = cause_contributions(first, second, **BANDS, method=method)
    assert (ours[0] < 0).all()
    np.testing.assert_allclose(ours[0], -ours[1], rtol=1e-15)


@pytest.mark.parametrize("method", METHODS)
def test_a_sensitivity_between_equal_populations_is_the_derivative(method):
    step = 1e-6
    ours = mortality_sensitivity(SCHEDULE, SCHEDULE, **BANDS, method=method)
    up, down = (life_expectancy(SCHEDULE + sign * step * np.eye(20) * SCHEDULE) for sign in (1, -1))
    # a central difference of 80 years is good to about 1e-8 of the larger derivatives
    np.testing.assert_allclose(ours, (up - down) / (2 * step * SCHEDULE), rtol=1e-5)


@given(first=rates, second=rates, healthy1=shares, healthy2=shares)
def test_mortality_and_health_effects_sum_to_the_gap_in_healthy_life(first, second, healthy1, healthy2):
    parts = healthy_contributions(first, second, healthy1, healthy2, **BANDS)
    gap = life_expectancy(second, healthy2) - life_expectancy(first, healthy1)
    assert parts.mortality.sum() + parts.health.sum() == pytest.approx(gap, abs=1e-12)


@pytest.mark.parametrize("pair", PAIRS)
def test_the_path_splits_a_real_healthy_gap_exactly_too(by_age, pair):
    rows = only(by_age, pair)
    healthy1, healthy2 = np.linspace(0.97, 0.4, 20), np.linspace(0.94, 0.2, 20)
    parts = healthy_contributions(rows.m1, rows.m2, healthy1, healthy2, **BANDS, method="path")
    gap = life_expectancy(rows.m2, healthy2) - life_expectancy(rows.m1, healthy1)
    assert parts.mortality.sum() + parts.health.sum() == pytest.approx(gap, abs=1e-12)


@given(first=rates, second=rates, healthy1=shares, healthy2=shares)
def test_the_health_effect_is_the_mean_of_both_orders_of_replacement(first, second, healthy1, healthy2):
    # Andreev, Shkolnikov and Begun 2002: replace rates before or after the shares, take the mean
    parts = healthy_contributions(first, second, healthy1, healthy2, **BANDS)
    before = life_expectancy(first, healthy2) - life_expectancy(first, healthy1)
    after = life_expectancy(second, healthy2) - life_expectancy(second, healthy1)
    assert parts.health.sum() == pytest.approx((before + after) / 2, abs=1e-12)


@given(first=rates, second=rates)
def test_everyone_in_good_health_gives_the_gap_in_life_expectancy(first, second):
    parts = healthy_contributions(first, second, np.ones(20), np.ones(20), **BANDS)
    np.testing.assert_array_equal(parts.mortality, age_contributions(first, second, **BANDS))
    assert (parts.health == 0).all()


@given(first=by_cause, second=by_cause, cells=arrays(np.bool_, (3, 20)))
def test_years_gained_is_the_change_in_life_expectancy_if_only_those_cells_moved(first, second, cells):
    moved = np.where(cells, second, first)
    change = life_expectancy(moved.sum(0)) - life_expectancy(first.sum(0))
    assert years_gained(first, second, cells=cells, **BANDS) == pytest.approx(change, abs=1e-11)


def test_years_gained_is_not_the_contribution_but_all_cells_together_are_the_gap(by_age_and_cause):
    cells = only(by_age_and_cause, ("Q5", "Q1", "male"))
    first, second = (cells.pivot(index="cause", columns="age", values=column).to_numpy() for column in ("m1", "m2"))
    contributions = cause_contributions(first, second, **BANDS)
    alone = years_gained(first, second, cells=np.eye(7, dtype=bool)[..., None], **BANDS)
    together = years_gained(first, second, cells=True, **BANDS)
    assert together == pytest.approx(contributions.sum(), abs=1e-12)
    assert abs(alone.sum() - together) > 0.5


def test_a_batch_equals_one_pair_at_a_time():
    rng = np.random.default_rng(1)
    first, second = SCHEDULE * rng.uniform(0.5, 1.5, (2, 3, 5, 20))
    for method in METHODS:
        ours = partial(age_contributions, **BANDS, method=method)
        alone = [[ours(one, two) for one, two in zip(*rows, strict=True)] for rows in zip(first, second, strict=True)]
        np.testing.assert_array_equal(ours(first, second), alone)


def test_causes_health_and_years_gained_of_a_batch_are_those_of_each_pair():
    rng = np.random.default_rng(4)
    first, second = SCHEDULE * rng.uniform(0.1, 0.3, (2, 3, 2, 4, 20))
    good, better = rng.uniform(0.3, 0.9, (2, 3, 2, 20))
    cells = rng.random((3, 2, 4, 20)) < 0.5
    causes, gained = cause_contributions(first, second, **BANDS), years_gained(first, second, cells=cells, **BANDS)
    one, other = first.sum(-2), second.sum(-2)
    for method in METHODS:
        parts = healthy_contributions(one, other, good, better, **BANDS, method=method)
        by_health = health_sensitivity(one, other, **BANDS, method=method)
        by_death = mortality_sensitivity(one, other, **BANDS, healthy1=good, healthy2=better, method=method)
        for at in np.ndindex(3, 2):
            alone = healthy_contributions(one[at], other[at], good[at], better[at], **BANDS, method=method)
            np.testing.assert_array_equal(parts.mortality[at], alone.mortality)
            np.testing.assert_array_equal(parts.health[at], alone.health)
            np.testing.assert_allclose(alone.health, by_health[at] * (better - good)[at], rtol=1e-13)
            np.testing.assert_allclose(alone.mortality, by_death[at] * (other - one)[at], rtol=1e-13)
    for at in np.ndindex(3, 2):
        np.testing.assert_allclose(causes[at], cause_contributions(first[at], second[at], **BANDS), rtol=1e-13)
        assert gained[at] == pytest.approx(years_gained(first[at], second[at], cells=cells[at], **BANDS), rel=1e-12)


def test_blocks_do_not_change_a_bit():
    rng = np.random.default_rng(2)
    first, second = SCHEDULE * rng.uniform(0.5, 1.5, (2, 9000, 20))
    whole = age_contributions(first, second, **BANDS)
    np.testing.assert_array_equal(whole[4000:5000], age_contributions(first[4000:5000], second[4000:5000], **BANDS))


def test_one_comparator_serves_many_areas_and_sexes():
    rng = np.random.default_rng(3)
    areas, england = SCHEDULE * rng.uniform(0.5, 1.5, (4, 2, 20)), SCHEDULE
    ours = age_contributions(areas, england, **BANDS)
    np.testing.assert_array_equal(ours, age_contributions(areas, np.broadcast_to(england, (4, 2, 20)), **BANDS))
    np.testing.assert_array_equal(ours, age_contributions(areas, [[england, england]], **BANDS))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("age", "rate"),
    [(19, 0.0), (10, 0.41), (0, -1e-9), (7, np.nan), (19, np.inf), (5, np.inf)],
    ids=["open band without deaths", "q above 1", "negative", "missing", "infinite open", "infinite"],
)
@pytest.mark.parametrize("side", [0, 1])
def test_an_impossible_rate_makes_its_own_pair_nan_and_no_other(method, age, rate, side):
    pair = np.stack([np.tile(SCHEDULE, (3, 1)), np.tile(SCHEDULE * 1.1, (3, 1))])
    pair[side, 1, age] = rate
    ours = age_contributions(*pair, **BANDS, method=method)
    assert np.isnan(ours[1]).all()
    assert np.isfinite(ours[[0, 2]]).all()
    years = health_sensitivity(*pair, **BANDS, method=method)
    assert np.isnan(years[1]).all()
    assert np.isfinite(years[[0, 2]]).all()


@pytest.mark.parametrize("share", [-0.01, 1.01, np.nan])
def test_an_impossible_share_in_good_health_makes_its_own_pair_nan(share):
    healthy = np.full((2, 20), 0.8)
    healthy[1, 3] = share
    for shares in ((healthy, 0.9), (0.9, healthy)):
        parts = healthy_contributions(SCHEDULE, SCHEDULE * 1.1, *shares, **BANDS)
        for effect in (parts.mortality, parts.health):
            assert np.isfinite(effect[0]).all()
            assert np.isnan(effect[1]).all()


def test_a_probability_of_dying_of_exactly_one_is_possible():
    first = SCHEDULE.copy()
    first[18] = 0.4
    gap = life_expectancy(SCHEDULE) - life_expectancy(first)
    assert age_contributions(first, SCHEDULE, **BANDS).sum() == pytest.approx(gap, abs=1e-12)


def test_no_deaths_below_the_open_band_is_possible():
    first = np.zeros(20)
    first[-1] = 0.2
    gap = life_expectancy(SCHEDULE) - life_expectancy(first)
    assert age_contributions(first, SCHEDULE, **BANDS).sum() == pytest.approx(gap, abs=1e-12)


def test_two_bands_are_enough_and_an_empty_batch_stays_empty():
    two = {"width": [5, np.inf], "nax": [2.5, np.nan]}
    gap = (5 * (1 - 0.5 * 0.1) + 0.9 * 20) - (5 * (1 - 0.5 * 0.2) + 0.8 * 10)
    rate = [[q / (5 - 2.5 * q), 1 / years] for q, years in ((0.2, 10), (0.1, 20))]
    assert age_contributions(*rate, **two).sum() == pytest.approx(gap, abs=1e-13)
    assert age_contributions(np.ones((0, 2)), np.ones((0, 2)), **two).shape == (0, 2)
    assert cause_contributions(np.ones((0, 3, 2)), np.ones((0, 3, 2)), **two).shape == (0, 3, 2)


def test_inputs_of_any_kind_are_read_and_none_is_changed():
    first, second = (np.asfortranarray(SCHEDULE * ratio) for ratio in (np.ones((3, 1)), np.full((3, 1), 1.1)))
    first.flags.writeable = second.flags.writeable = False
    before = first.copy()
    expected = age_contributions(before, second.copy(), **BANDS)
    np.testing.assert_array_equal(age_contributions(first, second, **BANDS), expected)
    np.testing.assert_array_equal(first, before)
    narrow = age_contributions(first.astype(np.float32), second.astype(np.float32), **BANDS)
    assert narrow.dtype == np.float64
    np.testing.assert_allclose(narrow, expected, rtol=1e-5)


def test_an_unknown_method_and_bands_of_another_length_are_named():
    with pytest.raises(ValueError, match="method must be one of arriaga, path, not 'stepwise'"):
        age_contributions(SCHEDULE, SCHEDULE, **BANDS, method="stepwise")
    with pytest.raises(ValueError, match="width must hold one length for each of two or more age bands"):
        age_contributions(SCHEDULE, SCHEDULE, width=WIDTH, nax=NAX[:-1])
    with pytest.raises(ValueError, match="nax must hold one number for each age band"):
        age_contributions(SCHEDULE, SCHEDULE, width=WIDTH, nax=[NAX, NAX])
    with pytest.raises(ValueError, match="nax is in years and lies between 0 and width"):
        age_contributions(SCHEDULE, SCHEDULE, width=WIDTH, nax=3 * NAX)
    with pytest.raises(ValueError, match=r"width has 19 age bands, the rates are of shape \(20,\)"):
        age_contributions(SCHEDULE, SCHEDULE, width=WIDTH[1:], nax=NAX[1:])
