"""The site says what is so: its examples run, its links lead somewhere, nothing public is missing."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import shlex
from pathlib import Path

import pytest

import nenc_estimates
from nenc_estimates.cli import main
from nenc_estimates.packaged import manifest, read_packaged

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if not {"_build", "generated"} & set(page.parts))
FENCE = re.compile(r"^ *```(\{code-block\} )?(\w+)\n(?::caption: (\S+)\n\n)?(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s#]*)(?:#[^)\s]*)?\)")


def named(page):
    return page.relative_to(DOCS).as_posix()


def text_of(page):
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def beside():
    """Let the modules of the documentation find each other."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(DOCS)
        yield


@pytest.fixture(scope="session")
def generate(beside):
    specification = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made(generate):
    """Name of each generated page to its text."""
    return dict(generate.pages())


@pytest.mark.parametrize("page", [page for page in PAGES if "```python" in text_of(page)], ids=named)
def test_examples_of_a_page_run_in_order_and_print_what_stands_below_them(page, generate, tmp_path, monkeypatch):
    (tmp_path / generate.download.NAME).write_text(generate.download.download(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names, printed = {}, None
    for _, kind, file, content in FENCE.findall(text_of(page)):
        if kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(content, named(page), "exec"), names)
            printed = out.getvalue()
        elif kind == "text":
            assert printed is not None, f"nothing was run above: {content}"
            assert printed.split() == content.split()
            printed = None
        elif file:
            Path(file).write_text(content, encoding="utf-8")
        elif kind == "sh":
            commands = [shlex.split(line) for line in content.splitlines() if line.startswith("nenc-estimates ")]
            for _, *words in commands:
                assert main(words) == 0


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_examples_are_no_wider_than_the_column_of_the_site(page):
    code = [content for _, kind, _, content in FENCE.findall(text_of(page)) if kind == "python"]
    assert [line for content in code for line in content.splitlines() if len(line) > 84] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_words_are_lost_to_a_line_that_begins_with_a_percent_sign(page):
    assert [line for line in text_of(page).splitlines() if line.lstrip().startswith("%")] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_to_a_file(page, made):
    for target in LINK.findall(text_of(page)):
        if target and not re.match(r"[a-z]+:", target):
            path = (page.parent / target).resolve()
            generated = path.relative_to(DOCS / "generated").as_posix() if DOCS / "generated" in path.parents else ""
            assert path.exists() or generated in made, f"{named(page)}: {target}"


def test_every_public_name_stands_once_in_the_reference(generate, made):
    entry = re.compile(r"^\.\. (?:autoclass|autofunction|py:data):: nenc_estimates\.(\w+)$", re.MULTILINE)
    listed = [name for text in made.values() for name in entry.findall(text)]
    missing = set(nenc_estimates.__all__) - set(listed)
    assert not missing, f"add the modules of {', '.join(sorted(missing))} to SUBJECTS in docs/generate.py"
    assert sorted(listed) == sorted(nenc_estimates.__all__)


def test_every_formula_has_a_page_and_every_page_of_the_reference_is_in_the_menu(made):
    kernels = Path(nenc_estimates.__file__).parent / "kernels"
    assert {f"kernels/{path.stem}.rst" for path in kernels.glob("[a-z]*.py")} <= set(made)
    menu = "".join(text_of(page) for page in PAGES)
    pages = {name.rpartition(".")[0] for name in made if not name.startswith("kernels/")}
    assert {page for page in pages if f"generated/{page}" not in menu} == set()


def test_every_code_kind_indicator_and_file_stands_in_its_table(made):
    for name, held in {
        "quality.md": nenc_estimates.QUALITY,
        "kinds.md": nenc_estimates.KINDS,
        "indicators.md": nenc_estimates.INDICATORS,
    }.items():
        assert {key for key in held if f"| `{key}` |" not in made[name]} == set()
    files = {*manifest("lookups"), *manifest("indicators")}
    assert {name for name in files if f"### {name}\n" not in made["data.md"]} == set()


def test_every_key_of_a_specification_says_what_it_is_for(made):
    rows = [line for line in made["specification.md"].splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_column_of_the_figures_is_explained():
    explained = set(re.findall(r"^`(\w+)`$", text_of(DOCS / "reference" / "columns.md"), flags=re.MULTILINE))
    held = {
        column
        for folder in ("lookups", "indicators")
        for name in manifest(folder)
        for column in read_packaged(folder, name).column_names
    }
    assert held - explained == set()


def test_changed_numbers_are_those_of_the_change_log(generate):
    second = "## 2.0\n\n### Changed numbers\n\nOne, by 0.1.\n\n### Added\n\nMore."
    log = f"# Log\n\n{second}\n\n## 1.0\n\n### Changed numbers\n\nNone.\n"
    assert generate.changed_numbers(log) == [("2.0", "One, by 0.1."), ("1.0", "None.")]
