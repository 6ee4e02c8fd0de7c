"""Speed of decomposition: against the life tables that it needs and the textbook columns, in one run.

`python benchmarks/bench_decomposition.py` prints the ratios; `pytest benchmarks` times the kernel alone.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nenc_estimates.kernels.decomposition import METHODS, age_contributions, cause_contributions
from nenc_estimates.kernels.decomposition_variance import contribution_variance
from nenc_estimates.kernels.expectancy import life_expectancy
from nenc_estimates.kernels.life_table import life_table

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = np.array([1.0, 4.0, *[5.0] * 17, np.inf])
NAX = np.array([0.1, 2.0, *[2.5] * 17, np.nan])
BANDS = {"width": WIDTH, "nax": NAX}
SCHEDULE = np.array([4e-3, *np.exp(np.linspace(np.log(1e-4), np.log(0.2), 19))])
SIZES = [1, 300, 7_000, 35_000]
BLOCK = 4104


def rates(pairs: int, seed: int) -> np.ndarray:
    drawn = SCHEDULE * np.exp(np.random.default_rng(seed).normal(0, 0.2, (pairs, 20)))
    return np.minimum(drawn, 0.39)


def by_cause(all_cause: np.ndarray, causes: int, seed: int) -> np.ndarray:
    shares = np.random.default_rng(seed).dirichlet(np.ones(causes), len(all_cause))
    return all_cause[:, None, :] * shares[..., None]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pairs", SIZES)
def test_age_contributions(benchmark, pairs, method):
    first, second = rates(pairs, 1), rates(pairs, 2)
    benchmark(age_contributions, first, second, **BANDS, method=method)


@pytest.mark.parametrize("pairs", SIZES)
def test_cause_contributions(benchmark, pairs):
    first, second = (by_cause(rates(pairs, seed), 10, seed) for seed in (1, 2))
    benchmark(cause_contributions, first, second, **BANDS)


@pytest.mark.parametrize("pairs", [1, 300])
def test_contribution_variance(benchmark, pairs):
    first, second = (by_cause(rates(pairs, seed), 10, seed) for seed in (1, 2))
    groups = np.eye(10, dtype=bool)[:, :, None] & np.ones(20, dtype=bool)
    benchmark(contribution_variance, first, second, first * 1e-5, second * 1e-5, groups=groups, **BANDS)


def recursion(nMx: np.ndarray) -> np.ndarray:
    """Life expectancy alone by the blocked recursion: the least that the two tables of a pair can cost."""
    width, nax = WIDTH[:-1, None], NAX[:-1, None]
    after = width - nax
    out = np.empty_like(nMx)
    for start in range(0, len(nMx), BLOCK):
        m = np.ascontiguousarray(nMx[start : start + BLOCK].T)
        survival = after * m[:-1]
        survival += 1.0
        np.divide(m[:-1], survival, out=survival)
        survival *= width
        np.subtract(1.0, survival, out=survival)
        ex = np.empty_like(m)
        np.divide(1.0, m[-1], out=ex[-1])
        for x in reversed(range(len(survival))):
            np.add(ex[x + 1], after[x], out=ex[x])
            ex[x] *= survival[x]
            ex[x] += nax[x]
        out[start : start + BLOCK] = ex.T
    return out


def textbook(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Arriaga 1984 from the columns of two life tables, in both directions."""

    def one_way(one, two):
        gain = one.lx * (two.nLx / two.lx - one.nLx / one.lx)
        rest = one.lx[:, :-1] / two.lx[:, :-1] - one.lx[:, 1:] / two.lx[:, 1:]
        gain[:, :-1] += two.Tx[:, 1:] * rest
        return gain

    one, two = (life_table(each, **BANDS, radix=1.0) for each in (first, second))
    return (one_way(one, two) - one_way(two, one)) / 2


def report(pairs: int = 100_000, rounds: int = 11) -> None:
    """Print CPU time for a pair, and its ratio to two life tables: median and range over rounds."""
    first, second = rates(pairs, 1), rates(pairs, 2)
    causes = [by_cause(each, 10, seed) for seed, each in enumerate((first, second))]
    people = np.full(first.shape, 1e4)
    deaths = [each * people for each in (first, second)]
    work: dict[str, Callable[[], object]] = {
        "two life expectancies, rates only": lambda: (recursion(first), recursion(second)),
        "two life expectancies with variance": lambda: [life_expectancy(each, people, **BANDS) for each in deaths],
        "by age": lambda: age_contributions(first, second, **BANDS),
        "by age, one comparator": lambda: age_contributions(first, second[0], **BANDS),
        "by age and 10 causes": lambda: cause_contributions(*causes, **BANDS),
        "by age, path": lambda: age_contributions(first, second, **BANDS, method="path"),
        "by age, textbook columns": lambda: textbook(first, second),
    }
    spent: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, function in work.items():
            function()  # so that the round before is not in the caches
            start = time.thread_time()
            function()
            spent[name].append((time.thread_time() - start) / pairs * 1e9)
    for base in list(work)[:2]:
        print(f"ratio to {base}: median [lowest, highest] of {rounds} rounds, {pairs:,} pairs")
        for name, times in spent.items():
            ratios = [time / of for time, of in zip(times, spent[base], strict=True)]
            spread = f"{median(ratios):7.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
            print(f"  {name:38}{median(times):8.0f} ns{spread}")


if __name__ == "__main__":
    report()
