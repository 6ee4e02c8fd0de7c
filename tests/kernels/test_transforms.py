"""Scales."""

from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates.kernels.transforms import TRANSFORMS


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_scale_comes_back_and_its_slope_is_its_derivative(name):
    scale = TRANSFORMS[name]
    value = np.linspace(0.05, 0.95, 19)
    np.testing.assert_allclose(scale.inverse(scale.forward(value)), value, rtol=1e-13)
    assert scale.slope(value).shape == value.shape
    h = 1e-6
    central = (scale.forward(value + h) - scale.forward(value - h)) / (2 * h)
    np.testing.assert_allclose(scale.slope(value), central, rtol=1e-6)  # error of the difference: h^2 / value^2


@pytest.mark.parametrize(("name", "outside"), [("log", 0.0), ("log", -1.0), ("logit", 0.0), ("logit", 1.0)])
def test_values_outside_a_scale_are_missing(name, outside):
    value = np.array([outside, 0.5])
    scale = TRANSFORMS[name]
    assert np.isnan(scale.forward(value)).tolist() == [True, False]
    assert np.isnan(scale.slope(value)).tolist() == [True, False]
