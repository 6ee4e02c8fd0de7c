"""Life expectancy of more life tables than fit in memory: batches of rows in, batches of estimates out.

`life_expectancy_batches` is a generator from Arrow record batches to Arrow record batches, which is what pyarrow, Spark
(``mapInArrow``) and Dask (``map_partitions``) each ask for. A batch holds whole life tables in order, so that one call
of the formula serves it and nothing has to be looked up. `stream_life_expectancy` runs it from Parquet to Parquet.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels.blocks import age_last, empty_rows
from nenc_estimates.kernels.expectancy import LifeExpectancy, life_expectancy
from nenc_estimates.kernels.life_table import life_table_faults
from nenc_estimates.table_messages import without_columns
from nenc_estimates.withholding import OHID, Counts, withhold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.withholding import Rules

    Floats = NDArray[np.float64]

BATCH: Final = 12_800
"""Life tables that are read at a time: enough to make calls cheap, few enough to stay in the processor's cache."""

WRITTEN: Final = 128_000
"""Life tables that are written at a time."""


def life_expectancy_batches(
    batches: Iterable[pa.RecordBatch],
    *,
    by: Sequence[str] = ("area_code", "sex", "period"),
    bands: AgeBands = ABRIDGED_90,
    rules: Rules = OHID,
    age: str = "age",
    deaths: str = "deaths",
    population: str = "population",
) -> Iterator[pa.RecordBatch]:
    """Life expectancy at birth of each life table in a stream of record batches.

    Parameters
    ----------
    batches
        Rows of all life tables, one table after the other and each with every age band in ascending order. A table may
        begin in one batch and end in the next.
    by
        Key columns that tell one life table from the next; at least one.
    bands, rules
        As in :func:`~nenc_estimates.estimate_life_expectancy`.
    age, deaths, population
        Names of the columns.

    Returns
    -------
    iterator of pyarrow.RecordBatch
        The key columns, ``value, se`` [years] and ``quality``: one row for each life table, in the order of the
        stream; the same numbers, to the last bit, as ``estimate_life_expectancy(..., at=0)``. A value that is missing
        or withheld is null, and ``quality`` says why.

    Raises
    ------
    SchemaError
        A column is missing, or counts are not numbers.
    InvalidDataError
        A table lacks an age, has one twice or out of order, or ends with the stream; two tables in succession have the
        same keys; a key is missing. The message names the table. Tables with the same keys that are apart are not
        noticed: a stream is seen once.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from nenc_estimates import AgeBands
    >>> rows = {"area_code": ["A", "A"], "age": ["0-49", "50+"], "deaths": [200, 1250], "population": [50_000, 25_000]}
    >>> batches = pa.table(rows).to_batches()
    >>> [made] = life_expectancy_batches(batches, by=["area_code"], bands=AgeBands((0, 50)))
    >>> [round(made["value"][0].as_py(), 1), made["quality"][0].as_py()]
    [59.0, '']

    See Also
    --------
    stream_life_expectancy : from Parquet to Parquet.
    nenc_estimates.estimate_life_expectancy : for a table in memory, in any order, at every age.
    """
    if not by:
        raise ValueError("by names at least one column: the keys say where one life table ends and the next begins")
    stream = _Stream(by=tuple(by), bands=bands, columns=(age, deaths, population), rules=rules)
    held: list[pa.RecordBatch] = []
    for batch in batches:
        stream.check_schema(batch)
        if held:  # a table that began in an earlier batch
            first = batch.slice(0, len(bands) - sum(map(len, held)))
            held.append(first)
            batch = batch.slice(len(first))  # noqa: PLW2901 - what is left of it
            if sum(map(len, held)) == len(bands):
                yield stream.estimated(_together(held))
                held = []
        whole = len(batch) - len(batch) % len(bands)
        if whole:
            yield stream.estimated(batch.slice(0, whole))
        if whole < len(batch):
            held.append(batch.slice(whole))
    if held:
        stream.refuse(held[0], 0, "the stream ends before the table does")


def stream_life_expectancy(
    source: str | Path | Sequence[str | Path],
    target: str | Path,
    *,
    by: Sequence[str] = ("area_code", "sex", "period"),
    bands: AgeBands = ABRIDGED_90,
    rules: Rules = OHID,
    age: str = "age",
    deaths: str = "deaths",
    population: str = "population",
) -> int:
    """Life expectancy at birth from Parquet to Parquet, in memory that does not grow with the number of rows.

    Parameters
    ----------
    source
        A Parquet file, a folder of them, or several in order; rows as `life_expectancy_batches` needs them.
    target
        The Parquet file to write. It appears when it is complete.
    by, bands, rules, age, deaths, population
        As in `life_expectancy_batches`.

    Returns
    -------
    int
        Number of life tables.

    Raises
    ------
    SchemaError, InvalidDataError
        As from `life_expectancy_batches`; nothing is left at ``target``.
    ValueError
        ``target`` is one of the files to be read.

    Examples
    --------
    >>> import tempfile, pyarrow as pa, pyarrow.parquet as pq
    >>> from nenc_estimates import AgeBands
    >>> rows = {"area_code": ["A", "A"], "age": ["0-49", "50+"], "deaths": [200, 1250], "population": [50_000, 25_000]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pq.write_table(pa.table(rows), f"{folder}/ages.parquet")
    ...     options = {"by": ["area_code"], "bands": AgeBands((0, 50))}
    ...     tables = stream_life_expectancy(f"{folder}/ages.parquet", f"{folder}/years.parquet", **options)
    ...     (tables, round(pq.read_table(f"{folder}/years.parquet")["value"][0].as_py(), 1))
    (1, 59.0)
    """
    if Path(target).resolve() in {file.resolve() for file in _files(source)}:
        raise ValueError(f"the target {target} is a file to be read, and would be lost: name another.")
    estimates = life_expectancy_batches(
        _read(source, [*by, age, deaths, population], rows=BATCH * len(bands)),
        by=by,
        bands=bands,
        rules=rules,
        age=age,
        deaths=deaths,
        population=population,
    )
    first = next(estimates, None)
    if first is None:
        raise InvalidDataError(f"{source} holds no rows, so there is no life table.")
    unfinished = Path(target).with_name(f"{Path(target).name}.unfinished")
    try:
        made = _written(chain([first], estimates), unfinished, by)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return made


def _read(source: str | Path | Sequence[str | Path], columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Read one batch while another is worked on."""
    with ThreadPoolExecutor(1) as reader:
        batches = _batches(_files(source), columns, rows)
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _files(source: str | Path | Sequence[str | Path]) -> list[Path]:
    paths = [Path(source)] if isinstance(source, (str, Path)) else [Path(path) for path in source]
    return [file for path in paths for file in (sorted(path.glob("*.parquet")) if path.is_dir() else [path])]


def _batches(files: Sequence[Path], columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - importing the library must stay cheap
    import pyarrow.types as kinds  # noqa: PLC0415

    for file in files:
        schema = pq.read_schema(file)
        absent = [name for name in columns if name not in schema.names]
        if absent:
            raise SchemaError(without_columns(str(file), absent, schema.names))
        texts = [name for name in columns if kinds.is_string(schema.field(name).type)]
        # with pre_buffer, its default, what has been read of a file stays in memory until all of it has been
        with pq.ParquetFile(file, read_dictionary=texts, pre_buffer=False) as opened:
            yield from opened.iter_batches(batch_size=rows, columns=columns)


def _written(batches: Iterable[pa.RecordBatch], path: Path, by: Sequence[str]) -> int:
    """Write batches in groups of rows that are worth reading at a time, one group while the next is made."""
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap
    import pyarrow.parquet as pq  # noqa: PLC0415

    held: list[pa.RecordBatch] = []
    waiting, made, file = 0, 0, None
    try:
        with ThreadPoolExecutor(1) as writer:  # ends first: a file must not be closed while it is written
            going = writer.submit(int)
            for batch in batches:
                file = file or pq.ParquetWriter(path, batch.schema, use_dictionary=[*by, "quality"])
                held.append(batch)
                waiting, made = waiting + len(batch), made + len(batch)
                if waiting >= WRITTEN:
                    going.result()
                    going = writer.submit(file.write_table, pa.Table.from_batches(held))
                    held, waiting = [], 0
            going.result()
            if file is not None and held:
                file.write_table(pa.Table.from_batches(held))
    finally:
        if file is not None:
            file.close()
    return made


def _together(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    plain = [pa.table([_plain(column) for column in batch.columns], names=batch.schema.names) for batch in batches]
    # whole numbers in one file and fractions in the next, or columns in another order, are the same columns
    return pa.concat_tables(plain, promote_options="permissive").combine_chunks().to_batches()[0]


@dataclass(slots=True, kw_only=True)
class _Stream:
    """What stays the same from batch to batch, and the little that is remembered."""

    by: tuple[str, ...]
    bands: AgeBands
    columns: tuple[str, str, str]
    rules: Rules
    last: tuple[object, ...] = ()
    places: dict[object, int] = field(default_factory=dict)
    room: LifeExpectancy | None = None

    def check_schema(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap
        import pyarrow.types as kinds  # noqa: PLC0415

        if not isinstance(batch, pa.RecordBatch):
            raise ValueError(f"a stream is of pyarrow.RecordBatch, not of {type(batch).__name__}: table.to_batches().")
        names = batch.schema.names
        absent = [name for name in (*self.by, *self.columns) if name not in names]
        if absent:
            raise SchemaError(without_columns("the stream", absent, names))
        for name in self.columns[1:]:
            kind = batch.schema.field(name).type
            if not (kinds.is_integer(kind) or kinds.is_floating(kind)):
                raise SchemaError(f"column {name!r} holds {kind}, not numbers.")

    def estimated(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Estimate for whole tables."""
        import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

        self.check_order(batch)
        deaths, population = (_numbers(batch.column(name), len(self.bands)) for name in self.columns[1:])
        if population.dtype.kind == "f" and np.isinf(population).any():  # a fault, not a rate of 0
            population = np.where(np.isinf(population), np.nan, population)
        made = life_expectancy(
            deaths, population, width=self.bands.width, nax=self.bands.nax, out=self.space(len(deaths))
        )
        value, se = made.ex[:, :1].copy(), np.sqrt(made.variance[:, :1])
        unknown = np.isnan(value[:, 0])
        faults = np.zeros(len(deaths), dtype=np.uint16)
        if unknown.any():
            faults[unknown] = life_table_faults(deaths[unknown], population[unknown])
        none = np.zeros(value.shape, dtype=bool)  # at birth everyone is alive
        counts = Counts(deaths=deaths, population=population, faults=faults, extinct=none)
        shown = withhold(counts, value, se, rules=self.rules)
        firsts = pa.array(np.arange(0, len(batch), len(self.bands)))
        columns = {name: _plain(batch.column(name).take(firsts)) for name in self.by}
        for name, numbers in (("value", shown.value), ("se", shown.se)):
            columns[name] = pa.array(numbers[:, 0], from_pandas=True)
        texts, cells = shown.quality
        columns["quality"] = pa.array(texts, pa.string()).take(pa.array(cells[:, 0]))
        return pa.RecordBatch.from_pydict(columns)

    def space(self, tables: int) -> LifeExpectancy:
        """Give memory to write into, which is used again for the next batch."""
        ages = len(self.bands)
        if self.room is None or len(self.room.ex) < tables:
            shape = (tables, ages)
            ex, variance = (age_last(empty_rows(ages, tables), shape) for _ in range(2))
            self.room = LifeExpectancy(ex=ex, variance=variance)
        return LifeExpectancy(ex=self.room.ex[:tables], variance=self.room.variance[:tables])

    def check_order(self, batch: pa.RecordBatch) -> None:
        """Refuse what is not table after table, each with every age in order."""
        ages = len(self.bands)
        self.check_ages(batch, ages)
        new = np.zeros(len(batch) - 1, dtype=bool)
        for name in self.by:
            codes = self.coded(batch, name)[0]
            new |= codes[1:] != codes[:-1]
        starts = np.flatnonzero(new) + 1
        if not np.array_equal(starts, np.arange(ages, len(batch), ages)):
            within = starts[starts % ages > 0]
            if within.size:
                self.refuse(batch, int(within[0]), "the keys change before the last age")
            self.refuse(batch, int(np.setdiff1d(np.arange(ages, len(batch), ages), starts)[0]), "it stands there twice")
        if self.key(batch, 0) == self.last:
            self.refuse(batch, 0, "it stands there twice")
        self.last = self.key(batch, len(batch) - 1)

    def check_ages(self, batch: pa.RecordBatch, ages: int) -> None:
        codes, labels = self.coded(batch, self.columns[0])
        place = np.array([self.place(label) for label in labels.to_pylist()])
        first = place[codes[:ages]]
        if np.array_equal(first, np.arange(ages)) and np.array_equal(codes[ages:], codes[:-ages]):
            return
        wrong = place[codes] != np.arange(len(batch)) % ages  # an age may be written in two ways
        if wrong.any():
            row = int(wrong.argmax())
            age, expected = labels[int(codes[row])].as_py(), self.bands.labels[row % ages]
            self.refuse(batch, row, f"age {age} stands where {expected} should")

    def coded(self, batch: pa.RecordBatch, name: str) -> tuple[NDArray[np.integer[Any]], pa.Array]:
        """Read a column as positions in its labels."""
        import pyarrow.types as kinds  # noqa: PLC0415 - importing the library must stay cheap

        column = batch.column(name)
        if kinds.is_dictionary(column.type) and column.dictionary.null_count:
            column = column.dictionary_decode()  # a label may be missing, too
        column = column if kinds.is_dictionary(column.type) else column.dictionary_encode()
        if column.null_count:
            empty = column.is_null().to_numpy(zero_copy_only=False)
            self.refuse(batch, int(empty.argmax()), f"column {name!r} is empty")
        return column.indices.to_numpy(), column.dictionary

    def place(self, label: object) -> int:
        """Find the band that a label means; -1 for none, as a file may know labels that no row has."""
        if label not in self.places:
            try:
                self.places[label] = self.bands.index(str(label))
            except SchemaError:
                self.places[label] = -1
        return self.places[label]

    def key(self, batch: pa.RecordBatch, row: int) -> tuple[object, ...]:
        return tuple(batch.column(name)[row].as_py() for name in self.by)

    def refuse(self, batch: pa.RecordBatch, row: int, fault: str) -> None:
        keys = ", ".join(f"{name} {value}" for name, value in zip(self.by, self.key(batch, row), strict=True))
        raise InvalidDataError(
            f"in the life table of {keys}: {fault}. A stream holds one table after the other, each with the ages "
            f"{', '.join(self.bands.labels)} once and in this order: sort the rows by keys and age, keep each table in "
            "one partition, and give an age without deaths a row with 0."
        )


def _numbers(column: pa.Array, ages: int) -> NDArray[Any]:
    column = column.cast("float64") if column.null_count else column
    numbers: NDArray[Any] = column.to_numpy(zero_copy_only=False).reshape(-1, ages)
    return numbers


def _plain(column: pa.Array) -> pa.Array:
    import pyarrow.types as kinds  # noqa: PLC0415 - importing the library must stay cheap

    return column.dictionary_decode() if kinds.is_dictionary(column.type) else column
