"""What a type checker must know of the public functions; checked by mypy, not run."""

from __future__ import annotations

from typing import assert_type

import pandas as pd
import polars as pl

from nenc_estimates import estimate_indicator, estimate_life_expectancy, estimate_slope_index, select_geography


def pandas_in_pandas_out(table: pd.DataFrame) -> None:
    assert_type(estimate_life_expectancy(table), pd.DataFrame)
    assert_type(select_geography(table, "nenc").table, pd.DataFrame)
    assert_type(estimate_indicator(select_geography(table, "nenc").table, to="nenc"), pd.DataFrame)


def polars_in_polars_out(table: pl.DataFrame) -> None:
    assert_type(estimate_slope_index(table, definition="imd2019"), pl.DataFrame)
    assert_type(select_geography(table, "nenc").set_aside, pl.DataFrame)
