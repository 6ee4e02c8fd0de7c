"""Survival, years between ages, lifespan variation, deleted causes and years lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nenc_estimates.age_bands import ABRIDGED_90, AgeBands
from nenc_estimates.kernels.life_table import life_expectancy_variance, life_table
from nenc_estimates.kernels.lifespan import (
    cause_deleted,
    lifespan_variation,
    partial_life_expectancy,
    potential_years_of_life_lost,
    survival,
    years_of_life_lost,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OHID = {"width": ABRIDGED_90.width, "nax": ABRIDGED_90.nax}
LOWER = np.array(ABRIDGED_90.lower)

rates = hnp.arrays(np.float64, (2, 20), elements=st.floats(1e-5, 0.3))


def test_lifespan_measures_agree_with_lifeineq(reference: Path) -> None:
    # LifeIneq 00.04.09 on the synthetic England-like tables, 15 digits given
    folder = reference / "demography" / "lifetable"
    counts = pd.read_csv(folder / "synthetic_deaths_population_20bands.csv")
    wanted = pd.read_csv(folder / "expected_lifeineq.csv")
    assert len(wanted) == 8
    for _, row in wanted.iterrows():
        chosen = counts[(counts["area"] == row["area"]) & (counts["sex"] == row["sex"])].sort_values("age")
        table = life_table(chosen["deaths"] / chosen["population"], **OHID)
        ours = lifespan_variation(table)
        assert table.ex[0] == pytest.approx(row["e0"], rel=1e-12)
        assert ours.standard_deviation[0] == pytest.approx(row["sd"], rel=1e-12)
        assert ours.e_dagger[0] == pytest.approx(row["edag"], rel=1e-12)
        assert ours.entropy[0] == pytest.approx(row["H"], rel=1e-12)
        assert ours.gini[0] == pytest.approx(row["gini"], rel=1e-12)


@given(rates)
def test_measures_at_every_age_are_those_of_the_deaths_above_it(nMx: Array) -> None:
    table = life_table(nMx, **OHID)
    measures = lifespan_variation(table)
    age = LOWER + table.nax
    for start in (0, 1, 7, 19):
        for row in range(2):
            share = table.ndx[row, start:] / table.lx[row, start]
            lived = age[row, start:] - LOWER[start]
            mean = (share * lived).sum()
            assert mean == pytest.approx(table.ex[row, start], rel=1e-9)
            deviation = np.sqrt((share * (lived - mean) ** 2).sum())
            assert measures.standard_deviation[row, start] == pytest.approx(deviation, rel=1e-7, abs=1e-7)
            pairs = np.abs(lived[:, None] - lived) * share[:, None] * share
            assert measures.gini[row, start] == pytest.approx(pairs.sum() / (2 * mean), rel=1e-7, abs=1e-9)


def test_entropy_is_the_gain_from_lower_rates_everywhere() -> None:
    # Keyfitz: e0 rises by H per cent if all rates fall by 1 %; single years make the discrete form close
    bands = AgeBands.single_years(100)
    rate = 3e-5 * np.exp(0.095 * np.arange(101.0))
    rules = {"width": bands.width, "nax": bands.nax}
    table = life_table(rate, **rules)
    change = np.log(life_table(rate * 0.999, **rules).ex[0] / life_table(rate * 1.001, **rules).ex[0]) / 0.002
    assert lifespan_variation(table).entropy[0] == pytest.approx(change, rel=2e-3)


@given(rates, st.integers(0, 19))
def test_survival_is_the_ratio_of_survivors(nMx: Array, to: int) -> None:
    table = life_table(nMx, **OHID)
    result = survival(table, nMx * 1000, to=to)
    assert (result.probability[:, to] == 1).all()
    assert (result.variance[:, to] == 0).all()
    expected = table.lx[:, to : to + 1] / table.lx[:, : to + 1]
    np.testing.assert_allclose(result.probability[:, : to + 1], expected, rtol=1e-9)
    assert np.isnan(result.probability[:, to + 1 :]).all()
    assert np.isnan(result.variance[:, to + 1 :]).all()
    # Greenwood's sum, in relative terms
    relative = table.nqx**2 / (nMx * 1000 * (1 - table.nqx).clip(min=1e-300))
    greenwood = (result.probability**2)[:, 0] * relative[:, :to].sum(axis=1)
    np.testing.assert_allclose(result.variance[:, 0], greenwood, rtol=1e-7)


@given(rates, st.integers(1, 19))
def test_years_up_to_an_age_and_beyond_it_make_the_whole(nMx: Array, to: int) -> None:
    table = life_table(nMx, **OHID)
    deaths = nMx * 1000
    partial = partial_life_expectancy(table, deaths, to=to)
    beyond = survival(table, deaths, to=to).probability * table.ex[:, to : to + 1]
    np.testing.assert_allclose((partial.ex + beyond)[:, : to + 1], table.ex[:, : to + 1], rtol=1e-12)
    assert (partial.ex[:, to] == 0).all()
    assert (partial.variance[:, to] == 0).all()
    assert (partial.variance[:, :to] > 0).all()
    assert np.isnan(partial.ex[:, to + 1 :]).all()
    assert np.isnan(partial.variance[:, to + 1 :]).all()


def test_years_up_to_an_age_do_not_feel_what_happens_beyond_it() -> None:
    nMx = np.full(20, 0.01)
    base = partial_life_expectancy(life_table(nMx, **OHID), np.full(20, 50.0), to=10)
    nMx[15], nMx[19] = np.nan, 0
    deaths = np.full(20, 50.0)
    deaths[15] = np.nan
    again = partial_life_expectancy(life_table(nMx, **OHID), deaths, to=10)
    np.testing.assert_array_equal(again.ex, base.ex)
    np.testing.assert_array_equal(again.variance, base.variance)


def test_the_variance_of_years_up_to_the_open_band_nears_the_whole_where_few_reach_it() -> None:
    nMx = np.append(np.full(19, 0.35), 1.0)
    table, deaths = life_table(nMx, **OHID), np.full(20, 100.0)
    partial = partial_life_expectancy(table, deaths, to=19)
    assert partial.variance[0] == pytest.approx(life_expectancy_variance(table, deaths)[0], rel=1e-6)


@pytest.mark.parametrize("to", [-1, 20])
def test_the_end_must_be_a_band(to: int) -> None:
    table = life_table(np.full(20, 0.01), **OHID)
    with pytest.raises(ValueError, match="position of a band, 0 to 19"):
        survival(table, np.ones(20), to=to)


@given(rates, hnp.arrays(np.float64, (2, 20), elements=st.floats(0, 0.99)))
def test_without_a_cause_fewer_die_and_the_causes_multiply_to_all(nMx: Array, share: Array) -> None:
    table = life_table(nMx, **OHID)
    without, only = cause_deleted(table, share), cause_deleted(table, 1 - share.clip(min=0.01))
    assert (without.ex >= table.ex * (1 - 1e-12)).all()
    assert (without.nqx <= table.nqx * (1 + 1e-12)).all()
    survival_of_both = (1 - without.nqx) * (1 - only.nqx)
    clipped = share >= 0.01
    np.testing.assert_allclose(survival_of_both[clipped], (1 - table.nqx)[clipped], atol=1e-12)
    np.testing.assert_allclose(without.ndx.sum(axis=1), 100_000, rtol=1e-9)


def test_no_share_changes_nothing_and_impossible_shares_are_nan() -> None:
    table = life_table(np.full((2, 20), 0.02), **OHID)
    np.testing.assert_allclose(cause_deleted(table, 0.0).ex, table.ex, rtol=1e-12)
    share = np.zeros((2, 20))
    share[0, 5] = 1.1
    assert np.isnan(cause_deleted(table, share).ex[0, :6]).all()
    assert np.isfinite(cause_deleted(table, share).ex[1]).all()
    immortal = cause_deleted(table, np.arange(20) == 19)  # nobody in the open band dies of anything else
    assert np.isnan(immortal.ex).all()
    assert np.isnan(immortal.nqx).tolist() == [[False] * 19 + [True]] * 2
    assert np.isfinite(immortal.lx).all()


def test_years_lost_by_a_cohort_against_its_own_table_are_e_dagger() -> None:
    table = life_table(np.geomspace(1e-4, 0.2, 20), **OHID)
    lost = years_of_life_lost(table.ndx, table).sum() / table.lx[0]
    assert lost == pytest.approx(lifespan_variation(table).e_dagger[0], rel=1e-12)
    assert years_of_life_lost(np.ones((3, 20)), table).shape == (3, 20)


def test_potential_years_lost_count_up_to_the_limit() -> None:
    # worked by hand: 2 infants lose 74.9 years each, 4 aged 70-74 lose 2.5 each, those over 75 none
    deaths = np.zeros(20)
    deaths[[0, 15, 16, 19]] = 2, 4, 10, 10
    lost = potential_years_of_life_lost(deaths, lower=LOWER, nax=ABRIDGED_90.nax)
    assert lost[[0, 15]].tolist() == [149.8, 10.0]
    assert lost.sum() == pytest.approx(159.8)


def test_a_band_that_nobody_survives_is_survived_only_without_all_of_its_deaths() -> None:
    table = life_table([0.02, 0.41, 0.2], width=[5, 5, np.inf], nax=[2.5, 2.5, 0])
    assert table.nqx[1] == 1
    share = np.zeros((3, 3))
    share[1, 1], share[2, 1] = 0.5, 1.0
    without = cause_deleted(table, share)
    assert without.nqx[:, 1].tolist() == [1, 1, 0]
    np.testing.assert_allclose(without.nMx[:, 1], [1 / 2.5, 1 / 2.5, 0])
    np.testing.assert_allclose(without.ex[2, 1], 5 + 5)


def test_a_band_without_deaths_has_none_without_a_cause() -> None:
    table = life_table([0.02, 0.0, 0.2], width=[5, 5, np.inf], nax=[2.5, 2.5, 0])
    without = cause_deleted(table, [[0.5, 0.5, 0.5], [1.0, 1.0, 0.5]])
    np.testing.assert_array_equal(without.nqx[:, 1], 0)
    np.testing.assert_allclose(without.ex[1], [5 + 5 + 10, 5 + 10, 10])


def test_rates_without_a_cause_are_deaths_over_years_lived() -> None:
    table = life_table(np.geomspace(1e-4, 0.2, 20), **OHID, radix=1000.0)
    without = cause_deleted(table, np.linspace(0.1, 0.4, 20))
    np.testing.assert_allclose(without.nMx, without.ndx / without.nLx, rtol=1e-12)
    assert without.lx[0] == 1000
    assert without.nMx[-1] == pytest.approx(table.nMx[-1] * 0.6, rel=1e-12)
    np.testing.assert_array_equal(without.width, table.width)


def test_deaths_of_many_populations_are_set_against_one_norm_or_each_its_own() -> None:
    norms = life_table(np.array([[1], [2]]) * np.geomspace(1e-4, 0.2, 20), **OHID)
    deaths = np.arange(40.0).reshape(2, 20)
    each = years_of_life_lost(deaths, norms)
    for row in range(2):
        own = life_table(norms.nMx[row], **OHID)
        np.testing.assert_array_equal(each[row], years_of_life_lost(deaths[row], own))
        survived = survival(own, deaths + 1, to=6)
        np.testing.assert_array_equal(survived.variance[row], survival(own, deaths[row] + 1, to=6).variance)


def test_a_limit_within_a_band_counts_the_years_up_to_it() -> None:
    # who dies in 70-74 does so at 72.5: half a year before 73, and after 72
    for limit, years in ((73.0, 0.5), (72.0, 0.0), (70.0, 0.0)):
        lost = potential_years_of_life_lost(np.ones(20), lower=LOWER, nax=ABRIDGED_90.nax, limit=limit)
        assert lost[15] == years
        assert lost[14] == limit - 67.5
    nax = np.tile(ABRIDGED_90.nax, (2, 1))
    nax[1, 0] = 0.3
    assert potential_years_of_life_lost(np.ones(20), lower=LOWER, nax=nax)[:, 0].tolist() == [74.9, 74.7]
