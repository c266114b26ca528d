from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import LightField, Rays
from lfdfp.errors import MetadataError, SettingsError
from lfdfp.refocusing.aperture import (
    named_aperture,
    relative_stop,
    round_aperture,
    square_aperture,
)
from tests.factories import tiny_capture


def test_the_whole_square_opens_every_view() -> None:
    np.testing.assert_array_equal(square_aperture((5, 7)), np.ones((5, 7)))


def test_a_stop_narrows_both_apertures_by_its_factor() -> None:
    assert square_aperture((15, 15), stop=3).sum() == pytest.approx(25.0)
    assert round_aperture((15, 15)).sum() == pytest.approx(np.pi * 7.5**2, rel=2e-3)
    assert round_aperture((15, 15), stop=2).sum() == pytest.approx(np.pi * 3.75**2, rel=1e-2)


def test_a_round_aperture_is_symmetric_and_leaves_out_the_corners() -> None:
    aperture = round_aperture((9, 9))
    np.testing.assert_array_equal(aperture, aperture[::-1])
    np.testing.assert_array_equal(aperture, aperture.T)
    assert aperture[0, 0] == 0
    assert aperture[4, 4] == 1


def test_a_disc_can_stand_off_center() -> None:
    aperture = round_aperture((9, 9), stop=4, center=(0.0, 2.0))
    assert np.average(np.arange(9) - 4, weights=aperture.sum(axis=0)) == pytest.approx(2.0)


def test_impossible_stops_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"at least 1, got 0\.5"):
        round_aperture((9, 9), stop=0.5)
    with pytest.raises(SettingsError, match="no view"):
        round_aperture((9, 9), stop=9, center=(40.0, 0.0))
    with pytest.raises(SettingsError, match=r"f/1\.4 is wider than the lens's f/2"):
        relative_stop(2.0, 1.4)


def _field(views: int, *, from_capture: bool = False) -> LightField:
    light = np.zeros((views, views, 4, 4, 3), np.float32)
    rays = None
    if from_capture:
        capture = tiny_capture(size=128)
        rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    return LightField(views=light, weights=np.ones(light.shape[:4], np.float32), rays=rays)


def test_apertures_are_named_by_shape_and_width() -> None:
    field = _field(9)
    assert named_aperture(field, "square") is None
    np.testing.assert_array_equal(named_aperture(field, "round"), round_aperture((9, 9)))
    half = square_aperture((9, 9), stop=2)
    np.testing.assert_array_equal(named_aperture(field, "square:0.5"), half)


def test_an_f_number_is_relative_to_the_lens() -> None:
    field = _field(9, from_capture=True)
    assert field.rays is not None
    full = field.rays.capture.lens.f_number
    assert full is not None
    found = named_aperture(field, f"round:f/{2 * full}")
    np.testing.assert_array_equal(found, round_aperture((9, 9), stop=2))
    with pytest.raises(MetadataError, match="no f-number of the lens"):
        named_aperture(_field(9), "round:f/4")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("star", "'star': square or round is possible"),
        ("round:x", "'round:x': square or round is possible"),
        ("round:-1", "'round:-1': square or round is possible"),
        ("round:0", "width 0 is not possible"),
        ("square:2", "width 2 is not possible"),
    ],
)
def test_unknown_apertures_are_refused(name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        named_aperture(_field(5), name)
