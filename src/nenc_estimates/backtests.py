"""How good projections would have been: rolling origins that share no year with the window they are tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from nenc_estimates.forecasts import Assumptions, Choices, Problem, pose
from nenc_estimates.kernels.scores import (
    continuous_ranked_probability_score,
    interval_coverage,
    interval_score,
    mean_absolute_error,
    mean_absolute_scaled_error,
)
from nenc_estimates.kernels.trajectories import project, trajectory
from nenc_estimates.kernels.windows import window_centre
from nenc_estimates.statements import say
from nenc_estimates.tables import tidy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.forecasts import Better

    Floats = NDArray[np.float64]

LEAST_WINDOWS = 8
"""Windows below which a backtest says that there are not enough."""

SCORES = ("mae", "mase", "crps", "interval_score_80", "interval_score_95", "coverage_80", "coverage_95")
LEVELS = (0.8, 0.95)


def backtest(
    table: IntoDataFrameT,
    *,
    horizon: int,
    reference: IntoDataFrame | None = None,
    share: float | Mapping[str, float] = 0.0,
    better: Better = "higher",
    **assumptions: Unpack[Choices],
) -> IntoDataFrameT:
    """Score a trend on windows that it has not seen, beside the assumption of no change.

    Every window is forecast from those whose middle lies ``horizon`` years or more before its own. Scores are of the
    figure that was published, so its sampling error counts, on the scale of the trend.

    Parameters
    ----------
    table, reference, share, better
        As in :func:`~nenc_estimates.project_trajectory`; with a reference the gap is tested.
    horizon
        [years]; at least the length of the windows, so that none is tested on years that it was fitted to.
    **assumptions
        Fields of :class:`~nenc_estimates.forecasts.Assumptions`.

    Returns
    -------
    frame of the caller's kind
        Two rows for each series, the trend and ``flat``: key columns, ``trend, horizon, n_windows, n_tests, mae, mase,
        crps, interval_score_80, interval_score_95, coverage_80, coverage_95, verdict, assumptions``. The verdict is
        ``better than no change``, ``no skill over no change`` (by ``crps``), ``yardstick``, or ``not enough windows``
        with empty scores: fewer than eight windows, or none that can be tested.

    Raises
    ------
    ValueError
        The horizon is shorter than the windows, or shocks or breaks are given.

    Examples
    --------
    >>> import pandas as pd
    >>> rising = pd.DataFrame(
    ...     {"period": [str(y) for y in range(2008, 2020)], "value": [0.1 * y * y for y in range(12)]}
    ... )
    >>> backtest(rising.assign(se=0.1), horizon=2)[["trend", "n_tests", "verdict"]].values.tolist()
    [['drift', 7, 'better than no change'], ['flat', 7, 'yardstick']]

    See Also
    --------
    nenc_estimates.kernels.scores : the scores and their sources.
    """
    problem = pose(table, Assumptions(**assumptions), reference=reference, share=share, better=better)
    if problem.assumptions.shock or problem.assumptions.breaks:
        raise ValueError("a backtest takes no shocks or breaks: they could not have been known beforehand.")
    longest = int(problem.area.n_years.max())
    if horizon < longest:
        raise ValueError(f"horizon is {horizon} years; windows of {longest} years share years below {longest}.")
    trends = tuple(dict.fromkeys((problem.assumptions.trend, "flat")))
    found = np.stack([_scores(problem, horizon, trend) for trend in trends], axis=1)
    count = len(found)
    place = np.repeat(np.arange(count), len(trends))
    scores, tests = found[..., :-1].reshape(-1, len(SCORES)), found[..., -1].ravel()
    return tidy(
        {
            **{name: key[place] for name, key in problem.area.keys.items()},
            "trend": list(trends) * count,
            "horizon": [horizon] * place.size,
            "n_windows": problem.used.sum(axis=-1)[place],
            "n_tests": tests.astype(np.int64),
            **{name: scores[:, i] for i, name in enumerate(SCORES)},
            "verdict": [
                _verdict(trend, *pair) for row in found for trend, pair in zip(trends, _beside_flat(row), strict=True)
            ],
            "assumptions": [said.assumptions for said in say(problem) for _ in trends],
        },
        problem.area.backend,
    )


def _scores(problem: Problem, horizon: int, trend: str) -> Floats:
    """Mean of each score over the tested windows, then their number: shape ``(series, score)``."""
    result = np.full((len(problem.used), len(SCORES) + 1), np.nan)
    result[:, -1] = 0
    patterns, member = np.unique(problem.used, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows, windows = np.flatnonzero(member.ravel() == number), np.flatnonzero(pattern)
        tests = [_test(problem, rows, windows, window=int(window), horizon=horizon, trend=trend) for window in windows]
        made = [test for test in tests if test is not None]
        if windows.size >= LEAST_WINDOWS and made:
            result[rows] = np.concatenate([np.mean(made, axis=0), np.full((rows.size, 1), len(made))], axis=-1)
    return result


def _test(
    problem: Problem, rows: NDArray[np.intp], windows: NDArray[np.intp], *, window: int, horizon: int, trend: str
) -> Floats | None:
    """Scores of one window forecast from those at least the horizon before it; None where they are too few."""
    chosen, area = problem.assumptions, problem.area
    centre = window_centre(area.first_year, area.n_years)
    train, lag = windows[centre[windows] <= centre[window] - horizon], int(area.n_years[window])
    if train.size < max(chosen.minimum, lag + 1):
        return None
    value, se, rounding = problem.on_scale(np.ix_(rows, train))
    actual, actual_se, actual_rounding = problem.on_scale(np.ix_(rows, np.array([window])))
    fit = trajectory(
        value,
        se,
        rounding=rounding,
        first_year=area.first_year[train],
        n_years=area.n_years[train],
        until=int(area.first_year[window]) + lag - 1,
        trend=trend,
        **(dict(chosen.parameters) if trend == chosen.trend else {}),  # type: ignore[arg-type]
    )
    ahead = project(
        fit,
        first_year=area.first_year[[window]],
        n_years=area.n_years[[window]],
        se=actual_se,
        rounding=actual_rounding,
    )
    median = ahead.quantile(0.5)
    limits = [ahead.interval(confidence=level) for level in LEVELS]
    scores = [
        mean_absolute_error(actual, median),
        mean_absolute_scaled_error(actual, median, training=value, lag=lag),
        continuous_ranked_probability_score(actual, ahead)[:, 0],
        *(interval_score(actual, *pair, confidence=level)[:, 0] for pair, level in zip(limits, LEVELS, strict=True)),
        *(interval_coverage(actual, *pair) for pair in limits),
    ]
    return np.stack(scores, axis=-1)


def _beside_flat(row: Floats) -> list[tuple[float, float]]:
    crps = SCORES.index("crps")
    return [(float(scores[crps]), float(row[-1, crps])) for scores in row]


def _verdict(trend: str, score: float, flat: float) -> str:
    if np.isnan(score):
        return "not enough windows"
    if trend == "flat":
        return "yardstick"
    return "better than no change" if score < flat else "no skill over no change"
