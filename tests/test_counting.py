"""Records to counts on eager frames: whole, typed, in key order, and nothing dropped in silence."""

from __future__ import annotations

from collections import Counter

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invented_england import invent, table_of_records
from nenc_estimates.age_bands import ABRIDGED_85, ABRIDGED_90, AgeBands
from nenc_estimates.counting import assign_age_bands, count_by, join_lookup, join_population, sum_counts
from nenc_estimates.errors import InvalidDataError, SchemaError
from worked_case import LEVELS, count_lsoas, count_quintiles, estimate_all

KINDS = {"pandas": pa.Table.to_pandas, "polars": pl.from_arrow, "pyarrow": lambda table: table}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
labels = st.sampled_from(["a", "b", "c"])


def rows(frame):
    return nw.from_native(frame).rows()


def kinds(frame):
    return dict(nw.from_native(frame).schema)


@pytest.fixture(scope="module")
def england():
    return invent()


@pytest.fixture(scope="module")
def records(england):
    return table_of_records(england, 200_000)


@every_kind
@given(keys=st.lists(st.tuples(labels, st.integers(-3, 3)), min_size=1, max_size=40))
def test_counts_are_those_of_a_loop_in_key_order(kind, keys):
    table = pa.table({"area": [area for area, _ in keys], "year": pa.array([year for _, year in keys], pa.int32())})
    made = count_by(kind(table), by=["area", "year"])
    assert rows(made) == sorted((*key, number) for key, number in Counter(keys).items())
    assert kinds(made)["deaths"] == nw.Int64


@every_kind
@given(cells=st.lists(st.tuples(labels, st.integers(0, 2**40)), min_size=1, max_size=40))
def test_sums_are_exact_and_do_not_depend_on_the_grouping_before(kind, cells):
    table = pa.table({"area": [area for area, _ in cells], "part": [i % 3 for i in range(len(cells))]})
    table = table.append_column("deaths", pa.array([deaths for _, deaths in cells], pa.int64()))
    sums = Counter()
    for area, deaths in cells:
        sums[area] += deaths
    at_once = sum_counts(kind(table), by="area")
    in_steps = sum_counts(sum_counts(kind(table), by=["part", "area"]), by="area")
    assert rows(at_once) == rows(in_steps) == sorted(sums.items())


@every_kind
def test_sums_of_small_integers_do_not_overflow(kind):
    table = kind(pa.table({"area": ["a"] * 3, "deaths": pa.array([2_000_000_000] * 3, pa.int32())}))
    made = sum_counts(table, by="area")
    assert rows(made) == [("a", 6_000_000_000)]
    assert kinds(made)["deaths"] == nw.Int64


@every_kind
def test_a_record_without_a_key_is_refused_or_kept_and_never_dropped(kind):
    table = kind(
        pa.table({"area": ["b", None, "b", None], "sex": ["Male", "Male", None, None], "deaths": [1, 2, 3, 4]})
    )
    with pytest.raises(InvalidDataError, match=r"a key is missing: 'area' in 2 rows, 'sex' in 2 rows\. Complete"):
        count_by(table, by=["area", "sex"])
    kept = [("b", "Male", 1), ("b", None, 1), (None, "Male", 1), (None, None, 1)]
    made = nw.from_native(count_by(table, by=["area", "sex"], missing="keep"))
    assert [tuple(None if cell != cell else cell for cell in row) for row in made.rows()] == kept
    summed = nw.from_native(sum_counts(table, by=["area", "sex"], missing="keep"))
    assert summed["deaths"].to_list() == [1, 3, 2, 4]


@every_kind
def test_no_records_make_no_counts(kind):
    table = kind(pa.table({"area": pa.array([], pa.string()), "deaths": pa.array([], pa.int64())}))
    assert rows(count_by(table, by="area")) == rows(sum_counts(table, by="area")) == []


def test_the_table_is_not_changed_and_pandas_rows_are_numbered_anew():
    table = pd.DataFrame({"area": ["b", "a"], "deaths": [2, 1]}, index=[7, 8])
    before = table.copy()
    assert sum_counts(table, by="area").index.tolist() == count_by(table, by="area").index.tolist() == [0, 1]
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("function", [count_by, sum_counts])
def test_wrong_options_are_refused(function):
    table = pd.DataFrame({"area": ["a"], "deaths": [1]})
    with pytest.raises(ValueError, match="name at least one column"):
        function(table, by=[])
    with pytest.raises(ValueError, match="missing is 'refuse' or 'keep', not 'drop'"):
        function(table, by="area", missing="drop")
    with pytest.raises(SchemaError, match=r"the table has no column 'lsoa21'\. It has: area, deaths"):
        function(table, by="lsoa21")
    with pytest.raises(SchemaError, match="of no engine that narwhals knows"):
        function([1, 2], by="area")
    with pytest.raises(SchemaError, match="key column 'year' holds Float64: a key is text, a whole number or a date"):
        function(table.assign(year=2020.0), by="year")


def test_a_column_of_counts_does_not_replace_a_key():
    with pytest.raises(ValueError, match="the counts cannot be called 'area': that is a key column"):
        count_by(pd.DataFrame({"area": ["a"]}), by="area", name="area")


@pytest.mark.parametrize(
    ("deaths", "error", "message"),
    [
        ([1.0, 2.0], SchemaError, "'deaths' holds Float64, not whole numbers, and sums of fractions differ"),
        ([1, -2], InvalidDataError, "'deaths' must be 0 or more, but is -2"),
        (pd.array([1, None], "Int64"), InvalidDataError, "'deaths' is missing in 1 rows: a missing count is not 0"),
    ],
)
def test_counts_that_cannot_be_summed_are_refused(deaths, error, message):
    with pytest.raises(error, match=message):
        sum_counts(pd.DataFrame({"area": ["a", "b"], "deaths": deaths}), by="area")


@every_kind
@pytest.mark.parametrize("bands", [ABRIDGED_90, ABRIDGED_85, AgeBands((15, 45)), AgeBands.single_years(7)])
def test_every_year_of_age_is_in_its_band(kind, bands):
    years = np.arange(bands.lower[0], 131)
    made = nw.from_native(assign_age_bands(kind(pa.table({"years": years})), years="years", bands=bands))
    expected = [bands.labels[np.searchsorted(bands.lower, year, side="right") - 1] for year in years]
    assert made["age"].to_list() == expected
    assert made["years"].to_list() == years.tolist()


@every_kind
def test_what_is_no_age_has_no_band(kind):
    table = kind(pa.table({"years": pa.array([-1, 14, 131, 999, None], pa.int16())}))
    assert nw.from_native(assign_age_bands(table, years="years", bands=AgeBands((15, 45))))["age"].is_null().all()
    with pytest.raises(InvalidDataError, match="'age' in 5 rows"):
        count_by(assign_age_bands(table, years="years", bands=AgeBands((15, 45))), by="age")


def test_ages_are_numbers():
    with pytest.raises(SchemaError, match="column 'age' holds String, not completed years of age"):
        assign_age_bands(pd.DataFrame({"age": ["90+"]}))


@every_kind
def test_bands_do_not_replace_another_column_of_ages(kind):
    with pytest.raises(SchemaError, match="the table has a column 'age' beside 'years', which would be lost"):
        assign_age_bands(kind(pa.table({"years": [3], "age": ["three"]})), years="years")


@every_kind
def test_a_lookup_gives_each_row_its_area_once(kind):
    counts = kind(pa.table({"lsoa21": ["c", "a", "c"], "deaths": [1, 2, 3]}))
    lookup = kind(pa.table({"lsoa21": ["a", "b", "c"], "quantile": [1, 2, 3]}))
    made = nw.from_native(join_lookup(counts, lookup, on="lsoa21"))
    assert sorted(made.rows()) == [("a", 2, 1), ("c", 1, 3), ("c", 3, 3)]


@every_kind
def test_codes_that_a_lookup_lacks_are_named_or_kept(kind):
    counts = kind(pa.table({"lsoa21": ["a", "x", None], "deaths": [1, 2, 3]}))
    lookup = kind(pa.table({"lsoa21": ["a", None], "area": ["A", "nowhere"]}))
    with pytest.raises(InvalidDataError, match="the lookup has no row for lsoa21 x"):
        join_lookup(kind(pa.table({"lsoa21": ["a", "x"]})), lookup, on="lsoa21")
    kept = nw.from_native(join_lookup(counts, lookup, on="lsoa21", missing="keep"))
    assert kept["deaths"].sum() == 6
    assert kept["area"].is_null().sum() == 2


def test_lookups_that_would_multiply_or_overwrite_rows_are_refused():
    counts = pd.DataFrame({"lsoa21": ["a"], "deaths": [1]})
    with pytest.raises(InvalidDataError, match="the lookup holds twice: lsoa21 a"):
        join_lookup(counts, pd.DataFrame({"lsoa21": ["a", "a"], "icb22": ["x", "y"]}), on="lsoa21")
    with pytest.raises(SchemaError, match="both the table and the lookup have a column 'deaths'"):
        join_lookup(counts, counts, on="lsoa21")
    with pytest.raises(SchemaError, match="the lookup is on another engine"):
        join_lookup(counts, pl.DataFrame({"lsoa21": ["a"]}), on="lsoa21")
    with pytest.raises(SchemaError, match="the lookup has no column 'lsoa21'"):
        join_lookup(counts, pd.DataFrame({"lsoa11": ["a"]}), on="lsoa21")


def test_a_column_is_named_once():
    table = pd.DataFrame({"area": ["a"], "deaths": [1]})
    for wrong in (
        lambda: count_by(table, by=["area", "area"]),
        lambda: sum_counts(table, by="deaths", counts="deaths"),
        lambda: join_population(table, table[["area"]], by="area", each="area"),
        lambda: join_population(table, table, by=["area", "deaths"]),
    ):
        with pytest.raises(ValueError, match="is named twice: name each column once"):
            wrong()


@every_kind
def test_numbers_are_not_joined_to_text(kind):
    counts, people = kind(pa.table({"code": [1], "deaths": [1]})), kind(pa.table({"code": ["01"], "population": [9]}))
    with pytest.raises(SchemaError, match="key column 'code' holds Int64 in the table and String in the lookup"):
        join_lookup(counts, people, on="code")
    with pytest.raises(SchemaError, match="key column 'code' holds Int64 in the table and String in the population"):
        join_population(counts, people, by="code")


@every_kind
def test_people_in_whom_nothing_was_counted_have_zero_of_each_cause(kind):
    people = kind(pa.table({"area": ["b", "a"], "population": [10, 20]}))
    counts = kind(pa.table({"area": ["b", "a", "b"], "cause": ["x", "y", "y"], "deaths": [1, 2, 3]}))
    made = nw.from_native(join_population(counts, people, by="area", each="cause"))
    expected = [("a", 20, "x", 0), ("a", 20, "y", 2), ("b", 10, "x", 1), ("b", 10, "y", 3)]
    assert made.select("area", "population", "cause", "deaths").rows() == expected
    assert made.schema["deaths"] == nw.Int64


@pytest.mark.parametrize(
    ("counts", "people", "message"),
    [
        ({"sex": ["F", "M"], "deaths": [1, 2]}, {"sex": ["F"]}, "the population has no row for sex M"),
        ({"sex": ["F", "F"], "deaths": [1, 2]}, {"sex": ["F"]}, "the counts holds twice: sex F"),
        ({"sex": ["F"], "deaths": [1]}, {"sex": ["F", "F"]}, "the population holds twice: sex F"),
        ({"sex": ["F", None], "deaths": [1, 2]}, {"sex": ["F"]}, "a key is missing: 'sex' in 1 rows"),
        ({"sex": ["F"], "deaths": [1]}, {"sex": ["F", None]}, "a key is missing: 'sex' in 1 rows"),
        ({"sex": ["F"], "deaths": [-1]}, {"sex": ["F"]}, "'deaths' must be 0 or more"),
    ],
)
def test_counts_without_people_and_repeated_groups_are_refused(counts, people, message):
    with pytest.raises(InvalidDataError, match=message):
        join_population(pd.DataFrame(counts), pd.DataFrame(people), by="sex")


@every_kind
@pytest.mark.parametrize("deaths", [[2.7], ["2"], [True]], ids=["fractions", "text", "truth"])
def test_counts_are_whole_numbers_before_they_meet_people(kind, deaths):
    counts, people = kind(pa.table({"sex": ["F"], "deaths": deaths})), kind(pa.table({"sex": ["F"], "population": [9]}))
    with pytest.raises(SchemaError, match=r"column 'deaths' holds (Float64|String|Boolean), not whole numbers"):
        join_population(counts, people, by="sex")


@every_kind
@pytest.mark.parametrize("taken", ["deaths", "cause"])
def test_a_column_of_people_does_not_stand_for_what_was_counted(kind, taken):
    counts = kind(pa.table({"sex": ["F"], "cause": ["x"], "deaths": [2]}))
    with pytest.raises(SchemaError, match=f"the population has a column '{taken}' already: drop or rename it"):
        join_population(counts, kind(pa.table({"sex": ["F"], taken: [9]})), by="sex", each="cause")


@every_kind
def test_counts_of_an_invented_england_are_those_of_its_records(kind, england, records):
    counts = nw.from_native(count_lsoas(kind(records)))
    assert counts["deaths"].sum() == records.num_rows
    age = np.searchsorted(ABRIDGED_90.lower, records["age_in_years"].to_numpy(), side="right") - 1
    keys = [records[name].to_pylist() for name in ("lsoa21", "sex", "cause")]
    expected = Counter(zip(keys[0], keys[1], np.array(ABRIDGED_90.labels)[age].tolist(), keys[2], strict=True))
    assert counts.rows() == sorted((*key, number) for key, number in expected.items())


@pytest.mark.parametrize("level", LEVELS)
def test_from_records_to_the_causes_of_the_gap_in_every_area(level, england, records):
    counts = count_lsoas(records.to_pandas())
    table = count_quintiles(counts, england.population(200_000), england.areas, level)
    assert table["deaths"].sum() == 200_000
    assert table.drop_duplicates([level, LEVELS[level][0], "sex", "age"])["population"].sum() == (
        england.population(200_000)["population"].sum()
    )
    made = estimate_all(table, level)
    areas = england.areas[level].nunique()
    assert all(estimates[level].nunique() == areas for estimates in made.values())
    gap = made["gap"][made["gap"]["measure"] == "difference"].set_index([level, "sex"])["value"]
    causes = made["causes"].set_index([level, "sex", "cause"])["value"].unstack()
    shown = gap.notna()
    assert shown.mean() > (0.9 if level == "icb22" else 0.02)  # of so few deaths most authorities' are withheld
    np.testing.assert_allclose(causes.loc[shown, "all"], gap[shown], rtol=1e-12)
    np.testing.assert_allclose(causes.drop(columns="all").sum(axis=1)[shown], gap[shown], rtol=1e-9)
    slope = made["slope"][made["slope"]["measure"] == "slope index"].set_index([level, "sex"])["value"]
    assert (slope[shown] > 0).mean() > 0.9  # deaths were drawn with rates that rise with deprivation


@every_kind
def test_a_missing_age_among_others_stays_missing_and_is_no_word(kind):
    table = kind(pa.table({"years": pa.array([20, None, 999, 50], pa.int16())}))
    made = nw.from_native(assign_age_bands(table, years="years", bands=AgeBands((15, 45))))["age"]
    assert made.is_null().to_list() == [False, True, True, False]
    assert made.drop_nulls().to_list() == ["15-44", "45+"]
