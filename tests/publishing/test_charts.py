from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import pytest

from nenc_estimates.publishing import drawing
from nenc_estimates.publishing.charts import GOAL_KEY, chart_files, chart_name, draw_charts, groups, latest_edition
from nenc_estimates.publishing.dashboard import render_page
from nenc_estimates.publishing.disclosure import DisclosurePolicy, fit_to_publish
from nenc_estimates.publishing.drawing import PALETTE
from nenc_estimates.publishing.layers import LABEL, ends, level, ranked
from nenc_estimates.publishing.rounding import rounded
from nenc_estimates.publishing.words import decimals_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def charts(run):
    return draw_charts(run)


def luminance(colour):
    """Relative luminance: WCAG 2.2, definition."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_defines_it():
    """Black on white is 21; OHID's old "better" green on white fails with 1.85."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#92d050", "#ffffff") == pytest.approx(1.85, abs=0.01)


@pytest.mark.parametrize("colour", ["ink", "area", "goal", "bar"])
def test_what_carries_meaning_has_three_to_one_on_white(colour):
    assert contrast(PALETTE[colour], "#ffffff") >= 3


@pytest.mark.parametrize("ground", ["fan80", "fan95"])
@pytest.mark.parametrize("colour", ["ink", "area", "goal"])
def test_lines_have_three_to_one_on_the_fans_they_cross(colour, ground):
    assert contrast(PALETTE[colour], PALETTE[ground]) >= 3


def test_charts_use_no_other_colours(charts):
    used = {c for chart in charts.values() for c in re.findall(r"#[0-9a-fA-F]{3,6}\b", chart.svg)}
    assert used <= set(PALETTE.values())


def test_every_trajectory_has_its_chart(charts, run):
    names = {chart_name("goal", *key) for key, _ in groups(run.trajectories, *GOAL_KEY)}
    assert names == {name for name in charts if name.startswith("goal-")}
    assert {name.removeprefix("gap-") for name in charts if name.startswith("gap-")} == {
        name.removeprefix("goal-") for name in names if name.startswith("goal-1")
    }


def test_a_chart_is_one_image_with_words_and_loads_nothing(charts):
    for name, chart in charts.items():
        root = ET.fromstring(chart.svg)
        assert root.get("role") == "img", name
        assert root.get("aria-label") == chart.alt
        assert root.find(f".//{SVG}title") is not None
        assert not re.search(r"href|url\(|<script|<style|<image|\bid=", chart.svg), name
        assert "nan" not in chart.alt.casefold().split()
        assert "NaN" not in chart.svg


def test_the_words_of_a_goal_are_its_figures(charts, run):
    units = dict(zip(run.estimates["indicator"], run.estimates["unit"], strict=True))
    for goal in run.goals[run.goals["indicator"] != ""].to_dict("records"):
        kind = "gap" if goal["goal"].startswith("1") else "goal"
        alt = charts[chart_name(kind, *(goal[name] for name in GOAL_KEY))].alt
        digits = decimals_of(units[goal["indicator"]])
        low, high = (rounded(goal[f"do_nothing_{side}_95"], digits) for side in ("lower", "upper"))
        assert f"If nothing changes: {rounded(goal['do_nothing'], digits)} " in alt
        assert f"in {goal['target_period']} (95 % limits {low} to {high})" in alt
        assert f"The goal: {rounded(goal['goal_value'], digits)} " in alt


def test_observed_and_projected_england_and_goal_differ_without_colour(charts):
    svg = charts["goal-1a-male-ohid-2026-05-with-what-is-known-since"].svg
    assert {"6,3", "12,4", "1,2", "4,2"} <= set(re.findall(r'stroke-dasharray="([^"]*)"', svg))
    for word in ("If nothing changes", "The goal", "England", "scale does not start at 0"):
        assert word in svg


def test_local_authorities_are_told_apart_by_shape_and_word(charts, run):
    rows = latest_edition(run.local, "hle_birth")
    lower = rows[(rows["sex"] == "Male") & (rows["compared"] == "lower")]
    assert charts["local-hle-birth-male"].svg.count(">lower<") == len(lower) > 0
    shapes = ranked(rows.to_dict("records"), title=["", ""], unit="years")["layer"][0]["encoding"]["shape"]["scale"]
    assert dict(zip(shapes["domain"], shapes["range"], strict=True)) == {
        "lower": "triangle-down",
        "similar": "circle",
        "higher": "triangle-up",
        "": "circle",
    }


def test_bars_start_at_nought(run):
    rows = run.estimates[run.estimates["indicator"] == "most_deprived_fifth"].to_dict("records")
    drawn = level(rows, 20.0, title=["", ""], unit="%")
    assert drawn["layer"][0]["mark"]["type"] == "bar"
    assert drawn["layer"][0]["encoding"]["x"]["scale"]["domain"][0] == 0


def test_labels_at_the_end_of_lines_do_not_meet():
    marks = ends([(5.0, "a", "ink"), (5.01, "b", "goal"), (5.02, "c", "area"), (0.0, "d", "ink")], 0.0, 10.0)
    heights = [layer["mark"]["y"] for layer in marks]
    assert [layer["mark"]["text"] for layer in marks] == ["c", "b", "a", "d"]
    assert all(b - a >= LABEL - 1e-9 for a, b in pairwise(heights))


def test_files_are_svg_and_png_of_all_but_single_local_partnerships(release, charts):
    files = {path.name: path.read_bytes() for path in (release / "charts").iterdir()}
    assert {name.removesuffix(".svg") for name in files if name.endswith(".svg")} == {
        name for name in charts if not name.startswith("area-nenc-")
    }
    for name, content in files.items():
        assert content.startswith(b"\x89PNG" if name.endswith(".png") else b"<svg")
    one = {name: charts[name] for name in list(charts)[:2]}
    for name, content in chart_files(one).items():
        assert files[name] == content


def test_a_chart_drawn_again_has_the_same_bytes(run, charts):
    """Not from what is kept: drawn anew."""
    few = replace(run, trajectories=run.trajectories[run.trajectories["goal"].isin(("1c", "S1"))])
    drawing._drawn.cache_clear()
    drawing.png.cache_clear()
    again = draw_charts(few)
    assert all(charts[name].svg == chart.svg for name, chart in again.items())
    one = {name: again[name] for name in list(again)[:2]}
    first = chart_files(one)
    drawing.png.cache_clear()
    assert chart_files(one) == first


def test_a_goal_whose_numbers_are_withheld_has_a_card_and_no_chart(run):
    shown = fit_to_publish(run, DisclosurePolicy())
    charts = draw_charts(shown)
    assert not any(name.startswith("goal-s4") for name in charts)
    page = render_page(shown, charts, title="t")
    assert "Goal S4: " in page
    assert 'href="charts/goal-s4' not in page


def test_without_goals_there_are_no_charts_of_goals(run):
    none = run.goals.assign(indicator=float("nan"))
    bare = replace(run, goals=none, trajectories=run.trajectories.iloc[:0], local=run.local.iloc[:0])
    assert {name.split("-")[0] for name in draw_charts(bare)} == {"area", "deprived", "parts"}
