from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.kernels.draw_summaries import draw_summary


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_mean_standard_deviation_and_limits_are_numpys(seed, confidence):
    drawn = np.random.default_rng(seed).gamma(3, size=(2, 1003))
    found = draw_summary(drawn, [3.0, 3.0], confidence=confidence)
    tail = (1 - confidence) / 2
    assert np.allclose(found.mean, drawn.mean(axis=-1), rtol=1e-14)
    assert np.allclose(found.se, drawn.std(axis=-1, ddof=1), rtol=1e-13)
    assert np.allclose([found.lower, found.upper], np.quantile(drawn, [tail, 1 - tail], axis=-1), rtol=1e-13)


def test_monte_carlo_errors_are_how_far_repeated_simulations_scatter():
    """2,000 simulations of 2,000 draws of a lopsided distribution: root mean square errors, within 15 %."""
    drawn = np.random.default_rng(1).gamma(2, size=(2000, 2000))
    found = draw_summary(drawn, np.full(2000, 2.0))
    for part in ("mean", "se", "lower", "upper"):
        said = np.sqrt(np.mean(np.square(getattr(found, f"{part}_error"))))
        assert abs(said / getattr(found, part).std() - 1) < 0.15, part


def test_normal_limits_lie_about_the_value():
    found = draw_summary(np.arange(1001.0), 490.0)
    assert np.isclose(found.normal_upper - 490.0, 1.959964 * found.se)
    assert np.isclose(490.0 - found.normal_lower, 1.959964 * found.se)


def test_a_draw_that_is_missing_or_infinite_silences_its_row_and_is_counted():
    drawn = np.random.default_rng(1).normal(size=(3, 1000))
    drawn[0, 5], drawn[1, :3] = np.nan, np.inf
    found = draw_summary(drawn, np.zeros(3))
    assert found.draws.tolist() == [999, 997, 1000]
    for part in ("mean", "se", "lower", "upper", "normal_lower", "mean_error", "se_error", "upper_error"):
        assert np.isnan(getattr(found, part)).tolist() == [True, True, False], part


def test_draws_that_are_all_alike_have_no_error():
    found = draw_summary(np.full(1000, 3.0), 3.0)
    assert [float(found.se), float(found.lower), float(found.se_error), float(found.upper_error)] == [0, 3, 0, 0]
