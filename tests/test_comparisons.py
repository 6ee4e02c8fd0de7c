from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates.comparisons import count_areas_below, estimate_gap, estimate_share_in_ill_health
from nenc_estimates.errors import InvalidDataError, SchemaError


def rows(values, *, codes="AB", **columns):
    return pd.DataFrame({"area_code": list(codes), "value": values} | columns)


ENGLAND = rows([63.1], codes=["E92000001"], se=0.1)


def test_the_gap_comes_with_its_reference_and_limits():
    made = estimate_gap(rows([59.4, 64.0], se=[0.3, 0.2]), ENGLAND, share={"A": 0.05})
    assert made["reference_code"].tolist() == ["E92000001"] * 2
    assert made["value"].tolist() == pytest.approx([3.7, -0.9])
    assert made["se"].tolist() == pytest.approx([np.sqrt(0.09 * 0.9 + 0.01), np.sqrt(0.05)])
    np.testing.assert_allclose((made["upper"] - made["lower"]) / 2, 1.959963984540054 * made["se"], rtol=1e-12)


def test_one_share_will_do_for_one_area_and_for_no_more():
    area = rows([59.4], codes="A", se=0.3)
    pd.testing.assert_frame_equal(
        estimate_gap(area, ENGLAND, share=0.05), estimate_gap(area, ENGLAND, share={"A": 0.05})
    )
    with pytest.raises(InvalidDataError, match=r"one share for 2 areas: give one for each, such as \{'A': 0\.05\}"):
        estimate_gap(rows([59.4, 64.0], se=0.3), ENGLAND, share=0.05)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 100), st.floats(0, 100))
def test_better_turns_the_sign_and_nothing_else(area, reference):
    one, other = (
        estimate_gap(rows([area], codes="A", se=1.0), rows([reference], codes="R", se=1.0), better=better)
        for better in ("higher", "lower")
    )
    assert one["value"].iloc[0] == -other["value"].iloc[0]
    assert one["se"].iloc[0] == other["se"].iloc[0]


def test_a_gap_without_both_standard_errors_has_no_limits():
    for area, reference in ((rows([1, 2]), ENGLAND), (rows([1, 2], se=0.1), ENGLAND.drop(columns="se"))):
        assert estimate_gap(area, reference)[["lower", "upper", "se"]].isna().all(axis=None)


def test_published_limits_serve_where_there_is_no_standard_error():
    limits = ENGLAND.drop(columns="se").assign(lower=63.1 - 0.196, upper=63.1 + 0.196)
    made = estimate_gap(rows([59.4], codes="A", se=0.3), limits)
    assert made["se"].tolist() == pytest.approx([np.sqrt(0.09 + (0.196 / 1.959963984540054) ** 2)], rel=1e-12)
    given = ENGLAND.assign(lower=60.0, upper=66.0)
    assert estimate_gap(rows([59.4], codes="A", se=0.3), given)["se"].tolist() == pytest.approx([np.sqrt(0.09 + 0.01)])
    with pytest.raises(SchemaError, match="give both limits, or neither"):
        estimate_gap(rows([59.4], codes="A"), limits.drop(columns="upper"))


def test_each_series_meets_its_own_reference():
    area = pd.concat([rows([1.0, 2.0], sex="Male"), rows([3.0], codes="A", sex="Female")])
    reference = pd.concat([rows([10.0], codes="R", sex="Male"), rows([20.0], codes="R", sex="Female")])
    made = estimate_gap(area, reference)
    assert made[["sex", "area_code", "value"]].values.tolist() == [
        ["Female", "A", 17],
        ["Male", "A", 9],
        ["Male", "B", 8],
    ]


@pytest.mark.parametrize(
    ("area", "reference", "error", "words"),
    [
        (rows([1, 2], sex="Male"), rows([1], codes="R", sex="Female"), InvalidDataError, "no row for Male .1 series"),
        (rows([1, 2]), rows([1, 2]), InvalidDataError, "one reference row for each series, but the table has several"),
        (rows([1, 2], indicator="hle"), rows([1], codes="R", indicator="le"), InvalidDataError, "no row for hle"),
        (rows([1, 2], edition="a"), rows([1], codes="R", edition="b"), InvalidDataError, "no row for a"),
        (rows([1, np.inf]), ENGLAND, InvalidDataError, r"value must be finite, but is not in row 1"),
        (rows([1, 2], se=[0.1, -0.1]), ENGLAND, InvalidDataError, r"se must be 0 or more, but is negative in row 1"),
        (rows([1, 2], codes="AA"), ENGLAND, InvalidDataError, "rows 0 and 1"),
        (rows([1, 2]), rows([1], codes="R").drop(columns="value"), SchemaError, "no column 'value'"),
    ],
)
def test_a_gap_without_its_one_reference_is_refused(area, reference, error, words):
    with pytest.raises(error, match=words):
        estimate_gap(area, reference)


def test_wrong_options_of_a_gap_are_refused():
    with pytest.raises(ValueError, match="better is 'more'; say 'higher' or 'lower'"):
        estimate_gap(rows([1, 2]), ENGLAND, better="more")
    with pytest.raises(ValueError, match=r"write 0.95, not 95"):
        estimate_gap(rows([1, 2]), ENGLAND, confidence=95)


def test_the_share_in_ill_health_of_the_strategy_is_almost_a_quarter():
    # men, 2018-20: 59.41 years in good health of 77.65
    made = estimate_share_in_ill_health(rows([59.41], codes="A", se=0.3), rows([77.65], codes="A", se=0.1)).iloc[0]
    assert made["value"] == pytest.approx(100 * (1 - 59.41 / 77.65), rel=1e-14)
    assert made["lower"] < made["value"] < made["upper"]
    assert made["quality"] == ""


def test_only_areas_in_both_tables_have_a_share_and_editions_may_differ():
    healthy = pd.concat([rows([60, 61], sex="Male"), rows([62], codes="C", sex="Female")]).assign(edition="2022")
    life = pd.concat([rows([80, 81], codes="BC", sex="Male"), rows([82], codes="A", sex="Female")]).assign(
        edition="2026"
    )
    made = estimate_share_in_ill_health(healthy, life, mixed=True)
    assert made[["sex", "area_code", "quality"]].values.tolist() == [["Male", "B", "mixed_editions"]]
    assert made["value"].iloc[0] == pytest.approx(100 * 19 / 80)
    none = estimate_share_in_ill_health(rows([60], codes="A"), rows([80], codes="B"))
    assert len(none) == 0


def test_more_healthy_life_than_life_is_refused_by_row():
    with pytest.raises(InvalidDataError, match=r"above life expectancy in row 1 \(area_code B\)"):
        estimate_share_in_ill_health(rows([60, 85]), rows([80, 84]))


def test_areas_below_are_counted_for_each_sex_and_for_either():
    table = pd.concat([rows([59, 60.0], sex="Female"), rows([61, 59.9], sex="Male")])
    made = count_areas_below(table, 60.0, areas=["A", "B", "B"])
    assert made.to_dict("list") == {"sex": ["Either", "Female", "Male"], "value": [2, 1, 1], "n_areas": [2, 2, 2]}


def test_either_is_counted_period_by_period():
    parts = [rows([59.0, 61], sex=sex, period=period) for sex in ("Female", "Male") for period in ("2019", "2020")]
    parts[3]["value"] = [61.0, 59]
    made = count_areas_below(pd.concat(parts), 60.0, areas=["A", "B"])
    assert made["period"].tolist() == ["2019"] * 3 + ["2020"] * 3
    assert made["value"].tolist() == [1, 1, 1, 2, 1, 1]


@pytest.mark.parametrize(
    ("table", "areas", "words"),
    [
        (rows([59, np.nan], sex="Male"), ["A", "B"], r"there is none in row 1 \(area_code B, sex Male\)"),
        (rows([59, 60], sex="Male"), ["A", "C"], "the table has no rows for C"),
        (
            pd.concat([rows([1, 2], sex="Male"), rows([1], codes="A", sex="Female")]),
            ["A", "B"],
            "no row for area_code B",
        ),
    ],
)
def test_a_count_that_would_be_too_small_is_refused(table, areas, words):
    with pytest.raises(InvalidDataError, match=words):
        count_areas_below(table, 60, areas=areas)


def test_frames_come_out_as_they_went_in():
    area, reference = pl.from_pandas(rows([1.0, 2], sex="Male")), pl.from_pandas(rows([3.0], codes="R", sex="Male"))
    assert isinstance(estimate_gap(area, reference), pl.DataFrame)
    assert isinstance(estimate_share_in_ill_health(area, area), pl.DataFrame)
    assert isinstance(count_areas_below(area, 2, areas=["A"]), pl.DataFrame)
