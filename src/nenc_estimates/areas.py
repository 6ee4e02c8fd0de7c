"""Areas of England: codes, kinds, and how they changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from nenc_estimates.packaged import read_packaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENGLAND = "E92000001"
"""GSS code of England."""

NENC = "E54000050"
"""GSS code of North East and North Cumbria: an STP from April 2020, an integrated care board from July 2022."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One area: its code, name and kind, what contains it and what became of it.

    ``parent`` is the code of the area that contains it; ``successors`` the codes that replaced it when it was
    abolished; ``same_area_as`` the code that replaced it although the area stayed the same.
    """

    code: str
    name: str
    kind: str
    parent: str
    valid_from: str
    valid_to: str
    successors: tuple[str, ...]
    same_area_as: str
    note: str


@cache
def areas() -> Mapping[str, Area]:
    """Return every area that the package knows: code to :class:`Area`.

    Examples
    --------
    >>> areas()["E10000006"].successors
    ('E06000063', 'E06000064')
    """
    rows = read_packaged("lookups", "areas.csv").to_pylist()
    known = {
        row["code"]: Area(**row | {"successors": tuple(filter(None, row["successors"].split(";")))}) for row in rows
    }
    return MappingProxyType(known)


WIDE = {
    "E92": "country",
    "W92": "country",
    "S92": "country",
    "N92": "country",
    "K": "country",
    "E12": "region",
    "E54": "icb",
}
"""Beginnings of GSS codes of areas that hold whole local authorities, and their kind."""


def kind_of(code: str) -> str:
    """Return the kind of an area, from its entry or else from its code; "" where neither says.

    Examples
    --------
    >>> kind_of("E12000009"), kind_of("E06000001"), kind_of("X")
    ('region', 'unitary', '')
    """
    if code in areas():
        return areas()[code].kind
    return next((kind for start, kind in WIDE.items() if code.startswith(start)), "")


def describe(code: str) -> str:
    """Return ``code (name, kind)`` where the code is known, else the code alone.

    Examples
    --------
    >>> describe("E12000001")
    'E12000001 (North East, region)'
    """
    area = areas().get(code)
    return f"{code} ({area.name}, {area.kind})" if area else code


def recoded(codes: Iterable[str]) -> dict[str, str]:
    """Return superseded code to present code, for the codes whose area stayed the same.

    Gateshead (E08000020) and Northumberland (E06000048) got new codes on 1 April 2013, when one house moved:
    Gateshead and Northumberland (Boundary Change) Order 2013.

    Examples
    --------
    >>> recoded(["E08000020", "E08000021"])
    {'E08000020': 'E08000037'}
    """
    known = areas()
    return {code: known[code].same_area_as for code in codes if code in known and known[code].same_area_as}


def overlaps(codes: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return the pairs of codes that cover the same people, each with the relation in words.

    Parameters
    ----------
    codes
        Codes that are about to be added up.

    Returns
    -------
    list of (code, other code, relation)
        A parent with its child (at any depth), a predecessor with its successor, a predecessor's child with the
        successor, or a superseded code with the present one. Empty when no two overlap.

    Examples
    --------
    >>> overlaps(["E10000006", "E07000028", "E08000021"])
    [('E10000006', 'E07000028', 'contains')]
    >>> overlaps(["E07000028", "E06000063"])
    [('E07000028', 'E06000063', 'became part of')]
    """
    known, given = areas(), sorted(set(codes))
    pairs = []
    for code in given:
        if code not in known:
            continue
        pairs += [(above, code, "contains") for above in _ancestors(code) if above in given]
        pairs += [(code, later, "became part of") for later in known[code].successors if later in given]
        if known[code].same_area_as and known[code].same_area_as in given:
            pairs.append((code, known[code].same_area_as, "is the same area as"))
    return pairs


def _ancestors(code: str) -> list[str]:
    known, found = areas(), []
    while code in known and (code := known[code].parent):
        found.append(code)
    return found
