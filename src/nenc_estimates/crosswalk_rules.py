"""What the rows of a crosswalk must satisfy, and how they are read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nenc_estimates.age_bands import parse_age
from nenc_estimates.areas import areas, describe, kind_of, overlaps, recoded
from nenc_estimates.errors import InvalidDataError, SchemaError, UnknownAreaError
from nenc_estimates.tables import coded_column, number_column, open_frame, text_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EXACT = 1e-9
"""How far from 1 the shares of a source may add up when they were computed."""

ROUNDED = 1e-5
"""How far from 1 they may add up when they were rounded: stored as they are, and reported as drift."""

NOT_SOURCES = ("country", "region", "stp", "icb")
"""Kinds of area that hold whole local authorities, so that their row among local authorities counts people twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The (target, source) pairs of a crosswalk for one age basis, the pairs of a target next to each other.

    ``starts[k]`` is the first pair of ``targets[k]``; ``source`` indexes ``sources``; ``share`` is the membership.
    """

    targets: tuple[str, ...]
    sources: tuple[str, ...]
    starts: NDArray[np.intp]
    source: NDArray[np.intp]
    share: Floats


def share_columns(rows: Sequence[tuple[str, str, float]] | IntoDataFrame) -> dict[str, Any]:
    """Read triples or a table of shares into columns, checking what it has."""
    if isinstance(rows, (list, tuple)):
        triples = list(rows)
        odd = [row for row in triples if not isinstance(row, (list, tuple)) or len(row) != 3]
        if odd:
            raise SchemaError(f"rows are triples (source code, target code, share), but there is {odd[0]!r}.")
        codes = [np.array([row[i] for row in triples], dtype=object) for i in (0, 1)]
        share = np.array([row[2] for row in triples], dtype=np.float64)
        age = np.full(len(triples), "all", dtype=object)
        return {"source_code": codes[0], "target_code": codes[1], "age": age, "share": share, "names": {}}
    opened = open_frame(
        cast("IntoDataFrame", rows), ["source_code", "target_code", "share"], what="the table of shares"
    )
    columns: dict[str, Any] = {name: text_column(opened, name) for name in ("source_code", "target_code")}
    columns["share"] = number_column(opened, "share")
    has_age = "age" in opened.columns
    columns["age"] = text_column(opened, "age") if has_age else np.full(len(opened), "all", dtype=object)
    columns["names"] = {
        code: name
        for side in ("target", "source")
        if f"{side}_name" in opened.columns
        for code, name in zip(columns[f"{side}_code"], text_column(opened, f"{side}_name"), strict=True)
    }
    return columns


def lookup_columns(lookup: IntoDataFrame, *, source: str, target: str, people: str | None) -> dict[str, Any]:
    """Turn a lookup of small areas into shares of each source inside each target."""
    opened = open_frame(lookup, [source, target, *([people] if people else [])], what="the lookup")
    codes, _ = with_present_codes(text_column(opened, source), strict=False)
    sources, from_code = np.unique(codes.astype(str), return_inverse=True)
    to_code, targets = coded_column(opened, target)
    count = number_column(opened, people) if people else np.ones(len(opened))
    wrong = np.flatnonzero(~(np.isfinite(count) & (count >= 0)))
    if wrong.size:
        rows = "; ".join(f"row {i} ({sources[from_code[i]]}): {count[i]:g}" for i in wrong[:5])
        raise InvalidDataError(f"people of a small area must be 0 or more and known, but {rows}.")
    inside = np.zeros((targets.size, sources.size))
    np.add.at(inside, (to_code, from_code), count)
    total = inside.sum(axis=0)
    empty = [str(sources[i]) for i in np.flatnonzero(total <= 0)]
    if empty:
        raise InvalidDataError(f"no people in {', '.join(empty[:5])} ({len(empty)} sources): their shares are unknown.")
    split = np.flatnonzero((inside > 0).sum(axis=0) > 1)
    if people is None and split.size:
        raise InvalidDataError(
            f"{', '.join(str(sources[i]) for i in split[:5])} lie in more than one target ({split.size} sources). "
            "Name the column of people to share them by: people=..."
        )
    to, of = np.nonzero(inside > 0)
    return {
        "source_code": sources[of].astype(object),
        "target_code": targets[to],
        "age": np.full(of.size, "all", dtype=object),
        "share": inside[to, of] / total[of],
    }


def with_present_codes(codes: NDArray[np.object_], *, strict: bool) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    """Replace superseded codes of unchanged areas, with a notice for each; refuse them when strict."""
    changes = recoded(set(codes))
    if not changes:
        return codes, ()
    notices = tuple(
        f"{old} was recoded to {describe(new)}: the same area, whose code changed"
        for old, new in sorted(changes.items())
    )
    if strict:
        raise UnknownAreaError(f"superseded codes: {'; '.join(notices)}. Recode them, or pass strict=False.")
    return np.array([changes.get(code, code) for code in codes], dtype=object), notices


def check_shares(
    source: NDArray[np.object_], target: NDArray[np.object_], age: NDArray[np.object_], share: Floats
) -> None:
    """Refuse shares outside 0 to 1, pairs repeated or absent at some age, sources that give away more than all."""
    if not share.size:
        raise InvalidDataError("a crosswalk has at least one row: source code, target code, share.")
    wrong = ~((share >= 0) & (share <= 1 + EXACT))
    if wrong.any():
        texts = [f"{s} in {t}: {v}" for s, t, v in zip(source[wrong], target[wrong], share[wrong], strict=True)]
        raise InvalidDataError(f"a share must lie between 0 and 1, but {'; '.join(texts[:5])}.")
    pairs = Counter(zip(source, target, age, strict=True))
    twice = sorted(pair for pair, times in pairs.items() if times > 1)
    if twice:
        raise InvalidDataError(
            f"a pair may stand once, but {'; '.join(f'{s} in {t} (age {a})' for s, t, a in twice[:5])} repeat."
        )
    times = Counter((s, t) for s, t, _ in pairs)
    n_ages = len(set(age))
    uneven = sorted(pair for pair, ages in times.items() if ages < n_ages)
    if uneven:
        raise InvalidDataError(
            f"every pair needs a share at every age, 0 where it has none, but "
            f"{'; '.join(f'{s} in {t}' for s, t in uneven[:5])} lack some."
        )
    total: dict[tuple[str, str], float] = {}
    for code, band, part in zip(source, age, share.tolist(), strict=True):
        total[code, band] = total.get((code, band), 0.0) + part
    over = {key: value for key, value in total.items() if value > 1 + ROUNDED}
    if over:
        texts = [f"{code} at age {band}: {value:.6g}" for (code, band), value in over.items()]
        raise InvalidDataError(
            f"the shares of a source add up to at most 1 (tolerance {ROUNDED}), but {'; '.join(texts[:5])}. "
            "Are these weights (shares of the target)? A crosswalk takes shares of the source."
        )


def check_sources(sources: Sequence[str], targets: Sequence[str]) -> None:
    """Refuse sources that are wider than a local authority, and sources that overlap."""
    known = areas()
    wide = [
        code
        for code in sources
        if kind_of(code) in NOT_SOURCES and not (code in known and known[code].parent in targets)
    ]
    if wide:
        notes = "".join(f" {code}: {known[code].note}." for code in wide if code in known and known[code].note)
        raise UnknownAreaError(
            f"{', '.join(map(describe, wide))}: a source must be a local authority or a smaller area.{notes}"
        )
    pairs = overlaps(sources)
    if pairs:
        texts = [f"{describe(first)} {relation} {describe(second)}" for first, second, relation in pairs]
        raise InvalidDataError(
            f"sources of one crosswalk may not overlap, but {'; '.join(texts[:5])}. They belong to different vintages "
            "or levels: keep one."
        )


def narrowest_age(held: Sequence[str], age: str) -> str:
    """Return the narrowest age group that holds all of ``age``; ``age`` itself where none does.

    Examples
    --------
    >>> narrowest_age(["all", "0-17", "16-64", "65+"], "5-9"), narrowest_age(["all", "0-17", "16-64"], "15-19")
    ('0-17', 'all')
    """
    first, last = parse_age(age)
    end = inf if last is None else last
    spans = {label: parse_age(label) for label in held}
    holding = {
        label: (inf if until is None else until) - since
        for label, (since, until) in spans.items()
        if since <= first and end <= (inf if until is None else until)
    }
    # of two without end the one that begins later is narrower
    return min(holding, key=lambda label: (holding[label], -spans[label][0]), default=age)
