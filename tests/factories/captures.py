"""Small simulated captures, and light fields of their truth and of their rays."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lfdfp.datatypes import LightField, Rays, ViewSampling
from lfdfp.simulation import (
    CameraName,
    Imperfections,
    ScenePreset,
    SimulatedCapture,
    camera_model,
    make_scene,
    simulate_capture,
)


@lru_cache(maxsize=8)
def tiny_capture(
    camera: CameraName = "f01",
    *,
    scene: ScenePreset = "layers",
    size: int = 256,
    seed: int = 0,
    disparities: tuple[float, ...] | None = None,
    iso: float | None = None,
    imperfections: Imperfections | None = None,
) -> SimulatedCapture:
    """A simulated capture of the middle of the sensor, with its truth; a fraction of a second.

    The same object is given to every caller: its arrays cannot be written.
    """
    model = camera_model(camera, size=size, iso=iso, imperfections=imperfections)
    made = make_scene(scene, model.field_pitch, seed=seed, disparities=disparities)
    capture = simulate_capture(made, model, seed=seed, rays_per_pixel=32)
    for array in (capture.mosaic, capture.white_mosaic, capture.response):
        array.flags.writeable = False
    return capture


def true_field(capture: SimulatedCapture, *, radius: int = 3) -> LightField:
    """The light field of perfect, noise-free views of a simulated capture, rays not included."""
    steps = range(-radius, radius + 1)
    views = np.stack([[capture.view(v, u, rays=16) for u in steps] for v in steps])
    sampling: ViewSampling = capture.sampling
    weights = np.ones(views.shape[:4], np.float32)
    return LightField(views=views, weights=weights, sampling=sampling)


def ray_field(capture: SimulatedCapture, rays: Rays | None = None) -> LightField:
    """The rays of a simulated capture under its true calibration, with black 9 x 9 views."""
    if rays is None:
        rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    views = np.broadcast_to(np.float32(0), (9, 9, *capture.sampling.shape, 3))
    return LightField(views=views, weights=views[..., 0], sampling=capture.sampling, rays=rays)
