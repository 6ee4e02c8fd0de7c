"""Windows of years: what a published period of one, two, three or five years sees of an annual series.

A window is two integers, its first year and its number of years: 2018-20 is (2018, 3). ``first_year``
and ``n_years`` are arrays over windows (the last axis); windows may overlap, leave gaps and mix lengths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def window_centre(first_year: ArrayLike, n_years: ArrayLike) -> NDArray[np.float64]:
    """Centre of each window on the scale where a single year is centred on itself.

    Parameters
    ----------
    first_year, n_years
        First year and number of years of each window, broadcast together [years].

    Returns
    -------
    NDArray
        Centres [years]: 2019 for 2018-20, 2020.5 for 2020-21.

    Examples
    --------
    >>> window_centre([2018, 2020], [3, 2])
    array([2019. , 2020.5])
    """
    return np.asarray(first_year, float) + (np.asarray(n_years, float) - 1) / 2


def window_overlap(
    first_year: ArrayLike,
    n_years: ArrayLike,
    other_first_year: ArrayLike | None = None,
    other_n_years: ArrayLike | None = None,
) -> NDArray[np.float64]:
    r"""Correlation of the sampling errors of windows that share years.

    A window's estimate is a mean over its years, each with an error of its own and equal variance, so two
    windows share :math:`|W_i \cap W_j| / \sqrt{|W_i| |W_j|}`: 1, 2/3, 1/3, 0 for rolling three-year windows.

    Parameters
    ----------
    first_year, n_years
        Shape ``(window,)`` [years].
    other_first_year, other_n_years
        Shape ``(other,)``; without them the windows are set against themselves.

    Returns
    -------
    NDArray
        Shape ``(window, other)``, between 0 and 1.

    References
    ----------
    Hansen & Hodrick (1980), Forward exchange rates as optimal predictors of future spot rates,
    Journal of Political Economy 88(5), 829-853, doi:10.1086/260910 (errors of overlapping observations).

    Examples
    --------
    >>> window_overlap([2018, 2019], [3, 3]).round(3)
    array([[1.   , 0.667],
           [0.667, 1.   ]])
    """
    first, n = np.asarray(first_year, float), np.asarray(n_years, float)
    other_first = first if other_first_year is None else np.asarray(other_first_year, float)
    other_n = n if other_n_years is None else np.asarray(other_n_years, float)
    end = np.minimum((first + n)[:, None], other_first + other_n)
    shared = np.maximum(end - np.maximum(first[:, None], other_first), 0.0)
    overlap: NDArray[np.float64] = shared / np.sqrt(n[:, None] * other_n)
    return overlap


def window_weights(
    first_year: ArrayLike, n_years: ArrayLike, *, years: ArrayLike, population: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Share of each year in each window: the rows that turn an annual series into windows.

    Parameters
    ----------
    first_year, n_years
        Shape ``(window,)`` [years].
    years
        Shape ``(year,)``: the annual grid, ascending.
    population
        Shape ``(year,)``: people in each year, for rates whose window pools deaths over person-years;
        equal shares without it.

    Returns
    -------
    NDArray
        Shape ``(window, year)``; every row sums to 1.

    Raises
    ------
    ValueError
        When a window is not covered by ``years``.

    Examples
    --------
    >>> window_weights([2018], [2], years=[2018, 2019, 2020])
    array([[0.5, 0.5, 0. ]])
    """
    grid = np.asarray(years)
    first, n = np.atleast_1d(first_year)[:, None], np.atleast_1d(n_years)[:, None]
    if (first < grid[0]).any() or (first + n - 1 > grid[-1]).any():
        span = f"{grid[0]:.0f} to {grid[-1]:.0f}"
        msg = f"a window reaches outside the years {span}: fit the trajectory `until` a later year"
        raise ValueError(msg)
    people = np.ones(grid.size) if population is None else np.asarray(population, float)
    inside = np.where((grid >= first) & (grid < first + n), people, 0.0)
    weights: NDArray[np.float64] = inside / inside.sum(axis=-1, keepdims=True)
    return weights


def shock_columns(years: ArrayLike, shocks: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Columns that are 1 in the years of a temporary shock and 0 in all others, also in the future.

    Seen through three-year windows a shock in 2020 and 2021 weighs 1/3, 2/3, 2/3, 1/3 on 2018-20 to 2021-23.

    Parameters
    ----------
    years
        Shape ``(year,)``.
    shocks
        One sequence of years for each shock.

    Returns
    -------
    NDArray
        Shape ``(year, shock)``.

    Examples
    --------
    >>> shock_columns([2019, 2020, 2021, 2022], [(2020, 2021)]).T
    array([[0., 1., 1., 0.]])
    """
    grid = np.asarray(years)
    columns = [np.isin(grid, list(shock)).astype(float) for shock in shocks]
    return np.stack(columns, axis=-1) if columns else np.zeros((grid.size, 0))


def break_flags(first_year: ArrayLike, breaks: Sequence[int]) -> NDArray[np.float64]:
    """Flag the windows that a change of method covers: those that start in its year or later.

    A method changes for a whole published window, not for single years in it.

    Parameters
    ----------
    first_year
        Shape ``(window,)`` [years].
    breaks
        First year of the first window under each new method.

    Returns
    -------
    NDArray
        Shape ``(window, break)``.

    Examples
    --------
    >>> break_flags([2019, 2020, 2021], [2021]).T
    array([[0., 0., 1.]])
    """
    start = np.atleast_1d(first_year)
    return (start[:, None] >= np.asarray(breaks, dtype=float)).astype(float)
