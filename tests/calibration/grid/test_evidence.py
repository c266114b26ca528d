from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.calibration.grid.evidence import lattice_evidence
from lfdfp.calibration.grid.fit import fit_lenslet_grid
from lfdfp.calibration.grid.signal import lattice_planes
from lfdfp.datatypes import LensletGrid, RawCapture
from lfdfp.errors import CalibrationError
from lfdfp.simulation import camera_model, make_scene, simulate_capture
from lfdfp.simulation.photographs import bundled_picture

_SIZE = 600
_BLOCK_PX = 28


@pytest.fixture(scope="module")
def tissue() -> tuple[RawCapture, LensletGrid]:
    """A capture full of detail, and its true grid."""
    camera = camera_model("f01", size=_SIZE)
    scene = make_scene("tissue", camera.field_pitch, seed=3)
    capture = simulate_capture(scene, camera, seed=3, rays_per_pixel=16)
    return capture.raw_capture(), camera.grid


def _wrong(grid: LensletGrid, kind: str) -> LensletGrid:
    """Grids that are nearly right, and wrong."""
    right, down = np.array(grid.right_px), np.array(grid.down_px)
    origin, pitch = np.array(grid.origin_px), grid.pitch_px
    turn = 1.2 * pitch / _SIZE
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    changes = {
        "half a pitch right": {"origin_px": origin + right / 2},
        "half a pitch down": {"origin_px": origin + down / 2},
        "in a gap": {"origin_px": origin + (right + down) / 3},
        "a row more over the sensor": {"down_px": down * (1 + 0.87 * pitch / _SIZE)},
        "a column more over the sensor": {"right_px": right * (1 + pitch / _SIZE)},
        "turned": {"right_px": rotation @ right, "down_px": rotation @ down},
        "twice as fine": {"right_px": right / 2, "down_px": down / 2},
    }[kind]
    return replace(grid, **{k: (float(v[0]), float(v[1])) for k, v in changes.items()})


def test_the_true_lattice_stands_out_everywhere(tissue: tuple[RawCapture, LensletGrid]) -> None:
    capture, grid = tissue
    found = lattice_evidence(lattice_planes(capture, grid.pitch_px), grid, block_px=_BLOCK_PX)
    assert min(found.significance) > 10
    assert found.weakest_zone > 0
    assert found.coarser < 4


@pytest.mark.parametrize(
    "kind",
    [
        "half a pitch right",
        "half a pitch down",
        "in a gap",
        "a row more over the sensor",
        "a column more over the sensor",
        "turned",
        "twice as fine",
    ],
)
def test_a_wrong_lattice_does_not(tissue: tuple[RawCapture, LensletGrid], kind: str) -> None:
    capture, grid = tissue
    planes = lattice_planes(capture, grid.pitch_px)
    found = lattice_evidence(planes, _wrong(grid, kind), block_px=_BLOCK_PX)
    contradicted = found.mean < 4.5 or min(found.significance) < 0.75 * found.mean
    assert contradicted or found.weakest_zone < -3 or found.coarser > 0.8 * found.mean


@pytest.mark.parametrize("name", ["brick.png", "page.png", "grass.png", "text.png"])
def test_photographs_without_lenslets_are_refused(
    tissue: tuple[RawCapture, LensletGrid], name: str
) -> None:
    capture, _ = tissue
    picture = bundled_picture(name)[..., 1]
    block = np.block([[picture, picture[:, ::-1]], [picture[::-1], picture[::-1, ::-1]]])
    repeats = [_SIZE // n + 1 for n in block.shape]
    light = np.tile(block, repeats)[:_SIZE, :_SIZE]
    codes = np.random.default_rng(1).normal(170 + 3000 * light, 20).clip(0, 4095)
    with pytest.raises(CalibrationError, match="lattice"):
        fit_lenslet_grid(replace(capture, mosaic=codes.astype(np.uint16)))


@pytest.mark.parametrize("scale", [0.5, 3**-0.5, 3**0.5, 2.0])
def test_a_pitch_of_another_order_is_never_taken(
    tissue: tuple[RawCapture, LensletGrid], scale: float
) -> None:
    capture, _ = tissue
    array = replace(capture.microlens_array, pitch_m=scale * capture.microlens_array.pitch_m)
    with pytest.raises(CalibrationError, match="lattice"):
        fit_lenslet_grid(replace(capture, microlens_array=array))
