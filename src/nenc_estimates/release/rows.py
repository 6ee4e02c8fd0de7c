"""The rows of a release: their columns, what labels them, and their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nenc_estimates.areas import areas
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.specification import EXPERIMENTAL

if TYPE_CHECKING:
    import pandas as pd

    from nenc_estimates.indicators import Indicator
    from nenc_estimates.packaged import Entry

COLUMNS = (
    *("indicator", "edition", "area_code", "area_name", "area_type", "sex", "age", "period", "value", "lower", "upper"),
    *("se", "unit", "method", "coverage", "n_areas", "effective_areas", "quality", "status"),
)
"""Columns of the table of estimates, in order. The first three, sex, age and period make the key."""

CONTENTS = ("indicator", "edition", "indicator_name", "edition_name")
"""Columns of the table of contents."""

KEY = ("indicator", "edition", "area_code", "sex", "age", "period")

SERIES = ("area_code", "sex", "age", "period")
CARRIED = ("area_name", "coverage", "n_areas", "effective_areas", "notes")
"""What a comparison takes over from the estimate behind it."""

AREA_TYPES = {"icb": "whole partnership", "local icp": "local partnership", "country": "country"}
"""Kind of area to the words used in a release; every other kind is a local authority or district."""


def labelled(estimates: pd.DataFrame, indicator: Indicator, edition: str, *sources: Entry) -> pd.DataFrame:
    """Label estimates with their indicator, edition, unit and status: the status of the weakest source is named."""
    weakest = [source.status for source in sources if source.status and "development" in source.status]
    return estimates.assign(
        indicator=indicator.id,
        indicator_name=indicator.name,
        edition=edition,
        edition_name="; over: ".join(f"{source.publisher}, {source.edition}" for source in sources),
        unit=indicator.unit,
        status=f"{EXPERIMENTAL}; from {weakest[0]}" if weakest else EXPERIMENTAL,
    )


def in_order(estimates: pd.DataFrame, *, status: str = EXPERIMENTAL) -> pd.DataFrame:
    """Put rows in key order, with every column and its type, and what is estimated here under its status.

    Raises
    ------
    InvalidDataError
        A key stands twice.
    """
    kinds = [areas()[code].kind for code in estimates["area_code"]]
    estimates = estimates.assign(area_type=[AREA_TYPES.get(kind, "local authority") for kind in kinds])
    estimates = estimates.reindex(columns=[*COLUMNS, "notes"]).sort_values(list(KEY), ignore_index=True)
    repeated = estimates.duplicated(list(KEY))
    if repeated.any():
        raise InvalidDataError(f"the release holds {estimates.loc[repeated, list(KEY)].iloc[0].tolist()} twice.")
    if status != EXPERIMENTAL:
        estimates["status"] = estimates["status"].str.replace(EXPERIMENTAL, status, regex=False)
    numbers = ["value", "lower", "upper", "se", "coverage", "effective_areas"]
    estimates[numbers] = estimates[numbers].astype("float64")
    return estimates.assign(n_areas=estimates["n_areas"].astype("int64"))
