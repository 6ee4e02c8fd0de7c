"""Life expectancy and its variance at every age for any number of tables, by one recursion.

Going down from the open band, with survivors p = 1 - q of a band of n years in which the dying live a years,

    e(x) = a + p g,     v(x) = p (d (n g / (P + (n - a) d))² + p v(x+1)),     g = n - a + e(x+1),

needs one division a band and no column of the life table. Every term is non-negative, so nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from nenc_estimates.kernels.blocks import (
    COPY_BYTES,
    age_last,
    age_rows,
    copy_rows,
    empty_rows,
    is_streamable,
    share_tables,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    _Pair = tuple[NDArray[np.float64], NDArray[np.float64]]

_BLOCK: Final = 16_384
_BLOCK_SHARED: Final = 49_152  # longer calls: threads hand over the interpreter lock less often
_ONE: Final = np.array(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeExpectancy:
    """Life expectancy at every age and its sampling variance.

    Attributes
    ----------
    ex
        Years expected from the start of each band ``(..., age)`` [years].
    variance
        Its sampling variance ``(..., age)`` [years squared].
    """

    ex: NDArray[np.float64]
    variance: NDArray[np.float64]


def life_expectancy(
    deaths: ArrayLike,
    population: ArrayLike,
    *,
    width: ArrayLike,
    nax: ArrayLike,
    open_band_variance: bool = True,
    workers: int = 1,
    out: LifeExpectancy | None = None,
) -> LifeExpectancy:
    """Life expectancy at every age with its variance, without the other columns of the life table.

    The probability of dying is 1 where deaths × nax exceed population. The open band lives population /
    deaths years.

    Parameters
    ----------
    deaths, population
        Deaths and person-years ``(..., age)``, broadcast against each other [people].
    width
        Length of each band ``(age,)`` [years]; that of the last, open band is not used.
    nax
        Years lived in each band by those who die in it, ``(age,)`` or ``(..., age)`` [years]; that of the
        open band is not used.
    open_band_variance
        Whether the variance has the term of the open band (Silcocks and others), without which limits are
        too narrow where few people live.
    workers
        Threads to share the tables among. The result does not depend on it.
    out
        An earlier result of the same shape to write into, which saves a third of the time for large arrays.

    Returns
    -------
    LifeExpectancy
        ``ex`` and ``variance`` ``(..., age)``. Both are ``nan`` at every age up to a band with missing
        values, deaths below 0 or above population, or population of 0 or less, and at every age where the
        open band has no deaths. Other ages and other tables are not touched. Where everyone has died at
        an earlier age, the values are those of a person who is alive.

    References
    ----------
    Chiang CL (1984), The Life Table and its Applications, ch. 7-8. Silcocks PBS, Jenner DA, Reza R (2001),
    J Epidemiol Community Health 55:38-43, doi:10.1136/jech.55.1.38. Eayres D, Williams ES (2004),
    J Epidemiol Community Health 58:243-249, doi:10.1136/jech.2003.009654.

    Examples
    --------
    >>> life_expectancy([10, 20, 80], [1000, 1000, 400], width=[40, 40, np.inf], nax=[20, 20, 0]).ex.round(3)
    array([53.81 , 30.714,  5.   ])
    """
    deaths, population, nax = np.asarray(deaths), np.asarray(population), np.asarray(nax, dtype=np.float64)
    shape = np.broadcast_shapes(deaths.shape, population.shape, nax.shape, (1,))
    bands = _bands(width, nax, shape)
    ages, tables = shape[-1], prod(shape[:-1])
    if out is None:
        out = LifeExpectancy(
            ex=age_last(empty_rows(ages, tables), shape), variance=age_last(empty_rows(ages, tables), shape)
        )
    elif out.ex.shape != shape or out.variance.shape != shape:
        raise ValueError(f"out has shape {out.ex.shape}; these data need {shape}")
    sides = age_rows(deaths, shape), age_rows(population, shape)
    sweep = _Sweep(
        sides=sides,
        ex=age_rows(out.ex, shape),
        variance=age_rows(out.variance, shape),
        bands=bands,
        open_term=open_band_variance,
        block=_block_size(sides, workers),
    )
    share_tables(sweep.run, tables, workers=workers)
    return out


def checked_width(width: ArrayLike, nax: NDArray[np.float64], *, ages: int) -> NDArray[np.float64]:
    """Check that bands and rule are possible, and give the width of each band as floats.

    Parameters
    ----------
    width, nax
        As in `life_expectancy`.
    ages
        Number of age bands of the data.

    Returns
    -------
    ndarray (age,)
        [years]

    Raises
    ------
    ValueError
        There are fewer than two bands, ``width`` is not one positive number for each, or an ``nax`` that
        holds for all tables lies outside its band.

    Examples
    --------
    >>> checked_width([1, 4, np.inf], np.array([0.1, 2, np.nan]), ages=3)
    array([ 1.,  4., inf])
    """
    width = np.asarray(width, dtype=np.float64)
    if ages < 2 or width.shape != (ages,):
        raise ValueError(
            f"width must hold one length for each of two or more age bands on the last axis; "
            f"it has shape {width.shape} for data with {ages} bands"
        )
    if not np.all((width[:-1] > 0) & np.isfinite(width[:-1])):
        raise ValueError(f"the width of every closed band must be above 0 years, not {width[:-1]}")
    if nax.ndim == 1 and not np.all((nax[:-1] >= 0) & (nax[:-1] <= width[:-1])):
        raise ValueError(f"nax is in years and lies between 0 and width in every closed band, not {nax[:-1]}")
    return width


def _block_size(sides: tuple[NDArray[np.generic], ...], workers: int) -> int:
    if all(is_streamable(side) for side in sides):
        return _BLOCK_SHARED if workers > 1 else _BLOCK
    rows = sum(len(side) for side in sides) + 5
    return max(min(_BLOCK, COPY_BYTES // (8 * rows)), 8)


class _Band(NamedTuple):
    width: NDArray[np.float64]
    after: NDArray[np.float64]  # n - a
    nax: NDArray[np.float64]
    floor: NDArray[np.float64]  # survivors p below which the band may be capped or faulty


def _band_terms(width: NDArray[np.float64], nax: NDArray[np.float64]) -> _Band:
    nax = np.where((nax >= 0) & (nax <= width), nax, np.nan)
    after = width - nax
    # deaths = population is p = (1 - a) / (1 + n - a); the margin leaves rounding to the exact test
    floor = np.maximum((1 - nax) / (1 + after), 0) + 1e-9
    return _Band(width, after, nax, floor)


@lru_cache(maxsize=8)  # a fifth of the time of a call with few tables; the keys are the values themselves
def _fixed_bands(width: tuple[float, ...], nax: tuple[float, ...]) -> tuple[_Band, ...]:
    rule = np.array([*nax, np.nan])
    terms = _band_terms(checked_width(width, rule, ages=len(rule))[:-1], rule[:-1])
    return tuple(_Band(*[term[age, ...] for term in terms]) for age in range(len(nax)))


def _bands(width: ArrayLike, nax: NDArray[np.float64], shape: tuple[int, ...]) -> Callable[[int, slice], _Band]:
    if nax.ndim <= 1:
        closed = np.broadcast_to(nax, shape[-1:])[:-1]  # the open band's nan would never be found again
        fixed = _fixed_bands(tuple(np.ravel(width).tolist()), tuple(closed.tolist()))
        return lambda age, _: fixed[age]
    rows, lengths = age_rows(nax, shape), checked_width(width, nax, ages=shape[-1])

    def vary(age: int, part: slice) -> _Band:
        band = _band_terms(lengths[age], rows[age, part])
        return band._replace(floor=band.floor.max(initial=0))

    return vary


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sweep:
    """Everything that the recursion reads and writes, age first."""

    sides: tuple[NDArray[np.generic], NDArray[np.generic]]
    ex: NDArray[np.float64]
    variance: NDArray[np.float64]
    bands: Callable[[int, slice], _Band]
    open_term: bool
    block: int

    def run(self, first: int, end: int) -> None:
        """Fill the tables from ``first`` up to ``end``, block by block."""
        size = max(min(self.block, end - first), 1)
        scratch = empty_rows(2, size)
        copies = [None if is_streamable(side) else empty_rows(len(side), size) for side in self.sides]
        with np.errstate(all="ignore"):  # inside, because a thread begins with NumPy's defaults
            for start in range(first, end, size):
                part = slice(start, min(start + size, end))
                deaths, population = (
                    _in_rows(side[:, part], copy) for side, copy in zip(self.sides, copies, strict=True)
                )
                scrap = tuple(scratch[:, : part.stop - part.start])
                state = self.ex[-1, part], self.variance[-1, part]
                _open_band(deaths[-1], population[-1], state, open_term=self.open_term)
                for age in range(len(deaths) - 2, -1, -1):
                    following, state = state, (self.ex[age, part], self.variance[age, part])
                    counts = deaths[age], population[age]
                    _closed_band(self.bands(age, part), counts, following, state, scrap)


def _in_rows(rows: NDArray[np.generic], copy: NDArray[np.float64] | None) -> NDArray[np.float64]:
    if copy is None:
        return rows  # type: ignore[return-value]  # is_streamable: float64
    copy = copy[:, : rows.shape[1]]
    copy_rows(rows, copy)
    return copy


def _open_band(deaths: NDArray[np.float64], population: NDArray[np.float64], state: _Pair, *, open_term: bool) -> None:
    ex, variance = state
    np.divide(population, deaths, out=ex)
    ex[~((deaths > 0) & (deaths <= population))] = np.nan
    np.square(ex, out=variance)
    if open_term:
        np.divide(variance, deaths, out=variance)
    else:
        np.multiply(variance, 0.0, out=variance)  # keeps nan


def _closed_band(
    band: _Band,
    counts: _Pair,
    following: _Pair,
    state: _Pair,
    scrap: tuple[NDArray[np.float64], ...],
) -> None:
    (deaths, population), (ex, variance), (survival, reached) = counts, state, scrap
    ratio, years = variance, ex  # rows that are written later hold what comes before
    np.multiply(deaths, band.after, out=ratio)
    np.add(ratio, population, out=ratio)
    np.divide(band.width, ratio, out=ratio)
    np.multiply(deaths, ratio, out=survival)
    np.subtract(_ONE, survival, out=survival)
    # minima read from cache are cheaper than capping every element, and find every fault: where they pass,
    # 0 <= deaths <= population, population > 0 and survival is above 0; nan fails
    if not (_least(survival) >= band.floor and _least(deaths) >= 0 and _least(population) > 0):
        np.maximum(survival, 0.0, out=survival)
        survival[~((deaths >= 0) & (deaths <= population) & (population > 0))] = np.nan
    np.add(following[0], band.after, out=years)
    np.multiply(ratio, years, out=ratio)
    np.square(ratio, out=ratio)
    np.multiply(ratio, deaths, out=ratio)
    np.multiply(years, survival, out=ex)
    np.add(ex, band.nax, out=ex)
    np.multiply(survival, following[1], out=reached)
    np.add(variance, reached, out=variance)
    np.multiply(variance, survival, out=variance)


def _least(row: NDArray[np.float64]) -> np.float64:
    return row[row.argmin()]  # type: ignore[no-any-return]  # half the overhead of row.min(); nan if there is one
