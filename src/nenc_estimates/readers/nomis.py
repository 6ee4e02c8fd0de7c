"""nomis extracts of populations: the API's CSV, and the tables of the website."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.readers.cells import Coded, relabelled, require_filled, text_column, whole_column
from nenc_estimates.readers.counts import Counts, closed_ages, joined, tidied, year_label
from nenc_estimates.readers.files import open_first
from nenc_estimates.readers.grids import Expected
from nenc_estimates.readers.headings import Field
from nenc_estimates.readers.labels import ages, area_codes, sexes
from nenc_estimates.readers.limits import LIMITS
from nenc_estimates.readers.mid_year import AGES, by_age
from nenc_estimates.readers.report import shown

if TYPE_CHECKING:
    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.report import Log, Read

RECORDS_A_CALL = 25_000
"""Records that nomis returns at most to a caller without a key; it does not say that there are more."""

API = Expected(
    what="a nomis extract",
    layout=MappingProxyType(
        {
            "area_code": Field(heading="geographycode"),
            "area_name": Field(heading="geographyname", required=False),
            "date": Field(heading="date(name|)", many=True),
            "sex": Field(heading="(?:c?(?:gender|sex))(name|)", many=True, required=False),
            "age": Field(heading="(?:c?age)(name|)", many=True, required=False),
            "measures": Field(heading="measures", required=False),
            "measures_name": Field(heading="measuresname", required=False),
            "value": Field(heading="obsvalue", number=True),
            "record_count": Field(heading="recordcount", required=False),
        }
    ),
)
"""What the API returns, in capitals or not."""


def read_nomis(
    source: Any,
    *,
    sex: str | None = None,
    sheet: str | None = None,
    limits: Limits = LIMITS,
) -> Read:
    r"""Read a nomis extract of people by area, sex and age into a tidy table.

    Parameters
    ----------
    source
        Path, bytes, or a pandas, polars or pyarrow table.
    sex
        Keep only ``"Male"``, ``"Female"`` or ``"Persons"``. Without it, persons are set aside where men and women are
        there and add up to them; so is "all ages" beside all its ages.
    sheet
        Of a workbook with several.
    limits
        How much to take in.

    Returns
    -------
    Read
        ``table`` has ``area_code, area_name, sex, age, year, people``.

    Raises
    ------
    SchemaError
        It is no such extract, or was cut off at the number of records that nomis returns at most.
    InvalidDataError
        People are missing, negative or not whole, or totals differ from their parts.

    Examples
    --------
    >>> text = b"GEOGRAPHY_CODE,GEOGRAPHY_NAME,DATE,GENDER,C_AGE,MEASURES,OBS_VALUE,RECORD_COUNT\n"
    >>> read_nomis(text + b"E06000047,County Durham,2022,1,200,20100,258000,1\n").table.values.tolist()
    [['E06000047', 'County Durham', 'Male', 'all ages', 2022, 258000]]
    """
    grids, log, form = open_first(source, (API, AGES), sheet=sheet, limits=limits)
    if form is AGES:
        counts = joined([by_age(grid, log, year=None) for grid in grids])
    else:
        counts = _counts(_values_only(grids[0], log), log)
    texts = dict(counts.texts) | {"age": closed_ages(counts.texts["age"], grids[0], log)}
    counts = Counts(texts=texts, values=counts.values, reasons=counts.reasons, rows=counts.rows)
    return tidied(counts, grids[0], log, name="people", sex=sex, complete=True, time="year")


def _values_only(grid: Grid, log: Log) -> Grid:
    """Check that nothing was cut off, and keep counts rather than percentages."""
    check_not_cut_off(grid, log)
    if "measures" not in grid.columns and "measures_name" not in grid.columns:
        return grid
    field = "measures" if "measures" in grid.columns else "measures_name"
    measures = text_column(grid, field, log)
    counts = measures.is_label("20100", "Value", "value")
    if not counts.any():
        raise SchemaError(f"{grid.name} holds no values (measure 20100), but {', '.join(measures.present()[:5])}.")
    log.set_aside("another measure than the value", int((~counts).sum()))
    return grid.only(counts)


def check_not_cut_off(grid: Grid, log: Log) -> None:
    """Refuse an extract that holds fewer records than nomis had for the question.

    Raises
    ------
    SchemaError
        The message says how many are missing, or why that cannot be known.
    """
    if "record_count" in grid.columns:
        there = text_column(grid, "record_count", log).present()
        if len(there) != 1 or not there[0].isdigit() or int(there[0]) != len(grid):
            raise SchemaError(
                f"{grid.name} holds {len(grid):,} records, but nomis had {', '.join(there[:3])}: it was cut off. "
                "Ask for the rest with recordoffset=, or for less at a time."
            )
        return
    if len(grid) % RECORDS_A_CALL == 0:
        raise SchemaError(
            f"{grid.name} holds exactly {len(grid):,} records, as nomis returns at most: it may be cut off. Ask again "
            "with RECORD_COUNT among the columns."
        )
    log.assumed("nothing was cut off: the extract has no RECORD_COUNT to check by")


def named_or_coded(grid: Grid, field: str, log: Log) -> tuple[Coded, str]:
    """Return the column of names where there is one, else that of numbers; empty where there is neither."""
    for key in ("name", ""):
        name = f"{field}:{key}"
        if name in grid.columns:
            return require_filled(text_column(grid, name, log), grid, name), grid.headings[name]
    return text_column(grid, field, log), ""


def sex_column(grid: Grid, log: Log) -> Coded:
    """Read the sex of each record; persons where the extract has no such column."""
    column, heading = named_or_coded(grid, "sex", log)
    if not heading:
        log.assumed("an extract without a column of sex is of persons")
        return Coded(codes=np.zeros(len(grid), dtype=np.int32), labels=("Persons",))
    older = set(column.present()) <= {"5", "6", "7"}
    return sexes(
        column,
        grid,
        f"sex:{'name' if 'sex:name' in grid.columns else ''}",
        log,
        publisher="nomis sex" if older else "nomis gender",
    )


def age_column(grid: Grid, log: Log) -> Coded:
    """Read the age of each record; all ages where the extract has no such column."""
    column, heading = named_or_coded(grid, "age", log)
    if not heading:
        log.assumed("an extract without a column of age is of all ages")
        return Coded(codes=np.zeros(len(grid), dtype=np.int32), labels=("all ages",))
    if "age:name" in grid.columns:
        return ages(column, grid, "age:name", log)
    return relabelled(column, _age_of_number, grid, "age:", log)


def year_column(grid: Grid, log: Log) -> Coded:
    """Read the year of each record."""
    name = next(iter(grid.many("date").values()))
    return relabelled(require_filled(text_column(grid, name, log), grid, name), year_label, grid, name, log)


def _age_of_number(number: str) -> str:
    """Read C_AGE: 200 is all ages, 101 to 191 are 0 to 90 and over."""
    if number == "200":
        return "all ages"
    if number.isascii() and number.isdigit() and 101 <= int(number) <= 191:
        return "90+" if number == "191" else str(int(number) - 101)
    raise InvalidDataError(f"C_AGE {shown(number)} is unknown: ask nomis for C_AGE_NAME too.")


def _counts(grid: Grid, log: Log) -> Counts:
    codes = require_filled(text_column(grid, "area_code", log), grid, "area_code")
    texts = {
        "area_code": area_codes(codes, grid, "area_code", log),
        "area_name": text_column(grid, "area_name", log),
        "sex": sex_column(grid, log),
        "age": age_column(grid, log),
        "year": year_column(grid, log),
    }
    values, reasons = whole_column(grid, "value", log)
    return Counts(texts=texts, values=values, reasons=reasons, rows=grid.rows)
