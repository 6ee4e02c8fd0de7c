"""Where a gap in (healthy) life expectancy comes from: ages, causes of death, health."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.kernels import decomposition as kernel
from nenc_estimates.kernels.decomposition_variance import contribution_variance, healthy_contribution_variance
from nenc_estimates.kernels.intervals import normal_interval
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.population_pairs import stack_pairs
from nenc_estimates.tables import tidy
from nenc_estimates.withholding import OHID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.kernels.prevalence import HealthState
    from nenc_estimates.population_pairs import Pairs
    from nenc_estimates.withholding import Rules

    Floats = NDArray[np.float64]

BY = ("age", "cause")
BLOCK = 1024
"""Pairs whose derivatives are in memory at a time."""


def decompose_gap(
    table: IntoDataFrameT,
    *,
    between: tuple[str, str],
    of: Literal["life expectancy", "healthy life expectancy"] = "life expectancy",
    by: str | Sequence[str] = "age",
    method: str = "arriaga",
    populations: str = "area_code",
    keys: Sequence[str] = ("sex", "period"),
    bands: AgeBands = ABRIDGED_90,
    all_causes: str | None = "all",
    cause_groups: Mapping[str, str] | None = None,
    health: HealthState | None = None,
    design_effect: float = 1.0,
    institutional: str | None = None,
    fixed: Sequence[str] = (),
    rules: Rules = OHID,
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Split a gap in (healthy) life expectancy at birth into contributions of ages and causes of death.

    Contributions sum to the gap exactly, change sign when the populations swap, are zero where rates agree, and add up
    over any grouping of ages and causes. The gap is the difference of what `estimate_life_expectancy`, or
    `estimate_healthy_life_expectancy`, gives with the same options; where nobody would survive an age band there is
    none.

    Parameters
    ----------
    table
        One row for each group, population, age and cause: ``age``; ``deaths``; ``population``, the person-years of the
        population and age, repeated for each cause; ``cause`` where there are causes, with rows of all deaths under the
        name ``all_causes``. For healthy life expectancy also ``prevalence`` and ``respondents``. A cause without deaths
        at an age needs a row with 0: an absent row is not 0.
    between
        The two populations; the gap is the second minus the first.
    of
        Of what.
    by
        ``"age"``, ``"cause"`` or both.
    method
        ``"arriaga"``: symmetric, in closed form. ``"path"``: both populations approach each other in step.
    populations
        The column that names the populations: ``"area_code"``, ``"quantile"``, ``"period"``, …
    keys
        Key columns that make a group; each group is a pair of its own.
    bands
        The age bands of the table.
    all_causes
        The cause whose rows hold all deaths. What the named causes leave of them is a cause of its own,
        ``"all other causes"``. ``None`` says that the causes make up all deaths.
    cause_groups
        Cause to the group that it is counted in; a cause that is not named stays by itself.
    health
        Whose share the prevalence is, ``"good"`` or ``"not_good"``; for healthy life expectancy.
    design_effect, institutional
        As in `estimate_healthy_life_expectancy`; for healthy life expectancy.
    fixed
        Which of the two populations are taken as known without error: England, say.
    rules
        ``OHID`` withholds a pair where Fingertips would withhold the figure at birth of either population, and
        ``quality`` says by which rule; ``NONE`` withholds nothing that can be computed.
    confidence
        Of the limits.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``first, second, of, method, effect, age, cause``, ``value, lower, upper, se`` [years], ``share``
        [% of the gap], ``quality``. For each group first every contribution, then subtotals and the gap, in which
        ``age`` or ``cause`` is ``all``. ``effect`` is ``mortality``; in healthy life expectancy also ``health``, by age
        only, and ``all``, the gap. A pair that cannot be decomposed is null and ``quality`` says why, no other is
        touched. Percentages are null where the gap is smaller than two standard errors.

    Raises
    ------
    SchemaError
        A column is missing, a population has no rows, an age is none of the bands.
    InvalidDataError
        A key stands twice, people differ between causes, causes have more deaths than all causes, or a share lies
        outside 0 to 1.
    ValueError
        An option is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> from nenc_estimates.age_bands import AgeBands
    >>> ages = pd.DataFrame({"age": ["0-49", "50+"], "population": [50_000, 25_000]})
    >>> here, there = ages.assign(area="here", deaths=[200, 1250]), ages.assign(area="there", deaths=[100, 1000])
    >>> options = {"populations": "area", "keys": [], "bands": AgeBands((0, 50))}
    >>> parts = decompose_gap(pd.concat([here, there]), between=("here", "there"), **options)
    >>> parts[["age", "value", "lower", "upper", "share"]].round(1).values.tolist()
    [['0-49', 5.2, 3.5, 7.0, 54.7], ['50+', 4.3, 2.7, 6.0, 45.3], ['all', 9.6, 7.2, 12.0, 100.0]]

    By cause, from the packaged example of invented deaths, whose columns are the ones to fill.

    >>> from nenc_estimates import read_table
    >>> example = read_table("invented_deaths_by_cause")
    >>> example.columns.tolist()
    ['area', 'sex', 'period', 'age', 'cause', 'deaths', 'population']
    >>> pair = ("invented nation", "invented region")
    >>> causes = decompose_gap(example, between=pair, by="cause", populations="area")
    >>> causes[causes["sex"] == "Male"].set_index("cause")["value"].round(2)[["cancer", "all"]].tolist()
    [-0.29, -1.29]

    See Also
    --------
    estimate_years_gained : what would be gained if some rates alone changed, which is another question.
    nenc_estimates.kernels.decomposition : the formulas and their sources.
    """
    chosen = _chosen(by)
    _check_health(of, health, surveyed=institutional is not None or design_effect != 1)
    pairs = stack_pairs(
        table,
        between=between,
        populations=populations,
        keys=keys,
        bands=bands,
        all_causes=all_causes,
        by_cause="cause" in chosen,
        cause_groups=cause_groups,
        health=health,
        design_effect=design_effect,
        institutional=institutional,
        fixed=fixed,
        rules=rules,
    )
    layout = _layout(pairs.causes, bands, chosen, healthy=health is not None)
    value, variance = _contributions(pairs, layout, {"width": bands.width, "nax": bands.nax, "method": method})
    limits = normal_interval(value, variance, confidence=one_level(confidence))
    with np.errstate(invalid="ignore"):
        clear = (np.abs(value[:, -1:]) >= 2 * np.sqrt(variance[:, -1:])) & (value[:, -1:] != 0)
        share = np.where(clear, 100 * value / value[:, -1:], np.nan)
    size, lines = value.shape
    numbers = {"value": value, "lower": limits.lower, "upper": limits.upper, "se": np.sqrt(variance), "share": share}
    words = {"first": between[0], "second": between[1], "of": of, "method": method}
    return tidy(
        {
            **{name: np.repeat(key, lines) for name, key in pairs.keys.keys.items()},
            **{name: [str(word)] * value.size for name, word in words.items()},
            **{name: [row[i] for row in layout.rows] * size for i, name in enumerate(("effect", "age", "cause"))},
            **{name: column.ravel() for name, column in numbers.items()},
            "quality": np.repeat(_quality(pairs, clear[:, 0], value), lines),
        },
        pairs.keys.backend,
    )


def _chosen(by: str | Sequence[str]) -> tuple[str, ...]:
    chosen = (by,) if isinstance(by, str) else tuple(by)
    if not chosen or any(name not in BY for name in chosen) or len(set(chosen)) < len(chosen):
        raise ValueError(f"by is 'age', 'cause' or both, not {by!r}")
    return chosen


def _check_health(of: str, health: str | None, *, surveyed: bool) -> None:
    if of not in ("life expectancy", "healthy life expectancy"):
        raise ValueError(f"of is 'life expectancy' or 'healthy life expectancy', not {of!r}")
    if (of == "healthy life expectancy") != (health in ("good", "not_good")):
        raise ValueError("healthy life expectancy, and only that, needs health='good' or 'not_good': whose share it is")
    if health is None and surveyed:
        raise ValueError("design_effect and institutional are of the survey of health: they need health= as well.")


class _Layout(NamedTuple):
    """Rows of a result, each a sum of cells: by cause and age of death rates, by age of shares in good health."""

    rows: list[tuple[str, str, str]]
    deaths: Floats
    health: Floats


def _layout(causes: tuple[str, ...], bands: AgeBands, by: Sequence[str], *, healthy: bool) -> _Layout:
    ages = [*(zip(bands.labels, np.eye(len(bands)), strict=True) if "age" in by else ()), ("all", np.ones(len(bands)))]
    kinds = [*(zip(causes, np.eye(len(causes)), strict=True) if "cause" in by else ()), ("all", np.ones(len(causes)))]
    none, every = np.zeros(len(bands)), np.ones(len(causes))
    sums = [(("mortality", age, cause), np.outer(c, a), none) for (cause, c), (age, a) in product(kinds, ages)]
    if healthy:
        sums += [(("health", age, "all"), np.outer(every, none), a) for age, a in ages]
        sums += [(("all", age, "all"), np.outer(every, a), a) for age, a in ages]
    rows, deaths, health = zip(*sums, strict=True)
    return _Layout(list(rows), np.array(deaths), np.array(health))


def _contributions(pairs: Pairs, layout: _Layout, rule: dict[str, Any]) -> tuple[Floats, Floats]:
    """Return contributions and their variances, ``(pair, row)``."""
    size = (pairs.rates.shape[1], len(layout.rows))
    value, variance = np.empty(size), np.empty(size)
    for start in range(0, size[0], BLOCK):
        part = slice(start, start + BLOCK)
        value[part], variance[part] = _block(pairs.part(part), layout, rule)
    return value, variance


def _block(pairs: Pairs, layout: _Layout, rule: dict[str, Any]) -> tuple[Floats, Floats]:
    rates, errors, healthy, healthy_errors = pairs.rates, pairs.variances, pairs.healthy, pairs.healthy_variance
    totals, total_errors = rates.sum(axis=2), errors.sum(axis=2)
    per_rate = kernel.mortality_sensitivity(*totals, healthy1=healthy[0], healthy2=healthy[1], **rule)
    deaths = -per_rate[:, None] * (rates[0] - rates[1])  # in this order equal rates give 0 and not -0
    value = np.einsum("gca,pca->pg", layout.deaths, deaths)
    by_cause = np.array([effect == "mortality" for effect, _, _ in layout.rows])
    variance = np.empty_like(value)
    variance[:, by_cause] = contribution_variance(
        *rates,
        *errors,
        groups=layout.deaths[by_cause],
        healthy=(healthy[0], healthy[1]),
        healthy_variance=(healthy_errors[0], healthy_errors[1]),
        **rule,
    )
    if not by_cause.all():
        health = kernel.health_sensitivity(*totals, **rule) * (healthy[1] - healthy[0])
        value += health @ layout.health.T
        variance[:, ~by_cause] = healthy_contribution_variance(
            *totals,
            *healthy,
            variances=(*total_errors, *healthy_errors),
            groups=np.stack([layout.deaths[~by_cause, 0], layout.health[~by_cause]], axis=1),
            **rule,
        )
    return value, variance


def _quality(pairs: Pairs, gap_known: NDArray[np.bool_], value: Floats) -> NDArray[np.object_]:
    texts = []
    for reason, known, made in zip(pairs.reasons, gap_known, ~np.isnan(value[:, -1]), strict=True):
        texts.append("" if made and known else "withheld_share" if made else reason)
    return np.array(texts, dtype=object)
