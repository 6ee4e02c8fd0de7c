"""Parts of a release that count people: residents, and those in the most deprived neighbourhoods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nenc_estimates.areas import areas
from nenc_estimates.crosswalks import load_crosswalk
from nenc_estimates.indicators import Indicator
from nenc_estimates.packaged import manifest, read_packaged
from nenc_estimates.release.rows import labelled
from nenc_estimates.weighting import estimate_indicator

if TYPE_CHECKING:
    import pandas as pd

NEIGHBOURHOODS = "population_by_imd2019_quintile.csv"
"""Lookup of residents by deprivation, inside and outside the partnership."""


def most_deprived_part(age: str, year: int) -> pd.DataFrame:
    """Pool residents of the most deprived fifth: targets, local authorities and England."""
    import pandas as pd  # noqa: PLC0415

    read = read_packaged("lookups", NEIGHBOURHOODS).to_pandas()
    table = read[(read["age"] == age) & (read["year"] == year)]
    inside = _fifth(table[table["part"] == "inside"], "imd2019_quintile", 1)
    indicator = Indicator(
        id="most_deprived_fifth",
        name="People in the most deprived fifth of neighbourhoods in England",
        unit="%",
        kind="proportion",
        multiplier=100.0,
    )
    pooled = [
        estimate_indicator(
            inside, to=load_crosswalk("ltla21", target).whole(), kind="proportion", multiplier=100.0, confidence=None
        )
        for target in ("nenc", "local_icp")
    ]
    read = read_packaged("lookups", "population_by_imd2019_decile_england.csv").to_pandas()
    england = _fifth(read[(read["age"] == age) & (read["year"] == year)], "imd2019_decile", 2)
    whole = pd.concat([_fifth(table, "imd2019_quintile", 1), england], ignore_index=True)
    counted = whole.assign(
        value=100.0 * whole["count"] / whole["denominator"],
        area_name=[areas()[code].name for code in whole["area_code"]],
        coverage=1.0,
        n_areas=1,
        effective_areas=1.0,
        quality="",
        notes="",
    )
    made = pd.concat([*pooled, counted.drop(columns=["count", "denominator"])], ignore_index=True)
    return labelled(made, indicator, "imd2019", manifest("lookups")[NEIGHBOURHOODS]).assign(
        sex="Persons",
        age=age,
        period=f"mid-{year}",
        method="pooled residents of neighbourhoods: every resident is counted",
    )


def _fifth(table: pd.DataFrame, column: str, last: int) -> pd.DataFrame:
    """Count people in the most deprived groups up to ``last``, and all people, by area."""
    most = table["people"].where(table[column].astype(int) <= last, 0)
    sums = table.assign(count=most).groupby("area_code", as_index=False)[["count", "people"]].sum()
    return sums.rename(columns={"people": "denominator"})


def population_part(year: int) -> pd.DataFrame:
    """Add up the residents of the targets."""
    import pandas as pd  # noqa: PLC0415

    table = read_packaged("lookups", NEIGHBOURHOODS).to_pandas()
    table = table[(table["age"] == "all") & (table["year"] == year) & (table["part"] == "inside")]
    people = table.groupby("area_code", as_index=False)["people"].sum().rename(columns={"people": "value"})
    made = [
        estimate_indicator(people, to=load_crosswalk("ltla21", target).whole(), kind="count", confidence=None)
        for target in ("nenc", "local_icp")
    ]
    indicator = Indicator(id="population", name="Residents", unit="people", kind="count")
    return labelled(pd.concat(made, ignore_index=True), indicator, "lsoa", manifest("lookups")[NEIGHBOURHOODS]).assign(
        sex="Persons", age="all", period=f"mid-{year}", method="sum of neighbourhoods: every resident is counted"
    )
