"""Inequality from values of quantiles: published slopes, identities, and groups that are bad in one place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.inequality import (
    estimate_inequality,
    estimate_quantile_contributions,
    estimate_slope_index,
    simulate_slope_index,
)
from nenc_estimates.inequality_measures import DEFINITIONS, MEASURES
from nenc_estimates.quality import QUALITY

FIFTHS = {"quantiles": 5, "most_deprived": 1}
NATIONAL = {"definition": "national quantiles"}


def years(**columns):
    base = {"quantile": range(1, 6), "value": [72.2, 75.1, 77.7, 79.5, 82.0], "se": 0.15}
    return pd.DataFrame(base | {"population": [1321, 969, 793, 705, 617]} | columns)


def three_groups(**third):
    return pd.concat([years(sex="A"), years(sex="B", **third), years(sex="C")])


def of_measure(made, name):
    return made[made.measure == name].iloc[0]


def test_slope_and_relative_index_are_those_of_phe_sii(reference):
    # PHEindicatormethods 2.1.0, 100,000 draws: limits to 0.03 years, and 0.001 for the ratio
    inputs = pd.read_csv(reference / "demography/inequality/le_by_quintile_synthetic_inputs.csv")
    expected = pd.read_csv(reference / "demography/inequality/expected_phe_sii_quintiles_synthetic.csv").set_index(
        "sex"
    )
    table = inputs.rename(columns={"quintile": "quantile", "estimate": "value"})
    made = estimate_slope_index(table, by=["sex"], **NATIONAL, **FIFTHS)
    for sex, row in expected.iterrows():
        slope, relative = (made[(made.sex == sex) & (made.measure == name)].iloc[0] for name in made.measure.unique())
        np.testing.assert_allclose([slope.value, relative.value], [row.sii, row.rii], rtol=1e-9)
        np.testing.assert_allclose(
            [slope.lower, slope.upper], [row.sii_lower95_0cl, row.sii_upper95_0cl], rtol=0, atol=0.03
        )
        np.testing.assert_allclose(
            [relative.lower, relative.upper], [row.rii_lower95_0cl, row.rii_upper95_0cl], rtol=0, atol=0.001
        )


def test_all_measures_together_agree_with_each_function_alone():
    made = estimate_inequality(years(), by=[], measures=list(MEASURES), **NATIONAL, **FIFTHS)
    slope = estimate_slope_index(years(), by=[], **NATIONAL, **FIFTHS)
    assert of_measure(made, "slope index").value == of_measure(slope, "slope index").value
    assert of_measure(made, "difference").value == pytest.approx(9.8)
    parts = estimate_quantile_contributions(years(), by=[], **NATIONAL, **FIFTHS)
    assert parts.value.sum() == pytest.approx(of_measure(made, "attributable risk").value)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_names_its_definition_and_survives_a_bad_neighbour(measure):
    made = estimate_inequality(three_groups(value=np.nan), by=["sex"], measures=[measure], **NATIONAL, **FIFTHS)
    alone = estimate_inequality(years(), by=[], measures=[measure], **NATIONAL, **FIFTHS)
    assert made.definition.tolist() == ["national quantiles"] * 3
    assert made.quality.tolist() == ["", "quantile_without_value", ""]
    for part in ("value", "lower", "upper", "se"):
        np.testing.assert_allclose(made[part], [alone[part][0], np.nan, alone[part][0]], rtol=1e-14)
    assert set(QUALITY) >= {"quantile_without_value", "quantile_without_people", "missing_quantile"}


def test_a_missing_quantile_in_one_group_is_named_and_drops_no_group():
    # phe_sii drops the whole group with a warning
    table = three_groups()
    table = table[~((table.sex == "B") & (table["quantile"] == 3))]
    made = estimate_slope_index(table, by=["sex"], **NATIONAL, **FIFTHS)
    assert made.quality.tolist() == ["", "", "missing_quantile", "missing_quantile", "", ""]
    assert made.value.isna().tolist() == [False, False, True, True, False, False]


def test_a_gap_needs_only_its_two_ends():
    ends = years()[lambda table: table["quantile"].isin([1, 5])]
    made = estimate_inequality(ends, by=[], **NATIONAL, **FIFTHS)
    assert made.quality.tolist() == ["", ""]
    assert made.value.round(3).tolist() == [9.8, 1.136]


def test_a_population_of_zero_is_named():
    made = estimate_slope_index(three_groups(population=[1, 0, 1, 1, 1]), by=["sex"], **NATIONAL, **FIFTHS)
    assert made.quality.tolist()[2:4] == ["quantile_without_people"] * 2
    assert made.value.notna().sum() == 4


def test_limits_stand_in_for_standard_errors_and_rounding_adds_its_own():
    z = 1.959963984540054
    limits = years(lower=years().value - z * 0.15, upper=years().value + z * 0.15).drop(columns="se")
    made = estimate_inequality(limits, by=[], **NATIONAL, **FIFTHS)
    assert of_measure(made, "difference").se == pytest.approx(0.15 * 2**0.5)
    rounded = estimate_inequality(limits, by=[], decimals=1, **NATIONAL, **FIFTHS)
    assert of_measure(rounded, "difference").se == pytest.approx((2 * (0.15**2 + 0.01 / 12)) ** 0.5)


def test_without_errors_there_are_no_limits():
    made = estimate_inequality(years().drop(columns="se"), by=[], **NATIONAL, **FIFTHS)
    assert made.value.notna().all()
    assert made[["lower", "upper", "se"]].isna().all(axis=None)


def test_scatter_errors_are_a_labelled_choice():
    sampling, scatter = (
        estimate_slope_index(years(), by=[], errors=errors, **NATIONAL, **FIFTHS) for errors in ("sampling", "scatter")
    )
    assert sampling.value.tolist() == scatter.value.tolist()
    assert not np.isclose(sampling.se[0], scatter.se[0])
    assert scatter.method[0].endswith("scatter errors")


@given(st.floats(-5, 5), st.floats(0.1, 10))
def test_the_slope_is_linear_in_the_values_and_keeps_their_unit(add, times):
    made = estimate_slope_index(years(), by=[], **NATIONAL, **FIFTHS)
    moved = estimate_slope_index(years(value=years().value * times + add, se=0.15 * times), by=[], **NATIONAL, **FIFTHS)
    np.testing.assert_allclose(
        of_measure(moved, "slope index")[["value", "lower"]].astype(float),
        times * of_measure(made, "slope index")[["value", "lower"]].astype(float),
        rtol=1e-9,
    )


def test_a_reversed_ranking_changes_the_sign():
    one, other = (
        estimate_slope_index(years(), by=[], quantiles=5, most_deprived=end, **NATIONAL).value[0] for end in (1, 5)
    )
    assert one == pytest.approx(-other)


def test_a_simulation_is_repeated_by_its_generator_and_agrees_with_exact_limits():
    table = years(value=[0.05, 0.045, 0.04, 0.035, 0.03], se=0.0005)
    made = [
        simulate_slope_index(table, by=[], noise="log", rng=np.random.default_rng(7), **NATIONAL, **FIFTHS)
        for _ in range(2)
    ]
    pd.testing.assert_frame_equal(*made)
    exact = estimate_slope_index(table, by=[], **NATIONAL, **FIFTHS)
    # log-normal noise with an error of 1 % is nearly normal; 100,000 draws have an error of 0.3 % of the width
    np.testing.assert_allclose(made[0][["lower", "upper"]], exact[["lower", "upper"]], rtol=0.01)
    assert "100000 draws" in made[0].method[0]


def test_the_kind_of_frame_and_the_order_of_rows_do_not_matter():
    table = three_groups().sample(frac=1, random_state=3)
    made = estimate_inequality(table, by=["sex"], **NATIONAL, **FIFTHS)
    other = estimate_inequality(pl.from_pandas(table), by=["sex"], **NATIONAL, **FIFTHS)
    assert isinstance(other, pl.DataFrame)
    pd.testing.assert_frame_equal(made, other.to_pandas(), check_dtype=False)


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({}, {"definition": "ours"}, ValueError, "a definition is one of national quantiles"),
        ({}, {"measures": ["theil"]}, ValueError, "a measure is one of difference.*not 'theil'"),
        ({"value": [72.2, np.inf, 77, 79, 82]}, {}, InvalidDataError, "value must be finite.*quantile 2"),
        ({"lower": 70.0}, {}, SchemaError, "limits come in pairs"),
        ({"quantile": [1, 1, 3, 4, 5]}, {}, InvalidDataError, "each key may stand once"),
        ({"quantile": ["a", "b", "c", "d", "e"]}, {}, SchemaError, "'a' is no quantile"),
        ({}, {"quantiles": 2}, SchemaError, "3 or more quantiles"),
    ],
)
def test_bad_input_is_named(change, options, error, message):
    with pytest.raises(error, match=message):
        estimate_inequality(years(**change), **({"by": []} | NATIONAL | FIFTHS | options))


def test_unknown_errors_and_definitions_of_other_functions_are_named():
    with pytest.raises(ValueError, match="errors is one of sampling, scatter"):
        estimate_slope_index(years(), by=[], errors="robust", **NATIONAL, **FIFTHS)
    assert len(set(DEFINITIONS.values())) == len(DEFINITIONS)
