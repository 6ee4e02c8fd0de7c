"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of reference numbers; tests that need it skip when it is absent."""
    root = Path(os.environ.get("NENC_REFERENCE", Path(__file__).parents[2] / "shared" / "reference"))
    if not root.is_dir():
        pytest.skip("reference numbers are not here; set NENC_REFERENCE to their folder")
    return root
