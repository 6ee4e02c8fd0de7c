"""Cards of the goals: where we are, where we are heading, the goal, the chance, and what is missing."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from nenc_estimates.publishing.charts import GOAL_KEY, chart_name, groups, named_goals
from nenc_estimates.publishing.rounding import rounded, with_limits
from nenc_estimates.publishing.words import WHO, amount, chance, decimals_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nenc_estimates.publishing.drawing import Chart
    from nenc_estimates.release import Run

    Row = Mapping[Any, Any]

OTHER = ("flat", "linear", "converge", "shock")
"""Other assumptions whose probability stands beside the card's own, as in the columns of the table of goals."""


def goal_cards(run: Run, charts: Mapping[str, Chart]) -> list[dict[str, Any]]:
    """Make a card for each goal and sex that has a trajectory, in the order of the strategy.

    Parameters
    ----------
    run
        The tables.
    charts
        As :func:`~nenc_estimates.publishing.charts.draw_charts` makes them.
    """
    paths = {key: rows.to_dict("records") for key, rows in groups(run.trajectories, *GOAL_KEY)}
    readings: dict[tuple[str, str], list[Row]] = {}
    for key, row in named_goals(run).items():
        if key in paths:
            readings.setdefault((row["goal"], row["sex"]), []).append(row)
    return [_card(rows, paths, charts) for rows in readings.values()]


def goals_without(run: Run) -> list[dict[str, str]]:
    """List goals that cannot be assessed, and what is missing."""
    lacking = run.goals[(run.goals["status"] == "not assessable") & (run.goals["kind"] != "all_met")]
    return [
        {
            "id": row["goal"],
            "measure": row["measure"],
            "who": _who(row),
            "missing": row["missing"],
            "note": row["notes"],
        }
        for row in lacking.to_dict("records")
    ]


def all_met(run: Run) -> list[str]:
    """Say in which bounds the chance lies that all parts of the first goal are met."""
    return [
        f"Chance that all four parts of Goal 1 are met, {row['view']}: {_bounds(row)}."
        for row in run.goals[run.goals["kind"] == "all_met"].to_dict("records")
    ]


def _bounds(row: Row) -> str:
    low, high = chance(row["probability_lower"]), chance(row["probability_upper"])
    return f"at most {high}" if row["probability_lower"] < 0.01 else f"at least {low}, at most {high}"


def _who(row: Row) -> str:
    return " and ".join(WHO[sex] for sex in row["sex"].split(";") if sex in WHO)


def _foremost(rows: Sequence[Row]) -> Row:
    """Take the reading with the latest data; of several, one whose baseline the strategy states."""
    return max(rows, key=lambda row: (row["current_year"], row["edition"], "assumed_baseline" not in row["quality"]))


def _card(readings: Sequence[Row], paths: Mapping[Any, Any], charts: Mapping[str, Chart]) -> dict[str, Any]:
    goal = _foremost(readings)
    name, unit = goal["name"], goal["unit"]
    key = tuple(goal[part] for part in GOAL_KEY)
    path = paths[key]
    drawn = [charts[chart_name(kind, *key)] for kind in ("gap", "goal") if chart_name(kind, *key) in charts]
    return {
        "id": chart_name("goal", goal["goal"], goal["sex"]),
        "goal": goal["goal"],
        "sex": goal["sex"],
        "title": f"Goal {goal['goal']}: {name}, {WHO[goal['sex']]}",
        "lines": _lines(goal, path, unit),
        "status": goal["status"],
        "charts": drawn,
        "path": [_step(row, unit) for row in path],
        "gap": path[0]["gap"] == path[0]["gap"],
        "readings": [_reading(row, unit, charts) for row in readings],
        "assumptions": goal["assumptions"],
    }


def _lines(goal: Row, path: Sequence[Row], unit: str) -> list[tuple[str, str]]:
    now = next(row for row in path if row["period"] == goal["current_period"])
    where = f"{amount(goal['current_value'], unit)} in {goal['current_period']}."
    if now["gap"] == now["gap"]:
        where = (
            f"{amount(goal['current_value'], unit)} behind England in {goal['current_period']}: "
            f"{amount(now['area'], unit)} here, {amount(now['reference'], unit)} in England."
        )
    digits = decimals_of(unit)
    low, high = (rounded(goal[f"do_nothing_{side}_95"], digits) for side in ("lower", "upper"))
    behind = " behind England" if now["gap"] == now["gap"] else ""
    heading = f"If nothing changes: {amount(goal['do_nothing'], unit)}{behind} in {goal['target_period']}"
    heading = f"{heading}; 95 % limits {low} to {high}."
    aim = f"{amount(goal['goal_value'], unit)}{behind} in {goal['target_period']}"
    if goal["baseline_value"] == goal["baseline_value"]:
        aim += f", from {amount(goal['baseline_value'], unit)} in {goal['baseline_period']}"
    return [
        ("Where we are", where),
        ("Where we are heading", heading),
        ("The goal", f"{aim}."),
        ("The chance", _chance(goal)),
        ("What is missing", _missing(goal)),
        ("Before quoting it", goal["notes"] or "Nothing further."),
    ]


def _chance(goal: Row) -> str:
    others = [goal[f"probability_{name}"] for name in OTHER if goal.get(f"probability_{name}", float("nan")) >= 0]
    text = f"{goal['status'].capitalize()}: {chance(goal['probability'])}, if nothing changes."
    if others:
        low, high = chance(min(others)), chance(max(others))
        text += (
            f" Under other assumptions: {low}." if low == high else f" Under other assumptions: from {low} to {high}."
        )
    return text


def _missing(goal: Row) -> str:
    text = goal["missing"]
    return f"{text[0].upper()}{text[1:]}." if text else "Nothing: the strategy states what is needed."


def _step(row: Row, unit: str) -> dict[str, str]:
    digits = decimals_of(unit)
    cells = {
        what: with_limits(row[what], row[f"{what}_lower_95"], row[f"{what}_upper_95"], digits)
        for what in ("area", "reference", "gap")
    }
    line = row["goal_line"] if row["gap"] == row["gap"] else row["area_goal_line"]
    aim = "" if isnan(line) else rounded(line, digits)
    return {"period": row["period"], "status": row["status"], **cells, "goal": aim}


def _reading(row: Row, unit: str, charts: Mapping[str, Chart]) -> dict[str, str]:
    digits = decimals_of(unit)
    chart = chart_name("goal", *(row[name] for name in GOAL_KEY))
    return {
        "view": row["view"],
        "reading": row["reading"],
        "edition": row["edition"],
        "now": f"{rounded(row['current_value'], digits)} in {row['current_period']}",
        "heading": with_limits(row["do_nothing"], row["do_nothing_lower_95"], row["do_nothing_upper_95"], digits),
        "goal": f"{rounded(row['goal_value'], digits)} in {row['target_period']}",
        "chance": chance(row["probability"]),
        "status": row["status"],
        "file": f"charts/{chart}.svg" if chart in charts else "",
    }
