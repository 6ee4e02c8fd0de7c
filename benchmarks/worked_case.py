"""The worked case: records of deaths → counts of small areas → quintile life tables and what their gaps come from.

`count_lsoas` and `count_quintiles` run on whatever engine holds the records; `estimate_all` takes the few counts that
are left. `of_partition` and `of_group` are all that Dask and Spark need to run formulas on each partition. The page
docs/scale.md goes through them step by step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from nenc_estimates import (
    assign_age_bands,
    count_by,
    decompose_gap,
    estimate_deprivation_gap,
    estimate_life_expectancy,
    estimate_slope_index,
    join_lookup,
    join_population,
    life_expectancy_batches,
    sum_counts,
)

if TYPE_CHECKING:
    import pandas as pd

LEVELS = {"ltla21": ("local", "local quantiles"), "icb22": ("nation", "national quantiles")}
"""Level of areas → the column of its quintiles, and whose quintiles those are."""


def count_lsoas(records: Any) -> Any:
    """Count deaths by small area, sex, age band and cause."""
    return count_by(assign_age_bands(records, years="age_in_years"), by=["lsoa21", "sex", "age", "cause"])


def count_quintiles(counts: Any, population: Any, lookup: Any, level: str) -> Any:
    """Add counts and people up to the quintiles of deprivation of each area of a level."""
    group = [level, LEVELS[level][0], "sex", "age"]
    deaths = sum_counts(join_lookup(counts, lookup, on="lsoa21"), by=[*group, "cause"])
    people = sum_counts(join_lookup(population, lookup, on="lsoa21"), by=group, counts="population")
    return join_population(deaths, people, by=group, each="cause")


def estimate_all(table: pd.DataFrame, level: str) -> dict[str, pd.DataFrame]:
    """Estimate life expectancy by quintile, its gap and slope, and the causes of the gap, in every area of a level."""
    by, (quantile, definition) = [level, "sex"], LEVELS[level]
    ages = table.groupby([*by, quantile, "age"], as_index=False).agg({"deaths": "sum", "population": "first"})
    life = estimate_life_expectancy(ages, by=[*by, quantile], at=0)
    people = life.assign(population=life["person_years"])
    fifths: dict[str, Any] = {"definition": definition, "by": by, "quantiles": 5, "most_deprived": 1}
    return {
        "life": life,
        "gap": estimate_deprivation_gap(ages, over=[], quantile=quantile, **fifths),
        "slope": estimate_slope_index(people, quantile=quantile, **fifths),
        "causes": decompose_gap(table, between=("1", "5"), populations=quantile, by="cause", keys=by, all_causes=None),
    }


BY = ["area_code", "sex"]
YEARS = "area_code string, sex string, value double, se double, quality string"
"""What comes out of a partition, as Spark wants to be told."""


def of_partition(part: pd.DataFrame) -> pd.DataFrame:
    """Stream a partition of Dask, which is a pandas frame, through the generator."""
    batches = pa.Table.from_pandas(part, preserve_index=False).to_batches()
    return pa.Table.from_batches(life_expectancy_batches(batches, by=BY)).to_pandas()


def of_group(table: pa.Table) -> pa.Table:
    """Run any function over tables on the rows of one group: here on all life tables of an area."""
    made = estimate_life_expectancy(table, by=BY, at=0)
    kinds = {"value": pa.float64(), "se": pa.float64()}  # Spark wants plain strings
    return made.select([*BY, "value", "se", "quality"]).cast(
        pa.schema([(name, kinds.get(name, pa.string())) for name in (*BY, "value", "se", "quality")])
    )
