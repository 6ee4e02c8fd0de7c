"""Lookups between areas: columns found by the codes in them, whole or not by the number of areas there are."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.readers.cells import Coded, require_filled, text_column
from nenc_estimates.readers.files import finished, open_grid
from nenc_estimates.readers.grids import Expected
from nenc_estimates.readers.headings import Field
from nenc_estimates.readers.labels import GSS, area_codes
from nenc_estimates.readers.limits import LIMITS
from nenc_estimates.readers.report import shown
from nenc_estimates.readers.rows import unrepeated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.report import Log, Read

ENGLAND = MappingProxyType({"lsoa11": 32_844, "lsoa21": 33_755})
"""How many lower layer super output areas England has, by the census they were drawn for. Source: ONS."""

LAST_LSOA_OF_2011 = "E01033768"
"""The highest code of 2011; areas drawn for 2021 have higher ones. Source: ONS, LSOA (2011) names and codes."""

PAGES = (1_000, 2_000, 25_000, 32_000)
"""Rows that a geography service returns at most at a time, without saying that there are more."""

EXPECTED = Expected(
    what="a lookup of areas",
    layout=MappingProxyType({"column": Field(heading="(.+)", many=True)}),
    values=GSS,
)

_PREFIXES = MappingProxyType(
    {
        "oa": ("00",),
        "lsoa": ("01",),
        "msoa": ("02",),
        "wd": ("05",),
        "lad": ("06", "07", "08", "09"),
        "ltla": ("06", "07", "08", "09"),
        "utla": ("06", "08", "09", "10"),
        "ctyua": ("06", "08", "09", "10"),
        "cty": ("10", "11"),
        "rgn": ("12", "99"),
        "ccg": ("38",),
        "sicbl": ("38",),
        "nhser": ("40",),
        "stp": ("54",),
        "icb": ("54",),
        "ctry": ("92",),
    }
)
_HEADING = re.compile(
    r"f?([a-z]+?)(?:20)?([0-9]{2})(cdh|nhscode|cd|nmw|namewelsh|nm|code|name)s?|f?([a-z]+?)(code|name)s?(?:20)?([0-9]{2})"
)
_KINDS = {"cd": "code", "code": "code", "nm": "name", "name": "name", "cdh": "nhs_code", "nmw": "name_welsh"}
_KINDS |= {"nhscode": "nhs_code", "namewelsh": "name_welsh"}
_INTERNAL = re.compile(r"f?id|objectid|globalid|shape.*|")


def read_lookup(
    source: Any,
    *,
    key: str | None = None,
    rows: int | Literal["england"] | None = "england",
    sheet: str | None = None,
    limits: Limits = LIMITS,
) -> Read:
    r"""Read a lookup between areas, as the geography services of ONS and NHS England publish them.

    Parameters
    ----------
    source
        Path, bytes, or a pandas, polars or pyarrow table.
    key
        Column of which each code may stand once, such as ``"lsoa21_code"``. Without it, that of the smallest areas.
    rows
        How many small areas there must be: those of England (32,844 of 2011, 33,755 of 2021), another number for a
        part, or ``None`` to take what there is.
    sheet
        Of a workbook with several.
    limits
        How much to take in.

    Returns
    -------
    Read
        ``table`` has the columns of the file under one spelling: ``lsoa21_code, lsoa21_name, icb22_nhs_code`` for
        ``LSOA21CD, LSOA21NM, ICB22CDH``; internal numbers (``FID``, ``ObjectId``) are left out.

    Raises
    ------
    SchemaError
        There is no column of codes, or areas are missing: services return pages of 1,000 or 2,000 rows.
    InvalidDataError
        A column holds codes of another kind or census than its heading says, or an area lies in two others.

    Examples
    --------
    >>> text = b"\xef\xbb\xbfLSOA21CD,LAD22CD,ObjectId\nE01020634,E06000047,1\nE01020635,E06000047,2\n"
    >>> read_lookup(text, rows=2).table.columns.tolist()
    ['lsoa21_code', 'lad22_code']
    """
    grid, log = open_grid(source, EXPECTED, sheet=sheet, limits=limits)
    columns = _columns(grid, log)
    codes = [name for name in columns if name.endswith("_code") and not name.endswith("nhs_code")]
    if not codes:
        raise SchemaError(f"{log.source} has no column of area codes. It has: {', '.join(columns)}.")
    if key is not None and key not in columns:
        raise SchemaError(f"{log.source} has no column {shown(key)}. It has: {', '.join(columns)}.")
    keep = _one_row_each(columns, [key] if key else _smallest(columns, codes), grid, log)
    _check_whole(columns, keep, rows, grid, log)
    return finished({name: column.only(keep) for name, column in columns.items()}, grid, log)


def check_census(column: Coded, census: str, grid: Grid) -> None:
    """Refuse codes of 2021 among those of 2011.

    Raises
    ------
    InvalidDataError
        The message names the first row.
    """
    later = [label for label in column.present() if label.startswith("E01") and label > LAST_LSOA_OF_2011]
    if census == "lsoa11" and later:
        row = grid.rows[column.first_row(later[0])]
        raise InvalidDataError(
            f"{grid.name}, row {row}: {later[0]} is an LSOA of 2021 in a column of LSOAs of 2011 ({len(later):,} such "
            "codes). Take a lookup between the two."
        )


def check_number(census: str, found: int, rows: int | Literal["england"] | None, grid: Grid, log: Log) -> None:
    """Refuse a lookup that lacks areas, or has too many.

    Raises
    ------
    SchemaError
        The message says how many there are and should be.
    """
    wanted = ENGLAND.get(census) if rows == "england" else rows
    if wanted is None:
        if rows == "england" and len(grid) in PAGES:
            raise SchemaError(
                f"{grid.name} holds exactly {len(grid):,} rows, as a service returns at most: it may be cut off. Load "
                "all pages, or say rows= how many there must be."
            )
        log.assumed(f"nothing is missing: the number of areas ({found:,}) was not checked")
        return
    if found != wanted:
        raise SchemaError(
            f"{grid.name} holds {found:,} areas ({census}), but there must be {wanted:,}: it was cut off, is of "
            "another census or of a part of England. Load all pages, or say rows= how many there must be."
        )


def _columns(grid: Grid, log: Log) -> dict[str, Coded]:
    """Read the columns, each under its one spelling."""
    columns: dict[str, Coded] = {}
    for plain, field in grid.many("column").items():
        if _INTERNAL.fullmatch(plain):
            continue
        column = text_column(grid, field, log)
        area, name = _named(plain)
        if _holds_codes(column, grid, field):
            column = area_codes(column, grid, field, log)
            name = name if name.endswith("_code") else f"{area or plain}_code"
            _check_kind(column, area, grid, field)
            check_census(column, area, grid)
        if name in columns:
            raise SchemaError(f"{grid.name}: two columns mean {name}. Keep one.")
        columns[name] = column
    return columns


def _named(plain: str) -> tuple[str, str]:
    """Return the area that a heading speaks of, and the spelling of the column."""
    match = _HEADING.fullmatch(plain)
    if match is None:
        return "", plain
    area, year, kind = (match[1], match[2], match[3]) if match[1] else (match[4], match[6], match[5])
    return f"{area}{year}", f"{area}{year}_{_KINDS[kind]}"


def _holds_codes(column: Coded, grid: Grid, field: str) -> bool:
    """Whether a column is one of codes: by its values. A few strangers among them are refused, not passed over."""
    labels = column.present()
    like = [bool(GSS.fullmatch(label.upper().replace(" ", ""))) for label in labels]
    if not labels or sum(like) * 2 < len(like):
        return False
    require_filled(column, grid, field)
    return True


def _check_kind(column: Coded, area: str, grid: Grid, field: str) -> None:
    allowed = _PREFIXES.get(area.rstrip("0123456789"), ())
    for label in column.present():
        if allowed and label[0] == "E" and label[1:3] not in allowed:
            raise InvalidDataError(
                f"{grid.name}, row {grid.rows[column.first_row(label)]}: {label} is not a code of {area}, although the "
                f"column is headed {shown(grid.headings[field])}."
            )


def _smallest(columns: Mapping[str, Coded], codes: list[str]) -> list[str]:
    """Return the columns of the smallest areas: those of one kind, of both censuses where a lookup joins them."""
    for kind in ("oa", "lsoa", "msoa"):
        found = [name for name in codes if re.fullmatch(rf"{kind}[0-9]{{2}}_code", name)]
        if found:
            return found
    return [max(codes, key=lambda name: len(columns[name].present()))]


def _one_row_each(columns: Mapping[str, Coded], key: list[str], grid: Grid, log: Log) -> NDArray[np.bool_]:
    """Keep one of equal rows; refuse an area that lies in two others."""
    payload = {name: column for name, column in columns.items() if name not in key}
    return unrepeated({name: columns[name] for name in key}, payload, np.ones(len(grid), dtype=bool), grid, log)


def _check_whole(
    columns: Mapping[str, Coded], keep: NDArray[np.bool_], rows: int | Literal["england"] | None, grid: Grid, log: Log
) -> None:
    censuses = [census for census in ENGLAND if f"{census}_code" in columns]
    for census in censuses:
        labels = columns[f"{census}_code"].only(keep).present()
        check_number(census, sum(label.startswith("E01") for label in labels), rows, grid, log)
    if not censuses:
        check_number("areas", int(keep.sum()), rows, grid, log)
