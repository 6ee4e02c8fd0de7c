"""Healthy life expectancy of tables: the practical guide's numbers, identities, and what cannot be known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from nenc_estimates.age_bands import ABRIDGED_90, AgeBands
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.healthy_life_expectancy import MEASURES, estimate_healthy_life_expectancy
from nenc_estimates.life_expectancy import estimate_life_expectancy
from nenc_estimates.withholding import NONE


@pytest.fixture
def table():
    """Men and women of two areas, invented."""
    rng = np.random.default_rng(9)
    lower = np.array(ABRIDGED_90.lower)
    rate = np.minimum(4e-5 * np.exp(0.09 * (lower + 2)) + 0.004 * (lower == 0), 0.35)
    population = rng.integers(2_000, 9_000, (4, 20))
    return pd.DataFrame(
        {
            "area_code": np.repeat(["A", "B"], 40),
            "sex": np.tile(np.repeat(["Female", "Male"], 20), 2),
            "period": "2018-20",
            "age": ABRIDGED_90.labels * 4,
            "deaths": (rng.poisson(rate * population) + (lower == 90)).ravel(),
            "population": population.ravel(),
            "prevalence": np.clip(0.98 - 0.007 * lower + rng.uniform(-0.02, 0.02, (4, 20)), 0, 1).ravel(),
            "respondents": rng.integers(40, 400, 80),
        }
    )


# --- published numbers: Jagger, Van Oyen, Robine, Practical Guide, 4th ed. 2014, examples 3, 4 and 7; 12 digits are
# --- given and prevalences are multiplied by years of up to 500,000: 1e-10 -----------------------------------------


@pytest.fixture(scope="module")
def guide(reference):
    """Women of Belgium 2004. The guide gives q(0) from births, and L0 = 0.2 l0 + 0.8 l1."""
    rows = pd.read_csv(reference / "sullivan/jagger_ex3_ex4_belgium_females_2004.csv")
    corrected = pd.read_csv(reference / "sullivan/jagger_ex7_percent_and_corrected_variance.csv")
    bands = AgeBands(tuple(rows["age"]))
    table = pd.DataFrame(
        {
            "age": rows["age_group"],
            "deaths": rows["deaths"],
            "population": rows["population"],
            "prevalence": rows["prev_disability"],
            "respondents": rows["N_survey"],
            "qx": rows["qx"].where(rows["age"] == 0),
        }
    )
    options = {"of": "not_good", "by": [], "bands": bands, "nqx": "qx"}
    half = np.append(bands.width[:-1] / 2, np.nan)
    return table, rows, corrected, options, half


def test_years_free_of_disability_and_their_share_are_the_guides(guide):
    table, rows, corrected, options, half = guide
    nax = np.where(rows["age"] == 0, 0.2, half)
    made = {name: estimate_healthy_life_expectancy(table, measure=name, nax=nax, **options) for name in MEASURES}
    np.testing.assert_allclose(made["healthy"]["value"], rows["DFLE"], rtol=1e-10)
    np.testing.assert_allclose(made["healthy"]["life_expectancy"], rows["ex"], rtol=1e-10)
    np.testing.assert_allclose(made["unhealthy"]["value"], corrected["DLE"], rtol=1e-10)
    np.testing.assert_allclose(100 * made["share"]["value"], rows["pct_DFLE"], rtol=1e-10)
    assert made["healthy"]["value"][[0, 14]].round(6).tolist() == [66.542309, 12.269493]


def test_errors_are_the_corrected_ones_with_both_parts(guide):
    table, _rows, corrected, options, half = guide
    healthy = estimate_healthy_life_expectancy(table, nax=half, **options)
    wanted = corrected["var_prev_DFLE"] + corrected["var_mort_DFLE_with_open"]
    # the survey part of age 0 has L0 = 0.2 l0 + 0.8 l1 in the guide, its mortality part a0 = 0.5: above they agree
    above = slice(1, None)
    np.testing.assert_allclose(healthy["se"][above] ** 2, wanted[above], rtol=1e-10)
    share = estimate_healthy_life_expectancy(table, nax=half, measure="share", open_band_variance=False, **options)
    np.testing.assert_allclose(100 * share["se"][above], corrected["se_pct_correct"][above], rtol=1e-9)


# --- identities -----------------------------------------------------------------------------------------------------


def test_everyone_in_good_health_lives_a_life_in_good_health(table):
    life = estimate_life_expectancy(table)
    for of, prevalence in (("good", 1.0), ("not_good", 0.0)):
        made = estimate_healthy_life_expectancy(table.assign(prevalence=prevalence), of=of)
        for column in ("value", "lower", "upper", "se", "deaths", "person_years"):
            np.testing.assert_allclose(made[column], life[column], rtol=1e-12, err_msg=column)


def test_good_and_not_good_are_two_names_of_one_thing(table):
    good = estimate_healthy_life_expectancy(table, of="good", confidence=(0.95, 0.998))
    other = table.assign(prevalence=1 - table["prevalence"])
    not_good = estimate_healthy_life_expectancy(other, of="not_good", confidence=(0.95, 0.998))
    pd.testing.assert_frame_equal(good, not_good, rtol=1e-12)


def test_healthy_and_unhealthy_years_make_a_life(table):
    parts = [estimate_healthy_life_expectancy(table, of="good", measure=name) for name in ("healthy", "unhealthy")]
    life = estimate_life_expectancy(table)["value"]
    np.testing.assert_allclose(parts[0]["value"] + parts[1]["value"], life, rtol=1e-12)
    share = estimate_healthy_life_expectancy(table, of="good", measure="share")["value"]
    np.testing.assert_allclose(share, parts[0]["value"] / life, rtol=1e-12)


def test_a_design_effect_multiplies_the_survey_variance_alone(table):
    huge = table.assign(respondents=1e18)
    mortality = estimate_healthy_life_expectancy(huge, of="good")["se"] ** 2
    one, two = (estimate_healthy_life_expectancy(table, of="good", design_effect=d)["se"] ** 2 for d in (1.0, 2.0))
    np.testing.assert_allclose(two - mortality, 2 * (one - mortality), rtol=1e-9)


def test_people_in_institutions_are_not_in_good_health(table):
    aged = table.assign(institutions=np.where(table["age"].isin(["85-89", "90+"]), 0.25, 0.0))
    at_home, all_ = (estimate_healthy_life_expectancy(aged, of="good", institutional=i) for i in (None, "institutions"))
    last = all_["age"] == "90+"
    np.testing.assert_allclose(all_["value"][last], 0.75 * at_home["value"][last], rtol=1e-12)
    assert (all_["value"] < at_home["value"]).all()


def test_a_shuffled_table_is_the_same_and_groups_do_not_touch_each_other(table):
    made = estimate_healthy_life_expectancy(table.sample(frac=1, random_state=2), of="good")
    alone = [estimate_healthy_life_expectancy(rows, of="good") for _, rows in table.groupby(["area_code", "sex"])]
    pd.testing.assert_frame_equal(made, pd.concat(alone, ignore_index=True), check_exact=True)


@pytest.mark.parametrize(("convert", "kind"), [(pl.from_pandas, pl.DataFrame), (pa.Table.from_pandas, pa.Table)])
def test_every_kind_of_frame_gives_its_own_kind(table, convert, kind):
    made = estimate_healthy_life_expectancy(convert(table), of="good")
    assert isinstance(made, kind)
    wanted = estimate_healthy_life_expectancy(table, of="good")
    pd.testing.assert_frame_equal(made.to_pandas(), wanted, check_dtype=False)


# --- what cannot be known -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "code", "value_known", "limits_known"),
    [
        ("prevalence", np.nan, "missing_prevalence", False, False),
        ("respondents", np.nan, "no_respondents", True, False),
        ("respondents", 0, "no_respondents", True, False),
    ],
)
def test_a_gap_in_the_survey_is_coded_up_to_its_age(table, column, value, code, value_known, limits_known):
    made = estimate_healthy_life_expectancy(
        table.assign(**{column: table[column].where(table.index != 7, value)}), of="good"
    )
    assert made["quality"].tolist() == [code] * 8 + [""] * 72
    assert made["value"][:8].notna().tolist() == [value_known] * 8
    assert made[["lower", "upper", "se"]][:8].notna().to_numpy().tolist() == [[limits_known] * 3] * 8
    assert made["value"][8:].notna().all()


@pytest.mark.parametrize(
    ("change", "code"),
    [({"deaths": 0}, "no_deaths_in_open_band"), ({"population": 1}, "more_deaths_than_people")],
)
def test_faults_of_the_life_table_are_coded_as_there(table, change, code):
    (column, value), row = *change.items(), 19
    faulty = table.assign(**{column: table[column].where(table.index != row, value)})
    faulty.loc[row, "deaths"] = 0 if column == "deaths" else 5
    for rules in (NONE, None):
        made = estimate_healthy_life_expectancy(faulty, of="good", **({"rules": rules} if rules else {}))
        assert made["quality"].tolist() == [code] * 20 + [""] * 60
        assert made[["value", "life_expectancy"]][:20].isna().all(axis=None)


def test_a_missing_band_is_that_groups_alone(table):
    made = estimate_healthy_life_expectancy(table.drop(index=30), of="good")
    assert made["quality"].tolist() == [""] * 20 + ["missing_band"] * 20 + [""] * 40


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"of": "poor"}, ValueError, "'good' or 'not_good', not 'poor'"),
        ({"of": "good", "measure": "years"}, ValueError, "measure is 'years'; known: healthy, unhealthy, share"),
        ({"of": "good", "design_effect": 0}, ValueError, "design_effect is 0"),
        ({"of": "good", "prevalence": "respondents"}, InvalidDataError, "respondents is a share between 0 and 1"),
        ({"of": "good", "institutional": "population"}, InvalidDataError, "population is a share .*percentages by 100"),
        ({"of": "good", "prevalence": "good"}, SchemaError, "no column 'good'"),
    ],
)
def test_wrong_options_and_percentages_are_refused_in_words(table, options, error, words):
    with pytest.raises(error, match=words):
        estimate_healthy_life_expectancy(table, **options)


def test_the_direction_of_health_is_never_guessed(table):
    with pytest.raises(TypeError, match="'of'"):
        estimate_healthy_life_expectancy(table)
