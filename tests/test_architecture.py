from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import nenc_estimates

PACKAGE = Path(nenc_estimates.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"pandas", "pyarrow", "polars", "narwhals", "scipy", "matplotlib", "altair", "jinja2", "pydantic"}
"""Packages that `import nenc_estimates` must not load: it re-exports, and each name loads what it needs."""

PUBLIC = {
    "ABRIDGED_85",
    "ABRIDGED_90",
    "AgeBands",
    "Assumptions",
    "Bounds",
    "Crosswalk",
    "Denominator",
    "EstimatesError",
    "Goal",
    "INDICATORS",
    "Imputed",
    "Indicator",
    "InvalidDataError",
    "KINDS",
    "Period",
    "QUALITY",
    "SchemaError",
    "UnknownAreaError",
    "Weights",
    "assess_goal",
    "backtest",
    "benchmark_crosswalk",
    "bound_all_met",
    "compare_assumptions",
    "count_areas_below",
    "diagnose_estimate",
    "estimate_gap",
    "estimate_indicator",
    "estimate_share_in_ill_health",
    "load_crosswalk",
    "load_denominator",
    "project_trajectory",
    "read_goals",
    "read_indicator",
    "read_table",
    "read_specification",
    "recent_trend",
    "run_release",
    "select_geography",
    "trace_goal",
    "weigh",
    *("ABRIDGED_85", "ABRIDGED_90", "AgeBands", "Bounds", "Crosswalk", "Denominator", "EstimatesError", "INDICATORS"),
    *("Imputed", "Indicator", "InvalidDataError", "KINDS", "Period", "QUALITY", "SchemaError", "UnknownAreaError"),
    *("Weights", "benchmark_crosswalk", "count_areas_below", "diagnose_estimate", "estimate_gap"),
    *("estimate_indicator", "estimate_share_in_ill_health", "load_crosswalk", "load_denominator", "read_indicator"),
    *("read_specification", "run_release", "select_geography", "weigh"),
    *("NONE", "OHID", "Rules", "compare_pooled_and_weighted", "estimate_healthy_life_expectancy"),
    *("estimate_life_expectancy", "pool_life_tables"),
    *("assign_quantiles", "merge_quantiles", "parse_quantiles", "estimate_deprivation_gap", "estimate_inequality"),
    *("estimate_slope_index", "simulate_slope_index", "estimate_quantile_contributions", "estimate_mean_gap"),
    *("compare_gaps", "decompose_gap", "compare_decompositions", "estimate_years_gained"),
    *("estimate_standardised_rate", "estimate_standardised_ratio", "estimate_rate_ratio"),
    *("FileDescription", "LIMITS", "Limits", "Read", "ReadReport", "describe_file", "read_deaths", "read_fingertips"),
    *("assign_age_bands", "count_by", "join_lookup", "join_population", "sum_counts"),
    *("life_expectancy_batches", "stream_life_expectancy"),
    *("Binomial", "Gamma", "Poisson", "Prevalence", "Published", "simulate", "simulate_life_expectancy"),
    *("read_imd", "read_lookup", "read_mid_year_estimates", "read_nomis"),
}


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def loaded_by(statement):
    """Top-level packages that a fresh interpreter loads for a statement."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])},
    )
    return {name.split(".")[0] for name in re.findall(r"\|\s+([\w.]+)$", done.stderr, flags=re.MULTILINE)}


def test_the_public_names_are_these():
    assert set(nenc_estimates.__all__) == PUBLIC
    assert len(nenc_estimates.__all__) == len(PUBLIC)
    assert set(dir(nenc_estimates)) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_found_where_it_is_said_to_live(name):
    home = import_module(f"nenc_estimates.{nenc_estimates._HOME[name]}")
    assert getattr(nenc_estimates, name) is getattr(home, name)


def test_names_for_type_checkers_are_those_that_load():
    guarded = next(node for node in parsed(PACKAGE / "__init__.py").body if isinstance(node, ast.If))
    imported = {alias.name: node.module for node in guarded.body for alias in node.names}
    assert imported == {name: f"nenc_estimates.{home}" for name, home in nenc_estimates._HOME.items()}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'nenc_estimates' has no attribute 'estimate_everything'"):
        nenc_estimates.estimate_everything  # noqa: B018


def test_import_loads_nothing_heavy():
    assert "nenc_estimates" in (loaded := loaded_by("import nenc_estimates"))
    assert not loaded & HEAVY


def test_the_errors_and_the_command_line_do_not_wait_for_pandas():
    loaded = loaded_by("import nenc_estimates.cli; nenc_estimates.EstimatesError")
    assert not loaded & {"pandas", "pyarrow", "scipy", "jinja2"}


@pytest.mark.parametrize("kernel", sorted(path.stem for path in (PACKAGE / "kernels").glob("[a-z]*.py")))
def test_a_kernel_loads_no_table_and_no_statistics(kernel):
    code = f"import sys, nenc_estimates.kernels.{kernel}; print('scipy.stats' in sys.modules)"
    loaded = loaded_by(f"import nenc_estimates.kernels.{kernel}")
    assert not loaded & {"pandas", "pyarrow", "narwhals", "pydantic"}
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_files_and_bodies_stay_short(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_command_line_prints(path):
    calls = {
        node.func.id
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "print" not in calls or path.name == "cli.py"
