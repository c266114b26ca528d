"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # Tests share the cores already: one thread for each of the workers, set before numba starts.
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real captures and image sets; the test is skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LFDFP_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder} (set LFDFP_DATA)")
    return folder


@pytest.fixture(scope="session")
def small_capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated F01 capture of a small sensor, with white image and truth beside it."""
    from lfdfp.simulation import camera_model, make_scene, simulate_capture, write_simulated_capture

    camera = camera_model("f01", size=400)
    scene = make_scene("layers", camera.field_pitch, seed=3)
    capture = simulate_capture(scene, camera, seed=3)
    target = tmp_path_factory.mktemp("capture") / "small.lfp"
    return write_simulated_capture(target, capture).capture


@pytest.fixture
def untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that the test starts are not traced for coverage, which takes memory and files."""
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        monkeypatch.delenv(name, raising=False)
