"""Ways to the same numbers, and how each is run: what the subjects of `compare.py` are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import compiled
from timing import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from elsewhere import Elsewhere

    Answer = Sequence[np.ndarray]


WHOLE = "whole arrays"
EACH = "data frame in, one group at a time, NumPy inside"
LOOP = "loop over areas, arrays in"
C = "one pass, results into arrays that are there"
LAST = 1e-9
"""Largest difference allowed, as a share of the largest number: methods that round differently agree to about 1e-12."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One way to the same numbers, for the first ``areas`` of the subject; ``why`` says why it cannot be run.

    ``last`` is the largest difference from ours that is allowed.
    """

    name: str
    inside: str
    areas: int = 0
    run: Callable[[], Answer] | None = None
    clock: Callable[[], float] | None = None
    why: str = ""
    last: float = LAST

    def seconds(self) -> float:
        """CPU seconds of one call."""
        if self.clock is not None:
            return self.clock()
        assert self.run is not None
        return seconds_of(self.run, repeats=3 if self.areas < 1000 else 1)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Peers of a subject, ours first; ``traffic`` is what memory must move for one area [bytes]."""

    name: str
    peers: list[Peer]
    traffic: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Areas of a run; loops take the first ``few`` of them, another process the first ``sent``."""

    areas: int
    few: int
    sent: int


def grouped(frame: pd.DataFrame, function: Callable[[pd.DataFrame], Sequence[float]]) -> Answer:
    """Use pandas' way of one group at a time; column ``area`` numbers the groups."""
    made = frame.groupby("area").apply(lambda rows: pd.Series(function(rows)))
    return made.to_numpy().T


def by_age(few: int, **columns: np.ndarray) -> pd.DataFrame:
    """Arrays ``(area, age)`` as a long data frame."""
    shape = next(iter(columns.values())).shape[1]
    area = np.repeat(np.arange(few), shape)
    return pd.DataFrame({"area": area} | {name: array[:few].ravel() for name, array in columns.items()})


def row(group: pd.DataFrame, name: str) -> np.ndarray:
    """A column of a group as a table of one area."""
    return group[name].to_numpy(float)[None]


def in_c(areas: int, run: Callable[[Any], Answer], inside: str = C) -> Peer:
    """Loop in C, where a compiler is."""
    loop = compiled.build()
    if loop is None:
        return Peer(name="C loop", inside=inside, why="no C compiler here")
    return Peer(name="C loop", inside=inside, areas=areas, run=lambda: run(loop))


def in_statsmodels(areas: int, run: Callable[[], Answer], inside: str) -> Peer:
    """Use statsmodels, where the extra is installed."""
    try:
        import statsmodels.api  # noqa: F401, PLC0415 - of the extra "peers"
    except ImportError:
        return Peer(name="statsmodels", inside=inside, why="not installed: pip install '.[peers]'")
    return Peer(name="statsmodels", inside=inside, areas=areas, run=run)


def in_phstatsmethods(there: Elsewhere, areas: int, subject: str, change: Callable[[np.ndarray], Answer]) -> Peer:
    """Use the Department of Health and Social Care's package, where it could be installed."""
    inside = "data frame to data frame with its checks, in its own process"
    if there.why:
        return Peer(name="PHStatsMethods", inside=inside, why=there.why)
    return Peer(
        name=f"PHStatsMethods {there.version}",
        inside=inside,
        areas=areas,
        run=lambda: change(there.answer(subject)),
        clock=lambda: there.seconds(subject),
    )
