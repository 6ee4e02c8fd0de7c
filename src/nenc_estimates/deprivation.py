"""Deprivation: who is in which quantile, and the gap in (healthy) life expectancy between quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import narwhals.stable.v2 as nw
import numpy as np

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.age_tables import stack_ages
from nenc_estimates.inequality_measures import DEFINITIONS, check_choice, measured, tidy_measures
from nenc_estimates.kernels.inequality import quantile_ranks
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.quantile_pools import pool_quantiles, quantile_expectancies
from nenc_estimates.quantile_tables import LEAST, parse_quantiles
from nenc_estimates.tables import number_column, open_frame, text_column
from nenc_estimates.withholding import OHID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.kernels.prevalence import HealthState
    from nenc_estimates.withholding import Rules


def assign_quantiles(
    table: IntoDataFrameT,
    *,
    most_deprived: Literal["highest", "lowest"],
    quantiles: int = 5,
    score: str = "score",
    by: Sequence[str] = (),
) -> IntoDataFrameT:
    """Put every area into a quantile of deprivation by OHID's rule: tied areas share one.

    Parameters
    ----------
    table
        One row for each area, with its score.
    most_deprived
        Which scores are the most deprived: the ``"highest"`` of an IMD score, the ``"lowest"`` of an IMD rank.
    quantiles
        How many quantiles, 3 or more.
    score
        The column of scores; an area without one, or with an infinite one, gets no quantile.
    by
        Key columns of what areas are ranked within: none for national quantiles, the local authority for local ones.

    Returns
    -------
    frame of the caller's kind
        The table as it was, row for row, with ``quantile`` (1 = most deprived) and ``quality``.

    Raises
    ------
    SchemaError, InvalidDataError
        A column is missing or holds no numbers, a key is empty.
    ValueError
        The direction is unknown, or there are fewer than three quantiles.

    Examples
    --------
    >>> import pandas as pd
    >>> areas = pd.DataFrame({"score": [31.0, 8.5, 22.4, 22.4, 12.0, 40.1]})
    >>> assign_quantiles(areas, most_deprived="highest", quantiles=3)["quantile"].tolist()
    [1, 3, 2, 2, 3, 1]

    See Also
    --------
    nenc_estimates.kernels.inequality.quantile_ranks : the rule and its source.
    """
    check_choice(most_deprived, {"highest": 0, "lowest": 0}, what="most_deprived")
    if quantiles < LEAST:
        raise ValueError(f"a measure of inequality needs {LEAST} or more quantiles, not {quantiles}")
    opened = open_frame(table, [*by, score])
    scores = number_column(opened, score)
    scores = np.where(np.isinf(scores), np.nan, scores)
    keys = list(zip(*(text_column(opened, name) for name in by), strict=True)) if by else [()] * len(scores)
    numbers = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    group = np.array([numbers[key] for key in keys], dtype=np.intp)
    order = np.argsort(group, kind="stable")
    found, few = np.empty(len(scores)), np.zeros(len(scores), dtype=bool)
    for rows in np.split(order, np.cumsum(np.bincount(group))[:-1]):  # groups differ in size
        found[rows] = quantile_ranks(scores[rows], quantiles=quantiles, highest_first=most_deprived == "highest")
        few[rows] = np.isfinite(scores[rows]).sum() < quantiles
    quality = np.where(few, "too_few_areas", "").astype(object)
    quality[np.isnan(scores)] = "no_score"
    return _with_quantiles(opened, found, quality)


def merge_quantiles(
    table: IntoDataFrameT,
    *,
    into: int,
    quantile: str = "quantile",
    quantiles: int | None = None,
    most_deprived: int | None = None,
) -> IntoDataFrameT:
    """Turn fine quantiles into coarse ones, deciles into quintiles say; labels are read as ``parse_quantiles`` does.

    Parameters
    ----------
    table
        A table with a column of quantiles.
    into
        How many quantiles there shall be, 3 or more; a divisor of how many there are.
    quantile, quantiles, most_deprived
        The column; and, where its labels do not say it, how many there are and the number of the most deprived one.

    Returns
    -------
    frame of the caller's kind
        The table as it was, row for row, with ``quantile`` (1 = most deprived) and ``quality`` (empty).

    Raises
    ------
    SchemaError
        A label cannot be read.
    ValueError
        The fine quantiles do not make whole coarse ones.

    Examples
    --------
    >>> import pandas as pd
    >>> areas = pd.DataFrame({"imd_decile": [1, 2, 3, 10]})
    >>> merge_quantiles(areas, into=5, quantile="imd_decile", quantiles=10, most_deprived=1)["quantile"].tolist()
    [1, 1, 2, 5]
    """
    opened = open_frame(table, [quantile])
    numbers, count = parse_quantiles(text_column(opened, quantile), quantiles=quantiles, most_deprived=most_deprived)
    if into < LEAST or count % into:
        raise ValueError(f"{count} quantiles do not make {into}: give a divisor of {LEAST} or more")
    merged = -(-np.array(numbers, dtype=np.float64) // (count // into))
    return _with_quantiles(opened, merged, np.full(len(numbers), "", dtype=object))


def estimate_deprivation_gap(
    table: IntoDataFrameT,
    *,
    definition: str,
    of: Literal["life expectancy", "healthy life expectancy"] = "life expectancy",
    measures: Sequence[str] = ("difference", "ratio"),
    by: Sequence[str] = ("sex", "period"),
    over: Sequence[str] = ("area_code",),
    quantile: str = "quantile",
    quantiles: int | None = None,
    most_deprived: int | None = None,
    at: int = 0,
    bands: AgeBands = ABRIDGED_90,
    rules: Rules = OHID,
    health: HealthState | None = None,
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Gap in (healthy) life expectancy between quantiles: deaths and people added up, then one life table a quantile.

    Never a mean of life expectancies: pooled people have their own ages.

    Parameters
    ----------
    table
        One row for each group, area, quantile and age: ``age, deaths, population``; for healthy life expectancy also
        ``prevalence`` and ``respondents``. Several areas are added up, the prevalence weighted by people.
    definition
        A key of ``DEFINITIONS`` that says whose quantiles these are; not ``"mean of local gaps"``, which is
        `estimate_mean_gap`'s.
    of
        Of what.
    measures
        Keys of ``MEASURES``: ``"difference"``, ``"ratio"``, ``"slope index"``, …
    by
        Key columns that make a group.
    over
        Key columns that are added up over; none if there is one row for each group, quantile and age.
    quantile, quantiles, most_deprived
        The column of quantiles, how many there are, and the number of the most deprived one, the last two where the
        labels do not say it in words.
    at
        Age from which years are expected.
    bands
        The age bands of the table.
    rules
        When the life expectancy of a quantile is not to be used.
    health
        Whose share the prevalence is: ``"good"`` or ``"not_good"``.
    confidence
        Of the limits.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``measure, definition, quantiles, value, lower, upper, se, method, quality``: one row for each
        group and measure, in key order. A quantile whose life table cannot be made, or is withheld, makes the measures
        that need it null, and ``quality`` says why; no other group is touched.

    Raises
    ------
    SchemaError, InvalidDataError
        A label cannot be read, a key stands twice, a column is missing.
    ValueError
        An option is unknown, or the definition does not fit ``over``.

    Examples
    --------
    >>> import pandas as pd
    >>> from nenc_estimates.age_bands import AgeBands
    >>> ages = pd.DataFrame({"age": ["0-39", "40-79", "80+"], "population": [40_000, 40_000, 9_000]})
    >>> deaths = {1: [60, 900, 1900], 2: [50, 750, 1800], 3: [40, 600, 1700]}
    >>> table = pd.concat([ages.assign(quantile=q, deaths=d) for q, d in deaths.items()])
    >>> options = {"by": [], "over": [], "quantiles": 3, "most_deprived": 1, "bands": AgeBands((0, 40, 80))}
    >>> gap = estimate_deprivation_gap(table, definition="national quantiles", **options)
    >>> gap[["measure", "value", "lower", "upper"]].round(2).values.tolist()
    [['difference', 5.27, 3.75, 6.79], ['ratio', 1.08, 1.06, 1.1]]

    See Also
    --------
    decompose_gap : which ages and causes the gap comes from.
    """
    check_choice(definition, DEFINITIONS, what="a definition")
    _check_definition(definition, over)
    if of not in ("life expectancy", "healthy life expectancy"):
        raise ValueError(f"of is 'life expectancy' or 'healthy life expectancy', not {of!r}")
    if (of == "healthy life expectancy") != (health in ("good", "not_good")):
        raise ValueError("healthy life expectancy, and only that, needs health='good' or 'not_good': whose share it is")
    columns = ["deaths", "population", *(["prevalence", "respondents"] if health else [])]
    stacked = stack_ages(table, columns, by=[*by, quantile, *over], bands=bands)
    pools = pool_quantiles(stacked, by, quantile, quantiles=quantiles, most_deprived=most_deprived)
    years = quantile_expectancies(pools, bands, rules=rules, health=health, at=bands.index(at))
    made = measured(years.value, pools.people, years.se, measures=measures, confidence=one_level(confidence))
    method = f"{of} at {at}, life tables of pooled deaths and people"
    return tidy_measures(pools.keys, made, definition=definition, method=method, reasons=years.reasons)


def _check_definition(definition: str, over: Sequence[str]) -> None:
    """Refuse a definition that what is added up contradicts."""
    if definition == "mean of local gaps":
        raise ValueError("a mean of local gaps is no gap of pooled people: use estimate_mean_gap")
    if definition == "local quantiles" and over:
        raise ValueError("local quantiles of several areas, added up, are 'pooled local quantiles'; or say over=()")
    if definition == "pooled local quantiles" and not over:
        raise ValueError("pooled local quantiles are added up over areas: say which column holds them, over=...")


def _with_quantiles(opened: nw.DataFrame[Any], numbers: NDArray[np.float64], quality: NDArray[np.object_]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    whole = pa.array(numbers, from_pandas=True).cast(pa.int64())
    made = pa.table({"quantile": whole, "quality": pa.array(quality.tolist(), type=pa.string())})
    added = nw.from_arrow(made, backend=opened.implementation)
    return opened.with_columns(*added.iter_columns()).to_native()
