"""Memory and threads for recursions over age: aligned rows, blocks that stay in cache, workers.

A recursion over age reads and writes one age of many tables at a time, so arrays are kept age first, one row
an age, and the tables are cut into blocks whose rows stay in the processor's cache. Every element is computed
by the same operations in the same order whatever the block, layout or number of workers, so results are
identical to the last bit.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from math import prod
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_T = TypeVar("_T", bound=np.generic)
_LINE: Final = 64
_TILE: Final = 512
COPY_BYTES: Final = 6 * 2**20
"""Most that the scratch of a worker takes where input has to be copied into rows [bytes]."""


def empty_rows(rows: int, tables: int) -> NDArray[np.float64]:
    """Allocate an array ``(rows, tables)``, not filled, of which each row starts on a cache line.

    Parameters
    ----------
    rows, tables
        Shape of the array.

    Examples
    --------
    >>> empty_rows(3, 5).shape
    (3, 5)
    """
    per_line = _LINE // 8
    padded = -(-tables // per_line) * per_line
    if padded * 8 % 4096 == 0:
        padded += per_line  # rows a whole page apart would share the same few cache sets
    raw = np.empty(rows * padded + per_line)
    first = -raw.ctypes.data % _LINE // 8
    return raw[first : first + rows * padded].reshape(rows, padded)[:, :tables]


def age_rows(array: NDArray[_T], shape: tuple[int, ...]) -> NDArray[_T]:
    """View an array, broadcast to ``shape`` ``(..., age)``, as ``(age, tables)``; copy only if it must be.

    Parameters
    ----------
    array, shape
        Values, and the shape that they are broadcast to.

    Examples
    --------
    >>> age_rows(np.arange(6).reshape(2, 3), (2, 3))[0]
    array([0, 3])
    """
    wide = array if array.shape == shape else np.broadcast_to(array, shape)
    return wide.reshape(prod(shape[:-1]), shape[-1]).T


def age_last(rows: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """View rows ``(age, tables)`` as ``shape`` ``(..., age)``: the inverse of `age_rows`.

    Parameters
    ----------
    rows, shape
        Values, and the shape that is wanted.

    Examples
    --------
    >>> age_last(np.array([[0.0, 3.0], [1.0, 4.0]]), (2, 2))
    array([[0., 1.],
           [3., 4.]])
    """
    return rows.T.reshape(shape)


def is_streamable(rows: NDArray[np.generic]) -> bool:
    """Tell whether rows can be used where they lie: native float64, each row one stream of memory.

    Parameters
    ----------
    rows
        Array ``(age, tables)``.

    Examples
    --------
    >>> is_streamable(np.ones((2, 3))), is_streamable(np.ones((3, 2)).T)
    (True, False)
    """
    return rows.dtype == np.float64 and rows.dtype.isnative and rows.strides[1] in {0, 8}


def copy_rows(rows: NDArray[np.generic], out: NDArray[np.float64]) -> None:
    """Copy rows as float64, in tiles that keep both layouts in the first-level cache.

    Parameters
    ----------
    rows, out
        Source and target ``(age, tables)``.

    Examples
    --------
    >>> target = empty_rows(2, 3)
    >>> copy_rows(np.arange(6, dtype=np.int32).reshape(3, 2).T, target)
    >>> target
    array([[0., 2., 4.],
           [1., 3., 5.]])
    """
    for start in range(0, rows.shape[1], _TILE):
        tile = np.s_[:, start : start + _TILE]
        np.copyto(out[tile], rows[tile], casting="unsafe")


def share_tables(work: Callable[[int, int], None], tables: int, *, workers: int) -> None:
    """Call ``work(first, end)`` on consecutive ranges of tables, one range a worker.

    Parameters
    ----------
    work
        Function that handles the tables from ``first`` up to ``end``.
    tables
        Number of tables.
    workers
        Threads to use, at least 1; no more than the processor has are started.

    Raises
    ------
    ValueError
        ``workers`` is not a whole number of 1 or more.

    Examples
    --------
    >>> share_tables(lambda first, end: print(first, end), 10, workers=1)
    0 10
    """
    if workers < 1 or workers != int(workers):
        raise ValueError(f"workers must be a whole number of 1 or more, not {workers}")
    workers = min(workers, os.cpu_count() or 1)
    step = max(-(-tables // workers), 1)
    step += -step % 8  # a worker begins on a cache line, so no two write to the same one
    starts = range(0, tables, step)
    if len(starts) <= 1:
        work(0, tables)
        return
    with ThreadPoolExecutor(len(starts)) as pool:
        for done in [pool.submit(work, start, min(start + step, tables)) for start in starts]:
            done.result()
