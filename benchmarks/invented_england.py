"""Invented deaths of an invented England, for tests and measurements: seeded, of any number, never all in memory.

Areas have the shape of England's: 33,755 small areas (LSOA) in 309 local authorities in 42 integrated care boards, each
small area in a quintile of deprivation of the nation and in one of its authority. People, deaths and causes are made
up; death rates rise with age (Gompertz) and with deprivation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.deprivation import assign_quantiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

LSOAS, AUTHORITIES, BOARDS = 33_755, 309, 42
SEXES = ("Female", "Male")
CAUSES = (
    *("cancer", "circulatory", "respiratory", "digestive", "dementia", "external", "infectious", "nervous"),
    *("perinatal", "other"),
)
AGES = 105
CHUNK = 1_000_000
"""Records that are in memory at a time."""


RECORD = pa.schema(
    [("lsoa21", pa.string()), ("sex", pa.string()), ("age_in_years", pa.int16()), ("cause", pa.string())]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class England:
    """Areas with their people, and the chance of a record to be of an area, sex and age."""

    areas: pd.DataFrame
    people: NDArray[np.int64]  # (area, sex, year of age), of one year
    deaths: float  # to be expected in one year
    cumulative: NDArray[np.float64]

    def population(self, records: int) -> pd.DataFrame:
        """Person-years in which so many deaths are to be expected, by small area, sex and age band."""
        banded = np.add.reduceat(self.people, ABRIDGED_90.lower, axis=-1) * (records / self.deaths)
        shape = banded.shape
        return pd.DataFrame(
            {
                "lsoa21": np.repeat(self.areas["lsoa21"].to_numpy(), shape[1] * shape[2]),
                "sex": np.tile(np.repeat(SEXES, shape[2]), shape[0]),
                "age": np.tile(ABRIDGED_90.labels, shape[0] * shape[1]),
                "population": np.ceil(banded).astype(np.int64).ravel(),
            }
        )


def invent(*, lsoas: int = LSOAS, authorities: int = AUTHORITIES, boards: int = BOARDS, seed: int = 9) -> England:
    """Invent a country, or with smaller numbers a part of one."""
    rng = np.random.default_rng(seed)
    authority = np.sort(np.append(np.arange(authorities), rng.integers(0, authorities, lsoas - authorities)))
    board = np.sort(np.append(np.arange(boards), rng.integers(0, boards, authorities - boards)))
    score = rng.gamma(2.0, 6.0, authorities)[authority] + rng.gamma(2.0, 6.0, lsoas)
    areas = pd.DataFrame(
        {
            "lsoa21": [f"E01{i + 1:06d}" for i in range(lsoas)],
            "ltla21": [f"E07{i + 1:06d}" for i in authority],
            "icb22": [f"E54{i + 1:06d}" for i in board[authority]],
            "score": score,
        }
    )
    nation = assign_quantiles(areas, most_deprived="highest")["quantile"].to_numpy().astype(np.int64)
    local = assign_quantiles(areas, most_deprived="highest", by=["ltla21"])["quantile"].to_numpy().astype(np.int64)
    age = np.arange(AGES)
    pyramid = np.where(age < 60, 1.0, np.exp(-(((age - 60) / 18.0) ** 2)))  # a population, not a life table
    people = rng.poisson(1_650 / 2 * pyramid / pyramid.sum(), (lsoas, len(SEXES), AGES)) + 1
    rate = 2.5e-5 * np.exp(0.098 * age) + 0.004 * (age == 0)
    by_sex, by_quintile = np.array([0.85, 1.2]), np.array([1.5, 1.2, 1.0, 0.85, 0.7])
    expected = people * np.minimum(rate, 0.5) * by_sex[:, None] * by_quintile[nation - 1, None, None]
    cumulative = np.cumsum(expected.ravel())
    lookup = areas.drop(columns="score").assign(nation=nation, local=local)
    return England(areas=lookup, people=people, deaths=cumulative[-1], cumulative=cumulative / cumulative[-1])


def records(england: England, number: int, *, seed: int = 1) -> Iterator[pa.RecordBatch]:
    """Deaths in no order: small area, sex, completed years of age, cause."""
    lsoas = pa.array(england.areas["lsoa21"], pa.string())
    for start in range(0, number, CHUNK):
        rng = np.random.default_rng([seed, start // CHUNK])
        size = min(CHUNK, number - start)
        place = np.searchsorted(england.cumulative, rng.random(size), side="right")
        area, sex, age = np.unravel_index(np.minimum(place, england.cumulative.size - 1), england.people.shape)
        cause = np.minimum((rng.random(size) ** (1 + age / 90) * len(CAUSES)).astype(np.int64), len(CAUSES) - 1)
        yield pa.RecordBatch.from_pydict(
            {
                "lsoa21": pa.DictionaryArray.from_arrays(pa.array(area, pa.int32()), lsoas),
                "sex": pa.DictionaryArray.from_arrays(pa.array(sex, pa.int32()), pa.array(SEXES)),
                "age_in_years": pa.array(age, pa.int16()),
                "cause": pa.DictionaryArray.from_arrays(pa.array(cause, pa.int32()), pa.array(CAUSES)),
            }
        )


def table_of_records(england: England, number: int, *, seed: int = 1) -> pa.Table:
    """All of them in memory, texts as texts: for tests."""
    return pa.Table.from_batches(records(england, number, seed=seed)).cast(RECORD)


def write_records(england: England, number: int, path: Path, *, seed: int = 1) -> Path:
    """Write them to Parquet, a chunk at a time."""
    with pq.ParquetWriter(path, RECORD) as writer:
        for batch in records(england, number, seed=seed):
            writer.write_table(pa.Table.from_batches([batch]).cast(RECORD))
    return path


def write_age_rows(path: Path, tables: int, *, seed: int = 2, chunk: int = 25_000) -> Path:
    """Write deaths and people of many life tables to Parquet, 20 ages each, in key order."""
    lower = np.array(ABRIDGED_90.lower)
    rate = np.minimum(4e-5 * np.exp(0.09 * (lower + ABRIDGED_90.width.clip(max=8) / 2)) + 0.004 * (lower == 0), 0.3)
    labels, sexes = pa.array(ABRIDGED_90.labels), pa.array(SEXES)
    writer = None
    for start in range(0, tables, chunk):
        rng = np.random.default_rng([seed, start])
        count = min(chunk, tables - start)
        number = np.arange(start, start + count)
        population = rng.integers(400, 6000, (count, len(lower)))
        deaths = np.minimum(rng.poisson(rate * population), population)
        deaths[:, -1] = np.maximum(deaths[:, -1], 1)
        areas = pa.array([f"E01{i:06d}" for i in np.unique(number // 2)])
        area = np.repeat(number // 2 - number[0] // 2, len(lower))
        table = pa.table(
            {
                "area_code": areas.take(pa.array(area)),
                "sex": sexes.take(pa.array(np.repeat(number % 2, len(lower)))),
                "age": labels.take(pa.array(np.tile(np.arange(len(lower)), count))),
                "deaths": pa.array(deaths.ravel(), pa.int32()),
                "population": pa.array(population.ravel(), pa.int32()),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return path
