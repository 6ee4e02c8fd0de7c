"""A released number never changes unnoticed: what changed between two releases, by how much, and why."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import SchemaError
from nenc_estimates.publishing.rounding import rounded, with_limits
from nenc_estimates.specification import Revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

SERIES = ("indicator", "edition", "area_code", "sex", "age", "period")
KEY = (*SERIES, "number")
"""Columns that make a released number the same number in two releases; ``number`` is empty for an estimate itself."""

NUMBERS = ("value", "lower", "upper")

TOLERANCE = 1e-6
"""Relative change from which a number has changed. What differs between machines is smaller by seven powers of ten."""

DIGITS = "%.9g"
"""Format of the numbers of a digest."""

SHOWN, DECIMALS = 5, 3
"""Changes that a summary names for each indicator, and the decimals that it gives them."""

GOALS = ("goal_value", "do_nothing", "shortfall", "required_per_year", "probability")
GOAL = ("goal", "reading", "view", "baseline_period", "trend")
"""Numbers of the table of goals that are released numbers, and what tells its rows apart within a series."""

TABLE, GOAL_TABLE, RECORD = "estimates.csv", "goals.csv", "run.json"
EXPLAINED_BY_RECORD = ("versions", "inputs", "specification")
"""Parts of the record of a release that say why numbers differ; a digest keeps these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release, or the digest of one, as :func:`read_release` finds it."""

    estimates: pd.DataFrame
    record: Mapping[str, Any]

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """Return the notes on revised numbers that its specification holds."""
        return tuple(Revision.model_validate(note) for note in self.record["specification"].get("revisions", ()))


def read_release(folder: Path) -> Release:
    """Read a release or a digest, checking that it is as it was written.

    Raises
    ------
    SchemaError
        The folder is not a release, or its table was changed after it was written.
    """
    import pandas as pd  # noqa: PLC0415 - importing the library must stay cheap

    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        outputs = record["outputs"]
        written = {name: outputs[name] for name in (TABLE, GOAL_TABLE) if name == TABLE or name in outputs}
        found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in written}
        missing = [name for name in EXPLAINED_BY_RECORD if name not in record]
    except (OSError, ValueError, LookupError, TypeError) as problem:
        raise SchemaError(f"{folder} is not a release: {problem}.") from problem
    if missing or found != written:
        raise SchemaError(
            f"{folder}: {' and '.join(sorted(found))} are not as they were written. Make the release again."
        )
    tables = [_estimates(folder / TABLE)]
    if GOAL_TABLE in written:
        tables.append(_goal_numbers(folder / GOAL_TABLE))
    return Release(estimates=pd.concat(tables, ignore_index=True), record=record)


def _estimates(path: Path) -> pd.DataFrame:
    """Read estimates, or a digest."""
    table = _read(path, NUMBERS)
    return (table if "number" in table else table.assign(number=""))[[*KEY, *NUMBERS]]


def _goal_numbers(path: Path) -> pd.DataFrame:
    """Read goals with a row for each number."""
    goals = _read(path, GOALS)
    named = [" ".join(part for part in row if part) for row in zip(*(goals[name] for name in GOAL), strict=True)]
    goals = goals.assign(period=goals["target_period"], row=named)
    long = goals.melt(id_vars=[*SERIES, "row"], value_vars=list(GOALS)).dropna(subset="value")
    long = long.assign(number="goal " + long["row"] + ": " + long["variable"], lower=np.nan, upper=np.nan)
    return long[[*KEY, *NUMBERS]]


def _read(path: Path, numbers: Iterable[str]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - importing the library must stay cheap

    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.assign(**{name: pd.to_numeric(table[name].replace("", None)) for name in numbers})


def write_digest(release: Release, folder: Path) -> None:
    """Write what later releases are compared with: keys, numbers to nine digits, and what they were made from.

    Examples
    --------
    >>> import tempfile, pathlib, pandas as pd
    >>> row = {name: "a" for name in KEY} | {"value": 1 / 3, "lower": 0.0, "upper": float("nan")}
    >>> made = Release(estimates=pd.DataFrame([row]), record=dict.fromkeys(EXPLAINED_BY_RECORD, {}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_digest(made, pathlib.Path(folder))
    ...     print((pathlib.Path(folder) / "estimates.csv").read_text().splitlines()[1])
    a,a,a,a,a,a,a,0.333333333,0,
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = release.estimates[[*KEY, *NUMBERS]]
    table.to_csv(folder / TABLE, index=False, lineterminator="\n", encoding="utf-8", float_format=DIGITS)
    checksum = hashlib.sha256((folder / TABLE).read_bytes()).hexdigest()
    record = {name: release.record[name] for name in EXPLAINED_BY_RECORD} | {"outputs": {TABLE: checksum}}
    text = json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True)
    (folder / RECORD).write_text(text + "\n", encoding="utf-8", newline="\n")


def changed_numbers(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """List the numbers that differ between two tables of estimates.

    Parameters
    ----------
    old, new
        Tables with ``KEY``, ``value``, ``lower`` and ``upper``.

    Returns
    -------
    pandas.DataFrame
        ``KEY, what, value_old, lower_old, upper_old, value, lower, upper, change``, in key order. ``what`` is
        ``revised`` (a value or limit differs, or is there in one table only), ``withdrawn`` (the row is gone) or
        ``added``; ``change`` is new less old value.
    """
    both = old[[*KEY, *NUMBERS]].merge(
        new[[*KEY, *NUMBERS]], on=list(KEY), how="outer", suffixes=("_old", ""), indicator="found", validate="1:1"
    )
    differ = np.zeros(len(both), dtype=bool)
    for name in NUMBERS:
        before, after = (both[column].to_numpy(dtype=np.float64) for column in (f"{name}_old", name))
        differ |= ~np.isclose(before, after, rtol=TOLERANCE, atol=1e-9, equal_nan=True)
    found = both["found"].astype(str)
    what = np.select([found == "left_only", found == "right_only", differ], ["withdrawn", "added", "revised"], "")
    both = both.assign(what=what, change=both["value"] - both["value_old"])
    columns = [*KEY, "what", *(f"{name}_old" for name in NUMBERS), *NUMBERS, "change"]
    changes: pd.DataFrame = both.loc[what != "", columns].sort_values(list(KEY), ignore_index=True)
    return changes


def compare(old: Release, new: Release) -> pd.DataFrame:
    """List what changed between two releases, by how much, and why.

    Parameters
    ----------
    old, new
        As :func:`read_release` gives them.

    Returns
    -------
    pandas.DataFrame
        :func:`changed_numbers` with ``cause``, ``note`` and ``mark``. A note in the specification of the new release
        names the cause. Without one, ``note`` is empty and ``cause`` is what the records point to: ``data edition``
        when a file of that edition differs, ``lookup`` when a lookup does, else ``method`` (code, packages or
        specification). ``mark`` is ``[r]`` for revised numbers.
    """
    changes = changed_numbers(old.estimates, new.estimates)
    revised = changes["what"] != "added"
    notes = [_note(row, new.revisions) for row in changes.itertuples()]
    differing = _differing(old.record["inputs"], new.record["inputs"])
    causes = [
        note.cause if note else _cause(edition, differing)
        for edition, note in zip(changes["edition"].astype(str), notes, strict=True)
    ]
    return changes.assign(
        cause=np.where(revised, causes, ""),
        note=np.where(revised, [note.note if note else "" for note in notes], ""),
        mark=np.where(changes["what"] == "revised", "[r]", ""),
    )


def unexplained(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the changes that need a note and have none."""
    return changes[(changes["what"] != "added") & (changes["note"] == "")]


def summary(changes: pd.DataFrame, *, numbers: int) -> str:
    """Lay out what changed for a reader: first by indicator, then the largest changes of each.

    Parameters
    ----------
    changes
        As :func:`compare` gives them.
    numbers
        Rows of the old release.
    """
    count = changes["what"].value_counts()
    lines = [
        f"{count.get('revised', 0)} of {numbers} released numbers revised, "
        f"{count.get('withdrawn', 0)} withdrawn; {count.get('added', 0)} added."
    ]
    changed = changes[changes["what"] != "added"]
    for (indicator, edition, what, cause, note), rows in changed.groupby(
        ["indicator", "edition", "what", "cause", "note"], sort=True
    ):
        lines.append(f"\n{indicator} {edition}: {len(rows)} {what} ({cause}). {note or 'NO NOTE SAYS WHY.'}")
        order = rows["change"].abs().sort_values(ascending=False, na_position="first").index
        lines += [_line(row) for row in rows.loc[order[:SHOWN]].itertuples()]
        lines += [f"  and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return "\n".join(lines)


def _line(row: Any) -> str:
    before, after = (
        with_limits(*numbers, DECIMALS)
        for numbers in ((row.value_old, row.lower_old, row.upper_old), (row.value, row.lower, row.upper))
    )
    change = "" if row.change != row.change else f", {'+' if row.change > 0 else ''}{rounded(row.change, DECIMALS)}"
    what = ", ".join(part for part in (row.area_code, row.sex, row.age, row.period, row.number) if part)
    return f"  {what}: {before} -> {after}{change} {row.mark}".rstrip()


def mark_revised(estimates: pd.DataFrame, released: pd.DataFrame, notes: Iterable[Revision]) -> pd.DataFrame:
    """Add the quality code ``revised`` where a released number changed and a note says why.

    Parameters
    ----------
    estimates
        Of the release to be.
    released
        Of the last release, as in its digest.
    notes
        Of the specification.
    """
    notes = tuple(notes)
    if not notes:
        return estimates
    changes = changed_numbers(released, estimates.assign(number=""))
    noted = [row.what == "revised" and _note(row, notes) is not None for row in changes.itertuples()]
    series = list(SERIES)
    marked = estimates[series].merge(changes.loc[noted, series], on=series, how="left", indicator="found")
    where = (marked["found"] == "both").to_numpy()
    quality: NDArray[Any] = (estimates["quality"] + ";revised").str.lstrip(";").to_numpy()
    return estimates.assign(quality=np.where(where, quality, estimates["quality"]))


def _note(row: Any, notes: Iterable[Revision]) -> Revision | None:
    for note in notes:
        about = (note.indicator, note.edition) == (row.indicator, row.edition)
        if about and (not note.periods or row.period in note.periods):
            return note
    return None


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> set[str]:
    """Return the files that are not the same, or not there, in one of two records."""
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def _cause(edition: str, differing: set[str]) -> str:
    """Return what the records point to; an edition such as ``a with b`` was made of two."""
    files = [name.removesuffix(".csv") for name in differing if name.startswith("indicators/")]
    if any(name.endswith(f"_{part}") for name in files for part in edition.split(" with ")):
        return "data edition"
    return "lookup" if any(name.startswith("lookups/") for name in differing) else "method"
