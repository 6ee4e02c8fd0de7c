"""Decompositions of tables: published contributions, exact sums, incomplete causes, pairs that are bad alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.age_bands import ABRIDGED_90, AgeBands
from nenc_estimates.decomposition import decompose_gap
from nenc_estimates.decomposition_questions import estimate_years_gained
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.healthy_life_expectancy import estimate_healthy_life_expectancy
from nenc_estimates.kernels.decomposition import METHODS
from nenc_estimates.life_expectancy import estimate_life_expectancy
from nenc_estimates.population_pairs import REMAINDER
from nenc_estimates.quality import QUALITY
from nenc_estimates.withholding import NONE, OHID, Rules

BANDS = AgeBands((0, 40, 80))
SMALL = {"between": ("here", "there"), "populations": "area", "keys": [], "bands": BANDS}
LABELS = dict(zip(ABRIDGED_90.lower, ABRIDGED_90.labels, strict=True))
ROWS = ["sex", "age", "cause"]


def two(here=((30, 30), (300, 600), (900, 1000)), there=((20, 40), (200, 500), (800, 900)), **columns):
    """Two populations, three ages, causes a and b."""
    rows = [
        {"area": area, "age": age, "cause": cause, "deaths": deaths, "population": people}
        for area, cells in (("here", here), ("there", there))
        for age, pair, people in zip(BANDS.labels, cells, (40_000, 40_000, 9_000), strict=True)
        for cause, deaths in zip(("a", "b", "all"), (*pair, sum(pair)), strict=True)
    ]
    return pd.DataFrame(rows).assign(**columns)


def with_health(table, here=(0.85, 0.6, 0.3), there=(0.9, 0.7, 0.4)):
    share = {("here", a): h for a, h in zip(BANDS.labels, here, strict=True)}
    share |= {("there", a): h for a, h in zip(BANDS.labels, there, strict=True)}
    found = [share[key] for key in zip(table.area, table.age, strict=True)]
    return table.assign(prevalence=found, respondents=500)


def picked(made, **values):
    for name, value in values.items():
        made = made[made[name] == value]
    return made


@pytest.fixture(scope="module")
def synthetic(reference):
    people = pd.read_csv(reference / "demography/lifetable/synthetic_deaths_population_20bands.csv")
    causes = pd.read_csv(reference / "demography/decomp/synthetic_deaths_by_cause_20bands.csv")
    causes = causes.merge(people.drop(columns="deaths"), on=["area", "sex", "age"], validate="m:1")
    table = pd.concat([causes, people[people.area.isin(causes.area)].assign(cause="all")])
    return table.assign(age=table.age.map(LABELS))


@pytest.mark.parametrize("pair", [("England", "ICP"), ("Q5", "Q1")])
def test_contributions_are_those_of_published_packages(reference, synthetic, pair):
    # decompositionLE 1.0.0 arriaga3
    made = decompose_gap(synthetic, between=pair, by=("age", "cause"), populations="area", keys=["sex"])
    expected = pd.read_csv(reference / "demography/decomp/expected_age_cause_phe_lifetable.csv")
    expected = expected[(expected.pop1 == pair[0]) & (expected.pop2 == pair[1])].assign(
        age=lambda rows: rows.age.map(LABELS)
    )
    both = expected.merge(made, on=ROWS, how="left", validate="1:1")
    np.testing.assert_allclose(both.value, both.arriaga3_share, rtol=1e-9, atol=1e-12)
    summary = pd.read_csv(reference / "demography/decomp/expected_summary_phe_lifetable.csv")
    gaps = made[(made.age == "all") & (made.cause == "all")].set_index("sex").value
    for row in summary[summary.pop1 == pair[0]].itertuples():
        assert gaps[row.sex] == pytest.approx(row.gap, rel=1e-9)


def test_the_path_is_that_of_horiuchi(reference, synthetic):
    # DemoDecomp 1.14.1 with 20 and 200 steps errs by 1/N²: one Richardson step leaves 1e-9
    options = {"between": ("England", "ICP"), "populations": "area", "keys": ["sex"], "method": "path"}
    made = decompose_gap(synthetic, by=("age", "cause"), **options)
    expected = pd.read_csv(reference / "demography/decomp/expected_age_cause_phe_lifetable.csv")
    expected = expected[expected.pop1 == "England"].assign(age=lambda rows: rows.age.map(LABELS))
    both = expected.merge(made, on=ROWS, how="left", validate="1:1")
    limit = (100 * both.horiuchi_N200 - both.horiuchi_N20) / 99
    np.testing.assert_allclose(both.value, limit, rtol=0, atol=1e-9)
    assert set(made.method) == {"path"}


def test_standard_errors_are_within_five_percent_of_monte_carlo(reference, synthetic):
    expected = pd.read_csv(reference / "demography/uncertainty/cause_contribution_se.csv")
    for pair, rows in expected.groupby(["pop1", "pop2"]):
        made = decompose_gap(synthetic, between=pair, by="cause", populations="area", keys=["sex"])
        both = rows.replace({"cause": {"ALL": "all"}}).merge(made, on=["sex", "cause"])
        assert len(both) == len(rows)
        np.testing.assert_allclose(both.se, both.se_mc3000, rtol=0.05)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("by", ["age", "cause", ("age", "cause")])
def test_parts_sum_to_subtotals_and_the_gap(by, method):
    made = decompose_gap(two(), by=by, method=method, **SMALL)
    gap = picked(made, age="all", cause="all").value.iloc[0]
    parts = made
    for name in (by,) if isinstance(by, str) else by:
        parts = parts[parts[name] != "all"]
        others = [other for other in ("age", "cause") if other != name]
        sums = made[made[name] != "all"].groupby(others).value.sum()
        totals = made[made[name] == "all"].set_index(others).value
        np.testing.assert_allclose(totals, sums[totals.index], rtol=0, atol=1e-12)
    assert parts.value.sum() == pytest.approx(gap, abs=1e-12)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 900), min_size=12, max_size=12))
def test_swapping_the_populations_changes_the_sign_and_nothing_else(deaths):
    cells = np.array(deaths).reshape(2, 3, 2)
    table = two(here=cells[0].tolist(), there=cells[1].tolist())
    made = decompose_gap(table, by=("age", "cause"), **SMALL)
    swapped = decompose_gap(table, by=("age", "cause"), **(SMALL | {"between": ("there", "here")}))
    np.testing.assert_allclose(swapped.value, -made.value, rtol=0, atol=1e-12)
    np.testing.assert_allclose(swapped.se, made.se, rtol=1e-9)


def test_equal_rates_contribute_nothing_and_offsetting_causes_keep_theirs():
    made = decompose_gap(
        two(here=((30, 30), (300, 600), (9, 9)), there=((40, 20), (300, 600), (9, 8))),
        by=("age", "cause"),
        rules=NONE,
        **SMALL,
    )
    assert picked(made, age="40-79").value.tolist() == [0.0, 0.0, 0.0]
    young = picked(made, age="0-39").set_index("cause").value
    assert young["all"] == pytest.approx(0, abs=1e-12)
    assert young["a"] == pytest.approx(-young["b"])
    assert young["a"] < -0.1


def test_any_grouping_of_causes_gives_the_sum_of_its_parts():
    apart = decompose_gap(two(), by="cause", **SMALL).set_index("cause")
    together = decompose_gap(two(), by="cause", cause_groups={"a": "both", "b": "both"}, **SMALL).set_index("cause")
    assert together.index.tolist() == ["both", "all"]
    assert together.value["both"] == pytest.approx(apart.value[["a", "b"]].sum(), abs=1e-12)
    assert together.se["both"] == pytest.approx(apart.se["all"])


def test_deaths_of_no_named_cause_are_a_cause_of_their_own():
    table = two()[lambda rows: rows.cause != "b"]
    made = decompose_gap(table, by="cause", **SMALL).set_index("cause")
    whole = decompose_gap(two(), by="cause", **SMALL).set_index("cause")
    assert made.index.tolist() == ["a", REMAINDER, "all"]
    assert made.value[REMAINDER] == pytest.approx(whole.value["b"], abs=1e-12)
    assert made.value["all"] == pytest.approx(whole.value["all"], abs=1e-12)


def test_causes_that_make_up_all_deaths_must_be_said_to():
    table = two()[lambda rows: rows.cause != "all"]
    with pytest.raises(SchemaError, match=r"no row has cause 'all'.*say all_causes=None"):
        decompose_gap(table, by="cause", **SMALL)
    made = decompose_gap(table, by="cause", all_causes=None, **SMALL)
    pd.testing.assert_frame_equal(made, decompose_gap(two(), by="cause", **SMALL))


def test_a_table_with_causes_is_split_by_age_from_all_deaths():
    plain = two()[lambda rows: rows.cause == "all"].drop(columns="cause")
    pd.testing.assert_frame_equal(decompose_gap(two(), **SMALL), decompose_gap(plain, **SMALL))


def test_a_fixed_population_adds_no_error():
    made = decompose_gap(two(), fixed=["there"], **SMALL)
    whole = decompose_gap(two(), **SMALL)
    other = decompose_gap(two(), fixed=["here"], **SMALL)
    assert (made.value == whole.value).all()
    np.testing.assert_allclose(made.se**2 + other.se**2, whole.se**2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("health", ["good", "not_good"])
def test_a_healthy_gap_is_mortality_and_health_and_nothing_else(health, method):
    table = with_health(two())
    if health == "not_good":
        table["prevalence"] = 1 - table["prevalence"]
    options = {"of": "healthy life expectancy", "health": health, "method": method, **SMALL}
    made = decompose_gap(table, by=("age", "cause"), **options)
    totals = picked(made, age="all", cause="all").set_index("effect")
    assert totals.value["all"] == pytest.approx(totals.value["mortality"] + totals.value["health"], abs=1e-12)
    assert totals.share["all"] == pytest.approx(100)
    causes = made[(made.effect == "mortality") & (made.age == "all") & (made.cause != "all")]
    assert causes.value.sum() == pytest.approx(totals.value["mortality"], abs=1e-12)
    assert picked(made, effect="health").cause.unique().tolist() == ["all"]
    # the variance of the mortality effect by two routes: with causes, and without
    plain = decompose_gap(table, by="age", **options)
    np.testing.assert_allclose(
        picked(plain, effect="mortality", age="all").se, picked(made, effect="mortality", age="all", cause="all").se
    )


def test_everyone_in_good_health_has_the_gap_in_life_expectancy():
    table = with_health(two(), here=(1, 1, 1), there=(1, 1, 1))
    made = decompose_gap(table, of="healthy life expectancy", health="good", **SMALL)
    life = decompose_gap(table, **SMALL)
    np.testing.assert_allclose(picked(made, effect="mortality").value, life.value, rtol=1e-12)
    np.testing.assert_allclose(picked(made, effect="mortality").se, life.se, rtol=1e-9)
    assert (picked(made, effect="health").value == 0).all()


def test_percentages_of_a_gap_within_two_standard_errors_are_withheld():
    near = two(there=((30, 30), (300, 600), (899, 1000)))
    made = decompose_gap(near, **SMALL)
    assert made.value.notna().all()
    assert made.share.isna().all()
    assert set(made.quality) == {"withheld_share"}
    assert decompose_gap(two(), **SMALL).share.iloc[-1] == 100


def fault_of(name):
    bad = two(sex="B").reset_index(drop=True).astype({"deaths": float, "population": float})
    if name == "missing_band":
        return bad.drop(index=0)
    if name == "no_counterpart":
        return bad[bad.area == "here"]
    young = (bad.area == "here") & (bad.age == "0-39")
    old = (bad.area == "here") & (bad.age == "80+")
    if name == "no_population":
        bad.loc[young, "population"] = 0
    elif name == "missing_value":
        bad.loc[young, "population"] = np.nan
    elif name == "rate_too_high":
        bad.loc[young, "population"] = 100
    else:
        bad.loc[old, "deaths"] = 0
    return bad


@pytest.mark.parametrize(
    "fault",
    ["missing_band", "no_counterpart", "no_population", "missing_value", "rate_too_high", "no_deaths_in_open_band"],
)
def test_a_bad_pair_is_null_with_its_reason_and_touches_no_other(fault):
    table = pd.concat([two(sex="A"), fault_of(fault), two(sex="C")])
    made = decompose_gap(table, by=("age", "cause"), **(SMALL | {"keys": ["sex"]}))
    alone = decompose_gap(two(), by=("age", "cause"), **SMALL)
    for sex, rows in made.groupby("sex"):
        if sex == "B":
            assert rows[["value", "lower", "upper", "se", "share"]].isna().all(axis=None)
            assert set(rows.quality) == {fault}
        else:
            np.testing.assert_array_equal(rows.value, alone.value)
            np.testing.assert_allclose(rows.se, alone.se, rtol=1e-12)
    assert fault in QUALITY


@pytest.mark.parametrize(("deaths", "reason"), [(np.nan, "missing_value"), (-1, "negative_deaths")])
def test_a_bad_count_of_one_cause_is_named(deaths, reason):
    table = two().astype({"deaths": float})
    table.loc[0, "deaths"] = deaths
    made = decompose_gap(table, by="cause", **SMALL)
    assert made.value.isna().all()
    assert set(made.quality) == {reason}


def test_a_gap_of_nothing_has_no_percentages():
    made = decompose_gap(two(here=((1, 1), (2, 2), (3, 3)), there=((1, 1), (2, 2), (3, 3))), rules=NONE, **SMALL)
    assert (made.value == 0).all()
    assert made.share.isna().all()
    assert set(made.quality) == {"withheld_share"}
    certain = decompose_gap(two(there=((30, 30), (300, 600), (900, 1000))), fixed=["here", "there"], **SMALL)
    assert set(certain.quality) == {"withheld_share"}


def test_prevalence_that_is_missing_or_without_respondents_is_named():
    table = with_health(two())
    options = {"of": "healthy life expectancy", "health": "good", **SMALL}
    assert set(decompose_gap(table.assign(prevalence=np.nan), **options).quality) == {"missing_prevalence"}
    unknown = decompose_gap(table.assign(respondents=0), **options)
    assert unknown.value.notna().all()
    assert picked(unknown, effect="all").se.isna().all()


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({}, {"by": "place"}, ValueError, "by is 'age', 'cause' or both"),
        ({}, {"by": ()}, ValueError, "by is 'age', 'cause' or both"),
        ({}, {"of": "happiness"}, ValueError, "of is 'life expectancy' or"),
        ({}, {"health": "good"}, ValueError, "needs health='good'"),
        ({}, {"method": "pollard"}, ValueError, "method must be one of arriaga, path"),
        ({}, {"between": ("here", "here")}, ValueError, "names one population twice"),
        ({}, {"between": ("here", "nowhere")}, SchemaError, "no row has area 'nowhere'. It has: here, there"),
        ({}, {"fixed": ["England"]}, ValueError, "fixed names 'England'"),
        ({}, {"by": "cause", "cause_groups": {"c": "d"}}, SchemaError, "no row has cause 'c'"),
        ({"age": "0-39"}, {}, InvalidDataError, "each key may stand once"),
    ],
)
def test_bad_input_is_named(change, options, error, message):
    with pytest.raises(error, match=message):
        decompose_gap(two(**change), **(SMALL | options))


def test_a_population_named_by_another_column_is_told_to_name_the_column():
    with pytest.raises(SchemaError, match="The column 'place' has it: pass populations='place'"):
        decompose_gap(two(place="Hartlepool"), **(SMALL | {"between": ("here", "Hartlepool")}))


def test_bands_that_differ_between_the_populations_are_named():
    table = two()
    table.loc[(table.area == "there") & (table.age == "80+"), "age"] = "85+"
    with pytest.raises(SchemaError, match=r"'85\+' is none of the bands .* area there"):
        decompose_gap(table, **SMALL)


def test_causes_that_count_deaths_twice_are_named():
    table = two()
    table.loc[table.cause == "all", "deaths"] -= 1
    with pytest.raises(InvalidDataError, match=r"more deaths than all causes.*age 0-39"):
        decompose_gap(table, by="cause", **SMALL)


def test_people_that_differ_between_causes_are_named():
    table = two()
    table.loc[0, "population"] += 1
    with pytest.raises(InvalidDataError, match=r"population .* differs between causes in row"):
        decompose_gap(table, by="cause", **SMALL)


def test_a_batch_equals_one_by_one_in_every_kind_of_frame():
    rng = np.random.default_rng(4)
    groups = [two(here=rng.integers(10, 900, (3, 2)).tolist(), sex=f"{i:02}") for i in range(20)]
    many = pd.concat(groups).sample(frac=1, random_state=1)
    options = {"by": ("age", "cause"), **SMALL, "keys": ["sex"]}
    made = decompose_gap(pl.from_pandas(many), **options)
    assert isinstance(made, pl.DataFrame)
    single = pd.concat([decompose_gap(group, **options) for group in groups], ignore_index=True)
    pd.testing.assert_frame_equal(made.to_pandas(), single, check_dtype=False, rtol=1e-12)


def test_single_years_of_age_work_as_well():
    bands = AgeBands.single_years(100)
    rate = np.minimum(0.0002 * np.exp(0.085 * np.arange(101)), 0.9)
    table = pd.concat(
        pd.DataFrame({"area": area, "age": bands.labels, "deaths": 1e4 * rate * times, "population": 1e4})
        for area, times in (("here", 1.0), ("there", 0.9))
    )
    made = decompose_gap(table, **(SMALL | {"bands": bands}))
    assert len(made) == 102
    assert made.value[:-1].sum() == pytest.approx(made.value.iloc[-1], abs=1e-12)
    assert (made.value > 0).all()


@pytest.mark.parametrize(
    ("change", "code"),
    [("absent", "missing_band"), (np.nan, "missing_value"), (-1, "negative_deaths")],
)
@pytest.mark.parametrize("remainder", [0, 5])
def test_a_bad_count_of_all_causes_is_not_made_up_from_the_causes(change, code, remainder):
    table = pd.concat([two(sex="A"), two(sex="B")], ignore_index=True).astype({"deaths": float})
    table.loc[(table.sex == "B") & (table.cause == "all"), "deaths"] += remainder
    bad = table.index[(table.sex == "A") & (table.cause == "all")][0]
    if change == "absent":
        table = table.drop(index=bad)
    else:
        table.loc[bad, "deaths"] = change
    options = SMALL | {"keys": ["sex"]}
    made = decompose_gap(table, by="cause", **options).set_index("sex")
    assert made.loc["A", ["value", "se"]].isna().all(axis=None)
    assert set(made.loc["A", "quality"]) == {code}
    alone = decompose_gap(table[table.sex == "B"], by="cause", **options)
    np.testing.assert_allclose(made.loc["B", "value"], alone.value, rtol=1e-12)
    gained = estimate_years_gained(table, causes=["a"], **options).set_index("sex")
    assert np.isnan(gained.loc["A", "value"])
    assert gained.loc["A", "quality"] == code
    assert gained.loc["B", "quality"] == ""


@pytest.mark.parametrize("by", ["age", "cause"])
def test_rows_of_all_deaths_are_not_counted_as_a_cause(by):
    with pytest.raises(SchemaError, match="some rows have cause 'all', and all_causes=None"):
        decompose_gap(two(), by=by, all_causes=None, **SMALL)


@pytest.mark.parametrize("by", ["age", "cause"])
@pytest.mark.parametrize("groups", [{"a": "all"}, {"a": REMAINDER}, {"all": "x"}])
def test_groups_of_causes_may_not_have_the_names_of_other_rows(by, groups):
    with pytest.raises(SchemaError, match=r"'(all|all other causes)' is the name of another row"):
        decompose_gap(two(), by=by, cause_groups=groups, **SMALL)


def test_a_cause_named_as_what_is_left_needs_no_remainder_beside_it():
    table = two()
    table["cause"] = table.cause.replace("b", REMAINDER)
    with pytest.raises(SchemaError, match="'all other causes' is the name of another row"):
        decompose_gap(table, by="cause", **SMALL)
    made = decompose_gap(table[table.cause != "all"], by="cause", all_causes=None, **SMALL)
    assert made.cause.tolist() == ["a", REMAINDER, "all"]


@pytest.mark.parametrize("by", ["age", "cause"])
def test_infinite_people_are_a_fault_and_not_a_rate_of_nothing(by):
    table = two().astype({"population": float})
    table.loc[(table.area == "here") & (table.age == "40-79"), "population"] = np.inf
    made = decompose_gap(table, by=by, **SMALL)
    assert made.value.isna().all()
    assert set(made.quality) == {"missing_value"}


@pytest.mark.parametrize("options", [{"all_causes": None}, {"by": "cause", "cause_groups": {"a": "x", "b": "x"}}])
def test_a_count_below_nothing_does_not_vanish_in_a_sum_of_causes(options):
    table = two()
    table.loc[0, "deaths"] = -1
    made = decompose_gap(table[table.cause != "all"] if "all_causes" in options else table, **(SMALL | options))
    assert made.value.isna().all()
    assert set(made.quality) == {"negative_deaths"}


# --- the same options as the estimates of each population -------------------------------------------------------------


def difference(estimates):
    """The second population's figure minus the first's."""
    values = estimates.set_index("area").value
    return values["there"] - values["here"]


@settings(max_examples=20)
@given(
    deaths=st.lists(st.integers(0, 3_000), min_size=6, max_size=6),
    people=st.lists(st.integers(0, 9_000), min_size=6, max_size=6),
    rules=st.sampled_from([OHID, NONE, Rules(least_person_years=9_000), Rules(widest_interval=3)]),
)
def test_the_gap_is_the_difference_of_the_estimates_under_the_same_rules(deaths, people, rules):
    table = picked(two(), cause="all").assign(deaths=deaths, population=people)
    made = picked(decompose_gap(table, rules=rules, **SMALL), age="all").iloc[0]
    expected = difference(estimate_life_expectancy(table, by=["area"], at=0, bands=BANDS, rules=rules))
    if made.quality == "rate_too_high":
        assert np.isnan(made.value)
    else:
        np.testing.assert_allclose(made.value, expected, rtol=0, atol=1e-9)
    assert np.isfinite(made.value) or made.quality
    assert np.isfinite(expected) or np.isnan(made.value)


@pytest.mark.parametrize("health", ["good", "not_good"])
@pytest.mark.parametrize("rules", [OHID, NONE])
def test_the_gap_in_healthy_life_is_the_difference_of_the_estimates_with_the_same_survey(health, rules):
    table = with_health(picked(two(), cause="all")).assign(homes=[0, 0.01, 0.2, 0, 0.02, 0.1])
    survey = {"design_effect": 1.7, "institutional": "homes", "rules": rules}
    made = decompose_gap(table, of="healthy life expectancy", health=health, **survey, **SMALL)
    gap = picked(made, age="all", effect="all").iloc[0]
    apart = estimate_healthy_life_expectancy(table, of=health, by=["area"], at=0, bands=BANDS, **survey)
    assert gap.value == pytest.approx(difference(apart), abs=1e-9)
    plain = decompose_gap(table, of="healthy life expectancy", health=health, **SMALL)
    assert picked(plain, age="all", effect="all").value.iloc[0] != pytest.approx(gap.value, abs=1e-3)


def test_the_design_effect_multiplies_the_variance_of_the_survey_alone():
    table = with_health(picked(two(), cause="all"))
    options = {"of": "healthy life expectancy", "health": "good", **SMALL}
    one, two_, four = (
        picked(decompose_gap(table, design_effect=effect, **options), age="all", effect="all").se.iloc[0] ** 2
        for effect in (1, 2, 4)
    )
    assert four - two_ == pytest.approx(2 * (two_ - one))
    assert two_ - one > 0.1 * one


@pytest.mark.parametrize(
    ("change", "rules", "code"),
    [
        ({"population": 1_000}, OHID, "withheld_person_years"),
        ({"deaths": 3}, OHID, "withheld_wide_interval"),
        ({}, Rules(least_person_years=90_000), "withheld_person_years"),
        ({}, Rules(widest_interval=0.1), "withheld_wide_interval"),
    ],
)
def test_a_pair_of_which_one_population_is_withheld_is_null_and_says_so(change, rules, code):
    table = picked(two(), cause="all")
    one = table["area"].eq("there")
    table = table.assign(**{name: table[name].where(~one, value) for name, value in change.items()})
    made = decompose_gap(
        pd.concat([table.assign(sex="x"), picked(two(), cause="all").assign(sex="y")]),
        rules=rules,
        **(SMALL | {"keys": ["sex"]}),
    )
    withheld = picked(made, sex="x")
    assert code in withheld.quality.iloc[0].split(";")
    assert withheld[["value", "lower", "upper", "se", "share"]].isna().all(axis=None)
    if change:
        assert picked(made, sex="y").value.notna().all()
    gained = estimate_years_gained(table, rules=rules, **SMALL)
    assert np.isnan(gained.value.iloc[0])
    assert code in gained.quality.iloc[0].split(";")


def test_more_deaths_than_people_are_a_fault_at_every_age_as_in_the_estimates():
    table = picked(two(), cause="all")
    table = table.assign(population=table["population"].where(table["age"] != "80+", 1_500))
    for rules in (OHID, NONE):
        made = decompose_gap(table, rules=rules, **SMALL)
        assert made.value.isna().all()
        assert set(made.quality) == {"more_deaths_than_people"}


def test_options_of_the_survey_need_a_survey_and_shares_are_shares():
    with pytest.raises(ValueError, match="they need health= as well"):
        decompose_gap(two(), design_effect=2.0, **SMALL)
    health = {"of": "healthy life expectancy", "health": "good"}
    with pytest.raises(ValueError, match=r"design_effect is 0.0; it multiplies a variance"):
        decompose_gap(with_health(two()), design_effect=0, **health, **SMALL)
    with pytest.raises(InvalidDataError, match="Divide percentages by 100"):
        decompose_gap(with_health(two()).assign(prevalence=85.0), **health, **SMALL)
    with pytest.raises(ValueError, match=r"rules is None: it is OHID, NONE, or Rules\(...\) of your own"):
        decompose_gap(two(), rules=None, **SMALL)
