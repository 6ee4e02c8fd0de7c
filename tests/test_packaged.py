from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

import nenc_estimates
from nenc_estimates import packaged
from nenc_estimates.areas import areas
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.indicators import INDICATORS
from nenc_estimates.packaged import COLUMN_TYPES, data_folder, indicator_files, manifest, read_packaged
from nenc_estimates.periods import Period
from nenc_estimates.readers import read_indicator, read_table

FILES = [(folder, name) for folder in ("lookups", "indicators") for name in manifest(folder)]


@pytest.mark.parametrize(("folder", "name"), FILES, ids=[name for _, name in FILES])
def test_every_file_is_the_one_its_manifest_describes(folder, name):
    entry, content = manifest(folder)[name], (data_folder() / folder / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry.sha256
    assert content.count(b"\n") == entry.rows + 1
    assert b"\r" not in content
    assert all((entry.title, entry.publisher, entry.edition, entry.licence, entry.retrieved))
    assert read_packaged(folder, name).num_rows == entry.rows


@pytest.mark.parametrize("folder", ["lookups", "indicators"])
def test_every_file_in_the_folder_is_named(folder):
    held = {path.name for path in (data_folder() / folder).iterdir()}
    assert held == {*manifest(folder), "manifest.toml"}


def test_licences_are_the_open_government_licence_or_a_citation():
    assert {manifest(folder)[name].licence for folder, name in FILES} == {
        "Open Government Licence v3.0",
        "Figures of a public document, cited",
        "Figures of public documents, cited",
        "Invented figures, MIT",
    }


@pytest.mark.parametrize(("folder", "name"), FILES, ids=[name for _, name in FILES])
def test_codes_in_every_file_are_known_areas(folder, name):
    table = read_packaged(folder, name)
    for column in {"area_code", "source_code", "target_code"} & set(table.column_names):
        assert set(table[column].to_pylist()) <= set(areas())


@pytest.mark.parametrize(("indicator", "edition"), indicator_files())
def test_every_indicator_file_has_the_schema_unique_keys_and_possible_values(indicator, edition):
    frame = read_indicator(indicator, edition=edition)
    columns = ["area_code", "area_name", "sex", "age", "period", "value", "lower", "upper"]
    assert frame.columns.tolist() == columns
    assert not frame.duplicated(["area_code", "sex", "age", "period"]).any()
    assert set(frame["sex"]) <= {"Male", "Female", "Persons"}
    assert all(Period.parse(label) for label in frame["period"].unique())
    assert (frame["lower"].isna() == frame["upper"].isna()).all()
    limited = frame.dropna(subset=["lower"])
    assert ((limited["lower"] <= limited["value"]) & (limited["value"] <= limited["upper"])).all()
    highest = 100 if INDICATORS[indicator].kind == "proportion" else float("inf")
    lowest = -float("inf") if INDICATORS[indicator].kind == "mean" else 0  # a slope index may point the other way
    assert frame["value"].dropna().between(lowest, highest).all()


def test_every_indicator_has_a_file():
    assert {indicator for indicator, _ in indicator_files()} == set(INDICATORS)


def test_text_stays_text_and_an_empty_number_is_null():
    table = read_packaged("lookups", "areas.csv")
    assert table["parent"].null_count == 0
    smoking = read_packaged("indicators", "smoking_ohid_2026_04.csv")
    assert smoking["value"].null_count > 0
    assert str(smoking.schema.field("value").type) == COLUMN_TYPES["value"].replace("float64", "double")


@pytest.mark.parametrize(("folder", "name"), FILES, ids=[name for _, name in FILES])
def test_every_table_is_read_by_its_name(folder, name):
    pd.testing.assert_frame_equal(read_table(Path(name).stem), read_packaged(folder, name).to_pandas())


def test_a_table_that_is_not_there_lists_those_there_are():
    with pytest.raises(SchemaError, match=r"no packaged table 'deaths'\. There are: .*deaths_by_age_ons_2014"):
        read_table("deaths")


def test_a_missing_edition_lists_those_there_are():
    with pytest.raises(
        SchemaError, match=r"no packaged indicator 'hle_birth' in edition 'ons_2021'. There are: alcohol"
    ):
        read_indicator("hle_birth", edition="ons_2021")


# --- a copy that someone has touched --------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the data in another place, where the package now looks for them."""
    folder = shutil.copytree(data_folder(), tmp_path / "data")
    monkeypatch.setattr(packaged, "data_folder", lambda: folder)
    for cached in (manifest, read_packaged):
        cached.cache_clear()
    yield folder
    for cached in (manifest, read_packaged):
        cached.cache_clear()


def test_an_unnamed_file_is_not_read(copy):
    (copy / "lookups" / "more.csv").write_text("a\n1\n")
    with pytest.raises(SchemaError, match=r"'more.csv' is not in the manifest of data/lookups. It names: areas.csv"):
        read_packaged("lookups", "more.csv")
    with pytest.raises(SchemaError, match="is not in the manifest"):
        read_packaged("lookups", "../lookups/areas.csv")


def test_an_altered_file_is_not_read(copy):
    path = copy / "indicators" / "smoking_ohid_2024_08.csv"
    path.write_bytes(path.read_bytes().replace(b"23.5", b"13.5", 1))
    with pytest.raises(InvalidDataError, match=r"data/indicators/smoking_ohid_2024_08.csv is not the file .*sha256"):
        read_packaged("indicators", path.name)


def test_a_manifest_that_miscounts_rows_is_found_out(copy):
    path = copy / "lookups" / "manifest.toml"
    path.write_text(path.read_text().replace("rows = 40\n", "rows = 41\n", 1))
    with pytest.raises(InvalidDataError, match=r"areas.csv has 40 rows; its manifest says 41"):
        read_packaged("lookups", "areas.csv")


def test_an_unknown_key_in_the_manifest_is_refused(copy):
    path = copy / "lookups" / "manifest.toml"
    path.write_text(path.read_text().replace("rows = 40\n", "rows = 40\nlines = 41\n", 1))
    with pytest.raises(ValidationError, match="lines"):
        manifest("lookups")


def test_data_are_found_in_a_wheel_and_beside_the_source(tmp_path, monkeypatch):
    root = Path(nenc_estimates.__file__).parent
    beside = data_folder()
    assert beside in (root / "data", root.parents[1] / "data")
    monkeypatch.setattr(packaged, "files", lambda _: tmp_path)
    monkeypatch.setattr(packaged, "__file__", str(tmp_path / "src" / "nenc_estimates" / "packaged.py"))
    assert data_folder() == (tmp_path / "data").resolve()
    (tmp_path / "data").mkdir()
    assert data_folder() == tmp_path / "data"
