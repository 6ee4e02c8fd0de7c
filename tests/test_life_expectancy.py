"""Life expectancy of tables: against published software, whatever the frame, and one by one as all at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.age_bands import ABRIDGED_85, ABRIDGED_90, AgeBands
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.life_expectancy import estimate_life_expectancy
from nenc_estimates.quality import QUALITY
from nenc_estimates.withholding import CODES, NONE, OHID, Rules

PHE = {"age": "startage", "population": "pops"}
LIMITS = {"lower": "lowercl", "upper": "uppercl"}
NUMBERS = ["value", "lower", "upper", "se", "deaths", "person_years"]


def synthetic(areas=3, seed=1, bands=ABRIDGED_90, size=(3_000, 60_000)):
    """Deaths and person-years by sex of areas with a Gompertz rise of mortality; some bands have no deaths."""
    rng = np.random.default_rng(seed)
    lower = np.array(bands.lower)
    rate = np.minimum(4e-5 * np.exp(0.09 * (lower + bands.width.clip(max=5) / 2)) + 0.004 * (lower == 0), 0.35)
    population = rng.integers(*size, (areas, 2, lower.size)) // 10 + 300
    deaths = np.minimum(rng.poisson(rate * population), population)
    deaths[..., -1] = np.maximum(deaths[..., -1], 1)
    keys = pd.MultiIndex.from_product(
        [[f"E{i:08d}" for i in range(areas)], ["Female", "Male"], bands.labels], names=["area_code", "sex", "age"]
    )
    frame = pd.DataFrame({"deaths": deaths.ravel(), "population": population.ravel()}, index=keys).reset_index()
    return frame.assign(period="2018-20")


# --- published software: PHEindicatormethods 2.1.0 in R 4.5.0, exact normal quantile; 1e-12 leaves room for the order
# --- of additions alone ---------------------------------------------------------------------------------------------


def test_two_hundred_areas_agree_with_phe_at_every_age(reference):
    inputs, wanted = (pd.read_csv(reference / f"phe/le_synth200_{part}.csv") for part in ("inputs", "outputs"))
    made = estimate_life_expectancy(inputs.sample(frac=1, random_state=5), by=["area"], **PHE)
    assert made["area"].tolist() == wanted["area"].tolist()
    for column, theirs in {"value": "value", **LIMITS, "deaths": "dths_used", "person_years": "pops_used"}.items():
        np.testing.assert_allclose(made[column], wanted[theirs], rtol=1e-12, err_msg=column)
    assert (made["quality"] == "").all()


def test_both_levels_agree_with_phe_for_areas_sexes_and_quintiles(reference):
    folder = reference / "demography" / "lifetable"
    inputs = pd.read_csv(folder / "synthetic_deaths_population_20bands.csv")
    wanted = pd.read_csv(folder / "expected_phe_life_expectancy.csv").sort_values(["area", "sex", "age"])
    made = estimate_life_expectancy(inputs, by=["area", "sex"], confidence=(0.95, 0.998))
    assert made[["area", "sex"]].to_numpy().tolist() == wanted[["area", "sex"]].to_numpy().tolist()
    for column, theirs in {
        "value": "value",
        **{f"{side}{ours}": f"{side}{phe}" for side in LIMITS for ours, phe in (("", "95_0cl"), ("_998", "99_8cl"))},
    }.items():
        np.testing.assert_allclose(made[column], wanted[theirs], rtol=1e-12, err_msg=column)


REFUSED = {"26_dup85_missing90", "27_21_rows_dup90"}  # one band on two rows: an error here
CODED = {
    "02_zero_deaths_final": "no_deaths_in_open_band",
    "05_zero_deaths_everywhere": "no_deaths_in_open_band",
    "06_NA_deaths_age40": "missing_value",
    "07_NA_pop_age40": "missing_value",
    "14_deaths_gt_pop_age85": "more_deaths_than_people",
    "15_total_pop_exactly_5000": "withheld_person_years",
    "21_negative_deaths_age10": "negative_deaths",
    "22_zero_pop_age10": "no_population",
    "28_missing_age40": "missing_band",
}


def grouped(reference):
    inputs, wanted = (pd.read_csv(reference / f"phe/le_grouped_{part}.csv") for part in ("inputs", "outputs"))
    return inputs[~inputs["case"].isin(REFUSED)], wanted[~wanted["case"].isin(REFUSED)]


def test_edge_cases_agree_with_phe_and_what_it_leaves_out_has_its_reason(reference):
    inputs, wanted = grouped(reference)
    made = estimate_life_expectancy(inputs, by=["case"], confidence=(0.95, 0.998), **PHE)
    compared = 0
    for case, rows in made.groupby("case"):
        theirs = wanted[wanted["case"] == case]
        if case in CODED:
            assert set(rows["quality"]) == {CODED[case]}, case
            assert rows[["value", "lower", "upper", "lower_998", "se"]].isna().all(axis=None), case
            continue
        # above an age that nobody survives R gives 0 without limits; here it is the figure of a person who did
        alive = (theirs["value"] != 0).to_numpy()
        assert (rows["quality"][~alive] == "nobody_survives").all(), case
        assert rows["value"].notna().to_numpy()[~alive].all(), case
        for column, name in {
            "value": "value",
            "lower": "lower95_0cl",
            "upper": "upper95_0cl",
            "lower_998": "lower99_8cl",
            "upper_998": "upper99_8cl",
            "deaths": "dths_used",
        }.items():
            np.testing.assert_allclose(
                rows[column][alive], theirs[name].to_numpy()[alive], rtol=1e-12, err_msg=f"{case} {column}"
            )
        compared += 1
    assert compared == 15


def test_wide_limits_withhold_the_value_but_are_shown(reference):
    inputs, _ = grouped(reference)
    small = inputs[inputs["case"] == "20_final_deaths_one_small"]
    made = estimate_life_expectancy(small, by=["case"], **PHE)
    wide = made["upper"] - made["lower"] > 20
    assert wide.any()
    assert (made["quality"][wide] == "withheld_wide_interval").all()
    assert made["value"].isna().tolist() == wide.tolist()
    shown = estimate_life_expectancy(small, by=["case"], rules=NONE, **PHE)
    np.testing.assert_allclose(shown["value"], (made["lower"] + made["upper"]) / 2, rtol=1e-12)
    assert (shown["quality"] == "").all()


def test_the_rule_on_width_is_one_on_95_percent_limits_whatever_is_asked_for(reference):
    inputs, _ = grouped(reference)
    made = [
        estimate_life_expectancy(inputs, by=["case"], confidence=level, **PHE)["value"] for level in (0.8, 0.95, 0.998)
    ]
    pd.testing.assert_series_equal(made[0], made[1])
    pd.testing.assert_series_equal(made[0], made[2])


def test_repeated_bands_are_refused_by_row_where_phe_computes_or_multiplies_rows(reference):
    inputs = pd.read_csv(reference / "phe/le_grouped_inputs.csv")
    for case in REFUSED:
        with pytest.raises(InvalidDataError, match=f"case {case}"):
            estimate_life_expectancy(inputs[inputs["case"] == case], by=["case"], **PHE)


# --- rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "change", "code", "undefined"),
    [
        (19, {"deaths": 0}, "no_deaths_in_open_band", 20),
        (7, {"deaths": np.nan}, "missing_value", 8),
        (7, {"population": np.nan}, "missing_value", 8),
        (7, {"population": -1.0}, "no_population", 8),
        (7, {"deaths": -1.0}, "negative_deaths", 8),
        (7, {"deaths": 1e6}, "more_deaths_than_people", 8),
        (7, None, "missing_band", 8),
    ],
)
def test_a_fault_takes_its_group_or_only_the_ages_it_touches_and_no_other_group(row, change, code, undefined):
    table = synthetic().astype({"deaths": float, "population": float})
    whole = estimate_life_expectancy(table)
    faulty = table.drop(index=row)
    if change:
        faulty = table.copy()
        faulty.loc[row, list(change)] = list(change.values())
    for rules, ages in ((OHID, 20), (NONE, undefined)):
        made = estimate_life_expectancy(faulty, rules=rules)
        assert made["value"].isna().tolist() == [True] * ages + [False] * (120 - ages)
        assert made["quality"].tolist() == [code] * ages + [""] * (120 - ages)
        pd.testing.assert_frame_equal(made[20:], whole[20:])


def test_a_missing_value_and_a_missing_band_are_two_reasons():
    table = synthetic(1).astype({"deaths": float}).drop(index=4)
    table.loc[9, "deaths"] = np.nan
    made = estimate_life_expectancy(table)
    assert set(made["quality"][:20]) == {"missing_value;missing_band"}


@pytest.mark.parametrize("rules", [NONE, OHID])
def test_infinite_people_are_a_fault_and_not_a_rate_of_nothing(rules):
    table = synthetic(areas=1).astype({"population": float})
    table.loc[5, "population"] = np.inf
    made = estimate_life_expectancy(table, rules=rules, at=0).set_index("sex")
    assert np.isnan(made.loc["Female", "value"])
    assert made.loc["Female", "quality"] == "missing_value"
    assert made.loc["Male", "quality"] == ""


def test_five_thousand_person_years_are_withheld_and_one_more_is_not():
    table = synthetic(1)
    for total, code in ((5000, "withheld_person_years"), (5001, "")):
        people = table.assign(population=np.where(table["age"] == "0", total - 19 * 200, 200), deaths=20)
        made = estimate_life_expectancy(people, at=0, rules=Rules(least_person_years=5000))
        assert made["quality"].tolist() == [code] * 2
        assert made["person_years"].tolist() == [total] * 2


def test_every_code_is_explained():
    assert set(CODES.values()) <= set(QUALITY)
    assert len(set(CODES)) == len(CODES)


# --- frames, keys, options ------------------------------------------------------------------------------------------

KINDS = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_gives_its_own_kind_with_the_same_numbers(kind):
    table = synthetic()
    same = {"pandas": lambda t: t, "polars": pl.from_pandas, "pyarrow": pa.Table.from_pandas}[kind](table)
    made = estimate_life_expectancy(same, confidence=(0.95, 0.998))
    assert isinstance(made, KINDS[kind])
    ours = made if kind == "pandas" else made.to_pandas()
    wanted = estimate_life_expectancy(table, confidence=(0.95, 0.998))
    pd.testing.assert_frame_equal(ours, wanted, check_dtype=False)
    assert list(ours.columns) == [
        *("area_code", "sex", "period", "age", "value", "lower", "upper", "lower_998", "upper_998", "se", "deaths"),
        *("person_years", "quality"),
    ]


def test_the_input_is_not_changed_and_the_result_may_be():
    table = synthetic()
    before = table.copy()
    made = estimate_life_expectancy(table)
    made.loc[0, ["value", "quality"]] = [1.0, "mine"]
    assert (made.loc[0, "value"], made.loc[0, "quality"]) == (1.0, "mine")
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("kind", ["int32", "float32", "Int64", "float64"])
def test_whole_numbers_of_any_kind_give_the_float64_answer(kind):
    table = synthetic()
    made = estimate_life_expectancy(table.astype({"deaths": kind, "population": kind}))
    pd.testing.assert_frame_equal(made, estimate_life_expectancy(table))


def test_no_keys_make_one_group_and_ages_are_chosen():
    table = synthetic(1).query("sex == 'Male'")
    made = estimate_life_expectancy(table, by=[], at=("65-69", 0))
    assert made["age"].tolist() == ["0", "65-69"]
    whole = estimate_life_expectancy(table, by=[])
    assert made["value"].tolist() == whole["value"][[0, 14]].tolist()


def test_keys_of_numbers_and_categories_are_keys():
    table = synthetic().assign(quantile=3).astype({"sex": "category"})
    made = estimate_life_expectancy(table, by=("quantile", "sex", "area_code"), at=0)
    assert made[["quantile", "sex"]].drop_duplicates().to_numpy().tolist() == [["3", "Female"], ["3", "Male"]]


@pytest.mark.parametrize("bands", [ABRIDGED_85, AgeBands((0, 5, 45, 80)), AgeBands.single_years(95)])
def test_any_bands_do(bands):
    table = synthetic(2, bands=bands)
    made = estimate_life_expectancy(table, bands=bands)
    assert len(made) == 4 * len(bands)
    assert made["value"].between(2, 95).all()


def test_years_lived_by_the_dying_may_be_given():
    table = synthetic(1)
    half = np.append(ABRIDGED_90.width[:-1] / 2, np.nan)
    same, other = (estimate_life_expectancy(table, at=0, nax=nax)["value"] for nax in (ABRIDGED_90.nax, half))
    assert same.tolist() == estimate_life_expectancy(table, at=0)["value"].tolist()
    assert (other > same).all()
    with pytest.raises(ValueError, match="nax is in years and lies between 0 and width"):
        estimate_life_expectancy(table, nax=np.full(20, 6.0))


def test_without_the_term_of_the_open_band_limits_are_narrower():
    narrow, wide = (
        estimate_life_expectancy(synthetic(), open_band_variance=term)["se"].to_numpy() for term in (False, True)
    )
    assert (narrow < wide).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda t: t.drop(columns="deaths"), SchemaError, "no column 'deaths'"),
        (lambda t: t.drop(columns="period"), SchemaError, "no column 'period'"),
        (lambda t: t.iloc[:0], SchemaError, "no rows"),
        (lambda t: t.assign(deaths="many"), SchemaError, "not numbers"),
        (lambda t: t.assign(sex=None), InvalidDataError, "'sex' is empty in row 0"),
        (lambda t: pd.concat([t, t.iloc[[3]]], ignore_index=True), InvalidDataError, "rows 3 and 120 .* equal values"),
        (lambda t: t.assign(age=t["age"].replace("1-4", "01-Apr")), SchemaError, "'01-Apr' is a date"),
        (lambda t: t.to_numpy(), SchemaError, "cannot be read as a pandas, polars or pyarrow table"),
    ],
)
def test_bad_tables_are_refused_in_words(change, error, words):
    with pytest.raises(error, match=words):
        estimate_life_expectancy(change(synthetic()))


# --- identities -----------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), areas=st.integers(1, 6))
def test_all_at_once_is_one_by_one_to_the_last_bit_in_any_order(seed, areas):
    table = synthetic(areas, seed=seed, size=(100, 9_000))
    made = estimate_life_expectancy(table.sample(frac=1, random_state=seed), rules=NONE)
    alone = [estimate_life_expectancy(group, rules=NONE) for _, group in table.groupby(["area_code", "sex"], sort=True)]
    pd.testing.assert_frame_equal(made, pd.concat(alone, ignore_index=True), check_exact=True)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_men_and_women_together_live_between_the_two_where_their_shares_do_not_change_with_age(seed):
    # with one sex the healthier at every age: else the rates of both could lie outside at some ages
    table = synthetic(2, seed=seed)
    women = table[table["sex"] == "Female"].reset_index(drop=True)
    more = np.minimum(women["deaths"] * 1.5 + 1, women["population"])
    both = pd.concat([women, women.assign(sex="Male", deaths=more)], ignore_index=True)
    each = estimate_life_expectancy(both, rules=NONE)
    together = both.groupby(["area_code", "period", "age"], as_index=False)[["deaths", "population"]].sum()
    pooled = estimate_life_expectancy(together, by=["area_code", "period"], rules=NONE)["value"].to_numpy()
    female, male = (each[each["sex"] == sex]["value"].to_numpy() for sex in ("Female", "Male"))
    assert ((male <= pooled + 1e-9) & (pooled <= female + 1e-9)).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), factor=st.integers(2, 50))
def test_more_people_with_the_same_rates_live_as_long_with_smaller_errors(seed, factor):
    table = synthetic(1, seed=seed)
    one = estimate_life_expectancy(table, rules=NONE)
    many = estimate_life_expectancy(
        table.assign(**{n: table[n] * factor for n in ("deaths", "population")}), rules=NONE
    )
    np.testing.assert_allclose(many["value"], one["value"], rtol=1e-12)
    np.testing.assert_allclose(many["se"] * np.sqrt(factor), one["se"], rtol=1e-12)
