"""Rates and their ratios against OHID's package, an independent reference, and identities."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nenc_estimates.kernels.standardisation import (
    crude_rate,
    directly_standardised_rate,
    expected_events,
    rate_ratio,
    standardised_ratio,
)

if TYPE_CHECKING:
    from pathlib import Path

# European Standard Population 2013 with the band 0-4 split 1,000 : 4,000
STANDARD = [1000, 4000, 5500, 5500, 5500, 6000, 6000, 6500, 7000, 7000, 7000, 7000, 6500, 6000, 5500, 5000]
STANDARD = np.array([*STANDARD, 4000, 2500, 1500, 1000])

counts = arrays(np.float64, 4, elements=st.integers(1, 500).map(float))
people = arrays(np.float64, 4, elements=st.floats(1000, 50_000))
pairs = arrays(np.float64, 2, elements=st.floats(0.01, 1))


@pytest.mark.parametrize(
    ("file", "confidence", "multiplier"), [("rate_edges", (0.95, 0.998), 1e5), ("rate_edges_90", 0.9, 1e3)]
)
def test_crude_rates_are_those_of_phe_rate_at_every_edge(reference: Path, file, confidence, multiplier):
    # PHEindicatormethods 2.1.0 phe_rate: exact limits below 10 events, Byar's above, NA events
    table = pd.read_csv(reference / "phe" / f"{file}.csv")
    ours = crude_rate(table.x, table.n, confidence=confidence)
    lower, upper = (table.filter(like=side).to_numpy().T for side in ("lower", "upper"))
    np.testing.assert_allclose(multiplier * ours.value, table.value, rtol=1e-12)
    np.testing.assert_allclose(multiplier * np.atleast_2d(ours.lower), lower, rtol=1e-12)
    np.testing.assert_allclose(multiplier * np.atleast_2d(ours.upper), upper, rtol=1e-12)


@pytest.mark.parametrize("sex", ["M", "F"])
def test_directly_standardised_rates_are_those_of_the_independent_reference(reference: Path, sex):
    table = pd.read_csv(reference / "weighting/tv06_life_table_inputs_synthetic.csv")
    areas = json.loads((reference / "weighting/tv07_dsr_expected.json").read_text())["results"][sex]["areas"]
    for code, expected in areas.items():
        rows = table[(table.sex == sex) & (table.code == code)].sort_values("start_age")
        ours = directly_standardised_rate(rows.deaths, rows.population_3y, standard=STANDARD)
        assert 1e5 * ours.value == pytest.approx(expected["dsr"], rel=1e-12)
        assert 1e5 * np.sqrt(ours.variance) == pytest.approx(expected["se"], rel=1e-12)
        assert [1e5 * ours.lower, 1e5 * ours.upper] == pytest.approx(expected["ci95"], rel=1e-9)


@given(events=counts, population=people)
def test_a_population_standardised_to_itself_has_its_crude_rate(events, population):
    own = directly_standardised_rate(events, population, standard=population)
    crude = crude_rate(events.sum(), population.sum())
    assert own.value == pytest.approx(crude.value)
    assert own.variance == pytest.approx(crude.variance)
    if events.sum() >= 10:
        assert [own.lower, own.upper] == pytest.approx([crude.lower, crude.upper])


@given(events=counts, population=people, unit=st.floats(0.1, 1000))
def test_the_size_of_the_standard_population_does_not_matter(events, population, unit):
    one = directly_standardised_rate(events, population, standard=[3, 2, 2, 1])
    other = directly_standardised_rate(events, population, standard=unit * np.array([3, 2, 2, 1]))
    assert one.value == pytest.approx(other.value, rel=1e-13)
    assert one.lower == pytest.approx(other.lower, rel=1e-12)


@given(events=counts, population=people, other=people)
def test_equal_rates_at_every_age_give_equal_standardised_rates(events, population, other):
    one = directly_standardised_rate(events, population, standard=[3, 2, 2, 1])
    same = directly_standardised_rate(events / population * other, other, standard=[3, 2, 2, 1])
    assert one.value == pytest.approx(same.value)


def test_people_with_several_events_widen_the_limits():
    # 40 people with one event and 10 with three: 70 events, variance 40 + 9 x 10
    independent = directly_standardised_rate([70], [1000], standard=[1])
    repeated = directly_standardised_rate([70], [1000], standard=[1], count_variance=[130])
    assert repeated.value == independent.value == 0.07
    assert repeated.variance == pytest.approx(130e-6)
    ratio = (repeated.upper - repeated.value) / (independent.upper - independent.value)
    assert ratio == pytest.approx(np.sqrt(130 / 70))


@given(events=counts, population=people)
def test_a_reference_compared_with_itself_has_a_ratio_of_one(events, population):
    expected = expected_events(population, reference_rate=events / population)
    ours = standardised_ratio(events.sum(), expected)
    assert ours.value == pytest.approx(1)
    assert ours.lower < 1 < ours.upper


def test_standardised_ratios_have_the_limits_of_their_counts():
    # Byar's limits of 10 and the exact ones of 9 and 0 (chi-squared quantiles) over 5 expected
    ours = standardised_ratio([10, 9, 0], 5.0)
    np.testing.assert_allclose(ours.lower, [4.7874499 / 5, 4.1153731 / 5, 0], rtol=1e-7)
    np.testing.assert_allclose(ours.upper, [18.3914586 / 5, 17.0848035 / 5, 3.6888795 / 5], rtol=1e-7)
    assert np.isnan(standardised_ratio(3, 0).value)


def test_an_excess_of_42_percent_is_told_with_its_limits():
    first = directly_standardised_rate([142, 284], [1000, 1000], standard=[1, 1])
    second = directly_standardised_rate([1000, 2000], [10_000, 10_000], standard=[1, 1])
    ours = rate_ratio(first.value, first.variance, second.value, second.variance)
    assert ours.value == pytest.approx(1.42)
    half = 1.959963984540054 * np.sqrt(1 / 426 + 1 / 3000)
    assert np.log(ours.upper) == pytest.approx(np.log(1.42) + half)
    assert np.log(ours.lower) == pytest.approx(np.log(1.42) - half)


@given(rates=pairs, errors=pairs)
def test_swapping_the_rates_inverts_their_ratio(rates, errors):
    there = rate_ratio(rates[0], errors[0], rates[1], errors[1])
    back = rate_ratio(rates[1], errors[1], rates[0], errors[0])
    assert there.value == pytest.approx(1 / back.value)
    assert there.lower == pytest.approx(1 / back.upper)


def test_an_impossible_element_makes_its_own_rate_nan_and_no_other():
    events = np.array([[1.0, 2.0], [-1.0, 2.0], [np.nan, 2.0], [1.0, 2.0], [0.0, 0.0]])
    population = np.array([[10.0, 10.0], [10.0, 10.0], [10.0, 10.0], [0.0, 10.0], [10.0, 10.0]])
    ours = directly_standardised_rate(events, population, standard=[1, 1], confidence=(0.95, 0.998))
    np.testing.assert_allclose(ours.value, [0.15, np.nan, np.nan, np.nan, 0])
    assert ours.lower.shape == (2, 5)
    assert np.isnan(ours.upper[:, 4]).all()
    crude = crude_rate([1, -1, 1, 30], [10, 10, 0, 10])
    np.testing.assert_allclose(crude.value, [0.1, np.nan, np.nan, 3.0])
    assert np.isnan(rate_ratio([0.0, 0.1], 0.01, [0.1, 0.0], 0.01).value).all()
    assert crude_rate(np.ones(0), np.ones(0)).value.shape == (0,)


@pytest.mark.parametrize("standard", [[1, -1], [0, 0], [1, np.nan], [1, np.inf], [[1, 1]]])
def test_an_impossible_standard_population_is_refused(standard):
    with pytest.raises(ValueError, match="standard must hold people for each age band"):
        directly_standardised_rate([1, 2], [10, 10], standard=standard)


def test_a_standard_population_in_other_bands_is_refused():
    with pytest.raises(ValueError, match="standard has 20 age bands"):
        directly_standardised_rate([1, 2], [10, 10], standard=STANDARD)
    for events, population in (([1, 2], [10, 10, 10]), ([1, 2, 3], [10, 10])):
        with pytest.raises(ValueError, match="standard has 2 age bands"):
            directly_standardised_rate(events, population, standard=[1, 1])


def test_a_standard_population_without_an_age_leaves_out_its_rate_but_not_its_events():
    ours = directly_standardised_rate([4, 6], [100, 100], standard=[1, 0])
    assert ours.value == 0.04
    assert ours.variance == 4e-4
    # Dobson's limits are those of all 10 events
    byar = standardised_ratio(10, 10.0)
    assert ours.upper - 0.04 == pytest.approx(0.02 / 10**0.5 * 10 * (byar.upper - 1))


def test_every_rate_of_a_batch_has_the_limits_that_it_has_alone():
    events, population = np.array([[4.0, 16], [40, 60]]), np.array([[100.0, 200], [900, 700]])
    together = directly_standardised_rate(events, population, standard=[3, 1])
    for row in range(2):
        alone = directly_standardised_rate(events[row], population[row], standard=[3, 1])
        assert (together.lower[row], together.upper[row]) == (alone.lower, alone.upper)


def test_an_impossible_variance_of_a_count_leaves_the_value_and_no_limits():
    ours = directly_standardised_rate([[4, 6], [4, 6]], [100, 100], standard=[1, 1], count_variance=[[4, -1], [4, 6]])
    np.testing.assert_allclose(ours.value, 0.05)
    assert np.isnan([ours.variance[0], ours.lower[0], ours.upper[0]]).all()
    assert np.isfinite([ours.variance[1], ours.lower[1], ours.upper[1]]).all()


def test_several_populations_expect_their_own_events_and_nobody_expects_none():
    found = expected_events([[1000, 2000], [0, 500], [-1, 500]], reference_rate=[0.01, 0.02])
    np.testing.assert_allclose(found, [50, 10, np.nan])


def test_every_level_of_a_ratio_is_that_level_alone_and_its_variance_that_of_its_parts():
    levels = (0.9, 0.998)
    indirect = standardised_ratio([20, 40], [10, 50], confidence=levels)
    np.testing.assert_allclose(indirect.variance, [20 / 10**2, 40 / 50**2])
    direct = rate_ratio([0.2, 0.3], [1e-4, 4e-4], 0.1, 9e-6, confidence=levels)
    relative = np.array([1e-4 / 0.2**2 + 9e-6 / 0.1**2, 4e-4 / 0.3**2 + 9e-6 / 0.1**2])
    np.testing.assert_allclose(direct.variance, np.array([2, 3]) ** 2 * relative)
    for at, level in enumerate(levels):
        np.testing.assert_array_equal(
            indirect.lower[at], standardised_ratio([20, 40], [10, 50], confidence=level).lower
        )
        z = (1.644853626951, 3.090232306168)[at]
        np.testing.assert_allclose(np.log(direct.upper[at] / direct.value), z * np.sqrt(relative), rtol=1e-11)
