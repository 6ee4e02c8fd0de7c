"""Speed and honesty of trajectories: one assessment, a thousand series, coverage, error rate of the trend.

Run by pytest it times; run as a script it prints ratios of one run (thread-CPU time, interleaved rounds), the
coverage of the 95 % gap interval and the error rates of the trend markers, with Monte Carlo standard errors.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from nenc_estimates.kernels.goal_lines import detectability, goal_line, goal_probability, pace_ratio
from nenc_estimates.kernels.goal_lines import required_change as required
from nenc_estimates.kernels.mixtures import sum_of_mixtures
from nenc_estimates.kernels.trajectories import annual_change, project, trajectory
from nenc_estimates.kernels.trend_models import MODELS
from nenc_estimates.kernels.trends import value_trend, window_trend
from nenc_estimates.kernels.windows import window_overlap, window_weights

WINDOWS = 18
FIRST = np.arange(2001, 2001 + WINDOWS)
DESIGN = {"first_year": FIRST, "n_years": np.full(WINDOWS, 3), "until": 2031}
FUTURE = {"first_year": np.arange(2019, 2030), "n_years": np.full(11, 3)}
TARGET = {"first_year": [2029], "n_years": [3]}
SE_GAP, SE_REFERENCE = 0.062, 0.015


def rolling(annual):
    return annual @ window_weights(FIRST, np.full(WINDOWS, 3), years=np.arange(2001, 2032)).T


def gaps(count, seed=1, sd=0.10, drift=0.01):
    """Gaps of random walks with drift and their rolling windows, with overlapping sampling errors."""
    rng = np.random.default_rng(seed)
    annual = 1.8 + (drift + sd * rng.normal(size=(count, 31))).cumsum(axis=-1)
    root = np.linalg.cholesky(window_overlap(FIRST, np.full(WINDOWS, 3)))
    return annual, rolling(annual) + SE_GAP * rng.normal(size=(count, WINDOWS)) @ root.T


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


def test_one_assessment(benchmark):
    gap = gaps(1)[1][0]
    benchmark(assess, gap, 80 - gap)


@pytest.mark.parametrize("count", [1, 1000])
def test_every_model(benchmark, count):
    benchmark(verdicts, gaps(count)[1])


@pytest.mark.parametrize("count", [1, 300, 7_000, 35_000])
def test_fit_with_drift(benchmark, count):
    benchmark(trajectory, gaps(count)[1], SE_GAP, **DESIGN)


@pytest.mark.parametrize("count", [1, 300, 7_000, 35_000])
def test_window_trend(benchmark, count):
    benchmark(window_trend, gaps(count)[1], SE_GAP, first_year=FIRST, n_years=np.full(WINDOWS, 3))


def seconds(function, *arguments):
    start = time.thread_time()
    function(*arguments)
    return time.thread_time() - start


def ratios(rounds=9):
    """Median and range over interleaved rounds: one assessment [ms], and a thousand series over it."""
    one, thousand = gaps(1)[1][0], gaps(1000)[1]
    own_se = np.random.default_rng(3).uniform(0.05, 0.08, thousand.shape)
    single, models, shared, own = [], [], [], []
    for _ in range(rounds):
        single.append(np.mean([seconds(assess, one, 80 - one) for _ in range(20)]))
        models.append(np.mean([seconds(verdicts, one) for _ in range(20)]))
        shared.append(seconds(verdicts, thousand))
        own.append(seconds(verdicts, thousand, own_se))
    single, models, shared, own = (np.array(part) for part in (single, models, shared, own))
    return {
        "one assessment [ms]": 1e3 * single,
        "one series, every model [ms]": 1e3 * models,
        "1,000 series with one row of standard errors, every model [ms]": 1e3 * shared,
        "1,000 series with their own standard errors, every model [ms]": 1e3 * own,
        "1,000 series, shared errors / one assessment": shared / single,
        "1,000 series, own errors / one assessment": own / single,
    }


def coverage(runs=4_000):
    """Share of truths inside the 95 % limits, 11 years ahead, under random walks with drift."""
    results = {}
    for name, sd in {"random walk with drift": 0.10, "lively": 0.20, "quiet": 0.05}.items():
        annual, seen = gaps(runs, seed=7, sd=sd)
        truth = annual[:, 28:31].mean(axis=-1)
        lower, upper = project(trajectory(seen, SE_GAP, **DESIGN), **TARGET).interval()
        inside = ((truth >= lower[:, 0]) & (truth <= upper[:, 0])).mean()
        results[name] = inside, np.sqrt(inside * (1 - inside) / runs), (upper - lower).mean()
    return results


def error_rates(runs=400_000):
    """Share of five-window series without a trend that each marker finds significant (nominal 0.2 %)."""
    rng = np.random.default_rng(11)
    first, n = np.arange(2014, 2019), np.full(5, 3)
    root = np.linalg.cholesky(window_overlap(first, n))
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
        print(f"{name}: median {np.median(values):.3g} ({values.min():.3g} to {values.max():.3g})")
    for name, (share, error, width) in coverage().items():
        print(f"coverage, {name}: {share:.4f} (Monte Carlo SE {error:.4f}), mean width {width:.2f}")
    for name, (rate, error) in error_rates().items():
        print(f"error rate, {name}: {rate:.5f} (Monte Carlo SE {error:.5f})")
