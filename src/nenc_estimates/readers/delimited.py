"""Text files with one record a line: CSV, or tabs as spreadsheets save them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.readers.grids import Expected, Grid, is_prose
from nenc_estimates.readers.headings import HeaderNotFoundError, find_header, locate
from nenc_estimates.readers.report import shown
from nenc_estimates.readers.sources import as_utf8, check_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.report import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What is known of a text before it is split: its columns, their number, what parts them, where the body begins."""

    name: str
    expected: Expected
    places: Mapping[str, int]
    width: int
    delimiter: str
    first: int


_PREVIEW_BYTES = 2**17
_PREVIEW_ROWS = 60
_NOTES = 50
_CHUNK = 2**17


def read_delimited(content: bytes, expected: Expected, *, name: str, limits: Limits, log: Log) -> Grid:
    """Read a text file into a grid.

    Raises
    ------
    SchemaError
        No row holds the headings expected, or the table is too large.
    InvalidDataError
        The encoding is wrong, a row has too many or too few cells, or a quote is not closed.
    """
    content, was = as_utf8(content, name=name)
    if was != "UTF-8":
        log.repaired(f"{was} read as UTF-8", 1)
    delimiter, rows, ends, header = _header(content, expected, name=name, limits=limits)
    headings = rows[header]
    if any(delimiter in line for row in rows[: header + 1] for cell in row for line in cell.splitlines()[1:]):
        raise InvalidDataError(f"{name}: a cell in or above the header holds whole rows: a stray quotation mark.")
    if len(content) > limits.cells:  # each cell takes a byte or more
        check_size(count_byte(content, b"\n") + 1, len(headings), name=name, limits=limits)
    check_size(1, len(headings), name=name, limits=limits)
    places = locate(expected.layout, headings, name=name)
    first = _lines(content[: ends[header]]) + 1
    body = memoryview(content)[ends[header] :]
    form = _Form(name=name, expected=expected, places=places, width=len(headings), delimiter=delimiter, first=first)
    table = _parse(body, form, log)
    for field, at in places.items():
        check_cells(table.column(field), headings[at], name=name, limits=limits)
    return Grid(
        name=name,
        columns={field: table.column(field) for field in places},
        headings={field: headings[at] for field, at in places.items()},
        rows=np.arange(first, first + table.num_rows),
        preamble=tuple(cell for row in rows[:header] for cell in row if cell),
    )


def preview(content: bytes, delimiter: str, *, limits: Limits) -> tuple[list[list[str]], list[int]]:
    """Split the first rows of UTF-8 text; also the byte at which each of them ends."""
    head = content[:_PREVIEW_BYTES].decode("utf-8", errors="ignore")
    stream = io.StringIO(head, newline="")
    taken, rows, ends = 0, [], []

    def lines() -> Any:
        nonlocal taken
        for line in stream:
            taken += len(line.encode())
            yield line

    csv.field_size_limit(max(limits.cell_characters, _PREVIEW_BYTES))
    reader = csv.reader(lines(), delimiter=delimiter)
    try:
        for row in reader:
            rows.append(row)
            ends.append(taken)
            if len(rows) == _PREVIEW_ROWS:
                break
    except csv.Error:
        pass  # what was split so far may hold the header; the whole is read by another parser
    return rows, ends


def _header(
    content: bytes, expected: Expected, *, name: str, limits: Limits
) -> tuple[str, list[list[str]], list[int], int]:
    first: HeaderNotFoundError | None = None
    for delimiter in (",", "\t"):
        rows, ends = preview(content, delimiter, limits=limits)
        try:
            return delimiter, rows, ends, header_row(rows, expected, name=name)
        except HeaderNotFoundError as problem:
            first = first or problem
    start = content[:200].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"{", b"[{")):
        raise SchemaError(f"{name} is a web page or an answer of a program ({shown(start.decode())}), not a table.")
    if content[:_PREVIEW_BYTES].split(b"\n", 1)[0].count(b";") > 2:
        raise SchemaError(f"{first} Its cells seem to be parted by semicolons: save it with commas.")
    raise first or HeaderNotFoundError(f"{name} is empty.")


def header_row(rows: list[list[str]], expected: Expected, *, name: str) -> int:
    """Return the position of the header among some rows: by its headings, or by the values below it."""
    header = _header_place(rows, expected, name=name)
    width = sum(map(bool, rows[header]))
    for i, row in enumerate(rows[:header]):
        if sum(map(bool, row)) >= max(4, width / 2):
            raise InvalidDataError(
                f"{name}, row {i + 1} stands above the header (row {header + 1}) but is as wide as the table: were "
                "rows sorted, or files joined?"
            )
    return header


def _header_place(rows: list[list[str]], expected: Expected, *, name: str) -> int:
    if expected.values is None:
        return find_header(expected.layout, rows, name=name, what=expected.what)
    for i in range(1, len(rows)):
        if any(expected.values.fullmatch(cell.strip().upper()) for cell in rows[i]):
            if not any(expected.values.fullmatch(cell.strip().upper()) for cell in rows[i - 1]):
                return i - 1
            break
    raise HeaderNotFoundError(
        f"{name} is not {expected.what}: its first {len(rows)} rows hold no header above area codes."
    )


def _parse(body: memoryview, form: _Form, log: Log) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    try:
        return _tabulate(body, form)
    except pa.ArrowInvalid as problem:
        data, notes = _without_notes(bytes(body), form)
        if notes:
            log.rows_read += notes
            log.set_aside("note below the table", notes)
        try:
            return _tabulate(data, form)
        except pa.ArrowInvalid:
            raise _ragged(data, form, problem) from problem


def _tabulate(body: bytes | memoryview, form: _Form) -> Any:
    """Read with Arrow: fast where no cell runs over lines, which it notices, and again where one does."""
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    if not bytes(body[:1000]).strip() and not bytes(body).strip():
        raise SchemaError(f"{form.name} has a header but no rows below it.")
    quotes = count_byte(body, b'"')
    if quotes % 2:
        raise InvalidDataError(
            f"{form.name} has an odd number of quotation marks: one is not closed, or one is missing."
        )
    try:
        table = _arrow(body, form, over_lines=False)
    except pa.ArrowInvalid:
        if not quotes:
            raise
        table = _arrow(body, form, over_lines=True)
    lines = (count_byte(body, b"\n") or count_byte(body, b"\r")) if quotes else 0
    if table.num_rows < lines:
        _refuse_swallowed(body, form)
    return table


def _arrow(body: bytes | memoryview, form: _Form, *, over_lines: bool, everything: bool = False) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap
    from pyarrow import csv as arrow_csv  # noqa: PLC0415 - importing the library must stay cheap

    text, few = pa.string(), pa.dictionary(pa.int32(), pa.string())
    columns = {at: field for field, at in form.places.items()}
    names = [columns.get(i, f"\0{i}") for i in range(form.width)]
    layout = form.expected.layout
    kinds = {field: text if layout[field.partition(":")[0]].number else few for field in form.places}
    return arrow_csv.read_csv(
        pa.BufferReader(pa.py_buffer(body)),
        read_options=arrow_csv.ReadOptions(column_names=names),
        parse_options=arrow_csv.ParseOptions(delimiter=form.delimiter, newlines_in_values=over_lines),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=names if everything else list(form.places),
            column_types=dict.fromkeys(names, text) if everything else kinds,
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _refuse_swallowed(body: bytes | memoryview, form: _Form) -> None:
    """Refuse cells that run over lines and hold delimiters: rows between two stray quotation marks."""
    import pyarrow.compute as pc  # noqa: PLC0415 - importing the library must stay cheap

    for column in _arrow(body, form, over_lines=True, everything=True).columns:
        found = column.filter(pc.match_substring_regex(column, rf"[\r\n][^\r\n]*{form.delimiter}"))
        if len(found):
            raise InvalidDataError(
                f"{form.name}: a cell holds whole rows ({shown(found[0].as_py())}): a stray quotation mark."
            )


def _without_notes(body: bytes, form: _Form) -> tuple[bytes, int]:
    """Cut off the lines of prose below the table, which have few cells if any are parted by chance."""
    lines = body.rstrip(b"\r\n \t").split(b"\n") if len(body) < 2**16 else body.rstrip(b"\r\n \t").rsplit(b"\n", _NOTES)
    notes = 0
    while len(lines) > 1:
        row = lines[-1].decode("utf-8", errors="replace").strip("\r").split(form.delimiter)
        filled = [cell for cell in row if cell.strip()]
        most = max(1, form.width // 3) if filled else 1  # commas alone may be a row that broke off
        if len(row) > most or (filled and not is_prose(row[0])):
            break
        notes += bool(filled)
        lines.pop()
    return b"\n".join(lines), notes


def _ragged(body: bytes, form: _Form, problem: Exception) -> InvalidDataError:
    """Say which row has too many or too few cells."""
    reader = csv.reader(io.StringIO(body.decode("utf-8", errors="replace"), newline=""), delimiter=form.delimiter)
    try:
        for row in reader:
            if row and len(row) != form.width:
                where = form.first + reader.line_num - 1
                return InvalidDataError(
                    f"{form.name}, row {where} has {len(row)} cells, the header {form.width}. "
                    f"It begins with {shown(form.delimiter.join(row[:3]))}: is a quotation mark or delimiter missing?"
                )
    except csv.Error as other:
        where = form.first + reader.line_num - 1
        return InvalidDataError(f"{form.name}, row {where} cannot be split into cells: {other}.")
    return InvalidDataError(f"{form.name} cannot be split into cells: {shown(problem)}.")


def check_cells(column: Any, heading: str, *, name: str, limits: Limits) -> None:
    """Refuse cells that are too long.

    Raises
    ------
    InvalidDataError
        The message says how long the longest is.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - importing the library must stay cheap

    for chunk in column.chunks:
        texts = chunk.dictionary if hasattr(chunk, "dictionary") else chunk
        longest = pc.max(pc.binary_length(texts)).as_py() or 0
        if longest > limits.cell_characters:
            raise InvalidDataError(
                f"{name}: a cell under {shown(heading)} has {longest:,} bytes; the limit is "
                f"{limits.cell_characters:,} characters (Limits.cell_characters)."
            )


def count_byte(content: bytes | memoryview, byte: bytes) -> int:
    """Count a byte; several times faster than ``bytes.count`` where it is frequent."""
    whole = np.frombuffer(content, dtype=np.uint8)
    same, total = np.empty(_CHUNK, dtype=bool), 0
    for start in range(0, whole.size, _CHUNK):
        part = whole[start : start + _CHUNK]
        total += int(np.count_nonzero(np.equal(part, byte[0], out=same[: part.size])))
    return total


def _lines(content: bytes) -> int:
    return content.count(b"\n") or content.count(b"\r")
