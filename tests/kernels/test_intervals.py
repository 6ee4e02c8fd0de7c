from __future__ import annotations

import csv
import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from nenc_estimates.kernels.interval_inversion import sample_size_from_wilson
from nenc_estimates.kernels.intervals import (
    byar_from_variance,
    byar_interval,
    dobson_interval,
    exact_poisson_interval,
    normal_interval,
    poisson_interval,
    wilson_from_variance,
    wilson_interval,
)
from nenc_estimates.kernels.levels import z_value
from nenc_estimates.kernels.log_intervals import log_interval, logit_interval

# Every interval, with inputs of shape (area,) for which all limits exist, and the value it surrounds.
COUNT = np.array([2.0, 3.5, 9.99, 10.0, 50.0, 1_000.0])
SIZE = np.array([10.0, 7.3, 400.0, 10.5, 1_000.0, 20_000.0])
RATE = np.array([0.1, 3.0, 17.5, 250.0, 1_785.8, 2e5])
SHARE = np.array([0.001, 0.1, 0.25, 0.5, 0.77, 0.999])
CASES = {
    "normal": (normal_interval, (RATE, (0.1 * RATE) ** 2), RATE),
    "log": (log_interval, (RATE, (0.1 * RATE) ** 2), RATE),
    "logit": (logit_interval, (SHARE, (0.2 * SHARE * (1 - SHARE)) ** 2), SHARE),
    "wilson": (wilson_interval, (COUNT, SIZE), COUNT / SIZE),
    "wilson, variance": (wilson_from_variance, (SHARE, SHARE * (1 - SHARE) / SIZE), SHARE),
    "byar": (byar_interval, (COUNT,), COUNT),
    "exact": (exact_poisson_interval, (COUNT,), COUNT),
    "poisson": (poisson_interval, (COUNT,), COUNT),
    "byar, variance": (byar_from_variance, (RATE, RATE**2 / COUNT), RATE),
    "dobson": (dobson_interval, (RATE, RATE**2 / COUNT, COUNT), RATE),
}
each_interval = pytest.mark.parametrize(("interval", "inputs", "value"), CASES.values(), ids=CASES)
counts = arrays(np.float64, st.integers(0, 20), elements=st.floats(0, 1e7))


def rows(path):
    with path.open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def column(table, name):
    return np.array([float(row[name]) if row[name] not in {"", "NA"} else math.nan for row in table])


# --- published and reference numbers


@pytest.mark.parametrize(("confidence", "level"), [(0.95, "95_0cl"), (0.998, "99_8cl")])
def test_rates_have_the_limits_of_phe_rate(reference, confidence, level):
    # R 4.5.0, PHEindicatormethods 2.1.0, printed to 15-17 digits; R's qchisq is good to about 1e-14
    table = rows(reference / "phe" / "rate_edges.csv")
    per_event = 1e5 / column(table, "n")
    limits = poisson_interval(column(table, "x"), confidence=confidence)
    np.testing.assert_allclose(limits.lower * per_event, column(table, f"lower{level}"), rtol=1e-12)
    np.testing.assert_allclose(limits.upper * per_event, column(table, f"upper{level}"), rtol=1e-12)


def test_rates_have_the_limits_of_phe_rate_at_90_percent(reference):
    table = rows(reference / "phe" / "rate_edges_90.csv")
    limits = poisson_interval(column(table, "x"), confidence=0.9)
    np.testing.assert_allclose(limits.lower * 1e3 / column(table, "n"), column(table, "lowercl"), rtol=1e-12)
    np.testing.assert_allclose(limits.upper * 1e3 / column(table, "n"), column(table, "uppercl"), rtol=1e-12)


def test_percentages_have_the_limits_of_phe_proportion_at_both_levels(reference):
    # R 4.5.0, PHEindicatormethods 2.1.0; atol for a lower limit that cancels to 1e-16 there and is 0 here
    table = rows(reference / "phe" / "prop_edges.csv")
    limits = wilson_interval(column(table, "x"), column(table, "n"), confidence=(0.95, 0.998))
    for at, level in enumerate(("95_0cl", "99_8cl")):
        np.testing.assert_allclose(100 * limits.lower[at], column(table, f"lower{level}"), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(100 * limits.upper[at], column(table, f"upper{level}"), rtol=1e-12)


def test_real_council_proportions_and_rates_have_their_limits(reference):
    # ASCOF 2020-21 measures 1E and 2A2, limits by an independent plain-Python reference
    table = rows(reference / "weighting" / "tv03_wilson_inversion.csv")
    limits = wilson_interval(column(table, "x"), column(table, "n"))
    np.testing.assert_allclose(limits.lower, column(table, "lower"), rtol=1e-13)
    np.testing.assert_allclose(limits.upper, column(table, "upper"), rtol=1e-13)
    table = rows(reference / "weighting" / "tv04_byar_inversion.csv")
    limits = byar_interval(column(table, "x"))
    np.testing.assert_allclose(limits.lower * 1e5 / column(table, "n"), column(table, "lower"), rtol=1e-13)
    np.testing.assert_allclose(limits.upper * 1e5 / column(table, "n"), column(table, "upper"), rtol=1e-13)


def test_the_north_east_and_north_cumbria_have_the_limits_of_the_reference(reference):
    expected = json.loads((reference / "weighting" / "tv03_ascof_1E_expected.json").read_text())
    for area in (expected["nenc_cumbria_partial"], *expected["local"].values()):
        limits = wilson_from_variance(area["value"], area["se_stratified"] ** 2)
        np.testing.assert_allclose([limits.lower, limits.upper], area["wilson95_n_effective"], rtol=1e-12)
    expected = json.loads((reference / "weighting" / "tv04_ascof_2A2_expected.json").read_text())
    nenc = expected["nenc_partial"]  # its Dobson limits rest on all events of the councils that it takes part of
    limits = dobson_interval(nenc["rate_per_100k"], nenc["se"] ** 2, expected["nenc_whole"]["count"])
    np.testing.assert_allclose([limits.lower, limits.upper], nenc["dobson95"], rtol=1e-12)


def test_standardised_rates_have_the_limits_of_dobson(reference):
    areas = json.loads((reference / "weighting" / "tv07_dsr_expected.json").read_text())["results"]["M"]["areas"]
    dsr, se, count = (np.array([area[key] for area in areas.values()]) for key in ("dsr", "se", "count"))
    limits = dobson_interval(dsr, se**2, count)
    expected = np.array([area["ci95"] for area in areas.values()])
    np.testing.assert_allclose(np.stack([limits.lower, limits.upper], axis=-1), expected, rtol=1e-12)


def test_z_is_the_exact_quantile_to_the_far_tail():
    levels = (1e-6, 0.5, 0.9, 0.95, 0.998, 1 - 1e-12)
    tail = (1 - np.array(levels)) / 2
    np.testing.assert_allclose(z_value(levels), stats.norm.isf(tail), rtol=1e-10)
    np.testing.assert_allclose(z_value(0.95), 1.959963984540054, rtol=2e-15)


# --- identities


@given(counts)
def test_exact_limits_leave_the_tail_probability(count):
    whole = np.floor(np.minimum(count, 1e5))
    limits = exact_poisson_interval(whole, confidence=0.9)
    np.testing.assert_allclose(stats.poisson.cdf(whole, limits.upper), 0.05, rtol=1e-9)
    some = whole > 0
    np.testing.assert_allclose(stats.poisson.sf(whole[some] - 1, limits.lower[some]), 0.05, rtol=1e-9)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.floats(0.01, 0.9999))
def test_wilson_limits_solve_the_score_equation(count, rest, confidence):
    n = count + rest
    limits = wilson_interval(count, n, confidence=confidence)
    z2, p = Fraction(float(z_value(confidence))) ** 2, Fraction(count, n)
    for limit in (Fraction(float(limits.lower)), Fraction(float(limits.upper))):
        terms = n * (p - limit) ** 2, z2 * limit * (1 - limit)
        # one rounding of the limit moves the left side by twice its share of the distance
        slack = Fraction(1, 2**48) * (z2 + n * abs(p - limit)) * max(limit, p)
        assert abs(terms[0] - terms[1]) <= slack


@given(counts, st.floats(1, 1e6))
def test_a_rate_of_plainly_pooled_counts_has_the_limits_of_its_count(count, population):
    count = count + 0.5
    rate, variance = count / population, count / population**2
    of_rate, of_count = byar_from_variance(rate, variance), poisson_interval(count)
    # the effective count is recovered to a few roundings; beside the switch at 10 it may take the other rule
    beside = np.abs(count - 10) < 1e-9
    np.testing.assert_allclose((of_rate.lower * population)[~beside], of_count.lower[~beside], rtol=1e-12)
    np.testing.assert_allclose((of_rate.upper * population)[~beside], of_count.upper[~beside], rtol=1e-12)


@given(st.floats(1e-6, 1e6), st.floats(1e-3, 3), st.floats(0.001, 0.999))
def test_log_and_logit_limits_are_symmetric_on_their_scale(value, spread, share):
    limits = log_interval(value, (spread * value) ** 2)
    assert math.isclose(limits.lower * limits.upper, value**2, rel_tol=1e-12)
    assert math.isclose(math.log(limits.upper / value), 1.959963984540054 * spread, rel_tol=1e-9)
    limits = logit_interval(share, (spread * share * (1 - share)) ** 2)
    odds = [x / (1 - x) for x in (limits.lower, share, limits.upper)]
    assert math.isclose(odds[0] * odds[2], odds[1] ** 2, rel_tol=1e-9)


@each_interval
def test_limits_contain_the_value(interval, inputs, value):
    limits = interval(*inputs, confidence=(1e-9, 0.5, 0.95, 0.998))
    assert np.all(limits.lower <= value)
    assert np.all(value <= limits.upper)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(0.001, 0.9999))
def test_wilson_limits_contain_the_share_and_stay_within_0_and_1(count, rest, confidence):
    n = count + rest + 1
    limits = wilson_interval(count, n, confidence=confidence)
    assert 0 <= limits.lower <= count / n <= limits.upper <= 1


@each_interval
def test_more_confidence_is_wider(interval, inputs, value):
    limits = interval(*inputs, confidence=np.linspace(0.8, 0.999, 7))
    assert limits.lower.shape == limits.upper.shape == (7, *value.shape)
    assert np.all(np.diff(limits.lower, axis=0) < 0)
    assert np.all(np.diff(limits.upper, axis=0) > 0)


@each_interval
def test_a_batch_is_its_elements_one_by_one_to_the_last_bit(interval, inputs, value):
    many = [np.tile(column, 7)[3:] for column in inputs]
    batch = interval(*many, confidence=(0.95, 0.998))
    for at in range(many[0].size):
        alone = interval(*(column[at] for column in many), confidence=0.998)
        assert (alone.lower, alone.upper) == (batch.lower[1, at], batch.upper[1, at])
    assert value.size == inputs[0].size


@each_interval
def test_any_kind_of_array_is_read_and_none_is_changed(interval, inputs, value):
    plain = interval(*inputs)
    for column in inputs:
        column.setflags(write=False)
    strided = interval(*(np.repeat(column, 2)[::2] for column in inputs))
    np.testing.assert_array_equal(strided.lower, plain.lower)
    single = interval(*(column.astype(np.float32) for column in inputs))
    assert single.lower.dtype == np.float64
    np.testing.assert_allclose(single.upper, plain.upper, rtol=1e-4)
    assert interval(*(column[:0] for column in inputs), confidence=(0.95, 0.998)).upper.shape == (2, 0)
    assert interval(*(column.reshape(2, 3) for column in inputs)).lower.shape == (2, 3)
    assert value.dtype == np.float64


# --- edges


@each_interval
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_impossible_element_spoils_only_itself(interval, inputs, value, bad):
    plain = interval(*inputs)
    for which in range(len(inputs)):
        spoiled = [column.copy() for column in inputs]
        spoiled[which][2] = bad
        limits = interval(*spoiled)
        assert np.isnan(limits.lower[2])
        assert np.isnan(limits.upper[2])
        np.testing.assert_array_equal(np.delete(limits.lower, 2), np.delete(plain.lower, 2))
    assert np.isfinite(value).all()


@pytest.mark.parametrize("confidence", [95, 0, 1, -0.1, math.nan, (0.95, 99.8), [[0.95]]])
def test_a_percentage_is_not_a_confidence(confidence):
    with pytest.raises(ValueError, match=r"write 0\.95, not 95"):
        wilson_interval(1, 10, confidence=confidence)


def test_no_events_have_exact_limits_but_no_lower_limit_of_byar():
    assert exact_poisson_interval(0).lower == 0
    assert math.isclose(exact_poisson_interval(0).upper, -math.log(0.025), rel_tol=1e-14)
    assert np.isnan(byar_interval(0).lower)
    assert math.isclose(byar_interval(0).upper, (1 - 1 / 9 + 1.959963984540054 / 3) ** 3, rel_tol=1e-14)
    limits = byar_interval([0.6, 0.7, 1.2, 1.3], confidence=(0.95, 0.998))
    assert np.isnan(limits.lower).tolist() == [[True, False, False, False], [True, True, True, False]]


def test_nobody_and_everybody_have_wilson_limits_at_exactly_0_and_1():
    n = np.arange(1, 3_000)
    assert not wilson_interval(np.zeros(n.size), n).lower.any()
    assert np.all(wilson_interval(n, n).upper == 1)


def test_impossible_counts_sizes_and_variances_are_nan():
    assert np.isnan(wilson_interval([-1, 11, 0, 5], [10, 10, 0, -5]).upper).all()
    assert np.isnan(exact_poisson_interval(-1e-9).upper)
    assert np.isnan(wilson_from_variance([0, 1, 1.2, 0.5, 0.5], [0.1, 0.1, 0.1, 0, -1]).upper).all()
    assert np.isnan(byar_from_variance([0, -1, 5, 5], [1, 1, 0, -1]).upper).all()
    assert np.isnan(dobson_interval([5, 5], [-1, 1], [10, 0]).upper).all()
    assert np.isnan(normal_interval(5, -1).upper)
    assert np.isnan(log_interval([0, -1, 1], [1, 1, -1]).upper).all()
    assert np.isnan(logit_interval([0, 1, 0.5], [1, 1, -1]).upper).all()


def test_a_variance_of_nothing_has_limits_of_no_width_and_a_huge_one_all_there_is():
    limits = normal_interval(80.0, 0.0)
    assert limits.lower == limits.upper == 80.0
    assert log_interval(2.0, 0.0).lower == log_interval(2.0, 0.0).upper == 2.0
    limits = logit_interval(0.3, 1e300)
    assert (limits.lower, limits.upper) == (0.0, 1.0)


def test_one_variance_serves_several_values_and_one_value_several_variances():
    levels, several, one = (0.95, 0.998), np.array([0.2, 0.3, 0.6]), 0.01
    for interval in (normal_interval, wilson_from_variance, byar_from_variance, log_interval, logit_interval):
        for inputs in ((several, one), (0.4, one * several)):
            limits = interval(*inputs, confidence=levels)
            each = [interval(*pair, confidence=levels).upper for pair in np.broadcast(*inputs)]
            np.testing.assert_array_equal(limits.upper, np.transpose(each))


def test_one_event_is_enough_for_limits_of_a_standardised_rate():
    # Breslow and Day's formula at a count of 1, where the count is the rate over 2
    limits = dobson_interval(2.0, 4.0, 1.0)
    z = z_value(0.95)
    assert limits.lower == pytest.approx(2 + 2 * ((1 - 1 / 9 - z / 3) ** 3 - 1), rel=1e-14)
    assert limits.upper == pytest.approx(2 + 2 * (2 * (1 - 1 / 18 + z / 3 / 2**0.5) ** 3 - 1), rel=1e-14)


def test_counts_of_several_levels_meet_values_of_several_axes():
    limits = dobson_interval(np.ones((4, 1)), 0.01, np.array([10.0, 20, 30]), confidence=(0.9, 0.95, 0.998, 0.99, 0.5))
    assert limits.lower.shape == (5, 4, 3)
    assert dobson_interval(1.0, np.full((4, 1), 0.01), [10, 20, 30], confidence=(0.9, 0.95)).upper.shape == (
        2,
        4,
        3,
    )
    alone = dobson_interval(1.0, 0.01, 20.0, confidence=0.998)
    assert np.all(limits.upper[2, :, 1] == alone.upper)


# --- coverage

DRAWS = 20_000
MONTE_CARLO = 3 * math.sqrt(0.95 * 0.05 / DRAWS)


def councils(reference, name):
    """Counts and denominators of the thirteen councils, and their shares of the people of the area."""
    table = [r for r in rows(reference / "weighting" / name) if r["ONS Code"] not in {"E12000001", "E92000001"}]
    weights = json.loads((reference / "weighting" / "tv01_weights.json").read_text())["overall"]["weights"]
    shares = np.array([weights[row["ONS Code"]] for row in table])
    return column(table, "numerator"), column(table, "denominator"), shares


def coverage(limits, truth):
    return float(np.mean((limits.lower <= truth) & (truth <= limits.upper)))


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "level"), [(1, 1), (0.1, 1), (0.25, 0.2), (0.1, 0.2), (0.1, 5.5)])
def test_wilson_at_the_effective_size_covers_95_percent(reference, sample, level):
    # thirteen councils with the sizes and levels of ASCOF 1E, each publishing value and Wilson limits only;
    # measured with this seed: .9504 .9466 .9487 .9493 .9458, each to .0015
    count, n, shares = councils(reference, "tv03_ascof_1E_2020_21.csv")
    n, p = np.round(n * sample), np.minimum(level * count / n, 0.95)
    drawn = np.random.default_rng(1).binomial(n.astype(int), p, (DRAWS, n.size))
    published = wilson_interval(drawn, n)
    value = drawn / n
    size = sample_size_from_wilson(value, published.lower, published.upper).estimate
    estimate, variance = value @ shares, (value * (1 - value) / size) @ shares**2
    assert abs(coverage(wilson_from_variance(estimate, variance), p @ shares) - 0.95) <= 0.005 + MONTE_CARLO


@pytest.mark.slow
@pytest.mark.parametrize("events", [4_668, 233.4, 46.68])
def test_byar_at_the_effective_count_covers_95_percent(reference, events):
    # thirteen councils with the rates of ASCOF 2A2; rare events are covered a little too well, as by Dobson;
    # measured with this seed: .9503 .9556 .9573, each to .0015
    count, n, shares = councils(reference, "tv04_ascof_2A2_2020_21.csv")
    expected = count * events / count.sum()
    drawn = np.random.default_rng(1).poisson(expected, (DRAWS, n.size))
    rate, variance = (drawn / n) @ shares, (drawn / n**2) @ shares**2
    covered = coverage(byar_from_variance(rate, variance), (expected / n) @ shares)
    assert -0.005 - MONTE_CARLO <= covered - 0.95 <= 0.0075 + MONTE_CARLO
    dobson = coverage(dobson_interval(rate, variance, drawn.sum(axis=-1)), (expected / n) @ shares)
    assert abs(covered - dobson) <= 0.002
