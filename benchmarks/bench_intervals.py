"""Intervals and their inversions; the size is the number of areas."""

from __future__ import annotations

from inputs import events
from nenc_estimates.kernels import interval_inversion, intervals, levels, log_intervals
from timing import given, timed, timed_once


def proportion(size):
    """Share and its variance."""
    x, n = events(size)
    return x / n, x * (n - x) / n**3


def rate(size):
    """Rate, its variance and its count."""
    x, n = events(size)
    return x / n, x / n**2, x


def published(interval, *arguments):
    """Value and limits as a publisher gives them."""
    limits = interval(*arguments)
    return arguments[0], limits.lower, limits.upper


def published_wilson(size):
    x, n = events(size)
    limits = intervals.wilson_interval(x, n)
    return x / n, limits.lower, limits.upper


def published_byar(size):
    x, n = events(size)
    limits = intervals.byar_interval(x)
    return x / n, limits.lower / n, limits.upper / n


CALLS = {
    intervals.normal_interval: lambda size: given(*proportion(size)),
    intervals.wilson_interval: lambda size: given(*events(size)),
    (intervals.wilson_interval, "two levels"): lambda size: given(*events(size), confidence=(0.95, 0.998)),
    intervals.wilson_from_variance: lambda size: given(*proportion(size)),
    intervals.byar_interval: lambda size: given(events(size)[0]),
    intervals.exact_poisson_interval: lambda size: given(events(size)[0]),
    intervals.poisson_interval: lambda size: given(events(size)[0]),
    intervals.byar_from_variance: lambda size: given(*rate(size)[:2]),
    intervals.dobson_interval: lambda size: given(*rate(size)),
    log_intervals.log_interval: lambda size: given(*proportion(size)),
    log_intervals.logit_interval: lambda size: given(*proportion(size)),
    log_intervals.standard_error_from_log_limits: lambda size: given(
        *published(log_intervals.log_interval, *proportion(size))
    ),
    log_intervals.standard_error_from_logit_limits: lambda size: given(
        *published(log_intervals.logit_interval, *proportion(size))
    ),
    interval_inversion.limits_fault: lambda size: given(*published_wilson(size)),
    interval_inversion.standard_error_from_limits: lambda size: given(*published_wilson(size)[1:]),
    interval_inversion.sample_size_from_wilson: lambda size: given(*published_wilson(size)),
    interval_inversion.sample_size_range_from_rounded_wilson: lambda size: given(*published_wilson(size), decimals=3),
    interval_inversion.count_from_byar: lambda size: given(*published_byar(size)),
    interval_inversion.count_and_variance_from_dobson: lambda size: given(
        *published(intervals.dobson_interval, *rate(size))
    ),
}
ONCE = {each: lambda: given(0.95) for each in (levels.z_value, levels.one_level, levels.tails)}

test_speed, test_speed_once = timed(CALLS), timed_once(ONCE)
