"""Weighting, apportioning and gaps, formulas and tables; the size is the number of source areas.

`python benchmarks/bench_weighting.py` prints the ratios to SciPy's sparse product and to pandas' `groupby().sum()`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

import nenc_estimates as nenc
from inputs import entries, indicator_table, membership, pairs, residents
from nenc_estimates.kernels import apportioning, gaps, weighting
from timing import given, ratio, rounds, timed, timed_once

REAL = nenc.load_crosswalk("utla21", "nenc").sources


def planned(size, columns=40, targets=42):
    """A plan for areas in no order, and their values."""
    target, weight, values = pairs(size, columns, targets)
    return apportioning.plan(target, np.arange(size), weight, n_targets=targets, n_sources=size), values


def matrix(size, columns, targets):
    """The same as a sparse matrix."""
    target, weight, _ = pairs(size, columns, targets)
    return sparse.csr_matrix((weight, (target, np.arange(size))), shape=(targets, size))


def plan_inputs(size):
    target, weight, _ = pairs(size)
    return given(target, np.arange(size), weight, n_targets=42, n_sources=size)


def weights(size):
    one = entries(size)
    return weighting.weights(one["people"], one["share"], one["starts"])


def over(size, *names, **options):
    """Columns of the entries, their weights, and where targets start."""
    one = entries(size)
    return given(*(one[name] for name in names), weights(size), one["starts"], **options)


def two_sides(size):
    return np.linspace(58, 66, size), np.full(size, 63.0)


def england(size):
    return indicator_table(1).assign(area_code="E", value=60.0)


def two_lives(size):
    healthy = indicator_table(size)
    return healthy, healthy.assign(value=healthy["value"] + 20)


def real_areas(size):
    """Rows of real local authorities, over and over."""
    area = np.resize(np.array(REAL, object), max(size, len(REAL)))
    year = np.arange(area.size) // len(REAL)
    return pd.DataFrame({"area_code": area, "indicator": year.astype(str), "value": 1.0})


TO = {"better": "higher"}
CALLS = {
    weighting.grouped_sum: lambda size: given(entries(size)["value"], entries(size)["starts"]),
    weighting.spread: lambda size: given(entries(size)["starts"] * 1.0, entries(size)["starts"], size),
    weighting.weights: lambda size: given(*(entries(size)[name] for name in ("people", "share", "starts"))),
    weighting.weighted_mean: lambda size: over(size, "value"),
    weighting.weighted_mean_variance: lambda size: over(size, "share"),
    (weighting.weighted_mean_variance, "correlated"): lambda size: over(size, "share", correlation=0.5),
    weighting.effective_number: over,
    weighting.largest_weight: over,
    weighting.coverage: lambda size: given(weights(size), np.ones(size, bool), entries(size)["starts"]),
    apportioning.plan: plan_inputs,
    apportioning.Plan.arrange: lambda size: given(*planned(size)),
    apportioning.apportion: lambda size: given(planned(size)[1], planned(size)[0]),
    (apportioning.apportion, "arranged"): lambda size: given(*reversed(planned(size)[0].arrange(planned(size)[1]))),
    gaps.gap: lambda size: given(*two_sides(size), **TO),
    gaps.area_from_gap: lambda size: given(*two_sides(size), **TO),
    gaps.gap_variance: lambda size: given(*two_sides(size), share=0.05),
    gaps.person_years_se: lambda size: given(np.geomspace(5e3, 1e6, size), sex="male"),
    nenc.Crosswalk.from_shares: lambda size: given([(f"A{i:05d}", "T", 1.0) for i in range(size)]),
    nenc.Denominator.from_table: lambda size: given(indicator_table(size).rename(columns={"value": "people"})),
    nenc.weigh: lambda size: given(membership(size), residents(size)),
    nenc.estimate_indicator: lambda size: given(
        indicator_table(size), to=membership(size), denominator=residents(size)
    ),
    nenc.diagnose_estimate: lambda size: given(indicator_table(size), to=membership(size), denominator=residents(size)),
    nenc.select_geography: lambda size: given(real_areas(size), "nenc"),
    nenc.benchmark_crosswalk: lambda size: given(real_areas(size), region="E12000001"),
    nenc.estimate_gap: lambda size: given(indicator_table(size), england(size)),
    nenc.estimate_share_in_ill_health: lambda size: given(*two_lives(size)),
    nenc.count_areas_below: lambda size: given(
        indicator_table(size).assign(sex="Female"), 50.0, areas=indicator_table(size)["area_code"].tolist()
    ),
}
ONCE = {gaps.rounding_variance: lambda: given(1)}

test_speed, test_speed_once = timed(CALLS), timed_once(ONCE)


def test_apportioning_is_the_sparse_product():
    prepared, values = planned(35_000)
    np.testing.assert_allclose(apportioning.apportion(values, prepared), matrix(35_000, 40, 42) @ values)


def apportioned(size: int, columns: int, count: int) -> str:
    """Ratios to the sparse product and to reading the values once."""
    prepared, values = planned(size, columns)
    arranged, rows = prepared.arrange(values)
    product = matrix(size, columns, 42)
    seconds = rounds(
        {
            "ours": lambda: apportioning.apportion(values, prepared),
            "arranged": lambda: apportioning.apportion(rows, arranged),
            "CSR": lambda: product @ values,
            "read": rows.sum,
        },
        count,
    )
    return (
        f"{size:,} areas to 42 x {columns:,} columns / CSR product: {ratio(seconds, 'ours', 'CSR')}; "
        f"arranged once: {ratio(seconds, 'arranged', 'CSR')}; / reading once: {ratio(seconds, 'arranged', 'read')}"
    )


def report(count: int = 11) -> None:
    """Print the ratios that the project promises."""
    print(apportioned(33_755, 800, count))
    print(apportioned(317, 10_000, count))
    table, crosswalk, people = indicator_table(167, 300, shuffled=True), membership(167), residents(167)
    seconds = rounds(
        {
            "ours": lambda: nenc.estimate_indicator(table, to=crosswalk, denominator=people),
            "grouped": lambda: table.groupby(["indicator", "area_code"])["value"].sum(),  # noqa: PLW0108 - the grouping is part of it
        },
        count,
    )
    print(f"50,100 rows of 300 indicators, table to table / groupby().sum(): {ratio(seconds, 'ours', 'grouped')}")


if __name__ == "__main__":
    report()
