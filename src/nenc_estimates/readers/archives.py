"""Zip files, which workbooks are too: measured before anything is unpacked."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.parsers import expat

from nenc_estimates.errors import EstimatesError, InvalidDataError, SchemaError
from nenc_estimates.readers.report import shown

if TYPE_CHECKING:
    from nenc_estimates.readers.limits import Limits

_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_NESTED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")


def unpack(content: bytes, *, name: str, limits: Limits) -> dict[str, bytes]:
    """Unpack a zip file within the limits; sizes are counted, not believed.

    Raises
    ------
    SchemaError
        It holds too many files or too much.
    InvalidDataError
        It is damaged, encrypted, or holds two files of one name.
    """
    members: dict[str, bytes] = {}
    room = min(limits.expanded_bytes, limits.expansion * max(len(content), 2**10))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
            if len(listed) > limits.members or sum(info.file_size for info in listed) > room:
                raise SchemaError(_too_much(name, limits))
            for info in listed:
                with archive.open(info) as member:
                    data = member.read(room + 1)
                room -= len(data)
                if room < 0:
                    raise SchemaError(_too_much(name, limits))
                if info.filename in members:
                    raise InvalidDataError(f"{name} holds {shown(info.filename)} twice.")
                members[info.filename] = data
    except EstimatesError:
        raise
    except Exception as problem:
        raise InvalidDataError(f"{name} cannot be unpacked: {shown(problem)}.") from problem
    return members


def is_workbook(members: dict[str, bytes], *, name: str) -> bool:
    """Whether a zip file is a workbook that can be read.

    Raises
    ------
    SchemaError
        It is a binary one.
    """
    if "xl/workbook.bin" in members:
        raise SchemaError(f"{name} is a binary workbook (.xlsb). Save it as .xlsx or CSV.")
    return "xl/workbook.xml" in members or "content.xml" in members


def single_table(members: dict[str, bytes], *, name: str) -> tuple[str, bytes]:
    """Return the only file in a zip file.

    Raises
    ------
    SchemaError
        There are several, or it is an archive itself.
    """
    files = [member for member in members if not member.endswith("/") and not member.startswith("__MACOSX/")]
    if len(files) != 1:
        listed = ", ".join(shown(file) for file in files[:10])
        raise SchemaError(f"{name} holds {len(files)} files ({listed}). Unpack it and pass one.")
    content = members[files[0]]
    if content.startswith(_NESTED):
        raise SchemaError(f"{name} holds an archive or workbook ({shown(files[0])}). Unpack it and pass that.")
    return f"{name}, {files[0]}"[:80], content


def check_sheets(members: dict[str, bytes], *, name: str, limits: Limits) -> None:
    """Refuse a workbook whose sheets span too many cells: those between the corners are made in memory, filled or not.

    Raises
    ------
    SchemaError
        A sheet is too large.
    InvalidDataError
        Its XML is malformed, or declares a document type or entities.
    """
    for member, data in members.items():
        if b"<" not in data[:1000] or not (b"sheetData" in data or member == "content.xml"):
            continue
        extent = _Extent(limit=limits.workbook_cells)
        parser = expat.ParserCreate()
        parser.StartElementHandler = extent.opened
        parser.StartDoctypeDeclHandler = _no_doctype
        try:
            parser.Parse(data, True)  # noqa: FBT003 - the name of this argument differs between versions
        except _TooLargeError as problem:
            raise SchemaError(
                f"{name}: a sheet spans more than {limits.workbook_cells:,} cells (Limits.workbook_cells). "
                "Delete empty rows and columns, or save it as CSV."
            ) from problem
        except (expat.ExpatError, ValueError) as problem:
            raise InvalidDataError(f"{name}: {shown(member)} is not sound XML: {shown(problem)}.") from problem


class _TooLargeError(Exception):
    """A sheet is too large."""


@dataclass(slots=True, kw_only=True)
class _Extent:
    """The corner of a sheet, as far as it was read: Excel's references, OpenDocument's repetitions."""

    limit: int
    row: int = 0
    column: int = 0
    width: int = 0

    def opened(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if kind in ("sheetData", "table"):
            self.row = self.column = self.width = 0
        elif kind == "row":
            self.row = max(self.row + 1, _whole(attributes.get("r")))
            self.column = 0
        elif kind == "c":
            self._cell(attributes.get("r", ""))
        elif kind == "table-row":
            self._repeat_row(attributes)
        elif kind in ("table-cell", "covered-table-cell"):
            self._repeat_cell(attributes)
        if self.row * self.width > self.limit:
            raise _TooLargeError

    def _cell(self, reference: str) -> None:
        self.column += 1
        match = _CELL.fullmatch(reference.upper())
        if match:
            letters = match[1]
            self.column = sum((ord(c) - 64) * 26**i for i, c in enumerate(reversed(letters)))
            self.row = max(self.row, int(match[2]))
        self.width = max(self.width, self.column)

    def _repeat_row(self, attributes: dict[str, str]) -> None:
        self._pending_row = max(1, _whole(attributes.get("table:number-rows-repeated")))
        self.column = 0

    def _repeat_cell(self, attributes: dict[str, str]) -> None:
        self.column += max(1, _whole(attributes.get("table:number-columns-repeated")))
        if any(name.startswith(("office:", "calcext:value")) for name in attributes):
            self.row += self._pending_row
            self._pending_row = 0
            self.width = max(self.width, self.column)

    _pending_row: int = 0


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _no_doctype(*_: object) -> None:
    raise ValueError("a document type is declared")


def _too_much(name: str, limits: Limits) -> str:
    return (
        f"{name} unpacks to too much: the limits are {limits.members:,} files, {limits.expanded_bytes:,} bytes and "
        f"{limits.expansion} times its size (Limits.members, expanded_bytes, expansion)."
    )
