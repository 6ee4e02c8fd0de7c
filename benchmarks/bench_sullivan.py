"""Speed of the life table with every column, of healthy life expectancy and of smoothed prevalence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.kernels.life_table import life_expectancy_variance, life_table
from nenc_estimates.kernels.prevalence import smooth_prevalence, survey_prevalence
from nenc_estimates.kernels.sullivan import sullivan

RULES = {"width": ABRIDGED_90.width, "nax": ABRIDGED_90.nax}
SIZES = [1, 317, 7_000, 35_000]


def synthetic(tables: int) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(3)
    middle = np.array(ABRIDGED_90.lower) + ABRIDGED_90.width.clip(max=8) / 2
    population = rng.integers(400, 6000, (tables, 20)).astype(float)
    deaths = rng.poisson(4e-5 * np.exp(0.09 * middle) * population) + 1.0
    respondents = rng.integers(20, 200, (tables, 20))
    good = rng.binomial(respondents, 1 / (1 + np.exp((middle - 75) / 18))) / respondents
    return deaths, population, good, respondents


@pytest.mark.parametrize("tables", SIZES)
def test_life_table_with_variance(benchmark: Any, tables: int) -> None:
    deaths, population, _, _ = synthetic(tables)

    def run() -> Any:
        return life_expectancy_variance(life_table(deaths / population, **RULES), deaths)

    assert np.isfinite(benchmark(run)).all()


@pytest.mark.parametrize("tables", SIZES)
def test_sullivan(benchmark: Any, tables: int) -> None:
    deaths, population, good, respondents = synthetic(tables)
    table = life_table(deaths / population, **RULES)
    survey = survey_prevalence(good, respondents, of="good")
    assert np.isfinite(benchmark(sullivan, table, survey, deaths).share_variance).all()


@pytest.mark.parametrize("tables", SIZES[:3])
def test_smooth_prevalence(benchmark: Any, tables: int) -> None:
    _, _, good, respondents = synthetic(tables)
    middle = np.array(ABRIDGED_90.lower) + ABRIDGED_90.width.clip(max=8) / 2
    result = benchmark(smooth_prevalence, good, respondents, age=middle, of="good")
    assert np.isfinite(result.value).all()
