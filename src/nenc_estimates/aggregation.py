"""Aggregation: the figures of source areas, as arrays, into the figures of targets.

Arrays are ``(group, entry)`` in and ``(group, target)`` out, proportions and rates without their multiplier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels import interval_inversion, intervals, log_intervals
from nenc_estimates.kernels import weighting as formulas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nenc_estimates.kinds import Family

    Floats = NDArray[np.float64]

RECOVERABLE = ("binomial", "poisson", "dobson")
"""Families whose limits give back the counts behind them."""

WIDEST_BOX = 0.10
"""Rounded limits give back a sample size when the sizes that they allow lie within this share of their middle."""

ROUNDING_TOLERANCE = 0.10
"""How far the two limits of a rounded rate may disagree about its count."""

MOST_PLACES = 4
"""Numbers with more decimals than this are taken as not rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What each area brings: its value, count, denominator and variance, ``(group, entry)``; ``nan`` where unknown."""

    value: Floats
    count: Floats
    size: Floats
    variance: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Value, variance and limits of each target, ``(group, target)``; the weights behind them, ``(group, entry)``.

    ``shared_error`` is the standard error if the errors of the areas were wholly shared.
    """

    value: Floats
    variance: Floats
    lower: Floats
    upper: Floats
    weight: Floats
    shared_error: Floats


def published_parts(values: Mapping[str, Floats], family: Family, scale: float) -> Parts:
    """Take the parts from published counts and denominators; ``nan`` where the table does not hold them."""
    unknown = np.full(next(iter(values.values())).shape, np.nan)
    value, lower, upper = (values[name] / scale if name in values else unknown for name in ("value", "lower", "upper"))
    count, size = values.get("count", unknown), values.get("denominator", unknown)
    if family == "dobson":
        behind = interval_inversion.count_and_variance_from_dobson(value, lower, upper)
        poisson = np.divide(value**2, count, out=unknown.copy(), where=count > 0)
        variance = np.where(np.isnan(behind.variance), poisson, behind.variance)
        size = np.divide(count, value, out=unknown.copy(), where=value > 0)
        return Parts(value=value, count=count, size=size, variance=variance)
    if family in ("normal", "plain"):
        variance = interval_inversion.standard_error_from_limits(lower, upper) ** 2
        return Parts(value=value, count=unknown, size=size, variance=variance)
    return Parts(value=count / size, count=count, size=size, variance=unknown)


def recovered_parts(value: Floats, lower: Floats, upper: Floats, family: Family, decimals: int | None) -> Parts:
    """Recover counts and denominators from published 95 % limits.

    Parameters
    ----------
    value, lower, upper
        Without their multiplier.
    family
        One of :data:`RECOVERABLE`.
    decimals
        Places to which the three were rounded, of the number without its multiplier; None where they were not.

    Returns
    -------
    Parts
        ``nan`` where the limits are not of the family's kind, or rounding leaves too many possible counts.
    """
    unknown = np.full(value.shape, np.nan)
    if family == "binomial":
        size = interval_inversion.sample_size_from_wilson(value, lower, upper).estimate
        if decimals is not None:
            box = interval_inversion.sample_size_range_from_rounded_wilson(value, lower, upper, decimals=decimals)
            size = interval_inversion.sample_size_from_wilson(value, lower, upper, tolerance=2 * WIDEST_BOX).estimate
            size = np.where(box.upper - box.lower <= WIDEST_BOX * (box.upper + box.lower), size, np.nan)
        return Parts(value=value, count=value * size, size=size, variance=unknown)
    if family == "dobson":
        behind = interval_inversion.count_and_variance_from_dobson(value, lower, upper)
        # a rounded rate keeps its variance but not its count
        count = behind.count if decimals is None else unknown
        return Parts(
            value=value, count=count, size=count / np.where(value > 0, value, np.nan), variance=behind.variance
        )
    tolerance = ROUNDING_TOLERANCE if decimals is not None else 0.01
    count = interval_inversion.count_from_byar(value, lower, upper, tolerance=tolerance).estimate
    return Parts(value=value, count=count, size=count / np.where(value > 0, value, np.nan), variance=unknown)


def variance_from_limits(value: Floats, lower: Floats, upper: Floats, family: Family) -> Floats:
    """Variance behind published 95 % limits, by the inversion of the family or else on its symmetric scale."""
    if family == "binomial":
        size = interval_inversion.sample_size_from_wilson(value, lower, upper, tolerance=2 * WIDEST_BOX).estimate
        logit = log_intervals.standard_error_from_logit_limits(value, lower, upper) ** 2
        return np.where(np.isnan(size), logit, value * (1 - value) / size)
    if family == "poisson":
        count = interval_inversion.count_from_byar(value, lower, upper, tolerance=ROUNDING_TOLERANCE).estimate
        log = log_intervals.standard_error_from_log_limits(value, lower, upper) ** 2
        return np.where(np.isnan(count), log, value**2 / count)
    if family == "dobson":
        behind = interval_inversion.count_and_variance_from_dobson(value, lower, upper)
        log = log_intervals.standard_error_from_log_limits(value, lower, upper) ** 2
        return np.where(np.isnan(behind.variance), log, behind.variance)
    if family == "ratio":
        return np.asarray(log_intervals.standard_error_from_log_limits(value, lower, upper) ** 2)
    return np.asarray(interval_inversion.standard_error_from_limits(lower, upper) ** 2)


def pooled(parts: Parts, share: Floats, starts: NDArray[np.intp], family: Family, *, confidence: float) -> Aggregate:
    """Pool counts, or average values over their denominators where the family has a variance of its own.

    Entries of share 0 take no part. Limits: Byar's (exact below 10) on the pooled count, Wilson's on the pooled sample,
    Dobson's on the pooled variance; those of a ratio of two sums are symmetric on the log scale, both sums Poisson.
    """
    own = parts.count if family == "sum" else parts.size
    weight = formulas.weights(np.where(share == 0, 0.0, own), share, starts)
    count = formulas.weighted_mean(parts.count, share, starts)
    if family in ("dobson", "normal", "plain"):
        value = formulas.weighted_mean(parts.value, weight, starts)
        variance = formulas.weighted_mean_variance(parts.variance, weight, starts)
        if family == "dobson":
            limits = intervals.dobson_interval(value, variance, count, confidence=confidence)
        else:
            limits = intervals.normal_interval(value, variance, confidence=confidence)
    else:
        size = formulas.weighted_mean(parts.size, share, starts) if family != "sum" else np.ones(count.shape)
        value, variance, limits = _of_counts(count, np.where(size > 0, size, np.nan), family, confidence)
    return Aggregate(
        value=value,
        variance=variance,
        lower=limits.lower,
        upper=limits.upper,
        weight=weight,
        shared_error=np.full(value.shape, np.nan),
    )


def _of_counts(
    count: Floats, size: Floats, family: Family, confidence: float
) -> tuple[Floats, Floats, intervals.Interval]:
    """Value, variance and limits of a pooled count over a pooled denominator."""
    value = count / size
    if family == "binomial":
        return value, value * (1 - value) / size, intervals.wilson_interval(count, size, confidence=confidence)
    if family == "ratio":
        variance = value**2 * (1 / np.where(count > 0, count, np.nan) + 1 / size)
        return value, variance, log_intervals.log_interval(value, variance, confidence=confidence)
    around = intervals.poisson_interval(count, confidence=confidence)
    limits = intervals.Interval(lower=around.lower / size, upper=around.upper / size)
    return value, count / size**2, limits


def averaged(
    value: Floats, variance: Floats, weight: Floats, starts: NDArray[np.intp], family: Family, *, confidence: float
) -> Aggregate:
    """Average values with given weights; limits from the variance, of the family's kind.

    Wilson's at the effective sample size for proportions, Byar's at the effective count for rates, else normal.
    """
    mean = formulas.weighted_mean(value, weight, starts)
    total = formulas.weighted_mean_variance(variance, weight, starts)
    shared = np.sqrt(formulas.weighted_mean_variance(variance, weight, starts, correlation=1.0))
    if family == "binomial":
        limits = intervals.wilson_from_variance(mean, total, confidence=confidence)
    elif family in ("poisson", "dobson"):
        limits = intervals.byar_from_variance(mean, total, confidence=confidence)
    elif family == "ratio":
        limits = log_intervals.log_interval(mean, total, confidence=confidence)
    else:
        limits = intervals.normal_interval(mean, total, confidence=confidence)
    return Aggregate(
        value=mean, variance=total, lower=limits.lower, upper=limits.upper, weight=weight, shared_error=shared
    )


def places_of(*columns: Floats) -> NDArray[np.intp]:
    """Places to which the numbers of each group were rounded; more than :data:`MOST_PLACES` where they were not.

    Parameters
    ----------
    columns : (group, entry)
        Numbers as published; ``nan`` says nothing.

    Examples
    --------
    >>> places_of(np.array([[50.1, 3.25, np.nan], [1 / 3, 2.0, 2.0]])).tolist()
    [2, 5]
    """
    places = np.full(len(columns[0]), MOST_PLACES + 1, dtype=np.intp)
    for place in range(MOST_PLACES, -1, -1):
        scaled = [column * 10.0**place for column in columns]
        whole = [(np.isnan(column) | (np.abs(column - np.rint(column)) <= 1e-6)).all(axis=-1) for column in scaled]
        places[np.all(whole, axis=0)] = place
    return places
