"""The notebooks are stripped, numbered and built alike; that they run is the business of nbmake."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def cells(path: Path, kind: str) -> list[str]:
    """Return the text of each cell of a kind."""
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def test_they_are_numbered_without_gaps():
    assert [path.name.partition("_")[0] for path in NOTEBOOKS] == [str(i) for i in range(1, 8)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped_and_metadata_minimal(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"] == METADATA
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_asks_one_question_answers_it_first_and_last_and_says_what_can_go_wrong(path):
    words, code = cells(path, "markdown"), cells(path, "code")
    assert re.match(rf"# {path.name[0]} · [^\n]*\?\n", words[0])
    assert [text for text in words if re.search(r"^# ", text, flags=re.MULTILINE)] == words[:1]
    assert "**In short:**" in words[0]
    (box,) = [text for text in words if text.startswith("## What can go wrong\n")]
    assert 3 <= len(re.findall(r"^> [0-9]\. ", box, flags=re.MULTILINE)) <= 5
    assert words[-1].startswith("## The answer")
    assert "assert " in code[-1], "what the text says is asserted"
    assert "answer" in code[-1]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_only_what_the_package_ships_is_read_and_every_chart_names_its_source(path):
    code = cells(path, "code")
    assert not re.search(r"https?:|urllib|requests|\.\./", "\n".join(code))
    charts = [text for text in code if "plt.subplots" in text]
    assert charts
    assert all(re.search("Sources?: ", text) and "title" in text for text in charts)
