"""Quantiles of areas, and gaps between pooled quantiles: OHID's rule, definitions kept apart, bad groups alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.age_bands import ABRIDGED_90, AgeBands
from nenc_estimates.deprivation import assign_quantiles, estimate_deprivation_gap, merge_quantiles
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.gap_comparisons import compare_gaps, estimate_mean_gap
from nenc_estimates.inequality_measures import MEASURES
from nenc_estimates.quality import QUALITY
from nenc_estimates.withholding import NONE, OHID

FIFTHS = {"quantiles": 5, "most_deprived": 1}
BANDS = AgeBands((0, 40, 80))
THIRDS = {"quantiles": 3, "most_deprived": 1, "bands": BANDS}


def thirds(*, times=1.0, **columns):
    """Three quantiles by age, the most deprived with most deaths."""
    ages = pd.DataFrame({"age": ["0-39", "40-79", "80+"], "population": [40_000, 40_000, 9_000]})
    deaths = {1: [60, 900, 1900], 2: [50, 750, 1800], 3: [40, 600, 1700]}
    table = pd.concat([ages.assign(quantile=q, deaths=np.array(d) * times) for q, d in deaths.items()])
    return table.assign(**columns)


def one_area(table, **options):
    return estimate_deprivation_gap(
        table, **({"definition": "national quantiles", "by": [], "over": []} | THIRDS | options)
    )


@pytest.fixture(scope="module")
def synthetic(reference):
    table = pd.read_csv(reference / "demography/lifetable/synthetic_deaths_population_20bands.csv")
    return table[table.area.str.fullmatch("Q[1-5]")].assign(
        age=lambda rows: rows.age.map(dict(zip(ABRIDGED_90.lower, ABRIDGED_90.labels, strict=True))),
        quantile=lambda rows: rows.area.str[1:],
    )


@pytest.mark.parametrize(
    ("column", "quantiles", "direction"),
    [("d10", 10, "highest"), ("q5", 5, "highest"), ("q5_noinv", 5, "lowest"), ("q7", 7, "highest")],
)
def test_quantiles_are_those_of_phe_quantile(reference, column, quantiles, direction):
    edges = pd.read_csv(reference / "phe/quantile_edges.csv")
    made = assign_quantiles(edges, most_deprived=direction, quantiles=quantiles, score="vals", by=["g"])
    np.testing.assert_array_equal(made["quantile"].astype(float), edges[column].astype(float))
    assert (made.quality[edges.vals.isna()] == "no_score").all()
    lacking = edges.vals.notna() & edges[column].isna()
    assert (made.quality[lacking] == "too_few_areas").all()


@given(st.lists(st.integers(0, 30), min_size=5, max_size=40))
def test_a_higher_score_is_never_in_a_less_deprived_quantile(scores):
    made = assign_quantiles(pd.DataFrame({"score": scores}), most_deprived="highest")["quantile"].to_numpy()
    order = np.argsort(scores)
    assert (np.diff(made[order]) <= 0).all()
    assert all(len(set(made[np.array(scores) == score])) == 1 for score in scores)


def test_national_and_local_quantiles_differ_by_what_areas_are_ranked_within():
    areas = pd.DataFrame({"lad": ["A"] * 3 + ["B"] * 3, "score": [60, 50, 40, 30, 20, 10]})
    national = assign_quantiles(areas, most_deprived="highest", quantiles=3)
    local = assign_quantiles(areas, most_deprived="highest", quantiles=3, by=["lad"])
    assert national["quantile"].tolist() == [1, 1, 2, 2, 3, 3]
    assert local["quantile"].tolist() == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize("score", [np.inf, -np.inf])
def test_an_infinite_score_is_none_and_never_a_quantile_beyond_the_last(score):
    areas = pd.DataFrame({"score": [*range(1, 11), score]})
    made = assign_quantiles(areas, most_deprived="highest")
    assert made["quality"].tolist() == [""] * 10 + ["no_score"]
    assert made["quantile"].isna().tolist() == [False] * 10 + [True]
    alone = assign_quantiles(areas.iloc[:10], most_deprived="highest")
    assert made["quantile"].iloc[:10].tolist() == alone["quantile"].tolist()
    assert np.isinf(areas["score"].iloc[-1])


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_rows_keep_their_order_and_the_frame_its_kind(kind):
    made = assign_quantiles(kind({"score": [1.0, 3.0, 2.0]}), most_deprived="lowest", quantiles=3)
    assert type(made) is type(kind({"score": [1.0]}))
    assert list(made["quantile"].to_numpy()) == [1, 3, 2]


def test_an_index_that_is_not_in_order_is_kept():
    made = assign_quantiles(pd.DataFrame({"score": [1, 3, 2]}, index=[2, 2, 0]), most_deprived="lowest", quantiles=3)
    assert made.index.tolist() == [2, 2, 0]
    assert made["quantile"].tolist() == [1, 3, 2]


def test_deciles_of_any_direction_make_quintiles():
    table = pd.DataFrame({"decile": range(1, 11)})
    assert merge_quantiles(table, into=5, quantile="decile", quantiles=10, most_deprived=10)["quantile"].tolist() == [
        *(5, 5, 4, 4, 3, 3, 2, 2, 1, 1)
    ]
    with pytest.raises(ValueError, match="10 quantiles do not make 4"):
        merge_quantiles(table, into=4, quantile="decile", quantiles=10, most_deprived=1)


def test_direction_and_number_of_quantiles_are_checked():
    table = pd.DataFrame({"score": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="most_deprived is one of highest, lowest"):
        assign_quantiles(table, most_deprived="most", quantiles=3)
    with pytest.raises(ValueError, match="3 or more quantiles, not 2"):
        assign_quantiles(table, most_deprived="lowest", quantiles=2)


def test_a_gap_is_that_between_published_life_expectancies_of_the_quantiles(reference, synthetic):
    # PHEindicatormethods 2.1.0 gives the life expectancy and limits of each quintile
    published = pd.read_csv(reference / "demography/decomp/expected_summary_phe_lifetable.csv")
    made = estimate_deprivation_gap(
        synthetic,
        definition="national quantiles",
        by=["sex"],
        over=[],
        measures=["difference", "slope index"],
        **FIFTHS,
    ).set_index(["sex", "measure"])
    slopes = pd.read_csv(reference / "demography/inequality/expected_phe_sii_quintiles_synthetic.csv").set_index("sex")
    for row in published[published.pop1 == "Q5"].itertuples():
        assert made.value[row.sex, "difference"] == pytest.approx(-row.gap, rel=1e-9)
        assert made.value[row.sex, "slope index"] == pytest.approx(slopes.sii[row.sex], rel=1e-9)
        # limits from 100,000 draws: to 0.03 years
        assert made.lower[row.sex, "slope index"] == pytest.approx(slopes.sii_lower95_0cl[row.sex], abs=0.03)


def test_areas_are_added_up_before_their_life_table_is_made():
    parts = pd.concat([thirds(area_code="A"), thirds(area_code="B", times=2.0)])
    pooled = one_area(parts, over=["area_code"])
    added = thirds().assign(deaths=lambda rows: rows.deaths * 3, population=lambda rows: rows.population * 2)
    np.testing.assert_allclose(pooled.value, one_area(added).value, rtol=1e-12)
    mean = (one_area(thirds()).value + one_area(thirds(times=2.0)).value) / 2
    assert abs(pooled.value[0] - mean[0]) > 0.05


@pytest.mark.parametrize("health", ["good", "not_good"])
def test_healthy_gaps_weigh_prevalence_by_people(health):
    share = np.tile([0.9, 0.7, 0.4], 3)
    share = share if health == "good" else 1 - share
    table = thirds(prevalence=share, respondents=300)
    options = {"of": "healthy life expectancy", "health": health}
    made = one_area(table, **options)
    both = one_area(pd.concat([table.assign(a="1"), table.assign(a="2")]), over=["a"], **options)
    np.testing.assert_allclose(made.value, both.value, rtol=1e-12)
    assert (both.se < made.se).all()
    assert 0 < made.value[0] < one_area(thirds()).value[0]
    assert made.method[0].startswith("healthy life expectancy at 0")


def test_prevalence_without_respondents_has_a_gap_without_limits():
    made = one_area(thirds(prevalence=0.5, respondents=0), of="healthy life expectancy", health="good")
    assert made.value.notna().all()
    assert made.se.isna().all()
    assert made.quality.tolist() == ["no_respondents"] * 2
    missing = one_area(thirds(prevalence=np.nan, respondents=5), of="healthy life expectancy", health="good")
    assert missing.quality.tolist() == ["missing_prevalence"] * 2


def faulty(fault):
    bad = thirds(sex="B").reset_index(drop=True)
    if fault == "missing_quantile":
        return bad[bad["quantile"] != 1]
    if fault == "missing_band":
        return bad.drop(index=1)
    changes = {
        "no_population": ("population", 0),
        "negative_deaths": ("deaths", -1),
        "missing_value": ("deaths", np.nan),
    }
    column, value = changes[fault]
    bad[column] = bad[column].astype(float)
    bad.loc[1, column] = value
    return bad


@pytest.mark.parametrize(
    "fault", ["missing_quantile", "missing_band", "no_population", "negative_deaths", "missing_value"]
)
def test_a_bad_group_is_null_with_its_reason_and_touches_no_other(fault):
    table = pd.concat([thirds(sex="A"), faulty(fault), thirds(sex="C")])
    made = one_area(table, by=["sex"], measures=list(MEASURES))
    alone = one_area(thirds(), measures=list(MEASURES))
    for sex, rows in made.groupby("sex"):
        if sex == "B":
            assert rows.value.isna().all()
            assert rows.lower.isna().all()
            assert (rows.quality == fault).all()
        else:
            np.testing.assert_allclose(rows[["value", "se"]], alone[["value", "se"]], rtol=1e-14)
            assert (rows.quality == "").all()
    assert fault in QUALITY


IMPOSSIBLE = {
    "negative_deaths": ("deaths", -1),
    "no_population": ("population", 0),
    "more_deaths_than_people": ("deaths", 50_000),
    "missing_value": ("population", np.inf),
}


@pytest.mark.parametrize("code", IMPOSSIBLE)
@pytest.mark.parametrize("rules", [OHID, NONE])
def test_an_impossible_count_of_one_area_does_not_vanish_in_the_sum(code, rules):
    column, value = IMPOSSIBLE[code]
    groups = [thirds(sex=sex, area_code=area) for sex in "AB" for area in ("X", "Y")]
    table = pd.concat(groups, ignore_index=True).astype({"deaths": float, "population": float})
    table.loc[1, column] = value
    made = one_area(table, by=["sex"], over=["area_code"], rules=rules).set_index("sex")
    assert made.loc["A", ["value", "lower", "upper", "se"]].isna().all(axis=None)
    assert set(made.loc["A", "quality"]) == {code}
    assert made.loc["B", "value"].notna().all()
    assert set(made.loc["B", "quality"]) == {""}
    later = one_area(table, by=["sex"], over=["area_code"], rules=rules, at=80).set_index("sex")
    assert later.loc["A", "value"].notna().all() == (rules is NONE)


def test_a_band_where_nobody_lives_and_nobody_died_adds_nothing():
    empty = thirds(area_code="Y").assign(population=lambda rows: rows.population.where(rows.age != "80+", 0))
    empty["deaths"] = empty.deaths.where(empty.age != "80+", 0)
    made = one_area(pd.concat([thirds(area_code="X"), empty]), over=["area_code"])
    assert set(made.quality) == {""}
    deserted = one_area(
        pd.concat([thirds(area_code="X"), thirds(area_code="Y", times=0, population=0)]), over=["area_code"]
    )
    assert set(deserted.quality) == {"no_population"}


@pytest.mark.parametrize("prevalence", [-0.1, 1.2])
def test_an_impossible_prevalence_of_one_area_does_not_vanish_in_the_sum(prevalence):
    parts = [thirds(area_code=area, prevalence=0.5, respondents=100) for area in "XY"]
    table = pd.concat(parts, ignore_index=True)
    table.loc[1, "prevalence"] = prevalence
    made = one_area(table, over=["area_code"], of="healthy life expectancy", health="good")
    assert made.value.isna().all()
    assert set(made.quality) == {"missing_prevalence"}


def test_quantiles_too_small_to_show_are_withheld():
    small = thirds().assign(population=lambda rows: rows.population / 100, deaths=lambda rows: rows.deaths / 100)
    assert (one_area(small).quality == "withheld_person_years").all()
    assert one_area(small, rules=NONE).value.notna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"definition": "ours"}, "a definition is one of national quantiles"),
        ({"definition": "mean of local gaps"}, "use estimate_mean_gap"),
        ({"definition": "local quantiles", "over": ["area_code"]}, "are 'pooled local quantiles'"),
        ({"definition": "pooled local quantiles"}, "say which column holds them"),
        ({"of": "happiness"}, "of is 'life expectancy' or"),
        ({"of": "healthy life expectancy"}, "needs health='good' or 'not_good'"),
        ({"measures": ["theil"]}, "a measure is one of"),
    ],
)
def test_unknown_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        one_area(thirds(area_code="A"), **options)


def test_ages_of_other_bands_and_labels_without_direction_are_named():
    with pytest.raises(SchemaError, match="'40-79' is none of the bands"):
        one_area(thirds(), bands=AgeBands((0, 40)))
    with pytest.raises(SchemaError, match="never guessed"):
        one_area(thirds(), most_deprived=None)


def test_three_definitions_give_three_different_quantities_of_the_same_people():
    # area A is deprived throughout, B is not: their own thirds hardly differ, national ones do
    level = {"A": 1.5, "B": 1.0}
    local = pd.concat([thirds(area_code=area, times=times) for area, times in level.items()])
    # nationally A's first two thirds are the most deprived, B's last two the least
    place = {("A", 1): 1, ("A", 2): 1, ("A", 3): 2, ("B", 1): 2, ("B", 2): 3, ("B", 3): 3}
    mapped = [place[key] for key in zip(local.area_code, local["quantile"], strict=True)]
    national = local.assign(quantile=mapped, part=local["quantile"])
    options = {"measures": ["difference"]}
    results = {
        "national quantiles": one_area(national, over=["area_code", "part"], **options),
        "pooled local quantiles": one_area(local, definition="pooled local quantiles", over=["area_code"], **options),
    }
    own = one_area(local, definition="local quantiles", by=["area_code"], **options)
    results["mean of local gaps"] = estimate_mean_gap(own.assign(population=[100, 100]), by=[])
    assert {name: made.definition[0] for name, made in results.items()} == {name: name for name in results}
    values = [made.value[0] for made in results.values()]
    assert min(abs(a - b) for i, a in enumerate(values) for b in values[:i]) > 0.02
    with pytest.raises(InvalidDataError, match="gaps of different definition are different quantities"):
        compare_gaps(results["national quantiles"], results["mean of local gaps"], by=[])


def test_gaps_of_one_definition_are_compared_with_the_error_of_both():
    first, second = one_area(thirds(sex="A"), by=["sex"]), one_area(thirds(sex="A", times=1.2), by=["sex"])
    made = compare_gaps(first, second)
    np.testing.assert_allclose(made.value, second.value - first.value)
    np.testing.assert_allclose(made.se, np.hypot(first.se, second.se))
    with pytest.raises(InvalidDataError, match=r"no counterpart.*sex A"):
        compare_gaps(first, second.assign(sex="B"))
    with pytest.raises(InvalidDataError, match="gaps of different quantiles"):
        compare_gaps(first, second.assign(quantiles=5))


def test_a_mean_of_gaps_takes_own_gaps_only_and_says_what_is_missing():
    own = pd.DataFrame({"area_code": ["A", "B"], "measure": "slope index", "value": [8.0, 12.0], "population": [3, 1]})
    made = estimate_mean_gap(own, by=[])
    assert made[["value", "n_areas", "quality"]].values.tolist() == [[9.0, 2, ""]]
    assert made[["lower", "se"]].isna().all(axis=None)
    assert estimate_mean_gap(own.assign(value=[8, np.nan]), by=[]).quality.tolist() == ["incomplete"]
    assert estimate_mean_gap(own.assign(population=[3, 0]), by=[]).quality.tolist() == ["area_without_people"]
    with pytest.raises(InvalidDataError, match="gaps between 'local quantiles', not of 'national quantiles'"):
        estimate_mean_gap(own.assign(definition="national quantiles"), by=[])


@pytest.mark.parametrize(("column", "value"), [("value", np.inf), ("se", -np.inf), ("population", np.inf)])
def test_a_mean_of_gaps_refuses_infinite_numbers(column, value):
    own = pd.DataFrame({"area_code": ["A", "B"], "measure": "difference", "value": 8.0, "se": 0.5, "population": 3.0})
    own.loc[1, column] = value
    with pytest.raises(InvalidDataError, match=f"{column} is infinite in row 1"):
        estimate_mean_gap(own, by=[])


def test_a_mean_of_gaps_refuses_different_numbers_of_quantiles():
    own = pd.DataFrame({"area_code": ["A", "B"], "measure": "difference", "value": 8.0, "population": 3})
    with pytest.raises(InvalidDataError, match=r"different numbers of quantiles: \[5, 10\]"):
        estimate_mean_gap(own.assign(quantiles=[5, 10]), by=[])


def test_gaps_of_the_same_people_or_of_other_quantities_are_not_compared():
    one = pd.DataFrame(
        {"sex": ["F"], "period": "2015-17", "measure": "difference", "definition": "national quantiles", "value": 8.0}
    ).assign(se=0.3, method="life expectancy at 0")
    later = one.assign(period="2016-18")
    with pytest.raises(InvalidDataError, match="periods 2015-17 and 2016-18 overlap"):
        compare_gaps(one, later)
    with pytest.raises(InvalidDataError, match="periods 2015-17 and 2015-17 overlap"):
        compare_gaps(one.assign(area_code="A"), one.assign(area_code="A"), by=["sex", "period"])
    assert len(compare_gaps(one.assign(area_code="A"), later.assign(area_code="B"))) == 1
    assert len(compare_gaps(one, one)) == 1
    assert len(compare_gaps(one, one.assign(period="2018-20"))) == 1
    with pytest.raises(InvalidDataError, match="gaps of different method"):
        compare_gaps(one, one.assign(period="2018-20", method="life expectancy at 65"))
    with pytest.raises(InvalidDataError, match="gaps of different of"):
        compare_gaps(one.assign(of="years"), one.assign(period="2018-20", of="healthy years"))
