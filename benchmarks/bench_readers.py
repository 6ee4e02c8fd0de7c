"""Readers of files that analysts have; the size is the number of rows.

`python benchmarks/bench_readers.py` prints time and peak memory of a Fingertips download over `pyarrow.csv.read_csv`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

import nenc_estimates as nenc
from nenc_estimates import read_fingertips
from timing import given, timed

HEADINGS = [
    *("Indicator ID", "Indicator Name", "Parent Code", "Parent Name", "Area Code", "Area Name", "Area Type", "Sex"),
    *("Age", "Category Type", "Category", "Time period", "Value", "Lower CI 95.0 limit", "Upper CI 95.0 limit"),
    *("Lower CI 99.8 limit", "Upper CI 99.8 limit", "Count", "Denominator", "Value note", "Recent Trend"),
    *("Compared to England value or percentiles", "Compared to Regions (statistical) value or percentiles"),
    *("Time period Sortable", "New data", "Compared to goal", "Time period range"),
]


def download(path: Path | BytesIO, n: int) -> None:
    """Write a file like a Fingertips download of n rows: 300 areas, three sexes, 20 periods."""
    rng = np.random.default_rng(20221216)
    i = np.arange(n)

    def some(labels: list[str | None], index: Any) -> pa.Array:
        return pa.array(labels, pa.string()).take(pa.array(index % len(labels)))

    value = rng.normal(70, 5, n)
    low, high = rng.random(n), rng.random(n)
    start = i // 900 % 20
    name = i // 18_000
    names: list[str | None] = [f"Indicator, number {k}, of a long list" for k in range(name.max() + 1)]
    empty = pa.nulls(n, pa.string())
    columns = [
        pa.array(90_000 + name),
        some(names, name),
        some(["E92000001", "E12000001"], i),
        some(["England", "North East region (statistical)"], i),
        some([f"E06{k:06d}" for k in range(1, 301)], i),
        some([f"Council number {k}" for k in range(300)], i),
        some(["Counties & UAs (from Apr 2023)"], i),
        some(["Male", "Female", "Persons"], i // 300),
        some(["All ages"], i),
        *(empty, empty),
        some([f"{year} - {(year + 2) % 100:02d}" for year in range(2001, 2021)], start),
        *(pa.array(value), pa.array(value - low), pa.array(value + high)),
        *(pa.array(value - low - 1), pa.array(value + high + 1)),
        *(pa.array(rng.integers(1, 10_000, n) * 1.0), pa.array(rng.integers(10_000, 1_000_000, n) * 1.0)),
        some(["Value suppressed for disclosure control reasons", *[None] * 49], i),
        some(["Cannot be calculated"], i),
        *(some(["Similar", "Better", "Worse"], i), some(["Similar", "Better", "Worse"], i // 2)),
        pa.array((2001 + start) * 10_000),
        empty,
        some(["Not compared"], i),
        some(["3y"], i),
    ]
    csv.write_csv(pa.table(columns, names=HEADINGS), path)


def fingertips(n: int) -> bytes:
    """Such a file in memory."""
    file = BytesIO()
    download(file, n)
    return file.getvalue()


def file_of(columns: dict[str, Any]) -> bytes:
    return pd.DataFrame(columns).to_csv(index=False).encode()


def small_areas(n: int) -> list[str]:
    return [f"E01{i:06d}" for i in range(1, n + 1)]


def areas_by_age(n: int) -> dict[str, Any]:
    """Keys of n rows: 91 ages of both sexes in as many invented areas as it takes."""
    i = np.arange(n)
    return {
        "code": [f"E06{k:06d}" for k in i // 182 + 1],
        "name": [f"Council number {k}" for k in i // 182],
        "sex": np.array(["Male", "Female"])[i // 91 % 2],
        "age": i % 91,
    }


def deaths(n: int) -> bytes:
    keys = areas_by_age(n)
    age = np.where(keys["age"] == 90, "90 and over", keys["age"].astype(str))
    return file_of(
        {"area_code": keys["code"], "area_name": keys["name"], "sex": keys["sex"], "age": age, "period": 2022}
        | {"deaths": keys["age"]}
    )


def mid_year(n: int) -> bytes:
    keys = areas_by_age(n)
    names = {"ladcode23": keys["code"], "laname23": keys["name"], "country": "E"}
    people = {f"population_{year}": 900 + keys["age"] for year in (2021, 2022)}
    return file_of(names | {"sex": keys["sex"], "age": keys["age"]} | people)


def nomis(n: int) -> bytes:
    keys = areas_by_age(n)
    age = np.where(keys["age"] == 90, "Aged 90+", np.char.add("Age ", keys["age"].astype(str)))
    return file_of(
        {"GEOGRAPHY_CODE": keys["code"], "GEOGRAPHY_NAME": keys["name"], "DATE": 2022, "GENDER_NAME": keys["sex"]}
        | {"C_AGE_NAME": age, "MEASURES_NAME": "value", "OBS_VALUE": 900 + keys["age"], "RECORD_COUNT": n}
    )


def imd(n: int) -> bytes:
    rank = np.arange(1, n + 1)
    return file_of(
        {
            "LSOA code (2021)": small_areas(n),
            "Index of Multiple Deprivation (IMD) Score": np.linspace(60, 1, n).round(4) if n > 1 else 60.0,
            "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)": rank,
        }
    )


def lookup(n: int) -> bytes:
    i = np.arange(n)
    return file_of({"LSOA21CD": small_areas(n), "LAD22CD": [f"E06{k:06d}" for k in i // 110 + 1], "ObjectId": i + 1})


CALLS = {
    read_fingertips: lambda size: given(fingertips(size)),
    nenc.read_deaths: lambda size: given(deaths(size)),
    nenc.read_mid_year_estimates: lambda size: given(mid_year(size)),
    nenc.read_nomis: lambda size: given(nomis(size)),
    nenc.read_imd: lambda size: given(imd(size), rows=size),
    nenc.read_lookup: lambda size: given(lookup(size), rows=size),
    nenc.describe_file: lambda size: given(fingertips(size)),
}

test_speed = timed(CALLS)


PEAK = """
import sys
from pyarrow import csv
from nenc_estimates.readers import read_fingertips
import pandas
def most():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

read_fingertips(sys.argv[2])
before = most()
read = (read_fingertips if sys.argv[3] == "ours" else csv.read_csv)(sys.argv[1])
print(most() - before)
"""


def peak(path: Path, small: Path, which: str) -> float:
    """Return how much memory a read adds at its peak, in a process of its own (Linux) [bytes]."""
    done = subprocess.run(  # the interpreter that runs this, on files made here
        [sys.executable, "-c", PEAK, str(path), str(small), which], check=True, capture_output=True, text=True
    )
    return float(done.stdout) * 1024


def ratios(n: int = 1_000_000, rounds: int = 9) -> dict[str, Any]:
    """Return time and peak memory over those of ``pyarrow.csv.read_csv``, in interleaved rounds."""
    with tempfile.TemporaryDirectory() as folder:
        path, small = Path(folder) / "download.csv", Path(folder) / "small.csv"
        download(path, n)
        download(small, 1_000)
        arrow = csv.read_csv(path).nbytes
        found: dict[str, list[float]] = {"wall": [], "processor": []}
        seconds: list[float] = []
        for _ in range(rounds):
            spent = []
            for read in (csv.read_csv, read_fingertips):
                wall, processor = time.perf_counter(), time.process_time()
                read(path)
                spent.append((time.perf_counter() - wall, time.process_time() - processor))
            found["wall"].append(spent[1][0] / spent[0][0])
            found["processor"].append(spent[1][1] / spent[0][1])
            seconds.append(spent[1][0])
        return {
            **{
                name: (round(statistics.median(values), 2), round(min(values), 2), round(max(values), 2))
                for name, values in found.items()
            },
            "seconds": round(statistics.median(seconds), 2),
            "peak over Arrow table": round(peak(path, small, "ours") / arrow, 2),
            "peak of read_csv over Arrow table": round(peak(path, small, "arrow") / arrow, 2),
        }


if __name__ == "__main__":
    print("median, least, most:", ratios())
