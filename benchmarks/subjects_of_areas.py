"""Subjects of `compare.py` whose formula runs over areas or numbers of one area: means, slopes, limits, rates, sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

import compiled
import peers
from contenders import (
    EACH,
    LOOP,
    WHOLE,
    Peer,
    Sizes,
    Subject,
    by_age,
    grouped,
    in_c,
    in_phstatsmethods,
    in_statsmodels,
)
from inputs import PEOPLE, by_quantile, entries, events, in_rows, pairs
from nenc_estimates.kernels import apportioning, intervals, standardisation, weighting
from nenc_estimates.kernels.slopes import slope_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from elsewhere import Elsewhere

    Answer = Sequence[np.ndarray]


def weighted_means(sizes: Sizes) -> Subject:
    n, one = sizes.areas, entries(sizes.areas)
    starts, value = one["starts"], one["value"]
    product = one["people"] * one["share"]
    ends = np.append(starts, n)
    frame = pd.DataFrame({"area": np.repeat(np.arange(starts.size), np.diff(ends)), "v": value, "w": product})

    def ours() -> Answer:
        weight = weighting.weights(one["people"], one["share"], starts)
        return (
            weighting.weighted_mean(value, weight, starts),
            weighting.weighted_mean_variance(np.ones(n), weight, starts),
        )

    def each(rows: pd.DataFrame) -> list[float]:
        share = rows["w"] / rows["w"].sum()
        return [np.average(rows["v"], weights=rows["w"]), (share**2).sum()]

    def loop(c: Any) -> Answer:
        out = np.empty((2, starts.size))
        compiled.call(c, "weighted_means", value, one["people"] * one["share"], ends, out[0], out[1], starts.size)
        return out

    return Subject(
        name="weighted mean",
        peers=[
            Peer(name="ours", inside=f"weights, means and variances of {starts.size} targets", areas=n, run=ours),
            Peer(
                name="naive NumPy",
                inside="loop over targets, the same",
                areas=n,
                run=lambda: peers.mean_loop(value, one["people"] * one["share"], starts),
            ),
            Peer(name="pandas groupby-apply", inside=f"{EACH}, the same", areas=n, run=lambda: grouped(frame, each)),
            in_statsmodels(
                n,
                lambda: [peers.wls_means(value, product, starts)],
                "weighted least squares on a constant, loop over targets; means alone",
            ),
            in_c(n, loop),
        ],
    )


def slopes(sizes: Sizes) -> Subject:
    n, few = sizes.areas, sizes.few
    value, people, se = by_quantile(n)
    frame = by_age(few, v=value, p=people, s=se)

    def ours() -> Answer:
        made = slope_index(value, people, se=se)
        return made.value, made.lower, made.upper

    def loop(c: Any) -> Answer:
        out = np.empty((3, n))
        compiled.call(c, "slopes", value, people, se, peers.Z, *out, n, value.shape[1])
        return out

    return Subject(
        name="slope index",
        peers=[
            Peer(name="ours", inside=f"{WHOLE}; slope of ten quantiles, standard error, limits", areas=n, run=ours),
            Peer(
                name="naive NumPy",
                inside=f"{LOOP}; lstsq, slope and limits",
                areas=few,
                run=lambda: peers.slope_loop(value[:few], people[:few], se[:few]),
            ),
            Peer(
                name="pandas groupby-apply",
                inside=f"{EACH}; lstsq, slope and limits",
                areas=few,
                run=lambda: grouped(
                    frame,
                    lambda rows: np.array(peers.slope_with_limits(*(rows[name].to_numpy() for name in "vps"))),
                ),
            ),
            in_statsmodels(
                few,
                lambda: [peers.wls_slopes(value[:few], people[:few])],
                f"{LOOP}; weighted least squares, slope alone",
            ),
            in_c(n, loop),
        ],
    )


def limits_of(made: intervals.Interval | standardisation.Rate) -> Answer:
    """Lower and upper."""
    return made.lower, made.upper


def interval(
    name: str, sizes: Sizes, ours: Callable[..., Any], plain: Any, *others: Peer, both: bool = False
) -> Subject:
    """Limits of counts, or of counts of ``both`` numbers."""
    count, people = events(sizes.areas)
    data = (count, people) if both else (count,)
    frame = pd.DataFrame({"area": np.arange(sizes.few), "x": count[: sizes.few], "n": people[: sizes.few]})
    columns = ["x", "n"] if both else ["x"]
    return Subject(
        name=name,
        peers=[
            Peer(
                name="ours",
                inside=f"{WHOLE}, impossible elements set apart",
                areas=sizes.areas,
                run=lambda: limits_of(ours(*data)),
            ),
            Peer(name="textbook NumPy", inside=f"{WHOLE}, no checks", areas=sizes.areas, run=lambda: plain(*data)),
            Peer(
                name="pandas groupby-apply",
                inside=EACH,
                areas=sizes.few,
                run=lambda: grouped(
                    frame, lambda rows: np.ravel(plain(*(rows[column].to_numpy() for column in columns)))
                ),
            ),
            *others,
        ],
    )


def wilson(sizes: Sizes, there: Elsewhere) -> Subject:
    n, (count, people) = sizes.areas, events(sizes.areas)

    def loop(c: Any) -> Answer:
        out = np.empty((2, n))
        compiled.call(c, "wilson", count, people, peers.Z, out[0], out[1], n)
        return out

    def theirs() -> Answer:
        from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415

        return proportion_confint(count, people, method="wilson")

    others = [
        in_statsmodels(n, theirs, WHOLE),
        in_phstatsmethods(there, sizes.sent, "wilson", lambda made: made),
        in_c(n, loop),
    ]
    return interval("Wilson limits", sizes, intervals.wilson_interval, peers.wilson, *others, both=True)


def byar(sizes: Sizes) -> Subject:
    n, (count, _) = sizes.areas, events(sizes.areas)

    def loop(c: Any) -> Answer:
        out = np.empty((2, n))
        compiled.call(c, "byar", count, peers.Z, out[0], out[1], n)
        return out

    return interval("Byar limits", sizes, intervals.byar_interval, peers.byar, in_c(n, loop))


def poisson(sizes: Sizes, there: Elsewhere) -> Iterator[Subject]:
    n, (count, people) = sizes.areas, events(sizes.areas)

    def theirs() -> Answer:
        from statsmodels.stats.rates import confint_poisson  # noqa: PLC0415

        return confint_poisson(count, 1, method="exact-c")

    yield interval(
        "exact Poisson limits",
        sizes,
        intervals.exact_poisson_interval,
        peers.exact_poisson,
        in_statsmodels(n, theirs, WHOLE),
    )
    ours = Peer(
        name="ours",
        inside=f"{WHOLE}; exact below 10 events, Byar above",
        areas=n,
        run=lambda: limits_of(intervals.poisson_interval(count)),
    )
    yield Subject(
        name="Poisson limits of a rate",
        peers=[ours, in_phstatsmethods(there, sizes.sent, "poisson", lambda made: made * people[: sizes.sent])],
    )


def standardised_rates(sizes: Sizes, there: Elsewhere) -> Subject:
    n = sizes.areas
    deaths, population = in_rows(n)

    def value_and_limits() -> Answer:
        return limits_of(standardisation.directly_standardised_rate(deaths, population, standard=PEOPLE))

    def plain() -> Answer:
        weight = PEOPLE / PEOPLE.sum() / population
        value, variance = (deaths * weight).sum(axis=1), (deaths * weight**2).sum(axis=1)
        total = deaths.sum(axis=1)
        return [value + np.sqrt(variance / total) * (limit - total) for limit in peers.byar(total)]

    return Subject(
        name="standardised rate",
        peers=[
            Peer(name="ours", inside=f"{WHOLE}; rate, variance, Dobson's limits", areas=n, run=value_and_limits),
            Peer(name="textbook NumPy", inside=f"{WHOLE}; the same", areas=n, run=plain),
            in_phstatsmethods(there, sizes.sent, "standardised", lambda made: made),
        ],
    )


def apportionings(sizes: Sizes) -> Subject:
    n, targets, columns = sizes.areas, 42, 40
    target, weight, values = pairs(n, columns, targets)
    prepared = apportioning.plan(target, np.arange(n), weight, n_targets=targets, n_sources=n)
    arranged, rows = prepared.arrange(values)
    matrix = sparse.csr_matrix((weight, (target, np.arange(n))), shape=(targets, n))
    frame = pd.DataFrame(values).assign(area=target)

    def add_at() -> Answer:
        out = np.zeros((targets, columns))
        np.add.at(out, target, values * weight[:, None])
        return [out]

    def loop(c: Any) -> Answer:
        out = np.zeros((targets, columns))
        compiled.call(c, "apportion", values, weight, target, out, n, columns)
        return [out]

    def apply() -> Answer:
        share = pd.Series(weight)
        return [grouped(frame, lambda part: share[part.index].to_numpy() @ part[list(range(columns))].to_numpy()).T]

    into = f"{columns} columns to {targets} targets"
    return Subject(
        name="apportioning",
        traffic=8 * columns,
        peers=[
            Peer(
                name="ours",
                inside=f"{into}, areas in no order",
                areas=n,
                run=lambda: [apportioning.apportion(values, prepared)],
            ),
            Peer(
                name="ours, arranged once",
                inside=f"{into}, areas put in order before",
                areas=n,
                run=lambda: [apportioning.apportion(rows, arranged)],
            ),
            Peer(name="naive NumPy", inside="multiply, then np.add.at", areas=n, run=add_at),
            Peer(name="SciPy CSR", inside="matrix made before", areas=n, run=lambda: [matrix @ values]),
            Peer(name="pandas groupby-apply", inside="data frame in, one target at a time", areas=n, run=apply),
            in_c(n, loop),
        ],
    )
