"""Headings: one rule to compare them by, and the row that holds them found by its content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nenc_estimates.errors import SchemaError
from nenc_estimates.readers.report import shown

_MANGLED = re.compile(r"(.+)\.[0-9]{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column that a reader looks for.

    ``heading`` is a pattern for the whole heading as :func:`plain_heading` spells it, without dots. A ``many`` field
    stands for several columns, each known by the first group of the pattern.
    """

    heading: str
    required: bool = True
    number: bool = False
    many: bool = False


class HeaderNotFoundError(SchemaError):
    """No row holds the headings that were expected."""


Layout = Mapping[str, Field]
"""Name of a field to how it is found."""


def plain_heading(heading: str) -> str:
    r"""Spell a heading in lower case, with nothing but letters, digits and dots.

    One rule for the spellings of one heading by website, API and R: ``Lower CI 95.0 limit``, ``LowerCI95.0limit``.

    Examples
    --------
    >>> plain_heading("\ufeffLower CI 95.0 limit")
    'lowerci95.0limit'
    """
    return re.sub(r"[^a-z0-9.]", "", heading.casefold())


def locate(layout: Layout, headings: Sequence[str], *, name: str) -> dict[str, int]:
    """Find the position of each field; a ``many`` field gives ``field:group`` for each of its columns.

    Raises
    ------
    SchemaError
        Two headings mean one field, or a heading is a copy that a program numbered (``Value.1``).
    """
    plain = [plain_heading(heading) for heading in headings]
    for heading in plain:
        match = _MANGLED.fullmatch(heading)
        if match and match[1] in plain and any(_is(field, match[1]) for field in layout.values()):
            raise SchemaError(f"{name}: heading {shown(match[1])} stands twice (once as {shown(heading)}). Keep one.")
    found: dict[str, int] = {}
    for field_name, field in layout.items():
        for position, heading in enumerate(plain):
            match = re.fullmatch(field.heading, heading.replace(".", ""))
            if match is None:
                continue
            key = f"{field_name}:{match[1]}" if field.many else field_name
            if key in found:
                both = f"{shown(headings[found[key]])} and {shown(headings[position])}"
                raise SchemaError(f"{name}: columns {both} both mean {key}. Keep one.")
            found[key] = position
    return found


def missing_fields(layout: Layout, headings: Sequence[str]) -> list[str]:
    """Return the required fields for which there is no heading."""
    plain = [plain_heading(heading) for heading in headings]
    return [
        name for name, field in layout.items() if field.required and not any(_is(field, heading) for heading in plain)
    ]


def find_header(layout: Layout, rows: Sequence[Sequence[str]], *, name: str, what: str) -> int:
    """Return the position of the first row that holds every required heading.

    Raises
    ------
    SchemaError
        There is none; the message names what the nearest row lacks.
    """
    if not rows:
        raise HeaderNotFoundError(f"{name} is empty; expected {what}.")
    lacking = [missing_fields(layout, row) for row in rows]
    best = min(range(len(rows)), key=lambda row: len(lacking[row]))
    if lacking[best]:
        cells = ", ".join(shown(cell) for cell in rows[best][:30] if cell)
        raise HeaderNotFoundError(
            f"{name} is not {what}: none of its first {len(rows)} rows has the headings expected. "
            f"Row {best + 1} comes nearest, but lacks {', '.join(lacking[best])}; it holds {cells or 'nothing'}."
        )
    return best


def _is(field: Field, heading: str) -> bool:
    return re.fullmatch(field.heading, heading.replace(".", "")) is not None
