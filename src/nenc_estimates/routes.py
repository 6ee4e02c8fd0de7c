"""Routes: how the figures of source areas become the figure of a target.

Counts come first: published ones are pooled, those behind published limits are recovered and pooled. Where there are
neither, values are averaged with the people of the indicator as weights. Arrays are ``(group, entry)`` in and
``(group, target)`` out, proportions and rates without their multiplier.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from nenc_estimates.areas import describe
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels import interval_inversion, intervals, log_intervals
from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.kernels.gaps import PERSON_YEARS_RULE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nenc_estimates.layout import Layout
    from nenc_estimates.missing import Missing

    Floats = NDArray[np.float64]

Family = Literal["sum", "binomial", "poisson", "ratio", "dobson", "normal", "plain"]

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "count": "sum",
        "proportion": "binomial",
        "share of services": "binomial",
        "crude rate": "poisson",
        "indirectly standardised ratio": "poisson",
        "directly standardised rate": "dobson",
        "ratio of two sums": "ratio",
        "mean": "normal",
        "life expectancy": "normal",
        "healthy life expectancy": "normal",
        "index score": "plain",
    }
)
"""Kind to family: which counts it has, and which limits."""

RECOVERABLE = ("binomial", "poisson", "dobson")
"""Families whose limits give back the counts behind them."""

WIDEST_BOX = 0.10
"""Rounded limits give back a sample size when the sizes that they allow lie within this share of their middle."""

ROUNDING_TOLERANCE = 0.10
"""How far the two limits of a rounded rate may disagree about its count."""


COUNTED = ("sum", "binomial", "poisson", "ratio")
"""Families that counts and denominators determine without a value."""

VALUES = ("value", "lower", "upper", "count", "denominator")
"""Columns of numbers that an estimate reads."""

NUMBERS = ("value", "variance", "lower", "upper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Choices of :func:`~nenc_estimates.estimate_indicator` that decide a route; see there."""

    kind: str
    multiplier: float = 1.0
    missing: Missing = "error"
    min_coverage: float = 0.9
    standard_error: str = "published"
    survey: bool = False
    decimals: int | None = None
    proxy: str = ""
    confidence: float | None = 0.95

    @property
    def family(self) -> Family:
        """Family of the kind."""
        return FAMILIES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What each area brings: its value, count, denominator and variance, ``(group, entry)``; ``nan`` where unknown."""

    value: Floats
    count: Floats
    size: Floats
    variance: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Value, variance and limits of each target, ``(group, target)``; the weights behind them, ``(group, entry)``."""

    value: Floats
    variance: Floats
    lower: Floats
    upper: Floats
    weight: Floats


def published_parts(values: Mapping[str, Floats], family: Family, scale: float) -> Parts | None:
    """Take the parts from published counts; None where the columns do not hold what the family needs."""
    unknown = np.full(next(iter(values.values())).shape, np.nan)
    scaled = {name: values[name] / scale if name in values else unknown for name in ("value", "lower", "upper")}
    count, size = values.get("count", unknown), values.get("denominator", unknown)
    if family == "sum":
        return Parts(value=unknown, count=values.get("value", count), size=unknown, variance=unknown)
    if family in ("binomial", "poisson", "ratio") and {"count", "denominator"} <= set(values):
        return Parts(value=count / size, count=count, size=size, variance=unknown)
    if family == "dobson" and {"count", "value"} <= set(values):
        value = scaled["value"]
        behind = interval_inversion.count_and_variance_from_dobson(value, scaled["lower"], scaled["upper"])
        poisson = np.divide(value**2, count, out=unknown.copy(), where=count > 0)
        variance = np.where(np.isnan(behind.variance), poisson, behind.variance)
        size = np.divide(count, value, out=unknown.copy(), where=value > 0)
        return Parts(value=value, count=count, size=size, variance=variance)
    if family == "normal" and {"denominator", "value"} <= set(values):
        variance = interval_inversion.standard_error_from_limits(scaled["lower"], scaled["upper"]) ** 2
        return Parts(value=scaled["value"], count=unknown, size=size, variance=variance)
    return None


def recovered_parts(value: Floats, lower: Floats, upper: Floats, family: Family, decimals: int | None) -> Parts:
    """Recover counts and denominators from published 95 % limits.

    Parameters
    ----------
    value, lower, upper
        Without their multiplier.
    family
        One of :data:`RECOVERABLE`.
    decimals
        Places to which the three were rounded, of the number without its multiplier; None where they were not.

    Returns
    -------
    Parts
        ``nan`` where the limits are not of the family's kind, or rounding leaves too many possible counts.
    """
    unknown = np.full(value.shape, np.nan)
    if family == "binomial":
        size = interval_inversion.sample_size_from_wilson(value, lower, upper).estimate
        if decimals is not None:
            box = interval_inversion.sample_size_range_from_rounded_wilson(value, lower, upper, decimals=decimals)
            size = interval_inversion.sample_size_from_wilson(value, lower, upper, tolerance=2 * WIDEST_BOX).estimate
            size = np.where(box.upper - box.lower <= WIDEST_BOX * (box.upper + box.lower), size, np.nan)
        return Parts(value=value, count=value * size, size=size, variance=unknown)
    if family == "dobson":
        behind = interval_inversion.count_and_variance_from_dobson(value, lower, upper)
        # a rounded rate keeps its variance but not its count
        count = behind.count if decimals is None else unknown
        return Parts(
            value=value, count=count, size=count / np.where(value > 0, value, np.nan), variance=behind.variance
        )
    tolerance = ROUNDING_TOLERANCE if decimals is not None else 0.01
    count = interval_inversion.count_from_byar(value, lower, upper, tolerance=tolerance).estimate
    return Parts(value=value, count=count, size=count / np.where(value > 0, value, np.nan), variance=unknown)


def variance_from_limits(value: Floats, lower: Floats, upper: Floats, family: Family) -> Floats:
    """Variance behind published 95 % limits, by the inversion of the family or else on its symmetric scale."""
    if family == "binomial":
        size = interval_inversion.sample_size_from_wilson(value, lower, upper, tolerance=2 * WIDEST_BOX).estimate
        logit = log_intervals.standard_error_from_logit_limits(value, lower, upper) ** 2
        return np.where(np.isnan(size), logit, value * (1 - value) / size)
    if family == "poisson":
        count = interval_inversion.count_from_byar(value, lower, upper, tolerance=ROUNDING_TOLERANCE).estimate
        log = log_intervals.standard_error_from_log_limits(value, lower, upper) ** 2
        return np.where(np.isnan(count), log, value**2 / count)
    if family == "dobson":
        behind = interval_inversion.count_and_variance_from_dobson(value, lower, upper)
        log = log_intervals.standard_error_from_log_limits(value, lower, upper) ** 2
        return np.where(np.isnan(behind.variance), log, behind.variance)
    if family == "ratio":
        return np.asarray(log_intervals.standard_error_from_log_limits(value, lower, upper) ** 2)
    return np.asarray(interval_inversion.standard_error_from_limits(lower, upper) ** 2)


def pooled(parts: Parts, share: Floats, starts: NDArray[np.intp], family: Family, *, confidence: float) -> Aggregate:
    """Pool counts, or average values over their denominators where the family has a variance of its own.

    Entries of share 0 take no part. Limits: Byar's (exact below 10) on the pooled count, Wilson's on the pooled sample,
    Dobson's on the pooled variance; those of a ratio of two sums are symmetric on the log scale, both sums Poisson.
    """
    if family == "sum":
        count = formulas.weighted_mean(parts.count, share, starts)
        limits = intervals.poisson_interval(count, confidence=confidence)
        weight = formulas.weights(np.ones(share.shape), share, starts)
        return Aggregate(value=count, variance=count, lower=limits.lower, upper=limits.upper, weight=weight)
    weight = formulas.weights(np.where(share == 0, 0.0, parts.size), share, starts)
    if family in ("dobson", "normal", "plain"):
        value = formulas.weighted_mean(parts.value, weight, starts)
        variance = formulas.weighted_mean_variance(parts.variance, weight, starts)
        if family == "dobson":
            count = formulas.weighted_mean(parts.count, share, starts)
            limits = intervals.dobson_interval(value, variance, count, confidence=confidence)
        else:
            limits = intervals.normal_interval(value, variance, confidence=confidence)
        return Aggregate(value=value, variance=variance, lower=limits.lower, upper=limits.upper, weight=weight)
    count = formulas.weighted_mean(parts.count, share, starts)
    size = formulas.weighted_mean(parts.size, share, starts)
    value = count / np.where(size > 0, size, np.nan)
    if family == "binomial":
        limits, variance = intervals.wilson_interval(count, size, confidence=confidence), value * (1 - value) / size
    elif family == "poisson":
        around = intervals.poisson_interval(count, confidence=confidence)
        limits = intervals.Interval(lower=around.lower / size, upper=around.upper / size)
        variance = count / size**2
    else:
        variance = value**2 * (1 / np.where(count > 0, count, np.nan) + 1 / size)
        limits = log_intervals.log_interval(value, variance, confidence=confidence)
    return Aggregate(value=value, variance=variance, lower=limits.lower, upper=limits.upper, weight=weight)


def averaged(
    value: Floats, variance: Floats, weight: Floats, starts: NDArray[np.intp], family: Family, *, confidence: float
) -> Aggregate:
    """Average values with given weights; limits from the variance, of the family's kind.

    Wilson's at the effective sample size for proportions, Byar's at the effective count for rates, else normal.
    """
    mean = formulas.weighted_mean(value, weight, starts)
    total = formulas.weighted_mean_variance(variance, weight, starts)
    if family == "binomial":
        limits = intervals.wilson_from_variance(mean, total, confidence=confidence)
    elif family in ("poisson", "dobson"):
        limits = intervals.byar_from_variance(mean, total, confidence=confidence)
    elif family == "ratio":
        limits = log_intervals.log_interval(mean, total, confidence=confidence)
    else:
        limits = intervals.normal_interval(mean, total, confidence=confidence)
    return Aggregate(value=mean, variance=total, lower=limits.lower, upper=limits.upper, weight=weight)


def decimals_of(*columns: Floats, most: int = 4) -> int | None:
    """Places to which some columns were rounded; None where they have more than ``most``.

    Examples
    --------
    >>> decimals_of(np.array([50.1, 3.25, np.nan])), decimals_of(np.array([1 / 3]))
    (2, None)
    """
    known = np.concatenate([column[np.isfinite(column)] for column in columns])
    for places in range(most + 1):
        scaled = known * 10.0**places
        if np.all(np.abs(scaled - np.rint(scaled)) <= 1e-6):
            return places
    return None


def aggregate(laid: Layout, options: Options) -> tuple[Aggregate, NDArray[np.object_]]:
    """Take the best route that the figures allow: for all of a table, or target by target.

    Returns
    -------
    Aggregate, route
        ``route`` is ``pooled counts``, ``recovered counts`` or ``weighted mean``, ``(group, target)``.

    Raises
    ------
    SchemaError, InvalidDataError
        The figures allow no route without people, and there are none.
    """
    starts, confidence = laid.entries.starts, options.confidence or 0.95
    inside = np.where(laid.observed, laid.share, 0.0)
    shape = (len(laid.groups), len(laid.entries.targets))
    published = published_parts(laid.values, options.family, options.multiplier)
    if published is not None and options.family == "dobson" and (np.isnan(published.size) & (inside > 0)).any():
        published = None  # a rate of 0 has no count / rate; people are its weights
    if published is not None:
        made = pooled(published, inside, starts, options.family, confidence=confidence)
        if options.family == "sum" and laid.has_people:
            made = replace(made, weight=formulas.weights(laid.weight, np.where(laid.observed, 1.0, 0.0), starts))
        return made, np.full(shape, "pooled counts", dtype=object)
    arrays = _natural(laid, options.multiplier)
    recovered = None
    if options.family in RECOVERABLE and not options.survey and "lower" in arrays:
        decimals = _places(laid, options)
        found = recovered_parts(arrays["value"], arrays["lower"], arrays["upper"], options.family, decimals)
        recovered = pooled(found, inside, starts, options.family, confidence=confidence)
        if not laid.has_people:
            _refuse_unrecovered(laid, found, inside)
            return recovered, np.full(shape, "recovered counts", dtype=object)
    if not laid.has_people:
        raise SchemaError(
            f"kind {options.kind!r} without counts or limits that give them back is weighted by people: "
            "pass denominator= (a Denominator, or 'residents'), or a table with columns count and denominator."
        )
    weight = formulas.weights(laid.weight, np.where(laid.observed, 1.0, 0.0), starts)
    mean = averaged(
        arrays["value"], _variance(laid, arrays, options), weight, starts, options.family, confidence=confidence
    )
    if recovered is None:
        return mean, np.full(shape, "weighted mean", dtype=object)
    chosen = ~np.isnan(recovered.value)
    return _either(chosen, recovered, mean, starts), np.where(chosen, "recovered counts", "weighted mean")


def _natural(laid: Layout, multiplier: float) -> dict[str, Floats]:
    """Values and limits without their multiplier, null where the area is not observed."""
    names = [name for name in ("value", "lower", "upper") if name in laid.values]
    return {name: np.where(laid.observed, laid.values[name] / multiplier, np.nan) for name in names}


def _places(laid: Layout, options: Options) -> int | None:
    """Places to which the numbers without their multiplier are rounded."""
    given = options.decimals
    if given is None:
        given = decimals_of(*(laid.values[name] for name in ("value", "lower", "upper")))
    return None if given is None else given + round(np.log10(options.multiplier))


def _variance(laid: Layout, arrays: dict[str, Floats], options: Options) -> Floats:
    if options.standard_error == "person-years":
        if not {sex.lower() for sex in laid.sex} <= set(PERSON_YEARS_RULE) or not np.isfinite(laid.years).all():
            raise SchemaError("standard_error='person-years' needs columns sex (Male or Female) and period (years).")
        constant = np.array([[PERSON_YEARS_RULE[sex.lower()]] for sex in laid.sex])
        return np.asarray(constant**2 / (laid.people * laid.years[:, None]))
    if "lower" in arrays:
        return variance_from_limits(arrays["value"], arrays["lower"], arrays["upper"], options.family)
    return np.full(arrays["value"].shape, np.nan)


def areas_variance(laid: Layout, options: Options) -> Floats:
    """Variance of each area's value, without its multiplier, by whatever the table allows: ``(group, entry)``."""
    published = published_parts(laid.values, options.family, options.multiplier)
    if published is None:
        return _variance(laid, _natural(laid, options.multiplier), options)
    if options.family == "binomial":
        return np.asarray(published.value * (1 - published.value) / published.size)
    if options.family == "poisson":
        return np.asarray(published.count / published.size**2)
    return published.variance


def _either(chosen: NDArray[np.bool_], first: Aggregate, second: Aggregate, starts: NDArray[np.intp]) -> Aggregate:
    wide = formulas.spread(chosen, starts, first.weight.shape[-1]) > 0
    pick = {name: np.where(chosen, getattr(first, name), getattr(second, name)) for name in NUMBERS}
    return Aggregate(**pick, weight=np.where(wide, first.weight, second.weight))


def _refuse_unrecovered(laid: Layout, found: Parts, inside: Floats) -> None:
    lacking = np.isnan(found.size) & (inside > 0)
    if not lacking.any():
        return
    group, entry = (int(i) for i in np.argwhere(lacking)[0])
    code = laid.entries.sources[laid.entries.source[entry]]
    raise InvalidDataError(
        f"the limits of {describe(code)} in {laid.stacked.group_named(int(laid.groups[group]))} do not give back the "
        f"count behind them ({int(lacking.sum())} rows): they are rounded too far, or made by another method. Pass "
        "denominator= to weight by people, or a table with columns count and denominator."
    )
