"""The same formulas as loops in C, built for this processor in a temporary folder: what one thread can reach."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peers import closed_bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nenc_estimates.kernels.expectancy import LifeExpectancy

    Array = NDArray[np.float64]

FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-fno-math-errno"]
SOURCE = Path(__file__).with_name("loops.c")


@cache
def build() -> ctypes.CDLL | None:
    """Compile the loops, or return nothing where there is no compiler that can."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "loops.so"
        command = [compiler, *FLAGS, "-shared", "-fPIC", str(SOURCE), "-o", str(library), "-lm"]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            return None
        return ctypes.CDLL(str(library))


def call(loop: Any, name: str, *arguments: Any) -> None:
    """Call a loop with arrays as pointers, whole numbers as sizes and the rest as doubles."""

    def passed(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return ctypes.c_void_p(value.ctypes.data)
        return ctypes.c_size_t(value) if isinstance(value, int) else ctypes.c_double(value)

    getattr(loop, name)(*map(passed, arguments))


def life_expectancy(loop: Any, deaths: Array, population: Array, out: LifeExpectancy) -> None:
    """Life expectancy and variance at every age, in the layout that the arrays have."""
    arrays = deaths, population, *closed_bands(), out.ex, out.variance
    if deaths.strides[0] == 8:
        call(loop, "life_expectancy_age_first", *arrays, *deaths.shape, deaths.strides[1] // 8)
    else:
        call(loop, "life_expectancy_age_last", *arrays, *deaths.shape)
