"""Recent-trend markers: the one that Fingertips publishes, and one that is right for rolling windows.

All look at the last five points, test the slope at 99.8 % and ask that it keeps its sign when each point is
left out in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.windows import window_centre, window_overlap

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TREND_POINTS = 5
"""Points in a recent trend: OHID, Fingertips Public Health Technical Guidance, Trend markers."""

TREND_THRESHOLD = 9.54953570608324
"""Upper 0.2 % point of chi-squared with 1 degree of freedom, as in Fingertips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendMarker:
    """Verdict on the last points of each series, every field of the batch's shape.

    Attributes
    ----------
    chi2
        Test of the slope, chi-squared with 1 degree of freedom.
    slope
        Its direction and size: unit a year, or log odds a year for proportions.
    consistent
        1 where the slope keeps its sign when each point is left out, else 0.
    direction
        1 increasing, -1 decreasing, 0 no significant change; ``nan`` where it cannot be calculated: fewer
        than five points or any of them missing or without an error.
    """

    chi2: NDArray[np.float64]
    slope: NDArray[np.float64]
    consistent: NDArray[np.float64]
    direction: NDArray[np.float64]


def proportion_trend(count: ArrayLike, denominator: ArrayLike, *, year: ArrayLike | None = None) -> TrendMarker:
    """Fingertips recent trend of a proportion: Cochran-Armitage test, direction by unweighted log odds.

    Parameters
    ----------
    count, denominator
        Shape ``(..., point)``, oldest first, single years; the last five are used.
    year
        Shape ``(point,)``; without it the positions 1 to 5, which is what Fingertips uses even across gaps.

    Returns
    -------
    TrendMarker
        ``nan`` also where a count is 0 or equals its denominator (log odds without bound), or is impossible.

    References
    ----------
    OHID, Fingertips Public Health Technical Guidance, Trend markers. Armitage (1955), Tests for linear trends
    in proportions and frequencies, Biometrics 11(3), 375-386, doi:10.2307/3001775.

    Examples
    --------
    >>> marker = proportion_trend([318, 314, 318, 291, 292], [468.34, 472.89, 500.79, 480.2, 499.15])
    >>> float(marker.chi2.round(2)), float(marker.direction)
    (12.57, -1.0)
    """
    x, n = (_last(part) for part in _together(count, denominator))
    possible = (x > 0) & (x < n)
    x, n, t = np.where(possible, x, np.nan), np.where(possible, n, np.nan), _time(year, x)
    people, cases = n.sum(axis=-1), x.sum(axis=-1)
    deviation = t - ((n * t).sum(axis=-1) / people)[..., None]
    spread = (n * deviation**2).sum(axis=-1) * (cases / people) * (1 - cases / people)
    chi2 = (x * deviation).sum(axis=-1) ** 2 / spread
    odds = np.log(x) - np.log(n - x)
    slopes = _slopes(odds, np.ones_like(odds), t, np.eye(TREND_POINTS))[0]
    return _marker(chi2, slopes, TREND_THRESHOLD)


def value_trend(
    value: ArrayLike, se: ArrayLike, *, year: ArrayLike | None = None, threshold: float = TREND_THRESHOLD
) -> TrendMarker:
    """Fingertips recent trend of anything but a proportion: weighted regression, points independent.

    Parameters
    ----------
    value, se
        Shape ``(..., point)``, oldest first, single years; the last five are used. Fingertips takes the
        standard error as width of the 95 % interval / 3.92.
    year
        Shape ``(point,)``; without it the positions 1 to 5.
    threshold
        Of the chi-squared test.

    Returns
    -------
    TrendMarker
        With rolling periods the error rate is 1 %, not 0.2 %: use `window_trend`.

    References
    ----------
    OHID, Fingertips Public Health Technical Guidance, Trend markers.

    Examples
    --------
    >>> float(value_trend([30.6, 30.2, 28.0, 24.6, 24.67], [0.83] * 5).direction)
    -1.0
    """
    v, s = (_last(part) for part in _together(value, se))
    slopes, chi2 = _slopes(v, s, _time(year, v), np.eye(TREND_POINTS))
    return _marker(chi2, slopes, threshold)


def window_trend(
    value: ArrayLike,
    se: ArrayLike,
    *,
    first_year: ArrayLike,
    n_years: ArrayLike,
    points: int = TREND_POINTS,
    threshold: float = TREND_THRESHOLD,
) -> TrendMarker:
    """Recent trend of windows that may share years: generalised least squares with the overlap known.

    Parameters
    ----------
    value, se
        Shape ``(..., window)``, oldest first.
    first_year, n_years
        Shape ``(window,)``.
    points
        Windows used, counted from the last.
    threshold
        Of the chi-squared test.

    Returns
    -------
    TrendMarker
        Equal to `value_trend` where windows are single years in a row.

    References
    ----------
    Aitken (1936), On least squares and linear combination of observations, Proceedings of the Royal Society
    of Edinburgh 55, 42-48, doi:10.1017/S0370164600014346.

    Examples
    --------
    >>> value = [10.0, 10.4, 10.8, 11.3, 11.6]
    >>> marker = window_trend(value, [0.3] * 5, first_year=range(2014, 2019), n_years=[3] * 5)
    >>> float(marker.chi2.round(2)), float(marker.direction)
    (14.69, 1.0)
    """
    first, n = np.asarray(first_year, float)[-points:], np.asarray(n_years, float)[-points:]
    v, s = (_last(part, points) for part in _together(value, se))
    if first.size < points:  # the series are all missing then, and any windows do
        first, n = np.arange(float(points)), np.ones(points)
    slopes, chi2 = _slopes(v, s, window_centre(first, n), window_overlap(first, n))
    return _marker(chi2, slopes, threshold)


def _together(*arrays: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    return np.broadcast_arrays(*(np.asarray(array, float) for array in arrays))


def _last(x: ArrayLike, points: int = TREND_POINTS) -> NDArray[np.float64]:
    """Return the last points; all missing where there are too few."""
    array = np.atleast_1d(np.asarray(x, float))
    return array[..., -points:] if array.shape[-1] >= points else np.full((*array.shape[:-1], points), np.nan)


def _time(year: ArrayLike | None, points: NDArray[np.float64]) -> NDArray[np.float64]:
    count = points.shape[-1]
    return np.arange(1.0, count + 1) if year is None else _last(year, count)


def _slopes(
    v: NDArray[np.float64], s: NDArray[np.float64], t: NDArray[np.float64], overlap: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes with all points and without each in turn (first axis), and the test of the first."""
    error, t = np.where(s > 0, s, np.nan), t - t[0]  # small numbers, so that a constant has no slope at all
    everything = np.arange(t.size)
    fits = [_slope(v, error, t, overlap, everything)]
    fits += [_slope(v, error, t, overlap, np.delete(everything, left_out)) for left_out in everything]
    slopes = np.stack([slope for slope, _ in fits])
    return slopes, slopes[0] ** 2 * fits[0][1]


def _slope(
    v: NDArray[np.float64],
    s: NDArray[np.float64],
    t: NDArray[np.float64],
    overlap: NDArray[np.float64],
    used: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope by generalised least squares and its precision; the overlap is inverted once for all series."""
    inverse, weight = np.linalg.inv(overlap[np.ix_(used, used)]), 1 / s[..., used]
    row = (weight @ inverse) * weight
    centred = t[used] - ((row * t[used]).sum(axis=-1) / row.sum(axis=-1))[..., None]
    lever = ((centred * weight) @ inverse) * weight
    precision = (lever * centred).sum(axis=-1)
    return (lever * v[..., used]).sum(axis=-1) / precision, precision


def _marker(chi2: NDArray[np.float64], slopes: NDArray[np.float64], threshold: float) -> TrendMarker:
    up = slopes >= 0  # Fingertips counts a slope of nought as upwards
    consistent = up.all(axis=0) | (~up).all(axis=0)
    direction = np.where((chi2 > threshold) & consistent, np.sign(slopes[0]), 0.0)
    known = np.isfinite(chi2) & np.isfinite(slopes).all(axis=0)
    return TrendMarker(
        chi2=np.where(known, chi2, np.nan),
        slope=np.where(known, slopes[0], np.nan),
        consistent=np.where(known, consistent, np.nan),
        direction=np.where(known, direction, np.nan),
    )
