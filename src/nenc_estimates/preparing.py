"""A table made ready for an estimate: options checked, rows stacked and checked, gaps filled, vintages matched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from nenc_estimates.aggregation import places_of
from nenc_estimates.denominators import Denominator, load_denominator
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kinds import KINDS, NOT_AGGREGABLE, OTHERWISE_CALLED
from nenc_estimates.layout import Layout, lay_out
from nenc_estimates.missing import Imputed, check_missing, check_reasons, impute
from nenc_estimates.routes import VALUES, Options, StandardError
from nenc_estimates.tables import KEYS, check_values, open_frame, stack
from nenc_estimates.vintages import crosswalks_to, match_vintage, merge_superseded

if TYPE_CHECKING:
    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    from nenc_estimates.crosswalks import Crosswalk
    from nenc_estimates.tables import Stack
    from nenc_estimates.vintages import Target

LEAST_COVERAGE = 2 / 3
"""Below this share of people no estimate is made, whatever was asked for: World Bank, WDI aggregation rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What an estimate starts from: the stacked table, which cells were imputed, and each series' crosswalk."""

    stacked: Stack
    filled: NDArray[np.bool_]
    notices: tuple[str, ...]
    people: Denominator | None
    crosswalks: tuple[Crosswalk, ...]
    vintage: NDArray[np.intp]
    options: Options
    year: int | None

    def layouts(self, people: Denominator | None) -> list[Layout]:
        """Lay the series out over their crosswalks, one layout a vintage, weighed by ``people``."""
        return [
            lay_out(
                self.stacked,
                np.flatnonzero(self.vintage == i),
                self.crosswalks[i],
                people,
                family=self.options.family,
                year=self.year,
                filled=self.filled,
            )
            for i in np.unique(self.vintage)
        ]


def prepare(
    table: IntoDataFrame, options: Options, *, to: Target, denominator: Denominator | str | None, year: int | None
) -> Prepared:
    """Check options and table, and match each series with the crosswalk that its codes belong to.

    Raises
    ------
    SchemaError, InvalidDataError, UnknownAreaError
        The table cannot give this estimate; the message names the rows.
    ValueError
        An option is impossible.
    """
    check_options(options, year=year)
    opened = open_frame(table, ["area_code"])
    by = [name for name in KEYS if name in opened.columns]
    if year is not None and "period" in by:
        raise ValueError("year is for a table without periods: this one has a column 'period', whose years count.")
    words = ["missing_reason"]
    stacked = stack(table, _needed(opened.columns, options), by=by, axis="area_code", optional=VALUES, words=words)
    check_values(stacked)
    check_reasons(stacked)
    people = as_denominator(denominator)
    stacked, notices = merge_superseded(stacked)
    filled = np.zeros(stacked.rows.shape, dtype=bool)
    if isinstance(options.missing, Imputed):
        stacked, filled = impute(stacked, options.missing)
    _check_range(stacked, options)
    crosswalks = crosswalks_to(to)
    vintage = match_vintage(stacked, crosswalks)
    return Prepared(
        stacked=stacked,
        filled=filled,
        notices=notices,
        people=people,
        crosswalks=crosswalks,
        vintage=vintage,
        options=options,
        year=year,
    )


def as_denominator(denominator: Denominator | str | None) -> Denominator | None:
    """Load a packaged denominator by its name; take one as it is.

    Raises
    ------
    SchemaError
        It is neither.
    """
    people = load_denominator(denominator) if isinstance(denominator, str) else denominator
    if people is not None and not isinstance(people, Denominator):
        raise SchemaError("denominator is not a Denominator: make one with Denominator.from_table(table).")
    return people


def _needed(columns: list[str], options: Options) -> list[str]:
    """Columns that must be there: those of counts where they make the estimate alone, else ``value``."""
    if options.family == "sum":
        return ["count"] if "count" in columns else ["value"]
    if {"count", "denominator"} <= set(columns) and options.family in ("binomial", "poisson", "ratio"):
        return ["count", "denominator"]
    return ["value"]


def check_options(options: Options, *, year: int | None = None) -> None:
    """Refuse options that are unknown or impossible.

    Raises
    ------
    SchemaError
        The kind cannot be aggregated; the message says what is needed instead.
    ValueError
        The message says what was expected.
    """
    kind = options.kind
    if str(kind).casefold() in NOT_AGGREGABLE:
        raise SchemaError(f"kind {kind!r} cannot be aggregated: {NOT_AGGREGABLE[str(kind).casefold()]}.")
    for name, value, known in (
        ("kind", kind, tuple(KINDS)),
        ("standard_error", options.standard_error, get_args(StandardError)),
    ):
        if not isinstance(value, str) or value not in known:
            meant = OTHERWISE_CALLED.get(str(value).casefold()) if name == "kind" else None
            cure = f" Here {value!r} is {meant}." if meant else ""
            raise ValueError(f"{name} {value!r} is unknown. Known: {', '.join(map(repr, known))}.{cure}")
    check_missing(options.missing, kind=kind, multiplier=options.multiplier)
    share, level = options.min_coverage, options.confidence
    number = (int, float, np.integer, np.floating)
    faults = {
        f"multiplier is {options.multiplier!r}; write 100 for a percentage, 1 for a plain number.": (
            not isinstance(options.multiplier, number) or not 0 < options.multiplier < np.inf
        ),
        f"min_coverage is {share!r}; it must lie between 2/3 and 1.": (
            not isinstance(share, number) or not LEAST_COVERAGE <= share <= 1
        ),
        f"confidence is {level!r}; write 0.95 for 95 %.": level is not None
        and not (isinstance(level, float) and 0 < level < 1),
        f"decimals is {options.decimals!r}; it must be a whole number from 0 to 12, or None.": (
            options.decimals is not None and options.decimals not in range(13)
        ),
        f"year is {year!r}; write it as a whole number, such as 2020.": year is not None
        and not isinstance(year, (int, np.integer)),
        f"proxy is {options.proxy!r}; say in words why the people are not the indicator's own.": (
            not isinstance(options.proxy, str)
        ),
        f"standard_error='person-years' is a rule for life expectancy at birth, not for kind {kind!r}.": (
            options.standard_error == "person-years" and kind != "life expectancy"
        ),
    }
    for fault, is_there in faults.items():
        if is_there:
            raise ValueError(fault)


def _check_range(stacked: Stack, options: Options) -> None:
    """Refuse values that no indicator of the kind can have; a mean and a score may have any."""
    values, kind, is_share = stacked.values, options.kind, options.family == "binomial"
    if "value" in values and kind not in ("mean", "index score"):
        highest = options.multiplier if is_share else np.inf
        wrong = (values["value"] < 0) | (values["value"] > highest)
        if wrong.any():
            cure = " A percentage needs multiplier=100." if is_share and highest == 1 else ""
            raise InvalidDataError(
                f"kind {kind!r} lies between 0 and {highest:g}, but does not in {stacked.named(wrong)}. "
                f"Is multiplier={options.multiplier:g} the one of this table?{cure}"
            )
    if is_share and {"count", "denominator"} <= set(values):
        over = values["count"] > values["denominator"]
        if over.any():
            raise InvalidDataError(f"the count exceeds its denominator (kind {kind!r}) in {stacked.named(over)}.")
    three = {"value", "count", "denominator"} <= set(values)
    if three and options.family in ("binomial", "poisson", "ratio"):
        _check_agreement(stacked, options)


def _check_agreement(stacked: Stack, options: Options) -> None:
    """Refuse a value that is not its count over its denominator."""
    values = stacked.values
    made = values["count"] / values["denominator"] * options.multiplier
    places = places_of(values["value"])[:, None]
    apart = np.abs(values["value"] - made) > np.maximum(0.51 * 10.0**-places, 1e-6 * np.abs(made))
    if apart.any():
        raise InvalidDataError(
            f"value is not count / denominator x {options.multiplier:g} in {stacked.named(apart)}. Is the "
            "multiplier that of this table, and are the counts of the same period?"
        )
