from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from nenc_estimates.errors import InvalidDataError
from nenc_estimates.indicators import INDICATORS
from nenc_estimates.publishing.disclosure import COUNTED, DisclosurePolicy, disclose, fit_to_publish
from nenc_estimates.quality import QUALITY

WHOLE = "E54000050"
LOCAL = ("NENC-C", "NENC-N", "NENC-NC", "NENC-TV")
SEXES = ("Female", "Male")
POLICY = DisclosurePolicy()


def counts(values, *, indicator="made_up", unit="deaths"):
    """Table of (area, sex) to count, with limits and an error."""
    table = pd.DataFrame([(area, sex, float(value)) for (area, sex), value in values.items()])
    table.columns = ["area_code", "sex", "value"]
    spread = np.sqrt(table["value"])
    return table.assign(
        indicator=indicator,
        edition="e",
        age="all",
        period="2020",
        unit=unit,
        quality="",
        lower=table["value"] - 2 * spread,
        upper=table["value"] + 2 * spread,
        se=spread,
    )


def crossed(female, male):
    """Counts of the four local partnerships by sex, with every total."""
    cells = {
        (area, sex): n
        for sex, row in zip(SEXES, (female, male), strict=True)
        for area, n in zip(LOCAL, row, strict=True)
    }
    cells |= {(area, "Persons"): cells[area, "Female"] + cells[area, "Male"] for area in LOCAL}
    return cells | {(WHOLE, sex): sum(cells[area, sex] for area in LOCAL) for sex in (*SEXES, "Persons")}


def equations(cells):
    """The sums that a reader knows, written without the code under test: (total, parts)."""
    by_area = [((WHOLE, sex), [(area, sex) for area in LOCAL]) for sex in (*SEXES, "Persons")]
    by_sex = [((area, "Persons"), [(area, sex) for sex in SEXES]) for area in (WHOLE, *LOCAL)]
    return [(total, parts) for total, parts in by_area + by_sex if {total, *parts} <= set(cells)]


def hidden_in(table):
    shown = disclose(table, POLICY)
    return {(row.area_code, row.sex) for row in shown.itertuples() if "withheld_disclosure" in row.quality.split(";")}


def by_differencing(cells, hidden):
    """Recover what can be recovered by subtracting shown cells from shown totals, again and again."""
    unknown, before = set(hidden), None
    while unknown != before:
        before = set(unknown)
        for total, parts in equations(cells):
            open_cells = [cell for cell in (total, *parts) if cell in unknown]
            if len(open_cells) == 1:
                unknown -= set(open_cells)
    return set(hidden) - unknown


def whole_number_range(cells, hidden, cell):
    """Least and greatest whole number that a hidden cell can be, given all shown cells: an integer programme."""
    names = sorted(cells)
    rows = np.array([[(name in parts) - (name == total) for name in names] for total, parts in equations(cells)])
    least = [1 if name in hidden else cells[name] for name in names]
    most = [10_000 if name in hidden else cells[name] for name in names]
    aim = np.array([name == cell for name in names], dtype=float)
    ends = [
        milp(
            sign * aim, constraints=LinearConstraint(rows, 0, 0), bounds=(least, most), integrality=np.ones(len(names))
        )
        for sign in (1, -1)
    ]
    return round(ends[0].fun), round(-ends[1].fun)


def test_counts_of_one_to_seven_are_withheld_and_others_rounded_to_five():
    values = {
        ("A", "Persons"): 0,
        ("B", "Persons"): 1,
        ("C", "Persons"): 7,
        ("D", "Persons"): 8,
        ("E", "Persons"): 12.5,
    }
    shown = disclose(counts(values), POLICY)
    np.testing.assert_array_equal(shown["value"], [0, np.nan, np.nan, 10, 15])
    assert shown["quality"].tolist() == [
        "",
        "withheld_disclosure",
        "withheld_disclosure",
        "rounded_count",
        "rounded_count",
    ]
    assert shown[["lower", "upper", "se"]].iloc[1:].isna().to_numpy().all()


@pytest.mark.parametrize(
    ("value", "shown"), [(0.3, np.nan), (7.4, np.nan), (7.5, 10.0), (102.5, 105.0), (102.4, 100.0)]
)
def test_a_part_of_a_count_is_withheld_when_it_rounds_to_a_small_one(value, shown):
    np.testing.assert_array_equal(disclose(counts({("A", "Persons"): value}), POLICY)["value"], [shown])


def test_national_counts_rates_and_what_is_published_anyway_are_shown_as_they_are():
    national = counts({("E92000001", "Persons"): 3})
    rate = counts({("A", "Persons"): 3}, unit="per 100,000")
    areas = counts({("A", "Persons"): 3}, unit="areas")
    anyway = counts({("A", "Persons"): 3})
    for table, policy in (
        (national, POLICY),
        (rate, POLICY),
        (areas, POLICY),
        (anyway, DisclosurePolicy(as_published={("made_up", "e"): "its publisher shows every count"})),
    ):
        pd.testing.assert_frame_equal(disclose(table, policy), table)


def test_a_total_does_not_give_its_one_hidden_part_away():
    cells = dict(zip([*((area, "Persons") for area in LOCAL), (WHOLE, "Persons")], (3, 20, 30, 40, 93), strict=True))
    assert hidden_in(counts(cells)) == {("NENC-C", "Persons"), ("NENC-N", "Persons")}


def test_two_hidden_parts_that_add_up_to_two_are_one_and_one_so_more_is_hidden():
    cells = dict(zip([*((area, "Persons") for area in LOCAL), (WHOLE, "Persons")], (1, 1, 30, 40, 72), strict=True))
    assert hidden_in(counts(cells)) == {("NENC-C", "Persons"), ("NENC-N", "Persons"), ("NENC-NC", "Persons")}


def test_small_and_protecting_counts_bear_one_code():
    cells = crossed((3, 20, 30, 40), (11, 21, 31, 41))
    codes = set(disclose(counts(cells), POLICY).set_index(["area_code", "sex"])["quality"])
    assert codes == {"withheld_disclosure", "rounded_count"}


row_of_counts = st.tuples(*[st.one_of(st.integers(0, 9), st.integers(0, 60))] * 4)


@settings(max_examples=40, deadline=None)
@given(female=row_of_counts, male=row_of_counts)
def test_no_hidden_count_is_recovered_by_differencing(female, male):
    cells = crossed(female, male)
    hidden = hidden_in(counts(cells))
    small = {cell for cell, value in cells.items() if 1 <= value <= 7}
    assert small <= hidden
    assert not by_differencing(cells, hidden) & small
    for cell in small:
        least, most = whole_number_range(cells, hidden, cell)
        assert most - least >= 6, f"{cell} is known to lie between {least} and {most}"


def test_a_table_without_small_counts_hides_nothing():
    assert hidden_in(counts(crossed((8, 9, 10, 11), (0, 50, 60, 70)))) == set()


def test_blocks_do_not_protect_each_other():
    one = counts({("NENC-C", "Persons"): 3, ("NENC-N", "Persons"): 50})
    other = one.assign(period="2021", value=[50.0, 60.0])
    shown = disclose(pd.concat([one, other], ignore_index=True), POLICY)
    assert shown["value"].isna().tolist() == [True, False, False, False]


# --- life expectancy --------------------------------------------------------------------------------------------------


def life(person_years, width):
    table = counts({("A", "Female"): 80.0}, unit="years")
    return table.assign(lower=80 - width / 2, upper=80 + width / 2, person_years=person_years)


@pytest.mark.parametrize(
    ("person_years", "width", "code"),
    [
        (5_000, 20.0, ""),
        (4_999, 4.0, "withheld_person_years"),
        (9_000, 20.1, "withheld_wide_interval"),
        (10, 30.0, "withheld_person_years;withheld_wide_interval"),
        (np.nan, 4.0, ""),
    ],
)
def test_a_weak_life_expectancy_is_withheld_with_its_limits(person_years, width, code):
    shown = disclose(life(person_years, width), POLICY).iloc[0]
    assert shown["quality"] == code
    assert np.isnan([shown["value"], shown["lower"], shown["upper"], shown["se"]]).tolist() == [bool(code)] * 4


# --- a whole run ------------------------------------------------------------------------------------------------------


def test_a_missing_value_without_a_reason_is_refused():
    with pytest.raises(InvalidDataError, match=r"no quality code says why .*'made_up'.* has no value"):
        disclose(counts({("A", "Persons"): 30}).assign(value=np.nan), POLICY)


def test_every_missing_value_of_the_release_has_a_reason(run, specification):
    shown = fit_to_publish(run, DisclosurePolicy(as_published=specification.as_published)).estimates
    absent = shown.loc[shown["value"].isna(), "quality"]
    assert len(absent) > 0
    assert absent.str.contains("withheld_|missing_").all()


@pytest.mark.parametrize("code", ["withheld_coverage", "missing_suppressed", "no_population", "bounds"])
def test_each_code_that_says_why_is_a_reason(code):
    absent = counts({("A", "Persons"): 30}).assign(value=np.nan, quality=f"partial_area;{code}")
    assert disclose(absent, POLICY)["quality"].tolist() == [f"partial_area;{code}"]


def test_the_release_shows_no_count_without_a_rule_or_a_reason(run, specification):
    counted = run.estimates[run.estimates["unit"].isin(COUNTED)]
    pairs = set(zip(counted["indicator"], counted["edition"], strict=True))
    assert pairs == set(specification.as_published)
    absent = run.estimates["value"].isna()
    without = fit_to_publish(run, DisclosurePolicy()).estimates
    below = without[without["unit"].isin(COUNTED) & (without["area_code"] != "E92000001")]
    shown = below["value"].dropna()
    assert ((shown == 0) | ((shown >= 10) & (shown % 5 == 0))).all()
    assert fit_to_publish(run, DisclosurePolicy(largest_withheld=50)).estimates["value"].isna().sum() > absent.sum()


def test_published_figures_are_compared_with_what_is_shown(run):
    shown = fit_to_publish(run, DisclosurePolicy()).reproduction.set_index("id")
    assert list(shown.reset_index().columns) == list(run.reproduction.columns)
    assert shown.loc["population_2020", "estimate"] == 3_000_430
    hidden = fit_to_publish(run, DisclosurePolicy(largest_withheld=4_000_000)).reproduction.set_index("id")
    assert hidden.loc["population_2020", "outcome"] == "withheld"
    assert np.isnan(hidden.loc["population_2020", "estimate"])


def test_what_was_made_of_controlled_counts_is_withheld(run, specification):
    deaths = run.goals["indicator"] == "drug_poisoning_deaths"
    assert deaths.any()
    shown = fit_to_publish(run, DisclosurePolicy()).goals
    numbers = list(shown.select_dtypes("floating").columns)
    assert shown.loc[deaths, numbers].isna().to_numpy().all()
    assert shown.loc[deaths, "quality"].str.contains("withheld_disclosure").all()
    pd.testing.assert_frame_equal(shown[~deaths], run.goals[~deaths])
    open_ = DisclosurePolicy(as_published=specification.as_published)
    pd.testing.assert_frame_equal(fit_to_publish(run, open_).goals, run.goals)


def test_every_indicator_that_counts_is_known_to_count():
    for indicator in INDICATORS.values():
        assert (indicator.kind == "count") == (indicator.unit in COUNTED), indicator.id


def test_every_code_of_disclosure_is_explained():
    assert {"withheld_disclosure", "rounded_count", "withheld_person_years", "withheld_wide_interval"} <= set(QUALITY)
