"""Excel and OpenDocument workbooks, through python-calamine: values only, never a formula, link or macro."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

from nenc_estimates.errors import EstimatesError, InvalidDataError, SchemaError
from nenc_estimates.readers.archives import check_sheets
from nenc_estimates.readers.delimited import header_row
from nenc_estimates.readers.grids import Expected, Grid, grid_of_rows
from nenc_estimates.readers.headings import HeaderNotFoundError
from nenc_estimates.readers.report import shown
from nenc_estimates.readers.sources import check_size

if TYPE_CHECKING:
    from nenc_estimates.readers.limits import Limits

_PREVIEW_ROWS = 60


def read_workbook(
    content: bytes, members: dict[str, bytes], expected: Expected, *, name: str, sheet: str | None, limits: Limits
) -> list[Grid]:
    """Read the sheets that hold what is expected into grids.

    Raises
    ------
    SchemaError
        No sheet does, the sheet asked for does not, or one is too large.
    InvalidDataError
        The workbook is damaged or protected by a password.
    """
    check_sheets(members, name=name, limits=limits)
    sheets = sheet_names(content, name=name)
    if sheet is not None and sheet not in sheets:
        raise SchemaError(f"{name} has no sheet {shown(sheet)}. It has: {', '.join(map(shown, sheets))}.")
    sheet = sheet or (expected.sheet if expected.sheet in sheets else None)
    grids, faults = [], []
    for title in [sheet] if sheet is not None else sheets:
        try:
            header = header_row(
                sheet_rows(content, title, name=name, limits=limits, count=_PREVIEW_ROWS), expected, name=name
            )
        except HeaderNotFoundError as problem:
            faults.append(f"sheet {shown(title)}: {problem}")
            continue
        rows = sheet_rows(content, title, name=name, limits=limits)
        grids.append(grid_of_rows(rows, header, expected, name=f"{name}, sheet {title}"[:80], sheet=title))
    if not grids:
        raise HeaderNotFoundError(f"{name} holds no sheet that is {expected.what}. " + " ".join(faults[:5]))
    return grids


def sheet_names(content: bytes, *, name: str) -> list[str]:
    """Return the names of the sheets of a workbook."""
    return list(_guarded(lambda book: book.sheet_names, content, name))


def sheet_rows(content: bytes, title: str, *, name: str, limits: Limits, count: int | None = None) -> list[list[str]]:
    """Return the rows of a sheet as text, numbers spelled so that they read back exactly."""
    rows: list[list[Any]] = _guarded(
        lambda book: book.get_sheet_by_name(title).to_python(skip_empty_area=False, nrows=count), content, name
    )
    check_size(len(rows), len(rows[0]) if rows else 0, name=name, limits=limits)
    texts = [[spelled(cell) for cell in row] for row in rows]
    longest = max((len(cell) for row in texts for cell in row), default=0)
    if longest > limits.cell_characters:
        raise InvalidDataError(
            f"{name}: a cell has {longest:,} characters; the limit is {limits.cell_characters:,} "
            "(Limits.cell_characters)."
        )
    return texts


def spelled(cell: Any) -> str:
    """Spell a cell as text: 2018.0 as ``2018``, a date as ``2018-01-04``, which no period or age is read from."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    return str(cell)


def _guarded(take: Any, content: bytes, name: str) -> Any:
    """Call the foreign reader; whatever it does wrong is an error about the file."""
    try:
        from python_calamine import CalamineWorkbook  # noqa: PLC0415 - an extra
    except ImportError as problem:
        raise SchemaError(
            f"{name} is a workbook: install nenc-estimates[excel] to read it, or save it as CSV."
        ) from problem
    try:
        return take(CalamineWorkbook.from_filelike(io.BytesIO(content)))
    except (KeyboardInterrupt, SystemExit, MemoryError, EstimatesError):
        raise
    except BaseException as problem:
        raise InvalidDataError(f"{name} cannot be read as a workbook: {shown(problem)}.") from problem
