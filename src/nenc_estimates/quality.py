"""What a reader must know about an estimate: codes for machines, sentences for people."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.areas import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

QUALITY: Mapping[str, str] = MappingProxyType(
    {
        "partial_area": "The whole of an area stands for the part of it that lies inside.",
        "mostly_partial_area": "Most of the figure is an area that lies partly inside: it speaks of the whole area.",
        "small_share": "Less than half of an area lies inside, and the part may be unlike the whole.",
        "proxy_year": "People of the nearest year with figures stand for the middle of the period.",
        "proxy_denominator": "Other people than the indicator's own stand for them.",
        "person_years_se": "The standard error comes from person-years, for want of published limits.",
        "incomplete": "Some people live in areas without a value.",
        "withheld_coverage": "Withheld: too many people live in areas without a value.",
        "recoded": "A superseded code was read as the present one of the same area.",
        "mixed_editions": "Editions with different populations or methods meet in one figure.",
    }
)
"""Every code that stands in a ``quality`` column, and what it means."""

MOSTLY = 0.5
"""Share of a target from which one area *is* the estimate, and share of an area below which its part is small."""


def partial_remarks(codes: Sequence[str], share: Floats, weight: Floats) -> list[tuple[str, str]]:
    """Remarks about the areas of one target that lie partly inside it.

    Parameters
    ----------
    codes
        The areas of the target.
    share, weight : (area,)
        Membership of each area, and the share of the target that it makes.

    Returns
    -------
    list of (code, sentence)
    """
    part = (share > 0) & (share < 1) & (weight > 0)
    if not part.any():
        return []
    indices = np.flatnonzero(part).tolist()
    which = " ".join(f"{describe(codes[i])}: {share[i]:.1%} inside, {weight[i]:.1%} of the estimate." for i in indices)
    found = [("partial_area", f"{QUALITY['partial_area']} {which}")]
    if (part & (weight > MOSTLY)).any():
        found.append(("mostly_partial_area", QUALITY["mostly_partial_area"]))
    if (part & (share < MOSTLY)).any():
        found.append(("small_share", QUALITY["small_share"]))
    return found


def coverage_remarks(covered: float, min_coverage: float) -> list[tuple[str, str]]:
    """Remarks about the people without a value.

    Examples
    --------
    >>> coverage_remarks(0.75, 0.9)[1]
    ('withheld_coverage', 'Withheld: too many people live in areas without a value. At least 90% must have one.')
    """
    found = []
    if covered < 1:
        found.append(("incomplete", f"{QUALITY['incomplete']} They are {1 - covered:.1%} of all."))
    if covered < min_coverage:
        found.append(
            ("withheld_coverage", f"{QUALITY['withheld_coverage']} At least {min_coverage:.0%} must have one.")
        )
    return found
