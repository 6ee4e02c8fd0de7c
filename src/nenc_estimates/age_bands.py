"""Age bands: where they begin, how wide they are, how they are written.

An ``AgeBands`` is the one source of ``width`` and ``nax`` for every life table, and ``parse_age`` the one
reader of age labels, so that a row is found by the ages it means and never by its position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from nenc_estimates.errors import SchemaError
from nenc_estimates.kernels.infant_years import (
    andreev_kingkade_infant_years,
    coale_demeny_child_years,
    coale_demeny_infant_years,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.kernels.infant_years import Sex

_INFANT_RULES: Final = MappingProxyType(
    {"andreev_kingkade": andreev_kingkade_infant_years, "coale_demeny": coale_demeny_infant_years}
)
_ALL_AGES: Final = frozenset({"all", "all ages", "at birth", "birth"})
_PATTERNS: Final = (
    ("exact", re.compile(r"(\d+)")),
    ("range", re.compile(r"(\d+) ?(?:-|to) ?(\d+)")),
    ("open", re.compile(r"(\d+) ?(?:\+|plus|and over|or over|and above|and older|or more)")),
    ("open", re.compile(r"(?:>=|≥) ?(\d+)")),
    ("below", re.compile(r"(?:<|under|less than) ?(\d+)")),
    ("up to", re.compile(r"(?:<=|≤) ?(\d+)")),
    ("up to", re.compile(r"(\d+) ?and under")),
)
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE: Final = re.compile(
    rf"\d+[- /]{_MONTH}(?:[- /]\d+)?|{_MONTH}[- /]\d+|\d{{4}}-\d\d?-\d\d?.*|\d\d?/\d\d?/\d{{2,4}}.*"
)


def parse_age(label: str) -> tuple[int, int | None]:
    """First and last completed age that an age label means.

    Every form used by ONS, Fingertips, nomis and PHEindicatormethods is read, whatever its case, spaces,
    dashes, leading zeros, "aged" in front or "years" behind.

    Parameters
    ----------
    label
        An age as it is written: ``"0"``, ``"<1"``, ``"Under 1"``, ``"01-04"``, ``"1 to 4"``, ``"90+"``,
        ``"90 years and over"``, ``"16-64 yrs"``, ``"<75 yrs"``, ``"All ages"``.

    Returns
    -------
    tuple
        First and last completed age [years]; the last is ``None`` where the label has no upper end. A
        single number is that one year of age; "all ages" and "at birth" are ``(0, None)``.

    Raises
    ------
    SchemaError
        The label is not an age, or is a date that a spreadsheet has made of one ("01-Apr" from "1-4").

    Examples
    --------
    >>> parse_age("01-04"), parse_age("Under 1"), parse_age("90 and over"), parse_age("<75 yrs")
    ((1, 4), (0, 0), (90, None), (0, 74))
    """
    text = _plain(label)
    if text in _ALL_AGES:
        return 0, None
    if _DATE.fullmatch(text):
        raise SchemaError(
            f"age {label!r} is a date: a spreadsheet such as Excel turned an age band like '1-4' or '10-14' "
            "into it. Take the column from the original file, read as text"
        )
    for form, pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            ages = _ages(form, *map(int, match.groups()))
            if ages[1] is None or ages[0] <= ages[1]:
                return ages
    raise SchemaError(f"age {label!r} is unknown; expected a form such as '0', '<1', '1-4', '5 to 9' or '90+'")


def _plain(label: str) -> str:
    text = re.sub(r"[‐‑‒–—−]", "-", str(label).casefold())
    text = re.sub(r"\b(?:aged?|years?|yrs?|old)\b\.?", " ", text)
    return " ".join(text.split())


def _ages(form: str, number: int, last: int | None = None) -> tuple[int, int | None]:
    return {
        "exact": (number, number),
        "range": (number, last),
        "open": (number, None),
        "below": (0, number - 1),
        "up to": (0, number),
    }[form]


@dataclass(frozen=True, slots=True)
class AgeBands:
    """Consecutive age bands; the last one is open.

    Parameters
    ----------
    lower
        Completed age at which each band begins [years], ascending, at least two. The last band has no end.

    Examples
    --------
    >>> ABRIDGED_90.labels[:3], ABRIDGED_90.labels[-1]
    (('0', '1-4', '5-9'), '90+')
    >>> ABRIDGED_90.width[:3], ABRIDGED_90.nax[:3]
    (array([1., 4., 5.]), array([0.1, 2. , 2.5]))
    """

    lower: tuple[int, ...]

    def __post_init__(self) -> None:
        lower = tuple(int(age) for age in self.lower)
        if lower != tuple(self.lower) or len(lower) < 2 or lower[0] < 0:
            raise ValueError(f"lower must hold at least two whole ages of 0 or more, not {self.lower}")
        if any(after <= before for before, after in pairwise(lower)):
            raise ValueError(f"lower ages must ascend, not {self.lower}")
        object.__setattr__(self, "lower", lower)

    @classmethod
    def single_years(cls, open_age: int) -> AgeBands:
        """Single years of age 0, 1, 2, … closed by ``open_age`` and over.

        Parameters
        ----------
        open_age
            First age of the open band [years].

        Examples
        --------
        >>> AgeBands.single_years(3).labels
        ('0', '1', '2', '3+')
        """
        return cls(tuple(range(open_age + 1)))

    @classmethod
    def from_labels(cls, labels: Sequence[str]) -> AgeBands:
        """Bands that a set of labels describes, whatever its order.

        Parameters
        ----------
        labels
            One label a band, in any form that ``parse_age`` reads.

        Raises
        ------
        SchemaError
            A label is unknown, or the bands overlap, leave a gap, or do not end in one open band.

        Examples
        --------
        >>> AgeBands.from_labels(["85+", "Under 1", "01-84"]).lower
        (0, 1, 85)
        """
        ages = sorted((parse_age(label) for label in labels), key=lambda age: age[0])
        for (first, last), (following, _) in pairwise(ages):
            if last is None or last + 1 != following:
                raise SchemaError(f"the band that begins at age {first} does not end before {following}")
        if len(ages) < 2 or ages[-1][1] is not None:
            raise SchemaError(f"expected two or more age bands of which the last is open, not {list(labels)}")
        return cls(tuple(first for first, _ in ages))

    def __len__(self) -> int:
        return len(self.lower)

    @property
    def labels(self) -> tuple[str, ...]:
        """Each band as text: "0", "1-4", "90+"."""
        closed = [
            str(first) if following == first + 1 else f"{first}-{following - 1}"
            for first, following in pairwise(self.lower)
        ]
        return (*closed, f"{self.lower[-1]}+")

    @property
    def width(self) -> NDArray[np.float64]:
        """Length n of each band [years]; infinite for the open one."""
        return np.append(np.diff(np.array(self.lower, dtype=np.float64)), np.inf)

    @property
    def nax(self) -> NDArray[np.float64]:
        """Years lived in each band by those who die in it, by OHID's rule [years].

        A tenth of a band that begins at age 0, half of any other; ``nan`` for the open band, where it
        follows from the rate. The rule is that of Fingertips and PHEindicatormethods, which give a tenth
        to a first band of 0-4 as well.
        """
        fraction = np.where(np.array(self.lower) == 0, 0.1, 0.5)
        fraction[-1] = np.nan
        return self.width * fraction

    def infant_rule_nax(
        self, m0: ArrayLike, *, rule: Literal["andreev_kingkade", "coale_demeny"], sex: Sex
    ) -> NDArray[np.float64]:
        """Years lived in each band by those who die in it, with a rule for infants that depends on mortality.

        Parameters
        ----------
        m0
            Death rate at age 0 ``(...)`` [deaths per person-year].
        rule
            ``"andreev_kingkade"`` changes age 0; ``"coale_demeny"`` (West) ages 0 and, where it is a band,
            1-4. Other bands are as in `nax`.
        sex
            ``"male"`` or ``"female"``.

        Returns
        -------
        NDArray
            ``(..., age)`` [years].

        Examples
        --------
        >>> ABRIDGED_90.infant_rule_nax(0.004, rule="coale_demeny", sex="male")[:3].round(3)
        array([0.054, 1.641, 2.5  ])
        """
        if self.lower[:2] != (0, 1):
            raise ValueError(f"an infant rule needs a band for the first year of life, not {self.labels[0]}")
        if rule not in _INFANT_RULES:
            raise ValueError(f"rule is 'andreev_kingkade' or 'coale_demeny', not {rule!r}")
        nax = np.broadcast_to(self.nax, (*np.shape(m0), len(self))).copy()
        nax[..., 0] = _INFANT_RULES[rule](m0, sex=sex)
        if rule == "coale_demeny" and self.lower[2:3] == (5,):
            nax[..., 1] = coale_demeny_child_years(m0, sex=sex)
        return nax

    def index(self, label: str | int) -> int:
        """Position of the band that a label means.

        Parameters
        ----------
        label
            Any form that ``parse_age`` reads, or the age at which the band begins.

        Raises
        ------
        SchemaError
            The label is not an age, or these bands have no such band.

        Examples
        --------
        >>> ABRIDGED_90.index("01 to 04"), ABRIDGED_90.index(1), ABRIDGED_90.index("90 and over")
        (1, 1, 19)
        """
        first, last = parse_age(str(label))
        if first in self.lower:
            position = self.lower.index(first)
            end = self.lower[position + 1] - 1 if position + 1 < len(self.lower) else None
            begins_it = re.fullmatch(r"\d+", str(label).strip()) is not None
            if last == end or begins_it:
                return position
        raise SchemaError(f"age {label!r} is none of the bands {', '.join(self.labels)}")


ABRIDGED_90: Final = AgeBands((0, 1, *range(5, 91, 5)))
"""The 20 bands 0, 1-4, 5-9, …, 85-89, 90+ of ONS and OHID life tables."""

ABRIDGED_85: Final = AgeBands((0, 1, *range(5, 86, 5)))
"""The 19 bands 0, 1-4, 5-9, …, 80-84, 85+ of ONS life tables before 90+ was used."""

FIVE_YEAR_90: Final = AgeBands(tuple(range(0, 91, 5)))
"""The 19 bands 0-4, 5-9, …, 85-89, 90+ of directly standardised rates."""

_ESP2013_THOUSANDTHS: Final = (50, 55, 55, 55, 60, 60, 65, 70, 70, 70, 70, 65, 60, 55, 50, 40, 25, 15, 10)

ESP2013: Final[Mapping[int, int]] = MappingProxyType(
    {age: 100 * share for age, share in zip(FIVE_YEAR_90.lower, _ESP2013_THOUSANDTHS, strict=True)}
)
"""European Standard Population 2013: first age of a band of `FIVE_YEAR_90` → people of 100,000.

Source: Eurostat, Revision of the European Standard Population, 2013, doi:10.2785/11470.
"""
