"""Indices of Deprivation by small area: Files 1 and 7 of 2015, 2019 and 2025, and the geography service's copies."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.readers.cells import constant, number_column, require_filled, text_column, whole_column
from nenc_estimates.readers.files import finished, open_grid
from nenc_estimates.readers.grids import Expected
from nenc_estimates.readers.headings import Field, plain_heading
from nenc_estimates.readers.labels import area_codes
from nenc_estimates.readers.limits import LIMITS
from nenc_estimates.readers.lookups import ENGLAND, check_census, check_number
from nenc_estimates.readers.rows import unrepeated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.report import Log, Read

_LSOA, _LAD = "f?lsoa", r"(?:localauthoritydistrict|lad|la)"
_IMD = r"(?:(?:indexofmultipledeprivation)?imd(?:20)?(?:[0-9]{2})?)?"

EXPECTED = Expected(
    what="a table of the Index of Multiple Deprivation by LSOA",
    layout=MappingProxyType(
        {
            "lsoa_code": Field(heading=rf"{_LSOA}(?:code)?(?:(?:20)?[0-9]{{2}})?(?:cd|code)?"),
            "census": Field(heading="census", required=False),
            "lsoa_name": Field(
                heading=rf"{_LSOA}(?:name(?:(?:20)?[0-9]{{2}})?|(?:20)?[0-9]{{2}}(?:nm|name))", required=False
            ),
            "lad_code": Field(
                heading=rf"{_LAD}(?:code(?:(?:20)?[0-9]{{2}})?|(?:20)?[0-9]{{2}}(?:cd|code))", required=False
            ),
            "score": Field(heading=rf"{_IMD}score", number=True, required=False),
            "rank": Field(heading=rf"{_IMD}rank0?(?:where1ismostdeprived)?", number=True),
            "decile": Field(
                heading=rf"{_IMD}dec(?:ile)?0?(?:where1ismostdeprived10(?:percent)?oflsoas)?",
                number=True,
                required=False,
            ),
        }
    ),
)


def read_imd(
    source: Any,
    *,
    rows: int | Literal["england"] | None = "england",
    sheet: str | None = None,
    limits: Limits = LIMITS,
) -> Read:
    r"""Read the Index of Multiple Deprivation by LSOA.

    Which end is the most deprived is read from the headings, or shown by the scores; it is never taken for granted.

    Parameters
    ----------
    source
        Path, bytes, or a pandas, polars or pyarrow table.
    rows
        How many LSOAs there must be: those of England, another number for a part, or ``None``.
    sheet
        Of a workbook with several.
    limits
        How much to take in.

    Returns
    -------
    Read
        ``table`` has ``lsoa_code, lsoa_name, census, lad_code, score, rank, decile``: the census is ``"lsoa11"`` or
        ``"lsoa21"``; rank 1 and decile 1 are the most deprived.

    Raises
    ------
    SchemaError
        It is no such table, lacks LSOAs, or does not say which end is which.
    InvalidDataError
        Ranks repeat, or score, rank and decile contradict each other.

    Examples
    --------
    >>> head = b"LSOA code (2011),Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)\n"
    >>> read_imd(head + b"E01000001,29199\n", rows=1).table[["census", "rank"]].values.tolist()
    [['lsoa11', 29199]]
    """
    grid, log = open_grid(source, EXPECTED, sheet=sheet, limits=limits)
    codes = area_codes(require_filled(text_column(grid, "lsoa_code", log), grid, "lsoa_code"), grid, "lsoa_code", log)
    strange = [label for label in codes.present() if not label.startswith("E01")]
    if strange:
        raise InvalidDataError(f"{grid.name}: {strange[0]} is not an LSOA. Take the table by LSOA, not a summary.")
    census = _census(grid, log)
    check_census(codes, census, grid)
    score, rank, decile = (
        number_column(grid, "score", log)[0],
        *(whole_column(grid, name, log)[0] for name in ("rank", "decile")),
    )
    if np.isnan(rank).any():
        raise InvalidDataError(f"{grid.name}: the rank is missing in {grid.where(np.isnan(rank))}.")
    keep = unrepeated(
        {"lsoa_code": codes},
        {"score": score, "rank": rank, "decile": decile},
        np.ones(len(grid), dtype=bool),
        grid,
        log,
    )
    check_number(census, int(keep.sum()), rows, grid, log)
    _check_direction(score[keep], rank[keep], decile[keep], grid, log)
    texts = {"lsoa_name": text_column(grid, "lsoa_name", log), "lad_code": text_column(grid, "lad_code", log)}
    return finished(
        {
            "lsoa_code": codes.only(keep),
            "lsoa_name": texts["lsoa_name"].only(keep),
            "census": constant(census, int(keep.sum())),
            "lad_code": texts["lad_code"].only(keep),
            "score": score[keep],
            "rank": rank[keep].astype(np.int64),
            "decile": decile[keep],
        },
        grid,
        log,
    )


def _census(grid: Grid, log: Log) -> str:
    """Return the census that the LSOAs were drawn for, by their heading or a column that says so."""
    heading = plain_heading(grid.headings["lsoa_code"])
    said = text_column(grid, "census", log).present() or [
        f"lsoa{year}" for year in re.findall("11$|21$|11c|21c", heading)
    ]
    if len(said) != 1 or said[0][:6] not in ENGLAND:
        raise SchemaError(
            f"{grid.name} does not say whether its LSOAs are those of 2011 or of 2021: head the column so."
        )
    return said[0][:6]


def _check_direction(
    score: NDArray[np.float64], rank: NDArray[np.float64], decile: NDArray[np.float64], grid: Grid, log: Log
) -> None:
    """Refuse ranks and deciles that may run the other way."""
    order = np.argsort(rank, kind="stable")
    if rank.size and (rank[order][0] < 1 or (np.diff(rank[order]) == 0).any()):
        raise InvalidDataError(f"{grid.name}: ranks must begin at 1 and never repeat. Is this a summary by authority?")
    if ((decile < 1) | (decile > 10)).any():
        raise InvalidDataError(f"{grid.name}: deciles must lie between 1 and 10.")
    falling = bool((np.diff(score[order]) <= 0).all()) and bool(np.ptp(score) > 0) if rank.size > 1 else False
    scored = not np.isnan(score).all()
    labelled = "mostdeprived" in plain_heading(grid.headings["rank"])
    if scored and not falling and rank.size > 1:
        raise InvalidDataError(
            f"{grid.name}: the score does not fall as the rank rises: rank 1 is not the most deprived."
        )
    if not labelled and not falling:
        raise SchemaError(
            f"{grid.name} does not say whether rank 1 is the most or the least deprived. Take the file that says "
            "'where 1 is most deprived', or one with scores."
        )
    if not labelled:
        log.assumed("rank 1 is the most deprived: it has the highest score")
    if (np.diff(decile[order]) < 0).any():
        raise InvalidDataError(f"{grid.name}: the decile does not rise with the rank. Was its direction reversed?")
