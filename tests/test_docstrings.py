"""Everything public says what it takes, gives and refuses, with an example that runs."""

import dataclasses
import importlib
import inspect
import pkgutil
import re

import pytest

import nenc_estimates
from nenc_estimates import kernels

PUBLIC = {name: getattr(nenc_estimates, name) for name in nenc_estimates.__all__}
FUNCTIONS = {name: each for name, each in PUBLIC.items() if inspect.isfunction(inspect.unwrap(each))}
CLASSES = {name: each for name, each in PUBLIC.items() if inspect.isclass(each)}


def kernel_functions():
    for found in pkgutil.iter_modules(kernels.__path__, "nenc_estimates.kernels."):
        module = importlib.import_module(found.name)
        for name, each in vars(module).items():
            if found.name.endswith(".blocks"):  # where numbers lie in memory, not a formula
                continue
            if inspect.isfunction(each) and each.__module__ == found.name and not name.startswith("_"):
                yield f"{found.name.rsplit('.', 1)[1]}.{name}", each


KERNELS = dict(kernel_functions())


def sections(documented):
    """Return the sections of a numpydoc docstring, by name; what stands before the first under ''."""
    parts = re.split(r"^(\S[^\n]*)\n-{3,}\n", inspect.getdoc(documented) or "", flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def documented_names(text):
    return {
        name.strip("* ")
        for line in re.findall(r"^(\S[^\n]*)$", text, re.MULTILINE)
        for name in line.split(" : ")[0].split(",")
    }


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_public_function_documents_what_it_takes_gives_and_refuses(name):
    held, taken = sections(FUNCTIONS[name]), inspect.signature(FUNCTIONS[name]).parameters
    assert documented_names(held.get("Parameters", "")) == set(taken)
    assert "Returns" in held
    assert "Raises" in held or not taken


@pytest.mark.parametrize("name", sorted(FUNCTIONS | CLASSES))
def test_a_public_name_has_an_example_that_runs(name):
    if isinstance(PUBLIC[name], type) and issubclass(PUBLIC[name], Exception):
        assert inspect.getdoc(PUBLIC[name])
    else:
        assert ">>> " in sections(PUBLIC[name]).get("Examples", "")


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_a_formula_documents_its_arguments_and_has_an_example(name):
    held = sections(KERNELS[name])
    assert documented_names(held.get("Parameters", "")) == set(inspect.signature(KERNELS[name]).parameters)
    assert {"Returns", "Examples"} <= set(held)
    assert ">>> " in held["Examples"]


@pytest.mark.parametrize("name", sorted(key for key, each in CLASSES.items() if dataclasses.is_dataclass(each)))
def test_a_public_class_says_what_each_field_holds(name):
    text = inspect.getdoc(CLASSES[name])
    assert [
        field.name for field in dataclasses.fields(CLASSES[name]) if not re.search(rf"\b{field.name}\b", text)
    ] == []
