"""Life expectancy of many draws of one life table, without drawing a death.

Population stands still, so the probability of surviving an age band is a function of the number of deaths in it, and
can be drawn itself from a table (:mod:`~nenc_estimates.kernels.count_tables`). What is left is a multiplication and two
additions a band.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nenc_estimates.kernels.count_tables import buckets, look_up, poisson_tables
from nenc_estimates.kernels.expectancy import checked_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.kernels.sampling import Source

    Floats = NDArray[np.float64]

BLOCK: Final = 16_384
"""Draws that are in memory at a time, for all bands: they stay in the processor's cache."""


def sampled_life_expectancy(
    deaths: ArrayLike,
    population: ArrayLike,
    *,
    width: ArrayLike,
    nax: ArrayLike,
    words: Source,
    draws: int,
    at: Sequence[int] = (0,),
) -> Floats:
    """Life expectancy of a table whose deaths are drawn from Poisson distributions about those seen.

    Parameters
    ----------
    deaths, population
        Deaths and person-years of one table ``(age,)`` [people].
    width, nax
        As in :func:`~nenc_estimates.kernels.expectancy.life_expectancy`, ``(age,)`` [years].
    words
        Function of the first draw and their number that gives the words of the bands in which somebody died. Where
        nobody did, nothing is drawn.
    draws
        Number of draws.
    at
        Positions of the bands at whose start life expectancy is wanted, ascending.

    Returns
    -------
    ndarray
        ``(at, draw)`` [years], to the last bit what ``life_expectancy`` gives for the deaths of each draw: ``nan`` from
        a band with more deaths than people down, and where nobody died in the open band.

    Raises
    ------
    ValueError
        A count is negative, missing or too large to be drawn; the bands are impossible.

    Examples
    --------
    >>> from nenc_estimates.kernels.sampling import word_source
    >>> words = word_source(1, np.arange(6, dtype=np.uint64).reshape(3, 2))
    >>> bands = {"width": [40, 40, np.inf], "nax": [20, 20, 0]}
    >>> drawn = sampled_life_expectancy([10, 20, 80], [1000, 1000, 400], **bands, words=words, draws=9)
    >>> drawn.shape
    (1, 9)
    """
    deaths, population = np.asarray(deaths, dtype=np.float64), np.asarray(population, dtype=np.float64)
    nax = np.asarray(nax, dtype=np.float64)
    width = checked_width(width, nax, ages=deaths.size)
    after = width - nax
    seen = np.flatnonzero(deaths)
    tables = poisson_tables(deaths[seen])
    value = _survival(tables.count, population, width, after, bands=seen)
    still = _survival(np.zeros((deaths.size, 1)), population, width, after, bands=np.arange(deaths.size))
    settled = buckets(tables, value)
    made = np.empty((len(at), draws))
    scratch = np.empty((seen.size, min(BLOCK, draws)))
    for first in range(0, draws, BLOCK):
        count = min(BLOCK, draws - first)
        block = look_up(tables, words(first, count), settled, value, scratch[:, :count])
        survival = dict(zip(seen.tolist(), block, strict=True))
        ex = survival.get(deaths.size - 1, np.full(count, np.nan))
        for age in range(deaths.size - 1, min(at) - 1, -1):
            if age < deaths.size - 1:
                ex += after[age]
                ex *= survival.get(age, still[age])
                ex += nax[age]
            if age in at:
                made[at.index(age), first : first + count] = ex
    return made


def _survival(deaths: Floats, population: Floats, width: Floats, after: Floats, *, bands: NDArray[np.intp]) -> Floats:
    """Share that survives each of some bands, in the open one the years lived: as ``life_expectancy`` computes them."""
    people = population[bands, None]
    with np.errstate(all="ignore"):
        ratio = width[bands, None] / (deaths * after[bands, None] + people)
        value = np.maximum(1.0 - deaths * ratio, 0.0)
        value[~((deaths <= people) & (people > 0))] = np.nan
        if bands.size and bands[-1] == population.size - 1:
            value[-1] = np.where((deaths[-1] > 0) & (deaths[-1] <= people[-1]), people[-1] / deaths[-1], np.nan)
    return value
