from __future__ import annotations

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest

from nenc_estimates import (
    Binomial,
    Gamma,
    InvalidDataError,
    Poisson,
    Prevalence,
    Published,
    SchemaError,
)
from nenc_estimates.draws import refuse_zero_deaths, row_names
from nenc_estimates.kernels.sampling import random_words
from nenc_estimates.samplers import SAMPLERS, sampler

NAMES = np.arange(8, dtype=np.uint64).reshape(4, 2)
WORDS = random_words(1, NAMES, first=0, count=100_000)
TABLE = pd.DataFrame(
    {
        "area_code": list("ABCD"),
        "deaths": [0, 5, 80, np.nan],
        "denominator": [10, 50, 400, 10],
        "share": [0.0, 0.3, 0.9, np.nan],
        "respondents": [10, 100, 200, np.nan],
        "value": [3.0, 60.0, 80.0, np.nan],
        "lower": [2.0, 58.0, 79.0, np.nan],
        "upper": [4.5, 62.0, 81.0, np.nan],
    }
)
HOW = {
    Poisson: ("deaths", Poisson()),
    Gamma: ("deaths", Gamma()),
    Binomial: ("deaths", Binomial()),
    Prevalence: ("share", Prevalence(design_effect=1.5)),
    Published: ("value", Published(scale="log")),
}


def opened(table=TABLE):
    return nw.from_native(table, eager_only=True)


def drawn(how, column, table=TABLE):
    return sampler(opened(table), column, how)(slice(0, len(table)), WORDS.part(0, len(table)))


@pytest.mark.parametrize("kind", SAMPLERS)
def test_every_kind_keeps_missing_values_missing_and_draws_in_the_order_of_its_words(kind):
    column, how = HOW[kind]
    made = drawn(how, column)[column]
    assert made.shape == (4, 100_000)
    assert np.isnan(made[3]).all()
    order = np.argsort(WORDS.uniforms()[1])
    assert (np.diff(made[1][order]) >= 0).all()


def test_mean_and_variance_are_those_of_the_distribution():
    """100,000 draws; 5 standard errors of mean and variance, roughly."""
    count, people = 80.0, 400.0
    expected = {
        Poisson(): (count, count),
        Gamma(): (count + 0.5, count + 0.5),
        Gamma(prior=1 / 3): (count + 1 / 3, count + 1 / 3),
        Binomial(): (count, count * (1 - count / people)),
    }
    for how, (mean, variance) in expected.items():
        made = drawn(how, "deaths")["deaths"][2]
        assert abs(made.mean() - mean) < 5 * np.sqrt(variance / 1e5)
        assert abs(made.var() / variance - 1) < 5 * np.sqrt(2 / 1e5)


def test_a_prevalence_has_the_binomial_error_times_its_design_effect_and_stays_between_0_and_1():
    made = drawn(Prevalence(design_effect=1.5), "share")["share"]
    assert abs(made[1].std() / np.sqrt(1.5 * 0.3 * 0.7 / 100) - 1) < 0.03  # the logit bends: second order
    assert 0 < made[2].min() < made[2].max() < 1
    assert (made[0] == 0).all()


def test_limits_and_standard_error_move_with_a_published_value():
    for scale in ("identity", "log"):
        made = drawn(Published(scale=scale), "value", TABLE.assign(se=[0.5, 1.0, 0.5, np.nan]))
        assert set(made) == {"value", "lower", "upper", "se"}
        assert (made["lower"][:3] < made["value"][:3]).all()
        assert (made["value"][:3] < made["upper"][:3]).all()
    width = np.log(62 / 58) / (2 * 1.959964)
    from_limits = drawn(Published(scale="log"), "value")["value"]
    assert abs(np.log(from_limits[1]).std() / width - 1) < 5 * np.sqrt(1 / 2e5)
    assert abs(drawn(Published(), "value", TABLE.assign(se=0.5))["value"][1].std() / 0.5 - 1) < 5 * np.sqrt(1 / 2e5)


def test_a_row_is_named_by_its_keys_and_not_by_its_place():
    names = row_names(opened(), ["area_code"], "deaths")
    turned = row_names(opened(TABLE[::-1]), ["area_code"], "deaths")
    assert np.array_equal(names[::-1], turned)
    assert np.unique(names, axis=0).shape == (4, 2)
    assert not (names == row_names(opened(), ["area_code"], "value")).any()
    numbered = row_names(opened(pd.DataFrame({"age": [5, 10]})), ["age"], "s")
    assert np.array_equal(numbered, row_names(opened(pd.DataFrame({"age": ["5", "10"]})), ["age"], "s"))


def test_rows_with_the_same_keys_are_refused():
    twice = pd.DataFrame({"area_code": ["A", "B", "A"], "deaths": [1, 2, 3]})
    with pytest.raises(InvalidDataError, match=r"rows 0, 2 have the same keys \(area_code\).*keys="):
        row_names(opened(twice), ["area_code"], "deaths")
    with pytest.raises(InvalidDataError, match=r"rows 0, 1, 2 have the same keys \(none\)"):
        row_names(opened(twice), [], "deaths")


@pytest.mark.parametrize(
    ("column", "how", "change", "message"),
    [
        (
            "deaths",
            Poisson(),
            {"deaths": [-1, 5, 80, 1]},
            "deaths must be 0 or more to be drawn, but is not so in row 0",
        ),
        ("deaths", Poisson(), {"deaths": [1, 5, np.inf, 1]}, "1,000,000,000 or less .* row 2"),
        ("deaths", Gamma(), {"deaths": [-1, 5, 80, 1]}, "deaths must be 0 or more"),
        ("deaths", Binomial(), {"denominator": [10, 4, 400, 1]}, "not below deaths, .* row 1"),
        ("deaths", Binomial(), {"denominator": [10.5, 50, 400, 1]}, "whole number.* row 0"),
        ("share", Prevalence(), {"share": [0, 30, 0.9, 1]}, "divide percentages by 100.* row 1"),
        ("share", Prevalence(), {"respondents": [1, 1, 0, 1]}, "without respondents, above 0.* row 2"),
        ("value", Published(scale="logit"), {}, "outside the logit scale.* rows 0, 1, 2"),
        ("value", Published(), {"lower": [2, np.nan, 79, np.nan]}, "without limits lower, upper or se.* row 1"),
    ],
)
def test_figures_that_cannot_be_drawn_are_refused_with_their_rows(column, how, change, message):
    with pytest.raises(InvalidDataError, match=message):
        sampler(opened(TABLE.assign(**change)), column, how)


def test_absent_columns_and_unknown_ways_are_refused():
    with pytest.raises(SchemaError, match="has no column 'events'"):
        sampler(opened(), "events", Poisson())
    with pytest.raises(SchemaError, match="has no column 'asked'"):
        sampler(opened(), "share", Prevalence(respondents="asked"))
    with pytest.raises(
        ValueError, match="drawn by one of Poisson, Gamma, Binomial, Prevalence, Published, not 'poisson'"
    ):
        sampler(opened(), "deaths", "poisson")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gamma(prior=0), "prior is 0"),
        (lambda: Prevalence(design_effect=-1), "design_effect is -1"),
        (lambda: Published(scale="sqrt"), "scale is 'sqrt'; known: identity, log, logit"),
    ],
)
def test_impossible_options_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def ages(last, cause=None):
    table = pd.DataFrame({"area_code": ["A", "A", "B", "B"], "age": ["0-89", "90+"] * 2, "deaths": [9, last, 9, 60]})
    return table if cause is None else table.assign(cause=cause)


def test_an_open_band_that_may_be_drawn_without_deaths_is_refused_and_the_chance_is_stated():
    """exp(-5) = 0.0067, the 0.7 % of five deaths."""
    with pytest.raises(
        InvalidDataError, match=r"'90\+'.*row 1\..*5 deaths in row 1.*0\.0067 in a draw and 1 in at least"
    ):
        refuse_zero_deaths(opened(ages(5)), "deaths", Poisson(), keys=["area_code", "age"], draws=10_000)
    people = ages(5).assign(denominator=[99, 10, 99, 80])
    with pytest.raises(InvalidDataError, match=r"0\.00098 in a draw"):  # (1 - 5 / 10) ** 10
        refuse_zero_deaths(opened(people), "deaths", Binomial(), keys=["area_code", "age"], draws=10_000)


@pytest.mark.parametrize(
    ("table", "how", "keys"),
    [
        (ages(25), Poisson(), ["area_code", "age"]),
        (ages(0), Poisson(), ["area_code", "age"]),  # no life expectancy to begin with
        (ages(1), Gamma(), ["area_code", "age"]),
        (ages(1), Poisson(), ["area_code"]),
        (ages(1).assign(age="all ages"), Poisson(), ["area_code", "age"]),
        (ages(1).assign(age=["x", "y"] * 2), Poisson(), ["area_code", "age"]),
        (pd.concat([ages(15, "a"), ages(10, "b")]), Poisson(), ["area_code", "age", "cause"]),
    ],
)
def test_other_tables_are_not_refused(table, how, keys):
    refuse_zero_deaths(opened(table), "deaths", how, keys=keys, draws=10_000)
