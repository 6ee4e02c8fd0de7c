"""Slope and relative index of inequality: a line through the quantiles, with exact limits.

Quantiles are the last axis, most deprived first, so a slope is the least minus the most deprived. Standard
errors ``se`` are in the unit of the value. A group with an impossible element is ``nan``, no other group is.
"""

from __future__ import annotations

from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nenc_estimates.kernels.inequality import Measure, population_shares, ridit_ranks
from nenc_estimates.kernels.intervals import Interval
from nenc_estimates.kernels.levels import Confidence, z_value
from nenc_estimates.kernels.log_intervals import log_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike

Floats = NDArray[np.float64]

_BLOCK: Final = 2048  # groups at a time, so that they stay in cache


class Scale(NamedTuple):
    """A scale to fit a line on: its function, the inverse, and the inverse's derivative at a value."""

    to: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    derivative: Callable[[Floats], Floats]


SCALES: Final[Mapping[str, Scale]] = MappingProxyType(
    {
        "linear": Scale(to=lambda y: y, back=lambda x: x, derivative=np.ones_like),
        "log": Scale(to=np.log, back=np.exp, derivative=lambda y: y),
        "logit": Scale(
            to=lambda y: np.log(y / (1 - y)),
            back=lambda x: 1 / (1 + np.exp(-x)),
            derivative=lambda y: y * (1 - y),
        ),
    }
)
"""Name → scale of a regression: "linear" for years and scores, "log" for rates, "logit" for proportions."""


def scale_named(name: str) -> Scale:
    """Find a scale, or say which there are.

    Parameters
    ----------
    name
        A key of ``SCALES``.

    Returns
    -------
    Scale

    Raises
    ------
    ValueError
        There is no such scale.

    Examples
    --------
    >>> float(scale_named("log").back(np.array(0.0)))
    1.0
    """
    if name not in SCALES:
        raise ValueError(f"a scale is one of {', '.join(SCALES)}, not {name!r}")
    return SCALES[name]


def slope_index(
    value: ArrayLike,
    population: ArrayLike,
    *,
    se: ArrayLike,
    scale: str = "linear",
    confidence: Confidence = 0.95,
) -> Measure:
    """Slope index of inequality: the fitted value of the least deprived person minus that of the most.

    The line is fitted to ridit ranks by least squares, weighted with the population. Its slope is a weighted
    sum of the values, so on the "linear" scale the limits are exact for normal errors, with no simulation. On
    the others the line is fitted to transformed values and the difference of its ends has limits by the delta
    method.

    Parameters
    ----------
    value, population
        Value and people of each quantile, shape ``(..., quantile)``, most deprived first.
    se
        Standard error of each value. From sampling: the limits say how well this slope is known. From
        `scatter_errors`: they also hold the departure of the quantiles from a line.
    scale
        A key of ``SCALES``.
    confidence
        Level or levels of the limits [fraction].

    Returns
    -------
    Measure
        In the unit of the value.

    References
    ----------
    Preston, Haines and Pamuk 1981; Mackenbach and Kunst 1997, doi:10.1016/S0277-9536(96)00073-1. Fingertips
    publishes the same line with limits from 100,000 simulated draws: see `.simulated_slopes`.

    Examples
    --------
    >>> years, people = [72.2, 75.1, 77.7, 79.5, 82.0], [1321, 969, 793, 705, 617]
    >>> sii = slope_index(years, people, se=[0.12, 0.14, 0.15, 0.16, 0.16])
    >>> [round(float(number), 2) for number in (sii.value, sii.lower, sii.upper)]
    [12.24, 11.8, 12.68]
    """
    if scale == "linear":
        slope, variance = _in_blocks(value, population, se)
        return Measure.normal(slope, variance, confidence)
    line = _line(value, population, se, scale)
    top, bottom = line.ends()
    variance = line.variance(line.scale.derivative(top), -line.scale.derivative(bottom))
    return Measure.normal(top - bottom, variance, confidence)


def relative_index(
    value: ArrayLike,
    population: ArrayLike,
    *,
    se: ArrayLike,
    scale: str = "linear",
    confidence: Confidence = 0.95,
) -> Measure:
    """Relative index of inequality: the fitted value of the least deprived person over that of the most.

    Limits on the "linear" scale are Fieller's, exact for normal errors; on the others those of the logarithm
    of the ratio by the delta method, on "log" with nothing left out.

    Parameters
    ----------
    value, population, se, scale, confidence
        As in `slope_index`.

    Returns
    -------
    Measure
        Ratios; ``nan`` where the fitted value of the most deprived is not positive, limits also where it is
        not clearly positive at that confidence, when no finite limits exist.

    References
    ----------
    Fieller 1954, doi:10.1111/j.2517-6161.1954.tb00159.x.

    Examples
    --------
    >>> years, people = [72.2, 75.1, 77.7, 79.5, 82.0], [1321, 969, 793, 705, 617]
    >>> rii = relative_index(years, people, se=[0.12, 0.14, 0.15, 0.16, 0.16])
    >>> [round(float(number), 4) for number in (rii.value, rii.lower, rii.upper)]
    [1.1742, 1.1674, 1.1811]
    """
    line = _line(value, population, se, scale)
    top, bottom = line.ends()
    bottom = np.where(bottom > 0, bottom, np.nan)
    ratio = top / bottom
    by_ends = line.scale.derivative(top) / bottom, -line.scale.derivative(bottom) * ratio / bottom
    variance = line.variance(*by_ends)
    limits = _fieller(line, confidence) if scale == "linear" else log_interval(ratio, variance, confidence=confidence)
    return Measure(value=ratio, lower=limits.lower, upper=limits.upper, se=np.sqrt(variance))


def scatter_errors(value: ArrayLike, population: ArrayLike, *, scale: str = "linear") -> Floats:
    """Turn the distances of the quantiles from a straight line into standard errors.

    Given as ``se`` to `slope_index` they make its standard error the heteroscedasticity-consistent one (HC1),
    which says how well a line describes these quantiles, whatever their sampling errors. It is rough for five
    points.

    Parameters
    ----------
    value, population, scale
        As in `slope_index`.

    Returns
    -------
    ndarray
        Distance of each value from the line, enlarged for the two numbers fitted, shape ``(..., quantile)``
        [unit of the value]; ``nan`` for fewer than three quantiles.

    References
    ----------
    MacKinnon and White 1985, doi:10.1016/0304-4076(85)90158-7.

    Examples
    --------
    >>> scatter_errors([70, 76, 76, 82], [1, 1, 1, 1]).round(3)
    array([0.849, 2.546, 2.546, 0.849])
    """
    line = _line(value, population, 0.0, scale)
    values = np.asarray(value, dtype=np.float64)
    fitted = line.middle[..., None] + line.slope[..., None] * (ridit_ranks(population) - 0.5)
    free = fitted.shape[-1] - 2
    enlarged = np.sqrt(fitted.shape[-1] / free) if free else np.nan
    with np.errstate(all="ignore"):
        return np.abs(line.scale.to(values) - fitted) * enlarged * line.scale.derivative(values)


def slope_weights(population: ArrayLike) -> Floats:
    """Weights with which a slope index adds up the values of the quantiles.

    Parameters
    ----------
    population
        People in each quantile, shape ``(..., quantile)``, most deprived first.

    Returns
    -------
    ndarray
        Weights that sum to 0, shape ``(..., quantile)``: share times (rank - 1/2), over the variance of the
        ranks. ``nan`` for a group in which any population is not positive.

    Examples
    --------
    >>> slope_weights([100, 100, 100]).round(6)
    array([-1.5,  0. ,  1.5])
    """
    people = np.asarray(population, dtype=np.float64)
    if people.ndim == 0 or people.shape[-1] < 2 or not (people > 0).all():
        people = population_shares(people)
    weights, factor = _scaled_weights(people, (None, None))
    weights *= factor[..., None]
    return weights


class _Line(NamedTuple):
    """A line over ridit ranks on a scale: its height in the middle, its slope, and their covariance."""

    middle: Floats
    slope: Floats
    var_middle: Floats
    covariance: Floats
    var_slope: Floats
    scale: Scale

    def ends(self) -> tuple[Floats, Floats]:
        """Fitted values, on the natural scale, of the least and the most deprived person."""
        with np.errstate(all="ignore"):
            half = self.slope / 2
            return self.scale.back(self.middle + half), self.scale.back(self.middle - half)

    def variance(self, by_top: Floats, by_bottom: Floats) -> Floats:
        """Variance of what has these derivatives by the two ends on the line's scale (delta method)."""
        by_middle, by_slope = by_top + by_bottom, (by_top - by_bottom) / 2
        return (
            by_middle**2 * self.var_middle + 2 * by_middle * by_slope * self.covariance + by_slope**2 * self.var_slope
        )


def _line(value: ArrayLike, population: ArrayLike, se: ArrayLike, scale: str) -> _Line:
    kind, natural = scale_named(scale), np.asarray(value, dtype=np.float64)
    with np.errstate(all="ignore"):
        values = kind.to(natural)
        variance = (_errors(se) / kind.derivative(natural)) ** 2
        values = np.where(np.isfinite(values), values, np.nan)
        shares, weights = population_shares(population), slope_weights(population)
        return _Line(
            middle=(shares * values).sum(-1),
            slope=(weights * values).sum(-1),
            var_middle=(shares**2 * variance).sum(-1),
            covariance=(shares * weights * variance).sum(-1),
            var_slope=(weights**2 * variance).sum(-1),
            scale=kind,
        )


def _fieller(line: _Line, confidence: Confidence) -> Interval:
    """Ratios r for which top - r bottom is within z standard errors of 0: roots of a quadratic."""
    (top, bottom), z = line.ends(), z_value(confidence)
    z = z.reshape(z.shape + (1,) * top.ndim)
    one, none = np.ones_like(top), np.zeros_like(top)
    determinant = line.var_middle * line.var_slope - line.covariance**2
    with np.errstate(all="ignore"):
        clear = bottom**2 - z**2 * line.variance(none, one)
        clear = np.where((clear > 0) & (bottom > 0), clear, np.nan)
        centre = top * bottom - z**2 * (line.var_middle - line.var_slope / 4)
        margin = z * np.sqrt(line.variance(bottom, -top) - z**2 * determinant)
    return Interval(lower=(centre - margin) / clear, upper=(centre + margin) / clear)


def _scaled_weights(people: Floats, scratch: Floats | tuple[None, None]) -> tuple[Floats, Floats]:
    """Weights of a slope but for a factor for each group, and that factor."""
    position, ones = np.arange(people.shape[-1]), np.ones(people.shape[-1])
    # everyone more deprived less everyone less deprived: total people times (2 rank - 1)
    rank = np.matmul(people, np.sign(position - position[:, None]).astype(np.float64), out=scratch[0])
    weights = np.multiply(people, rank, out=scratch[1])
    total = rank[..., -1] + people[..., -1]
    rank *= weights
    return weights, 2 * total / (rank @ ones)


def _slope(values: Floats, people: Floats, errors: Floats, scratch: Floats) -> tuple[Floats, Floats]:
    """Slope and its variance on the linear scale, for a block of groups."""
    if not (people > 0).all():
        people = population_shares(people)
    (weights, factor), ones = _scaled_weights(people, scratch), np.ones(values.shape[-1])
    slope = np.multiply(weights, values, out=scratch[0]) @ ones
    weights *= _errors(errors)
    weights *= weights
    return slope * factor, weights @ ones * factor**2


def _in_blocks(value: ArrayLike, population: ArrayLike, se: ArrayLike) -> tuple[Floats, Floats]:
    arrays = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (value, population, se)))
    shape = arrays[0].shape
    rows = [array.reshape(-1, shape[-1]) for array in arrays]
    out = np.empty((2, prod(shape[:-1])))
    scratch = np.empty((2, min(_BLOCK, out.shape[1]), shape[-1]))
    with np.errstate(all="ignore"):
        for start in range(0, out.shape[1], _BLOCK):
            values, people, errors = (row[start : start + _BLOCK] for row in rows)
            out[:, start : start + _BLOCK] = _slope(values, people, errors, scratch[:, : len(values)])
    out[:, ~np.isfinite(out[0])] = np.nan
    return out[0].reshape(shape[:-1]), out[1].reshape(shape[:-1])


def _errors(se: ArrayLike) -> Floats:
    errors = np.asarray(se, dtype=np.float64)
    return errors if (errors >= 0).all() else np.where(errors >= 0, errors, np.nan)
