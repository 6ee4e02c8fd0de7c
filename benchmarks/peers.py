"""What others do, in NumPy, pandas and statsmodels: the baselines of ratios. Nothing here is part of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from inputs import BANDS
from nenc_estimates.kernels.life_table import life_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Z = 1.959963984540054
BLOCK = 4104


def closed_bands() -> tuple[Array, Array]:
    """Width and nax with 0 for the open band."""
    width, nax = BANDS["width"].copy(), BANDS["nax"].copy()
    width[-1], nax[-1] = 0.0, 0.0
    return width, nax


def life_table_columns(deaths: Array, population: Array) -> tuple[Array, Array]:
    """Life expectancy and its variance, the columns of the table one after the other on whole arrays."""
    width, nax = closed_bands()
    rate = deaths / population
    q = width * rate / (1 + (width - nax) * rate)
    q = np.where(rate * nax > 1, 1.0, q)
    q[:, -1] = 1.0
    survivors = np.cumprod(1 - q, axis=1)
    lx = 100_000 * np.concatenate([np.ones_like(q[:, :1]), survivors[:, :-1]], axis=1)
    dx = lx * q
    later = np.concatenate([lx[:, 1:], np.zeros_like(lx[:, :1])], axis=1)
    years = width * later + nax * dx
    years[:, -1] = lx[:, -1] / rate[:, -1]
    ex = np.cumsum(years[:, ::-1], axis=1)[:, ::-1] / lx
    chance = np.where(deaths > 0, q**2 * (1 - q) / np.where(deaths > 0, deaths, 1), 0.0)
    following = np.concatenate([ex[:, 1:], np.zeros_like(ex[:, :1])], axis=1)
    term = chance * lx**2 * ((width - nax) + following) ** 2
    term[:, -1] = lx[:, -1] ** 2 / (deaths[:, -1] * rate[:, -1] ** 2)
    return ex, np.cumsum(term[:, ::-1], axis=1)[:, ::-1] / lx**2


def from_each_age(column: Array) -> Array:
    """Sum over this age and every later one."""
    return np.cumsum(column[:, ::-1], axis=1)[:, ::-1]


def sullivan_columns(deaths: Array, population: Array, good: Array, asked: Array) -> tuple[Array, ...]:
    """Years in good and not in good health, the variances of both and of the share, at every age, on whole arrays."""
    width, nax = closed_bands()
    rate = deaths / population
    q = width * rate / (1 + (width - nax) * rate)
    q[:, -1] = 1.0
    lx = np.concatenate([np.ones_like(q[:, :1]), np.cumprod(1 - q, axis=1)[:, :-1]], axis=1)
    later = np.concatenate([lx[:, 1:], np.zeros_like(lx[:, :1])], axis=1)
    years = width * later + nax * lx * q
    years[:, -1] = lx[:, -1] / rate[:, -1]
    chance = np.where(deaths > 0, q**2 * (1 - q) / np.where(deaths > 0, deaths, 1), 0.0)
    found = []
    for state in (np.ones_like(good), good, 1 - good):
        total = from_each_age(years * state) / lx
        following = np.concatenate([total[:, 1:], np.zeros_like(total[:, :1])], axis=1)
        term = chance * lx**2 * ((width - nax) * state + following) ** 2
        term[:, -1] = (lx[:, -1] * state[:, -1]) ** 2 / (deaths[:, -1] * rate[:, -1] ** 2)
        found.append((total, from_each_age(term) / lx**2))
    (life, of_life), (healthy, of_healthy), (unhealthy, of_unhealthy) = found
    asked_few = from_each_age(years**2 * good * (1 - good) / asked) / lx**2
    shared = life * (unhealthy * of_healthy + healthy * of_unhealthy) - healthy * unhealthy * of_life
    share = asked_few / life**2 + shared / life**4
    return healthy, asked_few + of_healthy, unhealthy, asked_few + of_unhealthy, share


def expectancy_rows(nMx: Array) -> Array:
    """Life expectancy alone by the blocked recursion: the least that the two tables of a pair can cost."""
    width, nax = BANDS["width"][:-1, None], BANDS["nax"][:-1, None]
    after = width - nax
    out = np.empty_like(nMx)
    for start in range(0, len(nMx), BLOCK):
        m = np.ascontiguousarray(nMx[start : start + BLOCK].T)
        survival = after * m[:-1]
        survival += 1.0
        np.divide(m[:-1], survival, out=survival)
        survival *= width
        np.subtract(1.0, survival, out=survival)
        ex = np.empty_like(m)
        np.divide(1.0, m[-1], out=ex[-1])
        for x in reversed(range(len(survival))):
            np.add(ex[x + 1], after[x], out=ex[x])
            ex[x] *= survival[x]
            ex[x] += nax[x]
        out[start : start + BLOCK] = ex.T
    return out


def arriaga(first: Array, second: Array) -> Array:
    """Contributions of ages (Arriaga 1984) from the columns of two life tables, in both directions."""

    def one_way(one: Any, two: Any) -> Array:
        gain = one.lx * (two.nLx / two.lx - one.nLx / one.lx)
        rest = one.lx[:, :-1] / two.lx[:, :-1] - one.lx[:, 1:] / two.lx[:, 1:]
        gain[:, :-1] += two.Tx[:, 1:] * rest
        return gain

    one, two = (life_table(each, **BANDS, radix=1.0) for each in (first, second))
    return (one_way(one, two) - one_way(two, one)) / 2


def ridits(people: Array) -> tuple[Array, Array]:
    """Share of the people of each quantile, and the middle of their ranks."""
    shares = people / people.sum()
    return shares, np.cumsum(shares) - shares / 2


def weighted_design(people: Array) -> tuple[Array, Array]:
    """Columns of the weighted regression on ranks, and the roots of its weights."""
    shares, ranks = ridits(people)
    root = np.sqrt(shares)
    return np.column_stack([root, root * ranks]), root


def slopes_loop(value: Array, people: Array) -> Array:
    """Slopes alone by least squares, a group at a time."""
    slopes = np.empty(len(value))
    for group in range(len(value)):
        columns, root = weighted_design(people[group])
        slopes[group] = np.linalg.lstsq(columns, root * value[group], rcond=None)[0][1]
    return slopes


def slope_with_limits(value: Array, people: Array, se: Array) -> tuple[float, float, float]:
    """Slope of one group and its exact limits by least squares."""
    columns, root = weighted_design(people)
    weights = np.linalg.lstsq(columns, np.diag(root), rcond=None)[0][1]
    slope, margin = weights @ value, Z * np.linalg.norm(weights * se)
    return slope, slope - margin, slope + margin


def slope_loop(value: Array, people: Array, se: Array) -> Array:
    """Slopes and their exact limits ``(3, group)``, a group at a time."""
    return np.array([slope_with_limits(*each) for each in zip(value, people, se, strict=True)]).T


def wls_slopes(value: Array, people: Array) -> Array:
    """Slopes by statsmodels' weighted least squares, a group at a time."""
    from statsmodels.api import WLS, add_constant  # noqa: PLC0415 - of the extra "peers"

    found = []
    for values, weights in zip(value, people, strict=True):
        shares, ranks = ridits(weights)
        found.append(WLS(values, add_constant(ranks), weights=shares).fit().params[1])
    return np.array(found)


def wls_means(value: Array, weight: Array, starts: NDArray[np.intp]) -> Array:
    """Weighted means by statsmodels' weighted least squares on a constant, a target at a time."""
    from statsmodels.api import WLS  # noqa: PLC0415 - of the extra "peers"

    ends = [*starts[1:], len(value)]
    return np.array(
        [
            WLS(value[first:end], np.ones(end - first), weights=weight[first:end]).fit().params[0]
            for first, end in zip(starts, ends, strict=True)
        ]
    )


def mean_loop(value: Array, weight: Array, starts: NDArray[np.intp]) -> Array:
    """Weighted means and the variance of a mean of unit variances, a target at a time."""
    ends = [*starts[1:], len(value)]
    found = []
    for first, end in zip(starts, ends, strict=True):
        share = weight[first:end] / weight[first:end].sum()
        found.append([share @ value[first:end], (share**2).sum()])
    return np.array(found).T


def wilson(count: Array, n: Array) -> tuple[Array, Array]:
    """Wilson's limits as a textbook writes them."""
    middle = 2 * count + Z**2
    margin = Z * np.sqrt(Z**2 + 4 * count * (1 - count / n))
    return (middle - margin) / (2 * (n + Z**2)), (middle + margin) / (2 * (n + Z**2))


def byar(count: Array) -> tuple[Array, Array]:
    """Byar's limits as a textbook writes them."""
    upper = count + 1
    return (
        count * (1 - 1 / (9 * count) - Z / (3 * np.sqrt(count))) ** 3,
        upper * (1 - 1 / (9 * upper) + Z / (3 * np.sqrt(upper))) ** 3,
    )


def exact_poisson(count: Array) -> tuple[Array, Array]:
    """Exact limits of a count from quantiles of chi-square."""
    from scipy.stats import chi2  # noqa: PLC0415 - slow to import

    return chi2.ppf(0.025, 2 * count) / 2, chi2.ppf(0.975, 2 * count + 2) / 2
