"""Simulated life expectancy against NumPy's Poisson generator and the same arithmetic: time, memory, chance.

The size is the number of areas. Formulas are timed once, for the 20 ages of one area and 10,000 draws, for areas are
drawn one after the other.

`python benchmarks/bench_sampling.py` prints the ratios; `pytest benchmarks` runs each function once.
"""

from __future__ import annotations

import resource
import sys
import time
import tracemalloc
from statistics import median, quantiles

import numpy as np
import pandas as pd

from nenc_estimates import Poisson, estimate_life_expectancy, simulate, simulate_life_expectancy
from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.kernels import count_tables, sampling
from nenc_estimates.kernels.draw_summaries import draw_summary
from nenc_estimates.kernels.expectancy import life_expectancy
from nenc_estimates.kernels.sampled_expectancy import sampled_life_expectancy
from nenc_estimates.kernels.sampling import word_source
from timing import given, timed, timed_once

WIDTH, NAX = ABRIDGED_90.width, ABRIDGED_90.nax
GROUPS, DRAWS = 634, 10_000


def tables(groups: int = GROUPS) -> tuple[np.ndarray, np.ndarray]:
    """Deaths and people of local authorities of 30,000 to 300,000 of one sex: ``(group, age)``."""
    rng = np.random.default_rng(20)
    lower = np.array(ABRIDGED_90.lower)
    middle = lower + WIDTH.clip(max=8) / 2
    rates = np.minimum(4e-5 * np.exp(0.09 * middle) + 0.004 * (lower == 0), 0.3)
    share = np.array([1.1, 4.7, *[6.1] * 4, *[6.5] * 8, 5.0, 4.9, 3.3, 2.5, 1.5, 0.9])
    people = np.round(np.exp(rng.uniform(np.log(30_000), np.log(300_000), (groups, 1))) * share / share.sum())
    return rng.poisson(rates * people), people


def frame(groups: int) -> pd.DataFrame:
    deaths, people = tables(groups)
    areas = np.repeat([f"E{1_000_000 + group:08d}" for group in range(groups)], len(WIDTH))
    ages = np.tile(ABRIDGED_90.labels, groups)
    return pd.DataFrame({"area_code": areas, "age": ages, "deaths": deaths.ravel(), "population": people.ravel()})


def mean_and_sd(drawn: np.ndarray) -> tuple[float, float]:
    """Summarise draws in full, and give two of the numbers."""
    made = draw_summary(drawn, [80.0])
    return made.mean.item(), made.se.item()


def tabled(deaths: np.ndarray, people: np.ndarray, group: int) -> tuple[float, float]:
    """Ours: tables of each age, draws, life expectancy at birth, mean, standard deviation, limits and their errors."""
    names = np.arange(2 * deaths.size, dtype=np.uint64).reshape(-1, 2)[group * 20 : group * 20 + 20]
    words = word_source(1, names[deaths[group] > 0])
    options = {"width": WIDTH, "nax": NAX, "words": words, "draws": DRAWS}
    return mean_and_sd(sampled_life_expectancy(deaths[group], people[group], **options))


def plain(deaths: np.ndarray, people: np.ndarray, group: int, rng: np.random.Generator) -> tuple[float, float]:
    """The plain way with the leanest arithmetic: a division and five other operations an age, in place."""
    drawn = rng.poisson(deaths[group][:, None], (20, DRAWS)).astype(float)
    ex = people[group, -1] / drawn[-1]
    for age in range(18, -1, -1):
        ratio = WIDTH[age] / (people[group, age] + (WIDTH[age] - NAX[age]) * drawn[age])
        ratio *= drawn[age]
        np.subtract(1.0, ratio, out=ratio)
        np.maximum(ratio, 0, out=ratio)
        ex += WIDTH[age] - NAX[age]
        ex *= ratio
        ex += NAX[age]
    return mean_and_sd(ex[None])


def through_kernel(deaths: np.ndarray, people: np.ndarray, group: int, rng: np.random.Generator) -> tuple[float, float]:
    """The plain way with this library's kernel, which makes all ages and variances."""
    drawn = rng.poisson(deaths[group][:, None], (20, DRAWS))
    made = life_expectancy(drawn.T, people[group], width=WIDTH, nax=NAX)
    return mean_and_sd(np.ascontiguousarray(made.ex[:, 0])[None])


def at_birth(table: pd.DataFrame) -> pd.DataFrame:
    return estimate_life_expectancy(table, by=["area_code", "draw"], at=0)


def drawn_from(areas):
    """Fewer draws for many areas, so that the work stays about the same."""
    return given(frame(areas), by=["area_code"], seed=1, draws=max(1000, 300_000 // areas))


CALLS = {simulate_life_expectancy: drawn_from}
test_speed = timed(CALLS)

DEATHS, PEOPLE = (array[0] for array in tables(1))
NAMES = np.arange(40, dtype=np.uint64).reshape(20, 2)
TABLES = count_tables.poisson_tables(DEATHS)
WORDS = sampling.random_words(1, NAMES, first=0, count=DRAWS)
UNIFORM = WORDS.uniforms()
ONCE = {
    simulate: lambda: given(frame(300), at_birth, drawn={"deaths": Poisson()}, seed=1, draws=1000),
    count_tables.poisson_tables: lambda: given(DEATHS),
    count_tables.binomial_tables: lambda: given(PEOPLE, DEATHS / PEOPLE),
    count_tables.buckets: lambda: given(TABLES, TABLES.count),
    count_tables.look_up: lambda: given(TABLES, WORDS, count_tables.buckets(TABLES, TABLES.count)),
    sampling.check_seed: lambda: given(1),
    sampling.random_words: lambda: given(1, NAMES, first=0, count=DRAWS),
    sampling.word_source: lambda: given(1, NAMES, points="sobol"),
    sampling.gamma_quantile: lambda: given(UNIFORM, DEATHS[:, None] + 0.5),
    sampling.normal_quantile: lambda: given(UNIFORM),
    draw_summary: lambda: given(UNIFORM, UNIFORM[:, 0]),
    sampled_life_expectancy: lambda: given(
        DEATHS, PEOPLE, width=WIDTH, nax=NAX, words=word_source(1, NAMES[DEATHS > 0]), draws=DRAWS
    ),
}
test_speed_of_one_table = timed_once(ONCE)


def spread(values: list[float], places: int = 0) -> str:
    low, _, high = quantiles(values, n=4)
    return f"{median(values):.{places}f} ({low:.{places}f} to {high:.{places}f})"


def in_rounds(rounds: int = 15, groups: int = 40) -> None:
    """Thread-CPU nanoseconds of a replicate table, interleaved rounds, some groups of the whole in each."""
    deaths, people = tables()
    ways = {"tables": lambda group: tabled(deaths, people, group)}
    for name in ("PCG64", "SFC64", "Philox"):
        rng = np.random.Generator(getattr(np.random, name)(1))
        ways[f"poisson {name}, leanest"] = lambda group, rng=rng: plain(deaths, people, group, rng)
    rng = np.random.default_rng(1)
    ways["poisson PCG64, kernel"] = lambda group: through_kernel(deaths, people, group, rng)
    found = {name: [] for name in ways}
    for turn in range(rounds):
        for name, way in ways.items():
            start = time.thread_time()
            for group in range(turn * groups, turn * groups + groups):
                way(group % GROUPS)
            found[name].append((time.thread_time() - start) / groups / DRAWS * 1e9)
    for name, values in found.items():
        ratio = [value / ours for value, ours in zip(values, found["tables"], strict=True)]
        print(f"{name}: {spread(values)} ns a replicate table, {spread(ratio, 2)} x tables")


def memory() -> None:
    """Highest memory beside the table that is given, for few and for all groups."""
    simulate_life_expectancy(frame(2), by=["area_code"], seed=1)
    for groups in (40, GROUPS):
        table = frame(groups)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start, cpu = time.perf_counter(), time.thread_time()
        simulate_life_expectancy(table, by=["area_code"], seed=1, draws=DRAWS)
        seconds, cpu = time.perf_counter() - start, time.thread_time() - cpu
        tracemalloc.start()
        simulate_life_expectancy(table, by=["area_code"], seed=1, draws=DRAWS)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
        print(f"{groups} groups: {seconds:.2f} s ({cpu:.2f} s of processor), {peak:.1f} MiB, resident {grown:+.1f} MiB")


def chance(randomisations: int = 60) -> None:
    """Root mean square error of one life table's mean, standard deviation and limits, in standard errors."""
    deaths, people = tables()
    names = np.arange(40, dtype=np.uint64).reshape(20, 2)

    def made(seed: int, points: str, draws: int) -> np.ndarray:
        words = word_source(seed, names[deaths[0] > 0], points=points)
        drawn = sampled_life_expectancy(deaths[0], people[0], width=WIDTH, nax=NAX, words=words, draws=draws)
        found = draw_summary(drawn, [80.0])
        return np.array([found.mean, found.se, found.lower, found.upper]).ravel()

    truth = made(10**6, "sobol", 2**18)
    for points, draws in (("random", 10_000), ("sobol", 1024), ("sobol", 4096)):
        errors = np.array([made(seed, points, draws) for seed in range(randomisations)]) - truth
        shown = np.sqrt(np.mean(np.square(errors), axis=0)) / truth[1]
        print(
            f"{draws:,} {points}: mean {shown[0]:.5f}, sd {shown[1]:.4f}, 2.5 % {shown[2]:.4f}, 97.5 % {shown[3]:.4f}"
        )


def scenarios() -> None:
    """Standard deviation of the years gained by 5 % fewer deaths from 60 on, one life table."""
    deaths, people = tables()
    fewer = np.where(np.array(ABRIDGED_90.lower) >= 60, 0.95 * deaths[0], deaths[0])
    names = np.arange(40, dtype=np.uint64).reshape(20, 2)

    def lives(counts: np.ndarray, seed: int) -> np.ndarray:
        words = word_source(seed, names[counts > 0])
        return sampled_life_expectancy(counts, people[0], width=WIDTH, nax=NAX, words=words, draws=DRAWS)[0]

    together, apart = ((lives(fewer, seed) - lives(deaths[0], 1)).std() for seed in (1, 2))
    print(f"gain, common random numbers {together:.4f} years, independent {apart:.4f}: {apart / together:.0f} x")


def main() -> None:
    print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}")
    in_rounds()
    chance()
    scenarios()
    memory()


if __name__ == "__main__":
    main()
