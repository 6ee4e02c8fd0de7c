"""Gaps between quantiles of deprivation set beside each other: the mean of areas' own, and differences of two gaps."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import InvalidDataError
from nenc_estimates.kernels.intervals import normal_interval
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.periods import Period
from nenc_estimates.tables import open_frame, stack, text_column, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import narwhals.stable.v2 as nw
    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT


def estimate_mean_gap(
    gaps: IntoDataFrameT,
    *,
    by: Sequence[str] = ("sex", "period"),
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Mean of each area's own gap between its local quantiles, weighted by people: not the gap of the areas together.

    Parameters
    ----------
    gaps
        One row for each area and measure: ``area_code, value, population``, the column ``measure``; ``se`` where known,
        and ``definition``, which must then be ``"local quantiles"``.
    by
        Key columns that make a group.
    confidence
        Of the limits.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``measure, definition`` (``"mean of local gaps"``), ``value, lower, upper, se, n_areas, quality``.
        Areas are taken as independent. An area without a value makes its group null.

    Raises
    ------
    SchemaError
        A column is missing.
    InvalidDataError
        The gaps have another definition, differ in the number of quantiles, or a number is infinite.

    Examples
    --------
    >>> import pandas as pd
    >>> own = pd.DataFrame({"area_code": ["A", "B"], "measure": "slope index", "value": [8.0, 12.0], "se": [0.6, 0.8]})
    >>> estimate_mean_gap(own.assign(population=[300, 100]), by=[])[["definition", "value", "se"]].values.tolist()
    [['mean of local gaps', 9.0, 0.4924428900898052]]
    """
    opened = open_frame(gaps, [*by, "measure", "area_code", "value", "population"])
    if "definition" in opened.columns:
        others = sorted(set(text_column(opened, "definition")) - {"local quantiles"})
        if others:
            raise InvalidDataError(
                f"a mean is taken of gaps between 'local quantiles', not of {', '.join(map(repr, others))}."
            )
    _refuse_different_quantiles(opened)
    stacked = stack(gaps, ["value", "population"], by=[*by, "measure"], axis="area_code", optional=["se"])
    for name, cells in stacked.values.items():
        if np.isinf(cells).any():
            raise InvalidDataError(f"{name} is infinite in {stacked.named(np.isinf(cells))}.")
    held = stacked.rows >= 0
    people = np.where(held, stacked.values["population"], 0.0)
    nobody = np.asarray((held & ~(people > 0)).any(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = np.where(nobody[:, None], np.nan, people / people.sum(axis=-1, keepdims=True))
    value = np.where(held, weights * stacked.values["value"], 0.0).sum(axis=-1)
    se = stacked.values.get("se", np.full(held.shape, np.nan))
    variance = np.where(held, (weights * se) ** 2, 0.0).sum(axis=-1)
    limits = normal_interval(value, variance, confidence=one_level(confidence))
    lacking = (held & np.isnan(stacked.values["value"])).any(axis=-1)
    quality = np.where(lacking, "incomplete", "").astype(object)
    quality[nobody] = "area_without_people"
    return tidy(
        {
            **{name: stacked.keys[name] for name in by},
            "measure": stacked.keys["measure"],
            "definition": ["mean of local gaps"] * len(value),
            "value": value,
            "lower": limits.lower,
            "upper": limits.upper,
            "se": np.sqrt(variance),
            "n_areas": held.sum(axis=-1),
            "quality": quality,
        },
        stacked.backend,
    )


def compare_gaps(
    first: IntoDataFrameT, second: IntoDataFrame, *, by: Sequence[str] = ("sex",), confidence: float = 0.95
) -> IntoDataFrameT:
    """Second gap minus first, for each series: between two areas, or two periods that do not overlap.

    Parameters
    ----------
    first, second
        Gaps as estimated here: ``measure, definition, value, se``, the key columns, and ``quantiles`` where known.
    by
        Key columns by which rows meet, besides the measure.
    confidence
        Of the limits.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``measure, definition, value, lower, upper, se``; one row for each row of ``first``.

    Raises
    ------
    InvalidDataError
        The gaps have different definitions, methods or numbers of quantiles, a series has no counterpart, or the
        periods of the same area overlap, whose errors are not independent.

    Examples
    --------
    >>> import pandas as pd
    >>> here = pd.DataFrame({"measure": ["difference"], "definition": ["national quantiles"], "value": 9.1, "se": 0.3})
    >>> compare_gaps(here.assign(value=8.0, se=0.4), here, by=[])[["value", "se"]].round(2).values.tolist()
    [[1.1, 0.5]]
    """
    opened = [open_frame(frame, [*by, "measure", "definition", "value", "se"]) for frame in (first, second)]
    for name in ("definition", "quantiles", "method", "of"):
        said = [set(text_column(frame, name)) if name in frame.columns else set() for frame in opened]
        if all(said) and (len(said[0] | said[1]) > 1):
            raise InvalidDataError(
                f"gaps of different {name} are different quantities and are not compared: {sorted(said[0])} and "
                f"{sorted(said[1])}. Estimate both in one way."
            )
    _refuse_same_people(*opened, by=by)
    one, other = (stack(frame, ["value", "se"], by=["definition", *by], axis="measure") for frame in (first, second))
    present = replace(other, values={"present": (other.rows >= 0).astype(np.float64)})
    lacking = (one.rows >= 0) & (one.found_in(present, "present") != 1)
    if lacking.any():
        raise InvalidDataError(f"there is no counterpart for {one.named(lacking)}.")
    value = one.found_in(other, "value") - one.values["value"]
    variance = one.found_in(other, "se") ** 2 + one.values["se"] ** 2
    limits = normal_interval(value, variance, confidence=one_level(confidence))
    groups, measures = np.nonzero(one.rows >= 0)
    numbers = {"value": value, "lower": limits.lower, "upper": limits.upper, "se": np.sqrt(variance)}
    return tidy(
        {
            **{name: one.keys[name][groups] for name in by},
            "measure": [one.labels[i] for i in measures],
            "definition": one.keys["definition"][groups],
            **{name: column[groups, measures] for name, column in numbers.items()},
        },
        one.backend,
    )


def _refuse_same_people(first: nw.DataFrame[Any], second: nw.DataFrame[Any], *, by: Sequence[str]) -> None:
    """Refuse gaps that share deaths. Of different areas, any periods may meet; where no area is named, equal ones."""
    areas = [
        set(text_column(frame, "area_code")) if "area_code" in frame.columns else set() for frame in (first, second)
    ]
    known = all(areas)
    if (known and not areas[0] & areas[1]) or not all("period" in frame.columns for frame in (first, second)):
        return
    labels = [sorted(set(text_column(frame, "period"))) for frame in (first, second)]
    pairs = [(label, label) for label in labels[0]] if "period" in by else product(*labels)
    for one, other in pairs:
        if (known or one != other) and Period.parse(one).overlaps(Period.parse(other)):
            raise InvalidDataError(
                f"periods {one} and {other} overlap: the same deaths are in both gaps, so their errors are not "
                "independent. Compare periods that share no year."
            )


def _refuse_different_quantiles(opened: nw.DataFrame[Any]) -> None:
    numbers = sorted(set(opened["quantiles"])) if "quantiles" in opened.columns else []
    if len(numbers) > 1:
        raise InvalidDataError(f"no mean is taken of gaps between different numbers of quantiles: {numbers}.")
