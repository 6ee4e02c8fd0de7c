"""How each kind of draw is made: from a column of a table, the function that draws its rows."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nenc_estimates.draws import Binomial, Gamma, Poisson, Prevalence, Published
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.kernels.count_tables import LARGEST, binomial_tables, poisson_tables
from nenc_estimates.kernels.levels import z_value
from nenc_estimates.kernels.sampling import gamma_quantile, normal_quantile
from nenc_estimates.kernels.transforms import TRANSFORMS
from nenc_estimates.table_messages import rows_named
from nenc_estimates.tables import number_column, open_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from nenc_estimates.draws import Draw, Frame
    from nenc_estimates.kernels.count_tables import CountTables
    from nenc_estimates.kernels.sampling import Words

    Floats = NDArray[np.float64]
    Sampler = Callable[[slice, Words], dict[str, Floats]]

TABLE_BYTES: Final = 16 * 2**20
"""Memory for tables that are kept from one run of draws to the next [bytes]."""


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
        raise InvalidDataError(f"{fault}, but is not so in {rows_named(np.flatnonzero(wrong))}.")
