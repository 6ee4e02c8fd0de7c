"""Tables whose figures are drawn: many draws below each other, told apart by a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
import numpy as np

from nenc_estimates.draws import Published, key_columns, refuse_zero_deaths, row_names
from nenc_estimates.errors import SchemaError
from nenc_estimates.kernels.sampling import word_source
from nenc_estimates.samplers import sampler
from nenc_estimates.tables import open_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    from nenc_estimates.draws import Draw
    from nenc_estimates.kernels.sampling import Points, Source, Words
    from nenc_estimates.samplers import Sampler

    Floats = NDArray[np.float64]
    Tables = IntoDataFrame | Mapping[str, IntoDataFrame]
    Drawn = Mapping[str, Draw] | Mapping[str, Mapping[str, Draw]]
    Keys = Sequence[str] | Mapping[str, Sequence[str]] | None

ROWS_AT_A_TIME: Final = 64
"""Rows whose draws are made together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    opened: nw.DataFrame[Any]
    samplers: tuple[tuple[Sampler, int], ...]  # and the first of its rows among those of the source of words

    def repeated(self, first: int, count: int, words: Words | None, column: str | None) -> Any:
        """Put draws below each other; the figures themselves where there are no words."""
        rows = len(self.opened)
        found: dict[str, NDArray[Any]] = {}
        if words is not None:
            for draw, start in self.samplers:
                found |= _rows_drawn(draw, words, start, rows)
        frame = self.opened if count == 1 else self.opened[np.tile(np.arange(rows), count)]
        if column is not None:
            found[column] = np.repeat(np.arange(first, first + count, dtype=np.int64), rows)
        frame = nw.maybe_reset_index(frame)
        columns = [nw.new_series(name, made, backend=frame.implementation) for name, made in found.items()]
        return frame.with_columns(*columns).to_native()


def _rows_drawn(draw: Sampler, words: Words, start: int, rows: int) -> dict[str, Floats]:
    """Draw all rows; columns ``(draw, row)`` in one sequence."""
    made: dict[str, Floats] = {}
    for low in range(0, rows, ROWS_AT_A_TIME):
        high = min(low + ROWS_AT_A_TIME, rows)
        for name, drawn in draw(slice(low, high), words.part(start + low, start + high)).items():
            whole = made.setdefault(name, np.empty((drawn.shape[1], rows)))
            whole[:, low:high] = drawn.T
    return {name: whole.ravel() for name, whole in made.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnTables:
    """One or several tables, and how they are drawn.

    Attributes
    ----------
    rows
        Rows of all tables together.
    columns
        Columns of all tables together.
    """

    tables: Mapping[str, _Table]
    single: bool
    words: Source
    column: str | None
    rows: int
    columns: int

    def undisturbed(self) -> Any:
        """Give the tables as they are, as draw 0."""
        return self._given(0, 1, None)

    def drawn(self, first: int, count: int) -> list[Any]:
        """Give the draws from ``first`` on (numbered from 1): together, or one by one where there is no column."""
        if self.column is not None:
            return [self._given(first + 1, count, self.words(first, count))]
        words = self.words(first, count)
        return [self._given(0, 1, words.draws(i, i + 1)) for i in range(count)]

    def _given(self, first: int, count: int, words: Words | None) -> Any:
        made = {name: table.repeated(first, count, words, self.column) for name, table in self.tables.items()}
        return made[""] if self.single else made


def draw_tables(
    tables: Tables,
    drawn: Drawn,
    *,
    keys: Keys,
    seed: int,
    draws: int,
    points: Points,
    column: str | None,
    open_band: bool,
) -> DrawnTables:
    """Check tables and what is drawn in them.

    Parameters
    ----------
    tables, drawn, keys
        One table, columns to how each is drawn, and key columns; or mappings of these by the name of the table.
    seed, draws, points
        The random numbers.
    column
        Column that tells draws apart.
    open_band
        Whether open age bands that may be drawn without deaths are refused.

    Raises
    ------
    SchemaError, InvalidDataError, ValueError
        A column is missing or cannot be drawn; rows have the same keys; nothing is drawn.
    """
    single = not isinstance(tables, Mapping)
    given: Mapping[str, Any] = {"": tables} if single else tables  # type: ignore[assignment]
    how: Mapping[str, Any] = {"": drawn} if single else drawn
    strange = sorted(set(how) - set(given))
    if strange or not all(isinstance(each, Mapping) and each for each in how.values()) or not how:
        raise ValueError(
            "drawn says for each column how it is drawn, {'deaths': Poisson()}; with several tables once more by the "
            f"name of the table{f': {strange[0]!r} is none of them' if strange else ''}"
        )
    of_table = keys if isinstance(keys, Mapping) else dict.fromkeys(given, keys)
    _check_names(of_table, how, given)
    made, names, start = {}, [], 0
    for name, table in given.items():
        opened = open_frame(table, [], what=f"the table {name!r}" if name else "the table")
        if column in opened.columns:
            raise SchemaError(f"the table has a column {column!r} already: say draw_column= to name another.")
        chosen = key_columns(opened, of_table.get(name))
        samplers = []
        for figure, each in how.get(name, {}).items():
            samplers.append((sampler(opened, figure, each), start))
            if open_band:
                refuse_zero_deaths(opened, figure, each, keys=chosen, draws=draws)
            names.append(row_names(opened, chosen, each.stream or ".".join(filter(None, (name, figure)))))
            start += len(opened)
        made[name] = _Table(opened=opened, samplers=tuple(samplers))
    return DrawnTables(
        tables=made,
        single=single,
        words=word_source(seed, np.concatenate(names), points=points),
        column=column,
        rows=sum(len(table.opened) for table in made.values()),
        columns=max(len(table.opened.columns) for table in made.values()),
    )


def _check_names(keys: Mapping[str, Any], how: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse keys of tables that are not there, and limits that would have to belong to two figures."""
    strange = sorted(set(keys) - set(given))
    if strange:
        raise ValueError(f"keys names columns by table only where there are several: {strange[0]!r} is none of them")
    for figures in how.values():
        published = [figure for figure, each in figures.items() if isinstance(each, Published)]
        if len(published) > 1:
            raise ValueError(
                f"{' and '.join(published[:2])} of one table cannot both be Published: the columns lower, upper and se "
                "belong to one of them. Put each in a table of its own."
            )
