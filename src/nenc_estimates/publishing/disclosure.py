"""Fit to publish: small counts and weak life expectancies are withheld, and no total gives a hidden count away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.areas import ENGLAND, areas
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.publishing.additive import exposed, sum_rows
from nenc_estimates.publishing.rounding import half_away
from nenc_estimates.quality import QUALITY
from nenc_estimates.tables import KEYS
from nenc_estimates.withholding import CODES, LARGEST_WITHHELD, OHID

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from nenc_estimates.release import Run

    Flags = NDArray[np.bool_]

COUNTED = ("deaths", "people")
"""Units of counts of people or of what happened to them. Rates and means are not counts."""

SHOWN = ("value", "lower", "upper")
WITHHELD = (*SHOWN, "se")
"""What is withheld together: limits or an error would give the value away."""

REASONS = frozenset(
    {code for code in QUALITY if code.startswith(("withheld_", "missing_", "no_", "too_few_")) or "_without_" in code}
    | set(CODES.values())
    | {"bounds"}
)
"""Quality codes that say why there is no value."""

BLOCK = ("indicator", "edition", "age", "period")


def known_parts() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return what adds up in a release: local partnerships to the whole partnership, and the sexes.

    Examples
    --------
    >>> known_parts()["area_code"]["E54000050"]
    ('NENC-C', 'NENC-N', 'NENC-NC', 'NENC-TV')
    """
    local = [area for area in areas().values() if area.kind == "local icp"]
    wholes = sorted({area.parent for area in local})
    inside = {whole: tuple(sorted(area.code for area in local if area.parent == whole)) for whole in wholes}
    return MappingProxyType({"area_code": inside, "sex": {"Persons": ("Female", "Male")}})


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosurePolicy:
    """What may be shown of small numbers.

    The defaults for counts are those of NHS England's Hospital Episode Statistics (counts of 1 to 7 withheld, others to
    the nearest 5, below national level; zero is shown); those for life expectancy are OHID's (at least 5,000
    person-years; limits no further apart than 20 years).

    Attributes
    ----------
    largest_withheld
        Largest count that is withheld; 0 withholds none.
    round_to
        Other counts are rounded to a multiple of this, half away from zero.
    min_person_years, max_width
        A life expectancy needs as many person-years, and limits no further apart [years].
    national
        Codes of areas whose counts are shown as they are, unless one would give another away.
    as_published
        (indicator, edition) to the reason why its counts may be shown as their publisher shows them.
    parts
        Column to total to the labels that add up to it, such as ``{"sex": {"Persons": ("Female", "Male")}}``.
    """

    largest_withheld: int = LARGEST_WITHHELD
    round_to: int = 5
    min_person_years: float = OHID.least_person_years
    max_width: float = OHID.widest_interval
    national: frozenset[str] = frozenset({ENGLAND})
    as_published: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    parts: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=known_parts)


def disclose(table: pd.DataFrame, policy: DisclosurePolicy) -> pd.DataFrame:
    """Withhold and round what the policy says, with a quality code for each value that is touched.

    Parameters
    ----------
    table
        ``indicator, edition, area_code, sex, age, period, value, lower, upper, se, unit, quality``, and
        ``person_years`` where they are known. Rows with one ``indicator, edition, age, period`` that add up by
        ``policy.parts`` are protected together.
    policy
        The rules.

    Returns
    -------
    pandas.DataFrame
        The same rows. A withheld value is ``nan``, and so are its limits and error; a rounded count has neither.
        ``quality`` gained ``withheld_disclosure``, ``rounded_count``, ``withheld_person_years`` or
        ``withheld_wide_interval``. Withheld counts bear one code, whether small themselves or protecting another: two
        codes would say which are small.

    Raises
    ------
    InvalidDataError
        A value is missing and no quality code says why.
    """
    value = table["value"].to_numpy(dtype=np.float64)
    pairs = zip(table["indicator"], table["edition"], strict=True)
    exempt = np.array([pair in policy.as_published for pair in pairs], dtype=bool)
    counted = table["unit"].isin(COUNTED).to_numpy() & ~exempt
    hidden = _hidden_counts(table, value, counted, policy)
    below = ~table["area_code"].isin(policy.national).to_numpy()
    rounded = counted & below & ~hidden & (value > 0)
    few, wide = _weak_life_expectancies(table, policy)
    changed = table.assign(value=np.where(rounded, half_away(value / policy.round_to) * policy.round_to, value))
    changed.loc[hidden | few | wide, list(WITHHELD)] = np.nan
    changed.loc[rounded, ["lower", "upper", "se"]] = np.nan
    for code, where in {
        "withheld_disclosure": hidden,
        "withheld_person_years": few,
        "withheld_wide_interval": wide,
        "rounded_count": rounded,
    }.items():
        changed.loc[where, "quality"] = (changed.loc[where, "quality"] + f";{code}").str.lstrip(";")
    _check_reasons(changed)
    return changed


def fit_to_publish(run: Run, policy: DisclosurePolicy) -> Run:
    """Apply a policy to the estimates of a run, and to what was made of them.

    Returns
    -------
    Run
        With :func:`disclose` applied to ``estimates``; ``reproduction`` shows the same values, and says ``withheld``
        where there is none any more. Goals and trajectories of counts under control hold no numbers.
    """
    shown = disclose(run.estimates, policy)
    key = [name for name in (*KEYS, "area_code") if name in shown]
    beside = run.reproduction.drop(columns=["estimate", "lower", "upper"]).merge(
        shown[[*key, *SHOWN]].rename(columns={"value": "estimate"}), on=key, how="left", validate="m:1"
    )
    lost = run.reproduction["estimate"].notna() & beside["estimate"].isna()
    beside["outcome"] = beside["outcome"].mask(lost, "withheld")
    changed = {
        name: _without_counts(table, run.estimates, policy)
        for name, table in run.tables.items()
        if name not in ("estimates", "notes") and {"indicator", "edition", "quality"} <= set(table.columns)
    }
    changed |= {"estimates": shown, "reproduction": beside[list(run.reproduction.columns)]}
    # the names of tables are fields of a run, none of which is its log
    return replace(run, **changed)  # type: ignore[arg-type]


def _without_counts(table: pd.DataFrame, estimates: pd.DataFrame, policy: DisclosurePolicy) -> pd.DataFrame:
    """Withhold every number that was made from counts under control: one of them might give a count away."""
    counted = estimates[estimates["unit"].isin(COUNTED)]
    controlled = set(zip(counted["indicator"], counted["edition"], strict=True)) - set(policy.as_published)
    where = np.array([key in controlled for key in zip(table["indicator"], table["edition"], strict=True)], dtype=bool)
    if not where.any():
        return table
    changed = table.copy()
    changed.loc[where, [name for name in table if table[name].dtype == np.float64]] = np.nan
    changed.loc[where, "quality"] = (changed.loc[where, "quality"] + ";withheld_disclosure").str.lstrip(";")
    return changed


def _hidden_counts(table: pd.DataFrame, value: NDArray[np.float64], counted: Flags, policy: DisclosurePolicy) -> Flags:
    """Find the small counts below national level, and those that must be hidden with them."""
    national = table["area_code"].isin(policy.national).to_numpy()
    hidden = counted & ~national & (value > 0) & (value < policy.largest_withheld + 0.5)
    blocks = table.loc[counted].groupby([name for name in BLOCK if name in table], sort=False).indices
    rows = np.flatnonzero(counted)
    for block in blocks.values():
        mine = rows[block]
        if hidden[mine].any():
            cells = table.iloc[mine]
            sums = sum_rows(cells, policy.parts)
            hidden[mine] = _with_protection(value[mine], hidden[mine], national[mine], sums, policy.largest_withheld)
    return hidden


def _with_protection(
    value: NDArray[np.float64], small: Flags, national: Flags, sums: NDArray[np.float64], largest: int
) -> Flags:
    """Hide the smallest further counts until no sum tells a small one more closely than "1 to the largest withheld"."""
    hidden = small.copy()
    while (told := exposed(value, hidden, small, sums, width=largest - 1.0)).any():
        beside = (sums[(sums[:, told] != 0).any(axis=1)] != 0).any(axis=0)
        open_ = ~hidden & (value > 0)
        candidates = np.flatnonzero(open_ & beside) if (open_ & beside).any() else np.flatnonzero(open_)
        if candidates.size == 0:
            break
        hidden[candidates[np.lexsort((value[candidates], national[candidates]))[0]]] = True
    return hidden


def _weak_life_expectancies(table: pd.DataFrame, policy: DisclosurePolicy) -> tuple[Flags, Flags]:
    """Find the values in years that too few people, or limits too far apart, stand behind."""
    years = ((table["unit"] == "years") & table["value"].notna()).to_numpy()
    width = (table["upper"] - table["lower"]).to_numpy(dtype=np.float64)
    few = np.zeros(len(table), dtype=bool)
    if "person_years" in table:
        few = years & (table["person_years"].to_numpy(dtype=np.float64) < policy.min_person_years)
    return few, years & (width > policy.max_width)


def _check_reasons(table: pd.DataFrame) -> None:
    codes = table["quality"].str.split(";")
    reason = np.array([not REASONS.isdisjoint(row) for row in codes], dtype=bool)
    silent = table["value"].isna().to_numpy() & ~reason
    if silent.any():
        keys = [name for name in (*BLOCK, "area_code", "sex") if name in table]
        raise InvalidDataError(f"no quality code says why {table.loc[silent, keys].iloc[0].tolist()} has no value.")
