"""Text that a spreadsheet would take for a formula: refused where it comes in, quoted where it goes out."""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a cell a formula: OWASP Application Security Verification Standard 4.0.3, 5.3.10."""

_NUMBER = re.compile(r"[+-][0-9]+(\.[0-9]+)?")


def is_formula(text: object) -> bool:
    """Say whether a spreadsheet would take a cell for a formula. A number is none, written as text or not.

    Examples
    --------
    >>> is_formula("=1+1"), is_formula("-2+3"), is_formula("Hartlepool"), is_formula("-1.2"), is_formula(-1.2)
    (True, True, False, False, False)
    """
    return isinstance(text, str) and text.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(text)


def plain(text: str) -> str:
    """Return a text as it is, or refuse it.

    Raises
    ------
    ValueError
        A spreadsheet would take it for a formula.

    Examples
    --------
    >>> plain("North Cumbria")
    'North Cumbria'
    """
    if is_formula(text):
        raise ValueError(f"{text[:80]!r} starts as a formula does: begin with a letter or a digit.")
    return text


def quoted(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> quoted("@SUM(A1)"), quoted("Darlington")
    ("'@SUM(A1)", 'Darlington')
    """
    return f"'{text}" if is_formula(text) else text
