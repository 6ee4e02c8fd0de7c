"""What a reader is given: a path, bytes or a data frame. Nothing else is opened, and nothing is fetched."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import stat
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.readers.report import shown

if TYPE_CHECKING:
    from nenc_estimates.readers.limits import Limits

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two characters or more: C:\ is a drive
_CHUNK = 2**24
_MOJIBAKE = ("â€".encode(), "Â\u00a0".encode(), "Ã©".encode(), "ï»¿".encode(), "\ufffd".encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Either the bytes of a file or a frame, and a name for messages."""

    name: str
    content: bytes = b""
    frame: nw.DataFrame[Any] | None = None
    digest: Future[str] | None = None

    @property
    def sha256(self) -> str:
        """Checksum of the file, which was reckoned while it was read; empty for a frame."""
        return self.digest.result() if self.digest else ""


def open_source(source: Any, *, limits: Limits) -> Source:
    """Take in a path, bytes or a frame.

    Raises
    ------
    SchemaError
        It is none of these, is an address rather than a path, is no regular file, or is too large.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes("the bytes", bytes(source), limits)
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        return _from_bytes(*_read_path(path.decode() if isinstance(path, bytes) else path, limits), limits)
    try:
        frame = nw.from_native(source, eager_only=True)
    except (TypeError, ValueError) as problem:
        raise SchemaError(
            f"cannot read {type(source).__name__}: expected a path, bytes, or a pandas, polars or pyarrow table "
            f"({shown(problem)})."
        ) from problem
    check_size(len(frame), len(frame.columns), name="the table", limits=limits)
    return Source(name="the table", frame=frame)


def check_size(rows: int, columns: int, *, name: str, limits: Limits) -> None:
    """Refuse a table that is too large.

    Raises
    ------
    SchemaError
        The message says how large it is and which limit to raise.
    """
    if columns > limits.columns:
        raise SchemaError(f"{name} has {columns:,} columns; the limit is {limits.columns:,} (Limits.columns).")
    if rows * columns > limits.cells:
        raise SchemaError(f"{name} has {rows:,} × {columns:,} cells; the limit is {limits.cells:,} (Limits.cells).")


def as_utf8(content: bytes, *, name: str) -> tuple[bytes, str]:
    """Return a text file as UTF-8 without byte order mark, and what it was.

    Raises
    ------
    InvalidDataError
        It is neither UTF-8 nor UTF-16 with its mark, holds zero bytes, or was decoded wrongly once before.
    """
    was = "UTF-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            content, was = content.decode("utf-16").encode(), "UTF-16"
        except UnicodeError as problem:
            raise InvalidDataError(f"{name} begins as UTF-16 but is not: {shown(problem)}.") from problem
    elif content.startswith(codecs.BOM_UTF8):
        content, was = content[3:], "UTF-8 with byte order mark"
    if b"\0" in content:
        raise InvalidDataError(f"{name} holds a zero byte at {content.index(0)}: it is not a text file in UTF-8.")
    if not content.isascii():
        _check_utf8(content, name)
    return content, was


def _check_utf8(content: bytes, name: str) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _CHUNK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(content[start : start + _CHUNK], final=start + _CHUNK >= len(content))
        except UnicodeDecodeError as problem:
            at = start - pending + problem.start
            raise InvalidDataError(
                f"{name} is not UTF-8: byte {content[at]:#04x} at offset {at:,} (line {_line(content, at):,}). "
                "Save it again as 'CSV UTF-8'."
            ) from problem
    for sign in _MOJIBAKE:
        if sign in content:
            at = content.index(sign)
            raise InvalidDataError(
                f"{name} holds {shown(sign.decode())} at byte {at:,} (line {_line(content, at):,}): text that was once "
                "read in the wrong encoding. Take the original file."
            )


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1


def _read_path(path: str, limits: Limits) -> tuple[str, bytes]:
    if _SCHEME.match(path):
        raise SchemaError(f"{shown(path)} is an address, not a local path. Download the file and pass its path.")
    try:
        status = os.stat(path)  # noqa: PTH116 - a path with a zero byte must be met here
        if not stat.S_ISREG(status.st_mode):
            raise SchemaError(f"{shown(path)} is not a file.")
        with Path(path).open("rb") as file:
            return Path(path).name, file.read(limits.file_bytes + 1)
    except SchemaError:
        raise
    except (OSError, ValueError) as problem:
        raise SchemaError(f"cannot open {shown(path)}: {getattr(problem, 'strerror', None) or problem}.") from problem


def _from_bytes(name: str, content: bytes, limits: Limits) -> Source:
    if len(content) > limits.file_bytes:
        raise SchemaError(f"{name} is larger than {limits.file_bytes:,} bytes (Limits.file_bytes).")
    pool = ThreadPoolExecutor(1)
    digest = pool.submit(lambda: hashlib.sha256(content).hexdigest())
    pool.shutdown(wait=False)
    return Source(name=name[:80], content=content, digest=digest)
