"""Cubic splines: SciPy's coefficients, samples that come back, a prefilter that is symmetric."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from lfdfp.datatypes import FloatArray
from lfdfp.evaluation.adjoint import dot_test
from lfdfp.imaging.splines import (
    SPLINE_MARGIN,
    spline_coefficients,
    spline_taps,
    split_shifts,
)


def _coefficients(image: FloatArray) -> FloatArray:
    return spline_coefficients(np.ascontiguousarray(image, np.float32).copy())


@pytest.mark.parametrize("shape", [(23, 31), (23, 31, 3)])
def test_the_prefilter_is_its_own_adjoint(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    assert dot_test(_coefficients, _coefficients, shape, shape, rng) < 1e-6


def test_inner_samples_come_back_from_their_coefficients() -> None:
    image = np.random.default_rng(1).random((20, 26), np.float32)
    spline = np.array([1 / 6, 2 / 3, 1 / 6])
    back = ndimage.convolve(_coefficients(image), np.outer(spline, spline), mode="constant")
    np.testing.assert_allclose(back[1:-1, 1:-1], image[1:-1, 1:-1], atol=1e-5)


def test_far_from_the_border_the_coefficients_are_scipys() -> None:
    image = np.random.default_rng(2).random((48, 52), np.float32)
    far = slice(SPLINE_MARGIN, -SPLINE_MARGIN)
    expected = ndimage.spline_filter(image.astype(np.float64), order=3)
    np.testing.assert_allclose(_coefficients(image)[far, far], expected[far, far], atol=2e-6)


def test_taps_add_up_to_one_and_are_mirrored() -> None:
    fraction = np.linspace(0, 1, 11)
    taps = spline_taps(fraction)
    np.testing.assert_allclose(taps.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(taps, spline_taps(1 - fraction)[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(taps[0], [1 / 6, 2 / 3, 1 / 6, 0], atol=1e-6)


@pytest.mark.parametrize("shift", [-2.25, -1.0, 0.0, 0.5, 3.75])
def test_a_shift_is_its_whole_part_and_a_fraction(shift: float) -> None:
    whole, taps = split_shifts(np.array(shift))
    assert int(whole) == int(np.floor(shift))
    np.testing.assert_array_equal(taps, spline_taps(np.array(shift - np.floor(shift))))
