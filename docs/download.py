"""A file as Fingertips gives it, made of packaged figures, for the tutorial."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from nenc_estimates import read_indicator

NAME = "healthy_life_expectancy.csv"
PERIODS = ("2016-18", "2017-19", "2018-20")
TYPES = {"E12": "Regions (statistical)", "E92": "England"}
EMPTY = [
    "Lower CI 99.8 limit",
    "Upper CI 99.8 limit",
    "Count",
    "Denominator",
    "Value note",
    "Recent Trend",
    "Compared to England value or percentiles",
    "Compared to parent value or percentiles",
]


def download() -> str:
    """Lay healthy life expectancy at birth out as Fingertips does: its headings, labels and empty columns."""
    table = read_indicator("hle_birth", edition="ons_2022_03")
    table = table[table["period"].isin(PERIODS)].sort_values(["area_code", "sex", "period"])
    first = table["period"].str[:4]
    columns = {
        "Indicator ID": 90362,
        "Indicator Name": "Healthy life expectancy at birth",
        "Parent Code": "E92000001",
        "Parent Name": "England",
        "Area Code": table["area_code"],
        "AreaName": table["area_name"],
        "Area Type": table["area_code"].str[:3].map(TYPES).fillna("Counties & UAs (2021/22-2022/23)"),
        "Sex": table["sex"],
        "Age": "All ages",
        "Category Type": "",
        "Category": "",
        "Time period": table["period"].str.replace("-", " - "),
        "Value": table["value"],
        "Lower CI 95.0 limit": table["lower"],
        "Upper CI 95.0 limit": table["upper"],
        **dict.fromkeys(EMPTY, ""),
        "Time period Sortable": first + "0000",
        "New data": "",
        "Compared to goal": "",
        "Time period range": "3y",
    }
    return pd.DataFrame(columns, index=table.index).to_csv(index=False)


if __name__ == "__main__":
    Path(NAME).write_text(download(), encoding="utf-8", newline="")
