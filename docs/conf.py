"""Sphinx configuration. The page loads nothing from elsewhere: no fonts, scripts or inventories of other sites."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

import generate

import nenc_estimates

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PUBLIC = re.compile(rf"``({'|'.join(nenc_estimates.__all__)})``")
DOI = re.compile(r"\bdoi:(10\.\d+/[^\s,;]+[^\s,;.])")

project = "nenc_estimates"
author = "nenc_estimates contributors"
project_copyright = "nenc_estimates contributors"
version = release = installed("nenc-estimates")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "mathml",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "generated/parts"]
root_doc = "index"
add_module_names = False
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = generate.ELSEWHERE

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"  # the docstrings say shape, meaning and unit; editors show the types
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_attr_annotations = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "nenc_estimates"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"


def setup(app: Sphinx) -> None:
    """Make the generated pages before Sphinx looks for pages; keep the words under constants as they are."""
    app.connect("builder-inited", lambda app: generate.write(Path(app.srcdir) / "generated"))
    kept: dict[str, list[str]] = {}

    def link(_app: Sphinx, _what: str, _name: str, _found: object, _options: object, lines: list[str]) -> None:
        # a public name between double backticks leads to its entry, a DOI to the paper, without markup in the docstring
        linked = [PUBLIC.sub(r":py:obj:`~nenc_estimates.\1`", line) for line in lines]
        lines[:] = [DOI.sub(r"`doi:\1 <https://doi.org/\1>`__", line) for line in linked]

    def keep(_app: Sphinx, what: str, name: str, _found: object, _options: object, lines: list[str]) -> None:
        # napoleon takes what stands before a colon for the type of a constant or a property: here it is a sentence
        if what in ("attribute", "data", "property"):
            kept[name] = lines[:]

    def give_back(_app: Sphinx, _what: str, name: str, _found: object, _options: object, lines: list[str]) -> None:
        lines[:] = kept.pop(name, lines)

    app.connect("autodoc-process-docstring", link, priority=300)
    app.connect("autodoc-process-docstring", keep, priority=400)
    app.connect("autodoc-process-docstring", give_back, priority=600)
