"""The list of rays that sweeps stream through."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.reconstruction.depth.ray_list import listed_rays
from lfdfp.reconstruction.ray_marks import LEAST_MEASURED
from lfdfp.simulation import SimulatedCapture
from tests.factories import tiny_capture
from tests.factories.rays import bundle_of


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="layers", size=400, seed=3)


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
