"""The workbook of a release: for readers of spreadsheets, with and without a screen reader.

Follows the Government Analysis Function's checklist for accessible spreadsheets (2021, updated 2025) and its Using
symbols in tables (2022): a cover, contents and notes; one marked-up table a sheet, its title in A1; no merged, empty or
hidden cells; no filters or frozen panes; shorthand in square brackets, explained above each table.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import datetime, time
from math import isnan
from typing import TYPE_CHECKING, Any

from nenc_estimates.packaged import manifest
from nenc_estimates.publishing.rounding import nearest
from nenc_estimates.publishing.words import DECIMALS, PARTNERSHIPS
from nenc_estimates.quality import QUALITY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import gptables as gpt
    import pandas as pd

    from nenc_estimates.release import Run
    from nenc_estimates.specification import Specification

SHORTHAND = {
    "[c]": "confidential: withheld so that no one can be identified",
    "[u]": "low reliability: withheld because too little stands behind it",
    "[x]": "not available",
    "[z]": "not applicable",
    "[e]": "estimated here",
    "[r]": "revised since the last release",
}
"""Shorthand to its meaning: Government Analysis Function, Using symbols in tables (2022)."""

SHORTHAND_OF = {
    "withheld_disclosure": "[c]",
    "missing_suppressed": "[c]",
    "withheld_person_years": "[u]",
    "withheld_wide_interval": "[u]",
    "withheld_coverage": "[u]",
    "rounded_count": "[c]",
    "missing_not_applicable": "[z]",
}
"""Quality code to the shorthand that stands where the value would; ``[x]`` for every other."""

NONE, UNAVAILABLE = "[z]", "[x]"

WIDTHS = {"area": 32, "quantity": 44, "note": 40, "remark": 40, "source": 44, "meaning": 100, "indicator": 44}
"""Widths of columns by the beginning of their headings [characters]; 16 for every other."""

BESIDE_ESTIMATES = {
    "Goals": (
        "goals",
        "Goals: where we are, where we are heading, and the chance",
        (
            *("goal", "reading", "view", "measure", "sex", "unit", "current_period", "current_value", "target_period"),
            *("goal_value", "do_nothing", "do_nothing_lower_95", "do_nothing_upper_95", "shortfall", "probability"),
            *("status", "missing"),
        ),
    ),
    "Published_figures": (
        "reproduction",
        "Published figures beside these estimates",
        (
            *("quantity", "area", "sex", "age", "period", "published", "estimate", "lower", "upper", "unit"),
            *("outcome", "note", "source"),
        ),
    ),
}
"""Worksheet to its table, title and columns, for what a reader gets beside the estimates. Other tables are CSV only."""

WHOLE_UNITS = ("people", "deaths", "areas")
"""Units without decimals anywhere; in tables beside the estimates other units show one decimal more than there."""

AFTER_VALUE = {"lower": "Lower 95% limit", "upper": "Upper 95% limit", "marks": "Marks", "notes": "Notes"}
"""Columns behind the value, and their headings."""

PERCENT = {"%": "percent"}
"""What stands in a cell for a symbol on its own, which a screen reader may not read."""

LONGEST_LABEL = 31
"""Characters of the name of a worksheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """One table with what stands above it, and the decimals that each of its rows shows."""

    table: pd.DataFrame
    title: str
    subtitle: str
    decimals: list[int]


def write_workbook(run: Run, specification: Specification, path: Path) -> None:
    """Write the workbook.

    Parameters
    ----------
    run
        The tables of a release, as they may be shown.
    specification
        What they were made from: the title, and the reasons for counts shown as published.
    path
        File to write, ``.xlsx``. Equal tables write equal bytes.
    """
    import gptables as gpt  # noqa: PLC0415 - only publishing needs it, and it is slow to import

    notes = _Notes(run, specification)
    sheets = {"Notes": notes.sheet()}
    for number, entry in enumerate(run.contents.itertuples(index=False), start=1):
        sheets[f"{number}_{entry.indicator}"[:LONGEST_LABEL]] = _latest(run.estimates, notes, entry, number)
    for label, (name, title, columns) in BESIDE_ESTIMATES.items():
        if len(run.tables[name]):
            sheets[label] = _plain(run.tables[name][list(columns)], title)
    sheets["All_periods"] = _series(run.estimates, run.contents, notes)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No note text provided")  # the notes are an ordinary sheet
        warnings.simplefilter("ignore", DeprecationWarning)  # of calls that gptables makes to pandas
        book = gpt.produce_workbook(
            str(path),
            {label: _marked_up(label, sheet) for label, sheet in sheets.items()},
            cover=_cover(specification),
            auto_width=False,
            workbook_options={"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
    headings = {label: list(sheet.table.columns) for label, sheet in sheets.items()} | {"Contents": ["Area", "Meaning"]}
    for label, names in headings.items():
        for place, name in enumerate(names):
            book.get_worksheet_by_name(label).set_column(place, place, _width(name))
    newest = max(entry.retrieved for folder in ("lookups", "indicators") for entry in manifest(folder).values())
    book.set_properties({"title": specification.title, "created": datetime.combine(newest, time())})
    book.close()


class _Notes:
    """Numbers the quality codes that a run uses, and what else a reader of its tables must know."""

    def __init__(self, run: Run, specification: Specification) -> None:
        used = {code for cell in run.estimates["quality"] for code in cell.split(";") if code}
        names = {(row.indicator, row.edition): row.indicator_name for row in run.contents.itertuples()}
        codes = {code: QUALITY[code] for code in QUALITY if code in used}
        shown = {key: reason for key, reason in specification.as_published.items() if key in names}
        self.texts = [(code.replace("_", " "), text) for code, text in codes.items()]
        self.texts += [("counts shown as published", f"{names[key]!s}: {reason}") for key, reason in shown.items()]
        self.texts += [
            (f"revision: {each.cause}", f"{each.indicator} {' '.join((each.edition, *each.periods))}: {each.note}")
            for each in specification.revisions
        ]
        self.numbers = {key: f"[note {i}]" for i, key in enumerate([*codes, *shown], start=1)}

    def sheet(self) -> _Sheet:
        import pandas as pd  # noqa: PLC0415 - importing the library must stay cheap

        rows = [(f"note {i}", remark, text) for i, (remark, text) in enumerate(self.texts, start=1)]
        table = pd.DataFrame(rows or [("note 0", "none", "There are no notes.")], columns=["Note", "Remark", "Meaning"])
        return _Sheet(table=table, title="Notes", subtitle="What the notes in the tables mean.", decimals=[])

    def cells(self, rows: pd.DataFrame) -> list[str]:
        """Return the numbers of the notes on each row."""
        keys = zip(rows["quality"], zip(rows["indicator"], rows["edition"], strict=True), strict=True)
        found = [
            [self.numbers[key] for key in (*quality.split(";"), pair) if key in self.numbers] for quality, pair in keys
        ]
        return [" ".join(numbers) or NONE for numbers in found]


def _cells(estimates: pd.DataFrame, notes: _Notes) -> pd.DataFrame:
    """Round numbers, and put shorthand where there is none, for rows of any unit."""
    codes = [cell.split(";") for cell in estimates["quality"]]
    absent = [next((SHORTHAND_OF[code] for code in row if code in SHORTHAND_OF), UNAVAILABLE) for row in codes]
    decimals = [DECIMALS.get(unit, 1) for unit in estimates["unit"]]
    shown = {
        name: [
            mark if isnan(value) else nearest(value, places)
            for value, places, mark in zip(estimates[name], decimals, absent, strict=True)
        ]
        for name in ("value", "lower", "upper")
    }
    marks = [
        ("" if method.startswith("published") else "[e]") + ("[r]" if "revised" in row else "") or NONE
        for method, row in zip(estimates["method"], codes, strict=True)
    ]
    return estimates.assign(**shown, marks=marks, notes=notes.cells(estimates), decimals=decimals)


def _latest(estimates: pd.DataFrame, notes: _Notes, entry: Any, number: int) -> _Sheet:
    """Lay out the latest period of one indicator in one edition."""
    rows = estimates[(estimates["indicator"] == entry.indicator) & (estimates["edition"] == entry.edition)]
    period, unit = rows["period"].max(), rows["unit"].iloc[0]
    latest = _cells(rows[rows["period"] == period], notes)
    rank = latest["area_type"].map({kind: i for i, kind in enumerate(PARTNERSHIPS)}).fillna(len(PARTNERSHIPS))
    latest = latest.assign(rank=rank).sort_values(["rank", "area_name", "sex", "age"])
    headings = {"area_name": "Area", "area_type": "Kind of area", "sex": "Sex", "age": "Age"}
    return _Sheet(
        table=_headed(latest, headings | {"value": f"Value ({unit})"} | AFTER_VALUE),
        title=f"Table {number}: {entry.indicator_name} ({unit}), {period}. {entry.edition_name}",
        subtitle=f"Edition {entry.edition}. Status: {_status(rows)}.",
        decimals=latest["decimals"].tolist(),
    )


def _status(rows: pd.DataFrame) -> str:
    """Name each status of a table, saying whose it is where there are several."""
    published = rows["method"].str.startswith("published")
    whose = {"estimates": rows[~published], "published values": rows[published]}
    named = [f"{', '.join(dict.fromkeys(part['status']))} ({name})" for name, part in whose.items() if len(part)]
    return "; ".join(named)


def _series(estimates: pd.DataFrame, contents: pd.DataFrame, notes: _Notes) -> _Sheet:
    """Lay out every period of every indicator."""
    names = {(row.indicator, row.edition): row.indicator_name for row in contents.itertuples()}
    rows = _cells(estimates, notes)
    named = [str(names[key]) for key in zip(rows["indicator"], rows["edition"], strict=True)]
    rows = rows.assign(name=named, unit=rows["unit"].replace(PERCENT))
    headings = {"name": "Indicator", "edition": "Edition", "area_name": "Area", "sex": "Sex", "age": "Age"}
    headings |= {"period": "Period", "value": "Value", "unit": "Unit"}
    return _Sheet(
        table=_headed(rows, headings | AFTER_VALUE),
        title="Every indicator, edition and period",
        subtitle="Numbers are rounded; the file estimates.csv holds them in full.",
        decimals=rows["decimals"].tolist(),
    )


def _headed(rows: pd.DataFrame, headings: Mapping[str, str]) -> pd.DataFrame:
    table: pd.DataFrame = rows[list(headings)].rename(columns=dict(headings)).reset_index(drop=True)
    return table


def _plain(table: pd.DataFrame, title: str) -> _Sheet:
    """Lay out any other table: rounded numbers, a mark in each empty cell, headings in words."""
    units = table["unit"] if "unit" in table else [""] * len(table)
    decimals = [DECIMALS.get(unit, 1) + (unit not in WHOLE_UNITS) for unit in units]
    cells = {str(name): [_cell(value, d) for value, d in zip(table[name], decimals, strict=True)] for name in table}
    headings = {name: name.replace("_", " ").capitalize() for name in cells}
    return _Sheet(
        table=_headed(table.assign(**cells), headings),
        title=title,
        subtitle="Numbers are rounded; the CSV file of the same content holds them in full.",
        decimals=decimals,
    )


def _cell(value: Any, decimals: int) -> Any:
    if isinstance(value, float):
        return UNAVAILABLE if isnan(value) else nearest(value, decimals)
    return PERCENT.get(value, value) if value else NONE


def _marked_up(label: str, sheet: _Sheet) -> gpt.GPTable:
    import gptables as gpt  # noqa: PLC0415

    text = {str(cell) for column in sheet.table.columns for cell in sheet.table[column] if not isinstance(cell, float)}
    used = [f"{mark} {meaning}" for mark, meaning in SHORTHAND.items() if any(mark in cell for cell in text)]
    rows = {places: [i + 1 for i, d in enumerate(sheet.decimals) if d == places] for places in set(sheet.decimals)}
    return gpt.GPTable(
        table=sheet.table,
        table_name=f"table_{label.lower()}",
        title=sheet.title,
        subtitles=[sheet.subtitle],
        instructions="This worksheet contains one table. Notes are explained on the worksheet Notes.",
        legend=[f"Shorthand: {'; '.join(used)}."] if used else [],
        index_columns={},
        additional_formatting=[
            {"row": {"rows": chosen, "format": {"num_format": f"#,##0{'.' * bool(places)}{'0' * places}"}}}
            for places, chosen in sorted(rows.items())
        ],
    )


def _width(heading: str) -> int:
    return next((width for start, width in WIDTHS.items() if heading.lower().startswith(start)), 16)


def _cover(specification: Specification) -> gpt.Cover:
    import gptables as gpt  # noqa: PLC0415

    return gpt.Cover(
        title=specification.title,
        intro=[
            f"Status: {specification.status}.",
            "Few health figures are published for the area of this partnership. These are estimates from the figures "
            "of its local authorities, each of which counts with the people it brings.",
            "An edition is part of a number: figures of different editions must not be compared.",
        ],
        about=[
            "Shorthand: " + "; ".join(f"{mark} {meaning}" for mark, meaning in SHORTHAND.items()) + ".",
            "Limits are 95% confidence limits, where the source publishes what they need.",
            "The worksheets hold the latest period of each indicator; All_periods holds every period. The files "
            "estimates.csv and notes.csv beside this workbook hold full precision and the areas behind each note.",
            "Contains public sector information licensed under the Open Government Licence v3.0.",
        ],
    )
