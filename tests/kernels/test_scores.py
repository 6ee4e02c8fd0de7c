"""Scores of forecasts."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.kernels.mixtures import Mixture
from nenc_estimates.kernels.scores import (
    continuous_ranked_probability_score,
    interval_coverage,
    interval_score,
    mean_absolute_error,
    mean_absolute_scaled_error,
)


def test_scores_of_a_normal_match_the_reference(reference):
    """Origin: scores.csv; limits there are printed to 7 decimals, so 1e-6 for the interval score."""
    with (reference / "trajectories" / "scores.csv").open() as file:
        for row in csv.DictReader(file):
            actual, mean, sd = (float(row[key]) for key in ("actual", "mean", "sd"))
            normal = Mixture(weight=np.ones(1), location=np.array([mean]), spread=np.array([sd]))
            crps = continuous_ranked_probability_score(actual, normal)
            assert crps == pytest.approx(float(row["crps_gaussian"]), abs=1e-9)
            score = interval_score(actual, *normal.interval())
            assert score == pytest.approx(float(row["interval_score_95"]), abs=1e-6)


def integral(actual: float, forecast: Mixture) -> float:
    x = np.linspace(-60, 60, 400_001)
    heights = (forecast.cdf(x) - (x >= actual)) ** 2
    return float(np.sum(np.diff(x) * (heights[1:] + heights[:-1]) / 2))


@pytest.mark.parametrize("df", [np.inf, 2.0, 3.0, 8.0])
def test_the_score_is_the_squared_distance_between_distributions(df):
    """Definition of the CRPS as an integral over x, by the trapezium rule with a step of 3e-4."""
    if np.isinf(df):
        forecast = Mixture(weight=np.array([0.3, 0.7]), location=np.array([-1.0, 2.0]), spread=np.array([0.5, 1.5]))
    else:
        forecast = Mixture(weight=np.ones(1), location=np.array([1.0]), spread=np.array([0.7]), df=df)
    for actual in (-2.0, 1.0, 3.5):
        score = continuous_ranked_probability_score(actual, forecast)
        assert score == pytest.approx(integral(actual, forecast), abs=1e-3)


def test_a_forecast_without_spread_scores_its_absolute_error():
    point = Mixture(weight=np.array([0.5, 0.5]), location=np.array([4.0, 4.0]), spread=np.zeros(2))
    assert continuous_ranked_probability_score(4.5, point) == pytest.approx(0.5, rel=1e-12)
    student = Mixture(weight=np.ones(1), location=np.zeros(1), spread=np.ones(1), df=1.0)
    assert np.isnan(continuous_ranked_probability_score(0.0, student))
    assert np.isnan(continuous_ranked_probability_score(np.zeros(3), student)).tolist() == [True] * 3
    several = Mixture(weight=np.ones((2, 1)), location=np.zeros((2, 1)), spread=np.ones((2, 1)), df=1.0)
    assert np.isnan(continuous_ranked_probability_score(0.0, several)).tolist() == [True] * 2


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(-20, 20))
def test_scores_move_with_the_level(actual, spread, shift):
    here = Mixture(weight=np.ones(1), location=np.zeros(1), spread=np.array([spread]))
    there = Mixture(weight=np.ones(1), location=np.array([shift]), spread=np.array([spread]))
    assert continuous_ranked_probability_score(actual + shift, there) == pytest.approx(
        continuous_ranked_probability_score(actual, here), abs=1e-12
    )


def test_no_change_scores_one_against_itself():
    series = np.array([1.0, 3.0, 2.0, 5.0])
    assert mean_absolute_scaled_error(series[1:], series[:-1], training=series) == pytest.approx(1.0)
    assert mean_absolute_error([[1.0, 2.0], [0.0, 0.0]], [[2.0, 4.0], [0.0, 1.0]]).tolist() == [1.5, 0.5]


def test_a_training_series_that_is_short_or_at_rest_has_no_scale():
    assert np.isnan(mean_absolute_scaled_error([1.0], [2.0], training=[1.0, 2.0, 3.0], lag=3))
    assert np.isnan(mean_absolute_scaled_error([1.0], [2.0], training=[2.0, 2.0, 2.0]))
    with pytest.raises(ValueError, match="at least 1"):
        mean_absolute_scaled_error([1.0], [2.0], training=[1.0, 2.0], lag=0)


def test_limits_pay_for_width_and_for_missing():
    """Gneiting & Raftery (2007), eq. 43: width 2, missed by 1 at 80 %: 2 + 1 * 2/0.2 = 12."""
    assert interval_score([0.0, 4.0, -2.0], -1.0, 1.0, confidence=0.8).tolist() == pytest.approx([2, 32, 12], rel=1e-12)
    assert interval_coverage([0.0, 4.0, -2.0, 1.0], -1.0, 1.0) == 0.5
    assert np.isnan(interval_coverage([0.0, np.nan], -1.0, 1.0))
    for confidence in (95, 0, 1, 1.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            interval_score(0.0, -1.0, 1.0, confidence=confidence)


def test_many_mixtures_are_scored_as_each_alone():
    rng = np.random.default_rng(5)
    weight = rng.dirichlet(np.ones(30), 5_000)
    location, spread, actual = rng.normal(size=(5_000, 30)), rng.uniform(0.1, 1, (5_000, 30)), rng.normal(size=5_000)
    scores = continuous_ranked_probability_score(actual, Mixture(weight=weight, location=location, spread=spread))
    for i in (0, 2_499, 4_999):
        alone = Mixture(weight=weight[i], location=location[i], spread=spread[i])
        # sums of 900 pairs in another order: rounding only
        assert scores[i] == pytest.approx(continuous_ranked_probability_score(actual[i], alone), rel=1e-12)


def test_scores_of_several_forecasts_are_those_of_each():
    rng = np.random.default_rng(4)
    weight = rng.dirichlet(np.ones(3), size=4)
    location, spread = rng.normal(0, 2, (4, 3)), rng.uniform(0.2, 2, (4, 3))
    actual = np.array([0.0, 1.0, -3.0, 2.5])
    together = continuous_ranked_probability_score(actual, Mixture(weight=weight, location=location, spread=spread))
    student = continuous_ranked_probability_score(
        actual, Mixture(weight=np.ones((4, 1)), location=location[:, :1], spread=spread[:, :1], df=4.0)
    )
    for at in range(4):
        alone = Mixture(weight=weight[at], location=location[at], spread=spread[at])
        assert together[at] == pytest.approx(continuous_ranked_probability_score(actual[at], alone), rel=1e-12)
        alone = Mixture(weight=np.ones(1), location=location[at, :1], spread=spread[at, :1], df=4.0)
        assert student[at] == pytest.approx(continuous_ranked_probability_score(actual[at], alone), rel=1e-12)


def test_the_scale_is_the_change_over_as_many_windows_as_share_no_year():
    # over two windows the first series changes by 3 and 6, the second by nothing
    training = [[1.0, 2.0, 4.0, 8.0], [1.0, 2.0, 1.0, 2.0]]
    score = mean_absolute_scaled_error([[9.0, 0.0]] * 2, [[0.0, 9.0]] * 2, training=training, lag=2)
    np.testing.assert_array_equal(score, [2.0, np.nan])
    short = mean_absolute_scaled_error([[9.0, 0.0]] * 2, [[0.0, 9.0]] * 2, training=training, lag=4)
    assert np.isnan(short).tolist() == [True, True]
    assert mean_absolute_scaled_error([1.0], [3.0], training=[5.0, 6.0, 8.0], lag=2) == pytest.approx(2 / 3)


def test_a_case_on_a_limit_is_within_it_and_each_row_has_its_own_share():
    found = interval_coverage([[0.0, 1.0, 2.0], [3.0, 1.0, -1.0]], [0.0, 0.0, 0.0], [1.0, 1.0, 2.0])
    np.testing.assert_allclose(found, [1.0, 1 / 3])


def test_missing_by_one_costs_forty_at_95_per_cent():
    assert interval_score(3.0, 0.0, 2.0) == pytest.approx(2 + 40, rel=1e-12)
