"""Two quantities side by side: the gap between them, and one as a share of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def gap(value: ArrayLike, reference: ArrayLike, *, better: Literal["higher", "lower"] = "higher") -> Floats:
    """Gap to a reference, positive where the value is worse.

    Parameters
    ----------
    value, reference : (...)
        In the same unit.
    better
        ``"higher"``: reference - value. ``"lower"``: value - reference.

    Examples
    --------
    >>> gap([59.4], [63.1]).round(1)
    array([3.7])
    """
    difference = np.asarray(reference, dtype=np.float64) - np.asarray(value, dtype=np.float64)
    return difference if better == "higher" else -difference


def gap_variance(variance: ArrayLike, reference_variance: ArrayLike, *, share: ArrayLike = 0.0) -> Floats:
    r"""Variance of the gap between an area and a reference that may hold the area.

    With a reference that is w parts area and 1 - w parts independent rest, :math:`\mathrm{Cov} = w V`, so

    .. math:: V_g = V + V_R - 2 w V

    Parameters
    ----------
    variance, reference_variance : (...)
        V of the area and V_R of the reference [squared unit].
    share : (...)
        w, the share of the reference that is the area; 0 where the two are apart [0 to 1].

    Returns
    -------
    (...)
        ``nan`` where ``V_R < w² V``: a reference cannot be more certain than its own part allows.

    Examples
    --------
    >>> gap_variance([0.09], [0.01], share=0.05).round(4)
    array([0.091])
    """
    variance, whole = np.asarray(variance, dtype=np.float64), np.asarray(reference_variance, dtype=np.float64)
    share = np.asarray(share, dtype=np.float64)
    possible = whole >= share**2 * variance
    return np.where(possible, variance + whole - 2.0 * share * variance, np.nan)


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
