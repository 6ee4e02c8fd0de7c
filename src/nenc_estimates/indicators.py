"""Indicators: what a number is and whom it is about. Data only: this module calls nothing."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One indicator: its name, unit and kind, and the people it is about.

    Attributes
    ----------
    id
        Short name used in files and columns.
    name, unit
        In words; the unit of ``value``.
    kind
        A key of :data:`~nenc_estimates.KINDS`, or another word for what is not aggregated (``gap``, ``rank``).
    multiplier
        What a proportion or rate is multiplied by (100 for a percentage, 100,000 for a rate per 100,000).
    denominator
        Packaged denominator that weights it, or "" where it needs none.
    proxy
        Why that denominator is not the indicator's own, or "".
    survey
        Whether its limits come from a survey, whose sample sizes say nothing about how many people live where.

    Examples
    --------
    >>> Indicator(id="smoking", name="Adults who smoke", unit="%", kind="proportion", multiplier=100, survey=True).unit
    '%'
    """

    id: str
    name: str
    unit: str
    kind: str
    multiplier: float = 1.0
    denominator: str = ""
    proxy: str = ""
    survey: bool = False


_ENTRIES = (
    Indicator(
        id="hle_birth",
        name="Healthy life expectancy at birth",
        unit="years",
        kind="healthy life expectancy",
        denominator="residents",
    ),
    Indicator(
        id="le_birth", name="Life expectancy at birth", unit="years", kind="life expectancy", denominator="residents"
    ),
    Indicator(
        id="smoking",
        name="Adults aged 18 and over who smoke",
        unit="%",
        kind="proportion",
        multiplier=100.0,
        denominator="residents by broad age",
        survey=True,
    ),
    Indicator(
        id="cancer_stage_1_2",
        name="Cancers diagnosed at stage 1 or 2",
        unit="%",
        kind="proportion",
        multiplier=100.0,
        denominator="residents",
        proxy="residents stand for the cancers diagnosed, whose number is not published beside the percentage",
    ),
    Indicator(
        id="alcohol_admissions",
        name="Alcohol-related hospital admissions (narrow)",
        unit="per 100,000, directly standardised",
        kind="directly standardised rate",
        multiplier=100_000.0,
        denominator="residents",
    ),
    Indicator(
        id="sii_le_birth",
        name="Slope index of inequality in life expectancy at birth, mean of the areas' own",
        unit="years",
        kind="mean",
        denominator="residents",
        proxy="each area's own slope index is averaged: this is not the slope index of the whole",
    ),
    Indicator(id="drug_poisoning_deaths", name="Deaths related to drug poisoning", unit="deaths", kind="count"),
)

INDICATORS: Mapping[str, Indicator] = MappingProxyType({entry.id: entry for entry in _ENTRIES})
"""Every indicator that the release knows: id to :class:`Indicator`. A new one is one entry above."""
