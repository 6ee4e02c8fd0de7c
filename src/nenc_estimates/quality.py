"""What a reader must know about an estimate: codes for machines, sentences for people."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

QUALITY: Mapping[str, str] = MappingProxyType(
    {
        "partial_area": "The whole of an area stands for the part of it that lies inside.",
        "mostly_partial_area": "Most of the figure is an area that lies partly inside: it speaks of the whole area.",
        "small_share": "Less than half of an area lies inside, and the part may be unlike the whole.",
        "proxy_year": "People of the nearest year with figures stand for the middle of the period.",
        "proxy_denominator": "Other people than the indicator's own stand for them.",
        "person_years_se": "The standard error comes from person-years, for want of published limits.",
        "incomplete": "Some people live in areas without a value.",
        "withheld_coverage": "Withheld: too many people live in areas without a value.",
        "withheld_disclosure": "Withheld: a small count, or a count that would give one away.",
        "rounded_count": "Rounded to the nearest 5; its limits, which would give the count away, are not shown.",
        "rounded_limits": "Limits rounded too far to give back the counts behind them: weighted by people instead.",
        "no_limits": "No limits: the source publishes none for some area.",
        "recovered_sizes": "Sizes behind the published limits are the weights, not residents.",
        "modelled": "Values of one model for all areas: the standard error takes their errors as independent.",
        "bounds": "The limits are bounds over what the missing areas could be, not confidence limits.",
        "imputed": "Missing values were taken from another source.",
        "missing_suppressed": "A value was suppressed by its publisher.",
        "missing_not_applicable": "A value does not apply to an area.",
        "missing_not_published": "A value was not published.",
        "recoded": "A superseded code was read as the present one of the same area.",
        "mixed_editions": "Editions with different populations or methods meet in one figure.",
        "shock_not_given": "Windows touch 2020 and 2021 and no shock was given: the pandemic counts as trend.",
        "no_sampling_error": "No standard errors are published: sampling error counts as nil.",
        "too_few_windows": "Too few windows for the trend: goal, line and required change only.",
        "no_value": "There is no value.",
        "no_baseline": "There is no baseline: no goal line, and nothing to detect a change from.",
        "own_baseline": "The baseline is the value of this edition, not the figure that was printed with the goal.",
        "other_baseline": "The baseline is not the one that the goal states.",
        "later_edition": "A later edition than the goal: not what was published when it was set.",
        "assumed_baseline": "The baseline period is assumed here: the goal does not state one.",
        "shock_in_baseline": "The baseline window holds a year of the pandemic.",
        "limits_wide": "The limits at the target are wider than the value now: hardly a forecast.",
        "coarse_rounding": "Half a unit of the last decimal is more than a quarter of the required change.",
        "missing_value": "Deaths or population of an age band are missing.",
        "missing_band": "There is no row for an age band.",
        "negative_deaths": "Deaths are below 0 in an age band.",
        "no_population": "Population is 0 or less in an age band.",
        "more_deaths_than_people": "An age band has more deaths than people.",
        "no_deaths_in_open_band": "Nobody died in the open age band, so that life has no end.",
        "missing_prevalence": "The prevalence of an age band is missing.",
        "no_respondents": "Nobody was asked in an age band, so that the error of its prevalence is unknown.",
        "withheld_person_years": "Withheld: too few person-years.",
        "withheld_wide_interval": "Withheld: the 95 % interval is too wide.",
        "nobody_survives": "By these rates nobody lives to this age: the figure is that of a person who did.",
        "wider_age_share": "The share inside of a wider age group stands for that of an age band.",
        "too_few_areas": "There are fewer areas with a score than quantiles.",
        "no_score": "The area has no score.",
        "missing_quantile": "There is no row for a quantile.",
        "quantile_without_value": "A quantile has no value.",
        "quantile_without_people": "A quantile has no people.",
        "area_without_people": "An area has no people.",
        "no_counterpart": "There is no row for one of the two that are compared.",
        "rate_too_high": "A death rate is so high that nobody would survive its age band.",
        "withheld_share": "Percentages are withheld: the gap is smaller than two standard errors, or has none.",
        "withheld_few_events": "Withheld: fewer events than are shown.",
        "nothing_expected": "The reference expects no events, or has no rate for an age band.",
        "rate_without_value": "A rate is missing, or 0, and has no ratio.",
        "band_without_events_or_people": "The events of an age band are missing or negative, or it has no people.",
        "draws_without_value": "Some draws of a simulation gave no value: nothing is said of the others.",
        "revised": "Revised since the last release: the list of revisions says why.",
    }
)
"""Every code that stands in a ``quality`` column, and what it means."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "suppressed": "missing_suppressed",
        "not applicable": "missing_not_applicable",
        "not published": "missing_not_published",
    }
)
"""Reason why a value is missing, as a table gives it in ``missing_reason``, to its quality code."""
