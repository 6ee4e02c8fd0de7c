"""The subject of `compare.py` that draws: life expectancy from deaths drawn 10,000 times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench_sampling import DRAWS, plain, tabled, tables, through_kernel
from contenders import Peer, Sizes, Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = list[np.ndarray]


def simulations(sizes: Sizes) -> Subject:
    groups = max(sizes.few // 5, 2)
    deaths, people = tables(groups)

    def each(way: Callable[[int], tuple[float, float]]) -> Callable[[], Answer]:
        return lambda: [np.array([way(group)[0] for group in range(groups)])]

    def poisson(way: Callable[..., tuple[float, float]]) -> Callable[[], Answer]:
        rng = np.random.default_rng(1)
        return each(lambda group: way(deaths, people, group, rng))

    what = "20 ages drawn, e(0) of each draw, mean, standard deviation, limits and their errors"
    chance = (
        6 * 0.01 * 0.5 / 80
    )  # six errors of a mean of 10,000 draws, whose standard deviation is at most half a year
    return Subject(
        name=f"simulated life expectancy, {DRAWS:,} draws an area",
        peers=[
            Peer(
                name="ours",
                inside=f"tables of the distributions; {what}",
                areas=groups,
                run=each(lambda group: tabled(deaths, people, group)),
            ),
            Peer(
                name="Generator.poisson, lean",
                inside=f"NumPy's default generator, six operations an age; {what}",
                areas=groups,
                run=poisson(plain),
                last=chance,
            ),
            Peer(
                name="Generator.poisson, our kernel",
                inside=f"NumPy's default generator, every e(x) and variance; {what}",
                areas=groups,
                run=poisson(through_kernel),
                last=chance,
            ),
        ],
    )
