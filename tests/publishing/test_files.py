from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from nenc_estimates.errors import SchemaError
from nenc_estimates.packaged import manifest
from nenc_estimates.publishing import files
from nenc_estimates.publishing.files import write_release
from nenc_estimates.release import COLUMNS

NAMES = {
    "charts",
    "local.csv",
    "estimates.csv",
    "estimates.parquet",
    "estimates.xlsx",
    "notes.csv",
    "reproduction.csv",
    "goals.csv",
    "trajectories.csv",
    "decomposition.csv",
    "index.html",
    "run.json",
}


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def record(release):
    return json.loads((release / "run.json").read_text(encoding="utf-8"))


def test_a_release_holds_its_files_and_leaves_nothing_beside(release):
    assert {path.name for path in release.iterdir()} == NAMES
    assert [path.name for path in release.parent.iterdir()] == [release.name]


def test_the_same_run_writes_the_same_bytes(release, run, specification, tmp_path):
    assert contents(write_release(run, specification, tmp_path / "deeper" / "again")) == contents(release)


def test_the_table_of_estimates_reads_back_from_csv_and_parquet_to_the_bit(release, run):
    stored = parquet.read_table(release / "estimates.parquet")
    numbers = {"value", "lower", "upper", "se", "coverage", "effective_areas"}
    assert stored.column_names == list(COLUMNS)
    for name in COLUMNS:
        kind = str(stored.schema.field(name).type)
        assert kind == ("double" if name in numbers else "int64" if name == "n_areas" else "string")
    text = {name: str for name in COLUMNS if name not in numbers | {"n_areas"}}
    read = pd.read_csv(release / "estimates.csv", dtype=str, keep_default_na=False)
    read[list(numbers)] = read[list(numbers)].map(lambda cell: float(cell or "nan"))  # to the bit
    read["n_areas"] = read["n_areas"].astype(int)
    assert len(read) == len(run.estimates) == stored.num_rows
    for name in COLUMNS:
        column = stored[name].to_pandas()
        if name in text:
            assert column.tolist() == read[name].tolist() == run.estimates[name].tolist()
        else:
            np.testing.assert_array_equal(column, read[name])
            np.testing.assert_array_equal(column, run.estimates[name])


def test_csv_files_have_unix_lines_and_no_index(release):
    for name in ("estimates", "notes", "reproduction"):
        content = (release / f"{name}.csv").read_bytes()
        assert b"\r" not in content
        assert not content.startswith(b",")


def test_the_record_names_versions_inputs_and_outputs(record, release, specification):
    packages = {"python", "nenc-estimates", "numpy", "pandas", "pyarrow", "scipy", "gptables", "xlsxwriter"}
    packages |= {"vl-convert-python"}
    assert set(record["versions"]) == packages
    assert record["specification"] == specification.model_dump(mode="json")
    for name, checksum in record["inputs"].items():
        folder, file = name.split("/")
        assert manifest(folder)[file].sha256 == checksum
    assert {name for name in record["inputs"] if name.startswith("lookups/")} == {
        f"lookups/{n}" for n in manifest("lookups")
    }
    made_from = {name.removeprefix("indicators/") for name in record["inputs"] if name.startswith("indicators/")}
    other = {"deaths_by_age_ons_2014.csv", "le_hle_by_imd_decile_ons_2026.csv"}
    assert made_from == {*other, *(read["file"] for read in record["read"])}
    for name, checksum in record["outputs"].items():
        assert hashlib.sha256((release / name).read_bytes()).hexdigest() == checksum
    assert {name.partition("/")[0] for name in record["outputs"]} == NAMES - {"run.json"}


def test_the_record_accounts_for_every_row(record, run):
    assert record["estimates"] == len(run.estimates)
    for read in record["read"]:
        assert read["rows"] == manifest("indicators")[read["file"]].rows
        for reasons in read["set_aside"].values():
            assert read["rows_weighted"] + read["skipped_periods"] + sum(reasons.values()) == read["rows"]


def test_the_record_has_no_clock_and_no_path(record, release):
    text = (release / "run.json").read_text(encoding="utf-8")
    assert str(release.parent) not in text
    assert not {"time", "date", "timestamp", "host", "user"} & set(record)


# --- where a release may be written ---------------------------------------------------------------------------------


def test_the_same_release_is_left_where_it_stands(run, specification, tmp_path):
    out = write_release(run, specification, tmp_path / "out")
    stamps = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert write_release(run, specification, out) == out
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == stamps
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_text_that_is_a_formula_is_quoted_and_numbers_stay_numbers(run, specification, tmp_path):
    hostile = run.estimates.head(2).assign(area_name=["=HYPERLINK(1)", "-2+3"], value=[-1.5, 2.5])
    alcohol = run.contents[run.contents["indicator"] == "alcohol_admissions"]
    none = {"trajectories": run.trajectories.iloc[:0], "local": run.local.iloc[:0]}
    few = replace(run, estimates=hostile.assign(area_type="country"), contents=alcohol, **none)
    out = write_release(few, specification, tmp_path / "out")
    written = pd.read_csv(out / "estimates.csv")
    assert written["area_name"].tolist() == ["'=HYPERLINK(1)", "'-2+3"]
    assert written["value"].tolist() == [-1.5, 2.5]


def test_an_earlier_release_is_replaced_when_forced(run, specification, tmp_path, release):
    out = write_release(run, specification, tmp_path / "out")
    (out / "index.html").write_text("old")
    with pytest.raises(SchemaError, match="holds another release than this one: replace it with --force"):
        write_release(run, specification, out)
    assert (out / "index.html").read_text() == "old"
    write_release(run, specification, out, force=True)
    assert contents(out) == contents(release)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_used(run, specification, tmp_path):
    (tmp_path / "out").mkdir()
    assert {path.name for path in write_release(run, specification, tmp_path / "out").iterdir()} == NAMES


@pytest.mark.parametrize(
    "held",
    [
        {"thesis.docx": "years of work"},
        {"run.json": "{}", "thesis.docx": "years of work"},
        {"run.json": "[]", "thesis.docx": "years of work"},
        {"run.json": '{"outputs": {}}', "thesis.docx": "years of work"},
        {"run.json": "not json", "thesis.docx": "years of work"},
        {"run.json": '{"outputs": {"estimates.csv": ""}}', "estimates.csv": "", "notes of mine.txt": "years of work"},
    ],
)
def test_a_folder_that_is_not_a_release_is_refused_and_left_untouched(run, specification, tmp_path, held):
    out = tmp_path / "out"
    out.mkdir()
    for name, text in held.items():
        (out / name).write_text(text)
    before = contents(out)
    with pytest.raises(SchemaError, match=r"out (exists and is not a release|holds more than a release).*--out"):
        write_release(run, specification, out)
    assert contents(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_in_the_place_of_the_folder_is_refused_and_left(run, specification, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(SchemaError, match="out exists and is not a release"):
        write_release(run, specification, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_failure_half_way_leaves_the_earlier_release(run, specification, tmp_path, monkeypatch):
    out = write_release(run, specification, tmp_path / "out")
    before = contents(out)

    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(files, "render_page", full)
    with pytest.raises(OSError, match="no space left"):
        write_release(run, specification, out, force=True)
    assert contents(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


# --- the page ---------------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Collects what a page loads, its identifiers and its links."""

    def __init__(self):
        super().__init__()
        self.loaded, self.ids, self.links, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.loaded += [given[name] for name in ("src", "srcset", "data", "action") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []


@pytest.fixture(scope="module")
def page(release):
    return (release / "index.html").read_text(encoding="utf-8")


def test_the_page_loads_nothing_and_links_to_itself_and_its_files_only(page, release):
    reader = Reader()
    reader.feed(page)
    assert reader.loaded == []
    assert not {"link", "iframe", "object", "img"} & set(reader.tags)
    assert "url(" not in page
    assert "@import" not in page
    assert len(set(reader.ids)) == len(reader.ids)
    assert set(reader.links) == {f"#{each}" for each in reader.ids if f"#{each}" in reader.links} | {
        "estimates.csv",
        "notes.csv",
        "run.json",
        *(link for link in reader.links if link.startswith("charts/")),
    }
    assert all((release / link.partition("#")[0]).exists() for link in reader.links)


def test_the_page_shows_every_published_figure_with_its_outcome(page, run):
    for row in run.reproduction.itertuples():
        assert f"<strong>{row.outcome}</strong>" in page
        assert f'<td class="n">{row.published}</td>' in page
    assert page.count("<strong>reproduced</strong>") == (run.reproduction["outcome"] == "reproduced").sum()
    assert page.count("<strong>differs</strong>") == (run.reproduction["outcome"] == "differs").sum()


def test_the_page_shows_the_figures_of_the_strategy_with_limits(page):
    assert "60.23 (59.58 to 60.89)" in page
    assert "59.41 (58.79 to 60.02)" in page


def test_the_page_explains_every_remark_it_uses(page, run):
    for code in {code for cell in run.estimates["quality"] for code in cell.split(";") if code}:
        assert f"<dt><strong>{code.replace('_', ' ')}</strong></dt>" in page


def test_a_hostile_title_is_text(run, specification, tmp_path):
    hostile = specification.model_copy(update={"title": '<script>alert("x")</script>'})
    page = (write_release(run, hostile, tmp_path / "out") / "index.html").read_text(encoding="utf-8")
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in page
