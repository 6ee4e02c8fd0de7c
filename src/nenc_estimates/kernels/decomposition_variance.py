"""Sampling variance of the contributions to a gap, by the delta method with every derivative.

A contribution is uncertain through its own rates and, through the survivors and the years still to live that
weigh it, through the rates at all other ages. Both are counted, so a subtotal's variance is that of the
subtotal, not the sum of its parts'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nenc_estimates.kernels.decomposition import (
    health_sensitivity,
    mortality_sensitivity,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

_STEP: Final = 2.0**-100


def contribution_variance(
    causes1: ArrayLike,
    causes2: ArrayLike,
    variance1: ArrayLike,
    variance2: ArrayLike,
    *,
    groups: ArrayLike,
    width: ArrayLike,
    nax: ArrayLike,
    method: str = "arriaga",
    healthy: tuple[ArrayLike, ArrayLike] = (1.0, 1.0),
    healthy_variance: tuple[ArrayLike, ArrayLike] = (0.0, 0.0),
) -> NDArray[np.float64]:
    """Variance of causes' contributions to a gap in (healthy) life expectancy, of their subtotals, and of the gap.

    Rates and shares are independent between populations, causes, ages and each other.

    Parameters
    ----------
    causes1, causes2, width, nax, method
        As in `.cause_contributions`; for contributions by age alone, one cause.
    variance1, variance2
        Variances of these rates, shape ``(..., cause, age)`` [(deaths per person-year)²]: deaths divided by
        person-years squared for Poisson counts, zeros for a population taken as fixed.
    groups
        True for the cells that a subtotal adds up, shape ``(group, cause, age)``: one cell for a
        contribution, all of them for the gap.
    healthy, healthy_variance
        Shares in good health of both populations and their variances, shape ``(..., age)``, for contributions of
        causes of death to a gap in healthy life expectancy.

    Returns
    -------
    ndarray
        Variances, shape ``(..., group)`` [years²]; ``nan`` for a pair that has an impossible element.

    Examples
    --------
    Standard errors of the gap and of its first contribution, with 400 deaths in each band.

    >>> first, second = np.array([[0.004, 0.05]]), np.array([[0.002, 0.04]])
    >>> variance = contribution_variance(
    ...     first,
    ...     second,
    ...     first**2 / 400,
    ...     second**2 / 400,
    ...     groups=[[[True, True]], [[True, False]]],
    ...     width=[50, np.inf],
    ...     nax=[25, np.nan],
    ... )
    >>> np.sqrt(variance).round(2)
    array([1.46, 0.45])
    """
    first, second = np.asarray(causes1, dtype=np.float64), np.asarray(causes2, dtype=np.float64)
    inside = np.asarray(groups, dtype=np.float64)

    def sensitivity(m1: Any, m2: Any, h1: Any, h2: Any) -> Any:
        return mortality_sensitivity(m1, m2, healthy1=h1, healthy2=h2, width=width, nax=nax, method=method)

    shares = tuple(np.broadcast_to(share, np.shape(share) or first.shape[-1:]) for share in healthy)
    values = (first.sum(-2), second.sum(-2), *shares)
    direct = sensitivity(*values)[..., None, :]
    moved = _subtotals(inside, second - first)
    total: NDArray[np.float64] = np.zeros(1)
    for position, sign, variance in ((0, -1.0, variance1), (1, 1.0, variance2)):
        # a rate acts through all sensitivities and, inside the subtotal, through its own cell's difference
        through = moved @ np.swapaxes(_derivatives(sensitivity, values, position), -1, -2)
        own, others = _subtotals(inside, variance), _subtotals(1 - inside, variance)
        total = total + ((through + sign * direct) ** 2 * own + through**2 * others).sum(-1)
    for position, variance in enumerate(healthy_variance, start=2):
        if np.any(variance):
            through = moved @ np.swapaxes(_derivatives(sensitivity, values, position), -1, -2)
            total = total + (through**2 * np.asarray(variance, dtype=np.float64)[..., None, :]).sum(-1)
    return total


def years_gained_variance(
    causes1: ArrayLike,
    causes2: ArrayLike,
    variance1: ArrayLike,
    variance2: ArrayLike,
    *,
    cells: ArrayLike,
    width: ArrayLike,
    nax: ArrayLike,
) -> NDArray[np.float64]:
    """Variance of the years gained if some causes and ages alone had the other population's rates.

    A rate that would not change acts on life expectancy before and after, and so hardly on the years gained.

    Parameters
    ----------
    causes1, causes2, cells, width, nax
        As in `.years_gained`.
    variance1, variance2
        As in `contribution_variance`.

    Returns
    -------
    ndarray
        Variances, shape ``(...)`` [years²]; ``nan`` for a pair that has an impossible element.

    Examples
    --------
    >>> first, second = np.array([[0.004, 0.05]]), np.array([[0.002, 0.04]])
    >>> variances = {"variance1": first**2 / 400, "variance2": second**2 / 400}
    >>> variance = years_gained_variance(
    ...     first, second, **variances, cells=[[True, False]], width=[50, np.inf], nax=[25, np.nan]
    ... )
    >>> np.sqrt(variance).round(2)
    np.float64(0.43)
    """
    first, second = np.asarray(causes1, dtype=np.float64), np.asarray(causes2, dtype=np.float64)
    before, after = first.sum(-2), np.where(cells, second, first).sum(-2)
    # between equal rates a sensitivity is the derivative of life expectancy
    slope, changed = (
        mortality_sensitivity(rates, rates, width=width, nax=nax)[..., None, :] for rates in (before, after)
    )
    v1, v2 = np.asarray(variance1, dtype=np.float64), np.asarray(variance2, dtype=np.float64)
    parts = np.where(cells, slope**2 * v1 + changed**2 * v2, (changed - slope) ** 2 * v1)
    return np.asarray(parts.sum(axis=(-2, -1)))


def healthy_contribution_variance(
    nMx1: ArrayLike,
    nMx2: ArrayLike,
    healthy1: ArrayLike,
    healthy2: ArrayLike,
    *,
    variances: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    groups: ArrayLike,
    width: ArrayLike,
    nax: ArrayLike,
    method: str = "arriaga",
) -> NDArray[np.float64]:
    """Variance of mortality and health effects on a gap in healthy life, of subtotals, and of the gap.

    Rates and shares are independent between populations, ages and each other.

    Parameters
    ----------
    nMx1, nMx2, healthy1, healthy2, width, nax, method
        As in `.healthy_contributions`.
    variances
        Variances of the first four, in their order, each of shape ``(..., age)``.
    groups
        True for the effects that a subtotal adds up, shape ``(group, 2, age)``: mortality, then health.

    Returns
    -------
    ndarray
        Variances, shape ``(..., group)`` [years²]; ``nan`` for a pair that has an impossible element.

    Examples
    --------
    Standard error of the whole health effect when only shares in good health are uncertain.

    >>> variance = healthy_contribution_variance(
    ...     [0.004, 0.05],
    ...     [0.002, 0.04],
    ...     [0.9, 0.5],
    ...     [0.9, 0.6],
    ...     variances=([0, 0], [0, 0], [1e-4, 4e-4], [1e-4, 4e-4]),
    ...     groups=[[[False, False], [True, True]]],
    ...     width=[50, np.inf],
    ...     nax=[25, np.nan],
    ... )
    >>> np.sqrt(variance).round(2)
    array([0.86])
    """
    bands: dict[str, Any] = {"width": width, "nax": nax, "method": method}

    def mortality(m1: Any, m2: Any, h1: Any, h2: Any) -> Any:
        return mortality_sensitivity(m1, m2, healthy1=h1, healthy2=h2, **bands) * (m2 - m1)

    def health(m1: Any, m2: Any, h1: Any, h2: Any) -> Any:
        return health_sensitivity(m1, m2, **bands) * (h2 - h1)

    inside = np.asarray(groups, dtype=np.float64)
    values = (nMx1, nMx2, healthy1, healthy2)
    total: NDArray[np.float64] = np.zeros(1)
    for position, variance in enumerate(variances):
        slopes = _derivatives(mortality, values, position) @ inside[:, 0].T
        slopes = slopes + _derivatives(health, values, position) @ inside[:, 1].T
        total = total + (slopes**2 * np.asarray(variance, dtype=np.float64)[..., None]).sum(-2)
    return total


def _subtotals(inside: NDArray[np.float64], cells: ArrayLike) -> NDArray[np.float64]:
    """Sum the cells of each group over causes: (group, cause, age), (..., cause, age) → (..., group, age)."""
    values = np.asarray(cells, dtype=np.float64)
    result: NDArray[np.float64] = np.einsum("gca,...ca->...ga", inside, values)
    return result


def _derivatives(function: Callable[..., Any], values: tuple[ArrayLike, ...], position: int) -> NDArray[Any]:
    """Differentiate what a formula gives at every age by one of its arrays: (..., age in, age out).

    A step in the imaginary direction takes no difference, so nothing cancels and the derivative is exact to
    rounding: Squire and Trapp 1998, doi:10.1137/S003614459631241X.
    """
    moved: list[NDArray[Any]] = [np.asarray(value, dtype=np.float64)[..., None, :] for value in values]
    moved[position] = moved[position] + _STEP * 1j * np.eye(moved[position].shape[-1])
    slopes: NDArray[Any] = function(*moved).imag / _STEP
    return slopes
