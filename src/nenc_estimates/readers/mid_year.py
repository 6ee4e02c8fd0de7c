"""ONS mid-year estimates: MYEB1 with a column for each year, MYE2 and small areas with a column for each age."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import SchemaError
from nenc_estimates.readers.cells import Coded, constant, relabelled, require_filled, text_column, whole_column
from nenc_estimates.readers.counts import (
    Counts,
    area_and_sex,
    closed_ages,
    joined,
    tidied,
    told_by,
    unpivot,
    year_label,
    years_in,
)
from nenc_estimates.readers.files import open_first
from nenc_estimates.readers.grids import Expected
from nenc_estimates.readers.headings import Field
from nenc_estimates.readers.labels import age_label, ages
from nenc_estimates.readers.limits import LIMITS
from nenc_estimates.readers.report import shown

if TYPE_CHECKING:
    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.report import Log, Read

CODE = r"(?:area|la|lad|ladistrict|ctyua|geography)?(?:20)?(?:[0-9]{2})?(?:code|cd)s?(?:20)?(?:[0-9]{2})?|mnemonic"
"""Headings of a column of codes, of every vintage: ``ladcode23``, ``lad2014_code``, ``Area Codes``, ``Code``."""
NAME = r"(?:area|la|lad|ctyua|geography)?(?:20)?(?:[0-9]{2})?(?:name|nm)(?:20)?(?:[0-9]{2})?"

_AREA = {"area_code": Field(heading=CODE), "area_name": Field(heading=NAME, required=False)}
_SEX, _AGE = Field(heading="sex|gender"), Field(heading="ages?|singleyearofage")

YEARS = Expected(
    what="a table of mid-year estimates",
    sheet="MYEB1",  # MYEB2 beside it repeats the people among births, deaths and moves
    layout=MappingProxyType(
        {
            **_AREA,
            "sex": _SEX,
            "age": _AGE,
            "year": Field(heading="(?:population|mid)([0-9]{4})", number=True, many=True),
        }
    ),
)
LONG = Expected(
    what="a table of mid-year estimates",
    layout=MappingProxyType(
        {
            **_AREA,
            "sex": _SEX,
            "age": _AGE,
            "year": Field(heading="year"),
            "people": Field(heading="people|population|count", number=True),
        }
    ),
)
AGES = Expected(
    what="a table of mid-year estimates by single year of age",
    layout=MappingProxyType(
        {
            **_AREA,
            "total": Field(heading="allages|total", number=True),
            "age": Field(heading="(?:aged?)?([0-9]{1,4})(?:years?)?(?:andover|plus)?", number=True, many=True),
        }
    ),
)
SMALL_AREAS = Expected(
    what="a table of small-area estimates by sex and single year of age",
    layout=MappingProxyType(
        {
            "area_code": Field(heading="(?:lsoa|msoa|oa)(?:20)?[0-9]{2}(?:code|cd)"),
            "area_name": Field(heading="(?:lsoa|msoa|oa)(?:20)?[0-9]{2}(?:name|nm)", required=False),
            "total": Field(heading="total|allages", number=True, required=False),
            "age": Field(heading="([fm][0-9]{1,3})(?:andover|plus)?", number=True, many=True),
        }
    ),
)
SEX_WORDS = MappingProxyType({"Persons": r"\b(?:persons|total)\b", "Male": r"\bmales?\b", "Female": r"\bfemales?\b"})
"""What a sheet is called, or the cells above it say, that holds one sex."""


def read_mid_year_estimates(
    source: Any,
    *,
    year: int | None = None,
    sex: str | None = None,
    sheet: str | None = None,
    limits: Limits = LIMITS,
) -> Read:
    r"""Read ONS mid-year population estimates into a tidy table.

    Parameters
    ----------
    source
        Path, bytes, or a pandas, polars or pyarrow table: MYEB1 (a column for each year), MYE2 (sheets for persons,
        males and females, a column for each age), small areas (``F0`` … ``M90``), or rows as returned here.
    year
        Keep only this one. The year of the figures, for tables that do not say it.
    sex
        Keep only ``"Male"``, ``"Female"`` or ``"Persons"``. Without it, persons are set aside where men and women are
        there and add up to them, so that nobody is counted twice.
    sheet
        Of a workbook; all sheets of estimates without it.
    limits
        How much to take in.

    Returns
    -------
    Read
        ``table`` has ``area_code, area_name, sex, age, year, people``: ages ``0`` … ``89``, ``90+``; people of
        30 June.

    Raises
    ------
    SchemaError
        It is no such table, or does not say its year or sex.
    InvalidDataError
        People are missing, negative or not whole, or totals differ from their parts.

    Examples
    --------
    >>> text = b"MYEB1,,,,,\nladcode23,laname23,country,sex,age,population_2022\n"
    >>> read = read_mid_year_estimates(text + b'E06000047,County Durham,E,1,0,"2,345"\n')
    >>> read.table.values.tolist()
    [['E06000047', 'County Durham', 'Male', '0', 2022, 2345]]
    """
    grids, log, form = open_first(source, (YEARS, LONG, AGES, SMALL_AREAS), sheet=sheet, limits=limits)
    counts = joined([_counts(grid, form, log, year=year) for grid in grids])
    log.sheet = ", ".join(grid.sheet for grid in grids)
    texts = dict(counts.texts) | {"age": closed_ages(counts.texts["age"], grids[0], log)}
    counts = Counts(texts=texts, values=counts.values, reasons=counts.reasons, rows=counts.rows)
    if year is not None:
        counts = _of_year(counts, year, log)
    return tidied(counts, grids[0], log, name="people", sex=sex, complete=True, time="year")


def _counts(grid: Grid, form: Expected, log: Log, *, year: int | None) -> Counts:
    if form is YEARS or form is LONG:
        texts = area_and_sex(grid, log, publisher="ons")
        texts["age"] = ages(require_filled(text_column(grid, "age", log), grid, "age"), grid, "age", log)
        if form is YEARS:
            return unpivot(grid, texts, log, field="year", into="year", label=year_label)
        texts["year"] = relabelled(
            require_filled(text_column(grid, "year", log), grid, "year"), year_label, grid, "year", log
        )
        values, reasons = whole_column(grid, "people", log)
        return Counts(texts=texts, values=values, reasons=reasons, rows=grid.rows)
    return by_age(grid, log, year=year)


def by_age(grid: Grid, log: Log, *, year: int | None) -> Counts:
    """Read a table with a column for each age, whose sex and year stand above it or in the name of its sheet.

    Raises
    ------
    SchemaError
        They do not; the message says what to pass.
    """
    both = all(key[0] in "fm" for key in grid.many("age"))
    said = told_by([grid.sheet], SEX_WORDS) or told_by(grid.preamble, SEX_WORDS)
    if not both and len(said) != 1:
        raise SchemaError(
            f"{grid.name} does not say whose ages these are: name the sheet 'Persons', 'Males' or 'Females', or write "
            f"that word above the table (found {', '.join(sorted(said)) or 'none'})."
        )
    when = {str(year)} if year is not None else years_in([*grid.preamble, grid.sheet])
    if len(when) != 1:
        raise SchemaError(f"{grid.name} does not say one year ({', '.join(sorted(when)) or 'none'}): pass year=.")
    texts = area_and_sex(grid, log, publisher="ons", sex="" if both else said.pop())
    texts["year"] = constant(when.pop(), len(grid))
    spelled = str if both else lambda key: age_label(grid.headings[f"age:{key}"])
    counts = unpivot(grid, texts, log, field="age", into="age", label=spelled)
    _check_total(grid, counts, log)
    return _by_sex(counts) if both else counts


def _check_total(grid: Grid, counts: Counts, log: Log) -> None:
    if "total" not in grid.columns:
        return
    total = whole_column(grid, "total", log)[0]
    off = np.abs(counts.values.reshape(len(grid), -1).sum(axis=1) - total) > 0.5
    if off.any():
        raise SchemaError(f"{grid.name}: the ages do not add up to their total in {grid.where(off)}.")


def _by_sex(counts: Counts) -> Counts:
    """Split labels such as F12 into sex and age."""
    column = counts.texts["age"]
    words = {"f": "Female", "m": "Male"}
    names = tuple(dict.fromkeys(label[1:] for label in column.labels))
    age = np.array([names.index(label[1:]) for label in column.labels], dtype=np.int32)[column.codes]
    sex = np.array([list(words).index(label[0]) for label in column.labels], dtype=np.int32)[column.codes]
    texts = dict(counts.texts) | {
        "sex": Coded(codes=sex, labels=tuple(words.values())),
        "age": Coded(codes=age, labels=names),
    }
    return Counts(texts=texts, values=counts.values, reasons=counts.reasons, rows=counts.rows)


def _of_year(counts: Counts, year: int, log: Log) -> Counts:
    years = counts.texts["year"]
    if str(year) not in years.present():
        raise SchemaError(f"{log.source} has no people of {year}. There are: {', '.join(map(shown, years.present()))}.")
    keep = years.is_label(str(year))
    log.set_aside(f"another year than {year}", int((~keep).sum()))
    return Counts(
        texts={name: column.only(keep) for name, column in counts.texts.items()},
        values=counts.values[keep],
        reasons=counts.reasons[keep],
        rows=counts.rows[keep],
    )
