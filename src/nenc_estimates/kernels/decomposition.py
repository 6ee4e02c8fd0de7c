"""Where a gap in life expectancy comes from: ages, causes of death, and years lived in good health.

Every method multiplies a difference in rates by a *sensitivity* [years per unit of rate], and no sensitivity
divides by a difference. So contributions keep their digits however small the difference is, are zero where
the rates agree, exist where causes offset each other at an age, and add up over any grouping.

A gap is the second population minus the first; both share one set of age bands and ``nax``. A pair is
*impossible*, and ``nan`` throughout, where a life table does not close or needs a cap: a negative or missing
rate, no deaths in the open band, a probability of dying above 1 (``nax * nMx > 1``), or where a share in good
health is outside 0 to 1. Comments use ``g = width - nax``, ``q = width m / (1 + g m)``, ``p = 1 - q``, and
``E`` for (healthy) life expectancy at the end of a band.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nenc_estimates.kernels.expectancy import checked_width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array: TypeAlias = NDArray[Any]  # float64; complex128 while it is being differentiated

_BLOCK: Final = 4104  # pairs that stay in cache; not a power of two, or rows would share cache sets
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)

METHODS: Final[Mapping[str, tuple[tuple[float, float, float], ...]]] = MappingProxyType(
    {
        "arriaga": ((0.0, 1.0, 1.0),),
        "path": tuple(zip((1 + _NODES) / 2, (1 + _NODES) / 2, _WEIGHTS / 2, strict=True)),
    }
)
"""Name of a method → the stretches that it averages over: (start, end, weight), where 0 is the first
population and 1 the second, on the straight line between their rates.

Over a stretch the sensitivity is the symmetric secant, exact between its ends. ``arriaga`` takes the whole
way as one stretch: the mean of Arriaga's decomposition in both directions (Arriaga 1984,
doi:10.2307/2061029; Ponnapalli 2005, doi:10.4054/DemRes.2005.12.7). ``path`` takes points, where the secant
is the derivative, at 8 Gauss-Legendre nodes: Horiuchi, Wilmoth and Pletcher 2008, doi:10.1353/dem.0.0033.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthyContributions:
    """Contributions to a gap in healthy life expectancy.

    Attributes
    ----------
    mortality, health
        What the differences in death rates, and in the share in good health, contribute at each age; shape
        ``(..., age)`` [years].
    """

    mortality: NDArray[np.float64]
    health: NDArray[np.float64]


def mortality_sensitivity(
    nMx1: ArrayLike,
    nMx2: ArrayLike,
    *,
    width: ArrayLike,
    nax: ArrayLike,
    healthy1: ArrayLike = 1.0,
    healthy2: ArrayLike = 1.0,
    method: str = "arriaga",
) -> NDArray[np.float64]:
    """Years of (healthy) life expectancy for each unit of difference in the death rate at each age.

    Multiplied by the difference in the rates of any cause at that age, it is that cause's contribution to the
    gap. With both shares in good health at 1 the gap is that in life expectancy.

    Parameters
    ----------
    nMx1, nMx2
        All-cause death rates of the first and second population, shape ``(..., age)``, the last band open
        [deaths per person-year].
    width, nax
        Length of each band, and years lived in it by those who die in it, shape ``(age,)`` [years]. Those of
        the open band are not used.
    healthy1, healthy2
        Share in good health at each age, shape ``(..., age)`` [0 to 1].
    method
        A key of ``METHODS``.

    Returns
    -------
    ndarray
        Shape ``(..., age)`` [years per death per person-year], never positive; ``nan`` if impossible.

    Examples
    --------
    Ages 0-49 and 50+: each death per 1,000 person-years before 50 costs 2.06 years.

    >>> mortality_sensitivity([0.004, 0.05], [0.002, 0.04], width=[50, np.inf], nax=[25, np.nan]).round(1)
    array([-2056.3,  -430.7])
    """
    rule = _Rule.of(width, nax, method)
    return rule.over(rule.sensitivity, nMx1, nMx2, healthy1, healthy2)


def health_sensitivity(
    nMx1: ArrayLike, nMx2: ArrayLike, *, width: ArrayLike, nax: ArrayLike, method: str = "arriaga"
) -> NDArray[np.float64]:
    """Years of healthy life expectancy for each unit of difference in the share in good health at each age.

    Parameters
    ----------
    nMx1, nMx2, width, nax, method
        As in `mortality_sensitivity`.

    Returns
    -------
    ndarray
        Years lived in each band by a newborn, averaged between the populations, shape ``(..., age)`` [years];
        ``nan`` for an impossible pair.

    Examples
    --------
    >>> health_sensitivity([0.004, 0.05], [0.002, 0.04], width=[50, np.inf], nax=[25, np.nan]).round(2)
    array([46.54, 19.49])
    """
    rule = _Rule.of(width, nax, method)
    return rule.over(rule.years_between, nMx1, nMx2)


def age_contributions(
    nMx1: ArrayLike, nMx2: ArrayLike, *, width: ArrayLike, nax: ArrayLike, method: str = "arriaga"
) -> NDArray[np.float64]:
    """Years that the difference in death rates at each age contributes to a gap in life expectancy.

    Parameters
    ----------
    nMx1, nMx2, width, nax, method
        As in `mortality_sensitivity`.

    Returns
    -------
    ndarray
        Contributions, shape ``(..., age)`` [years]; they sum to life expectancy at birth of the second
        population minus that of the first, by "arriaga" always to rounding, by "path" to 1e-12 years where
        rates differ by half, 1e-10 where one is twice and 1e-5 where it is four times the other. ``nan`` for
        an impossible pair.

    Examples
    --------
    >>> age_contributions([0.004, 0.05], [0.002, 0.04], width=[50, np.inf], nax=[25, np.nan]).round(2)
    array([4.11, 4.31])
    """
    rule = _Rule.of(width, nax, method)
    return rule.over(rule.mortality, nMx1, nMx2, 1.0, 1.0)


def cause_contributions(
    causes1: ArrayLike, causes2: ArrayLike, *, width: ArrayLike, nax: ArrayLike, method: str = "arriaga"
) -> NDArray[np.float64]:
    """Years that each cause of death contributes, at each age, to a gap in life expectancy.

    Parameters
    ----------
    causes1, causes2
        Death rates by cause, shape ``(..., cause, age)`` [deaths per person-year]. Their sum is taken as the
        all-cause rate, so the causes must make up all deaths.
    width, nax, method
        As in `mortality_sensitivity`.

    Returns
    -------
    ndarray
        Shape ``(..., cause, age)`` [years]; over causes they sum to `age_contributions`. ``nan`` for an
        impossible pair.

    Examples
    --------
    Two causes that offset each other at 0-49, so that the age as a whole contributes nothing.

    >>> first, second = [[0.001, 0.01], [0.002, 0.03]], [[0.002, 0.01], [0.001, 0.02]]
    >>> cause_contributions(first, second, width=[50, np.inf], nax=[25, np.nan]).round(2)
    array([[-2.34,  0.  ],
           [ 2.34,  7.17]])
    """
    first, second = np.asarray(causes1, dtype=np.float64), np.asarray(causes2, dtype=np.float64)
    totals = (np.einsum("...ca->...a", causes) for causes in (first, second))  # twice as fast as sum
    sensitivity = mortality_sensitivity(*totals, width=width, nax=nax, method=method)
    contributions = first - second  # in this order equal rates give 0 and not -0
    contributions *= -sensitivity[..., None, :]
    return contributions


def healthy_contributions(
    nMx1: ArrayLike,
    nMx2: ArrayLike,
    healthy1: ArrayLike,
    healthy2: ArrayLike,
    *,
    width: ArrayLike,
    nax: ArrayLike,
    method: str = "arriaga",
) -> HealthyContributions:
    """Years that death rates and the share in good health contribute, at each age, to a gap in healthy life.

    The two effects together are the whole gap. How their interaction is shared is the method's choice:
    "arriaga" values each at the mean of the other, "path" changes both in step.

    Parameters
    ----------
    nMx1, nMx2, healthy1, healthy2, width, nax, method
        As in `mortality_sensitivity`.

    Returns
    -------
    HealthyContributions
        Fields of shape ``(..., age)`` [years]; ``nan`` for an impossible pair. For causes of death multiply
        `mortality_sensitivity` by the difference of their rates.

    References
    ----------
    Andreev, Shkolnikov and Begun 2002, doi:10.4054/DemRes.2002.7.14. Nusselder and Looman 2004,
    doi:10.1353/dem.2004.0017.

    Examples
    --------
    >>> parts = healthy_contributions(
    ...     [0.004, 0.05], [0.002, 0.04], [0.9, 0.5], [0.9, 0.6], width=[50, np.inf], nax=[25, np.nan]
    ... )
    >>> parts.mortality.round(2), parts.health.round(2)
    (array([3.02, 2.37]), array([0.  , 1.95]))
    """
    rule = _Rule.of(width, nax, method)
    arrays = (nMx1, nMx2, healthy1, healthy2)
    return HealthyContributions(
        mortality=rule.over(rule.mortality, *arrays),
        health=rule.over(rule.health, *arrays),
    )


def years_gained(
    causes1: ArrayLike, causes2: ArrayLike, *, cells: ArrayLike, width: ArrayLike, nax: ArrayLike
) -> NDArray[np.float64]:
    """Life expectancy gained if some causes and ages alone had the other population's rates.

    Not a contribution, which shares out the whole gap and so depends on what else differs: the answers for
    several causes, each with nothing else changed, do not sum to the gap.

    Parameters
    ----------
    causes1, causes2, width, nax
        As in `cause_contributions`; the first population would change, the second is its comparator.
    cells
        True where the rate would become the comparator's, shape ``(..., cause, age)``.

    Returns
    -------
    ndarray
        Change in life expectancy at birth of the first population, shape ``(...)`` [years].

    Examples
    --------
    >>> first, second = [[0.001, 0.01], [0.002, 0.03]], [[0.002, 0.01], [0.001, 0.02]]
    >>> rates = {"width": [50, np.inf], "nax": [25, np.nan]}
    >>> round(float(years_gained(first, second, cells=[[False, False], [True, True]], **rates)), 2)
    9.75
    """
    first, second = np.asarray(causes1, dtype=np.float64), np.asarray(causes2, dtype=np.float64)
    rates, change = first.sum(axis=-2), np.where(cells, second - first, 0.0).sum(axis=-2)
    sensitivity = mortality_sensitivity(rates, rates + change, width=width, nax=nax)
    return np.asarray((sensitivity * change).sum(axis=-1))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """Age bands as columns over a block of pairs, and the stretches of a method."""

    width: NDArray[np.float64]
    nax: NDArray[np.float64]
    highest: NDArray[np.float64]
    stretches: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, width: ArrayLike, nax: ArrayLike, method: str) -> _Rule:
        lived = np.asarray(nax, dtype=np.float64)
        if lived.ndim != 1:
            raise ValueError(f"nax must hold one number for each age band, it has shape {lived.shape}")
        lengths = checked_width(width, lived, ages=len(lived))
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
        highest = 1 / np.maximum(lived, np.finfo(np.float64).tiny)
        highest[-1] = np.finfo(np.float64).max
        columns = {"width": lengths[:-1, None], "nax": lived[:-1, None], "highest": highest[:, None]}
        return cls(**columns, stretches=METHODS[method])

    def over(self, formula: Callable[..., Array], *arrays: ArrayLike) -> Array:
        """Apply a formula that wants ages first to arrays that hold them last, some pairs at a time.

        An array that is the same for every pair stays one column, and is worked on once a block.
        """
        values = [np.asarray(array) for array in arrays]
        shape = np.broadcast_shapes(*(value.shape for value in values))
        if shape[-1:] != self.highest.shape[:1]:
            raise ValueError(f"width has {len(self.highest)} age bands, the rates are of shape {shape}")
        sizes = (shape[-1:] if value.ndim < 2 else shape for value in values)
        rows = [np.broadcast_to(*pair).reshape(-1, shape[-1]) for pair in zip(values, sizes, strict=True)]
        kind = np.result_type(np.float64, *values)
        out = np.empty((math.prod(shape[:-1]), shape[-1]), dtype=kind)
        with np.errstate(all="ignore"):
            for start in range(0, len(out), _BLOCK):
                part = slice(start, start + _BLOCK)
                blocks = (row if len(row) == 1 else row[part] for row in rows)
                out[part] = formula(*(np.ascontiguousarray(block.T, dtype=kind) for block in blocks)).T
        return out.reshape(shape)

    def loss(self, m1: Array, m2: Array, h1: Array, h2: Array) -> Array:
        """Average the secants, which are never negative, over the stretches."""
        secants = (
            self.secant(_at(start, m1, m2), _at(end, m1, m2), _at((start + end) / 2, h1, h2), weight)
            for start, end, weight in self.stretches
        )
        return self.only_possible(reduce(np.add, secants), m1, m2, h1, h2)

    def sensitivity(self, m1: Array, m2: Array, h1: Array, h2: Array) -> Array:
        return -self.loss(m1, m2, h1, h2)

    def mortality(self, m1: Array, m2: Array, h1: Array, h2: Array) -> Array:
        contributions = self.loss(m1, m2, h1, h2)
        contributions *= m1 - m2
        return contributions

    def years_between(self, m1: Array, m2: Array) -> Array:
        years = (
            (self.years_lived(_at(start, m1, m2)) + self.years_lived(_at(end, m1, m2))) * (weight / 2)
            for start, end, weight in self.stretches
        )
        return self.only_possible(reduce(np.add, years), m1, m2)

    def health(self, m1: Array, m2: Array, h1: Array, h2: Array) -> Array:
        return self.only_possible(self.years_between(m1, m2) * (h2 - h1), m1, m2, h1, h2)

    def survival(self, m: Array) -> tuple[Array, Array, Array]:
        """1 / (1 + g m) and p of the closed bands, and survivors of one newborn to the start of all bands."""
        share = (self.width - self.nax) * m[:-1]
        share += 1.0
        np.divide(1.0, share, out=share)
        p = self.width * m[:-1]
        p *= share
        np.subtract(1.0, p, out=p)
        lx = np.empty_like(m)
        lx[0] = 1.0
        for x in range(len(p)):
            np.multiply(lx[x], p[x], out=lx[x + 1])
        return share, p, lx

    def secant(self, m1: Array, m2: Array, h: Array, weight: float) -> Array:
        """n/2 [l1 (g h + E2) + l2 (g h + E1)] / [(1 + g m1) (1 + g m2)], open: h/2 (l1 + l2) / (m1 m2)."""
        share1, p1, l1 = self.survival(m1)
        share2, p2, l2 = self.survival(m2)
        share1 = share1 * share2
        share1 *= self.width * (weight / 2)
        after, within = (self.width - self.nax) * h[:-1], self.nax * h[:-1]
        E1, E2 = h[-1] / m1[-1], h[-1] / m2[-1]
        out = np.empty(np.broadcast_shapes(m1.shape, m2.shape, h.shape), dtype=np.result_type(m1, m2, h))
        out[-1] = (l1[-1] + l2[-1]) * (h[-1] / m1[-1] / m2[-1]) * (weight / 2)
        for x in reversed(range(len(p1))):
            E1 += after[x]
            E2 += after[x]
            np.multiply(l1[x], E2, out=out[x])
            out[x] += l2[x] * E1
            out[x] *= share1[x]
            E1 *= p1[x]
            E1 += within[x]
            E2 *= p2[x]
            E2 += within[x]
        return out

    def years_lived(self, m: Array) -> Array:
        """Years lived in each band by one newborn: l (nax + g p), and l / m in the open band."""
        _, p, lx = self.survival(m)
        lx[:-1] *= self.nax + (self.width - self.nax) * p
        lx[-1] /= m[-1]
        return lx

    def only_possible(self, values: Array, m1: Array, m2: Array, *shares: Array) -> Array:
        """Put ``nan`` where a pair has an impossible element."""
        checks = [((m.real >= 0) & (m.real <= self.highest)).all(axis=0) & (m[-1].real > 0) for m in (m1, m2)]
        checks += [((share.real >= 0) & (share.real <= 1)).all(axis=0) for share in shares]
        possible = reduce(np.logical_and, checks)
        return values if possible.all() else np.where(possible, values, np.nan)


def _at(share: float, first: Array, second: Array) -> Array:
    """Go that share of the way along the straight line, without a copy at its ends."""
    ends = {0.0: first, 1.0: second}
    return ends[share] if share in ends else first * (1 - share) + second * share
