"""What a message says of a table that cannot be read: which rows, which columns, and what to do."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

SHOWN = 5
"""Rows that a message names before it says how many more there are."""


def listed_rows(texts: Sequence[str], total: int | None = None) -> str:
    """List the first rows, and how many more there are.

    Examples
    --------
    >>> listed_rows(["row 1", "row 4"])
    'row 1; row 4'
    >>> listed_rows([f"row {i}" for i in range(9)])
    'row 0; row 1; row 2; row 3; row 4 and 4 more'
    """
    total = len(texts) if total is None else total
    more = f" and {total - min(SHOWN, len(texts))} more" if total > SHOWN else ""
    return "; ".join(texts[:SHOWN]) + more


def rows_named(rows: NDArray[np.intp]) -> str:
    """Name the first rows by their numbers, and how many more there are.

    Examples
    --------
    >>> import numpy as np
    >>> rows_named(np.array([3])), rows_named(np.arange(7))
    ('row 3', 'rows 0, 1, 2, 3, 4 and 2 more')
    """
    more = f" and {rows.size - SHOWN} more" if rows.size > SHOWN else ""
    return f"row{'s' * (rows.size > 1)} {', '.join(map(str, rows[:SHOWN].tolist()))}{more}"


def without_columns(what: str, absent: Sequence[str], columns: Sequence[str]) -> str:
    """Say which columns a table lacks, and which of its own are the same word written otherwise.

    Examples
    --------
    >>> print(without_columns("the table", ["area_code"], ["AreaCode", "value"]))
    the table has no column 'area_code'. It has: AreaCode, value. Rename 'AreaCode' to 'area_code'.
    """
    written = {_bare(column): column for column in columns}
    pairs = [(written[_bare(name)], name) for name in absent if _bare(name) in written]
    cure = f" Rename {', '.join(f'{old!r} to {new!r}' for old, new in pairs)}." if pairs else ""
    return f"{what} has no column {', '.join(map(repr, absent))}. It has: {', '.join(columns)}.{cure}"


def no_table(what: str, given: object, problem: Exception) -> str:
    """Say that something is no table; a path is to be read first.

    Examples
    --------
    >>> print(no_table("the table", "a.csv", TypeError("text")))
    the table cannot be read as a pandas, polars or pyarrow table: text. Read a file first: pandas.read_csv('a.csv').
    """
    cure = f". Read a file first: pandas.read_csv({str(given)!r})." if isinstance(given, (str, PathLike)) else ""
    return f"{what} cannot be read as a pandas, polars or pyarrow table: {problem}{cure}"


def keys_repeated(texts: Sequence[str], *, total: int, apart: Sequence[str]) -> str:
    """Say which rows have the key of another, and whether a column that is not among the keys tells them apart.

    Examples
    --------
    >>> print(keys_repeated(["rows 0 and 2 (sex Male)"], total=1, apart=["draw"]))
    each key may stand once, but rows 0 and 2 (sex Male) repeat it. They differ in 'draw': name it in by=.
    """
    cure = (
        f"They differ in {' and '.join(map(repr, apart))}: name it in by=."
        if apart
        else "Drop the copies where the values are equal; where they differ, two series are mixed: keep one."
    )
    return f"each key may stand once, but {listed_rows(texts, total)} repeat it. {cure}"


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
