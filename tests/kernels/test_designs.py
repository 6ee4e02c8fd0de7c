"""Designs: what a fit knows before it sees a value."""

from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates.kernels.designs import series_design
from nenc_estimates.kernels.trend_models import MODELS

YEARS = np.arange(2008.0, 2032.0)
FIRST, N = YEARS[:12], np.full(12, 3.0)


@pytest.mark.parametrize("trend", ["flat", "drift", "linear", "converge"])
def test_contrasts_know_nothing_of_the_curves_and_have_variance_one(trend):
    model = MODELS[trend](YEARS)
    design = series_design(FIRST, N, years=YEARS, model=model, shocks=[(2018,)], breaks=[2015])
    seen = np.column_stack([design.weights @ design.basis, FIRST >= 2015])
    np.testing.assert_allclose(design.contrasts @ seen, 0, atol=1e-10)
    walk = design.contrasts @ design.weights @ model.covariance @ design.weights.T @ design.contrasts.T
    np.testing.assert_allclose(walk, np.eye(len(walk)), atol=1e-9)
    np.testing.assert_allclose(design.anchor @ seen, np.eye(seen.shape[1]), atol=1e-10)


def test_a_model_that_estimates_nothing_has_no_contrasts_shocks_or_breaks():
    model = MODELS["scenario"](YEARS, change=0.1)
    design = series_design(FIRST, N, years=YEARS, model=model, shocks=[(2018,)], breaks=[2015])
    assert design.contrasts.shape == (0, 12)
    assert design.basis.shape[1] == 1
    assert design.breaks == ()
