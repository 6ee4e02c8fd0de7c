from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.kernels.count_tables import poisson_tables
from nenc_estimates.kernels.draw_summaries import draw_summary
from nenc_estimates.kernels.expectancy import life_expectancy
from nenc_estimates.kernels.sampled_expectancy import sampled_life_expectancy
from nenc_estimates.kernels.sampling import word_source

BANDS = {"width": ABRIDGED_90.width, "nax": ABRIDGED_90.nax}
NAMES = np.arange(40, dtype=np.uint64).reshape(20, 2)
PEOPLE = np.array([1.1, 4.7, *[6.1] * 4, *[6.5] * 8, 5.0, 4.9, 3.3, 2.5, 1.5, 0.9]) * 3000


def rates():
    lower = np.array(ABRIDGED_90.lower)
    middle = lower + ABRIDGED_90.width.clip(max=8) / 2
    return np.minimum(4e-5 * np.exp(0.09 * middle) + 0.004 * (lower == 0), 0.3)


def test_each_draw_is_the_life_expectancy_of_its_deaths_to_the_last_bit():
    deaths = np.round(rates() * PEOPLE)
    words = word_source(3, NAMES)
    drawn = sampled_life_expectancy(deaths, PEOPLE, **BANDS, words=words, draws=20_000, at=(0, 14, 19))
    counts = poisson_tables(deaths).draw(words(0, 20_000))
    assert np.array_equal(drawn, life_expectancy(counts.T, PEOPLE, **BANDS).ex[:, [0, 14, 19]].T)


def test_a_band_without_deaths_needs_no_words():
    deaths = np.round(rates() * PEOPLE)
    deaths[[0, 4]] = 0
    seen = deaths > 0
    drawn = sampled_life_expectancy(deaths, PEOPLE, **BANDS, words=word_source(3, NAMES[seen]), draws=2000)
    counts = poisson_tables(deaths).draw(word_source(3, NAMES)(0, 2000))
    assert np.array_equal(drawn[0], life_expectancy(counts.T, PEOPLE, **BANDS).ex[:, 0])
    deaths[-1] = 0
    words = word_source(3, NAMES[deaths > 0])
    assert np.isnan(sampled_life_expectancy(deaths, PEOPLE, **BANDS, words=words, draws=50)).all()


def test_a_band_with_more_deaths_than_people_or_a_last_one_without_deaths_has_no_value():
    words = word_source(3, NAMES[:3])
    bands = {"width": [40, 40, np.inf], "nax": [20, 20, 0]}
    crowded = sampled_life_expectancy([5, 20, 80], [4, 1000, 400], **bands, words=words, draws=2000, at=(0, 1))
    assert 0.3 < np.isnan(crowded[0]).mean() < 0.7  # P(Poisson(5) > 4) = 0.56
    assert not np.isnan(crowded[1]).any()
    last = sampled_life_expectancy([5, 20, 1], [900, 1000, 400], **bands, words=words, draws=2000)
    assert abs(np.isnan(last).mean() - np.exp(-1)) < 0.05


@pytest.mark.parametrize("people", [20_000, 80_000])
def test_mean_and_error_are_those_of_the_closed_form(people):
    """Chiang and Silcocks against 10,000 draws: 4 Monte Carlo errors, and 1 % for what is of second order."""
    population = PEOPLE / PEOPLE.sum() * people
    deaths = rates() * population
    exact = life_expectancy(deaths, population, **BANDS)
    drawn = sampled_life_expectancy(deaths, population, **BANDS, words=word_source(5, NAMES), draws=10_000)
    found = draw_summary(drawn[0], exact.ex[0])
    se = np.sqrt(exact.variance[0])
    assert abs(found.se / se - 1) < 4 * found.se_error / se + 0.01
    assert abs(found.mean - exact.ex[0]) < 4 * found.mean_error + 0.1 * se


def test_1024_sobol_points_beat_10_000_random_draws_in_mean_and_standard_deviation():
    """Root mean square errors over 40 randomisations each, in standard errors of the life expectancy."""
    deaths = rates() * PEOPLE
    options = {**BANDS, "at": (0,)}
    truth = sampled_life_expectancy(
        deaths, PEOPLE, **options, words=word_source(99, NAMES, points="sobol"), draws=2**17
    )[0]

    def errors(points, draws):
        made = [
            sampled_life_expectancy(deaths, PEOPLE, **options, words=word_source(i, NAMES, points=points), draws=draws)
            for i in range(40)
        ]
        mean = np.sqrt(np.mean([(drawn.mean() - truth.mean()) ** 2 for drawn in made])) / truth.std()
        spread = np.sqrt(np.mean([(drawn.std() / truth.std() - 1) ** 2 for drawn in made]))
        return mean, spread

    sobol, random = errors("sobol", 1024), errors("random", 10_000)
    assert sobol[0] < random[0] / 5
    assert sobol[1] < random[1]


def test_scenarios_with_one_seed_share_their_random_numbers():
    """5 % fewer deaths from 60 on: the standard deviation of the difference falls to less than a tenth."""
    deaths = rates() * PEOPLE
    fewer = np.where(np.array(ABRIDGED_90.lower) >= 60, 0.95 * deaths, deaths)

    def lives(counts, seed):
        return sampled_life_expectancy(counts, PEOPLE, **BANDS, words=word_source(seed, NAMES), draws=5000)[0]

    together, apart = lives(fewer, 1) - lives(deaths, 1), lives(fewer, 1) - lives(deaths, 2)
    assert together.std() < apart.std() / 10
    assert (together >= 0).all()
