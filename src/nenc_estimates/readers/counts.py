"""Tables of people or deaths: one count for each area, sex, age and time, whichever way round they are laid out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.age_bands import parse_age
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.readers.cells import (
    REASON_LABELS,
    Coded,
    constant,
    relabelled,
    require_filled,
    text_column,
    whole_column,
)
from nenc_estimates.readers.files import finished
from nenc_estimates.readers.labels import area_codes, sexes
from nenc_estimates.readers.report import shown
from nenc_estimates.readers.rows import choose, unrepeated, without_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.report import Log, Read

_OLDEST = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts and what they are of. ``rows`` says which row of the file each came from."""

    texts: Mapping[str, Coded]
    values: NDArray[np.float64]
    reasons: NDArray[np.int8]
    rows: NDArray[np.int64]


def area_and_sex(grid: Grid, log: Log, *, publisher: str, sex: str = "") -> dict[str, Coded]:
    """Read the columns of area and sex; a sheet for one sex gives it in `sex`."""
    codes = require_filled(text_column(grid, "area_code", log), grid, "area_code")
    given = text_column(grid, "sex", log)
    if "sex" in grid.columns:
        given = sexes(require_filled(given, grid, "sex"), grid, "sex", log, publisher=publisher)
    return {
        "area_code": area_codes(codes, grid, "area_code", log),
        "area_name": text_column(grid, "area_name", log),
        "sex": given if "sex" in grid.columns else constant(sex or "Persons", len(grid)),
    }


def unpivot(
    grid: Grid, texts: Mapping[str, Coded], log: Log, *, field: str, into: str, label: Callable[[str], str]
) -> Counts:
    """Turn a row with a column for each year or age into one row for each."""
    columns = grid.many(field)
    read = [whole_column(grid, name, log) for name in columns.values()]
    n, times = len(grid), len(columns)
    log.rows_read += n * (times - 1)
    labels = tuple(label(key) for key in columns)
    if len(set(labels)) < times:
        raise SchemaError(f"{grid.name}: two columns mean the same {into}: {', '.join(map(shown, labels[:10]))}.")
    spread = {name: Coded(codes=np.repeat(column.codes, times), labels=column.labels) for name, column in texts.items()}
    spread[into] = Coded(codes=np.tile(np.arange(times, dtype=np.int32), n), labels=labels)
    return Counts(
        texts=spread,
        values=np.column_stack([values for values, _ in read]).ravel(),
        reasons=np.column_stack([reasons for _, reasons in read]).ravel(),
        rows=np.repeat(grid.rows, times),
    )


def joined(parts: Sequence[Counts]) -> Counts:
    """Put the tables of several sheets under each other."""
    return Counts(
        texts={name: _joined([part.texts[name] for part in parts]) for name in parts[0].texts},
        values=np.concatenate([part.values for part in parts]),
        reasons=np.concatenate([part.reasons for part in parts]),
        rows=np.concatenate([part.rows for part in parts]),
    )


def _joined(columns: Sequence[Coded]) -> Coded:
    labels = {label: i for i, label in enumerate(dict.fromkeys(label for column in columns for label in column.labels))}
    places = [np.array([*(labels[label] for label in column.labels), -1], dtype=np.int32) for column in columns]
    codes = np.concatenate([place[column.codes] for place, column in zip(places, columns, strict=True)])
    return Coded(codes=codes, labels=tuple(labels))


def closed_ages(column: Coded, grid: Grid, log: Log) -> Coded:
    """Read the last single year of age as open: 90 means 90 and over in ONS estimates.

    Raises
    ------
    InvalidDataError
        Single years end before or after 90 without saying whether the last is open.
    """
    labels = set(column.present())
    singles = sorted(int(label) for label in labels if label.isdigit())
    if any(label.endswith("+") for label in labels) or len(singles) < 60 or singles != list(range(singles[-1] + 1)):
        return column
    if singles[-1] != _OLDEST:
        raise InvalidDataError(
            f"{grid.name}: single years of age end at {singles[-1]} and do not say whether that is one year or "
            f"'{singles[-1]}+'. Write which."
        )
    log.assumed("age 90 means 90 and over")
    return relabelled(column, lambda label: f"{_OLDEST}+" if label == str(_OLDEST) else label, grid, "age", log)


def tidied(counts: Counts, grid: Grid, log: Log, *, name: str, sex: str | None, complete: bool, time: str) -> Read:
    """Check counts, drop copies and totals, and hand them over.

    Parameters
    ----------
    counts, grid, log
        What was read.
    name
        Of the column of counts.
    sex
        Keep only these; without it, persons are set aside where men and women add up to them.
    complete
        A missing count is an error.
    time
        Name of the column of time, ``"year"`` or ``"period"``.
    """
    at = _rows_of(counts, grid)
    texts, values = dict(counts.texts), counts.values
    if complete and np.isnan(values).any():
        raise InvalidDataError(f"{grid.name}: {name} are missing in {at.where(np.isnan(values))}.")
    keys = {key: texts[key] for key in texts if key != "area_name"}
    keep = unrepeated(keys, {name: values}, np.ones(values.size, dtype=bool), at, log)
    if sex is None:
        others = [column for key, column in keys.items() if key != "sex"]
        keep = without_totals(
            texts["sex"],
            total="Persons",
            parts=["Male", "Female"],
            others=others,
            values=values,
            keep=keep,
            grid=at,
            log=log,
        )
    keep = choose(texts["sex"], sex, keep, log, name="sex")
    ages = [label for label in texts["age"].only(keep).present() if label != "all ages"]
    others = [column for key, column in keys.items() if key != "age"]
    keep = without_totals(
        texts["age"], total="all ages", parts=ages, others=others, values=values, keep=keep, grid=at, log=log
    )
    _warn_of_overlap(texts["age"].only(keep).present(), log)
    times = texts.pop(time)
    stamp = (
        np.array([int(label) for label in times.labels], dtype=np.int64)[times.codes[keep]] if time == "year" else None
    )
    columns = {key: column.only(keep) for key, column in texts.items()}
    return finished(
        {
            **columns,
            time: times.only(keep) if stamp is None else stamp,
            name: values[keep].astype(np.int64) if complete else values[keep],
            **({} if complete else {"missing_reason": _reasons(counts.reasons[keep])}),
        },
        grid,
        log,
    )


def year_label(label: str) -> str:
    """Read a year.

    Raises
    ------
    InvalidDataError
        It is not one.
    """
    if not re.fullmatch(r"(?:18|19|20|21)[0-9]{2}", label):
        raise InvalidDataError(f"{shown(label)} is not a year.")
    return label


def told_by(texts: Sequence[str], patterns: Mapping[str, str]) -> set[str]:
    """Return what the cells above a table say: the names whose pattern stands in one of them."""
    return {
        name for name, pattern in patterns.items() if any(re.search(pattern, text, re.IGNORECASE) for text in texts)
    }


def years_in(texts: Sequence[str]) -> set[str]:
    """Return the years that the cells above a table speak of as dates of its figures."""
    pattern = r"(?:mid[- ]?|june |date\W*|^)((?:19|20)[0-9]{2})(?![0-9])"
    return {year for text in texts for year in re.findall(pattern, text.strip(), re.IGNORECASE)}


def _reasons(reasons: NDArray[np.int8]) -> Coded:
    return Coded(codes=reasons.astype(np.int32) - 1, labels=REASON_LABELS[1:])


def _rows_of(counts: Counts, grid: Grid) -> Grid:
    return type(grid)(
        name=grid.name, columns={}, headings=grid.headings, rows=counts.rows, sheet=grid.sheet, backend=grid.backend
    )


def _warn_of_overlap(labels: Sequence[str], log: Log) -> None:
    spans = sorted((parse_age(label) for label in labels), key=lambda span: span[0])
    for (first, last), (following, _) in pairwise(spans):
        if last is None or last >= following:
            log.warned(f"ages overlap (the one that begins at {first} reaches beyond {following}): never add them up")
            return
