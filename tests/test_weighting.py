from __future__ import annotations

import json

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.areas import NENC
from nenc_estimates.crosswalks import Crosswalk, load_crosswalk
from nenc_estimates.denominators import Denominator, load_denominator
from nenc_estimates.errors import InvalidDataError, SchemaError, UnknownAreaError
from nenc_estimates.indicators import INDICATORS
from nenc_estimates.kernels.gaps import PERSON_YEARS_RULE
from nenc_estimates.kinds import KINDS, NOT_AGGREGABLE
from nenc_estimates.missing import Imputed
from nenc_estimates.readers import read_indicator
from nenc_estimates.vintages import select_geography
from nenc_estimates.weighting import estimate_indicator
from nenc_estimates.weights import weigh

MODEST = settings(max_examples=25, deadline=None)
MEMBERS = load_crosswalk("utla21", "nenc").sources
LOCAL = ("NENC-C", "NENC-N", "NENC-NC", "NENC-TV")


def table(**columns):
    return pd.DataFrame({"area_code": ["E06000001", "E06000002", "E06000003"], "value": [0.1, 0.2, 0.4]} | columns)


# --- reference numbers ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exact(reference):
    return json.loads((reference / "weighting" / "tv02_exact_fractions.json").read_text())


def quotient(text):
    above, below = map(int, text.split("/"))
    return above / below


def test_the_exact_case_comes_out_of_a_table(exact, thirds, hundreds):
    z = 1.959963984540054
    se = np.array([quotient(each) for each in exact["se"]])
    frame = table(lower=table()["value"] - z * se, upper=table()["value"] + z * se)
    (row,) = estimate_indicator(frame, to=thirds, denominator=hundreds).to_dict("records")
    # limits are added and taken away again, which costs a few units in the last place
    assert row["value"] == pytest.approx(quotient(exact["weighted_mean"]), rel=1e-15)
    assert row["se"] ** 2 == pytest.approx(quotient(exact["variance_independent"]), rel=1e-12)
    assert row["upper"] - row["lower"] == pytest.approx(2 * z * row["se"], rel=1e-12)
    assert row["effective_areas"] == pytest.approx(quotient(exact["effective_number"]), rel=1e-15)
    assert row["largest_weight"] == pytest.approx(4 / 9, rel=1e-15)
    assert (row["coverage"], row["n_areas"], row["quality"]) == (1, 3, "partial_area")
    assert "E06000003 (Redcar and Cleveland, unitary): 50.0% inside, 33.3% of the estimate." in row["notes"]


def test_the_exact_counts_add_up(exact, thirds):
    counts = [quotient(each) for each in exact["count_allocation"]["counts"]]
    (row,) = estimate_indicator(table(value=counts), to=thirds, kind="count").to_dict("records")
    assert row["value"] == quotient(exact["count_allocation"]["allocated"])
    assert sum(counts) - row["value"] == quotient(exact["count_allocation"]["left_outside"])


def test_a_missing_area_is_an_error_that_names_it_and_the_people(thirds, hundreds):
    with pytest.raises(
        InvalidDataError, match=r"Redcar and Cleveland, unitary\), 33.3% of the people.* coverage 66.7%"
    ):
        estimate_indicator(table(value=[0.1, 0.2, np.nan]), to=thirds, denominator=hundreds)


def test_an_absent_row_is_missing_just_as_an_empty_one(thirds, hundreds):
    with pytest.raises(InvalidDataError, match="no value for E06000003"):
        estimate_indicator(table()[:2], to=thirds, denominator=hundreds)


def test_the_rest_is_averaged_only_when_asked_and_coverage_suffices(exact, thirds, hundreds):
    frame, case = table(value=[0.1, 0.2, np.nan]), exact["third_area_missing"]
    options = {"to": thirds, "denominator": hundreds, "missing": "renormalise"}
    (row,) = estimate_indicator(frame, **options, min_coverage=2 / 3).to_dict("records")
    assert row["value"] == pytest.approx(quotient(case["renormalised"]), rel=1e-15)
    assert row["coverage"] == pytest.approx(quotient(case["coverage"]), rel=1e-15)
    assert (row["n_areas"], row["quality"]) == (2, "no_limits;incomplete")
    (row,) = estimate_indicator(frame, **options).to_dict("records")
    assert np.isnan(row["value"])
    assert row["quality"] == "no_limits;incomplete;withheld_coverage"


def test_twelve_authorities_pooled_are_the_published_region_exactly(reference):
    # NHS Digital, Adult Social Care Outcomes Framework 2020-21: 1E and 2A2, row North East
    for name, count, size, kind in (
        ("tv03_ascof_1E_2020_21", 331, 7630, "proportion"),
        ("tv04_ascof_2A2_2020_21", 3904, 537631, "crude rate"),
    ):
        read = pd.read_csv(reference / "weighting" / f"{name}.csv")
        read = read.rename(columns={"ONS Code": "area_code", "numerator": "count"}).drop(columns="outcome")
        councils = read[read["area_code"].str[:3].isin(["E06", "E08"])]
        region = Crosswalk.from_shares([(code, "E12000001", 1.0) for code in councils["area_code"]])
        (row,) = estimate_indicator(councils, to=region, kind=kind).to_dict("records")
        assert len(councils) == 12
        assert row["value"] == count / size
        sums = estimate_indicator(councils.assign(value=councils["count"]), to=region, kind="count")
        assert sums["value"].tolist() == [count]


def test_limits_of_pooled_counts_are_those_of_the_reference(reference):
    # tv03 and tv04: independent implementation with z to 16 digits, shares to six decimals
    folder = reference / "weighting"
    shares = [(code, "NENC", 0.639618 if code == "E10000006" else 1.0) for code in MEMBERS]
    for name, kind, scale, key, limits in (
        ("tv03_ascof_1E", "proportion", 1.0, "nenc_cumbria_partial", "wilson95_pooled_n"),
        ("tv04_ascof_2A2", "crude rate", 1e5, "nenc_partial", "byar95"),
    ):
        read = pd.read_csv(folder / f"{name}_2020_21.csv")
        read = read.rename(columns={"ONS Code": "area_code", "numerator": "count"}).drop(columns="outcome")
        expected = json.loads((folder / f"{name}_expected.json").read_text())[key]
        made = estimate_indicator(
            read[read["area_code"].isin(MEMBERS)], to=Crosswalk.from_shares(shares), kind=kind, multiplier=scale
        )
        value = expected.get("value", expected.get("rate_per_100k"))
        assert made["value"].tolist() == pytest.approx([value], rel=1e-12)
        if kind == "proportion":
            assert made[["lower", "upper"]].iloc[0].tolist() == pytest.approx(expected[limits], rel=1e-9)
        else:  # exact limits lie within 0.02 % of Byar's at a count of 4,393
            assert made[["lower", "upper"]].iloc[0].tolist() == pytest.approx(expected[limits], rel=2e-4)


def test_authorities_weighted_come_as_near_to_the_neighbourhoods_as_the_reference_says(reference):
    folder = reference / "weighting"
    inputs = pd.read_csv(folder / "tv08_imd_truth_inputs.csv")
    keys = ["indicator", "denominator", "source_vintage"]
    expected = pd.read_csv(folder / "tv08_imd_truth_expected.csv").set_index(keys)
    for key, rows in inputs.groupby(keys):
        crosswalk = Crosswalk.from_shares([(r.code, "NENC", r.membership) for r in rows.itertuples()])
        people = Denominator.from_table(rows.rename(columns={"code": "area_code", "denominator_n": "people"}))
        values = rows[["code", "value"]].rename(columns={"code": "area_code"})
        (made,) = estimate_indicator(values, to=crosswalk, denominator=people, kind="proportion")["value"]
        touching = values[values["area_code"].isin(crosswalk.members)]
        (whole,) = estimate_indicator(touching, to=crosswalk.whole(), denominator=people, kind="proportion")["value"]
        # the reference has six decimals, its inputs eight
        assert made == pytest.approx(expected.loc[key, "partial_own_denominator"], abs=0.6e-6)
        assert whole == pytest.approx(expected.loc[key, "whole_if_touching"], abs=0.6e-6)
        if key[2] == "UTLA_apr2021_mar2023":
            truth = expected.loc[key, "truth_from_lsoa"]
            assert abs(made - truth) < min(0.0025, abs(whole - truth))
    assert len(expected) == inputs.groupby(keys).ngroups


# --- identities -----------------------------------------------------------------------------------------------------

VALUES = st.lists(st.floats(0, 100, allow_subnormal=False), min_size=len(MEMBERS), max_size=len(MEMBERS))


def nenc(values, *, to="nenc", **columns):
    return estimate_indicator(
        pd.DataFrame({"area_code": MEMBERS, "value": values} | columns),
        to=load_crosswalk("utla21", to),
        denominator="residents",
        year=2020,
    )


@MODEST
@given(
    st.floats(-1e6, 1e6).filter(lambda value: abs(value) > 1e-300 or value == 0), st.sampled_from(["nenc", "local_icp"])
)
def test_a_constant_in_gives_that_constant_out(value, to):
    made = nenc([value] * len(MEMBERS), to=to)["value"]
    np.testing.assert_allclose(made, value, rtol=1e-14, atol=0)


@MODEST
@given(VALUES)
def test_an_estimate_lies_between_its_areas(values):
    (made,) = nenc(values)["value"]
    # below 1e-300 a product has fewer digits
    assert min(values) * (1 - 1e-14) - 1e-300 <= made <= max(values) * (1 + 1e-14) + 1e-300


@MODEST
@given(VALUES)
def test_the_whole_is_the_weighted_mean_of_its_local_parts(values):
    (whole,), local = nenc(values)["value"], nenc(values, to="local_icp").set_index("area_code")["value"]
    weights = weigh(load_crosswalk("utla21", "nenc"), load_denominator("residents"), year=2020).of(NENC)
    crosswalk = load_crosswalk("utla21", "local_icp")
    at_all = (crosswalk.age == "all") & (crosswalk.share > 0)
    group = dict(zip(crosswalk.source_code[at_all], crosswalk.target_code[at_all], strict=True))
    parts = sum(weight * local[group[code]] for code, weight in weights.items() if code in group)
    assert parts == pytest.approx(whole, rel=1e-13, abs=1e-300)


def test_group_weights_of_the_local_parts_are_those_of_the_reference(reference):
    case = json.loads((reference / "weighting" / "tv01_weights.json").read_text())
    weights = weigh(load_crosswalk("utla21", "nenc"), load_denominator("residents"), year=2020).of(NENC)
    crosswalk = load_crosswalk("utla21", "local_icp")
    for part in case["local"].values():
        mine = sum(weights[code] for code in part["weights"])
        # memberships there have six decimals: 5e-7 of Cumbria is 8e-8 of the whole
        assert mine == pytest.approx(part["group_weight_in_overall"], abs=1e-7)
    assert set(crosswalk.targets) == set(LOCAL)


@MODEST
@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit(values, random):
    frame = pd.DataFrame({"area_code": [*MEMBERS, *MEMBERS], "sex": ["Male"] * 13 + ["Female"] * 13})
    frame["value"] = [*values, *values[::-1]]
    order = list(range(len(frame)))
    random.shuffle(order)
    options = {"to": load_crosswalk("utla21", "local_icp"), "denominator": "residents", "year": 2019}
    made = estimate_indicator(frame, **options)
    pd.testing.assert_frame_equal(estimate_indicator(frame.iloc[order], **options), made, check_exact=True)


@MODEST
@given(st.permutations(range(13)), VALUES)
def test_the_order_of_areas_in_crosswalk_and_people_changes_no_bit(order, values):
    crosswalk = load_crosswalk("utla21", "local_icp").to_frame()
    crosswalk = crosswalk[crosswalk["age"] == "all"].reset_index(drop=True)
    people = pd.DataFrame({"area_code": MEMBERS, "people": range(1000, 14000, 1000)})
    frame = pd.DataFrame({"area_code": MEMBERS, "value": values})
    made, other = (
        estimate_indicator(frame, to=Crosswalk.from_shares(c), denominator=Denominator.from_table(p))
        for c, p in ((crosswalk, people), (crosswalk.iloc[list(order)], people.iloc[list(order)]))
    )
    pd.testing.assert_frame_equal(made, other, check_exact=True)


@MODEST
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.lists(st.integers(0, 10**6), min_size=3, max_size=3))
def test_counts_inside_and_outside_add_up_to_all(shares, counts):
    codes = ["E06000001", "E06000002", "E06000003"]
    rows = [(c, t, s) for c, share in zip(codes, shares, strict=True) for t, s in (("A", share), ("B", 1 - share))]
    made = estimate_indicator(table(value=counts), to=Crosswalk.from_shares(rows), kind="count")
    assert made["value"].sum() == pytest.approx(sum(counts), rel=1e-14)


@MODEST
@given(
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
    st.floats(0, 1),
    st.lists(st.integers(0, 10**6), min_size=2, max_size=2),
)
def test_chained_crosswalks_count_as_two_steps_do(shares, onward, counts):
    first = Crosswalk.from_shares(
        [
            (code, between, share / 2)
            for (code, between), share in zip(
                [("E06000001", "P"), ("E06000001", "Q"), ("E06000002", "P"), ("E06000002", "Q")], shares, strict=True
            )
        ]
    )
    second = Crosswalk.from_shares([("P", "X", onward), ("P", "Y", 1 - onward), ("Q", "X", 1.0), ("Q", "Y", 0.0)])
    frame = pd.DataFrame({"area_code": ["E06000001", "E06000002"], "value": counts})
    between = estimate_indicator(frame, to=first, kind="count")[["area_code", "value"]]
    twice = estimate_indicator(between, to=second, kind="count")
    once = estimate_indicator(frame, to=first.compose(second), kind="count")
    assert once["area_code"].tolist() == twice["area_code"].tolist()
    np.testing.assert_allclose(once["value"], twice["value"], rtol=1e-14, atol=1e-200)


@MODEST
@given(st.lists(st.floats(1, 100), min_size=3, max_size=3))
def test_no_membership_is_as_no_area(values):
    rows = [("E06000001", "A", 1.0), ("E06000002", "A", 0.4)]
    people = Denominator.from_table(pd.DataFrame({"area_code": table()["area_code"], "people": [5, 7, 11]}))
    frame = table(value=values, lower=np.array(values) - 1, upper=np.array(values) + 1)
    with_it = estimate_indicator(frame, to=Crosswalk.from_shares([*rows, ("E06000003", "A", 0.0)]), denominator=people)
    without = estimate_indicator(frame[:2], to=Crosswalk.from_shares(rows), denominator=people)
    pd.testing.assert_frame_equal(with_it, without, check_exact=True)


def test_an_area_outside_needs_neither_value_nor_people():
    rows = [("E06000001", "A", 1.0), ("E06000003", "A", 0.0)]
    people = Denominator.from_table(pd.DataFrame({"area_code": ["E06000001"], "people": [5]}))
    made = estimate_indicator(table()[:1], to=Crosswalk.from_shares(rows), denominator=people)
    assert made[["value", "coverage", "n_areas"]].iloc[0].tolist() == [0.1, 1, 1]


@pytest.mark.parametrize(("old", "new"), [("E08000020", "E08000037"), ("E06000048", "E06000057")])
def test_a_superseded_code_is_the_present_one_with_a_remark(old, new):
    codes = [old if code == new else code for code in MEMBERS]
    values = np.linspace(50, 70, len(MEMBERS))
    options = {"to": "nenc", "denominator": "residents", "year": 2020}
    before = estimate_indicator(pd.DataFrame({"area_code": codes, "value": values}), **options)
    after = estimate_indicator(pd.DataFrame({"area_code": MEMBERS, "value": values}), **options)
    remarks = ["quality", "notes"]
    pd.testing.assert_frame_equal(before.drop(columns=remarks), after.drop(columns=remarks), check_exact=True)
    assert "recoded" in before["quality"].iloc[0]
    assert f"{old} was read as {new}" in before["notes"].iloc[0]
    assert "recoded" not in after["quality"].iloc[0]


def test_both_codes_of_one_area_are_refused():
    frame = pd.DataFrame({"area_code": [*MEMBERS, "E08000020"], "value": 1.0})
    with pytest.raises(InvalidDataError, match="are the same area under a superseded code"):
        estimate_indicator(frame, to="nenc", denominator="residents", year=2020)


@MODEST
@given(st.permutations(MEMBERS), st.integers(0, 11), st.integers(0, 11))
def test_more_areas_never_lower_the_coverage(order, some, more):
    few, many = sorted((some + 1, more + 1))
    options = {"to": load_crosswalk("utla21", "nenc"), "denominator": "residents", "missing": "renormalise"}
    less, full = (
        estimate_indicator(
            pd.DataFrame({"area_code": order[:n], "value": 1.0}), **options, year=2020, min_coverage=2 / 3
        )["coverage"].iloc[0]
        for n in (few, many)
    )
    assert 0 < less <= full < 1 + 1e-15


# --- limits ---------------------------------------------------------------------------------------------------------


def test_limits_need_those_of_every_area(thirds, hundreds):
    frame = table(lower=[0.05, 0.1, np.nan], upper=[0.2, 0.3, np.nan])
    made = estimate_indicator(frame, to=thirds, denominator=hundreds)
    assert made[["lower", "upper", "se"]].isna().all(axis=None)
    assert made["value"].iloc[0] == pytest.approx(11 / 45)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "count"])
def test_every_kind_keeps_the_limits_of_a_single_area(kind):
    # one area, wholly inside: the published limits come back; proportions and rates lose a little on the way through
    # the logit and log scales of limits that were made on those of Wilson and Byar
    to = Crosswalk.from_shares([("E06000001", "A", 1.0)])
    people = Denominator.from_table(pd.DataFrame({"area_code": ["E06000001"], "people": [9]}))
    frame = pd.DataFrame({"area_code": ["E06000001"], "value": [12.0], "lower": [11.0], "upper": [13.07]})
    made = estimate_indicator(frame, to=to, denominator=people, kind=kind, multiplier=100.0).iloc[0]
    assert made["value"] == 12
    assert [made["lower"], made["upper"]] == pytest.approx([11, 13.07], abs=0.05)


def test_wider_confidence_gives_wider_limits(thirds, hundreds):
    frame = table(lower=[0.05, 0.1, 0.3], upper=[0.2, 0.3, 0.5])
    widths = [
        estimate_indicator(frame, to=thirds, denominator=hundreds, confidence=c)[["upper", "lower"]]
        .diff(axis=1)["lower"]
        .abs()
        .iloc[0]
        for c in (0.8, 0.95, 0.998)
    ]
    assert widths == sorted(widths)
    bare = estimate_indicator(frame, to=thirds, denominator=hundreds, confidence=None)
    assert bare[["lower", "upper", "se"]].isna().all(axis=None)


def test_person_years_give_the_standard_error_only_when_named_and_say_so():
    frame = read_indicator("le_birth", edition="ohid_2026_05")
    frame = select_geography(frame[frame["period"] == "2018-20"], "nenc").table
    options = {"to": "nenc", "denominator": "residents", "kind": "life expectancy"}
    without = estimate_indicator(frame, **options)
    named = estimate_indicator(frame, **options, standard_error="person-years")
    assert without["se"].isna().all()
    assert named["quality"].str.contains("person_years_se").all()
    assert not without["quality"].str.contains("person_years_se").any()
    # independent areas, variance c² / (people x 3 years): V = sum W² c² / n
    for row in named.itertuples():
        crosswalk = load_crosswalk("ltla21", "nenc")
        weight = weigh(crosswalk, load_denominator("residents"), sex=row.sex, year=2019).of(NENC)
        codes = [code for code in weight if weight[code] > 0]
        people = load_denominator("residents").people(codes, sex=row.sex, age="all", year=2019)
        variance = np.array([weight[code] for code in codes]) ** 2 @ (
            PERSON_YEARS_RULE[row.sex.lower()] ** 2 / people / 3
        )
        assert row.se == pytest.approx(np.sqrt(variance), rel=1e-12)


def test_a_zero_share_of_whole_people_stays_as_it_is(thirds):
    made = estimate_indicator(
        table(value=[0.0] * 3, count=[0, 0, 0], denominator=[10, 20, 30]), to=thirds, kind="proportion"
    ).iloc[0]
    assert (made["value"], made["lower"]) == (0, 0)
    assert 0 < made["upper"] < 0.2


# --- tables of any kind -------------------------------------------------------------------------------------------

KEYED = pd.DataFrame(
    {
        "area_code": [*MEMBERS] * 2,
        "sex": ["Male"] * 13 + ["Female"] * 13,
        "period": "2018-20",
        "value": np.linspace(55, 65, 26),
        "lower": np.linspace(54, 64, 26),
        "upper": np.linspace(56, 66, 26),
    }
)


@pytest.mark.parametrize(
    ("convert", "kind"),
    [(lambda f: f, pd.DataFrame), (pl.from_pandas, pl.DataFrame), (pa.Table.from_pandas, pa.Table)],
    ids=["pandas", "polars", "pyarrow"],
)
def test_the_frame_that_comes_out_is_of_the_kind_that_went_in_and_equal_to_the_bit(convert, kind):
    options = {"to": "local_icp", "denominator": "residents", "kind": "healthy life expectancy"}
    frame = convert(KEYED)
    made, plain = estimate_indicator(frame, **options), estimate_indicator(KEYED, **options)
    assert isinstance(made, kind)
    columns = nw.from_native(made, eager_only=True).to_dict(as_series=False)
    assert columns == plain.to_dict("list")
    selected = select_geography(frame, "nenc")
    assert isinstance(selected.table, kind)
    assert isinstance(selected.set_aside, kind)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.assign(sex=f["sex"].astype("category"), area_code=f["area_code"].astype("category")),
        lambda f: f.set_index(np.arange(100, 126)),
        lambda f: f.assign(value=f["value"].astype("Float64")),
        lambda f: f.assign(more="of no use"),
    ],
    ids=["categories", "another index", "nullable numbers", "another column"],
)
def test_dress_of_the_frame_does_not_matter(change):
    options = {"to": "nenc", "denominator": "residents"}
    pd.testing.assert_frame_equal(
        estimate_indicator(change(KEYED), **options), estimate_indicator(KEYED, **options), check_exact=True
    )


def test_rows_come_in_key_order_one_for_each_series_and_target():
    made = estimate_indicator(KEYED, to="local_icp", denominator="residents")
    assert made.columns.tolist() == [
        *("sex", "period", "area_code", "area_name", "value", "lower", "upper", "se", "method", "coverage", "n_areas"),
        *("effective_areas", "largest_weight", "route", "quality", "notes"),
    ]
    assert list(zip(made["sex"], made["area_code"], strict=True)) == [(s, a) for s in ("Female", "Male") for a in LOCAL]


def test_vintages_may_change_from_period_to_period():
    new = load_crosswalk("utla23", "nenc").sources
    frame = pd.concat(
        [
            pd.DataFrame({"area_code": MEMBERS, "period": "2019", "value": 1.0}),
            pd.DataFrame({"area_code": new, "period": "2022", "value": 2.0}),
        ]
    )
    made = estimate_indicator(frame, to="nenc", denominator="residents")
    np.testing.assert_allclose(made["value"], [1, 2], rtol=1e-14)
    assert made["n_areas"].tolist() == [13, 14]
    assert "small_share" in made["quality"].iloc[1]


def test_each_sex_is_weighted_with_its_own_people_and_persons_are_not_made():
    made = estimate_indicator(KEYED, to="nenc", denominator="residents")
    assert made["sex"].tolist() == ["Female", "Male"]
    for row in made.itertuples():
        weight = weigh(load_crosswalk("utla21", "nenc"), load_denominator("residents"), sex=row.sex, year=2019).of(NENC)
        values = KEYED[KEYED["sex"] == row.sex].set_index("area_code")["value"]
        assert row.value == pytest.approx(sum(w * values[c] for c, w in weight.items() if w), rel=1e-14)
        assert row.method == f"weighted mean: residents at 30 June, {row.sex}, age all, 2019 (before Census 2021)"


def test_a_year_without_people_is_answered_by_the_nearest_with_a_remark(thirds, hundreds):
    early = estimate_indicator(KEYED.assign(period="2008-10"), to="nenc", denominator="residents")
    assert early["quality"].str.contains("proxy_year").all()
    assert early["method"].str.contains("2015").all()
    of_any_year = estimate_indicator(table(period="2020"), to=thirds, denominator=hundreds)
    assert of_any_year["quality"].tolist() == ["partial_area;no_limits"]


def test_a_proxy_is_carried_into_quality_and_notes(thirds, hundreds):
    made = estimate_indicator(table(), to=thirds, denominator=hundreds, proxy="residents stand for patients").iloc[0]
    assert "proxy_denominator" in made["quality"].split(";")
    assert made["notes"].endswith("Residents stand for patients.")


def test_the_effective_number_of_pooled_counts_is_that_of_their_denominators():
    frame = pd.DataFrame({"area_code": [*MEMBERS], "count": 1, "denominator": range(100, 113)})
    shares = [(code, "A", 1.0) for code in MEMBERS]
    outside = Crosswalk.from_shares([*shares, ("E07000099", "A", 0.0)])
    sizes = frame["denominator"].to_numpy(float)
    for to in (Crosswalk.from_shares(shares), outside):
        made = estimate_indicator(frame, to=to, kind="proportion")["effective_areas"]
        assert made.tolist() == pytest.approx([sizes.sum() ** 2 / (sizes @ sizes)], rel=1e-14)


# --- bad input ----------------------------------------------------------------------------------------------------

LIMITED = {"lower": [0.05, 0.1, 0.3], "upper": [0.2, 0.3, 0.5]}
BAD_TABLES = {
    "no codes": (lambda: table().drop(columns="area_code"), SchemaError, "no column 'area_code'. It has: value"),
    "no values": (lambda: table().drop(columns="value"), SchemaError, "no column 'value'"),
    "empty": (lambda: table()[:0], SchemaError, "the table has no rows"),
    "not a table": (lambda: [1, 2], SchemaError, "cannot be read as a pandas, polars or pyarrow table"),
    "lazy": (lambda: pl.DataFrame({"area_code": ["a"]}).lazy(), SchemaError, "cannot be read as a pandas"),
    "text": (lambda: table(value=["0.1", "0.2", "*"]), SchemaError, "column 'value' holds .*, not numbers"),
    "booleans": (lambda: table(value=[True, False, True]), SchemaError, "column 'value' holds Boolean"),
    "repeated, equal": (
        lambda: pd.concat([table(), table()[:1]]),
        InvalidDataError,
        r"rows 0 and 3 \(area_code E06000001; equal values\)",
    ),
    "repeated, different": (
        lambda: pd.concat([table(), table(value=9)[:1]]),
        InvalidDataError,
        r"rows 0 and 3 \(area_code E06000001; different values\)",
    ),
    "unknown code": (
        lambda: table(area_code=["E06000001", "E06000002", "E06009999"]),
        UnknownAreaError,
        "row 2: E06009999",
    ),
    "empty code": (lambda: table(area_code=["E06000001", "E06000002", ""]), UnknownAreaError, "row 2: "),
    "no code": (lambda: table(area_code=["E06000001", None, "E06000003"]), InvalidDataError, "is empty in row 1"),
    "no key": (lambda: table(sex=["Male", "Male", None]), InvalidDataError, "column 'sex' is empty in row 2"),
    "infinite": (
        lambda: table(value=[0.1, np.inf, 0.2]),
        InvalidDataError,
        r"value must be finite, but is not in row 1 \(area_code E06000002\)",
    ),
    "infinite limit": (
        lambda: table(**LIMITED | {"upper": [0.2, 0.3, np.inf]}),
        InvalidDataError,
        r"upper must be finite, but is not in row 2",
    ),
    "outside": (
        lambda: table(**LIMITED | {"lower": [0.15, 0.1, 0.3]}),
        InvalidDataError,
        r"the value lies outside its limits in row 0",
    ),
    "reversed": (
        lambda: table(lower=LIMITED["upper"], upper=LIMITED["lower"]),
        InvalidDataError,
        r"the lower limit is above the upper one in row 0 .*; row 1 .*; row 2",
    ),
    "one limit": (
        lambda: table(**LIMITED | {"upper": [0.2, np.nan, 0.5]}),
        InvalidDataError,
        "one limit is there and the other is missing in row 1",
    ),
    "lower alone": (lambda: table(lower=LIMITED["lower"]), SchemaError, "a column 'lower' and no 'upper'"),
    "upper alone": (lambda: table(upper=LIMITED["upper"]), SchemaError, "a column 'upper' and no 'lower'"),
    "no value": (lambda: table(value=[0.1, None, 0.2]), InvalidDataError, "no value for E06000002 .Middlesbrough"),
    "nothing": (lambda: table(value=[None] * 3), InvalidDataError, "coverage 0.0%"),
    "sex": (lambda: table(sex="Male"), SchemaError, "people has no people of sex 'Male'. It has: Persons"),
    "age": (lambda: table(age="0-4"), InvalidDataError, "has no share for age '0-4', and some areas lie partly inside"),
    "no such age": (lambda: table(age="young"), SchemaError, "age 'young' is unknown"),
    "period": (lambda: table(period="18/2"), SchemaError, "cannot read period '18/2'"),
    "columns twice": (
        lambda: pd.DataFrame([["E06000001", 1, 2]], columns=["area_code", "value", "value"]),
        SchemaError,
        "unique column names",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_bad_table_is_refused_by_name_and_left_as_it_was(case, thirds, hundreds):
    make, error, words = BAD_TABLES[case]
    frame = make()
    before = frame.copy() if isinstance(frame, pd.DataFrame) else None
    with pytest.raises(error, match=words):
        estimate_indicator(frame, to=thirds, denominator=hundreds)
    if before is not None:
        pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("columns", "kind", "words"),
    [
        ({"value": [5, -1, 3]}, "count", r"kind 'count' lies between 0 and inf, but does not in row 1"),
        ({"value": [5, -1, 3]}, "crude rate", "kind 'crude rate' lies between 0 and inf"),
        ({"value": [80, -80, 80]}, "life expectancy", "kind 'life expectancy' lies between 0 and inf"),
        ({"value": [0.1, 1.2, 0.2]}, "proportion", "kind 'proportion' lies between 0 and 1, .*multiplier=1"),
        ({"count": [1, -2, 3], "denominator": [10, 10, 10]}, "proportion", "counts must be 0 or more, .* row 1"),
        ({"count": [1, 2, 3], "denominator": [10, 0, 10]}, "crude rate", "denominators must be above 0, .* row 1"),
        ({"count": [1, 2, 30], "denominator": [10, 9, 10]}, "proportion", "exceeds its denominator .* in row 2"),
        (
            {"value": [0.1, np.nan, 0.4], "count": [1, np.nan, 3], "denominator": [10, 9, 7.5]},
            "proportion",
            "no value for E06000002",
        ),
    ],
)
def test_values_that_a_kind_cannot_have_are_refused(columns, kind, words, thirds, hundreds):
    with pytest.raises(InvalidDataError, match=words):
        estimate_indicator(table(**columns), to=thirds, denominator=hundreds, kind=kind)


def test_rows_of_a_long_list_are_counted():
    frame = pd.DataFrame({"area_code": [*MEMBERS], "value": np.inf})
    with pytest.raises(InvalidDataError, match=r"row 4 \(area_code E06000005\) and 8 more"):
        estimate_indicator(frame, to="nenc", denominator="residents")


def test_counts_of_a_standardised_rate_weigh_it_and_its_denominator_does_not(thirds):
    frame = table(count=[1, 2, 3], denominator=[10, 10, 10])
    made = estimate_indicator(frame, to=thirds, kind="directly standardised rate").iloc[0]
    # weights count / rate: 10, 10 and half of 7.5
    assert made["value"] == pytest.approx((0.1 * 10 + 0.2 * 10 + 0.4 * 3.75) / 23.75, rel=1e-14)


@pytest.mark.parametrize("kind", ["directly standardised rate", "mean", "life expectancy", "index score"])
def test_counts_alone_do_not_make_a_value_of_every_kind(kind, thirds, hundreds):
    frame = table(count=[1, 2, 3], denominator=[10, 10, 10]).drop(columns="value")
    with pytest.raises(SchemaError, match="the table has no column 'value'"):
        estimate_indicator(frame, to=thirds, denominator=hundreds, kind=kind)


def test_imputed_values_must_be_possible_too(thirds, hundreds):
    other = Imputed(table=pd.DataFrame({"area_code": ["E06000003"], "value": [40]}), source="a survey")
    with pytest.raises(InvalidDataError, match=r"kind 'proportion' lies between 0 and 1, but does not in .*E06000003"):
        estimate_indicator(
            table(value=[0.1, 0.2, np.nan]), to=thirds, denominator=hundreds, kind="proportion", missing=other
        )


@pytest.mark.parametrize("row", ["E92000001", "E12000001", "E12000002", "E54000049", "E07000028", "E06000063"])
def test_a_row_that_counts_people_twice_is_refused_by_name(row):
    frame = pd.DataFrame({"area_code": [*MEMBERS, row], "value": 1.0})
    with pytest.raises((InvalidDataError, UnknownAreaError), match=rf"row(s .*|s? ?)13.*{row}|{row}.*13"):
        estimate_indicator(frame, to="nenc", denominator="residents", year=2020)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (("E10000006", "E07000028"), r"E10000006 \(Cumbria, county\) contains E07000028 \(Carlisle"),
        (("E10000006", "E06000063"), r"E10000006 \(Cumbria, county\) became part of E06000063"),
        (("E07000030", "E06000064"), r"E07000030 \(Eden.* became part of E06000064"),
    ],
)
def test_parent_with_child_and_predecessor_with_successor_are_refused_in_words(codes, words):
    frame = pd.DataFrame({"area_code": [*(set(MEMBERS) - {"E10000006"}), *codes], "value": 1.0})
    with pytest.raises(InvalidDataError, match=words):
        estimate_indicator(frame, to="nenc", denominator="residents", year=2020)


def test_the_larger_area_of_2019_is_refused_with_what_it_holds():
    with pytest.raises(UnknownAreaError, match="Hambleton, Richmondshire and Whitby"):
        estimate_indicator(
            pd.DataFrame({"area_code": ["E54000049"], "value": 1.0}), to="nenc", denominator="residents", year=2020
        )


@pytest.mark.parametrize("name", NOT_AGGREGABLE)
def test_what_cannot_be_aggregated_says_what_is_needed(name, thirds, hundreds):
    with pytest.raises(SchemaError, match=f"kind '{name.title()}' cannot be aggregated: {NOT_AGGREGABLE[name][:20]}"):
        estimate_indicator(table(), to=thirds, denominator=hundreds, kind=name.title())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "percentage"}, "kind 'percentage' is unknown. Known: 'count', 'proportion'"),
        ({"kind": None}, "kind None is unknown"),
        ({"missing": "zero"}, "missing 'zero' is unknown. Known: 'error', 'renormalise'"),
        ({"standard_error": "guess"}, "standard_error 'guess' is unknown"),
        ({"confidence": 95}, "confidence is 95; write 0.95 for 95 %"),
        ({"confidence": 0.0}, "confidence is 0.0"),
        ({"min_coverage": 0.5}, "min_coverage is 0.5; it must lie between 2/3 and 1"),
        ({"min_coverage": 90}, "min_coverage is 90"),
        ({"min_coverage": np.nan}, "min_coverage is nan"),
        ({"multiplier": 0}, "multiplier is 0; write 100 for a percentage"),
        ({"standard_error": "person-years"}, "a rule for life expectancy at birth, not for kind 'mean'"),
        ({"kind": "count", "missing": "renormalise"}, "a count is not averaged"),
        (
            {"kind": "life expectancy", "standard_error": "person-years"},
            "needs columns sex .Male or Female. and period",
        ),
        ({"to": None}, "to is None; give 'nenc', 'local_icp', a Crosswalk"),
        ({"to": []}, "to is"),
        ({"to": ["nenc"]}, "to is"),
        ({"to": "lsoa"}, r"there is no crosswalk to 'lsoa'. There are targets: local_icp, nenc\.$"),
        ({"to": "NENC"}, r"There are targets: local_icp, nenc\. Write 'nenc'\.$"),
        ({"to": "Tees Valley"}, "Tees Valley is one of the areas of 'local_icp': pass to='local_icp'"),
        ({"to": "E54000050"}, "E54000050 is one of the areas of 'nenc': pass to='nenc'"),
        ({"kind": "percentage"}, "Here 'percentage' is 'proportion', with multiplier=100"),
        ({"kind": "HLE"}, "Here 'HLE' is 'healthy life expectancy'"),
        ({"denominator": None}, "kind 'mean' without counts .* is weighted by people: pass denominator="),
        ({"denominator": "births"}, "there is no denominator 'births'. There are: residents"),
        ({"denominator": pd.DataFrame()}, "make one with Denominator.from_table"),
        ({"denominator": "residents"}, "has the years 2015 to 2022: say which, or give the table a period"),
    ],
)
def test_a_wrong_option_says_what_was_expected(options, words, thirds, hundreds):
    with pytest.raises(ValueError, match=words):
        estimate_indicator(table(), **{"to": thirds, "denominator": hundreds} | options)


def test_percentages_without_their_multiplier_are_told_to_give_it(thirds, hundreds):
    with pytest.raises(
        InvalidDataError, match=r"Is multiplier=1 the one of this table\? A percentage needs multiplier=100"
    ):
        estimate_indicator(table().assign(value=20.0), to=thirds, denominator=hundreds, kind="proportion")


def test_a_year_beside_periods_is_refused(thirds, hundreds):
    with pytest.raises(ValueError, match="year is for a table without periods"):
        estimate_indicator(table(period="2020"), to=thirds, denominator=hundreds, year=2015)


@pytest.mark.parametrize("people", [[100, 200], [100, 200, 0]])
def test_an_area_without_people_is_named(people, thirds):
    short = Denominator.from_table(pd.DataFrame({"area_code": thirds.sources[: len(people)], "people": people}))
    with pytest.raises(InvalidDataError, match=r"no figure above 0 for E06000003 \(Redcar and Cleveland"):
        estimate_indicator(table(), to=thirds, denominator=short)


@pytest.mark.parametrize("name", INDICATORS)
def test_every_indicator_has_a_kind_that_can_be_aggregated_and_people_that_exist(name):
    indicator = INDICATORS[name]
    assert indicator.id == name
    assert indicator.kind in KINDS
    assert indicator.kind == "count" or load_denominator(indicator.denominator).areas
    assert not indicator.proxy or not indicator.proxy.endswith(".")
