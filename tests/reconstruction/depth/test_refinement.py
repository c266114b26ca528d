"""Surfaces fitted to what rays ask for."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.reconstruction.depth.refinement import fitted_slopes, local_disagreement
from lfdfp.simulation import SimulatedCapture
from tests.factories import tiny_capture
from tests.factories.rays import bundle_of


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="layers", size=400, seed=3)


def test_without_evidence_a_tilted_surface_stays_as_it_is(capture: SimulatedCapture) -> None:
    bundle = bundle_of(capture, k=4)
    y, x = np.mgrid[0 : bundle.grid.shape[0], 0 : bundle.grid.shape[1]].astype(np.float32)
    tilted = (0.002 * y - 0.001 * x).astype(np.float32)
    steps = np.zeros((4, *tilted.shape), np.float32)
    fitted = fitted_slopes(tilted, steps, bundle)
    np.testing.assert_allclose(fitted[20:-20, 20:-20], tilted[20:-20, 20:-20], atol=1e-4)


def test_rays_disagree_where_residuals_exceed_the_noise() -> None:
    steps = np.zeros((4, 20, 20), np.float32)
    steps[3] = 10
    steps[2] = 5
    steps[2, :, 10:] = 100
    disagreement = local_disagreement(steps)
    np.testing.assert_array_equal(disagreement[:, :7], 1.0)
    np.testing.assert_allclose(disagreement[:, 13:], 5.0, rtol=0.01)
