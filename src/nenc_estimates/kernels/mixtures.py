"""Mixtures of normal (or one Student t) distributions: what a forecast averaged over a grid looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.levels import one_level

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_TINY = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """A weighted mixture of distributions with the same shape, batch in front, components last.

    Attributes
    ----------
    weight, location, spread
        Shapes that broadcast to ``(..., component)``; weights sum to 1; ``spread`` is the standard
        deviation of a normal component or the scale of a Student t.
    df
        Degrees of freedom of the t; infinite for normals.

    Examples
    --------
    >>> m = Mixture(weight=np.array([0.5, 0.5]), location=np.array([-1.0, 1.0]), spread=np.ones(2))
    >>> float(m.mean()), float(m.sd().round(4)), float(m.cdf(0.0))
    (0.0, 1.4142, 0.5)
    """

    weight: NDArray[np.float64]
    location: NDArray[np.float64]
    spread: NDArray[np.float64]
    df: float = np.inf

    def mean(self) -> NDArray[np.float64]:
        """Mean of the mixture, shape ``(...)``."""
        return np.asarray((self.weight * self.location).sum(axis=-1))

    def sd(self) -> NDArray[np.float64]:
        """Return the standard deviation, shape ``(...)``; for a t its scale, the standard error."""
        deviation = self.location - self.mean()[..., None]
        return np.asarray(np.sqrt((self.weight * (self.spread**2 + deviation**2)).sum(axis=-1)))

    def cdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """Probability of a value of ``x`` or less; ``x`` broadcasts against the batch.

        Without any uncertainty (``spread`` 0) this is 0 below the location, 1/2 on it and 1 above.
        """
        with np.errstate(over="ignore"):
            score = (np.asarray(x, float)[..., None] - self.location) / np.maximum(self.spread, _TINY)
        return np.asarray((self.weight * _cdf(score, self.df)).sum(axis=-1))

    def quantile(self, probability: ArrayLike) -> NDArray[np.float64]:
        """Value below which the mixture has ``probability``.

        Parameters
        ----------
        probability
            A number or shape ``(level,)``, inside (0, 1).

        Returns
        -------
        NDArray
            Shape ``(...)`` for a number, ``(..., level)`` otherwise; to about 1e-10 of the spread.
        """
        p = np.atleast_1d(np.asarray(probability, float))
        if not ((p > 0) & (p < 1)).all():
            msg = f"a probability lies between 0 and 1 (0.975, say), not {p.tolist()}"
            raise ValueError(msg)
        parts = (self.location + np.zeros_like(self.spread))[..., None, :], self.spread[..., None, :]
        shifted = parts[0] + parts[1] * _quantile(p, self.df)[:, None]
        if shifted.shape[-1] == 1:
            value = shifted[..., 0]
        else:
            value = _mixture_quantile(self.weight[..., None, :], *parts, shifted, p)
        return value if np.ndim(probability) else value[..., 0]

    def interval(self, *, confidence: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper limits that leave equal probability outside, each of shape ``(...)``."""
        confidence = one_level(confidence)
        limits = self.quantile([(1 - confidence) / 2, (1 + confidence) / 2])
        return limits[..., 0], limits[..., 1]


def sum_of_mixtures(first: Mixture, second: Mixture, *, sign: int = 1) -> Mixture:
    """Distribution of ``first + sign * second`` for two independent mixtures.

    ``first`` is summed up by its mean and standard deviation, so that the result keeps the components of
    ``second``; mean and variance of the sum are exact, its shape is so where ``first`` is normal.

    Parameters
    ----------
    first, second
        Mixtures with the same batch (an area's reference and its gap, say).
    sign
        1 to add, -1 to subtract.

    Returns
    -------
    Mixture
        With the weights of ``second``.

    Examples
    --------
    >>> def normal(mean, sd):
    ...     return Mixture(weight=np.ones(1), location=np.array([mean]), spread=np.array([sd]))
    >>> area = sum_of_mixtures(normal(80.0, 0.3), normal(1.8, 0.4), sign=-1)
    >>> float(area.mean()), float(area.sd())
    (78.2, 0.5)
    """
    location = first.mean()[..., None] + sign * second.location
    spread = np.sqrt(first.sd()[..., None] ** 2 + second.spread**2)
    return Mixture(weight=second.weight, location=location, spread=spread, df=second.df)


def _cdf(score: NDArray[np.float64], df: float) -> NDArray[np.float64]:
    from scipy.special import ndtr, stdtr  # noqa: PLC0415 - importing the kernels stays quick

    return np.asarray(ndtr(score) if np.isinf(df) else stdtr(df, score))


def _quantile(p: NDArray[np.float64], df: float) -> NDArray[np.float64]:
    from scipy.special import ndtri, stdtrit  # noqa: PLC0415 - importing the kernels stays quick

    return np.asarray(ndtri(p) if np.isinf(df) else stdtrit(df, p))


def _mixture_quantile(
    weight: NDArray[np.float64],
    location: NDArray[np.float64],
    spread: NDArray[np.float64],
    shifted: NDArray[np.float64],
    p: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Solve for the quantile on the scale of normal scores, where a mixture is nearly straight.

    The quantile lies between the smallest and the largest of the components' own (``shifted``); a Newton step
    that leaves the bracket is replaced by its middle, so the answer never depends on luck with the start.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - importing the kernels stays quick

    low, high = shifted.min(axis=-1), shifted.max(axis=-1)
    x = (weight * shifted).sum(axis=-1)
    spread = np.maximum(spread, _TINY)
    weight_of_density = weight / spread
    goal = ndtri(p)
    tolerance = 1e-6 * np.sqrt((weight * spread**2).sum(axis=-1))  # squared by the last step
    for _ in range(100):
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            score = (x[..., None] - location) / spread
            below = (weight * _cdf(score, np.inf)).sum(axis=-1)
            density = (weight_of_density * np.exp(-0.5 * score**2)).sum(axis=-1)
            normal = ndtri(below)
            step = (normal - goal) * np.exp(-0.5 * normal**2) / density
        low, high = np.where(below < p, x, low), np.where(below < p, high, x)
        x, last = np.where((x - step >= low) & (x - step <= high), x - step, (low + high) / 2), x
        if (~(np.abs(x - last) > tolerance)).all():
            break
    return np.asarray(x)
