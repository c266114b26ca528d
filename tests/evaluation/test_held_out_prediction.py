"""Rays that are left out stay unseen, and are predicted better from the rays than from views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.calibration.noise import noise_from_capture
from lfdfp.decoding import decode
from lfdfp.errors import SettingsError
from lfdfp.evaluation.held_out_prediction import (
    BAND_LIMITED,
    CENTER_VIEW,
    RAYS,
    STACK,
    Area,
    cropped,
    predict_held_out_rays,
)
from lfdfp.evaluation.held_out_rays import HoldOut, held_out_mask, without
from lfdfp.reconstruction.reconstruct import solve_rays
from lfdfp.simulation import SimulatedCapture
from tests.factories import tiny_capture, true_field

AREA = Area(rows=32, columns=36, top=2, left=1)


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="curved", size=400, seed=5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pixels", "lenslets", "sub-aperture"])
def test_no_stage_sees_what_is_held_out(capture: SimulatedCapture, kind: HoldOut) -> None:
    raw, calibration = capture.raw_capture(), capture.true_calibration()
    held = held_out_mask(calibration.grid, kind, share=0.1)
    rest = without(calibration, held)
    random = np.random.default_rng(1).integers(0, 4096, raw.mosaic.shape).astype(np.uint16)
    other = replace(raw, mosaic=np.where(held, random, raw.mosaic))
    fields = [decode(one, rest) for one in (raw, other)]
    np.testing.assert_array_equal(fields[0].views, fields[1].views)
    noises = [noise_from_capture(one, rest.grid, rest.response) for one in (raw, other)]
    assert noises[0] == noises[1]
    solutions = []
    for field in (cropped(one, AREA) for one in fields):
        assert field.rays is not None
        assert field.sampling is not None
        solutions.append(solve_rays(field.rays, sampling=field.sampling))
    np.testing.assert_array_equal(solutions[0].picture, solutions[1].picture)
    np.testing.assert_array_equal(solutions[0].slope_map, solutions[1].slope_map)


@pytest.mark.slow
def test_rays_predict_held_out_rays_better_than_views_and_stack(capture: SimulatedCapture) -> None:
    raw, calibration = capture.raw_capture(), capture.true_calibration()
    (report,) = predict_held_out_rays(raw, calibration, kinds=["pixels"])
    assert report.score.rays > 3000
    for other in (CENTER_VIEW, STACK, BAND_LIMITED):
        assert report.score.detailed_gain_db(RAYS, other) > 1
    slope, error = report.detailed_regression
    assert slope == pytest.approx(1, abs=0.1 + 3 * error)


@pytest.mark.parametrize("area", [Area(8, 40, 0, 0), Area(40, 40, 30, 0)])
def test_an_area_outside_the_views_or_too_small_is_refused(area: Area) -> None:
    field = true_field(tiny_capture("f01", size=400, scene="plane"), radius=0)
    with pytest.raises(SettingsError, match="area"):
        cropped(field, area)
