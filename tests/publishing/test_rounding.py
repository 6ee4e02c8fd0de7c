from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.publishing.rounding import MISSING, rounded, with_limits


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.5, 0, "1"),
        (1.5, 0, "2"),
        (2.5, 0, "3"),
        (-0.5, 0, "-1"),
        (-2.5, 0, "-3"),
        (0.125, 2, "0.13"),
        (-0.125, 2, "-0.13"),
        (2.675, 2, "2.67"),  # the float is a little less than 2.675
        (-0.04, 1, "0.0"),
        (-0.0, 0, "0"),
        (999.5, 0, "1,000"),
        (1234567.891, 1, "1,234,567.9"),
        (60, 1, "60.0"),
        (float("nan"), 3, MISSING),
    ],
)
def test_half_is_rounded_away_from_zero(value, decimals, text):
    assert rounded(value, decimals) == text


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_rounded_number_is_half_a_unit_away_at_most_and_never_minus_nought(value, decimals):
    text = rounded(value, decimals)
    written = Decimal(text.replace(",", ""))
    assert abs(written - Decimal(value)) <= Decimal(5).scaleb(-decimals - 1)
    assert written or not text.startswith("-")
    assert rounded(-value, decimals).lstrip("-") == text.lstrip("-")


def test_limits_stand_in_brackets_where_they_are_known():
    assert with_limits(60.232, 59.579, 60.885, 1) == "60.2 (59.6 to 60.9)"
    assert with_limits(60.232, float("nan"), float("nan"), 2) == "60.23"
    assert with_limits(float("nan"), float("nan"), float("nan"), 2) == MISSING
