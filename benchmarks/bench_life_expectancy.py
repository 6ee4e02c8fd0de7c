"""Life expectancy and healthy life expectancy from data frame to data frame; the size is the number of areas.

`python benchmarks/bench_life_expectancy.py` prints the ratio to sorting the same frame, tables a second and the
coverage of limits.
"""

from __future__ import annotations

from statistics import median

import numpy as np
import pandas as pd

import nenc_estimates as nenc
from inputs import MORTALITY, PEOPLE, age_table
from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.life_expectancy import estimate_life_expectancy
from nenc_estimates.withholding import NONE
from timing import given, ratio, rounds, spread, timed

PHE_TABLES_A_SECOND = 285
"""R's `phe_life_expectancy` of PHEindicatormethods 2.1.0, R 4.5.0, on the machine where the target was set."""
KEYS = ["area_code", "sex"]


def inside(size):
    """Every area of the table wholly in one of five targets."""
    codes = age_table(size)["area_code"].unique()
    return nenc.Crosswalk.from_shares([(code, f"T{i % 5}", 1.0) for i, code in enumerate(codes)])


CALLS = {
    estimate_life_expectancy: lambda size: given(age_table(size), by=KEYS),
    nenc.estimate_healthy_life_expectancy: lambda size: given(age_table(size), of="good", by=KEYS),
    nenc.pool_life_tables: lambda size: given(age_table(size), to=inside(size), by=["sex"]),
    nenc.compare_pooled_and_weighted: lambda size: given(age_table(size), to=inside(size), by=["sex"]),
}

test_speed = timed(CALLS)


def coverage(person_years: int, replicates: int = 40_000) -> tuple[float, float]:
    """Share of 95 % limits that cover the truth, and its Monte Carlo error."""
    rng = np.random.default_rng(person_years)
    population = person_years * PEOPLE / PEOPLE.sum()
    deaths = rng.poisson(MORTALITY * population, (replicates, PEOPLE.size))
    frame = pd.DataFrame(
        {
            "area_code": np.repeat(np.arange(replicates).astype(str), PEOPLE.size),
            "age": np.tile(ABRIDGED_90.labels, replicates),
            "deaths": np.minimum(deaths, population).ravel(),
            "population": np.tile(population, replicates),
        }
    )
    exact = frame[:20].assign(deaths=MORTALITY * population)
    truth = estimate_life_expectancy(exact, by=[], at=0, rules=NONE)["value"][0]
    made = estimate_life_expectancy(frame, by=["area_code"], at=0, rules=NONE).dropna(subset=["value"])
    covered = float(((made["lower"] <= truth) & (truth <= made["upper"])).mean())
    return covered, float(np.sqrt(covered * (1 - covered) / len(made)))


def main(count: int = 15) -> None:
    large = age_table(35_000)
    seconds = rounds(
        {
            "sort": lambda: large.sort_values([*KEYS, "age"]),
            "table": lambda: estimate_life_expectancy(large, by=KEYS),
            "two levels": lambda: estimate_life_expectancy(large, by=KEYS, confidence=(0.95, 0.998)),
        },
        count,
    )
    print(f"sort_values, {len(large):,} shuffled rows: {spread(seconds['sort'])} s")
    for name in ("table", "two levels"):
        print(
            f"estimate_life_expectancy, {name}: {spread(seconds[name])} s, {ratio(seconds, name, 'sort')} x sort_values"
        )
    for shuffled in (False, True):
        frame = age_table(10_000, ("Male",), shuffled=shuffled)
        each = rounds({"table": lambda frame=frame: estimate_life_expectancy(frame, by=KEYS)}, count)["table"]
        pace = [10_000 / time for time in each]
        print(
            f"10,000 areas, {'shuffled' if shuffled else 'in order'}: {spread(pace)} tables a second, "
            f"{median(pace) / PHE_TABLES_A_SECOND:.0f} x R"
        )
    for size in (5_000, 25_000, 100_000):
        covered, error = coverage(size)
        print(f"95 % limits at {size:,} person-years cover {covered:.2%}, Monte Carlo error {error:.2%}")


if __name__ == "__main__":
    main()
