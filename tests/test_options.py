"""Wrong options of the public functions: each is a ValueError that says what to write."""

from __future__ import annotations

import inspect
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nenc_estimates
from nenc_estimates import AgeBands

if TYPE_CHECKING:
    from collections.abc import Callable

BANDS = AgeBands((0, 40, 80))
AGES = pd.DataFrame({"age": BANDS.labels, "population": 50_000, "deaths": [60, 900, 4_900], "prevalence": 0.8})
AGES = AGES.assign(respondents=300, events=AGES["deaths"])
BOTH = pd.concat([AGES.assign(area_code="E06000001"), AGES.assign(area_code="E06000002", deaths=[50, 800, 4_500])])
FIFTHS = pd.concat([AGES.assign(quantile=quantile, deaths=AGES["deaths"] - 20 * quantile) for quantile in range(1, 6)])
VALUES = pd.DataFrame({"quantile": [1, 2, 3], "value": [0.05, 0.04, 0.03], "se": 0.002, "population": 100})
LIVES = pd.DataFrame({"sex": ["Male"], "period": ["2018-20"], "area_code": ["E54000050"], "value": [59.4], "se": [0.3]})
GAPS = pd.DataFrame({"measure": ["difference"], "definition": ["national quantiles"], "value": 9.1, "se": 0.3})
OWN = pd.DataFrame({"area_code": ["A", "B"], "measure": "slope index", "value": [8.0, 12.0], "se": [0.6, 0.8]})
RATES = pd.DataFrame({"quintile": ["1", "5"], "value": [700.0, 200.0], "se": [20.0, 10.0]})
PAIR = {"between": ("E06000001", "E06000002"), "keys": [], "bands": BANDS}
THREE = {"by": [], "definition": "national quantiles", "quantiles": 3, "most_deprived": 1}
TWO = nenc_estimates.Crosswalk.from_shares([("E06000001", "T", 1.0), ("E06000002", "T", 1.0)])
PEOPLE = nenc_estimates.Denominator.from_table(pd.DataFrame({"area_code": TWO.sources, "people": 100}))
PARTS = nenc_estimates.decompose_gap(BOTH, **PAIR)


def call(name: str, *tables: Any, **options: Any) -> Callable[..., Any]:
    return lambda **more: getattr(nenc_estimates, name)(*tables, **{**options, **more})


def at_birth(table: pd.DataFrame) -> pd.DataFrame:
    return nenc_estimates.estimate_life_expectancy(table, by=["draw"], at=0, bands=BANDS)


def streamed(**options: Any) -> list[pa.RecordBatch]:
    batches = pa.Table.from_pandas(AGES.assign(area_code="A")).to_batches()
    return list(nenc_estimates.life_expectancy_batches(batches, by=["area_code"], bands=BANDS, **options))


def streamed_from_a_file(**options: Any) -> int:
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "ages.parquet"), Path(folder, "years.parquet")
        pq.write_table(pa.Table.from_pandas(AGES.assign(area_code="A")), source)
        return nenc_estimates.stream_life_expectancy(source, target, by=["area_code"], bands=BANDS, **options)


STREAMS = {"life_expectancy_batches": streamed, "stream_life_expectancy": streamed_from_a_file}
CALLS = {
    made[0]: call(*made, **options)
    for made, options in (
        (("estimate_life_expectancy", AGES), {"by": [], "bands": BANDS}),
        (("estimate_healthy_life_expectancy", AGES), {"of": "good", "by": [], "bands": BANDS}),
        (("pool_life_tables", BOTH), {"to": TWO, "by": [], "bands": BANDS}),
        (("compare_pooled_and_weighted", BOTH), {"to": TWO, "by": [], "bands": BANDS}),
        (
            ("estimate_indicator", pd.DataFrame({"area_code": TWO.sources, "value": 0.2})),
            {"to": TWO, "denominator": PEOPLE},
        ),
        (("estimate_gap", LIVES, LIVES.assign(area_code="E92000001", value=63.1)), {}),
        (("estimate_share_in_ill_health", LIVES, LIVES.assign(value=78.0)), {}),
        (("decompose_gap", BOTH), PAIR),
        (("estimate_years_gained", BOTH), PAIR),
        (("compare_decompositions", PARTS, PARTS), {"keys": []}),
        (("estimate_inequality", VALUES), THREE),
        (("estimate_slope_index", VALUES), THREE),
        (("estimate_quantile_contributions", VALUES), THREE),
        (("simulate_slope_index", VALUES), {"noise": "log", "rng": np.random.default_rng(1), **THREE}),
        (("estimate_deprivation_gap", FIFTHS), {**THREE, "quantiles": 5, "over": [], "bands": BANDS}),
        (("estimate_mean_gap", OWN.assign(population=[300, 100])), {"by": []}),
        (("compare_gaps", GAPS, GAPS), {"by": []}),
        (("estimate_standardised_rate", AGES), {"by": [], "bands": BANDS, "standard": dict.fromkeys(BANDS.lower, 1)}),
        (("estimate_standardised_ratio", AGES, AGES), {"by": [], "match": [], "bands": BANDS}),
        (("estimate_rate_ratio", RATES), {"between": ("1", "5"), "populations": "quintile", "by": []}),
        (("simulate", AGES, at_birth), {"drawn": {"deaths": nenc_estimates.Poisson()}, "seed": 1, "draws": 1000}),
        (("simulate_life_expectancy", AGES), {"by": [], "bands": BANDS, "seed": 1, "draws": 1000}),
    )
}
SEVERAL = {"estimate_life_expectancy", "estimate_healthy_life_expectancy", "pool_life_tables"}
"""Functions that give limits at several levels at once."""


def functions(option: str) -> list[str]:
    """Public functions that take an option."""
    public = {name: getattr(nenc_estimates, name) for name in nenc_estimates.__all__}
    made = {name: function for name, function in public.items() if inspect.isfunction(function)}
    return sorted(name for name, function in made.items() if option in inspect.signature(function).parameters)


def test_every_function_with_limits_is_called_here() -> None:
    assert set(functions("confidence")) == set(CALLS)
    for function in CALLS.values():
        assert len(function()) > 0


@pytest.mark.parametrize("confidence", [95, 0, 1, "high", [], [[0.9]], (0.9, 95)])
@pytest.mark.parametrize("name", functions("confidence"))
def test_a_level_is_a_fraction(name: str, confidence: Any) -> None:
    with pytest.raises(ValueError, match=r"confidence is .*0.95"):
        CALLS[name](confidence=confidence)


@pytest.mark.parametrize("name", sorted(set(functions("confidence")) - SEVERAL))
def test_several_levels_are_refused_where_one_is_taken(name: str) -> None:
    with pytest.raises(ValueError, match=r"confidence is .*0.95"):
        CALLS[name](confidence=(0.9, 0.95))


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_several_levels_are_taken_where_the_columns_say_so(name: str) -> None:
    assert {"lower", "lower_998"} <= set(CALLS[name](confidence=(0.95, 0.998)).columns)


@pytest.mark.parametrize("rules", [None, "OHID", 5])
@pytest.mark.parametrize("name", functions("rules"))
def test_rules_are_a_set_of_rules(name: str, rules: Any) -> None:
    with pytest.raises(ValueError, match="it is OHID, NONE, or Rules"):
        (CALLS | STREAMS)[name](rules=rules)


@pytest.mark.parametrize("at", [None, 1.5, (0, None), object()])
@pytest.mark.parametrize(
    ("name", "option"),
    [*((name, "at") for name in functions("at")), *((name, "ages") for name in functions("ages"))],
)
def test_ages_are_labels_or_whole_numbers(name: str, option: str, at: Any) -> None:
    with pytest.raises(ValueError, match=r"names no ages|is unknown|is none of the bands"):
        CALLS[name](**{option: at})


@pytest.mark.parametrize("rng", [None, 3, np.random])
def test_draws_need_a_generator(rng: Any) -> None:
    with pytest.raises(ValueError, match=r"pass a generator, such as np.random.default_rng\(2026\)"):
        CALLS["simulate_slope_index"](rng=rng)


def test_a_standard_population_by_labels_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="0-39"):
        CALLS["estimate_standardised_rate"](standard=dict.fromkeys(BANDS.labels, 1))
