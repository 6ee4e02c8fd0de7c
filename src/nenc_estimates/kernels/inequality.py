"""How unequal a value is across quantiles of deprivation: who is in which, gaps, ratios, attributable shares.

Quantiles are the last axis, in order of rank: most deprived first. So a gap is the least minus the most
deprived, positive where the less deprived have more. Standard errors ``se`` are in the unit of the value, and
population shares are taken as known. A group with a missing value, or a population that is not positive, is
``nan``, and no other group is. Slopes over all quantiles are in `.slopes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nenc_estimates.kernels.levels import Confidence, z_value
from nenc_estimates.kernels.log_intervals import log_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure of inequality with its limits and standard error, one for each group.

    Attributes
    ----------
    value, se
        Shape ``(...)``.
    lower, upper
        Limits, shape ``(...)``, or ``(level, ...)`` for several levels of confidence.
    """

    value: Floats
    lower: Floats
    upper: Floats
    se: Floats

    @classmethod
    def normal(cls, value: Floats, variance: Floats, confidence: Confidence) -> Measure:
        """Give a value with a normal error its limits."""
        error = np.sqrt(np.broadcast_to(variance, np.shape(value)))
        z = z_value(confidence)
        margin = z.reshape(z.shape + (1,) * np.ndim(error)) * error
        return cls(value=value, lower=value - margin, upper=value + margin, se=error)


def quantile_ranks(score: ArrayLike, *, quantiles: int, highest_first: bool = True) -> Floats:
    """Quantile of each area among all areas that have a score, by OHID's rule.

    Tied areas share a quantile, the one of the first of them, so quantiles can be unequal. Not the rule of
    ``pandas.qcut`` or of ``ntile``.

    Parameters
    ----------
    score
        Scores, shape ``(..., area)``; ``nan`` where an area has none.
    quantiles
        Number of quantiles k, 2 or more.
    highest_first
        Whether quantile 1 holds the highest scores: the most deprived by an IMD score, the least by its rank.

    Returns
    -------
    ndarray
        Whole numbers from 1 to k, shape ``(..., area)``: k + 1 - ceil(k (N + 1 - r) / N) for competition rank
        r of N scores. ``nan`` where the score is, and everywhere if there are fewer scores than quantiles.

    References
    ----------
    PHEindicatormethods 2.1.0, phe_quantile.

    Examples
    --------
    >>> quantile_ranks([31.0, 8.5, 22.4, 22.4, 12.0, np.nan], quantiles=5)
    array([ 1.,  5.,  2.,  2.,  4., nan])
    """
    if quantiles < 2 or quantiles != int(quantiles):
        raise ValueError(f"quantiles must be a whole number of 2 or more, not {quantiles}")
    scores = np.asarray(score, dtype=np.float64)
    keys = -scores if highest_first else scores
    order = np.argsort(keys, axis=-1)  # nan last
    ascending = np.take_along_axis(keys, order, axis=-1)
    rank = np.broadcast_to(np.arange(1, keys.shape[-1] + 1), keys.shape).copy()
    rank[..., 1:][ascending[..., 1:] == ascending[..., :-1]] = 0
    first = np.maximum.accumulate(rank, axis=-1)
    count = np.isfinite(scores).sum(axis=-1, keepdims=True)
    # in whole numbers, because a share such as N / k is rarely exact
    position = quantiles + 1 + (-quantiles * (count + 1 - first)) // np.maximum(count, 1)
    found = np.where(np.isnan(ascending) | (count < quantiles), np.nan, np.maximum(position, 1))
    result = np.empty_like(scores)
    np.put_along_axis(result, order, found, axis=-1)
    return result


def population_shares(population: ArrayLike) -> Floats:
    """Share of everyone who lives in each quantile.

    Parameters
    ----------
    population
        People in each quantile, shape ``(..., quantile)``.

    Returns
    -------
    ndarray
        Shares that sum to 1, shape ``(..., quantile)``; ``nan`` for a group in which any is not positive.

    Examples
    --------
    >>> population_shares([[100, 300], [100, 0]])
    array([[0.25, 0.75],
           [ nan,  nan]])
    """
    people = np.asarray(population, dtype=np.float64)
    if people.ndim == 0 or people.shape[-1] < 2:
        raise ValueError(f"population must hold two or more quantiles on its last axis, not {people.shape}")
    possible = ((people > 0) & np.isfinite(people)).all(axis=-1, keepdims=True)
    people = np.where(possible, people, np.nan)
    total: Floats = people.sum(axis=-1, keepdims=True)
    return people / total


def ridit_ranks(population: ArrayLike) -> Floats:
    """Rank of the middle person of each quantile, as a share of everyone.

    Parameters
    ----------
    population
        People in each quantile, shape ``(..., quantile)``, most deprived first.

    Returns
    -------
    ndarray
        Ranks between 0 and 1, shape ``(..., quantile)``; their population-weighted mean is 1/2. ``nan`` for a
        group in which any population is not positive.

    References
    ----------
    Bross 1958, How to use ridit analysis, doi:10.2307/2527727.

    Examples
    --------
    >>> ridit_ranks([200, 300, 500])
    array([0.1 , 0.35, 0.75])
    """
    shares = population_shares(population)
    return np.cumsum(shares, axis=-1) - shares / 2


def absolute_gap(value: ArrayLike, *, se: ArrayLike, confidence: Confidence = 0.95) -> Measure:
    """Value of the least deprived quantile minus that of the most deprived.

    Parameters
    ----------
    value, se, confidence
        Value of each quantile and its standard error, shape ``(..., quantile)``; level or levels of the
        limits [fraction].

    Returns
    -------
    Measure
        In the unit of the value.

    Examples
    --------
    >>> gap = absolute_gap([72.0, 77.0, 82.0], se=[0.3, 0.2, 0.4])
    >>> float(gap.value), float(gap.se)
    (10.0, 0.5)
    """
    values, errors = _ends(value), _ends(se)
    return Measure.normal(values[1] - values[0], errors[0] ** 2 + errors[1] ** 2, confidence)


def ratio(value: ArrayLike, *, se: ArrayLike, confidence: Confidence = 0.95) -> Measure:
    """Value of the least deprived quantile over that of the most deprived, with limits on the log scale.

    Parameters
    ----------
    value, se, confidence
        As in `absolute_gap`.

    Returns
    -------
    Measure
        Ratios; ``nan`` where a value is not positive. Most over least deprived is the reciprocal of the value
        and of the limits.

    Examples
    --------
    >>> round(float(ratio([0.04, 0.03, 0.02], se=[0.001, 0.001, 0.001]).lower), 3)
    0.448
    """
    values, errors = _ends(value), _ends(se)
    low, high = (np.where(end > 0, end, np.nan) for end in values)
    variance = (errors[0] * high / low**2) ** 2 + (errors[1] / low) ** 2
    limits = log_interval(high / low, variance, confidence=confidence)
    return Measure(value=high / low, lower=limits.lower, upper=limits.upper, se=np.sqrt(variance))


def attributable_risk(
    value: ArrayLike,
    population: ArrayLike,
    *,
    se: ArrayLike,
    reference: int = -1,
    confidence: Confidence = 0.95,
) -> Measure:
    """By how much the average would change if all had the reference's value: population attributable risk.

    Parameters
    ----------
    value, se, confidence
        As in `absolute_gap`.
    population
        People in each quantile, shape ``(..., quantile)``.
    reference
        Position of the reference quantile; by default the last, least deprived one.

    Returns
    -------
    Measure
        Reference minus average, in the unit of the value, with its sign: it is not cut at 0.

    References
    ----------
    Schlotheuber and Hosseinpoor 2022, doi:10.3390/ijerph19063697.

    Examples
    --------
    >>> float(attributable_risk([70, 80], [300, 100], se=[0.1, 0.1]).value)
    7.5
    """
    shares = population_shares(population)
    return _combination(np.eye(shares.shape[-1])[reference] - shares, value, se, confidence)


def attributable_fraction(
    value: ArrayLike,
    population: ArrayLike,
    *,
    se: ArrayLike,
    reference: int = -1,
    confidence: Confidence = 0.95,
) -> Measure:
    """By what share the average would change if all had the reference's value: attributable fraction.

    Parameters
    ----------
    value, population, se, reference, confidence
        As in `attributable_risk`.

    Returns
    -------
    Measure
        A share, not a percentage, limits and standard error too; ``nan`` where the average is 0.

    Examples
    --------
    >>> round(float(attributable_fraction([70, 80], [300, 100], se=[0.1, 0.1]).value), 4)
    0.1034
    """
    shares = population_shares(population)
    return _share_of_mean(np.eye(shares.shape[-1])[reference] - shares, shares, value, se, confidence)


def attributable_contributions(
    value: ArrayLike,
    population: ArrayLike,
    *,
    se: ArrayLike,
    reference: int = -1,
    confidence: Confidence = 0.95,
) -> Measure:
    """Share the population attributable risk out among the quantiles.

    Parameters
    ----------
    value, population, se, reference, confidence
        As in `attributable_risk`.

    Returns
    -------
    Measure
        Fields of shape ``(..., quantile)`` that sum to `attributable_risk`; 0 for the reference.

    Examples
    --------
    >>> attributable_contributions([70, 76, 80], [200, 100, 100], se=[0.1, 0.1, 0.1]).value
    array([5., 1., 0.])
    """
    shares = population_shares(population)[..., None, :]
    each = np.eye(shares.shape[-1])
    weights = shares.swapaxes(-1, -2) * (each[reference] - each)
    values, errors = (np.asarray(array)[..., None, :] for array in (value, se))
    return _combination(weights, values, errors, confidence)


def absolute_concentration_index(
    value: ArrayLike, population: ArrayLike, *, se: ArrayLike, confidence: Confidence = 0.95
) -> Measure:
    """Absolute (generalised) concentration index: population-weighted sum of the value times 2 rank - 1.

    Parameters
    ----------
    value, population, se, confidence
        As in `attributable_risk`.

    Returns
    -------
    Measure
        In the unit of the value, positive where more is found among the less deprived. It is the slope index
        times twice the variance of the ranks.

    References
    ----------
    Wagstaff, Paci and van Doorslaer 1991, doi:10.1016/0277-9536(91)90212-U.

    Examples
    --------
    >>> float(absolute_concentration_index([70, 80], [100, 100], se=[0.1, 0.1]).value)
    2.5
    """
    return _combination(population_shares(population) * (2 * ridit_ranks(population) - 1), value, se, confidence)


def relative_concentration_index(
    value: ArrayLike, population: ArrayLike, *, se: ArrayLike, confidence: Confidence = 0.95
) -> Measure:
    """Relative concentration index: the absolute one as a share of the average.

    Parameters
    ----------
    value, population, se, confidence
        As in `attributable_risk`.

    Returns
    -------
    Measure
        Without unit, -1 to 1 for values that cannot be negative; ``nan`` where the average is 0.

    References
    ----------
    Wagstaff, Paci and van Doorslaer 1991, doi:10.1016/0277-9536(91)90212-U.

    Examples
    --------
    >>> round(float(relative_concentration_index([70, 80], [100, 100], se=[0.1, 0.1]).value), 4)
    0.0333
    """
    shares = population_shares(population)
    return _share_of_mean(shares * (2 * ridit_ranks(population) - 1), shares, value, se, confidence)


def _ends(array: ArrayLike) -> tuple[Floats, Floats]:
    """Numbers of the most and of the least deprived quantile."""
    numbers = np.asarray(array, dtype=np.float64)
    return numbers[..., 0], numbers[..., -1]


def _combination(weights: Floats, value: ArrayLike, se: ArrayLike, confidence: Confidence) -> Measure:
    """Weighted sum of the quantiles' values, whose errors are independent."""
    values, errors = np.asarray(value, dtype=np.float64), np.asarray(se, dtype=np.float64)
    errors = np.where(errors >= 0, errors, np.nan)
    return Measure.normal((weights * values).sum(-1), ((weights * errors) ** 2).sum(-1), confidence)


def _share_of_mean(weights: Floats, shares: Floats, value: ArrayLike, se: ArrayLike, confidence: Confidence) -> Measure:
    """Weighted sum over the average, with limits by the delta method."""
    values = np.asarray(value, dtype=np.float64)
    mean = (shares * values).sum(-1)
    mean = np.where(mean == 0, np.nan, mean)
    share = (weights * values).sum(-1) / mean
    slopes = _combination((weights - share[..., None] * shares) / mean[..., None], values, se, confidence)
    return Measure.normal(share, slopes.se**2, confidence)
