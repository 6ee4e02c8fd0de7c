"""The release's parts about inequality: against the published figures, and each under its own name."""

from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.areas import ENGLAND
from nenc_estimates.kernels.life_table import life_table
from nenc_estimates.packaged import read_packaged
from nenc_estimates.release.inequality import (
    DECOMPOSITION,
    decomposition_table,
    national_slopes_part,
)
from nenc_estimates.specification import read_specification

SPECIFICATION = read_specification()


@pytest.fixture(scope="module")
def contributions():
    return decomposition_table(SPECIFICATION.decomposition)


def life_expectancy(table, codes, sex):
    rows = table[table["area_code"].isin(codes) & (table["sex"] == sex)]
    sums = rows.groupby("age")[["deaths", "population"]].sum().loc[list(ABRIDGED_90.labels)]
    rate = (sums["deaths"] / sums["population"]).to_numpy()
    return life_table(rate, width=ABRIDGED_90.width, nax=ABRIDGED_90.nax).ex[0]


def test_englands_slope_index_is_the_published_one():
    # deciles are printed to 0.1, which moves a slope by 0.03 (one standard deviation), and the published slope is
    # rounded too: 0.15 is three of their joint errors; people are of mid-2020 and both sexes
    parts = national_slopes_part(SPECIFICATION.national_slopes[0])
    (life,) = (part for part in parts if "_le_" in part["indicator"].iloc[0])
    published = read_packaged("indicators", "sii_le_birth_ohid_2026_05.csv").to_pandas()
    published = published[published["area_code"] == ENGLAND]
    both = published.merge(life, on=["sex", "period"], suffixes=("_published", ""), validate="1:1")
    assert len(both) == 16
    np.testing.assert_allclose(both["value"], both["value_published"], rtol=0, atol=0.15)
    assert abs((both["value"] - both["value_published"]).mean()) < 0.05


def test_the_slope_in_healthy_life_is_that_of_least_squares_on_the_middle_of_each_tenths_people():
    # no slope index of healthy life is among the packaged figures: numpy.polyfit, which knows nothing of this library
    (healthy,) = (
        part for part in national_slopes_part(SPECIFICATION.national_slopes[0]) if "_hle_" in part["indicator"].iloc[0]
    )
    people = read_packaged("lookups", "population_by_imd2019_decile_england.csv").to_pandas()
    people = people[(people["age"] == "all") & (people["year"] == 2020)].sort_values(
        "imd2019_decile", key=lambda d: d.astype(int)
    )
    share = (people["people"] / people["people"].sum()).to_numpy()
    middle = np.cumsum(share) - share / 2
    deciles = read_packaged("indicators", "le_hle_by_imd_decile_ons_2026.csv").to_pandas()
    deciles = deciles[deciles["indicator"] == "hle_birth"]
    assert len(healthy) == deciles.groupby(["sex", "period"]).ngroups == 20
    for row in healthy.to_dict("records"):
        mine = deciles[(deciles["sex"] == row["sex"]) & (deciles["period"] == row["period"])]
        values = mine.sort_values("quantile", key=lambda q: q.astype(int))["value"].to_numpy()
        slope, _ = np.polyfit(middle, values, 1, w=np.sqrt(share))
        assert row["value"] == pytest.approx(slope, abs=1e-9)
        assert 10 < row["value"] < 25


def test_slopes_without_limits_say_so_and_name_no_errors():
    for part in national_slopes_part(SPECIFICATION.national_slopes[0]):
        assert part["lower"].isna().all()
        assert set(part["quality"]) == {"no_limits"}
        assert not part["method"].str.contains("errors").any()
        assert set(part["notes"]) == {
            "People of both sexes in mid-2020 by decile of IMD 2019; deciles printed to 0.1; no limits are published."
        }


def test_ages_contribute_what_the_life_tables_of_the_pooled_districts_differ_by(contributions):
    table = read_packaged("indicators", "deaths_by_age_ons_2014.csv").to_pandas()
    outside = ["E07000027", "E07000031"]
    inside = set(table["area_code"]) - set(outside)
    assert len(inside) == 16
    mine = contributions[contributions["comparison"] == "partnership and rest"]
    assert set(mine["first"]) == {"North East and North Cumbria (16 whole districts)"}
    assert set(mine["second"]) == {"Barrow-in-Furness and South Lakeland"}
    for sex, rows in mine.groupby("sex"):
        gap = life_expectancy(table, outside, sex) - life_expectancy(table, inside, sex)
        assert rows.loc[rows["age"] == "all", "value"].item() == pytest.approx(gap, abs=1e-9)
        assert rows.loc[rows["age"] != "all", "value"].sum() == pytest.approx(gap, abs=1e-9)


def test_the_most_deprived_districts_live_shorter_and_are_named(contributions):
    mine = contributions[contributions["comparison"] == "most and least deprived"]
    assert set(mine["first"]) == {"most deprived fifth of districts (4 districts)"}
    assert set(mine["second"]) == {"least deprived fifth of districts (3 districts)"}
    assert (mine.loc[mine["age"] == "all", "lower"] > 0).all()
    assert mine["basis"].str.contains("Middlesbrough").all()
    assert mine["basis"].str.contains("ranked by the share of people in the most deprived fifth").all()
    assert list(contributions.columns) == list(DECOMPOSITION)


def test_a_release_without_decompositions_has_an_empty_table():
    assert decomposition_table(()).columns.tolist() == list(DECOMPOSITION)
