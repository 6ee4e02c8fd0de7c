"""Numbers as a reader sees them: rounding belongs to writers only, and nowhere else."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING = "[x]"
"""Shorthand for a figure that is not available: Government Analysis Function, Using symbols in tables (2022)."""


def _exact(value: float, decimals: int) -> Decimal:
    return Decimal(float(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def nearest(value: float, decimals: int) -> float:
    """Round a number half away from zero on its exact decimal value, for a cell that must stay a number.

    Examples
    --------
    >>> nearest(0.125, 2), nearest(-2.5, 0), nearest(1.005, 2)
    (0.13, -3.0, 1.0)
    """
    return float(_exact(value, decimals)) + 0.0


def rounded(value: float, decimals: int) -> str:
    """Write a number with a fixed number of decimals, half away from zero on its exact decimal value.

    Parameters
    ----------
    value
        Any finite number, or ``nan``, which is written ``[x]``.
    decimals
        Digits behind the point.

    Examples
    --------
    >>> rounded(0.5, 0), rounded(-2.5, 0), rounded(1234567.0, 0), rounded(float("nan"), 1)
    ('1', '-3', '1,234,567', '[x]')
    """
    if value != value:  # noqa: PLR0124 - the one test for nan that needs no import
        return MISSING
    exact = _exact(value, decimals)
    return f"{exact if exact else abs(exact):,}"


def half_away(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round numbers to whole ones, half away from zero; ``nan`` stays ``nan``.

    Examples
    --------
    >>> half_away(np.array([0.5, 2.4, -2.5, 0.49999999999999994])).tolist()
    [1.0, 2.0, -3.0, 0.0]
    """
    whole = np.trunc(values)
    rounded_away: NDArray[np.float64] = whole + np.sign(values) * (np.abs(values - whole) >= 0.5)
    return rounded_away


def with_limits(value: float, lower: float, upper: float, decimals: int) -> str:
    """Write a number and, where they are known, its limits in brackets.

    Examples
    --------
    >>> with_limits(60.232, 59.579, 60.885, 1), with_limits(13.0, float("nan"), float("nan"), 1)
    ('60.2 (59.6 to 60.9)', '13.0')
    """
    if lower != lower:  # noqa: PLR0124
        return rounded(value, decimals)
    return f"{rounded(value, decimals)} ({rounded(lower, decimals)} to {rounded(upper, decimals)})"
