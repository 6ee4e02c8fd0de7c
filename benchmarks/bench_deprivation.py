"""Quantiles, gaps, slopes and rates from tables; the size is the number of groups, for quantiles that of areas.

`python benchmarks/bench_deprivation.py` prints the ratio of a slope index from a table to sorting the table.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import nenc_estimates as nenc
from inputs import FIFTHS, by_quantile, grouped_ages, quantile_table
from nenc_estimates.kernels.slopes import slope_index
from nenc_estimates.standardised_rates import FIVE_YEAR_90
from timing import given, ratio, rounds, spread, timed

AREA = {"by": ["area_code"]}


def scored(size):
    """Small areas with a score, 5 at least."""
    return pd.DataFrame({"score": np.random.default_rng(3).gamma(2, 10, max(size, 5))})


def tenths(size):
    return pd.DataFrame({"quantile": np.arange(size) % 10 + 1})


def local_gaps(size):
    """Each area's own gap, with its people."""
    gaps = nenc.estimate_inequality(quantile_table(size), **FIFTHS | {"definition": "local quantiles"}, **AREA)
    return gaps[gaps["measure"] == "difference"].assign(population=1_000, sex="Persons")


def events_by_age(size):
    """Events and people by the age bands of the standard population."""
    rng = np.random.default_rng(4)
    ages = FIVE_YEAR_90.labels
    rows = size * len(ages)
    return pd.DataFrame(
        {
            "area_code": np.repeat([f"A{i:05}" for i in range(size)], len(ages)),
            "age": list(ages) * size,
            "events": rng.poisson(20, rows) + 1,
            "population": rng.integers(1_000, 10_000, rows),
        }
    )


def two_populations(size):
    """A rate of the most and the least deprived fifth in each group."""
    pair = quantile_table(size)
    return pair[pair["quantile"].isin([1, 5])].assign(quantile=lambda rows: rows["quantile"].astype(str))


CALLS = {
    nenc.assign_quantiles: lambda size: given(scored(size), most_deprived="highest", quantiles=5),
    nenc.merge_quantiles: lambda size: given(tenths(size), into=5, quantiles=10, most_deprived=1),
    nenc.parse_quantiles: lambda size: given(["Most deprived decile", "Least deprived decile"] * size),
    nenc.estimate_inequality: lambda size: given(quantile_table(size), **FIFTHS, **AREA),
    nenc.estimate_slope_index: lambda size: given(quantile_table(size), **FIFTHS, **AREA),
    nenc.simulate_slope_index: lambda size: given(
        quantile_table(size), **FIFTHS, **AREA, noise="log", rng=np.random.default_rng(1), draws=1000
    ),
    nenc.estimate_quantile_contributions: lambda size: given(quantile_table(size), **FIFTHS, **AREA),
    nenc.estimate_deprivation_gap: lambda size: given(
        grouped_ages(size, "quantile", tuple("12345")), by=["sex"], over=[], **FIFTHS
    ),
    nenc.estimate_mean_gap: lambda size: given(local_gaps(size), by=["sex"]),
    nenc.compare_gaps: lambda size: given(local_gaps(size), local_gaps(size), **AREA),
    nenc.estimate_standardised_rate: lambda size: given(events_by_age(size), **AREA),
    nenc.estimate_standardised_ratio: lambda size: given(
        events_by_age(size), events_by_age(1).drop(columns="area_code"), **AREA, match=[]
    ),
    nenc.estimate_rate_ratio: lambda size: given(
        two_populations(size), between=("1", "5"), populations="quantile", **AREA
    ),
}

test_speed = timed(CALLS)


def report(count: int = 7) -> None:
    table = quantile_table(7_000)
    value, people, se = by_quantile(7_000, 5)
    seconds = rounds(
        {
            "table": lambda: nenc.estimate_slope_index(table, **AREA, **FIFTHS),
            "sort": lambda: table.sort_values(["area_code", "quantile"]),
            "arrays": lambda: slope_index(value, people, se=se),
        },
        count,
    )
    print({name: f"{spread([1e3 * time for time in times])} ms" for name, times in seconds.items()})
    print(f"slope index of 7,000 groups from a table: {ratio(seconds, 'table', 'sort')} x sorting the table")


if __name__ == "__main__":
    report()
