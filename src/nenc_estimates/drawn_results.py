"""Results of a function for many draws, met by key with those of the tables as they are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nenc_estimates.errors import InvalidDataError
from nenc_estimates.kernels.draw_summaries import DrawSummary, draw_summary
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.running import check_workers, is_whole
from nenc_estimates.tables import KEYS, coded_column, number_column, open_frame, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import narwhals.stable.v2 as nw
    from numpy.typing import NDArray

    from nenc_estimates.draw_store import DrawStore
    from nenc_estimates.kernels.sampling import Points

    Floats = NDArray[np.float64]

REMARKS: Final = frozenset({"quality", "notes", "assumptions", "method", "route", "status", "unit"})
"""Columns of words that say something about a figure, and are no key."""

SUMMARY: Final = tuple(field.name for field in fields(DrawSummary) if field.name != "draws")

MAX_BYTES: Final = 256 * 2**20
"""Memory that a simulation may take beside the tables it is given and what it returns [bytes]."""

FEWEST: Final = {"random": 1000, "sobol": 128}
"""Fewest draws: with less, limits are not worth their name."""

BEYOND: Final = 3
"""Fewest draws expected beyond a limit: with less, the limit lies too near and its Monte Carlo error is too small."""

_COPIES: Final = 6
"""Arrays of the size of the draws that a summary needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What is simulated: rows of the function's result for the tables as they are, and figures in them.

    Attributes
    ----------
    keys
        Key columns of the result ``(row,)``.
    quantities
        Columns of figures.
    value
        The figures ``(row * quantity,)``.
    """

    keys: Mapping[str, NDArray[np.object_]]
    quantities: tuple[str, ...]
    value: Floats
    quality: NDArray[np.object_]
    backend: Any
    _places: Mapping[str, Mapping[str, int]]
    _order: NDArray[np.int64]
    _codes: NDArray[np.int64]

    @classmethod
    def of(cls, result: Any, quantities: Sequence[str], by: Sequence[str] | None, column: str | None) -> Outputs:
        """Take the rows of a result.

        Raises
        ------
        SchemaError
            A column is missing.
        InvalidDataError
            Key columns do not tell the rows apart.
        """
        opened = open_frame(result, [*quantities, *(by or ())], what="what the function gives")
        names = [name for name in by if name != column] if by is not None else _key_names(opened, {*quantities, column})
        coded = {name: coded_column(opened, name) for name in names}
        places = {name: {str(label): i for i, label in enumerate(labels)} for name, (_, labels) in coded.items()}
        codes = _together([(codes, len(places[name])) for name, (codes, _) in coded.items()], len(opened))
        order = np.argsort(codes, kind="stable").astype(np.int64)
        if np.unique(codes).size < codes.size:
            raise InvalidDataError(
                f"rows of what the function gives have the same keys ({', '.join(names) or 'none'}). Name the columns "
                "that tell them apart: by=[...]."
            )
        said = opened.get_column("quality").to_list() if "quality" in opened.columns else [""] * len(opened)
        return cls(
            keys={name: labels[codes] for name, (codes, labels) in coded.items()},
            quantities=tuple(quantities),
            value=np.stack([number_column(opened, name) for name in quantities], axis=-1).ravel(),
            quality=np.array([str(text or "") for text in said], dtype=object),
            backend=opened.implementation,
            _places=places,
            _order=order,
            _codes=codes[order],
        )

    def placed(self, result: Any, *, first: int, count: int, column: str | None) -> Floats:
        """Take the figures of some draws: ``(row * quantity, draw)``.

        Raises
        ------
        InvalidDataError
            A draw has other rows than the tables as they are.
        """
        opened = open_frame(result, [*self.quantities, *self.keys, *([column] if column else [])])
        codes = []
        for name, places in self._places.items():
            found, labels = coded_column(opened, name)
            known = np.array([places.get(str(label), -1) for label in labels], dtype=np.int64)
            self._refuse(name, [label for label, place in zip(labels, known, strict=True) if place < 0])
            codes.append((known[found], len(places)))
        code = _together(codes, len(opened))
        near = np.minimum(np.searchsorted(self._codes, code), self._codes.size - 1)
        draw = np.zeros(len(opened), dtype=np.int64)
        if column is not None:
            numbers, labels = coded_column(opened, column)
            draw = np.array([int(label) for label in labels], dtype=np.int64)[numbers] - first
        cell = self._order[near] * count + draw
        whole = len(opened) == self._codes.size * count and bool((self._codes[near] == code).all())
        whole = whole and bool(((draw >= 0) & (draw < count)).all())
        if not whole or np.bincount(cell, minlength=len(opened)).max() > 1:
            raise InvalidDataError(
                f"the function gives {len(opened)} rows for {count} draws, and {self._codes.size} for the tables as "
                f"they are: it must give the same rows for every draw. Does it keep the column {column!r} apart?"
            )
        figures = np.empty((self._codes.size, count, len(self.quantities)))
        for i, name in enumerate(self.quantities):
            figures[..., i].flat[cell] = number_column(opened, name)
        return np.moveaxis(figures, -1, 1).reshape(-1, count)

    def _refuse(self, name: str, labels: Sequence[Any]) -> None:
        if labels:
            raise InvalidDataError(
                f"a draw gives a row with {name} {labels[0]!r}, which the tables as they are do not. If {name!r} is no "
                "key of the result, name its keys: by=[...]."
            )

    def summary(self, store: DrawStore, *, draws: int, confidence: float, max_bytes: int) -> Any:
        """Summarise the draws: a frame of the kind that the function gives."""
        step = max(max_bytes // (8 * _COPIES * draws), 1)
        parts = [
            draw_summary(store.read(start, start + step), self.value[start : start + step], confidence=confidence)
            for start in range(0, self.value.size, step)
        ]
        found = {name: np.concatenate([getattr(part, name) for part in parts]) for name in (*SUMMARY, "draws")}
        return tidy(
            {
                **{name: np.repeat(key, len(self.quantities)) for name, key in self.keys.items()},
                "quantity": np.tile(np.array(self.quantities, dtype=object), len(self.quality)),
                **summary_columns(
                    self.value, found, quality=np.repeat(self.quality, len(self.quantities)), draws=draws
                ),
            },
            self.backend,
        )


def summary_columns(
    value: Floats, found: Mapping[str, NDArray[Any]], *, quality: NDArray[np.object_], draws: int
) -> dict[str, NDArray[Any]]:
    """Columns of a summary: nothing is said of a value that is not there, and lost draws are named."""
    absent = ~np.isfinite(value)
    lost = ~absent & (found["draws"] < draws)
    remarks = np.select([absent & (quality == ""), lost], ["no_value", "draws_without_value"], "")
    joined = [";".join(filter(None, pair)) for pair in zip(quality, remarks, strict=True)]
    return {
        "value": np.where(absent, np.nan, value),
        **{name: np.where(absent, np.nan, found[name]) for name in SUMMARY},
        "draws": found["draws"],
        "quality": np.array(joined, dtype=object),
    }


def check_simulation(
    draws: int, *, points: Points, confidence: float, max_bytes: int, workers: int = 1, outputs: int = 1
) -> int:
    """Refuse impossible options of a simulation, and give the number of draws.

    Raises
    ------
    ValueError
        The message says what was expected.
    """
    if points not in FEWEST:
        raise ValueError(f"points are 'random' or 'sobol', not {points!r}")
    if not is_whole(draws) or draws < FEWEST[points]:
        raise ValueError(f"draws must be a whole number, {FEWEST[points]:,} or more, not {draws!r}")
    draws = int(draws)
    if points == "sobol" and draws & (draws - 1):
        raise ValueError(f"Sobol points come in powers of two, such as 1,024 or 4,096, not {draws:,}")
    needed = ceil(BEYOND / ((1 - one_level(confidence)) / 2) - 1e-6)
    if draws < needed:
        raise ValueError(
            f"limits at {confidence} need {needed:,} draws or more, or too few lie beyond them, not {draws:,}"
        )
    check_workers(workers)
    if 8 * _COPIES * draws * outputs > max_bytes // 4:
        raise ValueError(f"{draws:,} draws do not fit in {max_bytes:,} bytes: take fewer draws, or raise max_bytes")
    return draws


def _key_names(opened: nw.DataFrame[Any], others: set[str | None]) -> list[str]:
    """Columns of words, and those of numbers whose name is that of a key."""
    return [
        name
        for name, kind in opened.schema.items()
        if name not in REMARKS | others and (name in KEYS or not kind.is_numeric()) and name != "draw"
    ]


def _together(codes: Sequence[tuple[NDArray[np.integer[Any]], int]], rows: int) -> NDArray[np.int64]:
    together = np.zeros(rows, dtype=np.int64)
    for code, size in codes:
        together = together * size + code
    return together
