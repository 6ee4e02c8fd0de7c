"""The value that a goal asks for, from its baseline: one function for each kind of goal."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray


def reduce_gap(baseline: ArrayLike, *, by: float) -> NDArray[np.float64]:
    """Goal value of a gap cut by a share of its baseline; ``nan`` where there was no gap to cut.

    Parameters
    ----------
    baseline : (...)
        [unit of the indicator]
    by
        Share of the baseline: 0.1 for a tenth.

    Returns
    -------
    ndarray (...)
        [unit of the indicator]

    Examples
    --------
    >>> reduce_gap([3.7, 0.0], by=0.1)
    array([3.33,  nan])
    """
    start = np.asarray(baseline, float)
    return np.where(start > 0, (1 - by) * start, np.nan)


def reach(baseline: ArrayLike, *, level: float) -> NDArray[np.float64]:
    """Goal value that is a level, whatever the baseline.

    Parameters
    ----------
    baseline : (...)
        [unit of the indicator]
    level
        [unit of the indicator]

    Returns
    -------
    ndarray (...)
        [unit of the indicator]

    Examples
    --------
    >>> reach([13.1, 15.6], level=5)
    array([5., 5.])
    """
    return np.full_like(np.asarray(baseline, float), level)


def change_by(baseline: ArrayLike, *, by: float = 0.0, points: float = 0.0) -> NDArray[np.float64]:
    """Goal value changed by a share of the baseline (``by=-0.2``) or by ``points`` of its unit.

    Parameters
    ----------
    baseline : (...)
        [unit of the indicator]
    by
        Share of the baseline.
    points
        [unit of the indicator]

    Returns
    -------
    ndarray (...)
        [unit of the indicator]

    Examples
    --------
    >>> change_by([20.0, 10.0], by=-0.2)
    array([16.,  8.])
    """
    return (1 + by) * np.asarray(baseline, float) + points


def improve(baseline: ArrayLike) -> NDArray[np.float64]:
    """Goal value of a direction without a size, and of going back to a period: the value then.

    Parameters
    ----------
    baseline : (...)
        [unit of the indicator]

    Returns
    -------
    ndarray (...)
        [unit of the indicator]

    Examples
    --------
    >>> improve([81.2])
    array([81.2])
    """
    return np.array(baseline, float)


GOALS: Mapping[str, Callable[..., NDArray[np.float64]]] = MappingProxyType(
    {
        "reduce_gap": reduce_gap,
        "reach": reach,
        "change_by": change_by,
        "improve": improve,
        "return_to": improve,
    }
)
"""Goal value by kind: baseline (for ``return_to`` the value in that period) and the kind's own numbers."""
