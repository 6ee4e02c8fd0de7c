"""Years gained is another question than a contribution; a change of a gap is shared out as the gap was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nenc_estimates.age_bands import AgeBands
from nenc_estimates.decomposition import decompose_gap
from nenc_estimates.decomposition_questions import QUESTION, compare_decompositions, estimate_years_gained
from nenc_estimates.errors import InvalidDataError, SchemaError

BANDS = AgeBands((0, 40, 80))
SMALL = {"between": ("here", "there"), "populations": "area", "keys": [], "bands": BANDS}
HERE, THERE = ((30, 30), (300, 600), (900, 1000)), ((20, 40), (200, 500), (800, 900))


def two(here=HERE, there=THERE, **columns):
    rows = [
        {"area": area, "age": age, "cause": cause, "deaths": deaths, "population": people}
        for area, cells in (("here", here), ("there", there))
        for age, pair, people in zip(BANDS.labels, cells, (40_000, 40_000, 9_000), strict=True)
        for cause, deaths in zip(("a", "b", "all"), (*pair, sum(pair)), strict=True)
    ]
    return pd.DataFrame(rows).assign(**columns)


def gap(**options):
    return decompose_gap(two(**options), **SMALL).value.iloc[-1]


def test_years_gained_are_the_gap_to_the_population_with_those_rates_changed():
    made = estimate_years_gained(two(), causes=["a"], ages=["40-79"], **SMALL)
    changed = (HERE[0], (THERE[1][0], HERE[1][1]), HERE[2])
    assert made.value[0] == pytest.approx(gap(there=changed), rel=1e-12)
    assert made[["causes", "ages", "question"]].iloc[0].tolist() == ["a", "40-79", QUESTION]


def test_years_gained_are_no_contributions_but_everything_together_is_the_gap():
    contributions = decompose_gap(two(), by="cause", **SMALL).set_index("cause").value
    alone = {name: estimate_years_gained(two(), causes=[name], **SMALL).value[0] for name in ("a", "b")}
    assert abs(alone["a"] - contributions["a"]) > 1e-3
    assert estimate_years_gained(two(), **SMALL).value[0] == pytest.approx(contributions["all"], rel=1e-12)
    assert abs(sum(alone.values()) - contributions["all"]) > 1e-3


def test_the_error_of_years_gained_is_that_of_monte_carlo():
    made = estimate_years_gained(two(), causes=["a"], **SMALL)
    rng, draws = np.random.default_rng(5), []
    for _ in range(300):
        table = two(here=rng.poisson(HERE).tolist(), there=rng.poisson(THERE).tolist())
        draws.append(estimate_years_gained(table, causes=["a"], **SMALL).value[0])
    # a standard deviation of 300 draws has an error of 4 %: three of them
    assert made.se[0] == pytest.approx(np.std(draws), rel=0.12)
    whole = decompose_gap(two(), **SMALL)
    assert estimate_years_gained(two(), **SMALL).se[0] == pytest.approx(whole.se.iloc[-1], rel=1e-9)


def test_an_unknown_cause_is_named_and_a_bad_pair_says_why():
    with pytest.raises(SchemaError, match=r"no row has cause 'c'\. Causes: a, b"):
        estimate_years_gained(two(), causes=["c"], **SMALL)
    made = estimate_years_gained(two(here=((1, 1), (2, 2), (0, 0))), **SMALL)
    assert made.quality.tolist() == ["no_deaths_in_open_band"]
    assert made[["value", "se"]].isna().all(axis=None)


def test_the_change_of_a_gap_is_the_sum_of_the_changes_of_its_parts():
    options = {"by": ("age", "cause"), **SMALL, "keys": ["period"]}
    then = decompose_gap(two(period="2014"), **options)
    now = decompose_gap(two(here=((25, 30), (280, 550), (850, 990)), period="2018"), **options)
    made = compare_decompositions(then, now, keys=[])
    assert made.age.tolist() == then.age.tolist()
    parts = made[(made.age != "all") & (made.cause != "all")]
    total = made[(made.age == "all") & (made.cause == "all")]
    assert parts.value.sum() == pytest.approx(total.value.iloc[0], abs=1e-12)
    np.testing.assert_allclose(made.se, np.hypot(then.se, now.se))


def test_decompositions_without_periods_are_taken_in_the_order_given():
    options = {"by": ("age",), **SMALL, "keys": []}
    then, now = decompose_gap(two(), **options), decompose_gap(two(here=((25, 30), (280, 550), (850, 990))), **options)
    there, back = compare_decompositions(then, now, keys=[]), compare_decompositions(now, then, keys=[])
    np.testing.assert_allclose(there.value, now.value - then.value)
    np.testing.assert_allclose(there.value, -back.value)


def test_decompositions_that_cannot_be_compared_are_named():
    options = {**SMALL, "keys": ["period"]}
    then, now = (decompose_gap(two(period=period), **options) for period in ("2014-16", "2017-19"))
    with pytest.raises(InvalidDataError, match="periods 2014-16 and 2015-17 overlap"):
        compare_decompositions(then, now.assign(period="2015-17"), keys=[])
    with pytest.raises(InvalidDataError, match="decompositions of different method"):
        compare_decompositions(then, now.assign(method="path"), keys=[])
    with pytest.raises(InvalidDataError, match="no counterpart of"):
        compare_decompositions(then, now.iloc[1:], keys=[])
    with pytest.raises(InvalidDataError, match=r"the earlier decomposition has no counterpart of row 0 \(age 0-39"):
        compare_decompositions(then.iloc[1:], now, keys=[])


def test_a_change_without_value_says_why():
    options = {**SMALL, "keys": ["period"]}
    then, now = (decompose_gap(two(period=period), **options) for period in ("2014-16", "2017-19"))
    assert set(compare_decompositions(then, now, keys=[]).quality) == {""}
    few = decompose_gap(two(here=((1, 1), (2, 2), (0, 0)), period="2017-19"), **options)
    made = compare_decompositions(then, few, keys=[])
    assert made.value.isna().all()
    assert set(made.quality) == {"no_deaths_in_open_band"}
    unsaid = compare_decompositions(then.drop(columns="quality"), now.assign(value=np.nan, quality=""), keys=[])
    assert set(unsaid.quality) == {"no_value"}
