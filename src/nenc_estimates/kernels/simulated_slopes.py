"""Slope and relative index of inequality with simulated limits, for errors that are not normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nenc_estimates.kernels.inequality import Measure, population_shares
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.kernels.slopes import Scale, scale_named, slope_weights

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedIndices:
    """Slope and relative index of inequality from the same draws.

    Attributes
    ----------
    slope, relative
        Measures of shape ``(...)``; their ``se`` is the standard deviation of the draws.
    """

    slope: Measure
    relative: Measure


def simulated_slope_index(
    value: ArrayLike,
    population: ArrayLike,
    *,
    se: ArrayLike,
    noise: str,
    rng: np.random.Generator,
    transform: bool = False,
    draws: int = 100_000,
    confidence: float = 0.95,
) -> SimulatedIndices:
    """Slope and relative index with limits simulated as OHID does, for values whose error is not normal.

    The way Fingertips makes limits for rates and proportions: errors normal on the log or logit scale, the
    line fitted on the natural one, which has no closed form. Every group is given the same standard normal
    draws, so its limits do not depend on the groups that it is computed with.

    Parameters
    ----------
    value, population, se
        As in `.slope_index`; ``se`` is taken to the scale of the errors by the delta method.
    noise
        Scale on which the errors are normal, a key of ``SCALES``: "log" for rates, "logit" for proportions.
    rng
        Source of the draws.
    transform
        Whether the line is fitted on the scale of the errors. The limits are then, as OHID's, those of the
        slope alone: its middle counts as known, so they are too narrow where the level is uncertain;
        `.slope_index` has no such fault.
    draws
        Number of draws, 1,000 or more. Limits at 0.95 have a Monte Carlo error of 2.7 / sqrt(draws) standard
        errors of the slope.
    confidence
        Level of the limits [fraction].

    Returns
    -------
    SimulatedIndices
        ``nan`` for a group with an impossible element.

    References
    ----------
    Public Health England 2021, Methods for the slope index of inequality, Fingertips technical guidance.

    Examples
    --------
    >>> rates, people = [0.05, 0.04, 0.03], [100, 100, 100]
    >>> simulated = simulated_slope_index(
    ...     rates, people, se=[0.002, 0.002, 0.002], noise="log", rng=np.random.default_rng(1)
    ... )
    >>> round(float(simulated.slope.value), 4), round(float(simulated.slope.se), 4)
    (-0.03, 0.0042)
    """
    if draws < 1000 or draws != int(draws):
        raise ValueError(f"draws must be a whole number of 1,000 or more, not {draws}")
    confidence = one_level(confidence)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng is {rng!r}: pass a generator, such as np.random.default_rng(2026). Limits are made of it."
        )
    noisy, fitted = scale_named(noise), scale_named(noise if transform else "linear")
    arrays = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (value, population, se)))
    groups, quantiles = arrays[0].shape[:-1], arrays[0].shape[-1]
    values, people, errors = (array.reshape(-1, quantiles) for array in arrays)
    weights = np.stack([population_shares(people), slope_weights(people)], axis=-1)
    with np.errstate(all="ignore"):
        points = np.einsum("gq,gqw->gw", fitted.to(values), weights)
        centres, spreads = noisy.to(values), np.where(errors >= 0, errors, np.nan) / noisy.derivative(values)
        standard = rng.standard_normal((draws, quantiles))
        limits = np.empty((len(values), 2, 3))
        for group, weight in enumerate(weights):  # a group at a time, or its draws would fill the memory
            moved = centres[group] + spreads[group] * standard
            middle, slope = ((moved if transform else noisy.back(moved)) @ weight).T
            middle = points[group, 0] if transform else middle
            limits[group] = [_spread(drawn, confidence) for drawn in _indices(fitted, middle, slope)]
        found = _indices(fitted, *points.T)
    parts = limits.reshape(*groups, 2, 3)
    measures = [
        Measure(
            value=found[index].reshape(groups),
            se=parts[..., index, 0],
            lower=parts[..., index, 1],
            upper=parts[..., index, 2],
        )
        for index in (0, 1)
    ]
    return SimulatedIndices(slope=measures[0], relative=measures[1])


def _indices(scale: Scale, middle: Floats, slope: Floats) -> tuple[Floats, Floats]:
    """Difference and ratio of the ends of a line."""
    top, bottom = scale.back(middle + slope / 2), scale.back(middle - slope / 2)
    return top - bottom, top / bottom


def _spread(drawn: Floats, confidence: float) -> tuple[float, float, float]:
    """Find the standard deviation of draws, and the two of them that OHID takes as limits."""
    tail = (1 - confidence) / 2
    low, high = max(round(len(drawn) * tail), 1) - 1, round(len(drawn) * (1 - tail)) - 1
    ordered = np.partition(drawn, (low, high))
    return drawn.std(), ordered[low], ordered[high]
