from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nenc_estimates import (
    NONE,
    Binomial,
    Gamma,
    InvalidDataError,
    Poisson,
    estimate_life_expectancy,
    simulate,
    simulate_life_expectancy,
)
from nenc_estimates.age_bands import ABRIDGED_90

BY = ("area_code", "sex")


def table(areas=("A", "B"), *, people=60_000):
    lower = np.array(ABRIDGED_90.lower)
    middle = lower + ABRIDGED_90.width.clip(max=8) / 2
    rates = np.minimum(4e-5 * np.exp(0.09 * middle) + 0.004 * (lower == 0), 0.3)
    share = np.array([1.1, 4.7, *[6.1] * 4, *[6.5] * 8, 5.0, 4.9, 3.3, 2.5, 1.5, 0.9])
    ages = {"age": ABRIDGED_90.labels, "population": np.round(people * share / share.sum())}
    frames = [
        pd.DataFrame(
            {"area_code": area, "sex": "Male", **ages, "deaths": np.round((1 + i / 10) * rates * ages["population"])}
        )
        for i, area in enumerate(areas)
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("drawn", [Poisson(), Gamma(), Poisson(stream="other")])
def test_it_is_simulate_to_the_last_bit(drawn):
    fast = simulate_life_expectancy(table(), by=BY, at=(0, 65), seed=3, drawn=drawn, draws=2000)
    slow = simulate(
        table(),
        lambda t: estimate_life_expectancy(t, by=(*BY, "draw"), at=(0, 65)),
        drawn={"deaths": drawn},
        seed=3,
        draws=2000,
    )
    pd.testing.assert_frame_equal(fast, slow.drop(columns="quantity"), check_exact=True)


def test_rows_other_areas_and_threads_do_not_change_a_bit():
    options = {"by": BY, "seed": 3, "draws": 20_000}
    whole = simulate_life_expectancy(table(), **options)
    pd.testing.assert_frame_equal(simulate_life_expectancy(table(), **options, workers=2), whole, check_exact=True)
    shuffled = simulate_life_expectancy(table().sample(frac=1, random_state=1), **options)
    pd.testing.assert_frame_equal(shuffled, whole, check_exact=True)
    pd.testing.assert_frame_equal(simulate_life_expectancy(table(("A",)), **options), whole[:1], check_exact=True)


def test_it_agrees_with_the_closed_form_at_every_age():
    made = simulate_life_expectancy(table(), by=BY, at="all", seed=3)
    closed = estimate_life_expectancy(table(), by=BY)
    assert np.array_equal(made["value"], closed["value"])
    assert (np.abs(made["se"] - closed["se"]) < 4 * made["se_error"] + 0.02 * closed["se"]).all()


def test_1024_sobol_points_give_mean_and_error_within_those_of_10_000_draws():
    random = simulate_life_expectancy(table(), by=BY, seed=3, draws=200_000)
    sobol = simulate_life_expectancy(table(), by=BY, seed=3, draws=1024, points="sobol")
    tenth = random["se"] / np.sqrt(10_000)
    assert (np.abs(sobol["mean"] - random["mean"]) < tenth + 3 * random["mean_error"]).all()
    assert (np.abs(sobol["se"] - random["se"]) < 2 * tenth / np.sqrt(2) + 3 * random["se_error"]).all()


def test_an_area_without_an_estimate_is_null_and_leaves_the_others_alone():
    broken = table(("A", "B", "C", "D"))
    broken.loc[(broken["area_code"] == "B") & (broken["age"] == "90+"), "deaths"] = 0
    broken.loc[(broken["area_code"] == "C") & (broken["age"] == "20-24"), "deaths"] = np.nan
    made = simulate_life_expectancy(broken, by=BY, seed=3, draws=2000).set_index("area_code")
    assert made["mean"].isna().tolist() == [False, True, True, False]
    assert made["quality"].tolist() == ["", "no_deaths_in_open_band", "missing_value", ""]
    later = simulate_life_expectancy(broken, by=BY, seed=3, draws=2000, at=65, rules=NONE).set_index("area_code")
    assert later["mean"].isna().tolist() == [False, True, False, False]


def test_few_deaths_in_the_open_band_are_refused_with_their_chance():
    few = table()
    few.loc[(few["area_code"] == "B") & (few["age"] == "90+"), "deaths"] = 10
    with pytest.raises(InvalidDataError, match=r"row 39\..*4\.5e-05 in a draw and 0\.36 in at least one of 10,000"):
        simulate_life_expectancy(few, by=BY, seed=3)
    assert simulate_life_expectancy(few, by=BY, seed=3, drawn=Gamma(), draws=1000)["draws"].tolist() == [1000, 1000]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drawn": Binomial()}, "drawn by Poisson"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"draws": 10}, "1,000 or more"),
        ({"draws": 10**7, "at": "all"}, "do not fit"),
        ({"workers": 0}, "workers"),
        ({"table": table().assign(deaths=-1)}, "deaths must be 0 or more"),
    ],
)
def test_impossible_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        simulate_life_expectancy(**({"table": table(), "by": BY, "seed": 1} | change))
