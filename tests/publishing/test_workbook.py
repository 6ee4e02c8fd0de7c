"""The workbook, opened by a checker that knows the rules of accessible spreadsheets, not how it was written."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import range_boundaries

from nenc_estimates.publishing.disclosure import DisclosurePolicy, fit_to_publish
from nenc_estimates.publishing.rounding import nearest
from nenc_estimates.publishing.words import DECIMALS
from nenc_estimates.publishing.workbook import SHORTHAND, write_workbook
from nenc_estimates.quality import QUALITY
from nenc_estimates.specification import Revision

FRONT = ["Cover", "Contents", "Notes"]


def table_of(sheet):
    """Header and rows of the one table of a sheet."""
    (table,) = sheet.tables.values()
    left, top, right, bottom = range_boundaries(table.ref)
    cells = list(sheet.iter_rows(min_row=top, max_row=bottom, min_col=left, max_col=right))
    return cells[0], cells[1:]


def texts(cells):
    return [cell.value for cell in cells if isinstance(cell.value, str)]


# --- the checklist: each rule gives the faults of a workbook ----------------------------------------------------------


def front_sheets_are_missing(book):
    return [] if book.sheetnames[:3] == FRONT else book.sheetnames[:3]


def titles_are_missing_or_repeated(book):
    titles = [sheet["A1"].value for sheet in book]
    return [title for title in titles if not isinstance(title, str) or titles.count(title) > 1]


def sheets_without_exactly_one_table(book):
    return [sheet.title for sheet in book if len(sheet.tables) != (sheet.title != "Cover")]


def table_names_that_are_bad(book):
    names = [name for sheet in book for name in sheet.tables]
    return [name for name in names if not re.fullmatch(r"[A-Za-z_][\w.]*", name) or names.count(name) > 1]


def sheet_names_that_say_nothing(book):
    return [name for name in book.sheetnames if re.fullmatch(r"Sheet\d*", name) or len(name) > 31]


def merged_cells(book):
    return [str(cells) for sheet in book for cells in sheet.merged_cells.ranges]


def filters_and_frozen_panes(book):
    tables = [table for sheet in book for table in sheet.tables.values()]
    return [s.title for s in book if s.auto_filter.ref or s.freeze_panes] + [t.name for t in tables if t.autoFilter]


def hidden_rows_columns_and_sheets(book):
    return (
        [sheet.title for sheet in book if sheet.sheet_state != "visible"]
        + [f"{s.title} row {i}" for s in book for i, row in s.row_dimensions.items() if row.hidden]
        + [f"{s.title} column {i}" for s in book for i, column in s.column_dimensions.items() if column.hidden]
    )


def empty_cells_in_tables(book):
    return [
        f"{sheet.title} {cell.coordinate}"
        for sheet in book
        if sheet.tables
        for row in [table_of(sheet)[0], *table_of(sheet)[1]]
        for cell in row
        if cell.value is None or cell.value == ""
    ]


def headings_that_are_empty_repeated_or_no_text(book):
    faults = []
    for sheet in book:
        if sheet.tables:
            names = [cell.value for cell in table_of(sheet)[0]]
            faults += [f"{sheet.title} {n}" for n in names if not isinstance(n, str) or names.count(n) > 1]
    return faults


def content_beside_or_below_the_table(book):
    faults = []
    for sheet in book:
        if sheet.tables:
            (table,) = sheet.tables.values()
            _, top, right, bottom = range_boundaries(table.ref)
            faults += [sheet.title] if (sheet.max_row, sheet.max_column) != (bottom, right) else []
            above = [sheet.cell(row, 1).value for row in range(1, top)]
            faults += [f"{sheet.title} has an empty row above" for text in above if not text]
    return faults


def cells_that_do_not_wrap(book):
    return [
        f"{sheet.title} {cell.coordinate}"
        for sheet in book
        if sheet.tables
        for row in [table_of(sheet)[0], *table_of(sheet)[1]]
        for cell in row
        if isinstance(cell.value, str) and not cell.alignment.wrap_text
    ]


def small_or_ornate_letters(book):
    return [
        f"{sheet.title} {cell.coordinate}"
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None and (cell.font.name != "Arial" or cell.font.sz < 12)
    ]


def formulas(book):
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    return [cell.coordinate for cell in cells if cell.data_type == "f"]


def symbols_on_their_own(book):
    return [
        f"{sheet.title} {cell.coordinate}"
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and not re.search(r"[A-Za-z0-9]", cell.value)
    ]


def shorthand_that_is_not_explained_above(book):
    faults = []
    for sheet in book:
        if sheet.tables:
            (table,) = sheet.tables.values()
            top = range_boundaries(table.ref)[1]
            above = " ".join(str(sheet.cell(row, 1).value) for row in range(1, top))
            used = {
                mark for row in table_of(sheet)[1] for text in texts(row) for mark in re.findall(r"\[[a-z]\]", text)
            }
            faults += [f"{sheet.title} {mark}" for mark in used if f"{mark} {SHORTHAND.get(mark)}" not in above]
    return faults


def notes_that_are_not_on_the_notes_sheet(book):
    known = {row[0].value for row in table_of(book["Notes"])[1]}
    used = {
        note
        for sheet in book
        for row in sheet.iter_rows()
        for text in texts(row)
        for note in re.findall(r"\[(note \d+)\]", text)
    }
    return sorted(used - known)


def sheets_that_the_contents_do_not_link_to(book):
    linked = {
        row[0].hyperlink.location.rsplit("!", 1)[0].strip("'")
        for row in table_of(book["Contents"])[1]
        if row[0].hyperlink
    }
    return sorted(set(book.sheetnames) - {"Cover", "Contents"} ^ linked)


RULES = [
    front_sheets_are_missing,
    titles_are_missing_or_repeated,
    sheets_without_exactly_one_table,
    table_names_that_are_bad,
    sheet_names_that_say_nothing,
    merged_cells,
    filters_and_frozen_panes,
    hidden_rows_columns_and_sheets,
    empty_cells_in_tables,
    headings_that_are_empty_repeated_or_no_text,
    content_beside_or_below_the_table,
    cells_that_do_not_wrap,
    small_or_ornate_letters,
    formulas,
    symbols_on_their_own,
    shorthand_that_is_not_explained_above,
    notes_that_are_not_on_the_notes_sheet,
    sheets_that_the_contents_do_not_link_to,
]


@pytest.fixture(scope="module")
def book(release):
    return openpyxl.load_workbook(release / "estimates.xlsx")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_workbook_has_none_of(rule, book):
    assert rule(book) == []


SPOILED = {
    "front_sheets_are_missing": lambda book: book.move_sheet("Notes", -1),
    "titles_are_missing_or_repeated": lambda book: book["Notes"].__setitem__("A1", None),
    "sheets_without_exactly_one_table": lambda book: book["Notes"].tables.clear(),
    "table_names_that_are_bad": lambda book: book["Notes"].tables.update({"two words": None}),
    "sheet_names_that_say_nothing": lambda book: setattr(book["Notes"], "title", "Sheet3"),
    "merged_cells": lambda book: book["Cover"].merge_cells("A1:B1"),
    "filters_and_frozen_panes": lambda book: setattr(book["Notes"], "freeze_panes", "A2"),
    "hidden_rows_columns_and_sheets": lambda book: setattr(book["Notes"].row_dimensions[5], "hidden", True),
    "empty_cells_in_tables": lambda book: book["Notes"].__setitem__("B5", None),
    "headings_that_are_empty_repeated_or_no_text": lambda book: book["Notes"].__setitem__("B4", "Note"),
    "content_beside_or_below_the_table": lambda book: book["Notes"].__setitem__("F40", "a footnote"),
    "cells_that_do_not_wrap": lambda book: setattr(book["Notes"]["B5"], "alignment", openpyxl.styles.Alignment()),
    "small_or_ornate_letters": lambda book: setattr(book["Notes"]["B5"], "font", openpyxl.styles.Font(sz=8)),
    "formulas": lambda book: book["Notes"].__setitem__("B5", "=1+1"),
    "symbols_on_their_own": lambda book: book["Notes"].__setitem__("B5", "*"),
    "shorthand_that_is_not_explained_above": lambda book: book["Notes"].__setitem__("B5", "[b]"),
    "notes_that_are_not_on_the_notes_sheet": lambda book: book["Notes"].__setitem__("B5", "[note 99]"),
    "sheets_that_the_contents_do_not_link_to": lambda book: setattr(book["Contents"]["A5"], "hyperlink", None),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_checker_finds(rule, release):
    book = openpyxl.load_workbook(release / "estimates.xlsx")
    SPOILED[rule.__name__](book)
    assert rule(book) != []


# --- what it says -----------------------------------------------------------------------------------------------------


def frame(sheet):
    head, rows = table_of(sheet)
    return pd.DataFrame([[cell.value for cell in row] for row in rows], columns=[cell.value for cell in head])


def test_every_value_is_that_of_the_estimates_rounded_half_away_from_zero(book, release):
    made = pd.read_csv(release / "estimates.csv", dtype=str)
    shown = frame(book["All_periods"])
    assert len(shown) == len(made)
    for column, heading in {"value": "Value", "lower": "Lower 95% limit", "upper": "Upper 95% limit"}.items():
        exact = [float(text) for text in made[column]]  # to the bit, as not every version of pandas reads numbers
        for value, unit, cell in zip(exact, made["unit"], shown[heading], strict=True):
            expected = nearest(value, DECIMALS.get(unit, 1)) if value == value else None
            assert cell == expected if expected is not None else cell in SHORTHAND


def test_the_first_table_holds_the_figures_of_the_strategy(book):
    table = frame(book["1_hle_birth"])
    whole = table[table["Area"] == "North East and North Cumbria"].set_index("Sex")["Value (years)"]
    assert whole.to_dict() == {"Female": 60.2, "Male": 59.4}
    assert book["1_hle_birth"]["A1"].value.startswith("Table 1: Healthy life expectancy at birth (years), 2018-20")
    assert book["1_hle_birth"]["A2"].value == (
        "Edition ons_2022_03. Status: experimental, not official statistics (estimates); official statistics "
        "(published values)."
    )


def test_numbers_are_numbers_with_their_decimals(book):
    sheet = book["1_hle_birth"]
    cells = [row[4] for row in table_of(sheet)[1]]
    assert all(cell.data_type == "n" and cell.number_format == "#,##0.0" for cell in cells)
    people = [row[4] for row in table_of(next(sheet for sheet in book if sheet.title.endswith("_population")))[1]]
    assert all(cell.number_format == "#,##0" for cell in people)


def test_estimates_are_marked_and_published_values_are_not(book):
    table = frame(book["1_hle_birth"]).set_index("Area")["Marks"]
    assert set(table["North East and North Cumbria"]) == {"[e]"}
    assert set(table["England"]) == {"[z]"}


def test_the_notes_explain_every_remark_and_every_count_shown_as_published(book, run, specification):
    meanings = frame(book["Notes"])["Meaning"].tolist()
    for code in {code for cell in run.estimates["quality"] for code in cell.split(";") if code}:
        assert QUALITY[code] in meanings
    for reason in specification.as_published.values():
        assert any(meaning.endswith(reason) for meaning in meanings)
    deaths = frame(book["All_periods"]).query("Indicator == 'Deaths related to drug poisoning'")["Notes"]
    place = next(i for i, meaning in enumerate(meanings, start=1) if meaning.startswith("Deaths related to drug"))
    assert deaths.str.endswith(f"[note {place}]").all()


def test_withheld_missing_and_revised_values_have_their_shorthand(run, specification, tmp_path):
    shown = fit_to_publish(run, DisclosurePolicy(largest_withheld=50))
    estimates = shown.estimates.assign(
        quality=[f"{cell};revised".lstrip(";") if i == 0 else cell for i, cell in enumerate(shown.estimates["quality"])]
    )
    note = Revision(indicator="smoking", edition="ohid_2024_08", cause="correction", note="Eden was counted twice.")
    noted = specification.model_copy(update={"revisions": (note,)})
    write_workbook(replace(shown, estimates=estimates), noted, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    series = frame(book["All_periods"])
    assert set(series.loc[estimates["quality"].str.contains("withheld_disclosure"), "Value"]) == {"[c]"}
    assert set(series.loc[estimates["quality"].str.contains("withheld_coverage"), "Value"]) == {"[u]"}
    assert set(series.loc[estimates["quality"].str.contains("rounded_count"), "Lower 95% limit"]) == {"[c]"}
    assert series["Marks"].iloc[0] == "[e][r]"
    assert "smoking ohid_2024_08: Eden was counted twice." in frame(book["Notes"])["Meaning"].tolist()
    assert [rule.__name__ for rule in RULES if rule(book)] == []


def test_text_never_becomes_a_formula_or_a_link(run, specification, tmp_path):
    hostile = specification.model_copy(update={"title": "=HYPERLINK(1)"})
    named = run.estimates["area_name"].mask(run.estimates["area_name"] == "England", "=1+1")
    write_workbook(replace(run, estimates=run.estimates.assign(area_name=named)), hostile, tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        targets = [parts.read(name) for name in parts.namelist() if name.endswith(".rels")]
    assert not any(b"<f>" in sheet for sheet in sheets)
    assert not any(b"TargetMode" in target for target in targets)


def test_equal_tables_write_equal_bytes(run, specification, tmp_path):
    shown = fit_to_publish(run, DisclosurePolicy(as_published=specification.as_published))
    for name in ("a", "b"):
        write_workbook(shown, specification, tmp_path / f"{name}.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").properties.created.isoformat() == "2026-11-21T00:00:00"
