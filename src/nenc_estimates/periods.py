"""Periods of time as statistics publish them: one value for "2018 - 20", "2018-20" and "2018 to 2020"."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, get_args

from nenc_estimates.errors import SchemaError

Kind = Literal["calendar", "financial", "academic", "quarter", "month", "rolling", "point"]
"""Whole years from January, April or September; a quarter; a month; any other stretch; a mid-year."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NAMES = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec"
)
_YEAR_KINDS: dict[int, Kind] = {1: "calendar", 4: "financial", 9: "academic"}
_EARLIEST = 1800
_LONGEST_SHORT_RANGE = 20  # years; "2018-05" is a month written by a program, not 2018 to 2105

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_SLASHES = str.maketrans("\u2044\u2215", "//")
_ISO = re.compile(r"([12][0-9]{3})-([0-9]{2})-01(?:t00:00:00)?/p([1-9][0-9]{0,2})([ym])")
_POINT = re.compile(r"mid[- ]?((?:18|19|20|21)[0-9]{2})")
_PART = re.compile(
    rf"(?:(?P<month>{_MONTH_NAMES}) )?(?P<year>(?:18|19|20|21)?[0-9]{{2}})"
    r"(?(month)|(?:/(?P<next>(?:[0-9]{2}){1,2}))?(?: ?q(?P<quarter>[1-4]))?)"
)
_SPREADSHEET = re.compile(
    r"[0-9]{5}(?:\.[0-9]+)?|[0-9]{1,4}([-/])[0-9]{1,2}\1[0-9]{1,4}(?: .*)?"
    rf"|(?:{_MONTH_NAMES})-[0-9]{{2}}|[0-9]{{1,2}}-(?:{_MONTH_NAMES})"
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """A stretch of whole months, or one day in the middle of a year.

    Two periods are equal when they cover the same time, however they were written; they sort by
    start, then by length.

    Parameters
    ----------
    start : datetime.date
        The first day: the first of a month, or 30 June when ``months`` is 0.
    months : int
        Length [months]; 0 is a point in time (a mid-year population).
    label : str
        The spelling that was published. Printed back by ``str``, ignored by comparison.

    Raises
    ------
    ValueError
        When ``start`` and ``months`` are not a stretch of whole months or a mid-year.

    Examples
    --------
    >>> window = Period.parse("2018 - 20")
    >>> window.start, window.end, window.months, window.kind
    (datetime.date(2018, 1, 1), datetime.date(2020, 12, 31), 36, 'calendar')
    >>> window == Period.parse("2018 to 2020"), str(window), window.canonical
    (True, '2018 - 20', '2018-20')
    >>> window.overlap_months(Period.parse("2019 - 21"))
    24
    """

    start: date
    months: int
    label: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        day = (self.start.month, self.start.day)
        if self.months < 0 or (self.start.day != 1 if self.months else day != (6, 30)):
            raise ValueError(
                "a period starts on the first of a month and lasts 1 month or more, or is 30 June "
                f"with months=0; got start={self.start}, months={self.months}"
            )

    def __str__(self) -> str:
        return self.label or self.canonical

    @classmethod
    def parse(cls, text: str, *, kind: Kind | None = None) -> Period:
        """Read a published period label.

        Understood, with any dash, spacing or width of digits: ``2018``, ``2018 - 20``, ``2018 to 2020``,
        ``2018/19``, ``2018/19 - 20/21``, ``2018 Q1``, ``2018/19 Q1``, ``Jan 2018``, ranges of quarters and
        of months, ``2018-01-01/P3Y`` (ISO 8601) and ``mid-2020``, for years from 1800 to 2199.

        Parameters
        ----------
        text : str
            The label.
        kind : {"calendar", "financial", "academic", "quarter", "month", "rolling", "point"}, optional
            What the period is known to be. It decides the two labels that do not say it themselves:
            ``2018/19`` is April to March unless ``kind="academic"`` (September to August), and
            ``2018-19`` (a financial year or two calendar years) is refused without it.

        Returns
        -------
        Period
            With ``text`` as its label.

        Raises
        ------
        SchemaError
            When the label is not a period, can be read in two ways, is what a spreadsheet makes of a
            period (a date or a serial number), or is not of the `kind` that was asked for.

        Examples
        --------
        >>> Period.parse("2018-19", kind="financial") == Period.parse("2018/19")
        True
        """
        if kind is not None and kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}; got {kind!r}")
        if not isinstance(text, str):
            raise SchemaError(f"a period is text such as '2018-20' or '2018/19', not {type(text).__name__}")
        plain = _plain(text)
        start, months = _read_iso(plain) or _read_point(plain) or _read_range(plain, text, kind)
        period = cls(start=start, months=months, label=text)
        if kind not in {None, period.kind}:
            raise SchemaError(f"period {_shown(text)} is of kind {period.kind!r}, not {kind!r}")
        return period

    @property
    def kind(self) -> Kind:
        """What the period is, by its start and length."""
        if not self.months:
            return "point"
        if self.months % 12 == 0:
            return _YEAR_KINDS.get(self.start.month, "rolling")
        if self.months == 3 and self.start.month % 3 == 1:
            return "quarter"
        return "month" if self.months == 1 else "rolling"

    @property
    def end(self) -> date:
        """The last day."""
        return _first_day(self._span[1]) - timedelta(days=1)

    @property
    def midpoint(self) -> float:
        """The middle as a fractional year: 2019.5 for 2018-20, 2018.75 for 2018/19, 2020.5 for mid-2020."""
        return sum(self._span) / 24

    @property
    def midpoint_year(self) -> int:
        """The calendar year that holds the middle: the year whose mid-year population fits the period."""
        return sum(self._span) // 24

    @property
    def years(self) -> tuple[int, ...]:
        """The calendar years that the period touches."""
        return tuple(range(self.start.year, self.end.year + 1))

    @property
    def canonical(self) -> str:
        """The one spelling of this stretch of time; equal periods have equal spellings.

        ``2018``, ``2018-20``, ``2018/19``, ``2018/19-20/21``, ``2018 Q1``, ``Jan 2018``, ``mid-2020``; months
        are spelled out where years alone would be ambiguous (``Jan 2018-Dec 2019``, ``Sep 2018-Aug 2019``).
        """
        first, last, kind = self.start.year, self.end.year, self.kind
        if kind == "point":
            return f"mid-{first}"
        if kind == "quarter":
            return f"{first} Q{self.start.month // 3 + 1}"
        if kind == "month":
            return _month_label(self.start)
        if kind == "calendar" and self.months != 24:
            return _year_range(first, last)
        if kind == "financial":
            return _financial_range(first, last)
        return f"{_month_label(self.start)}-{_month_label(self.end)}"

    def overlaps(self, other: Period) -> bool:
        """Whether the two share a day, so that figures for them are not independent."""
        return self.start <= other.end and other.start <= self.end

    def overlap_months(self, other: Period) -> int:
        """How many months the two share."""
        (first, last), (other_first, other_last) = self._span, other._span
        return max(0, min(last, other_last) - max(first, other_first))

    @property
    def _span(self) -> tuple[int, int]:
        """The first month, and the one after the last, since year 0; a mid-year is where July starts."""
        first = 12 * self.start.year + self.start.month - (1 if self.months else 0)
        return first, first + self.months


def _plain(text: str) -> str:
    """Spell a label with ASCII digits, hyphens and single spaces, in lower case."""
    text = unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).translate(_SLASHES)
    text = "".join("-" if c == "\u2212" or unicodedata.category(c) == "Pd" else c for c in text)
    text = " ".join(text.split()).lower()
    return re.sub(r" ?([-/]) ?| to ", lambda match: match[1] or "-", text)


def _read_iso(plain: str) -> tuple[date, int] | None:
    match = _ISO.fullmatch(plain)
    if match is None or not 1 <= int(match[2]) <= 12:
        return None
    return date(int(match[1]), int(match[2]), 1), int(match[3]) * (12 if match[4] == "y" else 1)


def _read_point(plain: str) -> tuple[date, int] | None:
    match = _POINT.fullmatch(plain)
    return (date(int(match[1]), 6, 30), 0) if match else None


def _read_range(plain: str, text: str, kind: Kind | None) -> tuple[date, int]:
    """Read one part, or two of the same form: years, split years, quarters or months."""
    parts = [_PART.fullmatch(part) for part in plain.split("-")]
    first, last = parts[0], parts[-1]
    if first is None or last is None or len(parts) > 2 or _form(first) != _form(last):
        raise SchemaError(_not_a_period(plain, text))
    year = int(first["year"])
    last_year = _complete(last["year"], after=year)
    if plain == f"{year}-{last['year']}" and last_year == year + 1 and kind != "calendar":
        return _one_split_year(year, text, kind)
    start, first_end = _part_span(first, year, kind)
    last_start, end = _part_span(last, last_year, kind)
    if not 12 * _EARLIEST <= start <= last_start or (len(parts) == 2 and end <= first_end):
        raise SchemaError(_not_a_period(plain, text))
    return _first_day(start), end - start


def _form(part: re.Match[str]) -> tuple[bool, ...]:
    return tuple(part[name] is not None for name in ("month", "next", "quarter"))


def _one_split_year(year: int, text: str, kind: Kind | None) -> tuple[date, int]:
    if kind not in {"financial", "academic"}:
        raise SchemaError(
            f"period {_shown(text)} may be a financial year, an academic year or two calendar years: "
            "say kind='financial', 'academic' or 'calendar'"
        )
    return date(year, 9 if kind == "academic" else 4, 1), 12


def _part_span(part: re.Match[str], year: int, kind: Kind | None) -> tuple[int, int]:
    """Months since year 0 at which a part starts and ends; negative where its two years do not follow on."""
    start = 12 * year
    if part["month"]:
        start += _MONTHS.index(part["month"][:3].capitalize())
        return start, start + 1
    if part["next"]:
        if int(part["next"]) not in {year + 1, (year + 1) % 100}:
            return -1, -1
        start += 8 if kind == "academic" else 3
    if part["quarter"]:
        start += 3 * (int(part["quarter"]) - 1)
        return start, start + 3
    return start, start + 12


def _complete(digits: str, *, after: int) -> int:
    """Complete the two digits of a later year; 0 when that would lie far ahead."""
    if len(digits) == 4:
        return int(digits)
    ahead = (int(digits) - after) % 100
    return after + ahead if ahead <= _LONGEST_SHORT_RANGE else 0


def _first_day(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)


def _month_label(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.year}"


def _year_range(first: int, last: int) -> str:
    """2018, 2018-20; all four digits where two would not say which century."""
    if first == last:
        return f"{first}"
    return f"{first}-{last % 100:02d}" if last - first <= _LONGEST_SHORT_RANGE else f"{first}-{last}"


def _financial_range(first: int, last: int) -> str:
    """2018/19, 2018/19-20/21."""
    one = f"{first}/{(first + 1) % 100:02d}"
    if last == first + 1:
        return one
    far = last - 1 - first > _LONGEST_SHORT_RANGE
    return f"{one}-{last - 1 if far else f'{(last - 1) % 100:02d}'}/{last % 100:02d}"


def _shown(text: str) -> str:
    return repr(text[:80])


def _not_a_period(plain: str, text: str) -> str:
    if _SPREADSHEET.fullmatch(plain):
        return (
            f"period {_shown(text)} looks like a label that a spreadsheet turned into a date or number: "
            "format the column as text in the source and export it again"
        )
    return (
        f"cannot read period {_shown(text)}: expected a form such as '2018', '2018-20', '2018/19', "
        "'2018/19 - 20/21', '2018 Q1', 'Jan 2018', 'Jul 2018 - Jun 2019', '2018-01-01/P3Y' or 'mid-2020'"
    )
