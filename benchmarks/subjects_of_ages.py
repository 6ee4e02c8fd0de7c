"""Subjects of `compare.py` whose formula runs over ages: life tables, healthy life, decomposition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import compiled
import peers
from contenders import (
    EACH,
    WHOLE,
    C,
    Peer,
    Sizes,
    Subject,
    by_age,
    grouped,
    in_c,
    row,
)
from inputs import AGES, BANDS, age_table, in_rows, rates, survey
from nenc_estimates import estimate_life_expectancy
from nenc_estimates.kernels.decomposition import age_contributions
from nenc_estimates.kernels.expectancy import LifeExpectancy, life_expectancy
from nenc_estimates.kernels.life_table import life_table
from nenc_estimates.kernels.prevalence import survey_prevalence
from nenc_estimates.kernels.sullivan import sullivan

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    Answer = Sequence[np.ndarray]


def life_tables(sizes: Sizes) -> Subject:
    n = 5 * sizes.areas  # more than caches hold
    deaths, population = in_rows(n)
    out = life_expectancy(deaths, population, **BANDS)
    flat = LifeExpectancy(ex=np.empty_like(deaths), variance=np.empty_like(deaths))
    frame = by_age(sizes.few, deaths=deaths, population=population)

    def ours() -> Answer:
        made = life_expectancy(deaths, population, **BANDS, out=out)
        return made.ex, made.variance

    def one(rows: pd.DataFrame) -> np.ndarray:
        return np.concatenate(peers.life_table_columns(row(rows, "deaths"), row(rows, "population"))).ravel()

    def loop(c: Any) -> Answer:
        compiled.life_expectancy(c, deaths, population, flat)
        return flat.ex, flat.variance

    every = "every e(x) and variance"
    return Subject(
        name="life tables",
        traffic=4 * 8 * AGES,
        peers=[
            Peer(name="ours", inside=f"{WHOLE}, out= an earlier result; {every}", areas=n, run=ours),
            Peer(
                name="textbook NumPy",
                inside=f"{WHOLE}; {every}",
                areas=n,
                run=lambda: peers.life_table_columns(deaths, population),
            ),
            Peer(
                name="pandas groupby-apply",
                inside=f"{EACH}; {every}",
                areas=sizes.few,
                run=lambda: grouped(frame, one).T.reshape(-1, 2, AGES).swapaxes(0, 1),
            ),
            in_c(n, loop, f"{C}; {every}"),
        ],
    )


def life_table_frames(sizes: Sizes) -> Subject:
    frame = age_table(sizes.areas, ("Male",), shuffled=False)
    few = frame.head(AGES * sizes.few).assign(area=np.repeat(np.arange(sizes.few), AGES))

    def ours() -> Answer:
        made = estimate_life_expectancy(frame, by=["area_code", "sex"], at=0)
        return made["value"].to_numpy(), made["se"].to_numpy() ** 2

    def one(rows: pd.DataFrame) -> list[float]:
        ex, variance = peers.life_table_columns(row(rows, "deaths"), row(rows, "population"))
        return [ex[0, 0], variance[0, 0]]

    inside = "data frame to data frame, every check, e(0) and limits"
    return Subject(
        name="life expectancy from a table",
        peers=[
            Peer(name="ours", inside=inside, areas=sizes.areas, run=ours),
            Peer(name="pandas groupby-apply", inside=EACH, areas=sizes.few, run=lambda: grouped(few, one)),
        ],
    )


def sullivans(sizes: Sizes) -> Subject:
    n = sizes.areas
    (deaths, population), (good, asked) = in_rows(n), survey(n)
    data = deaths, population, good, asked.astype(float)
    frame = by_age(sizes.few, **dict(zip("dpgs", data, strict=True)))

    def ours() -> Answer:
        table = life_table(deaths / population, **BANDS)
        made = sullivan(table, survey_prevalence(good, asked, of="good"), deaths)
        return (
            *(made.healthy, made.healthy_variance),
            *(made.unhealthy, made.unhealthy_variance, made.share_variance),
        )

    def loop(c: Any) -> Answer:
        out = np.empty((2, n, AGES))
        compiled.call(c, "sullivan", *data, *peers.closed_bands(), out[0], out[1], n, AGES)
        return out

    both = "years in good and not in good health, variances of both and of the share, at every age"
    return Subject(
        name="Sullivan",
        peers=[
            Peer(
                name="ours",
                inside=f"{WHOLE}; {both}",
                areas=n,
                run=ours,
            ),
            Peer(
                name="textbook NumPy",
                inside=f"{WHOLE}; {both}",
                areas=n,
                run=lambda: peers.sullivan_columns(*data),
            ),
            Peer(
                name="pandas groupby-apply",
                inside=f"{EACH}; {both}",
                areas=sizes.few,
                run=lambda: (
                    grouped(frame, lambda rows: np.ravel(peers.sullivan_columns(*(row(rows, name) for name in "dpgs"))))
                    .T.reshape(sizes.few, -1, AGES)
                    .swapaxes(0, 1)
                ),
            ),
            in_c(n, loop, f"{C}; years in good health and their variance alone"),
        ],
    )


def decompositions(sizes: Sizes) -> Subject:
    n, few = sizes.areas, sizes.few
    first, second = rates(n, 1), rates(n, 2)
    frame = by_age(few, a=first, b=second)

    def loop(c: Any) -> Answer:
        out = np.empty_like(first)
        compiled.call(c, "contributions", first, second, *peers.closed_bands(), out, n, AGES)
        return [out]

    return Subject(
        name="decomposition by age",
        peers=[
            Peer(
                name="ours",
                inside=f"{WHOLE}; Arriaga, mean of both directions",
                areas=n,
                run=lambda: [age_contributions(first, second, **BANDS)],
            ),
            Peer(
                name="textbook NumPy",
                inside="whole columns of two life tables, the same",
                areas=n,
                run=lambda: [peers.arriaga(first, second)],
            ),
            Peer(
                name="pandas groupby-apply",
                inside=f"{EACH}, the same",
                areas=few,
                run=lambda: [grouped(frame, lambda rows: peers.arriaga(row(rows, "a"), row(rows, "b"))[0]).T],
            ),
            in_c(n, loop),
        ],
    )
