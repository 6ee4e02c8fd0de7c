"""Projections of tables: agreement with the reference, coherence of area, reference and gap, and what is refused."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nenc_estimates import project_trajectory
from nenc_estimates.errors import InvalidDataError, SchemaError

seeds = st.integers(0, 10_000)
QUANTITIES = ("area", "reference", "gap")


def rolling(first, count):
    return [f"{year}-{(year + 2) % 100:02d}" for year in range(first, first + count)]


def series(seed=1, count=10, first=2009, level=60.0, se=0.3, **keys):
    rng = np.random.default_rng(seed)
    value = level + 0.1 * rng.normal(size=count).cumsum()
    return pd.DataFrame({"period": rolling(first, count), "value": value, "se": se} | keys)


def pair(seed=1, **options):
    return series(seed, **options), series(seed + 1, level=63.5, **options | {"se": 0.1})


def projected(path):
    return path[path["status"] == "projected"]


def test_a_line_through_rolling_windows_matches_the_reference(reference):
    """Origin: overlap_gls.csv, generalised least squares checked in R and statsmodels; limits of Student's t."""
    folder = reference / "trajectories"
    with (folder / "overlap_gls.csv").open() as file:
        known = {row["quantity"]: float(row["value"]) for row in csv.DictReader(file)}
    with (folder / "overlap_gls_input.csv").open() as file:
        rows = [(f"{r['start_year']}-{r['end_year'][2:]}", float(r["value"])) for r in csv.DictReader(file)]
    table = pd.DataFrame(rows, columns=["period", "value"])
    path = project_trajectory(table, to="2021-23", trend="linear", standard_error="none", levels=[0.95])
    ahead = projected(path).reset_index(drop=True)
    assert ahead["period"].tolist() == rolling(2011, 11)
    for h in (1, 2, 3, 11):
        row = ahead.loc[h - 1]
        assert row["area"] == pytest.approx(known[f"blup_mean_h{h}"], rel=1e-9)
        assert row["area_lower_95"] == pytest.approx(known[f"blup_lo95_h{h}"], rel=1e-9)
        assert row["area_upper_95"] == pytest.approx(known[f"blup_hi95_h{h}"], rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from(["higher", "lower"]), st.sampled_from(["flat", "drift", "linear", "converge"]))
def test_the_area_is_reference_and_gap_together_at_every_window(seed, better, trend):
    area, nation = pair(seed)
    path = project_trajectory(area, to="2029-31", reference=nation, share=0.05, better=better, trend=trend)
    sign = -1 if better == "higher" else 1
    np.testing.assert_allclose(path["area"], path["reference"] + sign * path["gap"], rtol=0, atol=1e-12)
    for name in QUANTITIES:
        ahead = projected(path)
        assert (ahead[f"{name}_lower_95"] <= ahead[f"{name}_lower_80"]).all()
        assert (ahead[f"{name}_lower_80"] < ahead[name]).all()
        assert (ahead[name] < ahead[f"{name}_upper_80"]).all()
        assert (ahead[f"{name}_upper_80"] <= ahead[f"{name}_upper_95"]).all()


@settings(max_examples=10, deadline=None)
@given(seeds, st.floats(-30, 30), st.floats(0.2, 5))
def test_a_constant_and_a_unit_carry_over(seed, shift, scale):
    area = series(seed)
    path = project_trajectory(area, to="2025-27")
    moved = project_trajectory(area.assign(value=shift + scale * area["value"], se=scale * area["se"]), to="2025-27")
    for name in ("area", "area_lower_95", "area_upper_80"):
        np.testing.assert_allclose(moved[name], shift + scale * path[name], rtol=0, atol=1e-6 * scale)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_the_order_of_rows_changes_nothing(seed):
    area, nation = pair(seed)
    path = project_trajectory(area, to="2025-27", reference=nation)
    mixed = project_trajectory(
        area.sample(frac=1, random_state=seed), to="2025-27", reference=nation.sample(frac=1, random_state=seed + 1)
    )
    pd.testing.assert_frame_equal(path, mixed)


def test_uncertainty_grows_with_the_years_that_nobody_has_seen():
    ahead = projected(project_trajectory(series(), to="2029-31"))
    assert (np.diff(ahead["area_upper_95"] - ahead["area_lower_95"]) > 0).all()


def test_many_series_are_many_single_ones():
    """Series with the same windows are fitted together; one with fewer windows and other errors beside them."""
    parts = [series(1, area_code="A"), series(2, area_code="B"), series(3, area_code="C", count=7, se=0.2)]
    together = project_trajectory(pd.concat(parts), to="2025-27")
    for part in parts:
        alone = project_trajectory(part, to="2025-27")
        mine = together[together["area_code"] == part["area_code"].iloc[0]].reset_index(drop=True)
        assert mine["period"].tolist() == alone["period"].tolist()
        numbers = alone.select_dtypes("number").columns
        np.testing.assert_allclose(mine[numbers], alone[numbers], rtol=1e-9, equal_nan=True)


@pytest.mark.parametrize("kind", [pl.DataFrame, pa.table])
def test_the_callers_kind_of_table_comes_back(kind):
    rows = series().to_dict("list")
    path = project_trajectory(kind(rows), to="2025-27")
    assert isinstance(path, type(kind(rows)))
    expected = project_trajectory(series(), to="2025-27")["area"].tolist()
    assert list(path.to_pydict()["area"] if kind is pa.table else path["area"]) == pytest.approx(expected)


def test_gappy_and_mixed_windows_are_welcome():
    rows = series(count=8)
    rows.loc[7, "period"] = "2018"
    path = project_trajectory(rows.drop(index=[2, 4]), to="2025")
    assert projected(path)["period"].tolist() == [str(year) for year in range(2019, 2026)]


def test_a_missing_value_and_an_excluded_window_stay_in_sight():
    rows = series()
    rows.loc[9, "value"] = np.nan
    path = project_trajectory(rows, to="2025-27", exclude=["2011-13"])
    assert (
        path["status"].tolist() == ["observed"] * 2 + ["left out"] + ["observed"] * 6 + ["missing"] + ["projected"] * 8
    )
    assert path.loc[path["status"] == "missing", ["period", "quality"]].to_numpy().tolist() == [["2018-20", "no_value"]]
    path = path.drop(index=9).set_index("period")
    dropped = project_trajectory(rows.drop(index=[2, 9]), to="2025-27").set_index("period")
    assert path.loc["2025-27", "area_upper_95"] == pytest.approx(dropped.loc["2025-27", "area_upper_95"], rel=1e-12)


def test_a_shock_is_taken_out_and_its_absence_is_noted():
    """A line of 0.1 a year with 1.5 less in 2020 and 2021, seen exactly: the shock has no part in the future."""
    annual = 60 + 0.1 * np.arange(16.0)
    annual[[12, 13]] -= 1.5
    value = [annual[i : i + 3].mean() for i in range(14)]
    rows = pd.DataFrame({"period": rolling(2008, 14), "value": value, "se": 0.01})
    told = project_trajectory(rows, to="2029-31", shock={"covid": (2020, 2021)})
    assert told["area"].iloc[-1] == pytest.approx(60 + 0.1 * 22, abs=1e-6)
    assert "covid (2020, 2021)" in told["assumptions"].iloc[0]
    assert told["quality"].unique().tolist() == [""]
    untold = project_trajectory(rows, to="2029-31")
    assert untold["quality"].unique().tolist() == ["shock_not_given"]
    assert "temporary shocks: none" in untold["assumptions"].iloc[0]


def test_a_break_in_method_stays():
    value = 60 + 0.1 * np.arange(12) + 2.0 * (np.arange(12) >= 8)
    rows = pd.DataFrame({"period": rolling(2005, 12), "value": value, "se": 0.01})
    path = project_trajectory(rows, to="2020-22", breaks={"new method": 2013})
    assert path["area"].iloc[-1] == pytest.approx(60 + 0.1 * 15 + 2.0, abs=1e-6)
    assert "lasting break: new method from 2013" in path["assumptions"].iloc[0]


def test_proportions_stay_between_their_bounds():
    years = [str(year) for year in range(2011, 2025)]
    rows = pd.DataFrame({"period": years, "value": np.geomspace(21, 3, 14), "se": 0.4})
    path = project_trajectory(rows, to="2045", transform="logit", multiplier=100)
    assert path["area_lower_95"].dropna().between(-1, 100).all()
    assert (projected(path)["area_lower_95"] > 0).all()
    assert "on the logit scale" in path["assumptions"].iloc[0]


def test_a_scenario_goes_on_as_it_is_told():
    path = project_trajectory(series(), to="2028-30", trend="scenario", parameters={"change": -0.2})
    last = path.loc[path["period"] == "2018-20", "area"].iloc[0]
    assert path["area"].iloc[-1] == pytest.approx(last - 0.2 * 10, rel=1e-12)


def test_both_errors_of_life_expectancy_without_limits_stand_in_the_assumptions():
    keys = {"sex": "Female", "person_years": 4.6e6}
    path = project_trajectory(
        series(**keys).drop(columns="se"), to="2025-27", standard_error="person-years", decimals=1
    )
    assert "person-years rule" in path["assumptions"].iloc[0]
    assert "error of rounding to 1 decimals added" in path["assumptions"].iloc[0]
    assert "person_years_se" in path["quality"].iloc[0]


def test_the_nation_goes_its_own_way_where_the_gap_has_a_trend_of_gaps_only():
    area, nation = pair()
    path = project_trajectory(area, to="2025-27", reference=nation, trend="converge", parameters={"rho": 0.9})
    assert "reference: drift" in path["assumptions"].iloc[0]
    assert "rho 0.9" in path["assumptions"].iloc[0]
    drift = project_trajectory(area, to="2025-27", reference=nation)
    np.testing.assert_allclose(path["reference"], drift["reference"], rtol=1e-12)


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        (series(count=1), {}, InvalidDataError, "has 1 windows; the trend 'drift' .* needs 4"),
        (series(se=0.0).assign(value=60.0), {}, InvalidDataError, "never changes and has no standard errors"),
        (series(), {"to": "2015-17"}, SchemaError, "not later than the latest window"),
        (series(), {"trend": "holt"}, ValueError, "trend 'holt' is unknown. Known: 'flat'"),
        (series(), {"transform": "sqrt"}, ValueError, "transform 'sqrt' is unknown"),
        (series(), {"levels": [95]}, ValueError, "levels lie between 0 and 1"),
        (series(), {"better": "more"}, ValueError, "better is 'higher' or 'lower'"),
        (series(), {"exclude": ["1999"]}, ValueError, "exclude names 1999"),
        (
            series(),
            {"transform": "logit"},
            InvalidDataError,
            "has no logit: choose another transform, or multiplier=100",
        ),
        (series(), {"shock": {"war": (1940,)}}, InvalidDataError, "shock or break touches no window"),
        (series(), {"transform": "log", "reference": series()}, ValueError, "a gap is modelled as it is"),
        (
            series(se=3.0),
            {"reference": series(2, se=0.01), "share": 0.5},
            InvalidDataError,
            "more certain than its own part",
        ),
    ],
)
def test_what_cannot_be_projected_is_said(rows, options, error, message):
    with pytest.raises(error, match=message):
        project_trajectory(rows, **{"to": "2025-27"} | options)


def test_a_share_may_be_given_by_area():
    area, nation = (
        pd.concat([part.assign(area_code=c) for c in codes]) for part, codes in zip(pair(), ("AB", "E"), strict=True)
    )
    path = project_trajectory(area, to="2025-27", reference=nation, share={"A": 0.3})
    width = (
        projected(path).groupby("area_code")["gap_upper_95"].first()
        - projected(path).groupby("area_code")["gap"].first()
    )
    assert width["A"] != width["B"]
