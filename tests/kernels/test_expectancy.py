"""Life expectancy with its variance, by the recursion: against published software, and to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import ndtri

from nenc_estimates.age_bands import ABRIDGED_90, AgeBands
from nenc_estimates.kernels import expectancy
from nenc_estimates.kernels.expectancy import LifeExpectancy, life_expectancy

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OHID = {"width": ABRIDGED_90.width, "nax": ABRIDGED_90.nax}


def synthetic(tables: int, seed: int = 1, bands: AgeBands = ABRIDGED_90) -> tuple[Array, Array]:
    """Deaths and person-years of small areas with a Gompertz rise of mortality; some bands have no deaths."""
    rng = np.random.default_rng(seed)
    age = np.array(bands.lower)
    rate = np.minimum(4e-5 * np.exp(0.09 * (age + bands.width.clip(max=5) / 2)) + 0.004 * (age == 0), 0.35)
    population = rng.integers(30, 3000, (tables, len(age))).astype(float)
    deaths = np.minimum(rng.poisson(rate * population), population).astype(float)
    deaths[:, -1] = np.maximum(deaths[:, -1], 1)
    return deaths, population


def assert_same_bits(left: LifeExpectancy, right: LifeExpectancy) -> None:
    np.testing.assert_array_equal(left.ex, right.ex)
    np.testing.assert_array_equal(left.variance, right.variance)


def limits(result: LifeExpectancy, confidence: float) -> tuple[Array, Array]:
    half = ndtri(0.5 + confidence / 2) * np.sqrt(result.variance)
    return result.ex - half, result.ex + half


# Published numbers: PHEindicatormethods 2.1.0 (R 4.5.0), exact normal quantile; 1e-12 leaves room for
# the order of additions alone.


def test_two_hundred_areas_agree_with_phe_at_every_age(reference: Path) -> None:
    given_, wanted = (pd.read_csv(reference / f"phe/le_synth200_{part}.csv") for part in ("inputs", "outputs"))
    deaths, population = (given_[side].to_numpy().reshape(200, 20) for side in ("deaths", "pops"))
    result = life_expectancy(deaths, population, **OHID)
    lower, upper = limits(result, 0.95)
    for ours, column in ((result.ex, "value"), (lower, "lowercl"), (upper, "uppercl")):
        np.testing.assert_allclose(ours, wanted[column].to_numpy().reshape(200, 20), rtol=1e-12)


def test_all_areas_of_the_demographic_set_agree_at_both_levels(reference: Path) -> None:
    folder = reference / "demography" / "lifetable"
    keys = ["area", "sex", "age"]
    counts = pd.read_csv(folder / "synthetic_deaths_population_20bands.csv").sort_values(keys)
    wanted = pd.read_csv(folder / "expected_phe_life_expectancy.csv").sort_values(keys)
    assert counts[keys].to_numpy().tolist() == wanted[keys].to_numpy().tolist()
    shape = (-1, 20)
    result = life_expectancy(
        counts["deaths"].to_numpy().reshape(shape), counts["population"].to_numpy().reshape(shape), **OHID
    )
    columns = {"value": result.ex}
    for confidence, suffix in ((0.95, "95_0cl"), (0.998, "99_8cl")):
        columns[f"lower{suffix}"], columns[f"upper{suffix}"] = limits(result, confidence)
    for column, ours in columns.items():
        np.testing.assert_allclose(ours, wanted[column].to_numpy().reshape(shape), rtol=1e-12, err_msg=column)


UNDEFINED_FROM = {  # case: last age whose life expectancy is undefined here
    "02_zero_deaths_final": 90,
    "05_zero_deaths_everywhere": 90,
    "06_NA_deaths_age40": 40,
    "07_NA_pop_age40": 40,
    "14_deaths_gt_pop_age85": 85,
    "21_negative_deaths_age10": 10,
    "22_zero_pop_age10": 10,
}
SUPPRESSED_FOR_SIZE = {"15_total_pop_exactly_5000"}  # a rule of publication, not of the formula


def test_edge_cases_agree_with_phe_where_it_computes_and_are_nan_up_to_a_fault(reference: Path) -> None:
    given_, wanted = (pd.read_csv(reference / f"phe/le_grouped_{part}.csv") for part in ("inputs", "outputs"))
    compared = 0
    for case, rows in given_.groupby("case"):
        if rows["startage"].tolist() != list(ABRIDGED_90.lower):
            continue  # repeated or missing bands: refused where tables become arrays
        result = life_expectancy(rows["deaths"], rows["pops"], **OHID)
        expected = wanted[wanted["case"] == case]
        last = UNDEFINED_FROM.get(str(case), -1)
        undefined = rows["startage"].to_numpy() <= last
        assert np.isnan(result.ex[undefined]).all(), case
        assert np.isfinite(result.ex[~undefined]).all(), case
        if last < 0 and case not in SUPPRESSED_FOR_SIZE:
            # R gives 0 above an age that nobody survives; here it is the value for a person alive
            reached = (expected["value"] != 0) & expected["value"].notna()
            lower, upper = limits(result, 0.998)
            for ours, column in ((result.ex, "value"), (lower, "lower99_8cl"), (upper, "upper99_8cl")):
                np.testing.assert_allclose(
                    ours[reached], expected.loc[reached, column], rtol=1e-12, err_msg=f"{case} {column}"
                )
            compared += 1
    assert compared == 15


# To the last bit


@pytest.mark.parametrize("tables", [1, 7, 317, 40_000])
def test_layout_block_and_workers_do_not_change_a_bit(tables: int, monkeypatch: pytest.MonkeyPatch) -> None:
    deaths, population = synthetic(tables)
    deaths[::3, 4] = np.nan
    deaths[::5, 18] = population[::5, 18]
    base = life_expectancy(deaths, population, **OHID)
    age_first = np.asfortranarray(deaths), np.asfortranarray(population)
    assert_same_bits(life_expectancy(*age_first, **OHID), base)
    assert_same_bits(life_expectancy(*age_first, **OHID, workers=2), base)
    assert_same_bits(life_expectancy(deaths, age_first[1], **OHID, workers=3), base)
    for block in (8, 1000):
        monkeypatch.setattr(expectancy, "_BLOCK", block)
        assert_same_bits(life_expectancy(*age_first, **OHID), base)
        assert_same_bits(life_expectancy(deaths, population, **OHID), base)


def test_a_batch_is_its_tables_one_by_one_to_the_last_bit() -> None:
    deaths, population = synthetic(40)
    batch = life_expectancy(deaths.reshape(5, 8, 20), population.reshape(5, 8, 20), **OHID)
    for table in range(40):
        alone = life_expectancy(deaths[table], population[table], **OHID)
        np.testing.assert_array_equal(batch.ex[table // 8, table % 8], alone.ex)
        np.testing.assert_array_equal(batch.variance[table // 8, table % 8], alone.variance)


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.int32, np.uint16, ">f8"])
def test_other_number_types_give_the_float64_answer(kind: str) -> None:
    deaths, population = synthetic(50)
    base = life_expectancy(deaths, population, **OHID)
    assert_same_bits(life_expectancy(deaths.astype(kind), population.astype(kind), **OHID), base)
    rows = np.asfortranarray(deaths.astype(kind))
    assert_same_bits(life_expectancy(rows, population, **OHID), base)


def test_inputs_may_be_read_only_strided_and_broadcast_and_stay_as_they_are() -> None:
    deaths, population = synthetic(20)
    base = life_expectancy(deaths, population[0], **OHID)
    wide = np.full((40, 40), -1.0)
    wide[::2, ::2] = deaths
    kept = wide.copy()
    wide.flags.writeable = population.flags.writeable = False
    assert_same_bits(life_expectancy(wide[::2, ::2], population[:1], **OHID), base)
    np.testing.assert_array_equal(wide, kept)
    repeated = life_expectancy(deaths, np.broadcast_to(population[0], (20, 20)), **OHID)
    assert_same_bits(repeated, base)


def test_an_earlier_result_can_be_written_into() -> None:
    first, second = (life_expectancy(*synthetic(30, seed), **OHID) for seed in (1, 2))
    again = life_expectancy(*synthetic(30, 2), **OHID, out=first)
    assert again is first
    assert_same_bits(first, second)
    with pytest.raises(ValueError, match="these data need"):
        life_expectancy(*synthetic(31), **OHID, out=first)
    with pytest.raises(ValueError, match="these data need"):
        life_expectancy(*synthetic(30), **OHID, out=LifeExpectancy(ex=first.ex, variance=first.variance[:29]))


def test_an_empty_batch_is_empty() -> None:
    for nax in (OHID["nax"], np.empty((0, 3, 20))):
        result = life_expectancy(np.empty((0, 3, 20)), np.ones(20), width=OHID["width"], nax=nax)
        assert result.ex.shape == result.variance.shape == (0, 3, 20)


def test_the_same_deaths_may_be_set_against_several_populations() -> None:
    deaths, population = synthetic(3)
    deaths = deaths.min(axis=0)
    several = life_expectancy(deaths, population, **OHID)
    for row in range(3):
        np.testing.assert_array_equal(several.ex[row], life_expectancy(deaths, population[row], **OHID).ex)


def test_many_tables_of_single_years_are_cut_into_smaller_blocks_without_changing_a_bit() -> None:
    bands = AgeBands.single_years(95)
    deaths, population = synthetic(6_000, bands=bands)
    rules = {"width": bands.width, "nax": bands.nax}
    whole = life_expectancy(deaths, population, **rules)
    part = life_expectancy(deaths[4_000:], population[4_000:], **rules)
    assert_same_bits(LifeExpectancy(ex=whole.ex[4_000:], variance=whole.variance[4_000:]), part)


# Identities


counts = st.integers(1, 6).flatmap(
    lambda tables: st.tuples(
        hnp.arrays(np.float64, (tables, 20), elements=st.integers(1, 10_000)),
        hnp.arrays(np.float64, (tables, 20), elements=st.floats(0, 1)),
    )
)


@given(counts)
def test_life_expectancy_lies_between_its_bounds(sample: tuple[Array, Array]) -> None:
    population, share = sample
    deaths = np.ceil(population * share**3)
    deaths[:, -1] = np.maximum(deaths[:, -1], 1)
    result = life_expectancy(deaths, population, **OHID)
    longest = 90 - np.array(ABRIDGED_90.lower) + result.ex[:, -1:]
    assert (result.ex[:, -1] >= 1).all()
    assert (result.ex <= longest * (1 + 1e-12)).all()
    assert (result.ex[:, :-1] >= OHID["nax"][:-1]).all()
    assert (result.variance >= 0).all()


@given(counts, st.integers(2, 1000))
def test_more_people_of_the_same_mortality_shrink_the_error_only(sample: tuple[Array, Array], factor: int) -> None:
    population, share = sample
    deaths = np.maximum(np.floor(population * share**3), np.arange(20) == 19)
    one, many = (life_expectancy(deaths * k, population * k, **OHID) for k in (1, factor))
    np.testing.assert_allclose(many.ex, one.ex, rtol=1e-12)
    # where survival is a rounding error away from 0, so is the variance
    np.testing.assert_allclose(many.variance * factor, one.variance, rtol=1e-9, atol=1e-9)


@given(st.integers(0, 10_000))
def test_men_and_women_together_lie_between_them(seed: int) -> None:
    # with the same people in each band: a mixture of rates in fixed shares lies between them at every age
    deaths, population = synthetic(2, seed)
    higher = np.sort(deaths, axis=0)[::-1]
    both = population.max(axis=0)
    men, women = life_expectancy(higher, both, **OHID).ex
    pooled = life_expectancy(higher.sum(axis=0), 2 * both, **OHID).ex
    assert ((men <= pooled * (1 + 1e-12)) & (pooled <= women * (1 + 1e-12))).all()


@settings(max_examples=30)
@given(st.integers(0, 19), st.sampled_from([np.nan, -1.0, "crowded"]), st.booleans())
def test_a_fault_makes_ages_up_to_it_nan_and_touches_no_other_table(
    age: int, fault: float | str, of_people: bool
) -> None:
    deaths, population = synthetic(50)
    base = life_expectancy(deaths, population, **OHID)
    if fault == "crowded":
        deaths[7, age] = np.nextafter(population[7, age], np.inf)
    else:
        (population if of_people else deaths)[7, age] = fault
    result = life_expectancy(deaths, population, **OHID)
    others = np.arange(50) != 7
    np.testing.assert_array_equal(result.ex[others], base.ex[others])
    np.testing.assert_array_equal(result.variance[others], base.variance[others])
    for ours, was in ((result.ex, base.ex), (result.variance, base.variance)):
        assert np.isnan(ours[7, : age + 1]).all()
        np.testing.assert_array_equal(ours[7, age + 1 :], was[7, age + 1 :])


@pytest.mark.parametrize("bands", [AgeBands.single_years(95), AgeBands((0, 1, 3, 5, 80)), AgeBands((65, 85))])
@pytest.mark.parametrize("large", [False, True])
def test_more_deaths_than_people_is_found_in_bands_of_any_width(bands: AgeBands, large: bool) -> None:
    deaths, population = synthetic(3000 if large else 3, bands=bands)
    rules = {"width": bands.width, "nax": bands.nax}
    assert np.isfinite(life_expectancy(deaths, population, **rules).ex).all()
    for fault in (1, -1):
        spoiled, people = deaths.copy(), population.copy()
        for age in range(len(bands)):
            spoiled[age % 3, age] = people[age % 3, age] + 1 if fault == 1 else -2
            if fault == -1:
                people[age % 3, age] = -5
        result = life_expectancy(spoiled, people, **rules).ex
        for table in range(3):
            last = max((age for age in range(len(bands)) if age % 3 == table), default=-1)
            assert np.isnan(result[table, : last + 1]).all()
            assert np.isfinite(result[table, last + 1 :]).all()


def test_one_death_more_than_people_by_a_rounding_is_found_in_bands_of_a_year() -> None:
    # there everyone may die and half of them survive the band: (1 - a) / (1 + n - a), far from 0
    bands = {"width": [1, 1, np.inf], "nax": [0.1, 0.5, 0]}
    people = np.full((4, 3), 7.0)
    deaths = np.array([[7, 7, 7], [7, 7, 7], [7, 7, 7], [7, 7, 7.0]])
    deaths[1, 0] = deaths[2, 1] = deaths[3, 2] = np.nextafter(7, 8)
    for table in (slice(None), *range(4)):
        result = np.isnan(life_expectancy(deaths[table], people[table], **bands).ex)
        np.testing.assert_array_equal(result, np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]], bool)[table])


@pytest.mark.parametrize("years", [0, 10])
def test_years_lived_may_be_none_of_the_band_or_all_of_it(years: float) -> None:
    # n m / (1 + (n - a) m) at a rate of 1/20, and 4 years after
    chance = 0.5 if years == 10 else 1 / 3
    for nax in ([years, 0], [[years, 0]]):
        ex = life_expectancy([5, 25], [100, 100], width=[10, np.inf], nax=nax).ex
        assert ex.flat[0] == pytest.approx(chance * years + (1 - chance) * 14, rel=1e-15)


# Options


def test_years_lived_may_differ_between_tables() -> None:
    deaths, population = synthetic(30)
    nax = np.tile(OHID["nax"], (30, 1))
    nax[10:, 0] = np.linspace(0.05, 0.3, 20)
    result = life_expectancy(deaths, population, width=OHID["width"], nax=nax)
    for table in range(30):
        alone = life_expectancy(deaths[table], population[table], width=OHID["width"], nax=nax[table])
        np.testing.assert_array_equal(result.ex[table], alone.ex)
    cube = (5, 6, 20)
    shaped = life_expectancy(deaths.reshape(cube), population.reshape(cube), width=OHID["width"], nax=nax.reshape(cube))
    np.testing.assert_array_equal(shaped.ex, result.ex.reshape(cube))
    nax[3, 5] = 7.0
    spoiled = life_expectancy(deaths, population, width=OHID["width"], nax=nax)
    assert np.isnan(spoiled.ex[3, :6]).all()
    assert np.isfinite(spoiled.ex[np.arange(30) != 3]).all()


def test_without_the_open_term_the_variance_is_smaller_by_exactly_that_term() -> None:
    deaths, population = synthetic(100)
    full, without = (life_expectancy(deaths, population, **OHID, open_band_variance=on) for on in (True, False))
    assert (without.variance[:, -1] == 0).all()
    survival = np.prod(
        1 - deaths[:, :-1] * OHID["width"][:-1]
        / (population + (OHID["width"] - OHID["nax"]) * deaths)[:, :-1], axis=1
    ).clip(min=0)  # fmt: skip
    term = survival**2 * full.ex[:, -1] ** 2 / deaths[:, -1]
    np.testing.assert_allclose(full.variance[:, 0] - without.variance[:, 0], term, rtol=1e-9)


def test_wrong_options_are_refused() -> None:
    deaths, population = synthetic(2)
    with pytest.raises(ValueError, match="one length for each"):
        life_expectancy(deaths, population, width=[1, 4], nax=OHID["nax"])
    for width, shown in (([1, 0, 9], r"\[1\. 0\.\]"), ([0, 1, 9], r"\[0\. 1\.\]"), ([1, np.inf, 9], r"\[ 1\. inf\]")):
        with pytest.raises(ValueError, match=f"every closed band must be above 0 years, not {shown}"):
            life_expectancy(np.ones(3), np.ones(3), width=width, nax=np.zeros(3))
    for nax, shown in (([3, 1, 0], r"\[3\. 1\.\]"), ([0.5, -1, 0], r"\[ 0\.5 -1\. \]")):
        with pytest.raises(ValueError, match=f"nax is in years and lies between 0 and width .*, not {shown}"):
            life_expectancy(np.ones(3), np.ones(3), width=[1, 4, np.inf], nax=nax)
    for nax in ([0.5], 0.5):
        with pytest.raises(ValueError, match="two or more age bands"):
            life_expectancy(1.0, 2.0, width=[1.0], nax=nax)
    with pytest.raises(ValueError, match="workers"):
        life_expectancy(deaths, population, **OHID, workers=0)
