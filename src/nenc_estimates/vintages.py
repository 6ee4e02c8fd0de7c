"""Which geography the rows of a table belong to: told from the codes present, never from the period."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

import narwhals.stable.v2 as nw
import numpy as np

from nenc_estimates.areas import areas, describe, overlaps, recoded
from nenc_estimates.crosswalks import Crosswalk, load_crosswalks
from nenc_estimates.errors import InvalidDataError, UnknownAreaError
from nenc_estimates.summaries import Summary
from nenc_estimates.tables import KEYS, Stack, open_frame, rows_where, stack, tidy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    Target = str | Crosswalk | Sequence[Crosswalk]

Table = TypeVar("Table", bound="IntoDataFrame")

MEASURES = ("value", "count", "deaths")
"""Columns that say whether an area has a figure: the first that a table has."""

_GSS = re.compile(r"[EKNSW][0-9]{8}")
_LARGER = MappingProxyType({"E12": "region", "E92": "country"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Selection(Summary, Generic[Table]):
    """What :func:`~nenc_estimates.select_geography` kept, and what it set aside.

    ``table`` holds the kept rows, in their order and in the frame's own kind. ``set_aside`` holds one row for each row
    that was not kept: its key columns, ``area_code`` and the ``reason``.
    """

    table: Table
    set_aside: Table

    def _head(self) -> str:
        kept, aside = (len(nw.from_native(part, eager_only=True)) for part in (self.table, self.set_aside))
        return f".table keeps {kept:,} rows; .set_aside has {aside:,}"

    def _lines(self) -> list[tuple[str, str]]:
        reasons = Counter(nw.from_native(self.set_aside, eager_only=True).get_column("reason").to_list())
        return [(f"{rows:,} set aside", reason) for reason, rows in reasons.most_common()]


def crosswalks_to(to: Target) -> tuple[Crosswalk, ...]:
    """Return the crosswalks that ``to`` names: a packaged target, one crosswalk, or several, in order of preference."""
    if isinstance(to, str):
        try:
            return load_crosswalks(to)
        except UnknownAreaError as problem:
            raise UnknownAreaError(f"{problem}{_meant(to)}") from problem
    several = (to,) if isinstance(to, Crosswalk) else tuple(to or ())
    if not several or not all(isinstance(each, Crosswalk) for each in several):
        raise ValueError(f"to is {to!r}; give 'nenc', 'local_icp', a Crosswalk or a list of Crosswalks.")
    return several


def _meant(to: str) -> str:
    """Say which packaged target a name or code belongs to; nothing if to none."""
    for target in ("nenc", "local_icp"):
        crosswalk = load_crosswalks(target)[0]
        words = {word.casefold() for code in crosswalk.targets for word in (code, crosswalk.names.get(code, code))}
        if to.casefold() == target:
            return f" Write {target!r}."
        if to.casefold() in words:
            return f" {to} is one of the areas of {target!r}: pass to={target!r}."
    return ""


def merge_superseded(stacked: Stack) -> tuple[Stack, tuple[str, ...]]:
    """Read superseded codes of unchanged areas as the present ones, and say so.

    Returns
    -------
    Stack, notices
        The same stack when no code is superseded.

    Raises
    ------
    InvalidDataError
        A series holds both the superseded and the present code.
    """
    changes = recoded(stacked.labels)
    if not changes:
        return stacked, ()
    present = stacked.rows >= 0
    labels = tuple(sorted({changes.get(label, label) for label in stacked.labels}))
    place = np.array([labels.index(changes.get(label, label)) for label in stacked.labels])
    rows = np.full((present.shape[0], len(labels)), -1, dtype=np.intp)
    values = {name: np.full(rows.shape, np.nan) for name in stacked.values}
    texts = {name: np.full(rows.shape, "", dtype=object) for name in stacked.texts}
    for i, label in enumerate(stacked.labels):
        held = present[:, i]
        twice = np.flatnonzero(held & (rows[:, place[i]] >= 0))
        if twice.size:
            pair = f"{rows[twice[0], place[i]]} and {stacked.rows[twice[0], i]}"
            raise InvalidDataError(
                f"rows {pair} ({stacked.group_named(int(twice[0]))}) are the same area under a superseded code and the "
                f"present one: {describe(label)}. Keep one."
            )
        rows[held, place[i]] = stacked.rows[held, i]
        for name, column in values.items():
            column[held, place[i]] = stacked.values[name][held, i]
        for name, words in texts.items():
            words[held, place[i]] = stacked.texts[name][held, i]
    notices = tuple(f"{old} was read as {describe(new)}, the same area" for old, new in sorted(changes.items()))
    return replace(stacked, labels=labels, rows=rows, values=values, texts=texts), notices


def match_vintage(stacked: Stack, crosswalks: Sequence[Crosswalk]) -> NDArray[np.intp]:
    """Choose for each group the crosswalk whose sources hold all its codes and miss fewest.

    Returns
    -------
    (group,)
        Position in ``crosswalks``.

    Raises
    ------
    InvalidDataError
        The codes of a group cover the same people twice.
    UnknownAreaError
        No crosswalk knows all codes of a group.
    """
    present = stacked.rows >= 0
    unknown = np.stack([_count(present, stacked.labels, crosswalk, known=False) for crosswalk in crosswalks], axis=-1)
    missing = np.stack([_missing(present, stacked.labels, crosswalk) for crosswalk in crosswalks], axis=-1)
    # unknown codes outweigh any number of missing ones
    best = np.argmin(unknown * (len(stacked.labels) + missing.max(initial=0) + 1) + missing, axis=-1)
    faulty = np.flatnonzero(unknown[np.arange(best.size), best])
    if faulty.size:
        group = int(faulty[0])
        _refuse(stacked, group, crosswalks[int(best[group])])
    return np.asarray(best, dtype=np.intp)


def select_geography(table: IntoDataFrameT, to: Target) -> Selection[IntoDataFrameT]:
    """Take the finest consistent set of areas in each group of a table, and say what was set aside.

    For each group (every combination of indicator, edition, sex, age, period …) the crosswalk with most member areas is
    taken for which every member has a value; where none is complete, the one that lacks fewest. Its rows are kept, all
    others set aside: regions, England, areas wholly outside, and the counties, districts or unitaries that cover the
    same people.

    Parameters
    ----------
    table
        Columns ``area_code`` and ``value``, or without it ``count`` or ``deaths``, and any of the key columns.
    to
        ``"nenc"``, ``"local_icp"``, or the crosswalks themselves.

    Returns
    -------
    Selection

    Raises
    ------
    UnknownAreaError
        A code is not a GSS code or an area that the package knows.

    Examples
    --------
    >>> import pandas as pd
    >>> from nenc_estimates.crosswalks import load_crosswalk
    >>> codes = [*load_crosswalk("utla21", "nenc").sources, "E12000001"]
    >>> selection = select_geography(pd.DataFrame({"area_code": codes, "value": 1.0}), "nenc")
    >>> len(selection.table), selection.set_aside["reason"].tolist()
    (13, ['region: it holds whole local authorities'])
    """
    crosswalks = sorted(crosswalks_to(to), key=lambda crosswalk: -len(crosswalk.members))
    opened = open_frame(table, ["area_code"])
    by = [name for name in KEYS if name in opened.columns]
    measure = next((name for name in MEASURES if name in opened.columns), MEASURES[0])
    stacked, _ = merge_superseded(stack(table, [measure], by=by, axis="area_code"))
    _refuse_strangers(stacked, crosswalks)
    filled = ~np.isnan(stacked.values[measure])
    lacking = np.stack([_missing(filled, stacked.labels, crosswalk) for crosswalk in crosswalks], axis=-1)
    sizes = np.array([len(crosswalk.members) for crosswalk in crosswalks])
    lacking = np.where(lacking == sizes, sizes.max() + 1, lacking)  # one without any member is never the choice
    chosen = np.argmin(lacking, axis=-1)  # of equally complete ones argmin takes the first, which is the finest
    kept = np.zeros(stacked.rows.shape, dtype=bool)
    for i, crosswalk in enumerate(crosswalks):
        kept[chosen == i] = _among(stacked.labels, crosswalk.members)
    keep_rows = np.zeros(len(opened), dtype=bool)
    keep_rows[stacked.rows[kept & (stacked.rows >= 0)]] = True
    groups, labels = np.nonzero(~kept & (stacked.rows >= 0))
    set_aside = {
        **{name: stacked.keys[name][groups] for name in by},
        "area_code": [stacked.labels[label] for label in labels],
        "reason": [
            _reason(stacked.labels[label], crosswalks[chosen[group]])
            for group, label in zip(groups, labels, strict=True)
        ],
    }
    return Selection(table=rows_where(table, keep_rows), set_aside=tidy(set_aside, stacked.backend))


def _among(labels: Sequence[str], codes: Collection[str]) -> NDArray[np.bool_]:
    known = frozenset(codes)
    return np.fromiter((label in known for label in labels), dtype=bool, count=len(labels))


def _count(present: NDArray[np.bool_], labels: Sequence[str], crosswalk: Crosswalk, *, known: bool) -> NDArray[np.intp]:
    belongs = _among(labels, crosswalk.sources)
    return np.asarray((present & (belongs == known)).sum(axis=-1), dtype=np.intp)


def _missing(present: NDArray[np.bool_], labels: Sequence[str], crosswalk: Crosswalk) -> NDArray[np.intp]:
    member = _among(labels, crosswalk.members)
    return np.asarray(len(crosswalk.members) - (present & member).sum(axis=-1), dtype=np.intp)


def _refuse(stacked: Stack, group: int, crosswalk: Crosswalk) -> None:
    codes = [stacked.labels[i] for i in np.flatnonzero(stacked.rows[group] >= 0)]
    rows = {code: int(row) for code, row in zip(stacked.labels, stacked.rows[group], strict=True) if row >= 0}
    pairs = overlaps(codes)
    if pairs:
        texts = [f"rows {rows[a]} and {rows[b]}: {describe(a)} {relation} {describe(b)}" for a, b, relation in pairs]
        raise InvalidDataError(
            f"in {stacked.group_named(group)} the same people stand in two rows: {'; '.join(texts[:5])}. "
            "Keep one level: select_geography(table, to) takes the finest complete set."
        )
    unknown = [code for code in codes if code not in crosswalk.sources]
    texts = [f"row {rows[code]}: {describe(code)}" for code in unknown]
    notes = "".join(f" {code}: {areas()[code].note}." for code in unknown if code in areas() and areas()[code].note)
    raise UnknownAreaError(
        f"in {stacked.group_named(group)} {'; '.join(texts[:5])}: not an area of "
        f"{crosswalk.source or 'the crosswalk'}, which leads to {crosswalk.target or 'the target'}.{notes} "
        "select_geography(table, to) sets such rows aside."
    )


def _refuse_strangers(stacked: Stack, crosswalks: Sequence[Crosswalk]) -> None:
    known = {code for crosswalk in crosswalks for code in crosswalk.sources} | set(areas())
    strange = [code for code in stacked.labels if code not in known and not _GSS.fullmatch(code)]
    if strange:
        cells = _among(stacked.labels, strange) & (stacked.rows >= 0)
        raise UnknownAreaError(f"not GSS codes: {stacked.named(cells)}. Expected a form such as E06000001.")


def _reason(code: str, crosswalk: Crosswalk) -> str:
    area = areas().get(code)
    if code[:3] in _LARGER:
        return f"{_LARGER[code[:3]]}: it holds whole local authorities"
    if code in crosswalk.sources:
        return "lies wholly outside every target"
    if area is not None and any(code in pair[:2] for pair in overlaps([code, *crosswalk.sources])):
        return f"covered by areas of {crosswalk.source or 'the chosen geography'}, which were kept"
    return f"not an area of {crosswalk.source or 'the chosen geography'}"
