"""The run itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nenc_estimates.release.goals import goals_part
from nenc_estimates.release.inequality import decomposition_table, national_slopes_part
from nenc_estimates.release.local import local_part
from nenc_estimates.release.mortality import life_tables_part
from nenc_estimates.release.people import most_deprived_part, population_part
from nenc_estimates.release.reproduction import reproduce
from nenc_estimates.release.rows import COLUMNS, CONTENTS, KEY, in_order
from nenc_estimates.release.weighted import areas_below_part, ill_health_part, weighted_part
from nenc_estimates.summaries import Summary

if TYPE_CHECKING:
    import pandas as pd

    from nenc_estimates.specification import Specification

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Run(Summary):
    """What a run hands over.

    ``estimates`` has a row for each figure; ``contents`` names its indicators and editions in words, as ordered in the
    specification; ``notes`` holds the remarks behind its ``quality`` codes, by key; ``reproduction`` one row for each
    published figure; ``goals`` and ``trajectories`` say whether the goals will be met (see ``goals_part``);
    ``decomposition`` what ages contribute to gaps; ``local`` what is published for the local authorities (see
    ``local_part``); ``log`` what was read, used and left out, with the reason.
    """

    estimates: pd.DataFrame
    contents: pd.DataFrame
    notes: pd.DataFrame
    reproduction: pd.DataFrame
    goals: pd.DataFrame
    trajectories: pd.DataFrame
    decomposition: pd.DataFrame
    local: pd.DataFrame
    log: dict[str, Any]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Name to table, of those that a reader gets."""
        names = ("estimates", "notes", "reproduction", "goals", "trajectories", "decomposition", "local")
        return {name: getattr(self, name) for name in names}

    def _head(self) -> str:
        return f"a release of {len(self.estimates):,} estimates"

    def _lines(self) -> list[tuple[str, str]]:
        return [(f".{name}", f"{len(table):,} rows × {table.shape[1]} columns") for name, table in self.tables.items()]


def run_release(specification: Specification, *, progress: Progress = lambda _: None) -> Run:
    """Make every table of a release.

    Parameters
    ----------
    specification
        What to make.
    progress
        Called with a line before each step.

    Returns
    -------
    Run

    Raises
    ------
    EstimatesError
        Data do not allow an estimate that the specification asks for.

    Examples
    --------
    >>> from nenc_estimates import read_specification
    >>> run_release(read_specification().model_copy(update={"decomposition": ()})).decomposition.empty
    True
    """
    import pandas as pd  # noqa: PLC0415 - importing the library must stay cheap

    parts, log = [], []
    for entry in specification.weighted:
        progress(f"{entry.indicator} {entry.edition}")
        part, read = weighted_part(entry)
        parts += part
        log.append(read)
    made = pd.concat(parts, ignore_index=True)
    progress("comparisons")
    parts += [ill_health_part(entry, made) for entry in specification.ill_health]
    parts += [areas_below_part(entry) for entry in specification.areas_below]
    parts += [part for entry in specification.life_tables for part in life_tables_part(entry)]
    parts += [part for entry in specification.national_slopes for part in national_slopes_part(entry)]
    if specification.deprivation:
        parts += [
            most_deprived_part(age, year)
            for age in specification.deprivation.ages
            for year in specification.deprivation.years
        ]
    if specification.population:
        parts += [population_part(year) for year in specification.population.years]
    together = pd.concat(parts, ignore_index=True)
    estimates = in_order(together, status=specification.status)
    progress("goals")
    goals, trajectories = goals_part(estimates, specification.assessed)
    progress("published figures")
    notes = estimates.loc[estimates["notes"] != "", [*KEY, "quality", "notes"]]
    return Run(
        estimates=estimates[list(COLUMNS)],
        contents=together[list(CONTENTS)].drop_duplicates(ignore_index=True),
        notes=notes.reset_index(drop=True),
        reproduction=reproduce(estimates),
        goals=goals,
        trajectories=trajectories,
        decomposition=decomposition_table(specification.decomposition),
        local=local_part(specification.weighted),
        log={"read": log, "estimates": len(estimates)},
    )
