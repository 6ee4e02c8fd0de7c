"""Tables by quantile of deprivation: labels of every era read by their words, one array cell for each quantile."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from nenc_estimates.errors import SchemaError
from nenc_estimates.tables import gathered, stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame

    from nenc_estimates.tables import Stack

LEAST: Final = 3
"""Fewest quantiles that a measure of inequality is made from: a line through two points says nothing of its fit."""

_UNITS: Final[Mapping[str, int]] = MappingProxyType(
    {"tertile": 3, "third": 3, "quartile": 4, "quarter": 4, "quintile": 5, "fifth": 5, "20%": 5}
    | {"septile": 7, "decile": 10, "tenth": 10, "10%": 10, "vigintile": 20, "5%": 20, "percentile": 100}
)
_ORDINALS: Final[Mapping[str, int]] = MappingProxyType(
    {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5}
)
_UNIT: Final = rf"(?P<unit>{'|'.join(map(re.escape, _UNITS))})"
_WORDED: Final = re.compile(
    rf"(?:the )?(?:(?P<ordinal>{'|'.join(_ORDINALS)}) )?(?P<end>most|more|least|less)(?: deprived)?(?: {_UNIT})?"
)
_MIDDLE: Final = re.compile(rf"(?:average|middle|mid)(?: deprived)?(?: {_UNIT})?")
_NUMBERED: Final = re.compile(
    rf"(?:imd )?(?:{_UNIT} |q|d)?(?P<number>\d+)(?:\.0+)?"
    rf"(?: \(?(?P<end>most|least)(?: deprived)?(?: {_UNIT.replace('unit', 'unit2')})?\)?)?"
)
_INDEX: Final = re.compile(r"\(imd ?\d{4}[^)]*\)|imd ?\d{4}")


def parse_quantiles(
    labels: Iterable[str], *, quantiles: int | None = None, most_deprived: int | None = None
) -> tuple[list[int], int]:
    """Read labels of quantiles of deprivation: 1 is the most deprived, whatever the labels' own direction.

    The labels of one column are read together, because "1 - most deprived" says what "2" means. Direction comes from
    words or from ``most_deprived``, and is never guessed.

    Parameters
    ----------
    labels
        Labels as published: ``"Most deprived decile"``, ``"Fifth more deprived decile (IMD2015)"``, ``"Average deprived
        quintile"``, ``"Least deprived 20%"``, ``"1 - most deprived"``, ``"Q5"``, ``"10"``.
    quantiles
        How many quantiles there are, where no label says it ("decile", "quintile"). Not taken from the largest number:
        the last quantile may be missing.
    most_deprived
        The number that the most deprived quantile has in these labels, 1 or ``quantiles``, where no label says it.

    Returns
    -------
    tuple
        The number of each label, 1 = most deprived; and how many quantiles there are.

    Raises
    ------
    SchemaError
        A label is unknown, contradicts another or the options, or leaves the direction or the number open.

    Examples
    --------
    >>> parse_quantiles(["Least deprived quintile", "Average deprived quintile", "Second most deprived quintile"])
    ([5, 3, 2], 5)
    >>> parse_quantiles(["1", "2", "10"], quantiles=10, most_deprived=10)
    ([10, 9, 1], 10)
    """
    read = {label: _read(label) for label in dict.fromkeys(map(str, labels))}
    unsaid = most_deprived is None and {form for form, _, _ in read.values()} == {"number"}
    count = _agreed(
        {label: unit for label, (_, _, unit) in read.items() if unit},
        quantiles,
        what="the number of quantiles",
        option="quantiles=5, most_deprived=1" if unsaid else "quantiles=5",
    )
    if count < LEAST:
        raise SchemaError(f"a measure of inequality needs {LEAST} or more quantiles, not {count}")
    numbered = {label: number for label, (form, number, _) in read.items() if form in ("number", "most", "least")}
    first = 1
    if numbered:
        said = {label: number for label, (form, number, _) in read.items() if form == "most"}
        said |= {label: count + 1 - number for label, (form, number, _) in read.items() if form == "least"}
        first = _agreed(said, most_deprived, what="which number is the most deprived", option="most_deprived=1")
        if first not in (1, count):
            raise SchemaError(f"the most deprived of {count} quantiles has the number 1 or {count}, not {first}")
    placed = {label: _place(form, number, count, first) for label, (form, number, _) in read.items()}
    for label, number in placed.items():
        if not 1 <= number <= count or number != int(number):
            raise SchemaError(f"label {label!r} is none of {count} quantiles")
    return [int(placed[str(label)]) for label in labels], count


def _read(label: str) -> tuple[str, int, int | None]:
    """Return the form of a label, its number, and how many quantiles it says there are."""
    text = _INDEX.sub(" ", label.casefold())
    text = " ".join(re.sub(r"[‐‑‒–—−:,-]", " ", text.replace("per cent", "%").replace(" %", "%")).split())
    if match := _MIDDLE.fullmatch(text):
        return "middle", 0, _UNITS.get(match["unit"])
    if match := _WORDED.fullmatch(text):
        end = "top" if match["end"] in ("most", "more") else "bottom"
        return end, _ORDINALS.get(match["ordinal"], 1), _UNITS.get(match["unit"])
    if match := _NUMBERED.fullmatch(text):
        return match["end"] or "number", int(match["number"]), _UNITS.get(match["unit"] or match["unit2"])
    raise SchemaError(
        f"label {label!r} is no quantile of deprivation; expected a form such as 'Most deprived quintile', "
        "'Third less deprived decile', '1 - most deprived' or '1'"
    )


def _place(form: str, number: int, count: int, first: int) -> float:
    if form == "middle":
        return (count + 1) / 2
    from_top = form == "top" or (form != "bottom" and first == 1)
    return number if from_top else count + 1 - number


def _agreed(said: Mapping[str, int], given: int | None, *, what: str, option: str) -> int:
    """One number that all who say it agree on."""
    values = {**said, f"the option {option.partition('=')[0]}": given} if given is not None else dict(said)
    if not values:
        raise SchemaError(f"no label says {what}, and it is never guessed: pass it, such as {option}")
    (first, value), *others = values.items()
    for other, differing in others:
        if differing != value:
            raise SchemaError(f"{what} is {value} by {first!r}, but {differing} by {other!r}")
    return value


def stack_quantiles(
    frame: IntoDataFrame,
    columns: Sequence[str],
    *,
    by: Sequence[str],
    quantile: str = "quantile",
    quantiles: int | None = None,
    most_deprived: int | None = None,
    optional: Sequence[str] = (),
) -> Stack:
    """Stack a table by quantile into arrays of shape ``(group, quantile)``, most deprived first.

    Parameters
    ----------
    frame
        Any eager data frame: one row for each group and quantile, in any order.
    columns, optional
        Columns of numbers, and those that are read where they exist.
    by
        Key columns that make a group; may be empty.
    quantile
        The column of quantiles.
    quantiles, most_deprived
        As in `parse_quantiles`.

    Returns
    -------
    Stack
        ``rows`` is -1 in a quantile for which a group has no row.

    Raises
    ------
    SchemaError
        A column is missing or holds no numbers; a label cannot be read.
    InvalidDataError
        A key is empty, or a group has two rows for one quantile, also under two spellings.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"quantile": [10, *range(1, 10)], "value": [83.0, *range(70, 79)]})
    >>> stack_quantiles(frame, ["value"], by=[], quantiles=10, most_deprived=1).values["value"]
    array([[70., 71., 72., 73., 74., 75., 76., 77., 78., 83.]])
    """
    stacked = stack(frame, columns, by=by, axis=quantile, optional=optional)
    numbers, count = parse_quantiles(stacked.labels, quantiles=quantiles, most_deprived=most_deprived)
    place, labels = np.array(numbers, dtype=np.intp) - 1, tuple(str(i + 1) for i in range(count))
    return gathered(stacked, place, labels, what="quantile")
