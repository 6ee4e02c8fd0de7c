"""Routes from the figures of areas to the figure of a target: pooled, recovered, averaged."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates import (
    Bounds,
    Crosswalk,
    Denominator,
    Imputed,
    InvalidDataError,
    SchemaError,
    UnknownAreaError,
    benchmark_crosswalk,
    diagnose_estimate,
    estimate_gap,
    estimate_indicator,
    load_crosswalk,
    read_indicator,
    select_geography,
)
from nenc_estimates.aggregation import MOST_PLACES, places_of
from nenc_estimates.kernels import intervals

if TYPE_CHECKING:
    from pathlib import Path

CUMBRIA = 0.639618
"""Membership of Cumbria to six places, as the reference numbers took it."""

THREE = Crosswalk.from_shares([("E06000001", "T", 1.0), ("E06000002", "T", 1.0), ("E06000003", "T", 0.5)])
PEOPLE = Denominator.from_table(pd.DataFrame({"area_code": THREE.sources, "people": [100, 200, 300]}))


def table_of(**columns: Any) -> pd.DataFrame:
    """Three areas with the given columns."""
    return pd.DataFrame({"area_code": list(THREE.sources), **columns})


def councils(reference: Path, name: str) -> pd.DataFrame:
    """Thirteen councils with counts, as published (NHS Digital, ASCOF 2020-21)."""
    counts = pd.read_csv(reference / "weighting" / name)
    counts = counts[counts["ONS Code"].str.match(r"E(06|08|10)")]
    return counts.rename(columns={"ONS Code": "area_code", "numerator": "count"})[["area_code", "count", "denominator"]]


def to_nenc() -> Crosswalk:
    """NENC from its thirteen authorities, Cumbria at the rounded share of the reference."""
    rows = [
        (code, "E54000050", CUMBRIA if code == "E10000006" else 1.0)
        for code in load_crosswalk("utla21", "nenc").sources
    ]
    return Crosswalk.from_shares(rows)


@pytest.mark.parametrize(
    ("name", "kind", "multiplier", "key", "expected"),
    [
        ("tv03_ascof_1E_2020_21.csv", "proportion", 1.0, "wilson95_pooled_n", "tv03_ascof_1E_expected.json"),
        ("tv04_ascof_2A2_2020_21.csv", "crude rate", 1e5, "byar95", "tv04_ascof_2A2_expected.json"),
    ],
)
def test_pooled_counts_agree_with_real_councils(
    reference: Path, name: str, kind: str, multiplier: float, key: str, expected: str
) -> None:
    """Counts of 13 councils, pooled with Cumbria at its share: weighting/tv03 and tv04, plain-Python reference."""
    answer = json.loads((reference / "weighting" / expected).read_text())
    answer = answer.get("nenc_cumbria_partial") or answer["nenc_partial"]
    made = estimate_indicator(councils(reference, name), to=to_nenc(), kind=kind, multiplier=multiplier).iloc[0]
    assert made["value"] == pytest.approx(answer.get("value") or answer["rate_per_100k"], rel=1e-12)
    assert [made["lower"], made["upper"]] == pytest.approx(answer[key], rel=1e-12)
    assert made["route"] == "pooled counts"


@pytest.mark.parametrize(
    ("name", "numerator", "denominator"),
    [("tv03_ascof_1E_2020_21.csv", 331, 7_630), ("tv04_ascof_2A2_2020_21.csv", 3_904, 537_631)],
)
def test_the_twelve_north_east_authorities_make_the_published_region(
    reference: Path, name: str, numerator: int, denominator: int
) -> None:
    """NHS Digital publishes 331 of 7,630 and 3,904 of 537,631 for the North East region."""
    table = councils(reference, name)
    table = table[table["area_code"] != "E10000006"]
    region = benchmark_crosswalk(table, region="E12000001")
    made = estimate_indicator(table, to=region, kind="proportion", confidence=None)
    assert made["value"].tolist() == [numerator / denominator]
    assert made["n_areas"].tolist() == [12]


def test_unrounded_limits_give_back_the_pooled_counts(reference: Path) -> None:
    """From value and Wilson limits alone the answer is that of the counts (weighting/tv03_wilson_inversion)."""
    behind = pd.read_csv(reference / "weighting" / "tv03_wilson_inversion.csv").rename(columns={"code": "area_code"})
    counts = behind[["area_code", "x", "n"]].rename(columns={"x": "count", "n": "denominator"})
    from_limits = estimate_indicator(behind[["area_code", "value", "lower", "upper"]], to=to_nenc(), kind="proportion")
    from_counts = estimate_indicator(counts, to=to_nenc(), kind="proportion")
    numbers = ["value", "lower", "upper", "se"]
    np.testing.assert_allclose(from_limits[numbers], from_counts[numbers], rtol=1e-9)
    assert from_limits["route"].tolist() == ["recovered counts"]


def test_rounded_limits_that_leave_too_many_counts_fall_back_to_people_and_say_so(reference: Path) -> None:
    """Durham's 0.7 % allows sample sizes more than 10 % apart, so its target is weighted by people."""
    behind = pd.read_csv(reference / "weighting" / "tv03_wilson_inversion.csv").rename(columns={"code": "area_code"})
    rounded = behind[["area_code"]].assign(
        value=behind["value_1dp"] * 100, lower=behind["lower_1dp"] * 100, upper=behind["upper_1dp"] * 100
    )
    people = Denominator.from_table(
        pd.DataFrame({"area_code": behind["area_code"], "people": behind["n"]}), name="adults"
    )
    made = estimate_indicator(rounded, to=to_nenc(), denominator=people, kind="proportion", multiplier=100.0).iloc[0]
    assert made["route"] == "weighted mean"
    assert "rounded_limits" in made["quality"]
    assert made["lower"] < made["value"] < made["upper"]
    with pytest.raises(InvalidDataError, match=r"do not give back the count behind them .*Pass denominator="):
        estimate_indicator(rounded, to=to_nenc(), kind="proportion", multiplier=100.0)


def test_rates_with_byar_limits_give_back_their_events(reference: Path) -> None:
    """From rate and Byar limits alone (weighting/tv04_byar_inversion) the pooled rate and limits return."""
    behind = pd.read_csv(reference / "weighting" / "tv04_byar_inversion.csv").rename(
        columns={"code": "area_code", "rate": "value"}
    )
    counts = behind[["area_code", "x", "n"]].rename(columns={"x": "count", "n": "denominator"})
    options: dict[str, Any] = {"to": to_nenc(), "kind": "crude rate", "multiplier": 1e5}
    from_limits = estimate_indicator(behind[["area_code", "value", "lower", "upper"]], **options)
    from_counts = estimate_indicator(counts, **options)
    np.testing.assert_allclose(
        from_limits[["value", "lower", "upper"]], from_counts[["value", "lower", "upper"]], rtol=1e-8
    )


@pytest.mark.parametrize("sex", ["M", "F"])
def test_standardised_rates_are_weighted_by_count_over_rate(reference: Path, sex: str) -> None:
    """Weights of count over rate come within 0.05 % of pooling by age, people only within 0.5 % (weighting/tv07)."""
    answer = json.loads((reference / "weighting" / "tv07_dsr_expected.json").read_text())["results"][sex]
    areas = answer["areas"]
    rows = [
        {"area_code": code, "value": a["dsr"], "lower": a["ci95"][0], "upper": a["ci95"][1], "count": a["count"]}
        for code, a in areas.items()
    ]
    options: dict[str, Any] = {"to": to_nenc(), "kind": "directly standardised rate", "multiplier": 1e5}
    with_counts = estimate_indicator(pd.DataFrame(rows), **options).iloc[0]
    recovered = estimate_indicator(pd.DataFrame(rows).drop(columns="count"), **options).iloc[0]
    assert with_counts["value"] == pytest.approx(answer["pooled_dsr"], rel=5e-4)
    assert answer["population_weighted_dsr"] != pytest.approx(answer["pooled_dsr"], rel=3e-3)
    assert with_counts["se"] == pytest.approx(answer["pooled_se"], rel=1e-2)
    np.testing.assert_allclose(
        recovered[["value", "lower", "upper"]].astype(float),
        with_counts[["value", "lower", "upper"]].astype(float),
        rtol=1e-6,
    )


def test_a_survey_gives_standard_errors_but_no_weights() -> None:
    """Sample sizes of a survey say nothing about where people live: people stay the weights."""
    value, n = np.array([0.10, 0.20, 0.40]), np.array([900.0, 100.0, 400.0])
    limits = intervals.wilson_interval(value * n, n)
    table = table_of(value=value, lower=limits.lower, upper=limits.upper)
    made = estimate_indicator(table, to=THREE, denominator=PEOPLE, kind="proportion", survey=True).iloc[0]
    w = np.array([2 / 9, 4 / 9, 1 / 3])
    assert made["value"] == pytest.approx(w @ value, rel=1e-14)
    assert made["se"] == pytest.approx(np.sqrt(np.sum(w**2 * value * (1 - value) / n)), rel=1e-9)
    assert made["route"] == "weighted mean"


def test_every_kind_pools_exactly_what_it_should() -> None:
    """Sums over sums, against exact fractions."""
    table = table_of(count=[10, 40, 120], denominator=[100, 200, 300])
    expected = (Fraction(10) + 40 + Fraction(120, 2)) / (100 + 200 + Fraction(300, 2))
    for kind in ("proportion", "share of services", "crude rate", "indirectly standardised ratio", "ratio of two sums"):
        made = estimate_indicator(table, to=THREE, kind=kind).iloc[0]
        assert made["value"] == pytest.approx(float(expected), rel=1e-15)
        assert made["lower"] < made["value"] < made["upper"]
    mean = estimate_indicator(table_of(value=[1.0, 2.0, 4.0], denominator=[100, 200, 300]), to=THREE).iloc[0]
    assert mean["value"] == pytest.approx(float(Fraction(100 + 400 + 600, 450)), rel=1e-15)
    assert np.isnan(mean["lower"])


def test_a_ratio_of_two_sums_has_limits_of_the_delta_method() -> None:
    """Both sums Poisson: the variance of the log ratio is 1/x + 1/y."""
    table = table_of(count=[10, 40, 120], denominator=[100, 200, 300])
    made = estimate_indicator(table, to=THREE, kind="ratio of two sums").iloc[0]
    spread = 1.959963984540054 * np.sqrt(1 / 110 + 1 / 450)
    assert made["upper"] / made["value"] == pytest.approx(np.exp(spread), rel=1e-12)


def test_an_index_has_a_mean_and_no_limits() -> None:
    made = estimate_indicator(table_of(value=[10.0, 20.0, 40.0]), to=THREE, denominator=PEOPLE, kind="index score")
    assert made["value"].tolist() == [pytest.approx(10 * 2 / 9 + 20 * 4 / 9 + 40 / 3)]
    assert made[["lower", "upper"]].isna().all(axis=None)


@pytest.mark.parametrize("kind", ["median", "rank", "RAG rating", "slope index", "gap", "Gini"])
def test_what_cannot_be_aggregated_is_refused_with_what_is_needed(kind: str) -> None:
    with pytest.raises(SchemaError, match=rf"kind {kind!r} cannot be aggregated: .+"):
        estimate_indicator(table_of(value=[1.0, 2.0, 3.0]), to=THREE, denominator=PEOPLE, kind=kind)


def test_a_missing_proportion_has_bounds_that_hold_every_possible_value() -> None:
    """weighting/tv02: coverage 2/3, bounds 1/9 and 4/9."""
    table = table_of(value=[0.1, 0.2, np.nan])
    made = estimate_indicator(table, to=THREE, denominator=PEOPLE, kind="proportion", missing="bounds").iloc[0]
    assert np.isnan(made["value"])
    assert [made["lower"], made["upper"]] == pytest.approx([1 / 9, 4 / 9], rel=1e-14)
    assert {"bounds", "incomplete"} <= set(made["quality"].split(";"))


def test_a_suppressed_count_is_bounded_by_its_rule() -> None:
    table = table_of(value=[10.0, 40.0, np.nan], missing_reason=["", "", "suppressed"])
    made = estimate_indicator(table, to=THREE, kind="count", missing=Bounds(lowest=1, highest=7)).iloc[0]
    assert [made["lower"], made["upper"]] == [50.5, 53.5]
    assert "missing_suppressed" in made["quality"]
    assert "E06000003" in made["notes"]


@pytest.mark.parametrize("reason", ["suppressed", "not applicable", "not published"])
def test_three_reasons_for_a_missing_value_stay_three(reason: str) -> None:
    table = table_of(value=[0.1, 0.2, np.nan], missing_reason=["", "", reason])
    made = estimate_indicator(table, to=THREE, denominator=PEOPLE, missing="renormalise", min_coverage=2 / 3).iloc[0]
    assert made["value"] == pytest.approx(1 / 6, rel=1e-14)
    assert f"missing_{reason.replace(' ', '_')}" in made["quality"].split(";")


def test_an_unknown_reason_is_refused() -> None:
    table = table_of(value=[0.1, 0.2, np.nan], missing_reason=["", "", "lost"])
    with pytest.raises(SchemaError, match=r"missing_reason must be one of suppressed, .*E06000003"):
        estimate_indicator(table, to=THREE, denominator=PEOPLE, missing="renormalise")


def test_imputed_values_come_from_a_named_source() -> None:
    other = pd.DataFrame({"area_code": ["E06000003"], "value": [0.4]})
    for table in (table_of(value=[0.1, 0.2, np.nan]), table_of(value=[0.1, 0.2, 0.0]).iloc[:2]):
        made = estimate_indicator(
            table, to=THREE, denominator=PEOPLE, missing=Imputed(table=other, source="the county's own survey")
        ).iloc[0]
        assert made["value"] == pytest.approx(11 / 45, rel=1e-14)
        assert "imputed" in made["quality"]
        assert "the county's own survey" in made["notes"]


def test_imputation_asks_for_a_source_and_a_table() -> None:
    with pytest.raises(ValueError, match="say where the imputed values come from"):
        Imputed(table=table_of(value=1.0), source=" ")
    with pytest.raises(ValueError, match=r"pass missing=Imputed\(table="):
        estimate_indicator(table_of(value=1.0), to=THREE, denominator=PEOPLE, missing="impute")  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="none of the columns"):
        estimate_indicator(
            table_of(value=[0.1, np.nan, 0.2]),
            to=THREE,
            denominator=PEOPLE,
            missing=Imputed(table=table_of(other=1.0), source="somewhere"),
        )


def test_policies_that_do_not_fit_a_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="a count is not averaged"):
        estimate_indicator(table_of(value=1.0), to=THREE, kind="count", missing="renormalise")
    with pytest.raises(ValueError, match="has no natural bounds"):
        estimate_indicator(table_of(value=1.0), to=THREE, denominator=PEOPLE, missing="bounds")
    with pytest.raises(ValueError, match="lowest must not be above highest"):
        Bounds(lowest=7, highest=1)


def test_without_counts_limits_or_people_the_error_says_what_to_pass() -> None:
    with pytest.raises(SchemaError, match=r"weighted by people: pass denominator="):
        estimate_indicator(table_of(value=[0.1, 0.2, 0.4]), to=THREE, kind="proportion")


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(1, 400), min_size=3, max_size=3),
    more=st.lists(st.integers(1, 5_000), min_size=3, max_size=3),
)
def test_the_value_route_with_true_denominators_is_pooling(counts: list[int], more: list[int]) -> None:
    sizes = [c + m for c, m in zip(counts, more, strict=True)]
    people = Denominator.from_table(pd.DataFrame({"area_code": THREE.sources, "people": sizes}))
    values = table_of(value=[c / n for c, n in zip(counts, sizes, strict=True)])
    averaged = estimate_indicator(values, to=THREE, denominator=people, kind="proportion")
    pooled = estimate_indicator(table_of(count=counts, denominator=sizes), to=THREE, kind="proportion")
    assert averaged["value"][0] == pytest.approx(pooled["value"][0], rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3), hidden=st.integers(0, 2), guess=st.floats(0, 1))
def test_bounds_contain_the_estimate_of_every_possible_missing_value(
    values: list[float], hidden: int, guess: float
) -> None:
    truth = [*values]
    truth[hidden] = guess
    holed: list[float] = [*values]
    holed[hidden] = np.nan
    bounds = estimate_indicator(
        table_of(value=holed), to=THREE, denominator=PEOPLE, kind="proportion", missing="bounds"
    )
    answer = estimate_indicator(table_of(value=truth), to=THREE, denominator=PEOPLE, kind="proportion")["value"][0]
    assert bounds["lower"][0] - 1e-12 <= answer <= bounds["upper"][0] + 1e-12


def test_diagnostics_agree_with_the_councils(reference: Path) -> None:
    """Dropping Durham moves 1E from 4.19 to 5.00 %, dropping Hartlepool to 3.54 % (weighting.md 4.5, tv03)."""
    facts = diagnose_estimate(
        councils(reference, "tv03_ascof_1E_2020_21.csv"), to=to_nenc(), kind="proportion", multiplier=100.0
    )
    without = facts[facts["diagnostic"] == "leave_one_out"].set_index("source_code")["value"]
    assert without["E06000047"] == pytest.approx(5.00, abs=0.005)
    assert without["E06000001"] == pytest.approx(3.54, abs=0.005)
    weight = facts[facts["diagnostic"] == "weight"]["value"]
    assert weight.sum() == pytest.approx(1.0, rel=1e-12)


def test_diagnostics_show_partial_areas_and_both_ends_of_dependence() -> None:
    """weighting/tv02: standard errors sqrt(149)/900 and 19/900; leave-one-out 2/7, 7/25, 1/6."""
    z = 1.959963984540054
    value, se = np.array([0.1, 0.2, 0.4]), np.array([0.01, 0.02, 0.03])
    table = table_of(value=value, lower=value - z * se, upper=value + z * se)
    facts = diagnose_estimate(table, to=THREE, denominator=PEOPLE, against=PEOPLE).set_index("diagnostic")["value"]
    assert facts["se_independent"] == pytest.approx(np.sqrt(149) / 900, rel=1e-12)
    assert facts["se_correlated"] == pytest.approx(19 / 900, rel=1e-12)
    assert facts["leave_one_out"].tolist() == pytest.approx([2 / 7, 7 / 25, 1 / 6], rel=1e-12)
    assert facts["bias_per_unit"] == pytest.approx(1 / 6, rel=1e-12)
    assert facts["effective_number"] == pytest.approx(81 / 29, rel=1e-12)
    assert facts["total_variation"] == 0
    assert facts["value_against"] == pytest.approx(11 / 45, rel=1e-12)


def test_another_vintage_of_the_same_series_shows_what_it_would_give() -> None:
    """Cancers of 2018 by district against the county that held them (ONS, May 2023)."""
    read = read_indicator("cancer_stage_1_2", edition="ons_2023_05")
    read = read[read["period"] == "2018"]
    options: dict[str, Any] = {"to": "nenc", "kind": "proportion", "multiplier": 100.0, "denominator": "residents"}
    districts = select_geography(read, "nenc").table
    county = select_geography(read, load_crosswalk("utla21", "nenc")).table
    facts = diagnose_estimate(districts, other_vintage=county, **options).set_index("diagnostic")
    assert facts.loc["value_other_vintage", "detail"] == "utla21"
    assert facts.loc["value_other_vintage", "value"] == estimate_indicator(county, **options)["value"].iloc[0]


def test_another_denominator_cannot_move_an_estimate_beyond_its_bound() -> None:
    other = Denominator.from_table(pd.DataFrame({"area_code": THREE.sources, "people": [500, 20, 40]}))
    facts = diagnose_estimate(table_of(value=[0.1, 0.2, 0.4]), to=THREE, denominator=PEOPLE, against=other)
    named = facts.set_index("diagnostic")["value"]
    assert abs(named["value_against"] - 11 / 45) <= named["sensitivity_bound"]
    assert named["total_variation"] > 0.5


def test_diagnostics_are_for_averages() -> None:
    with pytest.raises(SchemaError, match=r"not for kind 'count'"):
        diagnose_estimate(table_of(value=1.0), to=THREE, kind="count")


def test_places_are_read_from_the_numbers_group_by_group() -> None:
    numbers = np.array([[1.0, 2.0, 3.0], [1.25, 2.5, np.nan], [1 / 3, 1.0, 1.0]])
    assert places_of(numbers).tolist() == [0, 2, MOST_PLACES + 1]


def test_the_outside_conserves_counts_exactly() -> None:
    crosswalk = load_crosswalk("ltla21", "local_icp").with_outside()
    counts = pd.DataFrame({"area_code": crosswalk.sources, "value": np.arange(1.0, len(crosswalk.sources) + 1)})
    made = estimate_indicator(counts, to=crosswalk, kind="count", confidence=None)
    assert made["value"].sum() == pytest.approx(counts["value"].sum(), rel=1e-15)
    assert "outside" in made["area_code"].tolist()


def test_a_crosswalk_from_a_lookup_has_the_shares_of_its_small_areas() -> None:
    lookup = pd.DataFrame({"la": ["A", "A", "B", "C"], "icb": ["X", "Y", "X", "Y"], "people": [3000, 1000, 1500, 10]})
    made = Crosswalk.from_lookup(lookup, source="la", target="icb", people="people", names=("la", "icb"))
    assert made.to_frame().set_index(["source_code", "target_code"])["share"].to_dict() == {
        ("A", "X"): 0.75,
        ("A", "Y"): 0.25,
        ("B", "X"): 1.0,
        ("C", "Y"): 1.0,
    }
    with pytest.raises(InvalidDataError, match=r"A lie in more than one target .*Name the column of people"):
        Crosswalk.from_lookup(lookup, source="la", target="icb")
    with pytest.raises(InvalidDataError, match="no people in C"):
        Crosswalk.from_lookup(lookup.assign(people=[1, 1, 1, 0]), source="la", target="icb", people="people")
    with pytest.raises(InvalidDataError, match=r"row 0 \(A\): -1"):
        Crosswalk.from_lookup(lookup.assign(people=[-1, 1, 1, 1]), source="la", target="icb", people="people")


def test_a_rate_of_nought_is_weighted_by_people() -> None:
    """Count over rate is 0/0 there, so people stand in; without them the error says so."""
    table = table_of(value=[0.0, 200.0, 400.0], count=[0, 40, 120])
    options: dict[str, Any] = {"to": THREE, "kind": "directly standardised rate", "multiplier": 1e5}
    made = estimate_indicator(table, denominator=PEOPLE, **options).iloc[0]
    assert made["value"] == pytest.approx(200 * 4 / 9 + 400 / 3, rel=1e-14)
    with pytest.raises(SchemaError, match="pass denominator="):
        estimate_indicator(table, **options)


def test_bounds_of_a_proportion_are_proportions() -> None:
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        estimate_indicator(
            table_of(value=[0.1, 0.2, np.nan]),
            to=THREE,
            denominator=PEOPLE,
            kind="proportion",
            missing=Bounds(lowest=-5, highest=7),
        )
    with pytest.raises(ValueError, match="must be numbers"):
        Bounds(lowest="a", highest=7)  # type: ignore[arg-type]


def test_shuffling_the_small_areas_of_england_changes_no_bit() -> None:
    rng = np.random.default_rng(33_755)
    n = 33_755
    codes = [f"E0{1_000_000 + i}" for i in range(n)]
    shares = pd.DataFrame(
        {"source_code": codes, "target_code": rng.integers(1, 43, n).astype(str), "share": rng.random(n)}
    )
    people = pd.DataFrame({"area_code": codes, "people": rng.integers(800, 3_000, n)})
    values = pd.DataFrame({"area_code": codes, "value": rng.normal(50, 5, n)})

    def estimate(order: Any) -> pd.DataFrame:
        return estimate_indicator(
            values.iloc[order],
            to=Crosswalk.from_shares(shares.iloc[order[::-1]]),
            denominator=Denominator.from_table(people.iloc[rng.permutation(n)]),
        )

    pd.testing.assert_frame_equal(estimate(np.arange(n)), estimate(rng.permutation(n)), check_exact=True)


# --- one series does not depend on another, and no column is read for another ------------------------------------


def test_a_count_is_the_count_and_not_the_value_beside_it() -> None:
    """The layout of Fingertips: Value is a rate, Count the count."""
    table = table_of(value=[100.0, 200.0, 400.0], count=[10, 40, 120], denominator=[1000, 2000, 3000])
    assert estimate_indicator(table, to=THREE, kind="count")["value"].tolist() == [110.0]
    assert estimate_indicator(table[["area_code", "count"]], to=THREE, kind="count")["value"].tolist() == [110.0]


def test_coverage_of_pooled_counts_is_by_their_own_denominators() -> None:
    """A hidden area of nearly all the people leaves nearly everything open, whatever the number of areas."""
    table = table_of(count=[10, 20, np.nan], denominator=[100, 100, 20_000])
    made = estimate_indicator(table, to=THREE, kind="proportion", missing="bounds").iloc[0]
    assert made["coverage"] == pytest.approx(200 / 10_200, rel=1e-12)
    assert made["lower"] <= (30 + 10_000) / 10_200 <= made["upper"]
    unknown = table_of(count=[10, 20, np.nan], denominator=[100, 100, np.nan])
    with pytest.raises(InvalidDataError, match="no people to say how much that leaves uncovered"):
        estimate_indicator(unknown, to=THREE, kind="proportion", missing="bounds")


def test_a_rate_of_nought_in_one_series_moves_no_other() -> None:
    alone = table_of(cause="a", value=[100.0, 200.0, 400.0], count=[10, 40, 120])
    beside = table_of(cause="b", value=[0.0, 200.0, 400.0], count=[0, 40, 120])
    options: dict[str, Any] = {
        "to": THREE,
        "denominator": PEOPLE,
        "kind": "directly standardised rate",
        "multiplier": 1e5,
    }
    expected = estimate_indicator(alone, **options)
    together = estimate_indicator(pd.concat([alone, beside], ignore_index=True), **options)
    pd.testing.assert_frame_equal(together.iloc[[0]], expected, check_exact=True)
    assert together["route"].tolist() == ["pooled counts", "weighted mean"]


def test_partial_areas_are_described_with_the_weights_of_the_estimate() -> None:
    made = estimate_indicator(
        table_of(count=[1, 1, 100], denominator=[10, 10, 1000]), to=THREE, kind="proportion"
    ).iloc[0]
    assert f"{made['largest_weight']:.1%} of the estimate" in made["notes"]
    assert "mostly_partial_area" in made["quality"]


def test_people_passed_by_name_are_not_replaced_by_a_column() -> None:
    """A mean with a denominator column and denominator= is weighted by the latter."""
    table = table_of(value=[1.0, 2.0, 4.0], denominator=[1, 1, 1_000_000])
    made = estimate_indicator(table, to=THREE, denominator=PEOPLE).iloc[0]
    assert made["value"] == pytest.approx(2 / 9 + 8 / 9 + 4 / 3, rel=1e-14)
    own = estimate_indicator(table, to=THREE).iloc[0]
    assert own["route"] == "own denominators"
    holed = estimate_indicator(table.assign(denominator=[1, np.nan, np.nan]), to=THREE, denominator=PEOPLE).iloc[0]
    assert holed["value"] == made["value"]


def test_a_value_that_is_not_its_count_over_its_denominator_is_refused() -> None:
    table = table_of(value=[0.1, 0.2, 0.9], count=[1, 1, 1], denominator=[10, 5, 100])
    with pytest.raises(InvalidDataError, match=r"value is not count / denominator x 1 in row 2 .*E06000003"):
        estimate_indicator(table, to=THREE, kind="proportion")


def test_missing_limits_are_called_missing_and_not_rounded() -> None:
    made = estimate_indicator(
        table_of(value=[100.0, 200.0, 400.0]), to=THREE, denominator=PEOPLE, kind="crude rate", multiplier=1e5
    ).iloc[0]
    assert made["quality"].split(";") == ["partial_area", "no_limits"]


def test_limits_without_width_are_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"the limits have no width in row 1"):
        estimate_indicator(
            table_of(value=[1.0, 2.0, 4.0], lower=[0.5, 2.0, 3.0], upper=[1.5, 2.0, 5.0]), to=THREE, denominator=PEOPLE
        )


def test_imputation_fills_superseded_codes_marks_only_what_it_filled_and_stops_at_what_is_left() -> None:
    shares = Crosswalk.from_shares([("E08000021", "T", 1.0), ("E08000037", "T", 1.0)])
    people = Denominator.from_table(pd.DataFrame({"area_code": shares.sources, "people": [100, 300]}))
    table = pd.DataFrame(
        {
            "cause": ["a", "b", "b"],
            "area_code": ["E08000021"] * 2 + ["E08000020"],
            "value": [10.0, 10.0, 30.0],
        }
    )
    other = pd.DataFrame({"cause": ["a"], "area_code": ["E08000020"], "value": [90.0]})
    options: dict[str, Any] = {"to": shares, "denominator": people}
    made = estimate_indicator(table, missing=Imputed(table=other, source="a survey"), **options).set_index("cause")
    assert made["value"].to_dict() == {"b": 25.0, "a": 70.0}
    assert ["imputed" in quality for quality in made.loc[["a", "b"], "quality"]] == [True, False]
    with pytest.raises(InvalidDataError, match=r"no value for E08000037"):
        estimate_indicator(table, missing=Imputed(table=other.assign(cause="another"), source="a survey"), **options)


def test_values_of_one_model_show_both_ends_of_their_error() -> None:
    z = 1.959963984540054
    value, se = np.array([0.1, 0.2, 0.4]), np.array([0.01, 0.02, 0.03])
    table = table_of(value=value, lower=value - z * se, upper=value + z * se)
    made = estimate_indicator(table, to=THREE, denominator=PEOPLE, modelled=True).iloc[0]
    assert "modelled" in made["quality"]
    assert f"the standard error would be {19 / 900:.2g}" in made["notes"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"multiplier": "100"}, "multiplier is '100'"),
        ({"min_coverage": "a"}, "min_coverage is 'a'"),
        ({"confidence": "0.95"}, "confidence is '0.95'"),
        ({"decimals": -400}, "decimals is -400"),
        ({"year": "2020"}, "year is '2020'"),
        ({"proxy": 3}, "proxy is 3"),
        ({"kind": ["mean"]}, "kind .* is unknown"),
    ],
)
def test_options_of_another_type_say_what_was_expected(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        estimate_indicator(table_of(value=1.0), to=THREE, denominator=PEOPLE, **options)


@pytest.mark.parametrize("share", [{"X": 0.1}, {"E06000001": 5.3}, {"E06000001": np.nan}])
def test_a_share_of_the_reference_is_checked(share: dict[str, float]) -> None:
    area = pd.DataFrame({"area_code": ["E06000001"], "value": [60.0], "se": [0.3]})
    england = pd.DataFrame({"area_code": ["E92000001"], "value": [63.0], "se": [0.1]})
    with pytest.raises(InvalidDataError, match="share"):
        estimate_gap(area, england, share=share)
    with pytest.raises(InvalidDataError, match="stands among the estimates and is the reference"):
        estimate_gap(pd.concat([area, england]), england)


@pytest.mark.parametrize("code", ["E12000009", "E54000040", "E92000001", "K02000001"])
def test_wide_areas_are_refused_by_their_code(code: str) -> None:
    with pytest.raises(UnknownAreaError, match="a source must be a local authority or a smaller area"):
        Crosswalk.from_shares([(code, "T", 1.0)])


def test_all_icbs_of_england_and_a_chain_up_to_england() -> None:
    rng = np.random.default_rng(42)
    lookup = pd.DataFrame(
        {
            "lsoa": [f"E0{1_000_000 + i}" for i in range(2_000)],
            "la": [f"E0799{i:04d}" for i in rng.integers(0, 317, 2_000)],
            "icb": [f"I{i:02d}" for i in rng.integers(1, 43, 2_000)],
            "people": rng.integers(800, 3_000, 2_000),
        }
    )
    to_la = Crosswalk.from_lookup(lookup, source="lsoa", target="la", people="people")
    direct = Crosswalk.from_lookup(lookup, source="lsoa", target="icb", people="people")
    la_to_icb = Crosswalk.from_lookup(lookup, source="la", target="icb", people="people")
    england = Crosswalk.from_shares([(icb, "England", 1.0) for icb in direct.targets])
    counts = pd.DataFrame({"area_code": lookup["lsoa"], "value": rng.integers(0, 50, 2_000)})
    chained = estimate_indicator(counts, to=to_la.compose(la_to_icb).compose(england), kind="count")
    assert chained["value"].tolist() == [pytest.approx(counts["value"].sum(), rel=1e-12)]
    people = Denominator.from_table(lookup.rename(columns={"lsoa": "area_code"})[["area_code", "people"]])
    values = pd.DataFrame({"area_code": lookup["lsoa"], "value": rng.normal(60, 3, 2_000)})
    made = estimate_indicator(values, to=direct, denominator=people).set_index("area_code")["value"]
    joined = values.merge(lookup, left_on="area_code", right_on="lsoa")
    expected = joined.groupby("icb").apply(lambda g: np.average(g["value"], weights=g["people"]), include_groups=False)
    np.testing.assert_allclose(made, expected, rtol=1e-13)
    assert len(made) == 42
