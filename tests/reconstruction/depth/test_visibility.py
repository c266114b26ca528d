"""Which surface a ray sees."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.reconstruction.depth.visibility import visible_slopes
from lfdfp.reconstruction.ray_marks import STEEPEST
from lfdfp.simulation import SimulatedCapture
from tests.factories import tiny_capture
from tests.factories.rays import bundle_of


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="layers", size=400, seed=3)


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
    origins, table = bundle.places.origins, bundle.lenslets
    inside = np.all((origins > 20) & (origins < np.array(bundle.grid.shape) - 20), axis=1)
    rows, columns = np.rint(table.centers_px[inside]).astype(int).T
    np.testing.assert_array_equal(slopes[rows, columns], np.float32(0.7))
