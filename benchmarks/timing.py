"""What every benchmark shares: the sizes, one parametrised test for a mapping of calls, interleaved rounds, ratios."""

from __future__ import annotations

import time
from dataclasses import fields, is_dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Given = tuple[tuple[Any, ...], dict[str, Any]]
    Function = Callable[..., Any]
    Key = Function | tuple[Function, str]

SIZES = (1, 300, 7_000, 35_000)
"""One area; local authorities; MSOAs; LSOAs: England's counts, rounded."""
SLOW_FROM = 7_000
"""Sizes from here on are marked ``slow``: they are for timing, the smaller ones also show that the calls work."""


def given(*args: Any, **options: Any) -> Given:
    """Hold what a function is called with."""
    return args, options


def named(key: Key) -> str:
    """``module.function``, with the variant in brackets if there is one."""
    function, variant = key if isinstance(key, tuple) else (key, "")
    name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
    return f"{name}[{variant}]" if variant else name


def answers(result: object) -> Iterator[np.ndarray]:
    """Every column of numbers in what a function returned."""
    if is_dataclass(result) and not isinstance(result, type):
        for field in fields(result):
            yield from answers(getattr(result, field.name))
    elif isinstance(result, pd.DataFrame):
        yield from (result[name].to_numpy(float) for name in result.select_dtypes("number"))
    elif isinstance(result, tuple | list):
        for part in result:
            yield from answers(part)
    elif isinstance(result, np.ndarray | float | int | np.number):
        array = np.asarray(result)
        if array.dtype.kind in "fiub":
            yield array.astype(float)


def check_answered(result: object) -> None:
    """Fail where numbers were to be computed and none was."""
    numbers = [array for array in answers(result) if array.size]
    assert not numbers or any(np.isfinite(array).any() for array in numbers)


def timed(calls: Mapping[Key, Callable[[int], Given]], sizes: tuple[int, ...] = SIZES) -> Callable[..., None]:
    """Make one test that times each call at each size; inputs are made outside the time."""
    marked = [pytest.param(size, marks=pytest.mark.slow if size >= SLOW_FROM else ()) for size in sizes]

    @pytest.mark.parametrize("size", marked)
    @pytest.mark.parametrize("key", [pytest.param(key, id=named(key)) for key in calls])
    def test(benchmark: Any, key: Key, size: int) -> None:
        args, options = calls[key](size)
        check_answered(benchmark(key[0] if isinstance(key, tuple) else key, *args, **options))

    return test


def timed_once(calls: Mapping[Key, Callable[[], Given]]) -> Callable[..., None]:
    """As `timed`, for what is made once whatever the number of areas."""

    @pytest.mark.parametrize("key", [pytest.param(key, id=named(key)) for key in calls])
    def test(benchmark: Any, key: Key) -> None:
        args, options = calls[key]()
        check_answered(benchmark(key[0] if isinstance(key, tuple) else key, *args, **options))

    return test


def seconds_of(call: Callable[[], object], clock: Callable[[], float] = time.thread_time, *, repeats: int = 1) -> float:
    """Seconds that a call takes: the median of some in a row, so that the call before has left the caches."""
    each = []
    for _ in range(repeats):
        start = clock()
        call()
        each.append(clock() - start)
    return median(each)


def rounds(
    calls: Mapping[str, Callable[[], object]],
    count: int,
    clock: Callable[[], float] = time.thread_time,
    *,
    repeats: int = 1,
) -> dict[str, list[float]]:
    """Seconds of each call in interleaved rounds, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(count + 1):
        for name, call in calls.items():
            spent = seconds_of(call, clock, repeats=repeats)
            if turn:
                seconds[name].append(spent)
    return seconds


def figure(value: float) -> str:
    """Three figures, thousands in full."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def spread(values: list[float]) -> str:
    """Median (lowest to highest)."""
    return f"{figure(median(values))} ({figure(min(values))} to {figure(max(values))})"


def ratios(seconds: Mapping[str, list[float]], over: str, under: str) -> list[float]:
    """Quotients of two calls, round by round."""
    return [a / b for a, b in zip(seconds[over], seconds[under], strict=True)]


def ratio(seconds: Mapping[str, list[float]], over: str, under: str) -> str:
    """Median (lowest to highest) of the quotients of two calls."""
    return spread(ratios(seconds, over, under))
