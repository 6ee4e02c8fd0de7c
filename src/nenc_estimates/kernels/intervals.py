"""Confidence intervals: normal, Wilson, Byar, exact Poisson and Dobson, for any batch and any level.

Every function takes ``confidence`` as a fraction or a sequence of fractions. A sequence puts one leading
axis in front of the limits, one entry a level: values of shape ``(area,)`` and ``confidence=(0.95, 0.998)``
give limits of shape ``(2, area)``. The quantile is that of the normal distribution, never a rounded 1.96.

The other direction, from published limits to what stood behind them, is `.interval_inversion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nenc_estimates.kernels.levels import Confidence, tails, z_value

Floats = NDArray[np.float64]

EXACT_BELOW = 10.0
"""Counts under this get exact Poisson limits, others Byar's: the rule of England's public health outcomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Two limits of the same shape.

    Attributes
    ----------
    lower, upper : ndarray
        The limits, in the unit of the value that they surround.
    """

    lower: Floats
    upper: Floats


def normal_interval(value: ArrayLike, variance: ArrayLike, *, confidence: Confidence = 0.95) -> Interval:
    """Limits for an estimate with a normal error: value -/+ z sqrt(variance).

    Parameters
    ----------
    value, variance : array_like, (...)
        Estimate and its variance [unit of the value, squared].
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Shape ``(...)``, or ``(level, ...)``. ``nan`` where either input is not finite or the variance is
        negative; zero width where it is 0. Not cut at 0.

    Examples
    --------
    >>> limits = normal_interval(80.0, 0.04)
    >>> round(float(limits.lower), 3), round(float(limits.upper), 3)
    (79.608, 80.392)
    """
    value, error = _finite(value), _error(variance)
    margin = _ahead(z_value(confidence), value, error) * error
    return Interval(lower=value - margin, upper=value + margin)


def wilson_interval(count: ArrayLike, n: ArrayLike, *, confidence: Confidence = 0.95) -> Interval:
    """Wilson score limits of a proportion.

    Parameters
    ----------
    count : array_like, (...)
        People with the characteristic; need not be whole.
    n : array_like, (...)
        People asked.
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Limits of ``count / n``, shape ``(...)``, or ``(level, ...)``: exactly 0 below a count of 0, exactly
        1 above a count of n. ``nan`` where ``n`` is not positive, ``count`` is outside 0..n or either is not
        finite.

    References
    ----------
    Wilson, E. B. (1927). JASA 22, 209-212. doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> limits = wilson_interval([0, 65], [100, 292])
    >>> limits.lower.round(6).tolist(), limits.upper.round(6).tolist()
    ([0.0, 0.178665], [0.036993, 0.273744])
    """
    count, n = np.asarray(count, np.float64), np.asarray(n, np.float64)
    n = _keep((n > 0) & np.isfinite(n) & (count >= 0) & (count <= n), n)
    return _wilson(count / n, (n - count) / n, n, confidence)


def wilson_from_variance(value: ArrayLike, variance: ArrayLike, *, confidence: Confidence = 0.95) -> Interval:
    """Wilson limits of a weighted proportion, at the sample size that its variance is worth.

    The effective sample size is ``value (1 - value) / variance``.

    Parameters
    ----------
    value, variance : array_like, (...)
        Proportion and its variance.
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Shape ``(...)``, or ``(level, ...)``. ``nan`` where the value is not strictly between 0 and 1 or the
        variance is not positive: no sample size follows from it.

    References
    ----------
    Korn, E. L. and Graubard, B. I. (1998). Survey Methodology 24(2), 193-201, for the effective size.

    Examples
    --------
    >>> limits = wilson_from_variance(0.2, 0.2 * 0.8 / 50)
    >>> bool(np.allclose(limits.lower, wilson_interval(10, 50).lower))
    True
    """
    value, variance = np.asarray(value, np.float64), np.asarray(variance, np.float64)
    value = _keep((value > 0) & (value < 1), value)
    variance = _keep((variance > 0) & np.isfinite(variance), variance)
    return _wilson(value, 1.0 - value, value * (1.0 - value) / variance, confidence)


def byar_interval(count: ArrayLike, *, confidence: Confidence = 0.95) -> Interval:
    """Byar's approximate limits of a Poisson count.

    Parameters
    ----------
    count : array_like, (...)
        Events; need not be whole.
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Limits of the count, shape ``(...)``, or ``(level, ...)``. ``nan`` where the count is negative or not
        finite. The lower limit is ``nan`` as well where the approximation has none: at 0, and where its cube
        is negative (counts below about 0.6 at 95 %, 1.3 at 99.8 %).

    See Also
    --------
    poisson_interval : has limits for every count.

    References
    ----------
    Breslow, N. E. and Day, N. E. (1987). Statistical Methods in Cancer Research II, chapter 2. IARC 82.

    Examples
    --------
    >>> limits = byar_interval([50, 1000])
    >>> limits.lower.round(3).tolist(), limits.upper.round(3).tolist()
    ([37.108, 938.972], [65.92, 1063.953])
    """
    count = _counts(count)
    z = _ahead(z_value(confidence), count)
    some, more = _keep(count > 0, count), count + 1.0
    root = 1.0 - 1.0 / (9.0 * some) - z / (3.0 * np.sqrt(some))
    lower = some * _cube(_keep(root >= 0, root))
    upper = more * _cube(1.0 - 1.0 / (9.0 * more) + z / (3.0 * np.sqrt(more)))
    return Interval(lower=lower, upper=upper)


def exact_poisson_interval(count: ArrayLike, *, confidence: Confidence = 0.95) -> Interval:
    """Exact (Garwood) limits of a Poisson count.

    Parameters
    ----------
    count : array_like, (...)
        Events; a count that is not whole gets the same quantiles with fractional degrees of freedom.
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Limits of the count, shape ``(...)``, or ``(level, ...)``; the lower limit of 0 is 0. ``nan`` where
        the count is negative or not finite.

    References
    ----------
    Garwood, F. (1936). Biometrika 28, 437-442. doi:10.1093/biomet/28.3-4.437

    Examples
    --------
    >>> limits = exact_poisson_interval([0, 5])
    >>> limits.lower.round(5).tolist(), limits.upper.round(5).tolist()
    ([0.0, 1.62349], [3.68888, 11.66833])
    """
    from scipy.special import gammainccinv, gammaincinv  # noqa: PLC0415  # importing the kernel stays cheap

    count = _counts(count)
    tail = _ahead(tails(confidence), count)
    lower = np.where(count == 0, 0.0 * tail, gammaincinv(_keep(count != 0, count), tail))
    return Interval(lower=lower, upper=gammainccinv(count + 1.0, tail))


def poisson_interval(count: ArrayLike, *, confidence: Confidence = 0.95) -> Interval:
    """Limits of a Poisson count as England publishes them: exact below 10, Byar's from 10 up.

    Parameters
    ----------
    count : array_like, (...)
        Events; need not be whole.
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Limits of the count, shape ``(...)``, or ``(level, ...)``. ``nan`` where the count is negative or not
        finite.

    Examples
    --------
    >>> limits = poisson_interval([9, 10])
    >>> limits.lower.round(4).tolist(), limits.upper.round(4).tolist()
    ([4.1154, 4.7874], [17.0848, 18.3915])
    """
    count = _counts(count)
    byar = byar_interval(count, confidence=confidence)
    few = count < EXACT_BELOW
    if not few.any():
        return byar
    exact = exact_poisson_interval(_keep(few, count), confidence=confidence)
    return Interval(lower=np.where(few, exact.lower, byar.lower), upper=np.where(few, exact.upper, byar.upper))


def byar_from_variance(value: ArrayLike, variance: ArrayLike, *, confidence: Confidence = 0.95) -> Interval:
    """Poisson limits of a weighted rate, at the number of events that its variance is worth.

    The effective count is ``value**2 / variance``. Its limits are those of `poisson_interval` (exact below
    10), so that a rate of plainly pooled counts gets the interval of its count.

    Parameters
    ----------
    value, variance : array_like, (...)
        Rate and its variance.
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Limits of the rate, shape ``(...)``, or ``(level, ...)``. ``nan`` where the value or the variance is
        not positive: no count follows from it.

    References
    ----------
    Fay, M. P. and Feuer, E. J. (1997). Statistics in Medicine 16, 791-801, for the effective count.

    Examples
    --------
    >>> limits = byar_from_variance(5.0, 5.0**2 / 50)
    >>> round(float(limits.lower), 4), round(float(limits.upper), 4)
    (3.7108, 6.592)
    """
    value, variance = np.asarray(value, np.float64), np.asarray(variance, np.float64)
    value = _keep((value > 0) & np.isfinite(value), value)
    per_event = variance / value
    per_event = _keep((per_event > 0) & np.isfinite(per_event), per_event)
    limits = poisson_interval(value / per_event, confidence=confidence)
    return Interval(lower=limits.lower * per_event, upper=limits.upper * per_event)


def dobson_interval(
    value: ArrayLike, variance: ArrayLike, count: ArrayLike, *, confidence: Confidence = 0.95
) -> Interval:
    """Limits of a directly standardised rate, from those of the count of events behind it.

    ``value + sqrt(variance / count) (limit of the count - count)``, with Byar's limits at every count, as
    England publishes them.

    Parameters
    ----------
    value, variance : array_like, (...)
        Standardised rate and its variance.
    count : array_like, (...)
        Events at all ages.
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Limits of the rate, shape ``(...)``, or ``(level, ...)``. ``nan`` where the count is not positive,
        the variance is negative, an input is not finite, or Byar's lower limit does not exist.

    References
    ----------
    Dobson, A. J. et al. (1991). Statistics in Medicine 10, 457-462. doi:10.1002/sim.4780100317

    Examples
    --------
    >>> limits = dobson_interval(1936.9711916611573, 40.80455447043553**2, 2361)
    >>> round(float(limits.lower), 4), round(float(limits.upper), 4)
    (1857.7938, 2018.596)
    """
    value, error, count = np.broadcast_arrays(_finite(value), _error(variance), _counts(count))
    limits = byar_interval(count, confidence=confidence)
    scale = error / np.sqrt(_keep(count > 0, count))
    return Interval(lower=value - scale * (count - limits.lower), upper=value + scale * (limits.upper - count))


def _wilson(value: Floats, other: Floats, n: Floats, confidence: Confidence) -> Interval:
    """Wilson limits of a share `value` = 1 - `other` of n."""
    z = _ahead(z_value(confidence), n)
    twice = 2.0 * n * value
    both = twice + z * z + z * np.sqrt(z * z + 2.0 * twice * other)
    # the product of the two roots gives the lower one: their difference would cancel near 0
    lower = twice * value / both
    upper = np.clip(both / (2.0 * (n + z * z)), value, 1.0)
    return Interval(lower=lower, upper=upper)


def _ahead(levels: Floats, *data: Floats) -> Floats:
    """Shape levels so that they stand in front of the axes of the data."""
    return levels.reshape(levels.shape + (1,) * max(array.ndim for array in data))


def _keep(valid: NDArray[np.bool_], data: Floats) -> Floats:
    """``nan`` where not valid: it passes through what follows without a warning."""
    return np.where(valid, data, np.nan)


def _finite(value: ArrayLike) -> Floats:
    value = np.asarray(value, np.float64)
    return _keep(np.isfinite(value), value)


def _counts(count: ArrayLike) -> Floats:
    count = np.asarray(count, np.float64)
    return _keep((count >= 0) & np.isfinite(count), count)


def _error(variance: ArrayLike) -> Floats:
    variance = np.asarray(variance, np.float64)
    return np.sqrt(_keep((variance >= 0) & np.isfinite(variance), variance))


def _cube(x: Floats) -> Floats:
    return x * x * x
