"""Inequality between quantiles of deprivation from values that are already there, published or estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from nenc_estimates.errors import SchemaError
from nenc_estimates.inequality_measures import (
    DEFINITIONS,
    MEASURES,
    check_choice,
    measured,
    reasons_for_values,
    tidy_measures,
)
from nenc_estimates.kernels import simulated_slopes, slopes
from nenc_estimates.kernels.inequality import attributable_contributions
from nenc_estimates.kernels.interval_inversion import standard_error_from_limits
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.quantile_tables import stack_quantiles
from nenc_estimates.tables import check_values, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.tables import Stack

    Floats = NDArray[np.float64]

KEYS = ("area_code", "sex", "period")


def estimate_inequality(
    table: IntoDataFrameT,
    *,
    definition: str,
    measures: Sequence[str] = ("difference", "ratio"),
    by: Sequence[str] = KEYS,
    quantile: str = "quantile",
    quantiles: int | None = None,
    most_deprived: int | None = None,
    decimals: int | None = None,
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Measures of inequality from a value of each quantile.

    Parameters
    ----------
    table
        One row for each group and quantile: ``value``; ``se``, or 95 % limits ``lower, upper``, where known;
        ``population`` for every measure but the difference and the ratio.
    definition
        A key of ``DEFINITIONS``: whose quantiles these are.
    measures
        Keys of ``MEASURES``.
    by
        Key columns that make a group.
    quantile, quantiles, most_deprived
        The column of quantiles, how many there are, and the number of the most deprived one, the last two where the
        labels do not say it in words.
    decimals
        Decimal places that values were rounded to, whose error is then added to theirs.
    confidence
        Of the limits.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``measure, definition, quantiles, value, lower, upper, se, method, quality``: one row for each
        group and measure, in key order. Differences are least minus most deprived. Without standard errors there are no
        limits; a quantile that a measure needs and the group lacks makes it null, and ``quality`` says why.

    Raises
    ------
    SchemaError, InvalidDataError
        A label cannot be read, a key stands twice, a column is missing, a value is infinite or outside its limits.
    ValueError
        A measure or definition is unknown.

    Examples
    --------
    The gap of England's deciles in life expectancy of males in 2018-20, as published to one decimal.

    >>> import pandas as pd
    >>> ends = pd.DataFrame({"quantile": ["Most deprived decile", "Least deprived decile"], "value": [73.5, 83.1]})
    >>> estimate_inequality(ends, definition="national quantiles", by=[])["value"].round(2).tolist()
    [9.6, 1.13]

    See Also
    --------
    nenc_estimates.kernels.inequality, nenc_estimates.kernels.slopes : the formulas and their sources.
    """
    check_choice(definition, DEFINITIONS, what="a definition")
    for name in measures:
        check_choice(name, MEASURES, what="a measure")
    people = not all(MEASURES[name].ends_only for name in measures)
    stacked = _stacked(table, by, quantile, quantiles, most_deprived, people=people)
    population = stacked.values.get("population", np.full(stacked.rows.shape, np.nan))
    made = measured(
        stacked.values["value"],
        population,
        _errors(stacked, decimals),
        measures=measures,
        confidence=one_level(confidence),
    )
    reasons = reasons_for_values(stacked, people=people)
    return tidy_measures(stacked, made, definition=definition, method="from a value of each quantile", reasons=reasons)


def estimate_slope_index(
    table: IntoDataFrameT,
    *,
    definition: str,
    scale: str = "linear",
    errors: Literal["sampling", "scatter"] = "sampling",
    by: Sequence[str] = KEYS,
    quantile: str = "quantile",
    quantiles: int | None = None,
    most_deprived: int | None = None,
    decimals: int | None = None,
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Slope and relative index of inequality, with exact limits and no simulation.

    Parameters
    ----------
    table
        One row for each group and quantile: ``value, population``; ``se``, or 95 % limits, where known.
    definition, by, quantile, quantiles, most_deprived, decimals, confidence
        As in `estimate_inequality`.
    scale
        ``"linear"`` for years and scores, ``"log"`` for rates, ``"logit"`` for proportions.
    errors
        ``"sampling"``: of the values. ``"scatter"``: how far the quantiles lie from a straight line.

    Returns
    -------
    frame of the caller's kind
        As from `estimate_inequality`, with the measures ``slope index`` and ``relative index``; ``method`` says which
        scale and errors.

    Raises
    ------
    SchemaError, InvalidDataError
        As in `estimate_inequality`.
    ValueError
        The scale, the errors or the definition are unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> people = [1321, 969, 793, 705, 617]
    >>> years = pd.DataFrame({"quantile": range(1, 6), "value": [72.2, 75.1, 77.7, 79.5, 82.0], "population": people})
    >>> options = {"by": [], "quantiles": 5, "most_deprived": 1}
    >>> index = estimate_slope_index(years.assign(se=0.15), definition="national quantiles", **options)
    >>> index[["value", "lower", "upper"]].round(2).values.tolist()
    [[12.24, 11.75, 12.73], [1.17, 1.17, 1.18]]

    See Also
    --------
    nenc_estimates.kernels.slopes.slope_index : the formula and its sources.
    """
    check_choice(definition, DEFINITIONS, what="a definition")
    check_choice(errors, {"sampling": 0, "scatter": 0}, what="errors")
    stacked = _stacked(table, by, quantile, quantiles, most_deprived, people=True)
    value, population = stacked.values["value"], stacked.values["population"]
    se = _errors(stacked, decimals) if errors == "sampling" else slopes.scatter_errors(value, population, scale=scale)
    made = {
        "slope index": slopes.slope_index(value, population, se=se, scale=scale, confidence=one_level(confidence)),
        "relative index": slopes.relative_index(
            value, population, se=se, scale=scale, confidence=one_level(confidence)
        ),
    }
    reasons = reasons_for_values(stacked, people=True)
    method = f"weighted line through ridit ranks, {scale} scale, {errors} errors"
    return tidy_measures(stacked, made, definition=definition, method=method, reasons=reasons)


def simulate_slope_index(
    table: IntoDataFrameT,
    *,
    definition: str,
    noise: Literal["log", "logit"],
    rng: np.random.Generator,
    transform: bool = False,
    draws: int = 100_000,
    by: Sequence[str] = KEYS,
    quantile: str = "quantile",
    quantiles: int | None = None,
    most_deprived: int | None = None,
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Slope and relative index with limits simulated as OHID does, where no closed form exists.

    Parameters
    ----------
    table, definition, by, quantile, quantiles, most_deprived, confidence
        As in `estimate_slope_index`.
    noise
        Scale on which errors are normal: ``"log"`` for rates, ``"logit"`` for proportions.
    rng
        Source of the draws.
    transform
        Whether the line is fitted on that scale too.
    draws
        Number of draws, 1,000 or more.

    Returns
    -------
    frame of the caller's kind
        As from `estimate_slope_index`.

    Raises
    ------
    SchemaError, InvalidDataError, ValueError
        As in `estimate_slope_index`.

    Examples
    --------
    >>> import pandas as pd
    >>> rates = pd.DataFrame({"quantile": [1, 2, 3], "value": [0.05, 0.04, 0.03], "se": 0.002, "population": 100})
    >>> options = {"by": [], "quantiles": 3, "most_deprived": 1, "rng": np.random.default_rng(1)}
    >>> index = simulate_slope_index(rates, definition="national quantiles", noise="log", **options)
    >>> index["value"].round(4).tolist()
    [-0.03, 0.4545]

    See Also
    --------
    nenc_estimates.kernels.simulated_slopes.simulated_slope_index : the formula and its source.
    """
    check_choice(definition, DEFINITIONS, what="a definition")
    stacked = _stacked(table, by, quantile, quantiles, most_deprived, people=True)
    made = simulated_slopes.simulated_slope_index(
        stacked.values["value"],
        stacked.values["population"],
        se=_errors(stacked, None),
        noise=noise,
        rng=rng,
        transform=transform,
        draws=draws,
        confidence=confidence,
    )
    return tidy_measures(
        stacked,
        {"slope index": made.slope, "relative index": made.relative},
        definition=definition,
        method=f"simulated with {draws} draws, {noise} noise, line on the {noise if transform else 'linear'} scale",
        reasons=reasons_for_values(stacked, people=True),
    )


def estimate_quantile_contributions(
    table: IntoDataFrameT,
    *,
    definition: str,
    by: Sequence[str] = KEYS,
    quantile: str = "quantile",
    quantiles: int | None = None,
    most_deprived: int | None = None,
    decimals: int | None = None,
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Share of each quantile in what the average would gain if all had the least deprived quantile's value.

    Parameters
    ----------
    table, definition, by, quantile, quantiles, most_deprived, decimals, confidence
        As in `estimate_slope_index`.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``quantile`` (1 = most deprived), ``definition, value, lower, upper, se, quality``. The values of a
        group sum to its population attributable risk.

    Raises
    ------
    SchemaError, InvalidDataError, ValueError
        As in `estimate_inequality`.

    Examples
    --------
    >>> import pandas as pd
    >>> years = pd.DataFrame({"quantile": [1, 2, 3], "value": [70, 76, 80], "population": [200, 100, 100]})
    >>> options = {"by": [], "quantiles": 3, "most_deprived": 1}
    >>> estimate_quantile_contributions(years, definition="national quantiles", **options)["value"].tolist()
    [5.0, 1.0, 0.0]
    """
    check_choice(definition, DEFINITIONS, what="a definition")
    stacked = _stacked(table, by, quantile, quantiles, most_deprived, people=True)
    made = attributable_contributions(
        stacked.values["value"],
        stacked.values["population"],
        se=_errors(stacked, decimals),
        confidence=one_level(confidence),
    )
    groups, count = stacked.rows.shape
    gone = np.isnan(made.value).any(axis=-1, keepdims=True)
    lacking = [";".join(dict.fromkeys(filter(None, row))) for row in reasons_for_values(stacked, people=True)]
    return tidy(
        {
            **{name: np.repeat(key, count) for name, key in stacked.keys.items()},
            "quantile": np.tile(np.arange(1, count + 1), groups),
            "definition": [definition] * (groups * count),
            **{part: np.where(gone, np.nan, getattr(made, part)).ravel() for part in ("value", "lower", "upper", "se")},
            "quality": np.repeat(np.array(lacking, dtype=object), count),
        },
        stacked.backend,
    )


def _stacked(
    table: IntoDataFrame,
    by: Sequence[str],
    quantile: str,
    quantiles: int | None,
    most_deprived: int | None,
    *,
    people: bool,
) -> Stack:
    stacked = stack_quantiles(
        table,
        ["value", "population"] if people else ["value"],
        by=by,
        quantile=quantile,
        quantiles=quantiles,
        most_deprived=most_deprived,
        optional=["se", "lower", "upper"],
    )
    if ("lower" in stacked.values) != ("upper" in stacked.values):
        raise SchemaError("limits come in pairs: the table has only one of the columns 'lower' and 'upper'.")
    check_values(stacked)
    return stacked


def _errors(stacked: Stack, decimals: int | None) -> Floats:
    """Take standard errors as given, or find those behind 95 % limits; add that of rounding."""
    values = stacked.values
    if "se" in values:
        se = values["se"]
    elif "lower" in values:
        se = standard_error_from_limits(values["lower"], values["upper"])
    else:
        return np.full(stacked.rows.shape, np.nan)
    rounding = 0.0 if decimals is None else 10.0 ** (-2 * decimals) / 12
    errors: Floats = np.sqrt(np.square(np.where(se >= 0, se, np.nan)) + rounding)
    return errors
