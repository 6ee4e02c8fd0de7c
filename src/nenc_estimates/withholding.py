"""Withholding: which life tables are not to be shown, and a code in every row that says why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nenc_estimates.kernels.levels import z_value
from nenc_estimates.kernels.life_table import Fault, life_table_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When the figures of a group are withheld.

    Attributes
    ----------
    least_person_years
        All figures of a group with this many person-years or fewer, over all ages, are withheld.
    widest_interval
        A value whose 95 % limits, whatever limits are asked for, lie further apart is withheld [years]. The limits
        stay: they are the reason.
    whole_groups
        Whether a fault in one band (deaths above population, say) withholds the group at every age, or only the ages
        that the fault makes undefined.

    Examples
    --------
    >>> Rules(least_person_years=10_000).least_person_years
    10000
    """

    least_person_years: float = -inf
    widest_interval: float = inf
    whole_groups: bool = False


LARGEST_WITHHELD: Final = 7
"""Largest count that is withheld below national level: NHS England, Hospital Episode Statistics."""

OHID: Final = Rules(least_person_years=5_000, widest_interval=20, whole_groups=True)
"""As Fingertips does: the rules of PHEindicatormethods 2.1.0, ``phe_life_expectancy``."""

NONE: Final = Rules()
"""Nothing is withheld that can be computed."""

CODES: Mapping[int, str] = MappingProxyType(
    {
        Fault.MISSING: "missing_value",
        Fault.NEGATIVE_DEATHS: "negative_deaths",
        Fault.NO_POPULATION: "no_population",
        Fault.MORE_DEATHS_THAN_PEOPLE: "more_deaths_than_people",
        Fault.NO_DEATHS_IN_OPEN_BAND: "no_deaths_in_open_band",
        32: "missing_band",
        64: "missing_prevalence",
        128: "no_respondents",
        256: "withheld_person_years",
        512: "withheld_wide_interval",
        1024: "nobody_survives",
    }
)
"""Bit to code of ``QUALITY``: reasons add up."""

_BIT: Final = MappingProxyType({code: np.uint16(bit) for bit, code in CODES.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Deaths and people of life tables ``(group, age)``, and what is wrong with them.

    Attributes
    ----------
    deaths, population
        [people].
    faults
        Bits of :data:`CODES` ``(group,)``.
    extinct
        Whether by these rates everyone has died before the age ``(group, age)``.
    """

    deaths: Floats
    population: Floats
    faults: NDArray[np.uint16]
    extinct: Flags

    def with_parts(self, bits: NDArray[np.uint16]) -> Counts:
        """Take in the faults of what was added up, `part_faults` ``(group, age)``."""
        faults = self.faults | np.bitwise_or.reduce(bits, axis=-1)
        return replace(self, deaths=np.where(bits > 0, np.nan, self.deaths), faults=faults)


def part_faults(deaths: Floats, population: Floats) -> NDArray[np.uint16]:
    """Find impossible counts of areas that are to be added up: the sum would hide them.

    Parameters
    ----------
    deaths, population
        ``(..., age)`` [people].

    Returns
    -------
    NDArray
        Bits of :data:`CODES` ``(..., age)``. A band where nobody lives and nobody died is possible in a small area; an
        area where nobody lives at any age is not.

    Examples
    --------
    >>> part_faults(np.array([[9.0, 0.0], [0.0, 1.0]]), np.array([[8.0, 0.0], [5.0, 0.0]]))
    array([[8, 0],
           [0, 4]], dtype=uint16)
    """
    deserted = (population <= 0).all(axis=-1, keepdims=True)
    nobody = (population < 0) | ((population == 0) & ((deaths > 0) | deserted))
    more = (deaths > population) & (population > 0)
    found = {Fault.NEGATIVE_DEATHS: deaths < 0, Fault.NO_POPULATION: nobody, Fault.MORE_DEATHS_THAN_PEOPLE: more}
    bits = np.zeros(deaths.shape, dtype=np.uint16)
    for fault, cells in found.items():
        bits |= np.where(cells, np.uint16(fault), np.uint16(0))
    return bits


def check_counts(deaths: Floats, population: Floats, *, nax: Floats, absent: Flags | None = None) -> Counts:
    """Find what is wrong with deaths and people of life tables.

    Parameters
    ----------
    deaths, population
        ``(group, age)`` [people].
    nax
        Years lived in each band by those who die in it, ``(age,)`` or ``(group, age)`` [years].
    absent
        Cells for which the table has no row.

    Examples
    --------
    >>> check_counts(np.array([[9.0, 3.0]]), np.array([[8.0, 9.0]]), nax=np.array([0.1, np.nan])).faults
    array([8], dtype=uint16)
    """
    faults = life_table_faults(deaths, population).astype(np.uint16)
    if np.isinf(population).any():  # a fault, not a rate of 0
        population = np.where(np.isinf(population), np.nan, population)
    if absent is not None and absent.any():  # a cell without a row is nan as well: say the cause, not both
        lone = (np.isnan(deaths + population) & ~absent).any(axis=-1)
        gone = absent.any(axis=-1)
        faults[gone & ~lone] &= ~_BIT["missing_value"]
        faults[gone] |= _BIT["missing_band"]
    extinct = np.zeros(deaths.shape, dtype=bool)
    capped = deaths[:, :-1] * nax[..., :-1] >= population[:, :-1]
    if capped.any():
        capped &= (deaths <= population)[:, :-1]  # else it is a fault
        extinct[:, 1:] = np.logical_or.accumulate(capped, axis=-1)
    return Counts(deaths=deaths, population=population, faults=faults, extinct=extinct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What may be shown ``(group, age)``.

    Attributes
    ----------
    value
        Figures.
    centre, se
        What limits are made from; they outlive a value withheld because its limits are wide.
    quality
        Texts of codes, and which of them stands in each cell.
    """

    value: Floats
    centre: Floats
    se: Floats
    quality: tuple[list[str], NDArray[Any]]


def withhold(
    counts: Counts,
    value: Floats,
    se: Floats,
    *,
    rules: Rules,
    in_years: bool = True,
    remarks: Mapping[str, Flags] | None = None,
) -> Shown:
    """Take out what is not to be shown, and say why.

    Parameters
    ----------
    counts
        The counts behind the figures.
    value, se
        Figures and their standard errors ``(group, age)``.
    rules
        :data:`OHID`, :data:`NONE` or your own.
    in_years
        Whether the rule on wide intervals applies.
    remarks
        Code to the cells that it stands in ``(group, age)``; it withholds nothing.
    """
    if not isinstance(rules, Rules):
        raise ValueError(f"rules is {rules!r}: it is OHID, NONE, or Rules(...) of your own.")
    faulty = counts.faults[:, None] > 0
    few = np.nansum(counts.population, axis=-1, keepdims=True) <= rules.least_person_years
    hidden = (faulty | few) if rules.whole_groups else few
    if hidden.any():
        value, se = np.where(hidden, np.nan, value), np.where(hidden, np.nan, se)
    wide = (z_value(0.95) * se > rules.widest_interval / 2) & in_years
    unknown = np.isnan(value)
    bits = np.where(faulty & unknown, counts.faults[:, None], np.uint16(0))
    cells = {"withheld_person_years": few, "withheld_wide_interval": wide, "nobody_survives": counts.extinct & ~unknown}
    for code, where in (cells | dict(remarks or {})).items():
        if where.any():
            bits |= np.where(where, _BIT[code], np.uint16(0))
    shown = np.where(wide, np.nan, value) if wide.any() else value
    if not bits.any():
        return Shown(value=shown, centre=value, se=se, quality=([""], bits))
    found = np.flatnonzero(np.bincount(bits.ravel(), minlength=1))  # by counting: far faster than np.unique
    place = np.zeros(2 * max(CODES), dtype=np.int32)
    place[found] = np.arange(found.size)
    return Shown(value=shown, centre=value, se=se, quality=(codes_of(found), place[bits]))


def codes_of(bits: NDArray[np.integer[Any]]) -> list[str]:
    """Spell sums of bits out.

    Examples
    --------
    >>> codes_of(np.array([0, 24]))
    ['', 'more_deaths_than_people;no_deaths_in_open_band']
    """
    return [";".join(code for bit, code in CODES.items() if mask & bit) for mask in bits.tolist()]
