"""Life expectancy from deaths and people by age: of each area, and of areas pooled into one life table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.age_tables import chosen_ages, joined_codes, limit_columns, stack_ages, sum_from_age_up, tidy_ages
from nenc_estimates.kernels import expectancy
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.kernels.life_table import life_table_faults
from nenc_estimates.kernels.weighting import grouped_sum
from nenc_estimates.pooling import in_order, lay_ages_out
from nenc_estimates.tables import tidy
from nenc_estimates.vintages import crosswalks_to
from nenc_estimates.withholding import OHID, check_counts, codes_of, withhold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrameT
    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.age_tables import Ages
    from nenc_estimates.kernels.levels import Confidence
    from nenc_estimates.pooling import Laid
    from nenc_estimates.tables import Texts
    from nenc_estimates.vintages import Target
    from nenc_estimates.withholding import Counts, Rules

    Floats = NDArray[np.float64]


def estimate_life_expectancy(
    table: IntoDataFrameT,
    *,
    by: Sequence[str] = ("area_code", "sex", "period"),
    at: Ages = "all",
    bands: AgeBands = ABRIDGED_90,
    confidence: Confidence = 0.95,
    rules: Rules = OHID,
    nax: ArrayLike | None = None,
    open_band_variance: bool = True,
    age: str = "age",
    deaths: str = "deaths",
    population: str = "population",
) -> IntoDataFrameT:
    """Life expectancy of every group of a table, at every age.

    Parameters
    ----------
    table
        One row for each group and age band, in any order: an age, deaths, population (person-years where several years
        are together) and the columns named in ``by``.
    by
        Key columns that make a group; may be empty.
    at
        ``"all"``, or one or several ages: labels, or the ages at which bands begin.
    bands
        Age bands of the table. A group that lacks one has no life expectancy; other groups are not touched.
    confidence
        Level of the limits, or several levels.
    rules
        ``OHID`` withholds as Fingertips does; ``NONE`` withholds nothing that can be computed.
    nax
        Years lived in each band by those who die in it [years]; by OHID's rule when None. That of the open band is not
        used.
    open_band_variance
        Whether the variance has the term of the open band, which some tools leave out.
    age, deaths, population
        Names of the columns. Ages may have any label in use (``"<1"``, ``"01-04"``, ``"90 and over"``) or be the
        numbers at which bands begin.

    Returns
    -------
    frame of the caller's kind
        The key columns as text, then ``age, value, lower, upper`` [years], ``lower_998, upper_998`` and so on for
        further levels, ``se`` [years], ``deaths, person_years`` (from that age up) and ``quality``: one row for each
        group and age, in key order. ``quality`` lists codes of :data:`~nenc_estimates.QUALITY`: a value is null where
        the counts do not allow one or the rules withhold it, never without a code.

    Raises
    ------
    SchemaError
        A column is missing or holds no numbers; an age is unknown, none of the bands, or a date made by a spreadsheet.
    InvalidDataError
        A key is empty, or a group has two rows for one band.
    ValueError
        A confidence, an age or ``nax`` is impossible.

    Notes
    -----
    Chiang's abridged life table, with the variance of Silcocks and others: see
    :mod:`nenc_estimates.kernels.expectancy` for formulas and sources. Values and limits agree with
    ``phe_life_expectancy`` of PHEindicatormethods 2.1.0 wherever that gives a life expectancy, with two differences: a
    missing count is no life expectancy here, and above an age that nobody survives the figure is that of a person who
    did (there it is 0), with the code ``nobody_survives``.

    Examples
    --------
    >>> from nenc_estimates import read_table
    >>> table = read_table("deaths_by_age_ons_2014")
    >>> estimates = estimate_life_expectancy(table[table["area_name"] == "Hartlepool"], at=(0, 65))
    >>> estimates[["sex", "age", "value", "lower", "upper"]].round(1).values.tolist()
    [['Female', '0', 81.4, 80.2, 82.6], ['Female', '65-69', 20.3, 19.5, 21.1],
    ['Male', '0', 77.0, 75.8, 78.3], ['Male', '65-69', 17.5, 16.7, 18.3]]

    See Also
    --------
    nenc_estimates.kernels.expectancy.life_expectancy : the formula.
    """
    stacked = stack_ages(table, [deaths, population], by=by, bands=bands, age=age)
    rule = bands.nax if nax is None else np.asarray(nax, dtype=np.float64)
    counts = check_counts(stacked.values[deaths], stacked.values[population], nax=rule, absent=stacked.rows < 0)
    numbers, quality = _columns(counts, bands, rule, confidence, rules, open_band_variance=open_band_variance)
    return tidy_ages(stacked, chosen_ages(at, bands), numbers, quality)


def pool_life_tables(
    table: IntoDataFrameT,
    *,
    to: Target,
    by: Sequence[str] = ("sex", "period"),
    at: Ages = "all",
    bands: AgeBands = ABRIDGED_90,
    confidence: Confidence = 0.95,
    rules: Rules = OHID,
    age: str = "age",
    deaths: str = "deaths",
    population: str = "population",
) -> IntoDataFrameT:
    """Life expectancy of a target area from its own life table, made of the deaths and people of its areas.

    This is the right answer wherever deaths by age are at hand. A mean of the areas' life expectancies
    (``estimate_indicator``) is the fallback; ``compare_pooled_and_weighted`` shows what it costs.

    Parameters
    ----------
    table
        One row for each ``area_code``, series and age band: deaths and population.
    to
        ``"nenc"``, ``"local_icp"``, or one or several :class:`~nenc_estimates.Crosswalk`.
    by
        Key columns that make a series, without the area; may be empty.
    at, bands, confidence, rules, age, deaths, population
        As in ``estimate_life_expectancy``.

    Returns
    -------
    frame of the caller's kind
        The key columns, ``area_code, area_name, age, value, lower, upper, se, deaths, person_years, n_areas, quality,
        notes``: one row for each series, target and age, in key order.

    Raises
    ------
    SchemaError, InvalidDataError, UnknownAreaError
        As in ``estimate_life_expectancy`` and ``estimate_indicator``; an area of the target without rows is an error.

    Notes
    -----
    Of an area partly inside, its deaths and people of each age are multiplied by the share of its people of that age
    who live inside, or of the narrowest age group with a known share (``wider_age_share`` in ``quality``): the part
    is taken to have the death rates of the whole. The variance is that of the pooled deaths, as if they had been
    counted.

    Examples
    --------
    >>> from nenc_estimates import read_table
    >>> table = read_table("deaths_by_age_ons_2014")
    >>> pooled = pool_life_tables(table, to="nenc", at=0)
    >>> pooled[["sex", "value", "lower", "upper", "n_areas"]].round(2).values.tolist()
    [['Female', 81.83, 81.62, 82.04, 16], ['Male', 77.8, 77.58, 78.03, 16]]
    """
    stacked = stack_ages(table, [deaths, population], by=(*by, "area_code"), bands=bands, age=age)
    series, laid = lay_ages_out(stacked, crosswalks_to(to), deaths=deaths, population=population)
    made: list[dict[str, NDArray[Any]]] = [
        {
            "deaths": each.pooled(each.deaths),
            "population": each.pooled(each.population),
            "hidden": each.hidden_faults(),
        }
        for each in laid
    ]
    targets = in_order(series, laid, made)
    columns = targets.columns
    counts = check_counts(columns["deaths"], columns["population"], nax=bands.nax).with_parts(columns["hidden"])
    numbers, quality = _columns(counts, bands, bands.nax, confidence, rules)
    n_areas = np.repeat(columns["n_areas"][:, None], len(bands), axis=-1)
    return tidy_ages(
        targets.stacked,
        chosen_ages(at, bands),
        {**numbers, "n_areas": n_areas},
        joined_codes(quality, columns["quality"]),
        before={"area_name": columns["area_name"]},
        after={"notes": columns["notes"]},
    )


def compare_pooled_and_weighted(
    table: IntoDataFrameT,
    *,
    to: Target,
    by: Sequence[str] = ("sex", "period"),
    bands: AgeBands = ABRIDGED_90,
    confidence: float = 0.95,
    age: str = "age",
    deaths: str = "deaths",
    population: str = "population",
) -> IntoDataFrameT:
    """Life expectancy at birth of a target from its own life table, beside the mean of its areas', and why they differ.

    Parameters
    ----------
    table, to, by, bands, age, deaths, population
        As in ``pool_life_tables``.
    confidence
        Level of the limits.

    Returns
    -------
    frame of the caller's kind
        The key columns, ``area_code, area_name``, ``pooled, pooled_lower, pooled_upper, pooled_se``, ``weighted,
        weighted_lower, weighted_upper, weighted_se``, ``difference`` (weighted less pooled), ``age_structure,
        convexity`` (its two causes, which add up to it) [years], ``n_areas, quality, notes``: one row for each series
        and target, in key order.

    Raises
    ------
    SchemaError, InvalidDataError, UnknownAreaError
        As in ``pool_life_tables``.

    Notes
    -----
    The mean is weighted by the people of all ages who live inside. ``convexity`` is the mean of life expectancies less
    that of mean death rates: usually above 0, as life expectancy falls ever more slowly while rates rise; surely so
    only where the areas' rates differ in the same proportion at all ages. ``age_structure`` is the life expectancy of
    death rates averaged with the same weights at every age less the pooled one, which weights each age by its own
    people: of either sign. On the weights see Feehan D, Wrigley-Field E (2021), Demographic Research 44:15.

    Examples
    --------
    >>> from nenc_estimates import read_table
    >>> table = read_table("deaths_by_age_ons_2014")
    >>> compared = compare_pooled_and_weighted(table, to="nenc")
    >>> compared[["pooled", "weighted", "difference", "age_structure", "convexity"]].round(2).values.tolist()
    [[81.83, 81.83, -0.01, -0.05, 0.05], [77.8, 77.73, -0.07, -0.13, 0.05]]
    """
    stacked = stack_ages(table, [deaths, population], by=(*by, "area_code"), bands=bands, age=age)
    series, laid = lay_ages_out(stacked, crosswalks_to(to), deaths=deaths, population=population)
    targets = in_order(series, laid, [_compared(each, bands) for each in laid])
    columns = dict(targets.columns)
    for name in ("pooled", "weighted"):
        limits = limit_columns(columns[name], columns[f"{name}_se"], one_level(confidence))
        columns |= {f"{name}_{side}": limits[side] for side in ("lower", "upper")}
    pairs = zip(columns["quality"], codes_of(columns.pop("faults")), strict=True)
    columns["quality"] = np.array([";".join(filter(None, pair)) for pair in pairs], dtype=object)
    order = ("area_name", *_COMPARED, "n_areas", "quality", "notes")
    return tidy({**targets.stacked.keys, **{name: columns[name] for name in order}}, stacked.backend)


_COMPARED = (
    *("pooled", "pooled_lower", "pooled_upper", "pooled_se"),
    *("weighted", "weighted_lower", "weighted_upper", "weighted_se"),
    *("difference", "age_structure", "convexity"),
)


def _compared(laid: Laid, bands: AgeBands) -> dict[str, NDArray[Any]]:
    """Both estimates at birth, their variances and causes, each ``(series, target)``."""

    def lives(deaths: Floats, population: Floats) -> expectancy.LifeExpectancy:
        return expectancy.life_expectancy(deaths, population, width=bands.width, nax=bands.nax)

    used = np.asarray((laid.share > 0).any(axis=-1))
    weight = np.where(used, laid.inside()[1], 0.0)
    deaths = np.where(laid.hidden_faults() > 0, np.nan, laid.pooled(laid.deaths))
    parts, pooled = lives(laid.deaths, laid.population), lives(deaths, laid.pooled(laid.population))
    value, variance = (np.where(used, each[..., 0], 0.0) for each in (parts.ex, parts.variance))
    weighted = grouped_sum(weight * value, laid.starts)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(used[:, None], weight[..., None] * laid.deaths / laid.population, 0.0)
    mean = np.moveaxis(grouped_sum(np.moveaxis(rates, 1, -1), laid.starts), -1, 1)
    of_mean = lives(mean, np.ones_like(mean)).ex[..., 0]
    bits = np.where(used, life_table_faults(laid.deaths, laid.population), 0).astype(np.intp)
    return {
        "pooled": pooled.ex[..., 0],
        "pooled_se": np.sqrt(pooled.variance[..., 0]),
        "weighted": weighted,
        "weighted_se": np.sqrt(grouped_sum(weight**2 * variance, laid.starts)),
        "difference": weighted - pooled.ex[..., 0],
        "age_structure": of_mean - pooled.ex[..., 0],
        "convexity": weighted - of_mean,
        "faults": np.bitwise_or.reduceat(bits, laid.starts, axis=-1),
    }


def _columns(
    counts: Counts,
    bands: AgeBands,
    nax: Floats,
    confidence: Confidence,
    rules: Rules,
    *,
    open_band_variance: bool = True,
) -> tuple[dict[str, Floats], Texts]:
    """Columns of numbers ``(group, age)``, and their codes."""
    made = expectancy.life_expectancy(
        counts.deaths, counts.population, width=bands.width, nax=nax, open_band_variance=open_band_variance
    )
    value, variance = np.ascontiguousarray(made.ex), np.ascontiguousarray(made.variance)
    shown = withhold(counts, value, np.sqrt(variance), rules=rules)
    numbers = {
        "value": shown.value,
        **limit_columns(shown.centre, shown.se, confidence),
        "se": shown.se,
        "deaths": sum_from_age_up(counts.deaths),
        "person_years": sum_from_age_up(counts.population),
    }
    return numbers, shown.quality
