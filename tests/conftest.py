"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real captures and image sets; the test is skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LFDFP_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder} (set LFDFP_DATA)")
    return folder
