"""Trajectories, goals and scores, formulas only; the size is the number of series of 18 windows.

`python benchmarks/bench_trajectories.py` prints the ratio of a thousand series to one assessment, the coverage of the
95 % gap interval and the error rates of the trend markers, with Monte Carlo standard errors.
"""

from __future__ import annotations

import numpy as np
import pytest

from inputs import DESIGN, FIRST, LENGTH, SE_GAP, WINDOWS, series
from nenc_estimates.kernels import designs, goal_lines, goal_values, progress, scores, trends, windows
from nenc_estimates.kernels.goal_lines import detectability, goal_line, goal_probability, pace_ratio
from nenc_estimates.kernels.goal_lines import required_change as required
from nenc_estimates.kernels.mixtures import Mixture, sum_of_mixtures
from nenc_estimates.kernels.trajectories import annual_change, combine, project, trajectory
from nenc_estimates.kernels.transforms import TRANSFORMS
from nenc_estimates.kernels.trend_models import MODELS
from nenc_estimates.kernels.trends import value_trend, window_trend
from timing import given, ratio, rounds, spread, timed, timed_once

FUTURE = {"first_year": np.arange(2019, 2030), "n_years": np.full(11, 3)}
TARGET = {"first_year": [2029], "n_years": [3]}
SE_REFERENCE = 0.015
YEARS = np.arange(2001.0, 2032.0)
LEVELS = [0.025, 0.1, 0.9, 0.975]
AMBITION = {"baseline_year": 2015, "year": 2020, "target_year": 2030, "direction": -1}


def seen(size):
    return series(size)[1]


def fitted(size):
    return trajectory(seen(size), SE_GAP, **DESIGN)


def ahead(size):
    return project(fitted(size), **TARGET)


def path(size):
    """From the first window to the last one."""
    return seen(size)[:, 0], seen(size)[:, -1]


def ambition(size):
    baseline, current = path(size)
    return AMBITION | {"baseline": baseline, "current": current, "target": 0.9 * baseline}


def line(size):
    baseline = seen(size)[:, :1]
    return {"baseline_year": 2019, "baseline": baseline, "target_year": 2030, "goal": 0.9 * baseline}


def counted(size):
    """Counts and denominators of proportions."""
    return np.round(seen(size) * 100), np.full((size, WINDOWS), 1000.0)


def assess(gap, reference, trend="drift"):
    """All that one goal needs: gap, reference and area to the target, probabilities, pace, detectability."""
    fit = trajectory(gap, SE_GAP, trend=trend, **DESIGN)
    national = trajectory(reference, SE_REFERENCE, trend=trend, **DESIGN)
    ahead, nation = project(fit, **FUTURE), project(national, **FUTURE)
    area = sum_of_mixtures(nation, ahead, sign=-1)
    limits = [part.quantile([0.025, 0.1, 0.9, 0.975]) for part in (ahead, nation, area)]
    baseline = gap[..., -1]
    goal = 0.9 * baseline
    target = project(fit, **TARGET)
    met = [
        goal_probability(target, goal[..., None], bound="at_most"),
        goal_probability(project(fit, **TARGET, baseline=WINDOWS - 1, keep=0.9), 0.0, bound="at_most"),
        goal_probability(project(fit, **TARGET, se=SE_GAP), goal[..., None], bound="at_most"),
    ]
    pace = pace_ratio(annual_change(fit).mean(), required(baseline, goal, year=2019, target_year=2030))
    line = goal_line(
        FUTURE["first_year"] + 1,
        baseline_year=2019,
        baseline=baseline[..., None],
        target_year=2030,
        goal=goal[..., None],
    )
    seen = detectability(goal - baseline, se_baseline=SE_GAP, se_target=SE_GAP)
    return limits, met, pace, line, seen


def verdicts(gap, se=SE_GAP):
    """Probability and limits at the target under every assumption."""
    answers = []
    for trend in MODELS:
        target = project(trajectory(gap, se, trend=trend, **DESIGN), **TARGET)
        answers.append((target.cdf(0.9 * gap[..., -1:]), *target.interval()))
    return answers


CALLS = {
    trajectory: lambda size: given(seen(size), SE_GAP, **DESIGN),
    **{
        (trajectory, trend): lambda size, trend=trend: given(seen(size), SE_GAP, trend=trend, **DESIGN)
        for trend in MODELS
    },
    project: lambda size: given(fitted(size), **FUTURE),
    combine: lambda size: given(fitted(size), np.full((1, 31), 1 / 31)),
    annual_change: lambda size: given(fitted(size)),
    Mixture.mean: lambda size: given(ahead(size)),
    Mixture.sd: lambda size: given(ahead(size)),
    Mixture.cdf: lambda size: given(ahead(size), 1.6),
    Mixture.quantile: lambda size: given(ahead(size), LEVELS),
    Mixture.interval: lambda size: given(ahead(size)),
    sum_of_mixtures: lambda size: given(ahead(size), ahead(size), sign=-1),
    trends.proportion_trend: lambda size: given(*counted(size)),
    value_trend: lambda size: given(seen(size), SE_GAP),
    window_trend: lambda size: given(seen(size), SE_GAP, first_year=FIRST, n_years=LENGTH),
    goal_values.reduce_gap: lambda size: given(path(size)[0], by=0.1),
    goal_values.reach: lambda size: given(path(size)[0], level=1.5),
    goal_values.change_by: lambda size: given(path(size)[0], by=-0.1),
    goal_values.improve: lambda size: given(path(size)[0]),
    goal_line: lambda size: given(FUTURE["first_year"], **line(size)),
    required: lambda size: given(*path(size), year=2019, target_year=2030),
    goal_lines.annual_rate_of_reduction: lambda size: given(*path(size), years=17),
    goal_lines.average_annual_rate_of_reduction: lambda size: given(seen(size), year=FIRST),
    pace_ratio: lambda size: given(*path(size)),
    goal_probability: lambda size: given(ahead(size), 0.9 * seen(size)[:, -1:], bound="at_most"),
    goal_lines.reduction_probability: lambda size: given(*path(size), by=0.1, se_baseline=SE_GAP, se_target=0.25),
    goal_lines.all_met_bounds: lambda size: given(np.linspace(0.1, 0.9, 5) * np.ones((size, 1))),
    detectability: lambda size: given(path(size)[0] * -0.1, se_baseline=SE_GAP, se_target=SE_GAP),
    progress.open_sdg_progress: lambda size: given(**ambition(size)),
    progress.unsd_progress: lambda size: given(**ambition(size)),
    scores.mean_absolute_error: lambda size: given(seen(size), seen(size) + 0.1),
    scores.mean_absolute_scaled_error: lambda size: given(seen(size), seen(size) + 0.1, training=seen(size)),
    scores.continuous_ranked_probability_score: lambda size: given(seen(size)[:, -1:], ahead(size)),
    scores.interval_score: lambda size: given(seen(size), seen(size) - 0.1, seen(size) + 0.1),
    scores.interval_coverage: lambda size: given(seen(size), seen(size) - 0.1, seen(size) + 0.1),
    **{(transform.forward, name): lambda size: given(seen(size) / 10) for name, transform in TRANSFORMS.items()},
}
ONCE = {  # one design serves every series with these windows
    designs.series_design: lambda: given(FIRST, LENGTH, years=YEARS, model=MODELS["drift"](YEARS)),
    windows.window_centre: lambda: given(FIRST, LENGTH),
    windows.window_overlap: lambda: given(FIRST, LENGTH),
    windows.window_weights: lambda: given(FIRST, LENGTH, years=YEARS),
    windows.shock_columns: lambda: given(YEARS, [(2020, 2021)]),
    windows.break_flags: lambda: given(FIRST, [2011]),
    **{(model, name): lambda: given(YEARS) for name, model in MODELS.items()},
}

test_speed, test_speed_once = timed(CALLS), timed_once(ONCE)


@pytest.mark.parametrize("size", [1, 300])
def test_every_model(benchmark, size):
    benchmark(verdicts, seen(size))


def test_one_assessment(benchmark):
    gap = seen(1)[0]
    benchmark(assess, gap, 80 - gap)


def ratios(count=9):
    """Median and range over interleaved rounds: one assessment [ms], and a thousand series over it."""
    one, thousand = seen(1)[0], seen(1000)
    own_se = np.random.default_rng(3).uniform(0.05, 0.08, thousand.shape)
    seconds = rounds(
        {
            "one assessment": lambda: assess(one, 80 - one),
            "one series, every model": lambda: verdicts(one),
            "1,000 series with one row of standard errors, every model": lambda: verdicts(thousand),
            "1,000 series with their own standard errors, every model": lambda: verdicts(thousand, own_se),
        },
        count,
        repeats=5,
    )
    single, _, *many = seconds
    return {f"{name} [ms]": spread([1e3 * time for time in times]) for name, times in seconds.items()} | {
        f"{name} / one assessment": ratio(seconds, name, single) for name in many
    }


def coverage(runs=4_000):
    """Share of truths inside the 95 % limits, 11 years ahead, under random walks with drift."""
    results = {}
    for name, sd in {"random walk with drift": 0.10, "lively": 0.20, "quiet": 0.05}.items():
        annual, windows_seen = series(runs, seed=7, sd=sd)
        truth = annual[:, 28:31].mean(axis=-1)
        lower, upper = project(trajectory(windows_seen, SE_GAP, **DESIGN), **TARGET).interval()
        inside = ((truth >= lower[:, 0]) & (truth <= upper[:, 0])).mean()
        results[name] = inside, np.sqrt(inside * (1 - inside) / runs), (upper - lower).mean()
    return results


def error_rates(runs=400_000):
    """Share of five-window series without a trend that each marker finds significant (nominal 0.2 %)."""
    rng = np.random.default_rng(11)
    first, n = np.arange(2014, 2019), np.full(5, 3)
    root = np.linalg.cholesky(windows.window_overlap(first, n))
    value = 80 + 0.06 * rng.normal(size=(runs, 5)) @ root.T
    markers = {
        "window": window_trend(value, 0.06, first_year=first, n_years=n),
        "fingertips": value_trend(value, 0.06),
    }
    rates = {}
    for name, marker in markers.items():
        for part, found in (
            ("test", marker.chi2 > 9.54953570608324),
            ("test and signs", marker.direction != 0),
        ):
            rate = found.mean()
            rates[f"{name}, {part}"] = rate, np.sqrt(rate * (1 - rate) / runs)
    return rates


if __name__ == "__main__":
    for name, values in ratios().items():
        print(f"{name}: {values}")
    for name, (share, error, width) in coverage().items():
        print(f"coverage, {name}: {share:.4f} (Monte Carlo SE {error:.4f}), mean width {width:.2f}")
    for name, (rate, error) in error_rates().items():
        print(f"error rate, {name}: {rate:.5f} (Monte Carlo SE {error:.5f})")
