"""Estimates for an area from the published values of local authorities, by population weighting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from nenc_estimates.areas import describe
from nenc_estimates.denominators import Denominator, load_denominator
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.indicators import KINDS, NOT_AGGREGABLE
from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.layout import Layout, entries_of, lay_out
from nenc_estimates.missing import Bounds, Imputed, Missing, check_missing, check_reasons, impute
from nenc_estimates.quality import QUALITY
from nenc_estimates.remarks import coverage_remarks, missing_remarks, partial_remarks
from nenc_estimates.routes import COUNTED, RECOVERABLE, VALUES, Aggregate, Options, aggregate
from nenc_estimates.tables import KEYS, check_values, open_frame, stack, tidy
from nenc_estimates.vintages import crosswalks_to, match_vintage, merge_superseded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    from nenc_estimates.tables import Stack
    from nenc_estimates.vintages import Target

    Floats = NDArray[np.float64]

StandardError = Literal["published", "person-years"]

LEAST_COVERAGE = 2 / 3
"""Below this share of people no estimate is made, whatever was asked for: World Bank, WDI aggregation rules."""


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
    survey: bool = False,
    decimals: int | None = None,
    proxy: str = "",
    confidence: float | None = 0.95,
) -> Any:
    """Estimate an indicator for a target area from the values of its source areas.

    Counts come first. A table with ``count`` and ``denominator`` is pooled: the sum of membership times count over the
    sum of membership times denominator. Published limits of a proportion or rate give back the counts behind them,
    which are pooled. Otherwise values are averaged with the weights of ``denominator``, membership times people, and
    get limits where every area has them. ``route`` in the result says which was taken. Persons are a series of their
    own and are never made from the sexes.

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
        ``"bounds"`` or :class:`~nenc_estimates.Bounds` gives no value but the range over everything that the missing
        areas could be. :class:`~nenc_estimates.Imputed` takes their values from a named source. A column
        ``missing_reason`` (``suppressed``, ``not applicable``, ``not published``) is carried into ``quality``.
    min_coverage
        Between 2/3 and 1.
    year
        Year of the denominator for a table without periods.
    standard_error
        ``"published"`` reads it from the limits, and gives none where there are none. ``"person-years"`` (life
        expectancy at birth only) uses :data:`~nenc_estimates.kernels.gaps.PERSON_YEARS_RULE` instead, and says so.
    survey
        The limits come from a survey: its sample sizes give standard errors, but are no weights.
    decimals
        Places to which values and limits are rounded; read from the numbers when None.
    proxy
        Why the denominator is not the indicator's own; carried into ``quality`` and ``notes``.
    confidence
        Of the limits made; those read are 95 % limits. None makes no limits: for a count of every person or event.

    Returns
    -------
    frame of the caller's kind
        The key columns, then ``area_code, area_name, value, lower, upper, se, method, coverage, n_areas,
        effective_areas, largest_weight, route, quality, notes``: one row for each series and target, in key order.
        ``quality`` lists codes of :data:`~nenc_estimates.QUALITY`, ``notes`` says the same in words.

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
    options = Options(
        kind=kind,
        multiplier=multiplier,
        missing=missing,
        min_coverage=min_coverage,
        standard_error=standard_error,
        survey=survey,
        decimals=decimals,
        proxy=proxy,
        confidence=confidence,
    )
    _check_options(options)
    opened = open_frame(table, ["area_code"])
    by = [name for name in KEYS if name in opened.columns]
    counted = {"count", "denominator"} <= set(opened.columns) and options.family in COUNTED
    needed = ["count", "denominator"] if counted else ["value"]
    stacked = stack(table, needed, by=by, axis="area_code", optional=VALUES, words=["missing_reason"])
    check_values(stacked)
    check_reasons(stacked)
    if isinstance(missing, Imputed):
        stacked, _ = impute(stacked, missing)
    _check_range(stacked, options)
    people = load_denominator(denominator) if isinstance(denominator, str) else denominator
    if people is not None and not isinstance(people, Denominator):
        raise SchemaError("denominator is not a Denominator: make one with Denominator.from_table(table).")
    if year is not None and "period" in by:
        raise ValueError("year is for a table without periods: this one has a column 'period', whose years count.")
    stacked, notices = merge_superseded(stacked)
    crosswalks = crosswalks_to(to)
    vintage = match_vintage(stacked, crosswalks)
    parts = [
        _estimate(lay_out(stacked, np.flatnonzero(vintage == i), crosswalks[i], people, year=year), notices, options)
        for i in np.unique(vintage)
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["area_code"].astype(str), columns.pop("group")))
    return tidy({name: column[order] for name, column in columns.items()}, stacked.backend)


def _check_options(options: Options) -> None:
    kind = options.kind
    if str(kind).casefold() in NOT_AGGREGABLE:
        raise SchemaError(f"kind {kind!r} cannot be aggregated: {NOT_AGGREGABLE[kind.casefold()]}.")
    for name, value, known in (
        ("kind", kind, tuple(KINDS)),
        ("standard_error", options.standard_error, get_args(StandardError)),
    ):
        if value not in known:
            raise ValueError(f"{name} {value!r} is unknown. Known: {', '.join(map(repr, known))}.")
    check_missing(options.missing, kind=kind, multiplier=options.multiplier)
    share, level = options.min_coverage, options.confidence
    faults = {
        f"multiplier is {options.multiplier}; write 100 for a percentage, 1 for a plain number.": (
            not 0 < options.multiplier < np.inf
        ),
        f"min_coverage is {share}; it must lie between 2/3 and 1.": not LEAST_COVERAGE <= share <= 1,
        f"confidence is {level}; write 0.95 for 95 %.": level is not None
        and not (isinstance(level, float) and 0 < level < 1),
        f"standard_error='person-years' is a rule for life expectancy at birth, not for kind {kind!r}.": (
            options.standard_error == "person-years" and kind != "life expectancy"
        ),
    }
    for fault, is_there in faults.items():
        if is_there:
            raise ValueError(fault)


def _check_range(stacked: Stack, options: Options) -> None:
    """Refuse values that no indicator of the kind can have; a mean and a score may have any."""
    values, kind, is_share = stacked.values, options.kind, options.family == "binomial"
    if "value" in values and kind not in ("mean", "index score"):
        highest = options.multiplier if is_share else np.inf
        wrong = (values["value"] < 0) | (values["value"] > highest)
        if wrong.any():
            raise InvalidDataError(
                f"kind {kind!r} lies between 0 and {highest:g}, but does not in {stacked.named(wrong)}. "
                f"Is multiplier={options.multiplier:g} the one of this table?"
            )
    if is_share and {"count", "denominator"} <= set(values):
        over = values["count"] > values["denominator"]
        if over.any():
            raise InvalidDataError(f"the count exceeds its denominator (kind {kind!r}) in {stacked.named(over)}.")


def _estimate(laid: Layout, notices: Sequence[str], options: Options) -> dict[str, NDArray[Any]]:
    starts, targets = laid.entries.starts, np.array(laid.entries.targets, dtype=object)
    covered = formulas.coverage(laid.weight, laid.observed, starts)
    if options.missing == "error" and (covered < 1).any():
        _refuse_missing(laid, covered)
    made, route = aggregate(laid, options)
    numbers = _finished(laid, made, covered, options)
    bounded = _bounds_of(options) is not None
    enough = (covered >= options.min_coverage) | bounded
    quality, notes = _remarks(laid, covered, route, notices, options)
    contributing = np.where(laid.observed & (laid.share > 0), 1.0, 0.0)
    names = np.array([laid.crosswalk.names.get(code, "") for code in targets], dtype=object)
    return {
        **{name: np.repeat(key[laid.groups], targets.size) for name, key in laid.stacked.keys.items()},
        "group": np.repeat(laid.groups, targets.size),
        "area_code": np.tile(targets, laid.groups.size),
        "area_name": np.tile(names, laid.groups.size),
        **{name: np.where(enough, column, np.nan).ravel() for name, column in numbers.items()},
        "method": _method(laid, route).ravel(),
        "coverage": covered.ravel(),
        "n_areas": formulas.grouped_sum(contributing, starts).astype(np.int64).ravel(),
        "effective_areas": formulas.effective_number(made.weight, starts).ravel(),
        "largest_weight": formulas.largest_weight(made.weight, starts).ravel(),
        "route": route.ravel(),
        "quality": quality.ravel(),
        "notes": notes.ravel(),
    }


def _method(laid: Layout, route: NDArray[np.object_]) -> NDArray[np.object_]:
    """Say the route, and the people where they are the weights."""
    basis = np.array(laid.basis, dtype=object)[:, None]
    return np.where(route == "weighted mean", route + ": " + basis, route)


def _finished(laid: Layout, made: Aggregate, covered: Floats, options: Options) -> dict[str, Floats]:
    """Put the multiplier back; without a confidence drop the limits; with bounds widen them."""
    sampled = options.multiplier * (1.0 if options.confidence is not None else np.nan)
    numbers = {
        "value": made.value * options.multiplier,
        "lower": made.lower * sampled,
        "upper": made.upper * sampled,
        "se": np.sqrt(made.variance) * sampled,
    }
    bounds = _bounds_of(options)
    if bounds is None:
        return numbers
    missing = formulas.grouped_sum(np.where(laid.observed, 0.0, laid.share), laid.entries.starts)
    gap = missing if options.kind == "count" else 1.0 - covered
    known = numbers["value"] if options.kind == "count" else np.where(covered > 0, covered * numbers["value"], 0.0)
    open_ended = covered < 1
    for name, bound in (("lower", bounds.lowest), ("upper", bounds.highest)):
        numbers[name] = np.where(open_ended, known + gap * bound, numbers[name])
    for name in ("value", "se"):
        numbers[name] = np.where(open_ended, np.nan, numbers[name])
    return numbers


def _bounds_of(options: Options) -> Bounds | None:
    if isinstance(options.missing, Bounds):
        return options.missing
    return Bounds(lowest=0.0, highest=options.multiplier) if options.missing == "bounds" else None


def _refuse_missing(laid: Layout, covered: Floats) -> None:
    group, target = (int(i) for i in np.argwhere(covered < 1)[0])
    mine, people = entries_of(laid.entries, target), "people" if laid.has_people else "areas"
    texts = [
        f"{describe(laid.entries.sources[laid.entries.source[i]])}, {laid.weight[group, i]:.1%} of the {people}"
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
    laid: Layout, covered: Floats, route: NDArray[np.object_], notices: Sequence[str], options: Options
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Codes and sentences of each estimate; estimates with equal weights and gaps share them."""
    quality, notes = np.empty(covered.shape, dtype=object), np.empty(covered.shape, dtype=object)
    seen: dict[Any, tuple[str, str]] = {}
    slices = [entries_of(laid.entries, target) for target in range(covered.shape[1])]
    for group, target in np.ndindex(covered.shape):
        mine = slices[target]
        gaps = laid.observed[group, mine].tobytes() if covered[group, target] < 1 else b""
        key = (target, laid.basis[group], laid.proxy_year[group], covered[group, target], route[group, target], gaps)
        if key not in seen or gaps:
            found = _remarks_of(laid, group, mine, str(route[group, target]), options)
            found += coverage_remarks(float(covered[group, target]), options.min_coverage)
            found += missing_remarks(laid, group, mine) if gaps else []
            found += [("recoded", f"{notice}.") for notice in (*laid.crosswalk.notices, *notices)]
            seen[key] = ";".join(dict.fromkeys(code for code, _ in found)), " ".join(text for _, text in found)
        quality[group, target], notes[group, target] = seen[key]
    return quality, notes


def _remarks_of(laid: Layout, group: int, mine: slice, route: str, options: Options) -> list[tuple[str, str]]:
    codes = [laid.entries.sources[i] for i in laid.entries.source[mine]]
    found = partial_remarks(codes, laid.share[group, mine], laid.weight[group, mine])
    weighted = route == "weighted mean"
    applies = {
        "proxy_year": laid.proxy_year[group] and weighted,
        "rounded_limits": weighted and options.family in RECOVERABLE and not options.survey and "lower" in laid.values,
        "person_years_se": options.standard_error == "person-years",
        "bounds": _bounds_of(options) is not None and not laid.observed[group, mine].all(),
    }
    found += [(code, QUALITY[code]) for code, does in applies.items() if does]
    if options.proxy and weighted:
        found.append(("proxy_denominator", f"{options.proxy[0].upper()}{options.proxy[1:].rstrip('.')}."))
    if isinstance(options.missing, Imputed):
        found.append(("imputed", f"{QUALITY['imputed']} Source: {options.missing.source}."))
    return found
