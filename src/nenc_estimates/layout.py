"""A table laid out over a crosswalk: for every series and target the areas, their membership, people and weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.periods import Period
from nenc_estimates.weights import people_and_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nenc_estimates.crosswalk_rules import Entries
    from nenc_estimates.crosswalks import Crosswalk
    from nenc_estimates.denominators import Denominator
    from nenc_estimates.kinds import Family
    from nenc_estimates.tables import Stack

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The groups of one vintage over the entries of its crosswalk: arrays ``(group, entry)``.

    Attributes
    ----------
    stacked, groups
        The table, and which of its groups are here.
    crosswalk, entries
        Where they are going.
    share, people, weight
        Membership, people of the whole source area, and the share of the target that the area makes.
    observed
        Whether the area has what the estimate needs.
    values
        The value columns of the table.
    basis, proxy_year
        For each group, which people these are and whether their year stands for another.
    years
        Length of each group's period [years]; ``nan`` where there is none.
    sex
        Sex of each group.
    has_people
        Whether there is a denominator.
    counted, weighed : (group, target)
        Whether counts make the estimate; whether ``weight`` is of people, and not one for each area.
    filled
        Whether the value was imputed.
    """

    stacked: Stack
    groups: NDArray[np.intp]
    crosswalk: Crosswalk
    entries: Entries
    share: Floats
    people: Floats
    weight: Floats
    observed: NDArray[np.bool_]
    values: Mapping[str, Floats]
    basis: tuple[str, ...]
    proxy_year: tuple[bool, ...]
    years: Floats
    sex: tuple[str, ...]
    has_people: bool
    counted: NDArray[np.bool_]
    weighed: NDArray[np.bool_]
    filled: NDArray[np.bool_]

    def codes(self, mine: slice) -> list[str]:
        """Return the codes of some entries' sources."""
        return [self.entries.sources[i] for i in self.entries.source[mine]]


def lay_out(
    stacked: Stack,
    groups: NDArray[np.intp],
    crosswalk: Crosswalk,
    people: Denominator | None,
    *,
    family: Family,
    year: int | None = None,
    filled: NDArray[np.bool_] | None = None,
) -> Layout:
    """Lay groups of a table out over the entries of a crosswalk and weigh them.

    Parameters
    ----------
    stacked
        The table, areas along its axis.
    groups
        Positions of the groups that belong to this crosswalk's vintage.
    crosswalk
        Membership.
    people
        Denominator; without one the table's own denominators weigh, else each area counts as one.
    family
        What the kind needs to be pooled.
    year
        Year of the people for a table without periods.
    filled : (group, label)
        Cells of the table whose value was imputed.
    """
    periods = [_period(str(label)) for label in stacked.keys["period"][groups]] if "period" in stacked.keys else None
    sexes, ages = (
        tuple(map(str, stacked.keys[name][groups])) if name in stacked.keys else (default,) * groups.size
        for name, default in (("sex", "Persons"), ("age", "all"))
    )
    years = [period.midpoint_year for period in periods] if periods else [year] * groups.size
    series = list(zip(sexes, ages, years, strict=True))
    made = {key: _weigh(crosswalk, people, *key) for key in dict.fromkeys(series)}
    weighed = [made[key] for key in series]
    entries = weighed[0].entries
    column = {label: i for i, label in enumerate(stacked.labels)}
    place = np.array([column.get(entries.sources[i], -1) for i in entries.source], dtype=np.intp)
    values = {name: np.where(place >= 0, numbers[groups][:, place], np.nan) for name, numbers in stacked.values.items()}
    share = np.stack([each.entries.share for each in weighed])
    counted, observed = _evidence(values, share, entries.starts, family, has_people=people is not None)
    even = np.stack([each.weight for each in weighed])
    weight, weighed_by = _coverage_weights(even, values, share, entries.starts, family, has_people=people is not None)
    return Layout(
        stacked=stacked,
        groups=groups,
        crosswalk=crosswalk,
        entries=entries,
        share=share,
        people=np.stack([each.people for each in weighed]),
        weight=weight,
        observed=observed,
        values=values,
        basis=tuple(each.basis for each in weighed),
        proxy_year=tuple(each.proxy_year for each in weighed),
        years=np.array([period.months / 12 or np.nan for period in periods])
        if periods
        else np.full(groups.size, np.nan),
        sex=sexes,
        has_people=people is not None,
        counted=counted,
        weighed=weighed_by,
        filled=_placed(filled, groups, place) if filled is not None else np.zeros(share.shape, dtype=bool),
    )


def _placed(cells: NDArray[np.bool_], groups: NDArray[np.intp], place: NDArray[np.intp]) -> NDArray[np.bool_]:
    return (place >= 0) & cells[groups][:, place]


def _evidence(
    values: Mapping[str, Floats], share: Floats, starts: NDArray[np.intp], family: Family, *, has_people: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say for each target whether all that is known of it is known as counts, and which areas are known at all."""
    known = {name: ~np.isnan(column) for name, column in values.items()}
    nothing = np.zeros(share.shape, dtype=bool)
    value, count = known.get("value", nothing), known.get("count", nothing)
    size = known.get("denominator", nothing)
    if family == "sum":
        counts = count
    elif family in ("binomial", "poisson", "ratio"):
        counts = count & size
    elif family == "dobson":
        # a rate of 0 has no denominator count / rate
        counts = count & value & (values["value"] > 0) if value.any() else nothing
    else:
        counts = size & value if not has_people else nothing
    inside = share > 0
    counted = (formulas.grouped_sum(inside & (value | counts) & ~counts, starts) == 0) & (
        formulas.grouped_sum(inside & counts, starts) > 0
    )
    by_counts = formulas.spread(counted, starts, share.shape[-1]) > 0
    return counted, np.where(by_counts, counts, value)


def _coverage_weights(
    weight: Floats,
    values: Mapping[str, Floats],
    share: Floats,
    starts: NDArray[np.intp],
    family: Family,
    *,
    has_people: bool,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Weigh coverage by the table's own denominators where it has them all, else by people; also whether it could."""
    size = values.get("denominator") if family in ("binomial", "poisson", "ratio") or not has_people else None
    if size is None or family == "sum":
        return weight, np.full((share.shape[0], starts.size), has_people)
    own = formulas.weights(np.where(share == 0, 0.0, size), share, starts)
    complete = ~np.isnan(formulas.grouped_sum(own, starts))
    wide = formulas.spread(complete, starts, share.shape[-1]) > 0
    return np.where(wide, own, weight), complete | has_people


@cache
def _period(label: str) -> Period:
    return Period.parse(label)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    entries: Entries
    people: Floats
    weight: Floats
    basis: str
    proxy_year: bool


def _weigh(crosswalk: Crosswalk, people: Denominator | None, sex: str, age: str, year: int | None) -> _Weighed:
    entries = crosswalk.entries(age)
    if people is None:
        even = np.ones(entries.share.shape)
        weight = formulas.weights(even, entries.share, entries.starts)
        return _Weighed(
            entries=entries, people=even * np.nan, weight=weight, basis="coverage by areas", proxy_year=False
        )
    used, count, weight = people_and_weights(entries, people, sex=sex, age=age, year=year)
    when = f", {used} ({people.series_of(used)})" if people.series_of(used) else f", {used}" if used else ""
    return _Weighed(
        entries=entries,
        people=count,
        weight=weight,
        basis=f"{people.name}, {sex}, age {age}{when}",
        proxy_year=year is not None and used not in (0, year),  # 0 stands for any year
    )


def entries_of(entries: Entries, target: int) -> slice:
    """Return where the entries of one target stand."""
    ends = np.append(entries.starts, entries.source.size)
    return slice(int(ends[target]), int(ends[target + 1]))
