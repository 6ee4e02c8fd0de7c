"""Measures of inequality between quantiles of deprivation, and the definitions that are never mixed."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nenc_estimates.kernels import inequality, slopes
from nenc_estimates.tables import tidy_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from nenc_estimates.kernels.inequality import Measure
    from nenc_estimates.tables import Stack, Texts

    Floats = NDArray[np.float64]

DEFINITIONS: Mapping[str, str] = MappingProxyType(
    {
        "national quantiles": "People by the quantile of the whole country that their neighbourhood is in.",
        "local quantiles": "People of one area by the quantile of that area that their neighbourhood is in.",
        "pooled local quantiles": "People of several areas, each by the quantile of their own area, added up.",
        "mean of local gaps": "The mean of each area's own gap between its local quantiles, weighted by people.",
    }
)
"""Whose quantiles a gap lies between. Gaps of different definitions are different quantities: national quantiles stand
further apart than those of a region whose neighbourhoods are alike."""


class Rule(NamedTuple):
    """A measure: its formula of values, people, standard errors and confidence, and the quantiles that it needs."""

    formula: Callable[[Floats, Floats, Floats, float], Measure]
    ends_only: bool = False


MEASURES: Mapping[str, Rule] = MappingProxyType(
    {
        "difference": Rule(lambda y, _, s, c: inequality.absolute_gap(y, se=s, confidence=c), ends_only=True),
        "ratio": Rule(lambda y, _, s, c: inequality.ratio(y, se=s, confidence=c), ends_only=True),
        "slope index": Rule(lambda y, p, s, c: slopes.slope_index(y, p, se=s, confidence=c)),
        "relative index": Rule(lambda y, p, s, c: slopes.relative_index(y, p, se=s, confidence=c)),
        "attributable risk": Rule(lambda y, p, s, c: inequality.attributable_risk(y, p, se=s, confidence=c)),
        "attributable fraction": Rule(lambda y, p, s, c: inequality.attributable_fraction(y, p, se=s, confidence=c)),
        "absolute concentration index": Rule(
            lambda y, p, s, c: inequality.absolute_concentration_index(y, p, se=s, confidence=c)
        ),
        "relative concentration index": Rule(
            lambda y, p, s, c: inequality.relative_concentration_index(y, p, se=s, confidence=c)
        ),
    }
)
"""Name → measure. Differences are least minus most deprived, ratios least over most deprived; the reference of what is
attributable is the least deprived quantile."""


def check_choice(name: str, known: Mapping[str, object], *, what: str) -> None:
    """Refuse a name that a registry does not have.

    Examples
    --------
    >>> check_choice("ratio", MEASURES, what="a measure")
    """
    if name not in known:
        raise ValueError(f"{what} is one of {', '.join(known)}, not {name!r}")


def reasons_for_values(stacked: Stack, *, people: bool) -> NDArray[np.object_]:
    """Say what each quantile lacks ``(group, quantile)``: a code of ``QUALITY``, empty where it lacks nothing.

    Parameters
    ----------
    stacked
        A table by quantile with ``value``, and ``population`` where people are needed.
    people
        Whether they are.
    """
    absent = stacked.rows < 0
    reasons = np.where(absent, "missing_quantile", "").astype(object)
    reasons[~absent & np.isnan(stacked.values["value"])] = "quantile_without_value"
    if people:
        nobody = ~absent & (reasons == "") & ~(stacked.values["population"] > 0)
        reasons[nobody] = "quantile_without_people"
    return reasons


def tidy_measures(
    stacked: Stack, made: Mapping[str, Measure], *, definition: str, method: str, reasons: NDArray[np.object_]
) -> Any:
    """Make a frame of the caller's own kind: one row for each group and measure, in key order.

    Parameters
    ----------
    stacked
        Where the groups and the kind of frame come from.
    made
        Name of each measure, and its numbers ``(group,)``.
    definition, method
        What was compared and how the limits were made.
    reasons
        What each quantile lacks ``(group, quantile)``.
    """
    groups, names = len(reasons), list(made)
    rows = groups * len(names)

    def column(part: str) -> Floats:
        known = (np.where(np.isnan(each.value), np.nan, getattr(each, part)) for each in made.values())
        return np.stack(list(known), axis=-1).ravel()

    def one(text: str) -> Texts:
        return [text], np.zeros(rows, dtype=np.int32)

    quality = np.zeros((groups, len(names)), dtype=np.int32)
    codes: dict[str, int] = {"": 0}
    for group in np.flatnonzero((reasons != "").any(axis=-1)):
        for i, name in enumerate(names):
            quality[group, i] = codes.setdefault(_codes(reasons[group], name), len(codes))
    each_group = np.repeat(np.arange(groups, dtype=np.int32), len(names))
    return tidy_texts(
        {
            **{name: (key.tolist(), each_group) for name, key in stacked.keys.items()},
            "measure": (names, np.tile(np.arange(len(names), dtype=np.int32), groups)),
            "definition": one(definition),
        },
        {
            "quantiles": np.full(rows, reasons.shape[-1], dtype=np.int64),
            **{part: column(part) for part in ("value", "lower", "upper", "se")},
        },
        {"method": one(method), "quality": (list(codes), quality.ravel())},
        stacked.backend,
    )


def measured(
    value: Floats, population: Floats, se: Floats, *, measures: Sequence[str], confidence: float
) -> dict[str, Measure]:
    """Work out measures of values by quantile.

    Parameters
    ----------
    value, population, se
        ``(group, quantile)``, most deprived first.
    measures
        Keys of :data:`MEASURES`.
    confidence
        Of the limits.

    Examples
    --------
    >>> values, people, se = np.array([[72.0, 77.0, 82.0]]), np.ones((1, 3)), np.full((1, 3), 0.3)
    >>> measured(values, people, se, measures=["difference"], confidence=0.95)["difference"].value
    array([10.])
    """
    for name in measures:
        check_choice(name, MEASURES, what="a measure")
    return {name: MEASURES[name].formula(value, population, se, confidence) for name in measures}


def _codes(reasons: NDArray[np.object_], measure: str) -> str:
    rule = MEASURES.get(measure)
    needed = reasons[[0, -1]] if rule and rule.ends_only else reasons
    found = [code for reason in needed for code in str(reason).split(";") if code]
    return ";".join(dict.fromkeys(found))
