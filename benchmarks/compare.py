"""Set the library beside what others do, in one run: `python benchmarks/compare.py`.

Peers of a subject take turns, after one round that is not counted; CPU time of the calling thread; BLAS with one
thread. A ratio is a peer's time for an area over ours in the same round: 10 means ten times slower than ours. Before
anything is timed, results are compared, and a peer that does not agree stops the run. `--quick` runs everything once on
few areas; `--markdown` writes the table into benchmarks/README.md.
"""
# ruff: noqa: E402

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is loaded

import numpy as np

import compiled
import subjects_of_ages as ages
import subjects_of_areas as areas
import subjects_of_draws as draws
from contenders import Peer, Sizes, Subject
from elsewhere import installed
from inputs import PEOPLE, events, in_rows
from timing import seconds_of, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elsewhere import Elsewhere

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- compare.py begins -->\n", "<!-- compare.py ends -->\n"
HEAD = ("against", "areas", "ns an area", "ratio to ours", "difference", "inside the timing")
TRIAD = 2**24
"""Elements of each of the triad's arrays: together 400 MB, beyond any cache."""


class Bandwidth:
    """What one thread moves between memory and processor: a[i] = b[i] + s c[i], in C where a compiler is."""

    def __init__(self, size: int) -> None:
        self.arrays = [np.full(size, value) for value in (0.0, 1.0, 2.0)]
        self.loop = compiled.build()
        self.bytes = 24 * size

    def seconds(self) -> float:
        """CPU seconds of one triad."""
        return seconds_of(self._run)

    def _run(self) -> None:
        out, first, second = self.arrays
        if self.loop is None:
            np.add(first, second, out=out)
        else:
            compiled.call(self.loop, "triad", first, second, 3.0, out, out.size)


def difference(ours: Peer, other: Peer) -> float:
    """Largest difference of the results, as a share of the largest number; more than allowed is an error."""
    assert ours.run is not None
    assert other.run is not None
    theirs = [np.array(part, dtype=float) for part in other.run()]  # a copy: results may be written again
    found = 0.0
    for mine, part in zip(ours.run(), theirs, strict=False):
        same = np.asarray(mine)[: len(part)]
        apart = np.nanmax(np.abs(same - part)) / np.nanmax(np.abs(part))
        found = max(found, float(apart))
        if not apart <= other.last or (np.isnan(same) != np.isnan(part)).any():
            raise SystemExit(f"{other.name} does not agree: {apart:.1e} of the largest number")
    return found


def measured(subject: Subject, bandwidth: Bandwidth, count: int) -> Iterator[tuple[str, ...]]:
    """Compare the results of a subject's peers, then time them in turn: one row for each."""
    ours, *others = subject.peers
    present = [peer for peer in subject.peers if not peer.why]
    agreed = {peer.name: difference(ours, peer) for peer in others if not peer.why}
    spent: dict[str, list[float]] = {}
    for turn in range(count + 1):
        now = {peer.name: peer.seconds() / peer.areas for peer in present}
        if subject.traffic:
            now["memory traffic"] = bandwidth.seconds() / bandwidth.bytes * subject.traffic
        if turn:
            for name, time in now.items():
                spent.setdefault(name, []).append(time)
    for peer in subject.peers:
        if peer.why:
            yield peer.name, "", "", peer.why, "", peer.inside
            continue
        yield line(peer.name, f"{peer.areas:,}", spent, ours.name, agreed.get(peer.name), peer.inside)
    if subject.traffic:
        inside = f"{subject.traffic:.0f} bytes an area at the triad's speed"
        yield line("memory traffic", "", spent, ours.name, None, inside)


def line(
    name: str, areas: str, spent: dict[str, list[float]], base: str, apart: float | None, inside: str
) -> tuple[str, ...]:
    """One row of the table."""
    times = spent[name]
    ratios = [time / of for time, of in zip(times, spent[base], strict=True)]
    shown = "1" if name == base else spread(ratios)
    return name, areas, f"{median(times) * 1e9:,.0f}", shown, "" if apart is None else f"{apart:.0e}", inside


def table(rows: list[tuple[str, ...]], *, markdown: bool) -> str:
    """Lay out rows under the headings."""
    if markdown:
        cells = [HEAD, ("---", "---:", "---:", "---:", "---:", "---"), *rows]
        return "".join(f"| {' | '.join(row)} |\n" for row in cells)
    widths = [max(len(row[place]) for row in [HEAD, *rows]) for place in range(len(HEAD))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in [HEAD, *rows]
    )


def processor() -> str:
    """Name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [text.partition(":")[2].strip() for text in info.read_text().splitlines() if "model name" in text]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def where(bandwidth: Bandwidth, count: int) -> str:
    """Say when and on what this ran, and what its memory gives."""
    speeds = [bandwidth.bytes / bandwidth.seconds() / 1e9 for _ in range(max(count, 1))]
    made = "C" if bandwidth.loop is not None else "NumPy's add, for want of a compiler"
    return (
        f"{datetime.now(UTC):%d %B %Y}; {processor()}, {os.cpu_count()} processors, {platform.system()}; "
        f"Python {platform.python_version()}, NumPy {np.__version__}. Triad ({made}): {spread(speeds)} GB/s. "
        f"Medians (lowest to highest) of {count} interleaved rounds, CPU time of one thread."
    )


def every(sizes: Sizes, there: Elsewhere) -> Iterator[Subject]:
    """Every subject, made when it is its turn, so that one at a time is in memory."""
    yield ages.life_tables(sizes)
    yield ages.life_table_frames(sizes)
    yield ages.sullivans(sizes)
    yield ages.decompositions(sizes)
    yield areas.weighted_means(sizes)
    yield areas.slopes(sizes)
    yield areas.wilson(sizes, there)
    yield areas.byar(sizes)
    yield from areas.poisson(sizes, there)
    yield areas.standardised_rates(sizes, there)
    yield areas.apportionings(sizes)
    yield draws.simulations(sizes)


def main(arguments: list[str] | None = None) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="everything once on few areas, for its answers")
    parser.add_argument("--markdown", action="store_true", help="write the table into benchmarks/README.md")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)
    sizes, count = (
        (Sizes(areas=300, few=20, sent=300), 1)
        if options.quick
        else (Sizes(areas=35_000, few=200, sent=2_000), options.rounds)
    )
    bandwidth = Bandwidth(2**20 if options.quick else TRIAD)
    arrays = (*events(sizes.areas), *in_rows(sizes.areas))
    sent = {name: array[: sizes.sent] for name, array in zip(("x", "n", "deaths", "population"), arrays, strict=True)}
    head = where(bandwidth, count)
    text = [f"{head}\n"]
    print(head, flush=True)
    with installed(**sent, standard=PEOPLE) as there:
        for subject in every(sizes, there):
            rows = list(measured(subject, bandwidth, count))
            print(f"\n{subject.name}\n{table(rows, markdown=False)}", end="", flush=True)
            text.append(f"\n**{subject.name}**\n\n{table(rows, markdown=True)}")
    if options.markdown:
        before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
        README.write_text(f"{before}{BEGIN}{''.join(text)}{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
