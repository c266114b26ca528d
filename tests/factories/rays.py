"""Rays of random light at random slopes, and the rays of small simulated captures."""

from __future__ import annotations

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import FloatArray, LensletGrid, NoiseModel, Rays
from lfdfp.lenslets.table import lenslet_table
from lfdfp.lenslets.view_sampling import default_view_sampling
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.observation import RayObservation, footprint_taps
from lfdfp.reconstruction.ray_light import RayLight, measured_light
from lfdfp.reconstruction.ray_marks import HIDDEN, MISSING
from lfdfp.simulation import SimulatedCapture

_SIZE = 120
_COLORS = np.array([[2, 1], [1, 0]])


def _geometry() -> LensletGrid:
    turn = 0.01
    cos, sin = np.cos(turn), np.sin(turn)
    right = 10 * np.array([sin, cos])
    down = 10 * np.array([cos * 0.75**0.5 + sin / 2, cos / 2 - sin * 0.75**0.5])
    return LensletGrid(
        origin_px=(60.2, 59.7),
        right_px=(right[0], right[1]),
        down_px=(down[0], down[1]),
        sensor_shape=(_SIZE, _SIZE),
    )


def observation(seed: int = 0, *, slope: float | None = None) -> RayObservation:
    """Rays of random light, some of them missing or hidden, at random slopes or at one."""
    rng = np.random.default_rng(seed)
    grid = _geometry()
    fine = FineGrid(sampling=default_view_sampling(grid), k=4, margin=8)
    light = rng.uniform(0.1, 0.9, (_SIZE, _SIZE)).astype(np.float32)
    light[rng.random(light.shape) < 0.05] = MISSING
    slopes = rng.uniform(-1.5, 1.5, light.shape).astype(np.float32)
    if slope is not None:
        slopes[:] = slope
    slopes[rng.random(light.shape) < 0.05] = HIDDEN
    response = rng.uniform(0.3, 1, light.shape).astype(np.float32)
    rays = RayLight(
        light=light,
        response=response,
        colors=_COLORS,
        gains=np.full((2, 2), 1 / 4000, np.float32),
        noise=NoiseModel(read_variance=20.0, shot_gain=0.7),
    )
    bundle = RayBundle(
        light=rays, lenslets=lenslet_table(grid), grid=fine, radius_px=4.2, runner=BandRunner()
    )
    return RayObservation.of(bundle, slopes, footprint_taps(1.5))


def picture(observation: RayObservation, seed: int = 1) -> FloatArray:
    """A random picture (3, Y, X) on the observation's grid."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.2, 0.8, (3, *observation.grid.shape)).astype(np.float32)


def bundle_of(capture: SimulatedCapture, *, k: int) -> RayBundle:
    """All rays of a simulated capture, on a grid k times finer than its views."""
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    noise = capture.camera.noise
    table = lenslet_table(rays.calibration.grid)
    return RayBundle(
        light=measured_light(rays, least_response=0.25, noise=noise),
        lenslets=table,
        grid=FineGrid(sampling=capture.sampling, k=k, margin=2 * k),
        radius_px=0.42 * table.pitch_px,
        runner=BandRunner(),
    )
