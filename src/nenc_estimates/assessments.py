"""Will a goal be met if nothing changes: value at the target, probability, pace, and whether it would show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Unpack

import narwhals.stable.v2 as nw
import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.forecasts import Assumptions, Choices, Problem, check_levels, pose
from nenc_estimates.goals import Goal, check_judged
from nenc_estimates.judgements import THRESHOLDS, Judging, fits_for, judge
from nenc_estimates.kernels import goal_lines
from nenc_estimates.kernels.gaps import area_from_gap
from nenc_estimates.series import SERIES_KEYS, target_window
from nenc_estimates.tables import number_column, open_frame, text_column, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def assess_goal(
    table: IntoDataFrameT,
    goal: Goal,
    *,
    reference: IntoDataFrame | None = None,
    share: float | Mapping[str, float] = 0.0,
    levels: Sequence[float] = (0.8, 0.95),
    baseline: Literal["published", "estimated"] = "published",
    judged: Literal["underlying", "published"] = "underlying",
    by_year: Literal["centre", "end"] = "centre",
    thresholds: tuple[float, float, float] = THRESHOLDS,
    **assumptions: Unpack[Choices],
) -> IntoDataFrameT:
    """Assess one goal on every series of a table, under the assumption that nothing changes.

    Parameters
    ----------
    table
        As in :func:`~nenc_estimates.project_trajectory`: the measure of the goal, for the goal's sex. Without a
        ``reference`` the values of a goal to reduce a gap are the gaps themselves.
    goal
        From :func:`~nenc_estimates.read_goals` or your own.
    reference, share
        As in :func:`~nenc_estimates.project_trajectory`; the goal is then about the gap, positive where worse, and met
        at its value or below, whichever way the measure is better.
    levels
        Confidence levels of the limits.
    baseline
        ``"published"``: the commitment is to the printed figure, or to that of the series where none was printed.
        ``"estimated"``: to the underlying value of that window, uncertain and correlated with the target.
    judged
        By the ``"underlying"`` value at the target, or by the figure that will be ``"published"``, with its error.
    by_year
        ``"end"`` takes a single target year as the last of its window, ``"centre"`` as its middle.
    thresholds
        Probability below which a goal is ``unlikely``, from which it is ``likely``, and from which a trend in the wrong
        direction is ``moving away``.
    **assumptions
        Fields of :class:`~nenc_estimates.forecasts.Assumptions`: ``trend, shock, breaks, exclude, transform, ...``

    Returns
    -------
    frame of the caller's kind
        One row for each series: key columns, then ``goal, reading, measure, kind, unit, trend``; ``baseline_period,
        baseline_year`` (middle of the window), ``baseline_value``; ``current_period, current_year, current_value``;
        ``target_period, target_year, goal_value``; ``do_nothing`` (median at the target) and its limits
        ``do_nothing_lower_80`` and so on; ``shortfall`` (positive: short of the goal); ``change_per_year`` (of the
        trend, at the current value), ``required_per_year``, ``pace_ratio`` (on the scale of the trend; 1 is enough);
        ``probability``; ``status`` (``achieved``, ``not assessable``, ``moving away``, else ``too uncertain to say``
        where the 95 % limits are further apart than the value now is from 0, else ``likely``, ``about even``,
        ``unlikely``); ``power`` (that a met goal would be significant), ``minimum_detectable``; ``open_sdg_ratio,
        unsd_fraction`` (two points, no uncertainty, for comparison); ``known_in`` (year); ``quality, notes,
        assumptions``. With too few windows for the trend, what follows from the trend is null; so are ``pace_ratio``
        where the goal is nearer than one standard error of the value now or half a unit of its last decimal, ``power``
        and ``minimum_detectable`` without sampling errors, and the two-point ratios of windows that share a year.

    Raises
    ------
    SchemaError
        The target is not later than the latest window.
    InvalidDataError
        The goal does not state what it takes; the table lacks its baseline window or holds another sex; there was no
        gap to reduce, or its baseline is over five times what was printed; or as in
        :func:`~nenc_estimates.project_trajectory`.
    ValueError
        An option is unknown or does not go with another; a level to reach is given with a reference.

    Examples
    --------
    >>> import pandas as pd
    >>> gaps = pd.DataFrame({"period": ["2015-17", "2016-18", "2017-19", "2018-20"], "value": [3.2, 3.5, 3.4, 3.7]})
    >>> goal = Goal(kind="reduce_gap", by=0.1, baseline="2018-20", target="2030")
    >>> row = assess_goal(gaps.assign(se=0.3), goal)
    >>> row[["target_period", "goal_value", "probability", "status"]].round(2).values.tolist()
    [['2029-31', 3.33, 0.22, 'too uncertain to say']]

    See Also
    --------
    nenc_estimates.kernels.goal_lines : the formulas.
    """
    problem = pose(table, Assumptions(**assumptions), reference=reference, share=share, better=goal.better)
    judging = _judging(problem, goal, levels, baseline=baseline, judged=judged, by_year=by_year, thresholds=thresholds)
    return tidy(judge(problem, judging, fits_for(problem, judging.target)), problem.area.backend)


def compare_assumptions(
    table: IntoDataFrameT,
    goal: Goal,
    *,
    trends: Sequence[str] = (),
    reference: IntoDataFrame | None = None,
    share: float | Mapping[str, float] = 0.0,
    levels: Sequence[float] = (0.8, 0.95),
    baseline: Literal["published", "estimated"] = "published",
    judged: Literal["underlying", "published"] = "underlying",
    by_year: Literal["centre", "end"] = "centre",
    thresholds: tuple[float, float, float] = THRESHOLDS,
    **assumptions: Unpack[Choices],
) -> IntoDataFrameT:
    """Assess a goal under several assumptions about the trend, side by side: the assumption often is the verdict.

    Parameters
    ----------
    trends
        Default: ``flat``, ``drift`` and ``linear``, for a gap also ``converge``.
    table, goal, reference, share, levels, baseline, judged, by_year, thresholds, **assumptions
        As in :func:`assess_goal`; ``trend`` is taken from ``trends``.

    Returns
    -------
    frame of the caller's kind
        The columns of :func:`assess_goal`, a row for each trend and series.

    Raises
    ------
    EstimatesError, ValueError
        As in :func:`assess_goal`.

    Examples
    --------
    >>> import pandas as pd
    >>> gaps = pd.DataFrame({"period": ["2015-17", "2016-18", "2017-19", "2018-20"], "value": [3.2, 3.5, 3.4, 3.7]})
    >>> goal = Goal(kind="reduce_gap", by=0.1, baseline="2018-20", target="2029-31")
    >>> beside = compare_assumptions(gaps.assign(se=0.3), goal)
    >>> beside[["trend", "probability"]].round(2).values.tolist()
    [['flat', 0.38], ['drift', 0.22], ['linear', 0.17], ['converge', 0.56]]
    """
    usual = ("flat", "drift", "linear", *(["converge"] if goal.kind == "reduce_gap" else []))
    chosen = [replace(Assumptions(**assumptions), trend=trend) for trend in trends or usual]
    problem = pose(table, chosen[0], reference=reference, share=share, better=goal.better)
    judging = _judging(problem, goal, levels, baseline=baseline, judged=judged, by_year=by_year, thresholds=thresholds)
    assumed = [replace(problem, assumptions=assumption) for assumption in chosen]
    parts = [judge(each, judging, fits_for(each, judging.target)) for each in assumed]
    return tidy({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, problem.area.backend)


def trace_goal(
    trajectories: IntoDataFrameT, assessments: IntoDataFrame, *, better: Literal["higher", "lower"] = "higher"
) -> IntoDataFrameT:
    """Draw the straight line to a goal beside a projection.

    Parameters
    ----------
    trajectories
        From :func:`~nenc_estimates.project_trajectory`.
    assessments
        From :func:`assess_goal`: one row for each series, met by the key columns.
    better
        As in :func:`~nenc_estimates.project_trajectory`.

    Returns
    -------
    frame of the caller's kind
        ``trajectories`` with ``goal_line``, from the baseline to the goal, of the gap where there is one, and
        ``area_goal_line``, the area if its gap were on the line; ``nan`` outside baseline and target.

    Raises
    ------
    InvalidDataError
        A series has no assessment, or several.

    Examples
    --------
    >>> import pandas as pd
    >>> from nenc_estimates import Goal, assess_goal, project_trajectory
    >>> gaps = pd.DataFrame(
    ...     {"period": ["2015-17", "2016-18", "2017-19", "2018-20"], "value": [3.2, 3.5, 3.4, 3.7], "se": 0.3}
    ... )
    >>> goal = Goal(kind="reduce_gap", by=0.1, baseline="2018-20", target="2029-31")
    >>> ahead = project_trajectory(gaps, to="2029-31", better="lower")
    >>> line = trace_goal(ahead, assess_goal(gaps, goal), better="lower").set_index("period")["goal_line"]
    >>> line[["2018-20", "2029-31"]].round(2).tolist()
    [3.7, 3.33]
    """
    path = open_frame(trajectories, ["period", "year", "reference"])
    made = open_frame(assessments, ["baseline_year", "baseline_value", "target_year", "goal_value"])
    keys = [name for name in SERIES_KEYS if name in path.columns and name in made.columns]
    places: dict[tuple[Any, ...], int] = {}
    for place, key in enumerate(_rows_of(made, keys)):
        if key in places:
            raise InvalidDataError(
                f"two assessments for the series {', '.join(map(str, key))}: draw one line at a time."
            )
        places[key] = place
    rows = list(_rows_of(path, keys))
    absent = next((key for key in rows if key not in places), None)
    if absent is not None:
        raise InvalidDataError(f"no assessment for the series {', '.join(map(str, absent))}.")
    row = np.array([places[key] for key in rows], dtype=np.intp)
    line = goal_lines.goal_line(
        number_column(path, "year"),
        baseline_year=number_column(made, "baseline_year")[row],
        baseline=number_column(made, "baseline_value")[row],
        target_year=number_column(made, "target_year")[row],
        goal=number_column(made, "goal_value")[row],
    )
    other = number_column(path, "reference")
    area = np.where(np.isnan(other), line, area_from_gap(line, other, better=better))
    added = [
        nw.new_series(name, values, dtype=nw.Float64, backend=path.implementation)
        for name, values in (("goal_line", line), ("area_goal_line", area))
    ]
    return path.with_columns(*added).to_native()


def bound_all_met(assessments: IntoDataFrameT, *, by: Sequence[str] = ()) -> IntoDataFrameT:
    """Bound the probability that all goals of a group are met: whatever their dependence, never a product.

    Parameters
    ----------
    assessments
        From :func:`assess_goal`.
    by
        Columns that make a group.

    Returns
    -------
    frame of the caller's kind
        ``by``, ``n_goals, probability_lower, probability_upper``; null where a probability is.

    Raises
    ------
    SchemaError
        A column is missing.

    Notes
    -----
    Fréchet's bounds: at least the sum of the probabilities less their number plus 1, at most the least of them
    (Fréchet M, 1935, Fundamenta Mathematicae 25:379-387).

    Examples
    --------
    >>> import pandas as pd
    >>> bound_all_met(pd.DataFrame({"probability": [0.9, 0.8]})).round(2).values.tolist()
    [[2.0, 0.7, 0.8]]
    """
    opened = open_frame(assessments, [*by, "probability"])
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, key in enumerate(_rows_of(opened, by)):
        groups.setdefault(key, []).append(row)
    probability = number_column(opened, "probability")
    bounds = [goal_lines.all_met_bounds(probability[rows]) for rows in groups.values()]
    return tidy(
        {
            **{name: [key[i] for key in groups] for i, name in enumerate(by)},
            "n_goals": [len(rows) for rows in groups.values()],
            "probability_lower": [float(lower) for lower, _ in bounds],
            "probability_upper": [float(upper) for _, upper in bounds],
        },
        opened.implementation,
    )


def _rows_of(opened: nw.DataFrame[Any], names: Sequence[str]) -> list[tuple[Any, ...]]:
    columns = [text_column(opened, name).tolist() for name in names]
    return list(zip(*columns, strict=True)) if columns else [()] * len(opened)


def _judging(
    problem: Problem,
    goal: Goal,
    levels: Sequence[float],
    *,
    baseline: str,
    judged: str,
    by_year: Any,
    thresholds: tuple[float, float, float],
) -> Judging:
    check_judged(goal)
    check_levels(levels)
    unlikely, likely, wrong = thresholds
    if not (0 < unlikely <= likely < 1 and 0 < wrong < 1):
        raise ValueError(
            f"thresholds are three shares of 1, the first not above the second: {THRESHOLDS}, not {thresholds}."
        )
    if problem.reference is not None and goal.kind != "reduce_gap":
        if goal.kind == "reach" and goal.level:
            raise ValueError(f"{goal.named()} is a level of the area itself: pass no reference.")
        goal = replace(goal, better="lower")  # what is judged is the gap, which is better when lower
    for name, value, known in (
        ("baseline", baseline, ("published", "estimated")),
        ("judged", judged, ("underlying", "published")),
    ):
        if value not in known:
            raise ValueError(f"{name} is {' or '.join(map(repr, known))}, not {value!r}")
    others = sorted(set(problem.area.keys.get("sex", ())) - {goal.sex}) if goal.sex else []
    if others:
        raise InvalidDataError(
            f"{goal.named()} is for {goal.sex}; the table holds {', '.join(map(str, others))} too. Give the rows of "
            f"{goal.sex} only: table[table['sex'] == {goal.sex!r}]."
        )
    target = target_window(goal.target, problem.area, by_year=by_year)
    if target.end <= problem.area.periods[-1].end:
        raise SchemaError(f"the target {target} is not later than the latest window: compare the values themselves.")
    return Judging(
        goal=goal, target=target, levels=tuple(levels), baseline=baseline, judged=judged, thresholds=thresholds
    )
