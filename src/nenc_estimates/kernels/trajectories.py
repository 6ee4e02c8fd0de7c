"""Annual latent years seen through windows: fit, project, and any linear question about the years.

Windows are means of annual values, each with a sampling error that overlapping windows share:
``y = A m + e + r`` with ``m = offset + X b + w`` and ``r`` the rounding of each published figure, which no two
windows share. The covariance of ``y`` is then ``tau2 A K A' + C + R`` exactly, ``R`` diagonal, whatever the
lengths and overlaps. Nothing is searched for or drawn: ``tau2`` is averaged over a fixed grid by
its restricted likelihood, so the same input gives the same output.

The curves are removed first by error contrasts (combinations of windows in which ``b`` has no part); all of
the model is then diagonal in one eigenbasis, for every ``tau2`` of the grid at once.

References
----------
Patterson & Thompson (1971), Recovery of inter-block information when block sizes are unequal, Biometrika
58(3), 545-554, doi:10.1093/biomet/58.3.545 (restricted likelihood). Harville (1974), Biometrika 61(2),
383-385, doi:10.1093/biomet/61.2.383 (error contrasts). Rasmussen & Williams (2006), Gaussian Processes for
Machine Learning, MIT Press, section 2.7 (prediction with fixed curves).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.designs import Design, series_design
from nenc_estimates.kernels.mixtures import Mixture
from nenc_estimates.kernels.trend_models import MODELS
from nenc_estimates.kernels.windows import break_flags, window_overlap, window_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

GRID = np.geomspace(1e-4, 50.0, 60)
"""Annual variances averaged over, as multiples of the variance of the differences between windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """A fitted batch of series; ask it with `project`, `combine` and `annual_change`.

    Attributes
    ----------
    design
        What the series share.
    value, noise, own
        Shape ``(..., window)``: the windows, and the standard errors that the fit counts as sampling error and as
        rounding (one row where all series share it).
    tau2, weight
        Shape ``(..., component)``: annual variances [unit squared] and how much each counts.
    scores, rotation
        Shapes ``(..., contrast)`` and ``(..., contrast, contrast)``: the contrasts turned into the basis in
        which they are uncorrelated whatever ``tau2``.
    precision
        Shape ``(..., component, contrast)``: one over their variances.
    df
        Degrees of freedom of the limits; infinite unless the trend is ``"linear"``.
    """

    design: Design
    value: NDArray[np.float64]
    noise: NDArray[np.float64]
    own: NDArray[np.float64]
    tau2: NDArray[np.float64]
    weight: NDArray[np.float64]
    scores: NDArray[np.float64]
    rotation: NDArray[np.float64]
    precision: NDArray[np.float64]
    df: float


def trajectory(
    value: ArrayLike,
    se: ArrayLike = 0.0,
    *,
    first_year: ArrayLike,
    n_years: ArrayLike,
    until: int,
    rounding: ArrayLike = 0.0,
    trend: str = "drift",
    shocks: Sequence[Sequence[int]] = (),
    breaks: Sequence[int] = (),
    population: ArrayLike | None = None,
    innovation_sd: float | None = None,
    **parameters: float,
) -> Trajectory:
    """Fit one assumption about the years to a batch of series that share their windows.

    Parameters
    ----------
    value
        Shape ``(..., window)``: the published value of each window, on the scale on which it moves steadily
        (see ``TRANSFORMS``); for an area and its reference fit the gap and the reference.
    se
        Standard errors, broadcast against ``value`` [its unit]; 0 where sampling error does not matter. One
        row for all series is quicker than the same row for each.
    first_year, n_years
        Shape ``(window,)``: first year and number of years, in any order, no window twice. Leave a window
        out of all arrays to exclude it.
    until
        Last year that will be asked about.
    rounding
        Standard errors of the rounding of each value, broadcast against ``value`` [its unit]. Windows share the
        sampling errors of the years that they share; each is rounded by itself.
    trend
        A key of ``MODELS``.
    shocks
        Years of each temporary shock, ``[(2020, 2021)]`` say; it has no effect in other years.
    breaks
        For each lasting change of method the first year of the first window under it.
    population
        Shape ``(year,)``, first observed year to ``until``, for pooled rates: see `.window_weights`.
    innovation_sd
        Standard deviation of the annual movement, if known [unit a year]; otherwise estimated.
    **parameters
        Those of the trend: ``rho``, or ``change`` and ``rate``.

    Returns
    -------
    Trajectory
        Every answer about a series with a missing value or an impossible standard error is ``nan``; so is
        every spread of a series without any change where ``se`` and ``rounding`` are 0. With one window (``flat``,
        ``converge``) the annual movement cannot be estimated and counts as 0.

    Raises
    ------
    ValueError
        When the trend is unknown, there are too few windows for it, a window can be made out of others, or a
        shock or break cannot be told from the trend.

    Examples
    --------
    >>> value, first_year, n_years = [76.1, 76.4, 76.6, 77.0, 77.2], range(2010, 2015), [3] * 5
    >>> fit = trajectory(value, 0.06, first_year=first_year, n_years=n_years, until=2020)
    >>> project(fit, first_year=[2018], n_years=[3]).mean().round(2)
    array([78.15])
    """
    if trend not in MODELS:
        msg = f"the trend is one of {', '.join(MODELS)}, not {trend!r}"
        raise ValueError(msg)
    first, n = np.atleast_1d(np.asarray(first_year, float)), np.atleast_1d(np.asarray(n_years, float))
    years = np.arange(first.min(), max(until, (first + n).max() - 1) + 1)
    model = MODELS[trend](years, **parameters)
    design = series_design(first, n, years=years, model=model, shocks=shocks, breaks=breaks, population=population)
    y, error, own = np.asarray(value, float), *(np.asarray(x, float) + np.zeros(first.size) for x in (se, rounding))
    possible = np.isfinite(error) & (error >= 0) & np.isfinite(own) & (own >= 0)
    known = (np.isfinite(y) & possible).all(axis=-1, keepdims=True)
    error, own = (np.where(possible, x, 0.0) for x in (error, own))
    return _estimate(design, np.where(known, y, np.nan), error, own, innovation_sd)


def project(
    fit: Trajectory,
    *,
    first_year: ArrayLike,
    n_years: ArrayLike,
    baseline: int | None = None,
    keep: float = 1.0,
    se: ArrayLike | None = None,
    rounding: ArrayLike = 0.0,
) -> Mixture:
    """Distribution of windows of the fitted series, past or future.

    Parameters
    ----------
    fit
        From `trajectory`.
    first_year, n_years
        Shape ``(target,)``: the windows asked about [years].
    baseline, keep
        With them the answer is about ``window - keep * observed[baseline]`` (``keep = 0.9`` for a fall by at
        least 10 %): the underlying value of that window is uncertain and correlated with the target.
    se
        Standard error that the published figure of each window will have, broadcast to ``(..., target)``;
        without it the answer is about the underlying value. Error shared with observed windows counts once.
    rounding
        Standard error of the rounding that this figure will have, with ``se`` only.

    Returns
    -------
    Mixture
        Batch ``(..., target)``. For ``trend="linear"`` the scatter about the line contains the sampling
        error, so ``se`` adds nothing.

    Examples
    --------
    >>> value, first_year = [4.0, 4.1, 4.3, 4.4], range(2012, 2016)
    >>> fit = trajectory(value, 0.1, first_year=first_year, n_years=[3] * 4, until=2020)
    >>> fall_by_a_tenth = project(fit, first_year=[2018], n_years=[3], baseline=0, keep=0.9)
    >>> fall_by_a_tenth.cdf(0.0).round(3)
    array([0.007])
    """
    design = fit.design
    first, n = np.atleast_1d(first_year), np.atleast_1d(n_years)
    observed = np.zeros((first.size, design.first_year.size))
    if baseline is not None:
        observed[:, baseline] = -keep
    years = window_weights(first, n, years=design.years, population=design.population)
    target = _Target(
        curves=np.concatenate([years @ design.basis, break_flags(first, design.breaks)], axis=-1),
        years=years,
        offset=years @ design.model.offset,
        observed=observed,
        overlap=window_overlap(first, n, design.first_year, design.n_years),
    )
    return _answer(fit, target, None if se is None else np.asarray(se, float), np.asarray(rounding, float))


def combine(fit: Trajectory, weights: ArrayLike, *, observed: ArrayLike = 0.0) -> Mixture:
    """Distribution of any linear combination of the latent years and of the observed windows.

    Parameters
    ----------
    fit
        From `trajectory`.
    weights
        Shape ``(target, year)`` over ``fit.design.years``; years from a break on are under the new method.
    observed
        Broadcasts to ``(target, window)``: weights of the underlying values of observed windows.

    Returns
    -------
    Mixture
        Batch ``(..., target)``.

    Examples
    --------
    >>> value, first_year = [4.0, 4.1, 4.3, 4.4], range(2012, 2016)
    >>> fit = trajectory(value, first_year=first_year, n_years=[1] * 4, until=2016)
    >>> combine(fit, [[0, 0, 0, -1, 1]]).mean().round(3)  # the change in the year to come
    array([0.133])
    """
    design = fit.design
    years = np.atleast_2d(np.asarray(weights, float))
    new = years @ break_flags(design.years, design.breaks)
    target = _Target(
        curves=np.concatenate([years @ design.basis, new], axis=-1),
        years=years,
        offset=years @ design.model.offset,
        observed=np.broadcast_to(np.asarray(observed, float), (years.shape[0], design.first_year.size)),
    )
    return _answer(fit, target, None)


def annual_change(fit: Trajectory) -> Mixture:
    """Distribution of the trend's average change a year over the observed years, shocks and breaks apart.

    The slope for ``drift`` and ``linear``, 0 for ``flat``, the stated change for ``scenario``.

    Parameters
    ----------
    fit
        From `trajectory`.

    Returns
    -------
    Mixture
        Batch ``(...)`` [unit a year].

    Examples
    --------
    >>> value, first_year = [1.0, 3.0, 5.5, 7.5], range(2012, 2016)
    >>> fit = trajectory(value, first_year=first_year, n_years=[1] * 4, until=2016, trend="linear")
    >>> float(annual_change(fit).mean().round(3)), float(annual_change(fit).sd().round(3))
    (2.2, 0.071)
    """
    model, design = fit.design.model, fit.design
    end = int((design.first_year + design.n_years).max() - 1 - design.years[0])
    step = np.zeros((1, design.years.size))
    step[0, end] += 1 / max(end, 1)
    step[0, 0] -= 1 / max(end, 1)
    curves = np.zeros((1, design.anchor.shape[0]))
    curves[:, : model.basis.shape[-1]] = step @ model.basis
    target = _Target(
        curves=curves,
        years=np.zeros_like(step),
        offset=step @ model.offset,
        observed=np.zeros((1, design.first_year.size)),
    )
    answer = _answer(fit, target, None)
    return Mixture(
        weight=answer.weight[..., 0, :],
        location=answer.location[..., 0, :],
        spread=answer.spread[..., 0, :],
        df=answer.df,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Rows of a question: on the curves, on the movement around them, and on the observed windows."""

    curves: NDArray[np.float64]
    years: NDArray[np.float64]
    offset: NDArray[np.float64]
    observed: NDArray[np.float64]
    overlap: NDArray[np.float64] | None = None


def _estimate(
    design: Design,
    value: NDArray[np.float64],
    se: NDArray[np.float64],
    rounding: NDArray[np.float64],
    innovation_sd: float | None,
) -> Trajectory:
    line = design.model.estimate == "line"
    # scatter about a line already contains the sampling error and the rounding
    noise, own = (np.zeros_like(error) if line else error for error in (se, rounding))
    errors, alone = (design.contrasts * error[..., None, :] for error in (noise, own))
    eigenvalues, rotation = np.linalg.eigh(
        errors @ design.overlap @ errors.swapaxes(-1, -2) + alone @ alone.swapaxes(-1, -2)
    )
    scores = ((value @ design.contrasts.T)[..., None, :] @ rotation)[..., 0, :]
    if innovation_sd is None:
        tau2 = _annual_variance(design, value, np.hypot(se, rounding), scores)
    else:
        tau2 = np.full((*value.shape[:-1], 1), float(innovation_sd) ** 2)
    with np.errstate(divide="ignore"):  # no movement and no sampling error: nothing is known
        precision = 1 / (tau2[..., :, None] + np.maximum(eigenvalues, 0.0)[..., None, :])
    return Trajectory(
        design=design,
        value=value,
        noise=noise,
        own=own,
        tau2=tau2,
        weight=_restricted_weight(tau2, scores, precision),
        scores=scores,
        rotation=rotation,
        precision=precision,
        df=float(scores.shape[-1]) if line and innovation_sd is None else np.inf,
    )


def _annual_variance(
    design: Design, value: NDArray[np.float64], se: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values of ``tau2`` to average over: the grid, the one of a straight line, or none."""
    if not scores.shape[-1]:
        return np.zeros((*value.shape[:-1], 1))
    if design.model.estimate == "line":
        known = (se**2 / (design.weights**2).sum(axis=-1)).mean(axis=-1)
        return np.asarray(np.maximum((scores**2).mean(axis=-1), known)[..., None])
    order = np.lexsort((design.first_year, design.first_year + design.n_years))
    change = np.diff(value[..., order], axis=-1)
    spread = change.var(axis=-1) if change.shape[-1] > 1 else (change**2).mean(axis=-1)
    scale = np.maximum(spread, 0.01 * (se**2).mean(axis=-1))  # a series at rest still has its sampling error
    return np.where(scale > 0, scale, np.nan)[..., None] * GRID


def _restricted_weight(
    tau2: NDArray[np.float64], scores: NDArray[np.float64], precision: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Restricted likelihood times ``tau``: a flat prior on ``tau``, on even steps of its logarithm."""
    if tau2.shape[-1] == 1:
        return np.ones_like(tau2)
    misfit = (precision @ (scores**2)[..., None])[..., 0]
    log_weight = 0.5 * (np.log(precision).sum(axis=-1) - misfit + np.log(tau2))
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def _answer(
    fit: Trajectory, target: _Target, se: NDArray[np.float64] | None, rounding: NDArray[np.float64] | float = 0.0
) -> Mixture:
    """Answer each row by the anchor, corrected by what the contrasts say about the anchor's error."""
    design, noise = fit.design, fit.noise[..., None, :]
    by_curves = target.curves @ design.anchor
    anchor = by_curves + target.observed
    location = target.offset - by_curves @ (design.weights @ design.model.offset) + fit.value @ anchor.T

    around = target.years - by_curves @ design.weights
    moving = design.model.covariance @ around.T
    shared = (anchor * noise) @ design.overlap * noise + anchor * fit.own[..., None, :] ** 2
    sampling = (anchor * shared).sum(axis=-1)
    if se is not None and design.model.estimate != "line":
        future = np.asarray(target.overlap) * noise * se[..., None]
        sampling = sampling + se**2 + rounding**2 - 2 * (anchor * future).sum(axis=-1)
        shared = shared - future

    turn = fit.rotation.swapaxes(-1, -2)
    years = turn @ (design.contrasts @ design.weights @ moving)
    errors = -turn @ (shared @ design.contrasts.T).swapaxes(-1, -2)
    years, errors, score = np.broadcast_arrays(years, errors, fit.scores[..., None])
    tau2 = fit.tau2[..., None, :]
    products = np.concatenate([years * score, errors * score, years**2, years * errors, errors**2], axis=-1)
    with np.errstate(invalid="ignore"):  # a precision without bound
        sums = np.split((fit.precision @ products).swapaxes(-1, -2), 5, axis=-2)
        before = tau2 * (around.T * moving).sum(axis=0)[:, None] + sampling[..., None]
        variance = before - (tau2**2 * sums[2] + 2 * tau2 * sums[3] + sums[4])
        location = location[..., None] + tau2 * sums[0] + sums[1]
    spread = np.sqrt(np.where(variance < 1e-14 * before, 0.0, variance))  # a window seen exactly is certain
    return Mixture(weight=fit.weight[..., None, :], location=location, spread=spread, df=fit.df)
