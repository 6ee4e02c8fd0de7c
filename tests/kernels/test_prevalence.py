"""Prevalence by age: survey, institutions, smoothing, imputation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from nenc_estimates.kernels.prevalence import (
    Prevalence,
    impute_by_ratio,
    include_institutions,
    smooth_prevalence,
    survey_prevalence,
)

AGE = np.array([0.5, 3, *np.arange(7.5, 90, 5), 93])


def test_the_variance_of_a_survey_is_binomial_times_the_design_effect() -> None:
    # Jagger and others 2014, table for 85 and over: 0.513 of 647, variance 3.8614e-4 as printed to 5 digits
    survey = survey_prevalence(0.513, 647, of="not_good")
    assert float(survey.variance) == pytest.approx(3.8614e-4, rel=2e-5)
    assert survey_prevalence(0.5, 1, of="good").variance == 0.25
    double = survey_prevalence(0.513, 647, of="not_good", design_effect=2)
    assert double.variance == 2 * survey.variance


def test_impossible_shares_and_bands_without_respondents_are_nan() -> None:
    survey = survey_prevalence([-0.1, 1.1, np.nan, 0.5, 0.5, 1.0], [9, 9, 9, 0, -1, 9], of="good")
    assert np.isnan(survey.value).tolist() == [True, True, True, False, False, False]
    assert np.isnan(survey.variance).tolist() == [True, True, True, True, True, False]
    assert survey.variance[-1] == 0


@pytest.mark.parametrize("effect", [0.0, -1.0, np.nan])
def test_a_design_effect_multiplies_a_variance(effect: float) -> None:
    with pytest.raises(ValueError, match=f"design_effect is {effect}; it multiplies a variance and must be above 0"):
        survey_prevalence(0.5, 10, of="good", design_effect=effect)


def test_whose_share_it_is_must_be_said() -> None:
    with pytest.raises(ValueError, match="'good' or 'not_good'"):
        survey_prevalence([0.5], [10], of="bad")


def test_institutions_give_the_guides_prevalence_and_not_its_variance() -> None:
    # Jagger and others 2014, example 6, 85 and over: variance 1.72e-4, because it is taken of the prevalence
    # in all people; only households are sampled, which gives 1.91e-4. A share in institutions of 0.2967
    # gives both figures, each to its three digits
    home = survey_prevalence([0.513], [647], of="not_good")
    everyone = include_institutions(home, [0.2967])
    assert everyone.variance[0] == pytest.approx(1.91e-4, rel=0.003)
    guides = (1 - 0.2967) ** 2 * survey_prevalence(everyone.value, [647], of="not_good").variance[0]
    assert guides == pytest.approx(1.72e-4, rel=0.003)


def test_institutions_are_not_in_good_health_whichever_way_it_is_written() -> None:
    bad = include_institutions(survey_prevalence([0.3, 0.5], [90, 80], of="not_good"), [0.1, 0.2])
    good = include_institutions(survey_prevalence([0.7, 0.5], [90, 80], of="good"), [0.1, 0.2])
    np.testing.assert_allclose(good.value, 1 - bad.value, rtol=1e-14)
    np.testing.assert_allclose(good.variance, bad.variance, rtol=1e-14)
    smooth = smooth_prevalence(np.full(20, 0.4), np.full(20, 50), age=AGE, of="good")
    with_covariance = include_institutions(smooth, np.linspace(0, 0.3, 20))
    np.testing.assert_allclose(np.diagonal(with_covariance.covariance), with_covariance.variance, rtol=1e-14)


@given(st.tuples(st.floats(-2, 2), st.floats(-0.05, 0.05), st.floats(-5e-4, 5e-4)))
def test_smoothing_gives_back_a_curve_that_is_logistic(coefficients: tuple[float, float, float]) -> None:
    level, slope, bend = coefficients
    centred = AGE - 45
    truth = 1 / (1 + np.exp(-(level + slope * centred + bend * centred**2)))
    smooth = smooth_prevalence(truth, np.geomspace(50, 500, 20), age=AGE, of="good")
    np.testing.assert_allclose(smooth.value, truth, rtol=1e-7)


def test_the_fit_is_the_maximum_of_the_likelihood_and_its_covariance_the_inverse_information() -> None:
    rng = np.random.default_rng(5)
    asked = rng.integers(20, 200, 20).astype(float)
    share = rng.binomial(asked.astype(int), np.linspace(0.1, 0.6, 20)) / asked
    smooth = smooth_prevalence(share, asked, age=AGE, of="not_good", design_effect=1.5)
    design = np.stack([np.ones(20), (AGE - 45) / 45, ((AGE - 45) / 45) ** 2], axis=1)

    def loss(beta: np.ndarray) -> float:
        linear = design @ beta
        return float((asked * (np.logaddexp(0, linear) - share * linear)).sum())

    best = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-7}).x
    fitted = 1 / (1 + np.exp(-design @ best))
    np.testing.assert_allclose(smooth.value, fitted, rtol=1e-6)
    spread = fitted * (1 - fitted)
    information = design.T @ ((asked * spread)[:, None] * design) / 1.5
    covariance = (spread[:, None] * design) @ np.linalg.inv(information) @ (spread[:, None] * design).T
    np.testing.assert_allclose(smooth.covariance, covariance, rtol=1e-5)
    np.testing.assert_array_equal(smooth.variance, np.diagonal(smooth.covariance))


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_each_area_is_smoothed_as_if_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    asked = rng.integers(5, 300, (4, 20)).astype(float)
    share = rng.binomial(asked.astype(int), 0.5) / asked
    share[2], asked[3, 2:] = np.arange(20) > 9, 0  # no finite maximum; too few bands
    both = smooth_prevalence(share, asked, age=AGE, of="good")
    assert np.isnan(both.value[2:]).all()
    for area in (0, 1):
        alone = smooth_prevalence(share[area], asked[area], age=AGE, of="good")
        np.testing.assert_allclose(both.value[area], alone.value, rtol=1e-15)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_state_that_nobody_or_everybody_is_in_has_no_curve(share: float) -> None:
    smooth = smooth_prevalence(np.full(20, share), np.full(20, 90), age=AGE, of="good")
    assert np.isnan(smooth.value).all()


def test_an_empty_batch_is_empty() -> None:
    assert smooth_prevalence(np.empty((0, 20)), np.ones(20), age=AGE, of="good").covariance.shape == (0, 20, 20)


def test_bands_that_nobody_was_asked_in_are_predicted() -> None:
    truth = 1 / (1 + np.exp(-(AGE - 60) / 15))
    asked = np.where((AGE > 16) & (AGE < 85), 200.0, np.nan)
    smooth = smooth_prevalence(np.where(np.isnan(asked), np.nan, truth), asked, age=AGE, of="not_good")
    np.testing.assert_allclose(smooth.value, truth, rtol=1e-7)
    assert smooth.variance[0] / smooth.value[0] ** 2 > smooth.variance[10] / smooth.value[10] ** 2


def test_ends_are_filled_by_the_ratio_to_their_nearest_observed_band() -> None:
    census = np.linspace(0.98, 0.4, 20)
    value = census * 0.9
    value[:4], value[18:] = np.nan, np.nan
    value[10] = np.nan  # a gap inside is not an end
    survey = survey_prevalence(value, np.full(20, 100), of="good")
    filled = impute_by_ratio(survey, census)
    inside = np.arange(20) != 10
    np.testing.assert_allclose(filled.value[inside], 0.9 * census[inside], rtol=1e-14)
    assert np.isnan(filled.value[10])
    np.testing.assert_array_equal(filled.value[4:18], value[4:18])
    # errors of filled bands are those of the band they come from
    scale = census[0] / census[4]
    assert filled.variance[0] == pytest.approx(scale**2 * survey.variance[4])
    assert filled.covariance[0, 4] == pytest.approx(scale * survey.variance[4])
    assert filled.covariance[0, 3] == pytest.approx(scale * census[3] / census[4] * survey.variance[4])
    assert filled.covariance[5, 6] == 0


def test_imputation_takes_many_areas_and_keeps_an_earlier_covariance() -> None:
    value = np.tile([np.nan, 0.5, 0.4], (6, 1))
    value[5] = np.nan
    value[4, 1] = 0.99
    given_ = Prevalence(value=value, variance=np.full((6, 3), 0.01), covariance=np.full((6, 3, 3), 0.01), of="good")
    filled = impute_by_ratio(given_, [0.6, 0.5, 0.4])
    assert filled.value[0].tolist() == [0.6, 0.5, 0.4]
    assert np.isnan(filled.value[5]).all()
    assert np.isnan(filled.value[4, 0])  # above 1
    assert filled.covariance[0, 0, 2] == pytest.approx(0.012)


def test_one_survey_is_filled_by_many_censuses_and_design_effects_may_differ_by_band() -> None:
    survey = survey_prevalence([np.nan, 0.5, 0.4], [50, 50, 80], of="good", design_effect=[1, 1.5, 2])
    np.testing.assert_allclose(survey.variance[1:], [0.5 * 0.5 / 50 * 1.5, 0.4 * 0.6 / 80 * 2])
    census = np.array([[0.6, 0.5, 0.4], [0.9, 0.6, 0.4]])
    filled = impute_by_ratio(survey, census)
    np.testing.assert_allclose(filled.value, [[0.6, 0.5, 0.4], [0.75, 0.5, 0.4]])
    np.testing.assert_allclose(filled.variance[:, 0], np.array([1.2, 1.5]) ** 2 * survey.variance[1])


def test_each_area_is_filled_from_its_own_first_and_last_band() -> None:
    value = np.array([[np.nan, 0.5, 0.4, 0.3], [0.7, 0.5, np.nan, np.nan], [np.nan, np.nan, 0.4, 0.3]])
    census = [0.8, 0.6, 0.5, 0.3]
    filled = impute_by_ratio(survey_prevalence(value, np.full(4, 50), of="good"), census)
    for row in range(3):
        alone = impute_by_ratio(survey_prevalence(value[row], np.full(4, 50), of="good"), census)
        np.testing.assert_array_equal(filled.value[row], alone.value)
        np.testing.assert_array_equal(filled.covariance[row], alone.covariance)
    np.testing.assert_allclose(filled.value[1:], [[0.7, 0.5, 0.5 * 5 / 6, 0.25], [0.64, 0.48, 0.4, 0.3]])


def test_one_survey_of_respondents_serves_several_shares_and_one_share_several_surveys() -> None:
    share, asked = np.array([[0.2], [0.3]]) + np.linspace(0, 0.4, 20), np.array([[40.0], [90.0]]) + np.arange(20)
    shares = smooth_prevalence(share, asked[0], age=AGE, of="good")
    surveys = smooth_prevalence(share[0], asked, age=AGE, of="good")
    for row in range(2):
        alone = smooth_prevalence(share[row], asked[0], age=AGE, of="good")
        np.testing.assert_allclose(shares.value[row], alone.value, rtol=1e-12)
        alone = smooth_prevalence(share[0], asked[row], age=AGE, of="good")
        np.testing.assert_allclose(surveys.variance[row], alone.variance, rtol=1e-12)


def test_a_census_of_nobody_in_the_state_fills_nothing() -> None:
    survey = survey_prevalence([[np.nan, 0.5, 0.4]] * 2, np.full((2, 3), 50), of="good")
    filled = impute_by_ratio(survey, [[0.6, 0.0, 0.4], [0.6, 0.5, 0.4]])
    assert np.isnan(filled.value).tolist() == [[True, False, False], [False] * 3]


def test_a_share_in_institutions_of_nought_or_one_is_possible_and_others_are_not() -> None:
    home = survey_prevalence(np.full(5, 0.3), np.full(5, 90), of="not_good")
    everyone = include_institutions(home, [0, 1, -0.1, 1.1, np.nan])
    np.testing.assert_array_equal(everyone.value, [0.3, 1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(everyone.variance, [home.variance[0], 0, np.nan, np.nan, np.nan])
    assert everyone.covariance is None


def test_covariances_of_households_shrink_by_both_bands_shares_at_home() -> None:
    smooth = smooth_prevalence(np.linspace(0.1, 0.6, 20), np.full(20, 50), age=AGE, of="not_good")
    share = np.linspace(0, 0.3, 20)
    everyone = include_institutions(smooth, share)
    np.testing.assert_allclose(everyone.covariance, smooth.covariance * np.outer(1 - share, 1 - share), rtol=1e-13)


def test_three_bands_determine_the_curve_and_two_do_not() -> None:
    share = np.where(np.isin(np.arange(20), (2, 9, 17)), [0.1, 0.2, 0.3, 0.4] * 5, np.nan)
    asked = np.where(np.isfinite(share), 100.0, 0.0)
    smooth = smooth_prevalence(share, asked, age=AGE, of="good")
    seen = asked > 0
    np.testing.assert_allclose(smooth.value[seen], share[seen], rtol=1e-9)
    np.testing.assert_allclose(smooth.variance[seen], share[seen] * (1 - share[seen]) / 100, rtol=1e-8)
    few = smooth_prevalence(share, asked / 200, age=AGE, of="good")  # effective respondents, a half in each
    np.testing.assert_allclose(few.value, smooth.value, rtol=1e-9)
    asked[2] = 0
    assert np.isnan(smooth_prevalence(share, asked, age=AGE, of="good").value).all()


def test_a_share_found_among_nobody_is_not_used() -> None:
    share, asked = np.linspace(0.1, 0.6, 20), np.full(20, 50.0)
    without = smooth_prevalence(np.where(np.arange(20) == 7, np.nan, share), asked, age=AGE, of="good")
    asked[7] = 0
    np.testing.assert_array_equal(smooth_prevalence(share, asked, age=AGE, of="good").value, without.value)
    # one respondent in a band is used, and so is less than one, where respondents are effective ones
    for few in (1.0, 0.5):
        asked[7] = few
        assert (smooth_prevalence(share, asked, age=AGE, of="good").value != without.value).any()
