"""Decomposition of gaps, formulas and tables; the size is the number of pairs of populations.

`python benchmarks/bench_decomposition.py` prints ratios to the life tables that a pair needs, and to the
textbook's columns.
"""

from __future__ import annotations

from statistics import median

import numpy as np
import pandas as pd

import nenc_estimates as nenc
from inputs import AGES, BANDS, by_cause, grouped_ages, rates, survey
from nenc_estimates.kernels import decomposition, decomposition_variance
from nenc_estimates.kernels.expectancy import life_expectancy
from peers import arriaga, expectancy_rows
from timing import given, ratio, rounds, timed

CAUSES = 10
BETWEEN = {"between": ("a", "b"), "keys": ["sex"]}


def two(size):
    return rates(size, 1), rates(size, 2)


def two_by_cause(size, causes=CAUSES):
    return by_cause(size, causes, 1), by_cause(size, causes, 2)


def with_health(size):
    good = survey(size)[0]
    return *two(size), good, good[::-1]


def with_variances(size, causes=3):
    """Three causes: memory of the variances grows with cells times subtotals."""
    first, second = two_by_cause(size, causes)
    return first, second, first * 1e-5, second * 1e-5


def by_age(size):
    return grouped_ages(size, "area_code", ("a", "b"))


def by_age_and_cause(size):
    """Rows of all deaths, and of a cause that makes a third of them."""
    table = by_age(size)
    part = table.assign(cause="circulatory", deaths=table["deaths"] // 3)
    return pd.concat([table.assign(cause="all"), part], ignore_index=True)


GROUPS = np.eye(3, dtype=bool)[:, :, None] & np.ones(AGES, dtype=bool)
OLD = np.ones((CAUSES, 1), bool) & (np.arange(AGES) > 14)

CALLS = {
    decomposition.mortality_sensitivity: lambda size: given(*two(size), **BANDS),
    decomposition.health_sensitivity: lambda size: given(*two(size), **BANDS),
    **{
        (decomposition.age_contributions, method): lambda size, method=method: given(*two(size), **BANDS, method=method)
        for method in decomposition.METHODS
    },
    decomposition.cause_contributions: lambda size: given(*two_by_cause(size), **BANDS),
    decomposition.healthy_contributions: lambda size: given(*with_health(size), **BANDS),
    decomposition.years_gained: lambda size: given(*two_by_cause(size), cells=OLD, **BANDS),
    decomposition_variance.contribution_variance: lambda size: given(*with_variances(size), groups=GROUPS, **BANDS),
    decomposition_variance.years_gained_variance: lambda size: given(*with_variances(size), cells=OLD[:3], **BANDS),
    decomposition_variance.healthy_contribution_variance: lambda size: given(
        *with_health(size), variances=tuple(part * 1e-4 for part in with_health(size)), groups=GROUPS[:2, :2], **BANDS
    ),
    nenc.decompose_gap: lambda size: given(by_age(size), **BETWEEN),
    (nenc.decompose_gap, "by cause"): lambda size: given(by_age_and_cause(size), by="cause", **BETWEEN),
    nenc.estimate_years_gained: lambda size: given(by_age(size), **BETWEEN),
    nenc.compare_decompositions: lambda size: given(*[nenc.decompose_gap(by_age(size), **BETWEEN)] * 2, keys=["sex"]),
}

test_speed = timed(CALLS)


def report(pairs: int = 100_000, count: int = 11) -> None:
    """Print CPU time for a pair, and its ratio to two life tables: median and range over rounds."""
    (first, second), causes = two(pairs), two_by_cause(pairs)
    people = np.full(first.shape, 1e4)
    deaths = [each * people for each in (first, second)]
    work = {
        "two life expectancies, rates only": lambda: (expectancy_rows(first), expectancy_rows(second)),
        "two life expectancies with variance": lambda: [life_expectancy(each, people, **BANDS) for each in deaths],
        "by age": lambda: decomposition.age_contributions(first, second, **BANDS),
        "by age, one comparator": lambda: decomposition.age_contributions(first, second[0], **BANDS),
        "by age and 10 causes": lambda: decomposition.cause_contributions(*causes, **BANDS),
        "by age, path": lambda: decomposition.age_contributions(first, second, **BANDS, method="path"),
        "by age, textbook columns": lambda: arriaga(first, second),
    }
    seconds = rounds(work, count, repeats=3)
    for base in list(work)[:2]:
        print(f"ratio to {base}: median (lowest to highest) of {count} rounds, {pairs:,} pairs")
        for name, times in seconds.items():
            print(f"  {name:38}{median(times) / pairs * 1e9:8.0f} ns  {ratio(seconds, name, base)}")


if __name__ == "__main__":
    report()
