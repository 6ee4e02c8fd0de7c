"""What sums give away: how closely the shown cells of an additive table tell the hidden ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SLACK = 1e-6
"""Below this a difference between two linear programmes is arithmetic."""


FAR = 1_000.0
"""Added to the sum of the hidden cells it makes a bound that gives every programme a solution."""


def sum_rows(cells: pd.DataFrame, parts: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Floats:
    """Write the sums within a table as rows of coefficients: 1 for each part, -1 for its total.

    Parameters
    ----------
    cells
        One row a cell, with the columns that ``parts`` names.
    parts
        Column to total to the labels that add up to it.

    Returns
    -------
    (sum, cell)
        A sum of which a part or the total is not in the table is left out: the absent cell may be anything.
    """
    columns = [name for name in parts if name in cells]
    keys = list(zip(*(cells[name] for name in columns), strict=True)) if columns else []
    place = {key: i for i, key in enumerate(keys)}
    rows = []
    for axis, column in enumerate(columns):
        for key, total in place.items():
            labels = parts[column].get(key[axis], ())
            members = [place.get((*key[:axis], label, *key[axis + 1 :])) for label in labels]
            if labels and None not in members:
                row = np.zeros(len(keys))
                row[[member for member in members if member is not None]] = 1.0
                row[total] = -1.0
                rows.append(row)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(cells))


def exposed(value: Floats, hidden: Flags, small: Flags, sums: Floats, *, width: float) -> Flags:
    """Say which small cells the shown cells tell more closely than a width.

    A reader who knows every shown cell and every sum, and that a hidden cell is not zero, can narrow a hidden cell to a
    range: the smallest and the largest value that some filling of the hidden cells gives it (the shuttle problem;
    Willenborg and de Waal, Elements of Statistical Disclosure Control, 2001, chapter 6). The shown cells are taken as
    exact, so that rounding them is protection on top.

    Parameters
    ----------
    value, hidden, small : (cell,)
        Counts; which are not shown; which of them need protection.
    sums : (sum, cell)
        As :func:`sum_rows` gives them.
    width
        A range narrower than this is a disclosure.

    Returns
    -------
    (cell,)
        Flags, of small cells only.
    """
    told = np.zeros(value.size, dtype=bool)
    free = np.flatnonzero(hidden)
    touching = sums[(sums[:, free] != 0).any(axis=1)][:, free]
    involved = (touching != 0).any(axis=0)
    for index in np.flatnonzero(small[free] & involved):
        told[free[index]] = _width(touching, value[free], int(index)) < width - SLACK
    return told


def _width(sums: Floats, value: Floats, index: int) -> float:
    """Return the width of the range of one hidden cell; 0, which protects it, where it cannot be found."""
    from scipy.optimize import linprog  # noqa: PLC0415 - only where something is withheld

    least = 1.0 if (value == np.round(value)).all() else 0.0
    most = 2.0 * float(value.sum()) + FAR
    aim = np.zeros(value.size)
    aim[index] = 1.0
    low, high = (
        linprog(sign * aim, A_eq=sums, b_eq=sums @ value, bounds=(least, most), method="highs").x for sign in (1, -1)
    )
    if low is None or high is None:
        return 0.0
    return float(high[index] - low[index])
