"""Life expectancy of many areas with limits from draws of their deaths: the fast path of a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.age_tables import chosen_ages, stack_ages
from nenc_estimates.drawn_results import MAX_BYTES, SUMMARY, check_simulation, summary_columns
from nenc_estimates.draws import Gamma, Poisson, key_columns, refuse_zero_deaths, row_names
from nenc_estimates.kernels.draw_summaries import draw_summary
from nenc_estimates.kernels.expectancy import life_expectancy
from nenc_estimates.kernels.sampled_expectancy import BLOCK, sampled_life_expectancy
from nenc_estimates.kernels.sampling import check_seed, gamma_quantile, word_source
from nenc_estimates.running import run_pieces
from nenc_estimates.samplers import sampler
from nenc_estimates.tables import open_frame, tidy
from nenc_estimates.withholding import OHID, check_counts, withhold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.age_tables import Ages
    from nenc_estimates.kernels.sampling import Points, Source
    from nenc_estimates.withholding import Counts, Rules, Shown

    Floats = NDArray[np.float64]


_POISSON: Final = Poisson()


def simulate_life_expectancy(
    table: IntoDataFrame,
    *,
    seed: int,
    draws: int = 10_000,
    drawn: Poisson | Gamma = _POISSON,
    by: Sequence[str] = ("area_code", "sex", "period"),
    at: Ages = 0,
    bands: AgeBands = ABRIDGED_90,
    points: Points = "random",
    confidence: float = 0.95,
    nax: ArrayLike | None = None,
    rules: Rules = OHID,
    keys: Sequence[str] | None = None,
    age: str = "age",
    deaths: str = "deaths",
    population: str = "population",
    max_bytes: int = MAX_BYTES,
    workers: int = 1,
    progress: bool | None = None,
) -> Any:
    """Life expectancy of every group of a table, with limits from draws of its deaths: ``simulate`` made fast.

    Parameters
    ----------
    table, by, bands, nax, rules, age, deaths, population
        As in :func:`~nenc_estimates.estimate_life_expectancy`. What that function withholds is withheld here, the
        rule on wide intervals by its closed form.
    seed, draws, points, confidence, keys, max_bytes, workers, progress
        As in ``simulate``. With Sobol points each group has points of its own.
    drawn
        ``Poisson()``, or ``Gamma()`` where few people die.
    at
        ``"all"``, or one or several ages.

    Returns
    -------
    frame of the caller's kind
        The key columns, ``age``, and from ``value`` on the columns of ``simulate``, one row for each group and age, in
        key order. The draws are those that ``simulate`` makes of ``estimate_life_expectancy``, to the last bit.

    Raises
    ------
    SchemaError, InvalidDataError, ValueError
        As in ``simulate``.

    Examples
    --------
    >>> from nenc_estimates import read_table
    >>> table = read_table("deaths_by_age_ons_2014")
    >>> made = simulate_life_expectancy(table[table["area_name"] == "Hartlepool"], seed=1)
    >>> made[["sex", "value", "lower", "upper"]].round(1).values.tolist()
    [['Female', 81.4, 80.2, 82.6], ['Male', 77.0, 75.8, 78.3]]

    See Also
    --------
    nenc_estimates.kernels.sampled_expectancy.sampled_life_expectancy : the formula.
    """
    seed = check_seed(seed)
    chosen = chosen_ages(at, bands)
    draws = check_simulation(
        draws, points=points, confidence=confidence, max_bytes=max_bytes, workers=workers, outputs=chosen.size * workers
    )
    if not isinstance(drawn, (Poisson, Gamma)):
        raise ValueError(f"deaths are drawn by Poisson() or Gamma() here, not by {drawn!r}: see simulate for others")
    stacked = stack_ages(table, [deaths, population], by=by, bands=bands, age=age)
    names = _names(table, [*by, age] if keys is None else keys, deaths, drawn, draws=draws, age=age)
    rule = bands.nax if nax is None else np.asarray(nax, dtype=np.float64)
    counts = check_counts(stacked.values[deaths], stacked.values[population], nax=rule, absent=stacked.rows < 0)
    shown = _shown(counts, bands, rule, rules)
    value, texts = shown.value[:, chosen], np.array(shown.quality[0], dtype=object)
    found = {name: np.full(value.shape, np.nan) for name in SUMMARY} | {"draws": np.zeros(value.shape, dtype=np.int64)}

    def work(first: int, count: int) -> None:
        for group in range(first, first + count):
            if np.isnan(value[group]).all():
                continue
            mine = names[stacked.rows[group]]
            words = word_source(seed, mine[_are_drawn(counts.deaths[group], drawn)], points=points)
            lives = _drawn_lives(counts, group, drawn, words, draws=draws, at=chosen, bands=bands, nax=rule)
            summary = draw_summary(lives, value[group], confidence=confidence)
            for name, column in found.items():
                column[group] = getattr(summary, name)

    run_pieces(work, [(i, 1) for i in range(len(value))], workers=workers, what="life tables", progress=progress)
    flat = {name: column.ravel() for name, column in found.items()}
    quality = texts[shown.quality[1][:, chosen]].ravel()
    return tidy(
        {
            **{name: np.repeat(key, chosen.size) for name, key in stacked.keys.items()},
            "age": np.tile(np.array(bands.labels, dtype=object)[chosen], len(value)),
            **summary_columns(value.ravel(), flat, quality=quality, draws=draws),
        },
        stacked.backend,
    )


def _names(
    table: IntoDataFrame, keys: Sequence[str], deaths: str, drawn: Poisson | Gamma, *, draws: int, age: str
) -> NDArray[np.uint64]:
    """Check that deaths can be drawn, and name the rows."""
    opened = open_frame(table, [deaths])
    keys = key_columns(opened, keys)
    sampler(opened, deaths, drawn)
    refuse_zero_deaths(opened, deaths, drawn, keys=keys, draws=draws, age=age)
    return row_names(opened, keys, drawn.stream or deaths)


def _are_drawn(deaths: Floats, drawn: Poisson | Gamma) -> NDArray[np.bool_]:
    return deaths > 0 if isinstance(drawn, Poisson) else np.ones(deaths.shape, dtype=bool)


def _shown(counts: Counts, bands: AgeBands, nax: Floats, rules: Rules) -> Shown:
    """Life expectancy of the deaths as they are, by the rules."""
    made = life_expectancy(counts.deaths, counts.population, width=bands.width, nax=nax)
    return withhold(counts, made.ex, np.sqrt(made.variance), rules=rules)


def _drawn_lives(
    counts: Counts,
    group: int,
    drawn: Poisson | Gamma,
    words: Source,
    *,
    draws: int,
    at: NDArray[np.intp],
    bands: AgeBands,
    nax: Floats,
) -> Floats:
    """Life expectancy at some ages in every draw ``(at, draw)``; a missing count is one of nobody."""
    missing = np.isnan(counts.deaths[group])
    deaths = np.where(missing, 0.0, counts.deaths[group])
    population = np.where(missing, np.nan, counts.population[group])
    rule = np.broadcast_to(nax, counts.deaths.shape)[group]
    if isinstance(drawn, Poisson):
        return sampled_life_expectancy(
            deaths, population, width=bands.width, nax=rule, words=words, draws=draws, at=at.tolist()
        )
    lives = np.empty((at.size, draws))
    for first in range(0, draws, BLOCK):
        count = min(BLOCK, draws - first)
        means = gamma_quantile(words(first, count).uniforms(), (deaths + drawn.prior)[:, None])
        made = life_expectancy(means.T, population, width=bands.width, nax=rule)
        lives[:, first : first + count] = made.ex.T[at]
    return lives
