"""Intervals and their inversions at 1, 300, 7,000 and 35,000 areas."""

from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates.kernels import interval_inversion, intervals

SIZES = (1, 300, 7_000, 35_000)
INTERVALS = {
    "wilson": intervals.wilson_interval,
    "wilson_two_levels": lambda x, n: intervals.wilson_interval(x, n, confidence=(0.95, 0.998)),
    "wilson_from_variance": lambda x, n: intervals.wilson_from_variance(x / n, x * (n - x) / n**3),
    "byar": lambda x, n: intervals.byar_interval(x),
    "exact_poisson": lambda x, n: intervals.exact_poisson_interval(x),
    "poisson": lambda x, n: intervals.poisson_interval(x),
    "dobson": lambda x, n: intervals.dobson_interval(x / n, x / n**2, x),
}


def _per_person(x, n):
    limits = intervals.byar_interval(x)
    return intervals.Interval(lower=limits.lower / n, upper=limits.upper / n)


INVERSIONS = {
    "wilson": (intervals.wilson_interval, interval_inversion.sample_size_from_wilson),
    "wilson_range": (
        intervals.wilson_interval,
        lambda *limits: interval_inversion.sample_size_range_from_rounded_wilson(*limits, decimals=3),
    ),
    "byar": (_per_person, interval_inversion.count_from_byar),
    "dobson": (_per_person, interval_inversion.count_and_variance_from_dobson),
}


def _areas(size):
    rng = np.random.default_rng(7)
    n = rng.integers(300, 500_000, size).astype(float)
    return np.maximum(np.floor(n * rng.beta(2, 60, size)), 2.0), n


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", INTERVALS)
def test_interval(benchmark, kind, size):
    count, n = _areas(size)
    limits = benchmark(INTERVALS[kind], count, n)
    assert limits.lower.shape[-1] == size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", INVERSIONS)
def test_inversion(benchmark, kind, size):
    count, n = _areas(size)
    interval, inversion = INVERSIONS[kind]
    limits = interval(count, n)
    assert benchmark(inversion, count / n, limits.lower, limits.upper) is not None
