"""Parquet files and data frames: tables that have their headings and types already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import EstimatesError, InvalidDataError, SchemaError
from nenc_estimates.readers.delimited import check_cells
from nenc_estimates.readers.grids import Expected, Grid
from nenc_estimates.readers.headings import find_header, locate
from nenc_estimates.readers.report import shown
from nenc_estimates.readers.sources import check_size

if TYPE_CHECKING:
    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.sources import Source

_TEXT_OF_FOOTER = 2**24
_PARTS_OF_FOOTER = 2**20


def read_parquet(content: bytes, expected: Expected, *, name: str, limits: Limits) -> Grid:
    """Read a Parquet file into a grid: its footer first, then only the columns that are needed.

    Raises
    ------
    SchemaError
        It lacks columns or is too large.
    InvalidDataError
        It is damaged.
    """
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap
    from pyarrow import parquet  # noqa: PLC0415 - importing the library must stay cheap

    guards: dict[str, Any] = {
        "thrift_string_size_limit": _TEXT_OF_FOOTER,
        "thrift_container_size_limit": _PARTS_OF_FOOTER,
        "page_checksum_verification": True,
    }
    try:
        footer = parquet.ParquetFile(pa.BufferReader(content), **guards)
        headings = list(footer.schema_arrow.names)
        check_size(footer.metadata.num_rows, len(headings), name=name, limits=limits)
        check_size(footer.metadata.num_rows, footer.metadata.num_columns, name=name, limits=limits)
        places = _places(headings, expected, name)
        flat = [field.name for field in footer.schema_arrow if not pa.types.is_nested(field.type)]
        # kept as few distinct texts: a long one that stands in every row is not multiplied
        words = [f.name for f in footer.schema_arrow if _is_text(f.type) and f.name in flat]
        file = parquet.ParquetFile(pa.BufferReader(content), read_dictionary=words, **guards)
        table = file.read(columns=[headings[at] for at in places.values()])
        table.validate(full=True)
    except EstimatesError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError, OverflowError) as problem:
        raise InvalidDataError(f"{name} cannot be read as Parquet: {shown(problem)}.") from problem
    columns = {field: table.column(headings[at]) for field, at in places.items()}
    for field, column in columns.items():
        if pa.types.is_dictionary(column.type) or _is_text(column.type):
            check_cells(column, headings[places[field]], name=name, limits=limits)
    return _grid(columns, headings, places, name=name, rows=table.num_rows, backend="pandas")


def _is_text(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def read_frame(source: Source, expected: Expected) -> Grid:
    """Read a data frame into a grid, without copying what needs no copy."""
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    frame = source.frame
    if frame is None:
        raise TypeError("there is no frame")
    headings = [str(heading) for heading in frame.columns]
    places = _places(headings, expected, source.name)
    columns = {}
    for field, at in places.items():
        try:
            columns[field] = frame.get_column(frame.columns[at]).to_arrow()
        except (pa.ArrowException, TypeError, ValueError) as problem:
            raise SchemaError(
                f"{source.name}: column {shown(headings[at])} mixes texts, numbers or other things. Read it from its "
                "file as text, or pass the path of the file."
            ) from problem
    return _grid(columns, headings, places, name=source.name, rows=len(frame), backend=frame.implementation)


def _places(headings: list[str], expected: Expected, name: str) -> dict[str, int]:
    if expected.values is None:
        find_header(expected.layout, [headings], name=name, what=expected.what)
    return locate(expected.layout, headings, name=name)


def _grid(
    columns: dict[str, Any], headings: list[str], places: dict[str, int], *, name: str, rows: int, backend: Any
) -> Grid:
    return Grid(
        name=name,
        columns=columns,
        headings={field: headings[at] for field, at in places.items()},
        rows=np.arange(rows),
        backend=backend,
    )
