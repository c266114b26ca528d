from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import ColorData
from lfdfp.imaging.white_balance import gains_for_temperature, gains_from_picture
from lfdfp.simulation import camera_model

ILLUM = camera_model("illum").color
F01 = camera_model("f01").color


def test_the_gains_that_an_illum_states_for_daylight_are_its_own() -> None:
    np.testing.assert_allclose(gains_for_temperature(6504, ILLUM, "ILLUM"), (1.5122, 1, 1.189))


def test_an_unknown_camera_keeps_its_balance_at_5500_kelvin() -> None:
    np.testing.assert_allclose(gains_for_temperature(5500, F01, "F01"), F01.white_balance)


@pytest.mark.parametrize("color", [ILLUM, F01])
def test_warmer_light_needs_more_blue_and_less_red(color: ColorData) -> None:
    kelvins = (2000, 2500, 3500, 4500, 5500, 6900, 7100, 12000)
    gains = np.array([gains_for_temperature(k, color, "") for k in kelvins])
    assert (np.diff(gains[:, 0]) > 0).all()
    assert (np.diff(gains[:, 2]) < 0).all()
    # A black body and daylight of 4000 K differ by as much, across the color temperature.
    body, day = (gains_for_temperature(k, color, "") for k in (3999.9, 4000.0))
    assert np.abs(body / day - 1).max() < 0.04


def test_measured_responses_of_an_illum_are_predicted() -> None:
    # Two units state their response to light of 5100 K: (0.776, 0.734) and (0.744, 0.760).
    red, _, blue = gains_for_temperature(5100, ILLUM, "ILLUM")
    assert red == pytest.approx(1 / 0.76, abs=0.1)
    assert blue == pytest.approx(1 / 0.747, abs=0.1)


def test_gray_shades_become_neutral_by_themselves() -> None:
    rng = np.random.default_rng(1)
    gray = rng.uniform(0.02, 0.6, (40, 50, 1)) * np.ones(3)
    cast = np.array([1.3, 1.0, 0.7])
    gains = gains_from_picture((gray * cast).astype(np.float32), (1.2, 1.0, 1.5))
    np.testing.assert_allclose(gains, np.array([1.2, 1.0, 1.5]) / cast, rtol=1e-4)


def test_saturated_light_does_not_count() -> None:
    picture = np.full((20, 20, 3), 0.3, np.float32)
    picture[:10] = (1.0, 1.0, 0.2)
    np.testing.assert_allclose(gains_from_picture(picture, (1.0, 1.0, 1.0)), 1, rtol=1e-5)


def test_a_black_picture_keeps_the_camera_balance() -> None:
    black = np.zeros((4, 4, 3), np.float32)
    np.testing.assert_array_equal(gains_from_picture(black, (1.1, 1.0, 1.4)), (1.1, 1.0, 1.4))
