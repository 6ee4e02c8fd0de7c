"""Numbers of any kind give the answer of the same numbers as float64, in float64, for every formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from nenc_estimates.kernels import (
    apportioning,
    decomposition,
    decomposition_variance,
    expectancy,
    gaps,
    goal_lines,
    goal_values,
    ill_health,
    inequality,
    infant_years,
    interval_inversion,
    intervals,
    life_table,
    lifespan,
    log_intervals,
    prevalence,
    progress,
    scores,
    slopes,
    standardisation,
    sullivan,
    trajectories,
    transforms,
    trends,
    weighting,
    windows,
)

Kind = Callable[[Any], Any]


def nearest(numbers: Any) -> Any:
    """Numbers of half precision: their sums and products, which it cannot hold, must not be rounded to it."""
    return np.float16(numbers).astype(np.float64)


VALUE, ERROR, PEOPLE = nearest([0.4061, 0.6252, 0.7183]), nearest([0.0311, 0.0467, 0.0623]), [301, 503, 107]
LOWER, UPPER = nearest([0.3127, 0.5003, 0.6561]), nearest([0.5311, 0.7651, 0.7891])
RATE, HIGHER = nearest([0.01173, 0.03121, 0.3127]), nearest([0.01561, 0.03512, 0.3753])
HEALTH, BETTER = nearest([0.9371, 0.7503, 0.5007]), nearest([0.9997, 0.8751, 0.6253])
DEATHS, SMALL = [3, 11, 31], nearest([0.000977, 0.001951, 0.003907])
YEARS, LEVEL = [2001, 2004, 2007, 2010, 2013], nearest([0.5003, 0.5311, 0.5622, 0.6253, 0.6091])
NOISE = nearest([0.01563] * 5)
WINDOWS = {"first_year": YEARS, "n_years": 3}
BANDS = {"width": [30, 50, np.inf], "nax": nearest([15.23, 25.51, 0])}
CAUSES, MORE_CAUSES = nearest(np.outer([0.2, 0.8], RATE)), nearest(np.outer([0.3, 0.7], HIGHER))
GOAL = {"baseline_year": 2014, "year": 2019, "target_year": 2030, "direction": 1}
STARTS = [0, 2]


def bands(kind: Kind) -> dict[str, Any]:
    return {name: kind(numbers) for name, numbers in BANDS.items()}


def table(kind: Kind) -> life_table.LifeTable:
    return life_table.life_table(kind(RATE), **bands(kind), nqx=kind([0.328125, np.nan, np.nan]))


def survey(kind: Kind) -> prevalence.Prevalence:
    return prevalence.survey_prevalence(kind(HEALTH), kind(PEOPLE), of="good", design_effect=kind(1.28125))


def fit(kind: Kind) -> trajectories.Trajectory:
    spans = {name: kind(numbers) for name, numbers in WINDOWS.items()}
    return trajectories.trajectory(kind(LEVEL), kind(NOISE), **spans, until=2020, population=kind([700] * 20))


def sdg(function: Callable[..., Any]) -> Callable[[Kind], Any]:
    given = GOAL | {"baseline": [0.4375, 0.625], "current": [0.46875, 0.6875], "target": 0.78125}
    return lambda kind: function(**{name: kind(numbers) for name, numbers in given.items()})


FORMULAS: dict[str, Callable[[Kind], Any]] = {
    "apportion": lambda kind: apportioning.apportion(
        kind(VALUE), apportioning.plan([0, 1, 1], [0, 1, 2], kind(HEALTH), n_targets=2, n_sources=3)
    ),
    "age_contributions": lambda kind: decomposition.age_contributions(kind(RATE), kind(HIGHER), **bands(kind)),
    "cause_contributions": lambda kind: decomposition.cause_contributions(
        kind(CAUSES), kind(MORE_CAUSES), **bands(kind)
    ),
    "healthy_contributions": lambda kind: decomposition.healthy_contributions(
        kind(RATE), kind(HIGHER), kind(HEALTH), kind(BETTER), **bands(kind)
    ),
    "mortality_sensitivity": lambda kind: decomposition.mortality_sensitivity(
        kind(RATE), kind(HIGHER), **bands(kind), healthy1=kind(HEALTH), healthy2=kind(BETTER)
    ),
    "health_sensitivity": lambda kind: decomposition.health_sensitivity(kind(RATE), kind(HIGHER), **bands(kind)),
    "years_gained": lambda kind: decomposition.years_gained(
        kind(CAUSES), kind(MORE_CAUSES), cells=[[True, False, True], [False, True, True]], **bands(kind)
    ),
    "contribution_variance": lambda kind: decomposition_variance.contribution_variance(
        kind(CAUSES),
        kind(MORE_CAUSES),
        kind([SMALL, SMALL]),
        kind([SMALL, SMALL]),
        groups=np.eye(6).reshape(6, 2, 3),
        healthy=(kind(HEALTH), kind(BETTER)),
        healthy_variance=(kind(SMALL), kind(SMALL)),
        **bands(kind),
    ),
    "years_gained_variance": lambda kind: decomposition_variance.years_gained_variance(
        kind(CAUSES),
        kind(MORE_CAUSES),
        kind([SMALL, SMALL]),
        kind([SMALL, SMALL]),
        cells=[[True, False, True], [False, True, True]],
        **bands(kind),
    ),
    "healthy_contribution_variance": lambda kind: decomposition_variance.healthy_contribution_variance(
        kind(RATE),
        kind(HIGHER),
        kind(HEALTH),
        kind(BETTER),
        variances=(kind(SMALL),) * 4,
        groups=np.eye(3),
        **bands(kind),
    ),
    "life_expectancy": lambda kind: expectancy.life_expectancy(kind(DEATHS), kind(PEOPLE), **bands(kind)),
    "gap": lambda kind: gaps.gap(kind(VALUE), kind(UPPER), better="higher"),
    "area_from_gap": lambda kind: gaps.area_from_gap(kind(SMALL), kind(UPPER), better="higher"),
    "gap_variance": lambda kind: gaps.gap_variance(kind(SMALL), kind(ERROR), share=kind(VALUE)),
    "person_years_se": lambda kind: gaps.person_years_se(kind([7000, 9000]), sex="male"),
    "reduce_gap": lambda kind: goal_values.reduce_gap(kind(VALUE), by=0.1),
    "change_by": lambda kind: goal_values.change_by(kind(VALUE), by=0.1),
    "reach": lambda kind: goal_values.reach(kind(VALUE), level=0.1),
    "improve": lambda kind: goal_values.improve(kind(VALUE)),
    "goal_line": lambda kind: goal_lines.goal_line(
        kind([2017, 2021]), baseline_year=kind(2014), baseline=kind(0.40625), target_year=kind(2030), goal=kind(0.71875)
    ),
    "required_change": lambda kind: goal_lines.required_change(
        kind(VALUE), kind(UPPER), year=kind(2019), target_year=kind(2030)
    ),
    "annual_rate_of_reduction": lambda kind: goal_lines.annual_rate_of_reduction(
        kind(VALUE), kind(UPPER), years=kind(7), compound=True
    ),
    "average_annual_rate_of_reduction": lambda kind: goal_lines.average_annual_rate_of_reduction(
        kind(LEVEL), year=kind(YEARS)
    ),
    "pace_ratio": lambda kind: goal_lines.pace_ratio(kind(VALUE), kind(UPPER)),
    "goal_probability": lambda kind: goal_lines.goal_probability(
        trajectories.project(fit(kind), first_year=kind(2016), n_years=kind(3)), kind(0.65625), bound="at_least"
    ),
    "reduction_probability": lambda kind: goal_lines.reduction_probability(
        kind(VALUE),
        kind(LOWER),
        by=kind(0.1875),
        se_baseline=kind(ERROR),
        se_target=kind(ERROR),
        correlation=kind(0.3125),
    ),
    "all_met_bounds": lambda kind: goal_lines.all_met_bounds(kind(VALUE)),
    "detectability": lambda kind: goal_lines.detectability(kind(SMALL), se_baseline=kind(ERROR), se_target=kind(ERROR)),
    "share_in_ill_health": lambda kind: ill_health.share_in_ill_health(
        kind([59.25, 61.5]), kind([78.75, 82.125]), kind(0.28125), kind(0.03125)
    ),
    "population_shares": lambda kind: inequality.population_shares(kind(PEOPLE)),
    "ridit_ranks": lambda kind: inequality.ridit_ranks(kind(PEOPLE)),
    "absolute_gap": lambda kind: inequality.absolute_gap(kind(VALUE), se=kind(ERROR)),
    "ratio": lambda kind: inequality.ratio(kind(VALUE), se=kind(ERROR)),
    "quantile_ranks": lambda kind: inequality.quantile_ranks(kind(VALUE), quantiles=3),
    "andreev_kingkade": lambda kind: infant_years.andreev_kingkade_infant_years(kind(SMALL), sex="male"),
    "coale_demeny_infants": lambda kind: infant_years.coale_demeny_infant_years(kind(SMALL), sex="male"),
    "coale_demeny_children": lambda kind: infant_years.coale_demeny_child_years(kind(SMALL), sex="male"),
    "standard_error_from_limits": lambda kind: interval_inversion.standard_error_from_limits(kind(LOWER), kind(UPPER)),
    "normal_interval": lambda kind: intervals.normal_interval(kind(VALUE), kind(ERROR)),
    "wilson_interval": lambda kind: intervals.wilson_interval(kind(DEATHS), kind(PEOPLE)),
    "wilson_from_variance": lambda kind: intervals.wilson_from_variance(kind(VALUE), kind(SMALL)),
    "byar_interval": lambda kind: intervals.byar_interval(kind(DEATHS)),
    "exact_poisson_interval": lambda kind: intervals.exact_poisson_interval(kind(DEATHS)),
    "poisson_interval": lambda kind: intervals.poisson_interval(kind(DEATHS)),
    "byar_from_variance": lambda kind: intervals.byar_from_variance(kind(VALUE), kind(SMALL)),
    "dobson_interval": lambda kind: intervals.dobson_interval(kind(VALUE), kind(SMALL), kind(PEOPLE)),
    "life_table": table,
    "death_chance_variance": lambda kind: life_table.death_chance_variance(table(np.float64), kind(DEATHS)),
    "expected_variance": lambda kind: life_table.expected_variance(
        table(np.float64), kind(DEATHS), weight=kind(HEALTH), total=table(np.float64).ex
    ),
    "survival": lambda kind: lifespan.survival(table(np.float64), kind(DEATHS), to=1),
    "partial_life_expectancy": lambda kind: lifespan.partial_life_expectancy(table(np.float64), kind(DEATHS), to=1),
    "cause_deleted": lambda kind: lifespan.cause_deleted(table(np.float64), kind(nearest([0.123, 0.257, 0.371]))),
    "years_of_life_lost": lambda kind: lifespan.years_of_life_lost(kind(DEATHS), table(np.float64)),
    "potential_years_of_life_lost": lambda kind: lifespan.potential_years_of_life_lost(
        kind(DEATHS), lower=kind([0, 30, 80]), nax=kind(BANDS["nax"])
    ),
    "log_interval": lambda kind: log_intervals.log_interval(kind(VALUE), kind(SMALL)),
    "logit_interval": lambda kind: log_intervals.logit_interval(kind(VALUE), kind(SMALL)),
    "standard_error_from_log_limits": lambda kind: log_intervals.standard_error_from_log_limits(
        kind(VALUE), kind(LOWER), kind(UPPER)
    ),
    "standard_error_from_logit_limits": lambda kind: log_intervals.standard_error_from_logit_limits(
        kind(VALUE), kind(LOWER), kind(UPPER)
    ),
    "survey_prevalence": survey,
    "include_institutions": lambda kind: prevalence.include_institutions(survey(np.float64), kind(SMALL)),
    "impute_by_ratio": lambda kind: prevalence.impute_by_ratio(survey(np.float64), kind(VALUE)),
    "smooth_prevalence": lambda kind: prevalence.smooth_prevalence(
        kind(LEVEL), kind([90, 80, 70, 60, 50]), age=kind([20, 35, 50, 65, 80]), of="good", design_effect=1.3
    ),
    "open_sdg_progress": sdg(progress.open_sdg_progress),
    "unsd_progress": sdg(progress.unsd_progress),
    "mean_absolute_error": lambda kind: scores.mean_absolute_error(kind(VALUE), kind(UPPER)),
    "mean_absolute_scaled_error": lambda kind: scores.mean_absolute_scaled_error(
        kind(VALUE), kind(UPPER), training=kind(LEVEL)
    ),
    "continuous_ranked_probability_score": lambda kind: scores.continuous_ranked_probability_score(
        kind(0.65625), trajectories.project(fit(np.float64), first_year=2016, n_years=3)
    ),
    "interval_score": lambda kind: scores.interval_score(kind(HEALTH), kind(LOWER), kind(UPPER)),
    "interval_coverage": lambda kind: scores.interval_coverage(kind(HEALTH), kind(LOWER), kind(UPPER)),
    "crude_rate": lambda kind: standardisation.crude_rate(kind(DEATHS), kind(PEOPLE)),
    "directly_standardised_rate": lambda kind: standardisation.directly_standardised_rate(
        kind(DEATHS), kind(PEOPLE), standard=kind([7, 5, 3]), count_variance=kind([4, 12, 30])
    ),
    "expected_events": lambda kind: standardisation.expected_events(kind(PEOPLE), reference_rate=kind(RATE)),
    "standardised_ratio": lambda kind: standardisation.standardised_ratio(kind(DEATHS), kind([2.75, 13, 29])),
    "rate_ratio": lambda kind: standardisation.rate_ratio(kind(VALUE), kind(SMALL), kind(UPPER), kind(SMALL)),
    "sullivan": lambda kind: sullivan.sullivan(table(np.float64), survey(np.float64), kind(DEATHS)),
    "trajectory": fit,
    "project": lambda kind: trajectories.project(
        fit(np.float64), first_year=kind(2016), n_years=kind(3), baseline=4, keep=0.9, se=kind(nearest(0.0157))
    ),
    "combine": lambda kind: trajectories.combine(
        fit(np.float64), kind([0.0625] * 20), observed=kind([0.1875, 0.0625, 0, 0, 0])
    ),
    "proportion_trend": lambda kind: trends.proportion_trend(
        kind([31, 33, 37, 41, 47]), kind([100, 101, 103, 107, 109]), year=kind(YEARS)
    ),
    "value_trend": lambda kind: trends.value_trend(kind(LEVEL), kind(NOISE), year=kind(YEARS)),
    "window_trend": lambda kind: trends.window_trend(
        kind(LEVEL), kind(NOISE), first_year=kind(YEARS), n_years=kind([3] * 5)
    ),
    "grouped_sum": lambda kind: weighting.grouped_sum(kind(VALUE), STARTS),
    "spread": lambda kind: weighting.spread(kind([0.5, 0.25]), STARTS, 3),
    "weights": lambda kind: weighting.weights(kind(PEOPLE), kind(VALUE), STARTS),
    "weighted_mean": lambda kind: weighting.weighted_mean(kind(UPPER), kind(VALUE), STARTS),
    "weighted_mean_variance": lambda kind: weighting.weighted_mean_variance(
        kind(ERROR), kind(VALUE), STARTS, correlation=0.3
    ),
    "effective_number": lambda kind: weighting.effective_number(kind(VALUE), STARTS),
    "largest_weight": lambda kind: weighting.largest_weight(kind(VALUE), STARTS),
    "coverage": lambda kind: weighting.coverage(kind(VALUE), kind([1, 0, 1]), STARTS),
    "window_centre": lambda kind: windows.window_centre(kind(YEARS), kind([3] * 5)),
    "window_overlap": lambda kind: windows.window_overlap(kind(YEARS), kind([5] * 5)),
    "window_weights": lambda kind: windows.window_weights(
        kind(YEARS), kind([3] * 5), years=kind(np.arange(2000, 2016)), population=kind(np.arange(401, 417))
    ),
}
for _scale in slopes.SCALES:
    FORMULAS |= {
        f"{_formula.__name__} {_scale}": lambda kind, formula=_formula, scale=_scale: formula(
            kind(VALUE), kind(PEOPLE), se=kind(ERROR), scale=scale
        )
        for _formula in (slopes.slope_index, slopes.relative_index)
    }
    FORMULAS[f"scatter_errors {_scale}"] = lambda kind, scale=_scale: slopes.scatter_errors(
        kind(VALUE), kind(PEOPLE), scale=scale
    )
FORMULAS |= {
    f"{part} {name}": lambda kind, scale=scale, part=part: getattr(scale, part)(kind(VALUE))
    for name, scale in transforms.TRANSFORMS.items()
    for part in ("forward", "slope")
}
FORMULAS["slope_weights"] = lambda kind: slopes.slope_weights(kind(PEOPLE))
FORMULAS |= {
    formula.__name__: lambda kind, formula=formula: formula(kind(VALUE), kind(PEOPLE), se=kind(ERROR))
    for formula in (
        inequality.attributable_risk,
        inequality.attributable_fraction,
        inequality.attributable_contributions,
        inequality.absolute_concentration_index,
        inequality.relative_concentration_index,
    )
}
FORMULAS |= {
    formula.__name__: lambda kind, formula=formula: formula(kind(VALUE), kind(LOWER), kind(UPPER))
    for formula in (
        interval_inversion.sample_size_from_wilson,
        interval_inversion.count_from_byar,
        interval_inversion.count_and_variance_from_dobson,
    )
}


def arrays(answer: Any) -> Iterator[np.ndarray]:
    """Arrays in what a formula gives back, whatever holds them."""
    if isinstance(answer, (np.ndarray, np.generic)):
        yield np.asarray(answer)
    elif is_dataclass(answer):
        for field in fields(answer):
            yield from arrays(getattr(answer, field.name))
    elif isinstance(answer, tuple):
        for each in answer:
            yield from arrays(each)


def half_precision(numbers: Any) -> np.ndarray:
    kept = np.asarray(numbers, dtype=np.float16)
    np.testing.assert_array_equal(kept, np.asarray(numbers, dtype=np.float64))
    return kept


@pytest.mark.parametrize("name", FORMULAS)
def test_half_precision_numbers_give_the_answer_of_the_same_numbers_as_float64(name: str) -> None:
    wanted = list(arrays(FORMULAS[name](np.float64)))
    found = list(arrays(FORMULAS[name](half_precision)))
    assert [array.dtype for array in found] == [array.dtype for array in wanted]
    assert np.float16 not in {array.dtype for array in found}
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert any(np.isfinite(array).any() for array in wanted)
