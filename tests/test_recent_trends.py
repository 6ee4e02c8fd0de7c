"""Recent trends of tables."""

from __future__ import annotations

import csv
import itertools

import numpy as np
import pandas as pd
import pytest

from nenc_estimates import recent_trend
from nenc_estimates.errors import InvalidDataError

VALUES = {"period": [str(y) for y in range(2014, 2019)], "value": [30.6, 30.2, 28.0, 24.6, 24.67]}
LIMITS = {"lower": [28.98, 28.63, 26.44, 23.15, 23.16], "upper": [32.25, 31.9, 29.64, 26.19, 26.25]}


def test_proportions_have_the_published_markers(reference):
    """Origin: fingertips_trend_markers.csv (tests of OHID's R function), chi-squared and slope to 4 decimals."""
    with (reference / "trajectories" / "fingertips_trend_markers.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = pd.DataFrame(
        {
            "cause": [row["case"] for row in rows],
            "period": [row["year"] for row in rows],
            "count": [float(row["count"]) for row in rows],
            "denominator": [float(row["denominator"]) for row in rows],
        }
    )
    found = recent_trend(table.sample(frac=1, random_state=1)).set_index("cause")
    for case, group in itertools.groupby(rows, lambda row: row["case"]):
        last = list(group)[-1]
        assert found.loc[case, "trend"] == last["expected_trend"].lower()
        assert found.loc[case, "chi2"] == pytest.approx(float(last["expected_chi2"]), abs=6e-5)
        assert found.loc[case, "slope"] == pytest.approx(float(last["expected_slope"]), abs=6e-5)


def test_values_with_limits_have_the_marker_of_the_documentation():
    """The example of OHID's R function: significantly decreasing; single years make both methods agree."""
    table = pd.DataFrame(VALUES | LIMITS)
    site, window = recent_trend(table), recent_trend(table, method="window")
    assert site.loc[0, "trend"] == window.loc[0, "trend"] == "decreasing"
    assert site.loc[0, "chi2"] == pytest.approx(window.loc[0, "chi2"], rel=1e-9)
    assert (site.loc[0, "first_period"], site.loc[0, "last_period"]) == ("2014", "2018")


def test_the_site_refuses_rolling_periods_and_the_window_marker_takes_them():
    rolling = pd.DataFrame(VALUES | LIMITS).assign(period=["2014-16", "2015-17", "2016-18", "2017-19", "2018-20"])
    with pytest.raises(InvalidDataError, match=r"for single years, not for 2014-16.*Use method='window'"):
        recent_trend(rolling)
    marker, single = (recent_trend(rows, method="window") for rows in (rolling, pd.DataFrame(VALUES | LIMITS)))
    assert marker.loc[0, "chi2"] != pytest.approx(single.loc[0, "chi2"], rel=0.05)
    assert (marker.loc[0, "first_period"], marker.loc[0, "trend"]) == ("2014-16", "decreasing")
    counts = rolling.assign(count=10.0, denominator=50.0)
    with pytest.raises(InvalidDataError, match="single years"):
        recent_trend(counts)


def test_the_last_five_points_of_each_series_count_whatever_else_is_there():
    long = pd.DataFrame(VALUES | LIMITS).assign(area_code="A")
    early = pd.DataFrame(
        {"period": ["2009", "2011"], "value": [99.0, 1.0], "lower": [98.0, 0.0], "upper": [100.0, 2.0]}
    )
    short = long.iloc[:3].assign(area_code="B")
    gappy = long.assign(area_code="C", period=["2008", "2010", "2013", "2016", "2019"])
    table = pd.concat([early.assign(area_code="A"), long, short, gappy])
    for method in ("fingertips", "window"):
        found = recent_trend(table, method=method).set_index("area_code")
        assert found["trend"].tolist() == ["decreasing", "cannot be calculated", "decreasing"]
        assert found["n_points"].tolist() == [5, 3, 5]
    alone = recent_trend(long, method="window")
    assert found.loc["A", "chi2"] == pytest.approx(alone.loc[0, "chi2"], rel=1e-12)
    assert found.loc["A", "first_period"] == "2014"


def test_without_a_limit_there_is_an_error_and_not_a_silent_no_change():
    table = pd.DataFrame(VALUES | LIMITS)
    table.loc[2, ["lower", "upper"]] = np.nan
    with pytest.raises(InvalidDataError, match=r"no standard error in row 2 \(period 2016\)"):
        recent_trend(table)
    with pytest.raises(ValueError, match="method is 'fingertips' or 'window'"):
        recent_trend(table, method="ols")
