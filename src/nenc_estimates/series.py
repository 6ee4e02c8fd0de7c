"""Series of published windows: a tidy table with periods as arrays, with the standard error of each value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import narwhals.stable.v2 as nw
import numpy as np

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels.gaps import PERSON_YEARS_RULE, rounding_variance
from nenc_estimates.kernels.interval_inversion import standard_error_from_limits
from nenc_estimates.periods import Period
from nenc_estimates.tables import KEYS, Stack, check_values, open_frame, stack, text_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    from nenc_estimates.periods import Kind

    Floats = NDArray[np.float64]

StandardError = Literal["published", "person-years", "none"]

SERIES_KEYS = ("indicator", "edition", "area_code", "sex", "age", "quantile", "cause", "draw")
"""Columns that tell one series from another, in key order."""

NUMBERS = ("se", "lower", "upper", "person_years", "effective_areas")

STANDARD_ERRORS: Mapping[StandardError, str] = {
    "published": "from the published standard errors or limits",
    "person-years": "by the person-years rule for life expectancy at birth, SE = K / sqrt(person-years) with K 136 for "
    "males and 129 for females, for want of limits",
    "none": "taken as 0 for want of limits: limits are too wide under drift and flat, too narrow under linear",
}
"""Where the standard error of a value comes from, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Series of windows of whole years, windows in ascending order.

    ``keys`` holds each key column, one text a series; ``value, sampling, rounding, rows`` have shape ``(series,
    window)``: ``nan`` and -1 where a series has no row for the window. Overlapping windows share the sampling errors of
    their common years, ``sampling``; each value is rounded by itself, ``rounding``. ``se`` holds both.
    """

    keys: Mapping[str, NDArray[np.object_]]
    periods: tuple[Period, ...]
    value: Floats
    sampling: Floats
    rounding: Floats
    rows: NDArray[np.intp]
    backend: Any

    @property
    def first_year(self) -> Floats:
        """First year of each window."""
        return np.array([period.start.year for period in self.periods], dtype=np.float64)

    @property
    def n_years(self) -> Floats:
        """Years in each window."""
        return np.array([period.months // 12 for period in self.periods], dtype=np.float64)

    @property
    def se(self) -> Floats:
        """Standard errors of the values as they are published, ``(series, window)``."""
        return np.hypot(self.sampling, self.rounding)

    def named(self, series: int) -> str:
        """Name one series, for a message."""
        return ", ".join(f"{name} {key[series]}" for name, key in self.keys.items()) or "the table"


def stack_windows(
    table: IntoDataFrame,
    *,
    by: Sequence[str] | None = None,
    kind: Kind | None = None,
    standard_error: StandardError = "published",
    decimals: int | None = None,
    what: str = "the table",
) -> Windows:
    """Stack a tidy table into series of windows.

    Parameters
    ----------
    table
        ``period, value`` and any of `.SERIES_KEYS`; ``se``, or 95 % limits ``lower, upper``; ``person_years`` for
        the rule of that name; ``effective_areas`` where a value is a mean over areas.
    by
        Key columns that make a series. Default: all that the table has.
    kind
        Kind of the periods, for labels that do not say it (``2018-19``).
    standard_error
        A key of `.STANDARD_ERRORS`.
    decimals
        Decimals of the values, whose rounding error is then added; for a mean over areas it is that of the areas.
    what
        Name of the table in messages.

    Returns
    -------
    Windows
        Rows in any order give the same series.

    Raises
    ------
    SchemaError
        A column is missing, or a period is unknown or ambiguous.
    InvalidDataError
        A series has a period twice, holds two editions, mixes kinds of year, or has a value without an error.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"period": ["2019-21", "2018-20"], "value": [4.1, 4.0], "se": 0.3})
    >>> windows = stack_windows(table)
    >>> [str(period) for period in windows.periods], windows.value.tolist()
    (['2018-20', '2019-21'], [[4.0, 4.1]])
    """
    if standard_error not in get_args(StandardError):
        known = ", ".join(map(repr, get_args(StandardError)))
        raise ValueError(f"standard_error {standard_error!r} is unknown. Known: {known}.")
    opened = open_frame(table, ["period", "value"], what=what)
    present = [name for name in SERIES_KEYS if name in opened.columns]
    labels = text_column(opened, "period")
    read = {label: Period.parse(label, kind=kind) for label in dict.fromkeys(labels.tolist())}
    spelled = {period: label for label, period in reversed(read.items())}
    if len(spelled) < len(read):  # one window under two spellings is one window
        same = nw.new_series("period", [spelled[read[label]] for label in labels], backend=opened.implementation)
        opened = opened.with_columns(same)
    chosen = present if by is None else list(by)
    numbers = [name for name in NUMBERS if name in opened.columns]
    stacked = stack(opened.to_native(), ["value"], by=chosen, axis="period", optional=numbers)
    for name in (*KEYS, "area_code"):
        if name in opened.columns and name not in (*chosen, "period"):
            _refuse_mixture(stacked, text_column(opened, name), name)
    check_values(stacked)
    periods = [read[label] for label in stacked.labels]
    _refuse_part_years(periods)
    order = sorted(range(len(periods)), key=periods.__getitem__)
    given = np.isfinite(stacked.values["value"])
    sampling, rounding = _sampling_errors(stacked, standard_error), _rounding_errors(stacked, decimals)
    return Windows(
        keys=stacked.keys,
        periods=tuple(periods[i] for i in order),
        value=stacked.values["value"][:, order],
        sampling=np.where(given, sampling, np.nan)[:, order],
        rounding=np.where(given, rounding, np.nan)[:, order],
        rows=stacked.rows[:, order],
        backend=stacked.backend,
    )


def match_reference(windows: Windows, reference: Windows) -> Windows:
    """Put a reference beside series: met by the keys that both have, apart from the area, and by period.

    Parameters
    ----------
    windows
        The series.
    reference
        One series for each combination of the shared keys.

    Returns
    -------
    Windows
        Of the shape of ``windows``; the keys are those of the reference.

    Raises
    ------
    InvalidDataError
        A series has no reference, several, or none for one of its windows.
    """
    shared = [name for name in windows.keys if name in reference.keys and name != "area_code"]
    places: dict[tuple[Any, ...], int] = {}
    for place, key in enumerate(_key_texts(reference, shared)):
        if key in places:
            raise InvalidDataError(f"one reference for each series, but two match {reference.named(place)}.")
        places[key] = place
    texts = _key_texts(windows, shared)
    absent = [windows.named(place) for place, key in enumerate(texts) if key not in places]
    if absent:
        raise InvalidDataError(
            f"the reference has no series for {'; '.join(absent[:5])} ({len(absent)} series). It is met by "
            f"{', '.join(shared)}: like is compared with like, an edition with the same edition only."
        )
    column = {period: i for i, period in enumerate(reference.periods)}
    pick = np.array([column.get(period, -1) for period in windows.periods])
    row = np.array([places[key] for key in texts], dtype=np.intp)
    value, sampling, rounding = (
        np.where(pick >= 0, part[row][:, pick], np.nan)
        for part in (reference.value, reference.sampling, reference.rounding)
    )
    lacking = np.isfinite(windows.value) & ~np.isfinite(value)
    if lacking.any():
        series, window = np.argwhere(lacking)[0]
        raise InvalidDataError(
            f"the reference has no value for {windows.periods[window]} of {windows.named(series)} "
            f"({int(lacking.sum())} windows). Add it, or exclude the window."
        )
    keys = {name: key[row] for name, key in reference.keys.items()}
    return replace(windows, keys=keys, value=value, sampling=sampling, rounding=rounding)


def target_window(to: str | Period, windows: Windows, *, by_year: Literal["centre", "end"] = "centre") -> Period:
    """Turn the words "by 2030" into the window that decides.

    Parameters
    ----------
    to
        A period, or a single year.
    windows
        The series whose latest window has the length in question.
    by_year
        Whether a single year is the centre or the end of a longer window. A window of an even number of years has no
        central year: the year itself then stands.

    Raises
    ------
    SchemaError
        The period is not of whole years that start in the month in which those of the series do.

    Examples
    --------
    >>> import pandas as pd
    >>> windows = stack_windows(pd.DataFrame({"period": ["2018-20"], "value": [4.0], "se": [0.3]}))
    >>> target_window("2030", windows).canonical, target_window("2030", windows, by_year="end").canonical
    ('2029-31', '2028-30')
    """
    if by_year not in ("centre", "end"):
        raise ValueError(f"by_year is 'centre' or 'end', not {by_year!r}")
    last = windows.periods[-1]
    wanted = to if isinstance(to, Period) else Period.parse(to)
    if not wanted.months or wanted.months % 12 or wanted.start.month != last.start.month:
        raise SchemaError(
            f"the target {wanted} is not made of the {last.kind} years of the series ({last}): say which."
        )
    length = last.months // 12
    if wanted.months > 12 or length == 1 or (by_year == "centre" and length % 2 == 0):
        return wanted
    back = length - 1 if by_year == "end" else length // 2
    start = wanted.start.replace(year=wanted.start.year - back)
    period = Period(start=start, months=12 * length)
    return Period(start=start, months=12 * length, label=period.canonical)


def _key_texts(windows: Windows, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return [tuple(windows.keys[name][row] for name in names) for row in range(len(windows.value))]


def _refuse_mixture(stacked: Stack, column: NDArray[np.object_], name: str) -> None:
    filled = stacked.rows >= 0
    for group in range(len(stacked.rows)):
        found = dict.fromkeys(column[stacked.rows[group][filled[group]]].tolist())
        if len(found) > 1:
            raise InvalidDataError(
                f"the series of {stacked.group_named(group)} holds {len(found)} values of {name!r}: "
                f"{', '.join(map(str, found))}. Keep one, or name {name!r} in by=."
            )


def _refuse_part_years(periods: Sequence[Period]) -> None:
    for period in periods:
        if not period.months or period.months % 12:
            raise InvalidDataError(f"period {period} is not a window of whole years, which a trajectory needs.")
        if period.start.month != periods[0].start.month:
            raise InvalidDataError(
                f"periods {periods[0]} ({periods[0].kind} years) and {period} ({period.kind} years) stand in one "
                "table: they are different series."
            )


def _rounding_errors(stacked: Stack, decimals: int | None) -> Floats:
    """Find the standard errors of rounding; in a mean over areas each of them was rounded by itself."""
    value = stacked.values["value"]
    if decimals is None:
        return np.zeros(value.shape)
    areas = stacked.values.get("effective_areas", np.ones(value.shape))
    return np.sqrt(rounding_variance(decimals) / np.where(np.isfinite(areas), areas, 1.0))


def _sampling_errors(stacked: Stack, standard_error: StandardError) -> Floats:
    value = stacked.values["value"]
    if standard_error == "none":
        se = np.zeros(value.shape)
    elif standard_error == "person-years":
        se = _person_years_error(stacked)
    else:
        se = _published_error(stacked)
    lacking = np.isfinite(value) & ~(se >= 0)
    if lacking.any():
        raise InvalidDataError(
            f"no standard error in {stacked.named(lacking)}. Give 'se', or 'lower' and 'upper', or say "
            "standard_error='person-years' (life expectancy at birth, with a column person_years) or 'none'."
        )
    return se


def _published_error(stacked: Stack) -> Floats:
    values = stacked.values
    absent = np.full(values["value"].shape, np.nan)
    se = values.get("se", absent)
    if {"lower", "upper"} <= set(values):
        se = np.where(np.isnan(se), standard_error_from_limits(values["lower"], values["upper"]), se)
    return np.asarray(se)


def _person_years_error(stacked: Stack) -> Floats:
    if "person_years" not in stacked.values or "sex" not in stacked.keys:
        raise SchemaError("standard_error='person-years' needs the columns 'sex' and 'person_years'.")
    sexes = [str(sex).lower() for sex in stacked.keys["sex"]]
    unknown = sorted(set(sexes) - set(PERSON_YEARS_RULE))
    if unknown:
        raise InvalidDataError(f"the person-years rule is for males and females, not for {', '.join(unknown)}.")
    people = stacked.values["person_years"]
    constant = np.array([PERSON_YEARS_RULE[sex] for sex in sexes])
    return constant[:, None] / np.sqrt(np.where(people > 0, people, np.nan))
