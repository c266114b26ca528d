"""Bundles stand for an integral: centered, of the right size, whatever their number of rays."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from lfdfp.datatypes import ROW_STEP_PITCHES
from lfdfp.simulation.bundle import BundleSize, lenslet_bundles, pixel_bundle
from lfdfp.simulation.camera import Imperfections

IDEAL = replace(Imperfections(), diffraction_px=0.0, footprint_scale=1.0, footprint="square")


@pytest.mark.parametrize("size", get_args(BundleSize))
def test_a_bundle_is_centered_and_covers_a_lenslet_and_a_pixel(size: BundleSize) -> None:
    bundles = lenslet_bundles(IDEAL, size)
    assert bundles.shape[1:] == (4, size)
    rays = np.moveaxis(bundles, 1, 0).reshape(4, -1)
    np.testing.assert_allclose(rays.mean(axis=1), 0, atol=0.02)
    side = np.sqrt(ROW_STEP_PITCHES)
    np.testing.assert_allclose(rays.var(axis=1), np.array([side, side, 1, 1]) ** 2 / 12, rtol=0.03)
    assert np.abs(rays[:2]).max() <= side / 2
    assert np.abs(rays[2:]).max() <= 0.5


def test_a_hexagon_has_a_lenslets_area_and_no_more() -> None:
    y, x = np.moveaxis(lenslet_bundles(replace(IDEAL, footprint="hexagon"), 256)[:, :2], 1, 0)
    for angle in np.pi / 3 * np.arange(6):
        assert (y * np.sin(angle) + x * np.cos(angle)).max() <= 0.5 + 1e-6
    assert (y**2 + x**2).mean() == pytest.approx(5 / 36, rel=0.02)  # of a hexagon of width 1


def test_diffraction_widens_directions_by_its_variance() -> None:
    bundles = lenslet_bundles(replace(IDEAL, diffraction_px=0.4), 256)
    assert bundles[:, 2:].var() == pytest.approx(1 / 12 + 0.16, rel=0.03)


def test_the_pixel_of_a_picture_is_a_square_of_the_center_view() -> None:
    y, x, v, u = pixel_bundle(0.5, 6)[0]
    assert not v.any()
    assert not u.any()
    assert np.abs(np.stack([y, x])).max() < 0.25
    assert y.var() == pytest.approx(0.25 / 12, rel=0.05)
    assert abs(np.mean(y * x)) < 1e-6


def test_other_sizes_are_misuse() -> None:
    with pytest.raises(ValueError, match="got 20"):
        lenslet_bundles(IDEAL, 20)  # type: ignore[arg-type]
