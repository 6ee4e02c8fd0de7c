"""Rates that can be compared: crude, directly standardised, indirectly standardised, and their ratios.

Ages are the last axis. Rates are events per person-year; per 100,000 is a matter of display. An impossible
element (a negative count, a population that is not positive) makes its own rate ``nan`` and no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nenc_estimates.kernels.intervals import dobson_interval, poisson_interval
from nenc_estimates.kernels.log_intervals import log_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from nenc_estimates.kernels.levels import Confidence

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate, or a ratio of rates, with its limits and variance.

    Attributes
    ----------
    value, variance
        Shape ``(...)``.
    lower, upper
        Limits, shape ``(...)``, or ``(level, ...)`` for several levels of confidence.
    """

    value: Floats
    lower: Floats
    upper: Floats
    variance: Floats


def crude_rate(events: ArrayLike, population: ArrayLike, *, confidence: Confidence = 0.95) -> Rate:
    """Events per person-year, with exact Poisson limits below 10 events and Byar's above.

    Parameters
    ----------
    events, population
        Events and person-years, shape ``(...)``. There may be more events than people.
    confidence
        Level or levels of the limits [fraction].

    Returns
    -------
    Rate
        [events per person-year].

    Examples
    --------
    >>> rate = crude_rate(10, 100)
    >>> float(rate.value), round(float(rate.lower), 6)
    (0.1, 0.047874)
    """
    people = _positive(population)
    return _ratio_to_fixed(events, people, confidence)


def directly_standardised_rate(
    events: ArrayLike,
    population: ArrayLike,
    *,
    standard: ArrayLike,
    count_variance: ArrayLike | None = None,
    confidence: Confidence = 0.95,
) -> Rate:
    """Rate that a standard population would have at the age-specific rates of this one.

    Parameters
    ----------
    events, population
        Events and person-years, shape ``(..., age)``.
    standard
        People of the standard population in the same bands, shape ``(age,)``.
    count_variance
        Variance of each count, shape ``(..., age)``; by default the count itself (Poisson). Where a person
        can have several events, the sum over f of f² times the people with exactly f events.
    confidence
        Level or levels of the limits [fraction].

    Returns
    -------
    Rate
        [events per person-year], with Dobson's limits at every count, which are ``nan`` where it is 0.
        England's publications withhold rates of fewer than 10 events; that is left to the caller.

    References
    ----------
    Dobson, Kuulasmaa, Eberle and Scherer 1991, doi:10.1002/sim.4780100317.

    Examples
    --------
    >>> rate = directly_standardised_rate([10, 90], [1000, 1000], standard=[75, 25])
    >>> round(float(rate.value), 6), round(float(rate.variance) ** 0.5, 6)
    (0.03, 0.003354)
    """
    weights = np.asarray(standard, dtype=np.float64)
    if weights.ndim != 1 or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise ValueError("standard must hold people for each age band: no negative or missing number, not all 0")
    counts, people = _counts(events), _positive(population)
    if people.shape[-1:] != weights.shape or counts.shape[-1:] != weights.shape:
        raise ValueError(
            f"standard has {weights.size} age bands, the events and population are of shapes "
            f"{counts.shape} and {people.shape}"
        )
    shares = weights / weights.sum()
    spread = counts if count_variance is None else _counts(count_variance)
    value = np.asarray((shares * counts / people).sum(axis=-1))
    variance = np.asarray((shares**2 * spread / people**2).sum(axis=-1))
    total = counts.sum(axis=-1) + 0 * value
    limits = dobson_interval(value, variance, total, confidence=confidence)
    return Rate(value=value, lower=limits.lower, upper=limits.upper, variance=variance)


def expected_events(population: ArrayLike, *, reference_rate: ArrayLike) -> Floats:
    """Events that a population would have at the age-specific rates of a reference.

    Parameters
    ----------
    population
        Person-years, shape ``(..., age)``; 0 is possible.
    reference_rate
        Rates of the reference, shape ``(..., age)`` [events per person-year].

    Returns
    -------
    ndarray
        Expected events, shape ``(...)``.

    Examples
    --------
    >>> float(expected_events([1000, 500], reference_rate=[0.01, 0.02]))
    20.0
    """
    expected: Floats = np.asarray((_counts(population) * _counts(reference_rate)).sum(axis=-1))
    return expected


def standardised_ratio(observed: ArrayLike, expected: ArrayLike, *, confidence: Confidence = 0.95) -> Rate:
    """Indirectly standardised ratio (SMR): observed over expected events.

    Parameters
    ----------
    observed, expected
        Events at all ages, and those of `expected_events`, shape ``(...)``.
    confidence
        Level or levels of the limits [fraction].

    Returns
    -------
    Rate
        Ratios, 1 where the population is as the reference; ``nan`` where no event is expected. Limits treat
        the expected number as known. Times the reference's crude rate: the indirectly standardised rate.

    References
    ----------
    Breslow and Day 1987, Statistical Methods in Cancer Research II, chapter 2, IARC 82.

    Examples
    --------
    >>> smr = standardised_ratio(142, 100)
    >>> [round(float(number), 2) for number in (smr.value, smr.lower, smr.upper)]
    [1.42, 1.2, 1.67]
    """
    return _ratio_to_fixed(observed, _positive(expected), confidence)


def rate_ratio(
    value: ArrayLike,
    variance: ArrayLike,
    other: ArrayLike,
    other_variance: ArrayLike,
    *,
    confidence: Confidence = 0.95,
) -> Rate:
    """Ratio of two independent rates, with limits on the log scale.

    Parameters
    ----------
    value, variance
        Rate of the group of interest and its variance, shape ``(...)``.
    other, other_variance
        Rate that it is compared with and its variance.
    confidence
        Level or levels of the limits [fraction].

    Returns
    -------
    Rate
        Ratios; ``nan`` where a rate is not positive. A rate is "42 % higher" where the ratio is 1.42.

    References
    ----------
    Breslow and Day 1987, Statistical Methods in Cancer Research II, chapter 2, IARC 82.

    Examples
    --------
    >>> ratio = rate_ratio(0.007, 0.0002**2, 0.002, 0.0001**2)
    >>> [round(float(number), 2) for number in (ratio.value, ratio.lower, ratio.upper)]
    [3.5, 3.13, 3.92]
    """
    first, second = _positive(value), _positive(other)
    ratio = first / second
    spread = ratio**2 * (_counts(variance) / first**2 + _counts(other_variance) / second**2)
    limits = log_interval(ratio, spread, confidence=confidence)
    return Rate(value=ratio, lower=limits.lower, upper=limits.upper, variance=spread)


def _ratio_to_fixed(events: ArrayLike, divisor: Floats, confidence: Confidence) -> Rate:
    """Count over a number that is known, with the limits of the count."""
    counts = _counts(events)
    limits = poisson_interval(counts, confidence=confidence)
    return Rate(
        value=counts / divisor,
        lower=limits.lower / divisor,
        upper=limits.upper / divisor,
        variance=counts / divisor**2,
    )


def _counts(numbers: ArrayLike) -> Floats:
    values = np.asarray(numbers, dtype=np.float64)
    return np.where((values >= 0) & np.isfinite(values), values, np.nan)


def _positive(numbers: ArrayLike) -> Floats:
    values = np.asarray(numbers, dtype=np.float64)
    return np.where((values > 0) & np.isfinite(values), values, np.nan)
