"""Sullivan's method: the practical guide's numbers, identities, edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nenc_estimates.age_bands import ABRIDGED_90, AgeBands
from nenc_estimates.kernels.expectancy import life_expectancy
from nenc_estimates.kernels.life_table import LifeTable, life_expectancy_variance, life_table
from nenc_estimates.kernels.prevalence import (
    Prevalence,
    include_institutions,
    smooth_prevalence,
    survey_prevalence,
)
from nenc_estimates.kernels.sullivan import sullivan

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OHID = {"width": ABRIDGED_90.width, "nax": ABRIDGED_90.nax}
COLUMNS = ("healthy", "unhealthy", "share", "survey_variance", "healthy_mortality_variance", "share_variance")


class Guide:
    """Women of Belgium 2004: Jagger, Van Oyen, Robine, Practical Guide, 4th ed. 2014, examples 3, 4 and 7."""

    def __init__(self, folder: Path) -> None:
        self.rows = pd.read_csv(folder / "sullivan/jagger_ex3_ex4_belgium_females_2004.csv")
        self.corrected = pd.read_csv(folder / "sullivan/jagger_ex7_percent_and_corrected_variance.csv")
        self.survey = survey_prevalence(self.rows["prev_disability"], self.rows["N_survey"], of="not_good")
        self.deaths = self.rows["deaths"].to_numpy()

    def table(self, *, a0: float) -> LifeTable:
        """L0 = 0.2 l0 + 0.8 l1 in the guide, but a0 = 0.5 in variances; ages above 0 do not depend on it."""
        bands = AgeBands(tuple(self.rows["age"]))
        nax = np.where(self.rows["age"] == 0, a0, bands.width * 0.5)
        q0 = np.where(self.rows["age"] == 0, self.rows["qx"], np.nan)
        return life_table(self.rows["deaths"] / self.rows["population"], width=bands.width, nax=nax, nqx=q0)


@pytest.fixture(scope="module")
def guide(reference: Path) -> Guide:
    return Guide(reference)


# 12 digits are given, prevalences are multiplied by years of up to 500,000: 1e-10


def test_years_free_of_disability_are_the_guides(guide: Guide) -> None:
    result = sullivan(guide.table(a0=0.2), guide.survey, guide.deaths)
    np.testing.assert_allclose(result.ex, guide.rows["ex"], rtol=1e-10)
    np.testing.assert_allclose(result.healthy, guide.rows["DFLE"], rtol=1e-10)
    np.testing.assert_allclose(100 * result.share, guide.rows["pct_DFLE"], rtol=1e-10)
    np.testing.assert_allclose(result.survey_variance, guide.rows["var1_DFLE"], rtol=1e-10)
    assert result.healthy[[0, 14]].round(6).tolist() == [66.542309, 12.269493]


def test_both_parts_of_the_variance_are_the_guides_once_its_made_up_last_width_is_gone(guide: Guide) -> None:
    # the workbook of 2007 gives 85+ a width of 10 years and adds 22,910.04 to every sum; 2014 does not
    result = sullivan(guide.table(a0=0.5), guide.survey, guide.deaths, open_band_variance=False)
    wanted = guide.corrected["var_mort_DFLE_no_open"]
    np.testing.assert_allclose(result.healthy_mortality_variance, wanted, rtol=1e-10)
    survivors = guide.rows["lx"].to_numpy()
    spurious = guide.rows["mort_term"].iloc[-1] / survivors**2
    np.testing.assert_allclose(result.healthy_mortality_variance + spurious, guide.rows["var2_DFLE"], rtol=1e-9)
    np.testing.assert_allclose(
        result.unhealthy_mortality_variance, guide.corrected["var_mort_DLE_no_open"], rtol=1e-9, atol=1e-18
    )


def test_the_open_band_has_its_own_variance_by_default(guide: Guide) -> None:
    result = sullivan(guide.table(a0=0.5), guide.survey, guide.deaths)
    wanted = guide.corrected["var_mort_DFLE_with_open"]
    np.testing.assert_allclose(result.healthy_mortality_variance, wanted, rtol=1e-10)
    np.testing.assert_allclose(result.healthy_variance, wanted + guide.corrected["var_prev_DFLE"], rtol=1e-10)
    assert (result.unhealthy_variance > result.survey_variance).all()


def test_the_error_of_the_share_is_the_corrected_one_and_shows_what_the_guide_takes_instead(
    guide: Guide,
) -> None:
    # table 7.2 of the guide takes the variance of the survival p in the place of that of life expectancy
    result = sullivan(guide.table(a0=0.5), guide.survey, guide.deaths, open_band_variance=False)
    above = slice(1, None)  # at age 0 the guide mixes both a0
    error = 100 * np.sqrt(result.share_variance)
    np.testing.assert_allclose(error[above], guide.corrected["se_pct_correct"][above], rtol=1e-9)
    guides = guide.corrected["se_pct_guide_table72"]
    healthy, ex, table = result.healthy, result.ex, guide.table(a0=0.5)
    variance_of_survival = table.nqx**2 * (1 - table.nqx) / guide.deaths
    variance_of_survival[-1] = guide.rows["var_q"].iloc[-1]
    sum_of_parts = ex * (ex - healthy) * result.healthy_variance + ex * healthy * result.unhealthy_variance
    theirs = np.sqrt(sum_of_parts - healthy * (ex - healthy) * variance_of_survival) / ex**2
    np.testing.assert_allclose(100 * theirs[5:-1], guides[5:-1], rtol=2e-5)
    assert (guides[5:-1] > 1.0005 * error[5:-1]).all()


def test_the_share_has_the_error_that_simulation_finds(guide: Guide) -> None:
    # binomial deaths and respondents, 20,000 replicates: Monte Carlo error of a standard error 0.5 %
    rng = np.random.default_rng(7)
    table = guide.table(a0=0.5)
    trials = guide.deaths[:-1] / table.nqx[:-1]
    q = rng.binomial(trials.round().astype(int), table.nqx[:-1], (20_000, 18)) / trials.round()
    q = np.concatenate([q, np.full((20_000, 1), np.nan)], axis=1)
    rate = np.tile(table.nMx, (20_000, 1))
    rate[:, -1] = rng.poisson(guide.deaths[-1], 20_000) / guide.rows["population"].iloc[-1]
    asked = guide.rows["N_survey"].to_numpy()
    found = rng.binomial(asked, guide.survey.value, (20_000, 19)) / asked
    draws = sullivan(
        life_table(rate, width=table.width, nax=np.where(np.isfinite(table.width), table.nax, 0), nqx=q),
        survey_prevalence(found, asked, of="not_good"),
        np.ones(19),
    )
    exact = sullivan(table, guide.survey, guide.deaths)
    for age in (0, 13):
        assert draws.share[:, age].std() == pytest.approx(exact.share_variance[age] ** 0.5, rel=0.02)
        assert draws.healthy[:, age].std() == pytest.approx(exact.healthy_variance[age] ** 0.5, rel=0.02)
        assert draws.unhealthy[:, age].std() == pytest.approx(exact.unhealthy_variance[age] ** 0.5, rel=0.02)


# Identities

samples = st.tuples(
    hnp.arrays(np.float64, (2, 20), elements=st.floats(1e-4, 0.3)),
    hnp.arrays(np.float64, (2, 20), elements=st.floats(0, 1)),
)


@given(samples)
def test_good_and_not_good_add_up_and_either_may_be_given(sample: tuple[Array, Array]) -> None:
    nMx, value = sample
    table, deaths, asked = life_table(nMx, **OHID), nMx * 1000, np.full(20, 80)
    good = sullivan(table, survey_prevalence(value, asked, of="good"), deaths)
    bad = sullivan(table, survey_prevalence(1 - value, asked, of="not_good"), deaths)
    np.testing.assert_allclose(good.healthy + good.unhealthy, table.ex, rtol=1e-12)
    # 1 - value loses up to 1e-16 of a value near 0; the open band multiplies it by up to 10,000² years / 80 people
    for column in COLUMNS:
        np.testing.assert_allclose(getattr(good, column), getattr(bad, column), rtol=1e-7, atol=1e-9, err_msg=column)
    assert (good.healthy <= table.ex * (1 + 1e-12)).all()
    assert (good.share_variance >= 0).all()


@given(samples)
def test_with_everyone_in_good_health_it_is_life_expectancy(sample: tuple[Array, Array]) -> None:
    nMx, _ = sample
    table, deaths = life_table(nMx, **OHID), nMx * 1000
    result = sullivan(table, survey_prevalence(np.ones(20), np.full(20, 50), of="good"), deaths)
    np.testing.assert_array_equal(result.healthy, table.ex)
    np.testing.assert_array_equal(result.healthy_variance, life_expectancy_variance(table, deaths))
    assert (result.unhealthy == 0).all()
    assert (result.share == 1).all()
    assert (result.share_variance == 0).all()
    fast = life_expectancy(deaths, np.full((2, 20), 1000.0), **OHID)
    np.testing.assert_allclose(result.healthy, fast.ex, rtol=1e-12)


def test_a_prevalence_without_an_age_pattern_leaves_the_survey_in_the_share_alone() -> None:
    nMx = np.geomspace(1e-3, 0.2, 20)
    result = sullivan(
        life_table(nMx, **OHID), survey_prevalence(np.full(20, 0.7), np.full(20, 90), of="good"), nMx * 1000
    )
    np.testing.assert_allclose(result.share, 0.7, rtol=1e-12)
    np.testing.assert_allclose(result.share_variance, result.survey_variance / result.ex**2, rtol=1e-6)


def test_a_diagonal_covariance_is_the_same_as_independent_bands() -> None:
    rng = np.random.default_rng(2)
    nMx, value = rng.uniform(0.001, 0.2, (3, 20)), rng.uniform(0.1, 0.9, (3, 20))
    table, survey = life_table(nMx, **OHID), survey_prevalence(value, np.full(20, 60), of="good")
    matrix = np.eye(20) * survey.variance[:, None, :]
    same = Prevalence(value=value, variance=survey.variance, covariance=matrix, of="good")
    one, two = (sullivan(table, prevalence, nMx * 500) for prevalence in (survey, same))
    np.testing.assert_allclose(two.survey_variance, one.survey_variance, rtol=1e-12)
    np.testing.assert_array_equal(two.healthy, one.healthy)


def test_the_covariance_of_a_fit_goes_into_the_variance_as_a_quadratic_form() -> None:
    age = np.array([0.5, 3, *np.arange(7.5, 90, 5), 93])
    smooth = smooth_prevalence(np.linspace(0.05, 0.6, 20), np.full(20, 80), age=age, of="not_good")
    nMx = np.geomspace(1e-3, 0.2, 20)
    table = life_table(nMx, **OHID)
    result = sullivan(table, smooth, nMx * 1000)
    for start in (0, 6, 19):
        years = table.nLx[start:] / table.lx[start]
        expected = years @ smooth.covariance[start:, start:] @ years
        assert result.survey_variance[start] == pytest.approx(expected, rel=1e-10)


def test_a_batch_is_its_tables_one_by_one_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    nMx, value = rng.uniform(0.001, 0.2, (4, 20)), rng.uniform(0.1, 0.9, (4, 20))
    asked = rng.integers(20, 90, (4, 20))

    def run(row: Any) -> Any:
        survey = survey_prevalence(value[row], asked[row], of="good")
        return sullivan(life_table(nMx[row], **OHID), survey, nMx[row] * 500)

    batch = run(slice(None))
    for row in range(4):
        for column in COLUMNS:
            np.testing.assert_array_equal(getattr(batch, column)[row], getattr(run(row), column))


def test_one_survey_may_serve_many_tables_and_one_table_many_surveys() -> None:
    rng = np.random.default_rng(4)
    factor = rng.uniform(0.01, 0.1, (3, 20, 20))
    matrix = factor @ factor.swapaxes(-1, -2)
    value, nMx = rng.uniform(0.1, 0.9, (3, 20)), rng.uniform(0.001, 0.2, (3, 20))

    def run(rates: Array, survey: Any) -> Array:
        variance = np.diagonal(matrix[survey], axis1=-2, axis2=-1)
        state = Prevalence(value=value[survey], variance=variance, covariance=matrix[survey], of="good")
        return sullivan(life_table(rates, **OHID), state, np.full(20, 30.0)).survey_variance

    one_survey, one_table = run(nMx, 0), run(nMx[0], slice(None))
    for row in range(3):
        np.testing.assert_array_equal(one_survey[row], run(nMx[row], 0))
        np.testing.assert_array_equal(one_table[row], run(nMx[0], row))


# Edges


def test_a_missing_rate_leaves_the_survey_variance_of_later_ages() -> None:
    nMx = np.full(20, 0.05)
    nMx[3] = np.nan
    result = sullivan(life_table(nMx, **OHID), survey_prevalence(np.full(20, 0.6), np.full(20, 50), of="good"), 9.0)
    for column in COLUMNS:
        assert np.isfinite(getattr(result, column)).tolist() == [*[False] * 4, *[True] * 16], column


def test_a_life_of_no_length_has_no_share_in_good_health() -> None:
    table = life_table([np.nan, 0.1], width=[1, np.inf], nax=[0, 0], nqx=[1, np.nan])
    result = sullivan(table, survey_prevalence([0.9, 0.8], [50, 50], of="good"), [5, 5])
    assert result.ex[0] == result.healthy[0] == 0
    assert np.isnan([result.share[0], result.share_variance[0]]).all()
    assert result.share[1] == pytest.approx(0.8)


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1])
def test_an_impossible_prevalence_makes_ages_up_to_it_nan_in_its_area_only(value: float) -> None:
    prevalence = np.full((2, 20), 0.6)
    prevalence[0, 8] = value
    nMx = np.full((2, 20), 0.05)
    given_ = Prevalence(value=prevalence, variance=np.full((2, 20), 1e-3), of="good")
    result = sullivan(life_table(nMx, **OHID), given_, nMx * 100)
    for column in COLUMNS:
        ours = getattr(result, column)
        assert np.isnan(ours[0, :9]).all(), column
        assert np.isfinite(ours[0, 9:]).all(), column
        assert np.isfinite(ours[1]).all(), column


def test_institutions_lower_healthy_years_and_their_error() -> None:
    nMx = np.geomspace(1e-3, 0.2, 20)
    table = life_table(nMx, **OHID)
    home = survey_prevalence(np.linspace(0.05, 0.6, 20), np.full(20, 80), of="not_good")
    share = np.where(np.arange(20) > 15, 0.2, 0.0)
    at_home, everyone = (
        sullivan(table, prevalence, nMx * 1000) for prevalence in (home, include_institutions(home, share))
    )
    assert (everyone.healthy < at_home.healthy).all()
    assert (everyone.survey_variance < at_home.survey_variance).all()


def test_an_empty_batch_is_empty() -> None:
    empty = np.empty((0, 20))
    result = sullivan(life_table(empty, **OHID), survey_prevalence(empty, empty, of="good"), empty)
    assert result.healthy.shape == result.share_variance.shape == (0, 20)
