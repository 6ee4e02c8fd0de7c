from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nenc_estimates.cli import main
from nenc_estimates.errors import SchemaError
from nenc_estimates.packaged import data_folder
from nenc_estimates.publishing.files import write_release
from nenc_estimates.publishing.revisions import (
    KEY,
    NUMBERS,
    Release,
    changed_numbers,
    compare,
    mark_revised,
    read_release,
    summary,
    unexplained,
    write_digest,
)
from nenc_estimates.specification import Revision

NOTE = Revision(indicator="smoking", edition="a_2020", cause="correction", note="Eden was counted twice.")


def rows(*numbers, indicator="smoking", edition="a_2020"):
    """One row a period from 2001 on: (value, lower, upper)."""
    table = pd.DataFrame(numbers, columns=list(NUMBERS), dtype=float)
    periods = [str(2001 + i) for i in range(len(table))]
    keyed = table.assign(
        indicator=indicator, edition=edition, area_code="A", sex="Male", age="all", period=periods, number=""
    )
    return keyed[[*KEY, *NUMBERS]]


def release(table, *notes, **inputs):
    files = {"indicators/smoking_a_2020.csv": "1", "lookups/areas.csv": "1"} | {
        name.replace("__", "/") + ".csv": checksum for name, checksum in inputs.items()
    }
    written = {"revisions": [note.model_dump(mode="json") for note in notes]}
    return Release(estimates=table, record={"inputs": files, "versions": {}, "specification": written})


OLD = rows((10, 9, 11), (20, np.nan, np.nan), (30, 29, 31))


def test_equal_releases_have_no_changes():
    changes = compare(release(OLD), release(OLD.iloc[::-1]))
    assert len(changes) == 0
    assert summary(changes, numbers=3) == "0 of 3 released numbers revised, 0 withdrawn; 0 added."


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ((10.1, 9, 11), "revised"),
        ((10, 9.1, 11), "revised"),
        ((10, 9, np.nan), "revised"),
        ((np.nan, np.nan, np.nan), "revised"),
        ((10 * (1 + 1e-5), 9, 11), "revised"),
        ((10 * (1 + 1e-8), 9, 11), None),
    ],
)
def test_a_value_or_a_limit_that_differs_is_revised(row, what):
    changes = changed_numbers(OLD, rows(row, (20, np.nan, np.nan), (30, 29, 31)))
    assert changes["what"].tolist() == ([what] if what else [])


def test_rows_that_go_are_withdrawn_and_rows_that_come_are_added():
    changes = compare(release(OLD), release(pd.concat([OLD.iloc[1:], rows((1, 0, 2), indicator="new")])))
    assert dict(zip(changes["indicator"], changes["what"], strict=True)) == {"new": "added", "smoking": "withdrawn"}
    assert unexplained(changes)["what"].tolist() == ["withdrawn"]


def test_the_change_is_new_less_old_and_is_marked():
    changes = compare(release(OLD), release(rows((10, 9, 11), (18.5, np.nan, np.nan), (30, 29, 31))))
    assert changes[["period", "change", "mark"]].to_numpy().tolist() == [["2002", -1.5, "[r]"]]


@pytest.mark.parametrize(
    ("inputs", "cause"),
    [
        ({"indicators__smoking_a_2020": "2"}, "data edition"),
        ({"indicators__smoking_b_2020": "2", "lookups__areas": "2"}, "lookup"),
        ({"lookups__population": "1"}, "lookup"),
        ({"indicators__smoking_b_2020": "2"}, "method"),
        ({}, "method"),
    ],
)
def test_without_a_note_the_records_say_the_cause(inputs, cause):
    changes = compare(release(OLD), release(OLD.assign(value=1.0), **inputs))
    assert set(changes["cause"]) == {cause}
    assert len(unexplained(changes)) == 3
    assert f"smoking a_2020: 3 revised ({cause}). NO NOTE SAYS WHY." in summary(changes, numbers=3)


def test_an_edition_made_of_two_changes_with_either():
    table = rows((1, 0, 2), indicator="ill_health_share", edition="h_1 with l_2")
    changes = compare(release(table), release(table.assign(value=3.0), indicators__le_birth_l_2="2"))
    assert changes["cause"].tolist() == ["data edition"]


def test_a_note_names_the_cause_and_explains_its_periods_only():
    note = NOTE.model_copy(update={"periods": ("2002",)})
    changes = compare(release(OLD), release(OLD.assign(value=1.0), note, indicators__smoking_a_2020="2"))
    assert changes["cause"].tolist() == ["data edition", "correction", "data edition"]
    assert unexplained(changes)["period"].tolist() == ["2001", "2003"]
    assert len(unexplained(compare(release(OLD), release(OLD.assign(value=1.0), NOTE)))) == 0


def test_a_note_on_another_edition_explains_nothing():
    note = NOTE.model_copy(update={"edition": "b_2020"})
    assert len(unexplained(compare(release(OLD), release(OLD.assign(value=1.0), note)))) == 3


def test_the_summary_names_the_largest_changes_first_and_says_how_many_more():
    old = rows(*[(i, np.nan, np.nan) for i in range(10)])
    text = summary(compare(release(old), release(old.assign(value=old["value"] * 1.5), NOTE)), numbers=10)
    assert "9 of 10 released numbers revised" in text
    assert "smoking a_2020: 9 revised (correction). Eden was counted twice." in text
    assert "\n  A, Male, all, 2010: 9.000 -> 13.500, +4.500 [r]\n  A, Male, all, 2009: 8.000" in text
    assert text.endswith("and 4 more")


def test_noted_changes_are_marked_as_revised_in_the_new_release():
    new = OLD.assign(value=[10.0, 21.0, 31.0], quality=["", "", "incomplete"])
    note = NOTE.model_copy(update={"periods": ("2001", "2003")})
    assert mark_revised(new, OLD, [note])["quality"].tolist() == ["", "", "incomplete;revised"]
    assert mark_revised(new, OLD, []) is new


# --- folders ----------------------------------------------------------------------------------------------------------


def test_a_digest_agrees_with_its_release_and_is_small(release_folder, tmp_path):
    made = read_release(release_folder)
    write_digest(made, tmp_path / "digest")
    assert len(compare(read_release(tmp_path / "digest"), made)) == 0
    assert sum(path.stat().st_size for path in (tmp_path / "digest").iterdir()) < 200_000


@pytest.fixture
def release_folder(run, specification, tmp_path):
    return write_release(run, specification, tmp_path / "made")


def test_the_packaged_digest_agrees_with_the_release(release_folder):
    changes = compare(read_release(data_folder() / "released"), read_release(release_folder))
    assert unexplained(changes)[[*KEY, "value_old", "value"]].to_numpy().tolist() == []


def test_a_table_changed_by_hand_is_refused(release_folder):
    table = release_folder / "estimates.csv"
    table.write_text(table.read_text().replace("60.2", "61.2"))
    with pytest.raises(SchemaError, match=r"estimates\.csv and goals\.csv are not as they were written"):
        read_release(release_folder)


@pytest.mark.parametrize("record", [None, "{}", "[]", "no json", '{"outputs": {}}'])
def test_a_folder_without_the_record_of_a_release_is_refused(record, tmp_path):
    if record is not None:
        (tmp_path / "run.json").write_text(record)
        (tmp_path / "estimates.csv").write_text("")
    with pytest.raises(SchemaError, match="is not a release"):
        read_release(tmp_path)


def test_compare_succeeds_on_equal_releases_and_fails_on_an_unexplained_change(
    run, specification, release_folder, tmp_path, capsys
):
    old = shutil.copytree(release_folder, tmp_path / "old")
    assert main(["compare", str(old), str(release_folder)]) == 0
    moved = replace(run, estimates=run.estimates.assign(value=run.estimates["value"] + 1))
    write_release(moved, specification, release_folder, force=True)
    assert main(["compare", str(old), str(release_folder)]) == 1
    out, err = capsys.readouterr()
    assert "NO NOTE SAYS WHY" in out
    assert "released numbers changed without a note. Say why under [[revisions]]" in err


def test_a_goal_that_changed_is_a_number_that_changed(run, specification, release_folder, tmp_path, capsys):
    old = shutil.copytree(release_folder, tmp_path / "old")
    moved = run.goals.assign(probability=run.goals["probability"] / 2)
    write_release(replace(run, goals=moved), specification, release_folder, force=True)
    assert main(["compare", str(old), str(release_folder)]) == 1
    changes = compare(read_release(old), read_release(release_folder))
    assert len(changes) == (run.goals["probability"] > 0).sum()
    assert changes["number"].str.endswith(": probability").all()
    assert "goal 1c" in capsys.readouterr().out


def test_an_update_makes_the_old_folder_the_digest_of_the_new_release(run, specification, release_folder, tmp_path):
    digest = tmp_path / "digest"
    write_digest(read_release(release_folder), digest)
    moved = replace(run, estimates=run.estimates.assign(value=run.estimates["value"] + 1))
    write_release(moved, specification, release_folder, force=True)
    assert main(["compare", str(digest), str(release_folder)]) == 1
    assert main(["compare", str(digest), str(release_folder), "--update"]) == 0
    assert main(["compare", str(digest), str(release_folder)]) == 0


def test_a_note_in_the_specification_marks_what_it_explains(run, specification, tmp_path):
    note = Revision(indicator="smoking", edition="ohid_2024_08", cause="correction", note="moved for this test")
    moved = run.estimates.assign(value=run.estimates["value"] + (run.estimates["indicator"] == "smoking"))
    noted = specification.model_copy(update={"revisions": (note,)})
    out = write_release(replace(run, estimates=moved), noted, tmp_path / "out")
    written = pd.read_csv(out / "estimates.csv", keep_default_na=False)
    marked = written["quality"].str.contains("revised")
    assert set(zip(written["indicator"][marked], written["edition"][marked], strict=True)) == {
        ("smoking", "ohid_2024_08")
    }
    assert marked.sum() == ((moved["indicator"] == "smoking") & (moved["edition"] == "ohid_2024_08")).sum()
    assert main(["compare", str(data_folder() / "released"), str(out)]) == 1  # the other editions have no note
