from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates.quality import QUALITY
from nenc_estimates.remarks import coverage_remarks, modelled_remark, partial_remarks


def codes(remarks):
    return [code for code, _ in remarks]


@pytest.mark.parametrize(
    ("share", "weight", "expected"),
    [
        ([1.0, 1.0], [0.5, 0.5], []),
        ([1.0, 0.0], [1.0, 0.0], []),
        ([1.0, 0.5], [0.5, 0.5], ["partial_area"]),
        ([1.0, 0.6], [0.4, 0.6], ["partial_area", "mostly_partial_area"]),
        ([1.0, 0.49], [0.9, 0.1], ["partial_area", "small_share"]),
        ([0.49], [1.0], ["partial_area", "mostly_partial_area", "small_share"]),
    ],
)
def test_partial_areas_are_remarked_by_share_and_weight(share, weight, expected):
    found = partial_remarks(["E06000001", "X"], np.array(share), np.array(weight))
    assert codes(found) == expected
    assert all(text.startswith(QUALITY[code]) for code, text in found)


def test_the_remark_names_each_partial_area_with_its_numbers():
    ((_, text),) = partial_remarks(["E06000001", "X"], np.array([0.75, 1.0]), np.array([0.4, 0.6]))
    assert text.endswith("E06000001 (Hartlepool, unitary): 75.0% inside, 40.0% of the estimate.")


@pytest.mark.parametrize(
    ("covered", "expected"), [(1.0, []), (0.9, ["incomplete"]), (0.89, ["incomplete", "withheld_coverage"])]
)
def test_people_without_a_value_are_remarked(covered, expected):
    assert codes(coverage_remarks(covered, 0.9)) == expected


def test_modelled_values_are_remarked_with_the_other_end_of_their_error_where_there_is_one():
    assert modelled_remark(np.nan) == ("modelled", QUALITY["modelled"])
    code, text = modelled_remark(0.123)
    assert code == "modelled"
    assert text.endswith("the standard error would be 0.12.")
