from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nenc_estimates.kernels.sampling import (
    FOLLOWING,
    SOBOL_ROWS,
    check_seed,
    gamma_quantile,
    random_words,
    word_source,
)

ROWS = np.random.default_rng(0).integers(0, 2**64, (5, 2), dtype=np.uint64)
FROZEN = [3637758839183941, 4885807157038816, 64953241174331734]


def whole(words):
    rows, draws = words.leading.shape
    row, draw = np.arange(rows)[:, None], np.arange(draws)
    return (words.leading.astype(np.uint64) << np.uint64(FOLLOWING)) | words.following(row, draw)


@settings(max_examples=25, deadline=None)
@given(first=st.integers(0, 10_000), count=st.integers(1, 40), seed=st.integers(0, 2**128 - 1))
def test_any_run_of_draws_of_any_rows_has_the_bits_of_the_whole(first, count, seed):
    long = whole(random_words(seed, ROWS, first=max(first - 7, 0), count=count + 30))
    start = min(first, 7)
    order = [3, 0]
    run = whole(random_words(seed, ROWS[order], first=first, count=count))
    assert np.array_equal(run, long[order, start : start + count])


def test_the_stream_is_this_one_for_ever():
    """A change of these bits changes every simulated number: they are Philox 4x64-10 and SplitMix64."""
    words = whole(random_words(2026, np.array([[1, 2]], dtype=np.uint64), first=15, count=3))
    philox = np.random.Philox(key=2026, counter=[0, 0, 1, 2]).random_raw(8).astype("<u8").view("<u2")
    assert (words[0] >> np.uint64(FOLLOWING)).tolist() == philox[15:18].tolist()
    assert words[0].tolist() == FROZEN


def test_words_are_uniform_in_their_first_and_in_their_last_bits():
    """Chi-square over 256 classes, 4 places of the word; chance of a false alarm 4e-6."""
    words = whole(random_words(1, ROWS, first=0, count=200_000)).ravel()
    for shift in (48, 32, 16, 0):
        counts = np.bincount((words >> np.uint64(shift)).astype(np.int64) & 255, minlength=256)
        assert stats.chisquare(counts).pvalue > 1e-6


def test_rows_and_neighbouring_draws_are_not_correlated():
    uniform = random_words(1, ROWS, first=0, count=200_000).uniforms()
    between = np.corrcoef(uniform)[np.triu_indices(5, 1)]
    along = [np.corrcoef(row[1:], row[:-1])[0, 1] for row in uniform]
    assert np.abs([*between, *along]).max() < 5 / np.sqrt(200_000)


def test_uniform_numbers_are_never_0_or_1():
    words = random_words(1, ROWS, first=0, count=3)
    words.leading[:] = 2**16 - 1
    ones = type(words)(leading=words.leading, following=lambda row, draw: np.full((5, 3), 2**40 - 1, dtype=np.uint64))
    assert ones.uniforms().max() < 1
    words.leading[:] = 0
    zeros = type(words)(leading=words.leading, following=lambda row, draw: np.zeros((5, 3), dtype=np.uint64))
    assert zeros.uniforms().min() > 0


def test_sobol_points_are_even_in_every_row_and_do_not_depend_on_the_order_of_rows_or_on_runs():
    points = word_source(3, ROWS, points="sobol")
    uniform = points(0, 64).uniforms()
    for row in uniform:
        assert sorted(np.floor(row * 64).astype(int)) == list(range(64))
    assert np.array_equal(word_source(3, ROWS[::-1], points="sobol")(0, 64).uniforms(), uniform[::-1])
    assert np.array_equal(points(32, 16).uniforms(), uniform[:, 32:48])
    assert not np.array_equal(word_source(4, ROWS, points="sobol")(0, 64).uniforms(), uniform)


def test_rows_of_one_name_share_their_sobol_points_as_they_share_random_words():
    twice = np.concatenate([ROWS, ROWS[:2]])
    uniform = word_source(3, ROWS, points="sobol")(0, 64).uniforms()
    assert np.array_equal(word_source(3, twice, points="sobol")(0, 64).uniforms(), uniform[[*range(len(ROWS)), 0, 1]])


def test_parts_and_single_draws_of_words_are_those_of_the_whole():
    words = random_words(1, ROWS, first=3, count=20)
    assert np.array_equal(words.part(1, 4).uniforms(), words.uniforms()[1:4])
    assert np.array_equal(words.draws(5, 9).uniforms(), words.uniforms()[:, 5:9])


def test_gamma_draws_have_mean_and_variance_of_their_shape():
    """Both are the shape; 200,000 draws, 5 standard errors."""
    uniform = random_words(1, ROWS[:2], first=0, count=200_000).uniforms()
    shape = np.array([0.5, 20.5])
    drawn = gamma_quantile(uniform, shape[:, None])
    assert (drawn > 0).all()
    assert np.allclose(drawn.mean(axis=-1), shape, atol=5 * np.sqrt(shape / 200_000))
    assert np.allclose(drawn.var(axis=-1), shape, rtol=5 * np.sqrt((2 + 6 / shape) / 200_000))


@pytest.mark.parametrize("seed", [None, -1, 2**128, 1.5, "1", True])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match="give a whole number, 0 or more"):
        check_seed(seed)


def test_too_many_rows_for_sobol_points_and_unknown_points_are_refused():
    with pytest.raises(ValueError, match="21,201 drawn rows at most"):
        word_source(1, np.arange(2 * (SOBOL_ROWS + 1), dtype=np.uint64).reshape(-1, 2), points="sobol")
    with pytest.raises(ValueError, match="points are 'random' or 'sobol', not 'halton'"):
        word_source(1, ROWS, points="halton")
