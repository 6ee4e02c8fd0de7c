"""Parts of a chart of contributions as Vega-Lite: bars from 0 to both sides, and stacks of them with a key."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Any

from nenc_estimates.publishing.drawing import PALETTE
from nenc_estimates.publishing.layers import ROW, round_range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Row = Mapping[Any, Any]
    Layer = dict[str, Any]

WIDTH = 340
"""Width of the plotting area, in units of the SVG."""

STACK, DEEP, UNDER = 92, 30, 18
"""Height of a row with a stack, of the stack in it, and the distance from there to the mark of the gap."""

LETTER = 13
"""A segment narrower than this has no room for its letter: the key has the same order."""

LETTERS = "ABCDEFGHIJKL"
"""What tells the segments of a stack apart without colour."""

TONES = (("area", "white"), ("fan80", "ink"), ("bar", "white"), ("fan95", "ink"))
"""Fill of a segment and colour of its letter, by turns: neighbours differ in grey as well."""

CHARACTERS = 68
"""Length of a line of text above or below a chart."""

LINE, CHARACTER, COLUMN = 17, 7.5, 76
"""Height of a line of text, width of a character, and of a column of the key."""


def signed_bars(parts: Sequence[Row], *, title: Sequence[str], banner: str, foot: Sequence[str]) -> Layer:
    """Bars of contributions to both sides of 0, with limits, and figures beside them.

    Parameters
    ----------
    parts
        ``name, value, lower, upper, shown, told`` of each, in order.
    title, foot
        Lines above and below, the first a heading.
    banner
        Large words between title and chart, or none.
    """
    ends, at = _scale([row[side] for row in parts for side in ("value", "lower", "upper")])
    rows = [(ROW * place, row) for place, row in enumerate(parts)]
    height, left = ROW * len(parts), -CHARACTER * max(len(row["name"]) for row in parts)
    texts = [_text(row["name"], -10, top + ROW / 2, align="right") for top, row in rows]
    texts += [_text(row["shown"], WIDTH + 10, top + ROW / 2) for top, row in rows]
    known = [(top, row) for top, row in rows if row["value"] == row["value"]]
    bars = [_box(at(0.0), at(row["value"]), top + 4, ROW - 8, row["told"]) for top, row in known]
    spans = [(at(row["lower"]), at(row["upper"]), top + ROW / 2, row["told"]) for top, row in known]
    layers = [*_boxes(bars, "fan80"), *_zero(at(0.0), height), *_spans(spans), *_below(foot, left, height + 50)]
    return _framed([*layers, *_texts(texts)], ends, height, title=title, banner=banner, left=left)


def stacks(rows: Sequence[Row], key: Sequence[str], *, title: Sequence[str], banner: str, foot: Sequence[str]) -> Layer:
    """One stack for each gap: to the right of 0 what adds to it, to the left what takes from it; below, a key.

    Parameters
    ----------
    rows
        ``name, value, lower, upper, shown, told`` of each gap, ``shown`` in lines, and ``parts``: ``value, figure,
        told`` of each part, in the order of the key.
    key
        Names of the parts.
    title, banner, foot
        As in :func:`signed_bars`.
    """
    known = [row["value"] == row["value"] for row in rows]
    piles = [
        _piled([part["value"] for part in row["parts"]]) if held else [] for row, held in zip(rows, known, strict=True)
    ]
    reached = [end for pile in piles for span in pile for end in span]
    ends, at = _scale([*reached, *(row[side] for row in rows for side in ("value", "lower", "upper"))])
    height, texts, layers = STACK * len(rows), [], _zero(at(0.0), STACK * len(rows))
    left = -max(CHARACTER * max(len(row["name"]) for row in rows), 60.0)
    for place, (row, pile) in enumerate(zip(rows, piles, strict=True)):
        top = STACK * place + 14
        texts += [_text(row["name"], -10, top + DEEP / 2, align="right", bold=True)]
        texts += [_text(line, WIDTH + 10, top + 8 + LINE * i) for i, line in enumerate(row["shown"])]
        for i, (part, (start, end)) in enumerate(zip(row["parts"], pile, strict=False)):
            fill, ink = TONES[i % len(TONES)]
            layers += _boxes([_box(at(start), at(end), top, DEEP, part["told"])], fill)
            if abs(at(end) - at(start)) >= LETTER:
                texts += [_text(LETTERS[i], at((start + end) / 2), top + DEEP / 2, align="center", colour=ink)]
        if row["value"] == row["value"]:
            under = top + DEEP + UNDER
            layers += _spans([(at(row["lower"]), at(row["upper"]), under, row["told"])])
            layers += _diamond(at(row["value"]), under, row["told"])
    below = height + 64
    boxes, words = _key(rows, key, left, below)
    texts += words
    layers += [*boxes, *_below(foot, left, below + ROW * (len(key) + 1) + 8)]
    return _framed([*layers, *_texts(texts)], ends, height, title=title, banner=banner, left=left)


def _key(rows: Sequence[Row], key: Sequence[str], left: float, top: float) -> tuple[list[Layer], list[Layer]]:
    """Letter and name of each part, and its figure in each row."""
    columns = [left + 40 + CHARACTER * max(map(len, key)) + COLUMN * (i + 1) for i in range(len(rows))]
    words = [_text(row["name"], x, top, align="right", bold=True) for row, x in zip(rows, columns, strict=True)]
    layers = []
    for i, name in enumerate(key):
        y, (fill, ink) = top + ROW * (i + 1), TONES[i % len(TONES)]
        layers += _boxes([_box(left, left + 22, y - 9, 18, name)], fill)
        words += [_text(LETTERS[i], left + 11, y, align="center", colour=ink), _text(name, left + 32, y)]
        words += [_text(row["parts"][i]["figure"], x, y, align="right") for row, x in zip(rows, columns, strict=True)]
    return layers, words


def _piled(values: Sequence[float]) -> list[tuple[float, float]]:
    """Put parts end to end, those above 0 to the right of it and those below to the left."""
    reached, spans = {True: 0.0, False: 0.0}, []
    for value in values:
        start = reached[value > 0]
        spans.append((start, start + value))
        reached[value > 0] += value
    return spans


def _scale(values: Sequence[float]) -> tuple[tuple[float, float, float], Callable[[float], float]]:
    """Return ends and step of a scale that holds 0 and the values, and where a value stands on it."""
    low, high, step = round_range([0.0, *values])
    low, high = (low, high) if high > low else (-step, step)
    return (low, high, step), lambda value: WIDTH * (value - low) / (high - low)


def _framed(
    layers: Sequence[Layer],
    ends: tuple[float, float, float],
    height: float,
    *,
    title: Sequence[str],
    banner: str,
    left: float,
) -> Layer:
    low, high, step = ends
    ticks = [low + step * k for k in range(round((high - low) / step) + 1)]
    axis = {"title": "years", "values": ticks, "grid": True}
    x = {"field": "x", "type": "quantitative", "scale": {"domain": [low, high], "nice": False}, "axis": axis}
    frame = {"data": {"values": [{"x": low}]}, "mark": {"type": "rule", "opacity": 0}, "encoding": {"x": x}}
    large = [{"text": banner, "x": left, "y": -24.0}] if banner else []
    mark = {"type": "text", "align": "left", "fontSize": 30, "fontWeight": "bold", "color": PALETTE["goal"]}
    return {
        "width": WIDTH,
        "height": height,
        "title": {"text": title[0], "subtitle": wrapped(title[1:]), "frame": "group", "dx": left},
        "layer": [frame, *layers, *([_placed(large, mark)] if large else [])],
    }


def wrapped(texts: Sequence[str]) -> list[str]:
    """Break texts into lines that there is room for."""
    return [line for text in texts for line in textwrap.wrap(text, CHARACTERS)]


def _below(foot: Sequence[str], left: float, top: float) -> list[Layer]:
    return _texts([_text(line, left, top + LINE * i) for i, line in enumerate(wrapped(foot))])


def _text(text: str, x: float, y: float, *, align: str = "left", colour: str = "ink", bold: bool = False) -> Layer:
    return {"text": text, "x": x, "y": y, "look": (align, colour, bold)}


def _texts(texts: Sequence[Row]) -> list[Layer]:
    """One layer for the texts of each look."""
    layers = []
    for (align, colour, bold), group in groupby(
        sorted(texts, key=lambda text: text["look"]), lambda text: text["look"]
    ):
        mark = {"type": "text", "align": align, "baseline": "middle", "color": PALETTE.get(colour, colour)}
        mark |= {"fontWeight": "bold"} if bold else {}
        layers.append(_placed([{name: text[name] for name in ("text", "x", "y")} for text in group], mark))
    return layers


def _placed(texts: Sequence[Row], mark: Layer) -> Layer:
    encoding = {"x": _pixel("x"), "y": _pixel("y"), "text": {"field": "text"}}
    return {"data": {"values": list(texts)}, "mark": mark, "encoding": encoding}


def _box(start: float, end: float, top: float, height: float, told: str) -> Row:
    left, right = sorted((start, end))
    return {"left": left, "right": right, "top": top, "bottom": top + height, "told": told}


def _boxes(boxes: Sequence[Row], fill: str) -> list[Layer]:
    mark = {"type": "rect", "color": PALETTE[fill], "stroke": PALETTE["ink"], "strokeWidth": 0.75}
    encoding = {"x": _pixel("left"), "x2": {"field": "right"}, "y": _pixel("top"), "y2": {"field": "bottom"}}
    encoding |= {"description": {"field": "told"}}
    return [{"data": {"values": list(boxes)}, "mark": mark, "encoding": encoding}] if boxes else []


def _spans(spans: Sequence[tuple[float, float, float, str]]) -> list[Layer]:
    names = ("lower", "upper", "y", "told")
    known = [dict(zip(names, span, strict=True)) for span in spans if span[0] == span[0]]
    mark = {"type": "rule", "color": PALETTE["ink"], "strokeWidth": 1.5}
    encoding = {"x": _pixel("lower"), "x2": {"field": "upper"}, "y": _pixel("y"), "description": {"field": "told"}}
    return [{"data": {"values": known}, "mark": mark, "encoding": encoding}] if known else []


def _diamond(x: float, y: float, told: str) -> list[Layer]:
    mark = {"type": "point", "shape": "diamond", "filled": True, "size": 110, "color": PALETTE["goal"], "opacity": 1}
    encoding = {"x": _pixel("x"), "y": _pixel("y"), "description": {"field": "told"}}
    return [{"data": {"values": [{"x": x, "y": y, "told": told}]}, "mark": mark, "encoding": encoding}]


def _zero(x: float, height: float) -> list[Layer]:
    mark = {"type": "rule", "color": PALETTE["ink"], "strokeWidth": 1.5}
    encoding = {"x": _pixel("x"), "y": _pixel("top"), "y2": {"field": "bottom"}}
    return [{"data": {"values": [{"x": x, "top": 0, "bottom": height}]}, "mark": mark, "encoding": encoding}]


def _pixel(name: str) -> Layer:
    return {"field": name, "type": "quantitative", "scale": None, "axis": None}
