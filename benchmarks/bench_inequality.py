"""Measures of inequality and standardised rates; the size is the number of groups, for ranks of areas.

`python benchmarks/bench_inequality.py` prints the ratios of the slope index to loops over least squares in one run.
"""

from __future__ import annotations

from statistics import median

import numpy as np

from inputs import AGES, MORTALITY, by_quantile, events, in_rows
from nenc_estimates.kernels import inequality, slopes, standardisation
from nenc_estimates.kernels.simulated_slopes import simulated_slope_index
from peers import slope_loop, slopes_loop
from timing import given, ratio, rounds, spread, timed, timed_once

LOOP = 1000


def weighted(size, quantiles=10):
    """Values and people, and standard errors by name."""
    value, people, se = by_quantile(size, quantiles)
    return given(value, people, se=se)


def unweighted(size):
    value, _, se = by_quantile(size)
    return given(value, se=se)


def shares(size):
    """Proportions, whose slope is simulated with the fewest draws that are allowed."""
    _, people, se = by_quantile(size)
    options = {"noise": "log", "rng": np.random.default_rng(2), "draws": 1000}
    return given(np.linspace(0.05, 0.03, 10) + 0 * se, people, se=se / 100, **options)


def two_rates(size):
    x, n = events(size)
    return x / n, x / n**2, x[::-1] / n[::-1], x[::-1] / n[::-1] ** 2


CALLS = {
    inequality.quantile_ranks: lambda size: given(np.random.default_rng(3).normal(size=max(size, 10)), quantiles=10),
    inequality.population_shares: lambda size: given(by_quantile(size)[1]),
    inequality.ridit_ranks: lambda size: given(by_quantile(size)[1]),
    inequality.absolute_gap: unweighted,
    inequality.ratio: unweighted,
    inequality.attributable_risk: weighted,
    inequality.attributable_fraction: weighted,
    inequality.attributable_contributions: weighted,
    inequality.absolute_concentration_index: weighted,
    inequality.relative_concentration_index: weighted,
    slopes.slope_index: weighted,
    slopes.relative_index: weighted,
    slopes.scatter_errors: lambda size: given(*by_quantile(size)[:2]),
    slopes.slope_weights: lambda size: given(by_quantile(size)[1]),
    simulated_slope_index: shares,
    standardisation.crude_rate: lambda size: given(*events(size)),
    standardisation.directly_standardised_rate: lambda size: given(*in_rows(size), standard=np.ones(AGES)),
    standardisation.expected_events: lambda size: given(in_rows(size)[1], reference_rate=MORTALITY),
    standardisation.standardised_ratio: lambda size: given(events(size)[0], events(size)[0] * 1.1),
    standardisation.rate_ratio: lambda size: given(*two_rates(size)),
}
ONCE = {slopes.scale_named: lambda: given("logit")}

test_speed, test_speed_once = timed(CALLS), timed_once(ONCE)


def report(number: int = 35_000, count: int = 11) -> None:
    """Print CPU time for a group, and how many times faster than the loops: median and range over rounds."""
    value, people, se = by_quantile(number)
    few = value[:LOOP], people[:LOOP], se[:LOOP]
    np.testing.assert_allclose(slopes.slope_index(*few[:2], se=few[2]).lower, slope_loop(*few)[1], rtol=1e-9)
    ours = {
        "slope_index": lambda: slopes.slope_index(value, people, se=se),
        "relative_index": lambda: slopes.relative_index(value, people, se=se),
    }
    loops = {
        "lstsq loop, slopes only": lambda: slopes_loop(*few[:2]),
        "lstsq loop, with limits": lambda: slope_loop(*few),
    }
    seconds = rounds(loops | ours, count, repeats=7)
    each = {name: [time / (LOOP if name in loops else number) for time in times] for name, times in seconds.items()}
    for name, times in each.items():
        print(f"{name:26}{median(times) * 1e9:9.0f} ns [{spread([time * 1e9 for time in times])}]")
    for base in loops:
        for name in ours:
            print(f"{base} / {name}: {ratio(each, base, name)}")


if __name__ == "__main__":
    report()
