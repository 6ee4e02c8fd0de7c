"""Healthy life expectancy from deaths, people and the prevalence of health by age: Sullivan's method."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.age_tables import check_shares, chosen_ages, limit_columns, stack_ages, sum_from_age_up, tidy_ages
from nenc_estimates.kernels.life_table import life_table
from nenc_estimates.kernels.prevalence import include_institutions, survey_prevalence
from nenc_estimates.kernels.sullivan import sullivan
from nenc_estimates.withholding import OHID, check_counts, withhold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrameT
    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.age_tables import Ages
    from nenc_estimates.kernels.levels import Confidence
    from nenc_estimates.kernels.prevalence import HealthState, Prevalence
    from nenc_estimates.tables import Stack
    from nenc_estimates.withholding import Counts, Rules

    Floats = NDArray[np.float64]

Measure = Literal["healthy", "unhealthy", "share"]

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "healthy": "Years expected in good health.",
        "unhealthy": "Years expected in not good health.",
        "share": "Share of the remaining life in good health, 0 to 1.",
    }
)
"""What :func:`estimate_healthy_life_expectancy` can give."""


def estimate_healthy_life_expectancy(
    table: IntoDataFrameT,
    *,
    of: HealthState,
    measure: Measure = "healthy",
    by: Sequence[str] = ("area_code", "sex", "period"),
    at: Ages = "all",
    bands: AgeBands = ABRIDGED_90,
    confidence: Confidence = 0.95,
    rules: Rules = OHID,
    design_effect: float = 1.0,
    institutional: str | None = None,
    nqx: str | None = None,
    nax: ArrayLike | None = None,
    open_band_variance: bool = True,
    age: str = "age",
    deaths: str = "deaths",
    population: str = "population",
    prevalence: str = "prevalence",
    respondents: str = "respondents",
) -> IntoDataFrameT:
    """Healthy life expectancy of every group of a table, at every age, by Sullivan's method.

    Any health state will do: free of disability is as good as healthy.

    Parameters
    ----------
    table
        One row for each group and age band, in any order: age, deaths, population, the prevalence (a share, 0 to 1),
        the people asked for it (not weighted) and the columns named in ``by``.
    of
        ``"good"`` if the prevalence is that of good health, ``"not_good"`` if of the others. It is never guessed.
    measure
        ``"healthy"`` or ``"unhealthy"`` years, or the ``"share"`` of life in good health: a key of ``MEASURES``.
    by, at, bands, confidence, rules, nax, open_band_variance
        As in ``estimate_life_expectancy``. The rule on wide intervals is one on years, not on a share.
    design_effect
        Variance under the survey's design, as a multiple of that of a simple random sample.
    institutional
        Column with the share of people who live in institutions, all taken as not in good health; the prevalence is
        then that of people in households.
    nqx
        Column with the probability of dying where it is known from another source (an infant rate per birth, say); an
        empty cell follows from deaths and population.
    age, deaths, population, prevalence, respondents
        Names of the columns.

    Returns
    -------
    frame of the caller's kind
        The key columns as text, then ``age, value, lower, upper`` [years, or a share], ``lower_998, upper_998`` and so
        on for further levels, ``se``, ``life_expectancy`` [years], ``deaths, person_years`` (from that age up) and
        ``quality``: one row for each group and age, in key order. Limits hold the errors of the survey and of
        mortality; where nobody was asked there are none.

    Raises
    ------
    SchemaError, ValueError
        As in ``estimate_life_expectancy``.
    InvalidDataError
        A key is empty or stands twice; a prevalence, or a share in institutions, lies outside 0 to 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from nenc_estimates.age_bands import AgeBands
    >>> table = pd.DataFrame(
    ...     {
    ...         "age": ["0-39", "40-79", "80+"],
    ...         "deaths": [100, 200, 800],
    ...         "population": [10_000, 10_000, 4_000],
    ...         "prevalence": [0.9, 0.7, 0.4],
    ...         "respondents": [300, 300, 100],
    ...     }
    ... )
    >>> estimates = estimate_healthy_life_expectancy(table, of="good", by=[], at=0, bands=AgeBands((0, 40, 80)))
    >>> estimates[["value", "lower", "upper", "life_expectancy"]].round(1).values.tolist()
    [[41.2, 38.2, 44.2, 51.1]]

    See Also
    --------
    nenc_estimates.kernels.sullivan.sullivan : the formula and its sources.
    """
    if measure not in get_args(Measure):
        raise ValueError(f"measure is {measure!r}; known: {', '.join(MEASURES)}.")
    asked = [prevalence, respondents]
    columns = [deaths, population, *asked, *(name for name in (institutional, nqx) if name)]
    stacked = stack_ages(table, columns, by=by, bands=bands, age=age)
    rule = bands.nax if nax is None else np.asarray(nax, dtype=np.float64)
    counts = check_counts(stacked.values[deaths], stacked.values[population], nax=rule, absent=stacked.rows < 0)
    known = stacked.values[nqx] if nqx else None
    lives = life_table(_rate(counts), width=bands.width, nax=rule, nqx=known)
    state = _prevalence(stacked, asked, institutional, of, design_effect)
    made = sullivan(lives, state, counts.deaths, open_band_variance=open_band_variance)
    value: Floats = getattr(made, measure)
    se = np.sqrt(getattr(made, f"{measure}_variance"))
    unknown = np.isnan(state.value) & (stacked.rows >= 0)
    remarks = {
        "missing_prevalence": np.isnan(value) & unknown.any(axis=-1, keepdims=True),
        "no_respondents": np.isnan(se) & ~np.isnan(value),
    }
    shown = withhold(counts, value, se, rules=rules, in_years=measure != "share", remarks=remarks)
    return tidy_ages(
        stacked,
        chosen_ages(at, bands),
        {
            "value": shown.value,
            **limit_columns(shown.centre, shown.se, confidence),
            "se": shown.se,
            "life_expectancy": np.where(np.isnan(shown.centre), np.nan, made.ex),
            "deaths": sum_from_age_up(counts.deaths),
            "person_years": sum_from_age_up(counts.population),
        },
        shown.quality,
    )


def _rate(counts: Counts) -> Floats:
    possible = (counts.deaths <= counts.population) & (counts.population > 0)
    rate = np.full(possible.shape, np.nan)
    np.divide(counts.deaths, counts.population, out=rate, where=possible)
    return rate


def _prevalence(
    stacked: Stack, asked: Sequence[str], institutional: str | None, of: HealthState, design_effect: float
) -> Prevalence:
    prevalence, respondents = asked
    check_shares(stacked, [name for name in (prevalence, institutional) if name])
    found = survey_prevalence(
        stacked.values[prevalence], stacked.values[respondents], of=of, design_effect=design_effect
    )
    return include_institutions(found, stacked.values[institutional]) if institutional else found
