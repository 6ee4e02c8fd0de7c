"""Standardised rates and ratios: bands by key, references by key, groups that are bad alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.age_bands import ABRIDGED_90, ESP2013, FIVE_YEAR_90, AgeBands
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.quality import QUALITY
from nenc_estimates.standardised_rates import (
    estimate_rate_ratio,
    estimate_standardised_rate,
    estimate_standardised_ratio,
)

BANDS = AgeBands((0, 40, 80))
STANDARD = {0: 50, 40: 40, 80: 10}
SMALL = {"bands": BANDS, "standard": STANDARD}


def area(**columns):
    base = {"age": BANDS.labels, "events": [30, 300, 900], "population": [40_000, 40_000, 9_000]}
    return pd.DataFrame(base | columns)


def test_rates_are_those_of_the_independent_reference(reference):
    # closed forms in plain Python; ESP2013 with the first band split 1,000 and 4,000
    table = pd.read_csv(reference / "weighting/tv06_life_table_inputs_synthetic.csv")
    table["age"] = table.start_age.map(dict(zip(ABRIDGED_90.lower, ABRIDGED_90.labels, strict=True)))
    made = estimate_standardised_rate(
        table.sample(frac=1, random_state=2),
        by=["sex", "code"],
        bands=ABRIDGED_90,
        standard={**ESP2013, 0: 1_000, 1: 4_000},
        events="deaths",
        population="population_3y",
    ).set_index(["sex", "code"])
    expected = json.loads((reference / "weighting/tv07_dsr_expected.json").read_text())["results"]
    for sex, codes in expected.items():
        for code, area in codes["areas"].items():
            row = made.loc[(sex, code)]
            assert [row.value, row.se, row.events] == pytest.approx([area["dsr"], area["se"], area["count"]], rel=1e-12)
            assert [row.lower, row.upper] == pytest.approx(area["ci95"], rel=1e-9)


def test_the_standard_population_is_found_by_age_and_never_by_position():
    made = estimate_standardised_rate(area(), by=[], multiplier=1, **SMALL)
    backwards = dict(reversed(STANDARD.items()))
    other = estimate_standardised_rate(area().iloc[::-1], by=[], multiplier=1, bands=BANDS, standard=backwards)
    pd.testing.assert_frame_equal(made, other)
    assert made.value[0] == pytest.approx(0.5 * 30 / 40_000 + 0.4 * 300 / 40_000 + 0.1 * 900 / 9_000)


def test_a_standard_in_other_bands_is_named():
    with pytest.raises(SchemaError, match=r"other ages than the table's: \[1, 5\]"):
        estimate_standardised_rate(area(), by=[], bands=AgeBands((0, 1, 80)), standard={0: 50, 5: 40, 80: 10})


def test_esp2013_is_the_default_in_its_own_bands():
    table = pd.DataFrame({"age": FIVE_YEAR_90.labels, "events": np.arange(19) * 5, "population": 10_000})
    weights = np.array([ESP2013[age] for age in FIVE_YEAR_90.lower])
    assert estimate_standardised_rate(table, by=[]).value[0] == pytest.approx(
        (weights * np.arange(19) * 50).sum() / weights.sum()
    )


def test_few_events_are_withheld_and_a_missing_band_is_never_left_out():
    # PHEindicatormethods leaves a missing band silently out of the rate and of the standard
    few = area(group="few", events=[1, 3, 5])
    table = pd.concat([area(group="a"), few, area(group="hole").iloc[1:], area(group="nan", events=[1, np.nan, 90])])
    made = estimate_standardised_rate(table, by=["group"], **SMALL).set_index("group")
    assert made.quality.to_dict() == {
        "a": "",
        "few": "withheld_few_events",
        "hole": "missing_band",
        "nan": "band_without_events_or_people",
    }
    assert made.value.isna().to_dict() == {"a": False, "few": True, "hole": True, "nan": True}
    assert made.value["a"] == estimate_standardised_rate(area(), by=[], **SMALL).value[0]
    assert set(made.quality) - {""} <= set(QUALITY)


def test_zero_people_make_their_own_group_null():
    table = pd.concat([area(group="a"), area(group="b", population=[0, 1, 1])])
    made = estimate_standardised_rate(table, by=["group"], **SMALL)
    assert made.value.isna().tolist() == [False, True]
    assert made.quality[1] == "band_without_events_or_people"


@given(st.floats(0.1, 10))
def test_a_population_with_the_references_rates_has_a_ratio_of_one(size):
    here = area(events=np.array([30, 300, 900]) * size, population=np.array([40_000, 40_000, 9_000]) * size)
    made = estimate_standardised_ratio(here, area(), by=[], match=[], bands=BANDS, multiplier=100)
    assert made.value[0] == pytest.approx(100)


def test_references_are_met_by_key():
    table = pd.concat([area(sex="M", area="x"), area(sex="F", area="x")])
    england = pd.concat([area(sex="F", events=[60, 600, 1800]), area(sex="M")])
    made = estimate_standardised_ratio(table, england, by=["area", "sex"], bands=BANDS).set_index("sex")
    assert made.value.to_dict() == pytest.approx({"F": 0.5, "M": 1.0})
    with pytest.raises(InvalidDataError, match="the reference has no rows for M"):
        estimate_standardised_ratio(table, england[england.sex == "F"], by=["area", "sex"], bands=BANDS)


def test_a_group_without_a_reference_rate_says_so():
    made = estimate_standardised_ratio(area(), area(population=[0, 1, 1]), by=[], match=[], bands=BANDS)
    assert made.quality.tolist() == ["nothing_expected"]
    assert made.value.isna().all()


def test_three_and_a_half_fold_is_told_with_its_limits():
    rates = pd.concat(
        [area(quintile="1", events=[35, 350, 1050]), area(quintile="5", events=[10, 100, 300])],
    )
    made = estimate_standardised_rate(rates, by=["quintile"], **SMALL)
    ratio = estimate_rate_ratio(made, between=("1", "5"), populations="quintile", by=[])
    assert ratio.value[0] == pytest.approx(3.5)
    assert ratio.excess[0] == pytest.approx(250)
    assert ratio.lower[0] < 3.5 < ratio.upper[0]
    swapped = estimate_rate_ratio(made, between=("5", "1"), populations="quintile", by=[])
    np.testing.assert_allclose(swapped[["value", "lower", "upper"]], 1 / ratio[["value", "upper", "lower"]])


def test_a_rate_without_counterpart_or_value_has_no_ratio():
    rates = pd.DataFrame({"sex": ["A", "B", "B"], "who": ["1", "1", "5"], "value": [3, 0, 2], "se": 1.0})
    made = estimate_rate_ratio(rates, between=("1", "5"), populations="who", by=["sex"])
    assert made.quality.tolist() == ["no_counterpart", "rate_without_value"]
    assert made[["value", "excess"]].isna().all(axis=None)
    with pytest.raises(SchemaError, match="no row has who '4'"):
        estimate_rate_ratio(rates, between=("1", "4"), populations="who", by=["sex"])


@pytest.mark.parametrize("column", ["events", "population"])
def test_infinite_counts_are_a_fault_and_not_a_rate(column):
    table = area().astype({"events": float, "population": float}).reset_index(drop=True)
    bad = table.copy()
    bad.loc[0, column] = np.inf
    rate = estimate_standardised_rate(bad, by=[], **SMALL)
    ratio = estimate_standardised_ratio(bad, table, by=[], match=[], bands=BANDS)
    for made in (rate, ratio):
        assert made[["value", "lower", "upper", "se"]].isna().all(axis=None)
        assert made["quality"].tolist() == ["band_without_events_or_people"]
    beside = estimate_standardised_ratio(table, bad, by=[], match=[], bands=BANDS)
    assert beside["quality"].tolist() == ["nothing_expected"]
    assert beside["value"].isna().all()


@pytest.mark.parametrize("between", [("1", "1"), ("1",), (1, "1")])
def test_a_ratio_is_of_two_different_populations(between):
    rates = pd.DataFrame({"quintile": ["1", "5"], "value": [700.0, 200.0], "se": [20.0, 10.0]})
    with pytest.raises(ValueError, match="between names two different populations"):
        estimate_rate_ratio(rates, between=between, populations="quintile", by=[])


@pytest.mark.parametrize("multiplier", [0, -1, np.nan, np.inf])
def test_a_rate_is_per_a_finite_number_above_nothing(multiplier):
    with pytest.raises(ValueError, match="multiplier is what a rate is per"):
        estimate_standardised_rate(area(), by=[], multiplier=multiplier, **SMALL)
