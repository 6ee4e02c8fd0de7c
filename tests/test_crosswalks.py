from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nenc_estimates.areas import NENC
from nenc_estimates.crosswalks import Crosswalk, load_crosswalk, load_crosswalks
from nenc_estimates.errors import InvalidDataError, SchemaError, UnknownAreaError

SOURCES = ("ltla21", "utla21", "utla23", "sicbl22")
REFUSED = {
    # tv10: crosswalks that must be refused, and words of the reason
    "over_allocation": (InvalidDataError, "E10000006 at age all: 1.1"),
    "duplicate_pair": (InvalidDataError, r"a pair may stand once, but E08000021 in NENC \(age all\) repeat"),
    "parent_and_child": (InvalidDataError, r"E10000006 \(Cumbria, county\) became part of E06000063"),
    "negative": (InvalidDataError, "a share must lie between 0 and 1, but E08000021 in NENC: -0.1"),
    "region_instead_of_la": (UnknownAreaError, r"E12000001 \(North East, region\): a source must be a local authority"),
}


@pytest.fixture(scope="module")
def cases(reference):
    read = json.loads((reference / "weighting" / "tv10_invalid_crosswalks.json").read_text())
    return {case["case"]: [tuple(row) for row in case["rows"]] for case in read}


@pytest.mark.parametrize("name", REFUSED)
def test_a_crosswalk_that_must_be_refused_is_refused_with_the_reason(name, cases):
    error, words = REFUSED[name]
    with pytest.raises(error, match=words):
        Crosswalk.from_shares(cases[name])


def test_a_superseded_code_is_recoded_with_a_notice_or_refused_when_strict(cases):
    made = Crosswalk.from_shares(cases["superseded_code"])
    assert made.sources == ("E08000037",)
    assert made.notices == (
        "E08000020 was recoded to E08000037 (Gateshead, metropolitan district): the same area, whose code changed",
    )
    with pytest.raises(UnknownAreaError, match="superseded codes: E08000020"):
        Crosswalk.from_shares(cases["superseded_code"], strict=True)


def test_what_lies_outside_is_reported(cases):
    assert Crosswalk.from_shares(cases["under_allocation_ok"]).outside == pytest.approx({"E10000006": 0.3604})


def test_rounded_shares_are_kept_and_their_drift_reported(cases):
    made = Crosswalk.from_shares(cases["rounding_drift_ok"])
    assert made.share.tolist() == [0.333333] * 3
    assert made.drift == pytest.approx({"X": -1e-6})


def test_every_case_of_the_reference_is_tested(cases):
    assert set(cases) == {*REFUSED, "superseded_code", "under_allocation_ok", "rounding_drift_ok"}


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        ([], InvalidDataError, "at least one row"),
        ([("E06000001", "A")], SchemaError, "triples .*there is"),
        (("E06000001", "A", 1.0), SchemaError, "triples"),
        ([("E06000001", "A", float("nan"))], InvalidDataError, "between 0 and 1"),
        ([("E06000001", "A", 1.5)], InvalidDataError, "between 0 and 1"),
        ([("E08000020", "A", 0.5), ("E08000037", "A", 0.5)], InvalidDataError, "a pair may stand once"),
        ([("E10000006", "A", 1.0), ("E07000028", "A", 1.0)], InvalidDataError, "contains E07000028"),
        ([("E07000028", "A", 1.0), ("E06000063", "A", 1.0)], InvalidDataError, "became part of E06000063"),
        ([("E54000049", "A", 1.0)], UnknownAreaError, "Hambleton"),
        ([("E92000001", "A", 1.0)], UnknownAreaError, "England, country"),
    ],
)
def test_wrong_rows_say_what_was_expected(rows, error, words):
    with pytest.raises(error, match=words):
        Crosswalk.from_shares(rows)


def test_a_table_of_shares_may_have_ages_and_names():
    frame = pl.DataFrame(
        {
            "source_code": ["E10000006"] * 2,
            "target_code": ["NENC-NC"] * 2,
            "share": [0.64, 0.65],
            "age": ["all", "0-4"],
            "source_name": "Cumbria",
            "target_name": "North Cumbria",
        }
    )
    made = Crosswalk.from_shares(frame, source="utla21", target="local_icp")
    assert made.names == {"E10000006": "Cumbria", "NENC-NC": "North Cumbria"}
    assert made.entries("0 to 4").share.tolist() == [0.65]
    assert made.outside == pytest.approx({"E10000006": 0.36})
    with pytest.raises(InvalidDataError, match=r"utla21 to local_icp has no share for age '65\+'.* It has: 0-4, all"):
        made.entries("65+")


def test_shares_must_be_there_at_every_age():
    frame = pd.DataFrame(
        [("E06000001", "A", 1, "all"), ("E06000002", "A", 0.5, "all"), ("E06000001", "A", 1, "0-4")],
        columns=["source_code", "target_code", "share", "age"],
    )
    with pytest.raises(InvalidDataError, match=r"a share at every age, .* but E06000002 in A lack some"):
        Crosswalk.from_shares(frame)


def test_a_table_without_shares_is_refused():
    with pytest.raises(SchemaError, match="the table of shares has no column 'share'"):
        Crosswalk.from_shares(pd.DataFrame({"source_code": ["A"], "target_code": ["B"]}))


def test_whole_areas_are_whole_at_every_age():
    assert Crosswalk.from_shares([("E06000001", "A", 1.0)]).entries("65+").share.tolist() == [1.0]


def test_rows_come_sorted_and_go_out_as_a_frame():
    made = Crosswalk.from_shares([("E06000002", "B", 1.0), ("E06000001", "B", 0.5), ("E06000001", "A", 0.5)])
    frame = made.to_frame()
    assert frame.values.tolist() == [
        ["E06000001", "A", "all", 0.5],
        ["E06000001", "B", "all", 0.5],
        ["E06000002", "B", "all", 1.0],
    ]
    again = Crosswalk.from_shares(frame)
    pd.testing.assert_frame_equal(again.to_frame(), frame)


def test_composition_multiplies_along_every_way_and_names_the_unknown():
    first = Crosswalk.from_shares([("E10000006", "P", 0.5), ("E10000006", "Q", 0.25)])
    second = Crosswalk.from_shares([("P", "X", 0.5), ("Q", "X", 1.0)])
    made = first.compose(second)
    assert made.to_frame().values.tolist() == [["E10000006", "X", "all", 0.5]]
    with pytest.raises(UnknownAreaError, match="Q: targets of the first crosswalk, not sources of the second"):
        first.compose(Crosswalk.from_shares([("P", "X", 1.0)]))


@pytest.mark.parametrize("source", SOURCES)
def test_local_parts_composed_make_the_whole(source):
    whole = Crosswalk.from_shares([(code, NENC, 1.0) for code in load_crosswalk(source, "local_icp").targets])
    made = load_crosswalk(source, "local_icp").compose(whole)
    expected = load_crosswalk(source, "nenc")
    assert made.to_frame()[["source_code", "age"]].equals(expected.to_frame()[["source_code", "age"]])
    np.testing.assert_array_equal(made.share, expected.share)


def test_whole_keeps_a_pair_that_is_inside_at_some_age():
    frame = pd.DataFrame(
        [
            ("E06000001", "A", 0.5, "all"),
            ("E06000001", "A", 0, "0-4"),
            ("E06000002", "A", 0, "all"),
            ("E06000002", "A", 0, "0-4"),
        ],
        columns=["source_code", "target_code", "share", "age"],
    )
    whole = Crosswalk.from_shares(frame).whole()
    assert whole.to_frame().values.tolist() == [["E06000001", "A", "0-4", 1.0], ["E06000001", "A", "all", 1.0]]


# --- those that travel with the package ----------------------------------------------------------------------------


def test_shares_agree_with_the_published_ones_to_six_decimals():
    # shares of ONS mid-2020 LSOA populations: people inside over people of the area
    for source, code, share in (
        ("utla21", "E10000006", 0.639618),
        ("ltla21", "E07000029", 59560 / 68041),
        ("ltla21", "E07000027", 0.0),
        ("ltla21", "E07000031", 0.0),
        ("utla23", "E06000063", 265915 / 274396),
        ("utla23", "E06000064", 53754 / 225385),
    ):
        assert 1 - load_crosswalk(source, "nenc").outside[code] == pytest.approx(share, abs=0.5e-6 + 1e-12)


def test_the_share_of_cumbria_depends_on_the_age():
    crosswalk = load_crosswalk("utla21", "nenc")
    for age, share in (("0-4", 0.6534), ("0-17", 0.6500), ("16-64", 0.6443), ("18+", 0.6373), ("65+", 0.6201)):
        at = (crosswalk.age == age) & (crosswalk.source_code == "E10000006")
        assert crosswalk.share[at].tolist() == pytest.approx([share], abs=0.5e-4)


@pytest.mark.parametrize("target", ["nenc", "local_icp"])
@pytest.mark.parametrize("source", SOURCES)
def test_every_other_authority_is_wholly_inside_at_every_age(source, target):
    crosswalk = load_crosswalk(source, target)
    partial = {"E10000006", "E07000029", "E07000027", "E07000031", "E06000063", "E06000064"}
    rest = ~np.isin(crosswalk.source_code, list(partial))
    assert (crosswalk.share[rest] == 1).all()
    assert crosswalk.drift == {}
    assert crosswalk.notices == ()
    assert load_crosswalk(source, target) is crosswalk


def test_the_finest_crosswalk_comes_first():
    assert [len(each.members) for each in load_crosswalks("local_icp")] == [16, 14, 13, 8]


def test_a_crosswalk_that_does_not_exist_lists_those_that_do():
    with pytest.raises(UnknownAreaError, match=r"no crosswalk from 'lsoa11' to 'nenc'. There are: ltla21 to local_icp"):
        load_crosswalk("lsoa11", "nenc")
    with pytest.raises(UnknownAreaError, match="no crosswalk to 'wales'"):
        load_crosswalks("wales")
