"""Life tables: every column from rates, the variance of what they say, and why a table cannot be made.

`.life_expectancy` gives life expectancy and its variance alone, much faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.expectancy import checked_width

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeTable:
    """Every column of a life table, ``(..., age)`` except ``width``.

    Attributes
    ----------
    width
        Length n of each band ``(age,)`` [years]; not used for the open one.
    nMx
        Death rate [deaths per person-year].
    nqx
        Probability of dying in the band; 1 in the open one.
    nax
        Years lived in the band by those who die in it [years].
    lx
        Survivors to the start of the band [people].
    ndx
        Deaths in the band [people].
    nLx
        Person-years lived in the band.
    Tx
        Person-years lived from the start of the band on.
    ex
        Life expectancy at the start of the band [years]; where nobody survives to it, that of a person who
        did, from the rates of the bands above.
    """

    width: NDArray[np.float64]
    nMx: NDArray[np.float64]
    nqx: NDArray[np.float64]
    nax: NDArray[np.float64]
    lx: NDArray[np.float64]
    ndx: NDArray[np.float64]
    nLx: NDArray[np.float64]
    Tx: NDArray[np.float64]
    ex: NDArray[np.float64]


def life_table(
    nMx: ArrayLike,
    *,
    width: ArrayLike,
    nax: ArrayLike,
    nqx: ArrayLike | None = None,
    radix: float = 100_000.0,
) -> LifeTable:
    """Life table of a set of age-specific death rates.

    The probability of dying is n m / (1 + (n - a) m), and 1 where m a is above 1 and in the open band, whose
    years lived are survivors / rate.

    Parameters
    ----------
    nMx
        Death rate ``(..., age)`` [deaths per person-year].
    width
        Length of each band ``(age,)`` [years]; that of the last, open band is not used.
    nax
        Years lived in each band by those who die in it, ``(age,)`` or ``(..., age)`` [years]; that of the
        open band is not used.
    nqx
        Probability of dying where it is known from another source (an infant rate per birth, say), ``nan``
        where it follows from ``nMx``; broadcast against ``nMx``.
    radix
        Survivors at the start of the first band [people].

    Returns
    -------
    LifeTable
        Where a rate is missing or negative, or the rate of the open band is 0, its band is ``nan``, and with
        it ``lx``, ``ndx`` and ``nLx`` of later bands and ``Tx`` and ``ex`` of earlier ones. A rate may be
        above 1.

    References
    ----------
    Chiang CL (1984), The Life Table and its Applications, ch. 6. Preston SH, Heuveline P, Guillot M (2001),
    Demography, box 3.1.

    Examples
    --------
    >>> table = life_table([0.01, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan], radix=1.0)
    >>> table.lx.round(3), table.ex.round(2)
    (array([1.   , 0.667, 0.286]), array([53.81, 30.71,  5.  ]))
    """
    rate, nax = np.asarray(nMx, dtype=np.float64), np.asarray(nax, dtype=np.float64)
    known = np.nan if nqx is None else np.asarray(nqx, dtype=np.float64)
    shape = np.broadcast_shapes(rate.shape, nax.shape, np.shape(known), (1,))
    width = checked_width(width, np.broadcast_to(nax, (*nax.shape[:-1], shape[-1])), ages=shape[-1])
    if not radix > 0:
        raise ValueError(f"radix is a number of people above 0, not {radix}")
    with np.errstate(all="ignore"):
        rate = np.where(rate >= 0, rate, np.nan)
        probability = width * rate / (1 + (width - nax) * rate)
        probability = np.where(rate * nax > 1, 1.0, probability)
        probability = np.where(np.isnan(known), probability, known)
        lived = np.where((nax >= 0) & (nax <= width), nax, np.nan) + np.zeros(shape)
        lived[..., -1] = np.where(rate[..., -1] > 0, 1 / rate[..., -1], np.nan)
    probability = np.where(np.isnan(lived), np.nan, probability)
    probability[..., -1] = np.where(np.isnan(lived[..., -1]), np.nan, 1.0)
    return from_probabilities(probability, width=width, nax=lived, nMx=rate + np.zeros(shape), radix=radix)


def from_probabilities(
    nqx: NDArray[np.float64],
    *,
    width: NDArray[np.float64],
    nax: NDArray[np.float64],
    nMx: NDArray[np.float64],
    radix: float | NDArray[np.float64],
) -> LifeTable:
    """Life table of known probabilities of dying.

    Parameters
    ----------
    nqx
        Probability of dying in each band ``(..., age)``; 1 in the open one.
    width, nMx, radix
        As in `life_table`; ``nMx`` is handed on as it is.
    nax
        Years lived by those who die, ``(..., age)``, in the open band too [years].

    Returns
    -------
    LifeTable
        As `life_table` gives it; ``nan`` at every age up to a band whose probability lies outside 0 to 1.

    Examples
    --------
    >>> q, a = np.array([0.5, 1.0]), np.array([20.0, 5.0])
    >>> from_probabilities(q, width=np.array([40.0, np.inf]), nax=a, nMx=a * np.nan, radix=1.0).ex
    array([32.5,  5. ])
    """
    nqx = np.where((nqx >= 0) & (nqx <= 1), nqx, np.nan)
    survivors = np.cumprod(1 - nqx[..., :-1], axis=-1)
    lx = radix * np.concatenate([np.ones_like(nqx[..., :1]), survivors], axis=-1)
    ndx = lx * nqx
    years = band_years(nqx, width=width, nax=nax)
    nLx = lx * years
    Tx = np.cumsum(nLx[..., ::-1], axis=-1)[..., ::-1]
    ex = expected(nqx, years)
    return LifeTable(width=width, nMx=nMx, nqx=nqx, nax=nax, lx=lx, ndx=ndx, nLx=nLx, Tx=Tx, ex=ex)


def band_years(
    nqx: NDArray[np.float64], *, width: NDArray[np.float64], nax: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Years lived in each band by a person alive at its start: nLx / lx, also where lx is 0.

    Parameters
    ----------
    nqx, width, nax
        As in `LifeTable`.

    Returns
    -------
    NDArray
        ``(..., age)`` [years].

    Examples
    --------
    >>> band_years(np.array([0.5, 1.0]), width=np.array([40.0, np.inf]), nax=np.array([20.0, 5.0]))
    array([30.,  5.])
    """
    years = nax * nqx
    years[..., :-1] += width[:-1] * (1 - nqx[..., :-1])
    return years


def expected(nqx: NDArray[np.float64], gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of what each band gives to a person alive at its start, over the bands that are reached.

    Parameters
    ----------
    nqx
        Probability of dying in each band ``(..., age)``.
    gain
        What a person gains who is alive at the start of the band ``(..., age)``.

    Returns
    -------
    NDArray
        ``(..., age)``: the expected gain from the start of each band on.

    Examples
    --------
    >>> expected(np.array([0.5, 1.0]), np.array([30.0, 5.0]))
    array([32.5,  5. ])
    """
    return accumulated(gain, 1 - nqx)


def accumulated(gain: NDArray[np.float64], kept: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up from the last band down, each sum times what is kept of it in the band before.

    Parameters
    ----------
    gain, kept
        ``(..., age)``.

    Returns
    -------
    ndarray
        ``(..., age)``: gain + kept × the sum from the next band on.

    Examples
    --------
    >>> accumulated(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.5, 0.5]))
    array([3., 4., 4.])
    """
    # an age at a time is one stream of memory where ages come first, and many short reads where they come last
    total = np.moveaxis(gain, -1, 0).astype(np.float64, order="C")
    share = np.ascontiguousarray(np.moveaxis(kept, -1, 0))
    for age in range(len(total) - 2, -1, -1):
        total[age] += share[age] * total[age + 1]
    return np.moveaxis(total, 0, -1)


def death_chance_variance(table: LifeTable, deaths: ArrayLike) -> NDArray[np.float64]:
    """Give the sampling variance of the probability of dying in each band, q² (1 - q) / deaths.

    Parameters
    ----------
    table
        Life table ``(..., age)``.
    deaths
        Deaths that its rates come from ``(..., age)``.

    Returns
    -------
    NDArray
        ``(..., age)``; 0 in a band without deaths.

    References
    ----------
    Chiang CL (1984), The Life Table and its Applications, ch. 6.

    Examples
    --------
    >>> table = life_table([0.0, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan])
    >>> death_chance_variance(table, [0, 20, 80]).round(5)
    array([0.   , 0.007, 0.   ])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.square(table.nqx) * (1 - table.nqx) / np.asarray(deaths, dtype=np.float64)
    return np.where(table.nqx == 0, 0.0, variance)


def expected_variance(
    table: LifeTable,
    deaths: ArrayLike,
    *,
    weight: ArrayLike = 1.0,
    total: NDArray[np.float64],
    open_band_variance: bool = True,
) -> NDArray[np.float64]:
    """Give the variance, from deaths alone, of expected years that count with a weight in each band.

    Parameters
    ----------
    table
        Life table ``(..., age)``.
    deaths
        Deaths that its rates come from ``(..., age)``.
    weight
        Share of the years of each band that count ``(..., age)``: 1 for life expectancy, the prevalence of
        good health for healthy life expectancy, 0 for bands beyond an age of interest.
    total
        The expected years ``(..., age)``.
    open_band_variance
        Whether the open band has its term.

    Returns
    -------
    NDArray
        ``(..., age)`` [years squared].

    References
    ----------
    Chiang CL (1984), The Life Table and its Applications, ch. 8; for the open band Silcocks PBS, Jenner DA,
    Reza R (2001), doi:10.1136/jech.55.1.38.

    Examples
    --------
    >>> table = life_table([0.01, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan])
    >>> expected_variance(table, [10, 20, 80], total=table.ex).round(3)
    array([21.021,  4.431,  0.312])
    """
    deaths, weight = np.asarray(deaths, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    shape = np.broadcast_shapes(total.shape, deaths.shape, weight.shape)
    deaths, weight = np.broadcast_to(deaths, shape), np.broadcast_to(weight, shape)
    with np.errstate(all="ignore"):
        lost = weight[..., :-1] * (table.width[:-1] - table.nax[..., :-1]) + total[..., 1:]
        gain = np.empty(shape)
        gain[..., :-1] = np.square(lost) * death_chance_variance(table, deaths)[..., :-1]
        gain[..., -1] = np.square(weight[..., -1] * table.nax[..., -1])
        gain[..., -1] *= 1 / deaths[..., -1] if open_band_variance else 0.0
        return accumulated(gain, np.broadcast_to(np.square(1 - table.nqx), shape))


def life_expectancy_variance(
    table: LifeTable, deaths: ArrayLike, *, open_band_variance: bool = True
) -> NDArray[np.float64]:
    """Give the sampling variance of life expectancy at every age.

    Parameters
    ----------
    table
        Life table ``(..., age)``.
    deaths
        Deaths that its rates come from ``(..., age)``.
    open_band_variance
        Whether the variance has the term of the open band (Silcocks and others), without which limits are
        too narrow where few people live.

    Returns
    -------
    NDArray
        ``(..., age)`` [years squared]; ``nan`` where ``table.ex`` is.

    References
    ----------
    Chiang CL (1984), The Life Table and its Applications, ch. 8. Silcocks PBS, Jenner DA, Reza R (2001),
    J Epidemiol Community Health 55:38-43, doi:10.1136/jech.55.1.38.

    Examples
    --------
    >>> table = life_table([0.01, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan])
    >>> life_expectancy_variance(table, [10, 20, 80]).round(3)
    array([21.021,  4.431,  0.312])
    """
    return expected_variance(table, deaths, total=table.ex, open_band_variance=open_band_variance)


class Fault(IntFlag):
    """Why a life table, or a part of it, cannot be made; the values add up where there are several."""

    MISSING = 1
    NEGATIVE_DEATHS = 2
    NO_POPULATION = 4
    MORE_DEATHS_THAN_PEOPLE = 8
    NO_DEATHS_IN_OPEN_BAND = 16


def life_table_faults(deaths: ArrayLike, population: ArrayLike) -> NDArray[np.uint8]:
    """Reasons why ages of a life table are undefined, one number a table.

    Parameters
    ----------
    deaths, population
        Deaths and person-years ``(..., age)``, broadcast against each other; the last band is open.

    Returns
    -------
    NDArray
        Sum of the `Fault` values that occur ``(...)``; 0 where all ages are defined.

    Examples
    --------
    >>> faults = life_table_faults([[1, 2, 3], [1, 9, 0]], [[5, 5, 5], [5, 5, 5]])
    >>> faults, Fault(int(faults[1]))
    (array([ 0, 24], dtype=uint8), <Fault.MORE_DEATHS_THAN_PEOPLE|NO_DEATHS_IN_OPEN_BAND: 24>)
    """
    deaths, population = np.asarray(deaths), np.asarray(population)
    found = {
        Fault.MISSING: ~(np.isfinite(deaths) & np.isfinite(population)),
        Fault.NEGATIVE_DEATHS: deaths < 0,
        Fault.NO_POPULATION: population <= 0,
        Fault.MORE_DEATHS_THAN_PEOPLE: (deaths > population) & (population > 0),
        Fault.NO_DEATHS_IN_OPEN_BAND: deaths[..., -1:] == 0,
    }
    batch = np.broadcast_shapes(deaths.shape, population.shape)[:-1]
    return sum(
        (np.broadcast_to(where.any(axis=-1), batch) * np.uint8(fault) for fault, where in found.items()),
        start=np.zeros(batch, dtype=np.uint8),
    )
