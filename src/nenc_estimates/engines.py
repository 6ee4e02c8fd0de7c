"""Tables of any engine: opened, checked by aggregates, joined, without collecting their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import narwhals.stable.v2 as nw

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.table_messages import without_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoFrame

    Frame = nw.DataFrame[Any] | nw.LazyFrame[Any]
    Missing = Literal["refuse", "keep"]

SHOWN: Final = 5
"""Keys that a message names."""


def named(names: str | Sequence[str]) -> list[str]:
    """List names of columns, of which there must be one, none of them twice; a text is one name.

    Examples
    --------
    >>> named("area_code"), named(("sex", "age"))
    (['area_code'], ['sex', 'age'])
    """
    listed = [names] if isinstance(names, str) else list(names)
    if not listed:
        raise ValueError("name at least one column")
    twice = [name for name in listed if listed.count(name) > 1]
    if twice:
        raise ValueError(f"the column {twice[0]!r} is named twice: name each column once")
    return listed


def opened_on(frame: IntoFrame, required: Sequence[str], *, what: str = "the table") -> Frame:
    """Open a table of any engine, eager or lazy.

    Raises
    ------
    SchemaError
        No engine has such tables, or a column is missing.
    """
    try:
        opened: Frame = nw.from_native(frame)
    except TypeError as problem:
        raise SchemaError(f"{what} is of no engine that narwhals knows: {problem}") from problem
    columns = opened.collect_schema().names()
    absent = [name for name in required if name not in columns]
    if absent:
        raise SchemaError(without_columns(what, absent, columns))
    return opened


def finished(frame: Frame, keys: Sequence[str]) -> Any:
    """Order an eager frame; to order a lazy one is work that its reader may not need."""
    if isinstance(frame, nw.LazyFrame):
        lazy: Any = frame.to_native()
        # dask loses track of the names of three or more keys, and then cannot join: it shall not follow them
        return lazy.map_partitions(_itself) if frame.implementation.is_dask() else lazy
    return nw.maybe_reset_index(frame.sort(keys, nulls_last=True)).to_native()


def _itself(part: Any) -> Any:
    return part


def fetched(frame: Frame) -> list[dict[str, Any]]:
    """Fetch the rows of an aggregate, or the first few of a list of keys."""
    few = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    return few.rows(named=True)


def joined(left: Any, right: Any, on: list[str] | None) -> Frame:
    """Left join, or without keys each row with each."""
    joined: Frame = left.join(right, how="cross") if on is None else left.join(right, on=on, how="left")
    return joined


def check_choice(missing: str) -> None:
    """Refuse an unknown way of treating what is missing."""
    if missing not in ("refuse", "keep"):
        raise ValueError(f"missing is 'refuse' or 'keep', not {missing!r}")


def check_keys(opened: Frame, keys: Sequence[str], missing: str) -> None:
    """Refuse keys with fractions and, unless they are to be kept, missing keys; one row of numbers is fetched.

    Raises
    ------
    SchemaError, InvalidDataError
        The message names the columns and says how many rows lack a key.
    """
    check_choice(missing)
    schema = opened.collect_schema()
    fractions = [name for name in keys if schema[name].is_float()]
    if fractions:
        raise SchemaError(
            f"key column {fractions[0]!r} holds {schema[fractions[0]]}: a key is text, a whole number or a date. "
            "pandas turns whole numbers into fractions where one is missing: cast the column to 'Int64'."
        )
    if missing == "keep":
        return
    [lacking] = fetched(opened.select(*(nw.col(name).null_count() for name in keys)))
    found = [f"{name!r} in {int(count)} rows" for name, count in lacking.items() if count]
    if found:
        raise InvalidDataError(
            f"a key is missing: {', '.join(found)}. Complete the rows, set them aside and say so, or pass "
            "missing='keep', which makes them groups of their own."
        )


def check_counts(opened: Frame, counts: Sequence[str]) -> None:
    """Refuse counts that are not whole, missing or negative; one row of numbers is fetched.

    Raises
    ------
    SchemaError, InvalidDataError
        The message names the column.
    """
    schema = opened.collect_schema()
    for name in counts:
        if not schema[name].is_integer():
            raise SchemaError(
                f"column {name!r} holds {schema[name]}, not whole numbers, and sums of fractions differ with the order "
                "of addition. Cast counts to integers; a missing count has to be settled first."
            )
    missing = [nw.col(name).null_count().alias(f"{name} missing") for name in counts]
    least = [nw.col(name).min().alias(f"{name} least") for name in counts]
    [facts] = fetched(opened.select(*missing, *least))
    for name in counts:
        if facts[f"{name} missing"]:
            raise InvalidDataError(f"{name!r} is missing in {facts[f'{name} missing']} rows: a missing count is not 0.")
        if (facts[f"{name} least"] or 0) < 0:
            raise InvalidDataError(f"{name!r} must be 0 or more, but is {facts[f'{name} least']} in some row.")


def check_engines(opened: Frame, other: Frame, what: str) -> None:
    """Refuse two tables on different engines, as a join would have to move one of them."""
    mine, its = opened.implementation, other.implementation
    if mine is not its or isinstance(opened, nw.LazyFrame) != isinstance(other, nw.LazyFrame):
        raise SchemaError(
            f"{what} is on another engine ({its}, {type(other).__name__}) than the table ({mine}, "
            f"{type(opened).__name__}): load both on one, so that nothing is moved in silence."
        )


def check_kinds(opened: Frame, other: Frame, keys: Sequence[str], what: str) -> None:
    """Refuse to join numbers to text: engines differ in what they take for the same, and '01' may then be 1.

    Raises
    ------
    SchemaError
        The message names the column.
    """
    mine, its = opened.collect_schema(), other.collect_schema()
    for name in keys:
        if mine[name].is_numeric() != its[name].is_numeric():
            raise SchemaError(
                f"key column {name!r} holds {mine[name]} in the table and {its[name]} in {what}: make both "
                "text, which keeps the noughts in front of a code, or both whole numbers."
            )


def check_once(opened: Frame, keys: list[str], what: str) -> None:
    """Refuse a table in which a key stands twice; the first few such keys are fetched."""
    repeated = opened.select(*keys).group_by(keys).agg(nw.len().alias("rows of it")).filter(nw.col("rows of it") > 1)
    found = fetched(repeated.select(*keys).head(SHOWN))
    if found:
        raise InvalidDataError(f"{what} holds twice: {_listed(found)}. Keep one row of each, or add them up.")


def check_found(opened: Any, other: Any, keys: list[str], what: str) -> None:
    """Refuse keys that the other table lacks; the first few of them are fetched."""
    lost = fetched(opened.select(*keys).unique().join(other.select(*keys), on=keys, how="anti").head(SHOWN))
    if lost:
        raise InvalidDataError(
            f"{what} has no row for {_listed(lost)}, and perhaps others. Are both of one vintage, with the same labels?"
        )


def _listed(rows: Sequence[dict[str, Any]]) -> str:
    return "; ".join(", ".join(f"{name} {value}" for name, value in row.items()) for row in rows)
