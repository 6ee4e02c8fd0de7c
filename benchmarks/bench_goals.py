"""Trajectories and goals from tables; the size is the number of series of 18 windows.

`python benchmarks/bench_goals.py` prints the ratio of a thousand series to one assessment, and the coverage of the 95 %
limits of the gap with its Monte Carlo standard error.
"""

from __future__ import annotations

import numpy as np

import nenc_estimates as nenc
from bench_trajectories import verdicts
from inputs import series, tidy_series
from timing import given, ratio, rounds, spread, timed

GOAL = nenc.Goal(kind="reduce_gap", by=0.1, baseline="2018-20", target="2029-31")


def table(size):
    return tidy_series(series(size)[1])


def assessed(size):
    return nenc.assess_goal(table(size), GOAL)


CALLS = {
    nenc.assess_goal: lambda size: given(table(size), GOAL),
    nenc.compare_assumptions: lambda size: given(table(size), GOAL),
    nenc.project_trajectory: lambda size: given(table(size), to="2029-31"),
    nenc.trace_goal: lambda size: given(nenc.project_trajectory(table(size), to="2029-31"), assessed(size)),
    nenc.bound_all_met: lambda size: given(assessed(size)),
    nenc.recent_trend: lambda size: given(table(size), method="window"),
    nenc.backtest: lambda size: given(table(size), horizon=5),
}

test_speed = timed(CALLS)


def ratios(count=9):
    one, thousand, seen = table(1), table(1000), series(1000)[1]
    seconds = rounds(
        {
            "one assessment": lambda: nenc.assess_goal(one, GOAL),
            "formulas, 1,000 series, every model": lambda: verdicts(seen),
            "compare_assumptions, 1,000 series, four models": lambda: nenc.compare_assumptions(thousand, GOAL),
        },
        count,
        repeats=3,
    )
    single, *many = seconds
    return {f"{name} [ms]": spread([1e3 * time for time in times]) for name, times in seconds.items()} | {
        f"{name} / one assessment": ratio(seconds, name, single) for name in many
    }


def coverage(runs=1_000):
    """Share of true gaps of 2029-31 inside the 95 % limits that the table prints."""
    annual, seen = series(runs, seed=7)
    truth = annual[:, 28:31].mean(axis=-1)
    found = nenc.assess_goal(tidy_series(seen), GOAL)
    inside = ((truth >= found["do_nothing_lower_95"]) & (truth <= found["do_nothing_upper_95"])).mean()
    return inside, np.sqrt(inside * (1 - inside) / runs)


if __name__ == "__main__":
    for name, values in ratios().items():
        print(f"{name}: {values}")
    share, error = coverage()
    print(f"coverage of the 95 % limits of the gap: {share:.4f} (Monte Carlo SE {error:.4f})")
