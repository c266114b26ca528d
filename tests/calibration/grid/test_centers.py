from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.calibration.grid.centers import refine_centers
from lfdfp.calibration.grid.fit import fit_lenslet_grid
from lfdfp.datatypes import LensletGrid
from lfdfp.errors import CalibrationError
from lfdfp.imaging.sensor_noise import noise_from_iso
from lfdfp.lenslets.table import lenslet_table
from lfdfp.simulation import Scene, camera_model, make_scene, simulate_capture
from lfdfp.simulation.names import CameraName, PhotographicScene


def _error_px(found: LensletGrid, true: LensletGrid) -> float:
    """Root mean square over all lenslets, whole lenslets taken off."""
    centers = lenslet_table(true).centers_px.astype(np.float64)
    lattice = np.rint(found.lattice_coordinates(centers[:, 0], centers[:, 1]))
    error = found.centers(lattice[0], lattice[1]).T - centers
    return float(np.sqrt((error**2).sum(axis=1).mean()))


def _dimmed(scene: Scene, exposure: float) -> Scene:
    layers = tuple(
        replace(layer, texture=layer.texture * np.array([exposure] * 3 + [1.0], np.float32))
        for layer in scene.layers
    )
    return replace(scene, layers=layers)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "exposure", "bound_px"),
    [
        ("tissue", 1.0, 0.05),
        ("night-sky", 1.0, 0.05),
        ("motorcycle", 1.0, 0.05),
        ("portrait", 0.03, 0.1),
        ("lamps", 0.03, 0.1),
    ],
)
@pytest.mark.parametrize("camera", ["f01", "illum"])
def test_photographs_do_not_hide_the_lattice(
    camera: CameraName, name: PhotographicScene, exposure: float, bound_px: float
) -> None:
    model = camera_model(camera, size={"f01": 800, "illum": 1100}[camera])
    scene = _dimmed(make_scene(name, model.field_pitch, seed=7), exposure)
    capture = simulate_capture(scene, model, seed=7, rays_per_pixel=16).raw_capture()
    array = capture.microlens_array
    false = replace(
        array,
        pitch_m=1.02 * array.pitch_m,
        rotation_rad=array.rotation_rad + 0.01,
        sensor_offset_m=(3e-6, -4e-6, array.sensor_offset_m[2]),
    )
    found = fit_lenslet_grid(replace(capture, microlens_array=false))
    error = _error_px(found, model.grid)
    assert error < bound_px
    assert error < 5 * found.standard_error_px + 0.02


def test_lenslets_without_light_are_an_error_of_the_capture() -> None:
    model = camera_model("f01", size=300)
    scene = make_scene("nearly-flat", model.field_pitch, seed=1)
    capture = simulate_capture(scene, model, seed=1, rays_per_pixel=16).raw_capture()
    dark = replace(capture, mosaic=np.full_like(capture.mosaic, 168))
    with pytest.raises(CalibrationError, match="lost in noise"):
        refine_centers(dark, model.grid, noise_from_iso(dark))
