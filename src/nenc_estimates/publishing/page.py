"""The page of a release: what a reader opens in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nenc_estimates.publishing.rounding import rounded, with_limits
from nenc_estimates.quality import QUALITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

DECIMALS = {"years": 1, "%": 1, "people": 0, "deaths": 0, "areas": 0}
"""Decimals of each unit on the page; one where the unit is not listed."""

PARTNERSHIPS = ("whole partnership", "local partnership", "country")


def render_page(estimates: pd.DataFrame, contents: pd.DataFrame, reproduction: pd.DataFrame, *, title: str) -> str:
    """Render the page as HTML that loads nothing from elsewhere.

    Parameters
    ----------
    estimates, contents, reproduction
        The tables of a run.
    title
        Heading of the page.
    """
    import jinja2  # noqa: PLC0415 - only publishing needs it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nenc_estimates.publishing"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = estimates[estimates["area_type"].isin(PARTNERSHIPS)]
    codes = {code for cell in estimates["quality"] for code in cell.split(";") if code}
    return environment.get_template("page.html.j2").render(
        title=title,
        sections=[_section(shown, *entry) for entry in contents.itertuples(index=False)],
        reproduction=[_published(row) for row in reproduction.to_dict("records")],
        quality={code: QUALITY[code] for code in QUALITY if code in codes},
    )


def _section(shown: pd.DataFrame, indicator: str, edition: str, name: str, edition_name: str) -> dict[str, Any]:
    """Lay out one indicator in one edition: its latest period by area and sex."""
    rows = shown[(shown["indicator"] == indicator) & (shown["edition"] == edition)]
    latest = rows[rows["period"] == rows["period"].max()]
    columns = [key for key, _ in latest.groupby(["sex", "age"])]
    order = latest.assign(rank=latest["area_type"].map(PARTNERSHIPS.index)).sort_values(["rank", "area_name"])
    cells = {(row["area_name"], row["sex"], row["age"]): row for row in latest.to_dict("records")}
    decimals = DECIMALS.get(str(latest["unit"].iloc[0]), 1)
    return {
        "id": f"{indicator}-{edition}".replace(" ", "-"),
        "name": name,
        "edition": edition_name,
        "period": latest["period"].iloc[0],
        "first": rows["period"].min(),
        "unit": latest["unit"].iloc[0],
        "columns": [f"{sex}, {'all ages' if age == 'all' else age}" for sex, age in columns],
        "rows": [
            {
                "area": area,
                "type": order.loc[order["area_name"] == area, "area_type"].iloc[0],
                "cells": [_cell(cells.get((area, *key)), decimals) for key in columns],
                "quality": "; ".join(dict.fromkeys(q for q in order.loc[order["area_name"] == area, "quality"] if q)),
            }
            for area in dict.fromkeys(order["area_name"])
        ],
    }


def _cell(row: dict[str, Any] | None, decimals: int) -> str:
    return "[x]" if row is None else with_limits(row["value"], row["lower"], row["upper"], decimals)


def _published(row: Mapping[Any, Any]) -> dict[str, str]:
    decimals = DECIMALS.get(row["unit"], 1) + (row["unit"] in ("years", "%"))
    return {
        key: row[key] for key in ("quantity", "area", "sex", "period", "published", "unit", "outcome", "note", "source")
    } | {
        "estimate": with_limits(row["estimate"], row["lower"], row["upper"], decimals)
        if row["estimate"] == row["estimate"]
        else rounded(float("nan"), 0)
    }
