"""Published values that travel with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nenc_estimates.errors import SchemaError
from nenc_estimates.packaged import indicator_files, read_packaged

if TYPE_CHECKING:
    import pandas as pd


def read_indicator(indicator: str, *, edition: str) -> pd.DataFrame:
    """Read the published local-authority values of an indicator that travels with the package.

    Parameters
    ----------
    indicator
        Such as ``"hle_birth"``.
    edition
        Such as ``"ons_2022_03"``. There is no default: an edition is part of a number's identity.

    Returns
    -------
    pandas.DataFrame
        ``area_code, area_name, sex, age, period, value, lower, upper``; missing numbers are ``nan``.

    Raises
    ------
    SchemaError
        There is no such indicator or edition; the message lists those there are.

    Examples
    --------
    >>> read_indicator("hle_birth", edition="ons_2022_03").loc[0, "area_name"]
    'Hartlepool'
    """
    known = indicator_files()
    if (indicator, edition) not in known:
        pairs = "; ".join(f"{a} {b}" for a, b in known)
        raise SchemaError(f"there is no packaged indicator {indicator!r} in edition {edition!r}. There are: {pairs}.")
    frame: pd.DataFrame = read_packaged("indicators", known[indicator, edition]).to_pandas()
    return frame
