"""A file of one's own in a release: from the specification to table, charts and page."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from nenc_estimates.decomposition import decompose_gap
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.packaged import read_packaged
from nenc_estimates.publishing.charts import draw_charts
from nenc_estimates.publishing.files import write_release
from nenc_estimates.release.inequality import DECOMPOSITION, decomposition_table
from nenc_estimates.specification import read_specification

PAIR = ("Nation", "Region")
WEIGHTED = 'title = "t"\n[[weighted]]\nindicator = "hle_birth"\nedition = "ons_2022_03"\n'
ENTRY = (
    '[[decomposition]]\nfile = "own.csv"\nsource = "Office of Examples, Deaths 2022"\nbetween = ["Nation", "Region"]\n'
)


@pytest.fixture(scope="module")
def own():
    """The packaged example under other names: what an analyst would fill in."""
    table = read_packaged("lookups", "invented_deaths_by_cause.csv").to_pandas().assign(period="2022")
    return table.assign(area=table["area"].map({"invented nation": "Nation", "invented region": "Region"}))


@pytest.fixture
def write(tmp_path, own):
    def written(more="", table=own):
        table.to_csv(tmp_path / "own.csv", index=False)
        path = tmp_path / "estimates.toml"
        path.write_text(f"{WEIGHTED}{ENTRY}{more}", encoding="utf-8")
        return read_specification(path)

    return written


def test_causes_of_an_own_file_are_in_table_charts_and_page(write, run, own, tmp_path):
    specification = write()
    table = decomposition_table(specification.decomposition)
    assert list(table.columns) == list(DECOMPOSITION)
    assert set(table["source"]) == {"Office of Examples, Deaths 2022"}
    expected = decompose_gap(own, between=PAIR, by="cause", populations="area")
    assert table["value"].tolist() == expected["value"].tolist()
    both = replace(run, decomposition=table)
    assert {name for name in draw_charts(both) if name.startswith("parts-")} == {
        "parts-region-and-nation-by-cause-own",
        "parts-region-and-nation-by-cause-own-female-2022",
        "parts-region-and-nation-by-cause-own-male-2022",
    }
    out = write_release(both, specification, tmp_path / "made")
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "What gaps in life expectancy come from" in page
    assert "Source: Office of Examples, Deaths 2022" in page
    assert "INVENTED" not in page
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["inputs"]["own.csv"] == hashlib.sha256((tmp_path / "own.csv").read_bytes()).hexdigest()
    assert str(tmp_path) not in (out / "run.json").read_text(encoding="utf-8")


def test_an_own_file_without_causes_is_split_by_age(write, own):
    alone = own[own["cause"] == "all"].drop(columns="cause")
    table = decomposition_table(write('by = "age"\n', alone).decomposition)
    assert set(table["cause"]) == {"all"}
    assert table["age"].nunique() == 21
    with pytest.raises(SchemaError, match=r"own.csv has no column 'cause': fill one, or say by = 'age'"):
        decomposition_table(write("", alone).decomposition)


def test_causes_may_be_grouped_and_make_up_all_deaths(write, own):
    named = own[own["cause"] != "all"]
    table = decomposition_table(
        write('all_causes = ""\ncause_groups = {other = "rest", digestive = "rest"}\n', named).decomposition
    )
    assert {"rest", "cancer", "all"} <= set(table["cause"])
    assert not {"other", "digestive", "all other causes"} & set(table["cause"])


def test_few_deaths_are_refused_unless_there_is_a_reason(write, own):
    rare = (own["cause"] == "cancer") & (own["area"] == "Region")
    few = own.assign(deaths=own["deaths"].where(~rare, (own["age"] == "85-89").astype(int) * 5))
    with pytest.raises(InvalidDataError, match=r"'cancer' has 1 to 7 deaths in Region, Female, 2022 \(and 1 more\)"):
        decomposition_table(write("", few).decomposition)
    shown = decomposition_table(write('as_published = "The publisher shows them."\n', few).decomposition)
    assert {"cancer", "all other causes"} <= set(shown["cause"])
    left = own.assign(
        deaths=own["deaths"].where(
            own["cause"] != "all", own.groupby(["area", "sex", "age"])["deaths"].transform("sum") - own["deaths"]
        )
    )
    left.loc[(left["cause"] == "all") & (left["age"] == "90+"), "deaths"] += 3
    with pytest.raises(InvalidDataError, match="'all other causes' has 1 to 7 deaths"):
        decomposition_table(write("", left).decomposition)
    by_age = own.assign(deaths=own["deaths"].where(own["age"] != "5-9", 1))
    with pytest.raises(InvalidDataError, match=r"'5-9' has 1 to 7 deaths in Nation, Female, 2022 \(and 3 more\)"):
        decomposition_table(write('by = "age"\n', by_age).decomposition)


def test_the_invented_example_is_no_part_of_a_release(write, tmp_path):
    with pytest.raises(ValidationError, match="invented figures are an example of the columns to fill"):
        write('as_published = "x"\n[[decomposition]]\nfile = "own.csv"\nsource = "Invented"\nbetween = ["a", "b"]\n')


def test_an_absent_file_and_an_unknown_key_are_named(tmp_path):
    path = tmp_path / "estimates.toml"
    path.write_text(f"{WEIGHTED}{ENTRY}", encoding="utf-8")
    with pytest.raises(ValidationError, match=r"there is no file 'own.csv' beside the specification"):
        read_specification(path)
    path.write_text(f"{WEIGHTED}{ENTRY}betwen = 1", encoding="utf-8")
    with pytest.raises(ValidationError, match=r"unknown key 'betwen'. Did you mean 'between'\?"):
        read_specification(path)
