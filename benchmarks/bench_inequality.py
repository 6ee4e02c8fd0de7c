"""Speed of the slope index with exact limits: against a loop over least squares, in one run.

`python benchmarks/bench_inequality.py` prints the ratios; `pytest benchmarks` times the kernels alone.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nenc_estimates.kernels.inequality import attributable_fraction, quantile_ranks
from nenc_estimates.kernels.simulated_slopes import simulated_slope_index
from nenc_estimates.kernels.slopes import relative_index, slope_index
from nenc_estimates.kernels.standardisation import directly_standardised_rate

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = [1, 300, 7_000, 35_000]
LOOP = 1000
REPEATS = 7  # in a row, so that the work of another function is not in the caches


def groups(number: int, quantiles: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    shape = (number, quantiles)
    return 80 + rng.normal(0, 2, shape), rng.uniform(1e3, 1e4, shape), rng.uniform(0.1, 0.5, shape)


@pytest.mark.parametrize("measure", [slope_index, relative_index, attributable_fraction])
@pytest.mark.parametrize("number", SIZES)
def test_measures(benchmark, number, measure):
    value, people, se = groups(number)
    benchmark(measure, value, people, se=se)


def test_simulated_slope_index(benchmark):
    value, people, se = groups(10)
    benchmark(simulated_slope_index, value, people, se=se, noise="log", rng=np.random.default_rng(2))


@pytest.mark.parametrize("areas", SIZES)
def test_quantile_ranks(benchmark, areas):
    benchmark(quantile_ranks, np.random.default_rng(3).normal(size=max(areas, 10)), quantiles=10)


@pytest.mark.parametrize("number", SIZES)
def test_directly_standardised_rate(benchmark, number):
    rng = np.random.default_rng(4)
    events, people = rng.poisson(20, (number, 20)), rng.uniform(1e3, 1e4, (number, 20))
    benchmark(directly_standardised_rate, events, people, standard=np.ones(20))


def design(people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shares = people / people.sum()
    root = np.sqrt(shares)
    return np.column_stack([root, root * (np.cumsum(shares) - shares / 2)]), root


def loop_of_slopes(value: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Slopes alone, a group at a time."""
    slopes = np.empty(len(value))
    for group in range(len(value)):
        columns, root = design(people[group])
        slopes[group] = np.linalg.lstsq(columns, root * value[group], rcond=None)[0][1]
    return slopes


def loop_with_limits(value: np.ndarray, people: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Slopes and their exact limits, a group at a time: what `slope_index` gives."""
    out = np.empty((3, len(value)))
    for group in range(len(value)):
        columns, root = design(people[group])
        weights = np.linalg.lstsq(columns, np.diag(root), rcond=None)[0][1]
        slope, margin = weights @ value[group], 1.959963984540054 * np.linalg.norm(weights * se[group])
        out[:, group] = slope, slope - margin, slope + margin
    return out


def seconds(function: Callable[[], object]) -> float:
    start = time.thread_time()
    function()
    return time.thread_time() - start


def report(number: int = 35_000, rounds: int = 11) -> None:
    """Print CPU time for a group, and how many times faster than the loops: median and range over rounds."""
    value, people, se = groups(number)
    few = value[:LOOP], people[:LOOP], se[:LOOP]
    np.testing.assert_allclose(slope_index(*few[:2], se=few[2]).lower, loop_with_limits(*few)[1], rtol=1e-9)
    work: dict[str, tuple[Callable[[], object], int]] = {
        "lstsq loop, slopes only": (lambda: loop_of_slopes(*few[:2]), LOOP),
        "lstsq loop, with limits": (lambda: loop_with_limits(*few), LOOP),
        "slope_index": (lambda: slope_index(value, people, se=se), number),
        "relative_index": (lambda: relative_index(value, people, se=se), number),
    }
    spent: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, (function, size) in work.items():
            spent[name].append(median(seconds(function) for _ in range(REPEATS)) / size * 1e9)
    for name, times in spent.items():
        print(f"{name:26}{median(times):9.0f} ns [{min(times):.0f}, {max(times):.0f}]")
    for base in list(work)[:2]:
        for name in list(work)[2:]:
            ratios = [of / time for time, of in zip(spent[name], spent[base], strict=True)]
            print(f"{base} / {name}: {median(ratios):.0f} [{min(ratios):.0f}, {max(ratios):.0f}]")


if __name__ == "__main__":
    report()
