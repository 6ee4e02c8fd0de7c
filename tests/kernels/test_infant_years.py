"""Rules for the years lived by infants and children who die."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.age_bands import ABRIDGED_90, FIVE_YEAR_90, AgeBands
from nenc_estimates.kernels.infant_years import (
    andreev_kingkade_infant_years,
    coale_demeny_child_years,
    coale_demeny_infant_years,
)

if TYPE_CHECKING:
    from pathlib import Path

RULES = {
    "a0_AK": andreev_kingkade_infant_years,
    "a0_CD_west": coale_demeny_infant_years,
    "a1_4_CD_west": coale_demeny_child_years,
}


@pytest.mark.parametrize("column", RULES)
def test_rules_agree_with_demotools(column: str, reference: Path) -> None:
    # DemoTools 01.13.87, which finds Coale and Demeny's q(0) by iteration; here it is exact
    grid = pd.read_csv(reference / "demography/lifetable/a0_rules_grid.csv")
    for letter, sex in (("m", "male"), ("f", "female")):
        rows = grid[grid["sex"] == letter]
        np.testing.assert_allclose(RULES[column](rows["m0"], sex=sex), rows[column], rtol=1e-11)


@pytest.mark.parametrize("rule", RULES.values())
@given(rate=st.floats(0, 50), sex=st.sampled_from(["male", "female"]))
def test_years_lie_inside_the_band_at_any_rate(rule, rate: float, sex: str) -> None:
    years = float(rule(rate, sex=sex))
    assert 0 < years < (4 if rule is coale_demeny_child_years else 1)


@given(st.floats(0, 0.1))
def test_the_infant_rule_of_coale_and_demeny_holds_for_its_own_probability(rate: float) -> None:
    years = float(coale_demeny_infant_years(rate, sex="male"))
    q0 = rate / (1 + (1 - years) * rate)
    assert years == pytest.approx(0.0425 + 2.875 * q0 if q0 < 0.1 else 0.33, rel=1e-12)


@pytest.mark.parametrize("rule", RULES.values())
def test_an_impossible_rate_is_nan_and_both_sexes_have_no_rule(rule) -> None:
    years = rule([0.004, np.nan, -0.1], sex="male")
    assert np.isnan(years).tolist() == [False, True, True]
    with pytest.raises(ValueError, match="'male' or 'female'"):
        rule(0.004, sex="persons")
    assert rule(np.empty((0, 2)), sex="male").shape == (0, 2)


def test_bands_take_infant_years_from_a_rule_and_the_rest_from_ohid() -> None:
    rate = np.array([0.003, 0.006])
    nax = ABRIDGED_90.infant_rule_nax(rate, rule="coale_demeny", sex="male")
    assert nax.shape == (2, 20)
    np.testing.assert_array_equal(nax[:, 0], coale_demeny_infant_years(rate, sex="male"))
    np.testing.assert_array_equal(nax[:, 1], coale_demeny_child_years(rate, sex="male"))
    np.testing.assert_array_equal(nax[0, 2:], ABRIDGED_90.nax[2:])
    nax = AgeBands.single_years(5).infant_rule_nax(0.02, rule="andreev_kingkade", sex="female")
    assert nax[:2].tolist() == [pytest.approx(0.1242878), 0.5]


def test_a_rule_needs_a_band_for_the_first_year_and_a_known_name() -> None:
    with pytest.raises(ValueError, match="first year of life"):
        FIVE_YEAR_90.infant_rule_nax(0.003, rule="coale_demeny", sex="male")
    with pytest.raises(ValueError, match="'andreev_kingkade' or 'coale_demeny'"):
        ABRIDGED_90.infant_rule_nax(0.003, rule="west", sex="male")
