"""Kinds of indicator: how each may be aggregated. Data only: this module calls nothing."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "count": "counts add up: the sum of membership times count",
        "proportion": "people with something over people: counts pooled, or a mean over the people",
        "share of services": "services with something over services: counts pooled, or a mean over the services",
        "crude rate": "events over person-years: counts pooled, or a mean over the person-years",
        "indirectly standardised ratio": "observed over expected events: both pooled, or a mean over the expected",
        "directly standardised rate": "a mean over count / rate, or over people of the ages that have the events",
        "ratio of two sums": "one sum over another (per birth, per service): both pooled, or a mean over the second",
        "mean": "a mean over the people measured",
        "life expectancy": "a mean over residents of the sex; pool deaths and people where their ages are known",
        "healthy life expectancy": "a mean over residents of the sex; pool deaths, people and health if known",
        "index score": "a mean over residents at the date of the index; it has no limits",
    }
)
"""Kinds that can be aggregated, and how."""

NOT_AGGREGABLE: Mapping[str, str] = MappingProxyType(
    {
        "median": "a median of the area needs the values of its people, not the medians of its parts",
        "rank": "ranks do not average: aggregate the indicator behind the rank, then rank the areas",
        "rag rating": "ratings do not average: aggregate the indicator, then compare it with the benchmark",
        "slope index": "the slope index of the area needs values and people by deprivation quantile of the whole area",
        "gap": "aggregate both sides of the gap first, then take the difference",
        "gini": "the Gini coefficient of the area needs the distribution within it, not those of its parts",
    }
)
"""Kinds that cannot be aggregated from area values, and what is needed instead."""

OTHERWISE_CALLED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("percentage", "percent", "%", "prevalence"), "'proportion', with multiplier=100"),
        "rate": "'crude rate' or 'directly standardised rate'",
        "le": "'life expectancy'",
        "hle": "'healthy life expectancy'",
    }
)
"""Everyday words for kinds, and the kind that is meant."""

Family = Literal["sum", "binomial", "poisson", "ratio", "dobson", "normal", "plain"]

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "count": "sum",
        "proportion": "binomial",
        "share of services": "binomial",
        "crude rate": "poisson",
        "indirectly standardised ratio": "poisson",
        "directly standardised rate": "dobson",
        "ratio of two sums": "ratio",
        "mean": "normal",
        "life expectancy": "normal",
        "healthy life expectancy": "normal",
        "index score": "plain",
    }
)
"""Kind to family: which counts it has, and which limits."""
