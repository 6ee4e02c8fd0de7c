"""What an annual series is assumed to do when nothing changes: one function and one ``MODELS`` entry each.

Every function takes the annual grid and returns a ``LatentModel``: the annual series is ``offset + basis @ b
+ w`` with ``w`` of covariance ``tau2 * covariance``. The choice decides a verdict more than the data do, so
it belongs in every report.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

BAYESLIFE_RHO = 0.95 ** (1 / 5)
"""Annual autocorrelation of a region's gap from its nation: 0.95 over five years. Sevcikova & Raftery (2021),
Probabilistic projection of subnational life expectancy, Journal of Official Statistics 37(3), 591-610."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentModel:
    """An assumption about an annual series.

    Attributes
    ----------
    basis
        Shape ``(year, column)``: the known curves whose heights are estimated.
    covariance
        Shape ``(year, year)``: covariance of the movement around them, for an annual variance of 1.
    offset
        Shape ``(year,)``: a known curve (a stated annual change) [unit of the value].
    estimate
        ``"grid"``: variance averaged over a grid by its restricted likelihood; ``"line"``: one variance,
        Student t; ``"last"``: nothing is estimated, the path runs through the last window.
    minimum
        Fewest windows with which it can be fitted.
    """

    basis: NDArray[np.float64]
    covariance: NDArray[np.float64]
    offset: NDArray[np.float64]
    estimate: Literal["grid", "line", "last"]
    minimum: int


def flat(years: NDArray[np.float64]) -> LatentModel:
    """No direction: a random walk, so the last level is the forecast and its error grows with time.

    Parameters
    ----------
    years : (year,)
        The years modelled, without gaps.

    Returns
    -------
    LatentModel

    Examples
    --------
    >>> flat(np.arange(2010.0, 2013.0)).minimum
    1
    """
    return _walk(years, np.ones((years.size, 1)), minimum=1)


def drift(years: NDArray[np.float64]) -> LatentModel:
    """Random walk with drift, the default: annual changes scatter about a steady average change.

    Parameters
    ----------
    years : (year,)
        The years modelled, without gaps.

    Returns
    -------
    LatentModel

    Examples
    --------
    >>> drift(np.arange(2010.0, 2013.0)).minimum
    4
    """
    return _walk(years, _line(years), minimum=4)


def linear(years: NDArray[np.float64]) -> LatentModel:
    """Straight line with independent annual scatter; limits are those of Student's t.

    Parameters
    ----------
    years : (year,)
        The years modelled, without gaps.

    Returns
    -------
    LatentModel

    Examples
    --------
    >>> linear(np.arange(2010.0, 2013.0)).minimum
    3
    """
    return LatentModel(
        basis=_line(years),
        covariance=np.eye(years.size),
        offset=np.zeros(years.size),
        estimate="line",
        minimum=3,
    )


def converge(years: NDArray[np.float64], *, rho: float = BAYESLIFE_RHO) -> LatentModel:
    """Autoregression towards zero: a gap that keeps the share ``rho`` of itself each year, 0 < rho < 1.

    It makes every gap shrink by itself (by 11 % in 11 years at the default), so it is for gaps only and never
    chosen unasked.

    Parameters
    ----------
    years : (year,)
        The years modelled, without gaps.
    rho
        Share kept each year.

    Returns
    -------
    LatentModel

    Examples
    --------
    >>> converge(np.arange(2010.0, 2013.0), rho=0.9).minimum
    1
    """
    if not 0 < rho < 1:
        msg = f"rho is the share of a gap that is left after a year, between 0 and 1, not {rho}"
        raise ValueError(msg)
    t = years - years[0]
    apart, started = np.abs(t[:, None] - t), np.minimum(t[:, None], t)
    return LatentModel(
        basis=rho ** t[:, None],
        covariance=rho**apart * (1 - rho ** (2 * started)) / (1 - rho**2),
        offset=np.zeros(years.size),
        estimate="grid",
        minimum=1,
    )


def scenario(years: NDArray[np.float64], *, change: float = 0.0, rate: float = 0.0) -> LatentModel:
    """Go on from the last window by a stated change: ``change`` [unit a year], ``rate`` [share a year].

    Nothing is estimated; limits show the sampling error of the last window only.

    Parameters
    ----------
    years : (year,)
        The years modelled, without gaps.
    change
        [unit a year]
    rate
        [share a year]

    Returns
    -------
    LatentModel

    Examples
    --------
    >>> scenario(np.arange(2010.0, 2013.0), change=-0.1).minimum
    1
    """
    t = years - years[0]
    return LatentModel(
        basis=(1 + rate) ** t[:, None],
        covariance=np.zeros((years.size, years.size)),
        offset=change * t,
        estimate="last",
        minimum=1,
    )


MODELS: Mapping[str, Callable[..., LatentModel]] = MappingProxyType(
    {"flat": flat, "drift": drift, "linear": linear, "converge": converge, "scenario": scenario}
)
"""Every assumption by name. The parameters after ``years`` are those of the assumption."""


def _line(years: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones(years.size), years - years.mean()], axis=-1)


def _walk(years: NDArray[np.float64], basis: NDArray[np.float64], *, minimum: int) -> LatentModel:
    t = years - years[0]
    return LatentModel(
        basis=basis,
        covariance=np.minimum(t[:, None], t),
        offset=np.zeros(years.size),
        estimate="grid",
        minimum=minimum,
    )
