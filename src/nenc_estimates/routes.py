"""Routes: which way the figures of source areas become the figure of a target.

Counts come first: published ones are pooled, those behind published limits are recovered and pooled. Where there are
neither, values are averaged with the people of the indicator as weights. The choice is made target by target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nenc_estimates.aggregation import (
    MOST_PLACES,
    RECOVERABLE,
    Aggregate,
    Parts,
    averaged,
    places_of,
    pooled,
    published_parts,
    recovered_parts,
    variance_from_limits,
)
from nenc_estimates.areas import describe
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.kernels.gaps import PERSON_YEARS_RULE
from nenc_estimates.kinds import FAMILIES
from nenc_estimates.missing import Bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nenc_estimates.kinds import Family
    from nenc_estimates.layout import Layout
    from nenc_estimates.missing import Missing

    Floats = NDArray[np.float64]

StandardError = Literal["published", "person-years"]
"""Where a standard error comes from."""

VALUES = ("value", "lower", "upper", "count", "denominator")
"""Columns of numbers that an estimate reads."""

NUMBERS = ("value", "variance", "lower", "upper", "shared_error")


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
    modelled: bool = False
    confidence: float | None = 0.95

    @property
    def family(self) -> Family:
        """Family of the kind."""
        return FAMILIES[self.kind]


def bounds_of(options: Options) -> Bounds | None:
    """Return the bounds that a missing area gets, where bounds were asked for."""
    if isinstance(options.missing, Bounds):
        return options.missing
    return Bounds(lowest=0.0, highest=options.multiplier) if options.missing == "bounds" else None


def aggregate(laid: Layout, options: Options) -> tuple[Aggregate, NDArray[np.object_]]:
    """Take, target by target, the best route that the figures allow.

    An area that lies partly inside brings its part of a pooled count, and the whole of a published standard error.

    Returns
    -------
    Aggregate, route
        ``route`` is ``pooled counts``, ``own denominators``, ``recovered counts`` or ``weighted mean``,
        ``(group, target)``.

    Raises
    ------
    SchemaError, InvalidDataError
        The figures allow no route without people, and there are none.
    """
    starts, confidence = laid.entries.starts, options.confidence or 0.95
    inside = np.where(laid.observed, laid.share, 0.0)
    named = "own denominators" if options.family in ("normal", "plain") else "pooled counts"
    route = np.where(laid.counted, named, "").astype(object)
    if options.family == "sum":
        name = "count" if "count" in laid.values else "value"
        unknown = np.full(inside.shape, np.nan)
        parts = Parts(value=unknown, count=laid.values[name], size=unknown, variance=unknown)
        made = pooled(parts, inside, starts, "sum", confidence=confidence)
        return made, np.full(route.shape, "pooled counts", dtype=object)
    made = pooled(
        published_parts(laid.values, options.family, options.multiplier),
        np.where(formulas.spread(laid.counted, starts, inside.shape[-1]) > 0, inside, 0.0),
        starts,
        options.family,
        confidence=confidence,
    )
    if laid.counted.all():
        return made, route
    arrays = _natural(laid, options.multiplier)
    known = formulas.grouped_sum(inside, starts) > 0
    if options.family in RECOVERABLE and not options.survey and "lower" in arrays:
        found = _recovered(laid, arrays, options)
        recovered = pooled(found, inside, starts, options.family, confidence=confidence)
        chosen = ~laid.counted & ~np.isnan(recovered.value)
        if not laid.has_people:
            _refuse_unrecovered(laid, found, np.where(laid.observed, laid.share, 0.0), laid.counted | ~known)
        made, route = _either(chosen, recovered, made, starts), np.where(chosen, "recovered counts", route)
    left = (route == "") & known
    if left.any() and not laid.has_people:
        raise SchemaError(
            f"kind {options.kind!r} without counts or limits that give them back is weighted by people: "
            "pass denominator= (a Denominator, or 'residents'), or a table with columns count and denominator."
        )
    weight = formulas.weights(laid.weight, np.where(laid.observed, 1.0, 0.0), starts)
    variance = _variance(laid, arrays, options)
    mean = averaged(arrays["value"], variance, weight, starts, options.family, confidence=confidence)
    unset = route == ""
    return _either(unset, mean, made, starts), np.where(unset, "weighted mean", route)


def _natural(laid: Layout, multiplier: float) -> dict[str, Floats]:
    """Values and limits without their multiplier, null where the area is not observed."""
    names = [name for name in ("value", "lower", "upper") if name in laid.values]
    known = {name: np.where(laid.observed, laid.values[name] / multiplier, np.nan) for name in names}
    return {"value": np.full(laid.share.shape, np.nan), **known}


def _recovered(laid: Layout, arrays: Mapping[str, Floats], options: Options) -> Parts:
    """Recover counts group by group of equally rounded numbers, so that no series depends on another."""
    shift = round(np.log10(options.multiplier))
    places = (
        places_of(*(laid.values[name] for name in ("value", "lower", "upper")))
        if options.decimals is None
        else np.full(len(laid.groups), options.decimals)
    )
    found = {name: np.full(laid.share.shape, np.nan) for name in ("value", "count", "size", "variance")}
    for place in np.unique(places):
        mine = places == place
        decimals = None if place > MOST_PLACES else int(place) + shift
        value, lower, upper = (arrays[name][mine] for name in ("value", "lower", "upper"))
        parts = recovered_parts(value, lower, upper, options.family, decimals)
        for name, column in found.items():
            column[mine] = getattr(parts, name)
    return Parts(**found)


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
    parts = published_parts(laid.values, options.family, options.multiplier)
    own = parts.variance
    if options.family == "binomial":
        own = parts.value * (1 - parts.value) / parts.size
    elif options.family == "poisson":
        own = parts.count / parts.size**2
    if "value" not in laid.values:
        return np.asarray(own)
    by_counts = formulas.spread(laid.counted, laid.entries.starts, laid.share.shape[-1]) > 0
    return np.where(by_counts, own, _variance(laid, _natural(laid, options.multiplier), options))


def _either(chosen: NDArray[np.bool_], first: Aggregate, second: Aggregate, starts: NDArray[np.intp]) -> Aggregate:
    wide = formulas.spread(chosen, starts, first.weight.shape[-1]) > 0
    pick = {name: np.where(chosen, getattr(first, name), getattr(second, name)) for name in NUMBERS}
    return Aggregate(**pick, weight=np.where(wide, first.weight, second.weight))


def _refuse_unrecovered(laid: Layout, found: Parts, inside: Floats, fine: NDArray[np.bool_]) -> None:
    lacking = np.isnan(found.size) & (inside > 0) & ~(formulas.spread(fine, laid.entries.starts, inside.shape[-1]) > 0)
    if not lacking.any():
        return
    group, entry = (int(i) for i in np.argwhere(lacking)[0])
    code = laid.entries.sources[laid.entries.source[entry]]
    raise InvalidDataError(
        f"the limits of {describe(code)} in {laid.stacked.group_named(int(laid.groups[group]))} do not give back the "
        f"count behind them ({int(lacking.sum())} rows): they are rounded too far, or made by another method. Pass "
        "denominator= to weight by people, or a table with columns count and denominator."
    )
