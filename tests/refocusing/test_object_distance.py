from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.datatypes import (
    Calibration,
    Lens,
    LensletGrid,
    LightField,
    MicrolensArray,
    RawCapture,
    Rays,
    ViewSampling,
)
from lfdfp.errors import MetadataError
from lfdfp.refocusing import object_distance as units
from lfdfp.refocusing.object_distance import object_distance_m


@pytest.fixture
def field() -> LightField:
    """A field whose metadata are those of a first-generation camera focused close."""
    shape = (40, 40)
    capture = RawCapture(
        mosaic=np.zeros(shape, np.uint16),
        bayer=("b", "gb", "gr", "r"),
        black_codes=(168.0,) * 4,
        white_codes=(4095.0,) * 4,
        pixel_pitch_m=1.4e-6,
        microlens_array=MicrolensArray(pitch_m=1.4e-5, sensor_offset_m=(0.0, 0.0, 2.5e-5)),
        lens=Lens(focal_length_m=6.45e-3, infinity_lambda=7.0, exit_pupil_offset_m=1e4),
    )
    grid = LensletGrid(origin_px=(20, 20), right_px=(0, 10), down_px=(8.66, 5), sensor_shape=shape)
    calibration = Calibration(grid=grid, response=np.ones(shape, np.float32))
    return LightField(
        views=np.zeros((3, 3, 4, 4, 3), np.float32),
        weights=np.ones((3, 3, 4, 4), np.float32),
        sampling=ViewSampling(origin_pitch=(0.0, 0.0)),
        rays=Rays(capture=capture, calibration=calibration),
    )


def test_pitches_are_undone_by_their_opposite(field: LightField) -> None:
    slopes = np.array([-1.5, -0.3, 0.0, 0.4, 0.9])
    there = units.pitches_from_slope(field, slopes)
    np.testing.assert_allclose(units.slope_from_pitches(field, there), slopes, atol=1e-12)
    assert units.slope_from_pitches(field, 1.0) == pytest.approx(2 / np.sqrt(3))
    with pytest.raises(MetadataError, match="not decoded from rays"):
        units.slope_from_pitches(replace(field, sampling=None), 1.0)


def test_distance_follows_the_lens_equation(field: LightField) -> None:
    """In focus, the array stands Λλ = 7 · 250 µm behind the image of infinity."""
    image = 6.45e-3 + 7 * 2.5e-4
    assert object_distance_m(field, 0.0) == pytest.approx(1 / (1 / 6.45e-3 - 1 / image))


def test_nearer_is_more_negative_and_infinity_is_at_lambda(field: LightField) -> None:
    assert object_distance_m(field, -0.5) < object_distance_m(field, 0.5)
    assert object_distance_m(field, units.slope_from_pitches(field, 6.99)) > 10
    assert object_distance_m(field, units.slope_from_pitches(field, 7.01)) == float("inf")


def test_no_distance_is_made_up(field: LightField) -> None:
    with pytest.raises(MetadataError, match="not decoded from rays"):
        object_distance_m(replace(field, rays=None), 0.0)
    assert field.rays is not None
    capture = replace(field.rays.capture, lens=Lens(focal_length_m=6.45e-3))
    rays = replace(field.rays, capture=capture)
    with pytest.raises(MetadataError, match=r"lack infinityLambda, exitPupilOffset\.z"):
        object_distance_m(replace(field, rays=rays), 0.0)
