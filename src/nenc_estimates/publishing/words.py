"""Words of the page and its charts: units, sexes, chances and figures as a reader says them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nenc_estimates.publishing.rounding import MISSING, rounded, with_limits

if TYPE_CHECKING:
    from collections.abc import Mapping

DECIMALS: Mapping[str, int] = MappingProxyType(
    {"years": 1, "%": 1, "people": 0, "deaths": 0, "areas": 0, "per 100,000, directly standardised": 0}
)
"""Decimals of each unit; one where the unit is not listed."""

WHO: Mapping[str, str] = MappingProxyType({"Male": "men", "Female": "women", "Persons": "all persons"})
"""Sex in a table to the people it speaks of."""

PARTNERSHIPS = ("whole partnership", "local partnership", "country")
"""Kinds of area whose figures are estimated, and England."""

TYPES: Mapping[str, str] = MappingProxyType(
    {
        "whole partnership": "Integrated Care Partnership",
        "local partnership": "local partnership",
        "country": "England",
        "local authority": "local authority",
    }
)
"""Kind of area to the words beside its name."""


def decimals_of(unit: str) -> int:
    """Decimals with which a unit is shown."""
    return DECIMALS.get(unit, 1)


def amount(value: float, unit: str) -> str:
    """Write a number with its unit.

    Examples
    --------
    >>> amount(60.24, "years"), amount(13.05, "%"), amount(float("nan"), "%"), amount(842.4, "per 100,000")
    ('60.2 years', '13.1 %', '[x]', '842.4 per 100,000')
    """
    shown = rounded(value, decimals_of(unit))
    return shown if shown == MISSING else f"{shown} {unit}"


def between(row: Mapping[Any, Any], unit: str) -> str:
    """Write ``value`` with its unit and, where they are known, its limits.

    Examples
    --------
    >>> between({"value": 60.24, "lower": 59.6, "upper": 60.9}, "years")
    '60.2 years (95 % limits 59.6 to 60.9)'
    """
    if row["value"] != row["value"] or row["lower"] != row["lower"]:
        return amount(row["value"], unit)
    number, _, limits = with_limits(row["value"], row["lower"], row["upper"], decimals_of(unit)).partition(" (")
    return f"{number} {unit} (95 % limits {limits}"


def chance(probability: float) -> str:
    """Write a probability as a count of a hundred; never as certainty.

    Examples
    --------
    >>> chance(0.0743), chance(0.0001), chance(0.9999), chance(float("nan"))
    ('7 in 100', 'less than 1 in 100', 'more than 99 in 100', 'not known')
    """
    if probability != probability:  # noqa: PLR0124 - the one test for nan that needs no import
        return "not known"
    if probability < 0.01:
        return "less than 1 in 100"
    return "more than 99 in 100" if probability > 0.99 else f"{rounded(100 * probability, 0)} in 100"


_BORN = {"Male": "A boy born", "Female": "A girl born", "Persons": "A child born"}
_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "le_birth": "{born} in {area} can expect to live {value}, at the death rates of {period}",
        "hle_birth": "{born} in {area} can expect {value} in good health, at the rates of {period}",
        "ill_health_share": "{born} in {area} can expect to spend {value} of life in ill health, at the rates of "
        "{period}",
        "sii_le_birth": "In {area} {who} in the most deprived places can expect to live {value} less than {who} in the "
        "least deprived ones, {period}",
        "smoking": "In {area} {value} of adults smoked in {period}",
        "cancer_stage_1_2": "In {area} {value} of cancers were found early, at stage 1 or 2, in {period}",
        "alcohol_admissions": "In {area} there were {value} admissions to hospital for alcohol in {period}",
        "drug_poisoning_deaths": "In {area} {value} were from drug poisoning in {period}",
    }
)
"""Indicator to a sentence that a neighbour would understand."""


def in_words(row: Mapping[Any, Any], england: float | None = None) -> str:
    """Say a figure in plain English, beside England where its value is given.

    Examples
    --------
    >>> row = {"indicator": "hle_birth", "area_name": "Hartlepool", "sex": "Male", "period": "2022-24", "unit": "years"}
    >>> print(in_words(row | {"value": 52.12, "lower": 48.5, "upper": 55.7}))
    A boy born in Hartlepool can expect 52.1 years in good health, at the rates of 2022-24 (95 % limits 48.5 to 55.7).
    """
    words = {"born": _BORN[row["sex"]], "who": WHO[row["sex"]], "area": row["area_name"], "period": row["period"]}
    unit = row["unit"]
    text = _SENTENCES.get(row["indicator"], "In {area}: {value}, {period}")
    known = row["value"] == row["value"]
    said = text.format(value=amount(row["value"], unit), **words) if known else f"No figure for {row['area_name']}"
    _, bracket, limits = between(row, unit).partition(" (95 %") if known else ("", "", "")
    beside = "" if england is None else f"; in England: {amount(england, unit)}"
    return f"{said}{bracket}{limits}{beside}."
