"""Random words that depend on seed, row and number of the draw only, and draws made from them.

Draw ``i`` of a row is one word of 56 bits, read as a uniform number. Its first 16 bits are those of Philox 4x64-10
(its key is the seed; its counter holds the row's own 128 bits and the place of the draw), its other 40 those of
SplitMix64 at the same place. Nothing depends on what else is drawn, or in which order, so any chunk of draws, on any
thread, has the same bits. Every draw is an increasing function of its word: two scenarios with one seed share their
random numbers, and what differs between them is the scenario.

Sources: Salmon JK, Moraes MA, Dror RO, Shaw DE (2011), Parallel random numbers: as easy as 1, 2, 3, SC'11,
doi:10.1145/2063384.2063405; Steele GL, Lea D, Flood CH (2014), Fast splittable pseudorandom number generators,
OOPSLA'14, doi:10.1145/2660193.2660195.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Bits = NDArray[np.uint64]
    Source = Callable[[int, int], "Words"]

Points = Literal["random", "sobol"]

LEADING: Final = 16
"""Bits of a word that come first."""

FOLLOWING: Final = 40
"""Bits of a word that come after them."""

SOBOL_ROWS: Final = 21_201
"""Most rows that Sobol points can serve: the direction numbers of Joe and Kuo end there."""

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_SOBOL_BITS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of some draws of some rows.

    Attributes
    ----------
    leading
        The first 16 bits ``(row, draw)``.
    following
        Function of positions ``row, draw`` in ``leading`` that gives the other 40 bits of those draws: they are
        made for the draws that need them, one in a hundred of a count.
    """

    leading: NDArray[np.uint16]
    following: Callable[[NDArray[np.intp], NDArray[np.intp]], Bits]

    def part(self, start: int, stop: int) -> Words:
        """Take the rows from ``start`` up to ``stop``."""
        return Words(
            leading=self.leading[start:stop], following=lambda row, draw: self.following(row + np.intp(start), draw)
        )

    def draws(self, start: int, stop: int) -> Words:
        """Take the draws from ``start`` up to ``stop``."""
        return Words(
            leading=self.leading[:, start:stop], following=lambda row, draw: self.following(row, draw + np.intp(start))
        )

    def uniforms(self) -> Floats:
        """Read the words as numbers between 0 and 1, both left out ``(row, draw)``."""
        rows, draws = self.leading.shape
        row, draw = np.arange(rows)[:, None], np.arange(draws)
        whole = (self.leading.astype(np.uint64) << np.uint64(FOLLOWING)) | self.following(row, draw)
        # 52 bits and a half: the largest is the float below 1
        return ((whole >> np.uint64(4)).astype(np.float64) + 0.5) * 2.0**-52


def check_seed(seed: Any) -> int:
    """Refuse what is not a seed.

    Parameters
    ----------
    seed
        What was given for one.

    Returns
    -------
    int
        The seed.

    Raises
    ------
    ValueError
        The seed is no whole number from 0 up to 2**128.

    Examples
    --------
    >>> check_seed(np.int64(7))
    7
    """
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < 2**128:
        raise ValueError(f"seed is {seed!r}; give a whole number, 0 or more: the same one gives the same draws again")
    return int(seed)


def random_words(seed: int, rows: Bits, *, first: int, count: int) -> Words:
    """Make the words of the draws from ``first`` on.

    Parameters
    ----------
    seed
        Whole number, 0 to 2**128 - 1.
    rows
        The 128 bits that name each row ``(row, 2)``.
    first, count
        Number of the first draw, and how many.

    Returns
    -------
    Words
        ``(row, draw)``.

    Examples
    --------
    >>> rows = np.array([[1, 2], [3, 4]], dtype=np.uint64)
    >>> later = random_words(7, rows, first=5, count=3)
    >>> bool((random_words(7, rows, first=0, count=8).leading[:, 5:] == later.leading).all())
    True
    """
    leading = np.empty((len(rows), count), dtype=np.uint16)
    philox = np.random.Philox(key=seed)
    state: Any = philox.state
    counter = np.zeros(4, dtype=np.uint64)
    state["state"]["counter"] = counter
    block, skipped = divmod(first, 16)  # a step of the counter is four words, a word four draws
    counter[0] = block
    words = -(-(skipped + count) // 4)
    for row, name in enumerate(rows):
        counter[2:] = name
        philox.state = state  # a tenth of the time of a new generator
        drawn = philox.random_raw(words).astype("<u8", copy=False).view("<u2")
        leading[row] = drawn[skipped : skipped + count]
    key = _keys(seed, rows)

    def following(row: NDArray[np.intp], draw: NDArray[np.intp]) -> Bits:
        place = draw.astype(np.uint64) + np.uint64(first + 1)
        return _mixed(key[row] + place * _GOLDEN) >> np.uint64(64 - FOLLOWING)

    return Words(leading=leading, following=following)


def word_source(seed: int, rows: Bits, *, points: Points = "random") -> Source:
    """Make the function that gives words of any draws.

    Parameters
    ----------
    seed, rows
        As in `random_words`.
    points
        ``"random"``: independent words. ``"sobol"``: scrambled Sobol points, a dimension a row, which fill the space of
        all rows evenly, so that far fewer draws do. They depend on the set of rows, not on its order; their number is a
        power of two, and draws are asked for in runs of a power of two, from a multiple of it on. Rows with the same
        name share their words, as random ones do.

    Returns
    -------
    Callable
        Function of the first draw and the number of draws; may be called from several threads.

    Raises
    ------
    ValueError
        There are more rows than a Sobol sequence has dimensions; ``points`` is unknown.

    References
    ----------
    Owen AB (1998), Scrambling Sobol' and Niederreiter-Xing points, Journal of Complexity 14:466-489,
    doi:10.1006/jcom.1998.0487; Joe S, Kuo FY (2008), SIAM J Sci Comput 30:2635-2654, doi:10.1137/070709359.

    Examples
    --------
    >>> words = word_source(7, np.array([[1, 2], [3, 4]], dtype=np.uint64), points="sobol")
    >>> sorted((words(0, 4).leading[0] >> 14).tolist())
    [0, 1, 2, 3]
    """
    if points == "random":
        return lambda first, count: random_words(seed, rows, first=first, count=count)
    if points != "sobol":
        raise ValueError(f"points are 'random' or 'sobol', not {points!r}")
    own, place = np.unique(rows[:, ::-1], axis=0, return_inverse=True)  # rows of one name share their dimension
    if len(own) > SOBOL_ROWS:
        raise ValueError(f"Sobol points serve {SOBOL_ROWS:,} drawn rows at most, and there are {len(own):,}")
    return _sobol_source(seed, own, place.ravel())


def _sobol_source(seed: int, own: Bits, place: NDArray[np.intp]) -> Source:
    from scipy.stats import qmc  # noqa: PLC0415 - importing the kernels stays quick

    name = np.bitwise_xor.reduce(own, axis=0)[::-1]
    rng = np.random.default_rng([seed, *name.tolist()])
    engine = qmc.Sobol(len(own), scramble=True, bits=_SOBOL_BITS, seed=rng)
    lock = Lock()

    def words(first: int, count: int) -> Words:
        with lock:
            engine.reset()
            if first:  # SciPy cannot go forward by 0
                engine.fast_forward(first)
            points = engine.random(count).T[place]
        # the middle of the cell in which the point lies
        whole = np.ldexp(points + 0.5 ** (_SOBOL_BITS + 1), LEADING + FOLLOWING).astype(np.uint64)

        def following(row: NDArray[np.intp], draw: NDArray[np.intp]) -> Bits:
            return whole[row, draw] & np.uint64(2**FOLLOWING - 1)

        return Words(leading=(whole >> np.uint64(FOLLOWING)).astype(np.uint16), following=following)

    return words


def gamma_quantile(uniform: ArrayLike, shape: ArrayLike) -> Floats:
    """Draw from gamma distributions of scale 1.

    A mean count of which ``count`` events were seen has, with the prior of Jeffreys, the posterior of shape ``count +
    0.5``. It is never 0, also where nothing was seen.

    Parameters
    ----------
    uniform
        Between 0 and 1.
    shape
        Above 0, broadcast against it.

    Returns
    -------
    ndarray
        Of the shape of both, above 0.

    References
    ----------
    Jeffreys H (1946), Proc R Soc A 186:453-461, doi:10.1098/rspa.1946.0056; for its use with counts Brown LD, Cai TT,
    DasGupta A (2003), Statistica Sinica 13:19-49.

    Examples
    --------
    >>> gamma_quantile(0.5, [0.5, 100.5]).round(3)
    array([  0.227, 100.167])
    """
    from scipy.special import gammaincinv  # noqa: PLC0415 - importing the kernels stays quick

    made: Floats = gammaincinv(np.asarray(shape, dtype=np.float64), np.asarray(uniform, dtype=np.float64))
    return made


def normal_quantile(uniform: ArrayLike) -> Floats:
    """Draw from the standard normal distribution.

    Parameters
    ----------
    uniform
        Between 0 and 1.

    Returns
    -------
    ndarray
        Of the same shape.

    Examples
    --------
    >>> normal_quantile([0.5, 0.975]).round(4)
    array([0.  , 1.96])
    """
    from scipy.special import ndtri  # noqa: PLC0415 - importing the kernels stays quick

    made: Floats = ndtri(np.asarray(uniform, dtype=np.float64))
    return made


def _keys(seed: int, rows: Bits) -> Bits:
    low, high = np.uint64(seed % 2**64), np.uint64(seed >> 64)
    return _mixed(rows[:, 0] ^ _mixed(rows[:, 1] ^ _mixed(np.array([low]) ^ _mixed(np.array([high])))))


def _mixed(state: Bits) -> Bits:
    """Last step of SplitMix64: every bit of the result depends on every bit of the state."""
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))
