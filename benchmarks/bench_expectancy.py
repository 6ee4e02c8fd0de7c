"""Speed and memory of life expectancy: against whole-array NumPy and a compiled loop, in one run.

`python benchmarks/bench_expectancy.py` prints the ratios; `pytest benchmarks` times the kernel alone.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.kernels.blocks import age_last, empty_rows
from nenc_estimates.kernels.expectancy import LifeExpectancy, life_expectancy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RULES = {"width": ABRIDGED_90.width, "nax": ABRIDGED_90.nax}
AGES = len(ABRIDGED_90)

C_LOOP = """
#include <stddef.h>
#define BLOCK 1024
/* age-first rows; stride is the distance between rows in doubles; the same checks as the library */
void age_first(const double *d, const double *p, const double *n, const double *a,
               double *e, double *v, size_t tables, size_t ages, size_t stride)
{
    for (size_t start = 0; start < tables; start += BLOCK) {
        size_t size = tables - start < BLOCK ? tables - start : BLOCK, w = ages - 1;
        const double *restrict dw = d + w * stride + start, *restrict pw = p + w * stride + start;
        double *restrict ew = e + w * stride + start, *restrict vw = v + w * stride + start;
        for (size_t i = 0; i < size; i++) {
            double years = dw[i] > 0 && dw[i] <= pw[i] ? pw[i] / dw[i] : __builtin_nan("");
            ew[i] = years; vw[i] = years * years / dw[i];
        }
        for (size_t x = w; x-- > 0;) {
            const double *restrict dx = d + x * stride + start, *restrict px = p + x * stride + start;
            double *restrict e0 = e + x * stride + start, *restrict v0 = v + x * stride + start;
            const double *restrict e1 = e0 + stride, *restrict v1 = v0 + stride;
            const double nx = n[x], ax = a[x], after = nx - ax;
            for (size_t i = 0; i < size; i++) {
                double r = 1.0 / (px[i] + after * dx[i]), s = px[i] - ax * dx[i], g = after + e1[i];
                double h = nx * r * g;
                s = (s > 0 ? s : 0) * r;
                s = dx[i] >= 0 && dx[i] <= px[i] && px[i] > 0 ? s : __builtin_nan("");
                e0[i] = ax + s * g;
                v0[i] = s * (dx[i] * h * h + s * v1[i]);
            }
        }
    }
}
void age_last(const double *d, const double *p, const double *n, const double *a,
              double *e, double *v, size_t tables, size_t ages)
{
    for (size_t t = 0; t < tables; t++) {
        const double *restrict dt = d + t * ages, *restrict pt = p + t * ages;
        double *restrict et = e + t * ages, *restrict vt = v + t * ages;
        size_t w = ages - 1;
        double years = dt[w] > 0 && dt[w] <= pt[w] ? pt[w] / dt[w] : __builtin_nan("");
        double var = years * years / dt[w];
        et[w] = years; vt[w] = var;
        for (size_t x = w; x-- > 0;) {
            double after = n[x] - a[x], r = 1.0 / (pt[x] + after * dt[x]), s = pt[x] - a[x] * dt[x];
            double g = after + years, h = n[x] * r * g;
            s = (s > 0 ? s : 0) * r;
            s = dt[x] >= 0 && dt[x] <= pt[x] && pt[x] > 0 ? s : __builtin_nan("");
            years = a[x] + s * g; var = s * (dt[x] * h * h + s * var);
            et[x] = years; vt[x] = var;
        }
    }
}
"""


def synthetic(tables: int) -> tuple[Array, Array]:
    """Age-first deaths and person-years of local-authority size, seen as ``(table, age)``."""
    rng = np.random.default_rng(20)
    lower = np.array(ABRIDGED_90.lower)
    middle = lower + ABRIDGED_90.width.clip(max=8) / 2
    rate = np.minimum(4e-5 * np.exp(0.09 * middle) + 0.004 * (lower == 0), 0.3)
    shape = (tables, AGES)
    population, deaths = age_last(empty_rows(AGES, tables), shape), age_last(empty_rows(AGES, tables), shape)
    for age in range(AGES):
        population[:, age] = rng.integers(400, 6000, tables)
        deaths[:, age] = np.minimum(rng.poisson(rate[age] * population[:, age]), population[:, age])
    deaths[:, -1] = np.maximum(deaths[:, -1], 1)
    return deaths, population


def textbook(deaths: Array, population: Array) -> tuple[Array, Array]:
    """The columns of the table one after the other on whole arrays: the baseline."""
    width, nax = RULES["width"].copy(), RULES["nax"].copy()
    width[-1], nax[-1] = 0.0, 0.0
    rate = deaths / population
    q = width * rate / (1 + (width - nax) * rate)
    q = np.where(rate * nax > 1, 1.0, q)
    q[:, -1] = 1.0
    survivors = np.cumprod(1 - q, axis=1)
    lx = 100_000 * np.concatenate([np.ones_like(q[:, :1]), survivors[:, :-1]], axis=1)
    dx = lx * q
    later = np.concatenate([lx[:, 1:], np.zeros_like(lx[:, :1])], axis=1)
    years = width * later + nax * dx
    years[:, -1] = lx[:, -1] / rate[:, -1]
    ex = np.cumsum(years[:, ::-1], axis=1)[:, ::-1] / lx
    chance = np.where(deaths > 0, q**2 * (1 - q) / np.where(deaths > 0, deaths, 1), 0.0)
    following = np.concatenate([ex[:, 1:], np.zeros_like(ex[:, :1])], axis=1)
    term = chance * lx**2 * ((width - nax) + following) ** 2
    term[:, -1] = lx[:, -1] ** 2 / (deaths[:, -1] * rate[:, -1] ** 2)
    return ex, np.cumsum(term[:, ::-1], axis=1)[:, ::-1] / lx**2


def compiled() -> ctypes.CDLL | None:
    """Compile the loop for this processor, or nothing where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "loop.c", Path(folder) / "loop.so"
        source.write_text(C_LOOP)
        flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-fno-math-errno"]
        subprocess.run([compiler, *flags, "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
        return ctypes.CDLL(str(library))


def c_call(loop: Any, deaths: Array, population: Array, out: LifeExpectancy) -> None:
    width, nax = (np.nan_to_num(RULES[name], posinf=0.0) for name in ("width", "nax"))
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (deaths, population, width, nax, out.ex, out.variance)]
    sizes = [ctypes.c_size_t(size) for size in deaths.shape]
    if deaths.strides[0] == 8:
        loop.age_first(*pointers, *sizes, ctypes.c_size_t(deaths.strides[1] // 8))
    else:
        loop.age_last(*pointers, *sizes)


@pytest.mark.parametrize("tables", [1, 317, 7_000, 35_000])
@pytest.mark.parametrize("layout", ["age_first", "age_last"])
def test_life_expectancy(benchmark: Any, tables: int, layout: str) -> None:
    sides = synthetic(tables)
    if layout == "age_last":
        sides = tuple(np.ascontiguousarray(side) for side in sides)
    result = benchmark(life_expectancy, *sides, **RULES)
    assert np.isfinite(result.ex).all()


def test_the_baseline_and_the_compiled_loop_give_the_same_numbers() -> None:
    deaths, population = synthetic(3000)
    ours = life_expectancy(deaths, population, **RULES)
    ex, variance = textbook(deaths, population)
    np.testing.assert_allclose(ours.ex, ex, rtol=1e-13)
    np.testing.assert_allclose(ours.variance, variance, rtol=1e-11)
    loop = compiled()
    for sides in ((deaths, population), tuple(map(np.ascontiguousarray, (deaths, population)))):
        if loop is not None:
            out = LifeExpectancy(ex=np.empty_like(sides[0]), variance=np.empty_like(sides[0]))
            if sides[0].strides[0] == 8:
                out = life_expectancy(*sides, **RULES)
                out.ex[:] = 0
            c_call(loop, *sides, out)
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


def rounds(calls: dict[str, Callable[[], object]], count: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of each call in interleaved rounds, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(count + 1):
        for name, call in calls.items():
            start = clock()
            call()
            if turn:
                seconds[name].append(clock() - start)
    return seconds


def ratio(seconds: dict[str, list[float]], slow: str, fast: str) -> str:
    each = sorted(a / b for a, b in zip(seconds[slow], seconds[fast], strict=True))
    return f"{median(each):6.2f}  ({each[0]:.2f} to {each[-1]:.2f})"


def report(tables: int = 1_000_000, count: int = 7) -> dict[str, str]:
    """Ratios, microseconds and scratch memory: median and range over interleaved rounds."""
    deaths, population = synthetic(tables)
    rows = np.ascontiguousarray(deaths), np.ascontiguousarray(population)
    out = life_expectancy(deaths, population, **RULES)
    flat = LifeExpectancy(ex=np.empty_like(rows[0]), variance=np.empty_like(rows[0]))
    loop = compiled()
    calls: dict[str, Callable[[], object]] = {
        "textbook, age first": lambda: textbook(deaths, population),
        "textbook, (n, age)": lambda: textbook(*rows),
        "kernel, age first": lambda: life_expectancy(deaths, population, **RULES),
        "kernel, age first, out=": lambda: life_expectancy(deaths, population, **RULES, out=out),
        "kernel, (n, age)": lambda: life_expectancy(*rows, **RULES),
        "kernel, (n, age), out=": lambda: life_expectancy(*rows, **RULES, out=out),
    }
    if loop is not None:
        calls["C, age first"] = lambda: c_call(loop, deaths, population, out)
        calls["C, (n, age)"] = lambda: c_call(loop, *rows, flat)
    seconds = rounds(calls, count, time.thread_time)
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
    threads = rounds(
        {
            str(workers): lambda workers=workers: life_expectancy(deaths, population, **RULES, workers=workers, out=out)
            for workers in (1, 2)
        },
        count,
        time.perf_counter,
    )
    found["workers=1 / workers=2, wall clock"] = ratio(threads, "1", "2")
    small = tuple(side[:317] for side in (deaths, population))
    for name, sides in (("age first", small), ("(n, age)", tuple(map(np.ascontiguousarray, small)))):
        each = rounds({name: lambda sides=sides: life_expectancy(*sides, **RULES)}, 500, time.perf_counter)
        found[f"317 tables, {name}, us"] = f"{median(each[name]) * 1e6:6.0f}"
    for workers in (1, 2):
        held = scratch(lambda workers=workers: life_expectancy(deaths, population, **RULES, workers=workers))
        found[f"scratch MiB, age first, workers={workers}"] = f"{held:.2f}"
    found["scratch MiB, (n, age)"] = f"{scratch(lambda: life_expectancy(*rows, **RULES)):.2f}"
    found["scratch MiB, textbook"] = f"{scratch(lambda: textbook(*rows)):.0f}"
    return found


if __name__ == "__main__":
    for label, figure in report(*map(int, sys.argv[1:])).items():
        print(f"{label:55s} {figure}")
