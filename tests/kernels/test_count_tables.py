from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nenc_estimates.kernels.count_tables import LARGEST, MOST_ROWS, binomial_tables, buckets, poisson_tables
from nenc_estimates.kernels.sampling import random_words


def words(rows=1, *, first=0, count=100_000, seed=7):
    names = np.arange(2 * rows, dtype=np.uint64).reshape(rows, 2)
    return random_words(seed, names, first=first, count=count)


@pytest.mark.parametrize("mean", [0.1, 1, 9.9, 100, 1000, 1e5])
def test_poisson_draws_pass_a_chi_square_test(mean):
    """Two million draws in up to 60 classes of equal chance; chance of a false alarm 1e-4 each."""
    drawn = np.concatenate([poisson_tables([mean]).draw(words(seed=seed))[0] for seed in range(20)])
    edges = np.unique(stats.poisson.ppf(np.linspace(0, 1, 61)[1:-1], mean))
    expected = np.diff(np.concatenate([[0], stats.poisson.cdf(edges, mean), [1]])) * drawn.size
    observed = np.bincount(np.searchsorted(edges, drawn), minlength=expected.size)
    kept = expected > 5
    assert stats.chisquare(observed[kept], expected[kept] * observed[kept].sum() / expected[kept].sum()).pvalue > 1e-4


@settings(max_examples=30, deadline=None)
@given(mean=st.floats(0.01, 3000), seed=st.integers(0, 2**32))
def test_a_poisson_draw_is_the_inverse_distribution_function_at_its_word(mean, seed):
    drawn = words(count=5000, seed=seed)
    assert np.array_equal(poisson_tables([mean]).draw(drawn)[0], stats.poisson.ppf(drawn.uniforms()[0], mean))


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 20_000), chance=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_a_binomial_draw_is_the_inverse_distribution_function_at_its_word(size, chance, seed):
    drawn = words(count=3000, seed=seed)
    made = binomial_tables([size], [chance]).draw(drawn)[0]
    reached, before = stats.binom.cdf(made, size, chance), stats.binom.cdf(made - 1, size, chance)
    uniform = drawn.uniforms()[0]
    assert ((before - 1e-11 <= uniform) & (uniform <= reached + 1e-11)).all()


def test_rows_short_runs_and_long_runs_agree_to_the_last_bit():
    means = np.array([0.0, 0.3, 12, 250, 40_000])
    together = poisson_tables(means).draw(words(5, count=20_000))
    for row, mean in enumerate(means):
        alone = poisson_tables([mean]).draw(words(5, count=20_000).part(row, row + 1))
        assert np.array_equal(alone[0], together[row])
    assert np.array_equal(poisson_tables(means).draw(words(5, first=77, count=9)), together[:, 77:86])


def test_draws_grow_with_the_mean_draw_by_draw():
    low, high = (poisson_tables([mean]).draw(words())[0] for mean in (95.0, 100.0))
    assert (low <= high).all()


def test_what_follows_from_a_count_can_be_drawn_in_its_place():
    tables = poisson_tables([4.0, 60.0])
    drawn = words(2)
    assert np.array_equal(tables.draw(drawn, np.sqrt(tables.count)), np.sqrt(tables.draw(drawn)))


def test_few_buckets_of_a_count_need_more_than_their_first_bits():
    tables = poisson_tables([1.0, 100.0])
    assert np.isnan(buckets(tables, tables.count)).mean(axis=-1).max() < 0.03


@pytest.mark.parametrize("mean", [[-1.0], [np.nan], [2 * LARGEST], [[1.0]], np.ones(MOST_ROWS + 1)])
def test_impossible_means_are_refused(mean):
    with pytest.raises(ValueError, match=r"a count can be drawn if|255 rows at a time"):
        poisson_tables(mean)


@pytest.mark.parametrize(("size", "chance"), [(1.5, 0.5), (3, 1.1), (3, np.nan), (-1, 0.5)])
def test_impossible_binomials_are_refused(size, chance):
    with pytest.raises(ValueError, match="whole number of trials and a probability"):
        binomial_tables([size], [chance])
