"""Life expectancy with its variance, its memory and threads; the size is the number of tables.

`python benchmarks/bench_expectancy.py` prints the ratios to whole-array NumPy and to a compiled loop in one run.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest

import compiled
from inputs import AGES, BANDS, counts, in_rows
from nenc_estimates.kernels import blocks, infant_years
from nenc_estimates.kernels.expectancy import LifeExpectancy, checked_width, life_expectancy
from peers import life_table_columns
from timing import given, ratio, rounds, timed, timed_once

if TYPE_CHECKING:
    from collections.abc import Callable


def infant_rates(size):
    return np.linspace(0.002, 0.009, size)


def rows_of(size):
    return blocks.age_rows(in_rows(size)[0], (size, AGES))


CALLS = {
    (life_expectancy, "age first"): lambda size: given(*counts(size), **BANDS),
    (life_expectancy, "(n, age)"): lambda size: given(*in_rows(size), **BANDS),
    infant_years.andreev_kingkade_infant_years: lambda size: given(infant_rates(size), sex="male"),
    infant_years.coale_demeny_infant_years: lambda size: given(infant_rates(size), sex="female"),
    infant_years.coale_demeny_child_years: lambda size: given(infant_rates(size), sex="female"),
    blocks.empty_rows: lambda size: given(AGES, size),
    blocks.age_rows: lambda size: given(in_rows(size)[0], (size, AGES)),
    blocks.age_last: lambda size: given(rows_of(size), (size, AGES)),
    blocks.is_streamable: lambda size: given(rows_of(size)),
    blocks.copy_rows: lambda size: given(rows_of(size), blocks.empty_rows(AGES, size)),
    blocks.share_tables: lambda size: given(lambda _first, _end: None, size, workers=2),
}
ONCE = {checked_width: lambda: given(*BANDS.values(), ages=AGES)}

test_speed, test_speed_once = timed(CALLS), timed_once(ONCE)


def test_the_baseline_and_the_compiled_loop_give_the_same_numbers():
    ours = life_expectancy(*counts(3000), **BANDS)
    ex, variance = life_table_columns(*counts(3000))
    np.testing.assert_allclose(ours.ex, ex, rtol=1e-13)
    np.testing.assert_allclose(ours.variance, variance, rtol=1e-11)
    loop = compiled.build()
    if loop is None:
        pytest.skip("no C compiler here")
    for sides in (counts(3000), in_rows(3000)):
        out = (
            life_expectancy(*sides, **BANDS)
            if sides[0].strides[0] == 8
            else LifeExpectancy(ex=np.empty_like(sides[0]), variance=np.empty_like(sides[0]))
        )
        out.ex[:] = 0
        compiled.life_expectancy(loop, *sides, out)
        np.testing.assert_allclose(out.ex, ours.ex, rtol=1e-13)
        np.testing.assert_allclose(out.variance, ours.variance, rtol=1e-11)


def scratch(call: Callable[[], object]) -> float:
    """Largest memory a call holds besides what stays when it returns [MiB]."""
    tracemalloc.start()
    kept = call()
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return (peak - left) / 2**20


def report(tables: int = 1_000_000, count: int = 7) -> dict[str, str]:
    """Ratios, microseconds and scratch memory: median and range over interleaved rounds."""
    (deaths, population), rows = counts(tables), in_rows(tables)
    out = life_expectancy(deaths, population, **BANDS)
    flat = LifeExpectancy(ex=np.empty_like(rows[0]), variance=np.empty_like(rows[0]))
    loop = compiled.build()
    calls: dict[str, Callable[[], object]] = {
        "textbook, age first": lambda: life_table_columns(deaths, population),
        "textbook, (n, age)": lambda: life_table_columns(*rows),
        "kernel, age first": lambda: life_expectancy(deaths, population, **BANDS),
        "kernel, age first, out=": lambda: life_expectancy(deaths, population, **BANDS, out=out),
        "kernel, (n, age)": lambda: life_expectancy(*rows, **BANDS),
        "kernel, (n, age), out=": lambda: life_expectancy(*rows, **BANDS, out=out),
    }
    if loop is not None:
        calls["C, age first"] = lambda: compiled.life_expectancy(loop, deaths, population, out)
        calls["C, (n, age)"] = lambda: compiled.life_expectancy(loop, *rows, flat)
    seconds = rounds(calls, count)
    found = {f"ns a table: {name}": f"{median(each) / tables * 1e9:7.1f}" for name, each in seconds.items()}
    pairs = [
        ("textbook, (n, age)", "kernel, age first"),
        ("textbook, (n, age)", "kernel, (n, age)"),
        ("textbook, age first", "kernel, age first"),
    ]
    if loop is not None:
        pairs += [(kernel, "C, age first") for kernel in calls if kernel.startswith("kernel")] + [
            ("kernel, (n, age), out=", "C, (n, age)")
        ]
    found |= {f"{slow} / {fast}": ratio(seconds, slow, fast) for slow, fast in pairs}
    return found | threads(tables, count, out) | small(counts(317), in_rows(317)) | memory(tables)


def threads(tables: int, count: int, out: LifeExpectancy) -> dict[str, str]:
    """Wall-clock time of one worker over that of two."""
    shared = {
        str(workers): lambda workers=workers: life_expectancy(*counts(tables), **BANDS, workers=workers, out=out)
        for workers in (1, 2)
    }
    seconds = rounds(shared, count, time.perf_counter)
    return {"workers=1 / workers=2, wall clock": ratio(seconds, "1", "2")}


def small(*layouts: tuple[np.ndarray, np.ndarray]) -> dict[str, str]:
    """Microseconds of a few tables."""
    found = {}
    for name, sides in zip(("age first", "(n, age)"), layouts, strict=True):
        each = rounds({name: lambda sides=sides: life_expectancy(*sides, **BANDS)}, 500, time.perf_counter)
        found[f"317 tables, {name}, us"] = f"{median(each[name]) * 1e6:6.0f}"
    return found


def memory(tables: int) -> dict[str, str]:
    """Scratch memory of each way."""
    ways = {
        "age first, workers=1": lambda: life_expectancy(*counts(tables), **BANDS),
        "age first, workers=2": lambda: life_expectancy(*counts(tables), **BANDS, workers=2),
        "(n, age)": lambda: life_expectancy(*in_rows(tables), **BANDS),
        "textbook": lambda: life_table_columns(*in_rows(tables)),
    }
    return {f"scratch MiB, {name}": f"{scratch(call):.2f}" for name, call in ways.items()}


if __name__ == "__main__":
    for label, figure in report(*map(int, sys.argv[1:])).items():
        print(f"{label:55s} {figure}")
