"""Records to counts, on the engine that holds the records: a million deaths or a billion, the same few lines.

Every function takes a table of any engine that narwhals knows (pandas, polars, pyarrow; lazy: polars, DuckDB, Dask,
PySpark) and gives one of the same engine back. A lazy table stays lazy: records are never collected. What is checked is
checked by an aggregate on the engine, of which a few numbers come back. Counts are integers, so every engine gives the
same ones, however it shares the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.engines import (
    check_choice,
    check_counts,
    check_engines,
    check_found,
    check_keys,
    check_kinds,
    check_once,
    finished,
    joined,
    named,
    opened_on,
)
from nenc_estimates.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoFrame, IntoFrameT

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.engines import Missing

OLDEST: Final = 130
"""Completed years of age above which a number is no age but a code, such as 999 for unknown [years]. The highest age
that is documented is 122: Robine JM, Allard M (1998), Science 279:1834-1835."""


def count_by(
    frame: IntoFrameT, *, by: str | Sequence[str], name: str = "deaths", missing: Missing = "refuse"
) -> IntoFrameT:
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
    keys = named(by)
    opened = opened_on(frame, keys)
    if name in keys:
        raise ValueError(f"the counts cannot be called {name!r}: that is a key column")
    check_keys(opened, keys, missing)
    counted = opened.group_by(keys, drop_null_keys=False).agg(nw.len().alias(name))
    return finished(counted.with_columns(nw.col(name).cast(nw.Int64)), keys)


def sum_counts(
    frame: IntoFrameT,
    *,
    by: str | Sequence[str],
    counts: str | Sequence[str] = "deaths",
    missing: Missing = "refuse",
) -> IntoFrameT:
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
    keys, summed = named(by), named(counts)
    named([*keys, *summed])
    opened = opened_on(frame, [*keys, *summed])
    check_keys(opened, keys, missing)
    check_counts(opened, summed)
    whole = opened.select(*keys, *(nw.col(name).cast(nw.Int64) for name in summed))
    sums = whole.group_by(keys, drop_null_keys=False).agg(*(nw.col(name).sum() for name in summed))
    return finished(sums.with_columns(*(nw.col(name).cast(nw.Int64) for name in summed)), keys)


def assign_age_bands(frame: IntoFrameT, *, years: str = "age", bands: AgeBands = ABRIDGED_90) -> IntoFrameT:
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
        The column is missing or holds no numbers, or another column is called ``age`` already.

    Examples
    --------
    >>> import pandas as pd
    >>> assign_age_bands(pd.DataFrame({"age": [0, 3, 94]}))["age"].tolist()
    ['0', '1-4', '90+']
    """
    opened = opened_on(frame, [years])
    schema = opened.collect_schema()
    if not schema[years].is_numeric():
        raise SchemaError(f"column {years!r} holds {schema[years]}, not completed years of age as numbers.")
    if years != "age" and "age" in schema:
        raise SchemaError(f"the table has a column 'age' beside {years!r}, which would be lost: drop or rename it.")
    possible = (nw.col(years) >= bands.lower[0]) & (nw.col(years) <= OLDEST)
    text = nw.when(possible).then(_label(years, bands.lower, bands.labels)).cast(nw.String)  # dask has several texts
    band = nw.when(possible).then(text)  # once more: as text, what is missing may be the word "nan"
    return opened.with_columns(band.alias("age")).to_native()


def join_lookup(frame: IntoFrameT, lookup: IntoFrame, *, on: str, missing: Missing = "refuse") -> IntoFrameT:
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
        A column is missing, both tables have another column in common, the codes are text in one and numbers in the
        other, or the tables are on different engines.
    InvalidDataError
        A code stands twice in the lookup, or is not in it; the message names codes.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"lsoa21": ["B", "A"], "deaths": [3, 4]})
    >>> join_lookup(counts, pd.DataFrame({"lsoa21": ["A", "B"], "quantile": [1, 5]}), on="lsoa21").values.tolist()
    [['B', 3, 5], ['A', 4, 1]]
    """
    check_choice(missing)
    opened, known = opened_on(frame, [on]), opened_on(lookup, [on], what="the lookup")
    check_engines(opened, known, "the lookup")
    shared = sorted((set(opened.collect_schema()) & set(known.collect_schema())) - {on})
    if shared:
        raise SchemaError(f"both the table and the lookup have a column {shared[0]!r}: keep it in one of them.")
    check_kinds(opened, known, [on], "the lookup")
    check_once(known, [on], "the lookup")
    if missing == "refuse":
        check_found(opened, known, [on], "the lookup")
    else:
        known = known.filter(~nw.col(on).is_null())  # pandas would let a missing code meet a missing code
    return joined(opened, known, [on]).to_native()


def join_population(
    counts: IntoFrame,
    population: IntoFrameT,
    *,
    by: str | Sequence[str],
    count: str = "deaths",
    each: str | None = None,
) -> IntoFrameT:
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
        The column of counts, whole numbers; ``population`` has none of this name.
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
        A column is missing, counts are not whole numbers, ``population`` has a column ``count`` or ``each`` already, a
        key is text in one table and a number in the other, or the tables are on different engines.
    InvalidDataError
        A key or a count is missing, a count is negative, a key stands twice, or a group has counts and no people; the
        message names groups.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"sex": ["Female", "Female", "Male"], "age": [0, 1, 0], "population": [50, 60, 70]})
    >>> deaths = pd.DataFrame({"sex": ["Male", "Female"], "age": [0, 1], "deaths": [2, 3]})
    >>> join_population(deaths, people, by=["sex", "age"])["deaths"].tolist()
    [0, 3, 2]
    """
    keys = named(by)
    whole = keys if each is None else [*keys, each]
    added = named([*whole, count])[len(keys) :]
    given = opened_on(counts, [*whole, count])
    check_counts(given, [count])
    counted = given.select(*whole, nw.col(count).cast(nw.Int64))
    people = opened_on(population, keys, what="the population")
    shared = [name for name in added if name in people.collect_schema()]
    if shared:
        raise SchemaError(f"the population has a column {shared[0]!r} already: drop or rename it.")
    check_engines(counted, people, "the population")
    check_kinds(counted, people, keys, "the population")
    for opened, names, what in ((counted, whole, "the counts"), (people, keys, "the population")):
        check_keys(opened, names, "refuse")
        check_once(opened, names, what)
    check_found(counted, people, keys, "the population")
    grid = people if each is None else joined(people, counted.select(each).unique(), None)
    return finished(joined(grid, counted, whole).with_columns(nw.col(count).fill_null(0).cast(nw.Int64)), whole)


def _label(years: str, lower: Sequence[int], labels: Sequence[str]) -> nw.Expr:
    """Halve the bands until one is left, so that an engine makes 5 comparisons a record for 20 bands and not 19."""
    if len(lower) == 1:
        return nw.lit(labels[0])
    half = len(lower) // 2
    below, above = _label(years, lower[:half], labels[:half]), _label(years, lower[half:], labels[half:])
    return nw.when(nw.col(years) < lower[half]).then(below).otherwise(above)
