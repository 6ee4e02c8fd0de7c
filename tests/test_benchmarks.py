from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import nenc_estimates
from nenc_estimates import kernels

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
NOT_TIMED = {
    "a type or a value: it computes nothing": [
        *("ABRIDGED_85", "ABRIDGED_90", "AgeBands", "Assumptions", "Bounds", "Crosswalk", "Denominator"),
        *("FileDescription", "Goal", "INDICATORS", "Imputed", "Indicator", "KINDS", "LIMITS", "Limits", "NONE", "OHID"),
        *("Period", "QUALITY", "Read", "ReadReport", "Rules", "Weights"),
        *("Binomial", "Gamma", "Poisson", "Prevalence", "Published"),
    ],
    "a generator, timed as stream_life_expectancy consumes it": ["life_expectancy_batches"],
    "an error": ["EstimatesError", "InvalidDataError", "SchemaError", "UnknownAreaError"],
    "reads a packaged file, once": [
        *("load_crosswalk", "load_denominator", "read_goals", "read_indicator", "read_specification", "read_table"),
    ],
}
"""Public names without a benchmark, by reason."""


@pytest.fixture(scope="module")
def benched():
    """Every function that a benchmark times."""
    modules = [import_module(path.stem) for path in sorted(BENCHMARKS.glob("bench_*.py"))]
    keys = [key for module in modules for name in ("CALLS", "ONCE") for key in getattr(module, name, {})]
    return {key[0] if isinstance(key, tuple) else key for key in keys}


def formulas():
    """Every public function of every kernel."""
    found = []
    for module in iter_modules(kernels.__path__):
        held = vars(import_module(f"{kernels.__name__}.{module.name}"))
        for name, thing in held.items():
            if inspect.isfunction(thing) and not name.startswith("_") and thing.__module__ == held["__name__"]:
                found.append(pytest.param(thing, id=f"{module.name}.{name}"))
    return found


@pytest.mark.parametrize("formula", formulas())
def test_every_formula_has_a_benchmark(formula, benched):
    assert formula in benched, "add it to CALLS (or to ONCE) of the benchmark of its subject"


@pytest.mark.parametrize("name", sorted(nenc_estimates.__all__))
def test_every_public_function_has_a_benchmark(name, benched):
    excused = any(name in names for names in NOT_TIMED.values())
    timed = any(getattr(nenc_estimates, name) is function for function in benched)
    assert timed != excused, "either a benchmark times it, or NOT_TIMED says why none does"


def test_no_name_is_excused_that_is_not_there():
    assert {name for names in NOT_TIMED.values() for name in names} <= set(nenc_estimates.__all__)
