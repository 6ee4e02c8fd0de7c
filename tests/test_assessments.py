"""Assessments of goals: published probabilities, identities of C7, statuses, lines and refusals."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates import (
    Goal,
    assess_goal,
    bound_all_met,
    compare_assumptions,
    project_trajectory,
    read_goals,
    trace_goal,
)
from nenc_estimates.errors import InvalidDataError

seeds = st.integers(0, 10_000)
ROLLING = [f"{year}-{(year + 2) % 100:02d}" for year in range(2009, 2019)]
TENTH = Goal(kind="reduce_gap", by=0.1, baseline="2018-20", target="2029-31")
REACH = Goal(kind="reach", level=61.0, baseline="2018-20", target="2029-31")


def gaps(seed=1, se=0.1, level=1.8, **keys):
    value = level + 0.05 * np.random.default_rng(seed).normal(size=10).cumsum()
    return pd.DataFrame({"period": ROLLING, "value": np.maximum(value, 0.2), "se": se} | keys)


def one(table, goal, **options):
    return assess_goal(table, goal, **options).iloc[0]


def reference_rows(reference, name):
    with (reference / "trajectories" / name).open() as file:
        return list(csv.DictReader(file))


def test_values_of_the_area_are_not_taken_for_a_gap():
    with pytest.raises(InvalidDataError, match=r"printed as 1.8 in 2018-20, but there .* 59.*rows of England"):
        assess_goal(gaps(level=59.0), replace(TENTH, baseline_value=1.8, reference="England"))
    assert one(gaps(level=3.0), replace(TENTH, baseline_value=1.8))["goal_value"] == pytest.approx(1.62)


def test_a_known_forecast_has_the_published_probabilities(reference):
    """Origin: gap_goal_probability.csv, to 10 decimals. A scenario through one window gives the target a known
    distribution; its error is that of the window, so the table is given as a window of the target's own error.
    """
    for row in reference_rows(reference, "gap_goal_probability.csv"):
        if row["baseline_treated_as"] != "published":
            continue
        known = {name: float(row[name]) for name in ("gap0", "gapT", "sdT", "reduce_by", "p_goal_met")}
        table = pd.DataFrame({"period": ["2018-20"], "value": [known["gap0"]], "se": [known["sdT"]]})
        goal = replace(TENTH, by=known["reduce_by"])
        change = {"change": (known["gapT"] - known["gap0"]) / 11}
        found = one(table, goal, trend="scenario", parameters=change)
        assert found["do_nothing"] == pytest.approx(known["gapT"], rel=1e-9)
        assert found["probability"] == pytest.approx(known["p_goal_met"], abs=1e-6)


def test_goal_lines_hit_both_ends(reference):
    """Origin: goal_lines.csv, to 8 decimals: 3.7 in 2018-20 to 3.33 in 2029-31, and 13 % in 2020 to 5 % in 2030."""
    known = reference_rows(reference, "goal_lines.csv")
    hle = {int(r["year"]): float(r["goal_value"]) for r in known if r["case"].startswith("NENC HLE gap men")}
    table = gaps(level=3.7)
    goal = replace(TENTH, baseline_value=3.7)
    path = trace_goal(project_trajectory(table, to="2029-31"), assess_goal(table, goal)).set_index("year")
    assert path.loc[2019.0, "goal_line"] == pytest.approx(3.7, abs=1e-12)
    assert path.loc[2030.0, "goal_line"] == pytest.approx(3.33, abs=1e-12)
    assert path["goal_line"].loc[list(hle)].tolist() == pytest.approx(list(hle.values()), abs=1e-8)
    assert path["goal_line"].loc[:2018].isna().all()


def test_detectability_is_the_published_one(reference):
    """Origin: detectability.csv, power and minimum to 6 decimals; the lower tail that it leaves out is below 3e-5."""
    for row in reference_rows(reference, "detectability.csv"):
        known = {name: float(row[name]) for name in ("gap0", "se_gap", "power_95", "minimum_detectable_change_95")}
        table = gaps(se=known["se_gap"]).assign(value=known["gap0"] + 0.01 * np.arange(-9, 1))
        found = one(table, TENTH)
        assert found["power"] == pytest.approx(known["power_95"], abs=5e-5)
        assert found["minimum_detectable"] == pytest.approx(known["minimum_detectable_change_95"], abs=1e-6)


def test_other_systems_give_their_ratios_by_name(reference):
    """Origin: progress_ratio_open_sdg_unsd.csv, smoking in the North East: 13.0 (2020), 10.4 (2024), 5 (2030)."""
    known = reference_rows(reference, "progress_ratio_open_sdg_unsd.csv")[0]
    years = [str(year) for year in range(2020, 2025)]
    smoking = pd.DataFrame({"period": years, "value": [13.0, 12.5, 11.8, 11.0, 10.4], "se": 0.3})
    goal = Goal(kind="reach", level=5.0, better="lower", baseline="2020", target="2030")
    found = one(smoking, goal)
    assert found["open_sdg_ratio"] == pytest.approx(float(known["ratio_open_sdg"]), abs=1e-8)
    assert found["unsd_fraction"] == pytest.approx(float(known["unsd_fraction_of_required_change"]), abs=1e-6)
    assert found["required_per_year"] == pytest.approx(float(known["linear_required_per_year_from_now"]), rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from(["flat", "drift", "linear"]))
def test_a_goal_at_the_median_is_even(seed, trend):
    table = gaps(seed)
    median = one(table, REACH, trend=trend)["do_nothing"]
    assert one(table, replace(REACH, level=median), trend=trend)["probability"] == pytest.approx(0.5, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seeds, st.floats(-3, 3))
def test_turning_the_direction_turns_the_probability(seed, level):
    table = gaps(seed)
    up, down = (one(table, replace(REACH, level=level, better=b)) for b in ("higher", "lower"))
    assert up["probability"] + down["probability"] == pytest.approx(1.0, abs=1e-12)
    assert up["shortfall"] == pytest.approx(-down["shortfall"], abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(seeds, st.floats(0.1, 20))
def test_the_unit_does_not_matter(seed, scale):
    table = gaps(seed)
    first, other = one(table, TENTH), one(table.assign(value=scale * table["value"], se=scale * table["se"]), TENTH)
    for name in ("probability", "pace_ratio", "power"):
        assert other[name] == pytest.approx(first[name], rel=1e-6, abs=1e-9)
    for name in ("do_nothing", "goal_value", "shortfall", "change_per_year", "minimum_detectable"):
        assert other[name] == pytest.approx(scale * first[name], rel=1e-6, abs=1e-9 * scale)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_an_estimated_baseline_is_a_published_one_as_its_error_goes(seed):
    table = gaps(seed, se=1e-7)
    published, estimated = (one(table, TENTH, baseline=b)["probability"] for b in ("published", "estimated"))
    assert estimated == pytest.approx(published, abs=1e-4)


def test_an_uncertain_baseline_moves_the_probability():
    published, estimated = (one(gaps(se=0.3), TENTH, baseline=b) for b in ("published", "estimated"))
    assert estimated["probability"] != pytest.approx(published["probability"], abs=0.01)
    assert "Baseline: the underlying value, estimated." in estimated["assumptions"]


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_closing_a_gap_is_reaching_nought(seed):
    close = one(gaps(seed), replace(TENTH, by=1.0))
    nought = one(gaps(seed), replace(REACH, level=0.0, better="lower"))
    for name in ("goal_value", "probability", "shortfall", "required_per_year"):
        assert close[name] == pytest.approx(nought[name], abs=1e-12)


def test_a_gap_to_a_reference_is_the_gap_of_the_two():
    area, nation = gaps(3).assign(value=60 - gaps(3)["value"]), gaps(3, se=0.05).assign(value=60.0)
    assessed = assess_goal(area, TENTH, reference=nation)
    found, alone = assessed.iloc[0], one(gaps(3).assign(se=np.hypot(0.1, 0.05)), TENTH)
    for name in ("current_value", "do_nothing", "probability", "power"):
        assert found[name] == pytest.approx(alone[name], rel=1e-9)
    path = trace_goal(project_trajectory(area, to="2029-31", reference=nation), assessed)
    line = path.dropna(subset=["goal_line"])
    np.testing.assert_allclose(line["area_goal_line"], line["reference"] - line["goal_line"], rtol=1e-12)


def test_statuses_follow_the_thresholds():
    """A steep fall, a steep rise, and rest: with small errors the verdict is plain."""
    time = np.arange(10.0)
    noise = 0.01 * np.random.default_rng(1).normal(size=10)
    falling, rising, resting = (gaps(se=0.01).assign(value=3 + s * time + noise) for s in (-0.05, 0.05, 0.0))
    goal = replace(TENTH, by=0.1)
    assert one(falling, goal)["status"] == "likely"
    assert one(rising, goal)["status"] == "moving away"
    assert one(resting, goal)["status"] == "unlikely"
    assert one(falling, replace(goal, baseline="2009-11"))["status"] == "achieved"
    assert one(resting, goal, thresholds=(0.0005, 0.001, 0.9))["status"] in ("likely", "about even")


@pytest.mark.parametrize("levels", [(0.5,), (0.8, 0.95), (0.99,)])
def test_what_is_too_uncertain_to_say_does_not_hang_on_the_limits_shown(levels):
    found = one(gaps(se=0.9), TENTH, levels=levels)
    assert found["status"] == "too uncertain to say"
    assert "limits_wide" in found["quality"].split(";")
    assert one(gaps(level=80.0), TENTH, levels=levels)["status"] in ("likely", "about even", "unlikely")
    assert one(gaps(se=0.9), replace(TENTH, baseline="2009-11", by=0.01, baseline_value=9.0))["status"] == "achieved"


def test_a_goal_nearer_than_its_own_error_has_no_pace():
    near, far = (replace(REACH, level=gaps()["value"].iloc[-1] + step) for step in (0.09, 0.11))
    assert np.isnan(one(gaps(se=0.1), near)["pace_ratio"])
    assert np.isfinite(one(gaps(se=0.1), far)["pace_ratio"])
    rounded = {"standard_error": "none", "decimals": 1}
    assert np.isnan(one(gaps(), replace(near, level=near.level - 0.05), **rounded)["pace_ratio"])
    assert np.isfinite(one(gaps(), near, **rounded)["pace_ratio"])


@pytest.mark.parametrize("kind", ["improve", "return_to", "reach"])
def test_a_gap_to_a_reference_is_better_when_lower_whichever_way_the_measure_is(kind):
    """Life expectancy falls away from a level nation: the gap widens, and no goal about it is likely."""
    time = np.arange(10.0)
    nation, away = gaps(se=0.01).assign(value=80.0), gaps(3, se=0.01).assign(value=78 - 0.1 * time - 0.001 * time**2)
    goal = Goal(kind=kind, level=0.0 if kind == "reach" else None, better="higher", baseline="2016-18", target="2030")
    widening = one(away, goal, reference=nation)
    assert (widening["status"], widening["probability"] < 0.01) == ("moving away", True)
    closing = one(away.assign(value=77 + 0.1 * time + 0.001 * time**2), goal, reference=nation)
    assert closing["probability"] > widening["probability"]
    assert closing["shortfall"] < widening["shortfall"]
    beside = compare_assumptions(away, goal, reference=nation, trends=["drift"]).iloc[0]
    assert beside["probability"] == widening["probability"]


def test_rounding_alone_detects_nothing():
    found = one(gaps(), TENTH, standard_error="none", decimals=1)
    assert found[["power", "minimum_detectable"]].isna().all()
    assert one(gaps(), TENTH, decimals=1)[["power", "minimum_detectable"]].notna().all()


def test_windows_that_share_a_year_have_no_ratio_of_two_points():
    overlap, apart = (one(gaps(), replace(TENTH, baseline=period)) for period in ("2016-18", "2015-17"))
    assert overlap[["open_sdg_ratio", "unsd_fraction"]].isna().all()
    assert apart[["open_sdg_ratio", "unsd_fraction"]].notna().all()


def test_judging_the_published_figure_adds_its_error():
    underlying, published = (one(gaps(se=0.2), TENTH, judged=j) for j in ("underlying", "published"))
    width = {
        name: found["do_nothing_upper_95"] - found["do_nothing_lower_95"]
        for name, found in zip("up", (underlying, published), strict=True)
    }
    assert width["p"] > width["u"]


def test_rates_are_judged_on_their_own_scale():
    rates = gaps().assign(value=100 * np.exp(-0.02 * np.arange(10)) + 0.1 * np.random.default_rng(2).normal(size=10))
    goal = Goal(kind="change_by", by=-0.2, better="lower", baseline="2018-20", target="2029-31")
    found = one(rates, goal, transform="log")
    assert found["goal_value"] == pytest.approx(0.8 * found["baseline_value"])
    assert found["pace_ratio"] == pytest.approx(-0.02 * 11 / np.log(0.8), rel=0.05)
    estimated = one(rates.assign(se=1e-6), goal, transform="log", baseline="estimated")
    assert estimated["probability"] == pytest.approx(
        one(rates.assign(se=1e-6), goal, transform="log")["probability"], abs=1e-3
    )
    with pytest.raises(ValueError, match="baseline='estimated' does not go with transform='log'"):
        one(rates, replace(goal, by=0.0, points=-5.0), transform="log", baseline="estimated")


@pytest.mark.parametrize("kind", ["improve", "return_to"])
def test_a_direction_and_a_return_are_about_the_value_then(kind):
    goal = Goal(kind=kind, better="higher", baseline="2012-14", target="2029-31")
    found = one(gaps(), goal)
    assert found["goal_value"] == found["baseline_value"] == gaps().loc[3, "value"]
    estimated = one(gaps(se=1e-7), goal, baseline="estimated")
    assert estimated["probability"] == pytest.approx(one(gaps(se=1e-7), goal)["probability"], abs=1e-3)


def test_one_window_has_a_line_and_no_verdict():
    """10.4 years in 2020-21, a tenth less by 2030: 9.36, 0.109 a year."""
    printed = next(goal for goal in read_goals() if goal.id == "2a" and goal.baseline_value)
    table = pd.DataFrame({"period": ["Jan 2020 to Dec 2021"], "value": [10.4], "sex": "Male"})
    found = one(table, printed, standard_error="none")
    assert found["goal_value"] == pytest.approx(9.36)
    assert found["required_per_year"] == pytest.approx(-1.04 / 9.5)
    assert "The baseline window holds years of the pandemic." in found["notes"]
    assert (found["status"], np.isnan(found["probability"])) == ("not assessable", True)
    assert "too_few_windows" in found["quality"].split(";")


def test_what_a_reader_must_know_is_said():
    table = gaps(level=1.8)
    found = one(table, replace(TENTH, note="As printed."), decimals=1)
    assert "The baseline window holds a year of the pandemic." in found["notes"]
    assert ("limits_wide" in found["quality"]) == (found["do_nothing_upper_95"] - found["do_nothing_lower_95"] > 1.8)
    assert "limits_wide" in one(gaps(se=0.9), TENTH)["quality"].split(";")
    assert "limits_wide" not in one(gaps(level=80.0), TENTH)["quality"].split(";")
    codes = found["quality"].split(";")
    assert {"shock_not_given", "shock_in_baseline", "coarse_rounding"} <= set(codes)
    assert found["notes"].startswith("As printed. ")
    assert found["known_in"] == 2033
    assert one(table, replace(REACH, baseline=""))["quality"].split(";")[1] == "no_baseline"
    assert "no_baseline" in one(table, replace(REACH, baseline="2001-03"))["quality"].split(";")
    almost = table.assign(value=[*table["value"][:9], 1.62])
    verdict = one(almost, replace(REACH, level=1.6, better="lower"), decimals=1)
    assert verdict["notes"].startswith("Rounded to 1 decimals the current value meets the goal; unrounded not.")


def test_the_assumption_is_the_verdict_side_by_side():
    beside = compare_assumptions(gaps(), TENTH, parameters={})
    assert beside["trend"].tolist() == ["flat", "drift", "linear", "converge"]
    for row in beside.to_dict("records"):
        assert row["probability"] == one(gaps(), TENTH, trend=row["trend"])["probability"]
    assert compare_assumptions(gaps(), REACH, trends=["drift"])["trend"].tolist() == ["drift"]
    assert "converge" not in compare_assumptions(gaps(), REACH)["trend"].tolist()


def test_many_series_are_many_single_ones():
    parts = [gaps(seed, area_code=code) for seed, code in ((1, "A"), (2, "B"))]
    parts += [gaps(3, area_code="C").iloc[6:8].assign(period=["2017-19", "2018-20"])]
    together = assess_goal(pd.concat(parts), TENTH)
    alone = pd.concat([assess_goal(part, TENTH) for part in parts], ignore_index=True)
    assert together["status"].tolist()[-1] == "not assessable"
    numbers = alone.select_dtypes("number").columns
    np.testing.assert_allclose(together[numbers], alone[numbers], rtol=1e-9)
    assert together["quality"].tolist() == alone["quality"].tolist()


def test_a_polars_table_comes_back_as_one():
    found = assess_goal(pl.DataFrame(gaps().to_dict("list")), TENTH)
    assert isinstance(found, pl.DataFrame)
    assert found["probability"][0] == one(gaps(), TENTH)["probability"]


def test_all_goals_met_is_bounded_and_never_a_product():
    bounds = bound_all_met(pd.DataFrame({"sex": ["F", "F", "M"], "probability": [0.9, 0.8, 0.4]}), by=["sex"])
    assert bounds.round(12).to_dict("list") == {
        "sex": ["F", "M"], "n_goals": [2, 1], "probability_lower": [0.7, 0.4], "probability_upper": [0.8, 0.4]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "goal", "options", "message"),
    [
        (gaps(), replace(TENTH, baseline=""), {}, "do not give a baseline period"),
        (gaps(), replace(TENTH, baseline="1999-01"), {}, "cannot read period|no value"),
        (gaps(), replace(TENTH, baseline="2001-03"), {}, "starts from 2001-03, for which there is no value"),
        (
            gaps(level=-1.0).assign(value=-1.0 - np.arange(10) / 10),
            TENTH,
            {},
            "reduces a gap, but in 2018-20 there was none",
        ),
        (gaps(sex="Male"), replace(TENTH, sex="Female"), {}, "is for Female; the table holds Male"),
        (gaps(), TENTH, {"baseline": "first"}, "baseline is 'published' or 'estimated'"),
        (gaps(), TENTH, {"levels": ()}, "levels lie between 0 and 1"),
        (gaps(), TENTH, {"levels": (95,)}, "levels lie between 0 and 1"),
        (gaps(), TENTH, {"thresholds": (0.66, 0.33, 0.9)}, "the first not above the second"),
        (gaps(), TENTH, {"thresholds": (0.0, 0.66, 0.9)}, "thresholds are three shares"),
        (gaps(), TENTH, {"thresholds": (0.33, 0.66, 1.0)}, "thresholds are three shares"),
        (gaps(), replace(TENTH, target="2018-20"), {}, "not later than the latest window"),
        (gaps(), replace(REACH, level=80.0), {"reference": gaps()}, "a level of the area itself"),
        (
            gaps(area_code="A"),
            TENTH,
            {"reference": gaps(), "share": {"B": 0.1}},
            "share names B, which is no area_code",
        ),
        (gaps(), TENTH, {"judged": "both"}, "judged is 'underlying' or 'published'"),
        (gaps(), TENTH, {"baseline": "estimated", "exclude": ["2018-20"]}, "for which there is no value"),
    ],
)
def test_what_cannot_be_assessed_is_said(table, goal, options, message):
    with pytest.raises(ValueError, match=message):
        assess_goal(table, goal, **options)


def test_a_line_needs_its_own_assessment():
    path, found = project_trajectory(gaps(area_code="A"), to="2029-31"), assess_goal(gaps(area_code="A"), TENTH)
    with pytest.raises(InvalidDataError, match="two assessments for the series A"):
        trace_goal(path, pd.concat([found, found]))
    with pytest.raises(InvalidDataError, match="no assessment for the series A"):
        trace_goal(path, found.assign(area_code="B"))
