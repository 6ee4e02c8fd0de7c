"""Speed and honesty of goals at the level of tables: one assessment, a thousand series, coverage of the gap.

Run by pytest it times; run as a script it prints ratios of one run (thread-CPU time, interleaved rounds) and the
coverage of the 95 % limits of the gap in tables of rolling windows, with its Monte Carlo standard error.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from nenc_estimates import Goal, assess_goal, backtest, compare_assumptions, project_trajectory, recent_trend
from nenc_estimates.kernels.trajectories import project, trajectory
from nenc_estimates.kernels.trend_models import MODELS
from nenc_estimates.kernels.windows import window_overlap, window_weights

WINDOWS, SE = 18, 0.062
FIRST = np.arange(2001, 2001 + WINDOWS)
PERIODS = [f"{year}-{(year + 2) % 100:02d}" for year in FIRST]
GOAL = Goal(kind="reduce_gap", by=0.1, baseline="2018-20", target="2029-31")
DESIGN = {"first_year": FIRST, "n_years": np.full(WINDOWS, 3), "until": 2031}


def simulated(count, seed=1, sd=0.10, drift=0.01):
    """Annual gaps that walk with drift, and their rolling windows with overlapping sampling errors."""
    rng = np.random.default_rng(seed)
    annual = 1.8 + (drift + sd * rng.normal(size=(count, 31))).cumsum(axis=-1)
    root = np.linalg.cholesky(window_overlap(FIRST, np.full(WINDOWS, 3)))
    weights = window_weights(FIRST, np.full(WINDOWS, 3), years=np.arange(2001, 2032))
    return annual, np.abs(annual @ weights.T + SE * rng.normal(size=(count, WINDOWS)) @ root.T)


def tidy(seen):
    codes = [f"A{i:05d}" for i in range(len(seen))]
    return pd.DataFrame(
        {"area_code": np.repeat(codes, WINDOWS), "period": PERIODS * len(seen), "value": seen.ravel(), "se": SE}
    )


def every_model(seen):
    """The formulas alone: probability and limits at the target under every assumption."""
    answers = []
    for trend in MODELS:
        target = project(trajectory(seen, SE, trend=trend, **DESIGN), first_year=[2029], n_years=[3])
        answers.append((target.cdf(0.9 * seen[..., -1:]), *target.interval()))
    return answers


@pytest.mark.parametrize("count", [1, 300, 1000])
def test_assess_goal(benchmark, count):
    benchmark(assess_goal, tidy(simulated(count)[1]), GOAL)


@pytest.mark.parametrize("count", [1, 300])
def test_compare_assumptions(benchmark, count):
    benchmark(compare_assumptions, tidy(simulated(count)[1]), GOAL)


@pytest.mark.parametrize("count", [1, 300])
def test_project_trajectory(benchmark, count):
    benchmark(project_trajectory, tidy(simulated(count)[1]), to="2029-31")


@pytest.mark.parametrize("count", [1, 300])
def test_recent_trend(benchmark, count):
    benchmark(recent_trend, tidy(simulated(count)[1]), method="window")


def test_backtest(benchmark):
    benchmark(backtest, tidy(simulated(10)[1]), horizon=5)


def seconds(function, *arguments):
    start = time.thread_time()
    function(*arguments)
    return time.thread_time() - start


def ratios(rounds=9):
    one, thousand = simulated(1)[1], simulated(1000)[1]
    single_table, table = tidy(one), tidy(thousand)
    single, kernel, tables = [], [], []
    for _ in range(rounds):
        single.append(np.mean([seconds(assess_goal, single_table, GOAL) for _ in range(20)]))
        kernel.append(seconds(every_model, thousand))
        tables.append(seconds(compare_assumptions, table, GOAL))
    single, kernel, tables = (np.array(part) for part in (single, kernel, tables))
    return {
        "one assessment [ms]": 1e3 * single,
        "formulas, 1,000 series, every model [ms]": 1e3 * kernel,
        "compare_assumptions, 1,000 series, four models [ms]": 1e3 * tables,
        "formulas, 1,000 series, every model / one assessment": kernel / single,
        "compare_assumptions, 1,000 series / one assessment": tables / single,
    }


def coverage(runs=1_000):
    """Share of true gaps of 2029-31 inside the 95 % limits that the table prints."""
    annual, seen = simulated(runs, seed=7)
    truth = annual[:, 28:31].mean(axis=-1)
    found = assess_goal(tidy(seen), GOAL)
    inside = ((truth >= found["do_nothing_lower_95"]) & (truth <= found["do_nothing_upper_95"])).mean()
    return inside, np.sqrt(inside * (1 - inside) / runs)


if __name__ == "__main__":
    for name, values in ratios().items():
        print(f"{name}: median {np.median(values):.3g} ({values.min():.3g} to {values.max():.3g})")
    share, error = coverage()
    print(f"coverage of the 95 % limits of the gap: {share:.4f} (Monte Carlo SE {error:.4f})")
