from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nenc_estimates.errors import InvalidDataError
from nenc_estimates.release import COLUMNS, EXPERIMENTAL, KEY, failures, reproduce, run_release
from nenc_estimates.specification import LifeTables, Specification, Weighted

STRATEGY = "hle_birth", "ons_2022_03", "2018-20"


@pytest.fixture(scope="module")
def beside(run):
    return run.reproduction.set_index("id")


def one(run, indicator, edition, period, *, area="E54000050", sex="Persons", age=None):
    table = run.estimates
    found = table[
        (table["indicator"] == indicator)
        & (table["edition"] == edition)
        & (table["period"] == period)
        & (table["area_code"] == area)
        & (table["sex"] == sex)
    ]
    if age is not None:
        found = found[found["age"] == age]
    assert len(found) == 1
    return found.iloc[0]


# --- what has been published ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # Integrated Care Strategy, December 2022; to within the decimals printed there, half a unit of the last
        ("hle_birth_nenc_female", 60.2),
        ("hle_birth_nenc_male", 59.4),
        ("hle_birth_england_male", 63.1),
    ],
)
def test_healthy_life_expectancy_of_the_strategy_is_reproduced(beside, name, value):
    assert beside.loc[name, "outcome"] == "reproduced"
    assert beside.loc[name, "estimate"] == pytest.approx(value, abs=0.05)


@pytest.mark.parametrize("name", ["hle_birth_nenc_female", "hle_birth_nenc_male"])
def test_its_limits_are_about_six_tenths_of_a_year_away(beside, name):
    row = beside.loc[name]
    assert [row["estimate"] - row["lower"], row["upper"] - row["estimate"]] == pytest.approx([0.6, 0.6], abs=0.06)


def test_the_figure_of_women_in_england_is_that_of_the_window_before(beside, run):
    row = beside.loc["hle_birth_england_female"]
    assert (row["published"], row["estimate"], row["outcome"]) == ("63.5", 63.87, "differs")
    assert "2017-19" in row["note"]
    assert one(run, "hle_birth", "ons_2022_03", "2017-19", area="E92000001", sex="Female")["value"] == 63.52


def test_nine_of_thirteen_areas_lie_below_sixty_years(run):
    counts = {sex: one(run, "areas_below_60", *STRATEGY[1:], sex=sex) for sex in ("Either", "Male", "Female")}
    assert {sex: row["value"] for sex, row in counts.items()} == {"Either": 9, "Male": 8, "Female": 7}
    assert {row["n_areas"] for row in counts.values()} == {13}


def test_the_most_deprived_fifth_is_that_of_the_neighbourhoods(run, reference):
    # the truth summed over LSOAs, to the six decimals of tv08 and the two of the method's table
    truth = pd.read_csv(reference / "weighting" / "tv08_imd_truth_expected.csv").set_index(
        ["indicator", "denominator", "source_vintage"]
    )["truth_from_lsoa"]
    rows = {age: one(run, "most_deprived_fifth", "imd2019", "mid-2020", age=age)["value"] for age in ("all", "0-4")}
    for age, column in (("all", "pop20"), ("0-4", "pop20_0_4")):
        assert rows[age] == pytest.approx(
            100 * truth["most deprived 20%", column, "UTLA_apr2021_mar2023"], abs=0.5e-4 + 1e-9
        )
    assert [round(rows["all"], 1), round(rows["0-4"], 1)] == [31.9, 39.6]
    assert (
        round(one(run, "most_deprived_fifth", "imd2019", "mid-2020", age="0-4", area="E92000001")["value"], 1) == 24.8
    )


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("most_deprived_fifth_nenc", "reproduced"),
        ("most_deprived_fifth_nenc_0_4", "reproduced"),
        ("most_deprived_fifth_england_0_4", "reproduced"),
        ("ill_health_share_male", "reproduced"),
        ("areas_hle_below_60", "reproduced"),
        ("population_2020", "reproduced"),
        ("smoking_2024", "reproduced"),
        ("le_2014_pooled_female", "reproduced"),
        ("le_2014_pooled_male", "reproduced"),
        ("smoking_2020_edition_2024", "differs"),
        ("smoking_2020_edition_2026", "differs"),
        ("le_quintile_gap_male", "cannot be recomputed"),
        ("le_quintile_gap_female", "cannot be recomputed"),
        ("covid_rate_ratio", "cannot be recomputed"),
        ("ascof_1e_north_east", "cannot be recomputed"),
        ("ascof_2a2_north_east", "cannot be recomputed"),
    ],
)
def test_each_published_figure_has_its_outcome(beside, name, outcome):
    assert beside.loc[name, "outcome"] == outcome
    assert beside.loc[name, "note"] or outcome == "reproduced"


def test_the_two_quintile_gaps_stand_as_they_were_printed(beside):
    assert beside.loc[["le_quintile_gap_male", "le_quintile_gap_female"], "published"].tolist() == ["10.4", "8.1"]


def test_every_outcome_is_the_expected_one_and_nothing_fails(beside, run):
    expected = beside["expected"]
    assert (beside["outcome"] == expected).all()
    assert failures(run.reproduction) == []


# --- a figure that should be reproduced and is not -----------------------------------------------------------------


def changed(run, value, *, keep=True):
    mine = (run.estimates[list(KEY)] == ["hle_birth", STRATEGY[1], "E54000050", "Female", "at birth", STRATEGY[2]]).all(
        axis=1
    )
    assert mine.sum() == 1
    estimates = run.estimates if keep else run.estimates[~mine]
    return reproduce(estimates.assign(value=estimates["value"].where(~mine, value))).set_index("id")


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (60.15, "reproduced"),
        (np.nextafter(60.25, 0), "reproduced"),
        (60.25, "differs"),
        (np.nextafter(60.15, 0), "differs"),
        (np.nan, "cannot be recomputed"),
    ],
)
def test_a_figure_is_reproduced_in_the_half_open_range_that_is_printed_as_it(run, value, outcome):
    beside = changed(run, value)
    assert beside.loc["hle_birth_nenc_female", "outcome"] == outcome
    assert len(failures(beside.reset_index())) == (outcome != "reproduced")


def test_a_failure_names_the_figure_and_both_numbers(run):
    (line,) = failures(changed(run, 61.0).reset_index())
    assert line == "hle_birth_nenc_female: published 60.2, estimated 61.00: differs, expected reproduced"


def test_a_missing_row_of_an_indicator_in_the_release_fails(run):
    beside = changed(run, 0, keep=False)
    assert beside.loc["hle_birth_nenc_female", "outcome"] == "cannot be recomputed"
    assert len(failures(beside.reset_index())) == 1


def test_a_figure_of_an_indicator_outside_the_release_does_not_fail(run):
    beside = reproduce(run.estimates[run.estimates["indicator"] != "hle_birth"]).set_index("id")
    assert beside.loc["hle_birth_nenc_female", "outcome"] == "not in this release"
    assert failures(beside.reset_index()) == []


# --- what a release holds --------------------------------------------------------------------------------------------


def test_the_table_has_its_columns_unique_keys_in_order_and_no_null_text(run):
    table = run.estimates
    assert tuple(table.columns) == COLUMNS
    assert not table.duplicated(list(KEY)).any()
    pd.testing.assert_frame_equal(table, table.sort_values(list(KEY), ignore_index=True))
    text = [name for name in COLUMNS if table[name].dtype not in ("float64", "int64")]
    assert not table[text].isna().any().any()
    assert table["status"].str.startswith(EXPERIMENTAL).any()


@pytest.mark.parametrize(
    ("indicator", "edition", "sexes", "periods"),
    [
        ("hle_birth", "ons_2022_03", 2, 8),
        ("hle_birth", "ons_2026_02", 2, 12),
        ("le_birth", "ohid_2026_05", 2, 9),
    ],
)
def test_every_window_is_there_for_the_partnership_its_parts_and_england(run, indicator, edition, sexes, periods):
    table = run.estimates[(run.estimates["indicator"] == indicator) & (run.estimates["edition"] == edition)]
    assert len(table) == sexes * periods * 6
    assert table["area_type"].value_counts().to_dict() == {
        "whole partnership": sexes * periods,
        "local partnership": 4 * sexes * periods,
        "country": sexes * periods,
    }
    assert table["value"].notna().all()


def test_limits_enclose_their_value_and_stand_together(run):
    table = run.estimates
    limited = table["lower"].notna()
    assert (limited == table["upper"].notna()).all()
    assert ((table["lower"] <= table["value"]) & (table["value"] <= table["upper"]))[limited].all()
    assert (table.loc[table["indicator"].str.startswith("hle_birth"), "lower"].notna()).all()


def test_the_gap_is_england_less_the_area_in_every_row(run):
    table = run.estimates
    for name in ("hle_birth", "le_birth"):
        gaps = table[table["indicator"] == f"{name}_gap"]
        values = table[table["indicator"] == name].set_index(list(KEY[1:]))["value"]
        mine = [values[tuple(key)] for key in gaps[list(KEY[1:])].itertuples(index=False)]
        england = [
            values[edition, "E92000001", sex, age, period]
            for edition, sex, age, period in gaps[["edition", "sex", "age", "period"]].itertuples(index=False)
        ]
        np.testing.assert_allclose(gaps["value"], np.subtract(england, mine), rtol=0, atol=1e-12)
        assert len(gaps)
    assert gaps["area_code"].nunique() == 5


def test_the_gap_of_the_strategy_counts_the_area_as_a_part_of_england(run):
    gap = one(run, "hle_birth_gap", *STRATEGY[1:], sex="Male")
    area = one(run, *STRATEGY, sex="Male")
    assert gap["value"] == pytest.approx(3.7, abs=0.05)
    england = one(run, *STRATEGY, sex="Male", area="E92000001")
    share = 3_000_432 / 56_550_138  # residents, mid-2020
    # the share is that of the rounded memberships: six decimals
    expected = np.sqrt((1 - 2 * share) * area["se"] ** 2 + england["se"] ** 2)
    assert gap["se"] == pytest.approx(expected, rel=1e-6)


def test_north_cumbria_from_the_county_is_flagged_as_such(run):
    row = one(run, *STRATEGY, area="NENC-NC", sex="Male")
    assert row["quality"].split(";") == ["partial_area", "mostly_partial_area"]
    rebased = one(run, "hle_birth", "ons_2026_02", "2018-20", sex="Male")
    assert {"partial_area", "small_share"} <= set(rebased["quality"].split(";"))


def test_whole_partnership_lies_between_its_parts_in_every_series(run):
    table = run.estimates[~run.estimates["unit"].isin(["areas", "people", "deaths"])]
    table = table[table["value"].notna()]
    series = ["indicator", "edition", "sex", "age", "period"]
    parts = table[table["area_type"] == "local partnership"].groupby(series)["value"].agg(["min", "max", "size"])
    whole = table[table["area_type"] == "whole partnership"].set_index(series)["value"]
    both = parts[parts["size"] == 4].join(whole, how="inner")
    assert len(both) > 100
    assert ((both["min"] <= both["value"] + 1e-9) & (both["value"] <= both["max"] + 1e-9)).all()


def test_people_and_deaths_of_the_parts_add_up_to_the_whole(run):
    for indicator, edition in (("population", "lsoa"), ("drug_poisoning_deaths", "ons_2021")):
        table = run.estimates[(run.estimates["indicator"] == indicator) & (run.estimates["edition"] == edition)]
        sums = table.groupby(["sex", "period", "area_type"])["value"].sum().unstack()
        assert len(sums) > 1
        np.testing.assert_allclose(sums["local partnership"], sums["whole partnership"], rtol=1e-14)


def test_the_log_accounts_for_every_row_read(run):
    assert run.log["estimates"] == len(run.estimates)
    for read in run.log["read"]:
        for reasons in read["set_aside"].values():
            assert read["rows"] == read["skipped_periods"] + read["rows_weighted"] + sum(reasons.values())


def test_every_remark_has_the_sentence_behind_it(run):
    flagged = run.estimates[run.estimates["quality"] != ""]
    keys = set(zip(run.notes["indicator"], run.notes["edition"], run.notes["area_code"], strict=True))
    for row in flagged.itertuples():
        assert (row.indicator, row.edition, row.area_code) in keys


def test_each_step_is_announced():
    steps = []
    small = Specification(title="t", weighted=(Weighted(indicator="le_birth", edition="ons_original", reference=""),))
    run = run_release(small, progress=steps.append)
    assert steps == ["le_birth ons_original", "comparisons", "goals", "published figures"]
    assert set(run.estimates["indicator"]) == {"le_birth"}
    assert set(run.reproduction["outcome"]) <= {"not in this release", "cannot be recomputed"}


def test_a_row_that_a_release_would_hold_twice_is_refused():
    entry = Weighted(indicator="le_birth", edition="ons_original", reference="")
    below = [{"indicator": "hle_birth", "edition": "ons_2022_03", "level": 60.0}] * 2
    with pytest.raises(InvalidDataError, match=r"the release holds \['areas_below_60', .*\] twice"):
        run_release(Specification(title="t", weighted=(entry,), areas_below=below))


def test_a_reference_that_the_edition_lacks_is_refused_with_the_remedy():
    small = Specification(title="t", weighted=(Weighted(indicator="le_birth", edition="ons_original"),))
    with pytest.raises(InvalidDataError, match="ons_original has no row for the reference"):
        run_release(small)


# --- life tables ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edition", "sex", "pooled", "weighted"),
    [
        # 16 whole districts and unitaries: computed from the same ONS figures outside this package, two decimals
        ("ons_2014_whole", "Male", 77.81, 77.73),
        ("ons_2014_whole", "Female", 81.83, 81.83),
        # Copeland at the share of its people who live inside: within 0.005 years of those
        ("ons_2014", "Male", 77.80, 77.73),
        ("ons_2014", "Female", 81.83, 81.83),
    ],
)
def test_life_expectancy_of_2014_stands_pooled_and_weighted_side_by_side(run, edition, sex, pooled, weighted):
    rows = [one(run, f"le_birth_{way}", edition, "2014", sex=sex) for way in ("pooled", "weighted")]
    assert [round(row["value"], 2) for row in rows] == [pooled, weighted]
    assert [row["n_areas"] for row in rows] == [16, 16]
    partial = "partial_area;wider_age_share" if edition == "ons_2014" else ""
    assert [row["quality"] for row in rows] == [partial, partial]
    notes = run.notes[(run.notes["indicator"] == "le_birth_weighted") & (run.notes["edition"] == edition)]["notes"]
    assert notes.str.contains("years on the pooled life table").all()


def test_deaths_by_age_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"no deaths by age 'ons_2015'. There are: ons_2014"):
        LifeTables(deaths="ons_2015")


# --- status -----------------------------------------------------------------------------------------------------------


def test_the_status_is_that_of_the_weakest_source(run):
    estimates = run.estimates[~run.estimates["method"].str.startswith("published")]
    by_edition = estimates.groupby("edition")["status"].agg(set)
    development = "experimental, not official statistics; from official statistics in development"
    assert by_edition["ons_2026_02"] == {development}
    assert by_edition["ons_2026_02 with ohid_2026_05"] == {development}
    assert by_edition["ons_2022_03"] == {"experimental, not official statistics"}
    assert estimates["status"].str.startswith("experimental, not official statistics").all()


def test_published_values_keep_the_status_of_their_publisher(run):
    published = run.estimates[run.estimates["method"].str.startswith("published")]
    assert set(published["status"]) == {"official statistics", "official statistics in development"}
    assert set(published.loc[published["edition"] == "ons_2026_02", "status"]) == {"official statistics in development"}


def test_a_specification_may_give_estimates_another_status(specification):
    only = [entry for entry in specification.weighted if entry.edition == "ons_2026_02"]
    small = Specification(title="t", status="management information", weighted=tuple(only))
    statuses = set(run_release(small).estimates["status"])
    assert statuses == {
        "management information; from official statistics in development",
        "official statistics in development",
    }
