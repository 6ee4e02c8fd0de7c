"""Rates that can be compared: directly standardised, indirectly standardised ratios, ratios of two rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.age_bands import ESP2013, FIVE_YEAR_90
from nenc_estimates.age_tables import stack_ages
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels import standardisation
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.tables import stack, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.kernels.standardisation import Rate
    from nenc_estimates.tables import Stack

    Floats = NDArray[np.float64]

LEAST_EVENTS = 10
"""England's publications show no directly standardised rate of fewer events."""


def estimate_standardised_rate(
    table: IntoDataFrameT,
    *,
    by: Sequence[str] = ("area_code", "sex", "period"),
    bands: AgeBands = FIVE_YEAR_90,
    standard: Mapping[int, float] = ESP2013,
    multiplier: float = 100_000,
    least_events: int = LEAST_EVENTS,
    confidence: float = 0.95,
    events: str = "events",
    population: str = "population",
) -> IntoDataFrameT:
    """Directly standardised rate: that of a standard population at this one's age-specific rates.

    Parameters
    ----------
    table
        One row for each group and age band, in any order: ``age``, events and person-years.
    by
        Key columns that make a group.
    bands
        The age bands of the table.
    standard
        First age of each band → people of the standard population. Bands are found by their first age, never by
        position, and must be those of the table.
    multiplier
        What the rate is per.
    least_events
        Rates of fewer events are withheld.
    confidence
        Of the limits.
    events, population
        Names of the columns.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``value, lower, upper, se, events, population, quality``: one row for each group. A group with a
        missing band or number is null, and ``quality`` says why.

    Raises
    ------
    SchemaError
        A column is missing, an age is none of the bands, or the standard population has other bands.
    InvalidDataError
        A key is empty, or a group has two rows for one band.

    Examples
    --------
    >>> import pandas as pd
    >>> ages = pd.DataFrame({"age": FIVE_YEAR_90.labels, "events": 7, "population": 1_000})
    >>> estimate_standardised_rate(ages, by=[])["value"].tolist()
    [700.0]

    See Also
    --------
    nenc_estimates.kernels.standardisation.directly_standardised_rate : the formula and its source.
    """
    if set(standard) != set(bands.lower):
        differing = sorted(set(standard) ^ set(bands.lower), key=str)
        raise SchemaError(
            f"the standard population begins bands at other ages than the table's: {differing}. Pass the people of "
            "each of the bands, or add up the table's ages to the bands of the standard."
        )
    stacked = stack_ages(table, [events, population], by=by, bands=bands)
    people = np.array([standard[age] for age in bands.lower], dtype=np.float64)
    counts, exposed = _finite(stacked, events, population)
    rate = standardisation.directly_standardised_rate(
        counts, exposed, standard=people, confidence=one_level(confidence)
    )
    few = counts.sum(axis=-1) < least_events
    reasons = _reasons(stacked, counts, exposed > 0)
    reasons[few & (reasons == "")] = "withheld_few_events"
    made = _columns(rate, multiplier, hidden=few)
    return tidy(
        {**stacked.keys, **made, "events": counts.sum(-1), "population": exposed.sum(-1), "quality": reasons},
        stacked.backend,
    )


def estimate_standardised_ratio(
    table: IntoDataFrameT,
    reference: IntoDataFrame,
    *,
    by: Sequence[str] = ("area_code", "sex", "period"),
    match: Sequence[str] = ("sex",),
    bands: AgeBands = FIVE_YEAR_90,
    multiplier: float = 1,
    confidence: float = 0.95,
    events: str = "events",
    population: str = "population",
) -> IntoDataFrameT:
    """Indirectly standardised ratio (SMR): events over those expected at a reference's age-specific rates.

    Parameters
    ----------
    table
        One row for each group and age band: ``age``, events and person-years.
    reference
        The same for the reference, one series for each combination of ``match``.
    by
        Key columns that make a group.
    match
        Key columns by which a group finds its reference; some of ``by``, may be empty.
    bands
        The age bands of both tables.
    multiplier
        Value of a group that is as the reference: 1, or 100.
    confidence
        Of the limits.
    events, population
        Names of the columns.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``value, lower, upper, se, observed, expected, quality``: one row for each group. Limits are exact
        below 10 events and Byar's above, and take the reference as known.

    Raises
    ------
    SchemaError, InvalidDataError
        As in `estimate_standardised_rate`; also where a group has no reference.

    Examples
    --------
    Respiratory deaths 42 % above those expected.

    >>> import pandas as pd
    >>> from nenc_estimates.age_bands import AgeBands
    >>> here = pd.DataFrame({"age": ["0-64", "65+"], "events": [42, 100], "population": [20_000, 5_000]})
    >>> england = here.assign(events=[1_000, 16_000], population=[1_000_000, 1_000_000])
    >>> options = {"by": [], "match": [], "bands": AgeBands((0, 65))}
    >>> estimate_standardised_ratio(here, england, **options)[["value", "lower", "upper"]].round(2).values.tolist()
    [[1.42, 1.2, 1.67]]

    See Also
    --------
    nenc_estimates.kernels.standardisation.standardised_ratio : the formula and its source.
    """
    stacked = stack_ages(table, [events, population], by=by, bands=bands)
    beside = stack_ages(reference, [events, population], by=match, bands=bands)
    counts, exposed = _finite(stacked, events, population)
    known, people = _finite(beside, events, population)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = known / np.where(people > 0, people, np.nan)
    expected = standardisation.expected_events(exposed, reference_rate=rates[_matched(stacked, beside, match)])
    observed = counts.sum(axis=-1)
    ratio = standardisation.standardised_ratio(observed, expected, confidence=one_level(confidence))
    reasons = _reasons(stacked, counts, exposed >= 0)
    reasons[(reasons == "") & ~(expected > 0)] = "nothing_expected"
    made = _columns(ratio, multiplier, hidden=np.zeros(observed.shape, dtype=bool))
    return tidy(
        {**stacked.keys, **made, "observed": observed, "expected": expected, "quality": reasons}, stacked.backend
    )


def estimate_rate_ratio(
    rates: IntoDataFrameT,
    *,
    between: tuple[str, str],
    populations: str = "area_code",
    by: Sequence[str] = ("sex", "period"),
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Ratio of two independent rates, and the excess in percent.

    Parameters
    ----------
    rates
        One row for each group and population: ``value, se``, as `estimate_standardised_rate` gives them.
    between
        The population of interest, and the one that it is compared with.
    populations
        The column that names them.
    by
        Key columns that make a group.
    confidence
        Of the limits.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``first, second, value, lower, upper, se, excess`` [%], ``quality``: one row for each group. 3.5 is
        "3.5-fold", 1.42 is "42 % higher".

    Raises
    ------
    SchemaError
        A column is missing, or a population has no rows.
    ValueError
        ``between`` does not name two different populations.

    Examples
    --------
    >>> import pandas as pd
    >>> rates = pd.DataFrame({"quintile": ["1", "5"], "value": [700.0, 200.0], "se": [20.0, 10.0]})
    >>> ratio = estimate_rate_ratio(rates, between=("1", "5"), populations="quintile", by=[])
    >>> ratio[["value", "lower", "upper", "excess"]].round(2).values.tolist()
    [[3.5, 3.13, 3.92, 250.0]]

    See Also
    --------
    nenc_estimates.kernels.standardisation.rate_ratio : the formula and its source.
    """
    names = [str(name) for name in between]
    if len(names) != 2 or names[0] == names[1]:
        raise ValueError(f"between names two different populations, not {between!r}")
    stacked = stack(rates, ["value", "se"], by=by, axis=populations)
    for name in names:
        if name not in stacked.labels:
            raise SchemaError(f"no row has {populations} {name!r}. It has: {', '.join(stacked.labels)[:200]}.")
    first, second = (stacked.labels.index(name) for name in names)
    value, variance = stacked.values["value"], stacked.values["se"] ** 2
    ratio = standardisation.rate_ratio(
        value[:, first], variance[:, first], value[:, second], variance[:, second], confidence=one_level(confidence)
    )
    absent = np.asarray((stacked.rows[:, [first, second]] < 0).any(axis=-1))
    reasons = np.where(absent, "no_counterpart", np.where(np.isnan(ratio.value), "rate_without_value", ""))
    made = _columns(ratio, 1.0, hidden=absent)
    words = {name: [text] * len(value) for name, text in zip(("first", "second"), names, strict=True)}
    return tidy(
        {**stacked.keys, **words, **made, "excess": 100 * (ratio.value - 1), "quality": reasons.astype(object)},
        stacked.backend,
    )


def _finite(stacked: Stack, *names: str) -> list[Floats]:
    """Columns in which an infinite number is a missing one: over endless people there is no rate, not one of 0."""
    return [np.where(np.isinf(stacked.values[name]), np.nan, stacked.values[name]) for name in names]


def _columns(rate: Rate, multiplier: float, *, hidden: NDArray[np.bool_]) -> dict[str, Floats]:
    if not 0 < multiplier < np.inf:
        raise ValueError(f"multiplier is what a rate is per, 100 000 say: a finite number above 0, not {multiplier}")
    numbers = {"value": rate.value, "lower": rate.lower, "upper": rate.upper, "se": np.sqrt(rate.variance)}
    return {name: np.where(hidden, np.nan, multiplier * column) for name, column in numbers.items()}


def _matched(stacked: Stack, reference: Stack, match: Sequence[str]) -> NDArray[np.intp]:
    """Find the row of each group's reference."""
    known = {key: i for i, key in enumerate(reference.group_keys())}
    wanted = list(zip(*(stacked.keys[name] for name in match), strict=True)) if match else [()] * len(stacked.rows)
    absent = [", ".join(key) for key in dict.fromkeys(wanted) if key not in known]
    if absent:
        raise InvalidDataError(f"the reference has no rows for {'; '.join(absent[:5])}.")
    return np.array([known[key] for key in wanted], dtype=np.intp)


def _reasons(stacked: Stack, counts: Floats, peopled: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Say what a group lacks."""
    absent = stacked.rows < 0
    reasons = np.where(absent.any(axis=-1), "missing_band", "").astype(object)
    wrong = (~absent & ~((counts >= 0) & peopled)).any(axis=-1)
    reasons[wrong & (reasons == "")] = "band_without_events_or_people"
    return reasons
