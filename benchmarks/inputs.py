"""Invented inputs of all benchmarks: seeded, the size and shape of England's areas, nobody's figures.

Arrays have one row for each area. Inputs of one size are made once; no function changes what it is given.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nenc_estimates import Crosswalk, Denominator
from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.kernels.blocks import age_last, empty_rows
from nenc_estimates.kernels.windows import window_overlap, window_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SEED = 20221216
BANDS = {"width": ABRIDGED_90.width, "nax": ABRIDGED_90.nax}
AGES = len(ABRIDGED_90)
MIDDLE = np.array(ABRIDGED_90.lower) + ABRIDGED_90.width.clip(max=8) / 2
MORTALITY = np.minimum(4e-5 * np.exp(0.09 * MIDDLE) + 0.004 * (MIDDLE < 1), 0.3)
"""Death rates of a population with a life expectancy of 78.6 years."""
PEOPLE = np.array([1.1, 4.7, *[6.1] * 4, *[6.5] * 8, 5.0, 4.9, 3.3, 2.5, 1.5, 0.9])
"""Roughly England's people by age band [%]."""
FIFTHS: dict[str, Any] = {"definition": "national quantiles", "quantiles": 5, "most_deprived": 1}

WINDOWS = 18
FIRST = np.arange(2001, 2001 + WINDOWS)
LENGTH = np.full(WINDOWS, 3)
PERIODS = [f"{year}-{(year + 2) % 100:02d}" for year in FIRST]
DESIGN: dict[str, Any] = {"first_year": FIRST, "n_years": LENGTH, "until": 2031}
SE_GAP = 0.062


def codes(areas: int, letter: str = "A") -> list[str]:
    """Codes that belong to no real area."""
    return [f"{letter}{i:05d}" for i in range(areas)]


@lru_cache(maxsize=4)
def counts(tables: int) -> tuple[Array, Array]:
    """Deaths and person-years of small areas ``(table, age)``, stored age first, so that each age is one stream."""
    rng = np.random.default_rng(SEED)
    shape = (tables, AGES)
    population, deaths = age_last(empty_rows(AGES, tables), shape), age_last(empty_rows(AGES, tables), shape)
    for age in range(AGES):
        population[:, age] = rng.integers(400, 6000, tables)
        deaths[:, age] = np.minimum(rng.poisson(MORTALITY[age] * population[:, age]), population[:, age])
    deaths[:, -1] = np.maximum(deaths[:, -1], 1)
    return deaths, population


@lru_cache(maxsize=4)
def in_rows(tables: int) -> tuple[Array, Array]:
    """The same, each table stored in one piece, as a data frame gives it."""
    deaths, population = counts(tables)
    return np.ascontiguousarray(deaths), np.ascontiguousarray(population)


@lru_cache(maxsize=8)
def rates(pairs: int, seed: int) -> Array:
    """Death rates ``(pair, age)`` that differ between ages and populations."""
    drawn = MORTALITY * np.exp(np.random.default_rng(seed).normal(0, 0.2, (pairs, AGES)))
    return np.minimum(drawn, 0.39)


@lru_cache(maxsize=4)
def by_cause(pairs: int, causes: int, seed: int) -> Array:
    """Death rates ``(pair, cause, age)``."""
    shares = np.random.default_rng(seed).dirichlet(np.ones(causes), pairs)
    return rates(pairs, seed)[:, None, :] * shares[..., None]


@lru_cache(maxsize=4)
def survey(tables: int) -> tuple[Array, NDArray[np.int64]]:
    """Share in good health, which falls with age, and the people asked ``(table, age)``."""
    rng = np.random.default_rng(SEED)
    asked = rng.integers(20, 200, (tables, AGES))
    return rng.binomial(asked, 1 / (1 + np.exp((MIDDLE - 75) / 18))) / asked, asked


@lru_cache(maxsize=4)
def events(areas: int) -> tuple[Array, Array]:
    """Events, 2 or more, and people of small and large areas."""
    rng = np.random.default_rng(SEED)
    people = rng.integers(300, 500_000, areas).astype(float)
    return np.maximum(np.floor(people * rng.beta(2, 60, areas)), 2.0), people


@lru_cache(maxsize=4)
def by_quantile(groups: int, quantiles: int = 10) -> tuple[Array, Array, Array]:
    """Life expectancy, people and standard errors ``(group, quantile)``."""
    rng = np.random.default_rng(SEED)
    shape = (groups, quantiles)
    rising = np.linspace(74, 83, quantiles) + rng.normal(0, 1, shape)
    return rising, rng.uniform(1e3, 1e4, shape), rng.uniform(0.1, 0.5, shape)


@lru_cache(maxsize=4)
def entries(areas: int) -> dict[str, Array]:
    """Areas of consecutive targets, England's 42 at most: people, share, value, and where each target starts."""
    rng = np.random.default_rng(SEED)
    starts = np.arange(0, areas, max(areas // 42, 1))
    drawn = rng.random(areas) + 1, rng.random(areas) + 0.1, rng.normal(60, 2, areas)
    return dict(zip(("people", "share", "value"), drawn, strict=True)) | {"starts": starts}


@lru_cache(maxsize=4)
def pairs(areas: int, columns: int = 40, targets: int = 42) -> tuple[Array, Array, Array]:
    """Target and weight of each area, in no order, and its columns of values."""
    rng = np.random.default_rng(SEED)
    target, weight = rng.integers(0, targets, areas), rng.random(areas) + 0.1
    return target, weight, rng.random((areas, columns))


@lru_cache(maxsize=8)
def series(count: int, seed: int = 1, sd: float = 0.10, drift: float = 0.01) -> tuple[Array, Array]:
    """Annual gaps that walk with drift, and their rolling windows ``(series, window)`` with overlapping errors."""
    rng = np.random.default_rng(seed)
    annual = 1.8 + (drift + sd * rng.normal(size=(count, 31))).cumsum(axis=-1)
    weights = window_weights(FIRST, LENGTH, years=np.arange(2001, 2032))
    root = np.linalg.cholesky(window_overlap(FIRST, LENGTH))
    return annual, np.abs(annual @ weights.T + SE_GAP * rng.normal(size=(count, WINDOWS)) @ root.T)


def tidy_series(seen: Array) -> pd.DataFrame:
    """Series as a table."""
    return pd.DataFrame(
        {
            "area_code": np.repeat(codes(len(seen)), WINDOWS),
            "period": PERIODS * len(seen),
            "value": seen.ravel(),
            "se": SE_GAP,
        }
    )


@lru_cache(maxsize=2)
def age_table(areas: int, sexes: tuple[str, ...] = ("Female", "Male"), *, shuffled: bool = True) -> pd.DataFrame:
    """Deaths, person-years, good health and people asked by area, sex and age, rows in no order unless said."""
    groups = areas * len(sexes)
    (deaths, population), (good, asked) = in_rows(groups), survey(groups)
    frame = pd.DataFrame(
        {
            "area_code": np.repeat([f"E{1_000_000 + area:08d}" for area in range(areas)], len(sexes) * AGES),
            "sex": np.tile(np.repeat(sexes, AGES), areas),
            "age": np.tile(ABRIDGED_90.labels, groups),
            "deaths": deaths.ravel().astype(np.int64),
            "population": population.ravel().astype(np.int64),
            "prevalence": good.ravel(),
            "respondents": asked.ravel(),
        }
    )
    return frame.sample(frac=1, random_state=20, ignore_index=True) if shuffled else frame


@lru_cache(maxsize=2)
def grouped_ages(groups: int, column: str, names: tuple[str, ...]) -> pd.DataFrame:
    """Deaths and person-years by age of each ``names`` in every group, the first the worst off."""
    rng = np.random.default_rng(SEED)
    shape = (groups, len(names), AGES)
    population = rng.integers(5_000, 9_000, shape)
    deaths = 1 + rng.poisson(population * MORTALITY * np.linspace(1.4, 0.8, len(names))[:, None])
    return pd.DataFrame(
        {
            "sex": np.repeat(codes(groups, "G"), len(names) * AGES),
            column: np.tile(np.repeat(names, AGES), groups),
            "age": np.tile(ABRIDGED_90.labels, groups * len(names)),
            "deaths": np.minimum(deaths, population // 3).ravel(),
            "population": population.ravel(),
        }
    )


@lru_cache(maxsize=2)
def quantile_table(groups: int) -> pd.DataFrame:
    """Five values of each group, with people and standard errors."""
    value, people, se = by_quantile(groups, 5)
    return pd.DataFrame(
        {
            "area_code": np.repeat(codes(groups), 5),
            "quantile": np.tile(np.arange(1, 6), groups),
            "value": value.ravel(),
            "se": se.ravel(),
            "population": people.ravel(),
        }
    )


@lru_cache(maxsize=2)
def indicator_table(areas: int, indicators: int = 1, *, shuffled: bool = False) -> pd.DataFrame:
    """Values of areas, each indicator with the same areas."""
    rng = np.random.default_rng(SEED)
    frame = pd.DataFrame(
        {
            "indicator": np.repeat([f"indicator {i}" for i in range(indicators)], areas),
            "area_code": codes(areas) * indicators,
            "value": rng.normal(50, 5, areas * indicators),
            "se": 0.3,
        }
    )
    return frame.sample(frac=1.0, random_state=1, ignore_index=True) if shuffled else frame


@cache
def membership(areas: int, targets: int = 5) -> Crosswalk:
    """Every area wholly in one target."""
    return Crosswalk.from_shares([(code, f"T{i % targets}", 1.0) for i, code in enumerate(codes(areas))])


@cache
def residents(areas: int) -> Denominator:
    """People of those areas."""
    people = np.random.default_rng(SEED).integers(1_000, 900_000, areas)
    return Denominator.from_table(pd.DataFrame({"area_code": codes(areas), "people": people}))
