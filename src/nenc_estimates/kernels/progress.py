"""Progress ratios of other systems, by name, for comparison: two points, no uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSdgProgress:
    """Progress in the sense of Open SDG; fields have the shape of the batch.

    Attributes
    ----------
    observed, required
        Compound change [share a year] since the baseline, and from the baseline to the target.
    ratio
        Observed over required, positive in the wanted direction.
    score
        From -5 to 5.
    status
        ``target_achieved``, ``substantial_progress`` (ratio from 0.95), ``moderate_progress`` (0.6),
        ``limited_progress`` (0), ``deterioration`` or ``not_available``.
    """

    observed: NDArray[np.float64]
    required: NDArray[np.float64]
    ratio: NDArray[np.float64]
    score: NDArray[np.float64]
    status: NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsdProgress:
    """Progress in the sense of the UN Sustainable Development Goals Progress Chart.

    Attributes
    ----------
    expected
        Value in the target year if the compound change since the baseline goes on.
    fraction
        Share of the required change that would be made by then.
    score
        3 from 0.95, 2 from 0.1, 1 below.
    achieved
        1 where the target is already met, else 0.
    """

    expected: NDArray[np.float64]
    fraction: NDArray[np.float64]
    score: NDArray[np.float64]
    achieved: NDArray[np.float64]


def open_sdg_progress(
    *,
    baseline: ArrayLike,
    baseline_year: ArrayLike,
    current: ArrayLike,
    year: ArrayLike,
    target: ArrayLike,
    target_year: ArrayLike,
    direction: ArrayLike,
) -> OpenSdgProgress:
    """Ratio of observed to required compound growth.

    Parameters
    ----------
    baseline, current, target
        Values; Open SDG takes 0.001 for a baseline or a target of 0.
    baseline_year, year, target_year
        Their years.
    direction
        1 when more is better, -1 when less is.

    Returns
    -------
    OpenSdgProgress
        Ratio ``nan`` and status ``not_available`` where baseline, current and target differ in sign or less
        than a year lies between.

    References
    ----------
    Open SDG, sdg-build, ProgressMeasure; after Eurostat (2021), Sustainable development in the European
    Union, annex on the assessment of trends.

    Examples
    --------
    >>> progress = open_sdg_progress(
    ...     baseline=13, baseline_year=2020, current=10.4, year=2024, target=5, target_year=2030, direction=-1
    ... )
    >>> float(progress.ratio.round(3)), str(progress.status)
    (0.595, 'limited_progress')
    """
    start, now, goal, sign = (np.asarray(x, float) for x in (baseline, current, target, direction))
    achieved = np.where(sign < 0, now <= goal, now >= goal)
    start, goal = np.where(start == 0, 0.001, start), np.where(goal == 0, 0.001, goal)
    observed = _compound(start, now, np.asarray(year, float) - np.asarray(baseline_year, float))
    required = _compound(start, goal, np.asarray(target_year, float) - np.asarray(baseline_year, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sign(start) * sign * observed / np.abs(required)
    ratio = np.where(np.isfinite(ratio), ratio, np.nan)
    score = np.where(ratio >= 0.6, np.minimum(7.1429 * ratio - 4.2857, 5), np.maximum(4.1667 * ratio - 2.5, -5))
    status = np.select(
        [achieved, ratio >= 0.95, ratio >= 0.6, ratio >= 0, ratio < 0],
        ["target_achieved", "substantial_progress", "moderate_progress", "limited_progress", "deterioration"],
        "not_available",
    )
    score = np.where(achieved, 5.0, score)
    return OpenSdgProgress(observed=observed, required=required, ratio=ratio, score=score, status=status)


def unsd_progress(
    *,
    baseline: ArrayLike,
    baseline_year: ArrayLike,
    current: ArrayLike,
    year: ArrayLike,
    target: ArrayLike,
    target_year: ArrayLike,
    direction: ArrayLike,
) -> UnsdProgress:
    """Share of the required change that the compound change so far would make by the target year.

    Parameters
    ----------
    baseline, current, target
        Values.
    baseline_year, year, target_year
        Their years.
    direction
        1 when more is better, -1 when less is.

    Returns
    -------
    UnsdProgress
        ``nan`` where baseline and current differ in sign, less than a year lies between, or the target is the
        baseline.

    References
    ----------
    UN Statistics Division (2024), SDG Progress Chart 2024, technical note.

    Examples
    --------
    >>> progress = unsd_progress(
    ...     baseline=13, baseline_year=2020, current=10.4, year=2024, target=5, target_year=2030, direction=-1
    ... )
    >>> float(progress.fraction.round(3)), float(progress.score)
    (0.695, 2.0)
    """
    start, now, goal, sign = (np.asarray(x, float) for x in (baseline, current, target, direction))
    rate = _compound(start, now, np.asarray(year, float) - np.asarray(baseline_year, float))
    expected = now * (1 + rate) ** (np.asarray(target_year, float) - np.asarray(year, float))
    fraction = (expected - start) / np.where(goal != start, goal - start, np.nan)
    score = np.where(np.isnan(fraction), np.nan, 1.0 + (fraction >= 0.10) + (fraction >= 0.95))
    achieved = np.where(sign < 0, now <= goal, now >= goal).astype(float)
    return UnsdProgress(expected=expected, fraction=fraction, score=score, achieved=achieved)


def _compound(start: NDArray[np.float64], end: NDArray[np.float64], years: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compound growth [share a year]; missing where the sign changes or less than a year passes."""
    possible = (start * end > 0) & (years >= 1)
    ratio = np.where(possible, end, np.nan) / np.where(possible, start, 1.0)
    return np.asarray(ratio ** (1 / np.where(possible, years, 1.0)) - 1)
