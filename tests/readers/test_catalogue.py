"""Every row of the catalogue of bad inputs: repaired and recorded, accepted with a warning, or refused with the place.

The files stand in ``tests/files``; their numbers are invented. Their names begin with the row of the catalogue.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nenc_estimates import EstimatesError, select_geography
from nenc_estimates.readers import (
    Limits,
    read_deaths,
    read_fingertips,
    read_imd,
    read_lookup,
    read_mid_year_estimates,
    read_nomis,
)

FILES = Path(__file__).parents[1] / "files"
VALUES = ["area_code", "sex", "period", "value", "lower", "upper", "lower_99_8", "upper_99_8"]


def by_key(table: pd.DataFrame) -> pd.DataFrame:
    return table[VALUES].sort_values(VALUES[:3]).reset_index(drop=True)


@pytest.fixture(scope="module")
def clean() -> pd.DataFrame:
    return by_key(read_fingertips(FILES / "fingertips_api.csv").table)


@pytest.mark.parametrize(
    ("name", "noted"),
    [
        ("fingertips_website.csv", ""),
        ("fingertips_fingertipsr.csv", ""),
        ("fingertips_r.csv", "NA, as R writes"),
        ("fingertips.xlsx", ""),
        ("fingertips.ods", ""),
        ("01_byte_order_mark.csv", "byte order mark"),
        ("02_utf16.csv", "UTF-16"),
        ("03_dashes_and_spaces.csv", "invisible characters"),
        ("04_codes_wide_or_lower.csv", "lower case, wide"),
        ("07_england_twice.csv", "4 × equal copy"),
        ("07_two_files_joined.csv", "header repeated (row 12)"),
        ("09_categories.csv", "category rows: Ethnic groups [152]"),
        ("13_na_is_a_name.csv", ""),
        ("16_value_outside.csv", "outside lower and upper in row 5"),
        ("22_title_and_notes.csv", "note below the table"),
        ("22_notes_without_commas.csv", "2 × note below the table"),
        ("25_zipped.zip", ""),
        ("27_names.csv", "name read as code"),
    ],
)
def test_what_can_be_repaired_gives_the_clean_numbers_and_says_so(name: str, noted: str, clean: pd.DataFrame) -> None:
    read = read_fingertips(FILES / name)
    given = by_key(read.table)
    if name == "16_value_outside.csv":  # the number is what the file says
        given.loc[given["value"] > given["upper"], "value"] = clean["value"][given["value"] > given["upper"]]
    pd.testing.assert_frame_equal(given, clean, check_exact=True)
    assert noted in str(read.report)
    assert read.report.rows_kept == read.report.rows_out == 20


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("02_windows_1252.csv", "byte 0xe9 at offset 659"),
        ("02_mojibake.csv", "once read in the wrong encoding"),
        ("04_codes_other_digits.csv", "row 5.*neither a GSS code"),
        ("07_england_twice_differing.csv", "rows 2 and 22 have one key.*79.123456789, 78.5"),
        ("07_website_and_api_joined.csv", "row 12 has 26 cells, the header 27"),
        ("10_one_and_three_years.csv", "'3y', '1y'.*period_range="),
        ("11_ambiguous_period.csv", "row 2.*may be a financial year"),
        ("11_excel_date.xlsx", "row 3.*spreadsheet turned into a date"),
        ("11_serial_date.csv", "row 3.*spreadsheet turned into a date"),
        ("12_unknown_marker.csv", "row 5, 'Value': 'tbc' is neither a number"),
        ("14_thousands_wrong.csv", "row 2, 'Value': '52,81,27' is neither"),
        ("15_infinite.csv", "not finite in row 5"),
        ("15_underscore.csv", "row 5, 'Value': '1_000' is neither"),
        ("15_arabic.csv", "row 5, 'Value'"),
        ("15_word_inf.csv", "row 5, 'Value': 'inf' is neither"),
        ("16_share_of_one.csv", "measured in years.*0.7806 in row 5"),
        ("16_limits_crossed.csv", "lower limit is above the upper one in row 5"),
        ("16_healthy_above_all.csv", "healthy years .90362. are more than all years"),
        ("21_ragged_long.csv", "row 5 has 28 cells, the header 27"),
        ("21_ragged_short.csv", "row 5 has 24 cells, the header 27"),
        ("21_open_quote.csv", "odd number of quotation marks"),
        ("22_duplicate_heading.csv", "both mean value"),
        ("22_numbered_heading.csv", "'value' stands twice"),
        ("22_missing_column.csv", "Row 1 comes nearest, but lacks value"),
        ("27_name_of_two.csv", "row 5.*'Durham' is neither a GSS code"),
    ],
)
def test_what_cannot_be_repaired_is_refused_with_its_place(name: str, words: str) -> None:
    with pytest.raises(EstimatesError, match=words) as caught:
        read_fingertips(FILES / name)
    assert name in str(caught.value)


def test_codes_of_care_boards_lose_their_prefix_and_nhs_codes_become_gss_codes() -> None:
    assert set(read_fingertips(FILES / "05_icb_prefix.csv").table["area_code"]) == {"E54000050"}
    read = read_fingertips(FILES / "05_nhs_codes.csv")
    assert read.table["area_code"].tolist() == ["E54000050", "E54000050", "E38000215"]
    assert "3 × NHS code" in str(read.report)


def test_regions_and_care_boards_stay_but_are_told_to_overlap_and_never_enter_an_estimate() -> None:
    read = read_fingertips(FILES / "06_regions_among_councils.csv")
    assert any("areas overlap" in text for text in read.report.warnings)
    selection = select_geography(read.table[["area_code", "sex", "period", "value"]], "nenc")
    assert {"E92000001", "E12000001"} <= set(selection.set_aside["area_code"])


def test_sexes_of_every_era_are_read_and_persons_are_not_counted_twice() -> None:
    words = read_mid_year_estimates(FILES / "08_sexes.csv")
    numbers = read_mid_year_estimates(FILES / "08_sexes_by_number.csv")
    pd.testing.assert_frame_equal(words.table, numbers.table)
    assert set(words.table["sex"]) == {"Male", "Female"}
    assert "'Persons', which its parts add up to" in str(words.report)
    persons = read_mid_year_estimates(FILES / "08_sexes.csv", sex="Persons")
    assert persons.table["people"].sum() == words.table["people"].sum()
    with pytest.raises(EstimatesError, match=r"row 31: 'Persons' is 2091.0, but its parts add up to 2051.0"):
        read_mid_year_estimates(FILES / "08_sexes_do_not_add_up.csv")


def test_category_rows_are_kept_apart_and_found_by_a_name_with_its_spaces_in_order() -> None:
    name = "LSOA11 deprivation deciles within area (IMD trend)"
    deciles = read_fingertips(FILES / "09_categories.csv", category_type=name).table
    assert deciles["category"].tolist()[:2] == ["Most deprived decile", "Second most deprived decile"]
    with pytest.raises(EstimatesError, match=r"There are: .*Ethnic groups"):
        read_fingertips(FILES / "09_categories.csv", category_type="Deciles")


def test_one_length_of_period_is_chosen_by_name() -> None:
    table = read_fingertips(FILES / "10_one_and_three_years.csv", period_range="1y").table
    assert set(table["period"]) == {"2020"}


def test_periods_of_every_form_are_read_and_the_ambiguous_one_needs_its_kind() -> None:
    table = read_fingertips(FILES / "11_periods.csv").table
    assert table["period"].tolist() == [
        "2018",
        "2018/19",
        "2018-20",
        "2018/19-20/21",
        "2018 Q1",
        "2018 Q2",
        "Jan 2018",
        "Jul 2018-Jun 2019",
        "2018-22",
    ]
    assert table["period_label"][2] == "2018 - 20"
    two = read_fingertips(FILES / "11_two_years.csv").table
    assert two["period"].tolist() == ["Jan 2018-Dec 2019"]
    financial = read_fingertips(FILES / "11_ambiguous_period.csv", year_type="financial").table
    assert set(financial["period"]) == {"2018/19"}


def test_ages_that_a_spreadsheet_made_dates_of_are_refused() -> None:
    with pytest.raises(EstimatesError, match=r"row 3.*'01-Apr' is a date"):
        read_deaths(FILES / "11_spreadsheet_ages.csv")


def test_every_sign_for_a_missing_number_is_missing_with_its_reason() -> None:
    read = read_fingertips(FILES / "12_markers.csv")
    assert np.isnan(read.table["value"]).all()
    reasons = read.table["missing_reason"].tolist()
    none, hidden, void = "not published", "suppressed", "not applicable"
    assert reasons == [none, hidden, none, none, none, hidden, none, hidden, hidden, void, *[none] * 4, hidden, none]
    assert "2 × negative marker read as missing (rows 14, 15)" in str(read.report)


def test_na_stays_a_name() -> None:
    assert {"NA", "None"} <= set(read_fingertips(FILES / "13_na_is_a_name.csv").table["area_name"])


def test_thousands_commas_are_read_also_beside_markers() -> None:
    read = read_fingertips(FILES / "14_thousands.csv")
    np.testing.assert_array_equal(read.table["value"], [528127.0, 324362.0, np.nan, 1199.5])
    assert "6 × thousands commas" in str(read.report)


def test_shares_that_should_be_percentages_are_noted() -> None:
    assert "shares of 1 rather than percentages?" in str(read_fingertips(FILES / "16_percentages.csv").report)


def test_mixed_vintages_are_noted_here_and_refused_where_they_would_be_added_up() -> None:
    read = read_fingertips(FILES / "17_mixed_vintages.csv")
    assert any("E08000020 is a superseded code of E08000037" in text for text in read.report.warnings)
    assert any("overlap" in text for text in read.report.warnings)


def test_a_lookup_is_read_by_the_values_of_its_columns_and_must_be_whole() -> None:
    read = read_lookup(FILES / "18_lookup.csv", rows=34)
    assert read.table.columns.tolist() == [
        "lsoa21_code",
        "lsoa21_name",
        "lad22_code",
        "lad22_name",
        "icb22_code",
        "icb22_nhs_code",
    ]
    with pytest.raises(EstimatesError, match=r"34 areas .lsoa21., but there must be 33,755"):
        read_lookup(FILES / "18_lookup.csv")
    assert "was not checked" in str(read_lookup(FILES / "18_lookup.csv", rows=None).report)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("18_lookup_2021_among_2011.csv", "row 26: E01034010 is an LSOA of 2021 in a column of LSOAs of 2011"),
        ("18_lookup_in_two_icbs.csv", "rows 5 and 36 have one key .lsoa21_code 'E01020623'. and different icb22_code"),
    ],
)
def test_a_lookup_of_two_censuses_or_two_boards_is_refused(name: str, words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_lookup(FILES / name, rows=None)


@pytest.mark.parametrize("rows", [1_000, 2_000, 25_000])
def test_a_lookup_of_exactly_one_page_is_refused(rows: int) -> None:
    text = "LAD22CD,ICB22CD\n" + "".join(f"E07{i:06d},E54000050\n" for i in range(rows))
    with pytest.raises(EstimatesError, match=f"exactly {rows:,} rows"):
        read_lookup(text.encode())
    assert len(read_lookup(text.encode(), rows=rows).table) == rows


def test_equal_rows_of_a_lookup_are_read_once() -> None:
    read = read_lookup(FILES / "18_lookup_twice.csv", rows=34)
    assert "1 × equal copy (row 36)" in str(read.report)


def test_a_nomis_extract_that_was_cut_off_is_refused() -> None:
    with pytest.raises(EstimatesError, match="holds 24 records, but nomis had 25024: it was cut off"):
        read_nomis(FILES / "18_nomis_cut_off.csv")
    read = read_nomis(FILES / "24_nomis.csv")
    assert set(read.table["sex"]) == {"Male", "Female"}
    assert set(read.table["age"]) == {"0", "1", "90+"}
    assert read.report.rows_kept == 12


def test_the_direction_of_deprivation_is_read_never_guessed() -> None:
    table = read_imd(FILES / "19_imd.csv", rows=34).table
    assert table.loc[0, "decile"] == 1.0
    assert table["score"].is_monotonic_decreasing
    with pytest.raises(EstimatesError, match="the decile does not rise with the rank"):
        read_imd(FILES / "20_decile_reversed.csv", rows=34)
    with pytest.raises(EstimatesError, match="does not say whether rank 1 is the most or the least"):
        read_imd(FILES / "20_rank_without_direction.csv", rows=34)
    with pytest.raises(EstimatesError, match="lacks lsoa_code, rank"):
        read_imd(FILES / "20_summary_by_authority.csv")
    with pytest.raises(EstimatesError, match="there must be 33,755"):
        read_imd(FILES / "19_imd.csv")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("23_negative_people.csv", "'population_2022' must be whole numbers of 0 or more.*rows 10, 20.*-12.0"),
        ("23_missing_people.csv", "people are missing in rows 10, 20"),
        ("23_overflow.csv", "must be whole numbers.*1e.20"),
    ],
)
def test_people_that_cannot_be_are_refused(name: str, words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_mid_year_estimates(FILES / name)


def test_age_90_means_90_and_over() -> None:
    read = read_mid_year_estimates(FILES / "23_ages_to_90.csv")
    assert "90+" in set(read.table["age"])
    assert "90" not in set(read.table["age"])
    assert "age 90 means 90 and over" in read.report.assumptions
    assert read.table["people"].dtype == np.int64


def test_a_table_by_age_gives_the_people_of_each_sheet_and_one_year() -> None:
    read = read_mid_year_estimates(FILES / "mye2.xlsx")
    assert set(read.table["sex"]) == {"Male", "Female"}
    assert set(read.table["year"]) == {2022}
    persons = read_mid_year_estimates(FILES / "mye2.xlsx", sheet="MYE2 - Persons")
    assert persons.table["people"].sum() == read.table["people"].sum()
    with pytest.raises(EstimatesError, match="no people of 1999"):
        read_mid_year_estimates(FILES / "myeb1.xlsx", year=1999)
    assert set(read_mid_year_estimates(FILES / "myeb1.xlsx", year=2022).table["year"]) == {2022}


def test_a_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    path = FILES / "fingertips_api.csv"
    for limits, words in (
        (Limits(file_bytes=1000), "larger than 1,000 bytes"),
        (Limits(cells=300), "cells; the limit is 300"),
        (Limits(columns=10), "27 columns; the limit is 10"),
        (Limits(cell_characters=10), "a cell under 'Indicator Name' has"),
    ):
        with pytest.raises(EstimatesError, match=words):
            read_fingertips(path, limits=limits)


def test_rolling_periods_are_told_to_overlap() -> None:
    assert "periods overlap" in str(read_fingertips(FILES / "26_rolling.csv").report)


def test_a_region_is_known_by_its_statistical_name() -> None:
    assert read_fingertips(FILES / "27_region_name.csv").table["area_code"].tolist() == ["E12000001"]


def test_notes_give_the_reason_and_aggregated_values_are_flagged() -> None:
    read = read_fingertips(FILES / "value_notes.csv")
    assert read.table["missing_reason"].tolist() == ["", "suppressed", "not published", "not published"]
    assert read.table["aggregated"].tolist() == [True, False, False, False]
    assert "do not aggregate them again" in str(read.report)


def test_limits_of_before_2018_are_read() -> None:
    read = read_fingertips(FILES / "fingertips_2017.csv")
    assert read.table["lower"].notna().all()
    assert "limits without a level in their heading are 95 % limits" in read.report.assumptions


def test_suppressed_deaths_are_missing_and_never_zero() -> None:
    table = read_deaths(FILES / "deaths.csv").table
    assert table["age"].tolist() == ["0", "1-4", "5-9", "90+"] * 2
    assert table["deaths"].isna().sum() == 2
    assert set(table["missing_reason"]) == {"", "suppressed"}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"sex": "Men"}, "There are: 'Male', 'Female'"),
        ({"area_type": "ICBs"}, "There are: 'England', 'Counties & UAs"),
        ({"indicator_id": 90362}, "There are: '90366'"),
        ({"period": "2001 - 03"}, "There are: '2017-19', '2018-20'"),
        ({"age": "65"}, "There are: 'All ages'"),
        ({"period_range": "1y"}, "There are: '3y'"),
    ],
)
def test_asking_for_what_is_absent_names_what_is_there(option: dict[str, Any], words: str) -> None:
    with pytest.raises(EstimatesError, match=words):
        read_fingertips(FILES / "fingertips_api.csv", **option)
