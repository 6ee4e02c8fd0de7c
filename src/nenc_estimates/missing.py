"""What to do about an area without a value. The default is to stop and say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nenc_estimates.errors import SchemaError
from nenc_estimates.quality import REASONS
from nenc_estimates.tables import KEYS, check_values, open_frame, stack
from nenc_estimates.vintages import merge_superseded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nenc_estimates.tables import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Give no value but the range over everything that the missing areas could be.

    Parameters
    ----------
    lowest, highest
        Of an area without a value, in its unit: 0 and 100 for a percentage, 1 and 7 for a suppressed count.

    Examples
    --------
    >>> Bounds(lowest=1, highest=7)
    Bounds(lowest=1, highest=7)
    """

    lowest: float
    highest: float

    def __post_init__(self) -> None:
        if not (isinstance(self.lowest, (int, float)) and isinstance(self.highest, (int, float))):
            raise ValueError(f"lowest and highest must be numbers, not {self.lowest!r} and {self.highest!r}.")
        if not self.lowest <= self.highest:
            raise ValueError(f"lowest is {self.lowest} and highest {self.highest}; lowest must not be above highest.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imputed:
    """Take missing values from another table.

    Parameters
    ----------
    table
        The same key columns as the table to be completed, ``area_code`` and its columns of numbers.
    source
        What the values are and where they come from; carried into ``notes``.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"area_code": ["E06000001"], "value": [57.1]})
    >>> Imputed(table=before, source="the same area, one period before").source
    'the same area, one period before'
    """

    table: Any
    source: str

    def __post_init__(self) -> None:
        if not isinstance(self.source, str) or not self.source.strip():
            raise ValueError("source is empty: say where the imputed values come from.")


Missing = Literal["error", "renormalise", "bounds"] | Bounds | Imputed


def check_missing(missing: object, *, kind: str, multiplier: float = 1.0) -> None:
    """Refuse a policy that is unknown, or that a kind does not allow.

    Raises
    ------
    ValueError
        The message says what to pass instead.
    """
    if missing == "impute":
        raise ValueError(
            "pass missing=Imputed(table=..., source=...): values are not made up, they come from somewhere."
        )
    if missing not in ("error", "renormalise", "bounds") and not isinstance(missing, (Bounds, Imputed)):
        raise ValueError(f"missing {missing!r} is unknown. Known: 'error', 'renormalise', 'bounds', Bounds, Imputed.")
    if kind == "count" and missing == "renormalise":
        raise ValueError("a count is not averaged: scaling it up for areas without one must be a decision of its own.")
    shares = ("proportion", "share of services")
    if (
        isinstance(missing, Bounds)
        and kind not in shares
        and kind not in ("mean", "index score")
        and missing.lowest < 0
    ):
        raise ValueError(f"bounds of kind {kind!r} must not be below 0, but lowest is {missing.lowest}.")
    if isinstance(missing, Bounds) and kind in shares and not 0 <= missing.lowest <= missing.highest <= multiplier:
        raise ValueError(f"bounds of kind {kind!r} must lie between 0 and {multiplier:g}, not {missing}.")
    if missing == "bounds" and kind not in shares:
        raise ValueError(f"kind {kind!r} has no natural bounds: pass missing=Bounds(lowest=..., highest=...).")


def impute(stacked: Stack, missing: Imputed) -> tuple[Stack, NDArray[np.bool_]]:
    """Fill cells without a value from another table; also which were filled.

    Raises
    ------
    SchemaError
        The other table lacks a key column.
    """
    by = [name for name in KEYS if name in stacked.keys]
    opened = open_frame(missing.table, [*by, "area_code"], what="the table of imputed values")
    given = [name for name in stacked.values if name in opened.columns]
    if not given:
        raise SchemaError(f"the table of imputed values has none of the columns {', '.join(stacked.values)}.")
    other, _ = merge_superseded(stack(missing.table, given, by=by, axis="area_code"))
    check_values(other)
    absent = sorted(set(other.labels) - set(stacked.labels))
    whole = widened(stacked, absent)
    first = "count" if "count" in given and "count" in whole.values else given[0]
    found = {name: whole.found_in(other, name) for name in whole.values}
    filled = np.isnan(whole.values[first]) & ~np.isnan(found[first])
    values = {name: np.where(filled, found[name], column) for name, column in whole.values.items()}
    return replace(whole, values=values), filled


def widened(stacked: Stack, labels: list[str]) -> Stack:
    """Add labels without rows to a stack, keeping the labels in order."""
    names = tuple(sorted({*stacked.labels, *labels}))
    place = np.array([stacked.labels.index(name) if name in stacked.labels else -1 for name in names])

    def spread(column: NDArray[Any], empty: Any) -> NDArray[Any]:
        made = np.full((column.shape[0], len(names)), empty, dtype=column.dtype)
        made[:, place >= 0] = column[:, place[place >= 0]]
        return made

    return replace(
        stacked,
        labels=names,
        values={name: spread(column, np.nan) for name, column in stacked.values.items()},
        rows=spread(stacked.rows, -1),
        texts={name: spread(column, "") for name, column in stacked.texts.items()},
    )


def check_reasons(stacked: Stack) -> None:
    """Refuse a reason for a missing value that is not one of the three.

    Raises
    ------
    SchemaError
        The message names the rows.
    """
    reasons = stacked.texts.get("missing_reason")
    if reasons is None:
        return
    strange = ~np.isin(reasons, ["", *REASONS])
    if strange.any():
        raise SchemaError(
            f"missing_reason must be one of {', '.join(REASONS)} or empty, but is not in {stacked.named(strange)}."
        )
