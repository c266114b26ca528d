"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lfdfp.datatypes import DoubleArray, FloatArray, LightField

MakePlane = Callable[..., tuple[LightField, FloatArray]]


def texture(t: DoubleArray, s: DoubleArray, *, seed: int, highest: float) -> FloatArray:
    """A band-limited, asymmetric texture (..., 3) at any positions in pixels."""
    rng = np.random.default_rng(seed)
    light = np.full((3, *np.broadcast_shapes(t.shape, s.shape)), 0.5)
    for _ in range(12):
        frequency = rng.uniform(-highest, highest, 2)
        phase = rng.uniform(0, 2 * np.pi, (3, 1, 1))
        wave = 2 * np.pi * (frequency[0] * t + frequency[1] * s)
        light += 0.03 * np.cos(wave + phase)
    return np.moveaxis(light, 0, -1).astype(np.float32)


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


@pytest.fixture(scope="session")
def make_plane() -> MakePlane:
    """Light field and center view of a textured plane of one disparity, without any border."""

    def make(
        disparity: float,
        *,
        views: tuple[int, int] = (5, 7),
        shape: tuple[int, int] = (40, 52),
        seed: int = 1,
        highest: float = 0.2,
    ) -> tuple[LightField, FloatArray]:
        t, s = (np.arange(n, dtype=np.float64) for n in shape)
        light = np.empty((*views, *shape, 3), np.float32)
        for v, u in np.ndindex(*views):
            shift = disparity * (v - views[0] // 2), disparity * (u - views[1] // 2)
            light[v, u] = texture(
                t[:, None] - shift[0], s[None, :] - shift[1], seed=seed, highest=highest
            )
        field = LightField(views=light, weights=np.ones(light.shape[:4], np.float32))
        return field, light[views[0] // 2, views[1] // 2].copy()

    return make
