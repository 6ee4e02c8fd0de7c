"""Speed of life expectancy from data frame to data frame: against sorting the same frame, and in tables a second.

`python benchmarks/bench_life_expectancy.py` prints the ratios and the coverage of limits; `pytest benchmarks` times the
function alone.
"""

from __future__ import annotations

import time
from statistics import median, quantiles
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.life_expectancy import estimate_life_expectancy
from nenc_estimates.withholding import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

PHE_TABLES_A_SECOND = 285
"""R's `phe_life_expectancy` of PHEindicatormethods 2.1.0, R 4.5.0, on the machine where the target was set."""


def rates() -> NDArray[np.float64]:
    """Death rates of a population with a life expectancy of 78.6 years."""
    lower = np.array(ABRIDGED_90.lower)
    middle = lower + ABRIDGED_90.width.clip(max=8) / 2
    return np.minimum(4e-5 * np.exp(0.09 * middle) + 0.004 * (lower == 0), 0.3)


def synthetic(areas: int, sexes: tuple[str, ...] = ("Female", "Male"), *, shuffled: bool = True) -> pd.DataFrame:
    """Deaths and person-years of small areas, rows in random order."""
    rng = np.random.default_rng(20)
    groups, ages = areas * len(sexes), len(ABRIDGED_90)
    population = rng.integers(400, 6000, (groups, ages))
    deaths = np.minimum(rng.poisson(rates() * population), population)
    deaths[:, -1] = np.maximum(deaths[:, -1], 1)
    frame = pd.DataFrame(
        {
            "area_code": np.repeat([f"E{1_000_000 + area:08d}" for area in range(areas)], len(sexes) * ages),
            "sex": np.tile(np.repeat(sexes, ages), areas),
            "age": np.tile(ABRIDGED_90.labels, groups),
            "deaths": deaths.ravel(),
            "population": population.ravel(),
        }
    )
    return frame.sample(frac=1, random_state=20, ignore_index=True) if shuffled else frame


@pytest.mark.parametrize("areas", [1, 300, 7_000, 35_000])
def test_life_expectancy_of_a_shuffled_frame(benchmark, areas):
    frame = synthetic(areas)
    made = benchmark(estimate_life_expectancy, frame, by=("area_code", "sex"))
    assert len(made) == len(frame)


def times(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Thread-CPU seconds of each, in turn, so that all see the same moods of the machine."""
    for run in work.values():
        run()
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            start = time.thread_time()
            run()
            found[name].append(time.thread_time() - start)
    return found


def spread(values: list[float]) -> str:
    """Median and quartiles."""
    low, _, high = quantiles(values, n=4)
    return f"{median(values):.4g} ({low:.4g} to {high:.4g})"


def coverage(person_years: int, replicates: int = 40_000) -> tuple[float, float]:
    """Share of 95 % limits that cover the truth, and its Monte Carlo error; ages are those of England."""
    rng = np.random.default_rng(person_years)
    share = np.array([1.1, 4.7, *[6.1] * 4, *[6.5] * 8, 5.0, 4.9, 3.3, 2.5, 1.5, 0.9])
    population = person_years * share / share.sum()
    deaths = rng.poisson(rates() * population, (replicates, share.size))
    frame = pd.DataFrame(
        {
            "area_code": np.repeat(np.arange(replicates).astype(str), share.size),
            "age": np.tile(ABRIDGED_90.labels, replicates),
            "deaths": np.minimum(deaths, population).ravel(),
            "population": np.tile(population, replicates),
        }
    )
    exact = frame[:20].assign(deaths=rates() * population)
    truth = estimate_life_expectancy(exact, by=[], at=0, rules=NONE)["value"][0]
    made = estimate_life_expectancy(frame, by=["area_code"], at=0, rules=NONE).dropna(subset=["value"])
    covered = float(((made["lower"] <= truth) & (truth <= made["upper"])).mean())
    return covered, float(np.sqrt(covered * (1 - covered) / len(made)))


def main(rounds: int = 15) -> None:
    keys = ["area_code", "sex", "age"]
    large = synthetic(35_000)
    found = times(
        {
            "sort": lambda: large.sort_values(keys),
            "table": lambda: estimate_life_expectancy(large, by=keys[:2]),
            "two levels": lambda: estimate_life_expectancy(large, by=keys[:2], confidence=(0.95, 0.998)),
        },
        rounds,
    )
    print(f"sort_values, {len(large):,} shuffled rows: {spread(found['sort'])} s")
    for name in ("table", "two levels"):
        ratio = [ours / sort for ours, sort in zip(found[name], found["sort"], strict=True)]
        print(f"estimate_life_expectancy, {name}: {spread(found[name])} s, {spread(ratio)} x sort_values")
    for order in (False, True):
        frame = synthetic(10_000, ("Male",), shuffled=order)
        seconds = times({"table": lambda: estimate_life_expectancy(frame, by=keys[:2])}, rounds)["table"]  # noqa: B023
        pace = [10_000 / each for each in seconds]
        print(
            f"10,000 areas, {'shuffled' if order else 'in order'}: {spread(pace)} tables a second, "
            f"{median(pace) / PHE_TABLES_A_SECOND:.0f} x R"
        )
    for size in (5_000, 25_000, 100_000):
        covered, error = coverage(size)
        print(f"95 % limits at {size:,} person-years cover {covered:.2%}, Monte Carlo error {error:.2%}")


if __name__ == "__main__":
    main()
