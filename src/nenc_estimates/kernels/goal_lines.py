"""Goals: the straight line to them, the pace they need, and how likely and visible they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nenc_estimates.kernels.levels import one_level

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.kernels.mixtures import Mixture

    Bound = Literal["at_most", "at_least"]


def goal_line(
    year: ArrayLike,
    *,
    baseline_year: ArrayLike,
    baseline: ArrayLike,
    target_year: ArrayLike,
    goal: ArrayLike,
) -> NDArray[np.float64]:
    """Straight line from the baseline to the goal, anchored at both.

    Parameters
    ----------
    year
        Where the line is read, centre of a window (2019 for 2018-20) [years].
    baseline_year, baseline
        Centre of the baseline window and the value there.
    target_year, goal
        Centre of the target window and the value there.

    Returns
    -------
    NDArray
        All arguments broadcast; exactly ``baseline`` and ``goal`` at the ends, ``nan`` outside them.

    Examples
    --------
    >>> goal_line([2019, 2020, 2030], baseline_year=2019, baseline=3.7, target_year=2030, goal=3.33).round(4)
    array([3.7   , 3.6664, 3.33  ])
    """
    t, t0, t1 = (np.asarray(x, float) for x in (year, baseline_year, target_year))
    done = (t - t0) / np.where(t1 > t0, t1 - t0, np.nan)
    line = (1 - done) * np.asarray(baseline, float) + done * np.asarray(goal, float)
    return np.where((done >= 0) & (done <= 1), line, np.nan)


def required_change(
    current: ArrayLike, goal: ArrayLike, *, year: ArrayLike, target_year: ArrayLike
) -> NDArray[np.float64]:
    """Change a year that still leads to the goal.

    Parameters
    ----------
    current, year
        Latest value and the centre of its window.
    goal, target_year
        Goal value and the centre of its window.

    Returns
    -------
    NDArray
        [Unit a year]; ``nan`` when no time is left.

    Examples
    --------
    >>> float(required_change(10.4, 5.0, year=2024, target_year=2030).round(3))
    -0.9
    """
    left = np.asarray(target_year, float) - np.asarray(year, float)
    change = np.asarray(goal, float) - np.asarray(current, float)
    return np.asarray(change / np.where(left > 0, left, np.nan))


def annual_rate_of_reduction(
    start: ArrayLike, end: ArrayLike, *, years: ArrayLike, compound: bool = False
) -> NDArray[np.float64]:
    """Constant rate at which a positive measure falls from ``start`` to ``end``.

    Parameters
    ----------
    start, end
        Values, positive.
    years
        Time between them [years].
    compound
        True for the share lost each year; otherwise the continuous (logarithmic) rate that UN IGME publishes.

    Returns
    -------
    NDArray
        Share a year, positive for a fall; ``nan`` for values that are not positive or no time between.

    References
    ----------
    UN Inter-agency Group for Child Mortality Estimation (2013), Levels and Trends in Child Mortality. UNICEF
    (2007), Technical note: how to calculate average annual rate of reduction.

    Examples
    --------
    >>> float(annual_rate_of_reduction(20, 10, years=25).round(4))
    0.0277
    """
    first, last, span = (np.asarray(x, float) for x in (start, end, years))
    possible = (first > 0) & (last > 0) & (span > 0)
    rate = np.log(np.where(possible, first, np.nan) / np.where(possible, last, 1.0)) / np.where(possible, span, 1.0)
    return -np.expm1(-rate) if compound else rate


def average_annual_rate_of_reduction(value: ArrayLike, *, year: ArrayLike) -> NDArray[np.float64]:
    """Rate of reduction of a log-linear fit to all values.

    Parameters
    ----------
    value
        Shape ``(..., point)``, positive.
    year
        Shape ``(point,)`` [years].

    Returns
    -------
    NDArray
        Share lost each year, shape ``(...)``; ``nan`` where a value is not positive.

    References
    ----------
    UNICEF (2007), Technical note: how to calculate average annual rate of reduction.

    Examples
    --------
    >>> float(average_annual_rate_of_reduction([100.0, 90.0, 81.0], year=[2018, 2019, 2020]).round(6))
    0.1
    """
    v, t = np.asarray(value, float), np.asarray(year, float)
    centred = t - t.mean()
    slope = (np.log(np.where(v > 0, v, np.nan)) * centred).sum(axis=-1) / (centred**2).sum()
    return np.asarray(-np.expm1(slope))


def pace_ratio(change: ArrayLike, required: ArrayLike) -> NDArray[np.float64]:
    """Fitted change a year over the change that is needed: 1 is enough, negative the wrong way.

    Parameters
    ----------
    change, required
        Both linear [unit a year], or both logarithmic for rates; shapes that broadcast.

    Returns
    -------
    NDArray
        ``nan`` where no change is needed.

    Examples
    --------
    >>> float(pace_ratio(-0.65, -0.9).round(3))
    0.722
    """
    need = np.asarray(required, float)
    return np.asarray(change, float) / np.where(need != 0, need, np.nan)


def goal_probability(forecast: Mixture, goal: ArrayLike, *, bound: Bound) -> NDArray[np.float64]:
    """Probability that a forecast meets a goal.

    Parameters
    ----------
    forecast
        Of the target window, for a goal value taken as fixed (the published baseline); or of target less the
        kept part of the baseline with ``goal = 0`` (the estimated baseline: `.project` with ``baseline``).
    goal
        Broadcasts against the batch.
    bound
        ``"at_most"`` or ``"at_least"``.

    Returns
    -------
    NDArray
        One half where the goal is the median of the forecast.

    Examples
    --------
    >>> from nenc_estimates.kernels.mixtures import Mixture
    >>> normal = Mixture(weight=np.ones(1), location=np.array([1.85]), spread=np.array([0.25]))
    >>> float(goal_probability(normal, 1.62, bound="at_most").round(4))
    0.1788
    """
    if bound not in ("at_most", "at_least"):
        msg = f"bound is 'at_most' or 'at_least', not {bound!r}"
        raise ValueError(msg)
    below = np.clip(forecast.cdf(goal), 0.0, 1.0)  # weights add up to 1 but for the last bit
    return below if bound == "at_most" else 1 - below


def reduction_probability(
    baseline: ArrayLike,
    target: ArrayLike,
    *,
    by: ArrayLike,
    se_baseline: ArrayLike = 0.0,
    se_target: ArrayLike,
    correlation: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Probability that a gap falls by at least a share, from two estimates and their errors.

    Parameters
    ----------
    baseline, target
        Gap at the baseline and forecast at the target.
    by
        Share by which it has to fall.
    se_baseline, se_target
        Standard errors; ``se_baseline = 0`` takes the published baseline as the commitment.
    correlation
        Between the two errors.

    Returns
    -------
    NDArray
        Arguments broadcast; ``nan`` without any error.

    Examples
    --------
    >>> float(reduction_probability(1.8, 1.85, by=0.1, se_baseline=0.0616, se_target=0.25).round(4))
    0.1845
    """
    from scipy.special import ndtr  # noqa: PLC0415 - importing the kernels stays quick

    keep, s0, s1 = 1 - np.asarray(by, float), np.asarray(se_baseline, float), np.asarray(se_target, float)
    excess = np.asarray(target, float) - keep * np.asarray(baseline, float)
    variance = s1**2 + (keep * s0) ** 2 - 2 * keep * np.asarray(correlation, float) * s0 * s1
    return np.asarray(ndtr(-excess / np.sqrt(np.where(variance > 0, variance, np.nan))))


def all_met_bounds(
    probability: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds of the probability that all goals are met, whatever their dependence.

    Parameters
    ----------
    probability
        Shape ``(..., goal)``.

    Returns
    -------
    lower, upper
        Each ``(...)``. A product would assume independence, which goals on one population do not have.

    References
    ----------
    Fréchet (1935), Fundamenta Mathematicae 25, 379-387.

    Examples
    --------
    >>> lower, upper = all_met_bounds([0.9, 0.8])
    >>> float(lower.round(2)), float(upper)
    (0.7, 0.8)
    """
    p = np.asarray(probability, float)
    return np.asarray(np.maximum(1 - (1 - p).sum(axis=-1), 0.0)), np.asarray(p.min(axis=-1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectability:
    """Whether a fully met goal would show through sampling error.

    Attributes
    ----------
    z
        Required change over the standard error of the change between two windows.
    power
        Probability that it is significant.
    minimum
        Smallest change that would be [unit of the value].
    """

    z: NDArray[np.float64]
    power: NDArray[np.float64]
    minimum: NDArray[np.float64]


def detectability(
    change: ArrayLike, *, se_baseline: ArrayLike, se_target: ArrayLike, confidence: float = 0.95
) -> Detectability:
    """Power of comparing two windows that share no year.

    Parameters
    ----------
    change
        Required change [unit of the value].
    se_baseline, se_target
        Standard errors of the two windows.
    confidence
        Of the two-sided comparison.

    Returns
    -------
    Detectability
        ``nan`` where there is no error.

    Examples
    --------
    >>> float(detectability(0.18, se_baseline=0.061562, se_target=0.061562).power.round(2))
    0.54
    """
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - importing the kernels stays quick

    confidence = one_level(confidence)
    se = np.hypot(np.asarray(se_baseline, float), np.asarray(se_target, float))
    se = np.where(se > 0, se, np.nan)
    critical = float(ndtri((1 + confidence) / 2))
    z = np.abs(np.asarray(change, float)) / se
    return Detectability(z=z, power=np.asarray(ndtr(z - critical) + ndtr(-z - critical)), minimum=critical * se)
