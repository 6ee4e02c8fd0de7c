"""Where series are heading if nothing changes: area, reference and gap with limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.forecasts import Assumptions, Choices, batches, check_levels, pose
from nenc_estimates.kernels.gaps import area_from_gap
from nenc_estimates.kernels.intervals import normal_interval
from nenc_estimates.kernels.mixtures import sum_of_mixtures
from nenc_estimates.kernels.trajectories import project
from nenc_estimates.periods import Period
from nenc_estimates.series import target_window
from nenc_estimates.statements import say
from nenc_estimates.tables import tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.forecasts import Batch, Better, Problem

    Floats = NDArray[np.float64]

QUANTITIES = ("area", "reference", "gap")


def project_trajectory(
    table: IntoDataFrameT,
    *,
    to: str | Period,
    reference: IntoDataFrame | None = None,
    share: float | Mapping[str, float] = 0.0,
    better: Better = "higher",
    levels: Sequence[float] = (0.8, 0.95),
    by_year: Literal["centre", "end"] = "centre",
    **assumptions: Unpack[Choices],
) -> IntoDataFrameT:
    """Project series of published windows: what happens if nothing changes.

    With a reference the gap is modelled as a series of its own, and the area is the reference and the gap together at
    every window: never two forecasts that know nothing of each other.

    Parameters
    ----------
    table
        ``period, value`` and any key columns (``indicator, edition, area_code, sex, age, quantile, cause``), one row
        for each window; ``se``, or 95 % limits ``lower, upper``. Windows of whole years may overlap, leave gaps and mix
        lengths. A missing value is empty.
    to
        The last window. A single year is the centre of one as long as the latest (2030: 2029-31).
    reference
        The same columns; met by the keys that both have, except the area, and by period.
    share
        Share of the reference's people who live in the area: one number, or area code to number.
    better
        ``"higher"``: gap = reference - area (years behind). ``"lower"``: gap = area - reference (excess).
    levels
        Confidence levels of the limits.
    by_year
        ``"end"`` takes a single year ``to`` as the last of its window.
    **assumptions
        Fields of :class:`~nenc_estimates.forecasts.Assumptions`: ``trend, shock, breaks, exclude, transform, ...``

    Returns
    -------
    frame of the caller's kind
        Key columns, ``period, year`` (its middle), ``status`` (``observed``, ``missing``, ``left out``, ``projected``),
        ``area, reference, gap`` (medians of what is projected), for each of the three and each level ``gap_lower_80,
        gap_upper_80`` and so on, ``quality`` (codes of :data:`~nenc_estimates.QUALITY`) and ``assumptions`` in words.
        Limits of projections are those of the underlying value; observed windows have those of their standard errors.

    Raises
    ------
    SchemaError, InvalidDataError
        A period is unknown or ambiguous, stands twice, has no reference or no standard error; windows are too few for
        the trend; editions are mixed; the target is not later than what is known.
    ValueError
        An option is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> gaps = pd.DataFrame(
    ...     {"period": ["2012-14", "2013-15", "2014-16", "2015-17"], "value": [4.0, 4.1, 4.3, 4.4], "se": 0.1}
    ... )
    >>> path = project_trajectory(gaps, to="2018-20")
    >>> path.loc[path["status"] == "projected", ["period", "area"]].round(2).values.tolist()
    [['2016-18', 4.53], ['2017-19', 4.65], ['2018-20', 4.78]]

    See Also
    --------
    nenc_estimates.kernels.trajectories.trajectory : the model and its sources.
    """
    check_levels(levels)
    problem = pose(table, Assumptions(**assumptions), reference=reference, share=share, better=better)
    target = target_window(to, problem.area, by_year=by_year)
    return tidy(project_problem(problem, target, levels=levels), problem.area.backend)


def project_problem(problem: Problem, target: Period, *, levels: Sequence[float] = (0.8, 0.95)) -> dict[str, Any]:
    """Project what has been posed: the columns of :func:`project_trajectory`, in key order.

    Raises
    ------
    SchemaError, InvalidDataError
        As there.
    """
    if not problem.enough.all():
        short = int(np.flatnonzero(~problem.enough)[0])
        raise InvalidDataError(
            f"{problem.area.named(short)} has {int(problem.used[short].sum())} windows; the trend "
            f"{problem.assumptions.trend!r} with its shocks and breaks needs {problem.assumptions.minimum}. "
            "Add windows, or choose trend='flat'."
        )
    until = target.start.year + target.months // 12 - 1
    ahead = [_projected(problem, batch, target, levels) for batch in batches(problem, until=until)]
    parts = [_observed(problem, levels), *ahead]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns.pop("months"), columns.pop("start"), columns["series"]))
    series = columns.pop("series")[order]
    said = say(problem)
    codes = np.array([";".join(code for code, _ in part.remarks) for part in said], dtype=object)
    words = np.array([part.assumptions for part in said], dtype=object)
    ordered = {name: column[order] for name, column in columns.items()}
    missing = np.isnan(ordered["area"].astype(float))
    quality = np.where(missing, [f"{code};no_value".lstrip(";") for code in codes[series]], codes[series])
    keys = {name: key[series] for name, key in problem.area.keys.items()}
    return {**keys, **ordered, "quality": quality, "assumptions": words[series]}


def _observed(problem: Problem, levels: Sequence[float]) -> dict[str, NDArray[Any]]:
    series, window = np.nonzero(problem.area.rows >= 0)
    area, other = problem.area, problem.reference
    nothing = np.full(area.value.shape, np.nan)
    numbers = {"area": (area.value, area.se), "reference": (nothing, nothing), "gap": (nothing, nothing)}
    if other is not None:
        numbers |= {"reference": (other.value, other.se), "gap": (problem.value, problem.se)}
    columns: dict[str, NDArray[Any]] = {}
    for name in QUANTITIES:
        columns[name] = numbers[name][0][series, window]
    for name in QUANTITIES:
        value, se = (part[series, window] for part in numbers[name])
        for level in levels:
            limits = normal_interval(value, np.where(se > 0, se, np.nan) ** 2, confidence=level)
            columns |= {
                f"{name}_lower_{100 * level:g}": np.asarray(limits.lower),
                f"{name}_upper_{100 * level:g}": np.asarray(limits.upper),
            }
    states = [np.isnan(area.value[series, window]), ~problem.used[series, window]]
    status = np.select(states, ["missing", "left out"], "observed").astype(object)
    return _placed(series, [area.periods[i] for i in window], status, columns)


def _projected(problem: Problem, batch: Batch, target: Period, levels: Sequence[float]) -> dict[str, NDArray[Any]]:
    ahead = _windows_ahead([problem.area.periods[i] for i in batch.windows], target)
    asked = {
        "first_year": [period.start.year for period in ahead],
        "n_years": [period.months // 12 for period in ahead],
    }
    chances = [0.5, *((1 + sign * level) / 2 for level in levels for sign in (-1, 1))]
    own = project(batch.own, **asked)  # type: ignore[arg-type]
    shape = (batch.series.size, len(ahead), len(chances))
    limits = dict.fromkeys(QUANTITIES, np.full(shape, np.nan))
    if batch.reference is None:
        limits["area"] = problem.assumptions.inverse(own.quantile(chances))
    else:
        nation = project(batch.reference, **asked)  # type: ignore[arg-type]
        sign = -1 if problem.better == "higher" else 1
        limits["gap"] = own.quantile(chances)
        limits["reference"] = np.broadcast_to(nation.quantile(chances), shape)
        limits["area"] = sum_of_mixtures(nation, own, sign=sign).quantile(chances)
        limits["area"][..., 0] = area_from_gap(
            limits["gap"][..., 0], limits["reference"][..., 0], better=problem.better
        )
    columns = {name: limits[name][..., 0].ravel() for name in QUANTITIES}
    for name in QUANTITIES:
        for i, level in enumerate(levels):
            columns[f"{name}_lower_{100 * level:g}"] = limits[name][..., 1 + 2 * i].ravel()
            columns[f"{name}_upper_{100 * level:g}"] = limits[name][..., 2 + 2 * i].ravel()
    status = np.full(shape[0] * shape[1], "projected", dtype=object)
    return _placed(np.repeat(batch.series, len(ahead)), list(ahead) * batch.series.size, status, columns)


def _placed(
    series: NDArray[np.intp], periods: Sequence[Period], status: NDArray[np.object_], columns: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    return {
        "series": series,
        "start": np.array([period.start.toordinal() for period in periods]),
        "months": np.array([period.months for period in periods]),
        "period": np.array([str(period) for period in periods], dtype=object),
        "year": np.array([period.start.year + (period.months // 12 - 1) / 2 for period in periods]),
        "status": status,
        **columns,
    }


def _windows_ahead(known: Sequence[Period], target: Period) -> tuple[Period, ...]:
    """Windows as long as the target, one a year, from the first that sees a new year."""
    ends = max(period.start.year + period.months // 12 for period in known)
    length = target.months // 12
    last = target.start.year
    if last + length <= ends:
        raise SchemaError(f"the target {target} is not later than the latest window: say a later one in to=.")
    periods = [
        Period(start=target.start.replace(year=year), months=target.months) for year in range(ends + 1 - length, last)
    ]
    return (*periods, target)
