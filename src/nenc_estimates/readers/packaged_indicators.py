"""Figures that travel with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from nenc_estimates.errors import SchemaError
from nenc_estimates.packaged import Folder, indicator_files, manifest, read_packaged

if TYPE_CHECKING:
    import pandas as pd

FOLDERS: Final[tuple[Folder, ...]] = get_args(Folder)


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


def read_table(name: str) -> pd.DataFrame:
    """Read a table that travels with the package by its name: deaths by age, tenths of deprivation, populations.

    For values of an indicator there is :func:`read_indicator`, for crosswalks :func:`~nenc_estimates.load_crosswalk`.

    Parameters
    ----------
    name
        Name of its file, such as ``"deaths_by_age_ons_2014"``: what, publisher and edition.

    Returns
    -------
    pandas.DataFrame
        Columns as in the file; missing numbers are ``nan``, missing words are empty.

    Raises
    ------
    SchemaError
        There is no such table; the message lists those there are.

    Examples
    --------
    >>> read_table("deaths_by_age_ons_2014").columns.tolist()
    ['area_code', 'area_name', 'sex', 'age', 'period', 'deaths', 'population']
    """
    tables = {Path(file).stem: (folder, file) for folder in FOLDERS for file in manifest(folder)}
    if name not in tables:
        raise SchemaError(f"there is no packaged table {name!r}. There are: {', '.join(tables)}.")
    frame: pd.DataFrame = read_packaged(*tables[name]).to_pandas()
    return frame
