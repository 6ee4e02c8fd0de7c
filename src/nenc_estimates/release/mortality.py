"""Parts of a release that are made from deaths by age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.crosswalks import load_crosswalk
from nenc_estimates.indicators import Indicator
from nenc_estimates.life_expectancy import compare_pooled_and_weighted
from nenc_estimates.packaged import manifest, read_packaged
from nenc_estimates.release.rows import labelled

if TYPE_CHECKING:
    import pandas as pd

    from nenc_estimates.specification import LifeTables

WAYS = {"pooled": "own life table of the deaths and people of its areas", "weighted": "mean weighted by residents"}


def life_tables_part(entry: LifeTables) -> list[pd.DataFrame]:
    """Make life expectancy at birth of the targets from deaths by age: pooled, and weighted beside it."""
    name = f"deaths_by_age_{entry.deaths}.csv"
    source, table = manifest("indicators")[name], read_packaged("indicators", name).to_pandas()
    edition = f"{entry.deaths}_whole" if entry.whole else entry.deaths
    parts = []
    for target in entry.to:
        crosswalk = load_crosswalk(entry.source, target)
        crosswalk = crosswalk.whole() if entry.whole else crosswalk
        compared = compare_pooled_and_weighted(table[table["area_code"].isin(crosswalk.sources)], to=crosswalk)
        parts += [_rows(compared, way).pipe(labelled, _indicator(way), edition, source) for way in WAYS]
    return parts


def _indicator(way: str) -> Indicator:
    return Indicator(
        id=f"le_birth_{way}", name=f"Life expectancy at birth, {WAYS[way]}", unit="years", kind="life expectancy"
    )


def _rows(compared: pd.DataFrame, way: str) -> pd.DataFrame:
    rows = compared[["sex", "period", "area_code", "area_name", "n_areas", "quality", "notes"]].assign(
        age="at birth",
        value=compared[way],
        method=WAYS[way],
        coverage=1.0,
        effective_areas=np.nan,
        **{column: compared[f"{way}_{column}"] for column in ("lower", "upper", "se")},
    )
    if way == "weighted":
        causes = zip(
            *(compared[name] for name in ("difference", "age_structure", "convexity")), rows["notes"], strict=True
        )
        rows["notes"] = [
            f"{total:+z.2f} years on the pooled life table: {structure:+z.2f} from age structure, {bend:+z.2f} from "
            f"averaging life expectancies instead of death rates. {note}".strip()
            for total, structure, bend, note in causes
        ]
    return rows
