"""Rows: equal copies dropped, contradictions refused, some chosen, totals told from their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.readers.report import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nenc_estimates.readers.cells import Coded
    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.report import Log

    Bools = NDArray[np.bool_]

_LARGE = 2**40


def choose(column: Coded, wanted: str | None, keep: Bools, log: Log, *, name: str) -> Bools:
    """Narrow the rows to those with a label, if one is asked for.

    Raises
    ------
    SchemaError
        No row has it; the message lists the labels that there are.
    """
    if wanted is None:
        return keep
    chosen = keep & column.is_label(wanted)
    if not chosen.any():
        there = column.only(keep).present()
        more = f" and {len(there) - 40} more" if len(there) > 40 else ""
        listed = ", ".join(map(shown, there[:40])) or "none"
        raise SchemaError(f"{log.source} has no rows with {name} {shown(wanted)}. There are: {listed}{more}.")
    log.set_aside(f"other {name} than {shown(wanted)}", int(keep.sum() - chosen.sum()))
    return chosen


def group_numbers(columns: Sequence[NDArray[np.int64] | NDArray[np.int32]]) -> NDArray[np.int64]:
    """Return one number a row, equal where all columns are."""
    numbers = np.zeros(columns[0].size, dtype=np.int64)
    size = 1
    for column in columns:
        low = int(column.min(initial=0))
        width = int(column.max(initial=0)) - low + 1
        numbers, size = numbers * width + (column - low), size * width
        if size > _LARGE:
            known, numbers = np.unique(numbers, return_inverse=True)
            size = known.size
    return numbers


def unrepeated(
    keys: Mapping[str, Coded],
    payload: Mapping[str, Coded | NDArray[np.float64]],
    keep: Bools,
    grid: Grid,
    log: Log,
) -> Bools:
    """Drop equal copies of a row.

    Raises
    ------
    InvalidDataError
        Two rows have one key and different values; the message names both.
    """
    rows = np.flatnonzero(keep)
    number = group_numbers([column.codes[rows] for column in keys.values()])
    order = np.argsort(number, kind="stable")
    again = np.zeros(rows.size, dtype=bool)
    again[1:] = number[order][1:] == number[order][:-1]
    if not again.any():
        return keep
    later = rows[order[again]]
    starts = np.maximum.accumulate(np.where(again, 0, np.arange(rows.size)))
    first = rows[order[starts[again]]]
    for name, column in payload.items():
        values = column if isinstance(column, np.ndarray) else column.codes
        differ = (values[later] != values[first]) & ~(np.isnan(values[later]) & np.isnan(values[first]))
        if differ.any():
            one, other = int(first[np.argmax(differ)]), int(later[np.argmax(differ)])
            texts = {key: _cell(labels, one) for key, labels in keys.items()}
            key = ", ".join(f"{key} {text}" for key, text in texts.items() if text)
            raise InvalidDataError(
                f"{grid.name}: rows {grid.rows[one]} and {grid.rows[other]} have one key ({key}) and different {name} "
                f"({_cell(column, one)}, {_cell(column, other)}). Two editions or areas are mixed: keep one."
            )
    log.set_aside("equal copy", later.size, grid.where(np.isin(np.arange(len(grid)), later)))
    kept = keep.copy()
    kept[later] = False
    return kept


def without_totals(
    column: Coded,
    *,
    total: str,
    parts: Sequence[str],
    others: Sequence[Coded],
    values: NDArray[np.float64],
    keep: Bools,
    grid: Grid,
    log: Log,
) -> Bools:
    """Set aside rows of a total whose parts are all there and add up to it, so that nobody is counted twice.

    Raises
    ------
    InvalidDataError
        The parts do not add up to their total; the message names the row.
    """
    rows = np.flatnonzero(keep & column.is_label(total, *parts))
    is_total = column.is_label(total)[rows]
    if not len(parts) or not is_total.any() or is_total.all():
        return keep
    number = group_numbers([other.codes[rows] for other in others]) if others else np.zeros(rows.size, dtype=np.int64)
    group = np.unique(number, return_inverse=True)[1]
    count = np.bincount(group[~is_total], minlength=group.max() + 1)
    sums = np.bincount(group[~is_total], weights=values[rows][~is_total], minlength=group.max() + 1)
    complete = is_total & (count[group] == len(parts))
    complete &= ~np.isnan(sums[group]) & ~np.isnan(values[rows])
    wrong = complete & (np.abs(sums[group] - values[rows]) > 0.5)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InvalidDataError(
            f"{grid.name}, row {grid.rows[rows[at]]}: {shown(total)} is {float(values[rows[at]])!r}, but its parts add "
            f"up to {float(sums[group[at]])!r}. Different editions or rounding: take one source."
        )
    log.set_aside(f"{total!r}, which its parts add up to", int(complete.sum()))
    kept = keep.copy()
    kept[rows[complete]] = False
    return kept


def _cell(column: Coded | NDArray[np.float64], row: int) -> str:
    """Show one cell for a message."""
    if isinstance(column, np.ndarray):
        return f"{float(column[row])!r}"
    code = int(column.codes[row])
    return shown(column.labels[code]) if code >= 0 else ""
