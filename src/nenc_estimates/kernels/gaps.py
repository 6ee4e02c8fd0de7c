"""Gap between an area and its reference, with the error of both: positive always means worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PERSON_YEARS_RULE = {"male": 136.0, "female": 129.0}
"""K in SE(life expectancy at birth) = K / sqrt(person-years) [years]: fitted to the limits of PHE's life expectancy by
deprivation decile in the authorities of North East and North Cumbria; quartiles within 10 %. The limits of 2016-18 in
``le_birth_ons_original.csv`` give medians of 137 and 127, quartiles within 4 % of them."""


def gap(area: ArrayLike, reference: ArrayLike, *, better: Literal["higher", "lower"]) -> NDArray[np.float64]:
    """How far an area is behind its reference.

    Parameters
    ----------
    area, reference
        Shapes that broadcast [unit of the measure].
    better
        ``"higher"`` (life expectancy) or ``"lower"`` (deaths).

    Returns
    -------
    NDArray
        Positive where the area is worse; `area_from_gap` turns it back exactly.

    Examples
    --------
    >>> float(gap(77.6, 79.4, better="higher").round(1)), float(gap(11.3, 9.6, better="lower").round(1))
    (1.8, 1.7)
    """
    return np.asarray(_sign(better) * (np.asarray(reference, float) - np.asarray(area, float)))


def area_from_gap(gap: ArrayLike, reference: ArrayLike, *, better: Literal["higher", "lower"]) -> NDArray[np.float64]:
    """Value of the area that has this gap from its reference.

    Parameters
    ----------
    gap, reference
        Shapes that broadcast [unit of the measure].
    better
        As for `gap`.

    Returns
    -------
    NDArray
        Area value.

    Examples
    --------
    >>> float(area_from_gap(1.8, 79.4, better="higher").round(1))
    77.6
    """
    return np.asarray(reference, float) - _sign(better) * np.asarray(gap, float)


def gap_variance(
    variance_area: ArrayLike, variance_reference: ArrayLike, *, share: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Find the sampling variance of the gap when the area is part of its reference.

    The reference is ``share`` of the area and the rest of others, so the two move together:
    ``V_area + V_reference - 2 share V_area``.

    Parameters
    ----------
    variance_area, variance_reference
        Shapes that broadcast [unit squared].
    share
        Part of the reference that is the area, 0 to 1; 0 when the area is outside (two quintiles, say).

    Returns
    -------
    NDArray
        ``nan`` where ``share`` is outside 0 to 1 or the reference is more certain than its part allows
        (``V_reference < share^2 V_area``).

    References
    ----------
    Variance of a difference with a known covariance; the reference is the weighted mean of independent parts.

    Examples
    --------
    >>> float(np.sqrt(gap_variance(0.0632**2, 0.0148**2, share=0.053)).round(6))
    0.061562
    """
    area, whole, w = (np.asarray(x, float) for x in (variance_area, variance_reference, share))
    possible = (w >= 0) & (w <= 1) & (area >= 0) & (whole >= w**2 * area)
    return np.where(possible, area + whole - 2 * w * area, np.nan)


def person_years_se(person_years: ArrayLike, *, sex: Literal["male", "female"]) -> NDArray[np.float64]:
    """Approximate standard error of life expectancy at birth where no limits are published.

    Parameters
    ----------
    person_years
        Person-years behind the value, over all its years.
    sex
        A key of ``PERSON_YEARS_RULE``.

    Returns
    -------
    NDArray
        [Years]; ``nan`` where ``person_years`` is not positive.

    Examples
    --------
    >>> float(person_years_se(4.63e6, sex="male").round(3))
    0.063
    """
    if sex not in PERSON_YEARS_RULE:
        msg = f"sex is one of {', '.join(PERSON_YEARS_RULE)}, not {sex!r}"
        raise ValueError(msg)
    exposure = np.asarray(person_years, float)
    return PERSON_YEARS_RULE[sex] / np.sqrt(np.where(exposure > 0, exposure, np.nan))


def rounding_variance(decimals: int) -> float:
    """Variance that rounding to a number of decimals adds: a uniform error of half a unit either way.

    Parameters
    ----------
    decimals
        Decimals that are printed.

    Returns
    -------
    float
        [Unit squared].

    References
    ----------
    Sheppard (1898), Proceedings of the London Mathematical Society 29, 353-380, doi:10.1112/plms/s1-29.1.353.

    Examples
    --------
    >>> round(rounding_variance(1) ** 0.5, 4)
    0.0289
    """
    return float(10.0 ** (-2 * decimals) / 12)


def _sign(better: str) -> float:
    if better not in ("higher", "lower"):
        msg = f"better is 'higher' or 'lower', not {better!r}"
        raise ValueError(msg)
    return 1.0 if better == "higher" else -1.0
