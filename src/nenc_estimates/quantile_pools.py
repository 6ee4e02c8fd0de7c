"""Deaths and people added up by quantile of deprivation, and the life table of each quantile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.kernels import expectancy
from nenc_estimates.kernels.life_table import life_table
from nenc_estimates.kernels.prevalence import Prevalence
from nenc_estimates.kernels.sullivan import sullivan
from nenc_estimates.quantile_tables import parse_quantiles
from nenc_estimates.withholding import check_counts, part_faults, withhold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.kernels.prevalence import HealthState
    from nenc_estimates.tables import Stack
    from nenc_estimates.withholding import Counts, Rules

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """What the quantiles of each group hold together.

    Attributes
    ----------
    keys
        The groups, and the kind of frame; ``rows`` is -1 for a quantile that no row is of.
    sums
        Of ``deaths`` and ``population``, and where there is a prevalence of healthy ``people_in_state`` and of its
        ``state_variance``, ``(group, quantile, age)``.
    missing
        Cells for which some area has no row ``(group, quantile, age)``.
    faults
        Bits of impossible counts of some area, which the sum would hide ``(group, quantile, age)``.
    """

    keys: Stack
    sums: Mapping[str, Floats]
    missing: NDArray[np.bool_]
    faults: NDArray[np.uint16]

    @property
    def people(self) -> Floats:
        """People of all ages ``(group, quantile)``."""
        total: Floats = self.sums["population"].sum(axis=-1)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """Expected years of each quantile ``(group, quantile)``, their standard errors, and codes of what is wrong."""

    value: Floats
    se: Floats
    reasons: NDArray[np.object_]


def pool_quantiles(
    stacked: Stack,
    by: Sequence[str],
    quantile: str,
    *,
    quantiles: int | None = None,
    most_deprived: int | None = None,
) -> Pools:
    """Add up the rows of each group and quantile.

    Parameters
    ----------
    stacked
        ``deaths, population`` by age, and ``prevalence, respondents`` for years in good health; its keys begin with
        those of ``by``.
    by
        Key columns that make a group.
    quantile, quantiles, most_deprived
        The key column of quantiles; how many, and the number of the most deprived, where its labels do not say it.

    Returns
    -------
    Pools
        A number that is missing in one area is missing in the sum.
    """
    labels, position = np.unique(stacked.keys[quantile].astype(str), return_inverse=True)
    numbers, count = parse_quantiles(labels, quantiles=quantiles, most_deprived=most_deprived)
    keys = list(zip(*(stacked.keys[name] for name in by), strict=True)) if by else [()] * len(stacked.rows)
    known = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    place = np.array([known[key] for key in keys], dtype=np.intp), np.array(numbers, dtype=np.intp)[position] - 1
    shape = (len(known), count, stacked.rows.shape[1])

    def added(cells: Floats) -> Floats:
        total = np.zeros(shape)
        np.add.at(total, place, cells)
        return total

    values = stacked.values
    columns = {"deaths": values["deaths"], "population": values["population"]}
    if "prevalence" in values:
        share, people = values["prevalence"], values["population"]
        share = np.where((share >= 0) & (share <= 1), share, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = share * (1 - share) / np.where(values["respondents"] > 0, values["respondents"], np.nan)
        columns |= {"people_in_state": share * people, "state_variance": variance * people**2}
    faults = np.zeros(shape, dtype=np.uint16)
    np.bitwise_or.at(faults, place, part_faults(values["deaths"], values["population"]))
    rows = np.full(shape[:2], -1, dtype=np.intp)
    rows[place] = 0
    groups = {name: np.array([key[i] for key in known], dtype=object) for i, name in enumerate(by)}
    return Pools(
        keys=replace(stacked, keys=groups, axis=quantile, labels=(), values={}, rows=rows, texts={}),
        sums={name: added(column) for name, column in columns.items()},
        missing=added((stacked.rows < 0).astype(np.float64)) > 0,
        faults=faults,
    )


def quantile_expectancies(pools: Pools, bands: AgeBands, *, rules: Rules, health: HealthState | None, at: int) -> Years:
    """Make the life table of each quantile, and take expected years from it.

    Parameters
    ----------
    pools
        What the quantiles hold.
    bands
        Their age bands.
    rules
        When the figures of a quantile are withheld.
    health
        Whose share the prevalence is; all years, in whatever health, when None.
    at
        Position of the band from which years are expected.
    """
    shape, ages = pools.missing.shape[:2], pools.missing.shape[-1]
    sums = {name: column.reshape(-1, ages) for name, column in pools.sums.items()}
    counts = check_counts(sums["deaths"], sums["population"], nax=bands.nax, absent=pools.missing.reshape(-1, ages))
    counts = counts.with_parts(pools.faults.reshape(-1, ages))
    value, se = _healthy(counts, sums, bands, health) if health else _all(counts, bands)
    remarks = {}
    if health:
        remarks["missing_prevalence"] = np.isnan(sums["people_in_state"]).any(axis=-1, keepdims=True) & np.isnan(value)
        remarks["no_respondents"] = np.isnan(se) & ~np.isnan(value)
    shown = withhold(counts, value, se, rules=rules, remarks=remarks)
    texts, place = shown.quality
    reasons = np.array(texts, dtype=object)[place[:, at]].reshape(shape)
    reasons[pools.keys.rows < 0] = "missing_quantile"
    return Years(value=shown.value[:, at].reshape(shape), se=shown.se[:, at].reshape(shape), reasons=reasons)


def _all(counts: Counts, bands: AgeBands) -> tuple[Floats, Floats]:
    made = expectancy.life_expectancy(counts.deaths, counts.population, width=bands.width, nax=bands.nax)
    return np.ascontiguousarray(made.ex), np.sqrt(np.ascontiguousarray(made.variance))


def _healthy(counts: Counts, sums: Mapping[str, Floats], bands: AgeBands, health: HealthState) -> tuple[Floats, Floats]:
    possible = (counts.deaths <= counts.population) & (counts.population > 0)
    people = np.where(possible, counts.population, np.nan)
    lives = life_table(counts.deaths / people, width=bands.width, nax=bands.nax)
    state = Prevalence(value=sums["people_in_state"] / people, variance=sums["state_variance"] / people**2, of=health)
    made = sullivan(lives, state, counts.deaths)
    return made.healthy, np.sqrt(made.healthy_variance)
