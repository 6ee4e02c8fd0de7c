"""Goals, their lines, pace, probability and detectability."""

from __future__ import annotations

import csv
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.kernels.goal_lines import (
    all_met_bounds,
    annual_rate_of_reduction,
    average_annual_rate_of_reduction,
    detectability,
    goal_line,
    goal_probability,
    pace_ratio,
    reduction_probability,
    required_change,
)
from nenc_estimates.kernels.mixtures import Mixture


def rows(reference, name):
    with (reference / "trajectories" / name).open() as file:
        return list(csv.DictReader(file))


def test_goal_lines_match_the_reference_lines(reference):
    """Origin: goal_lines.csv, printed to 8 decimals; rows that record another tool's defect are left out."""
    checked = 0
    for _, group in itertools.groupby(rows(reference, "goal_lines.csv"), lambda row: row["case"]):
        points = [(float(row["year"]), float(row["goal_value"])) for row in group]
        if len(points) < 2:
            continue
        (t0, y0), (t1, y1) = points[0], points[-1]
        years, expected = np.array(points).T
        line = goal_line(years, baseline_year=t0, baseline=y0, target_year=t1, goal=y1)
        np.testing.assert_allclose(line, expected, rtol=0, atol=6e-9)
        checked += len(points)
    assert checked == 94


@given(
    st.floats(-1e3, 1e3),
    st.floats(-1e3, 1e3),
    st.integers(2000, 2020),
    st.floats(0.5, 30),
)
def test_a_goal_line_hits_both_ends_and_stops_there(y0, y1, t0, span):
    ends = {"baseline_year": t0, "baseline": y0, "target_year": t0 + span, "goal": y1}
    line = goal_line([t0, t0 + span, t0 - 1, t0 + span + 1], **ends)
    assert line[0] == pytest.approx(y0, abs=1e-12)
    assert line[1] == pytest.approx(y1, abs=1e-12)
    assert np.isnan(line[2:]).all()


def test_a_line_without_time_is_missing():
    assert np.isnan(goal_line(2019, baseline_year=2019, baseline=1, target_year=2019, goal=2))


def test_required_change_and_pace_of_north_east_smoking(reference):
    """Origin: progress_ratio_open_sdg_unsd.csv, columns of the linear pace."""
    for row in rows(reference, "progress_ratio_open_sdg_unsd.csv"):
        value = {key: float(row[key]) for key in ("base", "current", "target")}
        year = {key: float(row[key]) for key in ("base_year", "current_year", "target_year")}
        need = required_change(
            value["current"], value["target"], year=year["current_year"], target_year=year["target_year"]
        )
        assert need == pytest.approx(float(row["linear_required_per_year_from_now"]), abs=1e-8)
    assert pace_ratio(-0.65, -0.9) == pytest.approx(0.722222, abs=1e-6)
    assert np.isnan(pace_ratio(1.0, 0.0))
    assert np.isnan(required_change(1.0, 2.0, year=2030, target_year=2030))
    assert required_change(1.0, 2.0, year=2029.5, target_year=2030) == 2


def test_rates_of_reduction_match_the_published_examples(reference):
    """Origin: aarr_worked_examples.csv (UNICEF, UN IGME), printed to 6 decimals of a per cent."""
    for row in rows(reference, "aarr_worked_examples.csv"):
        start, end, years = (float(row[key]) for key in ("start", "end", "years"))
        compound = annual_rate_of_reduction(start, end, years=years, compound=True)
        assert 100 * compound == pytest.approx(float(row["aarr_compound_pct"]), abs=6e-7)
        log = annual_rate_of_reduction(start, end, years=years)
        assert 100 * log == pytest.approx(float(row["arr_log_pct"]), abs=6e-7)


@given(st.floats(0.1, 1e4), st.floats(-0.2, 0.3), st.integers(3, 12))
def test_a_constant_rate_is_found_by_every_form(start, rate, n):
    year = np.arange(2010, 2010 + n)
    value = start * (1 - rate) ** (year - 2010)
    assert average_annual_rate_of_reduction(value, year=year) == pytest.approx(rate, abs=1e-9)
    compound = annual_rate_of_reduction(value[0], value[-1], years=n - 1, compound=True)
    assert compound == pytest.approx(rate, abs=1e-9)


def test_rates_of_values_that_are_not_positive_are_missing():
    assert np.isnan(annual_rate_of_reduction([1.0, 0.0, 1.0], [0.0, 1.0, 1.0], years=[1, 1, 0])).all()
    assert np.isnan(average_annual_rate_of_reduction([1.0, 0.0, 2.0], year=[1, 2, 3]))


def test_several_series_and_several_sets_of_goals_are_answered_one_by_one():
    year, value = [2010, 2012, 2015], np.array([[10.0, 9.0, 7.0], [5.0, 6.0, 6.5]])
    together = average_annual_rate_of_reduction(value, year=year)
    assert together.tolist() == [average_annual_rate_of_reduction(series, year=year) for series in value]
    lower, upper = all_met_bounds([[0.9, 0.8], [0.5, 0.4], [1.0, 0.3]])
    np.testing.assert_allclose(lower, [0.7, 0, 0.3], atol=1e-15)
    assert upper.tolist() == [0.8, 0.4, 0.3]


def test_more_confidence_asks_for_a_larger_change():
    # 3.290527 and 1.959964 standard errors (normal table), whose power is one half each
    sure = detectability(3.290527, se_baseline=0.6, se_target=0.8, confidence=0.999)
    assert sure.minimum == pytest.approx(3.290527, abs=1e-6)
    assert sure.power == pytest.approx(0.5, abs=1e-6)
    usual = detectability(-3.290527, se_baseline=0.6, se_target=0.8)
    assert usual.minimum == pytest.approx(1.959964, abs=1e-6)
    assert usual.z == sure.z
    assert usual.power > 0.9


def test_probability_of_a_reduced_gap_matches_the_closed_form(reference):
    """Origin: gap_goal_probability.csv, printed to 10 decimals."""
    for row in rows(reference, "gap_goal_probability.csv"):
        value = {key: float(row[key]) for key in row if key != "baseline_treated_as"}
        got = reduction_probability(
            value["gap0"],
            value["gapT"],
            by=value["reduce_by"],
            se_baseline=value["sd0"],
            se_target=value["sdT"],
            correlation=value["corr"],
        )
        assert got == pytest.approx(value["p_goal_met"], abs=1e-9)
        forecast = Mixture(weight=np.ones(1), location=np.array([value["mean_D"]]), spread=np.array([value["sd_D"]]))
        by_mixture = goal_probability(forecast, 0.0, bound="at_most")
        assert by_mixture == pytest.approx(value["p_goal_met"], abs=1e-8)  # sd_D has 10 digits


def test_probabilities_of_opposite_bounds_make_one_and_the_median_halves_them():
    forecast = Mixture(weight=np.array([0.4, 0.6]), location=np.array([1.0, 2.0]), spread=np.array([0.5, 1.0]))
    at_most = goal_probability(forecast, 1.3, bound="at_most")
    assert at_most + goal_probability(forecast, 1.3, bound="at_least") == pytest.approx(1, abs=1e-15)
    median = forecast.quantile(0.5)
    assert goal_probability(forecast, median, bound="at_most") == pytest.approx(0.5, abs=1e-10)
    with pytest.raises(ValueError, match="'at_most' or 'at_least'"):
        goal_probability(forecast, 1.0, bound="below")


def test_half_a_year_is_time_enough_for_a_rate():
    assert annual_rate_of_reduction(4.0, 2.0, years=0.5, compound=True) == pytest.approx(0.75)


def test_errors_are_independent_unless_said_otherwise():
    # a gap of 2 has to fall to 1.5; the forecast, 1.0, is below by one standard error, hypot(0.75 x 0.4, 0.4) = 0.5
    question = {"by": 0.25, "se_baseline": 0.4, "se_target": 0.4}
    assert reduction_probability(2.0, 1.0, **question) == pytest.approx(0.841344746)
    assert reduction_probability(2.0, 1.0, **question, correlation=0.5) > 0.9


def test_a_published_baseline_is_an_estimated_one_without_error():
    question = {"by": 0.1, "se_target": 0.25}
    published = reduction_probability(1.8, 1.85, **question)
    estimated = reduction_probability(1.8, 1.85, se_baseline=1e-9, **question)
    assert published == pytest.approx(estimated, abs=1e-9)
    assert np.isnan(reduction_probability(1.8, 1.85, by=0.1, se_target=0.0))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_bounds_of_all_met_contain_every_dependence(p):
    lower, upper = all_met_bounds(p)
    assert lower - 1e-12 <= np.prod(p) <= upper + 1e-12
    assert upper == min(p)


def test_detectability_matches_the_reference(reference):
    """Origin: detectability.csv, printed to 6 decimals from a standard error of 6 decimals: 1e-5."""
    for row in rows(reference, "detectability.csv"):
        se = float(row["se_gap"])
        got = detectability(float(row["required_change"]), se_baseline=se, se_target=se)
        assert got.z == pytest.approx(float(row["z"]), rel=1e-5)
        assert got.power == pytest.approx(float(row["power_95"]), abs=1e-5)
        assert got.minimum == pytest.approx(float(row["minimum_detectable_change_95"]), rel=1e-5)


def test_the_smallest_detectable_change_has_a_power_of_one_half():
    """Half beyond the near limit, and 4.4e-5 beyond the far one at 95 %."""
    smallest = detectability(1.0, se_baseline=0.3, se_target=0.4).minimum
    assert detectability(smallest, se_baseline=0.3, se_target=0.4).power == pytest.approx(0.5, abs=5e-5)
    assert np.isnan(detectability(1.0, se_baseline=0.0, se_target=0.0).power)
    for confidence in (95, 0, 1, 1.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            detectability(1.0, se_baseline=1.0, se_target=1.0, confidence=confidence)


def test_a_probability_never_leaves_its_range():
    """Weights that add up to more than 1 in the last bit, far from the goal."""
    sure = Mixture(weight=np.array([0.1, 0.2, 0.7000000000000002]), location=np.zeros(3), spread=np.ones(3))
    assert sure.cdf(100.0) > 1
    assert goal_probability(sure, 100.0, bound="at_most") == 1
    assert goal_probability(sure, 100.0, bound="at_least") == 0
