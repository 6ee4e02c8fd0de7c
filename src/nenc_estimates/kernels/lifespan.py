"""What else a life table says: survival, years between two ages, variation of lifespans, causes, years lost.

Deaths of a band are taken at its mean age at death, as published measures of lifespan variation do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.expectancy import LifeExpectancy
from nenc_estimates.kernels.life_table import (
    LifeTable,
    band_years,
    death_chance_variance,
    expected,
    expected_variance,
    from_probabilities,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """Probability of reaching a later age, at every age.

    Attributes
    ----------
    probability
        Of being alive at the start of a later band, if alive at the start of this one ``(..., age)``.
    variance
        Its sampling variance ``(..., age)``.
    """

    probability: NDArray[np.float64]
    variance: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LifespanVariation:
    """How much ages at death differ among people alive at the start of each band, all ``(..., age)``.

    Attributes
    ----------
    e_dagger
        Years of life lost at death, on average [years].
    standard_deviation
        Of the age at death [years].
    gini
        Mean difference of two remaining lifespans, as a share of twice their mean; 0 if all are equal.
    entropy
        Keyfitz's H, ``e_dagger / ex``: the share by which life expectancy rises if every rate falls by 1 %,
        in per cent.
    """

    e_dagger: NDArray[np.float64]
    standard_deviation: NDArray[np.float64]
    gini: NDArray[np.float64]
    entropy: NDArray[np.float64]


def survival(table: LifeTable, deaths: ArrayLike, *, to: int) -> Survival:
    """Probability, at every age, of being alive at the start of a later band.

    Parameters
    ----------
    table
        Life table ``(..., age)``.
    deaths
        Deaths that its rates come from ``(..., age)``.
    to
        Position of the band whose start is to be reached.

    Returns
    -------
    Survival
        ``probability`` and ``variance`` ``(..., age)``: 1 and 0 at that band, ``nan`` beyond it.

    References
    ----------
    Greenwood M (1926); Chiang CL (1984), The Life Table and its Applications, ch. 8.

    Examples
    --------
    >>> from nenc_estimates.kernels.life_table import life_table
    >>> table = life_table([0.01, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan])
    >>> survival(table, [10, 20, 80], to=2).probability.round(3)
    array([0.286, 0.429, 1.   ])
    """
    stop = _position(table, to)
    chance = death_chance_variance(table, deaths)
    probability = np.full(chance.shape, np.nan)
    variance = np.full(chance.shape, np.nan)
    probability[..., stop], variance[..., stop] = 1.0, 0.0
    for age in range(stop - 1, -1, -1):
        stays, reached = 1 - table.nqx[..., age], probability[..., age + 1]
        probability[..., age] = stays * reached
        variance[..., age] = np.square(reached) * chance[..., age] + np.square(stays) * variance[..., age + 1]
    return Survival(probability=probability, variance=variance)


def partial_life_expectancy(table: LifeTable, deaths: ArrayLike, *, to: int) -> LifeExpectancy:
    """Years expected from the start of each band up to the start of a later one, e(x:y).

    Parameters
    ----------
    table
        Life table ``(..., age)``.
    deaths
        Deaths that its rates come from ``(..., age)``.
    to
        Position of the band at whose start the years end.

    Returns
    -------
    LifeExpectancy
        ``ex`` and ``variance`` ``(..., age)`` [years, years squared]: 0 at that band, ``nan`` beyond it.

    Examples
    --------
    >>> from nenc_estimates.kernels.life_table import life_table
    >>> table = life_table([0.01, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan])
    >>> partial_life_expectancy(table, [10, 20, 80], to=2).ex.round(2)
    array([52.38, 28.57,  0.  ])
    """
    stop = _position(table, to)
    before = np.arange(table.nqx.shape[-1]) < stop
    inside = np.where(before, band_years(table.nqx, width=table.width, nax=table.nax), 0.0)
    # beyond the end, nothing is gained or known: a missing rate there must not be felt
    nqx = np.where(before, table.nqx, 1.0)
    ex = expected(nqx, inside)
    counted = replace(table, nqx=nqx, nax=np.where(before, table.nax, 0.0))
    variance = expected_variance(counted, np.where(before, deaths, 1.0), total=ex, open_band_variance=False)
    beyond = np.arange(table.nqx.shape[-1]) > stop
    return LifeExpectancy(ex=np.where(beyond, np.nan, ex), variance=np.where(beyond, np.nan, variance))


def lifespan_variation(table: LifeTable) -> LifespanVariation:
    """Variation of ages at death among people alive at each age.

    Parameters
    ----------
    table
        Life table ``(..., age)``.

    Returns
    -------
    LifespanVariation
        ``nan`` wherever ``table.ex`` is.

    References
    ----------
    Vaupel JW, Canudas-Romo V (2003), Demography 40:201-216, doi:10.1353/dem.2003.0018 (e-dagger, entropy).
    Shkolnikov VM, Andreev EM, Begun AZ (2003), Demographic Research 8:305-358,
    doi:10.4054/DemRes.2003.8.11 (Gini coefficient).

    Examples
    --------
    >>> from nenc_estimates.kernels.life_table import life_table
    >>> table = life_table([0.01, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan])
    >>> lifespan_variation(table).standard_deviation.round(2)
    array([25.95, 12.37,  0.  ])
    """
    q, ex, years = table.nqx, table.ex, table.nax
    width = table.width[:-1]
    following = np.concatenate([ex[..., 1:], ex[..., -1:]], axis=-1)
    part = np.concatenate([years[..., :-1] / width, np.zeros_like(ex[..., -1:])], axis=-1)
    e_dagger = expected(q, q * (ex + part * (following - ex)))
    # law of total variance: sums of squares, so nothing cancels
    spread = q * (years - ex) ** 2
    spread[..., :-1] += (1 - q[..., :-1]) * (width + ex[..., 1:] - ex[..., :-1]) ** 2
    both = 1 - (1 - q) ** 2
    together = both * years  # years that two people live together
    together[..., :-1] += width * (1 - both[..., :-1])
    return LifespanVariation(
        e_dagger=e_dagger,
        standard_deviation=np.sqrt(expected(q, spread)),
        gini=1 - expected(both, together) / ex,
        entropy=e_dagger / ex,
    )


def cause_deleted(table: LifeTable, share: ArrayLike) -> LifeTable:
    """Life table as it would be without a cause of death, if causes act independently.

    In each band survival is p to the power 1 - share: the cause's part of the hazard is taken away. Those who
    still die live as many years of a closed band as before.

    Parameters
    ----------
    table
        Life table ``(..., age)``.
    share
        Share of each band's deaths that the cause makes ``(..., age)``, 0 to 1.

    Returns
    -------
    LifeTable
        ``nan`` where a share is outside 0 to 1, and where it is 1 in the open band; ``nMx`` is that of the
        new table.

    References
    ----------
    Chiang CL (1984), The Life Table and its Applications, ch. 11. Preston SH, Heuveline P, Guillot M (2001),
    Demography, section 4.2.

    Examples
    --------
    >>> from nenc_estimates.kernels.life_table import life_table
    >>> table = life_table([0.01, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan])
    >>> (cause_deleted(table, [0.1, 0.25, 0.25]).ex - table.ex).round(2)
    array([3.77, 3.41, 1.67])
    """
    share = np.asarray(share, dtype=np.float64)
    kept = np.where((share >= 0) & (share <= 1), 1 - share, np.nan) + np.zeros_like(table.nqx)
    nax = table.nax + np.zeros_like(kept)
    with np.errstate(divide="ignore", invalid="ignore"):
        # 1 - (1 - q)^kept without its loss of digits where q is small; all deaths taken away leave 0
        nqx = np.where(kept == 0, 0.0 * table.nqx, -np.expm1(kept * np.log1p(-table.nqx)))
        nax[..., -1] = np.where(kept[..., -1] > 0, table.nax[..., -1] / kept[..., -1], np.nan)
        nqx[..., -1] = np.where(np.isnan(nax[..., -1]), np.nan, 1.0)
        rate = nqx / band_years(nqx, width=table.width, nax=nax)
    return from_probabilities(nqx, width=table.width, nax=nax, nMx=rate, radix=table.lx[..., :1])


def years_of_life_lost(deaths: ArrayLike, table: LifeTable) -> NDArray[np.float64]:
    """Years that deaths take away, against the life expectancy that a table gives at the age of death.

    Parameters
    ----------
    deaths
        Deaths in each band ``(..., age)``.
    table
        Life table of the standard ``(age,)`` or ``(..., age)``: a norm, or the population itself.

    Returns
    -------
    NDArray
        Years lost in each band ``(..., age)`` [years]; their sum is the total.

    References
    ----------
    Murray CJL (1994), Bulletin of the World Health Organization 72:429-445, standard expected years lost,
    without discount or age weights.

    Examples
    --------
    >>> from nenc_estimates.kernels.life_table import life_table
    >>> table = life_table([0.01, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan])
    >>> years_of_life_lost([10, 20, 80], table).round(1)
    array([422.6, 357.1, 400. ])
    """
    following = np.concatenate([table.ex[..., 1:], table.ex[..., -1:]], axis=-1)
    part = np.zeros_like(table.ex)
    part[..., :-1] = table.nax[..., :-1] / table.width[:-1]
    return np.asarray(deaths, dtype=np.float64) * (table.ex + part * (following - table.ex))


def potential_years_of_life_lost(
    deaths: ArrayLike, *, lower: ArrayLike, nax: ArrayLike, limit: float = 75.0
) -> NDArray[np.float64]:
    """Years that deaths take away before a fixed age.

    Parameters
    ----------
    deaths
        Deaths in each band ``(..., age)``.
    lower
        Age at which each band begins ``(age,)`` [years].
    nax
        Years lived in each band by those who die in it ``(age,)`` or ``(..., age)`` [years]; not used where
        the band begins at the limit or later.
    limit
        Age up to which years count [years].

    Returns
    -------
    NDArray
        Years lost in each band ``(..., age)`` [years]; their sum is the total.

    References
    ----------
    Romeder JM, McWhinnie JR (1977), International Journal of Epidemiology 6:143-151,
    doi:10.1093/ije/6.2.143.

    Examples
    --------
    >>> potential_years_of_life_lost([1, 2, 9], lower=[0, 70, 75], nax=[0.1, 2.5, np.nan])
    array([74.9,  5. ,  0. ])
    """
    lower = np.asarray(lower, dtype=np.float64)
    age = np.where(lower < limit, lower + np.asarray(nax, dtype=np.float64), limit)
    return np.asarray(deaths, dtype=np.float64) * np.maximum(limit - age, 0)


def _position(table: LifeTable, to: int) -> int:
    bands = table.nqx.shape[-1]
    if not 0 <= to < bands:
        raise ValueError(f"to is the position of a band, 0 to {bands - 1}, not {to}")
    return to
