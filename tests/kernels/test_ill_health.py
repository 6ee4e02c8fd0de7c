from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.kernels.ill_health import share_in_ill_health


def test_the_variance_of_a_share_agrees_with_draws():
    # 400,000 seeded draws: the SD of a simulated SD is SD / sqrt(2 n), 0.11 %; five of them are allowed
    share, variance = share_in_ill_health(60.0, 80.0, 0.09, 0.01)
    draws = np.random.default_rng(1).normal([60.0, 80.0], [0.3, 0.1], size=(400_000, 2))
    simulated = np.std(1 - draws[:, 0] / draws[:, 1])
    assert share == 0.25
    assert np.sqrt(variance) == pytest.approx(simulated, rel=0.006)


@given(st.floats(0, 100), st.floats(1, 100), st.floats(0.01, 100))
def test_a_share_does_not_change_with_the_unit_of_life(healthy, life, scale):
    share, variance = share_in_ill_health(healthy, life, 0.1, 0.2)
    scaled, same = share_in_ill_health(healthy * scale, life * scale, 0.1 * scale**2, 0.2 * scale**2)
    np.testing.assert_allclose([scaled, same], [share, variance], rtol=1e-10, atol=1e-12)


def test_a_life_without_a_healthy_year_is_all_in_ill_health():
    share, variance = share_in_ill_health(0.0, 80.0, 0.09, 0.01)
    assert (share, variance) == (1, pytest.approx(0.09 / 80**2))


def test_no_life_or_a_negative_one_has_no_share():
    share, variance = share_in_ill_health([60, -1, 60], [0, 80, 80], [0.1] * 3, [0.1] * 3)
    np.testing.assert_array_equal(np.isnan(share), [True, True, False])
    np.testing.assert_array_equal(np.isnan(variance), [True, True, False])
