from __future__ import annotations

import shutil

import pandas as pd
import pytest
from pydantic import ValidationError

from nenc_estimates import packaged
from nenc_estimates.crosswalks import Crosswalk
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.packaged import data_folder, read_packaged
from nenc_estimates.specification import Specification
from nenc_estimates.text import FORMULA_STARTS, is_formula, plain, quoted

HOSTILE = [f"{start}cmd|' /C calc'!A0" for start in FORMULA_STARTS]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_starts_as_a_formula_is_refused_and_quoted(text):
    assert is_formula(text)
    assert quoted(text) == f"'{text}"
    with pytest.raises(ValueError, match="starts as a formula does"):
        plain(text)


@pytest.mark.parametrize("text", ["", "Hartlepool", "-1.2", "+5", "-0", "a=1", "North-East", " =1"])
def test_other_text_and_numbers_pass(text):
    assert not is_formula(text)
    assert quoted(text) == plain(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_specification_refuses_such_titles_reasons_and_notes(text):
    weighted = {"indicator": "drug_poisoning_deaths", "edition": "ons_2021"}
    note = {"indicator": "a", "edition": "b", "cause": "method", "note": "why"}
    good = {"title": "t", "weighted": [weighted], "revisions": [note]}
    assert Specification.model_validate(good).title == "t"
    for bad in (
        good | {"title": text},
        good | {"status": text},
        good | {"weighted": [weighted | {"as_published": text}]},
        good | {"revisions": [note | {"note": text}]},
    ):
        with pytest.raises(ValidationError, match="starts as a formula does"):
            Specification.model_validate(bad)


def test_names_and_codes_of_a_table_are_refused():
    shares = pd.DataFrame({"source_code": ["E06000001"], "target_code": ["A"], "share": [1.0], "target_name": ["=1+1"]})
    with pytest.raises(InvalidDataError, match=r"column 'target_name' holds '=1\+1', which starts as a formula does"):
        Crosswalk.from_shares(shares)


def test_a_packaged_file_is_refused(tmp_path, monkeypatch):
    folder = shutil.copytree(data_folder(), tmp_path / "data")
    path, listed = folder / "lookups" / "areas.csv", folder / "lookups" / "manifest.toml"
    before = packaged.hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes().replace(b",Hartlepool,", b",@Hartlepool,"))
    after = packaged.hashlib.sha256(path.read_bytes()).hexdigest()
    listed.write_text(listed.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    monkeypatch.setattr(packaged, "data_folder", lambda: folder)
    packaged.manifest.cache_clear()
    try:
        with pytest.raises(InvalidDataError, match="'@Hartlepool' starts as a formula does"):
            read_packaged.__wrapped__("lookups", "areas.csv")
    finally:
        packaged.manifest.cache_clear()
