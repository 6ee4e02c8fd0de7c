from __future__ import annotations

import json
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.kernels.weighting import (
    coverage,
    effective_number,
    grouped_sum,
    largest_weight,
    weighted_mean,
    weighted_mean_variance,
    weights,
)

MODEST = settings(max_examples=30, deadline=None)
ULP = 4 * np.finfo(float).eps
"""Each figure below takes at most a handful of rounded operations."""


@pytest.fixture(scope="module")
def exact(reference):
    case = json.loads((reference / "weighting" / "tv02_exact_fractions.json").read_text())
    del case["leave_one_out"]
    lists = {key: [Fraction(x) for x in value] for key, value in case.items() if isinstance(value, list)}
    return lists | {key: Fraction(value) for key, value in case.items() if isinstance(value, str)}


def floats(fractions):
    return np.array([float(each) for each in fractions])


def test_exact_fractions_agree_with_arithmetic_on_rationals_and_with_the_formulas(exact):
    people, share, value, se = (exact[key] for key in ("denominator", "membership", "value", "se"))
    total = sum(m * d for m, d in zip(share, people, strict=True))
    rational = [m * d / total for m, d in zip(share, people, strict=True)]
    mean = sum(w * t for w, t in zip(rational, value, strict=True))
    variance = sum((w * s) ** 2 for w, s in zip(rational, se, strict=True))
    together = sum(w * s for w, s in zip(rational, se, strict=True)) ** 2
    assert rational == exact["weights"]
    assert mean == exact["weighted_mean"]
    assert variance == exact["variance_independent"]
    assert together == exact["variance_perfect_correlation"]
    weight = weights(floats(people), floats(share), [0])
    squared = floats(s * s for s in se)
    np.testing.assert_allclose(weight, floats(rational), rtol=ULP)
    np.testing.assert_allclose(weighted_mean(floats(value), weight, [0]), float(mean), rtol=ULP)
    np.testing.assert_allclose(weighted_mean_variance(squared, weight, [0]), float(variance), rtol=ULP)
    np.testing.assert_allclose(weighted_mean_variance(squared, weight, [0], correlation=1), float(together), rtol=ULP)
    np.testing.assert_allclose(effective_number(weight, [0]), float(exact["effective_number"]), rtol=ULP)


@st.composite
def layouts(draw):
    """People, membership, values and the starts of one to four targets."""
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    size = sum(lengths)
    people = draw(st.lists(st.integers(1, 10**6), min_size=size, max_size=size))
    share = draw(st.lists(st.fractions(Fraction(1, 100), 1, max_denominator=100), min_size=size, max_size=size))
    value = draw(st.lists(st.fractions(-100, 100, max_denominator=1000), min_size=size, max_size=size))
    return people, share, value, [0, *accumulate(lengths)][:-1], lengths


@MODEST
@given(layouts())
def test_weights_and_means_agree_with_rational_arithmetic_for_any_layout(layout):
    people, share, value, starts, lengths = layout
    weight = weights(people, floats(share), starts)
    mean = weighted_mean(floats(value), weight, starts)
    for k, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        part = slice(start, start + length)
        inside = [m * d for m, d in zip(share[part], people[part], strict=True)]
        true = [x / sum(inside) for x in inside]
        np.testing.assert_allclose(weight[part], floats(true), rtol=1e-14)
        expected = sum(w * t for w, t in zip(true, value[part], strict=True))
        assert mean[k] == pytest.approx(float(expected), rel=1e-13, abs=1e-13 * max(abs(float(t)) for t in value[part]))
        assert effective_number(weight, starts)[k] == pytest.approx(float(1 / sum(w * w for w in true)), rel=1e-13)
        assert largest_weight(weight, starts)[k] == pytest.approx(float(max(true)), rel=1e-14)
    np.testing.assert_allclose(grouped_sum(weight, starts), 1.0, rtol=1e-14)


@MODEST
@given(layouts(), st.floats(0, 1))
def test_correlated_errors_never_shrink_the_variance(layout, correlation):
    people, share, value, starts, _ = layout
    weight, variance = weights(people, floats(share), starts), np.abs(floats(value))
    independent = weighted_mean_variance(variance, weight, starts)
    assert (
        weighted_mean_variance(variance, weight, starts, correlation=correlation) >= independent * (1 - 1e-12)
    ).all()


@MODEST
@given(layouts(), st.data())
def test_coverage_lies_between_nought_and_one_and_is_one_only_when_all_is_observed(layout, data):
    people, share, _, starts, lengths = layout
    observed = np.array(data.draw(st.lists(st.booleans(), min_size=len(people), max_size=len(people))))
    covered = coverage(weights(people, floats(share), starts), observed, starts)
    complete = [observed[s : s + n].all() for s, n in zip(starts, lengths, strict=True)]
    assert ((covered >= 0) & (covered <= 1)).all()
    assert ((covered == 1) == complete).all()


def test_batches_stand_in_front_of_the_entries():
    people, share, starts = np.array([[1.0, 3.0, 5.0], [2.0, 2.0, 5.0]]), np.array([1.0, 1.0, 0.5]), [0, 2]
    together = weights(people, share, starts)
    assert together.shape == (2, 3)
    for row, one in zip(together, people, strict=True):
        np.testing.assert_array_equal(row, weights(one, share, starts))
    np.testing.assert_array_equal(largest_weight(together, starts), [[0.75, 1], [0.5, 1]])
    assert weighted_mean(np.ones((0, 3)), np.ones((0, 3)), starts).shape == (0, 2)


def test_no_targets_give_no_sums():
    assert grouped_sum(np.zeros((2, 3, 0)), []).shape == (2, 3, 0)
    assert largest_weight(np.zeros((2, 0)), []).shape == (2, 0)


def test_coverage_of_all_areas_is_exactly_one_where_their_weights_round_to_less():
    six = weights(np.ones(6), np.ones(6), [0])
    assert grouped_sum(six, [0]) == 1 - 2**-53
    np.testing.assert_array_equal(coverage(six, np.ones(6, dtype=bool), [0]), [1.0])
    np.testing.assert_allclose(coverage(six, np.arange(6) < 2, [0]), [1 / 3], rtol=ULP)


def test_impossible_people_spoil_their_target_only():
    weight = weights([np.nan, 1, 2, -1, 0, 0], np.ones(6), [0, 2, 3, 4])
    np.testing.assert_array_equal(weight, [np.nan, np.nan, 1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(weights([1, 2, 3], [1, -0.1, 1], [0, 2]), [np.nan, np.nan, 1])


def test_an_area_without_people_or_outside_has_no_weight_and_spoils_nothing() -> None:
    np.testing.assert_array_equal(weights([0, 0.25, 0.75], np.ones(3), [0]), [0, 0.25, 0.75])
    np.testing.assert_array_equal(weights([1, 2, 3], [1, 0, 1], [0]), [0.25, 0, 0.75])


def test_an_entry_without_weight_takes_no_part_whatever_its_value():
    np.testing.assert_array_equal(weighted_mean([np.nan, 5], [0, 1], [0]), [5])
    np.testing.assert_array_equal(weighted_mean_variance([np.nan, 4], [0, 1], [0]), [4])
    np.testing.assert_array_equal(coverage([0, 1], [False, True], [0]), [1])
    np.testing.assert_array_equal(weighted_mean([np.nan, 5], [0.5, 0.5], [0]), [np.nan])
    np.testing.assert_array_equal(effective_number([0.0, 0.0], [0]), [np.nan])


def test_inputs_of_any_kind_are_left_unchanged():
    people = np.array([1, 9, 2, 9, 3, 9], dtype=np.float32)[::2]
    people.flags.writeable = False
    before = people.copy()
    np.testing.assert_allclose(weights(people, [1, 1, 0.5], [0]), [2 / 9, 4 / 9, 3 / 9], rtol=1e-7)
    np.testing.assert_array_equal(people, before)


@pytest.mark.parametrize("correlation", [-0.1, 1.1, np.nan])
def test_a_correlation_outside_nought_to_one_is_refused(correlation):
    with pytest.raises(ValueError, match="must lie between 0 "):
        weighted_mean_variance([1.0], [1.0], [0], correlation=correlation)
