"""Tables by age: rows found by key, any age label in use, one array cell for each group and band."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels.levels import z_value
from nenc_estimates.tables import gathered, stack, tidy_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.kernels.levels import Confidence
    from nenc_estimates.tables import Stack, Texts

    Floats = NDArray[np.float64]
    Ages = str | int | Sequence[str | int]


def stack_ages(
    frame: IntoDataFrame, columns: Sequence[str], *, by: Sequence[str], bands: AgeBands, age: str = "age"
) -> Stack:
    """Stack a table by age into arrays of shape ``(group, band)``.

    Parameters
    ----------
    frame
        Any eager data frame: one row for each group and age band, in any order.
    columns
        Columns of numbers.
    by
        Key columns that make a group; may be empty.
    bands
        The age bands.
    age
        The column of ages: labels in any form that ``parse_age`` reads, or first ages as numbers.

    Returns
    -------
    Stack
        ``rows`` is -1 in a band for which a group has no row.

    Raises
    ------
    SchemaError
        A column is missing or holds no numbers; a label is not an age or none of the bands; the message names the rows.
    InvalidDataError
        A key is empty, or a group has two rows for one band, also under two spellings.

    Examples
    --------
    >>> import pandas as pd
    >>> from nenc_estimates.age_bands import AgeBands
    >>> frame = pd.DataFrame({"age": ["5 and over", "01 to 04", "Under 1"], "deaths": [9, 1, 4]})
    >>> stack_ages(frame, ["deaths"], by=[], bands=AgeBands((0, 1, 5))).values["deaths"]
    array([[4., 1., 9.]])
    """
    stacked = stack(frame, columns, by=by, axis=age)
    place = np.array([_band(stacked, label, bands) for label in range(len(stacked.labels))], dtype=np.intp)
    if np.array_equal(np.sort(place), np.arange(len(bands))):
        order = np.argsort(place)
        values = {name: column[:, order] for name, column in stacked.values.items()}
        return replace(stacked, labels=bands.labels, rows=stacked.rows[:, order], values=values)
    return gathered(stacked, place, bands.labels, what="age band")


def _band(stacked: Stack, label: int, bands: AgeBands) -> int:
    try:
        return bands.index(stacked.labels[label])
    except SchemaError as problem:
        cells = (stacked.rows >= 0) & (np.arange(len(stacked.labels)) == label)
        raise SchemaError(
            f"{problem}. Found in {stacked.named(cells)}. Keep the rows of these bands only, or pass the bands of the "
            "table: bands=AgeBands.from_labels(...)."
        ) from problem


def chosen_ages(at: Ages, bands: AgeBands) -> NDArray[np.intp]:
    """Positions of the bands that ``at`` names, ascending.

    Parameters
    ----------
    at
        ``"all"``, or one or several ages: labels, or the ages at which bands begin.
    bands
        The age bands.

    Raises
    ------
    ValueError
        It is something else.
    SchemaError
        An age is none of the bands.

    Examples
    --------
    >>> from nenc_estimates.age_bands import ABRIDGED_90
    >>> chosen_ages((65, 0), ABRIDGED_90)
    array([ 0, 14])
    """
    if isinstance(at, str) and at == "all":
        return np.arange(len(bands))
    named = [at] if isinstance(at, (str, Integral)) or not isinstance(at, Iterable) else list(at)
    if not all(isinstance(age, (str, Integral)) for age in named):
        raise ValueError(
            f"{at!r} names no ages: write 'all', or one or several labels ('65-69') or ages at which bands begin, "
            "such as (0, 65)."
        )
    return np.array(sorted({bands.index(age) for age in named}), dtype=np.intp)


def check_shares(stacked: Stack, names: Sequence[str]) -> None:
    """Refuse columns that hold something else than shares.

    Raises
    ------
    InvalidDataError
        A cell lies outside 0 to 1; the message names the rows.
    """
    for name in names:
        outside = (stacked.values[name] < 0) | (stacked.values[name] > 1)
        if outside.any():
            raise InvalidDataError(
                f"{name} is a share between 0 and 1, but is not in {stacked.named(outside)}. Divide percentages by 100."
            )


def limit_columns(value: Floats, se: Floats, confidence: Confidence) -> dict[str, Floats]:
    """Limits at one or several levels: ``lower, upper``, then ``lower_998, upper_998`` and so on.

    Parameters
    ----------
    value, se
        Estimates and their standard errors.
    confidence
        Level or levels; the first one's limits have the plain names.

    Examples
    --------
    >>> list(limit_columns(np.array([80.0]), np.array([0.2]), (0.95, 0.998)))
    ['lower', 'upper', 'lower_998', 'upper_998']
    """
    columns: dict[str, Floats] = {}
    quantiles = np.atleast_1d(z_value(confidence))
    for i, (level, z) in enumerate(zip(np.atleast_1d(confidence), quantiles, strict=True)):
        ending = f"_{f'{level:.10g}'[2:]}" if i else ""
        columns[f"lower{ending}"] = value - z * se
        columns[f"upper{ending}"] = value + z * se
    return columns


def sum_from_age_up(counts: Floats) -> Floats:
    """Sum each age and all later ones, along the last axis.

    Examples
    --------
    >>> sum_from_age_up(np.array([1.0, 2.0, 4.0]))
    array([7., 6., 4.])
    """
    sums = counts.copy()
    for age in range(counts.shape[-1] - 2, -1, -1):  # a fifth of the time of cumsum along a short axis
        sums[..., age] += sums[..., age + 1]
    return sums


def joined_codes(quality: Texts, groups: NDArray[np.object_]) -> Texts:
    """Put codes of cells behind codes of their groups.

    Parameters
    ----------
    quality
        Texts, and which of them stands in each cell ``(group, band)``.
    groups
        Text of each group.

    Examples
    --------
    >>> texts, place = joined_codes((["", "few"], np.array([[0, 1]])), np.array(["part"], dtype=object))
    >>> [texts[i] for i in place[0]]
    ['part', 'part;few']
    """
    texts, place = quality
    known, group = np.unique(groups.astype(str), return_inverse=True)
    both = [";".join(filter(None, (first, second))) for first in known.tolist() for second in texts]
    return both, group.reshape(-1, 1) * len(texts) + place


def tidy_ages(
    stacked: Stack,
    at: NDArray[np.intp],
    numbers: Mapping[str, Floats],
    quality: Texts,
    *,
    before: Mapping[str, NDArray[np.object_]] | None = None,
    after: Mapping[str, NDArray[np.object_]] | None = None,
) -> Any:
    """Make a frame of the caller's own kind: one row for each group and chosen age, in key order.

    Parameters
    ----------
    stacked
        Where the groups, bands and kind of frame come from.
    at
        Positions of the ages wanted.
    numbers
        Columns of numbers ``(group, band)``.
    quality
        Texts, and which of them stands in each cell ``(group, band)``.
    before, after
        Further columns of text ``(group,)``, behind the keys and behind ``quality``.
    """
    groups = np.repeat(np.arange(len(stacked.rows), dtype=np.int32), at.size)
    ages = np.tile(at.astype(np.int32), len(stacked.rows))
    texts, cells = quality
    whole = at.size == len(stacked.labels)

    def chosen(column: NDArray[Any]) -> NDArray[Any]:
        return (column if whole else column[:, at]).ravel()

    return tidy_texts(
        {name: (key, groups) for name, key in ({**stacked.keys, **(before or {})}).items()}
        | {"age": (stacked.labels, ages)},
        {name: chosen(column) for name, column in numbers.items()},
        {"quality": (texts, chosen(cells))} | {name: (key, groups) for name, key in (after or {}).items()},
        stacked.backend,
    )
