from __future__ import annotations

import numpy as np
import pytest

from lfdfp.errors import SettingsError
from lfdfp.refocus.aperture import relative_stop, round_aperture, square_aperture


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
