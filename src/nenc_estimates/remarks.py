"""Remarks: what a reader must know about each estimate, in codes and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.areas import describe
from nenc_estimates.quality import QUALITY, REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nenc_estimates.layout import Layout

    Floats = NDArray[np.float64]

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


def missing_remarks(laid: Layout, group: int, mine: slice) -> list[tuple[str, str]]:
    """Say why the areas of one target have no value, where the table gives a reason."""
    reasons = laid.stacked.texts.get("missing_reason")
    if reasons is None:
        return []
    column = {label: i for i, label in enumerate(laid.stacked.labels)}
    found: dict[str, list[str]] = {}
    for entry in range(mine.start, mine.stop):
        code = laid.entries.sources[laid.entries.source[entry]]
        if code in column and not laid.observed[group, entry] and laid.weight[group, entry] > 0:
            reason = str(reasons[laid.groups[group], column[code]])
            found.setdefault(reason, []).append(describe(code))
    return [(REASONS[reason], f"{', '.join(codes)}: {reason}.") for reason, codes in sorted(found.items()) if reason]
