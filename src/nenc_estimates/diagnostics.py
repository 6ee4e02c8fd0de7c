"""Diagnostics: what an estimate rests on, and how much it would move."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.areas import areas
from nenc_estimates.crosswalks import Crosswalk
from nenc_estimates.errors import SchemaError
from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.layout import Layout, entries_of
from nenc_estimates.preparing import as_denominator, prepare
from nenc_estimates.quality import QUALITY
from nenc_estimates.routes import Options, aggregate, areas_variance
from nenc_estimates.tables import open_frame, text_column, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.denominators import Denominator
    from nenc_estimates.tables import Stack
    from nenc_estimates.vintages import Target

    Floats = NDArray[np.float64]
    Add = Callable[..., None]


DIAGNOSTICS: Mapping[str, str] = MappingProxyType(
    {
        "route": "how the estimate was made",
        "coverage": "share of the people whose area has a value",
        "effective_number": "effective number of areas, 1 / sum of W squared",
        "weight": "share of the target that an area makes",
        "largest_weight": "the largest of these",
        "leave_one_out": "the estimate without an area, (t - W_i t_i) / (1 - W_i)",
        "influence": "the estimate less the one without the area",
        "membership": "share of a partial area that lies inside",
        "bias_per_unit": "W (1 - m): how far the estimate is off for each unit between the part inside and the rest",
        "lowest_area": "lowest value of an area with weight",
        "highest_area": "highest value of an area with weight",
        "between_area_sd": "standard deviation of the areas' values",
        "se_independent": "standard error when the areas' errors are independent",
        "se_correlated": "standard error when the areas share their errors wholly, as modelled values may",
        "proxy": "people who stand for others",
        "total_variation": "half the sum of absolute differences between the two sets of weights",
        "sensitivity_bound": "total variation times the range of the areas: these other weights cannot move it further",
        "value_against": "the estimate under the second denominator",
        "value_other_vintage": "the estimate from areas of another vintage",
    }
)
"""Every diagnostic, and what it is."""


def diagnose_estimate(
    table: IntoDataFrameT,
    *,
    to: Target,
    denominator: Denominator | str | None = None,
    against: Denominator | str | None = None,
    other_vintage: IntoDataFrame | None = None,
    kind: str = "mean",
    multiplier: float = 1.0,
    year: int | None = None,
    survey: bool = False,
    proxy: str = "",
) -> IntoDataFrameT:
    """Tell what each estimate of :func:`~nenc_estimates.estimate_indicator` rests on.

    Parameters
    ----------
    table, to, denominator, kind, multiplier, year, survey, proxy
        As for :func:`~nenc_estimates.estimate_indicator`. Areas without a value are left out and show in ``coverage``.
    against
        A second denominator, to see how much the choice matters.
    other_vintage
        The same series on areas of another vintage (districts, or the county that held them), to see how much that
        matters.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``area_code`` (the target), ``diagnostic``, ``source_code`` (an area, or empty), ``value`` and
        ``detail`` (words, or empty); one row for each fact. `.DIAGNOSTICS`
        says what each diagnostic is; those of the second denominator need ``against``.

    Raises
    ------
    EstimatesError
        As :func:`~nenc_estimates.estimate_indicator`.

    Notes
    -----
    Leave-one-out: ``t(-i) = (t - W_i t_i) / (1 - W_i)``. Total variation is half the sum of absolute differences of the
    weights; no weighted mean can differ by more than it times the range.

    Examples
    --------
    >>> import pandas as pd
    >>> from nenc_estimates import Denominator
    >>> shares = Crosswalk.from_shares([("E06000001", "A", 1.0), ("E06000002", "A", 1.0), ("E06000003", "A", 0.5)])
    >>> people = Denominator.from_table(pd.DataFrame({"area_code": shares.sources, "people": [100, 200, 300]}))
    >>> values = pd.DataFrame({"area_code": shares.sources, "value": [0.1, 0.2, 0.4]})
    >>> facts = diagnose_estimate(values, to=shares, denominator=people)
    >>> facts[facts["diagnostic"] == "leave_one_out"]["value"].round(4).tolist()
    [0.2857, 0.28, 0.1667]
    """
    options = Options(kind=kind, multiplier=multiplier, missing="renormalise", survey=survey, proxy=proxy)
    if kind == "count":
        raise SchemaError("diagnostics are for values that are averaged, not for kind 'count'.")
    ready = prepare(table, options, to=to, denominator=denominator, year=year)
    other = as_denominator(against)
    facts = _Facts()
    for laid in ready.layouts(ready.people):
        _examine(facts, laid, options)
    if other is not None:
        for laid, under in zip(ready.layouts(ready.people), ready.layouts(other), strict=True):
            _compare(facts, laid, under, options)
    if other_vintage is not None:
        again = prepare(other_vintage, options, to=to, denominator=denominator, year=year)
        for laid in again.layouts(again.people):
            _revalue(facts, laid, ready.stacked, options)
    return facts.frame(ready.stacked)


@dataclass(frozen=True, slots=True)
class _Facts:
    rows: list[tuple[int, str, str, str, float, str]] = field(default_factory=list)

    def about(self, group: int, target: str) -> Add:
        def add(name: str, value: float = np.nan, *, source: str = "", detail: str = "") -> None:
            self.rows.append((int(group), target, name, source, float(value), detail))

        return add

    def frame(self, stacked: Stack) -> Any:
        ordered = sorted(self.rows, key=lambda row: row[:2])
        groups = np.array([row[0] for row in ordered], dtype=np.intp)
        names = ("area_code", "diagnostic", "source_code", "value", "detail")
        columns = {name: [row[i] for row in ordered] for i, name in enumerate(names, start=1)}
        return tidy({**{name: key[groups] for name, key in stacked.keys.items()}, **columns}, stacked.backend)


def _examine(facts: _Facts, laid: Layout, options: Options) -> None:
    made, route = aggregate(laid, options)
    starts = laid.entries.starts
    covered = formulas.coverage(laid.weight, laid.observed, starts)
    variance = areas_variance(laid, options)
    errors = {
        name: options.multiplier
        * np.sqrt(formulas.weighted_mean_variance(variance, made.weight, starts, correlation=correlation))
        for name, correlation in (("se_independent", 0.0), ("se_correlated", 1.0))
    }
    values = _values(laid, options)
    for place, group in enumerate(laid.groups):
        for target, code in enumerate(laid.entries.targets):
            mine, add = entries_of(laid.entries, target), facts.about(group, code)
            weighted = route[place, target] == "weighted mean"
            add("route", detail=str(route[place, target]))
            add("coverage", covered[place, target])
            for name, error in errors.items():
                add(name, error[place, target])
            if laid.proxy_year[place] and weighted:
                add("proxy", detail=QUALITY["proxy_year"])
            if options.proxy and weighted:
                add("proxy", detail=options.proxy)
            _examine_areas(
                add, laid.codes(mine), laid.share[place, mine], made.weight[place, mine], values[place, mine]
            )


def _examine_areas(add: Add, names: Sequence[str], share: Floats, weight: Floats, value: Floats) -> None:
    used = np.flatnonzero(weight > 0)
    if used.size == 0:
        return
    total = float(weight[used] @ value[used])
    largest, lowest, highest = (
        used[pick] for pick in (weight[used].argmax(), value[used].argmin(), value[used].argmax())
    )
    add("effective_number", 1.0 / float(weight[used] @ weight[used]))
    add("largest_weight", weight[largest], source=names[largest])
    add("lowest_area", value[lowest], source=names[lowest])
    add("highest_area", value[highest], source=names[highest])
    add("between_area_sd", float(value[used].std(ddof=1)) if used.size > 1 else np.nan)
    for i in used.tolist():
        add("weight", weight[i], source=names[i])
        if used.size > 1:
            without = (total - weight[i] * value[i]) / (1.0 - weight[i])
            add("leave_one_out", without, source=names[i])
            add("influence", total - without, source=names[i])
        if share[i] < 1:
            add("membership", share[i], source=names[i])
            add("bias_per_unit", weight[i] * (1.0 - share[i]), source=names[i])


def _values(laid: Layout, options: Options) -> Floats:
    if {"count", "denominator"} <= set(laid.values) and options.family in ("binomial", "poisson", "ratio"):
        return np.asarray(laid.values["count"] / laid.values["denominator"] * options.multiplier)
    return laid.values["value"]


def _revalue(facts: _Facts, laid: Layout, stacked: Stack, options: Options) -> None:
    """Add the estimates from another vintage to the series that both tables have."""
    made, _ = aggregate(laid, options)
    groups = {key: group for group, key in enumerate(stacked.group_keys())}
    keys = laid.stacked.group_keys()
    for place, group in enumerate(laid.groups):
        if keys[group] in groups:
            for target, code in enumerate(laid.entries.targets):
                value = made.value[place, target] * options.multiplier
                facts.about(groups[keys[group]], code)("value_other_vintage", value, detail=laid.crosswalk.source)


def _compare(facts: _Facts, laid: Layout, other: Layout, options: Options) -> None:
    starts = laid.entries.starts
    made, _ = aggregate(laid, options)
    weight = formulas.weights(other.weight, np.where(other.observed, 1.0, 0.0), starts)
    variation = 0.5 * formulas.grouped_sum(np.abs(weight - made.weight), starts)
    values = _values(laid, options)
    counted = (made.weight > 0) | (weight > 0)
    reach = np.maximum.reduceat(np.where(counted, values, -np.inf), starts, axis=-1) - np.minimum.reduceat(
        np.where(counted, values, np.inf), starts, axis=-1
    )
    moved = formulas.weighted_mean(np.where(counted, values, 0.0), weight, starts)
    for place, group in enumerate(laid.groups):
        for target, code in enumerate(laid.entries.targets):
            add = facts.about(group, code)
            add("total_variation", variation[place, target])
            add("sensitivity_bound", variation[place, target] * reach[place, target])
            add("value_against", moved[place, target], detail=other.basis[place])


def benchmark_crosswalk(table: IntoDataFrame, *, region: str) -> Crosswalk:
    """Build the crosswalk from local authorities to the region that they make, for a check against its published row.

    Parameters
    ----------
    table
        ``area_code``; its local authorities of the region are the sources, each wholly inside.
    region
        GSS code of a region, such as ``"E12000001"``.

    Returns
    -------
    Crosswalk

    Raises
    ------
    SchemaError
        The table holds no local authority that the package knows to lie in the region.

    Examples
    --------
    >>> import pandas as pd
    >>> benchmark_crosswalk(pd.DataFrame({"area_code": ["E06000001", "E10000006"]}), region="E12000001").sources
    ('E06000001',)
    """
    codes = sorted(set(text_column(open_frame(table, ["area_code"]), "area_code")))
    known = areas()
    inside = [code for code in codes if code in known and known[code].parent == region]
    if not inside:
        raise SchemaError(f"no local authority of {region} in the table.")
    return Crosswalk.from_shares([(code, region, 1.0) for code in inside], target=region, basis="nested")
