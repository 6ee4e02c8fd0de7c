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
