"""Share of life in ill health, from two expectancies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def share_in_ill_health(
    healthy: ArrayLike, life: ArrayLike, healthy_variance: ArrayLike, life_variance: ArrayLike
) -> tuple[Floats, Floats]:
    r"""Share of life in ill health and its variance, 1 - HLE / LE.

    .. math:: V = \left(\frac{H}{L}\right)^2 \left(\frac{V_H}{H^2} + \frac{V_L}{L^2}\right)

    Parameters
    ----------
    healthy, life : (...)
        H and L [years].
    healthy_variance, life_variance : (...)
        V_H and V_L [years squared], taken as independent: both rest on the same deaths, so the variance is on the
        large side.

    Returns
    -------
    share, variance : (...)
        ``nan`` where L is not above 0, or H is negative.

    Notes
    -----
    First-order (delta method) variance of a ratio.

    Examples
    --------
    >>> share, variance = share_in_ill_health([60.0], [80.0], [0.09], [0.01])
    >>> share, np.sqrt(variance).round(5)
    (array([0.25]), array([0.00387]))
    """
    healthy, life = np.asarray(healthy, dtype=np.float64), np.asarray(life, dtype=np.float64)
    life = np.where(life > 0, life, np.nan)
    ratio = np.where(healthy >= 0, healthy, np.nan) / life
    variance = (np.asarray(healthy_variance) + ratio**2 * np.asarray(life_variance)) / life**2
    return 1.0 - ratio, np.asarray(variance, dtype=np.float64)
