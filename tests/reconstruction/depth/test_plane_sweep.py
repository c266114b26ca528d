"""Costs of planes from the rays."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.depth.plane_sweep import (
    consensus_costs,
    plane_picture,
    residual_costs,
)
from lfdfp.reconstruction.depth.semi_global import PlaneCosts
from lfdfp.reconstruction.ray_marks import HIDDEN
from lfdfp.simulation import SimulatedCapture
from tests.factories import tiny_capture
from tests.factories.rays import bundle_of


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="layers", size=400, seed=3)


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
