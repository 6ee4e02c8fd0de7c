from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest

import nenc_estimates as ne
from nenc_estimates import (
    NONE,
    QUALITY,
    Binomial,
    Gamma,
    Goal,
    InvalidDataError,
    Poisson,
    Prevalence,
    Published,
    SchemaError,
    simulate,
)
from nenc_estimates.age_bands import ABRIDGED_90

BY = ("area_code", "sex", "draw")
SUMMARY = ["mean", "se", "lower", "upper", "normal_lower", "mean_error", "se_error", "lower_error"]
DEATHS = {"deaths": Poisson()}


def lives(areas=("A", "B"), *, people=150_000):
    """Deaths, people and health of invented areas; the second has 10 % higher death rates."""
    lower = np.array(ABRIDGED_90.lower)
    middle = lower + ABRIDGED_90.width.clip(max=8) / 2
    rates = np.minimum(4e-5 * np.exp(0.09 * middle) + 0.004 * (lower == 0), 0.3)
    share = np.array([1.1, 4.7, *[6.1] * 4, *[6.5] * 8, 5.0, 4.9, 3.3, 2.5, 1.5, 0.9])
    frames = [
        pd.DataFrame(
            {
                "area_code": area,
                "sex": sex,
                "age": ABRIDGED_90.labels,
                "deaths": np.round((1 + 0.1 * i) * rates * people * share / share.sum()).astype(int),
                "population": np.round(people * share / share.sum()).astype(int),
                "prevalence": np.linspace(0.95, 0.3, 20),
                "respondents": 150,
            }
        )
        for i, area in enumerate(areas)
        for sex in ("Female", "Male")
    ]
    return pd.concat(frames, ignore_index=True)


TABLE = lives()


def at_birth(table):
    return ne.estimate_life_expectancy(table, by=BY, at=0, rules=NONE)


QUINTILES = pd.DataFrame(
    {
        "area_code": "A",
        "quantile": range(1, 6),
        "value": [72.2, 75.1, 77.7, 79.5, 82.0],
        "se": 0.3,
        "population": [1321, 969, 793, 705, 617],
    }
)
GAPS = pd.DataFrame({"period": ["2015-17", "2016-18", "2017-19", "2018-20"], "value": [3.2, 3.5, 3.4, 3.7], "se": 0.3})


def agrees(simulated, closed, *, slack=0.0):
    """Standard errors of the closed form lie within 4 Monte Carlo errors of the simulated ones."""
    expected = closed["se"].to_numpy()
    assert (simulated["value"].to_numpy() == closed["value"].to_numpy()).all()
    apart = np.abs(simulated["se"].to_numpy() - expected)
    assert (apart <= 4 * simulated["se_error"].to_numpy() + slack * expected + 1e-12).all(), apart / expected


def test_life_expectancy_agrees_with_its_closed_form():
    made = simulate(TABLE, at_birth, drawn=DEATHS, seed=1)
    agrees(made, ne.estimate_life_expectancy(TABLE, by=BY[:2], at=0))
    assert made.columns.tolist()[:5] == ["area_code", "sex", "age", "quantity", "value"]
    assert made["draws"].tolist() == [10_000] * 4


def test_healthy_life_expectancy_agrees_with_its_closed_form():
    """The logit scale moves the mean, and the error a little: second order, 1 %."""
    options = {"of": "good", "at": 0, "rules": NONE, "design_effect": 1.3}
    made = simulate(
        TABLE,
        lambda table: ne.estimate_healthy_life_expectancy(table, by=BY, **options),
        drawn={"deaths": Poisson(), "prevalence": Prevalence(design_effect=1.3)},
        seed=1,
    )
    agrees(made, ne.estimate_healthy_life_expectancy(TABLE, by=BY[:2], **options), slack=0.01)


def test_the_slope_index_agrees_with_its_closed_form():
    options = {"definition": "national quantiles", "quantiles": 5, "most_deprived": 1}
    made = simulate(
        QUINTILES,
        lambda table: ne.estimate_slope_index(table, by=["area_code", "draw"], **options),
        drawn={"value": Published()},
        seed=1,
    )
    agrees(made, ne.estimate_slope_index(QUINTILES, by=["area_code"], **options), slack=0.005)


def test_a_gap_between_two_tables_agrees_with_its_closed_form():
    area = pd.DataFrame({"sex": ["Female", "Male"], "area_code": "A", "value": [61.0, 59.4], "se": [0.4, 0.31]})
    nation = pd.DataFrame({"sex": ["Female", "Male"], "area_code": "N", "value": [63.9, 63.1], "se": 0.2})
    how = {"value": Published()}
    made = simulate(
        {"estimates": area, "reference": nation}, ne.estimate_gap, drawn={"estimates": how, "reference": how}, seed=1
    )
    agrees(made, ne.estimate_gap(area, nation))


def test_a_decomposition_agrees_with_its_closed_form():
    """Contributions are not linear: 3 % on top of the Monte Carlo error."""
    made = simulate(
        TABLE,
        lambda table: ne.decompose_gap(table, between=("A", "B"), keys=["sex", "draw"]),
        drawn=DEATHS,
        seed=1,
        draws=4000,
    )
    agrees(made, ne.decompose_gap(TABLE, between=("A", "B"), keys=["sex"]), slack=0.03)


def test_a_weighted_mean_agrees_with_its_closed_form():
    published = ne.read_indicator("hle_birth", edition="ons_2022_03")
    table = ne.select_geography(published, "nenc").table
    table = table[table["period"] == "2018-20"]

    def weighted(table):
        return ne.estimate_indicator(table, to="nenc", denominator="residents", kind="healthy life expectancy")

    agrees(simulate(table, weighted, drawn={"value": Published()}, seed=1, draws=4000), weighted(table), slack=0.01)


def test_pooled_counts_agree_with_their_closed_form():
    """Binomial counts; Wilson's standard error against the plain one: 1 %."""
    crosswalk = ne.Crosswalk.from_shares([("E06000001", "T", 1.0), ("E06000002", "T", 1.0)])
    table = pd.DataFrame({"area_code": ["E06000001", "E06000002"], "count": [400, 900], "denominator": [2000, 3000]})

    def pooled(table):
        return ne.estimate_indicator(table, to=crosswalk, kind="proportion")

    made = simulate(table, pooled, drawn={"count": Binomial()}, seed=1)
    p = 1300 / 5000
    exact = np.sqrt((2000 * 0.2 * 0.8 + 3000 * 0.3 * 0.7) / 5000**2)
    assert made["value"].tolist() == [p]
    assert abs(made["se"][0] - exact) < 4 * made["se_error"][0]


def test_trajectories_and_goals_take_draws_as_series_of_their_own():
    goal = Goal(kind="reduce_gap", by=0.1, baseline="2018-20", target="2030")
    path = simulate(
        GAPS,
        lambda t: ne.project_trajectory(t, to="2024-26"),
        drawn={"value": Published()},
        seed=1,
        draws=1000,
        of="area",
    )
    observed = path[path["period"].isin(GAPS["period"])]
    assert np.allclose(observed["se"], 0.3, atol=4 * 0.3 / np.sqrt(2000))
    options = {"drawn": {"value": Published()}, "seed": 1, "draws": 1000, "of": ["probability", "shortfall"]}
    assessed = simulate(GAPS, lambda t: ne.assess_goal(t, goal), **options)
    assert assessed["quantity"].tolist() == ["probability", "shortfall"]
    assert np.allclose(assessed["value"], ne.assess_goal(GAPS, goal)[["probability", "shortfall"]].to_numpy()[0])
    assert (assessed["draws"] == 1000).all()


def test_a_function_that_cannot_keep_draws_apart_is_called_once_a_draw_with_the_same_result():
    def slope(table):
        assert "draw" not in table
        return pd.DataFrame({"name": ["spread"], "value": [float(table["value"].max() - table["value"].min())]})

    def slopes(table):
        width = table.groupby("draw")["value"].agg(lambda values: values.max() - values.min())
        return pd.DataFrame({"name": "spread", "draw": width.index, "value": width.to_numpy()})

    options = {"drawn": {"value": Published()}, "seed": 1, "draws": 1000}
    alone, together = simulate(QUINTILES, slope, draw_column=None, **options), simulate(QUINTILES, slopes, **options)
    pd.testing.assert_frame_equal(alone, together, check_exact=True)


@pytest.mark.parametrize("points", ["random", "sobol"])
def test_chunks_threads_and_the_order_of_rows_do_not_change_a_bit(points):
    options = {"drawn": DEATHS, "seed": 5, "draws": 1024, "points": points}
    whole = simulate(TABLE, at_birth, **options)
    shuffled = TABLE.sample(frac=1, random_state=1)
    for other in (
        simulate(TABLE, at_birth, **options, max_bytes=8 * 2**20),
        simulate(TABLE, at_birth, **options, workers=3),
        simulate(shuffled, at_birth, **options, max_bytes=20 * 2**20, workers=2),
    ):
        pd.testing.assert_frame_equal(other, whole, check_exact=True)
    assert not np.array_equal(simulate(TABLE, at_birth, **(options | {"seed": 6}))["se"], whole["se"])


def test_other_rows_of_a_table_do_not_change_a_bit():
    options = {"drawn": DEATHS, "seed": 5, "draws": 1000}
    whole, part = simulate(TABLE, at_birth, **options), simulate(lives(("A",)), at_birth, **options)
    pd.testing.assert_frame_equal(whole[whole["area_code"] == "A"].reset_index(drop=True), part, check_exact=True)


def test_the_same_numbers_come_from_polars_in_polars():
    options = {"drawn": DEATHS, "seed": 5, "draws": 1000}
    made = simulate(pl.from_pandas(TABLE), at_birth, **options)
    assert isinstance(made, pl.DataFrame)
    assert np.array_equal(made[SUMMARY].to_numpy(), simulate(TABLE, at_birth, **options)[SUMMARY].to_numpy())


@pytest.mark.parametrize("points", ["random", "sobol"])
def test_tables_draw_independently_unless_their_streams_have_one_name(points):
    fewer = TABLE.assign(deaths=0.95 * TABLE["deaths"])

    def gained(now, then):
        now, then = at_birth(now), at_birth(then)
        return now.assign(value=then["value"] - now["value"])

    tables, options = {"now": TABLE, "then": fewer}, {"seed": 1, "draws": 2048, "points": points}
    apart = simulate(tables, gained, drawn={"now": DEATHS, "then": DEATHS}, **options)
    common = {"deaths": Poisson(stream="deaths")}
    together = simulate(tables, gained, drawn={"now": common, "then": common}, **options)
    one = simulate(TABLE, at_birth, drawn=DEATHS, **options)
    assert np.allclose(apart["se"], one["se"] * np.sqrt(2), rtol=0.1)
    assert (together["se"] < apart["se"] / 10).all()


def test_two_calls_with_one_seed_share_their_draws():
    def draws_of(table):
        made = at_birth(table)
        return made[(made["area_code"] == "A") & (made["sex"] == "Male")]

    kept = []
    for table in (TABLE, TABLE.assign(deaths=0.95 * TABLE["deaths"])):
        found = []

        def watched(table, found=found):
            made = draws_of(table)
            found.append(made["value"].to_numpy())
            return made

        simulate(table, watched, drawn=DEATHS, seed=3, draws=1000)
        kept.append(np.concatenate(found[1:]))
    assert (kept[1] - kept[0]).std() < kept[0].std() / 6


def test_gamma_draws_make_a_table_with_zeros_usable():
    small = lives(people=5000)
    small.loc[small["age"] == "90+", "deaths"] = 3
    with pytest.raises(InvalidDataError, match="may be drawn without deaths"):
        simulate(small, at_birth, drawn=DEATHS, seed=1)
    made = simulate(small, at_birth, drawn={"deaths": Gamma()}, seed=1, draws=2000)
    assert (made["draws"] == 2000).all()
    assert (made["mean"] < made["value"]).all()  # half a death more in every band


def test_draws_without_a_value_silence_their_row_and_say_so():
    small = lives(people=5000)
    small.loc[small["age"] == "90+", "deaths"] = 3
    made = simulate(small, at_birth, drawn=DEATHS, seed=1, draws=2000, open_band="allow")
    assert made["mean"].isna().all()
    assert made["lower"].isna().all()
    assert made["value"].notna().all()
    assert ((made["draws"] > 1850) & (made["draws"] < 1950)).all()  # exp(-3) = 5 %
    assert (made["quality"] == "draws_without_value").all()
    assert "draws_without_value" in QUALITY


def test_a_figure_that_is_withheld_stays_withheld():
    few = lives(people=4000)
    made = simulate(
        few, lambda t: ne.estimate_life_expectancy(t, by=BY, at=0), drawn={"deaths": Gamma()}, seed=1, draws=1000
    )
    assert made[["value", *SUMMARY]].isna().all(axis=None)
    assert made["quality"].str.contains("withheld_person_years").all()


@pytest.mark.slow
def test_memory_stays_within_its_limit_and_does_not_grow_with_the_number_of_draws():
    """Python's own allocations at their highest, beside the table, with 24 MiB allowed."""
    table, limit = lives(tuple("ABCDEFGH")), 24 * 2**20
    peaks = []
    for draws in (1000, 4000):
        everything = {"by": BY, "rules": NONE}
        simulate(table, lambda t: ne.estimate_life_expectancy(t, **everything), drawn=DEATHS, seed=1, draws=1000)  # noqa: B023
        tracemalloc.start()
        simulate(
            table,
            lambda t: ne.estimate_life_expectancy(t, **everything),  # noqa: B023
            drawn=DEATHS,
            seed=1,
            draws=draws,
            max_bytes=limit,
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < limit
    assert peaks[1] < 1.2 * peaks[0] + 2**20


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"seed": None}, ValueError, "seed is None; give a whole number"),
        ({"draws": 999}, ValueError, "draws must be a whole number, 1,000 or more, not 999"),
        ({"draws": 2000.0}, ValueError, "draws must be a whole number, 1,000 or more, not 2000.0"),
        ({"draws": "many"}, ValueError, "draws must be a whole number, 1,000 or more, not 'many'"),
        ({"draws": 1000, "points": "sobol"}, ValueError, "powers of two, such as 1,024"),
        ({"points": "halton"}, ValueError, "points are 'random' or 'sobol'"),
        ({"confidence": 95}, ValueError, "write 0.95, not 95"),
        ({"confidence": 0.998}, ValueError, "limits at 0.998 need 3,000 draws or more"),
        ({"confidence": (0.8, 0.95)}, ValueError, "one level here"),
        ({"drawn": {}}, ValueError, "drawn says for each column"),
        ({"drawn": {"B": DEATHS}}, ValueError, "drawn by one of"),
        ({"drawn": {"dead": Poisson()}}, SchemaError, "no column 'dead'"),
        ({"of": "year"}, SchemaError, "no column 'year'"),
        ({"keys": ["sex", "age"]}, InvalidDataError, "have the same keys"),
        ({"keys": ["lsoa21"]}, SchemaError, "the table has no column 'lsoa21'"),
        ({"keys": {"now": ["sex"]}}, ValueError, "by table only where there are several: 'now' is none of them"),
        ({"drawn": {"prevalence": Published(), "respondents": Published()}}, ValueError, "cannot both be Published"),
        ({"by": ["sex"]}, InvalidDataError, "rows of what the function gives have the same keys"),
        ({"open_band": "maybe"}, ValueError, "open_band is 'refuse' or 'allow'"),
        ({"max_bytes": 10**5}, ValueError, "raise max_bytes"),
        ({"workers": 0}, ValueError, "workers"),
        ({"workers": 2.0}, ValueError, "workers must be a whole number of 1 or more, not 2.0"),
        ({"draw_column": "sex"}, SchemaError, "has a column 'sex' already"),
        ({"tables": TABLE.assign(deaths=-1)}, InvalidDataError, "deaths must be 0 or more"),
    ],
)
def test_impossible_input_is_refused(change, error, message):
    given = {"tables": TABLE, "function": at_birth, "drawn": DEATHS, "seed": 1, "draws": 1000} | change
    with pytest.raises(error, match=message):
        simulate(**given)


def test_numbers_of_numpy_are_numbers_and_one_key_is_one_key():
    options = {"drawn": {"value": Published()}, "points": "sobol"}
    given = simulate(QUINTILES, lambda table: table, seed=np.int32(1), draws=np.int32(1024), keys="quantile", **options)
    expected = simulate(QUINTILES, lambda table: table, seed=1, draws=1024, keys=["quantile"], **options)
    pd.testing.assert_frame_equal(given, expected, check_exact=True)


def test_a_seed_must_be_given():
    with pytest.raises(TypeError, match="seed"):
        simulate(TABLE, at_birth, drawn=DEATHS)


def test_a_function_that_mixes_draws_or_invents_rows_is_refused():
    def mixed(table):
        return pd.DataFrame({"name": ["all"], "draw": [int(table["draw"].iloc[0])], "value": [1.0]})

    with pytest.raises(InvalidDataError, match=r"the function gives 1 rows for \d+ draws"):
        simulate(QUINTILES, mixed, drawn={"value": Published()}, seed=1)

    def numbered_anew(table):
        return table.assign(draw=table["draw"] - 5)

    with pytest.raises(InvalidDataError, match="Does it keep the column 'draw' apart"):
        simulate(QUINTILES, numbered_anew, drawn={"value": Published()}, seed=1)

    def invented(table):
        return table[["draw", "value"]].assign(name=[f"{value:.3f}" for value in table["value"]])

    with pytest.raises(InvalidDataError, match=r"a draw gives a row with name .* by="):
        simulate(QUINTILES, invented, drawn={"value": Published()}, seed=1)
