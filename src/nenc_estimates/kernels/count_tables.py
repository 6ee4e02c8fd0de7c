"""Draws of counts by tables: Poisson and binomial, exact, in a twentieth of the time of a generator of numbers.

The 56 bits of a word (:mod:`~nenc_estimates.kernels.sampling`) are a place on the distribution function. Its first 12
bits choose one of 4,096 buckets. In most of them there is no step of the function: all their words are one count, which
stands in a table. The others, about one in a hundred, are settled by all 56 bits. Instead of the count a table may hold
anything that follows from it, such as the probability of dying: it is then drawn without being computed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from nenc_estimates.kernels.sampling import FOLLOWING, LEADING

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.kernels.sampling import Words

    Floats = NDArray[np.float64]

LARGEST: Final = 1e9
"""Largest mean: its table has half a million steps."""

MOST_ROWS: Final = 255
"""Rows of one set of tables: the number of a row is 8 bits of what is searched for."""

_BITS: Final = LEADING + FOLLOWING
_BUCKET_BITS: Final = 12
_BUCKETS: Final = 2**_BUCKET_BITS
_WORTHWHILE: Final = 2048
"""Draws of a row from which on buckets are worth being made."""

_LOG_TAIL: Final = 39.0
"""Natural logarithm of 2**56: a rarer tail is below the last bit of a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTables:
    """Distribution functions of counts.

    Attributes
    ----------
    count
        Possible counts ``(row, step)``, ascending.
    limit
        Words from which on the count is larger ``(row, step)``, plus 2**56 times the number of the row, so that all
        rows are one ascending sequence.
    """

    count: Floats
    limit: NDArray[np.uint64]

    def draw(self, words: Words, value: Floats | None = None, out: Floats | None = None) -> Floats:
        """Draw counts, or what follows from them.

        Parameters
        ----------
        words
            Words of the same rows.
        value
            What each possible count stands for ``(row, step)``; the counts themselves when None.
        out
            Array to write into ``(row, draw)``.
        """
        stands_for = self.count if value is None else value
        if words.leading.shape[1] >= _WORTHWHILE:
            return look_up(self, words, buckets(self, stands_for), value, out)
        rows, draws = words.leading.shape
        row, draw = np.arange(rows)[:, None], np.arange(draws)
        drawn = np.empty((rows, draws)) if out is None else out
        drawn[...] = stands_for.ravel()[self.settled(words, row, draw)]
        return drawn

    def settled(self, words: Words, row: NDArray[np.intp], draw: NDArray[np.intp]) -> NDArray[np.intp]:
        """Settle some draws by all bits of their words: positions in ``count``, row after row."""
        ahead = (row.astype(np.uint64) << np.uint64(LEADING)) | words.leading[row, draw].astype(np.uint64)
        word = (ahead << np.uint64(FOLLOWING)) | words.following(row, draw)
        return np.searchsorted(self.limit.ravel(), word, side="right")


def poisson_tables(mean: ArrayLike) -> CountTables:
    """Tables of Poisson distributions.

    Parameters
    ----------
    mean
        Means ``(row,)``, 0 to `LARGEST`.

    Returns
    -------
    CountTables
        One row for each distribution.

    Raises
    ------
    ValueError
        A mean is outside that range, or there are more than `MOST_ROWS`.

    Examples
    --------
    >>> from nenc_estimates.kernels.sampling import random_words
    >>> words = random_words(1, np.array([[1, 1]], dtype=np.uint64), first=0, count=6)
    >>> poisson_tables([4.0]).draw(words)
    array([[5., 2., 3., 5., 3., 4.]])
    """
    mean = np.asarray(mean, dtype=np.float64)
    count, possible = _steps(mean, mean, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _tables(count, np.where(possible, mean[:, None] / count, 0.0))


def binomial_tables(size: ArrayLike, chance: ArrayLike) -> CountTables:
    """Tables of binomial distributions.

    Parameters
    ----------
    size, chance
        Number of trials, whole and up to `LARGEST`, and probability of each ``(row,)``.

    Returns
    -------
    CountTables
        One row for each distribution.

    Raises
    ------
    ValueError
        A size or probability is impossible, or there are more than `MOST_ROWS`.

    Examples
    --------
    >>> from nenc_estimates.kernels.sampling import random_words
    >>> words = random_words(1, np.array([[1, 1]], dtype=np.uint64), first=0, count=6)
    >>> binomial_tables([5], [0.5]).draw(words)
    array([[3., 1., 2., 3., 2., 3.]])
    """
    size, chance = np.asarray(size, dtype=np.float64), np.asarray(chance, dtype=np.float64)
    whole = (size >= 0) & (size == np.floor(size)) & (size <= LARGEST)
    if not np.all(whole & (chance >= 0) & (chance <= 1)):
        raise ValueError("a binomial count needs a whole number of trials and a probability between 0 and 1")
    chance = np.where(chance < 1 - 1e-10, chance, 1.0)  # beyond any count: one failure in LARGEST trials is more
    count, possible = _steps(size * chance, size * chance * (1 - chance), size)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (size[:, None] - count + 1) / count * (chance / (1 - chance))[:, None]
    return _tables(count, np.where(possible, ratio, 0.0))


def buckets(tables: CountTables, value: Floats) -> Floats:
    """Tabulate what the words of each bucket stand for ``(row, bucket)``, ``nan`` where that is not one thing.

    Parameters
    ----------
    tables
        Distribution functions.
    value
        What each possible count stands for ``(row, step)``.

    Returns
    -------
    ndarray
        ``(row, bucket)``.

    Examples
    --------
    >>> tables = poisson_tables([0.5])
    >>> settled = buckets(tables, tables.count)
    >>> float(settled[0, 0]), float(settled[0, 4095]), int(np.isnan(settled).sum())
    (0.0, nan, 5)
    """
    rows, steps = tables.count.shape
    place = (tables.limit >> np.uint64(_BITS - _BUCKET_BITS)).astype(np.intp)  # rows follow each other here too
    before = np.empty_like(place)
    before[:, 1:] = place[:, :-1]
    before[:, 0] = np.arange(rows) * _BUCKETS
    made = np.repeat(value.ravel(), (place - before).ravel())
    inside = place[:, : steps - 1]
    made[inside[inside < (np.arange(rows)[:, None] + 1) * _BUCKETS]] = np.nan
    return made.reshape(rows, _BUCKETS)


def look_up(
    tables: CountTables, words: Words, settled: Floats, value: Floats | None = None, out: Floats | None = None
) -> Floats:
    """Look draws up: `CountTables.draw` with buckets that were made before.

    Parameters
    ----------
    tables, words, value, out
        As there; ``tables`` are those that the buckets were made of.
    settled
        From `buckets`, for the same values.

    Returns
    -------
    ndarray
        ``(row, draw)``.

    Examples
    --------
    >>> from nenc_estimates.kernels.sampling import random_words
    >>> words = random_words(1, np.array([[1, 1]], dtype=np.uint64), first=0, count=6)
    >>> tables = poisson_tables([4.0])
    >>> look_up(tables, words, buckets(tables, tables.count))
    array([[5., 2., 3., 5., 3., 4.]])
    """
    leading = words.leading
    drawn = np.empty(leading.shape) if out is None else out
    for row, bits in enumerate(leading):
        settled[row].take(bits >> np.uint16(LEADING - _BUCKET_BITS), out=drawn[row], mode="clip")
    flat = np.flatnonzero(np.isnan(drawn))
    if flat.size:
        row, draw = flat // leading.shape[1], flat % leading.shape[1]
        drawn[row, draw] = (tables.count if value is None else value).ravel()[tables.settled(words, row, draw)]
    return drawn


def _steps(mean: Floats, variance: Floats, largest: Floats | float) -> tuple[Floats, NDArray[np.bool_]]:
    """List counts ``(row, step)``, and which are possible but for tails below 2**-56, by Bernstein's inequality."""
    if mean.ndim != 1 or mean.size > MOST_ROWS:
        raise ValueError(f"tables are made for {MOST_ROWS} rows at a time, not for an array of shape {mean.shape}")
    if not np.all((mean >= 0) & (mean <= LARGEST)):
        raise ValueError(f"a count can be drawn if its mean lies between 0 and {LARGEST:,.0f}")
    reach = _LOG_TAIL / 3 + np.sqrt((_LOG_TAIL / 3) ** 2 + 2 * _LOG_TAIL * variance)
    reach[variance == 0] = 0
    low = np.maximum(np.floor(mean - reach), 0)
    high = np.minimum(np.ceil(mean + reach), largest)
    count: Floats = low[:, None] + np.arange(int((high - low).max(initial=0)) + 1)
    return count, count <= high[:, None]


def _tables(count: Floats, ratio: Floats) -> CountTables:
    """Make tables from the ratio of each probability to that of the count before."""
    ratio[:, 0] = 1.0
    chance = np.multiply.accumulate(ratio, axis=1)
    reached = np.add.accumulate(chance, axis=1)
    limit = (reached * (2.0**_BITS / reached[:, -1:])).astype(np.uint64)
    limit[:, -1] = 2**_BITS  # the last count has no limit
    limit += np.arange(len(limit), dtype=np.uint64)[:, None] << np.uint64(_BITS)
    return CountTables(count=count, limit=limit)
