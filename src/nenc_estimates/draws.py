"""How the columns of a table are drawn: each kind of figure from the distribution of its error.

A row draws from a stream of its own, which is named by the texts of its key columns and the name of the column, never
by its place in the table (see :mod:`nenc_estimates.kernels.sampling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from nenc_estimates.age_bands import parse_age
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels.count_tables import LARGEST, binomial_tables, poisson_tables
from nenc_estimates.kernels.levels import z_value
from nenc_estimates.kernels.sampling import gamma_quantile, normal_quantile
from nenc_estimates.kernels.transforms import TRANSFORMS
from nenc_estimates.summaries import listed
from nenc_estimates.table_messages import SHOWN
from nenc_estimates.tables import KEYS, coded_column, number_column, open_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import narwhals.stable.v2 as nw
    from numpy.typing import NDArray

    from nenc_estimates.kernels.count_tables import CountTables
    from nenc_estimates.kernels.sampling import Words

    Floats = NDArray[np.float64]
    Frame = nw.DataFrame[Any]
    Sampler = Callable[[slice, Words], dict[str, Floats]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisson:
    """Counts of events, such as deaths: Poisson about the count seen. A count of 0 is always drawn as 0.

    Attributes
    ----------
    stream
        Name of the random numbers. Columns of any table draw independently unless they are given the same name; rows
        with the same keys then share their random numbers, as two scenarios should.

    Examples
    --------
    >>> {"deaths": Poisson()}  # as drawn= of simulate
    {'deaths': Poisson(stream=None)}
    """

    stream: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gamma:
    """Mean counts, given what was seen: gamma of shape ``count + prior`` and scale 1, never 0.

    For tables with zeros, and for open age bands in which few die. The draws have the mean ``count + prior``: a life
    expectancy comes out a little lower than that of the counts.

    Attributes
    ----------
    prior
        1/2 is the prior of Jeffreys; 1/3 puts the median of the draws at the count.
    stream
        As in `Poisson`.

    References
    ----------
    Brown LD, Cai TT, DasGupta A (2003), Statistica Sinica 13:19-49; Kerman J (2011), Electronic Journal of Statistics
    5:1450-1470, doi:10.1214/11-EJS648, for 1/3.

    Examples
    --------
    >>> {"deaths": Gamma(prior=1 / 2)}
    {'deaths': Gamma(prior=0.5, stream=None)}
    """

    prior: float = 0.5
    stream: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.prior < np.inf:
            raise ValueError(f"prior is {self.prior}; it is added to every count and must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binomial:
    """Counts of people out of a known number: binomial with the share seen.

    Attributes
    ----------
    denominator
        Column of that number, whole.
    stream
        As in `Poisson`.

    Examples
    --------
    >>> {"count": Binomial(denominator="people")}
    {'count': Binomial(denominator='people', stream=None)}
    """

    denominator: str = "denominator"
    stream: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevalence:
    """Shares from a survey: normal on the logit scale. A share of exactly 0 or 1 has no error, as in closed forms.

    Attributes
    ----------
    respondents
        Column of the people asked, not weighted.
    design_effect
        Variance under the survey's design, as a multiple of that of a simple random sample.
    stream
        As in `Poisson`.

    Examples
    --------
    >>> {"prevalence": Prevalence(respondents="asked", design_effect=1.3)}
    {'prevalence': Prevalence(respondents='asked', design_effect=1.3, stream=None)}
    """

    respondents: str = "respondents"
    design_effect: float = 1.0
    stream: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.design_effect < np.inf:
            raise ValueError(f"design_effect is {self.design_effect}; it multiplies a variance and must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Published values with limits or a standard error: normal on a scale.

    Limits and standard error move with the value, so that what is computed from them stays what it was.

    Attributes
    ----------
    scale
        ``"identity"`` for life expectancy and other means, ``"log"`` for rates, ``"logit"`` for shares (0 to 1).
    confidence
        Level of the limits ``lower, upper`` [fraction]; a column ``se`` is used instead where there is one.
    stream
        As in `Poisson`.

    Examples
    --------
    >>> {"value": Published(scale="log")}
    {'value': Published(scale='log', confidence=0.95, stream=None)}
    """

    scale: Literal["identity", "log", "logit"] = "identity"
    confidence: float = 0.95
    stream: str | None = None

    def __post_init__(self) -> None:
        if self.scale not in TRANSFORMS:
            raise ValueError(f"scale is {self.scale!r}; known: {', '.join(TRANSFORMS)}")


Draw = Poisson | Gamma | Binomial | Prevalence | Published

TABLE_BYTES: Final = 16 * 2**20
"""Memory for tables that are kept from one run of draws to the next [bytes]."""

RISK: Final = 0.001
"""Greatest chance that an open age band is drawn without deaths at least once, among all draws."""


def sampler(opened: Frame, column: str, how: Draw) -> Sampler:
    """Check a column that is to be drawn, and make the function that draws its rows.

    Returns
    -------
    Callable
        Function of some rows and their words that gives the columns drawn, each ``(row, draw)``. A missing value stays
        missing.

    Raises
    ------
    SchemaError
        A column is missing or holds no numbers.
    InvalidDataError
        A value cannot be drawn; the message names the rows.
    """
    made = SAMPLERS.get(type(how))
    if made is None:
        raise ValueError(
            f"the column {column!r} is drawn by one of {', '.join(each.__name__ for each in SAMPLERS)}, not {how!r}"
        )
    return made(open_frame(opened.to_native(), [column]), column, how)


def key_columns(opened: Frame, keys: Sequence[str] | None) -> list[str]:
    """Columns that tell the rows of a table apart: those named, or all that have a known name.

    Raises
    ------
    SchemaError
        A column is missing.
    """
    if keys is None:
        return [name for name in (*KEYS, "area_code") if name in opened.columns]
    named = [keys] if isinstance(keys, str) else list(keys)
    open_frame(opened.to_native(), named)
    return named


def row_names(opened: Frame, keys: Sequence[str], stream: str) -> NDArray[np.uint64]:
    """Name each row by 128 bits that depend on its keys and the stream only ``(row, 2)``.

    Raises
    ------
    InvalidDataError
        Two rows have the same keys.
    """
    columns = [(name, *coded_column(opened, name)) for name in sorted(keys)]
    texts = [[f"\x1f{name}\x1f{label}" for label in labels] for name, _, labels in columns]
    coded = zip(*(codes.tolist() for _, codes, _ in columns), strict=True) if columns else [()] * len(opened)
    names = bytearray()
    for codes in coded:
        text = stream + "".join(labels[code] for labels, code in zip(texts, codes, strict=True))
        names += blake2b(text.encode(), digest_size=16).digest()
    found = np.frombuffer(bytes(names), dtype="<u8").astype(np.uint64).reshape(-1, 2)
    _, group, size = np.unique(found, axis=0, return_inverse=True, return_counts=True)
    twice = np.flatnonzero(size[group.ravel()] > 1)
    if twice.size:
        raise InvalidDataError(
            f"{_rows(twice)} have the same keys ({', '.join(keys) or 'none'}), and would draw the same numbers. Name "
            "the columns that tell rows apart: keys=[...]."
        )
    return found


def refuse_zero_deaths(
    opened: Frame, column: str, how: Draw, *, keys: Sequence[str], draws: int, age: str = "age"
) -> None:
    """Refuse an open age band that may be drawn without deaths.

    The open band is the last of the column of ages; deaths of several causes in it are added up. A band without deaths
    has no life expectancy to begin with, and is left to the life table.

    Raises
    ------
    InvalidDataError
        The message names the rows and says how probable that is.
    """
    if age not in keys or not isinstance(how, (Poisson, Binomial)):
        return
    codes, labels = coded_column(opened, age)
    try:
        first = np.array([parse_age(label)[0] for label in labels])
    except SchemaError:  # whatever this column is, it is not the age of a life table
        return
    last = np.flatnonzero(first[codes] == first.max())
    if last.size == len(opened):
        return
    count = number_column(opened, column)[last]
    with np.errstate(divide="ignore", invalid="ignore"):
        if isinstance(how, Poisson):
            log_none = -count
        else:
            people = number_column(opened, how.denominator)[last]
            log_none = people * np.log1p(-count / people)
    groups = _groups(opened, [name for name in keys if name != "cause"], last)
    together = np.bincount(groups, weights=np.nan_to_num(log_none, nan=-np.inf))[groups]
    none = np.where(np.isin(together, (0, -np.inf)), 0.0, np.exp(together))
    ever = -np.expm1(draws * np.log1p(-np.minimum(none, 1 - 2.0**-53)))
    if (ever > RISK).any():
        worst = int(np.argmax(ever))
        many = np.unique(groups[ever > RISK]).size
        raise InvalidDataError(
            f"the open age band {labels[codes[last[worst]]]!r} may be drawn without deaths, and life would then have "
            f"no end: {_rows(last[ever > RISK])}. In the worst of {many} group{'s' * (many > 1)} ({count[worst]:g} "
            f"deaths in row {last[worst]}) the chance is {none[worst]:.2g} in a draw and {ever[worst]:.2g} in at least "
            f"one of {draws:,}. Draw with Gamma(), pool years or areas, or end the age bands earlier (85+); "
            "open_band='allow' where no life table is made."
        )


def _groups(opened: Frame, keys: Sequence[str], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give each of some rows the number of the group that it is in by these keys."""
    columns = [coded_column(opened, name)[0][rows] for name in keys]
    return np.unique(np.stack(columns, axis=-1), axis=0, return_inverse=True)[1].ravel().astype(np.intp)


def _poisson(opened: Frame, column: str, how: Draw) -> Sampler:  # noqa: ARG001 - one signature for all
    return _counts_drawn(_counts(opened, column), column, lambda mean, _: poisson_tables(mean))


def _binomial(opened: Frame, column: str, how: Any) -> Sampler:
    count, size = _counts(opened, column), _numbers(opened, how.denominator)
    wrong = ~np.isnan(count) & ~((size == np.floor(size)) & (size > 0) & (size >= count) & (size <= LARGEST))
    _refuse(wrong, f"{how.denominator} must be a whole number, above 0 and not below {column}, to be drawn from")

    def tables(mean: Floats, rows: slice) -> CountTables:
        people = np.where(np.isnan(count[rows]), 1.0, size[rows])
        return binomial_tables(people, mean / people)

    return _counts_drawn(count, column, tables)


def _counts_drawn(count: Floats, column: str, tables: Callable[[Floats, slice], CountTables]) -> Sampler:
    missing = np.isnan(count)
    kept: dict[int, CountTables] = {}

    def made(rows: slice) -> CountTables:
        found = kept.get(rows.start)
        if found is None or len(found.count) != rows.stop - rows.start:
            found = tables(np.where(missing[rows], 0.0, count[rows]), rows)
            if sum(each.count.nbytes + each.limit.nbytes for each in kept.values()) < TABLE_BYTES:
                kept[rows.start] = found
        return found

    def draw(rows: slice, words: Words) -> dict[str, Floats]:
        drawn = made(rows).draw(words)
        drawn[missing[rows]] = np.nan
        return {column: drawn}

    return draw


def _gamma(opened: Frame, column: str, how: Any) -> Sampler:
    shape = _counts(opened, column) + how.prior
    return lambda rows, words: {column: gamma_quantile(words.uniforms(), shape[rows, None])}


def _prevalence(opened: Frame, column: str, how: Any) -> Sampler:
    share, asked = _numbers(opened, column), _numbers(opened, how.respondents)
    _refuse((share < 0) | (share > 1), f"{column} is a share between 0 and 1: divide percentages by 100")
    _refuse(~np.isnan(share) & ~(asked > 0), f"{column} cannot be drawn without {how.respondents}, above 0")
    logit = TRANSFORMS["logit"]
    middle = logit.forward(share)
    se = np.sqrt(how.design_effect / np.where(np.isnan(middle), np.inf, asked * share * (1 - share)))

    def draw(rows: slice, words: Words) -> dict[str, Floats]:
        drawn = logit.inverse(middle[rows, None] + se[rows, None] * normal_quantile(words.uniforms()))
        return {column: np.where(np.isnan(middle[rows, None]), share[rows, None], drawn)}

    return draw


def _published(opened: Frame, column: str, how: Any) -> Sampler:
    scale, value = TRANSFORMS[how.scale], _numbers(opened, column)
    middle = scale.forward(value)
    _refuse(np.isnan(middle) & ~np.isnan(value), f"{column} is outside the {how.scale} scale")
    beside = {name: _numbers(opened, name) for name in ("lower", "upper", "se") if name in opened.columns}
    limits = {name: scale.forward(beside[name]) for name in ("lower", "upper") if name in beside}
    se = np.full(value.shape, np.nan)
    if "se" in beside:
        se = beside["se"] * scale.slope(value)
    if len(limits) == 2:
        width = (limits["upper"] - limits["lower"]) / (2 * float(z_value(how.confidence)))
        se = np.where(np.isnan(se), width, se)
    _refuse(~np.isnan(value) & ~(se >= 0), f"{column} cannot be drawn without limits lower, upper or se, in order")

    def draw(rows: slice, words: Words) -> dict[str, Floats]:
        shift = se[rows, None] * normal_quantile(words.uniforms())
        drawn = {column: scale.inverse(middle[rows, None] + shift)}
        drawn |= {name: scale.inverse(limit[rows, None] + shift) for name, limit in limits.items()}
        if "se" in beside:
            drawn["se"] = (beside["se"] * scale.slope(value))[rows, None] / scale.slope(drawn[column])
        return drawn

    return draw


SAMPLERS: Mapping[type, Callable[[Frame, str, Draw], Sampler]] = MappingProxyType(
    {Poisson: _poisson, Gamma: _gamma, Binomial: _binomial, Prevalence: _prevalence, Published: _published}
)
"""Every way to draw a column."""


def _numbers(opened: Frame, column: str) -> Floats:
    return number_column(open_frame(opened.to_native(), [column]), column)


def _counts(opened: Frame, column: str) -> Floats:
    count = number_column(opened, column)
    _refuse(count < 0, f"{column} must be 0 or more to be drawn")
    _refuse(count > LARGEST, f"{column} must be {LARGEST:,.0f} or less to be drawn")
    return count


def _refuse(wrong: NDArray[np.bool_], fault: str) -> None:
    if wrong.any():
        raise InvalidDataError(f"{fault}, but is not so in {_rows(np.flatnonzero(wrong))}.")


def _rows(rows: NDArray[np.intp]) -> str:
    return f"row{'s' * (rows.size > 1)} {listed([*map(str, rows.tolist())], most=SHOWN)}"
