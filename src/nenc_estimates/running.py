"""Running a long calculation piece by piece: threads, progress on a terminal, and a clean end when interrupted."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from numbers import Integral
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PATIENCE: Final = 2.0
"""Seconds before progress is shown."""

_WIDTH: Final = 30


def run_pieces(
    work: Callable[[int, int], None],
    pieces: Sequence[tuple[int, int]],
    *,
    workers: int = 1,
    what: str,
    progress: bool | None = None,
) -> None:
    """Call ``work(first, count)`` for every piece.

    Parameters
    ----------
    work
        The calculation; with several workers it is called from several threads.
    pieces
        First step and number of steps of each piece.
    workers
        Threads.
    what
        What a step is.
    progress
        As in `progress_bar`.

    Raises
    ------
    ValueError
        ``workers`` is not a whole number of 1 or more.

    Examples
    --------
    >>> run_pieces(lambda first, count: print(first, count), [(0, 2), (2, 1)], what="draws")
    0 2
    2 1
    """
    check_workers(workers)
    with progress_bar(sum(count for _, count in pieces), what=what, shown=progress) as advance:
        if workers == 1:
            for first, count in pieces:
                work(first, count)
                advance(count)
            return
        with ThreadPoolExecutor(workers) as pool:
            waiting = {pool.submit(work, *piece): piece[1] for piece in pieces}
            try:
                for done in as_completed(waiting):
                    done.result()
                    advance(waiting[done])
            except BaseException:  # an interruption too: what has not begun never will
                pool.shutdown(cancel_futures=True)
                raise


def check_workers(workers: int) -> None:
    """Refuse what is no number of threads.

    Raises
    ------
    ValueError
        ``workers`` is not a whole number of 1 or more.
    """
    if not is_whole(workers) or workers < 1:
        raise ValueError(f"workers must be a whole number of 1 or more, not {workers!r}")


def is_whole(number: object) -> bool:
    """Tell whether something is a whole number, of Python or NumPy.

    Examples
    --------
    >>> is_whole(2), is_whole(2.0), is_whole(True)
    (True, False, False)
    """
    return isinstance(number, Integral) and not isinstance(number, bool)


@contextmanager
def progress_bar(total: int, *, what: str, shown: bool | None = None) -> Iterator[Callable[[int], None]]:
    """Show progress on standard error from the third second on, and wipe it away at the end.

    Parameters
    ----------
    total
        Steps of the whole.
    what
        What a step is.
    shown
        ``None``: on a terminal only. ``True``: in any case. ``False``: never.

    Yields
    ------
    Callable
        To be called with the number of steps done since the last call.

    Examples
    --------
    >>> with progress_bar(2, what="draws", shown=False) as advance:
    ...     advance(2)
    """
    stream = sys.stderr
    visible = stream.isatty() if shown is None else shown
    start = time.monotonic()
    done, written = 0, False

    def advance(steps: int) -> None:
        nonlocal done, written
        done += steps
        passed = time.monotonic() - start
        if visible and passed >= PATIENCE:
            written = True
            left = passed * (total - done) / max(done, 1)
            bar = "#" * (_WIDTH * done // total)
            stream.write(f"\r[{bar:<{_WIDTH}}] {done:,} of {total:,} {what}, about {left:,.0f} s left \x1b[K")
            stream.flush()

    try:
        yield advance
    finally:
        if written:
            stream.write("\r\x1b[K")
            stream.flush()
