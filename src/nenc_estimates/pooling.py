"""Deaths and people of areas, brought together by age over a crosswalk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.areas import describe
from nenc_estimates.crosswalk_rules import narrowest_age
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.kernels.weighting import grouped_sum, spread
from nenc_estimates.quality import QUALITY
from nenc_estimates.remarks import partial_remarks
from nenc_estimates.vintages import match_vintage, merge_superseded
from nenc_estimates.withholding import part_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nenc_estimates.crosswalks import Crosswalk
    from nenc_estimates.tables import Stack

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """Series of one vintage over the entries of its crosswalk, ages last.

    Attributes
    ----------
    series
        Which series of the table are here.
    targets, names
        Codes and names of the target areas.
    starts, source
        First entry of each target, and the code of the source area of each entry.
    share
        Share of the area's people of each age who live inside the target ``(entry, age)``.
    deaths, population
        Of the whole source area ``(series, entry, age)``.
    wider
        Whether the share of a wider age group stands for that of some band.
    notices
        Superseded codes that were read as present ones.
    """

    series: NDArray[np.intp]
    targets: tuple[str, ...]
    names: tuple[str, ...]
    starts: NDArray[np.intp]
    source: tuple[str, ...]
    share: Floats
    deaths: Floats
    population: Floats
    wider: bool
    notices: tuple[str, ...]

    def pooled(self, counts: Floats) -> Floats:
        """Sum counts of the whole areas ``(series, entry, age)`` over the parts inside: ``(series, target, age)``."""
        inside = np.where(self.share > 0, counts * self.share, 0.0)
        return np.moveaxis(grouped_sum(np.moveaxis(inside, 1, -1), self.starts), -1, 1)

    def hidden_faults(self) -> NDArray[np.uint16]:
        """Bits of impossible counts of the areas inside ``(series, target, age)``: a sum would not show them."""
        bits = np.where(self.share > 0, part_faults(self.deaths, self.population), np.uint16(0))
        found: NDArray[np.uint16] = np.bitwise_or.reduceat(bits, self.starts, axis=1)
        return found

    def inside(self) -> tuple[Floats, Floats]:
        """Share of each area's people of all ages inside, and the share of the target's people that they make."""
        people = np.nansum(np.where(self.share > 0, self.population * self.share, 0.0), axis=-1)
        everyone = np.nansum(self.population, axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            total = spread(grouped_sum(people, self.starts), self.starts, people.shape[-1])
            return np.where(people > 0, people / everyone, 0.0), people / total

    def remarks(self) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """Codes and sentences about areas partly inside and recoded ones ``(series, target)``."""
        share, weight = self.inside()
        shape = (self.series.size, len(self.targets))
        quality, notes = np.empty(shape, dtype=object), np.empty(shape, dtype=object)
        ends = [*self.starts[1:].tolist(), len(self.source)]
        for series, target in np.ndindex(shape):
            mine = slice(int(self.starts[target]), ends[target])
            found = partial_remarks(self.source[mine], share[series, mine], weight[series, mine])
            if found and self.wider:
                found.append(("wider_age_share", QUALITY["wider_age_share"]))
            found += [("recoded", f"{notice}.") for notice in self.notices]
            quality[series, target] = ";".join(dict.fromkeys(code for code, _ in found))
            notes[series, target] = " ".join(text for _, text in found)
        return quality, notes


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Series and targets of every vintage, one behind the other, in key order ``(row)``.

    ``stacked`` holds their keys, the last of which is ``area_code``; ``columns`` what was handed over for each.
    """

    stacked: Stack
    columns: Mapping[str, NDArray[Any]]


def in_order(stacked: Stack, laid: Sequence[Laid], made: Sequence[Mapping[str, NDArray[Any]]]) -> Targets:
    """Bring what was made for each vintage, arrays ``(series, target, …)``, into key order.

    Names of the targets, the number of their areas and remarks are added.
    """
    parts = []
    for each, columns in zip(laid, made, strict=True):
        shape = (each.series.size, len(each.targets))
        inside = (each.share > 0).any(axis=-1)
        n_areas = grouped_sum(inside, each.starts).astype(np.int64)
        own = {
            "series": np.broadcast_to(each.series[:, None], shape),
            "area_code": np.broadcast_to(np.array(each.targets, dtype=object), shape),
            "area_name": np.broadcast_to(np.array(each.names, dtype=object), shape),
            "n_areas": np.broadcast_to(n_areas, shape),
            **dict(zip(("quality", "notes"), each.remarks(), strict=True)),
            **columns,
        }
        parts.append({name: column.reshape(-1, *column.shape[2:]) for name, column in own.items()})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((joined["area_code"].astype(str), joined["series"]))
    ordered = {name: column[order] for name, column in joined.items()}
    series = ordered.pop("series")
    keys = {name: key[series] for name, key in stacked.keys.items()} | {"area_code": ordered.pop("area_code")}
    rows = np.zeros((series.size, len(stacked.labels)), dtype=np.intp)
    return Targets(stacked=replace(stacked, keys=keys, rows=rows), columns=ordered)


def lay_ages_out(
    stacked: Stack, crosswalks: Sequence[Crosswalk], *, deaths: str, population: str
) -> tuple[Stack, list[Laid]]:
    """Lay deaths and people by area and age out over the crosswalk that fits each series.

    Parameters
    ----------
    stacked
        Groups ``(…, area_code)`` with ages along the last axis; ``area_code`` is the last key.
    crosswalks
        Of the target, in order of preference.
    deaths, population
        Names of the two columns.

    Returns
    -------
    Stack, list of Laid
        The series, in key order; and their counts, one element for each vintage.

    Raises
    ------
    InvalidDataError
        A count is negative; an area of the target has no rows in a series; areas cover the same people twice.
    UnknownAreaError
        A code belongs to no crosswalk.
    """
    for name in (deaths, population):
        below = stacked.values[name] < 0
        if below.any():
            raise InvalidDataError(f"{name} must be 0 or more, but is not in {stacked.named(below)}.")
    finite = {name: np.where(np.isinf(cells), np.nan, cells) for name, cells in stacked.values.items()}
    stacked = replace(stacked, values=finite)
    by_age, notices = merge_superseded(_areas_last(stacked))
    ages = len(stacked.labels)
    vintage = match_vintage(by_age, crosswalks).reshape(-1, ages)
    # an age band without rows would seem to fit any vintage: the series goes where its fullest band goes
    held = (by_age.rows >= 0).sum(axis=-1).reshape(-1, ages)
    chosen = vintage[np.arange(len(vintage)), held.argmax(axis=-1)]
    laid = [
        _lay_out(by_age, np.flatnonzero(chosen == i), crosswalks[i], columns=(deaths, population), notices=notices)
        for i in np.unique(chosen)
    ]
    keys = {name: key[::ages] for name, key in by_age.keys.items() if name != stacked.axis}
    empty = np.zeros((len(chosen), ages), dtype=np.intp)
    return replace(stacked, keys=keys, rows=empty, values={}), laid


def _areas_last(stacked: Stack) -> Stack:
    """Turn groups ``(…, area)`` by age into groups ``(…, age)`` by area."""
    *names, area = stacked.keys
    codes = sorted(set(stacked.keys[area]))
    column = {code: i for i, code in enumerate(codes)}
    series = {key: i for i, key in enumerate(dict.fromkeys(key[:-1] for key in stacked.group_keys()))}
    place = (
        np.array([series[key[:-1]] for key in stacked.group_keys()], dtype=np.intp),
        np.array([column[code] for code in stacked.keys[area]], dtype=np.intp),
    )
    ages = len(stacked.labels)
    shape = (len(series), ages, len(codes))
    rows = np.full(shape, -1, dtype=np.intp)
    values = {name: np.full(shape, np.nan) for name in stacked.values}
    rows[place[0], :, place[1]] = stacked.rows
    for name, cells in values.items():
        cells[place[0], :, place[1]] = stacked.values[name]
    keys = np.array(list(series), dtype=object).reshape(len(series), len(names))
    return replace(
        stacked,
        keys={name: np.repeat(keys[:, i], ages) for i, name in enumerate(names)}
        | {stacked.axis: np.tile(np.array(stacked.labels, dtype=object), len(series))},
        axis=area,
        labels=tuple(codes),
        rows=rows.reshape(-1, len(codes)),
        values={name: cells.reshape(-1, len(codes)) for name, cells in values.items()},
    )


def _lay_out(
    by_age: Stack,
    series: NDArray[np.intp],
    crosswalk: Crosswalk,
    *,
    columns: tuple[str, str],
    notices: tuple[str, ...],
) -> Laid:
    # the ages are the last key and stand in the same order in every series
    labels = [str(label) for label in dict.fromkeys(list(by_age.keys.values())[-1])]
    held = tuple(str(age) for age in dict.fromkeys(crosswalk.age))
    basis = [narrowest_age(held, age) for age in labels]
    entries = {age: crosswalk.entries(age) for age in dict.fromkeys(basis)}
    first = entries[basis[0]]
    share = np.stack([entries[age].share for age in basis], axis=-1)
    column = {code: i for i, code in enumerate(by_age.labels)}
    codes = [first.sources[i] for i in first.source]
    place = np.array([column.get(code, -1) for code in codes], dtype=np.intp)
    rows = by_age.rows.reshape(-1, len(labels), len(by_age.labels))[series]
    present = np.where(place >= 0, rows[..., place], -1).max(axis=1) >= 0
    lacking = np.argwhere(~present & (share > 0).any(axis=-1))
    if lacking.size:
        group, entry = lacking[0].tolist()
        raise InvalidDataError(
            f"no rows for {describe(codes[entry])} of {describe(first.targets[_target_of(first.starts, entry)])} in "
            f"{by_age.group_named(int(series[group]) * len(labels))} ({len(lacking)} such gaps). A life table of the "
            "rest would be that of another area: add the rows."
        )
    deaths, population = (_cells(by_age, name, series, place) for name in columns)
    return Laid(
        series=series,
        targets=first.targets,
        names=tuple(crosswalk.names.get(code, "") for code in first.targets),
        starts=first.starts,
        source=tuple(codes),
        share=share,
        deaths=deaths,
        population=population,
        wider=basis != labels,
        notices=(*crosswalk.notices, *notices),
    )


def _target_of(starts: NDArray[np.intp], entry: int) -> int:
    return int(np.searchsorted(starts, entry, side="right")) - 1


def _cells(by_age: Stack, name: str, series: NDArray[np.intp], place: NDArray[np.intp]) -> Floats:
    ages = len(set(list(by_age.keys.values())[-1]))
    column = by_age.values[name].reshape(-1, ages, len(by_age.labels))[series]
    return np.moveaxis(np.where(place >= 0, column[..., place], np.nan), 1, -1)
