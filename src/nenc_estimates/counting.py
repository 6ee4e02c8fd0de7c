"""Records to counts, on the engine that holds the records: a million deaths or a billion, the same few lines.

Every function takes a table of any engine that narwhals knows (pandas, polars, pyarrow; lazy: polars, DuckDB, Dask,
PySpark) and gives one of the same engine back. A lazy table stays lazy: records are never collected. What is checked is
checked by an aggregate on the engine, of which a few numbers come back. Counts are integers, so every engine gives the
same ones, however it shares the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import narwhals.stable.v2 as nw

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.errors import InvalidDataError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoFrame

    from nenc_estimates.age_bands import AgeBands

    Frame = nw.DataFrame[Any] | nw.LazyFrame[Any]
    Missing = Literal["refuse", "keep"]

OLDEST: Final = 130
"""Completed years of age above which a number is no age but a code, such as 999 for unknown [years]. The highest age
that is documented is 122: Robine JM, Allard M (1998), Science 279:1834-1835."""

SHOWN: Final = 5
"""Keys that a message names."""


def count_by(frame: IntoFrame, *, by: str | Sequence[str], name: str = "deaths", missing: Missing = "refuse") -> Any:
    """Count the records of each group.

    Parameters
    ----------
    frame
        One row for each record, eager or lazy.
    by
        Key columns that make a group: text, whole numbers, dates or booleans.
    name
        Name of the column of counts.
    missing
        What to do with records that lack a key: ``"refuse"`` them, or ``"keep"`` them as groups whose key is null.
        They are never dropped.

    Returns
    -------
    frame of the caller's kind
        The key columns and ``name`` (64-bit integer): one row for each group that has records, in key order where the
        frame is eager, in no order where it is lazy.

    Raises
    ------
    SchemaError
        A column is missing, or a key holds fractions.
    InvalidDataError
        A record lacks a key; the message says how many do, by column.
    ValueError
        There is no key, or ``missing`` is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> records = pd.DataFrame({"lsoa21": ["B", "A", "B"], "sex": "Female"})
    >>> count_by(records, by=["lsoa21", "sex"]).values.tolist()
    [['A', 'Female', 1], ['B', 'Female', 2]]

    See Also
    --------
    sum_counts : the same for a table that holds counts already.
    assign_age_bands, join_lookup : to make the keys.
    """
    keys = _names(by)
    opened = _opened(frame, keys)
    if name in keys:
        raise ValueError(f"the counts cannot be called {name!r}: that is a key column")
    _check_keys(opened, keys, missing)
    counted = opened.group_by(keys, drop_null_keys=False).agg(nw.len().alias(name))
    return _finished(counted.with_columns(nw.col(name).cast(nw.Int64)), keys)


def sum_counts(
    frame: IntoFrame,
    *,
    by: str | Sequence[str],
    counts: str | Sequence[str] = "deaths",
    missing: Missing = "refuse",
) -> Any:
    """Add counts up over the rows of each group: small areas to large ones, single years of age to bands.

    Parameters
    ----------
    frame
        A table of counts, eager or lazy.
    by, missing
        As in `count_by`.
    counts
        Columns of whole numbers, 0 or more.

    Returns
    -------
    frame of the caller's kind
        The key columns and the sums (64-bit integers): one row for each group, ordered as from `count_by`.

    Raises
    ------
    SchemaError
        A column is missing, or counts are not whole numbers: sums of fractions differ with the order of addition.
    InvalidDataError
        A key or a count is missing, or a count is negative.
    ValueError
        There is no key, or ``missing`` is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"icb23": ["A", "A", "B"], "deaths": [3, 4, 5], "population": [90, 80, 70]})
    >>> sum_counts(counts, by="icb23", counts=["deaths", "population"]).values.tolist()
    [['A', 7, 170], ['B', 5, 70]]
    """
    keys, summed = _names(by), _names(counts)
    opened = _opened(frame, [*keys, *summed])
    _check_keys(opened, keys, missing)
    _check_counts(opened, summed)
    whole = opened.select(*keys, *(nw.col(name).cast(nw.Int64) for name in summed))
    sums = whole.group_by(keys, drop_null_keys=False).agg(*(nw.col(name).sum() for name in summed))
    return _finished(sums.with_columns(*(nw.col(name).cast(nw.Int64) for name in summed)), keys)


def assign_age_bands(frame: IntoFrame, *, years: str = "age", bands: AgeBands = ABRIDGED_90) -> Any:
    """Put the label of the age band of every record in the column ``age``.

    Parameters
    ----------
    frame
        One row for each record, eager or lazy.
    years
        The column of completed years of age.
    bands
        The age bands.

    Returns
    -------
    frame of the caller's kind
        The table as it was, row for row, with ``age``: ``"0"``, ``"1-4"``, …, ``"90+"``; null where ``years`` is
        missing, below the first band, or above 130 and so a code (999, say). `count_by` refuses or keeps such records,
        as it is told.

    Raises
    ------
    SchemaError
        The column is missing or holds no numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> assign_age_bands(pd.DataFrame({"age": [0, 3, 94]}))["age"].tolist()
    ['0', '1-4', '90+']
    """
    opened = _opened(frame, [years])
    kind = opened.collect_schema()[years]
    if not kind.is_numeric():
        raise SchemaError(f"column {years!r} holds {kind}, not completed years of age as numbers.")
    possible = (nw.col(years) >= bands.lower[0]) & (nw.col(years) <= OLDEST)
    label = nw.when(possible).then(_label(years, bands.lower, bands.labels)).cast(nw.String)  # dask has several texts
    return opened.with_columns(label.alias("age")).to_native()


def join_lookup(frame: IntoFrame, lookup: IntoFrame, *, on: str, missing: Missing = "refuse") -> Any:
    """Give every row the larger areas, or the quantile, that its area belongs to.

    Parameters
    ----------
    frame
        Records or counts, eager or lazy.
    lookup
        One row for each area, on the same engine.
    on
        The column of codes that both have.
    missing
        What to do with rows whose code is not in the lookup: ``"refuse"`` them, or ``"keep"`` them, their new columns
        null.

    Returns
    -------
    frame of the caller's kind
        The rows of ``frame``, each once, with the further columns of the lookup.

    Raises
    ------
    SchemaError
        A column is missing, both tables have another column in common, or they are on different engines.
    InvalidDataError
        A code stands twice in the lookup, or is not in it; the message names codes.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"lsoa21": ["B", "A"], "deaths": [3, 4]})
    >>> join_lookup(counts, pd.DataFrame({"lsoa21": ["A", "B"], "quantile": [1, 5]}), on="lsoa21").values.tolist()
    [['B', 3, 5], ['A', 4, 1]]
    """
    _check_choice(missing)
    opened, known = _opened(frame, [on]), _opened(lookup, [on], what="the lookup")
    _check_engines(opened, known, "the lookup")
    shared = sorted((set(opened.collect_schema()) & set(known.collect_schema())) - {on})
    if shared:
        raise SchemaError(f"both the table and the lookup have a column {shared[0]!r}: keep it in one of them.")
    _check_once(known, [on], "the lookup")
    if missing == "refuse":
        _check_found(opened, known, [on], "the lookup")
    else:
        known = known.filter(~nw.col(on).is_null())  # pandas would let a missing code meet a missing code
    return _joined(opened, known, [on]).to_native()


def join_population(
    counts: IntoFrame, population: IntoFrame, *, by: str | Sequence[str], count: str = "deaths", each: str | None = None
) -> Any:
    """Put counts beside the people they happened to; a group of people in which nothing was counted has 0.

    Only for counts of complete records: absence means 0 here, and nowhere else in the library.

    Parameters
    ----------
    counts
        One row for each group that has records, as from `count_by`, eager or lazy.
    population
        One row for each group of people, on the same engine.
    by
        The key columns of ``population``.
    count
        The column of counts.
    each
        A further key column of ``counts``, ``"cause"`` say: people are repeated for each of its values.

    Returns
    -------
    frame of the caller's kind
        The columns of ``population``, then ``each`` and ``count`` (64-bit integer): one row for each group of people
        and value of ``each``, ordered as from `count_by`.

    Raises
    ------
    SchemaError
        A column is missing, or the tables are on different engines.
    InvalidDataError
        A key is missing or stands twice, or a group has counts and no people; the message names groups.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"sex": ["Female", "Female", "Male"], "age": [0, 1, 0], "population": [50, 60, 70]})
    >>> deaths = pd.DataFrame({"sex": ["Male", "Female"], "age": [0, 1], "deaths": [2, 3]})
    >>> join_population(deaths, people, by=["sex", "age"])["deaths"].tolist()
    [0, 3, 2]
    """
    keys = _names(by)
    whole = keys if each is None else [*keys, each]
    counted = _opened(counts, [*whole, count]).select(*whole, nw.col(count).cast(nw.Int64))
    people = _opened(population, keys, what="the population")
    _check_engines(counted, people, "the population")
    for opened, names, what in ((counted, whole, "the counts"), (people, keys, "the population")):
        _check_keys(opened, names, "refuse")
        _check_once(opened, names, what)
    _check_counts(counted, [count])
    _check_found(counted, people, keys, "the population")
    grid = people if each is None else _joined(people, counted.select(each).unique(), None)
    return _finished(_joined(grid, counted, whole).with_columns(nw.col(count).fill_null(0).cast(nw.Int64)), whole)


def _names(names: str | Sequence[str]) -> list[str]:
    listed = [names] if isinstance(names, str) else list(names)
    if not listed:
        raise ValueError("name at least one column")
    return listed


def _opened(frame: IntoFrame, required: Sequence[str], *, what: str = "the table") -> Frame:
    try:
        opened: Frame = nw.from_native(frame)
    except TypeError as problem:
        raise SchemaError(f"{what} is of no engine that narwhals knows: {problem}") from problem
    columns = opened.collect_schema().names()
    absent = [name for name in required if name not in columns]
    if absent:
        raise SchemaError(f"{what} has no column {', '.join(map(repr, absent))}. It has: {', '.join(columns)}.")
    return opened


def _finished(frame: Frame, keys: Sequence[str]) -> Any:
    """Order an eager frame; to order a lazy one is work that its reader may not need."""
    if isinstance(frame, nw.LazyFrame):
        lazy: Any = frame.to_native()
        # dask loses track of the names of three or more keys, and then cannot join: it shall not follow them
        return lazy.map_partitions(_itself) if frame.implementation.is_dask() else lazy
    return nw.maybe_reset_index(frame.sort(keys, nulls_last=True)).to_native()


def _itself(part: Any) -> Any:
    return part


def _rows(frame: Frame) -> list[dict[str, Any]]:
    """Fetch the rows of an aggregate, or the first few of a list of keys."""
    few = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    return few.rows(named=True)


def _label(years: str, lower: Sequence[int], labels: Sequence[str]) -> nw.Expr:
    """Halve the bands until one is left, so that an engine makes 5 comparisons a record for 20 bands and not 19."""
    if len(lower) == 1:
        return nw.lit(labels[0])
    half = len(lower) // 2
    below, above = _label(years, lower[:half], labels[:half]), _label(years, lower[half:], labels[half:])
    return nw.when(nw.col(years) < lower[half]).then(below).otherwise(above)


def _joined(left: Any, right: Any, on: list[str] | None) -> Frame:
    """Left join, or without keys each row with each."""
    joined: Frame = left.join(right, how="cross") if on is None else left.join(right, on=on, how="left")
    return joined


def _check_choice(missing: str) -> None:
    if missing not in ("refuse", "keep"):
        raise ValueError(f"missing is 'refuse' or 'keep', not {missing!r}")


def _check_keys(opened: Frame, keys: Sequence[str], missing: str) -> None:
    _check_choice(missing)
    schema = opened.collect_schema()
    fractions = [name for name in keys if schema[name].is_float()]
    if fractions:
        raise SchemaError(
            f"key column {fractions[0]!r} holds {schema[fractions[0]]}: a key is text, a whole number or a date. "
            "pandas turns whole numbers into fractions where one is missing: cast the column to 'Int64'."
        )
    if missing == "keep":
        return
    [lacking] = _rows(opened.select(*(nw.col(name).null_count() for name in keys)))
    found = [f"{name!r} in {int(count)} rows" for name, count in lacking.items() if count]
    if found:
        raise InvalidDataError(
            f"a key is missing: {', '.join(found)}. Complete the rows, set them aside and say so, or pass "
            "missing='keep', which makes them groups of their own."
        )


def _check_counts(opened: Frame, counts: Sequence[str]) -> None:
    schema = opened.collect_schema()
    for name in counts:
        if not schema[name].is_integer():
            raise SchemaError(
                f"column {name!r} holds {schema[name]}, not whole numbers, and sums of fractions differ with the order "
                "of addition. Cast counts to integers; a missing count has to be settled first."
            )
    missing = [nw.col(name).null_count().alias(f"{name} missing") for name in counts]
    least = [nw.col(name).min().alias(f"{name} least") for name in counts]
    [facts] = _rows(opened.select(*missing, *least))
    for name in counts:
        if facts[f"{name} missing"]:
            raise InvalidDataError(f"{name!r} is missing in {facts[f'{name} missing']} rows: a missing count is not 0.")
        if (facts[f"{name} least"] or 0) < 0:
            raise InvalidDataError(f"{name!r} must be 0 or more, but is {facts[f'{name} least']} in some row.")


def _check_engines(opened: Frame, other: Frame, what: str) -> None:
    mine, its = opened.implementation, other.implementation
    if mine is not its or isinstance(opened, nw.LazyFrame) != isinstance(other, nw.LazyFrame):
        raise SchemaError(
            f"{what} is on another engine ({its}, {type(other).__name__}) than the table ({mine}, "
            f"{type(opened).__name__}): load both on one, so that nothing is moved in silence."
        )


def _check_once(opened: Frame, keys: list[str], what: str) -> None:
    repeated = opened.select(*keys).group_by(keys).agg(nw.len().alias("rows of it")).filter(nw.col("rows of it") > 1)
    found = _rows(repeated.select(*keys).head(SHOWN))
    if found:
        raise InvalidDataError(f"{what} holds twice: {_listed(found)}. Keep one row of each, or add them up.")


def _check_found(opened: Any, other: Any, keys: list[str], what: str) -> None:
    lost = _rows(opened.select(*keys).unique().join(other.select(*keys), on=keys, how="anti").head(SHOWN))
    if lost:
        raise InvalidDataError(
            f"{what} has no row for {_listed(lost)}, and perhaps others. Are both of one vintage, with the same labels?"
        )


def _listed(rows: Sequence[dict[str, Any]]) -> str:
    return "; ".join(", ".join(f"{name} {value}" for name, value in row.items()) for row in rows)
