from __future__ import annotations

import csv
import json
import math
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nenc_estimates.kernels import interval_inversion
from nenc_estimates.kernels.interval_inversion import (
    LIMITS_FAULTS,
    count_and_variance_from_dobson,
    count_from_byar,
    limits_fault,
    sample_size_from_wilson,
    sample_size_range_from_rounded_wilson,
    standard_error_from_limits,
)
from nenc_estimates.kernels.intervals import (
    byar_interval,
    dobson_interval,
    normal_interval,
    wilson_interval,
)
from nenc_estimates.kernels.log_intervals import (
    log_interval,
    logit_interval,
    standard_error_from_log_limits,
    standard_error_from_logit_limits,
)

LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99, 0.998])
SHARE_INVERSIONS = {
    "wilson": lambda *limits: sample_size_from_wilson(*limits).estimate,
    "wilson range": lambda *limits: sample_size_range_from_rounded_wilson(*limits, decimals=3).upper,
    "logit": standard_error_from_logit_limits,
}
INVERSIONS = {
    **SHARE_INVERSIONS,
    "symmetric": lambda _, lower, upper: standard_error_from_limits(lower, upper),
    "log": standard_error_from_log_limits,
    "byar": lambda *limits: count_from_byar(*limits, tolerance=math.inf).estimate,
    "dobson": lambda *limits: count_and_variance_from_dobson(*limits).variance,
}
each_inversion = pytest.mark.parametrize("inversion", INVERSIONS.values(), ids=INVERSIONS)


def table(path):
    with path.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    return lambda *names: (np.array([float(row[name]) for row in rows]) for name in names)


# --- published and reference numbers


def test_real_sample_sizes_come_back_from_unrounded_wilson_limits(reference):
    # ASCOF 1E 2020-21: thirteen councils, 285 to 1,572 people; both limits give the true n
    n, value, lower, upper = table(reference / "weighting" / "tv03_wilson_inversion.csv")(
        "n", "value", "lower", "upper"
    )
    found = sample_size_from_wilson(value, lower, upper)
    for size in (found.estimate, found.from_lower, found.from_upper):
        np.testing.assert_allclose(size, n, rtol=1e-12)


def test_limits_rounded_to_one_decimal_give_the_sizes_of_the_reference_and_a_range_with_the_truth(reference):
    columns = (
        "n",
        "value_1dp",
        "lower_1dp",
        "upper_1dp",
        "n_from_lower_1dp",
        "n_from_upper_1dp",
        "n_hat_1dp",
    )
    n, value, lower, upper, below, above, hat = table(reference / "weighting" / "tv03_wilson_inversion.csv")(*columns)
    found = sample_size_from_wilson(value, lower, upper, tolerance=0.2)
    np.testing.assert_allclose(found.from_lower, below, rtol=1e-9)
    np.testing.assert_allclose(found.from_upper, above, rtol=1e-9)
    np.testing.assert_allclose(found.estimate, hat, rtol=1e-9)
    sizes = sample_size_range_from_rounded_wilson(value, lower, upper, decimals=3)
    assert np.all((sizes.lower <= n) & (n <= sizes.upper))
    # Durham's 0.7 % says least: more than 10 % either side of the middle
    assert np.argmax(sizes.upper / sizes.lower) == 5
    assert sizes.upper[5] / sizes.lower[5] > 1.1 / 0.9
    # at the default tolerance rounding is noticed in most of the thirteen
    strict = sample_size_from_wilson(value, lower, upper)
    assert np.isnan(strict.estimate).sum() >= 9
    assert np.isfinite(strict.from_lower).all()


def test_real_counts_come_back_from_byar_limits(reference):
    # ASCOF 2A2 2020-21: counts of 107 to 764; rates per 100,000, unrounded and to one decimal
    read = table(reference / "weighting" / "tv04_byar_inversion.csv")
    x, *exact = read("x", "rate", "lower", "upper")
    found = count_from_byar(*exact)
    for count in (found.estimate, found.from_lower, found.from_upper):
        np.testing.assert_allclose(count, x, rtol=1e-11)
    found = count_from_byar(*read("rate_1dp", "lower_1dp", "upper_1dp"))
    below, above = read("x_from_lower_1dp", "x_from_upper_1dp")
    np.testing.assert_allclose(found.from_lower, below, rtol=1e-9)
    np.testing.assert_allclose(found.from_upper, above, rtol=1e-9)
    assert np.abs(found.estimate - x).max() < 0.65
    assert np.sum(np.round(found.estimate) == x) == 12


def test_counts_and_variances_come_back_from_dobson_limits(reference):
    results = json.loads((reference / "weighting" / "tv07_dsr_expected.json").read_text())["results"]
    areas = [area for sex in results.values() for area in sex["areas"].values()]
    dsr, se, count = (np.array([area[key] for area in areas]) for key in ("dsr", "se", "count"))
    lower, upper = np.array([area["ci95"] for area in areas]).T
    found = count_and_variance_from_dobson(dsr, lower, upper)
    # the ratio of the two distances keeps about 1e-13 of its digits, and the count needs 2 sqrt(x) of them
    np.testing.assert_allclose(found.count, count, rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(found.variance), se, rtol=1e-11)


# --- round trips


@given(st.floats(0.0001, 0.9999), st.floats(5, 1e7), LEVELS)
def test_wilson_round_trip(share, n, confidence):
    limits = wilson_interval(share * n, n, confidence=confidence)
    found = sample_size_from_wilson(share * n / n, limits.lower, limits.upper, confidence=confidence)
    # the distance of a limit from the value keeps its digits in proportion to it
    rtol = 1e-14 / min(share - limits.lower, limits.upper - share)
    np.testing.assert_allclose(found.estimate, n, rtol=max(rtol, 1e-12))


@given(st.integers(1, 10**6), LEVELS, st.booleans())
def test_wilson_round_trip_where_nobody_or_everybody_has_it(n, confidence, everybody):
    count = n if everybody else 0
    limits = wilson_interval(count, n, confidence=confidence)
    found = sample_size_from_wilson(float(everybody), limits.lower, limits.upper, confidence=confidence)
    np.testing.assert_allclose(found.estimate, n, rtol=1e-9)
    assert np.isnan(found.from_upper if everybody else found.from_lower)


@given(st.floats(2, 9e8), st.floats(1e-6, 1e6), LEVELS)
def test_byar_round_trip(count, per_event, confidence):
    limits = byar_interval(count, confidence=confidence)
    rate, lower, upper = count * per_event, limits.lower * per_event, limits.upper * per_event
    found = count_from_byar(rate, lower, upper, confidence=confidence)
    rtol = 1e-14 * math.sqrt(count) + 1e-12
    np.testing.assert_allclose([found.estimate, found.from_lower, found.from_upper], count, rtol=rtol)


@given(st.floats(2, 1e6), st.floats(1e-3, 1e6), st.floats(0.5, 3), LEVELS)
def test_dobson_round_trip(count, rate, design, confidence):
    variance = design * rate**2 / count
    limits = dobson_interval(rate, variance, count, confidence=confidence)
    found = count_and_variance_from_dobson(rate, limits.lower, limits.upper, confidence=confidence)
    np.testing.assert_allclose(found.count, count, rtol=1e-14 * count + 1e-9)
    np.testing.assert_allclose(found.variance, variance, rtol=1e-12 * math.sqrt(count) + 1e-10)


@given(st.floats(0.01, 1e5), st.floats(0.001, 2), st.floats(0.001, 0.999), LEVELS)
def test_standard_error_round_trips(value, spread, share, confidence):
    error = spread * value
    limits = normal_interval(value, error**2, confidence=confidence)
    found = standard_error_from_limits(limits.lower, limits.upper, confidence=confidence)
    np.testing.assert_allclose(found, error, rtol=1e-12)
    limits = log_interval(value, error**2, confidence=confidence)
    found = standard_error_from_log_limits(value, limits.lower, limits.upper, confidence=confidence)
    np.testing.assert_allclose(found, error, rtol=1e-10)
    error = spread * share * (1 - share)
    limits = logit_interval(share, error**2, confidence=confidence)
    found = standard_error_from_logit_limits(share, limits.lower, limits.upper, confidence=confidence)
    np.testing.assert_allclose(found, error, rtol=1e-9)


@given(st.floats(0, 1), st.floats(5, 1e5), st.integers(2, 5))
def test_the_range_over_the_rounding_box_holds_the_size(share, n, decimals):
    limits = wilson_interval(share * n, n)
    value, lower, upper = (round(float(x), decimals) for x in (share, limits.lower, limits.upper))
    assume(lower < upper)
    sizes = sample_size_range_from_rounded_wilson(value, lower, upper, decimals=decimals)
    assert sizes.lower <= n * (1 + 1e-9)
    assert n * (1 - 1e-9) <= sizes.upper


@pytest.mark.parametrize(
    ("value", "lower", "upper"), [(0.223, 0.179, 0.274), (0.007, 0.004, 0.012), (0.96, 0.9, 0.985)]
)
def test_the_range_over_the_rounding_box_is_no_wider_than_a_search_finds(value, lower, upper):
    # every n on a fine grid for which one of 2,001 proportions in the box rounds to all three numbers
    p = np.linspace(value - 0.0005, value + 0.0005, 2_001)
    sizes = sample_size_range_from_rounded_wilson(value, lower, upper, decimals=3)
    n = np.geomspace(sizes.lower * 0.9, sizes.upper * 1.1, 4_001)[:, np.newaxis]
    limits = wilson_interval(p * n, n)
    fits = (np.abs(limits.lower - lower) <= 0.0005) & (np.abs(limits.upper - upper) <= 0.0005)
    fitting = n[fits.any(axis=1), 0]
    # the grid steps by about 1e-4 of n
    np.testing.assert_allclose([sizes.lower, sizes.upper], [fitting.min(), fitting.max()], rtol=3e-3)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99, 0.998])
def test_counts_come_back_from_the_fewest_events_on_with_newton_steps_to_spare(confidence, monkeypatch):
    monkeypatch.setattr(interval_inversion, "_STEPS", 5)
    count = np.geomspace(0.52, 9e8, 2_001)
    limits = byar_interval(count, confidence=confidence)
    found = count_from_byar(count, count / 2, limits.upper, confidence=confidence).from_upper
    np.testing.assert_array_less(np.abs(found / count - 1), 1e-14 * np.sqrt(count) + 1e-13)
    monkeypatch.setattr(interval_inversion, "_STEPS", 7)
    count = count[(limits.lower > 0) & (count < 1e8)]  # beyond, the two distances of Dobson's limits are as one
    limits = dobson_interval(count, count, count, confidence=confidence)
    found = count_and_variance_from_dobson(count, limits.lower, limits.upper, confidence=confidence)
    np.testing.assert_array_less(np.abs(found.count / count - 1), 1e-14 * count + 1e-12)


@pytest.mark.parametrize("confidence", [0.1, 0.3, 0.5, 0.6, 0.7])
def test_at_low_levels_a_small_count_is_found_or_not_but_never_wrong(confidence):
    count = np.linspace(0.6, 5, 300)
    limits = dobson_interval(10.0, 4.0, count, confidence=confidence)
    found = count_and_variance_from_dobson(10.0, limits.lower, limits.upper, confidence=confidence).count
    known = np.isfinite(found)
    assert known[count > 2].all()
    assert not known.all()
    np.testing.assert_allclose(found[known], count[known], rtol=1e-7)


@given(st.floats(0, 1), st.floats(5, 1e5))
def test_people_who_have_it_and_people_who_have_not_tell_the_same_range_of_sizes(share, n):
    limits = wilson_interval(share * n, n)
    value, lower, upper = (round(float(x), 3) for x in (share, limits.lower, limits.upper))
    assume(lower < upper)
    there = sample_size_range_from_rounded_wilson(value, lower, upper, decimals=3)
    back = sample_size_range_from_rounded_wilson(1 - value, 1 - upper, 1 - lower, decimals=3)
    # a distance of half a unit, 0.0005, keeps 12 digits; where one vanishes the size is without bound
    np.testing.assert_allclose(there.lower, back.lower, rtol=1e-9)
    assert there.upper > 1e15 or back.upper == pytest.approx(float(there.upper), rel=1e-6)


def test_everyone_of_a_few_or_of_many_has_the_range_of_sizes_of_nobody():
    nobody = sample_size_range_from_rounded_wilson(0.0, 0.0, [0.02, 0.2], decimals=3)
    everyone = sample_size_range_from_rounded_wilson(1.0, [0.98, 0.8], 1.0, decimals=3)
    np.testing.assert_allclose(everyone.lower, nobody.lower, rtol=1e-9)
    np.testing.assert_allclose(everyone.upper, nobody.upper, rtol=1e-9)


# --- edges


def test_each_fault_of_limits_has_its_code_and_words():
    value = [5, 5, 3, 7, 5, 5, 0, 5, np.nan, 5, 5]
    lower = [4, 5, 4, 4, 6, 5, 0, 6, 4, np.nan, 4]
    upper = [6, 6, 6, 6, 4, 5, 0, 6, 6, 6, np.nan]
    codes = limits_fault(value, lower, upper)
    assert codes.tolist() == [0, 0, 1, 1, 2, 3, 0, 1, 4, 4, 4]
    assert codes.dtype == np.int8
    assert set(codes.tolist()) - {0} == set(LIMITS_FAULTS)


@pytest.mark.parametrize("kind", sorted(set(INVERSIONS) - {"symmetric"}))
def test_limits_that_cannot_be_limits_give_nan(kind):
    sound = wilson_interval(20, 50)
    value = np.array([0.4, 0.4, 0.4, 0.4, np.nan])
    lower = np.array([sound.lower, 0.5, 0.5, 0.4, np.nan])
    upper = np.array([sound.upper, 0.6, 0.3, 0.4, np.nan])
    assert np.isnan(INVERSIONS[kind](value, lower, upper)).tolist() == [False, True, True, True, True]


def test_symmetric_limits_that_are_reversed_flat_or_missing_give_nan():
    found = standard_error_from_limits([1.0, 2.0, 1.0, np.nan], [2.0, 1.0, 1.0, 2.0])
    assert np.isnan(found).tolist() == [False, True, True, True]


@pytest.mark.parametrize("inversion", SHARE_INVERSIONS.values(), ids=SHARE_INVERSIONS)
def test_percentages_given_as_fractions_give_nan(inversion):
    for limits in ((50.0, 40.0, 60.0), (0.5, -0.1, 0.6), (0.5, -0.1, 1.0), (0.5, 0.0, 1.1), (0.5, 0.4, 1.1)):
        assert np.isnan(inversion(*limits))


def test_a_limit_outside_0_to_1_says_nothing_and_neither_does_the_other():
    for limits in ((0.5, -0.1, 0.6), (0.5, 0.4, 1.1)):
        found = sample_size_from_wilson(*limits)
        assert np.isnan([found.from_lower, found.from_upper]).all()


def test_a_limit_at_the_end_of_a_scale_has_no_error_on_it():
    assert np.isnan(standard_error_from_logit_limits([0.5, 0.5], [0.4, 0.0], [1.0, 0.6])).all()
    assert np.isnan(standard_error_from_log_limits([2.0, 2.0], [1.0, 0.0], [np.inf, 3.0])).all()


def test_a_limit_without_bound_says_nothing_and_neither_does_the_other():
    for lower, upper in ((4.0, np.inf), (-np.inf, 6.0)):
        found = count_from_byar(5.0, lower, upper)
        assert np.isnan([found.from_lower, found.from_upper]).all()
        assert np.isnan(count_and_variance_from_dobson(5.0, lower, upper).variance)


def test_a_limit_at_0_or_1_is_wilsons_only_if_the_value_is_there_too():
    # below one in ten, and above nine in ten, of any number of people, Wilson's limit is never 0 or 1
    found = sample_size_from_wilson([0.1, 0.9], [0.0, 0.8], [0.2, 1.0])
    assert np.isnan(found.estimate).all()


def test_what_has_no_size_or_count_gives_nan():
    assert np.isnan(sample_size_from_wilson([0.0, 0.5, 0.5], [0.0, 0.5, 0.4], [0.0, 0.6, 0.5]).estimate).all()
    assert np.isnan(count_from_byar([0.0, 5.0, 1e-30], [0.0, 0.0, 1e-30], [3.7, 9.0, 1.0]).estimate).all()
    assert np.isnan(count_from_byar(1.0, 0.999_999_9999, 1.000_000_0001).estimate)
    assert np.isnan(standard_error_from_log_limits([1.0, 1.0], [0.0, -1.0], [2.0, 2.0])).all()
    # the upper limit of Dobson is the more distant one; no count has it the nearer or far beyond
    found = count_and_variance_from_dobson([10.0, 10.0, 10.0], [8.0, 8.0, 9.9], [11.0, 12.0, 1e9])
    assert np.isnan(found.count).all()
    assert np.isnan(found.variance).all()


def test_limits_that_are_not_wilson_or_byar_are_noticed_and_both_answers_shown():
    found = sample_size_from_wilson(0.1, 0.06, 0.14)
    assert np.isnan(found.estimate)
    assert found.from_lower < 0.5 * found.from_upper
    assert np.isfinite(sample_size_from_wilson(0.1, 0.06, 0.14, tolerance=2.0).estimate)
    found = count_from_byar(100.0, 80.0, 120.0)
    assert np.isnan(found.estimate)
    assert found.from_lower < found.from_upper


def test_sizes_that_no_rounding_explains_are_nan_and_limits_at_the_value_leave_the_size_open():
    assert np.isnan(sample_size_range_from_rounded_wilson(0.1, 0.06, 0.14, decimals=3).lower)
    sizes = sample_size_range_from_rounded_wilson([0.007, 0.0], [0.007, 0.0], [0.008, 0.003], decimals=3)
    assert np.isinf(sizes.upper[0])
    assert sizes.lower[1] < 1_278 < sizes.upper[1] < np.inf  # 0 of 1,278 has the upper limit 0.2996 %


@pytest.mark.parametrize("confidence", [95, 0.0, (0.95, 0.998)])
def test_limits_are_of_one_level_between_0_and_1(confidence):
    with pytest.raises(ValueError, match=r"0\.95"):
        standard_error_from_limits(1, 2, confidence=confidence)


@each_inversion
def test_a_batch_is_its_elements_one_by_one_to_the_last_bit(inversion):
    count = np.geomspace(3, 5e4, 47)
    value = np.linspace(0.02, 0.98, 47)
    limits = wilson_interval(value * count, count)
    batch = inversion(value, limits.lower, limits.upper)
    assert np.isfinite(batch).any()
    for at in range(count.size):
        np.testing.assert_array_equal(inversion(value[at], limits.lower[at], limits.upper[at]), batch[at])


@each_inversion
def test_any_kind_of_array_is_read_and_none_is_changed(inversion):
    value, lower, upper = np.array([[0.5, 0.4], [0.3, 0.2]]), np.full((2, 2), 0.1), np.full((2, 2), 0.9)
    plain = inversion(value, lower, upper)
    for data in (value, lower, upper):
        data.setflags(write=False)
    np.testing.assert_array_equal(inversion(value.T, lower, upper), plain.T)
    assert inversion(value.astype(np.float32), lower, upper).dtype == np.float64
    assert inversion(value[:0], lower[:0], upper[:0]).shape == (0, 2)


def test_rounding_makes_the_lazy_rule_wrong_by_what_the_exact_one_recovers():
    # width over 2 z on Wilson limits is 59 % too wide at 1 % of 50 people; n gives the standard error exactly
    share, n = 0.01, 50.0
    limits = wilson_interval(share * n, n)
    lazy = standard_error_from_limits(limits.lower, limits.upper)
    size = sample_size_from_wilson(share, limits.lower, limits.upper).estimate
    exact = partial(math.pow, share * (1 - share) / float(size))
    assert math.isclose(lazy / exact(0.5), 1.59, abs_tol=0.005)
