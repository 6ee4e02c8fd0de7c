"""Scales on which a measure moves steadily: as it is, in logarithms (rates), in log odds (proportions)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """A scale: quantiles and probabilities of a forecast carry over exactly, means do not.

    A window's mean is taken on the new scale, which differs from the transformed mean by terms of second
    order in the annual change.

    Attributes
    ----------
    forward, inverse
        To the scale and back; ``nan`` outside its domain.
    slope
        Derivative of ``forward``: the standard error on the scale is ``se * slope(value)`` (delta method).
    """

    forward: Curve
    inverse: Curve
    slope: Curve


def _identity(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(value, float)


def _one(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ones_like(value, dtype=float)


def _log(value: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.asarray(value, float)
    return np.log(np.where(x > 0, x, np.nan))


def _log_slope(value: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.asarray(value, float)
    return 1 / np.where(x > 0, x, np.nan)


def _logit(value: NDArray[np.float64]) -> NDArray[np.float64]:
    p = _inside(value)
    return np.log(p) - np.log1p(-p)


def _logit_slope(value: NDArray[np.float64]) -> NDArray[np.float64]:
    p = _inside(value)
    return 1 / (p * (1 - p))


def _expit(value: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import expit  # noqa: PLC0415 - importing the kernels stays quick

    return np.asarray(expit(value))


def _inside(value: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.asarray(value, float)
    return np.where((p > 0) & (p < 1), p, np.nan)


TRANSFORMS: Mapping[str, Transform] = MappingProxyType(
    {
        "identity": Transform(forward=_identity, inverse=_identity, slope=_one),
        "log": Transform(forward=_log, inverse=np.exp, slope=_log_slope),
        "logit": Transform(forward=_logit, inverse=_expit, slope=_logit_slope),
    }
)
"""Every scale by name: identity for life expectancy and gaps, log for rates, logit for proportions of 1."""
