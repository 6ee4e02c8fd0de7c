"""Goals as data: what the strategy says, its two readings, and what it leaves out."""

from __future__ import annotations

import pytest

from nenc_estimates import Goal, read_goals
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.goals import WITHOUT_NUMBER, check_judged
from nenc_estimates.kernels.goal_values import GOALS
from nenc_estimates.periods import Period

IDS = set("3 4 1a 1b 1c 1d 2a 2b 2c S1 S2 S3 S4 S5 S6 S7 S8 S9 W1 G0 G9".split())  # noqa: SIM905 - a list to read


@pytest.mark.parametrize("goal", read_goals(), ids=lambda goal: f"{goal.id} {goal.sex} {goal.reading}")
def test_every_goal_of_the_strategy_can_be_judged_or_says_what_is_missing(goal):
    assert goal.kind in (*GOALS, *WITHOUT_NUMBER)
    assert goal.id in IDS
    assert (goal.measure, goal.section) > ("", "")
    for period in filter(None, (goal.baseline, goal.target)):
        assert Period.parse(period)
    if goal.lacking:
        with pytest.raises(InvalidDataError, match=rf"goal {goal.id} .*do not give .*{goal.lacking[0][:12]}"):
            check_judged(goal)
    else:
        check_judged(goal)
        assert goal.value(goal.baseline_value or 1.0) >= 0


def test_all_goals_are_there_and_a_goal_for_both_sexes_is_two():
    assert {goal.id for goal in read_goals()} == IDS
    assert [goal.sex for goal in read_goals() if goal.id == "2c"] == ["Male", "Female"]


def test_ambiguous_words_have_a_reading_each():
    """England women 63.5 as printed or 63.87 as published; cancer by 2028 or by 2030: both stand."""
    readings = {(goal.id, goal.reading): goal for goal in read_goals()}
    assert readings["1d", "England 63.5 as printed"].value(3.3) == pytest.approx(2.97)
    assert readings["1d", "England 63.87 as published"].baseline_value is None
    assert readings["S5", "by 2028 (section 4.6)"].target == "2028"
    assert readings["S5", "by 2030 (section 6.2)"].target == "2030"


def test_goals_without_a_baseline_say_so():
    missing = {goal.id: goal.lacking for goal in read_goals()}
    assert missing["S2"] == ("a baseline, and the definition (related or specific, narrow or broad)",)
    assert missing["W1"] == ("a baseline year and value",)
    assert missing["4"] == ("a number: the goal is the rating good or outstanding",)
    assert missing["1a"] == missing["S1"] == missing["S5"] == ()


def test_what_the_fields_do_not_give_is_named():
    assert Goal(kind="improve").lacking == ("a baseline period",)
    assert Goal(kind="reach", level=5.0).lacking == ("a target period",)
    assert Goal(kind="category").lacking == ("a number",)
    with pytest.raises(
        InvalidDataError, match="the goal to improve cannot be judged: its words do not give a baseline"
    ):
        check_judged(Goal(kind="improve", target="2030"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "double"}, "kind 'double' is unknown. Known: reduce_gap"),
        ({"kind": "reduce_gap", "by": 10}, "share above 0 and up to 1 .*not 10"),
        ({"kind": "reach"}, "needs its level"),
        ({"kind": "change_by"}, "needs by= "),
        ({"kind": "improve", "better": "more"}, "better is 'higher' or 'lower'"),
    ],
)
def test_a_goal_that_says_nothing_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Goal(**fields)


def test_a_gap_is_better_when_lower_whatever_its_measure():
    assert Goal(kind="reduce_gap", by=0.1).bound == "at_most"
    assert Goal(kind="reach", level=75.0).bound == "at_least"
    assert Goal(kind="reach", level=5.0, better="lower").bound == "at_most"
