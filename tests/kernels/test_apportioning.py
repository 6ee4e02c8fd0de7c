"""Many columns at once from source areas to target areas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.kernels.apportioning import apportion, plan


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000), n_sources=st.integers(1, 40), n_targets=st.integers(1, 6), columns=st.integers(0, 5)
)
def test_apportioning_is_the_matrix_product(seed: int, n_sources: int, n_targets: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.random((n_targets, n_sources)) * (rng.random((n_targets, n_sources)) < 0.4)
    values = rng.normal(size=(n_sources, columns))
    target, source = np.nonzero(matrix)
    pairs = plan(target, source, matrix[target, source], n_targets=n_targets, n_sources=n_sources)
    expected = matrix @ values
    np.testing.assert_allclose(apportion(values, pairs), expected, rtol=1e-12, atol=1e-12)
    arranged, rows = pairs.arrange(values)
    np.testing.assert_allclose(apportion(rows, arranged), expected, rtol=1e-12, atol=1e-12)


def test_the_order_of_pairs_changes_no_bit() -> None:
    rng = np.random.default_rng(1)
    target, weight = rng.integers(0, 42, 5_000), rng.random(5_000)
    values = rng.normal(size=(5_000, 7))
    straight = plan(target, np.arange(5_000), weight, n_targets=42, n_sources=5_000)
    order = rng.permutation(5_000)
    shuffled = plan(target[order], order, weight[order], n_targets=42, n_sources=5_000)
    np.testing.assert_array_equal(apportion(values, straight), apportion(values, shuffled))


@pytest.mark.parametrize("arranged", [False, True])
def test_a_missing_value_stays_missing_where_it_counts_and_nowhere_else(arranged: bool) -> None:
    target, source, weight = [0, 0, 1, 1], [0, 1, 2, 3], [1.0, 0.5, 0.0, 2.0]
    pairs = plan(target, source, weight, n_targets=3, n_sources=4)
    values = np.array([[1.0, np.nan], [2.0, 1.0], [np.nan, np.nan], [4.0, 4.0]])
    if arranged:
        pairs, values = pairs.arrange(values)
    np.testing.assert_array_equal(apportion(values, pairs), [[2.0, np.nan], [8.0, 8.0], [0.0, 0.0]])


def test_further_axes_and_other_number_types_come_through() -> None:
    pairs = plan([0, 0], [0, 1], [1.0, 1.0], n_targets=1, n_sources=2)
    values = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    values.setflags(write=False)
    np.testing.assert_array_equal(apportion(values, pairs), values.sum(axis=0, dtype=np.float64)[None])
    np.testing.assert_array_equal(apportion(np.array([1, 2]), pairs), [3.0])


@pytest.mark.parametrize(
    ("target", "source", "weight", "words"),
    [
        ([0, 2], [0, 1], [1.0, 1.0], "target positions must lie from 0 to 1"),
        ([0, 1], [0, -1], [1.0, 1.0], "source positions must lie from 0 to 2"),
        ([0, 0], [1, 1], [1.0, 0.5], "stands twice"),
        ([0, 1], [0, 1], [1.0, np.nan], "weights must be finite"),
    ],
)
def test_impossible_pairs_are_refused(target: list[int], source: list[int], weight: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        plan(target, source, weight, n_targets=2, n_sources=3)


def test_rows_must_be_as_many_as_sources() -> None:
    pairs = plan([0], [0], [1.0], n_targets=1, n_sources=1)
    with pytest.raises(ValueError, match="values has 2 rows for 1 sources"):
        apportion([1.0, 2.0], pairs)
