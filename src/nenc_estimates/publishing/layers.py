"""Parts of a chart as Vega-Lite: lines, points, limits, fans, labels at the end of lines, rows of areas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nenc_estimates.publishing.drawing import PALETTE
from nenc_estimates.publishing.words import amount, between

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[Any, Any]
    Layer = dict[str, Any]
    Label = tuple[float, str, str]

WIDTH, HEIGHT = 420, 280
"""Plotting area of a chart over time, in units of its SVG."""

AREAS = 320
"""Width of the plotting area beside the names of areas."""

ROW, LABEL = 24, 16
"""Height of a row of areas, and least distance between two labels."""

SHAPES = (("lower", "triangle-down"), ("similar", "circle"), ("higher", "triangle-up"))
"""Comparison with England to the shape of its point; the word stands beside it."""

FROM_ZERO = 0.5
"""A scale whose least value is below this part of its greatest starts at 0."""


def band(rows: Sequence[Row], lower: str, upper: str, *, fill: str, dash: Sequence[int]) -> Layer:
    """Fill between two columns, with an edge that is seen without colour."""
    shaded = {
        "mark": {"type": "area", "color": fill, "opacity": 1},
        "encoding": {"y": _y(lower), "y2": {"field": upper}},
    }
    edge = {"type": "line", "color": PALETTE["area"], "strokeWidth": 1, "strokeDash": list(dash)}
    edges = [{"mark": edge, "encoding": {"y": _y(side)}} for side in (lower, upper)]
    return {"data": _data(rows, lower, upper), "encoding": {"x": _X}, "layer": [shaded, *edges]}


def line(rows: Sequence[Row], column: str, *, colour: str, dash: Sequence[int]) -> list[Layer]:
    """Join values; nothing where there are none."""
    mark = {"type": "line", "color": PALETTE[colour], "strokeWidth": 2, "strokeDash": list(dash)}
    return [{"data": _data(rows, column), "mark": mark, "encoding": {"x": _X, "y": _y(column)}}] if rows else []


def points(rows: Sequence[Row], column: str, name: str, unit: str, *, shape: str) -> list[Layer]:
    """Mark values, each with a tooltip; nothing where there are none."""
    told = [
        {"period": row["period"], column: row[column], "told": f"{name}, {row['period']}: {_told(row, column, unit)}"}
        for row in rows
        if row[column] == row[column]
    ]
    colour = {"square": "ink", "circle": "area", "diamond": "goal"}[shape]
    mark: Layer = {"type": "point", "shape": shape, "filled": True, "size": 110 if shape == "diamond" else 45}
    mark |= {"color": PALETTE[colour], "opacity": 1}
    encoding = {"x": _X, "y": _y(column), "description": {"field": "told"}}
    return [{"data": {"values": told}, "mark": mark, "encoding": encoding}] if told else []


def limits(rows: Sequence[Row], lower: str, upper: str) -> Layer:
    """Draw whiskers where limits are known."""
    known = [row for row in rows if row[lower] == row[lower]]
    mark = {"type": "rule", "color": PALETTE["area"], "strokeWidth": 1.5}
    return {
        "data": _data(known, lower, upper),
        "mark": mark,
        "encoding": {"x": _X, "y": _y(lower), "y2": {"field": upper}},
    }


def over_time(
    layers: Sequence[Layer],
    labels: Sequence[Label],
    values: Sequence[float],
    periods: Sequence[str],
    *,
    title: Sequence[str],
    unit: str,
) -> Layer:
    """Put layers over periods, labels at the end of their lines, and say where the scale starts."""
    low, high, step = round_range(values)
    ticks = [low + step * k for k in range(round((high - low) / step) + 1)]
    side = unit if low <= 0 else f"{unit} (scale does not start at 0)"
    y = {"title": None, "values": ticks, "grid": True, "domain": False, "ticks": False}
    x = {"title": None, "labelAngle": 0, "values": _labelled(periods)}
    frame = {
        "mark": {"type": "rule", "opacity": 0},
        "data": {"values": [{"period": period, "y": low} for period in periods]},
        "encoding": {
            "x": {**_X, "scale": {"domain": list(periods)}, "axis": x},
            "y": {"field": "y", "type": "quantitative", "scale": {"domain": [low, high], "nice": False}, "axis": y},
        },
    }
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "title": {"text": title[0], "subtitle": [*title[1:], side[0].upper() + side[1:]]},
        "layer": [frame, *layers, *ends(labels, low, high)],
    }


def ends(labels: Sequence[Label], low: float, high: float) -> list[Layer]:
    """Write labels to the right of the chart, moved apart where they would meet."""
    placed: list[tuple[float, str, str]] = []
    for value, text, colour in sorted(labels, reverse=True):
        height = HEIGHT * (high - value) / (high - low)
        placed.append((max(height, placed[-1][0] + LABEL) if placed else height, text, colour))
    over = max(0.0, placed[-1][0] - HEIGHT) if placed else 0.0
    return [
        {
            "data": {"values": [{}]},
            "mark": {"type": "text", "x": WIDTH + 8, "y": height - over, "text": text, "color": PALETTE[colour]}
            | {"align": "left", "baseline": "middle", "fontWeight": "bold"},
        }
        for height, text, colour in placed
    ]


def ranked(rows: Sequence[Row], *, title: Sequence[str], unit: str) -> Layer:
    """Points of areas from high to low, with limits, the line of England, and the comparison in words."""
    england = rows[0]["reference_value"]
    told = [
        {"area": row["area_name"], "value": row["value"], "compared": row["compared"]}
        | {side: row[side] for side in ("lower", "upper") if row[side] == row[side]}
        | {"told": f"{row['area_name']}: {between(row, unit)}" + (f", {row['compared']}" if row["compared"] else "")}
        for row in rows
    ]
    values = [row[side] for row in rows for side in ("value", "lower", "upper") if row[side] == row[side]]
    low, high, step = round_range([*values, england])
    ticks = [low + step * k for k in range(round((high - low) / step) + 1)]
    x: Layer = {"field": "value", "type": "quantitative", "scale": {"domain": [low, high], "nice": False}}
    x["axis"] = {"title": unit if low <= 0 else f"{unit} (scale does not start at 0)", "values": ticks, "grid": True}
    y = {"field": "area", "type": "nominal", "sort": None, "axis": {"title": None, "ticks": False, "domain": False}}
    shape: Layer = {"field": "compared", "type": "nominal", "legend": None}
    shape["scale"] = {"domain": [*(word for word, _ in SHAPES), ""], "range": [*(s for _, s in SHAPES), "circle"]}
    rule = {"type": "rule", "color": PALETTE["area"], "strokeWidth": 1.5}
    point = {"type": "point", "filled": True, "size": 80, "color": PALETTE["area"], "opacity": 1}
    word = {"type": "text", "align": "left", "baseline": "middle", "x": AREAS + 8, "color": PALETTE["ink"]}
    limited = [row for row in told if "lower" in row]
    height = ROW * len(rows)
    whiskers: Layer = {"data": {"values": limited}, "mark": rule}
    whiskers["encoding"] = {"y": y, "x": {**x, "field": "lower"}, "x2": {"field": "upper"}}
    worded = {"mark": word, "encoding": {"y": y, "text": {"field": "compared"}}}
    pointed = {"mark": point, "encoding": {"y": y, "x": x, "shape": shape, "description": {"field": "told"}}}
    return {
        "width": AREAS,
        "height": height,
        "title": {"text": title[0], "subtitle": list(title[1:])},
        "data": {"values": told},
        "layer": [pointed, *([whiskers] if limited else []), *_england(england, x, unit), pointed, worded],
    }


def level(rows: Sequence[Row], england: float, *, title: Sequence[str], unit: str) -> Layer:
    """Bars of areas from high to low, from 0, with the line of England; partnerships are told apart in words."""
    told = [
        {"area": _named(row), "value": row["value"], "kind": row["area_type"], "shown": amount(row["value"], unit)}
        | {"told": f"{row['area_name']}: {between(row, unit)}"}
        for row in rows
    ]
    low, high, _ = round_range([0.0, *(row["value"] for row in rows), england])
    x: Layer = {"field": "value", "type": "quantitative", "scale": {"domain": [low, high], "nice": False}}
    x["axis"] = {"title": unit, "grid": True, "tickCount": 6}
    y = {"field": "area", "type": "nominal", "sort": None, "axis": {"title": None, "ticks": False, "domain": False}}
    fill: Layer = {"field": "kind", "type": "nominal", "legend": None}
    kinds = ("whole partnership", "local partnership", "local authority")
    fill["scale"] = {"domain": list(kinds), "range": [PALETTE["ink"], PALETTE["area"], PALETTE["bar"]]}
    bars: Layer = {"mark": {"type": "bar", "height": ROW - 8}}
    bars["encoding"] = {"y": y, "x": x, "color": fill, "description": {"field": "told"}}
    text = {"type": "text", "align": "left", "baseline": "middle", "x": AREAS + 8, "color": PALETTE["ink"]}
    shown = {"mark": text, "encoding": {"y": y, "text": {"field": "shown"}}}
    return {
        "width": AREAS,
        "height": ROW * len(rows),
        "title": {"text": title[0], "subtitle": list(title[1:])},
        "data": {"values": told},
        "layer": [bars, *_england(england, x, unit), shown],
    }


def _england(value: float, x: Layer, unit: str) -> list[Layer]:
    there = {**x, "field": "england"}
    words = f"England {amount(value, unit)}"
    data = {"values": [{"england": value, "told": words}]}
    rule = {"type": "rule", "color": PALETTE["ink"], "strokeWidth": 2, "strokeDash": [5, 3]}
    casing = {"type": "rule", "color": "white", "strokeWidth": 4}
    text = {"type": "text", "align": "center", "y": -8, "fontWeight": "bold", "color": PALETTE["ink"], "text": words}
    return [
        {"data": data, "mark": casing, "encoding": {"x": there}},
        {"data": data, "mark": rule, "encoding": {"x": there, "description": {"field": "told"}}},
        {"data": data, "mark": text, "encoding": {"x": there}},
    ]


def _labelled(periods: Sequence[str]) -> list[str]:
    """Take as many periods as there is room to write, the last among them."""
    every = math.ceil(len(periods) * (8 * len(periods[0]) + 8) / WIDTH)
    return list(periods[::-1][::every][::-1])


def _named(row: Row) -> str:
    kinds = {"whole partnership": " (ICP)", "local partnership": " (local partnership)"}
    return f"{row['area_name']}{kinds.get(row['area_type'], '')}"


_X: Layer = {"field": "period", "type": "ordinal", "scale": {"type": "point", "padding": 0.3}, "sort": None}


def _y(column: str) -> Layer:
    return {"field": column, "type": "quantitative"}


def _told(row: Row, column: str, unit: str) -> str:
    lower, upper = ("lower", "upper") if column == "value" else (f"{column}_lower_95", f"{column}_upper_95")
    limits_known = {"lower": row.get(lower, math.nan), "upper": row.get(upper, math.nan)}
    return between({"value": row[column], **limits_known}, unit)


def _data(rows: Sequence[Row], *columns: str) -> Layer:
    known = [row for row in rows if all(row[name] == row[name] for name in columns)]
    return {"values": [{name: row[name] for name in ("period", *columns)} for row in known]}


def round_range(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the smallest range of whole steps of 1, 2 or 5 that holds the values, in at most seven steps."""
    known = [value for value in values if not math.isnan(value)]
    low, high = min(known), max(known)
    if 0 < low < FROM_ZERO * high:
        low = 0.0
    width = (high - low) / 6 or 1.0
    power = 10.0 ** math.floor(math.log10(width))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= width)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step
