"""Healthy life expectancy by Sullivan's method: a life table's years, split by the prevalence of health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels.life_table import LifeTable, accumulated, band_years, expected, expected_variance

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.kernels.prevalence import Prevalence


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthExpectancy:
    """Years in good and not good health at every age, all ``(..., age)``.

    Attributes
    ----------
    ex
        Life expectancy, ``healthy + unhealthy`` [years].
    healthy
        Years expected in good health [years].
    unhealthy
        Years expected in not good health [years].
    share
        Share of the remaining life in good health, ``healthy / ex``.
    survey_variance
        Variance of ``healthy``, and of ``unhealthy``, that comes from the survey [years squared].
    healthy_mortality_variance
        Variance of ``healthy`` that comes from deaths [years squared].
    unhealthy_mortality_variance
        Variance of ``unhealthy`` that comes from deaths [years squared].
    share_variance
        Variance of ``share``, both parts.
    """

    ex: NDArray[np.float64]
    healthy: NDArray[np.float64]
    unhealthy: NDArray[np.float64]
    share: NDArray[np.float64]
    survey_variance: NDArray[np.float64]
    healthy_mortality_variance: NDArray[np.float64]
    unhealthy_mortality_variance: NDArray[np.float64]
    share_variance: NDArray[np.float64]

    @property
    def healthy_variance(self) -> NDArray[np.float64]:
        """Variance of ``healthy`` from survey and deaths [years squared]."""
        return self.survey_variance + self.healthy_mortality_variance

    @property
    def unhealthy_variance(self) -> NDArray[np.float64]:
        """Variance of ``unhealthy`` from survey and deaths [years squared]."""
        return self.survey_variance + self.unhealthy_mortality_variance


def sullivan(
    table: LifeTable, prevalence: Prevalence, deaths: ArrayLike, *, open_band_variance: bool = True
) -> HealthExpectancy:
    """Healthy life expectancy, years not in good health, and share of life in good health, at every age.

    Parameters
    ----------
    table
        Life table ``(..., age)``.
    prevalence
        Of good or of not good health ``(..., age)``, in the table's bands.
    deaths
        Deaths that the table's rates come from ``(..., age)``.
    open_band_variance
        Whether the part of the variance that comes from deaths has the term of the open band; the practical
        guide leaves it out.

    Returns
    -------
    HealthExpectancy
        ``nan`` at every age up to a band whose rate or prevalence is missing or impossible.

    Notes
    -----
    The variance of the share follows from the delta method with both years and their covariance. In the
    practical guide's last step (ch. 7) the variance of a survival probability stands in the place of that of
    life expectancy.

    References
    ----------
    Sullivan DF (1971), HSMHA Health Reports 86:347-354, doi:10.2307/4594169. Mathers C (1991), Health
    Expectancies in Australia 1981 and 1988, for the variance. Jagger C, Van Oyen H, Robine JM (2014), Health
    Expectancy Calculation by the Sullivan Method: A Practical Guide, 4th ed., ch. 5-7.

    Examples
    --------
    >>> from nenc_estimates.kernels.life_table import life_table
    >>> from nenc_estimates.kernels.prevalence import survey_prevalence
    >>> table = life_table([0.01, 0.02, 0.2], width=[40, 40, np.inf], nax=[20, 20, np.nan])
    >>> survey = survey_prevalence([0.9, 0.7, 0.4], [300, 300, 100], of="good")
    >>> result = sullivan(table, survey, [10, 20, 80])
    >>> result.healthy.round(2), result.unhealthy.round(2), result.share.round(3)
    (array([43.9 , 20.86,  2.  ]), array([9.9 , 9.86, 3.  ]), array([0.816, 0.679, 0.4  ]))
    """
    value = np.where((prevalence.value >= 0) & (prevalence.value <= 1), prevalence.value, np.nan)
    good = value if prevalence.of == "good" else 1 - value
    bad = 1 - value if prevalence.of == "good" else value
    years = band_years(table.nqx, width=table.width, nax=table.nax)
    healthy, unhealthy = expected(table.nqx, years * good), expected(table.nqx, years * bad)
    ex = table.ex + np.zeros_like(healthy)
    survey = _survey_variance(table.nqx, years, prevalence)
    part = {
        name: expected_variance(table, deaths, weight=weight, total=total, open_band_variance=open_band_variance)
        for name, weight, total in (
            ("healthy", good, healthy),
            ("unhealthy", bad, unhealthy),
            ("all", 1.0, ex),
        )
    }
    # the terms nearly cancel where health does not change with age; rounding must not go below 0
    ratio = ex * (unhealthy * part["healthy"] + healthy * part["unhealthy"])
    ratio = np.maximum(ratio - healthy * unhealthy * part["all"], 0)
    square = np.square(ex)
    with np.errstate(invalid="ignore"):  # nan where a life has no length
        share = healthy / ex
        share_variance = survey / square + ratio / np.square(square)
    return HealthExpectancy(
        ex=ex,
        healthy=healthy,
        unhealthy=unhealthy,
        share=share,
        survey_variance=survey + 0 * healthy,  # a value that is nan has no variance either
        healthy_mortality_variance=part["healthy"],
        unhealthy_mortality_variance=part["unhealthy"],
        share_variance=share_variance,
    )


def _survey_variance(
    nqx: NDArray[np.float64], years: NDArray[np.float64], prevalence: Prevalence
) -> NDArray[np.float64]:
    if prevalence.covariance is None:
        variance = np.square(years) * prevalence.variance
        return accumulated(variance, np.broadcast_to(np.square(1 - nqx), variance.shape))
    shape = np.broadcast_shapes(years.shape, prevalence.covariance.shape[:-1])
    lived = np.zeros(shape)  # years in each band of a person alive at the age in hand
    variance = np.empty(shape)
    for age in range(shape[-1] - 1, -1, -1):
        lived *= (1 - nqx[..., age])[..., None]
        lived[..., age] = years[..., age]
        above = lived[..., age:]
        variance[..., age] = np.einsum("...a,...ab,...b->...", above, prevalence.covariance[..., age:, age:], above)
    return variance
