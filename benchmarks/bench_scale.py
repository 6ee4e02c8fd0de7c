"""Records to counts and streams of life tables: what a million rows cost, on which engine, and how that grows.

`python benchmarks/bench_scale.py` writes invented records to a temporary folder and prints the tables of docs/scale.md;
`--largest 5_000_000` stops earlier. Each figure comes from a process of its own, engines by turns; imports are not
timed. `pytest benchmarks` times small cases.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from invented_england import invent, table_of_records, write_age_rows, write_records
from nenc_estimates import ABRIDGED_90, stream_life_expectancy
from worked_case import BY, count_lsoas

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = "lsoa21, sex, age, cause"


@pytest.mark.parametrize("number", [1, 300, 7_000, 35_000])
def test_counts_of_records(benchmark, number):
    table = table_of_records(invent(), number)
    assert benchmark(count_lsoas, table)["deaths"].to_numpy().sum() == number


@pytest.mark.parametrize("tables", [1, 300, 7_000, 35_000])
def test_stream_of_life_tables(benchmark, tables, tmp_path):
    source = write_age_rows(tmp_path / "ages.parquet", tables)
    assert benchmark(stream_life_expectancy, source, tmp_path / "years.parquet", by=BY) == tables


def by_hand(path: str) -> str:
    """Write the query that an expert would give DuckDB."""
    ends = zip(ABRIDGED_90.lower[1:], ABRIDGED_90.labels, strict=False)
    cases = " ".join(f"WHEN age_in_years < {end} THEN '{label}'" for end, label in ends)
    band = f"CASE {cases} ELSE '{ABRIDGED_90.labels[-1]}' END AS age"
    rows = f"SELECT lsoa21, sex, {band}, cause FROM read_parquet('{path}')"
    return f"SELECT {COLUMNS}, count(*) AS deaths FROM ({rows}) GROUP BY {COLUMNS}"


def duckdb_sql(path: str) -> int:
    import duckdb

    duckdb.sql("SET enable_progress_bar = false")
    return duckdb.sql(f"SELECT sum(deaths)::BIGINT FROM ({by_hand(path)})").fetchall()[0][0]


def duckdb_ours(path: str) -> int:
    import duckdb

    duckdb.sql("SET enable_progress_bar = false")
    counts = count_lsoas(duckdb.sql(f"SELECT * FROM read_parquet('{path}')"))  # noqa: F841 - DuckDB finds it by name
    return duckdb.sql("SELECT sum(deaths)::BIGINT FROM counts").fetchall()[0][0]


def polars_lazy(path: str) -> int:
    import polars as pl

    return count_lsoas(pl.scan_parquet(path)).select("deaths").sum().collect(engine="streaming").item()


def pandas_in_memory(path: str) -> int:
    return int(count_lsoas(pq.read_table(path).to_pandas())["deaths"].sum())


def pyarrow_in_memory(path: str) -> int:
    return int(count_lsoas(pq.read_table(path))["deaths"].to_numpy().sum())


def dask_frame(path: str) -> int:
    import dask.dataframe as dd

    return int(count_lsoas(dd.read_parquet(path, split_row_groups=True))["deaths"].sum().compute())


def read_only(path: str) -> int:
    file = pq.ParquetFile(path, read_dictionary=["area_code", "sex", "age"], pre_buffer=False)
    return sum(len(batch) for batch in file.iter_batches(batch_size=256_000)) // 20


def streamed(path: str) -> int:
    return stream_life_expectancy(path, f"{path}.out", by=BY)


COUNTS: dict[str, Callable[[str], int]] = {
    "DuckDB, SQL by hand": duckdb_sql,
    "DuckDB": duckdb_ours,
    "polars, lazy": polars_lazy,
    "pyarrow, in memory": pyarrow_in_memory,
    "pandas, in memory": pandas_in_memory,
    "Dask": dask_frame,
}
STREAMS: dict[str, Callable[[str], int]] = {"read the columns only": read_only, "stream_life_expectancy": streamed}


def one(name: str, path: str, small: str) -> dict[str, float]:
    """Measure in this process: seconds on the clock and on the processors, and the most memory."""
    work = (COUNTS | STREAMS)[name]
    work(small)  # imports, pools of threads
    clock, processor = time.perf_counter(), time.process_time()
    work(path)
    wall, cpu = time.perf_counter() - clock, time.process_time() - processor
    return {"wall": wall, "cpu": cpu, "rss": peak()}


def peak() -> float:
    """Most memory that this process has had, in MiB; not that of the process which started it."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return float("nan")
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def measured(name: str, path: Path, small: Path) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", __file__, "--one", name, str(path), str(small)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """Slope of log time on log size: 1 is proportional."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def table_of(works: dict[str, Any], files: dict[int, Path], small: Path, *, rounds: int, most: dict[str, int]) -> None:
    """Print a row for each way: cost per million rows at each size, exponent, memory."""
    found: dict[str, dict[int, list[dict[str, float]]]] = {name: {} for name in works}
    for size, path in files.items():
        for _ in range(rounds):
            for name in works:
                if size <= most.get(name, size):
                    found[name].setdefault(size, []).append(measured(name, path, small))
    heads = [f"{size / 1e6:g} M" for size in files]
    print(f"| | {' | '.join(heads)} | exponent | at the largest: wall | rows a second | peak memory |")
    print(f"|---|{'---|' * (len(heads) + 4)}")
    for name, sizes in found.items():
        cpu = {size: median(run["cpu"] for run in runs) for size, runs in sizes.items()}
        costs = [f"{cpu[size] / size * 1e6:.3f}" if size in cpu else "" for size in files]
        largest = max(cpu)
        wall = [run["wall"] for run in sizes[largest]]
        memory = [f"{median(run['rss'] for run in runs):.0f}" for runs in sizes.values()]
        print(
            f"| {name} | {' | '.join(costs)} | {exponent(list(cpu), list(cpu.values())):.2f} | "
            f"{median(wall):.2f} s ({min(wall):.2f}-{max(wall):.2f}) | {largest / median(wall) / 1e6:.1f} M | "
            f"{' → '.join(memory)} MiB |",
            flush=True,
        )


def ratio(path: Path, rounds: int) -> None:
    """Print how many times as long as SQL by hand `count_by` takes on DuckDB, by turns in one process."""
    pairs: list[tuple[float, float, float, float]] = []
    for _ in range(rounds + 1):
        times = []
        for work in (duckdb_sql, duckdb_ours):
            clock, processor = time.perf_counter(), time.process_time()
            work(str(path))
            times += [time.perf_counter() - clock, time.process_time() - processor]
        pairs.append(tuple(times))  # type: ignore[arg-type]
    wall = sorted(ours / theirs for theirs, _, ours, _ in pairs[1:])
    cpu = sorted(ours / theirs for _, theirs, _, ours in pairs[1:])
    print(f"count_by / GROUP BY by hand on DuckDB, {rounds} rounds by turns: wall {median(wall):.2f} ", end="")
    print(f"({wall[0]:.2f}-{wall[-1]:.2f}), processor {median(cpu):.2f} ({cpu[0]:.2f}-{cpu[-1]:.2f})", flush=True)


def main(largest: int, rounds: int) -> None:
    """Print every table."""
    print(
        f"{time.strftime('%d %B %Y')}, {os.cpu_count()} processors, {processor()}, Python {platform.python_version()}\n"
    )
    sizes = [size for size in (largest // 100, largest // 10, largest) if size]
    assert all(after > before for before, after in pairwise(sizes))
    with tempfile.TemporaryDirectory() as folder:
        england = invent()
        small = write_records(england, 20_000, Path(folder) / "small.parquet")
        files = {size: write_records(england, size, Path(folder) / f"records{size}.parquet") for size in sizes}
        print("Processor seconds per million records, from Parquet to counts by LSOA, sex, age band and cause\n")
        in_memory = dict.fromkeys(("pandas, in memory", "pyarrow, in memory", "Dask"), largest // 10)
        table_of(COUNTS, files, small, rounds=rounds, most=in_memory)
        print()
        ratio(files[largest], rounds + 2)
        few = write_age_rows(Path(folder) / "few.parquet", 100)
        tables = {size: write_age_rows(Path(folder) / f"ages{size}.parquet", size // 20) for size in sizes}
        print("\nProcessor seconds per million age rows, from Parquet to life expectancy and its error in Parquet\n")
        table_of(STREAMS, tables, few, rounds=rounds + 2, most={})


def processor() -> str:
    """Name the processor, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=lambda text: int(text.replace("_", "")), default=50_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=3)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(one(*chosen.one)))
    else:
        main(chosen.largest, chosen.rounds)
