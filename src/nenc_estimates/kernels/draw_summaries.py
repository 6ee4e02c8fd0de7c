"""What many draws of an estimate say: mean, standard deviation, limits, and how far chance may have moved each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.levels import z_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawSummary:
    """Summary of draws, each part ``(...)`` and ``nan`` where a draw is missing or infinite.

    Attributes
    ----------
    mean, se
        Mean and standard deviation of the draws.
    lower, upper
        Quantiles of the draws.
    normal_lower, normal_upper
        The value, less and plus z times ``se``.
    mean_error, se_error, lower_error, upper_error
        Monte Carlo standard errors of the first four.
    draws
        How many draws have a value.
    """

    mean: Floats
    se: Floats
    lower: Floats
    upper: Floats
    normal_lower: Floats
    normal_upper: Floats
    mean_error: Floats
    se_error: Floats
    lower_error: Floats
    upper_error: Floats
    draws: NDArray[np.int64]


def draw_summary(drawn: ArrayLike, value: ArrayLike, *, confidence: float = 0.95) -> DrawSummary:
    """Summarise independent draws.

    Parameters
    ----------
    drawn
        Draws ``(..., draw)``.
    value
        The estimate itself ``(...)``, about which the normal limits lie.
    confidence
        Level of the limits [fraction].

    Returns
    -------
    DrawSummary
        Quantiles are interpolated between draws. The error of a quantile is half the distance between the draws that
        stand one binomial standard deviation before and behind it, whatever the distribution. That of the standard
        deviation takes the fourth moment into account. Points of a Sobol sequence do better than these errors say.

    References
    ----------
    Serfling RJ (1980), Approximation Theorems of Mathematical Statistics, sections 2.2 and 2.6.

    Examples
    --------
    >>> found = draw_summary(np.arange(1001.0), 500.0)
    >>> [round(float(part), 1) for part in (found.mean, found.se, found.lower, found.upper, found.mean_error)]
    [500.0, 289.1, 25.0, 975.0, 9.1]
    """
    drawn, value = np.asarray(drawn, dtype=np.float64), np.asarray(value, dtype=np.float64)
    count = drawn.shape[-1]
    present = np.isfinite(drawn).sum(axis=-1)
    whole = present == count
    drawn = drawn if whole.all() else np.where(whole[..., None], drawn, np.nan)
    mean = drawn.mean(axis=-1)
    squares = np.square(drawn - mean[..., None])
    variance = squares.sum(axis=-1) / (count - 1)
    fourth = np.square(squares, out=squares).mean(axis=-1)
    se = np.sqrt(variance)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.maximum(fourth - np.square(variance) * (count - 3) / (count - 1), 0) / count)
        se_error = np.where(se > 0, spread / (2 * se), se)
    limits, errors = _quantiles(drawn, confidence)
    reach = z_value(confidence) * se
    return DrawSummary(
        mean=mean,
        se=se,
        lower=limits[0],
        upper=limits[1],
        normal_lower=np.where(whole, value - reach, np.nan),
        normal_upper=np.where(whole, value + reach, np.nan),
        mean_error=se / np.sqrt(count),
        se_error=se_error,
        lower_error=errors[0],
        upper_error=errors[1],
        draws=present,
    )


def _quantiles(drawn: Floats, confidence: float) -> tuple[list[Floats], list[Floats]]:
    """Limits and their errors."""
    last = drawn.shape[-1] - 1
    places = []
    for chance in ((1 - confidence) / 2, (1 + confidence) / 2):
        middle, reach = last * chance, np.sqrt((last + 1) * chance * (1 - chance))
        around = (np.floor(middle), np.floor(middle) + 1, np.floor(middle - reach), np.ceil(middle + reach))
        places.append((middle % 1, [int(min(max(place, 0), last)) for place in around]))
    ordered = np.sort(drawn, axis=-1)  # NumPy sorts by vector instructions: a third of the time of a partition
    limits, errors = [], []
    for part, (below, above, before, behind) in places:
        limits.append(ordered[..., below] + part * (ordered[..., above] - ordered[..., below]))
        errors.append((ordered[..., behind] - ordered[..., before]) / 2)
    return limits, errors
