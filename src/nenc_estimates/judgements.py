"""Judging goals on arrays of series: where each stands, where it is heading, and what that means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import InvalidDataError
from nenc_estimates.forecasts import Batch, Problem, batches
from nenc_estimates.kernels.goal_lines import detectability, goal_probability, pace_ratio, required_change
from nenc_estimates.kernels.progress import open_sdg_progress, unsd_progress
from nenc_estimates.kernels.trajectories import annual_change, project
from nenc_estimates.kernels.windows import window_centre
from nenc_estimates.periods import Period
from nenc_estimates.quality import QUALITY
from nenc_estimates.statements import PANDEMIC, Said, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nenc_estimates.forecasts import Assumptions
    from nenc_estimates.goals import Goal
    from nenc_estimates.kernels.mixtures import Mixture

    Floats = NDArray[np.float64]

THRESHOLDS = (0.33, 0.66, 0.90)
"""Probability below which a goal is unlikely, from which it is likely, and from which a trend in the wrong direction is
called moving away (very likely): Mastrandrea et al. (2010), Guidance Note for Lead Authors of the IPCC Fifth Assessment
Report on Consistent Treatment of Uncertainties, table 1."""

FAR = 5.0
"""Times its printed size beyond which a baseline gap is taken for something else."""

PUBLICATION_LAG = 2
"""Years from the end of a window to its publication, about."""


WIDTH = (0.025, 0.975)
"""Chances between which a forecast lies whose width says whether it says anything, whatever limits are asked for."""

FORECAST = ("do_nothing", "change_per_year", "pace_ratio", "probability", "away", "width")
"""What follows from a fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How a goal is judged: see :func:`~nenc_estimates.assess_goal`."""

    goal: Goal
    target: Period
    levels: tuple[float, ...]
    baseline: str = "published"
    judged: str = "underlying"
    thresholds: tuple[float, float, float] = THRESHOLDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where each series stands, arrays of shape ``(series,)``; ``place`` is the baseline window, -1 where none."""

    place: int
    period: Period | None
    baseline: Floats
    baseline_se: Floats
    baseline_year: float
    goal: Floats
    last: NDArray[np.intp]
    current: Floats
    current_se: Floats
    year: Floats
    target_year: float
    target_sampling: Floats
    target_rounding: Floats


def fits_for(problem: Problem, target: Period) -> tuple[Batch, ...]:
    """Fit the gap, or the value where there is no reference, up to a target."""
    until = target.start.year + target.months // 12 - 1
    return tuple(batches(problem, until=until, with_reference=False))


def judge(problem: Problem, judging: Judging, fits: tuple[Batch, ...]) -> dict[str, Any]:
    """Judge one goal on every series: the columns of :func:`~nenc_estimates.assess_goal`.

    One set of fits serves every goal, reading and baseline with the same target.
    """
    goal, stand = judging.goal, _stand(problem, judging)
    found = {name: np.full(len(problem.used), np.nan) for name in FORECAST}
    limits = np.full((len(problem.used), 2 * len(judging.levels)), np.nan)
    for batch in fits:
        answers, limits[batch.series] = _forecast(problem, judging, stand, batch)
        for name in FORECAST:
            found[name][batch.series] = answers[name]
    sign = 1.0 if goal.bound == "at_most" else -1.0
    met = sign * (stand.current - stand.goal) <= 0
    known_se = np.nan if problem.assumptions.standard_error == "none" else 1.0  # rounding alone is not sampling error
    seen = detectability(
        stand.goal - stand.baseline,
        se_baseline=stand.baseline_se * known_se,
        se_target=np.hypot(stand.target_sampling, stand.target_rounding),
    )
    said = say(problem)
    wide = found["width"] > np.abs(stand.current)
    near = np.abs(stand.goal - stand.current) < np.maximum(stand.current_se, _half(problem))
    codes, notes = _remarks(problem, judging, stand, said, wide=wide)
    return {
        **_words(problem, judging, stand),
        "do_nothing": found["do_nothing"],
        **_limit_columns(judging.levels, limits),
        "shortfall": sign * (found["do_nothing"] - stand.goal),
        "change_per_year": found["change_per_year"],
        "required_per_year": required_change(stand.current, stand.goal, year=stand.year, target_year=stand.target_year),
        "pace_ratio": np.where(near, np.nan, found["pace_ratio"]),
        "probability": found["probability"],
        "status": _status(met, found, judging, wide=wide),
        "power": seen.power,
        "minimum_detectable": seen.minimum,
        **_other_systems(problem, stand, sign),
        "known_in": np.full(len(problem.used), judging.target.end.year + PUBLICATION_LAG),
        "quality": codes,
        "notes": notes,
        "assumptions": _assumptions(judging, said),
    }


def probabilities(problem: Problem, judging: Judging, fits: tuple[Batch, ...]) -> Floats:
    """Probability alone, shape ``(series,)``; ``nan`` where there was no fit."""
    stand, found = _stand(problem, judging), np.full(len(problem.used), np.nan)
    for batch in fits:
        found[batch.series] = _met(problem, judging, stand, batch)[1]
    return found


def _words(problem: Problem, judging: Judging, stand: Standing) -> dict[str, Any]:
    """Keys, goal, and the three points in time: baseline, current value, target."""
    area, goal, count = problem.area, judging.goal, len(problem.used)
    texts = {name: getattr(goal, name) for name in ("reading", "measure", "kind", "unit")}
    texts = {"goal": goal.id, **texts, "trend": problem.assumptions.trend}
    return {
        **area.keys,
        **{name: np.full(count, text, dtype=object) for name, text in texts.items()},
        "baseline_period": np.full(count, str(stand.period or ""), dtype=object),
        "baseline_year": np.full(count, stand.baseline_year),
        "baseline_value": stand.baseline,
        "current_period": np.array([str(area.periods[i]) for i in stand.last], dtype=object),
        "current_year": stand.year,
        "current_value": stand.current,
        "target_period": np.full(count, str(judging.target), dtype=object),
        "target_year": np.full(count, stand.target_year),
        "goal_value": stand.goal,
    }


def _limit_columns(levels: tuple[float, ...], limits: Floats) -> dict[str, Floats]:
    columns = {}
    for i, level in enumerate(levels):
        columns[f"do_nothing_lower_{100 * level:g}"] = limits[:, 2 * i]
        columns[f"do_nothing_upper_{100 * level:g}"] = limits[:, 2 * i + 1]
    return columns


def _stand(problem: Problem, judging: Judging) -> Standing:
    area, goal, length = problem.area, judging.goal, judging.target.months // 12
    every, known = np.arange(len(problem.used)), problem.used.any(axis=-1)
    last = problem.used.shape[-1] - 1 - np.argmax(problem.used[:, ::-1], axis=-1)
    centre = window_centre(area.first_year, area.n_years)
    period, place = _baseline_window(problem, judging)
    baseline, baseline_se = _baseline_value(problem, judging, period, place)
    start, years = (period.start.year, period.months // 12) if period else (np.nan, 1)
    return Standing(
        place=place,
        period=period,
        baseline=baseline,
        baseline_se=baseline_se,
        baseline_year=float(window_centre(start, years)),
        goal=goal.value(baseline),
        last=last,
        current=np.where(known, problem.value[every, last], np.nan),
        current_se=problem.se[every, last],
        year=np.where(known, centre[last], np.nan),
        target_year=float(window_centre(judging.target.start.year, length)),
        target_sampling=problem.sampling[every, last] * np.sqrt(area.n_years[last] / length),
        target_rounding=problem.rounding[every, last],
    )


def _baseline_window(problem: Problem, judging: Judging) -> tuple[Period | None, int]:
    if not judging.goal.baseline:
        return None, -1
    period = Period.parse(judging.goal.baseline, kind=problem.assumptions.kind)
    return period, problem.area.periods.index(period) if period in problem.area.periods else -1


def _baseline_value(problem: Problem, judging: Judging, period: Period | None, place: int) -> tuple[Floats, Floats]:
    """Value of the baseline and its standard error: as printed, or of the series."""
    goal, count = judging.goal, len(problem.used)
    nothing = np.full(count, np.nan)
    own = problem.value[:, place] if place >= 0 else nothing
    se = problem.se[:, place] if place >= 0 else nothing
    if judging.baseline == "estimated" and goal.kind != "reach":
        lacking = ~problem.used[:, place] if place >= 0 else np.ones(count, dtype=bool)
    elif goal.baseline_value is not None:
        _refuse_no_gap(problem, goal, period, own)
        own, lacking = np.full(count, goal.baseline_value), np.zeros(count, dtype=bool)
    else:
        lacking = np.isnan(own) & (goal.kind != "reach")
    if lacking.any():
        raise InvalidDataError(
            f"{goal.named()} starts from {period}, for which there is no value in "
            f"{problem.area.named(int(np.flatnonzero(lacking)[0]))} ({int(lacking.sum())} series)."
        )
    ahead = (own <= 0) & (goal.kind == "reduce_gap")
    if ahead.any():
        series = int(np.flatnonzero(ahead)[0])
        raise InvalidDataError(
            f"{goal.named()} reduces a gap, but in {period} there was none: {own[series]:.3g} in "
            f"{problem.area.named(series)}. A share of it says nothing."
        )
    return own, se


def _refuse_no_gap(problem: Problem, goal: Goal, period: Period | None, own: Floats) -> None:
    """Refuse values far above the gap that was printed: most likely those of the area, without their reference."""
    far = (own > FAR * (goal.baseline_value or np.inf)) & (goal.kind == "reduce_gap")
    if far.any():
        series = int(np.flatnonzero(far)[0])
        raise InvalidDataError(
            f"{goal.named()} reduces a gap, printed as {goal.baseline_value:g} in {period}, but there the table has "
            f"{own[series]:.3g} in {problem.area.named(series)}. Pass the gaps themselves, or reference= with the rows "
            f"of {goal.reference or 'the other side'}."
        )


def _met(problem: Problem, judging: Judging, stand: Standing, batch: Batch) -> tuple[Mixture, Floats]:
    """Forecast of the target on the scale of the trend, and the probability that it meets the goal."""
    chosen, goal, rows = problem.assumptions, judging.goal, batch.series
    asked: dict[str, Any] = {"first_year": [judging.target.start.year], "n_years": [judging.target.months // 12]}
    if judging.judged == "published":
        slope = chosen.scale.slope(stand.current[rows] / chosen.multiplier) / chosen.multiplier
        asked["se"] = (stand.target_sampling[rows] * slope)[:, None]
        asked["rounding"] = (stand.target_rounding[rows] * slope)[:, None]
    ahead = project(batch.own, **asked)
    if judging.baseline == "published" or goal.kind == "reach":
        probability = goal_probability(ahead, chosen.forward(stand.goal[rows])[:, None], bound=goal.bound)
    else:
        keep, threshold = _relative(goal, chosen)
        place = int(np.searchsorted(batch.windows, stand.place))
        relative = project(batch.own, **asked, baseline=place, keep=keep)
        probability = goal_probability(relative, threshold, bound=goal.bound)
    return ahead, probability[:, 0]


def _forecast(problem: Problem, judging: Judging, stand: Standing, batch: Batch) -> tuple[dict[str, Floats], Floats]:
    chosen, goal, rows = problem.assumptions, judging.goal, batch.series
    ahead, probability = _met(problem, judging, stand, batch)
    chances = [*WIDTH, 0.5, *((1 + sign * level) / 2 for level in judging.levels for sign in (-1, 1))]
    values = chosen.inverse(ahead.quantile(chances)[:, 0])
    current, change = stand.current[rows], annual_change(batch.own)
    needed = required_change(
        chosen.forward(current), chosen.forward(stand.goal[rows]), year=stand.year[rows], target_year=stand.target_year
    )
    below = change.cdf(0.0)
    answers = {
        "do_nothing": values[:, 2],
        "change_per_year": change.mean() * chosen.multiplier / chosen.scale.slope(current / chosen.multiplier),
        "pace_ratio": pace_ratio(change.mean(), needed),
        "probability": probability,
        "away": 1 - below if goal.bound == "at_most" else below,
        "width": values[:, 1] - values[:, 0],
    }
    return answers, values[:, 3:]


def _relative(goal: Goal, chosen: Assumptions) -> tuple[float, float]:
    """Say which part of the baseline is kept, and what target less that part is compared with, on the trend's scale."""
    part = 1 - goal.by if goal.kind == "reduce_gap" else 1 + goal.by
    if chosen.transform == "identity":
        return part, goal.points
    if goal.points or (chosen.transform != "log" and part != 1):
        raise ValueError(
            f"baseline='estimated' does not go with transform={chosen.transform!r} for this goal: use 'published'."
        )
    return 1.0, float(np.log(part)) if part > 0 else -np.inf


def _status(
    achieved: NDArray[np.bool_], found: dict[str, Floats], judging: Judging, *, wide: NDArray[np.bool_]
) -> NDArray[np.object_]:
    unlikely, likely, wrong = judging.thresholds
    probability = found["probability"]
    away = found["away"] >= wrong
    return np.select(
        [achieved, np.isnan(probability), away, wide, probability >= likely, probability >= unlikely],
        ["achieved", "not assessable", "moving away", "too uncertain to say", "likely", "about even"],
        "unlikely",
    ).astype(object)


def _half(problem: Problem) -> float:
    """Half a unit of the last printed decimal."""
    decimals = problem.assumptions.decimals
    return 0.0 if decimals is None else 0.5 * 10.0**-decimals


def _other_systems(problem: Problem, stand: Standing, sign: float) -> dict[str, Floats]:
    """Ratios from two points; of windows that share a year they would compare a value with part of itself."""
    points: dict[str, Any] = {
        "baseline": stand.baseline,
        "baseline_year": stand.baseline_year,
        "current": stand.current,
        "year": stand.year,
        "target": stand.goal,
        "target_year": stand.target_year,
        "direction": -sign,
    }
    open_sdg, unsd = open_sdg_progress(**points), unsd_progress(**points)
    years = (problem.area.n_years[stand.last] + (stand.period.months // 12 if stand.period else 0)) / 2
    apart = np.abs(stand.year - stand.baseline_year) >= years
    ratios = {"open_sdg_ratio": open_sdg.ratio, "unsd_fraction": unsd.fraction}
    return {name: np.where(apart, ratio, np.nan) for name, ratio in ratios.items()}


def _assumptions(judging: Judging, said: Sequence[Said]) -> NDArray[np.object_]:
    goal = judging.goal
    source = "as printed with the goal" if goal.baseline_value is not None else "of the series"
    start = f"the published figure {source}" if judging.baseline == "published" else "the underlying value, estimated"
    tail = f" Baseline: {start}. Judged by the {judging.judged} value in {judging.target}."
    return np.array([part.assumptions + tail for part in said], dtype=object)


def _remarks(
    problem: Problem, judging: Judging, stand: Standing, said: Sequence[Said], *, wide: NDArray[np.bool_]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    period, goal, decimals = stand.period, judging.goal, problem.assumptions.decimals
    shared = ["no_baseline"] if np.isnan(stand.baseline).any() else []
    hit = set(PANDEMIC) & set(range(period.start.year, period.start.year + period.months // 12)) if period else set()
    shared += ["shock_in_baseline"] if hit else []
    several = {"shock_in_baseline": "The baseline window holds years of the pandemic."} if len(hit) > 1 else {}
    coarse = _half(problem) > 0.25 * np.abs(stand.goal - stand.baseline)
    codes, notes = [], []
    for series in range(len(problem.used)):
        found = shared + (["coarse_rounding"] if coarse[series] else []) + (["limits_wide"] if wide[series] else [])
        told = (*said[series].remarks, *((code, several.get(code, QUALITY[code])) for code in found))
        codes.append(";".join(code for code, _ in told))
        words = [
            goal.note,
            goal.baseline_note,
            _rounded_verdict(stand.current[series], stand.goal[series], decimals, goal.bound),
        ]
        notes.append(" ".join(text for text in (*words, *(sentence for _, sentence in told)) if text))
    return np.array(codes, dtype=object), np.array(notes, dtype=object)


def _rounded_verdict(current: float, goal: float, decimals: int | None, bound: str) -> str:
    if decimals is None or not np.isfinite(current + goal):
        return ""
    sign = 1 if bound == "at_most" else -1
    met, rounded = sign * (current - goal) <= 0, sign * (round(current, decimals) - round(goal, decimals)) <= 0
    if met == rounded:
        return ""
    return (
        f"Rounded to {decimals} decimals the current value {'meets' if rounded else 'misses'} the goal; unrounded not."
    )
