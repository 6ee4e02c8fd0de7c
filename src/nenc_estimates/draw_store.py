"""Draws of many outputs: in memory while they fit, else in a temporary file that goes when it is closed."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class DrawStore:
    """Draws ``(output, draw)`` that come in runs of draws and are read in blocks of outputs.

    Examples
    --------
    >>> with draw_store(2, 4, max_bytes=0) as store:
    ...     store.write(0, np.array([[1.0, 2.0], [5.0, 6.0]]))
    ...     store.write(2, np.array([[3.0, 4.0], [7.0, 8.0]]))
    ...     print(store.read(1, 2))
    [[5. 6. 7. 8.]]
    """

    def __init__(self, outputs: int, draws: int, file: IO[bytes] | None) -> None:
        self._shape = outputs, draws
        self._file = file
        self._whole = np.empty(self._shape) if file is None else np.empty((0, 0))
        self._runs: list[tuple[int, int]] = []
        self._lock = Lock()

    def write(self, first: int, drawn: Floats) -> None:
        """Keep the draws from ``first`` on of every output."""
        count = drawn.shape[1]
        with self._lock:
            self._runs.append((first, count))
            if self._file is None:
                self._whole[:, first : first + count] = drawn
            else:
                self._file.seek(8 * first * self._shape[0])
                self._file.write(np.ascontiguousarray(drawn).data)

    def read(self, start: int, stop: int) -> Floats:
        """Give all draws of the outputs from ``start`` up to ``stop``, or to the last."""
        stop = min(stop, self._shape[0])
        if self._file is None:
            return self._whole[start:stop]
        found = np.empty((stop - start, self._shape[1]))
        for first, count in self._runs:
            self._file.seek(8 * (first * self._shape[0] + start * count))
            run = np.frombuffer(self._file.read(8 * (stop - start) * count))
            found[:, first : first + count] = run.reshape(stop - start, count)
        return found


@contextmanager
def draw_store(outputs: int, draws: int, *, max_bytes: int) -> Iterator[DrawStore]:
    """Open a store that takes ``max_bytes`` of memory at most, and leaves nothing behind however it is left.

    Parameters
    ----------
    outputs, draws
        Size of the whole.
    max_bytes
        Memory for it [bytes]; what is larger goes to a temporary file.
    """
    if 8 * outputs * draws <= max_bytes:
        yield DrawStore(outputs, draws, None)
        return
    with TemporaryFile() as file:
        yield DrawStore(outputs, draws, file)
