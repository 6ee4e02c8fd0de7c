"""Goals in the release: every goal has its row, editions never mix, and both readings stand."""

from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates import read_goals
from nenc_estimates.release.goals import IDENTITY


@pytest.fixture(scope="module")
def goals(run):
    return run.goals


def rows(goals, **values):
    for name, value in values.items():
        goals = goals[goals[name] == value]
    return goals


def test_every_goal_of_the_strategy_has_a_row(goals):
    assert set(goals["goal"]) == {goal.id for goal in read_goals()} | {"1"}
    assert not goals.duplicated([*IDENTITY]).any()
    lacking = goals[(goals["status"] == "not assessable") & (goals["kind"] != "all_met")]
    assert (lacking["missing"] != "").all()


def test_the_printed_baseline_stays_with_the_edition_that_it_was_made_from(goals):
    """HLE men: 3.7 printed, goal 3.33; the rebased edition starts from its own gap of the same window."""
    then = rows(goals, goal="1c", edition="ons_2022_03", reading="").iloc[0]
    assert (then["baseline_value"], then["goal_value"]) == pytest.approx((3.7, 3.33))
    assert then["current_period"] == "2018-20"
    since = rows(goals, goal="1c", edition="ons_2026_02", reading="").iloc[0]
    assert since["baseline_value"] == pytest.approx(4.02, abs=0.005)
    assert "own_baseline" in since["quality"].split(";")
    assert since["current_period"] == "2022-24"


def test_both_readings_of_england_women_and_of_the_cancer_year_are_there(goals):
    women = rows(goals, goal="1d", view="as in December 2022").set_index("reading")
    assert women.loc["England 63.5 as printed", "goal_value"] == pytest.approx(2.97)
    assert women.loc["England 63.87 as published", "baseline_value"] == pytest.approx(63.87 - 60.23, abs=0.01)
    assert set(rows(goals, goal="S5")["target_period"]) == {"2028", "2030"}


def test_life_expectancy_shows_both_parts_of_its_error(goals):
    life = rows(goals, goal="1a", view="with what is known since", reading="").iloc[0]
    assert "person-years rule" in life["assumptions"]
    assert "error of rounding to 1 decimals" in life["assumptions"]
    assert {"person_years_se", "coarse_rounding"} <= set(life["quality"].split(";"))
    assert life["minimum_detectable"] == pytest.approx(1.96 * np.sqrt(2) * np.sqrt(0.0620**2 + 0.0289**2), rel=0.05)


def test_smoking_is_judged_on_each_revision(goals):
    smoking = rows(goals, goal="S1").set_index("edition")
    assert smoking.loc["ohid_2024_08", "baseline_value"] == pytest.approx(15.6, abs=0.05)
    assert smoking.loc["ohid_2026_04", "baseline_value"] == pytest.approx(14.6, abs=0.05)
    assert smoking["goal_value"].tolist() == [5.0, 5.0]


def test_what_the_strategy_does_not_state_is_assumed_in_the_open(goals):
    for goal in ("S2", "S4"):
        row = rows(goals, goal=goal).iloc[0]
        assert "assumed" in row["reading"]
        assert "assumed_baseline" in row["quality"].split(";")
        assert "a baseline" in row["missing"]


def test_quintile_gap_and_slope_index_are_two_quantities(goals):
    men = rows(goals, goal="2a")
    printed = rows(men, view="printed figures only").iloc[0]
    assert (printed["baseline_value"], printed["goal_value"]) == pytest.approx((10.4, 9.36))
    assert np.isnan(printed["probability"])
    slopes = men[men["reading"].str.startswith("slope index")]
    assert slopes["notes"].str.contains("not the slope index of the whole area").all()
    assert set(slopes["edition"]) == {"ohid_2024_07", "ohid_2026_05"}


def test_all_of_the_first_goal_is_bounded_by_its_least_likely_part(goals):
    whole = rows(goals, goal="1").set_index("view")
    parts = goals[
        goals["goal"].isin(["1a", "1b", "1c", "1d"]) & ~goals["quality"].str.contains("assumed|other_baseline")
    ]
    for view, row in whole.iterrows():
        least = parts.loc[parts["view"] == view, "probability"].min()
        assert row["probability_upper"] == pytest.approx(least)
        assert 0 <= row["probability_lower"] <= row["probability_upper"]


def test_a_note_on_the_printed_baseline_stands_only_where_that_is_the_baseline(goals):
    about = goals["notes"].str.contains("both as printed|with England in 2018-20 as published")
    assert set(goals.loc[about, "edition"]) == {"ons_2022_03"}
    assert set(goals.loc[about, "baseline_period"]) == {"2018-20"}
    assert about.sum() == 3
    stated = goals["quality"].str.contains("other_baseline")
    assert set(goals.loc[stated, "goal"]) == {"1a", "1b", "1c", "1d"}
    assert goals.loc[stated, "notes"].str.contains("Not the baseline that the goal states, which is 2018-20.").all()
    assert not goals.loc[stated, "quality"].str.contains("assumed_baseline").any()


def test_a_view_of_then_from_an_edition_of_later_says_so(goals):
    later = goals[goals["quality"].str.contains("later_edition")]
    assert set(later["view"]) == {"as in December 2022"}
    assert set(later["edition"]) == {"ohid_2026_05", "ohid_2024_07", "ons_2023_05"}
    life = later[later["goal"] == "1a"].iloc[0]
    assert "A later edition, cut at 2018-20: not what was published in December 2022." in life["notes"]


def test_other_trends_span_the_probability(goals):
    judged = goals[goals["probability_lowest"].notna()]
    assert len(judged)
    three = judged[["probability", "probability_flat", "probability_linear"]]
    np.testing.assert_array_equal(judged["probability_lowest"], three.min(axis=1))
    np.testing.assert_array_equal(judged["probability_highest"], three.max(axis=1))


def test_one_window_in_the_pandemic_tells_no_shock(goals):
    """Windows to 2018-20 touch it once, to 2022-24 five times."""
    then, since = (rows(goals, goal="1c", edition=edition).iloc[0] for edition in ("ons_2022_03", "ons_2026_02"))
    assert np.isnan(then["probability_shock"])
    assert 0 <= since["probability_shock"] <= 1


def test_trajectories_hold_what_a_chart_needs(run):
    paths = run.trajectories
    assert not paths.duplicated([*IDENTITY, "period", "status"]).any()
    assert set(paths["status"]) == {"observed", "projected", "missing"}
    gap = paths[paths["gap"].notna()]
    np.testing.assert_allclose(gap["area"], gap["reference"] - gap["gap"], rtol=0, atol=1e-9)
    men = rows(paths, goal="1c", edition="ons_2022_03", reading="").set_index("period")
    assert men.loc["2018-20", "goal_line"] == pytest.approx(3.7)
    assert men.loc["2029-31", "goal_line"] == pytest.approx(3.33)
    assert men.loc["2029-31", "area_goal_line"] == pytest.approx(men.loc["2029-31", "reference"] - 3.33)
