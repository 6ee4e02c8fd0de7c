from __future__ import annotations

import pandas as pd
import pytest

from nenc_estimates.crosswalks import Crosswalk, load_crosswalk
from nenc_estimates.errors import SchemaError, UnknownAreaError
from nenc_estimates.readers import read_indicator
from nenc_estimates.vintages import select_geography

DISTRICTS = {"E07000026", "E07000028", "E07000029", "E07000030"}
OUTSIDE = {"E07000027", "E07000031"}
UNITARIES = {"E06000063", "E06000064"}
TWELVE = set(load_crosswalk("utla21", "nenc").sources) - {"E10000006"}


def kept(frame, period, *, to="nenc"):
    table = select_geography(frame, to).table
    return set(table.loc[table["period"] == period, "area_code"])


@pytest.mark.parametrize("to", ["nenc", "local_icp"])
def test_life_expectancy_comes_from_districts_while_they_exist_and_from_unitaries_after(to):
    frame = read_indicator("le_birth", edition="ohid_2026_05")
    for period in ("2015-17", "2018-20", "2019-21"):
        assert kept(frame, period, to=to) == TWELVE | DISTRICTS
    for period in ("2020-22", "2022-24"):
        assert kept(frame, period, to=to) >= TWELVE | UNITARIES


def test_cancers_of_2019_fall_back_to_the_county():
    frame = read_indicator("cancer_stage_1_2", edition="ons_2023_05")
    assert kept(frame, "2018") >= TWELVE | DISTRICTS
    chosen = kept(frame, "2019")
    assert "E10000006" in chosen
    assert not chosen & DISTRICTS


def test_smoking_of_2023_keeps_the_vintage_that_lacks_fewest():
    frame = read_indicator("smoking", edition="ohid_2026_04")
    selection = select_geography(frame, "nenc")
    codes = set(selection.table.loc[selection.table["period"] == "2023", "area_code"])
    values = frame[(frame["period"] == "2023") & frame["area_code"].isin(codes)].set_index("area_code")["value"]
    lacking = values.index[values.isna()].tolist()
    assert lacking == ["E07000030"]
    assert codes >= TWELVE | DISTRICTS


def test_what_is_set_aside_is_every_other_row_with_its_reason():
    frame = read_indicator("le_birth", edition="ohid_2026_05")
    before = frame.copy()
    selection = select_geography(frame, "nenc")
    pd.testing.assert_frame_equal(frame, before)
    assert len(selection.table) + len(selection.set_aside) == len(frame)
    assert selection.set_aside.columns.tolist() == ["sex", "age", "period", "area_code", "reason"]
    assert selection.set_aside.groupby("reason")["area_code"].unique().map(set).to_dict() == {
        "country: it holds whole local authorities": {"E92000001"},
        "covered by areas of ltla21, which were kept": UNITARIES,
        "lies wholly outside every target": OUTSIDE,
    }
    pd.testing.assert_frame_equal(selection.table, frame.loc[selection.table.index])


def test_regions_sub_icbs_and_strangers_are_set_aside_with_their_reason():
    codes = [*load_crosswalk("utla21", "nenc").sources, "E12000001", "E38000127", "E06999999"]
    aside = select_geography(pd.DataFrame({"area_code": codes, "value": 1.0}), "nenc").set_aside
    assert aside.values.tolist() == [
        ["E06999999", "not an area of utla21"],
        ["E12000001", "region: it holds whole local authorities"],
        ["E38000127", "not an area of utla21"],
    ]


def test_regions_and_countries_of_another_part_of_england_are_set_aside_as_such():
    crosswalk = Crosswalk.from_shares([("E06000010", "E54000051", 1.0)])
    table = pd.DataFrame({"area_code": ["E06000010", "E12000003", "E92000001"], "value": 1.0})
    reasons = select_geography(table, crosswalk).set_aside["reason"].tolist()
    assert reasons == ["region: it holds whole local authorities", "country: it holds whole local authorities"]


def test_a_table_of_a_few_authorities_keeps_them():
    frame = pd.DataFrame({"area_code": ["E06000001", "E06000002"], "value": [1.0, 2.0]})
    selection = select_geography(frame, "nenc")
    assert selection.table["area_code"].tolist() == ["E06000001", "E06000002"]
    assert len(selection.set_aside) == 0


def test_a_superseded_code_is_kept_as_it_is():
    codes = [*(TWELVE - {"E08000037"}), "E10000006", "E08000020"]
    selection = select_geography(pd.DataFrame({"area_code": codes, "value": 1.0}), "nenc")
    assert set(selection.table["area_code"]) == set(codes)


def test_a_single_crosswalk_serves_as_well():
    frame = pd.DataFrame({"area_code": [*TWELVE, "E10000006"], "value": 1.0})
    assert len(select_geography(frame, load_crosswalk("utla21", "nenc")).table) == 13
    assert len(select_geography(frame, [load_crosswalk("ltla21", "nenc")]).table) == 12


@pytest.mark.parametrize("measure", ["count", "deaths"])
def test_a_table_of_counts_or_deaths_is_selected_from_by_them(measure):
    codes = [*sorted(TWELVE), "E10000006", "E12000001"]
    selection = select_geography(pd.DataFrame({"area_code": codes, measure: 5}), "nenc")
    assert set(selection.table["area_code"]) == TWELVE | {"E10000006"}
    assert selection.set_aside["area_code"].tolist() == ["E12000001"]


def test_something_else_than_a_code_is_refused_by_row():
    frame = pd.DataFrame({"area_code": ["E06000001", "Gateshead"], "value": 1.0})
    with pytest.raises(UnknownAreaError, match=r"not GSS codes: row 1 \(area_code Gateshead\). Expected .* E06000001"):
        select_geography(frame, "nenc")
    with pytest.raises(SchemaError, match="no column 'value'"):
        select_geography(frame.drop(columns="value"), "nenc")
