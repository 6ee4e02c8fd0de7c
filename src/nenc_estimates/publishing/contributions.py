"""Charts of what contributes to a gap: causes of death where a decomposition has them, else ages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from nenc_estimates.age_bands import parse_age
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.population_pairs import REMAINDER
from nenc_estimates.publishing.drawing import Chart, draw
from nenc_estimates.publishing.rounding import MISSING, rounded
from nenc_estimates.publishing.signed_layers import LETTERS, signed_bars, stacks
from nenc_estimates.publishing.words import WHO
from nenc_estimates.quality import QUALITY
from nenc_estimates.tables import open_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame

    Row = Mapping[Any, Any]

Form = Literal["bars", "scarf"]

FORMS: Mapping[str, str] = MappingProxyType(
    {
        "bars": "A bar for each part of one gap, with its 95 % limits.",
        "scarf": "A stack for each gap, with the key of its parts, what adds to it and what takes from it.",
    }
)
"""Forms that a chart of contributions can have."""

COLUMNS = ("first", "second", "of", "method", "effect", "age", "cause", "value", "lower", "upper", "quality")
BESIDE = frozenset({*COLUMNS, "se", "share", "comparison", "edition", "basis", "source"})
"""Columns of a decomposition that are no keys: each other column tells gaps apart."""

INVENTED = "INVENTED FIGURES"
"""What is written large on a chart of them: the word stands in their source, period or the names of populations."""

DIGITS = 2
"""Decimals of contributions, which are small."""

GROUPED_FROM = (0, 1, 20, 40, 60, 80)
"""First ages of the groups that many ages are added up to in a stack."""

TOLERANCE = 1e-6
"""Parts may differ from the gap by this much [years]: they were written with fewer digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A gap and its parts.

    ``keys`` says whose gap it is; ``kind`` is ``"causes of death"`` or ``"ages"``; ``total`` and ``parts`` are rows
    with ``value, lower, upper``, and parts have a ``name``.
    """

    keys: tuple[str, ...]
    first: str
    second: str
    of: str
    kind: str
    total: Row
    parts: tuple[Row, ...]


def draw_contributions(table: IntoDataFrame, *, source: str, form: Form = "bars") -> Chart:
    """Draw what contributes to gaps in (healthy) life expectancy: causes of death where the table has them, else ages.

    Nothing is left out: parts add up to the gap, or the table is refused.

    Parameters
    ----------
    table
        What :func:`~nenc_estimates.decompose_gap` returned, or rows of ``decomposition.csv``: all rows of one gap for
        bars, of one or several for a scarf.
    source
        Where the deaths come from: publisher and edition. It is printed on the chart. Where it, the period or the name
        of a population holds the word "invented", the chart says so in large letters.
    form
        ``"bars"``, with limits, or ``"scarf"``, one stack for each gap. Where there are more than twelve parts, a scarf
        adds ages up to under 1, 1 to 19, 20 to 39 and so on, and the smallest causes to one part that says how many.

    Returns
    -------
    Chart
        ``title``, ``alt`` (what it shows, in words) and ``svg``;
        :func:`nenc_estimates.publishing.drawing.png` makes a PNG of it.

    Raises
    ------
    SchemaError
        A column is missing, or there are no rows.
    InvalidDataError
        Parts do not add up to their gap, or the gap has no row: some rows were left out. Gaps of one scarf have
        different parts.
    ValueError
        The source is empty, the form unknown, or several gaps are to be bars.

    Examples
    --------
    >>> from nenc_estimates import decompose_gap, read_table
    >>> example = read_table("invented_deaths_by_cause")
    >>> pair = ("invented nation", "invented region")
    >>> parts = decompose_gap(example, between=pair, by="cause", populations="area")
    >>> chart = draw_contributions(parts, form="scarf", source="invented: drawn at random")
    >>> print(chart.alt[:68])
    INVENTED FIGURES. Gap in life expectancy: causes of death, invented.
    """
    if form not in FORMS:
        raise ValueError(f"form is {form!r}; known: {', '.join(FORMS)}.")
    if not source.strip():
        raise ValueError("source is empty: say where the deaths come from, publisher and edition. It is printed.")
    gaps = gaps_of(table)
    return _bars(gaps, source) if form == "bars" else _scarf(gaps, source)


def gaps_of(table: IntoDataFrame) -> list[Gap]:
    """Return the gaps of a decomposition with the parts that add up to each, in the order of the table.

    Raises
    ------
    SchemaError, InvalidDataError
        As in :func:`draw_contributions`.
    """
    opened = open_frame(table, COLUMNS, what="the decomposition")
    keys = [name for name in opened.columns if name not in BESIDE]
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in opened.iter_rows(named=True):
        groups.setdefault(tuple(str(row[name]) for name in (*COLUMNS[:4], *keys)), []).append(_numbers(row))
    return [_gap(key, rows) for key, rows in groups.items()]


def _numbers(row: Row) -> Row:
    """Read null as ``nan``, whatever the kind of frame."""
    return {**row, **{side: float("nan") if row[side] is None else row[side] for side in ("value", "lower", "upper")}}


def _gap(key: tuple[str, ...], rows: Sequence[Row]) -> Gap:
    first, second, of, _, *keys = key
    causes = [row for row in rows if row["age"] == "all" and row["cause"] != "all"]
    effect = "all" if of.startswith("healthy") else "mortality"
    whole = [row for row in rows if row["effect"] == effect and row["cause"] == "all"]
    total = [row for row in whole if row["age"] == "all"]
    named = f"{of}, {', '.join(key)}"
    if len(total) != 1:
        raise InvalidDataError(f"{named}: the gap has {len(total)} rows, but must have one. Pass every row of it.")
    if causes:
        health = [row for row in rows if row["effect"] == "health" and row["age"] == "all"]
        parts = sorted(causes, key=lambda row: (row["cause"] == REMAINDER, -_towards(row, total[0])))
        parts = [{**row, "name": _cause(row["cause"])} for row in parts]
        parts += [{**row, "name": "Health while alive"} for row in health]
    else:
        parts = [
            {**row, "name": "Under 1" if row["age"] == "0" else row["age"]} for row in whole if row["age"] != "all"
        ]
    away = abs(sum(row["value"] for row in parts) - total[0]["value"])
    withheld = total[0]["value"] != total[0]["value"]
    if not parts or not (away <= TOLERANCE or withheld):  # a part without a figure adds up to nothing
        raise InvalidDataError(f"{named}: the parts do not add up to the gap. Pass every row of the decomposition.")
    kind = "causes of death" if causes else "ages"
    return Gap(keys=tuple(keys), first=first, second=second, of=of, kind=kind, total=total[0], parts=tuple(parts))


def _towards(row: Row, total: Row) -> float:
    return float(row["value"] if total["value"] >= 0 else -row["value"])


def _cause(name: str) -> str:
    words = name.replace("_", " ")
    return f"{words[0].upper()}{words[1:]}"


def _bars(gaps: Sequence[Gap], source: str) -> Chart:
    if len(gaps) > 1:
        names = "; ".join(", ".join(gap.keys) for gap in gaps[:4])
        raise ValueError(f"bars show one gap, and the table has {len(gaps)} ({names}): choose one, or form='scarf'.")
    gap = gaps[0]
    parts = [{**row, "shown": figure(row), "told": f"{row['name']}: {_words(row)}"} for row in gap.parts]
    heading = f"Gap in {gap.of}: {gap.kind}, {_who(gap.keys)}".removesuffix(", ")
    lines = [f"{_pair(gap)}: {_words(gap.total)}", _sides(gap)]
    banner, foot = _banner(gaps, source), ["Lines: 95 % limits.", f"Source: {source}"]
    drawn = signed_bars(parts, title=[heading, *lines], banner=banner, foot=foot)
    words = f"{_named(banner, heading)}. {lines[0]}. {_greatest(gap.parts)} Source: {source}."
    return draw(drawn, title=_named(banner, f"{heading}. {_pair(gap)}"), alt=words)


def _scarf(gaps: Sequence[Gap], source: str) -> Chart:
    gaps = _in_few(gaps)
    key = [row["name"] for row in gaps[0].parts]
    if any(gap.of != gaps[0].of or {row["name"] for row in gap.parts} != set(key) for gap in gaps):
        raise InvalidDataError("the gaps have different parts, and so no common key: draw them one by one.")
    one_pair = len({(gap.first, gap.second) for gap in gaps}) == 1
    differing = [i for i, names in enumerate(zip(*(gap.keys for gap in gaps), strict=True)) if len(set(names)) > 1]
    rows = [_stack(gap, key, differing, one_pair=one_pair) for gap in gaps]
    same = [name for i, name in enumerate(gaps[0].keys) if i not in differing]
    heading = f"Gap in {gaps[0].of}: {gaps[0].kind}, {_who(same)}".removesuffix(", ")
    pair = _pair(gaps[0]) if one_pair else "The second population minus the first"
    banner = _banner(gaps, source)
    foot = ["Diamond: the gap, with its 95 % limits.", f"Source: {source}"]
    drawn = stacks(rows, key, title=[heading, pair, _sides(gaps[0])], banner=banner, foot=foot)
    said = [f"{row['name']}: {row['told']}. {_greatest(gap.parts)}" for row, gap in zip(rows, gaps, strict=True)]
    words = f"{_named(banner, heading)}. {pair}. {' '.join(said)} Source: {source}."
    return draw(drawn, title=_named(banner, f"{heading}. {pair}"), alt=words)


def _stack(gap: Gap, key: Sequence[str], differing: Sequence[int], *, one_pair: bool) -> Row:
    names = [gap.keys[i] for i in differing] + ([] if one_pair else [_pair(gap)])
    found = {row["name"]: row for row in gap.parts}
    parts = [{**found[name], "figure": _signed(found[name]["value"])} for name in key]
    parts = [{**row, "told": f"{row['name']}: {row['figure']} years"} for row in parts]
    values = [row["value"] for row in parts]
    up, down = (sum(value for value in values if sign * value > 0) for sign in (1, -1))
    shown = [f"Gap {figure(gap.total)}", f"adds {_signed(up)}, takes {_signed(down)}"]
    if gap.total["value"] != gap.total["value"]:
        shown = [f"{MISSING} {_why(gap.total)}"]
    return {**gap.total, "name": _capital(_who(names)), "parts": parts, "shown": shown, "told": _words(gap.total)}


def _in_few(gaps: Sequence[Gap]) -> list[Gap]:
    """Add parts up where there are too many for a key: contributions add up over any grouping."""
    if max(len(gap.parts) for gap in gaps) <= len(LETTERS):
        return list(gaps)
    if gaps[0].kind == "ages":
        return [replace(gap, parts=_wide_ages(gap.parts)) for gap in gaps]
    sizes: dict[str, float] = {}
    for row in (row for gap in gaps for row in gap.parts):
        sizes[row["name"]] = max(sizes.get(row["name"], 0.0), abs(row["value"]))
    small = sorted(sizes, key=lambda name: sizes[name])[: len(sizes) - len(LETTERS) + 1]
    return [replace(gap, parts=_without_small(gap.parts, small)) for gap in gaps]


def _without_small(parts: Sequence[Row], small: Sequence[str]) -> tuple[Row, ...]:
    rest = [row for row in parts if row["name"] in small]
    return (*(row for row in parts if row["name"] not in small), _added(rest, f"{len(small)} smaller ones together"))


def _wide_ages(parts: Sequence[Row]) -> tuple[Row, ...]:
    groups: dict[int, list[Row]] = {}
    for row in parts:
        first = parse_age(row["age"])[0]
        groups.setdefault(max(start for start in GROUPED_FROM if start <= first), []).append(row)
    return tuple(_added(rows, _ages(rows[0], rows[-1])) for rows in groups.values())


def _ages(youngest: Row, oldest: Row) -> str:
    first, last = parse_age(youngest["age"])[0], parse_age(oldest["age"])[1]
    return f"{first}+" if last is None else "Under 1" if last == 0 else f"{first}-{last}"


def _added(rows: Sequence[Row], name: str) -> Row:
    nan = float("nan")
    return {"name": name, "value": sum(row["value"] for row in rows), "lower": nan, "upper": nan}


def _greatest(parts: Sequence[Row]) -> str:
    known = [row for row in parts if row["value"] == row["value"]]
    largest = sorted(known, key=lambda row: -abs(row["value"]))[:3]
    said = "; ".join(f"{row['name'].lower()} {figure(row)}" for row in largest)
    return f"Largest of {len(parts)} parts: {said}." if said else ""


def _who(keys: Iterable[str]) -> str:
    return ", ".join(WHO.get(key, key) for key in keys)


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" or "All"


def _pair(gap: Gap) -> str:
    return f"{_capital(gap.second)} minus {gap.first}"


def _sides(gap: Gap) -> str:
    return f"Right of 0: longer life in {gap.second}; left of 0: shorter."


def _named(banner: str, heading: str) -> str:
    return f"{banner}. {heading}" if banner else heading


def _banner(gaps: Sequence[Gap], source: str) -> str:
    texts = [source, *(text for gap in gaps for text in (gap.first, gap.second, *gap.keys))]
    return INVENTED if any("invented" in text.casefold() for text in texts) else ""


def _signed(value: float) -> str:
    text = rounded(value, DIGITS)
    return f"+{text}" if value > 0 and text.strip("0.") else text.replace("-", "\N{MINUS SIGN}")


def figure(row: Row) -> str:
    """Write a contribution with its sign and, where they are known, its limits.

    Examples
    --------
    >>> figure({"value": 0.123, "lower": 0.004, "upper": 0.242})
    '+0.12 (0.00 to +0.24)'
    """
    if row["lower"] != row["lower"]:
        return _signed(row["value"])
    return f"{_signed(row['value'])} ({_signed(row['lower'])} to {_signed(row['upper'])})"


def _words(row: Row) -> str:
    if row["value"] != row["value"]:
        return f"no figure. {_why(row)}"
    limits = (
        f" (95 % limits {_signed(row['lower'])} to {_signed(row['upper'])})" if row["lower"] == row["lower"] else ""
    )
    return f"{_signed(row['value'])} years{limits}"


def _why(row: Row) -> str:
    return " ".join(QUALITY[code] for code in str(row["quality"]).split(";") if code in QUALITY)
