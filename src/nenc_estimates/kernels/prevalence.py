"""Prevalence of a health state by age: from a survey, with institutions, smoothed, imputed at the ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

HealthState = Literal["good", "not_good"]

_ITERATIONS: Final = 50
_CONVERGED: Final = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevalence:
    """Share of people in a health state by age, with its sampling error and its direction.

    Attributes
    ----------
    value
        Share of people ``(..., age)``, 0 to 1.
    variance
        Its sampling variance ``(..., age)``.
    of
        ``"good"`` if the share is of people in the state that counts as healthy (good health, free of
        disability), ``"not_good"`` if of the others. It is never guessed.
    covariance
        Covariance between bands ``(..., age, age)``; ``None`` if they are independent.
    """

    value: NDArray[np.float64]
    variance: NDArray[np.float64]
    of: HealthState
    covariance: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.of not in {"good", "not_good"}:
            raise ValueError(f"of says whose share it is, 'good' or 'not_good', not {self.of!r}")


def survey_prevalence(
    value: ArrayLike, respondents: ArrayLike, *, of: HealthState, design_effect: ArrayLike = 1.0
) -> Prevalence:
    """Prevalence that a survey found, with its binomial variance.

    Parameters
    ----------
    value
        Share of people ``(..., age)``, weighted as the survey says.
    respondents
        People asked in each band ``(..., age)``, not weighted.
    of
        ``"good"`` or ``"not_good"``: whose share it is.
    design_effect
        Variance under the survey's design, as a multiple of that of a simple random sample.

    Returns
    -------
    Prevalence
        ``nan`` where the share is outside 0 to 1; the variance also where nobody was asked. A share of
        exactly 0 or 1 has a variance of 0.

    Raises
    ------
    ValueError
        ``of`` is neither, or the design effect is not above 0.

    References
    ----------
    Jagger C, Van Oyen H, Robine JM (2014), Health Expectancy Calculation by the Sullivan Method: A Practical
    Guide, 4th ed., ch. 5.

    Examples
    --------
    >>> survey_prevalence([0.2, 0.5], [400, 100], of="not_good", design_effect=1.5).variance
    array([0.0006 , 0.00375])
    """
    share, asked = _possible_share(value), np.asarray(respondents, dtype=np.float64)
    asked = np.where(asked > 0, asked, np.nan)
    return Prevalence(value=share, variance=share * (1 - share) / asked * _multiple(design_effect), of=of)


def include_institutions(prevalence: Prevalence, institutional: ArrayLike) -> Prevalence:
    """Prevalence in all people, from that in households, if people in institutions are not in good health.

    Parameters
    ----------
    prevalence
        Of people in households ``(..., age)``.
    institutional
        Share of people in each band who live in institutions ``(..., age)``, known without error.

    Returns
    -------
    Prevalence
        Of all people. Only households are sampled, so the variance is that of the households times
        (1 - institutional)²; the practical guide applies it to the prevalence in all people instead, which
        is too small.

    References
    ----------
    Jagger C, Van Oyen H, Robine JM (2014), Health Expectancy Calculation by the Sullivan Method: A Practical
    Guide, 4th ed., ch. 6 for the prevalence.

    Examples
    --------
    >>> at_home = survey_prevalence([0.4], [300], of="not_good")
    >>> include_institutions(at_home, [0.25]).value.round(3)
    array([0.55])
    """
    home = 1 - _possible_share(institutional)
    value = prevalence.value * home
    return replace(
        prevalence,
        value=value if prevalence.of == "good" else value + (1 - home),
        variance=prevalence.variance * home**2,
        covariance=None if prevalence.covariance is None else _scaled(prevalence.covariance, home),
    )


def impute_by_ratio(prevalence: Prevalence, census: ArrayLike) -> Prevalence:
    """Fill the youngest and oldest bands that a survey leaves out, by the shape of a census.

    A missing band takes the prevalence of the nearest band that was observed, times the ratio of the two
    bands' census prevalences.

    Parameters
    ----------
    prevalence
        With ``nan`` in the bands to fill ``(..., age)``; only those before the first and after the last
        observed band are filled.
    census
        Prevalence of the same state in a census ``(..., age)``.

    Returns
    -------
    Prevalence
        With the covariance that arises because filled bands share the error of their neighbour. ``nan``
        where nothing is observed, where the nearest band's census prevalence is 0, and where the result is
        outside 0 to 1.

    References
    ----------
    Office for National Statistics (2018), Changes to the methods used in the production of health state life
    expectancies: ratio of adjacent bands at ages under 15 and over 84.

    Examples
    --------
    >>> survey = survey_prevalence([np.nan, 0.9, 0.8], [0, 100, 100], of="good")
    >>> impute_by_ratio(survey, [0.99, 0.97, 0.85]).value.round(4)
    array([0.9186, 0.9   , 0.8   ])
    """
    census = np.asarray(census, dtype=np.float64)
    shape = np.broadcast_shapes(prevalence.value.shape, census.shape)
    census, value = np.broadcast_to(census, shape), np.broadcast_to(prevalence.value, shape)
    bands = np.arange(shape[-1])
    seen = np.isfinite(value)
    first = np.argmax(seen, axis=-1)[..., None]
    last = shape[-1] - 1 - np.argmax(seen[..., ::-1], axis=-1)[..., None]
    anchor = np.clip(bands, first, last)
    nearest = np.take_along_axis(census, anchor, axis=-1)
    ratio = np.where(anchor == bands, 1.0, census / np.where(nearest > 0, nearest, np.nan))
    filled = _possible_share(ratio * np.take_along_axis(value, anchor, axis=-1))
    covariance = np.broadcast_to(_covariance_of(prevalence), (*shape, shape[-1]))
    covariance = np.take_along_axis(covariance, anchor[..., :, None], axis=-2)
    covariance = _scaled(np.take_along_axis(covariance, anchor[..., None, :], axis=-1), ratio)
    return _correlated(filled, covariance, of=prevalence.of)


def smooth_prevalence(
    value: ArrayLike,
    respondents: ArrayLike,
    *,
    age: ArrayLike,
    of: HealthState,
    design_effect: float = 1.0,
) -> Prevalence:
    """Prevalence smoothed over age by logistic regression on age and its square, weighted by respondents.

    Parameters
    ----------
    value
        Share of people found ``(..., age)``; not used where nobody was asked.
    respondents
        People asked in each band ``(..., age)``; 0 or ``nan`` for a band to be predicted only.
    age
        Age that stands for each band, its middle say ``(age,)`` [years].
    of
        ``"good"`` or ``"not_good"``: whose share it is.
    design_effect
        Variance under the survey's design, as a multiple of that of a simple random sample.

    Returns
    -------
    Prevalence
        At every given age, with the covariance of the fit ``(..., age, age)``, which ``kernels.sullivan`` carries
        through. ``nan`` for a batch element with fewer than three bands asked, or whose fit has no finite
        maximum (shares of only 0 and 1, in age order).

    References
    ----------
    McCullagh P, Nelder JA (1989), Generalized Linear Models, 2nd ed., ch. 4.

    Examples
    --------
    >>> age = np.array([20.0, 40, 60, 80])
    >>> smooth_prevalence([0.1, 0.15, 0.3, 0.5], [400, 400, 300, 200], age=age, of="not_good").value.round(3)
    array([0.097, 0.16 , 0.287, 0.506])
    """
    asked = np.asarray(respondents, dtype=np.float64) / _multiple(design_effect)
    share = _possible_share(value)
    shape = np.broadcast_shapes(asked.shape, share.shape)
    counts = np.broadcast_to(np.where((asked > 0) & np.isfinite(share), asked, 0.0), shape)
    share = np.broadcast_to(np.where(np.isfinite(share), share, 0.0), shape)
    terms = _age_terms(np.asarray(age, dtype=np.float64))
    with np.errstate(all="ignore"):
        fitted, inverse = _fit(share, counts, terms)
        slopes = (fitted * (1 - fitted))[..., None] * terms
        covariance = np.einsum("...ai,...ij,...bj->...ab", slopes, inverse, slopes)
    return _correlated(fitted, covariance, of=of)


def _fit(
    share: NDArray[np.float64], counts: NDArray[np.float64], terms: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    fitted = (share * counts + 0.5) / (counts + 1)
    linear = np.log(fitted / (1 - fitted))
    coefficients = np.zeros((*share.shape[:-1], terms.shape[1]))
    converged = np.zeros(share.shape[:-1], dtype=bool)
    for _ in range(_ITERATIONS):
        spread = fitted * (1 - fitted)
        inverse = _inverse(np.einsum("...a,ai,aj->...ij", counts * spread, terms, terms))
        target = counts * (spread * linear + share - fitted)
        step = np.einsum("...ij,aj,...a->...i", inverse, terms, target)
        # a table that has converged stands still, so that it does not depend on its neighbours
        moved = np.abs(step - coefficients).max(axis=-1)
        coefficients = np.where(converged[..., None], coefficients, step)
        converged |= moved < _CONVERGED * (1 + np.abs(step).max(axis=-1))
        linear = np.einsum("ai,...i->...a", terms, coefficients)
        fitted = 1 / (1 + np.exp(-linear))
        if converged.all():
            break
    enough = converged & ((counts > 0).sum(axis=-1) >= terms.shape[1])
    return np.where(enough[..., None], fitted, np.nan), inverse


def _multiple(design_effect: ArrayLike) -> NDArray[np.float64]:
    effect = np.asarray(design_effect, dtype=np.float64)
    if not (effect > 0).all():
        raise ValueError(f"design_effect is {effect}; it multiplies a variance and must be above 0.")
    return effect


def _age_terms(age: NDArray[np.float64]) -> NDArray[np.float64]:
    # Legendre polynomials: the same curve as age and age², without their near collinearity
    scaled = 2 * (age - age.min()) / (age.max() - age.min()) - 1
    return np.stack([np.ones_like(scaled), scaled, (3 * scaled**2 - 1) / 2], axis=-1)


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    # cofactors instead of LAPACK, which raises for the whole batch if one matrix is singular
    first, second, third = matrix[..., 0, :], matrix[..., 1, :], matrix[..., 2, :]
    columns = [np.cross(second, third), np.cross(third, first), np.cross(first, second)]
    determinant = np.sum(first * columns[0], axis=-1)[..., None, None]
    inverse: NDArray[np.float64] = np.stack(columns, axis=-1) / determinant
    return inverse


def _possible_share(value: ArrayLike) -> NDArray[np.float64]:
    share = np.asarray(value, dtype=np.float64)
    return np.where((share >= 0) & (share <= 1), share, np.nan)


def _covariance_of(prevalence: Prevalence) -> NDArray[np.float64]:
    if prevalence.covariance is not None:
        return prevalence.covariance
    return np.where(np.eye(prevalence.variance.shape[-1], dtype=bool), prevalence.variance[..., None], 0.0)


def _scaled(covariance: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    return covariance * scale[..., :, None] * scale[..., None, :]


def _correlated(value: NDArray[np.float64], covariance: NDArray[np.float64], *, of: HealthState) -> Prevalence:
    variance = np.diagonal(covariance, axis1=-2, axis2=-1).copy()
    return Prevalence(value=value, variance=variance, covariance=covariance, of=of)
