"""Records to counts in memory, and a stream of life tables; the size is the number of records, or of life tables."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nenc_estimates as nenc
from invented_england import invent, table_of_records, write_age_rows
from timing import given, timed

KEYS = ["lsoa21", "sex", "age", "cause"]
ENGLAND = cache(lambda: invent(lsoas=300, authorities=9, boards=3))
FOLDER = TemporaryDirectory()
"""Goes with the process."""


def records(size):
    """Deaths of invented people."""
    return table_of_records(ENGLAND(), size).to_pandas()


def banded(size):
    """The same, with age bands."""
    return nenc.assign_age_bands(records(size), years="age_in_years")


def counts(size):
    """Counts of them."""
    return nenc.count_by(banded(size), by=KEYS)


def files(size):
    """A file of age rows, and where the life expectancies go."""
    folder = Path(FOLDER.name)
    return write_age_rows(folder / f"ages_{size}.parquet", size), folder / "years.parquet"


CALLS = {
    nenc.assign_age_bands: lambda size: given(records(size), years="age_in_years"),
    nenc.count_by: lambda size: given(banded(size), by=KEYS),
    nenc.sum_counts: lambda size: given(counts(size), by=["sex", "age"]),
    nenc.join_lookup: lambda size: given(counts(size), ENGLAND().areas, on="lsoa21"),
    nenc.join_population: lambda size: given(counts(size), ENGLAND().population(size), by=KEYS[:3], each="cause"),
    nenc.stream_life_expectancy: lambda size: given(*files(size), by=["area_code", "sex"]),
}

test_speed = timed(CALLS)
