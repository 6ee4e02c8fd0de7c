"""Parts of a release that are made from files of its maker's own."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from nenc_estimates.decomposition import decompose_gap
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.population_pairs import REMAINDER
from nenc_estimates.readers.populations import read_populations
from nenc_estimates.withholding import LARGEST_WITHHELD

if TYPE_CHECKING:
    import pandas as pd

    from nenc_estimates.specification import OwnDecomposition

GROUP = ["area", "sex", "period"]


def own_contributions(entry: OwnDecomposition) -> pd.DataFrame:
    """Split the gap between two populations of a file, by cause of death or by age.

    Raises
    ------
    SchemaError
        The file has not the columns, populations or causes that the entry names.
    InvalidDataError
        Its rows contradict each other, or a part has few deaths in a population, whose count could be worked out.
    """
    table = read_populations(entry.path).table
    if entry.by == "cause" and "cause" not in table:
        raise SchemaError(f"{entry.file} has no column 'cause': fill one, or say by = 'age' in the specification.")
    made = decompose_gap(
        table,
        between=entry.between,
        by=entry.by,
        method=entry.method,
        populations="area",
        all_causes=entry.all_causes or None,
        cause_groups=entry.cause_groups,
        fixed=entry.fixed,
    )
    if not entry.as_published:
        _refuse_few(table[table["area"].isin(entry.between)], entry)
    first, second = entry.between
    contributions: pd.DataFrame = made.assign(
        comparison=f"{second} and {first}, by {entry.by}",
        edition=PurePath(entry.file).stem,
        basis=f"deaths and people of {PurePath(entry.file).name}",
        source=entry.source,
    )
    return contributions


def _refuse_few(table: pd.DataFrame, entry: OwnDecomposition) -> None:
    """Refuse parts with so few deaths that a contribution and its error could give the count away."""
    counts = _counts(table, entry)
    few = counts[(counts > 0) & (counts <= LARGEST_WITHHELD)]
    if len(few):
        area, sex, period, part = few.index[0]
        more = f" (and {len(few) - 1} more)" if len(few) > 1 else ""
        raise InvalidDataError(
            f"{entry.file}: {part!r} has 1 to {LARGEST_WITHHELD} deaths in {area}, {sex}, {period}{more}. Group causes "
            "with cause_groups, add years up, or give the reason why the counts may be known under as_published."
        )


def _counts(table: pd.DataFrame, entry: OwnDecomposition) -> Any:
    """Deaths of each part of the gap in each population."""
    import pandas as pd  # noqa: PLC0415 - importing the library must stay cheap

    apart = "cause" in table and entry.all_causes  # else the causes make up all deaths
    whole = table[table["cause"] == entry.all_causes] if apart else table
    if entry.by == "age":
        return whole.groupby([*GROUP, "age"])["deaths"].sum()
    named = table[table["cause"] != entry.all_causes]
    named = named.assign(part=[entry.cause_groups.get(cause, cause) for cause in named["cause"]])
    sums = [rows.groupby(GROUP, as_index=False)["deaths"].sum() for rows in (whole, named)]
    left = sums[0].merge(sums[1], on=GROUP, validate="1:1").assign(part=REMAINDER)
    left["deaths"] = left["deaths_x"] - left["deaths_y"]
    return pd.concat([named, left]).groupby([*GROUP, "part"])["deaths"].sum()
