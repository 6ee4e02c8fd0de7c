"""What is in a file, before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.areas import areas
from nenc_estimates.readers import deaths, fingertips, imd, lookups, mid_year, nomis
from nenc_estimates.readers.cells import Coded, text_column
from nenc_estimates.readers.files import open_grids
from nenc_estimates.readers.headings import HeaderNotFoundError
from nenc_estimates.readers.limits import LIMITS
from nenc_estimates.readers.report import shown
from nenc_estimates.readers.rows import group_numbers
from nenc_estimates.summaries import Summary, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nenc_estimates.readers.grids import Expected, Grid
    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.report import Log

_FORMS: tuple[tuple[str, Expected], ...] = (
    ("read_fingertips", fingertips.EXPECTED),
    ("read_deaths", deaths.NOMIS),
    ("read_nomis", nomis.API),
    ("read_mid_year_estimates", mid_year.YEARS),
    ("read_mid_year_estimates", mid_year.LONG),
    ("read_deaths", deaths.TIDY),
    ("read_mid_year_estimates", mid_year.AGES),
    ("read_mid_year_estimates", mid_year.SMALL_AREAS),
    ("read_imd", imd.EXPECTED),
    ("read_lookup", lookups.EXPECTED),
)
_NO_LISTS = ("value", "lower", "upper", "count", "sortable", "area_name", "value_note", "lsoa_name", "total")
_LISTED = 12


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FileDescription(Summary):
    """What is in a file: the reader for it, its rows, and for each column the labels with their numbers of rows.

    ``latest`` is the latest period of each area type and indicator: the same indicator ends in different years by
    geography, so data that seem to be missing are often under another area type. ``reader`` is the function that takes
    it, ``contents`` maps each column and label to its rows, ``vintages`` says what the codes tell of boundaries;
    ``source`` and ``sheets`` are what was opened.

    Examples
    --------
    >>> FileDescription(
    ...     source="le.csv",
    ...     reader="read_fingertips",
    ...     rows=2,
    ...     sheets=(),
    ...     contents={"sex": {"Male": 2}},
    ...     latest={},
    ...     vintages=(),
    ... )
    le.csv: 2 rows for read_fingertips()
      sex: 'Male' (2)
    """

    source: str
    reader: str
    rows: int
    sheets: tuple[str, ...]
    contents: Mapping[str, Mapping[str, int]]
    latest: Mapping[str, str]
    vintages: tuple[str, ...]

    def _head(self) -> str:
        return f"{self.source}: {self.rows:,} rows for {self.reader}()"

    def _lines(self) -> list[tuple[str, str]]:
        lines = [("sheets", ", ".join(self.sheets))] if any(self.sheets) else []
        for name, labels in self.contents.items():
            lines.append((name, listed([f"{shown(label)} ({rows:,})" for label, rows in labels.items()], most=_LISTED)))
        lines += [(f"latest of {what}", period) for what, period in self.latest.items()]
        return lines + [("vintage", text) for text in self.vintages]


def describe_file(source: Any, *, sheet: str | None = None, limits: Limits = LIMITS) -> FileDescription:
    r"""Say what is in a file: indicators, area types, sexes, ages, periods and vintages.

    Parameters
    ----------
    source
        Path, bytes, or a pandas, polars or pyarrow table.
    sheet
        Of a workbook.
    limits
        How much to take in.

    Returns
    -------
    FileDescription
        It prints well.

    Raises
    ------
    SchemaError
        It is none of the tables that are read here.

    Examples
    --------
    >>> text = b"area_code,sex,age,year,deaths\nE06000047,F,0,2022,4\n"
    >>> print(describe_file(text))
    the bytes: 1 rows for read_deaths()
      area_code: 'E06000047' (1)
      sex: 'F' (1)
      age: '0' (1)
      period: '2022' (1)
    """
    faults = []
    for reader, form in _FORMS:
        try:
            grids, log = open_grids(source, form, sheet=sheet, limits=limits)
        except HeaderNotFoundError as problem:
            faults.append(problem)
            continue
        return _described(grids, reader, form, log)
    raise faults[0]


def _described(grids: list[Grid], reader: str, form: Expected, log: Log) -> FileDescription:
    grid = grids[0]
    columns = {
        name.rstrip(":").removeprefix("column:"): text_column(grid, name, log)
        for name in grid.columns
        if not _is_number(name, form) and name not in _NO_LISTS
    }
    contents = {name: _counted(column) for name, column in columns.items()}
    for name in {name.partition(":")[0] for name in grid.columns if _is_number(name, form) and ":" in name}:
        contents[name] = dict.fromkeys(grid.many(name), len(grid))
    return FileDescription(
        source=log.source,
        reader=reader,
        rows=sum(map(len, grids)),
        sheets=tuple(grid.sheet for grid in grids),
        contents={name: labels for name, labels in contents.items() if labels},
        latest=_latest(columns),
        vintages=_vintages(columns),
    )


def _is_number(name: str, form: Expected) -> bool:
    return form.layout[name.partition(":")[0]].number


def _counted(column: Coded) -> dict[str, int]:
    counts = np.bincount(column.codes + 1, minlength=len(column.labels) + 1)[1:]
    return {label: int(rows) for label, rows in zip(column.labels, counts, strict=True) if rows}


def _latest(columns: Mapping[str, Coded]) -> dict[str, str]:
    """Return the last period of each indicator and area type, by its sort key."""
    if not {"indicator_id", "area_type", "period"} <= set(columns) or not columns["area_type"].labels:
        return {}
    identifier, kind, period = columns["indicator_id"], columns["area_type"], columns["period"]
    number = group_numbers([identifier.codes, kind.codes])
    rank = np.argsort(np.argsort(np.array(period.labels, dtype=object)))[period.codes]
    order = np.lexsort((rank, number))
    last = order[np.flatnonzero(np.append(np.diff(number[order]) != 0, True))]
    return {
        f"{identifier.labels[identifier.codes[row]]}, {kind.labels[kind.codes[row]]}": period.labels[period.codes[row]]
        for row in last[:50]
        if kind.codes[row] >= 0
    }


def _vintages(columns: Mapping[str, Coded]) -> tuple[str, ...]:
    """Say which vintage the codes of a file show, as far as the areas that changed are in it."""
    if "area_code" not in columns:
        return ()
    known, texts = areas(), []
    for code in columns["area_code"].present():
        area = known.get(code.removeprefix("n"))
        if area and area.kind != "icb" and (area.valid_to or area.valid_from > "2010"):
            until = f" to {area.valid_to}" if area.valid_to else ""
            texts.append(f"{area.code} {area.name}: {area.kind} from {area.valid_from or 'the beginning'}{until}")
    return tuple(texts[:40])
