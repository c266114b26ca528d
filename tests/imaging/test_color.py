"""Color conversion: matrices, neutral white, orientations as EXIF defines them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from lfdfp.datatypes import ColorData
from lfdfp.imaging.color import (
    camera_to_linear_srgb,
    camera_to_srgb_matrix,
    display_matrix,
    exposure_gain,
    oriented,
)


def test_the_matrices_differ_by_white_balance_alone() -> None:
    matrix = ((3.0, -1.8, -0.2), (-0.4, 1.7, -0.3), (0.1, -1.1, 2.0))
    color = ColorData(white_balance=(1.4, 1.0, 1.2), camera_to_srgb=matrix, exposure_bias_ev=0.3)
    balanced = np.array([0.2, 0.5, 0.7])
    camera = balanced / np.array([1.4, 1.0, 1.2])
    by_both = camera_to_srgb_matrix(color) @ camera
    np.testing.assert_allclose(display_matrix(color) @ balanced, by_both)
    np.testing.assert_allclose(by_both, exposure_gain(color) * np.array(matrix) @ balanced)


def test_white_stays_neutral_through_a_matrix_whose_rows_sum_to_one() -> None:
    matrix = ((3.0, -1.8, -0.2), (-0.4, 1.7, -0.3), (0.1, -1.1, 2.0))
    color = ColorData(white_balance=(1.4, 1.0, 1.2), camera_to_srgb=matrix)
    gray = np.float32(0.5) / np.array([1.4, 1.0, 1.2], np.float32)
    np.testing.assert_allclose(camera_to_linear_srgb(gray, color), 0.5, rtol=1e-6)


def test_exposure_bias_of_both_camera_generations_gives_a_gain_near_one() -> None:
    assert exposure_gain(ColorData(exposure_bias_ev=-1.11)) == pytest.approx(2**0.11)
    assert exposure_gain(ColorData(exposure_bias_ev=0.27)) == pytest.approx(2**-0.27)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_that_of_exif(orientation: int) -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = Image.fromarray(picture)
    image.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(oriented(picture, orientation), expected)
