"""What a fit knows before it sees a value: years, windows, curves and the contrasts that are free of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.windows import break_flags, shock_columns, window_overlap, window_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.kernels.trend_models import LatentModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """All of a fit that does not depend on the values: shared by every series with the same windows.

    Attributes
    ----------
    years
        Shape ``(year,)``: the annual grid, first observed year to the last year asked for.
    first_year, n_years
        Shape ``(window,)``: the observed windows.
    weights
        Shape ``(window, year)``: share of each year in each window.
    overlap
        Shape ``(window, window)``: correlation of sampling errors.
    basis
        Shape ``(year, curve)``: curves of the trend, then shocks; breaks are known by window only.
    anchor
        Shape ``(height, window)``: a first, unbiased estimate of the heights of curves and breaks.
    contrasts
        Shape ``(contrast, window)``: free of the curves, uncorrelated and of variance ``tau2`` where
        there is no sampling error.
    model
        The assumption about the years.
    breaks
        Years of the breaks.
    population
        People in each year, or None.
    """

    years: NDArray[np.float64]
    first_year: NDArray[np.float64]
    n_years: NDArray[np.float64]
    weights: NDArray[np.float64]
    overlap: NDArray[np.float64]
    basis: NDArray[np.float64]
    anchor: NDArray[np.float64]
    contrasts: NDArray[np.float64]
    model: LatentModel
    breaks: tuple[int, ...]
    population: NDArray[np.float64] | None


def series_design(
    first_year: NDArray[np.float64],
    n_years: NDArray[np.float64],
    *,
    years: NDArray[np.float64],
    model: LatentModel,
    shocks: Sequence[Sequence[int]] = (),
    breaks: Sequence[int] = (),
    population: ArrayLike | None = None,
) -> Design:
    """Build the part of a fit that is the same for all series with these windows.

    Parameters
    ----------
    first_year, n_years
        Shape ``(window,)`` [years].
    years
        Shape ``(year,)``: the annual grid.
    model
        From ``MODELS``. A model that estimates nothing has no use for shocks and breaks: they are left out.
    shocks, breaks, population
        See `.trajectory`.

    Returns
    -------
    Design

    Raises
    ------
    ValueError
        When there are too few windows, a window can be made out of others, or a shock or break cannot be told
        from the trend.

    Examples
    --------
    >>> from nenc_estimates.kernels.trend_models import MODELS
    >>> years = np.arange(2015.0, 2021.0)
    >>> series_design(years[:4], np.full(4, 3.0), years=years, model=MODELS["flat"](years)).contrasts.shape
    (3, 4)
    """
    if model.estimate == "last":
        shocks, breaks = (), ()
    weights = window_weights(first_year, n_years, years=years, population=population)
    basis = np.concatenate([model.basis, shock_columns(years, shocks)], axis=-1)
    flags = break_flags(first_year, breaks)
    seen = np.concatenate([weights @ basis, flags], axis=-1)
    _check(weights, seen, model, len(shocks) + len(breaks))
    anchor, contrasts = _contrasts(first_year + n_years, weights, seen, model)
    return Design(
        years=years,
        first_year=first_year,
        n_years=n_years,
        weights=weights,
        overlap=window_overlap(first_year, n_years),
        basis=basis,
        anchor=anchor,
        contrasts=contrasts,
        model=model,
        breaks=tuple(breaks),
        population=None if population is None else np.asarray(population, float),
    )


def _check(weights: NDArray[np.float64], seen: NDArray[np.float64], model: LatentModel, extra: int) -> None:
    if weights.shape[0] < model.minimum + extra:
        msg = (
            f"{weights.shape[0]} windows are too few: this trend needs {model.minimum}"
            f" and one more for each of {extra} shocks and breaks"
        )
        raise ValueError(msg)
    if np.linalg.matrix_rank(weights) < weights.shape[0]:
        msg = "a window is there twice or can be made out of others (2018-19 of 2018 and 2019): leave it out"
        raise ValueError(msg)
    if np.linalg.matrix_rank(seen) < seen.shape[1]:
        msg = "a shock or break touches no window, or all, or cannot be told from the trend: leave it out"
        raise ValueError(msg)


def _contrasts(
    end: NDArray[np.float64], weights: NDArray[np.float64], seen: NDArray[np.float64], model: LatentModel
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First estimate of the curves' heights, and contrasts whitened for an annual variance of 1."""
    windows, heights = seen.shape
    if model.estimate == "last":
        last = int(np.argmax(end))
        anchor = np.zeros((heights, windows))
        anchor[0, last] = 1 / seen[last, 0]
        return anchor, np.zeros((0, windows))
    q, r = np.linalg.qr(seen, mode="complete")
    anchor = np.linalg.solve(r[:heights], q[:, :heights].T)
    free = q[:, heights:].T @ weights
    root = np.linalg.cholesky(free @ model.covariance @ free.T)
    return anchor, np.linalg.solve(root, q[:, heights:].T)
