"""The edge: any data frame to arrays and back.

Every table function stacks its frame here, calls formulas on the arrays, and hands the results back as a tidy frame
of the caller's own kind. All checks of the *shape* of a table are here: columns, keys, numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.table_messages import SHOWN, keys_repeated, listed_rows, no_table, without_columns
from nenc_estimates.text import FORMULA_STARTS, is_formula

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Coded = tuple[NDArray[np.intp], NDArray[np.object_]]
    Texts = tuple[Sequence[str] | NDArray[np.object_], NDArray[np.integer[Any]]]

KEYS = ("indicator", "edition", "sex", "age", "period", "quantile", "cause", "draw")
"""Columns that tell one series from another wherever they occur, in key order; the area comes beside them. Draws of a
simulation are series of their own."""


def open_frame(frame: IntoDataFrame, required: Sequence[str], *, what: str = "the table") -> nw.DataFrame[Any]:
    """Accept a pandas, polars or pyarrow table and check that it has rows and the required columns.

    Raises
    ------
    SchemaError
        The object is not a table, a column is missing or stands twice, or there are no rows.
    """
    try:
        opened = nw.from_native(frame, eager_only=True)
    except (TypeError, ValueError) as problem:
        raise SchemaError(no_table(what, frame, problem)) from problem
    absent = [name for name in required if name not in opened.columns]
    if absent:
        raise SchemaError(without_columns(what, absent, opened.columns))
    if len(opened) == 0:
        raise SchemaError(
            f"{what} has no rows. Look at the filter that made it: which codes, sexes, periods were asked for?"
        )
    return opened


def text_column(opened: nw.DataFrame[Any], name: str) -> NDArray[np.object_]:
    """Read a key column as text.

    Raises
    ------
    InvalidDataError
        A cell is empty; the message names the rows.
    """
    codes, labels = coded_column(opened, name)
    return labels[codes]


def coded_column(opened: nw.DataFrame[Any], name: str) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Read a key column as positions in its ascending labels.

    Raises
    ------
    SchemaError
        The column mixes text with dates or numbers.
    InvalidDataError
        A cell is empty, and the message names the rows, or holds what a spreadsheet would take for a formula.
    """
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap
    import pyarrow.compute as pc  # noqa: PLC0415

    try:
        cells = opened.get_column(name).to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as problem:
        raise SchemaError(
            f"column {name!r} mixes text with cells of another kind, such as dates that a spreadsheet made of labels: "
            "read it as text from the original file."
        ) from problem
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if cells.null_count:
        empty = np.flatnonzero(opened.get_column(name).is_null().to_numpy())
        raise InvalidDataError(f"column {name!r} is empty in {listed_rows([f'row {i}' for i in empty])}.")
    encoded = cells.cast(pa.string()).dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    starts = pc.is_in(pc.utf8_slice_codeunits(encoded.dictionary, 0, 1), value_set=pa.array(FORMULA_STARTS))
    formulas = [label for label in encoded.dictionary.filter(starts).to_pylist() if is_formula(label)]
    if formulas:
        raise InvalidDataError(f"column {name!r} holds {formulas[0][:80]!r}, which starts as a formula does.")
    labels = np.array(encoded.dictionary.to_pylist(), dtype=object)
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()
    place = np.empty(labels.size, dtype=np.intp)
    place[order] = np.arange(labels.size)
    return place[encoded.indices.to_numpy()], labels[order]


def number_column(opened: nw.DataFrame[Any], name: str) -> Floats:
    """Read a column of numbers as float64, a missing cell as ``nan``.

    Raises
    ------
    SchemaError
        The column holds text.
    """
    column = opened.get_column(name)
    if not column.dtype.is_numeric():
        if bool(column.is_null().all()):
            return np.full(len(column), np.nan)
        raise SchemaError(
            f"column {name!r} holds {column.dtype}, not numbers. Read it as numbers, with missing cells empty."
        )
    return np.array(column.cast(nw.Float64).to_numpy(), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A table as arrays of shape ``(group, label)``.

    ``keys`` holds each key column, one text for each group, groups in ascending key order; ``labels`` the labels along
    the last axis; ``values`` each value column, ``nan`` where there is no row; ``rows`` the row of the table that
    filled the cell, -1 where none did; ``texts`` the optional columns of words, empty where there is none.
    """

    keys: Mapping[str, NDArray[np.object_]]
    axis: str
    labels: tuple[str, ...]
    values: Mapping[str, Floats]
    rows: NDArray[np.intp]
    texts: Mapping[str, NDArray[np.object_]]
    backend: Any

    def named(self, cells: NDArray[np.bool_], *, count: int = SHOWN) -> str:
        """Name the table rows behind some cells, for a message."""
        found = np.argwhere(cells)
        texts = []
        for group, label in found[:count]:
            key = [f"{self.axis} {self.labels[label]}", *(f"{name} {self.keys[name][group]}" for name in self.keys)]
            row = self.rows[group, label]
            texts.append(f"row {row} ({', '.join(key)})" if row >= 0 else f"no row for {', '.join(key)}")
        return listed_rows(texts, total=len(found))

    def found_in(self, other: Stack, name: str) -> Floats:
        """Return a value column of another stack at this one's cells, met by key; ``nan`` where it has no row."""
        column = other.values.get(name)
        if column is None:
            return np.full(self.rows.shape, np.nan)
        groups = {key: i for i, key in enumerate(other.group_keys())}
        labels = {label: i for i, label in enumerate(other.labels)}
        group = np.array([groups.get(key, -1) for key in self.group_keys()], dtype=np.intp)[:, None]
        label = np.array([labels.get(name, -1) for name in self.labels], dtype=np.intp)[None, :]
        return np.where((group >= 0) & (label >= 0), column[group, label], np.nan)

    def group_keys(self) -> list[tuple[str, ...]]:
        """Return the key of each group."""
        columns = [key.tolist() for key in self.keys.values()]
        return list(zip(*columns, strict=True)) if columns else [()] * len(self.rows)

    def group_named(self, group: int) -> str:
        """Name one group, for a message."""
        return ", ".join(f"{name} {self.keys[name][group]}" for name in self.keys) or "the table"


def stack(
    frame: IntoDataFrame,
    values: Sequence[str],
    *,
    by: Sequence[str],
    axis: str,
    optional: Sequence[str] = (),
    words: Sequence[str] = (),
) -> Stack:
    """Stack a tidy table into arrays of shape ``(group, label)``.

    Parameters
    ----------
    frame
        Any eager data frame: one row for each group and label.
    values
        Columns of numbers that must be there.
    by
        Key columns that make a group, in key order; may be empty.
    axis
        The column whose labels run along the last axis.
    optional
        Columns of numbers that are read where they exist.
    words
        Columns of words that are read where they exist; a cell may be empty.

    Raises
    ------
    SchemaError
        A column is missing or holds no numbers, or the table has no rows.
    InvalidDataError
        A key is empty or stands on two rows; the message names the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"area_code": ["B", "A"], "sex": "Male", "value": [2, 1]})
    >>> stack(frame, ["value"], by=["sex"], axis="area_code").values["value"]
    array([[1., 2.]])
    """
    opened = open_frame(frame, [*by, axis, *values])
    numbers = {name: number_column(opened, name) for name in (*values, *(o for o in optional if o in opened.columns))}
    columns = {name: coded_column(opened, name) for name in (*by, axis)}
    position, labels = columns[axis]
    group, first = _groups([columns[name] for name in by], len(opened))
    cell = group * labels.size + position
    rows = np.full(first.size * labels.size, -1, dtype=np.intp)
    rows[cell] = np.arange(len(opened))
    if rows.size != len(opened) or rows.min() < 0:  # else every cell is filled, so that no row has met another
        _refuse_duplicates(opened, rows[cell], columns, numbers)
    return Stack(
        keys={name: columns[name][1][columns[name][0][first]] for name in by},
        axis=axis,
        labels=tuple(map(str, labels)),
        values={name: _filled(column, rows).reshape(-1, labels.size) for name, column in numbers.items()},
        rows=rows.reshape(-1, labels.size),
        texts={name: _worded(opened, name, rows).reshape(-1, labels.size) for name in words if name in opened.columns},
        backend=opened.implementation,
    )


def gathered(stacked: Stack, place: NDArray[np.intp], labels: tuple[str, ...], *, what: str) -> Stack:
    """Bring several spellings of a label together; labels without a row stay empty.

    Parameters
    ----------
    stacked
        A table as stacked.
    place
        Position among ``labels`` of each of its labels.
    labels
        The labels wanted, in order.
    what
        What a label is, for a message.

    Raises
    ------
    InvalidDataError
        A group has two rows for one label.
    """
    rows = np.full((len(stacked.rows), len(labels)), -1, dtype=np.intp)
    values = {name: np.full(rows.shape, np.nan) for name in stacked.values}
    for label, target in enumerate(place):
        held = stacked.rows[:, label] >= 0
        twice = np.flatnonzero(held & (rows[:, target] >= 0))
        if twice.size:
            pair = f"{rows[twice[0], target]} and {stacked.rows[twice[0], label]}"
            raise InvalidDataError(
                f"rows {pair} ({stacked.group_named(int(twice[0]))}) are the same {what}, "
                f"{stacked.labels[label]!r}, written in two ways. Keep one."
            )
        rows[held, target] = stacked.rows[held, label]
        for name, column in values.items():
            column[held, target] = stacked.values[name][held, label]
    return replace(stacked, labels=labels, rows=rows, values=values)


def check_values(stacked: Stack) -> None:
    """Refuse what cannot be: infinite values, limits that exclude their value, negative counts, empty denominators.

    Raises
    ------
    SchemaError
        One limit has a column and the other has none.
    InvalidDataError
        The message names the rows.
    """
    values = stacked.values
    for name, numbers in values.items():
        if np.isinf(numbers).any():
            raise InvalidDataError(f"{name} must be finite, but is not in {stacked.named(np.isinf(numbers))}.")
    _check_limits(stacked)
    if "se" in values and (values["se"] < 0).any():
        raise InvalidDataError(f"se must be 0 or more, but is negative in {stacked.named(values['se'] < 0)}.")
    if "count" in values and (values["count"] < 0).any():
        raise InvalidDataError(f"counts must be 0 or more, but are negative in {stacked.named(values['count'] < 0)}.")
    if "denominator" in values and (values["denominator"] <= 0).any():
        raise InvalidDataError(
            f"denominators must be above 0, but are not in {stacked.named(values['denominator'] <= 0)}."
        )


def _check_limits(stacked: Stack) -> None:
    values = stacked.values
    if ("lower" in values) != ("upper" in values):
        there, absent = ("lower", "upper") if "lower" in values else ("upper", "lower")
        raise SchemaError(f"the table has a column {there!r} and no {absent!r}: give both limits, or neither.")
    if {"value", "lower", "upper"} <= set(values):
        faults = (
            (np.isnan(values["lower"]) != np.isnan(values["upper"]), "one limit is there and the other is missing"),
            (values["lower"] > values["upper"], "the lower limit is above the upper one"),
            ((values["lower"] == values["upper"]) & (values["value"] != 0), "the limits have no width"),
            (
                (values["value"] < values["lower"]) | (values["value"] > values["upper"]),
                "the value lies outside its limits",
            ),
        )
        for cells, fault in faults:
            if cells.any():
                raise InvalidDataError(f"{fault} in {stacked.named(cells)}. Correct the rows or empty their limits.")


def tidy(columns: Mapping[str, Any], backend: Any) -> Any:
    """Make a frame of the caller's own kind from equally long columns."""
    return nw.from_dict(dict(columns), backend=backend).to_native()


def tidy_texts(
    before: Mapping[str, Texts], numbers: Mapping[str, Floats], after: Mapping[str, Texts], backend: Any
) -> Any:
    """Make a frame of the caller's own kind from texts, each given once, and where they stand.

    Much faster than :func:`tidy` for a million rows, whose texts are few.

    Parameters
    ----------
    before, after
        Columns before and after the numbers: the texts, and the position of each row's text among them.
    numbers
        Columns of numbers.
    backend
        Kind of frame.
    """
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    def written(texts: Texts) -> Any:
        words, place = pa.array(list(texts[0]), type=pa.large_string()), pa.array(texts[1])
        return pa.repeat(words[0], len(place)) if len(words) == 1 else words.take(place)

    columns = {name: written(texts) for name, texts in before.items()}
    columns |= {name: pa.array(column) for name, column in numbers.items()}
    columns |= {name: written(texts) for name, texts in after.items()}
    made = nw.from_arrow(pa.table(columns), backend=backend)
    # pandas has copied columns of floats, of which there are several; a single one it would share and not let change
    shared = any(column.dtype != np.float64 for column in numbers.values())
    return (made.clone() if shared else made).to_native()


def rows_where(frame: IntoDataFrame, keep: NDArray[np.bool_]) -> Any:
    """Keep the rows where ``keep`` is true, in the frame's own kind."""
    return nw.from_native(frame, eager_only=True).filter(keep.tolist()).to_native()


def _filled(column: Floats, rows: NDArray[np.intp]) -> Floats:
    filled = column[rows]
    filled[rows < 0] = np.nan
    return filled


def _worded(opened: nw.DataFrame[Any], name: str, rows: NDArray[np.intp]) -> NDArray[np.object_]:
    texts = opened.get_column(name).to_arrow().to_pylist()
    return np.array([*("" if text is None else str(text) for text in texts), ""], dtype=object)[rows]


def _groups(columns: list[Coded], n_rows: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the number of each row's group, groups in ascending key order, and the first row of each group."""
    code, size = np.zeros(n_rows, dtype=np.int64), 1
    for position, labels in columns:
        code, size = code * labels.size + position, size * labels.size
        if size > 4 * n_rows:  # keep the numbers small enough to count by
            known, code = np.unique(code, return_inverse=True)
            size = known.size
    present = np.zeros(size, dtype=bool)
    present[code] = True
    group = (np.cumsum(present) - 1)[code]
    first = np.empty(int(present.sum()), dtype=np.intp)
    first[group[::-1]] = np.arange(n_rows)[::-1]
    return group, first


def _refuse_duplicates(
    opened: nw.DataFrame[Any],
    holder: NDArray[np.intp],
    columns: Mapping[str, Coded],
    numbers: Mapping[str, Floats],
) -> None:
    repeated = np.flatnonzero(holder != np.arange(holder.size))
    if repeated.size == 0:
        return
    texts = []
    for row in repeated[:SHOWN]:
        other = holder[row]
        same = all(np.array_equal(column[row], column[other], equal_nan=True) for column in numbers.values())
        key = ", ".join(f"{name} {labels[codes[row]]}" for name, (codes, labels) in columns.items())
        texts.append(f"rows {row} and {other} ({key}; {'equal' if same else 'different'} values)")
    spare = [name for name in KEYS if name in opened.columns and name not in columns]
    cells = {name: opened.get_column(name).to_numpy() for name in spare}
    apart = [name for name, column in cells.items() if (column[repeated] != column[holder[repeated]]).all()]
    raise InvalidDataError(keys_repeated(texts, total=repeated.size, apart=apart))
