"""How often 95 % limits of life expectancy hold the truth, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.kernels.expectancy import life_expectancy
from nenc_estimates.kernels.life_table import life_table

OHID = {"width": ABRIDGED_90.width, "nax": ABRIDGED_90.nax}
REPLICATES = 40_000
MONTE_CARLO_ERROR = (0.95 * 0.05 / REPLICATES) ** 0.5  # 0.0011


def coverage(person_years: float, *, open_band_variance: bool = True) -> float:
    """Share of replicates whose limits hold the true e0, among those that can be computed."""
    age = np.array(ABRIDGED_90.lower)
    middle = age + ABRIDGED_90.width.clip(max=8) / 2
    rate = 4.5e-5 * np.exp(0.0895 * middle) + 0.004 * (age == 0)  # e0 78.1: men in England, about
    table = life_table(rate, **OHID)
    population = person_years * table.nLx / table.Tx[0]
    deaths = np.random.default_rng(2014).poisson(rate * population, (REPLICATES, 20))
    result = life_expectancy(deaths, population, **OHID, open_band_variance=open_band_variance)
    computed = np.isfinite(result.ex[:, 0])
    off = np.abs(result.ex[computed, 0] - table.ex[0])
    return float(np.mean(off <= 1.959963984540054 * np.sqrt(result.variance[computed, 0])))


@pytest.mark.slow
@pytest.mark.parametrize("person_years", [5_000, 25_000, 100_000])
def test_limits_hold_the_truth_in_94_to_96_per_cent(person_years: float) -> None:
    assert 0.94 - 2 * MONTE_CARLO_ERROR <= coverage(person_years) <= 0.96 + 2 * MONTE_CARLO_ERROR


@pytest.mark.slow
def test_without_the_open_band_limits_are_too_narrow_in_small_areas() -> None:
    assert coverage(5_000, open_band_variance=False) < coverage(5_000) - 5 * MONTE_CARLO_ERROR
