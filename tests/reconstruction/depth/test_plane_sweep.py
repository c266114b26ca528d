"""Disparity from rays: sweeps, surfaces, visibility, range."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import FloatArray, Rays
from lfdfp.lenslets.table import lenslet_table
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.depth.plane_sweep import (
    consensus_costs,
    plane_picture,
    residual_costs,
)
from lfdfp.reconstruction.depth.range import slope_range
from lfdfp.reconstruction.depth.ray_list import listed_rays
from lfdfp.reconstruction.depth.refinement import fitted_slopes
from lfdfp.reconstruction.depth.semi_global import PlaneCosts
from lfdfp.reconstruction.depth.visibility import visible_slopes
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.ray_light import measured_light
from lfdfp.reconstruction.ray_marks import HIDDEN, LEAST_MEASURED, STEEPEST
from lfdfp.simulation import SimulatedCapture
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


def test_every_usable_ray_is_listed_once_in_its_quadrant(capture: SimulatedCapture) -> None:
    bundle = bundle_of(capture, k=2)
    rays = listed_rays(bundle)
    assert (np.diff(rays.starts, axis=1) >= 0).all()
    np.testing.assert_array_equal(rays.starts[1:, 0], rays.starts[:-1, 4])
    assert rays.starts[-1, 4] == len(rays.cell)
    lens = len(rays.starts) // 2
    row0, column0 = bundle.lenslets.centers_px[lens]
    row, column = np.indices(bundle.light.light.shape)
    under = np.hypot(row - row0, column - column0) <= bundle.radius_px
    measured = bundle.light.light[under & (bundle.light.light > LEAST_MEASURED)]
    own = rays.measured[rays.starts[lens, 0] : rays.starts[lens, 4], 0]
    np.testing.assert_array_equal(np.sort(own), np.sort(measured))
    upper_right = rays.direction[rays.starts[lens, 1] : rays.starts[lens, 2]]
    assert (upper_right[:, 0] <= 0).all()
    assert (upper_right[:, 1] > 0).all()


def test_on_the_right_plane_rays_agree_and_costs_are_least() -> None:
    capture = tiny_capture("f01", scene="plane", size=300, disparities=(0.25,))
    bundle = bundle_of(capture, k=2)
    scale = bundle.grid.pixels_per_pitch
    slopes = np.array([0.0, 0.125, 0.25, 0.375, 0.5]) * scale
    agreed = consensus_costs(
        bundle, slopes, outlier_error=0.02, truncation=9.0, half_apertures=True
    )
    picture = plane_picture(bundle, float(slopes[2]))
    reached = np.full(bundle.light.light.shape, HIDDEN, np.float32)
    compared = residual_costs(
        bundle, slopes, picture, reached, picture[1], outlier_error=0.02, truncation=9.0
    )
    for costs in (agreed, compared):
        best = costs.values[12:-12, :, 12:-12].argmin(axis=1)
        assert (best == 2).mean() > 0.8


def test_blocked_rays_do_not_count_on_planes_behind(capture: SimulatedCapture) -> None:
    bundle = bundle_of(capture, k=2)
    slopes = np.array([-0.6, 0.3, 0.9])
    picture = plane_picture(bundle, 0.3)

    def costs(last: float) -> FloatArray:
        reached = np.full(bundle.light.light.shape, last, np.float32)
        planes = residual_costs(
            bundle, slopes, picture, reached, picture[1], outlier_error=0.02, truncation=9.0
        )
        return np.stack([planes.plane(k) for k in range(3)])

    free, blocked = costs(1.0), costs(0.3)
    np.testing.assert_array_equal(free[:2], blocked[:2])
    np.testing.assert_allclose(blocked[2], 9.0, rtol=1e-4)
    assert free[2].mean() < 6


def test_bands_of_a_sweep_leave_no_seam(
    capture: SimulatedCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundle_of(capture, k=2)
    slopes = np.array([-0.6, 0.9])
    reached = np.full(bundle.light.light.shape, HIDDEN, np.float32)

    def costs() -> tuple[FloatArray, PlaneCosts, PlaneCosts]:
        picture = plane_picture(bundle, 0.3)
        settings = {"outlier_error": 0.02, "truncation": 9.0}
        agreed = consensus_costs(bundle, slopes, half_apertures=True, **settings)
        compared = residual_costs(bundle, slopes, picture, reached, picture[1], **settings)
        return picture, agreed, compared

    picture, agreed, compared = costs()
    monkeypatch.setattr("lfdfp.computing.bands._ROWS_PER_BAND", 11)
    picture_of_bands, agreed_of_bands, compared_of_bands = costs()
    np.testing.assert_array_equal(picture, picture_of_bands)
    np.testing.assert_array_equal(agreed.values, agreed_of_bands.values)
    # the guided filter adds up its windows in another order: the last of 16 bits may change
    np.testing.assert_allclose(compared.values, compared_of_bands.values, rtol=0, atol=1)


def test_a_near_edge_hides_what_is_behind_it(capture: SimulatedCapture) -> None:
    bundle = bundle_of(capture, k=4)
    shape = bundle.grid.shape
    slope_map = np.full(shape, 1.0, np.float32)
    slope_map[:, : shape[1] // 2] = -1.0
    slopes = visible_slopes(bundle, slope_map, step=0.25)
    used = slopes < STEEPEST
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
    origins, table = bundle.places().origins, bundle.lenslets
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
