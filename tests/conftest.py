"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import Phase, settings

from nenc_estimates.crosswalks import Crosswalk
from nenc_estimates.denominators import Denominator
from nenc_estimates.publishing.files import write_release
from nenc_estimates.release import run_release
from nenc_estimates.specification import read_specification

if TYPE_CHECKING:
    from nenc_estimates.release import Run
    from nenc_estimates.specification import Specification

# an example may wait for the machine; where the outcome decides, the same examples are tried every time
settings.register_profile("searching", deadline=None)
settings.register_profile("deciding", deadline=None, derandomize=True)
settings.register_profile(
    "mutating", deadline=None, derandomize=True, database=None, max_examples=15, phases=[Phase.explicit, Phase.generate]
)
if "MUTANT_UNDER_TEST" in os.environ:  # mutmut asks each test thousands of times
    settings.load_profile("mutating")
else:
    settings.load_profile("deciding" if os.environ.get("CI") else "searching")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of reference numbers; tests that need it skip when it is absent."""
    root = Path(os.environ.get("NENC_REFERENCE", Path(__file__).parents[2] / "shared" / "reference"))
    if not root.is_dir():
        pytest.skip("reference numbers are not here; set NENC_REFERENCE to their folder")
    return root


@pytest.fixture(scope="session")
def specification() -> Specification:
    """The specification that travels with the package."""
    return read_specification()


@pytest.fixture(scope="session")
def run(specification: Specification) -> Run:
    """The release of the packaged specification, made once. Tests must not change its tables."""
    return run_release(specification)


@pytest.fixture(scope="session")
def release(run: Run, specification: Specification, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of that release, written once. Tests must not change it."""
    return write_release(run, specification, tmp_path_factory.mktemp("release") / "made")


@pytest.fixture(scope="session")
def thirds() -> Crosswalk:
    """Three areas of one target, the third of which lies half inside."""
    return Crosswalk.from_shares([("E06000001", "A", 1.0), ("E06000002", "A", 1.0), ("E06000003", "A", 0.5)])


@pytest.fixture(scope="session")
def hundreds(thirds: Crosswalk) -> Denominator:
    """100, 200 and 300 people in those areas."""
    return Denominator.from_table(pd.DataFrame({"area_code": thirds.sources, "people": [100, 200, 300]}))
