"""Cells to values: text as few distinct labels, numbers exactly, and why a number is missing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.errors import EstimatesError, InvalidDataError, SchemaError
from nenc_estimates.readers.report import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from nenc_estimates.readers.grids import Grid
    from nenc_estimates.readers.report import Log

REASON_LABELS = ("", "suppressed", "not applicable", "not published")
"""Why a value is missing, by its number."""
SUPPRESSED, NOT_APPLICABLE, NOT_PUBLISHED = 1, 2, 3

MARKERS = MappingProxyType(
    dict.fromkeys(("*", "[c]", "c", "[low]", "suppressed"), SUPPRESSED)
    | dict.fromkeys(("[z]", "z", "n/a", "not applicable", ".z"), NOT_APPLICABLE)
    | dict.fromkeys(
        ("-", "..", ".", ":", "[x]", "x", "[u]", "u", "na", "nan", "null", "none", "#n/a", "#div/0!", "[m]"),
        NOT_PUBLISHED,
    )
)
"""What publishers, R, and spreadsheets write where there is no number, to the reason.

Square brackets are the shorthand of the Government Analysis Function; the rest is older use.
"""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_MARKED = re.compile(r"(.*?)((?: ?\[(?:r|p|e|b|f|u)\])+)")
_FEWER = re.compile(r"<=? ?[0-9]+")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_MINUS = str.maketrans("\u2212\u2013", "--")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A column of text as positions in its distinct labels; -1 is an empty cell."""

    codes: NDArray[np.int32]
    labels: tuple[str, ...]

    def only(self, keep: NDArray[np.bool_]) -> Coded:
        """Keep some rows, and every label."""
        return Coded(codes=self.codes[keep], labels=self.labels)

    def present(self) -> list[str]:
        """Return the labels that stand in a row, in the order of their first appearance as labels."""
        used = np.zeros(len(self.labels) + 1, dtype=bool)
        used[self.codes] = True
        return [label for label, there in zip(self.labels, used, strict=False) if there]

    def is_label(self, *labels: str) -> NDArray[np.bool_]:
        """Whether each row holds one of some labels; ``""`` is an empty cell."""
        chosen = np.array([*(label in labels for label in self.labels), "" in labels])
        return np.asarray(chosen[self.codes], dtype=bool)

    def rows_each(self) -> NDArray[np.intp]:
        """Return how many rows hold each label."""
        return np.bincount(self.codes + 1, minlength=len(self.labels) + 1)[1:]

    def first_row(self, label: str) -> int:
        """Return the first row that holds a label."""
        return int(np.argmax(self.codes == self.labels.index(label)))

    def to_arrow(self) -> Any:
        """Return text; an empty cell is ``""``."""
        import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

        first = self.codes[:1].max(initial=-1)
        if bool((self.codes == first).all()):
            return pa.repeat(pa.scalar(self.labels[first] if first >= 0 else "", pa.string()), self.codes.size)
        labels = pa.array([*self.labels, ""], type=pa.string())
        codes = np.where(self.codes < 0, len(self.labels), self.codes).astype(np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(codes), labels).cast(pa.string())


def constant(label: str, rows: int) -> Coded:
    """Return a column that holds one label, or nothing where the label is empty."""
    return Coded(codes=np.full(rows, 0 if label else -1, dtype=np.int32), labels=(label,) if label else ())


def plain_text(text: str) -> str:
    r"""Spell text with single ordinary spaces and no invisible characters.

    Examples
    --------
    >>> plain_text(" LSOA11 deprivation deciles\u00a0 within area\n")
    'LSOA11 deprivation deciles within area'
    """
    return " ".join(text.translate(_INVISIBLE).split())


def text_column(grid: Grid, field: str, log: Log) -> Coded:
    """Read a column of text, its spaces and invisible characters put in order; all empty where it is absent."""
    if field not in grid.columns:
        return constant("", len(grid))
    raw = _encoded(grid.columns[field], grid, field)
    return relabelled(raw, plain_text, grid, field, log, repair="spaces or invisible characters in a label")


def relabelled(
    column: Coded, change: Callable[[str], str], grid: Grid, field: str, log: Log, *, repair: str = ""
) -> Coded:
    """Rewrite every label by a rule, merging those that become one.

    Raises
    ------
    EstimatesError
        The rule refuses a label; the message names its first row.
    """
    made: dict[str, int] = {}
    place = np.full(len(column.labels) + 1, -1, dtype=np.int32)
    changed = []
    for i, label in enumerate(column.labels):
        try:
            after = change(label)
        except EstimatesError as problem:
            if not (column.codes == i).any():
                continue
            heading = shown(grid.headings.get(field, field))
            row = grid.rows[column.first_row(label)]
            raise type(problem)(f"{grid.name}, row {row}, {heading}: {problem}") from problem
        place[i] = made.setdefault(after, len(made)) if after else -1
        if repair and after != label:
            changed.append((i, f"{shown(label)} as {shown(after)}"))
    if changed:
        log.repaired(repair, int(column.rows_each()[[i for i, _ in changed]].sum()), changed[0][1])
    if len(made) == len(column.labels) and bool((place[:-1] == np.arange(len(made))).all()):
        return Coded(codes=column.codes, labels=tuple(made))
    return Coded(codes=place[column.codes], labels=tuple(made))


def require_filled(column: Coded, grid: Grid, field: str) -> Coded:
    """Refuse empty cells.

    Raises
    ------
    InvalidDataError
        The message names the rows.
    """
    empty = column.codes < 0
    if empty.any():
        heading = shown(grid.headings.get(field, field))
        raise InvalidDataError(f"{grid.name}: {heading} is empty in {grid.where(empty)}.")
    return column


def given_reasons(column: Coded, grid: Grid) -> NDArray[np.int8]:
    """Read the reasons that a table gives itself, as tables of this library do, to positions in `REASON_LABELS`.

    Raises
    ------
    InvalidDataError
        A reason is not one of them.
    """
    strange = [label for label in column.labels if label not in REASON_LABELS]
    if strange:
        raise InvalidDataError(f"{grid.name}: missing_reason {shown(strange[0])} is not one of {REASON_LABELS[1:]}.")
    return np.array([*map(REASON_LABELS.index, column.labels), 0], dtype=np.int8)[column.codes]


def number_column(grid: Grid, field: str, log: Log) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Read a column of numbers, ``nan`` where there is none, and the reason (a position in `REASON_LABELS`).

    Exactly the number that is written, or an error: thousands commas must part groups of three, marks of the
    Government Analysis Function may follow, and anything else that is neither a number nor one of `MARKERS` is refused.

    Raises
    ------
    InvalidDataError
        The message names the first row, and what it holds.
    """
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    if field not in grid.columns:
        return np.full(len(grid), np.nan), np.full(len(grid), NOT_PUBLISHED, dtype=np.int8)
    column = _flat(grid.columns[field])
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        values, reasons = _from_text(column, grid, field, log)
    elif pa.types.is_boolean(kind) or not (pa.types.is_primitive(kind) or pa.types.is_decimal(kind)):
        if not pa.types.is_null(kind):
            raise SchemaError(f"{grid.name}: column {shown(grid.headings[field])} holds {kind}, not numbers.")
        values, reasons = np.full(len(grid), np.nan), np.full(len(grid), NOT_PUBLISHED, dtype=np.int8)
    else:
        values = _cast(column, grid, field)
        reasons = np.where(np.isnan(values), NOT_PUBLISHED, 0).astype(np.int8)
    infinite = np.isinf(values)
    if infinite.any():
        raise InvalidDataError(f"{grid.name}: {shown(grid.headings[field])} is not finite in {grid.where(infinite)}.")
    return values, reasons


def whole_column(grid: Grid, field: str, log: Log) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Read a column of people, deaths or other whole numbers of 0 or more, as :func:`number_column` does.

    Raises
    ------
    InvalidDataError
        A number is negative, not whole, or too large to be exact.
    """
    values, reasons = number_column(grid, field, log)
    absent = np.isin(values, (-1.0, -99.0, -999.0))
    log.repaired("negative marker read as missing", int(absent.sum()), grid.where(absent))
    values, reasons = np.where(absent, np.nan, values), np.where(absent, NOT_PUBLISHED, reasons).astype(np.int8)
    wrong = (values < 0) | (values > 2.0**53) | (np.floor(values) != values) & ~np.isnan(values)
    if wrong.any():
        first = float(values[np.argmax(wrong)])
        raise InvalidDataError(
            f"{grid.name}: {shown(grid.headings[field])} must be whole numbers of 0 or more, but is not in "
            f"{grid.where(wrong)}; the first is {first!r}."
        )
    return values, reasons


def _from_text(column: Any, grid: Grid, field: str, log: Log) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap
    import pyarrow.compute as pc  # noqa: PLC0415 - importing the library must stay cheap

    texts = column.cast(pa.string())
    try:
        values = np.array(texts.cast(pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        values = np.full(1, np.inf)
    absent = np.isnan(values)
    if not np.isinf(values).any() and int(absent.sum()) == texts.null_count:  # no "inf" and no "nan" among the texts
        return values, np.where(absent, NOT_PUBLISHED, 0).astype(np.int8)
    plain = np.asarray(pc.fill_null(_is_plain(texts), fill_value=False))
    values = np.full(len(texts), np.nan)
    values[plain] = _cast(texts.filter(pa.array(plain)), grid, field)
    reasons = np.where(plain, 0, NOT_PUBLISHED).astype(np.int8)
    rest = _encoded(pc.if_else(pa.array(plain), None, texts), grid, field)
    table = [(np.nan, NOT_PUBLISHED, "")] * (len(rest.labels) + 1)
    rows = rest.rows_each()
    for i, label in enumerate(rest.labels):
        read = read_number(label)
        if read is None:
            where = f"{grid.name}, {grid.where(rest.codes == i)}, {shown(grid.headings[field])}"
            raise InvalidDataError(
                f"{where}: {shown(label)} is neither a number nor a known sign for a missing one, such as '[c]', "
                "'[x]', '*' or an empty cell."
            )
        table[i] = read
        log.repaired(read[2], int(rows[i]) if read[2] else 0, f"{shown(label)}")
    values[~plain] = np.array([entry[0] for entry in table])[rest.codes[~plain]]
    reasons[~plain] = np.array([entry[1] for entry in table], dtype=np.int8)[rest.codes[~plain]]
    return values, reasons


def _is_plain(texts: Any) -> Any:
    """Whether each text is a number that Arrow reads exactly."""
    import pyarrow.compute as pc  # noqa: PLC0415 - importing the library must stay cheap

    return pc.match_substring_regex(texts, r"^-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$")


def read_number(text: str) -> tuple[float, int, str] | None:
    """Read one cell that is not a plain number: value, reason, and what was repaired; ``None`` where it is neither.

    Examples
    --------
    >>> read_number("1,234"), read_number("[c]"), read_number("1_000"), read_number("7 [p]")
    ((1234.0, 0, 'thousands commas'), (nan, 1, ''), None, (7.0, 0, 'mark behind a number'))
    """
    plain = plain_text(text)
    reason = MARKERS.get(plain.casefold())
    if reason is not None or not plain:
        return np.nan, reason or NOT_PUBLISHED, ""
    if _FEWER.fullmatch(plain):
        return np.nan, SUPPRESSED, ""
    marked = _MARKED.fullmatch(plain)
    if marked and marked[1]:
        inner = read_number(marked[1])
        return None if inner is None or np.isnan(inner[0]) else (inner[0], 0, "mark behind a number")
    plain = unicodedata.normalize("NFKC", plain).translate(_MINUS)
    if _NUMBER.fullmatch(plain):
        return float(plain), 0, "spaces, signs or wide digits in a number" if plain != text else ""
    if _GROUPED.fullmatch(plain):
        return float(plain.replace(",", "")), 0, "thousands commas"
    return None


def _cast(column: Any, grid: Grid, field: str) -> NDArray[np.float64]:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    try:
        made = column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        raise InvalidDataError(f"{grid.name}, {shown(grid.headings[field])}: {shown(problem)}.") from problem
    return np.array(made.to_numpy(zero_copy_only=False), dtype=np.float64)


def _flat(column: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column
        column = column.combine_chunks()
    return column


def _encoded(column: Any, grid: Grid, field: str) -> Coded:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap
    import pyarrow.compute as pc  # noqa: PLC0415 - importing the library must stay cheap

    column = _flat(column)
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        raise SchemaError(
            f"{grid.name}: column {shown(grid.headings.get(field, field))} holds {column.type}, not text."
        )
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = column.dictionary
    if pa.types.is_floating(values.type) and pc.all(pc.equal(values, pc.round(values))).as_py():
        values = values.cast(pa.int64(), safe=False)  # 2019.0, as pandas writes years beside missing ones
    try:
        labels = values.cast(pa.string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        raise SchemaError(f"{grid.name}: column {shown(grid.headings.get(field, field))} is not text.") from problem
    codes = np.asarray(column.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int32)
    none = [i for i, label in enumerate(labels) if label is None]
    codes = np.where(np.isin(codes, none), -1, codes).astype(np.int32) if none else codes
    return Coded(codes=codes, labels=tuple(label or "" for label in labels))
