"""Pages that are made from the code and the data at each build: reference, specification, data, changed numbers."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import json
import os
import re
from collections.abc import Mapping
from importlib import import_module
from inspect import cleandoc, getdoc, getsource, isclass, ismodule, isroutine
from itertools import pairwise
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

import download

import nenc_estimates
from nenc_estimates import INDICATORS, KINDS, QUALITY, kernels
from nenc_estimates.cli import main
from nenc_estimates.kinds import NOT_AGGREGABLE
from nenc_estimates.packaged import data_folder, manifest
from nenc_estimates.publishing.charts import draw_charts
from nenc_estimates.specification import Specification

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).parents[1]

SUBJECTS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "reading": ("Read files", "From the files that analysts have to tidy tables.", ("readers",)),
    "areas": (
        "Areas, people and periods",
        "Which share of an area lies inside, how many people live there, and what a period or an age band is.",
        ("crosswalks", "denominators", "weights", "vintages", "periods", "age_bands", "missing"),
    ),
    "weighting": (
        "Weight and pool indicators",
        "Estimates for an area from the published values of local authorities, and what they rest on.",
        ("weighting", "diagnostics", "comparisons", "indicators", "kinds", "quality"),
    ),
    "expectancy": (
        "Life and healthy life expectancy",
        "Life tables from deaths and people; Sullivan's method; what is withheld.",
        ("life_expectancy", "healthy_life_expectancy", "withholding"),
    ),
    "inequality": (
        "Deprivation and inequality",
        "Quantiles of deprivation, gaps between them, and slope and relative indices.",
        ("deprivation", "inequality", "gap_comparisons", "quantile_tables"),
    ),
    "decomposition": (
        "Where a gap comes from",
        "Ages, causes of death, mortality and health.",
        ("decomposition", "decomposition_questions"),
    ),
    "rates": ("Standardised rates", "Directly and indirectly, and their ratios.", ("standardised_rates",)),
    "scale": (
        "Many records",
        "Counts on the engine that holds the records; more life tables than fit in memory.",
        ("counting", "streaming"),
    ),
    "simulation": (
        "Simulation",
        "Uncertainty of any estimate from joint draws of its figures.",
        ("uncertainty", "life_expectancy_draws", "draws"),
    ),
    "goals": (
        "Trajectories and goals",
        "What happens if nothing changes, and whether a goal will be met.",
        ("trajectories", "forecasts", "recent_trends", "backtests", "goals", "assessments"),
    ),
    "release": ("Releases", "The specification, the run, the files.", ("specification", "release")),
    "errors": ("Errors", "What is raised when an estimate could not be right.", ("errors",)),
}
"""Page to its title, its first sentence and the modules whose public names stand on it."""

RESULTS: Mapping[str, tuple[str, ...]] = {
    "areas": ("vintages.Selection",),
    "weighting": ("diagnostics.DIAGNOSTICS",),
    "goals": ("series.stack_windows", "series.match_reference", "series.SERIES_KEYS", "series.STANDARD_ERRORS"),
    "release": (
        "release.Run",
        "publishing.files.write_release",
        "publishing.contributions.draw_contributions",
        "publishing.drawing.Chart",
        "publishing.drawing.png",
        "publishing.disclosure.DisclosurePolicy",
        "publishing.disclosure.disclose",
        "publishing.revisions.read_release",
        "publishing.revisions.compare",
        "publishing.revisions.changed_numbers",
        "publishing.revisions.write_digest",
    ),
}
"""Page to names that are not in the short list but are met by whoever uses those that are."""

PAGES: Mapping[str, str] = {"QUALITY": "quality", "KINDS": "kinds", "INDICATORS": "indicators"}
"""Registry to the page that lists it."""

ELSEWHERE: list[tuple[str, str]] = [("py:class", r"(?!nenc_estimates).*"), ("py:exc", r"(?!nenc_estimates|\w+$).*")]
"""What is not looked up: types are words, shapes and names of other packages, which have no page here."""


def write(out: Path) -> None:
    """Write every generated page, touching only those that changed."""
    for name, text in pages():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    _picture(out / "parts")
    (out / "parts" / download.NAME).write_text(download.download(), encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """Make every page: its path below ``generated`` and its text."""
    yield from ((f"{name}.rst", text) for name, text in _api())
    yield from ((f"{name}.md", text) for name, text in _tables())


# --- from docstrings --------------------------------------------------------------------------------------------------


def public_names(page: str) -> list[str]:
    """List the public names that stand on a page of the reference."""
    homes = nenc_estimates._HOME  # noqa: SLF001 - the list of where names live is the index of this reference
    return sorted((name for name, home in homes.items() if home in SUBJECTS[page][2]), key=str.casefold)


def _api() -> Iterator[tuple[str, str]]:
    for page, (title, words, _) in SUBJECTS.items():
        names = [f"nenc_estimates.{name}" for name in public_names(page)]
        more = [f"nenc_estimates.{name}" for name in RESULTS.get(page, ())]
        shown = [*(f"~{name}" for name in names), *more]
        listed = "\n".join(f":py:obj:`{name}`\n   {_first_line(name.lstrip('~'))}" for name in shown)
        yield f"api/{page}", "\n\n".join([_heading(title), words, listed, *map(_entry, names + more)]) + "\n"
    modules = sorted(path.stem for path in Path(kernels.__file__).parent.glob("[a-z]*.py"))
    for name in modules:
        full = f"nenc_estimates.kernels.{name}"
        yield f"kernels/{name}", f"{_heading(name)}\n\n``{full}``\n\n.. automodule:: {full}\n   :members:\n"
    table = "\n".join(f":doc:`{name}`\n   {_first_line(f'nenc_estimates.kernels.{name}')}" for name in modules)
    toc = ".. toctree::\n   :hidden:\n\n" + "\n".join(f"   {name}" for name in modules)
    yield "kernels/index", "\n\n".join([_heading("Formulas"), ".. automodule:: nenc_estimates.kernels", table, toc])


def _heading(text: str) -> str:
    return f"{text}\n{'=' * len(text)}"


def _find(name: str) -> Any:
    """Return the module or object of a full name."""
    with contextlib.suppress(ModuleNotFoundError):
        return import_module(name)
    module, _, last = name.rpartition(".")
    return getattr(import_module(module), last)


def _first_line(name: str) -> str:
    found = _find(name)
    described = isclass(found) or isroutine(found) or ismodule(found)
    return ((getdoc(found) if described else _constant_words(name)) or "").split("\n\n")[0].replace("\n", " ")


def _entry(name: str) -> str:
    found, last = _find(name), name.rpartition(".")[2]
    if ismodule(found):
        return f".. automodule:: {name}\n   :members:"
    if isclass(found):
        return f".. autoclass:: {name}\n   :members:"
    if isroutine(found):
        return f".. autofunction:: {name}"
    words = _constant_words(name) or ""
    if last in PAGES:
        words += f"\n\nAll of them: :doc:`../{PAGES[last]}`."
    elif isinstance(found, Mapping):
        words += "\n\n" + "\n".join(f"- ``{key}``: {value}" for key, value in found.items())
    elif isinstance(found, tuple):
        words += "\n\n" + ", ".join(f"``{value}``" for value in found)
    return f".. py:data:: {name}\n\n{indent(words, '   ')}"


def _constant_words(name: str) -> str | None:
    """Return the string under a constant, in the module where the constant lives."""
    home, _, last = name.rpartition(".")
    if home == "nenc_estimates" and last in nenc_estimates._HOME:  # noqa: SLF001
        home = f"nenc_estimates.{nenc_estimates._HOME[last]}"  # noqa: SLF001
        home = getattr(import_module(home), "__name__", home)
    for module in (home, *_below(home)):
        words = _words_under(module, last)
        if words:
            return words
    return None


def _words_under(module: str, name: str) -> str | None:
    """Return the string that stands under an assignment in a module."""
    body = ast.parse(getsource(import_module(module))).body
    for statement, below in pairwise(body):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        if named and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            return cleandoc(below.value.value)
    return None


def _below(package: str) -> list[str]:
    path = getattr(import_module(package), "__path__", None)
    return [f"{package}.{file.stem}" for file in sorted(Path(path[0]).glob("[a-z]*.py"))] if path else []


# --- from registries, models and manifests ----------------------------------------------------------------------------


def _tables() -> Iterator[tuple[str, str]]:
    yield "quality", _page("Quality codes", _QUALITY, _table(("code", "meaning"), _coded(QUALITY)))
    kinds = _table(("kind", "how it is aggregated"), _coded(KINDS))
    refused = _table(("kind", "what is needed instead"), _coded(NOT_AGGREGABLE))
    yield "kinds", _page("Kinds of indicator", _KINDS, kinds, "## Kinds that are refused", refused)
    rows = [(f"`{i.id}`", i.name, i.unit, i.kind, i.denominator and f"`{i.denominator}`") for i in INDICATORS.values()]
    listed = _table(("id", "indicator", "unit", "kind", "weighted by"), rows)
    yield "indicators", _page("Indicators that travel with the package", _INDICATORS, listed)
    yield "specification", _page("The specification of a release", _SPECIFICATION, *_sections())
    yield "command-line", _page("Command line", *_commands())
    yield "data", _page("Data dictionary", _DATA, *_dictionary())
    yield "changed-numbers", _page("Changed numbers", _CHANGES, *_changed())


_QUALITY = (
    "Every code that can stand in a `quality` column; several are separated by a semicolon. Look before you quote."
)
_KINDS = "`kind=` of {py:func}`~nenc_estimates.estimate_indicator`: what a number is decides how it may be added up."
_INDICATORS = (
    "Read them with {py:func}`~nenc_estimates.read_indicator`; their editions are in the [data dictionary](data.md)."
)
_SPECIFICATION = (
    "What `nenc-estimates publish --spec FILE` reads: a TOML file. An unknown key is refused, with the nearest one."
    " `nenc-estimates publish` without `--spec` reads the one that travels with the package."
)
_DATA = (
    "Every file of figures that travels with the package. A manifest lists each with its checksum; a file that is not"
    " the one listed is not read. What the columns mean is under [columns](../reference/columns.md)."
)
_CHANGES = "Which numbers changed with each version, by how much and why. Taken from the change log."


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in cells)


def _coded(mapping: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(f"`{key}`", words) for key, words in mapping.items()]


def _sections() -> Iterator[str]:
    """One part for the top level and one for each section, from the schema of the model."""
    schema = Specification.model_json_schema()
    yield _keys("At the top", schema)
    for key, field in schema["properties"].items():
        name = f"[[{key}]]" if field.get("type") == "array" else f"[{key}]"
        for i, model in enumerate(re.findall(r"#/\$defs/(\w+)", str(field))):
            yield _keys(f"`{name}`" if i == 0 else f"`{name}`, or", schema["$defs"][model])


def _keys(title: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (
            f"`{key}`",
            _type(field),
            "**required**" if key in required else _default(field),
            field.get("description", "").replace("``", "`"),
        )
        for key, field in schema["properties"].items()
    ]
    return "\n\n".join([f"## {title}", _words(schema), _table(("key", "value", "default", "meaning"), rows)])


def _words(field: Mapping[str, Any]) -> str:
    return str(field.get("description", "")).replace("``", "`")


def _type(field: Mapping[str, Any]) -> str:
    options = field.get("anyOf", field.get("oneOf"))
    if options:
        return " or ".join(dict.fromkeys(filter(None, map(_type, options))))
    if "$ref" in field:
        return "section"
    if "enum" in field:
        return " or ".join(f'`"{value}"`' for value in field["enum"])
    if "prefixItems" in field:
        return f"list of {len(field['prefixItems'])}: {_type(field['prefixItems'][0])}"
    if field.get("type") == "array":
        item = _type(field["items"])
        return "sections" if item == "section" else f"list of {item}"
    limits = [f"{sign} {field[key]:g}" for key, sign in _LIMITS.items() if key in field]
    return ", ".join([_TYPES[field["type"]], *limits])


_TYPES = {
    "string": "text",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "table",
    "null": "",
}
_LIMITS = {"minimum": "at least", "maximum": "at most"}


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    return "" if value is None or value == [] else f"`{json.dumps(value)}`"


def _commands() -> Iterator[str]:
    text = _help()
    yield f"```text\n{text}```"
    for name in re.findall(r"^    (\w+) ", text, flags=re.MULTILINE):
        yield f"## nenc-estimates {name}\n\n```text\n{_help(name)}```"
    yield (
        "Exit status: 0 all is well; 1 a published figure comes out otherwise than expected, or a released number"
        " changed without a note; 2 the specification or the data stop the run, and the message says where."
    )


def _help(*words: str) -> str:
    """Return what ``--help`` prints, at one width wherever it is built."""
    printed, before = io.StringIO(), os.environ.get("COLUMNS")
    os.environ.update(COLUMNS="100", NO_COLOR="1")
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main([*words, "--help"])
    os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)
    return printed.getvalue()


def _dictionary() -> Iterator[str]:
    for folder, title in (("indicators", "Figures of local authorities"), ("lookups", "Lookups, people, goals")):
        yield f"## {title}"
        for name, entry in manifest(folder).items():
            with (data_folder() / folder / name).open(encoding="utf-8", newline="") as file:
                columns = next(csv.reader(file))
            facts = {
                "Publisher": entry.publisher,
                "Edition": entry.edition,
                "Read as": f"`read_indicator({entry.indicator!r}, edition={entry.edition_id!r})`"
                if entry.edition_id
                else f"`read_table({Path(name).stem!r})`",
                "Status": entry.status,
                "Population series": entry.series,
                "Shares count": entry.basis,
                "Licence": entry.licence,
                "Set down here": str(entry.retrieved),
                "Rows": f"{entry.rows:,}",
                "Columns": ", ".join(f"`{column}`" for column in columns),
            }
            rows = [f"- **{key}**: {value}" for key, value in facts.items() if value]
            yield "\n".join([f"### {name}\n\n{entry.title}.\n", *rows])


def changed_numbers(text: str) -> list[tuple[str, str]]:
    """Return version and words of every "Changed numbers" in a change log."""
    versions = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    found = []
    for version, words in zip(versions[::2], versions[1::2], strict=True):
        changed = re.search(r"^### Changed numbers\n(.*?)(?=^### |\Z)", words, flags=re.MULTILINE | re.DOTALL)
        found += [(version, changed.group(1).strip())] if changed else []
    return found


def _changed() -> Iterator[str]:
    for version, words in changed_numbers((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")):
        yield f"## {version}\n\n{words}"


# --- a picture of the release -----------------------------------------------------------------------------------------

PICTURE = "area-e54000050-hle-birth-female"


def _picture(out: Path) -> None:
    """Draw one chart of the release, with its words."""
    chart = draw_charts(nenc_estimates.run_release(nenc_estimates.read_specification()))[PICTURE]
    out.mkdir(parents=True, exist_ok=True)
    (out / "picture.svg").write_text(chart.svg, encoding="utf-8")
    (out / "picture.md").write_text(f"![{chart.alt}](generated/parts/picture.svg)\n", encoding="utf-8")
