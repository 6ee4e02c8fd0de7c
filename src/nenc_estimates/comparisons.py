"""Comparisons of estimates: the gap to a reference, the share of life in ill health, areas below a level."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from nenc_estimates.errors import InvalidDataError
from nenc_estimates.kernels import gaps, ill_health, intervals
from nenc_estimates.kernels.interval_inversion import standard_error_from_limits
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.tables import KEYS, check_values, open_frame, stack, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.tables import Stack

    Floats = NDArray[np.float64]

Better = Literal["higher", "lower"]


def estimate_gap(
    estimates: IntoDataFrameT,
    reference: IntoDataFrame,
    *,
    share: float | Mapping[str, float] = 0.0,
    better: Better = "higher",
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Gap of each estimate to the reference of its series: positive means worse.

    Parameters
    ----------
    estimates
        ``area_code, value`` and any key columns; ``se``, or 95 % limits ``lower, upper``, where known.
    reference
        One row for each series: the same key columns, ``area_code, value``, and ``se`` or 95 % limits where known.
    share
        Share of the reference's people who live in the area, for an area that is part of the reference: the two then
        share their errors. A number for a table of one area, else area code to share; 0 where none is given.
    better
        ``"higher"``: gap = reference - area (years behind). ``"lower"``: gap = area - reference (excess).
    confidence
        Of the limits.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``area_code, value, lower, upper, se, reference_code, reference_value``; one row for each
        estimate, in key order. Without both standard errors the gap has no limits.

    Raises
    ------
    InvalidDataError
        A series of the estimates has no reference, or more than one.
    ValueError
        ``better`` is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> area = pd.DataFrame({"sex": ["Male"], "area_code": ["E54000050"], "value": [59.4], "se": [0.31]})
    >>> england = pd.DataFrame({"sex": ["Male"], "area_code": ["E92000001"], "value": [63.1], "se": [0.08]})
    >>> estimate_gap(area, england, share={"E54000050": 0.053})["value"].round(1).tolist()
    [3.7]

    See Also
    --------
    nenc_estimates.kernels.gaps.gap_variance : the variance when the area is part of the reference.
    """
    if better not in ("higher", "lower"):
        raise ValueError(f"better is {better!r}; say 'higher' or 'lower'.")
    by = _shared_keys(estimates, reference, KEYS)
    stacked = _stacked(estimates, by)
    code, expected, reference_se = _reference_of(stacked, _stacked(reference, by))
    shares = _shares(share, stacked, code)
    value = gaps.gap(stacked.values["value"], expected[:, None], better=better)
    se = stacked.values.get("se", np.full(value.shape, np.nan))
    variance = gaps.gap_variance(se**2, reference_se[:, None] ** 2, share=shares)
    limits = intervals.normal_interval(value, variance, confidence=one_level(confidence))
    groups, areas = np.nonzero(stacked.rows >= 0)
    return tidy(
        {
            **{name: key[groups] for name, key in stacked.keys.items()},
            "area_code": [stacked.labels[i] for i in areas],
            "value": value[groups, areas],
            "lower": limits.lower[groups, areas],
            "upper": limits.upper[groups, areas],
            "se": np.sqrt(variance)[groups, areas],
            "reference_code": code[groups],
            "reference_value": expected[groups],
        },
        stacked.backend,
    )


def estimate_share_in_ill_health(
    healthy: IntoDataFrameT, life: IntoDataFrame, *, mixed: bool = False, confidence: float = 0.95
) -> IntoDataFrameT:
    """Share of life spent in ill health: (LE - HLE) / LE.

    Parameters
    ----------
    healthy, life
        Healthy life expectancy and life expectancy: ``area_code, value``, key columns, ``se``, or 95 % limits
        ``lower, upper``, where known. Rows are met by key; a healthy life expectancy whose life expectancy is absent
        or null has no row in the result.
    mixed
        Whether the two come from editions with different populations; carried into ``quality``.
    confidence
        Of the limits.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``area_code, value`` [%], ``lower, upper, se, quality``, in key order. Limits need both standard
        errors; they take the two as independent, which is on the wide side, for both rest on the same deaths.

    Raises
    ------
    InvalidDataError
        Healthy life expectancy is above life expectancy; the message names the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> keys = {"sex": ["Male"], "period": ["2018-20"], "area_code": ["E54000050"]}
    >>> share = estimate_share_in_ill_health(
    ...     pd.DataFrame(keys | {"value": [59.41]}), pd.DataFrame(keys | {"value": [77.65]})
    ... )
    >>> share["value"].round(1).tolist()
    [23.5]
    """
    by = _shared_keys(healthy, life, [name for name in KEYS if name not in ("indicator", "edition")])
    stacked = _stacked(healthy, by)
    beside = _stacked(life, by)
    hle, le = stacked.values["value"], stacked.found_in(beside, "value")
    if (hle > le).any():
        raise InvalidDataError(
            f"healthy life expectancy is above life expectancy in {stacked.named(hle > le)}. "
            "Do both tables hold the same sex, age and period?"
        )
    se = stacked.values.get("se", np.full(hle.shape, np.nan))
    value, variance = ill_health.share_in_ill_health(hle, le, se**2, stacked.found_in(beside, "se") ** 2)
    limits = intervals.normal_interval(value, variance, confidence=one_level(confidence))
    groups, areas = np.nonzero((stacked.rows >= 0) & ~np.isnan(le))
    numbers = {"value": value, "lower": limits.lower, "upper": limits.upper, "se": np.sqrt(variance)}
    return tidy(
        {
            **{name: key[groups] for name, key in stacked.keys.items()},
            "area_code": [stacked.labels[i] for i in areas],
            **{name: 100.0 * column[groups, areas] for name, column in numbers.items()},
            "quality": np.full(groups.size, "mixed_editions" if mixed else "", dtype=object),
        },
        stacked.backend,
    )


def count_areas_below(table: IntoDataFrameT, level: float, *, areas: Sequence[str]) -> IntoDataFrameT:
    """Count the areas whose value is below a level, for each sex and for either.

    Parameters
    ----------
    table
        ``area_code, sex, value`` and other key columns.
    level
        In the unit of the value; an area at the level is not below it.
    areas
        The areas that count. Each must have a value in every series.

    Returns
    -------
    frame of the caller's kind
        Key columns, with ``sex`` of the table and ``Either`` (below for at least one sex), ``value`` the count, and
        ``n_areas``.

    Raises
    ------
    InvalidDataError
        An area has no value in some series: a count would be too small without saying so.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"area_code": ["A", "B"] * 2, "sex": ["Female"] * 2 + ["Male"] * 2, "value": [59, 61, 60, 58]}
    ... )
    >>> count_areas_below(table, 60.0, areas=["A", "B"])[["sex", "value"]].values.tolist()
    [['Either', 2], ['Female', 1], ['Male', 1]]
    """
    opened = open_frame(table, ["area_code", "sex", "value"])
    by = [name for name in KEYS if name in opened.columns]
    stacked = stack(table, ["value"], by=by, axis="area_code")
    if not np.isfinite(level) or not areas:
        raise ValueError(f"level must be a number and areas must name some: got {level!r} and {len(areas)} areas.")
    place = {code: i for i, code in enumerate(stacked.labels)}
    absent = [code for code in areas if code not in place]
    if absent:
        raise InvalidDataError(f"the table has no rows for {', '.join(absent)}.")
    chosen = [place[code] for code in dict.fromkeys(areas)]
    values = stacked.values["value"]
    counted = np.isin(np.arange(len(stacked.labels)), chosen)
    lacking = np.isnan(values) & counted
    if lacking.any():
        raise InvalidDataError(
            f"every area needs a value to be counted, but there is none in {stacked.named(lacking)}."
        )
    below = values[:, chosen] < level
    others = [name for name in by if name != "sex"]
    series = list(zip(*(stacked.keys[name] for name in others), strict=True)) if others else [()] * len(below)
    rows = [(*key, str(sex), int(hit.sum())) for key, sex, hit in zip(series, stacked.keys["sex"], below, strict=True)]
    for key in dict.fromkeys(series):
        either = np.any([hit for other, hit in zip(series, below, strict=True) if other == key], axis=0)
        rows.append((*key, "Either", int(either.sum())))
    names = (*others, "sex", "value")
    ordered = sorted(rows, key=lambda row: row[:-1])
    columns = {name: [row[i] for row in ordered] for i, name in enumerate(names)}
    return tidy({**columns, "n_areas": [len(chosen)] * len(ordered)}, stacked.backend)


def _shares(share: float | Mapping[str, float], stacked: Stack, references: NDArray[np.object_]) -> Floats:
    """Share of the reference that each area makes, checked: a slip would lose the limits, or make them wrong."""
    itself = sorted(set(stacked.labels) & set(references.tolist()))
    if itself:
        raise InvalidDataError(
            f"{', '.join(itself)} stands among the estimates and is the reference: leave it out of one."
        )
    if isinstance(share, (int, float)):
        if share and len(stacked.labels) > 1:
            example = {stacked.labels[0]: share}
            raise InvalidDataError(f"one share for {len(stacked.labels)} areas: give one for each, such as {example}.")
        share = dict.fromkeys(stacked.labels, share)
    strange = sorted(set(share) - set(stacked.labels))
    if strange:
        raise InvalidDataError(f"share names {', '.join(strange)}, which has no estimate.")
    wrong = [f"{code}: {part}" for code, part in share.items() if not 0 <= part <= 1]
    if wrong:
        raise InvalidDataError(f"a share of the reference must lie between 0 and 1, but {'; '.join(wrong)}.")
    return np.array([share.get(label, 0.0) for label in stacked.labels])


def _shared_keys(first: IntoDataFrame, second: IntoDataFrame, names: Sequence[str]) -> list[str]:
    columns = set(open_frame(first, ["area_code", "value"]).columns) & set(
        open_frame(second, ["area_code", "value"]).columns
    )
    return [name for name in names if name in columns]


def _stacked(frame: IntoDataFrame, by: Sequence[str]) -> Stack:
    """Stack values with their standard errors: as given, or those behind 95 % limits."""
    stacked = stack(frame, ["value"], by=by, axis="area_code", optional=["se", "lower", "upper"])
    check_values(stacked)
    values = dict(stacked.values)
    if "se" not in values and "lower" in values:
        values["se"] = standard_error_from_limits(values["lower"], values["upper"])
    return replace(stacked, values=values)


def _reference_of(stacked: Stack, reference: Stack) -> tuple[NDArray[np.object_], Floats, Floats]:
    several = np.flatnonzero((reference.rows >= 0).sum(axis=-1) != 1)
    if several.size:
        raise InvalidDataError(
            f"one reference row for each series, but {reference.group_named(int(several[0]))} has several."
        )
    place = {name: i for i, name in enumerate(reference.group_keys())}
    names = stacked.group_keys()
    absent = [", ".join(name) for name in names if name not in place]
    if absent:
        raise InvalidDataError(f"the reference has no row for {'; '.join(absent[:5])} ({len(absent)} series).")
    group = np.array([place[name] for name in names], dtype=np.intp)
    label = np.argmax(reference.rows >= 0, axis=-1)
    code = np.array(reference.labels, dtype=object)[label[group]]
    se = reference.values.get("se", np.full(reference.rows.shape, np.nan))
    return code, reference.values["value"][group, label[group]], se[group, label[group]]
