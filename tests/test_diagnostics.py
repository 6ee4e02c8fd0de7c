"""What an estimate rests on, where there is little to rest on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nenc_estimates import (
    Crosswalk,
    Denominator,
    SchemaError,
    benchmark_crosswalk,
    diagnose_estimate,
    estimate_indicator,
)

THREE = Crosswalk.from_shares([("E06000001", "T", 1.0), ("E06000002", "T", 1.0), ("E06000003", "T", 0.5)])
PEOPLE = Denominator.from_table(pd.DataFrame({"area_code": THREE.sources, "people": [100, 200, 300]}))


def diagnosed(table: pd.DataFrame, **options: Any) -> pd.DataFrame:
    return diagnose_estimate(table, to=THREE, denominator=PEOPLE, **options)


def table_of(*values: float, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"area_code": THREE.sources, "value": values, **columns})


def test_one_area_alone_has_no_spread_and_cannot_be_left_out() -> None:
    facts = diagnosed(table_of(0.1, np.nan, np.nan)).set_index("diagnostic")
    assert facts.loc["coverage", "value"] == pytest.approx(100 / 450)
    assert facts.loc["weight", "value"] == facts.loc["effective_number", "value"] == 1
    assert np.isnan(facts.loc["between_area_sd", "value"])
    assert not {"leave_one_out", "influence"} & set(facts.index)


def test_no_area_with_a_value_leaves_the_route_and_no_weights() -> None:
    facts = diagnosed(table_of(np.nan, np.nan, np.nan))
    assert facts.set_index("diagnostic").loc["coverage", "value"] == 0
    assert not {"weight", "largest_weight", "lowest_area"} & set(facts["diagnostic"])


def test_people_who_stand_for_others_are_named() -> None:
    facts = diagnosed(table_of(0.1, 0.2, 0.4), proxy="All ages stand for adults").set_index("diagnostic")
    assert facts.loc["proxy", "detail"] == "All ages stand for adults"


def test_people_of_another_year_are_named() -> None:
    yearly = pd.DataFrame({"area_code": THREE.sources, "people": [100, 200, 300], "year": 2011})
    facts = diagnose_estimate(
        table_of(0.1, 0.2, 0.4, period="2018"), to=THREE, denominator=Denominator.from_table(yearly)
    ).set_index("diagnostic")
    assert facts.loc["proxy", "detail"] == "People of the nearest year with figures stand for the middle of the period."


def test_counts_are_diagnosed_by_the_rates_they_make() -> None:
    counts = table_of(np.nan, np.nan, np.nan, count=[10, 40, 30], denominator=[100, 200, 300]).drop(columns="value")
    facts = diagnose_estimate(counts, to=THREE, kind="proportion", multiplier=100.0).set_index("diagnostic")
    assert facts.loc["lowest_area", ["source_code", "value"]].tolist() == ["E06000001", 10]
    assert facts.loc["highest_area", ["source_code", "value"]].tolist() == ["E06000002", 20]


def test_only_series_of_both_vintages_are_set_against_each_other() -> None:
    first = table_of(0.1, 0.2, 0.4, period="2018")
    other = pd.concat([first.assign(value=0.3), first.assign(value=0.5, period="2019")])
    facts = diagnosed(first, other_vintage=other)
    assert facts[facts["diagnostic"] == "value_other_vintage"]["value"].tolist() == [pytest.approx(0.3)]


def test_a_region_without_a_known_authority_is_no_benchmark() -> None:
    with pytest.raises(SchemaError, match="no local authority of E12000001 in the table"):
        benchmark_crosswalk(pd.DataFrame({"area_code": ["E10000006"]}), region="E12000001")


def test_years_of_equal_weights_have_the_same_remarks() -> None:
    both = pd.concat([table_of(0.1, 0.2, 0.4, period=period) for period in ("2018", "2019")])
    made = estimate_indicator(both, to=THREE, denominator=PEOPLE, confidence=None)
    assert made["quality"].nunique() == made["notes"].nunique() == 1
    assert made["quality"].str.contains("partial_area").all()
