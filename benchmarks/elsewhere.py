"""PHStatsMethods, the Department of Health and Social Care's package, in an environment and a process of its own.

It is licensed under the GPL and no dependency of ours: it is installed into a temporary folder when the comparison
runs, and removed afterwards. The process times its own calls with its own thread's CPU clock and hands back seconds.
"""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PACKAGE = "PHStatsMethods"
PATIENCE = 300
"""How long an installation may take [s]."""


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """The other process; ``why`` says why there is none."""

    process: Any = None
    folder: Path = Path()
    version: str = ""
    why: str = ""

    def ask(self, verb: str, subject: str) -> str:
        """Let it run a subject."""
        self.process.stdin.write(f"{verb} {subject}\n")
        self.process.stdin.flush()
        return str(self.process.stdout.readline()).strip()

    def seconds(self, subject: str) -> float:
        """CPU seconds of its thread for one call."""
        return float(self.ask("time", subject))

    def answer(self, subject: str) -> NDArray[np.float64]:
        """Its lower and upper limits ``(2, area)``."""
        return np.asarray(np.load(self.ask("answer", subject)))


@contextmanager
def installed(**arrays: NDArray[Any]) -> Iterator[Elsewhere]:
    """Install the package, start its process with these arrays, and remove both at the end."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        python = folder / "environment" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        try:
            venv.create(folder / "environment", with_pip=True)
            command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            yield Elsewhere(why=f"could not be installed: {said[-1] if said else type(error).__name__}")
            return
        np.savez(folder / "arrays.npz", **arrays)
        with subprocess.Popen(
            [str(python), "-P", __file__, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            version = str(process.stdout.readline()).strip() if process.stdout else ""
            yield Elsewhere(process=process, folder=folder, version=version)
            if process.stdin:
                process.stdin.close()


def serve(folder: Path) -> None:
    """Answer lines of verb and subject, in the other environment."""
    from importlib.metadata import version  # noqa: PLC0415 - only here

    import pandas as pd  # noqa: PLC0415 - the other environment's
    import PHStatsMethods as theirs  # noqa: N813, PLC0415 - not installed where the rest runs

    given = np.load(folder / "arrays.npz")
    areas, ages = given["deaths"].shape
    counts = pd.DataFrame({"x": given["x"], "n": given["n"]})
    by_age = pd.DataFrame(
        {
            "area": np.repeat([f"A{i:05d}" for i in range(areas)], ages),
            "x": given["deaths"].ravel(),
            "n": given["population"].ravel(),
            "standard": np.tile(given["standard"], areas),
        }
    )
    calls = {
        "wilson": lambda: theirs.ph_proportion(counts, "x", "n"),
        "poisson": lambda: theirs.ph_rate(counts, "x", "n", multiplier=1),
        "standardised": lambda: theirs.ph_dsr(
            by_age, "x", "n", "standard", group_cols="area", multiplier=1, euro_standard_pops=False
        ),
    }
    print(version(PACKAGE), flush=True)
    for line in sys.stdin:
        verb, subject = line.split()
        start = time.thread_time()
        made = calls[subject]()
        spent = time.thread_time() - start
        if verb == "answer":
            path = folder / f"{subject}.npy"
            limits = [next(name for name in made.columns if name.startswith(side)) for side in ("lower", "upper")]
            np.save(path, made[limits].to_numpy(float).T)
        print(path if verb == "answer" else spent, flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
