"""The life table with every column, what follows from it, and healthy life expectancy; the size is the tables."""

from __future__ import annotations

import numpy as np

from inputs import BANDS, MIDDLE, in_rows, survey
from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.kernels import life_table as tables
from nenc_estimates.kernels import lifespan
from nenc_estimates.kernels.ill_health import share_in_ill_health
from nenc_estimates.kernels.prevalence import (
    impute_by_ratio,
    include_institutions,
    smooth_prevalence,
    survey_prevalence,
)
from nenc_estimates.kernels.sullivan import sullivan
from timing import given, timed


def made(size):
    """Life tables and their deaths."""
    deaths, population = in_rows(size)
    return tables.life_table(deaths / population, **BANDS), deaths


def columns(size):
    """The columns from which `from_probabilities` makes the others."""
    table, _ = made(size)
    return {"nqx": table.nqx, "width": table.width, "nax": table.nax}


def healthy(size):
    return survey_prevalence(*survey(size), of="good")


def whole_life(size):
    table, deaths = made(size)
    found = sullivan(table, healthy(size), deaths)
    return found.healthy[:, 0], found.ex[:, 0], found.healthy_variance[:, 0], np.full(size, 0.01)


CALLS = {
    tables.life_table: lambda size: given(made(size)[0].nMx, **BANDS),
    tables.from_probabilities: lambda size: given(**columns(size), nMx=made(size)[0].nMx, radix=1.0),
    tables.band_years: lambda size: given(**columns(size)),
    tables.expected: lambda size: given(made(size)[0].nqx, tables.band_years(**columns(size))),
    tables.accumulated: lambda size: given(made(size)[0].nLx, made(size)[0].nqx),
    tables.death_chance_variance: lambda size: given(*made(size)),
    tables.expected_variance: lambda size: given(*made(size), total=made(size)[0].ex),
    tables.life_expectancy_variance: lambda size: given(*made(size)),
    tables.life_table_faults: lambda size: given(*in_rows(size)),
    lifespan.survival: lambda size: given(*made(size), to=15),
    lifespan.partial_life_expectancy: lambda size: given(*made(size), to=15),
    lifespan.lifespan_variation: lambda size: given(made(size)[0]),
    lifespan.cause_deleted: lambda size: given(made(size)[0], np.full(20, 0.2)),
    lifespan.years_of_life_lost: lambda size: given(made(size)[1], made(1)[0]),
    lifespan.potential_years_of_life_lost: lambda size: given(
        made(size)[1], lower=np.array(ABRIDGED_90.lower, float), nax=BANDS["nax"]
    ),
    survey_prevalence: lambda size: given(*survey(size), of="good"),
    include_institutions: lambda size: given(healthy(size), np.linspace(0.001, 0.2, 20)),
    impute_by_ratio: lambda size: given(healthy(size), healthy(1).value * 0.9 + 0.05),
    smooth_prevalence: lambda size: given(*survey(size), age=MIDDLE, of="good"),
    sullivan: lambda size: given(made(size)[0], healthy(size), made(size)[1]),
    share_in_ill_health: lambda size: given(*whole_life(size)),
}

test_speed = timed(CALLS)
