"""Charts of a release: goals, areas beside England, local authorities, deprivation. Tables in, nothing computed."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nenc_estimates.areas import ENGLAND
from nenc_estimates.publishing.contributions import draw_contributions
from nenc_estimates.publishing.drawing import PALETTE, Chart, draw, png
from nenc_estimates.publishing.layers import (
    band,
    level,
    limits,
    line,
    over_time,
    points,
    ranked,
)
from nenc_estimates.publishing.rounding import rounded
from nenc_estimates.publishing.words import WHO, amount, between, decimals_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from nenc_estimates.release import Run

    Row = Mapping[Any, Any]

GOAL_KEY = ("goal", "sex", "edition", "view", "reading")
"""What tells one chart of a goal from another."""

COUNTS = ("deaths", "people", "areas")
"""Units that grow with the area: England is no line to hold them against."""

FOR_ALL = ("most_deprived_fifth", "population", "areas_below_60")
"""Indicators without a chart over time."""


def draw_charts(run: Run) -> dict[str, Chart]:
    """Draw every chart of a release.

    Parameters
    ----------
    run
        The tables.

    Returns
    -------
    dict
        Name to chart: ``goal-…`` for each goal, edition and reading with a trajectory, ``area-…`` for each indicator in
        its latest edition, area and sex, ``local-…`` for local authorities, ``deprived-…`` for the most deprived fifth,
        ``parts-…`` for what contributes to gaps.
    """
    kinds = (_goals, _areas, _local, _deprived, _contributions)
    return {name: chart for kind in kinds for name, chart in kind(run)}


def chart_files(charts: Mapping[str, Chart]) -> dict[str, bytes]:
    """Return file name to content: SVG and PNG of each chart that is not about one local partnership only."""
    files = {}
    for name, chart in charts.items():
        if not name.startswith("area-nenc-"):
            files[f"{name}.svg"] = chart.svg.encode()
            files[f"{name}.png"] = png(chart)
    return files


def chart_name(*parts: str) -> str:
    """Name a chart by what it shows.

    Examples
    --------
    >>> chart_name("goal", "1c", "Male", "ons_2022_03", "as in December 2022", "")
    'goal-1c-male-ons-2022-03-as-in-december-2022'
    """
    return re.sub(r"[^a-z0-9]+", "-", " ".join(parts).casefold()).strip("-")


def groups(table: pd.DataFrame, *names: str) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """Split a table by text columns, in the order of their values."""
    for key, rows in table.groupby(list(names), sort=True):
        yield tuple(map(str, key)), rows


def latest_edition(table: pd.DataFrame, indicator: str) -> pd.DataFrame:
    """Take the rows of an indicator in the edition that reaches furthest."""
    mine = table[table["indicator"] == indicator]
    last = mine.groupby("edition")["period"].max().sort_index(kind="stable")
    latest: pd.DataFrame = mine[mine["edition"] == last.index[last == last.max()][-1]]
    return latest


# --- goals ------------------------------------------------------------------------------------------------------------


def named_goals(run: Run) -> dict[tuple[str, ...], Row]:
    """Return rows of goals by their key, each with ``name`` of its indicator and the ``unit`` of its estimates."""
    names = dict(zip(run.contents["indicator"], run.contents["indicator_name"], strict=True))
    units = dict(zip(run.estimates["indicator"], run.estimates["unit"], strict=True))
    return {
        tuple(row[name] for name in GOAL_KEY): {**row, "name": names[row["indicator"]], "unit": units[row["indicator"]]}
        for row in run.goals.to_dict("records")
        if row["indicator"] in names
    }


def _goals(run: Run) -> Iterator[tuple[str, Chart]]:
    goals = named_goals(run)
    for key, path in groups(run.trajectories, *GOAL_KEY):
        rows = path.dropna(subset=["area"]).sort_values("year").to_dict("records")
        if not rows:  # counts under disclosure control
            continue
        for what in ("area", "gap") if rows[0]["gap"] == rows[0]["gap"] else ("area",):
            yield chart_name(PREFIX[what], *key), _goal(rows, goals[key], what)


PREFIX: Mapping[str, str] = MappingProxyType({"area": "goal", "gap": "gap"})
"""What a chart of a goal is about, the area's own value or its gap to England, to the beginning of its name."""

AIM: Mapping[str, str] = MappingProxyType({"area": "area_goal_line", "gap": "goal_line"})
"""The same to the column of the line to the goal."""


def _goal(path: Sequence[Row], goal: Row, what: str) -> Chart:
    """Observed with limits, what happens if nothing changes, the goal, and England."""
    name, unit = goal["name"], goal["unit"]
    seen = [row for row in path if row["status"] == "observed"]
    ahead = [_anchored(seen[-1], what), *(row for row in path if row["status"] == "projected")]
    aim = [row for row in path if row[AIM[what]] == row[AIM[what]]]
    target = next(row for row in path if row["period"] == goal["target_period"])
    at = target[AIM[what]] if aim else goal["goal_value"]
    known = [row for row in path if what == "area" and row["reference"] == row["reference"]]
    england = [row for row in known if row["status"] == "observed"]
    low, high = f"{what}_lower_95", f"{what}_upper_95"
    layers = [
        band(ahead, low, high, fill=PALETTE["fan95"], dash=[1, 2]),
        band(ahead, f"{what}_lower_80", f"{what}_upper_80", fill=PALETTE["fan80"], dash=[4, 2]),
        limits(seen, low, high),
        *line(england, "reference", colour="ink", dash=[1, 0]),
        *line(known[max(len(england) - 1, 0) :], "reference", colour="ink", dash=[6, 3]),
        *points(england, "reference", "England", unit, shape="square"),
        *line(ahead, what, colour="area", dash=[6, 3]),
        *line(seen, what, colour="area", dash=[1, 0]),
        *points(seen, what, goal["area_name"], unit, shape="circle"),
        *line(aim, AIM[what], colour="goal", dash=[12, 4]),
        *points([{**target, "at": at}], "at", "The goal", unit, shape="diamond"),
    ]
    digits = decimals_of(unit)
    labels = [
        (ahead[-1][what], f"If nothing changes {rounded(ahead[-1][what], digits)}", "area"),
        (at, f"The goal {rounded(at, digits)}", "goal"),
        *((row["reference"], f"England {rounded(row['reference'], digits)}", "ink") for row in known[-1:]),
    ]
    values = [at, *(row[column] for row in path for column in (what, low, high)), *(row["reference"] for row in known)]
    title = f"{name}{': gap to England' if what == 'gap' else ''}, {WHO[goal['sex']]}"
    lines = [f"{goal['area_name']}, {'; '.join(filter(None, (goal['view'], goal['reading'])))}", FAN_WORDS]
    drawn = over_time(layers, labels, values, [row["period"] for row in path], title=[title, *lines], unit=unit)
    title = f"{title}, {lines[0]}"
    words = _goal_words(seen[0], seen[-1], {**ahead[-1], "at": at}, goal, what)
    return draw(drawn, title=title, alt=f"{title}. {words}")


FAN_WORDS = "Shaded: where it may go if nothing changes (limits of 80 % and 95 %)"


def _anchored(last: Row, what: str) -> Row:
    """Let the fan begin where the last observed value stands, also where it has no limits."""
    names = (f"{what}_{side}_{level_}" for side in ("lower", "upper") for level_ in (80, 95))
    return {**last, **{name: last[name] if last[name] == last[name] else last[what] for name in names}}


def _goal_words(first: Row, last: Row, end: Row, goal: Row, what: str) -> str:
    unit = goal["unit"]
    low, high = (rounded(end[f"{what}_{side}_95"], decimals_of(unit)) for side in ("lower", "upper"))
    words = [
        f"Line chart from {first['period']} to {end['period']}.",
        f"{amount(first[what], unit)} in {first['period']}, {amount(last[what], unit)} in {last['period']}.",
        f"If nothing changes: {amount(end[what], unit)} in {end['period']} (95 % limits {low} to {high}).",
        f"The goal: {amount(end['at'], unit)} in {goal['target_period']}.",
    ]
    if what == "area" and last["reference"] == last["reference"]:
        words.append(f"England: {amount(last['reference'], unit)} in {last['period']}.")
    return " ".join(words)


# --- areas beside England ---------------------------------------------------------------------------------------------


def _areas(run: Run) -> Iterator[tuple[str, Chart]]:
    names = dict(zip(run.contents["indicator"], run.contents["indicator_name"], strict=True))
    for indicator in over_time_indicators(run):
        mine = latest_edition(run.estimates, indicator)
        england = {sex: _dated(rows) for (sex,), rows in groups(mine[mine["area_code"] == ENGLAND], "sex")}
        for (code, sex), rows in groups(mine[mine["area_code"] != ENGLAND], "area_code", "sex"):
            beside = [] if rows["unit"].iloc[0] in COUNTS else england.get(sex, [])
            yield (
                chart_name("area", code, indicator, sex),
                _area(_dated(rows), beside, names[indicator]),
            )


def over_time_indicators(run: Run) -> list[str]:
    """List the indicators that have a chart over time: those with more than two periods of partnerships."""
    shown = run.estimates[run.estimates["area_type"].isin(("whole partnership", "local partnership"))]
    held = set(shown["indicator"])
    return [
        name
        for name in dict.fromkeys(run.contents["indicator"])
        if name not in FOR_ALL
        and name in held
        and not name.endswith("_gap")
        and latest_edition(shown, name)["period"].nunique() > 2
    ]


def _dated(rows: pd.DataFrame) -> list[Row]:
    return list(rows.sort_values("period").to_dict("records"))


def _area(rows: Sequence[Row], england: Sequence[Row], name: str) -> Chart:
    last, unit = rows[-1], rows[-1]["unit"]
    layers = [
        limits(rows, "lower", "upper"),
        *line(england, "value", colour="ink", dash=[1, 0]),
        *points(england, "value", "England", unit, shape="square"),
        *line(rows, "value", colour="area", dash=[1, 0]),
        *points(rows, "value", last["area_name"], unit, shape="circle"),
    ]
    digits = decimals_of(unit)
    shown = [row for row in (last, *england[-1:]) if row["value"] == row["value"]]
    labels = [
        (
            row["value"],
            f"{_short(row['area_name'])} {rounded(row['value'], digits)}",
            "ink" if row in england else "area",
        )
        for row in shown
    ]
    values = [row[side] for row in (*rows, *england) for side in ("value", "lower", "upper") if row[side] == row[side]]
    title = f"{name}, {WHO[last['sex']]}"
    drawn = over_time(
        layers, labels, values, [row["period"] for row in rows], title=[title, last["area_name"]], unit=unit
    )
    return draw(drawn, title=f"{title}, {last['area_name']}", alt=area_words(rows, england, name))


def _short(area: str) -> str:
    return "The partnership" if area == "North East and North Cumbria" else area


def area_words(rows: Sequence[Row], england: Sequence[Row], name: str) -> str:
    """Say what a chart over time shows."""
    known = [row for row in rows if row["value"] == row["value"]]
    first, last = known[0], known[-1]
    unit = last["unit"]
    words = [
        f"{name}, {WHO[last['sex']]}, {last['area_name']}: {between(last, unit)} in {last['period']};",
        f"{amount(first['value'], unit)} in {first['period']}.",
    ]
    words += [f"England: {between(row, unit)} in {row['period']}." for row in england[-1:]]
    return " ".join(words)


# --- local authorities and deprivation --------------------------------------------------------------------------------


def _local(run: Run) -> Iterator[tuple[str, Chart]]:
    names = dict(zip(run.contents["indicator"], run.contents["indicator_name"], strict=True))
    for indicator in dict.fromkeys(run.local["indicator"]):
        for (sex,), rows in groups(latest_edition(run.local, indicator), "sex"):
            listed = rows.sort_values(["value", "area_name"], ascending=[False, True]).to_dict("records")
            yield chart_name("local", indicator, sex), _authorities(listed, names[indicator])


def _authorities(rows: Sequence[Row], name: str) -> Chart:
    first, known = rows[0], [row for row in rows if row["value"] == row["value"]]
    unit, title = first["unit"], f"{name}, {WHO[first['sex']]}, {first['period']}"
    drawn = ranked(
        known,
        title=[title, "Local authorities in or partly in the partnership, as published, beside England"],
        unit=unit,
    )
    words = [f"{title}. {len(known)} local authorities beside England ({amount(first['reference_value'], unit)})."]
    words += [f"Highest: {known[0]['area_name']}, {between(known[0], unit)}."]
    words += [f"Lowest: {known[-1]['area_name']}, {between(known[-1], unit)}."]
    for word in ("higher", "lower", "similar"):
        count = sum(row["compared"] == word for row in known)
        words += [f"{count} {word} than England." if word != "similar" else f"{count} similar."] if count else []
    return draw(drawn, title=title, alt=" ".join(words))


def _deprived(run: Run) -> Iterator[tuple[str, Chart]]:
    mine = run.estimates[run.estimates["indicator"] == "most_deprived_fifth"]
    mine = mine[mine["period"] == mine["period"].max()]
    for (age,), rows in groups(mine, "age"):
        england = rows.loc[rows["area_code"] == ENGLAND, "value"].iloc[0]
        listed = rows[rows["area_code"] != ENGLAND].sort_values(["value", "area_name"], ascending=[False, True])
        yield chart_name("deprived", age), _fifth(listed.to_dict("records"), england)


def _fifth(rows: Sequence[Row], england: float) -> Chart:
    first, last = rows[0], rows[-1]
    who = "All ages" if first["age"] == "all" else f"Ages {first['age']}"
    title = f"People in the most deprived fifth of neighbourhoods: {who.lower()}, {first['period']}"
    drawn = level(rows, england, title=[title, "Partnerships and the local authorities in or partly in them"], unit="%")
    whole = next(row for row in rows if row["area_type"] == "whole partnership")
    words = f"{title}. {whole['area_name']}: {amount(whole['value'], '%')}; England: {amount(england, '%')}."
    words += f" Highest: {first['area_name']}, {amount(first['value'], '%')}."
    words += f" Lowest: {last['area_name']}, {amount(last['value'], '%')}."
    return draw(drawn, title=title, alt=words)


# --- what contributes to gaps -----------------------------------------------------------------------------------------


def _contributions(run: Run) -> Iterator[tuple[str, Chart]]:
    """Draw a scarf of each comparison, and bars of each sex and period in it."""
    for key, rows in groups(run.decomposition, "comparison", "edition", "source"):
        yield chart_name("parts", *key[:2]), draw_contributions(rows, source=key[2], form="scarf")
        for (sex, period), gap in groups(rows, "sex", "period"):
            yield chart_name("parts", *key[:2], sex, period), draw_contributions(gap, source=key[2])
