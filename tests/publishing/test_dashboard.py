"""The page in a real browser: no errors, choices that change charts and tables, numbers that equal estimates.csv."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nenc_estimates.publishing.charts import draw_charts
from nenc_estimates.publishing.dashboard import KEY, render_page
from nenc_estimates.publishing.rounding import with_limits
from nenc_estimates.publishing.words import chance, decimals_of

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@pytest.fixture(scope="module")
def page(release):
    return (release / "index.html").read_text(encoding="utf-8")


def test_the_page_is_below_two_megabytes(release):
    assert (release / "index.html").stat().st_size < 2_000_000


def test_every_goal_has_a_card_or_is_named_as_lacking(page, run):
    for goal in set(run.goals["goal"]) - {"1"}:
        assert f"Goal {goal}: " in page or f">{goal}: " in page


def test_a_card_says_the_chance_and_the_status(page, run):
    rows = run.goals[(run.goals["goal"] == "1a") & (run.goals["view"] == "with what is known since")]
    row = rows[rows["reading"] == ""].iloc[0]
    assert f"{row['status'].capitalize()}: {chance(row['probability'])}, if nothing changes." in page
    assert all(term in page for term in ("Where we are", "Where we are heading", "The goal", "What is missing"))


def test_hostile_names_are_text_in_page_and_charts(run):
    word = '<script>alert("x")</script>'
    hostile = replace(
        run,
        trajectories=run.trajectories.iloc[:0],
        local=run.local.iloc[:0],
        contents=run.contents.assign(indicator_name=word),
        estimates=run.estimates.assign(area_name=word),
    )
    page = render_page(hostile, draw_charts(hostile), title=word)
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert" in page


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if not chromium or not driver:
        pytest.skip("chromium and chromedriver are not here (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}", "--window-size=1200,1000"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


@pytest.fixture
def opened(browser, release):
    browser.get((release / "index.html").as_uri())
    return browser


def choose(opened, name, value):
    opened.execute_script(
        "const box = document.getElementById(arguments[0]); box.value = arguments[1];"
        "box.dispatchEvent(new Event('change', {bubbles: true}));",
        name,
        value,
    )


def seen(opened, selector):
    """Attributes of what is shown among what a selector finds."""
    return opened.execute_script(
        "return [...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent !== null)"
        ".map(e => ({...e.dataset, svg: e.querySelectorAll('svg').length}))",
        selector,
    )


@pytest.mark.browser
def test_it_loads_without_a_word_on_the_console(opened):
    assert opened.get_log("browser") == []
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.browser
def test_choices_change_charts_and_tables(opened, run):
    areas = run.estimates.loc[run.estimates["area_type"] == "local partnership", "area_code"].unique()
    assert {each["area"] for each in seen(opened, "figure[data-area]")} == {"E54000050"}
    assert {each["sex"] for each in seen(opened, "figure[data-area]")} == {"Female", "Male", "Persons"}
    for code in areas:
        choose(opened, "area", code)
        choose(opened, "sex", "Female")
        shown = seen(opened, "figure[data-area]")
        assert {each["area"] for each in shown} == {code}
        assert {each["sex"] for each in shown} == {"Female", "Persons"}
        assert all(each["svg"] == 1 for each in shown)
    opened.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    keys = [each["key"].split("|") for each in seen(opened, "figure[data-area] td[data-key]")]
    assert {key[2] for key in keys} == {areas[-1], "E92000001"}
    assert {key[3] for key in keys} == {"Female", "Persons"}
    assert {each["sex"] for each in seen(opened, "section.card")} == {"Female", "Persons"}
    assert opened.execute_script("return document.getElementById('said').textContent").endswith("women.")


@pytest.mark.browser
def test_every_number_equals_its_file_after_rounding(opened, release):
    for name, attribute in (("estimates", "key"), ("local", "local")):
        table = pd.read_csv(release / f"{name}.csv", dtype=dict.fromkeys(KEY, str), keep_default_na=False)
        numbers = table.assign(**{c: pd.to_numeric(table[c]) for c in ("value", "lower", "upper")})
        rows = {"|".join(row[part] for part in KEY): row for row in numbers.to_dict("records")}
        cells = opened.execute_script(
            "return [...document.querySelectorAll(`td[data-${arguments[0]}]`)]"
            ".map(e => [e.dataset[arguments[0]], e.textContent])",
            attribute,
        )
        assert len(cells) > 100
        for key, text in cells:
            row = rows[key]
            assert text == with_limits(row["value"], row["lower"], row["upper"], decimals_of(row["unit"])), key


@pytest.mark.browser
def test_a_phone_does_not_scroll_sideways(opened):
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    opened.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.execute_script("return document.documentElement.scrollWidth") <= 390
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.browser
def test_the_choice_can_be_reached_and_changed_by_keyboard(opened):
    tab, down = "\ue004", "\ue015"  # keys by their codes in the WebDriver standard
    for _ in range(30):
        opened.switch_to.active_element.send_keys(tab)
        if opened.switch_to.active_element.get_attribute("id") == "area":
            break
    opened.switch_to.active_element.send_keys(down)
    assert {each["area"] for each in seen(opened, "figure[data-area]")} != {"E54000050"}


@pytest.mark.browser
def test_an_audit_of_accessibility_finds_nothing_serious(opened):
    script = os.environ.get("NENC_AXE", "")
    if not Path(script).is_file():
        pytest.skip("axe-core is not here; set NENC_AXE to its axe.min.js")
    opened.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    opened.execute_script(Path(script).read_text(encoding="utf-8"))
    found = opened.execute_async_script(
        "const done = arguments[arguments.length - 1]; axe.run(document, {resultTypes: ['violations']})"
        ".then(r => done(r.violations.map(v => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)])))"
    )
    assert [each for each in found if each[0] in ("serious", "critical")] == []
