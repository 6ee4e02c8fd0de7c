"""The README says what is so: its example prints what stands below it."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    """Return the first fenced block of a kind."""
    found = re.search(rf"```{kind}\n(.*?)```", README, flags=re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_example_prints_what_the_readme_shows():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("python"), "README.md", "exec"), {})
    assert printed.getvalue().split() == block("text").split()


def test_the_readme_is_short_and_its_map_leads_somewhere():
    assert README.count("\n") <= 150
    source = Path(__file__).parents[1] / "src" / "nenc_estimates"
    named = set(re.findall(r"`([a-z_]+\.py)`", README))
    assert named
    assert {name for name in named if not (source / name).is_file()} == set()
