"""The engine: agreement with the textbook formula, with published numbers and with itself."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.kernels.trajectories import GRID, annual_change, combine, project, trajectory
from nenc_estimates.kernels.windows import break_flags, shock_columns, window_overlap, window_weights

series = st.integers(0, 10_000).map(np.random.default_rng)
windows = st.lists(
    st.tuples(st.integers(2000, 2018), st.sampled_from([1, 2, 3, 5])),
    min_size=6,
    max_size=12,
    unique_by=lambda window: window[0],
).map(lambda rows: np.array(rows).T)


@pytest.fixture(scope="module")
def overlap(reference):
    """Quantities and input of overlap_gls.csv: generalised least squares checked in R and statsmodels."""
    folder = reference / "trajectories"
    with (folder / "overlap_gls.csv").open() as file:
        known = {row["quantity"]: float(row["value"]) for row in csv.DictReader(file)}
    with (folder / "overlap_gls_input.csv").open() as file:
        rows = list(csv.DictReader(file))
    first, last, value = (np.array([float(r[k]) for r in rows]) for k in ("start_year", "end_year", "value"))
    return known, value, {"first_year": first, "n_years": last - first + 1, "until": 2023}


def test_a_line_through_rolling_windows_matches_the_reference(overlap):
    known, value, design = overlap
    fit = trajectory(value, trend="linear", **design)
    change = annual_change(fit)
    assert change.mean() == pytest.approx(known["gls_slope"], rel=1e-9)
    assert change.sd() == pytest.approx(known["gls_se_slope"], rel=1e-9)
    assert fit.tau2[0] / 3 == pytest.approx(known["gls_sigma2"], rel=1e-9)  # a window is a mean of three
    for h in (1, 2, 3, 11):
        ahead = project(fit, first_year=[2010 + h], n_years=[3])
        lower, upper = ahead.interval()
        assert ahead.mean()[0] == pytest.approx(known[f"blup_mean_h{h}"], rel=1e-9)
        assert ahead.sd()[0] == pytest.approx(known[f"blup_sd_h{h}"], rel=1e-9)
        assert lower[0] == pytest.approx(known[f"blup_lo95_h{h}"], rel=1e-9)
        assert upper[0] == pytest.approx(known[f"blup_hi95_h{h}"], rel=1e-9)


def test_a_random_walk_with_drift_matches_the_reference(overlap):
    """Spreads of the forecasts are printed to 8 decimals."""
    known, value, design = overlap
    fit = trajectory(value, innovation_sd=known["rwdrift_tau2_annual"] ** 0.5, **design)
    change = annual_change(fit)
    assert change.mean() == pytest.approx(known["rwdrift_drift_gls"], rel=1e-9)
    assert change.sd() == pytest.approx(known["rwdrift_se_drift"], rel=1e-9)
    for h in (1, 2, 3, 11):
        ahead = project(fit, first_year=[2010 + h], n_years=[3])
        assert ahead.mean()[0] == pytest.approx(known[f"rwdrift_mean_h{h}"], rel=1e-9)
        assert ahead.sd()[0] == pytest.approx(known[f"rwdrift_sd_h{h}"], abs=6e-9)


def textbook(value, se, rounding, first, n, years, shock, break_year, published=0.0):
    """The model as it is written, one dense covariance for each variance of the grid, asked about 2022-24.

    The sampling error that the figure is ``published`` with is shared where windows share years.
    """
    weights = window_weights(first, n, years=years)
    sampling = se[:, None] * window_overlap(first, n) * se + np.diag(rounding**2)
    walk = np.minimum.outer(years - years[0], years - years[0])
    annual = np.column_stack([np.ones(years.size), years - years[0], shock_columns(years, [shock])])
    seen = np.column_stack([weights @ annual, break_flags(first, [break_year])])
    asked = window_weights([2022], [3], years=years)[0]
    shared = se * window_overlap(first, n, [2022], [3])[:, 0] * published
    curve = np.append(asked @ annual, 1.0)
    order = np.lexsort((first, first + n))
    parts = []
    for tau2 in np.diff(value[order]).var() * GRID:
        inverse = np.linalg.inv(tau2 * weights @ walk @ weights.T + sampling)
        spread = np.linalg.inv(seen.T @ inverse @ seen)
        height = spread @ seen.T @ inverse @ value
        rest = value - seen @ height
        c = tau2 * weights @ walk @ asked + shared
        d = curve - seen.T @ inverse @ c
        log = 0.5 * (np.linalg.slogdet(inverse)[1] + np.linalg.slogdet(spread)[1] + np.log(tau2))
        mean = curve @ height + c @ inverse @ rest
        variance = tau2 * asked @ walk @ asked + published**2 - c @ inverse @ c + d @ spread @ d
        parts.append((log - 0.5 * rest @ inverse @ rest, mean, variance))
    log, mean, variance = np.array(parts).T
    weight = np.exp(log - log.max())
    return weight / weight.sum(), mean, variance


@settings(max_examples=25, deadline=None)
@given(series)
def test_contrasts_give_what_the_dense_formula_gives(rng):
    """Windows of mixed length with shock and break; conditioning of the dense inverse allows 1e-6."""
    first = np.array([2004, 2006, 2007, 2008, 2009, 2010, 2012, 2013, 2014, 2017, 2018, 2019, 2020, 2021])
    n = np.array([3, 1, 2, 3, 3, 6, 3, 3, 2, 3, 3, 3, 3, 3])
    value, se = 4 + rng.normal(size=14).cumsum() * 0.2, rng.uniform(0.05, 0.2, 14)
    rounding = rng.uniform(0.0, 0.05, 14)
    design = {"first_year": first, "n_years": n, "until": 2031, "shocks": [(2020, 2021)], "breaks": [2018]}
    fit = trajectory(value, se, rounding=rounding, **design)
    known = (value, se, rounding, first, n, np.arange(2004.0, 2032.0), (2020, 2021), 2018)
    for published in (0.0, 0.15):
        weight, mean, variance = textbook(*known, published=published)
        got = project(fit, first_year=[2022], n_years=[3], se=published or None)
        np.testing.assert_allclose(got.weight[0], weight, rtol=0, atol=1e-8)
        np.testing.assert_allclose(got.location[0], mean, rtol=1e-6)
        np.testing.assert_allclose(got.spread[0] ** 2, variance, rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(windows, series)
def test_any_windows_that_do_not_determine_each_other_are_answered(design, rng):
    first, n = design
    value = rng.normal(10, 1, first.size)
    design = {"first_year": first, "n_years": n, "until": 2031}
    if np.linalg.matrix_rank(window_weights(first, n, years=np.arange(2000, 2024))) < first.size:
        with pytest.raises(ValueError, match="made out of others"):
            trajectory(value, 0.3, **design)
    else:
        ahead = project(trajectory(value, 0.3, **design), first_year=[2029], n_years=[3])
        assert np.isfinite(ahead.mean()).all()
        assert (ahead.sd() > 0).all()


@settings(max_examples=30, deadline=None)
@given(series, st.integers(0, 7))
def test_an_estimated_baseline_is_a_published_one_as_its_error_goes(rng, baseline):
    value = 1.8 + 0.1 * rng.normal(size=8).cumsum()
    fit = trajectory(value, 0.0, first_year=range(2008, 2016), n_years=[3] * 8, until=2031)
    target = {"first_year": [2029], "n_years": [3]}
    estimated = project(fit, **target, baseline=baseline, keep=0.9).cdf(0.0)
    published = project(fit, **target).cdf(0.9 * value[baseline])
    assert estimated == pytest.approx(published, abs=1e-7)


def test_a_known_movement_gives_the_closed_form_of_a_reduced_gap():
    """One window of 2018-20 seen with error and a flat walk: both parts of the difference are known by hand.

    The level cancels but for a tenth of it, and so does the error; the walk from one window to the other is
    the sum of min(t, t') over their years.
    """
    fit = trajectory([1.8], 0.06, first_year=[2018], n_years=[3], until=2031, trend="flat", innovation_sd=0.1)
    cut = project(fit, first_year=[2029], n_years=[3], baseline=0, keep=0.9)
    years = np.arange(14)
    walk = np.minimum.outer(years, years)
    change = np.r_[-np.ones(3), np.zeros(8), np.ones(3)] / 3
    assert cut.mean()[0] == pytest.approx(0.18, rel=1e-12)
    assert cut.sd()[0] ** 2 == pytest.approx(0.01 * change @ walk @ change + 0.006**2, rel=1e-9)


def test_a_published_figure_is_less_certain_than_what_it_estimates():
    fit = trajectory([1.8, 1.7, 1.9, 1.8], 0.06, first_year=range(2015, 2019), n_years=[3] * 4, until=2031)
    target = {"first_year": [2029], "n_years": [3]}
    underlying, published = project(fit, **target), project(fit, **target, se=0.08)
    np.testing.assert_allclose(published.spread**2, underlying.spread**2 + 0.08**2, rtol=1e-9)
    again = project(fit, first_year=[2018], n_years=[3], se=0.06)  # the same figure, printed a second time
    assert again.mean()[0] == pytest.approx(1.8, abs=1e-9)
    assert again.sd()[0] < 1e-7


def test_the_scatter_about_a_line_is_at_least_the_known_sampling_error():
    value = 70 + 0.2 * np.arange(8.0)
    fit = trajectory(value, 0.3, first_year=range(2005, 2013), n_years=[3] * 8, until=2020, trend="linear")
    assert fit.tau2[0] == pytest.approx(3 * 0.3**2, rel=1e-12)
    target = {"first_year": [2016], "n_years": [3]}
    np.testing.assert_array_equal(project(fit, **target, se=0.3).sd(), project(fit, **target).sd())


def test_disjoint_windows_need_no_generalised_least_squares():
    """Slope and its error of ordinary least squares by the textbook sums."""
    value, t = np.array([3.0, 3.6, 3.9, 4.7, 4.9]), np.arange(5.0)
    fit = trajectory(value, first_year=range(2010, 2015), n_years=[1] * 5, until=2015, trend="linear")
    centred = t - t.mean()
    slope = (centred * value).sum() / (centred**2).sum()
    rest = value - value.mean() - slope * centred
    change = annual_change(fit)
    assert change.mean() == pytest.approx(slope, rel=1e-12)
    assert change.sd() == pytest.approx(np.sqrt((rest**2).sum() / 3 / (centred**2).sum()), rel=1e-12)
    assert change.df == 3


def test_any_combination_of_years_agrees_with_windows():
    rng = np.random.default_rng(5)
    fit = trajectory(
        rng.normal(size=(3, 9)).cumsum(axis=-1),
        0.1,
        first_year=range(2010, 2019),
        n_years=[3] * 9,
        until=2031,
        breaks=[2015],
        shocks=[(2016,)],
    )
    rows = window_weights([2016, 2029], [3, 3], years=fit.design.years)
    window = project(fit, first_year=[2016, 2029], n_years=[3, 3], baseline=2, keep=0.9)
    observed = np.zeros(9)
    observed[2] = -0.9
    years = combine(fit, rows, observed=observed)
    np.testing.assert_allclose(years.mean(), window.mean(), rtol=1e-12)
    np.testing.assert_allclose(years.sd(), window.sd(), rtol=1e-12)


def test_a_shock_takes_no_part_in_the_future_and_a_break_stays():
    t = np.arange(2008, 2021)
    weights = window_weights(t, [3] * 13, years=np.arange(2008, 2023))
    annual = 70 + 0.1 * np.arange(15.0)
    annual[[12, 13]] -= 1.5  # 2020 and 2021
    value = weights @ annual + 2.0 * (t >= 2014)
    fit = trajectory(value, 0.02, first_year=t, n_years=[3] * 13, until=2031, shocks=[(2020, 2021)], breaks=[2014])
    ahead = project(fit, first_year=[2029], n_years=[3])
    assert ahead.mean()[0] == pytest.approx(70 + 0.1 * 22 + 2.0, abs=1e-6)
    assert annual_change(fit).mean() == pytest.approx(0.1, abs=1e-9)


def test_standard_errors_may_be_shared_or_differ_by_series():
    rng = np.random.default_rng(2)
    design = {"first_year": range(2010, 2018), "n_years": [3] * 8, "until": 2031}
    value, se = rng.normal(size=(3, 8)).cumsum(axis=-1), rng.uniform(0.05, 0.1, 8)
    target = {"first_year": [2018, 2029], "n_years": [3, 3], "baseline": 7, "se": 0.07}
    shared = project(trajectory(value, se, **design), **target)
    each = project(trajectory(value, np.tile(se, (3, 1)), **design), **target)
    alone = project(trajectory(value[0], np.tile(se, (3, 1)), **design), **target)
    np.testing.assert_allclose(shared.quantile(0.9), each.quantile(0.9), rtol=1e-10)
    np.testing.assert_allclose(alone.mean(), np.tile(shared.mean()[0], (3, 1)), rtol=1e-12)


def test_population_gives_pooled_windows_their_weight():
    fit = trajectory(
        [2.0],
        first_year=[2018],
        n_years=[2],
        until=2021,
        trend="scenario",
        change=1.0,
        population=[1.0, 3.0, 1.0, 4.0],
    )
    assert project(fit, first_year=[2020], n_years=[2]).mean()[0] == pytest.approx(2.0 + 2.8 - 0.75)


def test_one_window_is_carried_on_with_its_own_error():
    fit = trajectory([4.2], 0.3, first_year=[2018], n_years=[3], until=2031, trend="flat")
    ahead = project(fit, first_year=[2029], n_years=[3])
    assert (ahead.mean()[0], ahead.sd()[0]) == pytest.approx((4.2, 0.3))
    assert annual_change(fit).mean() == 0


def test_two_windows_show_how_far_a_level_moves():
    fit = trajectory([4.0, 5.0], 0.1, first_year=[2017, 2018], n_years=[1, 1], until=2019, trend="flat")
    assert 0.3 < project(fit, first_year=[2019], n_years=[1]).sd()[0] < 5


def test_a_constant_series_keeps_its_sampling_error_and_without_one_says_nothing():
    design = {"first_year": range(2010, 2016), "n_years": [3] * 6, "until": 2031}
    target = {"first_year": [2029], "n_years": [3]}
    ahead = project(trajectory(np.full(6, 1.8), 0.06, **design), **target)
    assert ahead.mean()[0] == pytest.approx(1.8)
    assert 0 < ahead.sd()[0] < 1
    assert np.isnan(project(trajectory(np.full(6, 1.8), **design), **target).sd()[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trend": "holt"}, "the trend is one of flat, drift, linear, converge, scenario"),
        ({"first_year": [2010, 2011, 2012, 2012]}, "there twice"),
        ({"n_years": [1, 1, 1, 1], "shocks": [(2020, 2021)], "trend": "flat"}, "touches no window"),
        ({"breaks": [2000], "trend": "flat"}, "cannot be told from the trend"),
        ({"breaks": [2012]}, "4 windows are too few: this trend needs 4 and one more for each of 1"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_its_reason(options, message):
    design = {"first_year": [2010, 2011, 2012, 2013], "n_years": [3] * 4, "until": 2025} | options
    with pytest.raises(ValueError, match=message):
        trajectory([1.0, 2.0, 1.5, 2.5], 0.1, **design)


def test_nested_windows_that_determine_each_other_are_refused():
    with pytest.raises(ValueError, match="made out of others"):
        trajectory([1.0, 2.0, 1.5], first_year=[2018, 2019, 2018], n_years=[1, 1, 2], until=2020, trend="flat")


def test_windows_beyond_the_fitted_years_are_refused():
    fit = trajectory([4.2], 0.3, first_year=[2018], n_years=[3], until=2025, trend="flat")
    with pytest.raises(ValueError, match="2018 to 2025"):
        project(fit, first_year=[2029], n_years=[3])


# --- rounding: no two windows share it --------------------------------------------------------------------------------


@pytest.mark.parametrize("trend", ["drift", "flat", "linear"])
def test_between_windows_without_a_common_year_rounding_is_one_more_sampling_error(trend):
    value, design = [4.0, 4.1, 4.3, 4.4, 4.2], {"first_year": range(2010, 2015), "n_years": [1] * 5, "until": 2020}
    one = trajectory(value, 0.05, rounding=0.0289, trend=trend, **design)
    other = trajectory(value, np.hypot(0.05, 0.0289), trend=trend, **design)
    ahead = {"first_year": [2020], "n_years": [1]}
    for answer in ("mean", "sd"):
        first, second = (getattr(project(fit, **ahead), answer)() for fit in (one, other))
        np.testing.assert_allclose(first, second, rtol=1e-9)


def test_rounding_of_overlapping_windows_is_not_taken_for_an_error_of_their_years():
    value, design = np.round(1.7 + 0.013 * np.arange(14), 1), {"first_year": range(2003, 2017), "n_years": [3] * 14}
    apart = trajectory(value, rounding=0.0289, until=2030, **design)
    shared = trajectory(value, 0.0289, until=2030, **design)
    ahead = {"first_year": [2028], "n_years": [3]}
    assert project(apart, **ahead).sd()[0] < 0.75 * project(shared, **ahead).sd()[0]


def test_a_published_figure_is_rounded_by_itself():
    fit = trajectory(
        [4.0, 4.1, 4.3, 4.4], 0.1, rounding=0.03, first_year=range(2010, 2014), n_years=[3] * 4, until=2020
    )
    ahead = {"first_year": [2014], "n_years": [3]}
    exact, rounded = project(fit, **ahead, se=0.1), project(fit, **ahead, se=0.1, rounding=0.03)
    np.testing.assert_allclose(rounded.spread**2, exact.spread**2 + 0.03**2, rtol=1e-9)
    np.testing.assert_array_equal(rounded.location, exact.location)


def test_series_at_rest_whose_rounding_is_known_have_limits_and_impossible_rounding_has_none():
    design = {"first_year": range(2010, 2015), "n_years": [3] * 5, "until": 2020}
    ahead = {"first_year": [2018], "n_years": [3]}
    assert project(trajectory([1.7] * 5, rounding=0.0289, **design), **ahead).sd()[0] > 0
    for impossible in (-0.1, np.nan, np.inf):
        assert np.isnan(project(trajectory([1.7, 1.8, 1.7, 1.6, 1.7], rounding=impossible, **design), **ahead).mean())


@pytest.mark.slow
@pytest.mark.parametrize(("windows", "narrowest", "widest"), [(9, 0.95, 0.985), (18, 0.94, 0.965)])
def test_limits_of_rounded_rolling_windows_hold_the_truth(windows, narrowest, widest):
    """4,000 walks of 0.15 a year seen in three-year windows to one decimal: Monte Carlo error 0.003."""
    rng, draws, years = np.random.default_rng(7), 4_000, windows + 13
    annual = 1.7 + rng.normal(0, 0.15, (draws, years)).cumsum(axis=1)
    rolling = (annual[:, :-2] + annual[:, 1:-1] + annual[:, 2:]) / 3
    seen, design = (
        np.round(rolling[:, :windows], 1),
        {"first_year": 2000 + np.arange(windows), "n_years": [3] * windows},
    )
    error, until = 0.1 / 12**0.5, 1999 + years
    widths = []
    for errors in ({"rounding": error}, {"se": error}):
        fit = trajectory(seen, **errors, until=until, **design)
        lower, upper = project(fit, first_year=[until - 2], n_years=[3]).interval(confidence=0.95)
        widths.append(np.median(upper - lower))
        if "rounding" in errors:
            held = ((lower[:, 0] <= rolling[:, -1]) & (rolling[:, -1] <= upper[:, 0])).mean()
            assert narrowest <= held <= widest
    assert widths[0] < 0.85 * widths[1]  # as if overlapping windows shared it, limits are too wide


def test_the_scale_of_the_movement_is_the_variance_of_its_changes_or_a_hundredth_of_the_sampling_error():
    def scale(value, se):
        design = {"first_year": range(2010, 2010 + np.shape(value)[-1]), "n_years": [1] * np.shape(value)[-1]}
        return trajectory(value, se, **design, until=2015, trend="flat").tau2 / GRID

    np.testing.assert_allclose(scale([[4.0, 5.0], [4.0, 4.5]], 0.0), [[1.0] * 60, [0.25] * 60])  # about no drift
    np.testing.assert_allclose(scale([4.0, 5.0, 5.0], 0.0), 0.25)  # of 1 and 0, about their mean
    errors = [[0.1] * 3, [0.3, 0.1, 0.2]]
    np.testing.assert_allclose(scale([[4.0] * 3] * 2, errors), [[1e-4] * 60, [0.14 / 300] * 60])


def test_the_scatter_about_a_line_contains_its_sampling_errors_series_by_series():
    value = np.random.default_rng(7).normal(size=(2, 8)) + 70
    design = {"first_year": range(2005, 2013), "n_years": [3] * 8, "until": 2020, "trend": "linear"}
    without, small = (project(trajectory(value, se, **design), first_year=[2016], n_years=[3]) for se in (0.0, 0.01))
    np.testing.assert_array_equal(small.sd(), without.sd())
    large = trajectory(value, np.array([[0.01] * 8, [50.0] * 8]), **design)
    np.testing.assert_allclose(large.tau2[:, 0], [trajectory(value[0], **design).tau2[0], 3 * 50.0**2])
