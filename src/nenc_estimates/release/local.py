"""Part of a release beside the estimates: what is published for the local authorities, latest period, with England."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.areas import areas
from nenc_estimates.indicators import INDICATORS
from nenc_estimates.readers import read_indicator
from nenc_estimates.vintages import select_geography

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from nenc_estimates.specification import Weighted

LOCAL = (
    *("indicator", "edition", "area_code", "area_name", "sex", "age", "period", "value", "lower", "upper", "unit"),
    *("reference_code", "reference_value", "compared"),
)
"""Columns of the table of local authorities, in order."""

COMPARED = ("lower", "similar", "higher")
"""Words of ``compared``, in order of value; empty where the publisher gives no limits."""


def local_part(entries: Sequence[Weighted]) -> pd.DataFrame:
    """Lay out published values of the local authorities in or partly in the whole partnership, beside the reference.

    Parameters
    ----------
    entries
        Of the specification. Those without a reference, and counts, which grow with the area, are left out.

    Returns
    -------
    pandas.DataFrame
        :data:`LOCAL`. ``compared`` is ``"higher"`` or ``"lower"`` where the published 95 % limits do not hold the value
        of the reference, else ``"similar"``: the rule of OHID's Fingertips for values with limits.
    """
    import pandas as pd  # noqa: PLC0415 - importing the library must stay cheap

    parts = [_latest(entry) for entry in entries if entry.reference and INDICATORS[entry.indicator].kind != "count"]
    if not parts:
        return pd.DataFrame(columns=list(LOCAL))
    return pd.concat(parts, ignore_index=True)[list(LOCAL)].sort_values([*LOCAL[:3], "sex", "age"], ignore_index=True)


def _latest(entry: Weighted) -> pd.DataFrame:
    table = read_indicator(entry.indicator, edition=entry.edition)
    table = table[table["period"] == table.loc[~table["period"].isin(entry.skip_periods), "period"].max()]
    kept = select_geography(table, "nenc").table
    reference = table[table["area_code"] == entry.reference]
    beside = reference[["sex", "age", "area_code", "value"]].rename(
        columns={"area_code": "reference_code", "value": "reference_value"}
    )
    rows = kept.merge(beside, on=["sex", "age"], validate="m:1")
    known = rows["lower"].notna() & rows["reference_value"].notna()
    side = 1 + (rows["lower"] > rows["reference_value"]).astype(int) - (rows["upper"] < rows["reference_value"])
    words = np.array(COMPARED, dtype=object)[side.to_numpy(dtype=int)]
    latest: pd.DataFrame = rows.assign(
        indicator=entry.indicator,
        edition=entry.edition,
        area_name=[areas()[code].name for code in rows["area_code"]],
        unit=INDICATORS[entry.indicator].unit,
        compared=np.where(known, words, ""),
    )
    return latest
