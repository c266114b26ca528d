"""The modified Laplacian sees bends in either direction, and no ramps."""

from __future__ import annotations

import numpy as np

from lfdfp.imaging.modified_laplacian import modified_laplacian


def test_ramps_have_none_and_bowls_the_sum_of_both_bends() -> None:
    y, x = np.indices((20, 24)).astype(np.float32)
    inside = slice(1, -1)
    ramp = modified_laplacian(0.5 * y - 0.25 * x)[inside, inside]
    np.testing.assert_allclose(ramp, 0.0, atol=1e-5)
    saddle = modified_laplacian(y * y - 3 * x * x)[inside, inside]
    np.testing.assert_allclose(saddle, 2.0 + 6.0, rtol=1e-5)


def test_a_turned_picture_has_the_turned_laplacian() -> None:
    picture = np.random.default_rng(1).random((16, 21)).astype(np.float32)
    turned = np.ascontiguousarray(picture.T)
    np.testing.assert_allclose(modified_laplacian(turned), modified_laplacian(picture).T, atol=1e-6)
