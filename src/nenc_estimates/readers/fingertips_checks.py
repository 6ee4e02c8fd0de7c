"""What the values of a Fingertips download must satisfy."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.errors import InvalidDataError
from nenc_estimates.readers.cells import NOT_PUBLISHED
from nenc_estimates.readers.report import shown
from nenc_estimates.readers.rows import group_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nenc_estimates.readers.cells import Coded
    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.report import Log

    Texts = dict[str, Coded]
    Numbers = dict[str, NDArray[np.float64]]

PLAUSIBLE = MappingProxyType(
    {
        "90366": (40.0, 100.0),  # life expectancy at birth
        "90362": (30.0, 100.0),  # healthy life expectancy at birth
        "91102": (5.0, 40.0),  # life expectancy at 65
        "93505": (1.0, 40.0),  # healthy life expectancy at 65
    }
)
"""Indicator ID to the range outside which a value is a mistake of unit or of transport [years]."""

_WITHIN = (("90362", "90366"), ("93505", "91102"))
_MARKERS = (-1.0, -99.0, -999.0)


def real_values(
    texts: Texts, numbers: Numbers, reasons: NDArray[np.int8], grid: Grid, log: Log
) -> tuple[Numbers, NDArray[np.int8]]:
    """Read -1 as missing where it stands for that: limits around it tell a value from a marker.

    Raises
    ------
    InvalidDataError
        It may be either: it has limits that do not hold it, or other values of the indicator are negative too.
    """
    made = dict(numbers)
    for name in ("count", "denominator"):
        absent = (numbers[name] < 0) if name == "count" else (numbers[name] <= 0)
        wrong = absent & ~np.isin(numbers[name], (*_MARKERS, 0.0))
        if wrong.any():
            raise InvalidDataError(f"{grid.name}: {name} is negative in {grid.where(wrong)}.")
        if absent.any():
            made[name] = np.where(absent, np.nan, numbers[name])
            log.repaired(f"{name} of 0 or less read as missing", int(absent.sum()), grid.where(absent))
    value = numbers["value"]
    negative = value < 0
    if not negative.any():
        return made, reasons
    bracketed = (numbers["lower"] < value) & (value < numbers["upper"])
    marker = np.isin(value, _MARKERS) & ~bracketed
    identifier = texts["indicator_id"].codes
    signed = np.isin(identifier, identifier[negative & ~marker])
    limits = np.column_stack([numbers["lower"], numbers["upper"]])
    limited = (~np.isnan(limits) & ~np.isin(limits, _MARKERS)).any(axis=1)
    doubtful = marker & (signed | limited)
    if doubtful.any():
        raise InvalidDataError(
            f"{grid.name}: {float(value[np.argmax(doubtful)])!r} in {grid.where(doubtful)} may be a value or not: "
            "it has limits that do not hold it, or other values are negative. Empty the cell."
        )
    log.repaired("negative marker read as missing", int(marker.sum()), grid.where(marker))
    for name in ("value", "lower", "upper", "lower_99_8", "upper_99_8"):
        empty = marker & ((name == "value") | np.isin(numbers[name], _MARKERS))
        made[name] = np.where(empty, np.nan, numbers[name])
    return made, np.where(marker, NOT_PUBLISHED, reasons).astype(np.int8)


def check_values(texts: Texts, numbers: Numbers, keep: NDArray[np.bool_], grid: Grid, log: Log) -> None:
    """Refuse impossible values and note doubtful ones.

    Raises
    ------
    InvalidDataError
        A lower limit is above its upper one; years of life are outside what can be; healthy years exceed all years.
    """
    value = numbers["value"]
    for lower, upper in (("lower", "upper"), ("lower_99_8", "upper_99_8")):
        crossed = keep & (numbers[lower] > numbers[upper])
        if crossed.any():
            raise InvalidDataError(f"{grid.name}: the lower limit is above the upper one in {grid.where(crossed)}.")
        outside = keep & ((value < numbers[lower]) | (value > numbers[upper]))
        if outside.any():
            log.warned(f"the value lies outside {lower} and {upper} in {grid.where(outside)}")
    for identifier, (low, high) in PLAUSIBLE.items():
        if identifier in texts["indicator_id"].labels:
            wrong = keep & texts["indicator_id"].is_label(identifier) & ((value < low) | (value > high))
            if wrong.any():
                raise InvalidDataError(
                    f"{grid.name}: indicator {identifier} is measured in years and lies between {low:g} and {high:g}, "
                    f"but is {float(value[np.argmax(wrong)])!r} in {grid.where(wrong)}."
                )
    for part, whole in _WITHIN:
        _check_within(texts, value, keep, grid, part=part, whole=whole)
    _warn_of_scale(texts, value, keep, log)
    _warn_of_sums(texts, numbers["count"], keep, grid, log)


def _check_within(
    texts: Texts, value: NDArray[np.float64], keep: NDArray[np.bool_], grid: Grid, *, part: str, whole: str
) -> None:
    """Refuse healthy years above all years of the same people."""
    known = texts["indicator_id"]
    if part not in known.labels or whole not in known.labels:
        return
    names = ("area_code", "sex", "category_type", "category", "period", "period_range")
    key = group_numbers([texts[name].codes for name in names])
    years = keep & known.is_label(whole) & ~np.isnan(value)
    order = np.argsort(key[years], kind="stable")
    keys, values = key[years][order], value[years][order]
    healthy = keep & known.is_label(part) & ~np.isnan(value)
    if not keys.size or not healthy.any():
        return
    place = np.minimum(np.searchsorted(keys, key[healthy]), keys.size - 1)
    above = (keys[place] == key[healthy]) & (value[healthy] > values[place])
    if above.any():
        cells = np.zeros(len(grid), dtype=bool)
        cells[np.flatnonzero(healthy)[above]] = True
        raise InvalidDataError(
            f"{grid.name}: healthy years ({part}) are more than all years of life ({whole}) in {grid.where(cells)}."
        )


def _warn_of_scale(texts: Texts, value: NDArray[np.float64], keep: NDArray[np.bool_], log: Log) -> None:
    """Note percentages that look like shares of 1, and those above 100."""
    percentages = [name for name in texts["indicator"].labels if "%" in name or "percentage" in name.casefold()]
    for name in percentages[:100]:
        values = value[keep & texts["indicator"].is_label(name)]
        highest = np.nanmax(values) if np.isfinite(values).any() else np.nan
        if highest > 100:
            log.warned(f"a value of {shown(name)} is above 100")
        elif values.size > 1 and 0 < highest <= 1:
            log.warned(f"values of {shown(name)} are all 1 or less: shares of 1 rather than percentages?")


def _warn_of_sums(texts: Texts, count: NDArray[np.float64], keep: NDArray[np.bool_], grid: Grid, log: Log) -> None:
    """Note counts of persons that men and women do not add up to."""
    sex = texts["sex"]
    if not {"Male", "Female", "Persons"} <= set(sex.labels) or np.isnan(count[keep]).all():
        return
    names = ("indicator_id", "area_code", "age", "category_type", "category", "period", "period_range")
    rows = np.flatnonzero(keep & ~np.isnan(count))
    group = np.unique(group_numbers([texts[name].codes[rows] for name in names]), return_inverse=True)[1]
    sums = {}
    for label in ("Male", "Female", "Persons"):
        chosen = sex.is_label(label)[rows]
        sums[label] = np.full(group.max(initial=-1) + 1, np.nan)
        sums[label][group[chosen]] = count[rows][chosen]
    off = np.abs(sums["Male"] + sums["Female"] - sums["Persons"]) > 1.5
    if off.any():
        cells = np.zeros(len(grid), dtype=bool)
        cells[rows[np.isin(group, np.flatnonzero(off)) & sex.is_label("Persons")[rows]]] = True
        log.warned(f"counts of men and women do not add up to those of persons in {grid.where(cells)}")
