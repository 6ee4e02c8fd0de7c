from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nenc_estimates.areas import ENGLAND, NENC
from nenc_estimates.crosswalks import Crosswalk, load_crosswalk
from nenc_estimates.denominators import Denominator, load_denominator
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.weights import weigh

RESIDENTS = load_denominator("residents")
BROAD = load_denominator("residents by broad age")
CUMBERLAND = {"E06000063": ["E07000026", "E07000028", "E07000029"]}
WESTMORLAND = {"E06000064": ["E07000027", "E07000030", "E07000031"]}
COUNTY = {"E10000006": [f"E070000{n}" for n in range(26, 32)]}


@pytest.fixture(scope="module")
def tv01(reference):
    return json.loads((reference / "weighting" / "tv01_weights.json").read_text())


def test_weights_of_the_thirteen_authorities_are_those_of_the_reference(tv01):
    people = Denominator.from_table(
        pd.DataFrame({"area_code": list(tv01["denominator"]), "people": list(tv01["denominator"].values())})
    )
    crosswalk = Crosswalk.from_shares([(code, NENC, share) for code, share in tv01["membership"].items()])
    for made, case in ((crosswalk, tv01["overall"]), (crosswalk.whole(), tv01["overall_cumbria_whole"])):
        weights = weigh(made, people)
        # an independent plain-Python reference: equal but for the order of addition
        assert weights.of(NENC) == pytest.approx(case["weights"], rel=1e-14)
        assert weights.effective_number[NENC] == pytest.approx(case["effective_number"], rel=1e-13)
        assert sum(weights.of(NENC).values()) == pytest.approx(1, rel=1e-15)
    largest = tv01["overall"]["largest"]
    assert weigh(crosswalk, people).largest[NENC] == pytest.approx(largest[1], rel=1e-14)
    whole, part = weigh(crosswalk.whole(), people).of(NENC), weigh(crosswalk, people).of(NENC)
    variation = sum(abs(whole[code] - part[code]) for code in part) / 2
    assert variation == pytest.approx(tv01["overall_cumbria_whole"]["total_variation_to_partial"], rel=1e-12)


def test_packaged_weights_agree_with_the_reference_to_its_six_decimals_of_share(tv01):
    weights = weigh(load_crosswalk("utla21", "nenc"), RESIDENTS, year=2020)
    assert weights.of(NENC) == pytest.approx(tv01["overall"]["weights"], abs=1e-7)
    assert weights.effective_number[NENC] == pytest.approx(tv01["overall"]["effective_number"], abs=2e-5)
    assert weights.basis == "residents at 30 June, Persons, age all, 2020"


def test_local_weights_are_those_of_the_reference(tv01):
    weights = weigh(load_crosswalk("utla21", "local_icp"), RESIDENTS, year=2020)
    names = {"NENC-NC": "North Cumbria", "NENC-N": "North", "NENC-C": "Central", "NENC-TV": "Tees Valley"}
    for code, name in names.items():
        mine = {source: weight for source, weight in weights.of(code).items() if weight}
        assert mine == pytest.approx(tv01["local"][name]["weights"], rel=1e-13)
        assert weights.effective_number[code] == pytest.approx(tv01["local"][name]["effective_number"], rel=1e-13)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mid-2015 persons", {"year": 2015}),
        ("mid-2018 persons", {"year": 2018}),
        ("mid-2019 persons", {"year": 2019}),
        ("females", {"sex": "Female", "year": 2020}),
        ("males", {"sex": "Male", "year": 2020}),
    ],
)
def test_other_people_move_the_weights_as_far_as_the_reference_says(tv01, name, options):
    crosswalk = load_crosswalk("utla21", "nenc")
    base, other = weigh(crosswalk, RESIDENTS, year=2020).of(NENC), weigh(crosswalk, RESIDENTS, **options).of(NENC)
    variation = sum(abs(base[code] - other[code]) for code in base) / 2
    # the shares of the reference have six decimals
    assert variation == pytest.approx(tv01["denominator_sensitivity_total_variation"][name], abs=1e-6)


# --- packaged people -----------------------------------------------------------------------------------------------


def test_persons_are_men_and_women_in_every_area_age_and_year():
    male, female = (RESIDENTS.cube[:, RESIDENTS.sexes.index(sex)] for sex in ("Male", "Female"))
    for year in RESIDENTS.years:
        persons = RESIDENTS.people(RESIDENTS.areas, sex="Persons", age="all", year=year)
        both = (male + female)[:, :, RESIDENTS.years.index(year)].sum(axis=1)
        np.testing.assert_array_equal(persons, both)


@pytest.mark.parametrize("parts", [CUMBERLAND, WESTMORLAND, COUNTY], ids=["Cumberland", "Westmorland", "Cumbria"])
@pytest.mark.parametrize("people", [RESIDENTS, BROAD], ids=["residents", "broad ages"])
def test_an_area_is_the_sum_of_the_districts_it_was_made_of(parts, people):
    ((whole, districts),) = parts.items()
    for age in ("all", "0-4"):
        made = people.people([whole], sex="Persons", age=age, year=2020)
        assert made.tolist() == [people.people(districts, sex="Persons", age=age, year=2020).sum()]
        assert made[0] > 0


def test_residents_and_residents_by_broad_age_agree():
    for year in (2019, 2020):
        for age in ("all", "0", "0-4", "65+"):
            pair = [each.people(BROAD.areas, sex="Persons", age=age, year=year) for each in (RESIDENTS, BROAD)]
            np.testing.assert_array_equal(*pair)
    assert np.isfinite(pair[0]).all()


def test_the_partnership_and_england_have_as_many_residents_as_published():
    # ONS mid-2020: 3,000,432 in the LSOAs of the partnership, 56,550,138 in England
    crosswalk = load_crosswalk("ltla21", "nenc")
    at = crosswalk.age == "all"
    people = RESIDENTS.people(list(crosswalk.source_code[at]), sex="Persons", age="all", year=2020)
    # shares keep at least ten digits: less than a person
    assert people @ crosswalk.share[at] == pytest.approx(3_000_432, abs=0.5)
    assert RESIDENTS.people([ENGLAND], sex="Persons", age="all", year=2020).tolist() == [56_550_138]


def test_each_year_belongs_to_one_series():
    assert [RESIDENTS.series_of(year) for year in (2015, 2020, 2022)] == [
        "before Census 2021",
        "before Census 2021",
        "rebased to Census 2021",
    ]


def test_age_groups_are_tiled_by_bands():
    bands = RESIDENTS.people([ENGLAND], sex="Male", age="5-9", year=2020)
    for parts in (("0", "1-4"), ("0-4",)):
        sums = sum(RESIDENTS.people([ENGLAND], sex="Male", age=age, year=2020) for age in parts)
        assert (bands + sums).tolist() == RESIDENTS.people([ENGLAND], sex="Male", age="0-9", year=2020).tolist()
    words = r"cannot make up age '18\+' from its groups: .*\. The packaged 'residents by broad age' can, for Persons\.$"
    with pytest.raises(SchemaError, match=words):
        RESIDENTS.people([ENGLAND], sex="Male", age="18+", year=2020)


# --- a table of one's own ------------------------------------------------------------------------------------------


def people(**columns):
    return pd.DataFrame({"area_code": ["A", "B"], "people": [10, 20]} | columns)


def test_the_widest_bands_are_taken_where_several_would_do():
    frame = pd.DataFrame({"area_code": "A", "age": ["0-4", "0", "1-4", "5-9"], "people": [100, 1, 2, 1000]})
    made = Denominator.from_table(frame)
    assert made.people(["A"], sex="Persons", age="0-9", year=0).tolist() == [1100]
    dead_end = Denominator.from_table(pd.DataFrame({"area_code": "A", "age": ["0-4", "0", "1-9"], "people": [9, 1, 2]}))
    assert dead_end.people(["A"], sex="Persons", age="0-9", year=0).tolist() == [3]


@pytest.mark.parametrize("convert", [lambda f: f, pl.from_pandas], ids=["pandas", "polars"])
def test_a_table_of_any_kind_becomes_people(convert):
    made = Denominator.from_table(convert(people(year=2020, sex="Male")), name="patients", series="list")
    assert made.people(["B", "C", "A"], sex="Male", age="all", year=2020).tolist()[::2] == [20, 10]
    assert np.isnan(made.people(["C"], sex="Male", age="all", year=2020)).all()
    assert made.series == ("list",)


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        (people().drop(columns="people"), SchemaError, "the table of people has no column 'people'"),
        (people()[:0], SchemaError, "the table of people has no rows"),
        (people(people=["1", "2"]), SchemaError, "column 'people' holds"),
        (people(people=[10, -1]), InvalidDataError, r"people must be 0 or more .* row 1 \(B, Persons, age all\): -1"),
        (people(people=[10, np.nan]), InvalidDataError, r"row 1 \(B, Persons, age all\): nan"),
        (people(people=[10, np.inf]), InvalidDataError, r"row 1 .*: inf"),
        (people(year=[2020, 2020.5]), InvalidDataError, "in a whole year, but row 1"),
        (people(year=[2020, np.nan]), InvalidDataError, "in a whole year, but row 1"),
        (
            people(area_code="A"),
            InvalidDataError,
            r"a key may stand once, .* the first in row 1 \(A, Persons, all, 0\)",
        ),
        (people(year=2020, series=["old", "new"]), InvalidDataError, "people of 2020 belong to more than one series"),
    ],
)
def test_impossible_people_are_refused_by_row(frame, error, words):
    with pytest.raises(error, match=words):
        Denominator.from_table(frame)


def test_what_there_is_not_is_said_with_what_there_is():
    made = Denominator.from_table(people(year=2020, sex="Male"))
    with pytest.raises(SchemaError, match=r"people has no people of sex 'Persons'. It has: Male"):
        made.people(["A"], sex="Persons", age="all", year=2020)
    with pytest.raises(SchemaError, match=r"people has no year 2019. It has: 2020"):
        made.people(["A"], sex="Male", age="all", year=2019)
    with pytest.raises(SchemaError, match=r"no denominator 'births'. There are: residents, residents by broad age"):
        load_denominator("births")


def test_the_nearest_year_with_everyone_is_taken_and_of_two_the_later():
    frame = pd.DataFrame({"area_code": ["A", "A", "A", "B", "B"], "year": [2018, 2020, 2021, 2018, 2020], "people": 5})
    made = Denominator.from_table(frame)
    near = {"sex": "Persons", "age": "all"}
    assert made.nearest_year(["A"], **near, year=2019) == 2020
    assert made.nearest_year(["A", "B"], **near, year=2023) == 2020
    with pytest.raises(InvalidDataError, match="no figure above 0 for C in 2021"):
        made.nearest_year(["A", "C"], **near, year=2021)
    with pytest.raises(SchemaError, match="has the years 2018 to 2021: say which"):
        made.nearest_year(["A"], **near, year=None)


def test_a_sum_needs_all_its_districts_and_leaves_figures_alone():
    frame = pd.DataFrame({"area_code": [*COUNTY["E10000006"], "E06000063"], "people": [1, 2, 4, 8, 16, 32, 1000]})
    made = Denominator.from_table(frame).with_sums()
    codes = ["E10000006", "E06000063", "E06000064"]
    assert made.people(codes, sex="Persons", age="all", year=0).tolist() == [63, 1000, 2 + 16 + 32]
    part = Denominator.from_table(frame[:5]).with_sums()
    assert set(part.areas) - set(COUNTY["E10000006"]) == {"E06000063"}
