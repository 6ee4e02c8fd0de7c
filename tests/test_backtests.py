"""Backtests: windows never seen, scores against no change, and honesty when there is too little."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nenc_estimates import backtest

ROLLING = [f"{year}-{(year + 2) % 100:02d}" for year in range(2001, 2019)]


def table(value, se=0.06, **keys):
    return pd.DataFrame({"period": ROLLING[: len(value)], "value": value, "se": se} | keys)


def test_a_steady_trend_beats_no_change():
    """Single years seen exactly: no change is wrong by five years of the trend, five times a year's change."""
    steady = table(70 + 0.3 * np.arange(18), se=0.0).assign(period=[str(year) for year in range(2001, 2019)])
    steady.loc[3, "value"] += 0.01  # without any deviation from the line its spread would be unknown
    scores = backtest(steady, horizon=5).set_index("trend")
    assert scores["verdict"].to_dict() == {"drift": "better than no change", "flat": "yardstick"}
    assert scores.loc["drift", "mae"] < 0.02
    assert scores.loc["flat", "mae"] == pytest.approx(5 * 0.3, abs=0.002)
    assert scores.loc["flat", "mase"] == pytest.approx(5, abs=0.02)


def test_no_skill_is_said():
    rng = np.random.default_rng(4)
    noise = table(70 + 0.5 * rng.normal(size=18), se=0.5)
    assert "no skill over no change" in backtest(noise, horizon=6)["verdict"].tolist()


def test_a_tested_window_shares_no_year_with_those_it_is_forecast_from():
    """A leap in the last window's own years leaves every forecast of it as it was."""
    value = 70 + 0.3 * np.arange(18.0)
    leap = value.copy()
    leap[-1] += 9.0
    before, after = (backtest(table(v), horizon=3).set_index("trend") for v in (value, leap))
    tests = before.loc["drift", "n_tests"]
    assert after.loc["drift", "mae"] == pytest.approx(9.0 / tests, abs=1e-6)
    with pytest.raises(ValueError, match="windows of 3 years share years below 3"):
        backtest(table(value), horizon=2)


def test_under_eight_windows_there_is_not_enough():
    scores = backtest(table(70 + 0.3 * np.arange(7)), horizon=3)
    assert set(scores["verdict"]) == {"not enough windows"}
    assert scores[["mae", "crps", "coverage_80"]].isna().all(axis=None)
    assert scores["n_tests"].tolist() == [0, 0]


def test_a_batch_is_its_series_one_by_one():
    rng = np.random.default_rng(2)
    parts = [
        table(70 + rng.normal(size=n).cumsum(), area_code=c) for c, n in (("A", 18), ("B", 18), ("C", 12), ("D", 5))
    ]
    together = backtest(pd.concat(parts), horizon=4)
    alone = pd.concat([backtest(part, horizon=4) for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone)


def test_flat_is_its_own_yardstick_and_a_shock_could_not_be_known():
    scores = backtest(table(70 + 0.3 * np.arange(18)), horizon=5, trend="flat")
    assert scores["verdict"].tolist() == ["yardstick"]
    with pytest.raises(ValueError, match="could not have been known"):
        backtest(table(70 + 0.3 * np.arange(18)), horizon=5, shock={"covid": (2020, 2021)})
