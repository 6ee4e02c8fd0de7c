"""Mixtures of distributions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from nenc_estimates.kernels.mixtures import Mixture, sum_of_mixtures


def mixture(seed: int = 1, shape: tuple[int, ...] = (4,), components: int = 7) -> Mixture:
    rng = np.random.default_rng(seed)
    weight = rng.dirichlet(np.ones(components), size=shape)
    return Mixture(
        weight=weight,
        location=rng.normal(80, 1, (*shape, components)),
        spread=np.exp(rng.normal(-1, 1.5, (*shape, components))),
    )


@given(
    arrays(float, (3,), elements=st.floats(0.01, 1)),
    arrays(float, (3,), elements=st.floats(-5, 5)),
    arrays(float, (3,), elements=st.floats(1e-3, 10)),
    st.floats(0.001, 0.999),
)
def test_the_quantile_is_where_the_distribution_reaches_its_probability(weight, location, spread, p):
    m = Mixture(weight=weight / weight.sum(), location=location, spread=spread)
    x = m.quantile(p)
    width = 1e-8 * m.sd()  # the quantile is solved to about 1e-10 of the spread
    assert m.cdf(x - width) <= p + 1e-12
    assert m.cdf(x + width) >= p - 1e-12


def test_limits_agree_with_bisection():
    m = mixture()
    low, high = np.full(4, -1000.0), np.full(4, 1000.0)
    for _ in range(200):
        middle = (low + high) / 2
        below = m.cdf(middle) < 0.975
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    np.testing.assert_allclose(m.interval(confidence=0.95)[1], low, rtol=0, atol=1e-9)


def test_mean_and_spread_are_those_of_a_mixture():
    """Two normals one sd either side of 0: variance 1 + 1."""
    m = Mixture(weight=np.array([0.5, 0.5]), location=np.array([-1.0, 1.0]), spread=np.ones(2))
    assert m.mean() == 0
    assert m.sd() == pytest.approx(2**0.5, rel=1e-15)
    assert m.quantile(0.5) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("df", [1.0, 2.0, 8.0, np.inf])
def test_one_component_is_a_student_t_or_a_normal(df):
    """Reference: scipy.stats.t and norm."""
    m = Mixture(weight=np.ones(1), location=np.array([2.0]), spread=np.array([0.5]), df=df)
    peer = stats.norm(2, 0.5) if np.isinf(df) else stats.t(df, 2, 0.5)
    levels = [0.1, 0.5, 0.975]
    np.testing.assert_allclose(m.quantile(levels), peer.ppf(levels), rtol=1e-10)
    assert m.cdf(2.3) == pytest.approx(peer.cdf(2.3), rel=1e-12)


def test_levels_come_last_and_a_single_level_adds_no_axis():
    m = mixture(shape=(2, 3))
    assert m.quantile([0.1, 0.9]).shape == (2, 3, 2)
    assert m.quantile(0.9).shape == (2, 3)


def test_a_distribution_without_spread_is_its_point():
    m = Mixture(weight=np.array([0.3, 0.7]), location=np.array([4.0, 4.0]), spread=np.zeros(2))
    assert m.quantile([0.025, 0.975]).tolist() == [4.0, 4.0]
    assert [float(m.cdf(x)) for x in (-1e9, 3.9, 4.0, 4.1, 1e9)] == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_a_certain_component_may_stand_beside_an_uncertain_one():
    # half the weight at 4 exactly: the other half gives 0.9 at its own quantile of 0.8
    m = Mixture(weight=np.array([0.5, 0.5]), location=np.array([4.0, 4.0]), spread=np.array([0.0, 1.0]))
    np.testing.assert_allclose(m.quantile([0.1, 0.9]), 4 + stats.norm.ppf([0.2, 0.8]), rtol=1e-9)
    far = Mixture(weight=np.array([0.5, 0.5]), location=np.array([4.0, 4e9]), spread=np.array([0.0, 1.0]))
    assert far.quantile(0.75) == pytest.approx(4e9, rel=1e-12)


def test_a_missing_series_stays_missing_and_leaves_the_others_alone():
    m = mixture(shape=(3,))
    whole = m.quantile(0.9)
    location = m.location.copy()
    location[1] = np.nan
    holed = Mixture(weight=m.weight, location=location, spread=m.spread).quantile(0.9)
    assert np.isnan(holed[1])
    np.testing.assert_allclose(holed[[0, 2]], whole[[0, 2]], rtol=1e-12)


@pytest.mark.parametrize("p", [0.0, 1.0, 95.0, np.nan])
def test_an_impossible_probability_is_refused(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        mixture().quantile(p)


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_have_the_mean_and_the_variance_of_independent_parts(sign):
    first, second = mixture(2), mixture(3)
    both = sum_of_mixtures(first, second, sign=sign)
    np.testing.assert_allclose(both.mean(), first.mean() + sign * second.mean(), rtol=1e-13)
    np.testing.assert_allclose(both.sd() ** 2, first.sd() ** 2 + second.sd() ** 2, rtol=1e-9)


def test_a_sum_keeps_the_components_of_the_second_and_adds_unless_told():
    first, second = (
        mixture(2),
        Mixture(weight=np.ones((4, 1)), location=np.ones((4, 1)), spread=np.ones((4, 1)), df=5.0),
    )
    both = sum_of_mixtures(first, second)
    np.testing.assert_allclose(both.mean(), first.mean() + 1, rtol=1e-14)
    assert both.df == 5
    assert both.weight is second.weight


def test_each_distribution_of_a_batch_is_asked_about_its_own_value():
    m = mixture(shape=(3,))
    alone = [Mixture(weight=m.weight[at], location=m.location[at], spread=m.spread[at]) for at in range(3)]
    x = np.array([79.0, 80.0, 82.0])
    np.testing.assert_allclose(m.cdf(x), [each.cdf(value) for each, value in zip(alone, x, strict=True)], rtol=1e-13)
    np.testing.assert_allclose(m.sd(), [each.sd() for each in alone], rtol=1e-13)
    np.testing.assert_allclose(m.quantile(0.9), [each.quantile(0.9) for each in alone], rtol=1e-12)
    np.testing.assert_allclose(m.cdf(m.quantile(0.9)), 0.9, rtol=1e-9)
    levels = (0.01, 0.5, 0.99)
    np.testing.assert_allclose(m.quantile(levels), [each.quantile(levels) for each in alone], rtol=1e-12)
    low, high = m.interval()
    np.testing.assert_allclose(m.cdf(low), 0.025, rtol=1e-8)
    np.testing.assert_allclose(m.cdf(high), 0.975, rtol=1e-9)
    low, high = m.interval(confidence=0.8)
    np.testing.assert_allclose(m.cdf(high) - m.cdf(low), 0.8, rtol=1e-8)
