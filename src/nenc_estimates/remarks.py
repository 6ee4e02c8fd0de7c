"""Remarks: what a reader must know about each estimate, in codes and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.aggregation import RECOVERABLE
from nenc_estimates.areas import describe
from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.quality import QUALITY, REASONS
from nenc_estimates.routes import bounds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nenc_estimates.aggregation import Aggregate
    from nenc_estimates.layout import Layout
    from nenc_estimates.routes import Options

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


def remarkable(
    laid: Layout, made: Aggregate, route: NDArray[np.object_], options: Options
) -> dict[str, NDArray[np.bool_]]:
    """Say for each estimate which facts need a remark: quality code to ``(group, target)``."""
    starts = laid.entries.starts
    weighted, inside = route == "weighted mean", laid.share > 0

    def anywhere(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.asarray(formulas.grouped_sum(cells & inside, starts) > 0)

    nowhere = np.zeros(route.shape, dtype=bool)
    limits = laid.values.get("lower", np.full(laid.share.shape, np.nan))
    unlimited = anywhere(laid.observed & np.isnan(limits))
    from_limits = options.family in RECOVERABLE and not options.survey
    expected = options.confidence is not None and options.family not in ("sum", "plain")
    return {
        "proxy_year": weighted & np.array(laid.proxy_year, dtype=bool)[:, None],
        "rounded_limits": weighted & ~unlimited if from_limits else nowhere,
        "no_limits": np.isnan(made.variance) & ~np.isnan(made.value) if expected else nowhere,
        "person_years_se": weighted if options.standard_error == "person-years" else nowhere,
        "recovered_sizes": (route == "recovered counts") & laid.has_people,
        "bounds": anywhere(~laid.observed) if bounds_of(options) else nowhere,
        "imputed": anywhere(laid.filled),
        "proxy_denominator": weighted if options.proxy else nowhere,
    }


def fact_remarks(
    facts: dict[str, NDArray[np.bool_]], group: int, target: int, options: Options
) -> list[tuple[str, str]]:
    """Put the facts about one estimate into sentences."""
    own = {
        "proxy_denominator": f"{options.proxy[:1].upper()}{options.proxy[1:].rstrip('.')}.",
        "imputed": f"{QUALITY['imputed']} Source: {getattr(options.missing, 'source', '')}.",
    }
    return [(code, own.get(code, QUALITY[code])) for code, holds in facts.items() if holds[group, target]]


def modelled_remark(shared_error: float) -> tuple[str, str]:
    """Give the other end of the standard error for values of one model."""
    if np.isnan(shared_error):
        return "modelled", QUALITY["modelled"]
    return (
        "modelled",
        f"{QUALITY['modelled']} If they shared all of it, the standard error would be {shared_error:.2g}.",
    )
