"""Population weighting: sums and weighted means of source areas over target areas.

Source areas are laid out as *entries*: one for each (target, source area) pair of a crosswalk, the entries of a
target next to each other. ``starts[k]`` is the position of the first entry of target k. The entry axis is the last
one; whatever stands in front (sexes, periods, draws) is a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def grouped_sum(values: ArrayLike, starts: ArrayLike) -> Floats:
    """Sum the entries of each target.

    Parameters
    ----------
    values : (..., entry)
        Quantities to add, any unit.
    starts : (target,)
        First entry of each target; ascending, the first is 0, none empty.

    Returns
    -------
    (..., target)
        Sums, in the unit of ``values``. A ``nan`` entry makes the sum of its target ``nan``.

    Examples
    --------
    >>> grouped_sum([1.0, 2.0, 4.0], [0, 2])
    array([3., 4.])
    """
    values = np.ascontiguousarray(values, dtype=np.float64)
    starts = np.asarray(starts, dtype=np.intp)
    if starts.size == 0:
        return np.zeros((*values.shape[:-1], 0))
    return np.asarray(np.add.reduceat(values, starts, axis=-1), dtype=np.float64)


def spread(values: ArrayLike, starts: ArrayLike, n_entries: int) -> Floats:
    """Repeat a quantity of each target over its entries.

    Parameters
    ----------
    values : (..., target)
        Any quantity.
    starts : (target,)
        First entry of each target.
    n_entries
        Number of entries.

    Returns
    -------
    ndarray (..., entry)

    Examples
    --------
    >>> spread([10.0, 20.0], [0, 2], 3)
    array([10., 10., 20.])
    """
    lengths = np.diff(np.append(np.asarray(starts, dtype=np.intp), n_entries))
    return np.repeat(np.asarray(values, dtype=np.float64), lengths, axis=-1)


def weights(people: ArrayLike, membership: ArrayLike, starts: ArrayLike) -> Floats:
    r"""Share of each target that each of its source areas makes.

    .. math:: W_i = \frac{m_i D_i}{\sum_j m_j D_j}

    Parameters
    ----------
    people : (..., entry)
        D, the indicator's denominator in the whole source area [people].
    membership : (..., entry)
        m, the share of the source area that lies inside the target [0 to 1].
    starts : (target,)
        First entry of each target.

    Returns
    -------
    (..., entry)
        W, which sums to 1 over each target; ``nan`` where the target has no people or a negative or missing figure.

    Notes
    -----
    The denominator of the indicator is its natural weight: World Bank, *World Development Indicators*, aggregation
    rules; Feehan and Wrigley-Field, Demographic Research 44:15 (2021), for rates over exposures.

    Examples
    --------
    >>> weights([100.0, 200.0, 300.0], [1.0, 1.0, 0.5], [0]).round(4)
    array([0.2222, 0.4444, 0.3333])
    """
    people, membership = np.asarray(people, dtype=np.float64), np.asarray(membership, dtype=np.float64)
    inside = np.where((people >= 0) & (membership >= 0), people * membership, np.nan)
    total = spread(grouped_sum(inside, starts), starts, inside.shape[-1])
    return np.asarray(np.divide(inside, total, out=np.full(inside.shape, np.nan), where=total > 0))


def weighted_mean(values: ArrayLike, weight: ArrayLike, starts: ArrayLike) -> Floats:
    """Weighted mean of each target: the sum of W t.

    Parameters
    ----------
    values : (..., entry)
        t, the published value of each source area.
    weight : (..., entry)
        W of :func:`weights`. An entry of weight 0 takes no part, whatever its value.
    starts : (target,)
        First entry of each target.

    Returns
    -------
    (..., target)
        ``nan`` where an entry with weight has no value.

    Examples
    --------
    >>> weighted_mean([0.1, 0.2, 0.4], weights([100.0, 200.0, 300.0], [1.0, 1.0, 0.5], [0]), [0]).round(6)
    array([0.244444])
    """
    values, weight = np.asarray(values, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    return grouped_sum(weight * np.where(weight == 0, 0.0, values), starts)


def weighted_mean_variance(
    variance: ArrayLike, weight: ArrayLike, starts: ArrayLike, *, correlation: float = 0.0
) -> Floats:
    r"""Variance of the weighted mean, weights taken as known.

    .. math:: V = \sum_i W_i^2 s_i^2 + \rho \left[\left(\sum_i W_i s_i\right)^2 - \sum_i W_i^2 s_i^2\right]

    Parameters
    ----------
    variance : (..., entry)
        s², the variance of each source area's value.
    weight : (..., entry)
        W of :func:`weights`.
    starts : (target,)
        First entry of each target.
    correlation
        rho, the common correlation of the errors [0 to 1]: 0 for deaths and surveys drawn area by area; modelled
        values share terms, and lie between 0 and 1.

    Returns
    -------
    (..., target)
        Variance, in the squared unit of the value; ``nan`` where an entry with weight has no variance.

    Examples
    --------
    >>> w = weights([100.0, 200.0, 300.0], [1.0, 1.0, 0.5], [0])
    >>> weighted_mean_variance([1e-4, 4e-4, 9e-4], w, [0]) * 810_000
    array([149.])
    """
    if not 0.0 <= correlation <= 1.0:
        raise ValueError(f"correlation is {correlation}; it must lie between 0 (independent) and 1.")
    variance, weight = np.asarray(variance, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    scaled = weight * np.sqrt(np.where(weight == 0, 0.0, variance))
    independent = grouped_sum(scaled * scaled, starts)
    together = grouped_sum(scaled, starts) ** 2
    return np.asarray(independent + correlation * (together - independent))


def effective_number(weight: ArrayLike, starts: ArrayLike) -> Floats:
    """Effective number of areas of each target: 1 / sum of W².

    Parameters
    ----------
    weight : (..., entry)
        Share of the target that each source makes.
    starts : (target,)
        First entry of each target.

    Returns
    -------
    ndarray (..., target)

    Examples
    --------
    >>> effective_number([0.5, 0.5, 1.0], [0, 2])
    array([2., 1.])
    """
    weight = np.asarray(weight, dtype=np.float64)
    total = grouped_sum(weight * weight, starts)
    return np.asarray(np.divide(1.0, total, out=np.full(total.shape, np.nan), where=total > 0))


def largest_weight(weight: ArrayLike, starts: ArrayLike) -> Floats:
    """Largest weight of each target.

    Parameters
    ----------
    weight : (..., entry)
        Share of the target that each source makes.
    starts : (target,)
        First entry of each target.

    Returns
    -------
    ndarray (..., target)

    Examples
    --------
    >>> largest_weight([0.25, 0.75, 1.0], [0, 2])
    array([0.75, 1.  ])
    """
    weight = np.asarray(weight, dtype=np.float64)
    return np.asarray(np.maximum.reduceat(weight, np.asarray(starts, dtype=np.intp), axis=-1), dtype=np.float64)


def coverage(weight: ArrayLike, observed: ArrayLike, starts: ArrayLike) -> Floats:
    """Share of each target's people whose area has a value.

    Parameters
    ----------
    weight : (..., entry)
        W of :func:`weights` over all entries, observed or not.
    observed : (..., entry)
        Whether the area has a value.
    starts : (target,)
        First entry of each target.

    Returns
    -------
    (..., target)
        Between 0 and 1; exactly 1 when every entry with weight is observed.

    Examples
    --------
    >>> coverage([0.25, 0.75], [True, False], [0])
    array([0.25])
    """
    weight, observed = np.asarray(weight, dtype=np.float64), np.asarray(observed, dtype=bool)
    complete = grouped_sum(np.where(observed | (weight == 0), 0.0, 1.0), starts) == 0
    return np.where(complete, 1.0, grouped_sum(np.where(observed, weight, 0.0), starts))
