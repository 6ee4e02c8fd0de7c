"""Estimates for an area from the published values of local authorities, by population weighting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.areas import describe
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.layout import Layout, entries_of
from nenc_estimates.missing import Imputed, Missing
from nenc_estimates.preparing import prepare
from nenc_estimates.remarks import (
    coverage_remarks,
    fact_remarks,
    missing_remarks,
    modelled_remark,
    partial_remarks,
    remarkable,
)
from nenc_estimates.routes import Options, StandardError, aggregate, bounds_of
from nenc_estimates.tables import tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.aggregation import Aggregate
    from nenc_estimates.denominators import Denominator
    from nenc_estimates.vintages import Target

    Floats = NDArray[np.float64]


def estimate_indicator(
    table: IntoDataFrameT,
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
    modelled: bool = False,
    confidence: float | None = 0.95,
) -> IntoDataFrameT:
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
    modelled
        The values come from one model for all areas, so that their errors may be shared: ``notes`` gives the standard
        error for errors that are wholly shared beside that for independent ones.
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
    >>> from nenc_estimates import Crosswalk, Denominator
    >>> shares = Crosswalk.from_shares([("E06000001", "A", 1.0), ("E06000002", "A", 1.0), ("E06000003", "A", 0.5)])
    >>> people = Denominator.from_table(pd.DataFrame({"area_code": shares.sources, "people": [100, 200, 300]}))
    >>> values = pd.DataFrame({"area_code": shares.sources, "value": [0.1, 0.2, 0.4]})
    >>> estimate = estimate_indicator(values, to=shares, denominator=people)
    >>> estimate[["value", "quality"]].round(6).values.tolist()
    [[0.244444, 'partial_area;no_limits']]

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
        modelled=modelled,
        confidence=confidence,
    )
    ready = prepare(table, options, to=to, denominator=denominator, year=year)
    parts = [_estimate(laid, ready.notices, options) for laid in ready.layouts(ready.people)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["area_code"].astype(str), columns.pop("group")))
    return tidy({name: column[order] for name, column in columns.items()}, ready.stacked.backend)


def _estimate(laid: Layout, notices: Sequence[str], options: Options) -> dict[str, NDArray[Any]]:
    starts, targets = laid.entries.starts, np.array(laid.entries.targets, dtype=object)
    covered = formulas.coverage(laid.weight, laid.observed, starts)
    if (covered < 1).any():
        if options.missing == "error" or isinstance(options.missing, Imputed):
            _refuse_missing(laid, covered)
        _refuse_unweighed(laid, covered, options)
    made, route = aggregate(laid, options)
    numbers = _finished(laid, made, covered, options)
    bounded = bounds_of(options) is not None
    enough = (covered >= options.min_coverage) | bounded
    quality, notes = _remarks(laid, made, route, covered=covered, notices=notices, options=options)
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
    beside = np.where(laid.has_people & (route == "recovered counts"), route + "; coverage by " + basis, route)
    return np.where(route == "weighted mean", route + ": " + basis, beside)


def _finished(laid: Layout, made: Aggregate, covered: Floats, options: Options) -> dict[str, Floats]:
    """Put the multiplier back; without a confidence drop the limits; with bounds widen them."""
    sampled = options.multiplier * (1.0 if options.confidence is not None else np.nan)
    numbers = {
        "value": made.value * options.multiplier,
        "lower": made.lower * sampled,
        "upper": made.upper * sampled,
        "se": np.sqrt(made.variance) * sampled,
    }
    bounds = bounds_of(options)
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


def _refuse_unweighed(laid: Layout, covered: Floats, options: Options) -> None:
    """Refuse to average over what is there, or to bound what is not, where nobody knows how many people that is."""
    if options.family != "sum" and ((covered < 1) & ~laid.weighed).any():
        raise InvalidDataError(
            "some areas have no value, and there are no people to say how much that leaves uncovered: pass "
            "denominator=, or a denominator for every area of the table."
        )


def _refuse_missing(laid: Layout, covered: Floats) -> None:
    group, target = (int(i) for i in np.argwhere(covered < 1)[0])
    mine, people = entries_of(laid.entries, target), "people" if laid.weighed[group, target] else "areas"
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
    laid: Layout,
    made: Aggregate,
    route: NDArray[np.object_],
    *,
    covered: Floats,
    notices: Sequence[str],
    options: Options,
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Codes and sentences of each estimate; estimates with equal weights and gaps share them."""
    quality, notes = np.empty(covered.shape, dtype=object), np.empty(covered.shape, dtype=object)
    seen: dict[Any, tuple[str, str]] = {}
    facts = remarkable(laid, made, route, options)
    recoded = [("recoded", f"{notice}.") for notice in (*laid.crosswalk.notices, *notices)]
    slices = [entries_of(laid.entries, target) for target in range(covered.shape[1])]
    plain = options.family != "sum" and not options.modelled
    for group, target in np.ndindex(covered.shape):
        mine = slices[target]
        key = (target, laid.basis[group], *(fact[group, target] for fact in facts.values()), covered[group, target])
        if not plain or covered[group, target] < 1 or key not in seen or route[group, target] != "weighted mean":
            found = partial_remarks(laid.codes(mine), laid.share[group, mine], made.weight[group, mine])
            found += fact_remarks(facts, group, target, options)
            found += coverage_remarks(
                float(covered[group, target]), 0.0 if bounds_of(options) else options.min_coverage
            )
            found += missing_remarks(laid, group, mine) + recoded
            if options.modelled:
                found.append(modelled_remark(float(made.shared_error[group, target]) * options.multiplier))
            seen[key] = ";".join(dict.fromkeys(code for code, _ in found)), " ".join(text for _, text in found)
        quality[group, target], notes[group, target] = seen[key]
    return quality, notes
