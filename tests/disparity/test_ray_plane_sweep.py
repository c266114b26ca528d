"""Disparity from rays: sweeps, surfaces, visibility, range."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, Rays
from lfdfp.disparity.ray_bundle import RayBundle
from lfdfp.disparity.ray_plane_sweep import Smoothness, semi_global_costs
from lfdfp.disparity.ray_range import slope_range
from lfdfp.disparity.ray_refinement import fitted_slopes
from lfdfp.disparity.ray_visibility import visible_slopes
from lfdfp.ray_geometry import HIDDEN, FineGrid, lenslet_table, measured_light
from lfdfp.row_bands import BandRunner
from lfdfp.simulate import SimulatedCapture
from tests.factories import tiny_capture


def bundle_of(capture: SimulatedCapture, *, k: int) -> RayBundle:
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


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="layers", size=400, seed=3)


def test_the_range_holds_the_scene(capture: SimulatedCapture) -> None:
    bundle = bundle_of(capture, k=2)
    low, high = slope_range(bundle, outlier_error=0.02, truncation=9.0)
    truth = capture.disparity_pitch(1)
    scale = bundle.grid.pixels_per_pitch
    assert low / scale < truth.min() < truth.max() < high / scale
    assert (high - low) / scale < 2 * float(np.ptp(truth))


def test_a_near_edge_hides_what_is_behind_it(capture: SimulatedCapture) -> None:
    bundle = bundle_of(capture, k=4)
    shape = bundle.grid.shape
    slope_map = np.full(shape, 1.0, np.float32)
    slope_map[:, : shape[1] // 2] = -1.0
    slopes = visible_slopes(bundle, slope_map, step=0.25)
    used = slopes < HIDDEN / 2
    seen = slopes[used]
    assert set(np.unique(seen)) == {-1.0, 1.0}
    hidden = (bundle.light.light > -1) & ~used
    near_first = visible_slopes(bundle, slope_map[:, ::-1].copy(), step=0.25)
    assert 0 < hidden.mean() < 0.5
    assert (near_first == -1.0).any()


def test_an_even_surface_is_seen_by_every_ray(capture: SimulatedCapture) -> None:
    bundle = bundle_of(capture, k=4)
    slope_map = np.full(bundle.grid.shape, 0.7, np.float32)
    slopes = visible_slopes(bundle, slope_map, step=0.25)
    origins, table = bundle.origins(), bundle.lenslets
    inside = np.all((origins > 20) & (origins < np.array(bundle.grid.shape) - 20), axis=1)
    rows, columns = np.rint(table.centers_px[inside]).astype(int).T
    np.testing.assert_array_equal(slopes[rows, columns], np.float32(0.7))


def test_without_evidence_a_tilted_surface_stays_as_it_is(capture: SimulatedCapture) -> None:
    bundle = bundle_of(capture, k=4)
    y, x = np.mgrid[0 : bundle.grid.shape[0], 0 : bundle.grid.shape[1]].astype(np.float32)
    tilted = (0.002 * y - 0.001 * x).astype(np.float32)
    steps = np.zeros((4, *tilted.shape), np.float32)
    fitted = fitted_slopes(tilted, steps, bundle)
    np.testing.assert_allclose(fitted[20:-20, 20:-20], tilted[20:-20, 20:-20], atol=1e-4)


def test_semi_global_costs_prefer_one_surface_to_noise() -> None:
    rng = np.random.default_rng(0)
    truth = np.full((40, 60), 2)
    truth[:, 30:] = 5
    volume: FloatArray = 1 + rng.normal(0, 0.5, (40, 60, 8)).astype(np.float32)
    np.put_along_axis(volume, truth[..., None], 0.3, axis=-1)
    guide = (truth > 3).astype(np.float32)
    alone = (volume.argmin(axis=-1) != truth).mean()
    together = (semi_global_costs(volume, guide, Smoothness()).argmin(axis=-1) != truth).mean()
    assert alone > 0.2
    assert together < 0.3 * alone
