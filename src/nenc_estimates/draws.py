"""How the columns of a table are drawn: each kind of figure from the distribution of its error.

A row draws from a stream of its own, which is named by the texts of its key columns and the name of the column, never
by its place in the table (see :mod:`nenc_estimates.kernels.sampling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from nenc_estimates.age_bands import parse_age
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels.transforms import TRANSFORMS
from nenc_estimates.table_messages import rows_named
from nenc_estimates.tables import KEYS, coded_column, number_column, open_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    import narwhals.stable.v2 as nw
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Frame = nw.DataFrame[Any]


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

RISK: Final = 0.001
"""Greatest chance that an open age band is drawn without deaths at least once, among all draws."""


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
            f"{rows_named(twice)} have the same keys ({', '.join(keys) or 'none'}), and would draw the same numbers. "
            "Name the columns that tell rows apart: keys=[...]."
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
            f"no end: {rows_named(last[ever > RISK])}. In the worst of {many} group{'s' * (many > 1)} ("
            f"{count[worst]:g} deaths in row {last[worst]}) the chance is {none[worst]:.2g} in a draw and "
            f"{ever[worst]:.2g} in at least one of {draws:,}. Draw with Gamma(), pool years or areas, "
            "or end the age bands earlier (85+); open_band='allow' where no life table is made."
        )


def _groups(opened: Frame, keys: Sequence[str], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give each of some rows the number of the group that it is in by these keys."""
    columns = [coded_column(opened, name)[0][rows] for name in keys]
    return np.unique(np.stack(columns, axis=-1), axis=0, return_inverse=True)[1].ravel().astype(np.intp)
