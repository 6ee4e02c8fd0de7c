"""A release folder is the old one or the new one, whenever the process is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nenc_estimates.errors import SchemaError
from nenc_estimates.publishing.staging import STALE, recover, replace_folder

if TYPE_CHECKING:
    from pathlib import Path

KILLED = 9

WRITER = """
import os, sys
from pathlib import Path
from nenc_estimates.publishing.staging import replace_folder

place, last, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
WATCHED = {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "shutil.rmtree", "tempfile.mkdtemp"}

def write(folder):
    (folder / "charts").mkdir()
    for name in ("a.csv", "charts/b.svg", "run.json"):
        (folder / name).write_text(f"{last} {name}")

def count(event, arguments):
    global left
    if event in WATCHED:
        left -= 1
        if left == 0:
            os._exit(9)

sys.addaudithook(count)
replace_folder(place, write)
"""

NAMES = {"a.csv", "charts/b.svg", "run.json"}


def write(edition: str):
    def fill(folder: Path) -> None:
        (folder / "charts").mkdir()
        for name in sorted(NAMES):
            (folder / name).write_text(f"{edition} {name}")

    return fill


def edition_of(place: Path) -> str:
    """Return the one edition that every file belongs to; fail where files are missing or mixed."""
    found = {str(path.relative_to(place)): path.read_text() for path in place.rglob("*") if path.is_file()}
    editions = {text.split(" ")[0] for text in found.values()}
    assert set(found) == NAMES
    assert len(editions) == 1
    return editions.pop()


def killed_at(step: int, place: Path) -> int:
    return subprocess.run([sys.executable, "-c", WRITER, str(place), "new", str(step)], check=False).returncode


@pytest.mark.skipif(os.name != "posix", reason="the audit events counted here are those of POSIX systems")
def test_a_kill_at_any_step_leaves_the_old_folder_or_the_new_one(tmp_path):
    left, step, status = [], 0, KILLED
    while status == KILLED:
        step += 1
        place = tmp_path / str(step) / "release"
        replace_folder(place, write("old"))
        status = killed_at(step, place)
        recover(place)
        left.append(edition_of(place))
    assert status == 0
    assert step > 20, "the steps of a replacement were not counted"
    changed = left.index("new")
    assert left == ["old"] * changed + ["new"] * (len(left) - changed)


@pytest.mark.skipif(os.name != "posix", reason="the audit events counted here are those of POSIX systems")
def test_a_kill_of_the_first_writing_leaves_nothing_or_the_whole(tmp_path):
    step, status = 0, KILLED
    while status == KILLED:
        step += 1
        place = tmp_path / str(step) / "release"
        place.parent.mkdir()
        status = killed_at(step, place)
        recover(place)
        assert not place.exists() or edition_of(place) == "new"
    assert status == 0


def test_a_kill_between_the_two_renames_is_mended_by_the_next_run(tmp_path):
    place = tmp_path / "release"
    replace_folder(place, write("old"))
    place.rename(tmp_path / ".release.old")
    recover(place)
    assert edition_of(place) == "old"
    place.rename(tmp_path / ".release.old")
    replace_folder(place, write("new"))
    assert edition_of(place) == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_what_a_killed_run_left_is_cleared_once_it_is_stale(tmp_path):
    place, fresh, stale = tmp_path / "release", tmp_path / ".release.new-a", tmp_path / ".release.new-b"
    for folder in (fresh, stale):
        folder.mkdir()
    os.utime(stale, (0, stale.stat().st_mtime - STALE - 1))
    replace_folder(place, write("new"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".release.new-a", "release"]


def test_a_failure_while_writing_leaves_the_old_folder_and_no_litter(tmp_path):
    place = tmp_path / "release"
    replace_folder(place, write("old"))

    def fail(folder: Path) -> None:
        (folder / "a.csv").write_text("new a.csv")
        raise RuntimeError("no space left")

    with pytest.raises(RuntimeError, match="no space left"):
        replace_folder(place, fail)
    assert edition_of(place) == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_a_second_writer_to_the_same_place_is_told_and_the_first_one_stays(tmp_path):
    place = tmp_path / "release"

    def interrupted(folder: Path) -> None:
        (folder / "run.json").write_text("late run.json")
        folder.rename(tmp_path / "taken by another process")

    replace_folder(place, write("old"))
    with pytest.raises(SchemaError, match="release could not be replaced"):
        replace_folder(place, interrupted)
    assert edition_of(place) == "old"
