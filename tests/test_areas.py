from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.areas import areas, describe, overlaps, recoded

CODES = sorted(areas())


def test_parents_successors_and_present_codes_are_areas_themselves():
    for area in areas().values():
        for code in filter(None, (area.parent, area.same_area_as, *area.successors)):
            assert code in areas()
            assert code != area.code


@pytest.mark.parametrize(
    ("codes", "pair"),
    [
        (["E10000006", "E07000028"], ("E10000006", "E07000028", "contains")),
        (["E12000001", "E08000021"], ("E12000001", "E08000021", "contains")),
        (["E92000001", "E07000028"], ("E92000001", "E07000028", "contains")),
        (["E10000006", "E06000063"], ("E10000006", "E06000063", "became part of")),
        (["E07000030", "E06000064"], ("E07000030", "E06000064", "became part of")),
        (["E08000020", "E08000037"], ("E08000020", "E08000037", "is the same area as")),
    ],
)
def test_areas_of_the_same_people_overlap(codes, pair):
    assert overlaps(codes) == [pair]
    assert overlaps(reversed(codes)) == [pair]


def test_neighbours_and_unknown_codes_do_not_overlap():
    assert overlaps(["E08000021", "E08000022", "E07000028", "E06000064", "X", ""]) == []


@given(st.lists(st.sampled_from(CODES), unique=True))
def test_overlaps_do_not_depend_on_order_and_lie_among_the_codes(codes):
    found = overlaps(codes)
    assert found == overlaps(sorted(codes, reverse=True))
    assert {code for pair in found for code in pair[:2]} <= set(codes)


def test_only_unchanged_areas_are_recoded():
    assert recoded(CODES) == {"E06000048": "E06000057", "E08000020": "E08000037"}


def test_an_unknown_code_is_described_by_itself():
    assert describe("X1") == "X1"
    assert describe("E07000028") == "E07000028 (Carlisle, non-metropolitan district)"
