"""Charts of contributions: what is drawn is what the table says, all of it, and invented figures say so."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nenc_estimates.age_bands import AgeBands
from nenc_estimates.decomposition import decompose_gap
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.packaged import read_packaged
from nenc_estimates.publishing.contributions import INVENTED, draw_contributions, figure, gaps_of
from nenc_estimates.publishing.drawing import PALETTE, Chart, png
from nenc_estimates.publishing.signed_layers import LETTERS, TONES, WIDTH

PAIR = ("invented nation", "invented region")
SOURCE = "Office of Examples, Deaths 2022"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def example():
    return read_packaged("lookups", "invented_deaths_by_cause.csv").to_pandas()


@pytest.fixture(scope="module")
def causes(example):
    return decompose_gap(example, between=PAIR, by="cause", populations="area")


@pytest.fixture(scope="module")
def real(causes):
    """The same under other names, as if they were real."""
    return causes.assign(first="Nation", second="Region", period="2022")


@pytest.fixture(scope="module")
def ages(run):
    return run.decomposition[run.decomposition["comparison"] == "partnership and rest"]


def texts(chart):
    return ["".join(found.itertext()) for found in ET.fromstring(chart.svg).iter(f"{SVG}text")]


def titles(chart):
    return [found.text for found in ET.fromstring(chart.svg).iter(f"{SVG}title")]


def men(table):
    return table[table["sex"] == "Male"]


def widths(chart):
    """Widths of what is filled with a tone of a stack or a bar, by tooltip."""
    found = re.findall(r'<path [^>]*?d="M([\d.]+),[\d.]+h(-?[\d.]+)[^>]*><title>([^<]+)</title>', chart.svg)
    return {told: float(width) for _, width, told in found}


def test_bars_show_every_cause_with_its_figure_and_limits(real):
    chart = draw_contributions(men(real), source=SOURCE)
    parts = men(real)[men(real)["cause"] != "all"]
    shown = texts(chart)
    assert len(parts) == 7
    for row in parts.to_dict("records"):
        assert figure(row) in shown
        assert row["cause"].replace("_", " ").capitalize() in shown
    assert any(SOURCE in text for text in shown)
    gap = men(real)[men(real)["cause"] == "all"].to_dict("records")[0]
    assert f"Region minus Nation: {figure(gap).partition(' (')[0]} years" in chart.alt
    assert "men, 2022" in chart.alt


def test_causes_stand_from_the_one_that_makes_most_of_the_gap(real):
    (gap,) = gaps_of(men(real))
    values = [row["value"] for row in gap.parts]
    assert gap.total["value"] < 0
    assert values == sorted(values)


def test_a_scarf_holds_the_key_and_the_sums_on_both_sides(real):
    chart = draw_contributions(real, source=SOURCE, form="scarf")
    shown = texts(chart)
    for sex, rows in real[real["cause"] != "all"].groupby("sex"):
        up, down = (rows.loc[sign * rows["value"] > 0, "value"].sum() for sign in (1, -1))
        assert f"adds +{up:.2f}, takes \N{MINUS SIGN}{-down:.2f}" in shown, sex
    assert [text for text in shown if text == "A"] == ["A"] * 3  # in both stacks and in the key
    assert {"Women", "Men", "Respiratory", "Mental nervous"} <= set(shown)
    assert sum(SOURCE in text for text in shown) == 1


def test_segments_are_as_wide_as_their_contributions(real):
    chart = draw_contributions(men(real), source=SOURCE, form="scarf")
    drawn = widths(chart)
    parts = men(real)[men(real)["cause"] != "all"]
    told = {row["cause"]: figure({**row, "lower": np.nan}) for row in parts.to_dict("records")}
    pixels = {name: drawn[f"{name.replace('_', ' ').capitalize()}: {text} years"] for name, text in told.items()}
    scale = pixels["cancer"] / abs(parts.set_index("cause").value["cancer"])
    assert 0 < scale < WIDTH
    for name, value in parts.set_index("cause").value.items():
        assert pixels[name] == pytest.approx(scale * abs(value), abs=0.02)


def test_neighbours_in_a_stack_differ_in_grey():
    grey = [sum(int(PALETTE[fill][i : i + 2], 16) for i in (1, 3, 5)) / 3 for fill, _ in TONES]
    assert all(abs(one - other) > 30 for one, other in zip(grey, grey[1:] + grey[:1], strict=True))


def test_ages_are_drawn_where_there_are_no_causes(ages):
    chart = draw_contributions(men(ages), source=SOURCE)
    assert {"Under 1", "1-4", "90+"} <= set(texts(chart))
    assert chart.alt.startswith(
        "Gap in life expectancy: ages, men, 2014. Barrow-in-Furness and South Lakeland minus North"
    )


def test_many_ages_are_added_up_for_a_scarf_and_none_is_lost(ages):
    chart = draw_contributions(ages, source=SOURCE, form="scarf")
    shown = texts(chart)
    assert [t for t in shown if re.fullmatch(r"\d+-\d+|80\+|Under 1", t)] == [
        "Under 1",
        "1-19",
        "20-39",
        "40-59",
        "60-79",
        "80+",
    ]
    mine = men(ages)
    old = mine[mine["age"].isin(("80-84", "85-89", "90+"))]["value"].sum()
    assert f"80+: +{old:.2f} years" in titles(chart)


def test_the_smallest_of_many_causes_become_one_part_that_says_how_many(example):
    rows = example[example["cause"].isin(("all", "other"))]
    split = [rows[rows["cause"] == "all"]]
    split += [rows[rows["cause"] == "other"].assign(cause=f"cause {i}", deaths=0) for i in range(15)]
    made = decompose_gap(pd.concat(split), between=PAIR, by="cause", populations="area")
    chart = draw_contributions(made, source=SOURCE, form="scarf")
    assert "5 smaller ones together" in texts(chart)
    assert LETTERS[-1] in texts(chart)
    assert "All other causes" in texts(chart)


@pytest.mark.parametrize("form", ["bars", "scarf"])
def test_invented_figures_say_so_in_large_letters_and_first_in_words(causes, form):
    chart = draw_contributions(men(causes), source="drawn at random", form=form)
    assert re.search(rf'font-size="30px"[^>]*>{INVENTED}<', chart.svg)
    assert chart.alt.startswith(INVENTED)
    assert chart.title.startswith(INVENTED)


def test_real_figures_do_not_say_that_they_are_invented_and_a_source_can(real):
    assert INVENTED not in draw_contributions(men(real), source=SOURCE).svg
    assert INVENTED in draw_contributions(men(real), source="Invented by us").svg


def test_healthy_life_is_split_into_deaths_and_health():
    ages = pd.DataFrame({"age": ["0-49", "50+"], "population": [50_000, 25_000], "respondents": 400})
    here = ages.assign(area="here", deaths=[200, 1250], prevalence=[0.8, 0.5])
    there = ages.assign(area="there", deaths=[100, 1000], prevalence=[0.9, 0.6])
    rows = pd.concat([here, there])
    both = pd.concat([rows.assign(cause="all"), rows.assign(cause="cancer", deaths=rows["deaths"] // 4)])
    options = {"between": ("here", "there"), "populations": "area", "keys": [], "bands": AgeBands((0, 50))}
    options |= {"of": "healthy life expectancy", "health": "good"}
    (gap,) = gaps_of(decompose_gap(both, by="cause", **options))
    assert [row["name"] for row in gap.parts] == ["Cancer", "All other causes", "Health while alive"]
    (gap,) = gaps_of(decompose_gap(rows, by="age", **options))
    assert sum(row["value"] for row in gap.parts) == pytest.approx(gap.total["value"], abs=1e-9)
    made = decompose_gap(rows, by="age", **options)
    assert "Gap in healthy life expectancy: ages" in draw_contributions(made, source=SOURCE, form="scarf").alt


@pytest.mark.parametrize("form", ["bars", "scarf"])
def test_a_gap_without_figures_is_drawn_and_says_why(example, form):
    none = example[(example["area"] != "invented region") | (example["age"] != "1-4")]
    made = decompose_gap(none, between=PAIR, by="cause", populations="area")
    chart = draw_contributions(men(made), source=SOURCE, form=form)
    assert "There is no row for an age band." in chart.alt
    assert "NaN" not in chart.svg
    assert "[x]" in chart.svg


def test_any_kind_of_frame_gives_the_same_bytes(real):
    one, other = (draw_contributions(table, source=SOURCE, form="scarf") for table in (real, pl.from_pandas(real)))
    assert one == other
    assert png(one).startswith(b"\x89PNG")


def test_the_sides_of_a_scarf_are_of_each_pair_where_there_are_several(ages, run):
    chart = draw_contributions(men(run.decomposition), source=SOURCE, form="scarf")
    assert "The second population minus the first" in chart.alt
    assert sum("minus" in text for text in texts(chart)) >= 2


def test_what_cannot_be_drawn_is_refused_with_the_cure(real, ages):
    with pytest.raises(ValueError, match=r"bars show one gap, and the table has 2 \(Female, 2022; Male, 2022\)"):
        draw_contributions(real, source=SOURCE)
    with pytest.raises(ValueError, match="form is 'pie'; known: bars, scarf"):
        draw_contributions(real, source=SOURCE, form="pie")
    with pytest.raises(ValueError, match="source is empty: say where the deaths come from"):
        draw_contributions(real, source=" ")
    one = men(real).reset_index(drop=True)
    with pytest.raises(InvalidDataError, match="parts do not add up to the gap"):
        draw_contributions(one.assign(value=one["value"].where(one.index != 0)), source=SOURCE)
    with pytest.raises(InvalidDataError, match="parts do not add up to the gap"):
        draw_contributions(men(real)[men(real)["cause"] != "cancer"], source=SOURCE)
    with pytest.raises(InvalidDataError, match="the gap has 0 rows"):
        draw_contributions(men(real)[men(real)["cause"] != "all"], source=SOURCE)
    with pytest.raises(InvalidDataError, match="the gaps have different parts"):
        draw_contributions(pd.concat([real, ages]), source=SOURCE, form="scarf")
    with pytest.raises(SchemaError, match="the decomposition has no column 'first'"):
        draw_contributions(real.drop(columns="first"), source=SOURCE)


def test_a_chart_shows_itself_in_a_notebook():
    chart = Chart(title="A chart", alt="in words", svg="<svg></svg>")
    assert chart._repr_svg_() == "<svg></svg>"
