"""Health estimates for areas that nobody publishes, with honest uncertainty.

The public names below are loaded on first use, so that importing the package stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nenc_estimates.age_bands import ABRIDGED_85, ABRIDGED_90, AgeBands
    from nenc_estimates.assessments import assess_goal, bound_all_met, compare_assumptions, trace_goal
    from nenc_estimates.backtests import backtest
    from nenc_estimates.comparisons import count_areas_below, estimate_gap, estimate_share_in_ill_health
    from nenc_estimates.counting import assign_age_bands, count_by, join_lookup, join_population, sum_counts
    from nenc_estimates.crosswalks import Crosswalk, load_crosswalk
    from nenc_estimates.decomposition import decompose_gap
    from nenc_estimates.decomposition_questions import compare_decompositions, estimate_years_gained
    from nenc_estimates.denominators import Denominator, load_denominator
    from nenc_estimates.deprivation import assign_quantiles, estimate_deprivation_gap, merge_quantiles
    from nenc_estimates.diagnostics import benchmark_crosswalk, diagnose_estimate
    from nenc_estimates.draws import Binomial, Gamma, Poisson, Prevalence, Published
    from nenc_estimates.errors import EstimatesError, InvalidDataError, SchemaError, UnknownAreaError
    from nenc_estimates.forecasts import Assumptions
    from nenc_estimates.gap_comparisons import compare_gaps, estimate_mean_gap
    from nenc_estimates.goals import Goal, read_goals
    from nenc_estimates.healthy_life_expectancy import estimate_healthy_life_expectancy
    from nenc_estimates.indicators import INDICATORS, Indicator
    from nenc_estimates.inequality import (
        estimate_inequality,
        estimate_quantile_contributions,
        estimate_slope_index,
        simulate_slope_index,
    )
    from nenc_estimates.kinds import KINDS
    from nenc_estimates.life_expectancy import compare_pooled_and_weighted, estimate_life_expectancy, pool_life_tables
    from nenc_estimates.life_expectancy_draws import simulate_life_expectancy
    from nenc_estimates.missing import Bounds, Imputed
    from nenc_estimates.periods import Period
    from nenc_estimates.quality import QUALITY
    from nenc_estimates.quantile_tables import parse_quantiles
    from nenc_estimates.readers import (
        LIMITS,
        FileDescription,
        Limits,
        Read,
        ReadReport,
        describe_file,
        read_deaths,
        read_fingertips,
        read_imd,
        read_indicator,
        read_lookup,
        read_mid_year_estimates,
        read_nomis,
        read_table,
    )
    from nenc_estimates.recent_trends import recent_trend
    from nenc_estimates.release import run_release
    from nenc_estimates.specification import read_specification
    from nenc_estimates.standardised_rates import (
        estimate_rate_ratio,
        estimate_standardised_rate,
        estimate_standardised_ratio,
    )
    from nenc_estimates.streaming import life_expectancy_batches, stream_life_expectancy
    from nenc_estimates.trajectories import project_trajectory
    from nenc_estimates.uncertainty import simulate
    from nenc_estimates.vintages import select_geography
    from nenc_estimates.weighting import estimate_indicator
    from nenc_estimates.weights import Weights, weigh
    from nenc_estimates.withholding import NONE, OHID, Rules

_HOME = {
    "ABRIDGED_85": "age_bands",
    "ABRIDGED_90": "age_bands",
    "AgeBands": "age_bands",
    "Assumptions": "forecasts",
    "Binomial": "draws",
    "Bounds": "missing",
    "Crosswalk": "crosswalks",
    "Denominator": "denominators",
    "EstimatesError": "errors",
    "FileDescription": "readers",
    "Gamma": "draws",
    "Goal": "goals",
    "INDICATORS": "indicators",
    "Imputed": "missing",
    "Indicator": "indicators",
    "InvalidDataError": "errors",
    "KINDS": "kinds",
    "LIMITS": "readers",
    "Limits": "readers",
    "NONE": "withholding",
    "OHID": "withholding",
    "Period": "periods",
    "Poisson": "draws",
    "Prevalence": "draws",
    "Published": "draws",
    "QUALITY": "quality",
    "Read": "readers",
    "ReadReport": "readers",
    "Rules": "withholding",
    "SchemaError": "errors",
    "UnknownAreaError": "errors",
    "Weights": "weights",
    "assess_goal": "assessments",
    "assign_age_bands": "counting",
    "assign_quantiles": "deprivation",
    "backtest": "backtests",
    "benchmark_crosswalk": "diagnostics",
    "bound_all_met": "assessments",
    "compare_assumptions": "assessments",
    "compare_decompositions": "decomposition_questions",
    "compare_gaps": "gap_comparisons",
    "compare_pooled_and_weighted": "life_expectancy",
    "count_areas_below": "comparisons",
    "count_by": "counting",
    "decompose_gap": "decomposition",
    "describe_file": "readers",
    "diagnose_estimate": "diagnostics",
    "estimate_deprivation_gap": "deprivation",
    "estimate_gap": "comparisons",
    "estimate_healthy_life_expectancy": "healthy_life_expectancy",
    "estimate_indicator": "weighting",
    "estimate_inequality": "inequality",
    "estimate_life_expectancy": "life_expectancy",
    "estimate_mean_gap": "gap_comparisons",
    "estimate_quantile_contributions": "inequality",
    "estimate_rate_ratio": "standardised_rates",
    "estimate_share_in_ill_health": "comparisons",
    "estimate_slope_index": "inequality",
    "estimate_standardised_rate": "standardised_rates",
    "estimate_standardised_ratio": "standardised_rates",
    "estimate_years_gained": "decomposition_questions",
    "join_lookup": "counting",
    "join_population": "counting",
    "life_expectancy_batches": "streaming",
    "load_crosswalk": "crosswalks",
    "load_denominator": "denominators",
    "merge_quantiles": "deprivation",
    "parse_quantiles": "quantile_tables",
    "pool_life_tables": "life_expectancy",
    "project_trajectory": "trajectories",
    "read_deaths": "readers",
    "read_fingertips": "readers",
    "read_goals": "goals",
    "read_imd": "readers",
    "read_indicator": "readers",
    "read_lookup": "readers",
    "read_mid_year_estimates": "readers",
    "read_nomis": "readers",
    "read_specification": "specification",
    "read_table": "readers",
    "recent_trend": "recent_trends",
    "run_release": "release",
    "select_geography": "vintages",
    "simulate": "uncertainty",
    "simulate_life_expectancy": "life_expectancy_draws",
    "simulate_slope_index": "inequality",
    "stream_life_expectancy": "streaming",
    "sum_counts": "counting",
    "trace_goal": "assessments",
    "weigh": "weights",
}

__all__ = [
    "ABRIDGED_85",
    "ABRIDGED_90",
    "INDICATORS",
    "KINDS",
    "LIMITS",
    "NONE",
    "OHID",
    "QUALITY",
    "AgeBands",
    "Assumptions",
    "Binomial",
    "Bounds",
    "Crosswalk",
    "Denominator",
    "EstimatesError",
    "FileDescription",
    "Gamma",
    "Goal",
    "Imputed",
    "Indicator",
    "InvalidDataError",
    "Limits",
    "Period",
    "Poisson",
    "Prevalence",
    "Published",
    "Read",
    "ReadReport",
    "Rules",
    "SchemaError",
    "UnknownAreaError",
    "Weights",
    "assess_goal",
    "assign_age_bands",
    "assign_quantiles",
    "backtest",
    "benchmark_crosswalk",
    "bound_all_met",
    "compare_assumptions",
    "compare_decompositions",
    "compare_gaps",
    "compare_pooled_and_weighted",
    "count_areas_below",
    "count_by",
    "decompose_gap",
    "describe_file",
    "diagnose_estimate",
    "estimate_deprivation_gap",
    "estimate_gap",
    "estimate_healthy_life_expectancy",
    "estimate_indicator",
    "estimate_inequality",
    "estimate_life_expectancy",
    "estimate_mean_gap",
    "estimate_quantile_contributions",
    "estimate_rate_ratio",
    "estimate_share_in_ill_health",
    "estimate_slope_index",
    "estimate_standardised_rate",
    "estimate_standardised_ratio",
    "estimate_years_gained",
    "join_lookup",
    "join_population",
    "life_expectancy_batches",
    "load_crosswalk",
    "load_denominator",
    "merge_quantiles",
    "parse_quantiles",
    "pool_life_tables",
    "project_trajectory",
    "read_deaths",
    "read_fingertips",
    "read_goals",
    "read_imd",
    "read_indicator",
    "read_lookup",
    "read_mid_year_estimates",
    "read_nomis",
    "read_specification",
    "read_table",
    "recent_trend",
    "run_release",
    "select_geography",
    "simulate",
    "simulate_life_expectancy",
    "simulate_slope_index",
    "stream_life_expectancy",
    "sum_counts",
    "trace_goal",
    "weigh",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"nenc_estimates.{_HOME[name]}"), name)
    deprecations = import_module("nenc_estimates.deprecations")
    if name not in deprecations.DEPRECATED:
        raise AttributeError(f"module 'nenc_estimates' has no attribute {name!r}")
    entry = deprecations.DEPRECATED[name]
    deprecations.warn_deprecated(name, entry)
    return __getattr__(entry.instead)


def __dir__() -> list[str]:
    return sorted(_HOME)
