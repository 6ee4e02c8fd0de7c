"""The release, made once whatever the number of areas.

`python benchmarks/bench_release.py` prints the whole command against importing what it reads with.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nenc_estimates import read_specification, run_release
from timing import given, timed_once

ONCE = {run_release: lambda: given(read_specification())}

test_speed_once = timed_once(ONCE)


def seconds(command: list[str]) -> float:
    """Wall-clock time of a whole process [s]."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def main(rounds: int = 7) -> None:
    """Print the time of the estimates and of ``publish`` beside their limits: 2 x import + 1 s; 6 x the estimates."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "release")
        publish = [sys.executable, "-c", f"from nenc_estimates.cli import main; main(['publish', '--out', {out!r}])"]
        imports = [sys.executable, "-c", "import pandas, pyarrow"]
        check = [sys.executable, "-c", "from nenc_estimates.cli import main; main(['check'])"]
        light = [sys.executable, "-c", "import nenc_estimates"]
        heavy = [sys.executable, "-c", "import numpy, pydantic"]
        seconds(publish), seconds(light)
        pairs = [
            (seconds(publish), seconds(check), seconds(imports), seconds(light), seconds(heavy)) for _ in range(rounds)
        ]
    whole, ours, floor, light_time, heavy_time = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"publish: {whole:.2f} s, {whole / ours:.2f} x the estimates alone; limit 6")
    print(f"estimates alone: {ours:.2f} s; limit 2 x {floor:.2f} + 1 = {2 * floor + 1:.2f} s (medians of {rounds})")
    print(f"import nenc_estimates / import numpy, pydantic: {light_time / heavy_time:.2f} ({light_time:.3f} s)")


if __name__ == "__main__":
    main()
