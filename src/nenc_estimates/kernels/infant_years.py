"""Years lived by children who die: rules that estimate nax at ages 0 and 1-4 from the infant death rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_T = TypeVar("_T")
Sex = Literal["male", "female"]

_ANDREEV_KINGKADE: Final = {
    # first rate of each segment, constant, slope
    "male": ((0.0, 0.0230, 0.08307), (0.14929, 0.02832, 0.29915), (-1.99545, 3.26021, 0.0)),
    "female": ((0.0, 0.01724, 0.06891), (0.14903, 0.04667, 0.31411), (-2.05527, 3.88089, 0.0)),
}
_COALE_DEMENY_INFANT: Final = {"male": (0.0425, 2.875, 0.33), "female": (0.05, 3.0, 0.35)}
_COALE_DEMENY_CHILD: Final = {"male": (1.653, -3.013, 1.352), "female": (1.524, -1.627, 1.361)}
_HIGH_MORTALITY: Final = 0.1


def andreev_kingkade_infant_years(m0: ArrayLike, *, sex: Sex) -> NDArray[np.float64]:
    """Years lived in the first year by infants who die in it, by the rule of Andreev and Kingkade.

    Parameters
    ----------
    m0
        Death rate at age 0, any shape [deaths per person-year].
    sex
        ``"male"`` or ``"female"``; the rule has no version for both.

    Returns
    -------
    NDArray
        a(0) of the same shape [years]; ``nan`` where the rate is missing or negative.

    References
    ----------
    Andreev EM, Kingkade WW (2015), Average age at death in infancy and infant mortality level, Demographic
    Research 33:363-390, doi:10.4054/DemRes.2015.33.13, table 3-2.

    Examples
    --------
    >>> andreev_kingkade_infant_years([0.004, 0.05], sex="male").round(4)
    array([0.1413, 0.1913])
    """
    starts, constants, slopes = (np.array(part) for part in _of_sex(_ANDREEV_KINGKADE, sex))
    rate = _possible(m0)
    segment = np.maximum(np.searchsorted(starts, rate, side="right") - 1, 0).clip(max=2)
    return np.asarray(constants[segment] + slopes[segment] * rate)


def coale_demeny_infant_years(m0: ArrayLike, *, sex: Sex) -> NDArray[np.float64]:
    """Years lived in the first year by infants who die in it, by Coale and Demeny's West rule.

    The rule is stated in q(0); here it is solved together with q(0) = m / (1 + (1 - a) m).

    Parameters
    ----------
    m0
        Death rate at age 0, any shape [deaths per person-year].
    sex
        ``"male"`` or ``"female"``.

    Returns
    -------
    NDArray
        a(0) of the same shape [years]; ``nan`` where the rate is missing or negative.

    References
    ----------
    Coale AJ, Demeny P, Vaughan B (1983), Regional Model Life Tables and Stable Populations, 2nd ed.

    Examples
    --------
    >>> coale_demeny_infant_years([0.004, 0.2], sex="female").round(4)
    array([0.062, 0.35 ])
    """
    constant, slope, high = _of_sex(_COALE_DEMENY_INFANT, sex)
    rate = _possible(m0)
    linear = 1 + (1 - constant) * rate
    with np.errstate(invalid="ignore"):  # no root: far above the range where the slope holds
        q0 = 2 * rate / (linear + np.sqrt(linear**2 - 4 * slope * rate**2))
    low = q0 < _HIGH_MORTALITY
    return np.where(np.isnan(rate), np.nan, np.where(low, constant + slope * q0, high))


def coale_demeny_child_years(m0: ArrayLike, *, sex: Sex) -> NDArray[np.float64]:
    """Years lived in ages 1-4 by children who die in them, by Coale and Demeny's West rule.

    Parameters
    ----------
    m0
        Death rate at age 0, any shape [deaths per person-year]. The q(0) of the rule follows from it with
        the a(0) of `andreev_kingkade_infant_years`, as in the R package DemoTools.
    sex
        ``"male"`` or ``"female"``.

    Returns
    -------
    NDArray
        a(1-4) of the same shape [years]; ``nan`` where the rate is missing or negative.

    References
    ----------
    Coale AJ, Demeny P, Vaughan B (1983), Regional Model Life Tables and Stable Populations, 2nd ed.

    Examples
    --------
    >>> coale_demeny_child_years([0.004, 0.2], sex="male").round(4)
    array([1.641, 1.352])
    """
    constant, slope, high = _of_sex(_COALE_DEMENY_CHILD, sex)
    rate = _possible(m0)
    q0 = rate / (1 + (1 - andreev_kingkade_infant_years(rate, sex=sex)) * rate)
    return np.where(q0 < _HIGH_MORTALITY, constant + slope * q0, np.where(np.isnan(q0), np.nan, high))


def _possible(m0: ArrayLike) -> NDArray[np.float64]:
    rate = np.asarray(m0, dtype=np.float64)
    return np.where(rate >= 0, rate, np.nan)


def _of_sex(rule: dict[str, _T], sex: str) -> _T:
    if sex not in rule:
        raise ValueError(f"sex is 'male' or 'female', not {sex!r}: infants' rules differ by sex")
    return rule[sex]
