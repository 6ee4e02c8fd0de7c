"""Speed of deprivation gaps and decompositions from tables, against the formulas on arrays alone, in one run.

`python benchmarks/bench_deprivation.py` prints the ratios; `pytest benchmarks` times the functions.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import pandas as pd
import pytest

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.decomposition import decompose_gap
from nenc_estimates.deprivation import assign_quantiles, estimate_deprivation_gap
from nenc_estimates.inequality import estimate_slope_index
from nenc_estimates.kernels.slopes import slope_index

SCHEDULE = np.array([4e-3, *np.exp(np.linspace(np.log(1e-4), np.log(0.2), 19))])
GROUPS = [1, 300, 7_000]
FIFTHS = {"definition": "national quantiles", "quantiles": 5, "most_deprived": 1}


def by_quantile(groups: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = groups * 5
    return pd.DataFrame(
        {
            "area_code": np.repeat([f"A{i:05}" for i in range(groups)], 5),
            "quantile": np.tile(np.arange(1, 6), groups),
            "value": 70 + np.tile(np.arange(5) * 2.0, groups) + rng.normal(0, 0.5, rows),
            "se": 0.3,
            "population": rng.integers(1_000, 2_000, rows),
        }
    )


def by_age(groups: int, column: str, names: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    shape = (groups, len(names), 20)
    population = rng.integers(5_000, 9_000, shape)
    deaths = 1 + rng.poisson(population * SCHEDULE * np.linspace(1.4, 0.8, len(names))[:, None])
    return pd.DataFrame(
        {
            "sex": np.repeat([f"G{i:05}" for i in range(groups)], len(names) * 20),
            column: np.tile(np.repeat(names, 20), groups),
            "age": np.tile(ABRIDGED_90.labels, groups * len(names)),
            "deaths": np.minimum(deaths, population // 3).ravel(),
            "population": population.ravel(),
        }
    )


@pytest.mark.parametrize("groups", GROUPS)
def test_slope_index(benchmark, groups):
    table = by_quantile(groups)
    benchmark(estimate_slope_index, table, by=["area_code"], **FIFTHS)


@pytest.mark.parametrize("groups", GROUPS)
def test_deprivation_gap(benchmark, groups):
    table = by_age(groups, "quantile", list("12345"))
    benchmark(estimate_deprivation_gap, table, by=["sex"], over=[], **FIFTHS)


@pytest.mark.parametrize("groups", GROUPS)
def test_decompose_gap_by_age(benchmark, groups):
    table = by_age(groups, "area_code", ["a", "b"])
    benchmark(decompose_gap, table, between=("a", "b"), keys=["sex"])


def test_assign_quantiles_of_small_areas(benchmark):
    table = pd.DataFrame({"score": np.random.default_rng(3).gamma(2, 10, 33_755)})
    benchmark(assign_quantiles, table, most_deprived="highest", quantiles=10)


def ratios() -> None:
    table = by_quantile(7_000)
    values, people, errors = (table[name].to_numpy(float).reshape(-1, 5) for name in ("value", "population", "se"))
    times: dict[str, list[float]] = {"table": [], "sort": [], "arrays": []}
    for _ in range(7):
        for name, run in (
            ("table", lambda: estimate_slope_index(table, by=["area_code"], **FIFTHS)),
            ("sort", lambda: table.sort_values(["area_code", "quantile"])),
            ("arrays", lambda: slope_index(values, people, se=errors)),
        ):
            start = time.thread_time()
            run()
            times[name].append(time.thread_time() - start)
    middle = {name: median(spent) for name, spent in times.items()}
    print(
        {name: f"{1e3 * middle[name]:.2f} ms ({1e3 * min(t):.2f} to {1e3 * max(t):.2f})" for name, t in times.items()}
    )
    print(f"slope index of 7,000 groups from a table: {middle['table'] / middle['sort']:.1f} x sorting the table")


if __name__ == "__main__":
    ratios()
