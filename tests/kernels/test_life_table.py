"""Life tables: published numbers, identities, edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nenc_estimates.age_bands import ABRIDGED_90, AgeBands
from nenc_estimates.kernels.expectancy import life_expectancy
from nenc_estimates.kernels.life_table import (
    Fault,
    accumulated,
    death_chance_variance,
    expected_variance,
    from_probabilities,
    life_expectancy_variance,
    life_table,
    life_table_faults,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OHID = {"width": ABRIDGED_90.width, "nax": ABRIDGED_90.nax}

rates = hnp.arrays(np.float64, (3, 20), elements=st.floats(1e-6, 1.5, allow_subnormal=False) | st.floats(1e-6, 0.05))


def test_belgian_women_2004_have_their_published_table(reference: Path) -> None:
    # Jagger, Van Oyen, Robine, Health Expectancy Calculation by the Sullivan Method, 4th ed. 2014, example 3;
    # q0 is per birth and L0 = 0.2 l0 + 0.8 l1, both inputs; 12 digits are given, so 1e-11
    guide = pd.read_csv(reference / "sullivan/jagger_ex3_ex4_belgium_females_2004.csv")
    bands = AgeBands(tuple(guide["age"]))
    nax = np.where(guide["age"] == 0, 0.2, bands.width * 0.5)
    q0 = np.where(guide["age"] == 0, guide["qx"], np.nan)
    table = life_table(guide["deaths"] / guide["population"], width=bands.width, nax=nax, nqx=q0)
    for column, ours in (("lx", table.lx), ("Lx", table.nLx), ("Tx", table.Tx), ("ex", table.ex)):
        np.testing.assert_allclose(ours, guide[column], rtol=1e-11, err_msg=column)
    np.testing.assert_allclose(table.nqx[:-1], guide["qx"][:-1], rtol=1e-11)  # the guide's 85+ has a made-up width
    assert table.nqx[-1] == 1


def test_its_variance_is_the_published_one_with_and_without_the_open_band(reference: Path) -> None:
    # as above, with a0 = 0.5 in the variance, as the guide has it; ages above 0 do not depend on it
    guide = pd.read_csv(reference / "sullivan/jagger_ex3_ex4_belgium_females_2004.csv")
    wanted = pd.read_csv(reference / "sullivan/jagger_ex7_percent_and_corrected_variance.csv")
    bands = AgeBands(tuple(guide["age"]))
    q0 = np.where(guide["age"] == 0, guide["qx"], np.nan)
    table = life_table(guide["deaths"] / guide["population"], width=bands.width, nax=bands.width * 0.5, nqx=q0)
    for column, on in (("var_LE_no_open", False), ("var_LE_with_open", True)):
        ours = life_expectancy_variance(table, guide["deaths"], open_band_variance=on)
        np.testing.assert_allclose(ours, wanted[column], rtol=1e-10, err_msg=column)


@given(rates)
def test_columns_obey_the_identities_of_a_life_table(nMx: Array) -> None:
    table = life_table(nMx, **OHID)
    assert (table.lx[:, 0] == 100_000).all()
    assert (np.diff(table.lx) <= 0).all()
    np.testing.assert_allclose(table.ndx.sum(axis=1), 100_000, rtol=1e-12)
    np.testing.assert_allclose(table.Tx[:, 0], table.nLx.sum(axis=1), rtol=1e-12)
    alive = table.lx > 1e-6  # below, 1 - q keeps too few digits to compare T / l
    np.testing.assert_allclose(table.Tx[alive] / table.lx[alive], table.ex[alive], rtol=1e-9)
    uncapped = (table.nqx < 1) & alive
    np.testing.assert_allclose(table.ndx[uncapped] / table.nLx[uncapped], nMx[uncapped], rtol=1e-9)


@given(rates, st.integers(1, 10_000))
def test_fast_and_full_table_agree(nMx: Array, people: int) -> None:
    population = np.full(nMx.shape, float(people))
    deaths = np.minimum(nMx, 1) * people
    fast = life_expectancy(deaths, population, **OHID)
    table = life_table(deaths / population, **OHID)
    np.testing.assert_allclose(table.ex, fast.ex, rtol=1e-12)
    # 1 - q loses digits where almost everyone dies; the variance is then close to 0
    for on in (True, False):
        fast = life_expectancy(deaths, population, **OHID, open_band_variance=on)
        full = life_expectancy_variance(table, deaths, open_band_variance=on)
        np.testing.assert_allclose(full, fast.variance, rtol=1e-9, atol=1e-10)


def test_a_batch_is_its_tables_one_by_one_to_the_last_bit() -> None:
    nMx = np.random.default_rng(1).uniform(0.001, 0.3, (4, 5, 20))
    batch = life_table(nMx, **OHID)
    for index in np.ndindex(4, 5):
        alone = life_table(nMx[index], **OHID)
        for column in ("nqx", "nax", "lx", "ndx", "nLx", "Tx", "ex"):
            np.testing.assert_array_equal(getattr(batch, column)[index], getattr(alone, column))
        alone_variance = life_expectancy_variance(alone, 900 * nMx[index])
        np.testing.assert_array_equal(life_expectancy_variance(batch, 900 * nMx)[index], alone_variance)


def test_other_number_types_and_read_only_input_give_the_same() -> None:
    nMx = np.float32(np.linspace(0.01, 0.5, 20))
    nMx.flags.writeable = False
    np.testing.assert_array_equal(life_table(nMx, **OHID).ex, life_table(nMx.astype(float), **OHID).ex)
    assert life_table(np.ones((0, 20)), **OHID).ex.shape == (0, 20)


def test_everyone_dies_where_rate_times_years_lived_is_above_one() -> None:
    nMx = np.full(20, 0.01)
    nMx[10] = 0.41
    table = life_table(nMx, **OHID)
    assert table.nqx[10] == 1
    assert (table.lx[11:] == 0).all()
    assert (table.nLx[11:] == 0).all()
    assert table.ex[10] == 2.5
    assert table.ex[11] == life_table(np.full(20, 0.01), **OHID).ex[11]


@pytest.mark.parametrize("rate", [np.nan, -0.1])
def test_an_impossible_rate_makes_columns_that_need_it_nan(rate: float) -> None:
    nMx = np.full((2, 20), 0.05)
    nMx[0, 10] = rate
    table = life_table(nMx, **OHID)
    assert np.isnan(table.ex[0, :11]).all()
    assert np.isfinite(table.ex[0, 11:]).all()
    assert np.isfinite(table.lx[0, :11]).all()
    assert np.isnan(table.lx[0, 11:]).all()
    assert all(np.isfinite(column[1]).all() for column in (table.lx, table.nLx, table.ex))


def test_an_open_band_without_deaths_leaves_no_expectancy() -> None:
    table = life_table([0.05, 0.0], width=[5, np.inf], nax=[2.5, 0])
    assert np.isnan(table.ex).all()
    assert np.isfinite(table.lx).all()
    assert np.isnan(table.nqx[-1])
    assert np.isnan(life_expectancy_variance(table, [4, 0])).all()


def test_a_closed_band_without_deaths_adds_no_variance_and_stops_none() -> None:
    deaths, population = np.array([3.0, 0, 0, 7]), np.full(4, 50.0)
    rules = {"width": np.array([1, 4, 5, np.inf]), "nax": np.array([0.1, 2, 2.5, 0])}
    table = life_table(deaths / population, **rules)
    assert death_chance_variance(table, deaths)[[1, 2]].tolist() == [0, 0]
    ours = life_expectancy_variance(table, deaths)
    np.testing.assert_allclose(ours, life_expectancy(deaths, population, **rules).variance, rtol=1e-12)
    assert ours[1] == ours[2] == ours[3]  # nobody dies between
    deaths, population = np.array([0.0, 3, 0, 7]), np.full(4, 50.0)
    rules = {"width": np.array([1, 4, 5, np.inf]), "nax": np.array([0.1, 2, 2.5, 0])}
    table = life_table(deaths / population, **rules)
    assert death_chance_variance(table, deaths)[[0, 2]].tolist() == [0, 0]
    ours = life_expectancy_variance(table, deaths)
    np.testing.assert_allclose(ours, life_expectancy(deaths, population, **rules).variance, rtol=1e-12)
    assert ours[0] == pytest.approx(ours[1], rel=1e-12)  # nobody dies between


def test_a_chance_of_dying_that_no_deaths_stand_behind_has_an_infinite_variance() -> None:
    table = life_table([0.0, 0.1], width=[1, np.inf], nax=[0.1, 0], nqx=[0.004, np.nan])
    assert death_chance_variance(table, [0, 9])[0] == np.inf
    assert life_expectancy_variance(table, [0, 9])[0] == np.inf


def test_one_table_may_have_several_sets_of_deaths_or_of_weights() -> None:
    table = life_table(np.full(20, 0.02), **OHID)
    deaths = np.outer([10.0, 20.0, 40.0], np.ones(20))
    together = expected_variance(table, deaths, total=table.ex)
    np.testing.assert_allclose(together, together[:1] * [[1], [0.5], [0.25]], rtol=1e-12)
    np.testing.assert_array_equal(together[0], life_expectancy_variance(table, deaths[0]))
    weight = np.outer([1.0, 0.5], np.ones(20))
    halved = expected_variance(table, deaths[0], weight=weight, total=weight[1] * table.ex)
    assert halved[1] == pytest.approx(together[0] / 4, rel=1e-12)
    assert halved.shape == (2, 20)


def test_years_lived_may_be_none_of_the_band_or_all_of_it() -> None:
    # who dies in a band of 10 years at a rate of 1/10 does so with chance n m / (1 + (n - a) m)
    none, all_ = (life_table([0.1, 0.25], width=[10, np.inf], nax=[a, 0], radix=1.0) for a in (0, 10))
    assert none.lx.tolist() == [1, 0.5]
    assert none.ex[0] == 0.5 * (10 + 4)
    assert all_.lx.tolist() == [1, 0]
    assert all_.ex[0] == 10


def test_years_lived_and_known_chances_may_differ_between_tables_of_the_same_rates() -> None:
    rate, width = np.array([0.01, 0.02, 0.2]), np.array([1, 4, np.inf])
    nax = np.array([[0.1, 2, 0], [0.3, 2, 0], [-0.1, 2, 0], [0.1, 4.5, 0]])
    several = life_table(rate, width=width, nax=nax)
    for row in range(2):
        np.testing.assert_array_equal(several.ex[row], life_table(rate, width=width, nax=nax[row]).ex)
    assert np.isnan(several.nqx).tolist() == [[False] * 3, [False] * 3, [True, False, False], [False, True, False]]
    assert np.isnan(several.ex).tolist() == [[False] * 3, [False] * 3, [True, False, False], [True, True, False]]
    np.testing.assert_array_equal(several.nMx, np.tile(rate, (4, 1)))
    known = np.array([[0.004, np.nan, np.nan], [1.0, np.nan, np.nan], [-0.1, np.nan, np.nan], [1.5, np.nan, np.nan]])
    several = life_table(rate, width=width, nax=nax[0], nqx=known)
    np.testing.assert_array_equal(several.nqx[:, 0], [0.004, 1, np.nan, np.nan])
    assert (several.nqx[:, 1:] == several.nqx[0, 1:]).all()
    np.testing.assert_array_equal(several.nMx, np.tile(rate, (4, 1)))


def test_the_table_hands_on_its_rates_but_not_an_impossible_one() -> None:
    table = life_table([0.01, -0.02, 0.2], width=[1, 4, np.inf], nax=[0.1, 2, 0])
    np.testing.assert_array_equal(table.nMx, [0.01, np.nan, 0.2])


def test_radix_and_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="two or more age bands"):
        life_table(0.1, width=[1], nax=0.1)
    with pytest.raises(ValueError, match="nax is in years"):
        life_table(np.ones(3), width=[1, 4, np.inf], nax=[0.1, 5, 0])
    with pytest.raises(ValueError, match="radix"):
        life_table(np.ones(20), **OHID, radix=0)
    with pytest.raises(ValueError, match="one length for each"):
        life_table(np.ones(19), width=OHID["width"], nax=0.1)


@given(rates)
def test_the_delta_variance_is_the_gradient_of_the_expectancy(nMx: Array) -> None:
    # Var(e0) from Poisson deaths through a numerical derivative in log rates is within 1 % at large counts
    # (Chiang's is binomial: smaller by the factor 1 - a m n, so rates are kept small)
    rate = np.minimum(nMx[0], 0.001)
    table, step = life_table(rate, **OHID), 1e-4
    moved = life_table(rate * np.exp(step * np.eye(20)), **OHID).ex[:, 0]
    slope = (moved - life_table(rate * np.exp(-step * np.eye(20)), **OHID).ex[:, 0]) / (2 * step)
    deaths = 1e6 * rate
    np.testing.assert_allclose((slope**2 / deaths).sum(), life_expectancy_variance(table, deaths)[0], rtol=0.01)


def test_a_weight_of_zero_beyond_an_age_leaves_only_earlier_deaths_in_the_variance() -> None:
    table = life_table(np.full(20, 0.02), **OHID)
    deaths = np.full(20, 50.0)
    weight = (np.arange(20) < 5).astype(float)
    total = np.where(np.arange(20) == 4, 5 - 2.5 * table.nqx, 0.0)
    variance = expected_variance(table, deaths, weight=weight, total=total)
    assert variance[4] == pytest.approx(2.5**2 * table.nqx[4] ** 2 * (1 - table.nqx[4]) / 50)


def test_each_fault_has_its_own_bit() -> None:
    deaths = np.tile([1.0, 2.0, 3.0], (7, 1))
    population = np.full((7, 3), 10.0)
    deaths[1, 0], deaths[2, 1], population[3, 1], deaths[4, 2], deaths[5, 2] = np.nan, -1, 0, 11, 0
    population[6, 0] = np.inf
    expected = [
        0,
        Fault.MISSING,
        Fault.NEGATIVE_DEATHS,
        Fault.NO_POPULATION,
        Fault.MORE_DEATHS_THAN_PEOPLE,
        Fault.NO_DEATHS_IN_OPEN_BAND,
        Fault.MISSING,
    ]
    assert life_table_faults(deaths, population).tolist() == expected
    assert life_table_faults(deaths[0], population[0]).shape == ()
    assert life_table_faults(deaths, population[0]).shape == life_table_faults(deaths[0], population).shape == (7,)
    finite = np.isfinite(life_expectancy(deaths, population, width=[1, 4, np.inf], nax=[0.5, 2, 0]).ex[:, 0])
    assert finite[:6].tolist() == [True, *[False] * 5]


@pytest.mark.parametrize("impossible", [-0.1, 1.1, np.inf, -np.inf])
def test_an_impossible_probability_of_dying_is_nan_up_to_its_band_and_nowhere_else(impossible: float) -> None:
    rates = np.full((2, 20), 0.05)
    known = np.full((2, 20), np.nan)
    known[0, 3] = impossible
    made, plain = life_table(rates, nqx=known, **OHID), life_table(rates, **OHID)
    assert np.isnan(made.nqx[0, 3])
    assert np.isnan(made.ex[0, :4]).all()
    np.testing.assert_array_equal(made.ex[0, 4:], plain.ex[0, 4:])
    np.testing.assert_array_equal(made.ex[1], plain.ex[1])
    chances = np.array([[0.2, impossible, 1.0], [0.2, 0.3, 1.0]])
    kept = from_probabilities(
        chances, width=np.array([40.0, 40.0, np.inf]), nax=np.array([20.0, 20.0, 5.0]), nMx=chances, radix=1.0
    )
    assert np.isnan(kept.ex[0, :2]).all()
    assert kept.ex[0, 2] == 5.0
    assert np.isfinite(kept.ex[1]).all()


@given(gain=rates, kept=rates)
def test_sums_from_the_last_band_are_the_same_bits_for_one_table_and_for_many_however_stored(
    gain: Array, kept: Array
) -> None:
    by_hand = gain.copy()
    for age in range(18, -1, -1):
        by_hand[:, age] += kept[:, age] * by_hand[:, age + 1]
    np.testing.assert_array_equal(accumulated(gain, kept), by_hand, strict=True)
    np.testing.assert_array_equal(accumulated(np.asfortranarray(gain), kept), by_hand, strict=True)
    np.testing.assert_array_equal(accumulated(gain[1], kept[1]), by_hand[1], strict=True)


def test_what_is_possible_in_an_open_or_closed_band_is_no_fault() -> None:
    everyone_dies, nobody_dies, less_than_a_person_year = [5, 2, 3], [0, 0, 3], [0.2, 0.1, 0.3]
    deaths = np.array([everyone_dies, nobody_dies, less_than_a_person_year])
    population = np.array([[5, 9, 9], [9, 9, 9], [0.5, 0.5, 0.5]])
    faults = life_table_faults(deaths, population)
    assert faults.tolist() == [0, 0, 0]
    assert faults.dtype == np.uint8
    assert life_table_faults([0.7, 0.1, 0.3], population[2]) == Fault.MORE_DEATHS_THAN_PEOPLE
