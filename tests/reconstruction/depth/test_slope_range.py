"""The range of disparity that is found from the rays."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.reconstruction.depth.slope_range import slope_range_from_rays
from lfdfp.simulation import SimulatedCapture
from tests.factories import tiny_capture
from tests.factories.rays import bundle_of


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="layers", size=400, seed=3)


def test_the_range_holds_the_scene(capture: SimulatedCapture) -> None:
    bundle = bundle_of(capture, k=2)
    low, high = slope_range_from_rays(bundle, outlier_error=0.02, truncation=9.0)
    truth = capture.disparity_pitch(1)
    scale = bundle.grid.pixels_per_pitch
    assert low / scale < truth.min() < truth.max() < high / scale
    assert (high - low) / scale < 2 * float(np.ptp(truth))
