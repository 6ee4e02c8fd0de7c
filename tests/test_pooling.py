"""Areas pooled into one life table, beside the mean of their life expectancies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.crosswalk_rules import narrowest_age
from nenc_estimates.crosswalks import Crosswalk, load_crosswalk
from nenc_estimates.errors import InvalidDataError, UnknownAreaError
from nenc_estimates.life_expectancy import compare_pooled_and_weighted, estimate_life_expectancy, pool_life_tables
from nenc_estimates.packaged import read_packaged


@pytest.fixture(scope="module")
def deaths():
    return read_packaged("indicators", "deaths_by_age_ons_2014.csv").to_pandas()


@pytest.fixture(scope="module")
def whole(deaths):
    crosswalk = load_crosswalk("ltla21", "nenc").whole()
    return deaths[deaths["area_code"].isin(crosswalk.sources)], crosswalk


def everything(sources):
    return Crosswalk.from_shares([(code, "A", 1.0) for code in sources])


# --- numbers --------------------------------------------------------------------------------------------------------


def test_sixteen_whole_areas_of_2014_have_the_figures_computed_elsewhere(whole):
    # from the same ONS figures outside this package, to two decimals
    table, crosswalk = whole
    made = compare_pooled_and_weighted(table, to=crosswalk)
    assert made["sex"].tolist() == ["Female", "Male"]
    assert made["pooled"].round(2).tolist() == [81.83, 77.81]
    assert made["weighted"].round(2).tolist() == [81.83, 77.73]


def test_the_synthetic_partnership_has_its_pooled_and_weighted_figures(reference):
    # demography reference: pooled life expectancy of 13 areas, and what the mean weighted by all people is above it
    inputs = pd.read_csv(reference / "demography/lifetable/synthetic_deaths_population_20bands.csv")
    table = inputs[inputs["area"].str.startswith("LA")].rename(columns={"area": "area_code"})
    wanted = pd.read_csv(reference / "demography/aggregation/weighted_mean_vs_pooled.csv")
    wanted = wanted[wanted["case"] == "13 LAs"].set_index("sex")
    made = compare_pooled_and_weighted(table, to=everything(table["area_code"].unique()), by=["sex"]).set_index("sex")
    for sex in ("male", "female"):
        assert made.loc[sex, "pooled"] == pytest.approx(wanted.loc[sex, "pooled"], abs=5e-9)
        assert made.loc[sex, "difference"] == pytest.approx(wanted.loc[sex, "total_population"], abs=1e-9)
        # there both causes are predicted by expansion to first and second order, here they are exact
        predicted = wanted.loc[sex, "predicted second-order(convexity) term"]
        assert made.loc[sex, "convexity"] == pytest.approx(predicted, abs=0.004)
        predicted = wanted.loc[sex, "predicted first-order(age-structure) term"]
        assert made.loc[sex, "age_structure"] == pytest.approx(predicted, abs=0.004)


def test_thirteen_areas_on_real_people_have_the_pooled_figures_and_errors_of_the_reference(reference):
    table = pd.read_csv(reference / "weighting/tv06_life_table_inputs_synthetic.csv")
    names = {"code": "area_code", "start_age": "age", "population_3y": "population"}
    table = table.rename(columns=names)
    cumbria = 0.639618  # the share inside, to the six decimals used there
    codes = table["area_code"].unique()
    inside = Crosswalk.from_shares([(code, "A", cumbria if code == "E10000006" else 1.0) for code in codes])
    made = compare_pooled_and_weighted(table, to=inside, by=["sex"]).set_index("sex")
    wanted = pd.read_json(reference / "weighting/tv06_life_expectancy_expected.json")["results"]
    for sex in ("M", "F"):
        assert made.loc[sex, "pooled"] == pytest.approx(wanted[sex]["pooled_e0"], rel=1e-9)
        assert made.loc[sex, "pooled_se"] == pytest.approx(wanted[sex]["pooled_se"], rel=1e-9)
        assert made.loc[sex, "weighted"] == pytest.approx(wanted[sex]["population_weighted_e0"], rel=1e-9)
        assert made.loc[sex, "weighted_se"] == pytest.approx(wanted[sex]["population_weighted_se"], rel=1e-9)


# --- identities -----------------------------------------------------------------------------------------------------


def test_whole_areas_pooled_are_the_life_table_of_their_sums(whole):
    table, crosswalk = whole
    sums = table.groupby(["sex", "period", "age"], as_index=False)[["deaths", "population"]].sum()
    wanted = estimate_life_expectancy(sums, by=["sex", "period"], confidence=(0.95, 0.998))
    made = pool_life_tables(table, to=crosswalk, confidence=(0.95, 0.998))
    for column in ("value", "lower", "upper", "lower_998", "upper_998", "se", "deaths", "person_years"):
        np.testing.assert_allclose(made[column], wanted[column], rtol=1e-13, err_msg=column)
    assert set(made["n_areas"]) == {16}
    assert made["age"].tolist() == list(ABRIDGED_90.labels) * 2


def test_one_whole_area_is_itself(deaths):
    table = deaths[deaths["area_name"] == "Gateshead"]
    made = pool_life_tables(table, to=everything(["E08000037"]))
    wanted = estimate_life_expectancy(table)
    assert made["value"].tolist() == wanted["value"].tolist()
    compared = compare_pooled_and_weighted(table, to=everything(["E08000037"]))
    np.testing.assert_allclose(compared["weighted"], compared["pooled"], rtol=1e-14)
    np.testing.assert_allclose(compared[["age_structure", "convexity"]], 0, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_two_causes_add_up_and_convexity_is_never_below_zero(seed):
    rng = np.random.default_rng(seed)
    lower = np.array(ABRIDGED_90.lower)
    level, people = rng.uniform(0.5, 2, (4, 1)), rng.integers(1_000, 90_000, (4, 20))
    rate = np.minimum(level * (4e-5 * np.exp(0.09 * (lower + 2)) + 0.004 * (lower == 0)), 0.35)
    table = pd.DataFrame(
        {
            "area_code": np.repeat(["A", "B", "C", "D"], 20),
            "age": ABRIDGED_90.labels * 4,
            "deaths": (rate * people).ravel(),
            "population": people.ravel(),
        }
    )
    share = Crosswalk.from_shares([(code, "X", s) for code, s in zip("ABCD", rng.uniform(0.1, 1, 4), strict=True)])
    made = compare_pooled_and_weighted(table.sample(frac=1, random_state=seed), to=share, by=[]).iloc[0]
    assert made["age_structure"] + made["convexity"] == pytest.approx(made["difference"], abs=1e-12)
    assert made["difference"] == pytest.approx(made["weighted"] - made["pooled"], abs=1e-12)
    assert made["convexity"] > 0


def test_an_area_half_inside_gives_half_its_deaths_and_people(deaths):
    table = deaths[deaths["area_name"].isin(["Gateshead", "Sunderland"])]
    half = Crosswalk.from_shares([("E08000037", "A", 0.5), ("E08000024", "A", 1.0)])
    made = pool_life_tables(table, to=half, by=["sex"])
    scaled = table.assign(
        **{name: table[name] * np.where(table["area_code"] == "E08000037", 0.5, 1) for name in ("deaths", "population")}
    )
    sums = scaled.groupby(["sex", "age"], as_index=False)[["deaths", "population"]].sum()
    np.testing.assert_allclose(made["value"], estimate_life_expectancy(sums, by=["sex"])["value"], rtol=1e-13)
    assert set(made["quality"]) == {"partial_area;wider_age_share"}
    assert made["notes"].str.contains("50.0% inside").all()


# --- membership -----------------------------------------------------------------------------------------------------


def test_membership_goes_by_the_narrowest_age_group_that_holds_the_band(deaths):
    copeland = deaths[(deaths["area_code"] == "E07000029") & (deaths["sex"] == "Male")].set_index("age")["population"]
    others = deaths[deaths["area_code"].isin(load_crosswalk("ltla21", "nenc").members) & (deaths["sex"] == "Male")]
    rest = others[others["area_code"] != "E07000029"].groupby("age")["population"].sum()
    made = pool_life_tables(deaths, to="nenc")
    men = made[made["sex"] == "Male"].set_index("age")["person_years"]
    people = men - men.shift(-1, fill_value=0)
    # shares of Copeland's people inside, mid-2020, as packaged
    for age, share in {"0": 0.869048, "1-4": 0.884356, "10-14": 0.880620, "15-19": 0.875355, "70-74": 0.860526}.items():
        assert (people[age] - rest[age]) / copeland[age] == pytest.approx(share, abs=1e-6)
    assert set(made["n_areas"]) == {16}


@pytest.mark.parametrize(
    ("age", "group"),
    [("0", "0"), ("1-4", "0-4"), ("15-19", "all"), ("60-64", "16-64"), ("65-69", "65+"), ("90+", "65+")],
)
def test_the_narrowest_group_is_found(age, group):
    assert narrowest_age(["all", "0", "0-4", "0-17", "18+", "16-64", "65+"], age) == group


def test_a_group_that_no_share_holds_is_refused(deaths):
    rows = pd.DataFrame(
        {"source_code": ["E08000037"] * 2, "target_code": "A", "age": ["0-17", "18+"], "share": [0.4, 0.5]}
    )
    table = deaths[deaths["area_name"] == "Gateshead"]
    with pytest.raises(InvalidDataError, match="no share for age '15-19'"):
        pool_life_tables(table, to=Crosswalk.from_shares(rows))


def test_the_four_local_partnerships_share_the_deaths_of_the_whole(deaths):
    parts, whole = (pool_life_tables(deaths, to=target, at=0) for target in ("local_icp", "nenc"))
    assert parts["area_code"].tolist() == ["NENC-C", "NENC-N", "NENC-NC", "NENC-TV"] * 2
    for column in ("deaths", "person_years"):
        np.testing.assert_allclose(parts.groupby("sex")[column].sum(), whole.set_index("sex")[column], rtol=1e-12)


def test_a_superseded_code_is_the_present_area_and_noted(deaths):
    table = deaths.assign(area_code=deaths["area_code"].replace("E08000037", "E08000020"))
    made = pool_life_tables(table, to="nenc", at=0)
    assert made["value"].tolist() == pool_life_tables(deaths, to="nenc", at=0)["value"].tolist()
    assert made["quality"].str.endswith("recoded").all()


def test_an_area_without_rows_is_named(deaths):
    table = deaths[~((deaths["area_name"] == "Sunderland") & (deaths["sex"] == "Male"))]
    with pytest.raises(InvalidDataError, match=r"no rows for E08000024 \(Sunderland.* sex Male.*1 such gaps"):
        pool_life_tables(table, to="nenc")


def test_a_missing_band_of_one_area_leaves_the_series_without_a_figure_and_says_so(deaths):
    row = deaths.index[(deaths["area_name"] == "Sunderland") & (deaths["sex"] == "Male") & (deaths["age"] == "40-44")]
    for function, column in ((pool_life_tables, "value"), (compare_pooled_and_weighted, "weighted")):
        made = function(deaths.drop(index=row), to="nenc")
        assert made[made["sex"] == "Male"][column].isna().all()
        assert made[made["sex"] == "Female"][column].notna().all()
        assert made[made["sex"] == "Male"]["quality"].str.contains("missing_value").all()


def test_negative_counts_do_not_hide_in_a_sum(deaths):
    table = deaths.assign(deaths=deaths["deaths"].where(deaths.index != 5, -1))
    with pytest.raises(InvalidDataError, match=r"deaths must be 0 or more, but is not in row 5 \("):
        pool_life_tables(table, to="nenc")


def test_a_code_of_elsewhere_is_refused(deaths):
    table = deaths.assign(area_code=deaths["area_code"].replace("E08000037", "E09000001"))
    with pytest.raises(UnknownAreaError, match="E09000001"):
        pool_life_tables(table, to="nenc")


def test_polars_in_polars_out(deaths):
    made = pool_life_tables(pl.from_pandas(deaths), to="nenc", at=0)
    assert isinstance(made, pl.DataFrame)
    assert made["value"].to_list() == pool_life_tables(deaths, to="nenc", at=0)["value"].tolist()
    compared = compare_pooled_and_weighted(pl.from_pandas(deaths), to="nenc")
    assert isinstance(compared, pl.DataFrame)
    assert compared["pooled"].to_list() == made["value"].to_list()


def test_the_result_may_be_changed(deaths):
    made = pool_life_tables(deaths, to="nenc")
    made.loc[0, ["value", "n_areas"]] = [80.0, 3]
    assert made.loc[0, ["value", "n_areas"]].tolist() == [80.0, 3]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("population", 0, "no_population"),
        ("population", np.inf, "missing_value"),
        ("population", np.nan, "missing_value"),
        ("deaths", 99_999, "more_deaths_than_people"),
    ],
)
def test_an_impossible_count_of_one_area_does_not_vanish_in_the_sum(whole, column, value, code):
    table, crosswalk = whole
    bad = table.reset_index(drop=True).astype({"deaths": float, "population": float})
    bad.loc[bad.index[(bad["sex"] == "Male") & (bad["deaths"] > 0)][5], column] = value
    pooled = pool_life_tables(bad, to=crosswalk).set_index("sex")
    compared = compare_pooled_and_weighted(bad, to=crosswalk).set_index("sex")
    assert pooled.loc["Male", ["value", "lower", "se"]].isna().all(axis=None)
    assert set(pooled.loc["Male", "quality"]) == {code}
    assert compared.loc["Male", "quality"] == code
    assert compared.loc["Male"].drop(["period", "area_code", "area_name", "n_areas", "quality", "notes"]).isna().all()
    pd.testing.assert_frame_equal(
        pooled.loc[["Female"]], pool_life_tables(table, to=crosswalk).set_index("sex").loc[["Female"]], rtol=1e-12
    )
    assert compared.loc["Female", "quality"] == ""


def test_the_mean_of_life_expectancies_may_lie_below_that_of_mean_rates():
    # the areas differ at neighbouring ages, in opposite directions: dying at one age or the other is much the same
    rate = np.concatenate([[0.004], np.minimum(4e-5 * np.exp(0.09 * np.arange(2, 97, 5)), 0.35)])
    one, other = rate.copy(), rate.copy()
    one[14], other[15] = 0.39, 0.39
    ages = pd.DataFrame({"age": ABRIDGED_90.labels, "population": 1e6})
    table = pd.concat([ages.assign(area_code=c, deaths=1e6 * r) for c, r in (("X", one), ("Y", other))])
    assert compare_pooled_and_weighted(table, to=everything("XY"), by=[])["convexity"].item() < 0
