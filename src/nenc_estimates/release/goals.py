"""Part of a release that says whether the goals of the strategy will be met, for the whole partnership."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.areas import ENGLAND, NENC, areas
from nenc_estimates.assessments import bound_all_met
from nenc_estimates.crosswalks import load_crosswalk
from nenc_estimates.denominators import load_denominator
from nenc_estimates.forecasts import Assumptions, Problem, pose
from nenc_estimates.goals import Goal, read_goals
from nenc_estimates.judgements import Judging, fits_for, judge, probabilities
from nenc_estimates.kernels.gaps import area_from_gap
from nenc_estimates.kernels.goal_lines import goal_line
from nenc_estimates.periods import Period
from nenc_estimates.quality import QUALITY
from nenc_estimates.release.weighted import share_of_england
from nenc_estimates.series import target_window
from nenc_estimates.statements import PANDEMIC
from nenc_estimates.trajectories import project_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from nenc_estimates.forecasts import Batch
    from nenc_estimates.specification import Assessed

    Columns = dict[str, NDArray[Any]]
    Floats = NDArray[np.float64]

IDENTITY = (
    "goal",
    "reading",
    "view",
    "measure",
    "section",
    "indicator",
    "edition",
    "area_code",
    "area_name",
    "sex",
    "age",
)
"""What tells one assessment from another, in order; the first columns of both tables."""

ALL_MET = ("1a", "1b", "1c", "1d")
"""Goals that make up the first goal of the strategy."""

PRINTED = "printed figures only"

SET_ON, AS_SET = "2022_12", "as in December 2022"
"""When the goals were set, as the name of an edition ends, and the view of what was known then."""

RANGE = ("flat", "drift", "linear")
"""Trends whose lowest and highest probability stand beside that of the default."""

LEVELS = (0.8, 0.95)

BESIDE: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "flat": {"trend": "flat"},
        "linear": {"trend": "linear"},
        "converge": {"trend": "converge"},
        "shock": {"shock": {"covid": PANDEMIC}},
    }
)
"""Other assumptions whose probability stands beside that of the default, for the assumption often is the verdict."""


def goals_part(estimates: pd.DataFrame, entries: Sequence[Assessed]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Assess every goal of the strategy.

    Parameters
    ----------
    estimates
        Of the release.
    entries
        Which goals are assessed on what.

    Returns
    -------
    goals
        A row for each goal, reading, view and baseline: ``IDENTITY``, the columns of
        :func:`~nenc_estimates.assess_goal`, ``probability_flat, probability_linear, probability_converge`` (other
        trends), ``probability_lowest, probability_highest`` (over flat, drift and linear), ``probability_shock`` (2020
        and 2021 taken out as a shock, where two windows or more touch them), ``probability_lower,
        probability_upper`` (only of all parts of the first goal together) and ``missing``, what the strategy does not
        say. Goals that cannot be assessed are rows too.
    trajectories
        What a chart needs: ``IDENTITY``, the columns of :func:`~nenc_estimates.project_trajectory`, and ``goal_line,
        area_goal_line``.
    """
    import pandas as pd  # noqa: PLC0415 - importing the library must stay cheap

    goals = read_goals()
    rows: list[Columns] = []
    paths: list[Columns] = []
    done: set[tuple[str, str, str]] = set()
    for entry in entries:
        wanted = [g for g in goals if g.id in entry.goals and (not entry.readings or g.reading in entry.readings)]
        done |= {(goal.id, goal.sex, goal.reading) for goal in wanted}
        for row, path in _assessed(entry, wanted, estimates):
            rows.append(row)
            paths.append(path)
    rows += [_unassessed(goal) for goal in goals if (goal.id, goal.sex, goal.reading) not in done]
    names = dict.fromkeys(name for row in rows for name in row)
    table = pd.DataFrame({name: [row[name][0] if name in row else None for row in rows] for name in names})
    table = pd.concat([table, _all_met(table)], ignore_index=True)
    order = [*IDENTITY, *(name for name in table.columns if name not in (*IDENTITY, "missing")), "missing"]
    table = table.reindex(columns=order).sort_values(
        ["goal", "view", "edition", "sex", "reading"], kind="stable", ignore_index=True
    )
    texts = [name for name in table.columns if table[name].dtype.kind not in "fi"]
    traced = {name: np.concatenate([path[name] for path in paths]) for name in paths[0]} if paths else {}
    return table.fillna(dict.fromkeys(texts, "")), pd.DataFrame(traced, columns=[*(traced or IDENTITY)])


def _assessed(entry: Assessed, goals: Sequence[Goal], estimates: pd.DataFrame) -> Iterator[tuple[Columns, Columns]]:
    """Pose the series of an entry once, then judge each goal, reading and baseline on its own sex."""
    mine = estimates[estimates["indicator"].eq(entry.indicator) & estimates["edition"].eq(entry.edition)]
    mine = _until(mine[mine["sex"].isin({goal.sex for goal in goals})], entry.until)
    if entry.standard_error == "person-years":
        mine = mine.assign(person_years=_person_years(mine))
    area, options = mine[mine["area_code"] == NENC], _options(entry)
    england = mine[mine["area_code"] == ENGLAND] if goals[0].reference == "England" else None
    problem = pose(area, Assumptions(**options), reference=england, share=_share(), better=goals[0].better)
    inherited = dict(zip(zip(area["sex"], area["period"], strict=True), area["quality"], strict=True))
    fitted: dict[Period, _Fitted] = {}
    for goal in goals:
        target = target_window(entry.target or goal.target, problem.area)
        if target not in fitted:
            fitted[target] = _fit(problem, target, gaps=goal.kind == "reduce_gap")
        fits, mine_only = fitted[target], problem.area.keys["sex"] == goal.sex
        path = {name: column[fits.path["sex"] == goal.sex] for name, column in fits.path.items()}
        for baseline in _baselines(entry, goal):
            posed, codes = _posed(entry, goal, baseline)
            judging = Judging(goal=posed, target=target, levels=LEVELS)
            row = judge(problem, judging, fits.own)
            row |= _beside(problem, judging, fits, row["probability"])
            row = {name: column[mine_only] for name, column in row.items()}
            said = [inherited[goal.sex, row["current_period"][0]], row["quality"][0], *codes]
            row["quality"][0] = ";".join(filter(None, said))
            row["notes"][0] = " ".join(filter(None, [row["notes"][0], *codes.values()]))
            row["missing"] = np.array(["; ".join(goal.lacking)], dtype=object)
            identity = _identity(goal, posed.reading, entry.view)
            yield identity | row, _traced(identity, path, row, goal)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """What is fitted once for all sexes, goals and baselines of an entry with the same target."""

    path: Columns
    own: tuple[Batch, ...]
    beside: Mapping[str, tuple[Batch, ...]]


def _fit(problem: Problem, target: Period, *, gaps: bool) -> _Fitted:
    others = [name for name in BESIDE if name != "converge" or gaps]
    return _Fitted(
        path=project_problem(problem, target),
        own=fits_for(problem, target),
        beside={name: _under(problem, target, name) for name in others},
    )


def _beside(problem: Problem, judging: Judging, fits: _Fitted, drift: Floats) -> Columns:
    """Judge under the other assumptions, and say between what the verdict lies."""
    found = {name: probabilities(problem, judging, batches) for name, batches in fits.beside.items()}
    each = np.stack([{"drift": drift, **found}[name] for name in RANGE])
    columns: Columns = {f"probability_{name}": probability for name, probability in found.items()}
    return columns | {"probability_lowest": each.min(axis=0), "probability_highest": each.max(axis=0)}


def _baselines(entry: Assessed, goal: Goal) -> Sequence[str]:
    """Baselines to start from: a reading that is about a printed figure has no other."""
    return [""] if goal.reading and goal.baseline_value is not None else entry.baselines or [""]


def _under(problem: Problem, target: Period, name: str) -> tuple[Batch, ...]:
    """Fit the same series under another assumption; one window cannot tell a shock, so that it takes two in it."""
    changed, used = replace(problem.assumptions, **BESIDE[name]), problem.used
    if changed.shock:
        touched = np.array([bool(set(PANDEMIC) & set(period.years)) for period in problem.area.periods])
        used = used & (used[:, touched].sum(axis=-1, keepdims=True) > 1)
    return fits_for(replace(problem, assumptions=changed, used=used), target)


def _identity(goal: Goal, reading: str, view: str) -> Columns:
    words = {"goal": goal.id, "reading": reading, "view": view, "measure": goal.measure, "section": goal.section}
    return {name: np.array([text], dtype=object) for name, text in (words | {"area_name": areas()[NENC].name}).items()}


def _traced(identity: Columns, path: Columns, row: Columns, goal: Goal) -> Columns:
    """Put the line to the goal beside the projection."""
    points = {name: float(row[name][0]) for name in ("baseline_year", "target_year")}
    line = goal_line(path["year"], baseline=row["baseline_value"][0], goal=row["goal_value"][0], **points)
    area = np.where(np.isnan(path["reference"]), line, area_from_gap(line, path["reference"], better=goal.better))
    columns = {name: np.repeat(text, line.size) for name, text in identity.items()} | path
    ordered = {name: columns[name] for name in IDENTITY} | columns
    return ordered | {"goal_line": line, "area_goal_line": area}


def _posed(entry: Assessed, goal: Goal, baseline: str) -> tuple[Goal, dict[str, str]]:
    """Make the goal as this entry reads it, and what a reader must know about the reading: codes and sentences."""
    codes, readings = _later(entry), [goal.reading] if goal.reading else []
    if baseline or not entry.printed_baseline:
        codes |= {"own_baseline": QUALITY["own_baseline"]} if goal.baseline_value is not None else {}
        goal = replace(goal, baseline_value=None, baseline_note="")
    if baseline:
        stated = f"Not the baseline that the goal states, which is {goal.baseline}."
        codes |= {"other_baseline": stated} if goal.baseline else {"assumed_baseline": QUALITY["assumed_baseline"]}
        readings.append(f"baseline {baseline} assumed")
        goal = replace(goal, baseline=baseline, missing="")
    return replace(goal, target=entry.target or goal.target, reading="; ".join(readings)), codes


def _later(entry: Assessed) -> dict[str, str]:
    """Say where a view of what was known then rests on an edition that came later."""
    if entry.view != AS_SET or entry.edition.partition("_")[2] <= SET_ON:
        return {}
    cut = f", cut at {entry.until}" if entry.until else ""
    return {"later_edition": f"A later edition{cut}: not what was published in December 2022."}


def _options(entry: Assessed) -> dict[str, Any]:
    names = ("standard_error", "decimals", "transform", "multiplier")
    return {name: getattr(entry, name) for name in names}


def _until(series: pd.DataFrame, last: str) -> pd.DataFrame:
    if not last:
        return series
    end = Period.parse(last)
    return series[[Period.parse(label) <= end for label in series["period"]]]


def _unassessed(goal: Goal) -> Columns:
    """Carry a goal without a series: what was printed, and what is missing."""
    import pyarrow as pa  # noqa: PLC0415

    missing = "; ".join(goal.lacking) or "figures for this area"
    words: Columns = {**_identity(goal, goal.reading, "")}
    words |= {"sex": np.array([goal.sex], dtype=object), "area_code": np.array([NENC], dtype=object)}
    if goal.lacking or goal.baseline_value is None:
        texts = {
            "kind": goal.kind,
            "unit": goal.unit,
            "status": "not assessable",
            "notes": goal.note,
            "missing": missing,
        }
        return words | {name: np.array([text], dtype=object) for name, text in texts.items()}
    printed = pa.table({"period": [goal.baseline], "value": [goal.baseline_value]})
    problem = pose(printed, Assumptions(standard_error="none"))
    judging = Judging(goal=goal, target=target_window(goal.target, problem.area), levels=LEVELS)
    row = judge(problem, judging, ())
    row |= {"view": np.array([PRINTED], dtype=object), "missing": np.array(["a series of dated windows"], dtype=object)}
    return row | {name: text for name, text in words.items() if name != "view"}


def _all_met(table: pd.DataFrame) -> pd.DataFrame:
    """Bound the first goal as a whole: the later reading of each part, on the baseline that the strategy states."""
    import pandas as pd  # noqa: PLC0415

    other = table["quality"].fillna("").str.contains("assumed_baseline|other_baseline")
    parts = table[table["goal"].isin(ALL_MET) & ~other]
    parts = parts.dropna(subset=["probability"]).drop_duplicates(["view", "goal"], keep="last")
    if parts.empty:
        return pd.DataFrame()
    bounds: pd.DataFrame = bound_all_met(parts, by=["view"])
    words = {"goal": "1", "reading": "1a to 1d together", "measure": "LE and HLE at birth", "section": "4.2"}
    words |= {"area_code": NENC, "area_name": areas()[NENC].name, "kind": "all_met", "sex": "Male;Female"}
    note = "Bounds whatever the dependence of the parts; a product would take them for independent."
    return bounds.drop(columns="n_goals").assign(**words, notes=note)


def _share() -> float:
    return share_of_england((NENC,))[NENC]


def _person_years(series: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Count people of each row's sex times years of its window: the partnership by its parts, England as it is."""
    people, crosswalk = load_denominator("residents"), load_crosswalk("ltla21", "nenc")
    inside = crosswalk.age == "all"
    parts = {NENC: (list(crosswalk.source_code[inside]), crosswalk.share[inside]), ENGLAND: ([ENGLAND], np.ones(1))}
    counts = []
    for code, sex, label in zip(series["area_code"], series["sex"], series["period"], strict=True):
        if code not in parts:
            counts.append(np.nan)
            continue
        period, (codes, share) = Period.parse(label), parts[code]
        year = people.nearest_year(codes, sex=sex, age="all", year=period.midpoint_year)
        counts.append(float(people.people(codes, sex=sex, age="all", year=year) @ share) * period.months / 12)
    return np.array(counts)
