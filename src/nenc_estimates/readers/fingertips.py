"""Fingertips downloads: website, API and R-saved files of every year since 2017."""

from __future__ import annotations

import re
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.areas import overlaps, recoded
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.periods import Period
from nenc_estimates.readers.cells import (
    NOT_APPLICABLE,
    NOT_PUBLISHED,
    REASON_LABELS,
    SUPPRESSED,
    Coded,
    given_reasons,
    number_column,
    plain_text,
    relabelled,
    require_filled,
    text_column,
)
from nenc_estimates.readers.files import finished, open_grid
from nenc_estimates.readers.fingertips_checks import check_values, real_values
from nenc_estimates.readers.grids import Expected
from nenc_estimates.readers.headings import Field
from nenc_estimates.readers.labels import age_label, area_codes, period_of, sexes
from nenc_estimates.readers.limits import LIMITS
from nenc_estimates.readers.report import Read, shown
from nenc_estimates.readers.rows import choose, group_numbers, unrepeated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nenc_estimates.periods import Kind
    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.report import Log

NUMBERS = MappingProxyType(
    {
        "value": "value",
        "lower": r"lower(?:ci(?:95)?0?(?:limit)?)?",
        "upper": r"upper(?:ci(?:95)?0?(?:limit)?)?",
        "lower_99_8": r"lower(?:ci)?_?998(?:limit)?",
        "upper_99_8": r"upper(?:ci)?_?998(?:limit)?",
        "count": "count",
        "denominator": "denominator",
    }
)
"""Columns of numbers, and their headings of every era."""

EXPECTED = Expected(
    what="a Fingertips download",
    layout=MappingProxyType(
        {
            "indicator_id": Field(heading="indicatorid"),
            "indicator": Field(heading="indicator(?:name)?"),
            "area_code": Field(heading="areacode"),
            "area_name": Field(heading="areaname"),
            "area_type": Field(heading="areatype", required=False),
            "sex": Field(heading="sex"),
            "age": Field(heading="age"),
            "category_type": Field(heading="categorytype", required=False),
            "category": Field(heading="category", required=False),
            "period": Field(heading="(?:time)?period"),
            **{n: Field(heading=h, number=True, required=n == "value") for n, h in NUMBERS.items()},
            "value_note": Field(heading="valuenotes?", required=False),
            "period_label": Field(heading="periodlabel", required=False),
            "missing_reason": Field(heading="missingreason", required=False),
            "sortable": Field(heading="timeperiodsortable", required=False),
            "period_range": Field(heading="(?:time)?periodrange", required=False),
        }
    ),
)
"""The columns that are read; the comparisons, of which one has another heading in each file, are not."""

_LISTED = 50
"""Category types that a report counts one by one."""

_NEVER_NA = ("area_type", "category_type", "category", "value_note", "sortable", "period_range", "missing_reason")
"""Columns in which NA is R's empty cell; a name may be NA."""

_KEY = ("indicator_id", "area_code", "sex", "age", "category_type", "category", "period", "period_range")


def read_fingertips(
    source: Any,
    *,
    indicator_id: int | None = None,
    area_type: str | None = None,
    sex: str | None = None,
    age: str | None = None,
    period: str | None = None,
    period_range: str | None = None,
    category_type: str | None = None,
    year_type: Kind | None = None,
    sheet: str | None = None,
    limits: Limits = LIMITS,
) -> Read:
    r"""Read a Fingertips download into a tidy table.

    Parameters
    ----------
    source
        Path, bytes, or a pandas, polars or pyarrow table with the same columns.
    indicator_id, area_type, sex, age, period, period_range
        Keep only these rows. What is not there is an error that lists what is.
    category_type
        Rows of this breakdown ("LSOA11 deprivation deciles within area (IMD trend)"). Without it the headline rows,
        those without a category, are kept and the breakdowns set aside.
    year_type
        What a label such as ``2018-19`` means where the file does not say.
    sheet
        Of a workbook with several.
    limits
        How much to take in.

    Returns
    -------
    Read
        ``table`` has ``indicator_id, indicator, area_code, area_name, area_type, sex, age, category_type, category,
        period, period_label, period_range``, the numbers ``value, lower, upper, lower_99_8, upper_99_8, count,
        denominator``, then ``missing_reason`` (why there is no value), ``value_note`` and ``aggregated`` (the value
        was put together from smaller areas by Fingertips itself). Text that is absent is ``""``.

    Raises
    ------
    SchemaError
        It is not a Fingertips download, or holds no such rows, or holds rows of 1 and of 3 years for one indicator
        and ``period_range`` does not choose.
    InvalidDataError
        Rows contradict each other or themselves.

    Examples
    --------
    >>> text = (
    ...     b"Indicator ID,Indicator Name,Area Code,Area Name,Sex,Age,Time period,Value,Value note\n"
    ...     b"90366,Life expectancy at birth,E06000047,County Durham,Male,All ages,2018 - 20,77.8,\n"
    ... )
    >>> read = read_fingertips(text)
    >>> read.table[["area_code", "period", "value"]].values.tolist()
    [['E06000047', '2018-20', 77.8]]
    """
    grid, log = open_grid(source, EXPECTED, sheet=sheet, limits=limits)
    texts = _texts(grid, log, year_type=year_type)
    numbers, reasons = _numbers(grid, log)
    keep = np.ones(len(grid), dtype=bool)
    wanted = {
        "indicator_id": None if indicator_id is None else str(indicator_id),
        "area_type": area_type,
        "sex": sex,
        "age": age,
        "period": None if period is None else period_of(period, span=period_range or "", kind=year_type).canonical,
        "period_range": period_range,
        "category_type": None if category_type is None else plain_text(category_type),
    }
    for name, label in wanted.items():
        keep = choose(texts[name], label, keep, log, name=name)
    if category_type is None:
        keep = _headline(texts, keep, grid, log)
    _refuse_mixed_ranges(texts, keep, log)
    numbers, reasons = real_values(texts, numbers, reasons, grid, log)
    keep = unrepeated({name: texts[name] for name in _KEY}, numbers, keep, grid, log)
    check_values(texts, numbers, keep, grid, log)
    _warn_of_overlaps(texts, keep, log)
    return _finished(texts, numbers, grid, log, reasons=reasons, keep=keep)


def _texts(grid: Grid, log: Log, *, year_type: Kind | None) -> dict[str, Coded]:
    """Read every column of text."""
    names = [name for name in EXPECTED.layout if name not in NUMBERS]
    texts = {name: text_column(grid, name, log) for name in names}
    for name in _NEVER_NA:
        texts[name] = relabelled(texts[name], _without_na, grid, name, log, repair="NA, as R writes, read as empty")
    for name in ("indicator_id", "area_code", "sex", "age", "period"):
        require_filled(texts[name], grid, name)
    texts["indicator_id"] = relabelled(texts["indicator_id"], _identifier, grid, "indicator_id", log)
    texts["area_code"] = area_codes(texts["area_code"], grid, "area_code", log, practices=True)
    texts["sex"] = sexes(texts["sex"], grid, "sex", log, publisher="fingertips")
    texts["age"] = relabelled(texts["age"], _age, grid, "age", log)
    texts |= _periods(texts, grid, log, year_type=year_type)
    return texts


def _without_na(label: str) -> str:
    return "" if label == "NA" else label


def _identifier(label: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}", label):
        raise InvalidDataError(f"indicator ID {shown(label)} is not a whole number.")
    return str(int(label))


def _age(label: str) -> str:
    """Keep the published label; refuse what a spreadsheet has made a date of."""
    try:
        age_label(label)
    except SchemaError as problem:
        if "is a date" in str(problem) or not label.isascii():
            raise
    return label


def _periods(texts: dict[str, Coded], grid: Grid, log: Log, *, year_type: Kind | None) -> dict[str, Coded]:
    """Read each period once for each length and sort key that it stands beside."""
    label, span, sort = texts["period"], texts["period_range"], texts["sortable"]
    number = group_numbers([label.codes, span.codes, sort.codes])
    first, place = np.unique(number, return_index=True, return_inverse=True)[1:]
    made: dict[str, int] = {}
    codes = np.empty(first.size, dtype=np.int32)
    for i, row in enumerate(first):
        text, length, key = (c.labels[c.codes[row]] if c.codes[row] >= 0 else "" for c in (label, span, sort))
        try:
            parsed = period_of(text, span=length, kind=year_type)
        except (SchemaError, InvalidDataError) as problem:
            told = str(problem).replace("say kind=", "say year_type=")
            raise type(problem)(f"{grid.name}, row {grid.rows[row]}: {told}") from problem
        if key and not key.startswith(f"{parsed.start.year:04d}"):
            raise InvalidDataError(
                f"{grid.name}, row {grid.rows[row]}: period {shown(text)} does not begin in the year of its sort key "
                f"{shown(key)}. A spreadsheet may have changed it."
            )
        if parsed.kind == "financial" and year_type is None:
            log.assumed("periods such as 2018/19 run from April to March")
        codes[i] = made.setdefault(parsed.canonical, len(made))
    published = texts["period_label"] if texts["period_label"].labels else label
    return {"period": Coded(codes=codes[place], labels=tuple(made)), "period_label": published}


def _numbers(grid: Grid, log: Log) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int8]]:
    numbers, reasons = {}, np.zeros(len(grid), dtype=np.int8)
    for name in NUMBERS:
        numbers[name], why = number_column(grid, name, log)
        if name == "value":
            reasons = why
    headings = {grid.headings[name] for name in ("lower", "upper") if name in grid.headings}
    if headings and not any("95" in heading for heading in headings):
        log.assumed("limits without a level in their heading are 95 % limits")
    return numbers, reasons


def _headline(texts: dict[str, Coded], keep: NDArray[np.bool_], grid: Grid, log: Log) -> NDArray[np.bool_]:
    """Keep the rows without a category."""
    kinds = texts["category_type"]
    blank = keep & (kinds.codes < 0)
    half = keep & ((kinds.codes < 0) != (texts["category"].codes < 0))
    if half.any():
        raise InvalidDataError(f"{grid.name}: a category without type, or a type without one, in {grid.where(half)}.")
    if not blank.any() and keep.any():
        there = ", ".join(map(shown, kinds.only(keep).present()[:20]))
        raise SchemaError(f"{log.source} has only rows by category: say category_type= one of {there}.")
    for label, rows in zip(kinds.labels, kinds.only(keep).rows_each(), strict=True):
        log.set_aside(f"category rows: {label}" if len(kinds.labels) <= _LISTED else "category rows", int(rows))
    return blank


def _refuse_mixed_ranges(texts: dict[str, Coded], keep: NDArray[np.bool_], log: Log) -> None:
    spans, identifiers = texts["period_range"].only(keep), texts["indicator_id"].only(keep)
    if len(spans.present()) < 2:
        return
    pairs = np.unique(group_numbers([identifiers.codes, spans.codes]), return_index=True)[1]
    indicator = identifiers.codes[pairs[spans.codes[pairs] >= 0]]
    several = np.flatnonzero(np.bincount(indicator, minlength=1) > 1)
    if several.size:
        identifier = identifiers.labels[several[0]]
        listed = ", ".join(map(repr, spans.only(identifiers.is_label(identifier)).present()))
        raise SchemaError(
            f"{log.source}: indicator {identifier} has rows of several lengths ({listed}), which are different "
            "figures. Say period_range= one of them."
        )


def _warn_of_overlaps(texts: dict[str, Coded], keep: NDArray[np.bool_], log: Log) -> None:
    codes = texts["area_code"].only(keep).present()
    for old, new in recoded(codes).items():
        log.warned(f"{old} is a superseded code of {new}")
    windows = sorted(Period.parse(label) for label in texts["period"].only(keep).present())
    if any(one.overlaps(other) for one, other in pairwise(windows)):
        log.warned("periods overlap, so they are not independent of each other")
    pairs = overlaps(codes)
    if pairs:
        first = " ".join(pairs[0][i] for i in (0, 2, 1))
        log.warned(f"areas overlap, so never add them up as they are ({first}; {len(pairs)} pairs in all)")


def _finished(
    texts: dict[str, Coded],
    numbers: dict[str, NDArray[np.float64]],
    grid: Grid,
    log: Log,
    *,
    reasons: NDArray[np.int8],
    keep: NDArray[np.bool_],
) -> Read:
    notes = texts["value_note"]
    by_note = np.array([*(_note_reason(label) for label in notes.labels), 0], dtype=np.int8)[notes.codes]
    missing = np.isnan(numbers["value"])
    given = given_reasons(texts["missing_reason"], grid)
    reasons = np.select([~missing, by_note > 0, given > 0], [0, by_note, given], reasons).astype(np.int8)
    aggregated = np.array([*("aggregated from" in label.casefold() for label in notes.labels), False])[notes.codes]
    if (aggregated & keep).any():
        log.warned(
            f"{int((aggregated & keep).sum()):,} values were aggregated by Fingertips: do not aggregate them again"
        )
    if not keep.all():
        texts = {name: column.only(keep) for name, column in texts.items()}
        numbers = {name: column[keep] for name, column in numbers.items()}
        reasons, aggregated = reasons[keep], aggregated[keep]
    identifiers = np.array([int(label) for label in texts["indicator_id"].labels], dtype=np.int64)
    names = ("indicator", "area_code", "area_name", "area_type", "sex", "age", "category_type", "category", "period")
    return finished(
        {
            "indicator_id": identifiers[texts["indicator_id"].codes],
            **{name: texts[name] for name in (*names, "period_label", "period_range")},
            **numbers,
            "missing_reason": Coded(codes=reasons.astype(np.int32) - 1, labels=REASON_LABELS[1:]),
            "value_note": texts["value_note"],
            "aggregated": aggregated,
        },
        grid,
        log,
    )


def _note_reason(note: str) -> int:
    """Return why a value is missing, by the note beside it; 0 where the note does not say."""
    text = note.casefold()
    if "suppressed" in text or "small" in text:
        return NOT_PUBLISHED if "incomplete" in text else SUPPRESSED
    if "not applicable" in text:
        return NOT_APPLICABLE
    return NOT_PUBLISHED if "missing" in text or "not published" in text else 0
