"""Recent trends: the marker that Fingertips publishes, and one that is right for rolling windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nenc_estimates.errors import InvalidDataError
from nenc_estimates.kernels.trends import TREND_POINTS, TrendMarker, proportion_trend, value_trend, window_trend
from nenc_estimates.periods import Period
from nenc_estimates.series import SERIES_KEYS, stack_windows
from nenc_estimates.tables import open_frame, stack, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.periods import Kind
    from nenc_estimates.series import StandardError, Windows

    Floats = NDArray[np.float64]

WORDS = {1.0: "increasing", -1.0: "decreasing", 0.0: "no significant change"}


def recent_trend(
    table: IntoDataFrameT,
    *,
    method: Literal["fingertips", "window"] = "fingertips",
    by: Sequence[str] | None = None,
    kind: Kind | None = None,
    standard_error: StandardError = "published",
) -> IntoDataFrameT:
    """Say whether the last five points of each series rise or fall, at the 99.8 % level.

    Parameters
    ----------
    table
        ``period`` and key columns; ``count, denominator`` for a proportion, else ``value`` with ``se`` or 95 % limits.
    method
        ``"fingertips"`` is the marker that OHID publishes, to its last digit: single years only, points counted and not
        dated. ``"window"`` is valid for rolling and gappy windows.
    by, kind, standard_error
        See :func:`~nenc_estimates.series.stack_windows`.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``first_period, last_period, n_points, trend`` (``increasing``, ``decreasing``, ``no significant
        change``, ``cannot be calculated``), ``slope`` [unit a year; log odds for proportions], ``chi2, method``; one
        row for each series.

    Raises
    ------
    InvalidDataError
        ``"fingertips"`` meets periods of several years, as it does on the site; use ``"window"``.

    Examples
    --------
    >>> import pandas as pd
    >>> years = [str(year) for year in range(2014, 2019)]
    >>> table = pd.DataFrame({"period": years, "value": [30.6, 30.2, 28.0, 24.6, 24.67], "se": 0.83})
    >>> recent_trend(table).loc[0, "trend"]
    'decreasing'
    """
    if method not in ("fingertips", "window"):
        raise ValueError(f"method is 'fingertips' or 'window', not {method!r}")
    opened = open_frame(table, ["period"])
    counts = {"count", "denominator"} <= set(opened.columns)
    if counts and method == "fingertips":
        return _proportion_trend(table, by, kind)
    windows = stack_windows(table, by=by, kind=kind, standard_error=standard_error)
    if method == "fingertips":
        _refuse_several_years(windows.periods)
    known = np.isfinite(windows.value)
    marker, last = _markers(windows, known, method)
    rows = _trend_columns(windows.periods, known, marker, last)
    return tidy({**windows.keys, **rows, "method": [method] * len(known)}, windows.backend)


def _refuse_several_years(periods: Sequence[Period]) -> None:
    for period in periods:
        if period.months != 12:
            raise InvalidDataError(
                f"the Fingertips marker is for single years, not for {period}: overlapping windows would be called "
                "significant five times too often. Use method='window'."
            )


def _proportion_trend(table: IntoDataFrame, by: Sequence[str] | None, kind: Kind | None) -> Any:
    opened = open_frame(table, ["period", "count", "denominator"])
    keys = [name for name in SERIES_KEYS if name in opened.columns] if by is None else list(by)
    stacked = stack(table, ["count", "denominator"], by=keys, axis="period")
    periods = [Period.parse(label, kind=kind) for label in stacked.labels]
    _refuse_several_years(periods)
    order = sorted(range(len(periods)), key=periods.__getitem__)
    count, denominator = (stacked.values[name][:, order] for name in ("count", "denominator"))
    known = np.isfinite(count) & np.isfinite(denominator)
    last = _last_points(known)
    marker = proportion_trend(_picked(count, last), _picked(denominator, last))
    ordered = [periods[i] for i in order]
    rows = _trend_columns(ordered, known, marker, last)
    return tidy({**stacked.keys, **rows, "method": ["fingertips"] * len(known)}, stacked.backend)


def _markers(windows: Windows, known: NDArray[np.bool_], method: str) -> tuple[TrendMarker, NDArray[np.intp]]:
    last = _last_points(known)
    value, se = _picked(windows.value, last), _picked(windows.se, last)
    if method == "fingertips":
        return value_trend(value, se), last
    patterns, member = np.unique(last, axis=0, return_inverse=True)
    fields = {name: np.full(len(last), np.nan) for name in ("chi2", "slope", "consistent", "direction")}
    for number, pattern in enumerate(patterns):
        rows = member.ravel() == number
        if (pattern < 0).any():
            continue
        part = window_trend(
            value[rows], se[rows], first_year=windows.first_year[pattern], n_years=windows.n_years[pattern]
        )
        for name, column in fields.items():
            column[rows] = getattr(part, name)

    return TrendMarker(**fields), last


def _last_points(known: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Places of the last five known points of each series, -1 where there are fewer."""
    places = np.where(known, np.arange(known.shape[-1]), -1)
    padded = np.concatenate([np.full((len(known), TREND_POINTS), -1), places], axis=-1)
    return np.sort(padded, axis=-1)[:, -TREND_POINTS:].astype(np.intp)


def _picked(column: Floats, last: NDArray[np.intp]) -> Floats:
    return np.where(last >= 0, np.take_along_axis(column, np.maximum(last, 0), axis=-1), np.nan)


def _trend_columns(
    periods: Sequence[Period], known: NDArray[np.bool_], marker: TrendMarker, last: NDArray[np.intp]
) -> Mapping[str, Any]:
    used = [row[row >= 0] for row in last]
    return {
        "first_period": [str(periods[row[0]]) if row.size else "" for row in used],
        "last_period": [str(periods[row[-1]]) if row.size else "" for row in used],
        "n_points": np.minimum(known.sum(axis=-1), TREND_POINTS),
        "trend": [WORDS.get(float(way), "cannot be calculated") for way in marker.direction],
        "slope": marker.slope,
        "chi2": marker.chi2,
    }
