"""Published limits back to what stood behind them: standard error, sample size, count, variance.

All functions take limits of one confidence level, invert the formulas of `.intervals` exactly, and give
``nan`` for limits that cannot be what they are said to be; `limits_fault` says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.intervals import Floats, Interval
from nenc_estimates.kernels.levels import one_level, z_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

LIMITS_FAULTS = {
    1: "the value lies outside its limits",
    2: "the lower limit is above the upper",
    3: "the limits have no width",
    4: "the value or a limit is missing",
}
"""What the codes of `limits_fault` mean."""

FEWEST_EVENTS, MOST_EVENTS = 0.51, 1e9
"""Counts that can be recovered from limits."""

_STEPS = 8  # Newton steps; from 90 % on, 5 reach the last digit of every count behind Byar's limits, 7 behind Dobson's


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """A size or count recovered from both limits.

    Attributes
    ----------
    estimate : ndarray, (...)
        The size that fits both limits; ``nan`` where they do not agree.
    from_lower, from_upper : ndarray, (...)
        What each limit says alone; ``nan`` where that limit says nothing.
    """

    estimate: Floats
    from_lower: Floats
    from_upper: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAndVariance:
    """What stands behind a directly standardised rate.

    Attributes
    ----------
    count : ndarray, (...)
        Events at all ages.
    variance : ndarray, (...)
        Variance of the rate [unit of the rate, squared].
    """

    count: Floats
    variance: Floats


def limits_fault(value: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> NDArray[np.int8]:
    """Say what is wrong with published limits, as a code.

    Parameters
    ----------
    value, lower, upper : array_like, (...)
        Published value and limits.

    Returns
    -------
    ndarray of int8, (...)
        0 fine; 1 the value lies outside its limits; 2 the lower limit is above the upper; 3 the limits have
        no width although the value is not 0; 4 one of the three is ``nan``. `LIMITS_FAULTS` has the words.

    Examples
    --------
    >>> limits_fault([5.0, 9.0, 5.0, 5.0], [4.0, 4.0, 6.0, 5.0], [6.0, 6.0, 4.0, 5.0]).tolist()
    [0, 1, 2, 3]
    """
    value, lower, upper = _floats(value, lower, upper)
    missing = np.isnan(value) | np.isnan(lower) | np.isnan(upper)
    outside = (value < lower) | (value > upper)
    flat = (lower == upper) & (value != 0)
    return np.select([missing, lower > upper, outside, flat], [4, 2, 1, 3], 0).astype(np.int8)


def standard_error_from_limits(lower: ArrayLike, upper: ArrayLike, *, confidence: float = 0.95) -> Floats:
    """Find the standard error behind symmetric limits: their width over 2 z.

    Parameters
    ----------
    lower, upper : array_like, (...)
        Limits of a mean, a life expectancy, a healthy life expectancy.
    confidence : float
        Level of the limits [fraction].

    Returns
    -------
    ndarray, (...)
        Standard error [unit of the limits]. ``nan`` where the limits have no width or are reversed.

    References
    ----------
    Higgins, J. P. T. et al. (eds), Cochrane Handbook for Systematic Reviews, section 6.3.1.

    Examples
    --------
    >>> round(float(standard_error_from_limits(79.608, 80.392)), 4)
    0.2
    """
    lower, upper = _floats(lower, upper)
    return _positive(upper - lower) / (2.0 * _z(confidence))


def sample_size_from_wilson(
    value: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, confidence: float = 0.95, tolerance: float = 0.01
) -> Recovered:
    """Sample size behind Wilson limits of a proportion.

    Each limit ``b`` solves ``|value - b| = z sqrt(b (1 - b) / n)``, so each gives n on its own; that they
    agree proves the limits to be Wilson's. Behind a survey the size is the effective one.

    Parameters
    ----------
    value, lower, upper : array_like, (...)
        Proportion and its limits [fraction], unrounded.
    confidence : float
        Level of the limits [fraction].
    tolerance : float
        How far the two sizes may be apart, as a share of the estimate.

    Returns
    -------
    Recovered
        The sizes are weighted by the squared distance of their limit from the value, because rounding hurts
        the nearer limit more. At 0 and 1 only the far limit counts. ``nan`` where `limits_fault` is not 0, a
        number is outside 0..1, or the two sizes disagree (``from_lower`` and ``from_upper`` still show them).

    References
    ----------
    Wilson, E. B. (1927). JASA 22, 209-212, solved for n. doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> found = sample_size_from_wilson(0.2226027397260274, 0.17866510518613776, 0.27374430137311595)
    >>> round(float(found.estimate), 6)
    292.0
    """
    value, lower, upper = _sound(value, lower, upper, low=0.0, high=1.0)
    below, above = (value - lower) ** 2, (upper - value) ** 2
    z = _z(confidence)
    spread_lower, spread_upper = z * z * lower * (1.0 - lower), z * z * upper * (1.0 - upper)
    from_lower, from_upper = spread_lower / _positive(below), spread_upper / _positive(above)
    estimate = (spread_lower + spread_upper) / _positive(below + above)
    one_sided = ((value == 0) & (lower == 0)) | ((value == 1) & (upper == 1))
    agree = one_sided | (np.abs(from_lower - from_upper) <= tolerance * estimate)
    return Recovered(estimate=np.where(agree, estimate, np.nan), from_lower=from_lower, from_upper=from_upper)


def sample_size_range_from_rounded_wilson(
    value: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, decimals: int, confidence: float = 0.95
) -> Interval:
    """Sample sizes that fit Wilson limits which were rounded before publication.

    The smallest and the largest n for which some proportion that rounds to ``value`` has limits that round to
    ``lower`` and ``upper``. A range that is wide (more than 10 % either side of its middle, say) means that the
    limits hardly tell the size.

    Parameters
    ----------
    value, lower, upper : array_like, (...)
        Proportion and its limits [fraction], rounded.
    decimals : int
        Decimal places of the fraction: 3 for a percentage with one.
    confidence : float
        Level of the limits [fraction].

    Returns
    -------
    Interval
        Smallest and largest size; the largest is infinite where a limit may coincide with the value.
        ``nan`` where `limits_fault` is not 0, a number is outside 0..1, or no size fits.

    Examples
    --------
    >>> sizes = sample_size_range_from_rounded_wilson(0.223, 0.179, 0.274, decimals=3)
    >>> round(float(sizes.lower), 1), round(float(sizes.upper), 1)
    (286.6, 299.2)
    """
    value, lower, upper = _sound(value, lower, upper, low=0.0, high=1.0)
    half = 0.5 * 10.0**-decimals
    smallest = np.maximum(*_wilson_sizes(value, lower - half, upper + half, half))
    largest = np.minimum(*_wilson_sizes(value, lower + half, upper - half, half))
    z_squared = np.where(smallest <= largest, _z(confidence) ** 2, np.nan)
    return Interval(lower=z_squared * smallest, upper=z_squared * largest)


def count_from_byar(
    value: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, confidence: float = 0.95, tolerance: float = 0.01
) -> Recovered:
    """Count of events behind Byar's limits of a crude rate or an indirectly standardised ratio.

    The limits divided by the value depend on the count alone.

    Parameters
    ----------
    value, lower, upper : array_like, (...)
        Rate and its limits, in any unit, unrounded.
    confidence : float
        Level of the limits [fraction].
    tolerance : float
        How far the counts from the two limits may be apart, as a share of the estimate.

    Returns
    -------
    Recovered
        The estimate is the mean of the two. ``nan`` where `limits_fault` is not 0, the value or the lower
        limit is not positive, the count would be outside `FEWEST_EVENTS` to `MOST_EVENTS`, or the two
        counts disagree (``from_lower`` and ``from_upper`` still show them).

    References
    ----------
    Breslow, N. E. and Day, N. E. (1987). Statistical Methods in Cancer Research II, chapter 2, solved for
    the count. IARC 82.

    Examples
    --------
    >>> found = count_from_byar(582.4397147678407, 477.3135388662532, 703.8248627618239)
    >>> round(float(found.estimate), 6)
    107.0
    """
    value, lower, upper = _sound(value, lower, upper)
    value, lower = _positive(value), _positive(lower)
    z = _z(confidence)
    from_lower = _recoverable(_byar_count_below(lower / value, (value - lower) / value, z))
    from_upper = _recoverable(_byar_count_above(upper / value, (upper - value) / value, z))
    estimate = (from_lower + from_upper) / 2.0
    agree = np.abs(from_lower - from_upper) <= tolerance * estimate
    return Recovered(estimate=np.where(agree, estimate, np.nan), from_lower=from_lower, from_upper=from_upper)


def count_and_variance_from_dobson(
    value: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, confidence: float = 0.95
) -> CountAndVariance:
    """Count of events and variance behind Dobson's limits of a directly standardised rate.

    The ratio of the distances of the two limits from the value depends on the count alone; the width then
    gives the variance. The ratio is close to 1 for large counts, so the count (not the variance) needs
    unrounded limits.

    Parameters
    ----------
    value, lower, upper : array_like, (...)
        Standardised rate and its limits, unrounded.
    confidence : float
        Level of the limits [fraction].

    Returns
    -------
    CountAndVariance
        ``nan`` where `limits_fault` is not 0, or where no count from `FEWEST_EVENTS` to `MOST_EVENTS` has
        limits so placed (the upper one must be the more distant). At levels below 90 % counts near 1 are
        ``nan`` too.

    References
    ----------
    Dobson, A. J. et al. (1991). Statistics in Medicine 10, 457-462, solved for count and variance.
    doi:10.1002/sim.4780100317

    Examples
    --------
    >>> found = count_and_variance_from_dobson(1936.9711916611573, 1857.7937960961353, 2018.5960008117752)
    >>> round(float(found.count), 2), round(float(found.variance) ** 0.5, 4)
    (2361.0, 40.8046)
    """
    value, lower, upper = _sound(value, lower, upper)
    z = _z(confidence)
    ratio = (upper - value) / _positive(value - lower)

    def excess(s: Floats) -> tuple[Floats, Floats]:
        below, below_slope, above, above_slope = _byar_distances(np.minimum(s, 1.5), z)
        return above - ratio * below, above_slope - ratio * below_slope

    s = _newton(excess, np.zeros_like(ratio))
    below, _, above, _ = _byar_distances(s, z)
    solved = np.abs(above - ratio * below) <= 1e-9  # below 90 % the search can miss counts near 1
    count = _recoverable(np.where(solved, 1.0 / _positive(s) ** 2, np.nan))
    error = np.where(np.isnan(count), np.nan, (upper - lower) / (below + above))
    return CountAndVariance(count=count, variance=error * error)


def _byar_count_below(ratio: Floats, gap: Floats, z: float) -> Floats:
    """Count x whose lower limit is `ratio` x, with `gap` = 1 - ratio free of cancellation."""
    root = np.cbrt(ratio)
    short = gap / (1.0 + root + root * root)  # 1 - root = s^2 / 9 + z s / 3, where s = 1 / sqrt(x)
    s = 6.0 * short / (z + np.sqrt(z * z + 4.0 * short))
    return 1.0 / _positive(s * s)


def _byar_count_above(ratio: Floats, gap: Floats, z: float) -> Floats:
    """Count x whose upper limit is `ratio` x, with `gap` = ratio - 1 free of cancellation."""
    root = np.cbrt(ratio)
    over = gap / (1.0 + root + root * root)

    def excess(w: Floats) -> tuple[Floats, Floats]:
        # 1 + z w / 3 - w^2 / 9 = root cbrt(1 - w^2), where w = 1 / sqrt(x + 1): increasing and convex in w
        w = np.minimum(w, 0.9)
        k = np.cbrt(1.0 - w * w)
        value = w * (z / 3.0 - w / 9.0) - over + root * w * w / (1.0 + k + k * k)
        return value, z / 3.0 - 2.0 * w / 9.0 + root * (2.0 / 3.0) * w / (k * k)

    curve = root / 3.0 - 1.0 / 9.0  # leaving out higher powers of w starts the search beyond the root
    start = 2.0 * over / (z / 3.0 + np.sqrt(z * z / 9.0 + 4.0 * over * curve))
    w = _newton(excess, start)
    return 1.0 / _positive(w * w) - 1.0


def _byar_distances(s: Floats, z: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Distances of Byar's limits from x, over sqrt(x), each with its slope in s = 1 / sqrt(x)."""
    a, a_slope = s * (z + s / 3.0) / 3.0, (z + 2.0 * s / 3.0) / 3.0
    shrink, shrink_slope = 1.0 - a + a * a / 3.0, a_slope * (2.0 * a / 3.0 - 1.0)
    below = (z + s / 3.0) * shrink
    below_slope = shrink / 3.0 + (z + s / 3.0) * shrink_slope
    q = np.sqrt(1.0 + s * s)
    w, w_slope = s / q, 1.0 / (q * q * q)
    b, b_slope = w * (z - w / 3.0) / 3.0, w_slope * (z - 2.0 * w / 3.0) / 3.0
    grow, grow_slope = 1.0 + b + b * b / 3.0, b_slope * (1.0 + 2.0 * b / 3.0)
    reach, reach_slope = q * z - s / 3.0, w * z - 1.0 / 3.0
    return below, below_slope, s + reach * grow, 1.0 + reach_slope * grow + reach * grow_slope


def _wilson_sizes(value: Floats, lower: Floats, upper: Floats, half: float) -> tuple[Floats, Floats]:
    """Size over z^2 from either limit, at the proportion near the value that makes them most alike."""
    spread_lower = np.maximum(lower * (1.0 - lower), 0.0)
    spread_upper = np.maximum(upper * (1.0 - upper), 0.0)
    root_lower, root_upper = np.sqrt(spread_lower), np.sqrt(spread_upper)
    # both limits are Wilson's for one n where their distances from p are as their roots
    p = (lower * root_upper + upper * root_lower) / _positive(root_lower + root_upper)
    p = np.clip(p, np.maximum(value - half, 0.0), np.minimum(value + half, 1.0))
    return _size(spread_lower, p - lower), _size(spread_upper, upper - p)


def _size(spread: Floats, distance: Floats) -> Floats:
    """Spread over squared distance: infinite where the limit may be at the proportion."""
    size = np.where(distance > 0, spread / _positive(distance) ** 2, np.inf)
    return np.where(np.isnan(spread), np.nan, size)


def _newton(function: Callable[[Floats], tuple[Floats, Floats]], x: Floats) -> Floats:
    """Root of a function that gives value and slope; the fixed number of steps keeps elements independent."""
    for _ in range(_STEPS):
        value, slope = function(x)
        x = x - value / slope
    return x


def _recoverable(count: Floats) -> Floats:
    return np.where((count >= FEWEST_EVENTS) & (count <= MOST_EVENTS), count, np.nan)


def _sound(
    value: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, low: float = -np.inf, high: float = np.inf
) -> tuple[Floats, Floats, Floats]:
    """Value and limits, all ``nan`` where they contradict each other or leave `low` to `high`."""
    value, lower, upper = _floats(value, lower, upper)
    sound = (limits_fault(value, lower, upper) == 0) & (lower >= low) & (upper <= high)
    sound &= np.isfinite(lower) & np.isfinite(upper)
    return np.where(sound, value, np.nan), np.where(sound, lower, np.nan), np.where(sound, upper, np.nan)


def _z(confidence: float) -> float:
    return float(z_value(one_level(confidence)))


def _floats(*data: ArrayLike) -> tuple[Floats, ...]:
    return tuple(np.asarray(array, np.float64) for array in data)


def _positive(x: Floats) -> Floats:
    """``nan`` where not positive: it passes through what follows without a warning."""
    return np.where(x > 0, x, np.nan)
