"""Uncertainty by simulation: draw the figures of a table again and again, and estimate from each draw.

The limits that every estimate of this library comes with have closed forms (delta method) and stay the default: they
are immediate, exact to first order, and for counts of the size of a local authority agree with a simulation within its
own error. Simulate to check them; where counts are small and errors lopsided; for what has no formula, such as the
largest of several gaps, a rank, or a goal met in two areas at once; and for outputs that depend on each other, which
share their draws here. In very small populations closed forms remain the better choice for life expectancy: percentile
limits cover less than they say (89 % instead of 95 % at 2,000 person-years), for the mean of the draws is off as far
again as the estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from nenc_estimates.draw_store import draw_store
from nenc_estimates.drawn_results import MAX_BYTES, Outputs, check_simulation
from nenc_estimates.drawn_tables import draw_tables
from nenc_estimates.kernels.sampling import check_seed
from nenc_estimates.running import run_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from nenc_estimates.drawn_tables import Drawn, Keys, Tables
    from nenc_estimates.kernels.sampling import Points

    Floats = NDArray[np.float64]

_ROW_BYTES: Final = 1000
_COLUMN_BYTES: Final = 150
"""Memory of a row, and of each of its columns, while a function of this library works on it [bytes]."""

_ROWS_A_CALL: Final = 250_000
"""Rows that a call of the function gets at most: a second's work, after which it can be interrupted."""


def simulate(
    tables: Tables,
    function: Callable[..., Any],
    *,
    drawn: Drawn,
    seed: int,
    draws: int = 10_000,
    of: str | Sequence[str] = "value",
    points: Points = "random",
    confidence: float = 0.95,
    keys: Keys = None,
    by: Sequence[str] | None = None,
    draw_column: str | None = "draw",
    open_band: Literal["refuse", "allow"] = "refuse",
    max_bytes: int = MAX_BYTES,
    workers: int = 1,
    progress: bool | None = None,
) -> Any:
    """Draw the figures of tables again and again, and estimate from each draw.

    Parameters
    ----------
    tables
        One table, or several by name: the function then gets each as the argument of that name.
    function
        Any estimate of this library, or your own: tables in, one tidy table out. The tables it gets hold many draws
        below each other, told apart by the column ``draw`` (0 for the figures as they are, then 1, 2, …), which it
        must keep apart: functions with ``by=`` or ``keys=`` need ``"draw"`` in it, the others know it as a key.
    drawn
        Column to how it is drawn: :class:`~nenc_estimates.Poisson`, :class:`~nenc_estimates.Gamma`,
        :class:`~nenc_estimates.Binomial`, :class:`~nenc_estimates.Prevalence`, :class:`~nenc_estimates.Published`;
        with several tables, name of the table to such a mapping. What is not drawn stays as it is in every draw.
    seed
        Whole number. The same seed gives the same bits, whatever the order of rows, the chunks, the threads, or the
        other rows of the table.
    draws
        Number of draws, 1,000 or more; with Sobol points a power of two, 128 or more.
    of
        Column or columns of the function's result that are summarised. All come from the same draws.
    points
        ``"random"``, or ``"sobol"``: scrambled Sobol points, of which 1,024 give mean and standard deviation better
        than 10,000 random draws where a few dozen figures are drawn. They depend on all rows of the tables.
    confidence
        Level of the limits; three draws at least are expected beyond each.
    keys
        Columns that tell the rows of a table apart (with several tables: by their name). Default: the usual names,
        ``area_code, sex, age, period, …``.
    by
        Columns that tell the rows of the result apart. Default: its columns of words, but remarks.
    draw_column
        Another name for the column ``draw``. ``None`` calls the function once for every draw, with tables that have no
        such column: slow, for functions that cannot keep draws apart.
    open_band
        ``"refuse"``: an open age band that may be drawn without deaths is an error. ``"allow"`` where no life table is
        made of the table.
    max_bytes
        Memory [bytes]. Draws that do not fit wait in a temporary file.
    workers
        Threads that call the function. The result does not depend on it.
    progress
        Whether a line says how far it has come: on a terminal, after two seconds, when None.

    Returns
    -------
    frame of the kind that the function gives
        The key columns of the function's result, ``quantity`` (a column named in ``of``), ``value`` (of the tables as
        they are), ``mean, se`` (standard deviation) of the draws, ``lower, upper`` (their quantiles), ``normal_lower,
        normal_upper`` (value less and plus z times se), ``mean_error, se_error, lower_error, upper_error`` (Monte Carlo
        standard errors), ``draws`` (how many have a value) and ``quality``: one row for each row of the result and
        quantity. Where some draws have no value nothing is said of the others: the summary is null and ``quality`` has
        ``draws_without_value``. Pass ``rules=NONE`` to functions that withhold.

    Raises
    ------
    SchemaError
        A column is missing or holds no numbers; a table has a column ``draw`` already.
    InvalidDataError
        A figure cannot be drawn; rows have the same keys; an open age band may be drawn without deaths (the message
        says how probable that is); the function gives other rows for a draw than for the tables as they are.
    ValueError
        An option is impossible.

    Notes
    -----
    Each column of each table has random numbers of its own for every row. Columns whose ``stream`` has the same name
    share them row by row, as do calls with the same seed: what changes between two scenarios is then the scenario and
    not chance, and their difference needs far fewer draws. With Sobol points the Monte Carlo errors are those of as
    many random draws, and too large.

    Examples
    --------
    The gap between two areas, whose limits have a closed form too.

    >>> import pandas as pd
    >>> from nenc_estimates import NONE, AgeBands, Poisson, estimate_gap, estimate_life_expectancy
    >>> table = pd.DataFrame(
    ...     {
    ...         "area_code": ["A", "A", "B", "B"],
    ...         "age": ["0-49", "50+"] * 2,
    ...         "deaths": [200, 1250, 100, 1000],
    ...         "population": [50_000, 25_000] * 2,
    ...     }
    ... )
    >>> def gap(table):
    ...     years = estimate_life_expectancy(table, by=["area_code", "draw"], at=0, bands=AgeBands((0, 50)), rules=NONE)
    ...     areas = {name: years[years["area_code"] == name] for name in ("A", "B")}
    ...     return estimate_gap(areas["A"].drop(columns="age"), areas["B"].drop(columns="age"))
    >>> made = simulate(table, gap, drawn={"deaths": Poisson()}, seed=1, draws=2000)
    >>> made[["area_code", "value", "lower", "upper", "mean_error"]].round(2).values.tolist()
    [['A', 9.59, 7.21, 12.03, 0.03]]

    See Also
    --------
    simulate_life_expectancy : life expectancy of many areas, a hundred times as fast.
    """
    seed = check_seed(seed)
    quantities = [of] if isinstance(of, str) else list(of)
    draws = check_simulation(draws, points=points, confidence=confidence, max_bytes=max_bytes, workers=workers)
    if open_band not in ("refuse", "allow"):
        raise ValueError(f"open_band is 'refuse' or 'allow', not {open_band!r}")
    made = draw_tables(
        tables,
        drawn,
        keys=keys,
        seed=seed,
        draws=draws,
        points=points,
        column=draw_column,
        open_band=open_band == "refuse",
    )

    def called(given: Any) -> Any:
        return function(given) if made.single else function(**given)

    outputs = Outputs.of(called(made.undisturbed()), quantities, by, draw_column)
    chunk = _chunk(made.rows, made.columns, draws=draws, max_bytes=max_bytes // 2 // workers, points=points)
    with draw_store(outputs.value.size, draws, max_bytes=max_bytes // 4) as store:

        def work(first: int, count: int) -> None:
            given = made.drawn(first, count)
            each = count // len(given)
            parts = [outputs.placed(called(one), first=first + 1, count=each, column=draw_column) for one in given]
            store.write(first, np.concatenate(parts, axis=-1))

        pieces = [(first, min(chunk, draws - first)) for first in range(0, draws, chunk)]
        run_pieces(work, pieces, workers=workers, what="draws", progress=progress)
        return outputs.summary(store, draws=draws, confidence=confidence, max_bytes=max_bytes // 4)


def _chunk(rows: int, columns: int, *, draws: int, max_bytes: int, points: Points) -> int:
    """Draws that a call of the function gets."""
    fits = int(max_bytes // (rows * (_ROW_BYTES + _COLUMN_BYTES * columns)))
    if fits < 1:
        raise ValueError(f"one draw of {rows:,} rows does not fit in {max_bytes:,} bytes: raise max_bytes")
    chunk = max(min(fits, _ROWS_A_CALL // rows, draws), 1)
    return 2 ** (chunk.bit_length() - 1) if points == "sobol" else chunk
