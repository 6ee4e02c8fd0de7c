"""Drawing: a Vega-Lite specification becomes SVG and PNG, without a browser, a clock or a network."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PALETTE: Mapping[str, str] = MappingProxyType(
    {
        "ink": "#0b0c0c",
        "area": "#12436D",
        "goal": "#801650",
        "fan80": "#B4C4D4",
        "fan95": "#DDE5EC",
        "rule": "#D9DADB",
        "bar": "#6F7B87",
    }
)
"""Colours by what they stand for: the first three carry meaning and keep 3:1 on white and on both fans.

Government Analysis Function, Data visualisation: colours in charts (blue and plum of its categorical palette).
"""

VEGA_LITE = "6.4"
"""Version of the grammar; vl-convert carries it, and another would draw other bytes."""

CONFIG: Mapping[str, Any] = MappingProxyType(
    {
        "font": "Arial, Liberation Sans, sans-serif",
        "background": "white",
        "view": {"stroke": None},
        "axis": {
            "labelFontSize": 13,
            "titleFontSize": 13,
            "titleFontWeight": "normal",
            "labelColor": PALETTE["ink"],
            "titleColor": PALETTE["ink"],
            "domainColor": PALETTE["ink"],
            "tickColor": PALETTE["ink"],
            "gridColor": PALETTE["rule"],
            "labelLimit": 240,
        },
        "text": {"fontSize": 13},
        "title": {"anchor": "start", "fontSize": 16, "subtitleFontSize": 13, "offset": 14}
        | dict.fromkeys(("color", "subtitleColor"), PALETTE["ink"]),
        "legend": {"labelFontSize": 13, "titleFontSize": 13},
    }
)
"""Looks that every chart shares."""

KEPT = 256
"""Charts that are kept drawn: more than a release has, at about 15 kB for an SVG and 60 kB for a PNG."""

SCALE = 2
"""Pixels of a PNG for each unit of its SVG."""

_MARK = re.compile(r'<(path|text|line|rect)((?: [\w:-]+="[^"]*")*?) aria-label="([^"]*)"([^>]*?)/>')
_SPOKEN = re.compile(r' (?:role|class|aria-[a-z]+|pointer-events|xmlns:xlink)="[^"]*"')
_LONG = re.compile(r"\d+\.\d{3,}")
_HEAD = re.compile(r"<svg ([^>]*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart: ``title``, ``alt`` (what it shows, in words, from the data) and ``svg``."""

    title: str
    alt: str
    svg: str

    def _repr_svg_(self) -> str:
        return self.svg


def draw(specification: Mapping[str, Any], *, title: str, alt: str) -> Chart:
    """Draw a chart.

    Parameters
    ----------
    specification
        Vega-Lite, without configuration.
    title
        What it is called.
    alt
        What a reader who does not see it should be told.
    """
    svg = _drawn(json.dumps(dict(specification) | {"config": dict(CONFIG)}))
    return Chart(title=title, alt=alt, svg=_plain(svg, alt))


@lru_cache(maxsize=KEPT)  # several releases in one process mostly draw the same charts, at 40 ms each
def _drawn(specification: str) -> str:
    import vl_convert  # noqa: PLC0415 - only publishing needs it

    svg: str = vl_convert.vegalite_to_svg(specification, vl_version=VEGA_LITE)
    return svg


@lru_cache(maxsize=KEPT)
def png(chart: Chart) -> bytes:
    """Return the chart as a PNG on white."""
    import vl_convert  # noqa: PLC0415

    picture: bytes = vl_convert.svg_to_png(chart.svg, scale=SCALE)
    return picture


def _plain(svg: str, alt: str) -> str:
    """Make one image of it for a screen reader, with a tooltip on each mark, and shorter."""
    svg = _MARK.sub(r"<\1\2\4><title>\3</title></\1>", svg)
    svg = _SPOKEN.sub("", svg)
    svg = _LONG.sub(lambda digits: f"{float(digits.group()):.2f}".rstrip("0").rstrip("."), svg)
    return _HEAD.sub(lambda head: f'<svg {head.group(1)} role="img" aria-label="{escape(alt)}">', svg, count=1)
