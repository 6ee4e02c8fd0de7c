"""Registered deaths by area, sex and age: nomis extracts and tidy tables."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import SchemaError
from nenc_estimates.readers.cells import Coded, given_reasons, relabelled, require_filled, text_column, whole_column
from nenc_estimates.readers.counts import Counts, area_and_sex, tidied
from nenc_estimates.readers.files import open_first
from nenc_estimates.readers.grids import Expected
from nenc_estimates.readers.headings import Field
from nenc_estimates.readers.labels import ages, area_codes, period_of
from nenc_estimates.readers.limits import LIMITS
from nenc_estimates.readers.mid_year import CODE, NAME
from nenc_estimates.readers.nomis import age_column, check_not_cut_off, sex_column

if TYPE_CHECKING:
    from nenc_estimates.periods import Kind
    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.report import Log, Read

TIDY = Expected(
    what="a table of deaths",
    layout=MappingProxyType(
        {
            "area_code": Field(heading=CODE),
            "area_name": Field(heading=NAME, required=False),
            "sex": Field(heading="sex|gender"),
            "age": Field(heading="ages?|agegroup|ageband"),
            "period": Field(heading="period|timeperiod|year|registrationyear"),
            "cause": Field(heading="cause(?:ofdeath)?", required=False),
            "deaths": Field(heading="deaths|numberofdeaths|registereddeaths", number=True),
            "missing_reason": Field(heading="missingreason", required=False),
        }
    ),
)
NOMIS = Expected(
    what="a nomis extract of deaths",
    layout=MappingProxyType(
        {
            "area_code": Field(heading="geographycode"),
            "area_name": Field(heading="geographyname", required=False),
            "period": Field(heading="date"),
            "sex": Field(heading="(?:c?(?:gender|sex))(name|)", many=True, required=False),
            "age": Field(heading="(?:c?age)(name|)", many=True, required=False),
            "cause": Field(heading="causeofdeathname", required=False),
            "measure": Field(heading="measurename"),
            "deaths": Field(heading="obsvalue", number=True),
            "record_count": Field(heading="recordcount", required=False),
        }
    ),
)


def read_deaths(
    source: Any,
    *,
    sex: str | None = None,
    year_type: Kind | None = None,
    sheet: str | None = None,
    limits: Limits = LIMITS,
) -> Read:
    r"""Read registered deaths into a tidy table.

    Parameters
    ----------
    source
        Path, bytes, or a pandas, polars or pyarrow table: a nomis extract of mortality statistics, or one row for each
        area, sex, age and period with a column ``deaths``.
    sex
        Keep only ``"Male"``, ``"Female"`` or ``"Persons"``. Without it, persons are set aside where men and women are
        there and add up to them; so is "all ages" beside all its ages.
    year_type
        What a period such as ``2018-19`` means.
    sheet
        Of a workbook with several.
    limits
        How much to take in.

    Returns
    -------
    Read
        ``table`` has ``area_code, area_name, sex, age, cause, period, deaths, missing_reason``; suppressed deaths are
        ``nan`` and never 0.

    Raises
    ------
    SchemaError
        It is no such table, or was cut off.
    InvalidDataError
        Deaths are negative or not whole, or totals differ from their parts.

    Examples
    --------
    >>> text = b"area_code,sex,age,year,deaths\nE06000047,F,Under 1,2022,4\nE06000047,F,1 to 4,2022,[c]\n"
    >>> read_deaths(text).table[["age", "deaths", "missing_reason"]].values.tolist()
    [['0', 4.0, ''], ['1-4', nan, 'suppressed']]
    """
    grids, log, form = open_first(source, (TIDY, NOMIS), sheet=sheet, limits=limits)
    grid = _deaths_only(grids[0], log) if form is NOMIS else grids[0]
    periods = relabelled(
        require_filled(text_column(grid, "period", log), grid, "period"),
        lambda label: period_of(label, kind=year_type).canonical,
        grid,
        "period",
        log,
    )
    values, reasons = whole_column(grid, "deaths", log)
    given = given_reasons(text_column(grid, "missing_reason", log), grid)
    reasons = np.where(np.isnan(values) & (given > 0), given, reasons).astype(np.int8)
    texts = _texts(grid, form, log) | {"cause": text_column(grid, "cause", log), "period": periods}
    counts = Counts(texts=texts, values=values, reasons=reasons, rows=grid.rows)
    return tidied(counts, grid, log, name="deaths", sex=sex, complete=False, time="period")


def _texts(grid: Grid, form: Expected, log: Log) -> dict[str, Coded]:
    if form is TIDY:
        texts = area_and_sex(grid, log, publisher="ons")
        return texts | {"age": ages(require_filled(text_column(grid, "age", log), grid, "age"), grid, "age", log)}
    codes = require_filled(text_column(grid, "area_code", log), grid, "area_code")
    return {
        "area_code": area_codes(codes, grid, "area_code", log),
        "area_name": text_column(grid, "area_name", log),
        "sex": sex_column(grid, log),
        "age": age_column(grid, log),
    }


def _deaths_only(grid: Grid, log: Log) -> Grid:
    check_not_cut_off(grid, log)
    measures = text_column(grid, "measure", log)
    chosen = np.zeros(len(grid), dtype=bool)
    for label in measures.present():
        if "death" in label.casefold() and "rate" not in label.casefold():
            chosen |= measures.is_label(label)
    if not chosen.any():
        raise SchemaError(f"{grid.name} holds no numbers of deaths, but {', '.join(measures.present()[:5])}.")
    log.set_aside("another measure than deaths", int((~chosen).sum()))
    return grid.only(chosen)
