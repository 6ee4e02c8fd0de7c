"""How much a reader takes in before it refuses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may hold at most. Everything is checked before it is expanded.

    Parameters
    ----------
    file_bytes
        Size of the file.
    columns, cells
        Of a table: headings, and headings times rows.
    workbook_cells
        Of a sheet, from its first cell to its last: a spreadsheet needs far more memory a cell.
    cell_characters
        Of one cell.
    members, expanded_bytes, expansion
        Of a zip file, which workbooks are too: files inside, their bytes when unpacked, and how many times larger
        than packed those are.

    Examples
    --------
    >>> Limits(file_bytes=10_000_000).columns
    2000
    """

    file_bytes: int = 2**30
    columns: int = 2_000
    cells: int = 300_000_000
    workbook_cells: int = 20_000_000
    cell_characters: int = 32_767
    members: int = 2_000
    expanded_bytes: int = 2**31
    expansion: int = 400


LIMITS = Limits()
"""What the readers take unless told otherwise: room for five million rows of Fingertips."""
