"""Intervals that are symmetric on the log or logit scale, and the standard errors behind published ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.interval_inversion import limits_fault, standard_error_from_limits
from nenc_estimates.kernels.intervals import Floats, Interval, normal_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from nenc_estimates.kernels.levels import Confidence


def log_interval(value: ArrayLike, variance: ArrayLike, *, confidence: Confidence = 0.95) -> Interval:
    """Limits for a rate or a ratio, symmetric on the log scale: value times or over exp(z s / value).

    Parameters
    ----------
    value, variance : array_like, (...)
        Estimate and its variance on the natural scale; the delta method takes it to the log scale.
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Shape ``(...)``, or ``(level, ...)``. ``nan`` where the value is not positive, the variance is
        negative or either is not finite.

    References
    ----------
    Breslow, N. E. and Day, N. E. (1987). Statistical Methods in Cancer Research II, chapter 2. IARC 82.

    Examples
    --------
    >>> limits = log_interval(2.0, 0.16)
    >>> round(float(limits.lower * limits.upper), 12)
    4.0
    """
    value, variance = np.asarray(value, np.float64), np.asarray(variance, np.float64)
    value = np.where((value > 0) & np.isfinite(value), value, np.nan)
    factor = _largest_factor(variance / (value * value), confidence)
    return Interval(lower=value / factor, upper=value * factor)


def logit_interval(value: ArrayLike, variance: ArrayLike, *, confidence: Confidence = 0.95) -> Interval:
    """Limits that are symmetric on the logit scale, for a proportion; they stay between 0 and 1.

    Parameters
    ----------
    value, variance : array_like, (...)
        Proportion and its variance on the natural scale; the delta method takes it to the logit scale.
    confidence : float or sequence of float
        Level or levels [fraction].

    Returns
    -------
    Interval
        Shape ``(...)``, or ``(level, ...)``. ``nan`` where the value is not strictly between 0 and 1, the
        variance is negative or either is not finite.

    References
    ----------
    Brown, L. D., Cai, T. T. and DasGupta, A. (2001). Statistical Science 16(2), 101-133.
    doi:10.1214/ss/1009213286

    Examples
    --------
    >>> limits = logit_interval(0.5, 0.0025)
    >>> round(float(limits.lower), 4), round(float(limits.upper), 4)
    (0.4032, 0.5968)
    """
    value, variance = np.asarray(value, np.float64), np.asarray(variance, np.float64)
    value = np.where((value > 0) & (value < 1), value, np.nan)
    other = 1.0 - value
    factor = _largest_factor(variance / (value * other) ** 2, confidence)
    return Interval(lower=value / (value + other * factor), upper=value / (value + other / factor))


def standard_error_from_log_limits(
    value: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, confidence: float = 0.95
) -> Floats:
    """Find the standard error, on the natural scale, behind limits that are symmetric on the log scale.

    Parameters
    ----------
    value, lower, upper : array_like, (...)
        Rate or ratio and its limits.
    confidence : float
        Level of the limits [fraction].

    Returns
    -------
    ndarray, (...)
        Standard error [unit of the value]. ``nan`` where `.limits_fault` is not 0 or a number is not positive.

    References
    ----------
    Higgins, J. P. T. et al. (eds), Cochrane Handbook for Systematic Reviews, section 6.3.2.

    Examples
    --------
    >>> round(float(standard_error_from_log_limits(2.0, 1.0, 4.0)), 4)
    0.7073
    """
    value, lower, upper = _inside(value, lower, upper, high=np.inf)
    return value * standard_error_from_limits(np.log(lower), np.log(upper), confidence=confidence)


def standard_error_from_logit_limits(
    value: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, confidence: float = 0.95
) -> Floats:
    """Find the standard error, on the natural scale, behind limits that are symmetric on the logit scale.

    Parameters
    ----------
    value, lower, upper : array_like, (...)
        Proportion and its limits.
    confidence : float
        Level of the limits [fraction].

    Returns
    -------
    ndarray, (...)
        Standard error [1]. ``nan`` where `.limits_fault` is not 0 or a number is not strictly between 0 and 1.

    Examples
    --------
    >>> round(float(standard_error_from_logit_limits(0.5, 0.4032, 0.5968)), 3)
    0.05
    """
    value, lower, upper = _inside(value, lower, upper, high=1.0)
    error = standard_error_from_limits(_logit(lower), _logit(upper), confidence=confidence)
    return value * (1.0 - value) * error


def _largest_factor(variance: Floats, confidence: Confidence) -> Floats:
    """By what factor a positive number may be wrong, from the variance of its logarithm."""
    with np.errstate(over="ignore"):  # infinite where the variance is hopeless
        return np.exp(normal_interval(np.zeros_like(variance), variance, confidence=confidence).upper)


def _inside(value: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, high: float) -> tuple[Floats, Floats, Floats]:
    """Value and limits, all ``nan`` where they contradict each other or are not within 0 to `high`."""
    value, lower, upper = (np.asarray(array, np.float64) for array in (value, lower, upper))
    inside = (limits_fault(value, lower, upper) == 0) & (lower > 0) & (upper < high)
    return np.where(inside, value, np.nan), np.where(inside, lower, np.nan), np.where(inside, upper, np.nan)


def _logit(share: Floats) -> Floats:
    return np.log(share) - np.log1p(-share)
