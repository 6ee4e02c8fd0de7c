"""The page of a release: what a reader opens in a browser, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nenc_estimates.areas import ENGLAND
from nenc_estimates.publishing.cards import all_met, goal_cards, goals_without
from nenc_estimates.publishing.charts import chart_name, groups, latest_edition, over_time_indicators
from nenc_estimates.publishing.contributions import figure, gaps_of
from nenc_estimates.publishing.rounding import rounded, with_limits
from nenc_estimates.publishing.words import PARTNERSHIPS, TYPES, WHO, decimals_of, in_words
from nenc_estimates.quality import QUALITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from nenc_estimates.publishing.drawing import Chart
    from nenc_estimates.release import Run

    Row = Mapping[Any, Any]

KEY = ("indicator", "edition", "area_code", "sex", "age", "period")
"""What a cell of the page is known by: ``data-key`` holds it, so that each number can be traced to estimates.csv."""


def render_page(run: Run, charts: Mapping[str, Chart], *, title: str) -> str:
    """Render the page as HTML that loads nothing from elsewhere.

    Parameters
    ----------
    run
        The tables.
    charts
        As :func:`~nenc_estimates.publishing.charts.draw_charts` makes them.
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
    shown = run.estimates[run.estimates["area_type"].isin(PARTNERSHIPS)]
    codes = {code for cell in (*run.estimates["quality"], *run.goals["quality"]) for code in cell.split(";") if code}
    names = dict(zip(run.contents["indicator"], run.contents["indicator_name"], strict=True))
    return environment.get_template("page.html.j2").render(
        title=title,
        choices=_choices(shown),
        cards=goal_cards(run, charts),
        together=all_met(run),
        lacking=goals_without(run),
        areas=[part for name in over_time_indicators(run) for part in _areas(run, charts, name, names[name])],
        authorities=[part for name in names for part in _authorities(run, charts, name, names[name])],
        deprived=[chart for name, chart in charts.items() if name.startswith("deprived-")],
        comparisons=_comparisons(run, charts),
        sections=[_section(shown, *entry) for entry in run.contents.itertuples(index=False)],
        coverage=[_coverage(shown, *entry) for entry in run.contents.itertuples(index=False)],
        reproduction=[_published(row) for row in run.reproduction.to_dict("records")],
        quality={code: QUALITY[code] for code in QUALITY if code in codes},
    )


def _choices(shown: pd.DataFrame) -> list[tuple[str, str]]:
    """Areas to choose from: the whole partnership first."""
    listed = shown[shown["area_type"] != "country"].drop_duplicates("area_code")
    order = listed.assign(rank=listed["area_type"].map(PARTNERSHIPS.index)).sort_values(["rank", "area_name"])
    return list(zip(order["area_code"], order["area_name"], strict=True))


def _areas(run: Run, charts: Mapping[str, Chart], indicator: str, name: str) -> list[dict[str, Any]]:
    """Lay out one indicator over time for each area and sex: chart, words and table."""
    mine = latest_edition(run.estimates, indicator).sort_values("period")
    england = {(row["sex"], row["period"]): row for row in mine[mine["area_code"] == ENGLAND].to_dict("records")}
    parts = []
    for (code, sex), rows in groups(mine[mine["area_code"] != ENGLAND], "area_code", "sex"):
        listed = rows.to_dict("records")
        beside = [england.get((sex, row["period"])) for row in listed]
        unit, last = listed[-1]["unit"], beside[-1]
        comparable = last is not None and unit != "deaths"
        parts.append(
            {
                "code": code,
                "sex": sex,
                "title": f"{name}, {WHO[sex]}, {listed[-1]['area_name']}",
                "unit": unit,
                "edition": listed[-1]["edition"],
                "chart": charts[chart_name("area", code, indicator, sex)],
                "words": in_words(listed[-1], last["value"] if last is not None and comparable else None),
                "rows": [(row["period"], _cell(row), _cell(other)) for row, other in zip(listed, beside, strict=True)],
            }
        )
    return parts


def _authorities(run: Run, charts: Mapping[str, Chart], indicator: str, name: str) -> list[dict[str, Any]]:
    """Lay out what is published for local authorities, from high to low."""
    if indicator not in set(run.local["indicator"]):
        return []
    parts = []
    for (sex,), rows in groups(latest_edition(run.local, indicator), "sex"):
        listed = rows.sort_values(["value", "area_name"], ascending=[False, True]).to_dict("records")
        known = [row for row in listed if row["value"] == row["value"]]
        parts.append(
            {
                "sex": sex,
                "title": f"{name}, {WHO[sex]}, {listed[0]['period']}",
                "unit": listed[0]["unit"],
                "chart": charts[chart_name("local", indicator, sex)],
                "words": [in_words(known[0]), in_words(known[-1], known[-1]["reference_value"])],
                "rows": [
                    (row["area_name"], _cell(row), row["compared"] or "not compared: no limits") for row in listed
                ],
            }
        )
    return parts


def _comparisons(run: Run, charts: Mapping[str, Chart]) -> list[dict[str, Any]]:
    """Lay out what contributes to gaps: each comparison, and the parts of each gap in it."""
    return [
        {
            "chart": charts[chart_name("parts", *key[:2])],
            "basis": key[2],
            "gaps": [
                {
                    "sex": gap.keys[0],
                    "chart": charts[chart_name("parts", *key[:2], *gap.keys)],
                    "rows": [(row["name"], figure(row)) for row in (*gap.parts, {**gap.total, "name": "The gap"})],
                }
                for gap in gaps_of(rows)
            ],
        }
        for key, rows in groups(run.decomposition, "comparison", "edition", "basis")
    ]


def _coverage(shown: pd.DataFrame, indicator: str, edition: str, name: str, edition_name: str) -> dict[str, str]:
    """Say on how many areas and which share of the people the latest figures of the partnerships rest."""
    rows = shown[(shown["indicator"] == indicator) & (shown["edition"] == edition)]
    parts = rows[rows["area_type"] != "country"]
    rows = rows if parts.empty else parts
    latest = rows[rows["period"] == rows["period"].max()]
    whole = latest.sort_values("area_type").iloc[-1]  # the whole partnership, where there is one
    return {
        "name": name,
        "edition": edition_name,
        "period": whole["period"],
        "areas": rounded(whole["n_areas"], 0),
        "coverage": f"{rounded(100 * latest['coverage'].min(), 1)} %",
        "method": whole["method"],
        "status": whole["status"],
    }


def _section(shown: pd.DataFrame, indicator: str, edition: str, name: str, edition_name: str) -> dict[str, Any]:
    """Lay out one indicator in one edition: its latest period by area and sex."""
    rows = shown[(shown["indicator"] == indicator) & (shown["edition"] == edition)]
    latest = rows[rows["period"] == rows["period"].max()]
    columns = [key for key, _ in latest.groupby(["sex", "age"])]
    order = latest.assign(rank=latest["area_type"].map(PARTNERSHIPS.index)).sort_values(["rank", "area_name"])
    cells = {(row["area_name"], row["sex"], row["age"]): row for row in latest.to_dict("records")}
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
                "type": TYPES[order.loc[order["area_name"] == area, "area_type"].iloc[0]],
                "cells": [_cell(cells.get((area, *key))) for key in columns],
                "quality": "; ".join(dict.fromkeys(q for q in order.loc[order["area_name"] == area, "quality"] if q)),
            }
            for area in dict.fromkeys(order["area_name"])
        ],
    }


def _cell(row: Row | None) -> dict[str, str]:
    if row is None:
        return {"text": "[x]", "key": ""}
    text = with_limits(row["value"], row["lower"], row["upper"], decimals_of(row["unit"]))
    return {"text": text, "key": "|".join(str(row[name]) for name in KEY)}


def _published(row: Row) -> dict[str, str]:
    decimals = decimals_of(row["unit"]) + (row["unit"] in ("years", "%"))
    return {
        key: row[key] for key in ("quantity", "area", "sex", "period", "published", "unit", "outcome", "note", "source")
    } | {
        "estimate": with_limits(row["estimate"], row["lower"], row["upper"], decimals)
        if row["estimate"] == row["estimate"]
        else rounded(float("nan"), 0)
    }
