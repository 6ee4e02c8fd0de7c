"""What is said with every result: all that was assumed, and what a reader must know."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from nenc_estimates.forecasts import Problem, reference_trend
from nenc_estimates.quality import QUALITY
from nenc_estimates.series import STANDARD_ERRORS

if TYPE_CHECKING:
    from collections.abc import Mapping

PANDEMIC = (2020, 2021)
"""Years that a trajectory takes for trend unless told that they were a shock."""

TRENDS: Mapping[str, str] = MappingProxyType(
    {
        "flat": "no direction: the last level goes on and its error grows",
        "drift": "annual changes scatter about a steady average change, which goes on",
        "linear": "a straight line with independent annual scatter",
        "converge": "a gap shrinks by itself towards zero",
        "scenario": "a stated annual change from the last window",
    }
)
"""Every assumption in words; the formulas are ``MODELS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said about one series: all that was assumed, and the codes and sentences a reader must know."""

    assumptions: str
    remarks: tuple[tuple[str, str], ...]


def say(problem: Problem) -> list[Said]:
    """Say what there is to say about each series; series with the same windows and share have it in common."""
    enough, known = problem.enough, dict[tuple[bytes, float], Said]()
    said = []
    for series, used in enumerate(problem.used):
        key = used.tobytes(), float(problem.share[series])
        if key not in known:
            remarks = _remarks(problem, series, enough=bool(enough[series]))
            known[key] = Said(assumptions=_in_words(problem, series), remarks=remarks)
        said.append(known[key])
    return said


def _in_words(problem: Problem, series: int) -> str:
    chosen, area = problem.assumptions, problem.area
    windows = [str(period) for period, used in zip(area.periods, problem.used[series], strict=True) if used]
    span = f"{len(windows)} windows, {windows[0]} to {windows[-1]}" if windows else "no windows"
    texts = [f"trend {chosen.trend} ({TRENDS[chosen.trend]})", f"fitted to {span}, their overlap known exactly"]
    texts += [f"{name} {value:.6g}" for name, value in chosen.parameters.items()]
    if problem.reference is not None:
        trend = reference_trend(problem, len(windows))
        texts.append(f"gap and reference modelled apart (reference: {trend}) and added up to the area")
        texts.append(f"share of the reference that is the area {problem.share[series]:.3f}")
    if chosen.transform != "identity":
        texts.append(f"on the {chosen.transform} scale")
    texts.append(f"standard errors {STANDARD_ERRORS[chosen.standard_error]}")
    if chosen.decimals is not None:
        texts.append(f"error of rounding to {chosen.decimals} decimals added")
    shocks = [f"{name} ({', '.join(map(str, years))})" for name, years in chosen.shock.items()]
    texts.append(f"temporary shocks: {', '.join(shocks) or 'none'}")
    texts += [f"lasting break: {name} from {year}" for name, year in chosen.breaks.items()]
    texts += [f"left out: {', '.join(chosen.exclude)}"] if chosen.exclude else []
    return "; ".join(texts) + "."


def _remarks(problem: Problem, series: int, *, enough: bool) -> tuple[tuple[str, str], ...]:
    chosen, area = problem.assumptions, problem.area
    found = []
    touched = [
        used and set(PANDEMIC) & set(range(period.start.year, period.start.year + period.months // 12))
        for period, used in zip(area.periods, problem.used[series], strict=True)
    ]
    if any(touched) and not chosen.shock:
        found.append("shock_not_given")
    if chosen.standard_error == "person-years":
        found.append("person_years_se")
    if chosen.standard_error == "none":
        found.append("no_sampling_error")
    if not enough:
        found.append("too_few_windows")
    return tuple((code, QUALITY[code]) for code in found)
