"""The files that travel with the package: each has an entry in a manifest, and nothing else is read."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotation
from datetime import date  # noqa: TC003 - pydantic reads the annotation
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.text import is_formula

if TYPE_CHECKING:
    import pyarrow as pa

Folder = Literal["lookups", "indicators"]

COLUMN_TYPES = MappingProxyType(
    {
        "value": "float64",
        "lower": "float64",
        "upper": "float64",
        "low": "float64",
        "high": "float64",
        "share": "float64",
        "people": "int64",
        "deaths": "int64",
        "population": "int64",
        "year": "int64",
    }
)
"""Arrow types of the columns that hold numbers; every other column is text."""


class Entry(BaseModel):
    """What the manifest says about one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    publisher: str
    edition: str
    licence: str
    retrieved: date
    rows: int
    sha256: str
    source: str | None = None
    target: str | None = None
    basis: str | None = None
    series: str | None = None
    indicator: str | None = None
    edition_id: str | None = None
    status: str | None = None
    decimals: int | None = None
    modelled: bool = False


def data_folder() -> Path:
    """Return the folder of the packaged data, in an installed wheel and in an editable install alike."""
    installed = Path(str(files("nenc_estimates"))) / "data"
    if installed.is_dir():
        return installed
    return Path(__file__).resolve().parents[2] / "data"


@cache
def manifest(folder: Folder) -> Mapping[str, Entry]:
    """Return the manifest of a data folder: file name to :class:`Entry`.

    Examples
    --------
    >>> manifest("lookups")["crosswalk_utla21_nenc.csv"].source
    'utla21'
    """
    text = (data_folder() / folder / "manifest.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: Entry.model_validate(entry) for name, entry in tomllib.loads(text).items()})


@cache
def read_packaged(folder: Folder, name: str) -> pa.Table:
    """Read one packaged CSV after checking it against its manifest entry.

    Parameters
    ----------
    folder
        ``"lookups"`` or ``"indicators"``.
    name
        File name, as in the manifest.

    Returns
    -------
    pyarrow.Table
        Columns as in the file. Text stays text (an empty cell is ``""``); the columns of
        :data:`COLUMN_TYPES` are numbers, and an empty cell there is null.

    Raises
    ------
    SchemaError
        The manifest does not name the file; the message lists what it names.
    InvalidDataError
        The file is not the one that the manifest describes (checksum or rows).

    Examples
    --------
    >>> read_packaged("lookups", "areas.csv").column_names[:2]
    ['code', 'name']
    """
    from pyarrow import csv  # noqa: PLC0415 - importing the library must stay cheap

    known = manifest(folder)
    if name not in known:
        raise SchemaError(f"{name!r} is not in the manifest of data/{folder}. It names: {', '.join(known)}.")
    content = (data_folder() / folder / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != known[name].sha256:
        raise InvalidDataError(
            f"data/{folder}/{name} is not the file that its manifest describes (sha256 differs). "
            "Restore the file, or change the manifest together with it."
        )
    header = content.split(b"\n", 1)[0].decode().split(",")
    table = csv.read_csv(
        BytesIO(content),
        convert_options=csv.ConvertOptions(
            column_types={column: COLUMN_TYPES.get(column, "string") for column in header},
            strings_can_be_null=False,
        ),
    )
    formulas = [cell for column in table.columns for cell in _labels(column) if is_formula(cell)]
    if formulas:
        raise InvalidDataError(
            f"data/{folder}/{name}: {formulas[0][:80]!r} starts as a formula does; write it otherwise."
        )
    if table.num_rows != known[name].rows:
        raise InvalidDataError(f"data/{folder}/{name} has {table.num_rows} rows; its manifest says {known[name].rows}.")
    return table


def _labels(column: pa.ChunkedArray) -> list[str]:
    """Return the distinct texts of a column; none of a column of numbers."""
    return [] if str(column.type) != "string" else [str(cell) for cell in column.unique().to_pylist()]


def indicator_files() -> Mapping[tuple[str, str], str]:
    """Return (indicator, edition) to file name for every packaged indicator."""
    named = {
        (entry.indicator, entry.edition_id): name
        for name, entry in manifest("indicators").items()
        if entry.indicator and entry.edition_id
    }
    return MappingProxyType(named)
