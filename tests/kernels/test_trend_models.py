"""The registry of assumptions about the years: one contract for every entry."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from nenc_estimates.kernels.trajectories import annual_change, combine, project, trajectory
from nenc_estimates.kernels.trend_models import BAYESLIFE_RHO, MODELS
from nenc_estimates.kernels.windows import window_weights

FIRST = np.arange(2005, 2017)
N = np.full(12, 3)
PARAMETERS = {"scenario": {"change": -0.05}}
VALUE = 1.8 + 0.1 * np.random.default_rng(3).normal(size=(2, 5, 12)).cumsum(axis=-1)


def fit(trend, value=VALUE, se=0.06, **options):
    options = PARAMETERS.get(trend, {}) | options
    return trajectory(value, se, first_year=FIRST, n_years=N, until=2031, trend=trend, **options)


def answers(fitted):
    target = project(fitted, first_year=[2016, 2020, 2029], n_years=[3, 1, 3])
    return target.mean(), target.sd(), *target.interval(confidence=0.8)


FEWEST = {"flat": 1, "drift": 4, "linear": 3, "converge": 1, "scenario": 1}


@pytest.mark.parametrize("trend", MODELS)
def test_every_model_is_fitted_to_as_few_windows_as_determine_it_and_to_no_fewer(trend):
    def ahead(windows):
        value, years = [1.0, 2.0, 2.5, 4.0][:windows], range(2010, 2010 + windows)
        fit = trajectory(value, 0.1, first_year=years, n_years=[1] * windows, until=2020, trend=trend)
        return project(fit, first_year=[2020], n_years=[1])

    assert np.isfinite([ahead(FEWEST[trend]).mean(), ahead(FEWEST[trend]).sd()]).all()
    if FEWEST[trend] > 1:
        with pytest.raises(ValueError, match="too few"):
            ahead(FEWEST[trend] - 1)


def test_a_gap_that_converges_moves_by_a_step_a_year_that_fades_with_it():
    # after t years of x = rho x + step from a known start: variance 1 + rho² + ... , carried on by rho a year
    rho, covariance = 0.8, MODELS["converge"](np.arange(2010.0, 2016.0), rho=0.8).covariance
    variance = [0.0]
    for _ in range(5):
        variance.append(rho**2 * variance[-1] + 1)
    expected = [[rho ** abs(s - t) * variance[min(s, t)] for t in range(6)] for s in range(6)]
    np.testing.assert_allclose(covariance, expected, rtol=1e-13, atol=1e-14)


def test_a_scenario_goes_on_from_the_window_that_ends_last_and_by_nothing_unless_told():
    design = {"first_year": [2018, 2014], "n_years": [1, 6], "until": 2025, "trend": "scenario"}
    stays = project(trajectory([4.0, 5.0], 0.1, **design), first_year=[2025], n_years=[1])
    assert stays.mean()[0] == pytest.approx(5.0)
    grows = trajectory([4.0, 5.0], 0.1, first_year=[2018, 2020], n_years=[1, 1], until=2025, trend="scenario", rate=0.1)
    assert project(grows, first_year=[2023], n_years=[1]).mean()[0] == pytest.approx(5.0 * 1.1**3)


@pytest.mark.parametrize("trend", MODELS)
def test_every_model_describes_the_grid(trend):
    years = np.arange(2005.0, 2032.0)
    model = MODELS[trend](years, **PARAMETERS.get(trend, {}))
    assert model.basis.shape[0] == model.offset.size == years.size
    np.testing.assert_allclose(model.covariance, model.covariance.T)
    assert np.linalg.eigvalsh(model.covariance).min() > -1e-9
    assert model.minimum >= 1


@pytest.mark.parametrize("trend", MODELS)
def test_every_model_answers_for_a_batch_as_for_each_series(trend):
    whole = answers(fit(trend))
    assert all(part.shape == (2, 5, 3) and np.isfinite(part).all() for part in whole)
    one = answers(fit(trend, VALUE[1, 3]))
    for part, single in zip(whole, one, strict=True):
        np.testing.assert_allclose(part[1, 3], single, rtol=1e-9)


@pytest.mark.parametrize("trend", MODELS)
def test_every_model_ignores_the_order_of_the_rows(trend):
    order = np.random.default_rng(1).permutation(12)
    shuffled = trajectory(
        VALUE[..., order],
        0.06,
        first_year=FIRST[order],
        n_years=N[order],
        until=2031,
        trend=trend,
        **PARAMETERS.get(trend, {}),
    )
    for part, same in zip(answers(shuffled), answers(fit(trend)), strict=True):
        np.testing.assert_allclose(part, same, rtol=1e-8)


@pytest.mark.parametrize("trend", MODELS)
def test_every_model_scales_with_the_unit(trend):
    options = {"change": -0.5} if trend == "scenario" else {}
    for part, same in zip(answers(fit(trend, 10 * VALUE, 0.6, **options)), answers(fit(trend)), strict=True):
        np.testing.assert_allclose(part, 10 * same, rtol=1e-8)


@pytest.mark.parametrize("trend", [trend for trend in MODELS if trend != "converge"])
def test_every_model_without_a_fixed_point_moves_with_the_level(trend):
    moved, here = answers(fit(trend, VALUE + 77)), answers(fit(trend))
    for part, same, shift in zip(moved, here, (77, 0, 77, 77), strict=True):
        np.testing.assert_allclose(part, same + shift, rtol=0, atol=1e-9)


@pytest.mark.parametrize("trend", MODELS)
def test_every_model_makes_an_opposite_probability_of_an_opposite_series(trend):
    options = {"change": 0.05} if trend == "scenario" else {}
    met = project(fit(trend), first_year=[2029], n_years=[3]).cdf(1.62)
    turned = project(fit(trend, -VALUE, **options), first_year=[2029], n_years=[3]).cdf(-1.62)
    np.testing.assert_allclose(met, 1 - turned, rtol=0, atol=1e-9)


@pytest.mark.parametrize("trend", MODELS)
def test_every_model_keeps_a_missing_series_missing_and_the_others_whole(trend):
    value, se = VALUE.copy(), np.full_like(VALUE, 0.06)
    value[0, 0, 3], se[1, 1, 2] = np.nan, -1.0
    for part, same in zip(answers(fit(trend, value, se)), answers(fit(trend)), strict=True):
        bad = np.isnan(part).all(axis=-1)
        assert np.argwhere(bad).tolist() == [[0, 0], [1, 1]]
        np.testing.assert_allclose(part[~bad], same[~bad], rtol=1e-12)


@pytest.mark.parametrize("trend", MODELS)
def test_every_model_takes_no_series_and_any_kind_of_array(trend):
    assert answers(fit(trend, np.empty((0, 12))))[0].shape == (0, 3)
    value = np.asfortranarray(VALUE.astype(np.float32))
    value.flags.writeable = False
    np.testing.assert_allclose(answers(fit(trend, value))[0], answers(fit(trend))[0], rtol=1e-5)


@pytest.mark.parametrize("trend", MODELS)
def test_every_model_returns_an_observation_without_error(trend):
    """Nothing is left to estimate about a window that was seen exactly."""
    seen = project(fit(trend, se=0.0), first_year=[2016], n_years=[3])
    np.testing.assert_allclose(seen.mean()[..., 0], VALUE[..., -1], rtol=0, atol=1e-10)
    assert (seen.sd() < 1e-7).all()  # the root of a rounding error, if not 0


@pytest.mark.parametrize("trend", ["flat", "drift", "linear", "converge"])
def test_windows_still_to_come_are_less_certain_the_fewer_years_they_share(trend):
    spread = project(fit(trend), first_year=[2017, 2018, 2019], n_years=[3, 3, 3]).sd()
    assert (np.diff(spread, axis=-1) > 0).all()


def test_the_average_change_is_the_slope_of_the_model():
    assert (annual_change(fit("flat")).mean() == 0).all()
    np.testing.assert_allclose(annual_change(fit("scenario")).mean(), -0.05, rtol=1e-9)
    change = annual_change(fit("drift"))
    future = project(fit("drift"), first_year=[2025, 2026], n_years=[1, 1]).mean()
    assert change.mean().shape == (2, 5)
    np.testing.assert_allclose(np.diff(future)[..., 0], change.mean(), rtol=1e-9)


def test_the_average_change_is_that_over_the_observed_years():
    # a half a year: 1, 0.5, 0.25, 0.125, so that three years change by 0.875
    design = {"first_year": range(2010, 2014), "n_years": [1] * 4, "until": 2020}
    fit = trajectory(0.5 ** np.arange(4), 1e-9, **design, trend="converge", innovation_sd=0.0, rho=0.5)
    assert annual_change(fit).mean() == pytest.approx(-0.875 / 3, rel=1e-9)
    two_years = trajectory([4.0], 0.1, first_year=[2018], n_years=[2], until=2025, trend="scenario", change=0.3)
    assert annual_change(two_years).mean() == pytest.approx(0.3)


@pytest.mark.parametrize("unit", [1e-15, 1e15])
def test_a_unit_however_small_or_large_changes_nothing_else(unit):
    value, design = 70 + np.random.default_rng(8).normal(size=40).cumsum(), {"first_year": range(1980, 2020)}
    one, other = (
        project(trajectory(k * value, 0.1 * k, **design, n_years=[1] * 40, until=2030), first_year=[2030], n_years=[1])
        for k in (1.0, unit)
    )
    assert other.mean()[0] == pytest.approx(unit * one.mean()[0], rel=1e-9)
    assert other.sd()[0] == pytest.approx(unit * one.sd()[0], rel=1e-6)


def test_a_known_movement_holds_for_every_series_and_none_at_all_says_nothing():
    design = {"first_year": range(2010, 2016), "n_years": [3] * 6, "until": 2031}
    value = np.random.default_rng(6).normal(size=(2, 3, 6)).cumsum(axis=-1)
    target = {"first_year": [2029], "n_years": [3]}
    together = project(trajectory(value, 0.1, **design, innovation_sd=0.2), **target)
    for at in np.ndindex(2, 3):
        alone = project(trajectory(value[at], 0.1, **design, innovation_sd=0.2), **target)
        np.testing.assert_allclose(together.mean()[at], alone.mean(), rtol=1e-12)
        np.testing.assert_allclose(together.sd()[at], alone.sd(), rtol=1e-12)
    assert np.isnan(project(trajectory(value, 0.0, **design, innovation_sd=0.0), **target).sd()).all()


def test_a_window_does_not_differ_from_itself_and_the_last_observed_year_is_always_fitted():
    fit = trajectory([4.2, 4.0, 4.5], 0.3, first_year=range(2010, 2013), n_years=[3] * 3, until=2011, trend="flat")
    assert fit.design.years.tolist() == [2010, 2011, 2012, 2013, 2014]
    again = project(fit, first_year=[2010], n_years=[3], baseline=0)
    np.testing.assert_allclose([again.mean()[0], again.sd()[0]], 0, atol=1e-7)
    window = window_weights([2011], [3], years=fit.design.years)
    np.testing.assert_allclose(combine(fit, window).mean(), project(fit, first_year=[2011], n_years=[3]).mean())


def test_a_scenario_goes_on_from_the_last_window():
    """2016-18 is centred on 2017, 2029-31 on 2030: 13 years."""
    absolute = project(fit("scenario", change=-0.05), first_year=[2029], n_years=[3])
    np.testing.assert_allclose(absolute.mean()[..., 0], VALUE[..., -1] - 13 * 0.05, rtol=1e-12)
    np.testing.assert_allclose(absolute.sd(), 0.06, rtol=1e-9)
    share = project(fit("scenario", change=0.0, rate=-0.02), first_year=[2029], n_years=[3])
    np.testing.assert_allclose(share.mean()[..., 0], VALUE[..., -1] * 0.98**13, rtol=1e-12)


def test_convergence_matches_the_published_subnational_model(reference):
    """Origin: bayeslife_subnational_ar1.csv (bayesLife e0.predict.subnat), printed to 10 decimals."""
    with (reference / "trajectories" / "bayeslife_subnational_ar1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    for row in rows:
        assert float(row["rho_annual"]) == pytest.approx(BAYESLIFE_RHO, abs=1e-10)
        h, sd = int(row["h_years"]), float(row["innovation_var"]) ** 0.5
        known = trajectory(
            [2.1, 1.7, 1.8],
            first_year=[2018, 2019, 2020],
            n_years=[1, 1, 1],
            until=2040,
            trend="converge",
            innovation_sd=sd,
        )
        ahead = project(known, first_year=[2020 + h], n_years=[1])
        assert ahead.mean()[0] / 1.8 == pytest.approx(float(row["expected_gap_multiplier"]), abs=1e-9)
        assert ahead.sd()[0] == pytest.approx(float(row["sd_gap_h"]), rel=1e-7)  # variance has 10 decimals


@pytest.mark.parametrize("rho", [0.0, 1.0, 1.2])
def test_a_gap_has_to_shrink_to_converge(rho):
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit("converge", rho=rho)
