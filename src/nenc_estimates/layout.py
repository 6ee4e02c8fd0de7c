"""A table laid out over a crosswalk: for every series and target the areas, their membership, people and weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.periods import Period

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nenc_estimates.crosswalk_rules import Entries
    from nenc_estimates.crosswalks import Crosswalk
    from nenc_estimates.denominators import Denominator
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
        Whether ``people`` and ``weight`` are of people, and not one for each area.
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


def lay_out(
    stacked: Stack,
    groups: NDArray[np.intp],
    crosswalk: Crosswalk,
    people: Denominator | None,
    *,
    year: int | None = None,
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
        Denominator; None counts each area as one, which matters for coverage only.
    year
        Year of the people for a table without periods.
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
    observed = ~np.isnan(
        values["count"] + values["denominator"] if {"count", "denominator"} <= set(values) else values["value"]
    )
    weight = np.stack([each.weight for each in weighed])
    share = np.stack([each.entries.share for each in weighed])
    if people is None and "denominator" in values and (observed | (share == 0)).all():
        weight = formulas.weights(np.where(share == 0, 0.0, values["denominator"]), share, entries.starts)
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
    )


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
    members = [entries.sources[i] for i in np.unique(entries.source[entries.share > 0])]
    used = people.nearest_year(members, sex=sex, age=age, year=year)
    count = people.people(entries.sources, sex=sex, age=age, year=used)[entries.source]
    weight = formulas.weights(np.where(entries.share == 0, 0.0, count), entries.share, entries.starts)
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
