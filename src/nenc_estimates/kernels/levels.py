"""Confidence levels: one or several, checked, and their normal quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Confidence = float | Sequence[float] | Floats


def z_value(confidence: Confidence) -> Floats:
    """Find the standard normal quantile of a two-sided confidence level.

    Parameters
    ----------
    confidence : float or sequence of float
        Level or levels, each between 0 and 1 [fraction].

    Returns
    -------
    ndarray, () or (level,)
        z, for which a standard normal variable lies within -z and z with that probability.

    Raises
    ------
    ValueError
        When a level is not strictly between 0 and 1.

    References
    ----------
    Wichura, M. J. (1988). Algorithm AS 241. Applied Statistics 37(3), 477-484. doi:10.2307/2347330

    Examples
    --------
    >>> z_value((0.95, 0.998)).round(6).tolist()
    [1.959964, 3.090232]
    """
    tail = tails(confidence)
    return np.array([-NormalDist().inv_cdf(p) for p in tail.flat]).reshape(tail.shape)


def one_level(confidence: float) -> float:
    """Check a confidence level where one is taken, and return it.

    Parameters
    ----------
    confidence
        Between 0 and 1 [fraction].

    Returns
    -------
    float

    Raises
    ------
    ValueError
        It is no level, or several.

    Examples
    --------
    >>> one_level(0.95)
    0.95
    """
    if z_value(confidence).ndim:
        raise ValueError(f"confidence is one level here, such as 0.95, and not several: got {confidence!r}")
    return float(confidence)


def tails(confidence: Confidence) -> Floats:
    """Find the probability beyond each limit.

    Parameters
    ----------
    confidence : float or sequence of float
        Level or levels, each between 0 and 1 [fraction].

    Returns
    -------
    ndarray, () or (level,)

    Raises
    ------
    ValueError
        When a level is not strictly between 0 and 1.

    Examples
    --------
    >>> tails((0.95, 0.9)).round(3).tolist()
    [0.025, 0.05]
    """
    try:
        level = np.asarray(confidence, dtype=np.float64)
    except (TypeError, ValueError):  # no numbers: refused below
        level = np.array(np.nan)
    if level.ndim > 1 or level.size == 0 or not np.all((level > 0) & (level < 1)):
        raise ValueError(
            f"confidence is a fraction between 0 and 1, or a sequence of them: write 0.95, not 95; got {confidence!r}"
        )
    return (1.0 - level) / 2.0
