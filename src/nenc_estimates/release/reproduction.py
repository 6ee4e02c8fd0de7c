"""Published figures beside their estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.packaged import read_packaged
from nenc_estimates.release.rows import KEY

if TYPE_CHECKING:
    import pandas as pd

BESIDE = (
    *("id", "quantity", "indicator", "edition", "area", "area_code", "sex", "age", "period", "published"),
    *("low", "high", "estimate", "lower", "upper", "unit", "outcome", "expected", "note", "source"),
)
"""Columns of the table of published figures beside their estimates, in order."""


def reproduce(estimates: pd.DataFrame) -> pd.DataFrame:
    """Set each published figure beside its estimate.

    Parameters
    ----------
    estimates
        A table with :data:`COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`BESIDE`. ``outcome`` is ``reproduced`` when the estimate lies in the range of values that would
        be printed as the published figure (half-open, 60.15 up to 60.25 for 60.2), ``differs`` when it does not,
        ``cannot be recomputed`` when there is no estimate, ``not in this release`` when the specification leaves its
        indicator or edition out.
    """
    published = read_packaged("lookups", "published.csv").to_pandas()
    found = published.merge(
        estimates[[*KEY, "value", "lower", "upper"]], on=list(KEY), how="left", validate="m:1"
    ).rename(columns={"value": "estimate"})
    made = set(zip(estimates["indicator"], estimates["edition"], strict=True))
    elsewhere = [bool(key[0]) and key not in made for key in zip(found["indicator"], found["edition"], strict=True)]
    within = (found["estimate"] >= found["low"]) & (found["estimate"] < found["high"])
    outcome = np.select(
        [elsewhere, found["estimate"].isna(), within],
        ["not in this release", "cannot be recomputed", "reproduced"],
        "differs",
    )
    beside: pd.DataFrame = found.assign(outcome=outcome)[list(BESIDE)]
    return beside


def failures(reproduction: pd.DataFrame) -> list[str]:
    """Name the published figures whose outcome is not the one that ``published.csv`` expects."""
    fine = (reproduction["outcome"] == reproduction["expected"]) | (reproduction["outcome"] == "not in this release")
    failed = reproduction[~fine]
    return [
        f"{row.id}: published {row.published}, estimated {row.estimate:.2f}: {row.outcome}, expected {row.expected}"
        for row in failed.itertuples()
    ]
