"""Many columns at once from source areas to target areas: the product of a sparse matrix with a table of areas.

The one formula whose consumed axis comes *first*: rows of areas, columns of whatever (indicators, ages, draws),
because a row of columns is read once and added to one target at the speed of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Pairs of a crosswalk, prepared for repeated use; make one with :func:`plan`.

    ``source[i]`` and ``weight[i]`` belong to pair i, the pairs of a target next to each other from ``starts[k]`` up to
    ``starts[k + 1]``. ``arranged`` says whether the sources stand in the order of the pairs, each once, so that a
    target is a block of rows.
    """

    source: NDArray[np.intp]
    weight: Floats
    starts: NDArray[np.intp]
    n_sources: int
    arranged: bool

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return self.starts.size - 1

    def arrange(self, values: ArrayLike) -> tuple[Plan, Floats]:
        """Put rows in the order of the pairs, and return the plan for rows in that order.

        Worth its one copy when the same areas are apportioned again and again; a source in two targets is copied twice.
        """
        rows = np.ascontiguousarray(np.asarray(values, dtype=np.float64)[self.source])
        order = np.arange(self.source.size)
        made = Plan(source=order, weight=self.weight, starts=self.starts, n_sources=order.size, arranged=True)
        return made, rows


def plan(target: ArrayLike, source: ArrayLike, weight: ArrayLike, *, n_targets: int, n_sources: int) -> Plan:
    """Prepare pairs of target and source for :func:`apportion`.

    Parameters
    ----------
    target, source : (pair,)
        Positions, from 0.
    weight : (pair,)
        Membership for counts, W for rates. A pair of weight 0 takes no part: a missing value there spoils nothing.
    n_targets, n_sources
        Lengths of the two axes.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        A position lies outside its axis, a pair stands twice, or a weight is not finite.

    Examples
    --------
    >>> plan([0, 0, 1], [0, 1, 2], [1.0, 0.5, 1.0], n_targets=2, n_sources=3).arranged
    True
    """
    to, of = np.asarray(target, dtype=np.intp), np.asarray(source, dtype=np.intp)
    share = np.asarray(weight, dtype=np.float64)
    for name, places, size in (("target", to, n_targets), ("source", of, n_sources)):
        if places.size and not (places.min() >= 0 and places.max() < size):
            raise ValueError(f"{name} positions must lie from 0 to {size - 1}.")
    if not np.isfinite(share).all():
        raise ValueError("weights must be finite: a share that is not known is an error, not a missing value.")
    used = share != 0
    to, of, share = to[used], of[used], share[used]
    order = np.lexsort((of, to))
    to, of, share = to[order], of[order], share[order]
    if np.any((np.diff(to) == 0) & (np.diff(of) == 0)):
        raise ValueError("a pair of target and source stands twice.")
    starts = np.searchsorted(to, np.arange(n_targets + 1)).astype(np.intp)
    arranged = of.size == n_sources and bool(np.array_equal(of, np.arange(n_sources)))
    return Plan(source=of, weight=share, starts=starts, n_sources=n_sources, arranged=arranged)


def apportion(values: ArrayLike, prepared: Plan) -> Floats:
    """Sum weight times value over the sources of each target, for every column.

    Parameters
    ----------
    values : (source, ...)
        One row for each source area, in the order of the plan's positions; any unit.
    prepared
        Pairs, from :func:`plan`.

    Returns
    -------
    (target, ...)
        Sums in the unit of ``values``; 0 for a target without sources. A ``nan`` in a column makes the targets that use
        its row ``nan`` in that column and touches nothing else: missing is never zero.

    Raises
    ------
    ValueError
        There are more or fewer rows than sources.

    Examples
    --------
    >>> pairs = plan([0, 0, 1], [0, 1, 2], [1.0, 0.5, 1.0], n_targets=2, n_sources=3)
    >>> apportion([[10.0, 1.0], [20.0, np.nan], [30.0, 3.0]], pairs)
    array([[20., nan],
           [30.,  3.]])
    """
    rows = np.asarray(values, dtype=np.float64)
    if rows.shape[0] != prepared.n_sources:
        raise ValueError(f"values has {rows.shape[0]} rows for {prepared.n_sources} sources.")
    table = rows.reshape(rows.shape[0], int(np.prod(rows.shape[1:])))
    made = _blocks(table, prepared) if prepared.arranged else _sparse(table, prepared)
    return made.reshape(prepared.n_targets, *rows.shape[1:])


def _blocks(table: Floats, prepared: Plan) -> Floats:
    made = np.zeros((prepared.n_targets, table.shape[1]))
    ends = prepared.starts
    for target in range(prepared.n_targets):
        first, last = ends[target], ends[target + 1]
        if last > first:
            np.dot(prepared.weight[first:last], table[first:last], out=made[target])
    return made


def _sparse(table: Floats, prepared: Plan) -> Floats:
    from scipy import sparse  # noqa: PLC0415 - a third of the cost of importing the library

    shape = (prepared.n_targets, prepared.n_sources)
    matrix: Any = sparse.csr_array((prepared.weight, prepared.source, prepared.starts), shape=shape)
    return np.asarray(matrix @ table)
