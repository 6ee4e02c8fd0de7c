"""How good forecasts were: errors of the point, of the whole distribution, and of the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nenc_estimates.kernels.levels import one_level

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.kernels.mixtures import Mixture

_PAIRS: Final = 2**20
"""Pairs of components of all mixtures that are held at a time: some tens of megabytes."""


def mean_absolute_error(actual: ArrayLike, forecast: ArrayLike) -> NDArray[np.float64]:
    """Mean absolute error over the last axis [unit of the value].

    Parameters
    ----------
    actual, forecast
        Shape ``(..., case)``.

    Returns
    -------
    NDArray
        Shape ``(...)``; ``nan`` where a case is missing.

    References
    ----------
    Hyndman & Koehler (2006), Another look at measures of forecast accuracy, International Journal of
    Forecasting 22(4), 679-688, doi:10.1016/j.ijforecast.2006.03.001.

    Examples
    --------
    >>> float(mean_absolute_error([1.0, 2.0], [1.5, 1.0]))
    0.75
    """
    return np.asarray(np.abs(np.asarray(actual, float) - np.asarray(forecast, float)).mean(axis=-1))


def mean_absolute_scaled_error(
    actual: ArrayLike, forecast: ArrayLike, *, training: ArrayLike, lag: int = 1
) -> NDArray[np.float64]:
    """Mean absolute error as a multiple of that of assuming no change in the training windows.

    Parameters
    ----------
    actual, forecast
        Shape ``(..., case)``.
    training
        Shape ``(..., window)``, oldest first, a window starting each year.
    lag
        Windows apart that share no year: 3 for rolling three-year windows.

    Returns
    -------
    NDArray
        Shape ``(...)``, below 1 when better than no change; ``nan`` when the training windows never changed
        or there are not more than ``lag``.

    References
    ----------
    Hyndman & Koehler (2006), scaled errors, here by the in-sample error of no change over ``lag`` steps.

    Examples
    --------
    >>> float(mean_absolute_scaled_error([5.0], [4.0], training=[1.0, 2.0, 3.0, 4.0], lag=3).round(3))
    0.333
    """
    if lag < 1:
        msg = f"lag counts windows, at least 1, not {lag}"
        raise ValueError(msg)
    series = np.asarray(training, float)
    if series.shape[-1] <= lag:
        return np.full(series.shape[:-1], np.nan)
    change = np.abs(series[..., lag:] - series[..., :-lag]).mean(axis=-1)
    return np.asarray(mean_absolute_error(actual, forecast) / np.where(change > 0, change, np.nan))


def continuous_ranked_probability_score(actual: ArrayLike, forecast: Mixture) -> NDArray[np.float64]:
    """Compare whole distributions with what happened: the absolute error of a forecast with limits.

    Parameters
    ----------
    actual
        Broadcasts against the batch of ``forecast``.
    forecast
        A mixture of normals, or a single Student t with more than 1 degree of freedom.

    Returns
    -------
    NDArray
        Shape ``(...)`` [unit of the value], smaller is better; the absolute error where the spread is 0.

    References
    ----------
    Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation, JASA 102, 359-378,
    doi:10.1198/016214506000001437. Mixtures: Grimit et al. (2006), QJRMS 132, 2925-2942,
    doi:10.1256/qj.05.235. Student t: Jordan, Krüger & Lerch (2019), Journal of Statistical Software 90(12),
    doi:10.18637/jss.v090.i12.

    Examples
    --------
    >>> from nenc_estimates.kernels.mixtures import Mixture
    >>> normal = Mixture(weight=np.ones(1), location=np.array([1.8]), spread=np.array([0.1]))
    >>> float(continuous_ranked_probability_score(1.7, normal).round(6))
    0.060244
    """
    error = np.asarray(actual, float)[..., None] - forecast.location
    if np.isfinite(forecast.df):
        return _student_score(error, forecast.spread, forecast.df)[..., 0]
    weight, location, spread = np.broadcast_arrays(forecast.weight, forecast.location, forecast.spread)
    inner = np.zeros(location.shape[:-1])
    step = max(_PAIRS // max(location.size, 1), 1)
    for first in range(0, location.shape[-1], step):  # all pairs of components at once would fill the memory
        some = np.s_[..., first : first + step, None]
        apart = location[some] - location[..., None, :]
        both = np.sqrt(spread[some] ** 2 + spread[..., None, :] ** 2)
        inner += (weight[some] * weight[..., None, :] * _mean_distance(apart, both)).sum(axis=(-1, -2))
    return np.asarray((weight * _mean_distance(error, spread)).sum(axis=-1) - 0.5 * inner)


def interval_score(
    actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, confidence: float = 0.95
) -> NDArray[np.float64]:
    """Width of the limits, plus a penalty of ``2 / (1 - confidence)`` for each unit by which they miss.

    Parameters
    ----------
    actual, lower, upper
        Shapes that broadcast.
    confidence
        Level of the limits, in (0, 1).

    Returns
    -------
    NDArray
        [Unit of the value], smaller is better; ``nan`` where a limit is missing.

    References
    ----------
    Gneiting & Raftery (2007), equation 43.

    Examples
    --------
    >>> float(interval_score(4.7, 3.0, 4.5).round(6))
    9.5
    """
    confidence = one_level(confidence)
    x, low, high = (np.asarray(part, float) for part in (actual, lower, upper))
    missed = np.maximum(low - x, 0.0) + np.maximum(x - high, 0.0)
    return np.asarray(high - low + 2 / (1 - confidence) * missed)


def interval_coverage(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> NDArray[np.float64]:
    """Share of cases that lie within their limits, over the last axis.

    Parameters
    ----------
    actual, lower, upper
        Shapes that broadcast to ``(..., case)``.

    Returns
    -------
    NDArray
        Shape ``(...)``; ``nan`` where a case or limit is missing.

    Examples
    --------
    >>> float(interval_coverage([1.0, 2.0], [0.5, 2.5], [1.5, 3.0]))
    0.5
    """
    x, low, high = (np.asarray(part, float) for part in (actual, lower, upper))
    inside = np.where(np.isfinite(x + low + high), (x >= low) & (x <= high), np.nan)
    return np.asarray(inside.mean(axis=-1))


def _mean_distance(mean: NDArray[np.float64], sd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the absolute value of a normal variable."""
    from scipy.special import erf  # noqa: PLC0415 - importing the kernels stays quick

    score = mean / np.maximum(sd, 1e-300)
    with np.errstate(over="ignore"):
        return np.asarray(sd * np.sqrt(2 / np.pi) * np.exp(-0.5 * score**2) + mean * erf(score / np.sqrt(2)))


def _student_score(error: NDArray[np.float64], scale: NDArray[np.float64], df: float) -> NDArray[np.float64]:
    from scipy.special import beta, stdtr  # noqa: PLC0415 - importing the kernels stays quick

    if df <= 1:
        return np.full(np.broadcast_shapes(error.shape, scale.shape), np.nan)
    z = error / np.maximum(scale, 1e-300)
    density = (1 + z**2 / df) ** (-(df + 1) / 2) / (np.sqrt(df) * beta(0.5, df / 2))
    constant = 2 * np.sqrt(df) / (df - 1) * beta(0.5, df - 0.5) / beta(0.5, df / 2) ** 2
    tail = 2 * density * (df + z**2) / (df - 1)
    return np.asarray(scale * (z * (2 * stdtr(df, z) - 1) + tail - constant))
