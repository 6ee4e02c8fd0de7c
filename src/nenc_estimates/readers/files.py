"""From what a caller passes to a grid: the kind of file is told from its first bytes, never from its name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from nenc_estimates.errors import SchemaError
from nenc_estimates.readers.archives import is_workbook, single_table, unpack
from nenc_estimates.readers.columnar import read_frame, read_parquet
from nenc_estimates.readers.delimited import read_delimited
from nenc_estimates.readers.grids import Expected, Grid, trimmed
from nenc_estimates.readers.headings import HeaderNotFoundError
from nenc_estimates.readers.report import Log, Read, shown
from nenc_estimates.readers.sources import Source, open_source
from nenc_estimates.readers.workbooks import read_workbook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nenc_estimates.readers.limits import Limits

_REFUSED = {
    b"\x1f\x8b": "compressed with gzip",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"%PDF": "a PDF",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"SQLite format 3": "a database",
}


def open_grids(source: Any, expected: Expected, *, sheet: str | None, limits: Limits) -> tuple[list[Grid], Log]:
    """Open what a caller passed, and return every table in it that is what was expected.

    Raises
    ------
    SchemaError
        It is not what was expected, or not a file that is read here.
    InvalidDataError
        It is damaged.
    """
    opened = open_source(source, limits=limits)
    log = Log(source=opened.name)
    grids = _grids(opened, expected, sheet=sheet, limits=limits, log=log)
    log.sha256 = opened.sha256
    return [trimmed(grid, expected, log) for grid in grids], log


def open_first(
    source: Any, forms: Sequence[Expected], *, sheet: str | None, limits: Limits
) -> tuple[list[Grid], Log, Expected]:
    """Open what a caller passed in the first of several forms that it has.

    Raises
    ------
    SchemaError
        It has none of them; the message is that of the first.
    """
    first: HeaderNotFoundError | None = None
    for form in forms:
        try:
            return *open_grids(source, form, sheet=sheet, limits=limits), form
        except HeaderNotFoundError as problem:
            first = first or problem
    raise first or SchemaError("no form was given")


def open_grid(source: Any, expected: Expected, *, sheet: str | None, limits: Limits) -> tuple[Grid, Log]:
    """Open what a caller passed when it must hold one table.

    Raises
    ------
    SchemaError
        Several sheets are what was expected; the message lists them.
    """
    grids, log = open_grids(source, expected, sheet=sheet, limits=limits)
    if len(grids) > 1:
        titles = ", ".join(repr(grid.sheet) for grid in grids)
        raise SchemaError(
            f"{log.source} holds {len(grids)} sheets that are {expected.what}: say sheet= one of {titles}."
        )
    log.sheet = grids[0].sheet
    return grids[0], log


def finished(columns: Mapping[str, Any], grid: Grid, log: Log) -> Read:
    """Hand over the table, in the caller's own kind, and the report."""
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    with ThreadPoolExecutor(pa.cpu_count()) as pool:  # writing texts out leaves Python free
        table = pa.table(list(pool.map(_arrow, columns.values())), names=list(columns))
    made = nw.from_native(table, eager_only=True)
    backend = grid.backend
    native = (
        table
        if str(backend) in ("pyarrow", "Implementation.PYARROW")
        else nw.from_arrow(made, backend=backend).to_native()
    )
    return Read(table=native, report=log.report(rows_out=table.num_rows))


def _arrow(column: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    if hasattr(column, "to_arrow"):
        return column.to_arrow()
    return pa.array(column, from_pandas=True)


def _grids(opened: Source, expected: Expected, *, sheet: str | None, limits: Limits, log: Log) -> list[Grid]:
    if opened.frame is not None:
        log.format = "data frame"
        return [read_frame(opened, expected)]
    name, content, members = opened.name, opened.content, {}
    if content.startswith(b"PK"):
        members = unpack(content, name=name, limits=limits)
        if not is_workbook(members, name=name):
            (name, content), members = single_table(members, name=name), {}
    if members or content.startswith(b"\xd0\xcf\x11\xe0"):
        log.format = "workbook"
        return read_workbook(content, members, expected, name=name, sheet=sheet, limits=limits)
    if sheet is not None:
        raise SchemaError(f"{name} is no workbook, so it has no sheet {shown(sheet)}.")
    return [_table(content, expected, name=name, limits=limits, log=log)]


def _table(content: bytes, expected: Expected, *, name: str, limits: Limits, log: Log) -> Grid:
    """Read a file that holds one table."""
    if content.startswith(b"PAR1"):
        log.format = "Parquet"
        return read_parquet(content, expected, name=name, limits=limits)
    for start, what in _REFUSED.items():
        if content.startswith(start):
            raise SchemaError(f"{name} is {what}, which is not read here. Save it as CSV, Excel or Parquet.")
    log.format = "text"
    return read_delimited(content, expected, name=name, limits=limits, log=log)
