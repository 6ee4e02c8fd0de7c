"""Open SDG and UNSD progress ratios."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from nenc_estimates.kernels.progress import open_sdg_progress, unsd_progress


def questions(row):
    names = {"base": "baseline", "base_year": "baseline_year", "current_year": "year"}
    fields = ("base", "base_year", "current", "current_year", "target", "target_year", "direction")
    return {names.get(field, field): float(row[field]) for field in fields}


def test_ratios_are_those_of_the_published_rules(reference):
    """Origin: progress_ratio_open_sdg_unsd.csv, printed to 6 to 10 decimals."""
    with (reference / "trajectories" / "progress_ratio_open_sdg_unsd.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7
    for row in rows:
        sdg, unsd = open_sdg_progress(**questions(row)), unsd_progress(**questions(row))
        assert sdg.observed == pytest.approx(float(row["cagr_observed"]), abs=1e-10)
        assert sdg.required == pytest.approx(float(row["cagr_required"]), abs=1e-10)
        assert sdg.ratio == pytest.approx(float(row["ratio_open_sdg"]), abs=1e-8)
        assert sdg.score == pytest.approx(float(row["score_open_sdg"]), abs=1e-6)
        assert str(sdg.status) == row["status_open_sdg"]
        assert unsd.expected == pytest.approx(float(row["unsd_expected_value_target_year"]), abs=1e-6)
        assert unsd.fraction == pytest.approx(float(row["unsd_fraction_of_required_change"]), abs=1e-6)
        assert bool(unsd.achieved) == (row["unsd_score"] == "achieved")
        if not unsd.achieved:
            assert unsd.score == float(row["unsd_score"])


@pytest.mark.parametrize(
    ("current", "status"),
    [
        (100.0, "limited_progress"),  # at rest: a ratio of exactly 0
        (110.0, "deterioration"),
        (92.0, "substantial_progress"),
        (95.0, "moderate_progress"),
        (50.0, "target_achieved"),
    ],
)
def test_status_follows_the_ratio(current, status):
    progress = open_sdg_progress(
        baseline=100.0,
        baseline_year=2020,
        current=current,
        year=2025,
        target=85.0,
        target_year=2030,
        direction=-1,
    )
    assert str(progress.status) == status
    assert -5 <= float(progress.score) <= 5


def test_on_the_required_path_the_ratio_is_one_and_all_change_is_expected():
    now = 100 * 0.8 ** (4 / 10)
    question = {
        "baseline": 100.0,
        "baseline_year": 2020,
        "current": now,
        "year": 2024,
        "target": 80.0,
        "target_year": 2030,
        "direction": -1,
    }
    assert open_sdg_progress(**question).ratio == pytest.approx(1, rel=1e-12)
    assert unsd_progress(**question).fraction == pytest.approx(1, rel=1e-12)


def test_a_change_of_sign_or_no_time_is_not_available():
    question = {"baseline": [2.0, 2.0], "baseline_year": 2020, "current": [-1.0, 1.0], "year": [2024, 2020]}
    rest = {"target": -2.0, "target_year": 2030, "direction": -1}
    progress = open_sdg_progress(**question, **rest)
    assert np.isnan(progress.ratio).all()
    assert progress.status.tolist() == ["not_available", "not_available"]
    assert np.isnan(unsd_progress(**question, **rest).score).all()


def test_open_sdg_takes_a_thousandth_for_a_target_of_nought():
    question = {"baseline": 2.0, "baseline_year": 2020, "current": 1.0, "year": 2024, "target_year": 2030}
    at_nought = open_sdg_progress(**question, target=0.0, direction=-1)
    assert at_nought.ratio == open_sdg_progress(**question, target=0.001, direction=-1).ratio


STEADY = {"baseline_year": 2020, "year": 2024, "target_year": 2030}


def test_a_baseline_of_nought_is_taken_for_a_thousandth_too():
    at_nought, near = (
        open_sdg_progress(baseline=start, current=1.0, target=2.0, direction=1, **STEADY) for start in (0.0, 0.001)
    )
    assert at_nought.ratio == near.ratio == pytest.approx((1000**0.25 - 1) / (2000**0.1 - 1), rel=1e-12)


def test_the_score_stays_within_five_however_fast_the_change():
    fast = open_sdg_progress(baseline=100.0, current=[300.0, 30.0], target=400.0, direction=1, **STEADY)
    assert fast.ratio[0] > 2
    assert fast.ratio[1] < -1
    assert fast.score.tolist() == [5, -5]


@pytest.mark.parametrize("direction", [1, -1])
def test_a_target_is_met_where_it_is_reached_and_not_just_before(direction):
    current = 80 + direction * np.array([-0.1, 0.0, 0.1])
    question = {"baseline": 80.0 - 20 * direction, "current": current, "target": 80.0, "direction": direction}
    sdg, unsd = open_sdg_progress(**question, **STEADY), unsd_progress(**question, **STEADY)
    assert (sdg.status == "target_achieved").tolist() == [False, True, True]
    assert sdg.score[1:].tolist() == [5, 5]
    assert unsd.achieved.tolist() == [0, 1, 1]


def test_one_year_is_enough_and_less_is_not():
    question = {"baseline": 10.0, "current": 9.0, "target": 8.0, "target_year": 2030, "direction": -1}
    for function, field in ((open_sdg_progress, "ratio"), (unsd_progress, "fraction")):
        progress = getattr(function(baseline_year=2020, year=[2021, 2020.5], **question), field)
        assert np.isfinite(progress).tolist() == [True, False]


def test_negative_values_and_the_other_direction_make_the_same_progress():
    question = {"baseline": 2.0, "current": 1.5, "target": 1.0, "direction": -1}
    mirrored = {name: -number for name, number in question.items()}
    for field in ("observed", "required", "ratio", "score", "status"):
        ours, theirs = (getattr(open_sdg_progress(**each, **STEADY), field) for each in (question, mirrored))
        assert ours == theirs, field
    assert unsd_progress(**question, **STEADY).fraction == unsd_progress(**mirrored, **STEADY).fraction


def test_the_progress_chart_scores_95_and_10_per_cent_of_the_required_change():
    # what is expected in 2030 after a change by half as many years as are left is current³ / baseline²
    share = np.array([1.2, 0.951, 0.949, 0.101, 0.099, -0.5])
    years = {"baseline_year": 2021, "year": 2024, "target_year": 2030}
    current = 100 * (1 - 0.2 * share) ** (1 / 3)
    progress = unsd_progress(baseline=100.0, current=current, target=80.0, direction=-1, **years)
    np.testing.assert_allclose(progress.fraction, share, rtol=1e-12)
    assert progress.score.tolist() == [3, 3, 2, 2, 1, 1]


def test_a_target_at_the_baseline_leaves_nothing_to_do_a_share_of():
    progress = unsd_progress(baseline=[5.0, 5.0], current=6.0, target=[5.0, 7.0], direction=1, **STEADY)
    assert np.isnan(progress.fraction).tolist() == [True, False]
    assert np.isnan(progress.score).tolist() == [True, False]
    assert np.isfinite(progress.expected).all()


@pytest.mark.parametrize(
    ("ratio", "score"), [(0.95, 2.5), (0.8, 1.42862), (0.6, 0.0), (0.3, -1.25), (0.0, -2.5), (-0.4, -4.1667)]
)
def test_the_score_follows_the_ratio_along_the_published_lines(ratio, score):
    # Open SDG: 7.1429 ratio - 4.2857 from 0.6 on, 4.1667 ratio - 2.5 below; both are 0 at 0.6
    required = 0.8**0.1 - 1
    current = 100 * (1 + ratio * required) ** 4
    progress = open_sdg_progress(baseline=100.0, current=current, target=80.0, direction=-1, **STEADY)
    assert progress.ratio == pytest.approx(ratio, abs=1e-12)
    assert progress.score == pytest.approx(score, abs=1e-4)


def test_a_target_that_was_met_from_the_start_scores_five_whatever_the_trend():
    progress = open_sdg_progress(baseline=100.0, current=90.0, target=80.0, direction=1, **STEADY)
    assert str(progress.status) == "target_achieved"
    assert progress.score == 5


def test_a_target_at_the_baseline_and_a_value_of_nought_have_no_ratio():
    at_baseline = open_sdg_progress(baseline=5.0, current=[6.0, 5.0], target=5.0, direction=-1, **STEADY)
    assert np.isnan(at_baseline.ratio).all()
    assert at_baseline.status.tolist() == ["not_available", "target_achieved"]
    at_nought = {"baseline": 5.0, "current": 0.0, "target": 8.0, "direction": 1}
    assert np.isnan(open_sdg_progress(**at_nought, **STEADY).ratio)
    assert np.isnan(unsd_progress(**at_nought, **STEADY).fraction)
