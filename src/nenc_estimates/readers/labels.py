"""Labels to values: codes of areas, sexes, ages and periods, each spelling of each era to one."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from nenc_estimates.age_bands import parse_age
from nenc_estimates.areas import areas
from nenc_estimates.errors import InvalidDataError, SchemaError, UnknownAreaError
from nenc_estimates.periods import Period
from nenc_estimates.readers.cells import Coded, plain_text, relabelled
from nenc_estimates.readers.report import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nenc_estimates.periods import Kind
    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.report import Log

GSS = re.compile(r"[EKNSWJ][0-9]{8}")
"""The nine characters of a code of the Government Statistical Service."""

_PREFIXED = re.compile(r"N(E[0-9]{8})")
_PRACTICE = re.compile(r"[A-Z][0-9]{5}")

ODS_CODES: Mapping[str, str] = MappingProxyType(
    {
        "QHM": "E54000050",
        "99C": "E38000127",
        "00L": "E38000130",
        "00N": "E38000163",
        "00P": "E38000176",
        "13T": "E38000212",
        "01H": "E38000215",
        "84H": "E38000234",
        "16C": "E38000247",
    }
)
"""NHS (ODS) code to GSS code: North East and North Cumbria and its eight sub-ICB locations.

Source: ONS, Sub ICB Locations to Integrated Care Boards to NHS England regions (July 2022) lookup.
"""

_SEXES = {
    "male": "Male",
    "males": "Male",
    "m": "Male",
    "men": "Male",
    "female": "Female",
    "females": "Female",
    "f": "Female",
    "women": "Female",
    "persons": "Persons",
    "person": "Persons",
    "p": "Persons",
    "total": "Persons",
    "all": "Persons",
    "all persons": "Persons",
    "both sexes": "Persons",
    "not applicable": "Not applicable",
}
SEX_CODES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "fingertips": {"1": "Male", "2": "Female", "4": "Persons", "-1": "Not applicable"},
        "ons": {"1": "Male", "2": "Female"},
        "nomis gender": {"0": "Persons", "1": "Male", "2": "Female"},
        "nomis sex": {"5": "Male", "6": "Female", "7": "Persons"},
    }
)
"""What the numbers mean that stand for a sex, by publisher."""


def area_codes(column: Coded, grid: Grid, field: str, log: Log, *, practices: bool = False) -> Coded:
    """Read codes of areas: GSS codes, repaired where the repair is certain.

    Lower case, wide characters, the ``n`` that Fingertips puts before codes of integrated care boards, NHS codes of
    North East and North Cumbria, and names that the package knows.

    Raises
    ------
    UnknownAreaError
        A label is none of these; the message names its first row.
    """
    repairs: dict[str, tuple[str, str]] = {}

    def change(label: str) -> str:
        if GSS.fullmatch(label):
            return label
        after, what = _area_code(label, practices=practices)
        if after != label:
            repairs[label] = what, f"{shown(label)} as {after}"
        return after

    made = relabelled(column, change, grid, field, log)
    if repairs:
        for label, rows in zip(column.labels, column.rows_each(), strict=True):
            if label in repairs:
                log.repaired(repairs[label][0], int(rows), repairs[label][1])
    return made


def _area_code(label: str, *, practices: bool) -> tuple[str, str]:
    text = unicodedata.normalize("NFKC", label).upper().replace(" ", "")
    if GSS.fullmatch(text):
        return text, "code in lower case, wide or spaced characters"
    if prefixed := _PREFIXED.fullmatch(text):
        return prefixed[1], "code with the prefix n"
    if text in ODS_CODES:
        return ODS_CODES[text], "NHS code read as GSS code"
    if practices and (_PRACTICE.fullmatch(text) or re.fullmatch(r"[A-Z0-9]{3}|CAT-[A-Z0-9-]+", text)):
        return label, ""
    named = _named().get(_plain_name(label), ())
    if len(named) == 1:
        return named[0], "name read as code"
    raise UnknownAreaError(
        f"{shown(label)} is neither a GSS code (such as E06000047) nor a name known for one area. "
        "Give codes: names are shared and change."
    )


@cache
def _named() -> Mapping[str, tuple[str, ...]]:
    """Plain name of an area to the present codes that carry it."""
    names: dict[str, tuple[str, ...]] = {}
    for code, area in areas().items():
        if GSS.fullmatch(code) and not area.same_area_as:
            name = _plain_name(area.name)
            names[name] = (*names.get(name, ()), code)
    return MappingProxyType(names)


def _plain_name(name: str) -> str:
    return re.sub(r" (?:region )?\(statistical\)$| region$", "", plain_text(name).casefold())


def sexes(column: Coded, grid: Grid, field: str, log: Log, *, publisher: str) -> Coded:
    """Read sexes as ``Male``, ``Female``, ``Persons`` or ``Not applicable``.

    Raises
    ------
    InvalidDataError
        A label is none of those known; numbers mean what they do for the publisher.
    """
    codes = SEX_CODES[publisher]

    def change(label: str) -> str:
        key = label.casefold().removesuffix(".0")
        if key in _SEXES:
            return _SEXES[key]
        if key in codes:
            log.assumed(f"sex {key} means {codes[key]}")
            return codes[key]
        known = ", ".join([*codes, "Male", "Female", "Persons"])
        raise InvalidDataError(f"sex {shown(label)} is unknown; expected one of {known}.")

    return relabelled(column, change, grid, field, log)


def age_label(label: str) -> str:
    """Spell an age as tables of this library do: ``0``, ``1-4``, ``90+``, ``all ages``.

    Raises
    ------
    SchemaError
        It is not an age, or was one before a spreadsheet made a date of it.

    Examples
    --------
    >>> age_label("Aged 01 to 04"), age_label("90 and over"), age_label("All Ages")
    ('1-4', '90+', 'all ages')
    """
    if not re.search(r"[^\W0-9_]|[0-9]", label) or (
        not label.isascii() and re.search(r"[^\x00-\x7f\u2010-\u2015\u2212≤≥]", label)
    ):
        raise SchemaError(f"age {shown(label)} is unknown; expected a form such as '0', '<1', '1-4', '5 to 9' or '90+'")
    first, last = parse_age(label[:80])
    if last is None:
        return "all ages" if first == 0 else f"{first}+"
    return str(first) if first == last else f"{first}-{last}"


def ages(column: Coded, grid: Grid, field: str, log: Log) -> Coded:
    """Read ages as tables of this library spell them."""
    return relabelled(column, age_label, grid, field, log)


def period_of(label: str, *, span: str = "", kind: Kind | None = None) -> Period:
    """Read a period beside what the file says about its length (``"1y"``, ``"3y"``, ``"1q"``).

    Raises
    ------
    SchemaError
        It is not a period, or can be read in two ways.
    InvalidDataError
        It is not as long as the file says.

    Examples
    --------
    >>> period_of("2018 - 19", span="2y").months, period_of("2018/19", span="1y").kind
    (24, 'financial')
    """
    if "\n" in label or len(label) > 80:
        raise SchemaError(f"cannot read period {shown(label)}.")
    length = _span_months(span)
    if length == 24 and kind is None and re.fullmatch(r"[0-9]{4}\s*\D\s*(?:[0-9]{2}){1,2}", label) and "/" not in label:
        kind = "calendar"
    parsed = Period.parse(label, kind=kind)
    if length and parsed.months % 12 == length % 12 == 0 and parsed.months != length:  # quarters may be rolling
        raise InvalidDataError(f"period {shown(label)} lasts {parsed.months} months, but the file says {shown(span)}.")
    return parsed


def _span_months(span: str) -> int:
    if not span:
        return 0
    match = re.fullmatch(r"([1-9][0-9]?) ?([yqm])", span.casefold())
    if match is None:  # a range that is not understood still tells one series from another
        return 0
    return int(match[1]) * {"y": 12, "q": 3, "m": 1}[match[2]]
