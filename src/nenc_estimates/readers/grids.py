"""A table as it stands in a file: columns found by their headings, cells still as they were written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.readers.headings import Layout, locate, plain_heading
from nenc_estimates.readers.report import shown

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nenc_estimates.readers.report import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a reader expects: in words, its columns, what values it is known by if not by headings, and its sheet."""

    what: str
    layout: Layout
    values: re.Pattern[str] | None = None
    sheet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One table of a file.

    ``columns`` are Arrow arrays by field, ``headings`` the headings they came from; ``rows`` the number of each row in
    the file, as a spreadsheet counts; ``preamble`` the cells above the header; ``sheet`` where it was.
    """

    name: str
    columns: Mapping[str, Any]
    headings: Mapping[str, str]
    rows: NDArray[np.int64]
    preamble: tuple[str, ...] = ()
    sheet: str = ""
    backend: Any = "pandas"

    def __len__(self) -> int:
        return self.rows.size

    def where(self, cells: NDArray[np.bool_], *, count: int = 5) -> str:
        """Name the rows of some cells, for a message."""
        found = np.flatnonzero(cells)
        more = f" and {found.size - count:,} more" if found.size > count else ""
        return f"row{'s' if found.size > 1 else ''} {', '.join(str(r) for r in self.rows[found[:count]])}{more}"

    def only(self, keep: NDArray[np.bool_]) -> Grid:
        """Keep some rows."""
        import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

        mask = pa.array(keep)
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        return replace(self, columns=columns, rows=self.rows[keep])

    def many(self, field: str) -> dict[str, str]:
        """Return the columns of a ``many`` field: what tells each from the others, to its name in ``columns``."""
        return {name.partition(":")[2]: name for name in self.columns if name.startswith(f"{field}:")}


def grid_of_rows(rows: Sequence[Sequence[str]], header: int, expected: Expected, *, name: str, sheet: str) -> Grid:
    """Make a grid of rows of text, of which one is the header."""
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    headings, body = rows[header], rows[header + 1 :]
    places = locate(expected.layout, headings, name=name)
    columns = {field: pa.array([row[at] or None for row in body], type=pa.string()) for field, at in places.items()}
    return Grid(
        name=name,
        columns=columns,
        headings={field: headings[at] for field, at in places.items()},
        rows=np.arange(header + 2, header + 2 + len(body)),
        preamble=tuple(filter(None, chain.from_iterable(rows[:header]))),
        sheet=sheet,
    )


def trimmed(grid: Grid, expected: Expected, log: Log) -> Grid:
    """Set aside what is no data: blank rows, notes below the table, and headers repeated where files were joined.

    Raises
    ------
    SchemaError
        Nothing is left.
    """
    log.rows_read += len(grid)
    required = [name for name, field in expected.layout.items() if field.required and not field.many]
    required += [name for name in grid.columns if expected.layout.get(name.partition(":")[0], _NONE).many]
    if len(grid):
        grid = _without_headers(grid, [name for name in required if name in grid.headings], log)
    if len(grid) and len(required) > 1:
        filled = _filled_fields(grid, required)
        blank = filled == 0
        log.set_aside("blank row", int(blank.sum()), grid.where(blank))
        notes = _notes(grid, required, filled)
        log.set_aside("note below the table", int(notes.sum()), grid.where(notes))
        if blank.any() or notes.any():
            grid = grid.only(~(blank | notes))
    if len(grid) == 0:
        raise SchemaError(f"{grid.name} has a header but no rows below it.")
    return grid


def _filled_fields(grid: Grid, required: Sequence[str]) -> NDArray[np.int64]:
    filled = np.zeros(len(grid), dtype=np.int64)
    for name in required:
        column = grid.columns[name]
        filled += 1 if column.null_count == 0 else np.asarray(column.is_valid()).astype(np.int64)
    return filled


def _notes(grid: Grid, required: Sequence[str], filled: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the rows at the end that hold one cell of prose, or nothing, and no data."""
    notes = np.zeros(len(grid), dtype=bool)
    for row in range(len(grid) - 1, -1, -1):
        if filled[row] > 1:
            break
        cells = [grid.columns[name][row].as_py() for name in required]
        text = next((str(cell) for cell in cells if cell is not None), "")
        notes[row] = filled[row] == 1 and is_prose(text)
    return notes


def is_prose(text: str) -> bool:
    """Whether a cell is a sentence rather than a code, a name's stump or a number."""
    plain = text.strip().casefold()
    sentence = plain.endswith(".") or any(sign in plain for sign in ":©")
    return len(plain.split()) > 1 and (sentence or plain.startswith(("source", "note")))


def _without_headers(grid: Grid, required: Sequence[str], log: Log) -> Grid:
    import pyarrow.compute as pc  # noqa: PLC0415 - importing the library must stay cheap

    if not required:
        return grid
    first = required[0]
    column = grid.columns[first]
    if not str(column.type).startswith(("string", "large_string", "dictionary<values=string")):
        return grid
    heading = plain_heading(grid.headings[first])
    same = [label for label in pc.unique(column).to_pylist() if label and plain_heading(label) == heading]
    if not same:
        return grid
    texts = column.cast("string")
    again = np.zeros(len(grid), dtype=bool)
    for label in same:
        again |= np.asarray(pc.fill_null(pc.equal(texts, label), fill_value=False))
    for row in np.flatnonzero(again):
        for name in required:
            cell = grid.columns[name][int(row)].as_py()
            if plain_heading(str(cell)) != plain_heading(grid.headings[name]):
                raise InvalidDataError(
                    f"{grid.name}, row {grid.rows[row]} looks like a second header, with {shown(cell)} under "
                    f"{shown(grid.headings[name])}: files with different columns were joined. Read them one by one."
                )
    log.set_aside("header repeated", int(again.sum()), grid.where(again))
    return grid.only(~again)


class _NoField:
    many = False


_NONE: Any = _NoField()
