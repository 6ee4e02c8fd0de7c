"""Estimates for an area from the published values of local authorities, by population weighting."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from nenc_estimates.areas import describe
from nenc_estimates.denominators import Denominator, load_denominator
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.indicators import KINDS, NOT_AGGREGABLE
from nenc_estimates.kernels import interval_inversion, intervals, log_intervals
from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.layout import Layout, entries_of, lay_out
from nenc_estimates.quality import QUALITY, coverage_remarks, partial_remarks
from nenc_estimates.tables import KEYS, check_values, open_frame, stack, tidy
from nenc_estimates.vintages import crosswalks_to, match_vintage, merge_superseded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    from nenc_estimates.vintages import Target

    Floats = NDArray[np.float64]

Missing = Literal["error", "renormalise"]
StandardError = Literal["published", "person-years"]

PERSON_YEARS_CONSTANT: Mapping[str, float] = MappingProxyType({"Male": 136.0, "Female": 129.0})
"""Standard error of life expectancy at birth times the square root of person-years [years].

Fitted to published limits of English areas. The limits of 2016-18 in ``le_birth_ons_original.csv`` give medians of 137
and 127, quartiles within 4 % of them."""

LEAST_COVERAGE = 2 / 3
"""Below this share of people no estimate is made, whatever was asked for: World Bank, WDI aggregation rules."""

RATES = ("crude rate", "directly standardised rate")
"""Kinds whose limits are symmetric on the log scale."""

VALUES = ("value", "lower", "upper", "count", "denominator")


def estimate_indicator(
    table: IntoDataFrame,
    *,
    to: Target,
    denominator: Denominator | str | None = None,
    kind: str = "mean",
    multiplier: float = 1.0,
    missing: Missing = "error",
    min_coverage: float = 0.9,
    year: int | None = None,
    standard_error: StandardError = "published",
    proxy: str = "",
    confidence: float | None = 0.95,
) -> Any:
    """Estimate an indicator for a target area from the values of its source areas.

    A table with columns ``count`` and ``denominator`` is pooled: the sum of membership times count over the sum of
    membership times denominator. A ``count`` indicator adds up ``value``. Any other table is averaged with the weights
    of its denominator, membership times people; where every area has limits the estimate gets limits too. Persons are
    a series of their own and are never made from the sexes.

    Parameters
    ----------
    table
        One row for each area and series: ``area_code``, ``value`` and, where there are any, 95 % limits
        ``lower, upper`` (or ``count, denominator``); any of the key columns ``indicator, edition,
        sex, age, period, quantile, cause`` makes separate series. A missing value is empty.
    to
        ``"nenc"``, ``"local_icp"``, or one or several :class:`~nenc_estimates.Crosswalk`. Of several the one is taken
        whose sources hold the codes present.
    denominator
        People of the indicator: a :class:`~nenc_estimates.Denominator` or the name of a packaged one. Its sex and age
        group are those of each row; its year the one nearest to the middle of the period.
    kind
        A key of ``KINDS``. It decides how a standard error is read from limits and how limits are made.
    multiplier
        100 for a percentage, 100,000 for a rate per 100,000.
    missing
        ``"error"`` names the areas without a value and the share of people they leave uncovered. ``"renormalise"``
        averages over the rest, provided ``min_coverage`` of the people have a value; else the estimate is null.
    min_coverage
        Between 2/3 and 1.
    year
        Year of the denominator for a table without periods.
    standard_error
        ``"published"`` reads it from the limits, and gives none where there are none. ``"person-years"`` (life
        expectancy at birth only) uses :data:`PERSON_YEARS_CONSTANT` instead, and says so.
    proxy
        Why the denominator is not the indicator's own; carried into ``quality`` and ``notes``.
    confidence
        Of the limits made; those read are 95 % limits. None makes no limits: for a count of every person or event.

    Returns
    -------
    frame of the caller's kind
        The key columns, then ``area_code, area_name, value, lower, upper, se, method, coverage, n_areas,
        effective_areas, largest_weight, quality, notes``: one row for each series and target, in key order. ``quality``
        lists codes of :data:`~nenc_estimates.QUALITY`, ``notes`` says the same in words.

    Raises
    ------
    SchemaError, InvalidDataError, UnknownAreaError
        A column is missing; a key repeats; a value, limit, count or person is impossible; a code does not belong.
    ValueError
        An option is unknown.

    Notes
    -----
    ``V = sum W² s²``: areas independent, weights known. See :mod:`nenc_estimates.kernels.weighting` for the formulas.

    Examples
    --------
    >>> import pandas as pd
    >>> from nenc_estimates.crosswalks import Crosswalk
    >>> shares = Crosswalk.from_shares([("E06000001", "A", 1.0), ("E06000002", "A", 1.0), ("E06000003", "A", 0.5)])
    >>> people = Denominator.from_table(pd.DataFrame({"area_code": shares.sources, "people": [100, 200, 300]}))
    >>> values = pd.DataFrame({"area_code": shares.sources, "value": [0.1, 0.2, 0.4]})
    >>> estimate = estimate_indicator(values, to=shares, denominator=people)
    >>> estimate[["value", "quality"]].round(6).values.tolist()
    [[0.244444, 'partial_area']]

    See Also
    --------
    nenc_estimates.select_geography : takes one consistent set of areas out of a mixed table.
    """
    options = _Options(
        kind=kind,
        multiplier=multiplier,
        missing=missing,
        min_coverage=min_coverage,
        standard_error=standard_error,
        proxy=proxy,
        confidence=confidence,
    )
    _check_options(options)
    opened = open_frame(table, ["area_code"])
    by = [name for name in KEYS if name in opened.columns]
    pooled = kind == "count" or {"count", "denominator"} <= set(opened.columns)
    stacked = stack(table, ["value"] if kind == "count" or not pooled else [], by=by, axis="area_code", optional=VALUES)
    check_values(stacked)
    people = load_denominator(denominator) if isinstance(denominator, str) else denominator
    if people is None and not pooled:
        raise SchemaError(
            f"a {kind} without counts is weighted by people: pass denominator= (a Denominator, or 'residents'), or a "
            "table with columns count and denominator."
        )
    stacked, notices = merge_superseded(stacked)
    crosswalks = crosswalks_to(to)
    vintage = match_vintage(stacked, crosswalks)
    parts = [
        _estimate(
            lay_out(stacked, np.flatnonzero(vintage == i), crosswalks[i], people, year=year),
            notices,
            options,
            pooled=pooled,
        )
        for i in np.unique(vintage)
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["area_code"].astype(str), columns.pop("group")))
    return tidy({name: column[order] for name, column in columns.items()}, stacked.backend)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    kind: str
    multiplier: float
    missing: Missing
    min_coverage: float
    standard_error: StandardError
    proxy: str
    confidence: float | None


def _check_options(options: _Options) -> None:
    kind = options.kind
    if kind.casefold() in NOT_AGGREGABLE:
        raise SchemaError(f"a {kind} cannot be aggregated: {NOT_AGGREGABLE[kind.casefold()]}.")
    for name, value, known in (
        ("kind", kind, tuple(KINDS)),
        ("missing", options.missing, get_args(Missing)),
        ("standard_error", options.standard_error, get_args(StandardError)),
    ):
        if value not in known:
            raise ValueError(f"{name} {value!r} is unknown. Known: {', '.join(map(repr, known))}.")
    if not LEAST_COVERAGE <= options.min_coverage <= 1:
        raise ValueError(f"min_coverage is {options.min_coverage}; it must lie between 2/3 and 1.")
    if options.confidence is not None and not 0 < options.confidence < 1:
        raise ValueError(f"confidence is {options.confidence}; write 0.95 for 95 %.")
    if kind == "count" and options.missing == "renormalise":
        raise ValueError("a count is not averaged: scaling it up for areas without one must be a decision of its own.")
    if options.standard_error == "person-years" and kind != "life expectancy":
        raise ValueError(f"standard_error='person-years' is a rule for life expectancy at birth, not for a {kind}.")


def _estimate(laid: Layout, notices: Sequence[str], options: _Options, *, pooled: bool) -> dict[str, NDArray[Any]]:
    starts, targets = laid.entries.starts, np.array(laid.entries.targets, dtype=object)
    covered = formulas.coverage(laid.weight, laid.observed, starts)
    if options.missing == "error" and (covered < 1).any():
        _refuse_missing(laid, covered)
    used = formulas.weights(laid.weight, np.where(laid.observed, 1.0, 0.0), starts)
    result = _pooled(laid, options) if pooled else _averaged(laid, used, options)
    numbers = {name: np.where(covered >= options.min_coverage, column, np.nan) for name, column in result.items()}
    quality, notes = _remarks(laid, covered, notices, options)
    route = "pooled counts" if pooled else "weighted mean"
    contributing = np.where(laid.observed & (laid.share > 0), 1.0, 0.0)
    names = np.array([laid.crosswalk.names.get(code, "") for code in targets], dtype=object)
    return {
        **{name: np.repeat(key[laid.groups], targets.size) for name, key in laid.stacked.keys.items()},
        "group": np.repeat(laid.groups, targets.size),
        "area_code": np.tile(targets, laid.groups.size),
        "area_name": np.tile(names, laid.groups.size),
        **{name: column.ravel() for name, column in numbers.items()},
        "method": np.repeat(np.array([f"{route}: {basis}" for basis in laid.basis], dtype=object), targets.size),
        "coverage": covered.ravel(),
        "n_areas": formulas.grouped_sum(contributing, starts).astype(np.int64).ravel(),
        "effective_areas": formulas.effective_number(used, starts).ravel(),
        "largest_weight": formulas.largest_weight(used, starts).ravel(),
        "quality": quality.ravel(),
        "notes": notes.ravel(),
    }


def _averaged(laid: Layout, weight: Floats, options: _Options) -> dict[str, Floats]:
    starts, scale = laid.entries.starts, options.multiplier
    arrays = {name: np.where(laid.observed, laid.values[name] / scale, np.nan) for name in laid.values}
    value = formulas.weighted_mean(np.where(laid.observed, arrays["value"], 0.0), weight, starts)
    variance = np.full(value.shape, np.nan)
    if options.standard_error == "person-years":
        constant = np.array([PERSON_YEARS_CONSTANT[sex] for sex in laid.sex])
        part = constant[:, None] ** 2 / (laid.people * laid.years[:, None])
        variance = formulas.weighted_mean_variance(part, weight, starts)
    elif {"lower", "upper"} <= set(arrays):
        part = _variance_from_limits(arrays["value"], arrays["lower"], arrays["upper"], kind=options.kind)
        variance = formulas.weighted_mean_variance(part, weight, starts)
    return _scaled(value, variance, _limits(value, variance, options), options)


def _variance_from_limits(value: Floats, lower: Floats, upper: Floats, *, kind: str) -> Floats:
    """Variance behind published 95 % limits, on the scale on which limits of this kind are symmetric."""
    if kind == "proportion":
        return log_intervals.standard_error_from_logit_limits(value, lower, upper) ** 2
    if kind in RATES:
        return log_intervals.standard_error_from_log_limits(value, lower, upper) ** 2
    return interval_inversion.standard_error_from_limits(lower, upper) ** 2


def _limits(value: Floats, variance: Floats, options: _Options) -> intervals.Interval:
    confidence = options.confidence or 0.95
    if options.kind == "proportion":
        return intervals.wilson_from_variance(value, variance, confidence=confidence)
    if options.kind in RATES:
        return intervals.byar_from_variance(value, variance, confidence=confidence)
    return intervals.normal_interval(value, variance, confidence=confidence)


def _pooled(laid: Layout, options: _Options) -> dict[str, Floats]:
    starts, confidence = laid.entries.starts, options.confidence or 0.95
    inside = np.where(laid.observed, laid.share, 0.0)
    name = "count" if "count" in laid.values else "value"
    count = formulas.grouped_sum(np.where(laid.observed, laid.values[name] * inside, 0.0), starts)
    if options.kind == "count":
        return _scaled(count, count, intervals.poisson_interval(count, confidence=confidence), options)
    size = formulas.grouped_sum(np.where(laid.observed, laid.values["denominator"] * inside, 0.0), starts)
    value = count / size
    if options.kind == "proportion":
        limits = intervals.wilson_interval(count, size, confidence=confidence)
        return _scaled(value, value * (1 - value) / size, limits, options)
    limits = intervals.poisson_interval(count, confidence=confidence)
    return _scaled(
        value, count / size**2, intervals.Interval(lower=limits.lower / size, upper=limits.upper / size), options
    )


def _scaled(value: Floats, variance: Floats, limits: intervals.Interval, options: _Options) -> dict[str, Floats]:
    sampled = 1.0 if options.confidence is not None else np.nan
    numbers = {"lower": limits.lower, "upper": limits.upper, "se": np.sqrt(variance)}
    scaled = {name: column * (options.multiplier * sampled) for name, column in numbers.items()}
    return {"value": value * options.multiplier, **scaled}


def _refuse_missing(laid: Layout, covered: Floats) -> None:
    group, target = (int(i) for i in np.argwhere(covered < 1)[0])
    mine = entries_of(laid.entries, target)
    texts = [
        f"{describe(laid.entries.sources[laid.entries.source[i]])}, {laid.weight[group, i]:.1%} of the people"
        for i in range(mine.start, mine.stop)
        if not laid.observed[group, i] and laid.weight[group, i] > 0
    ]
    raise InvalidDataError(
        f"no value for {'; '.join(texts)} of {describe(laid.entries.targets[target])} in "
        f"{laid.stacked.group_named(int(laid.groups[group]))} ({int((covered < 1).any(axis=-1).sum())} series lack "
        f"values): coverage {covered[group, target]:.1%}. Add the values, or pass missing='renormalise' to average "
        "over the rest."
    )


def _remarks(
    laid: Layout, covered: Floats, notices: Sequence[str], options: _Options
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Codes and sentences of each estimate; estimates with equal weights and gaps share them."""
    quality, notes = np.empty(covered.shape, dtype=object), np.empty(covered.shape, dtype=object)
    seen: dict[Any, tuple[str, str]] = {}
    for group, target in np.ndindex(covered.shape):
        key = (target, laid.basis[group], laid.proxy_year[group], covered[group, target])
        if key not in seen:
            mine = entries_of(laid.entries, target)
            codes = [laid.entries.sources[i] for i in laid.entries.source[mine]]
            found = partial_remarks(codes, laid.share[group, mine], laid.weight[group, mine])
            if laid.proxy_year[group]:
                found.append(("proxy_year", QUALITY["proxy_year"]))
            if options.proxy:
                found.append(("proxy_denominator", f"{options.proxy[0].upper()}{options.proxy[1:].rstrip('.')}."))
            if options.standard_error == "person-years":
                found.append(("person_years_se", QUALITY["person_years_se"]))
            found += coverage_remarks(float(covered[group, target]), options.min_coverage)
            found += [("recoded", f"{notice}.") for notice in (*laid.crosswalk.notices, *notices)]
            seen[key] = ";".join(dict.fromkeys(code for code, _ in found)), " ".join(text for _, text in found)
        quality[group, target], notes[group, target] = seen[key]
    return quality, notes
