"""The polynomials that a smooth displacement over the sensor is made of."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import DoubleArray

TERMS = {1: 3, 2: 6, 3: 10}
"""Number of leading monomials of a polynomial of degree 1, 2, 3."""

_QUADRATIC_PX, _CUBIC_PX = 0.3, 0.7
"""Standard deviations of second- and third-order displacements at the sensor's upper border."""


def monomials(position: DoubleArray) -> DoubleArray:
    """Shape (..., 10): 1, y, x, y², yx, x², y³, y²x, yx², x³ of positions (y, x), (..., 2)."""
    y, x = position[..., 0], position[..., 1]
    yy, xx = y * y, x * x  # powers of arrays are slow
    terms = (np.ones_like(y), y, x, yy, y * x, xx, yy * y, yy * x, y * xx, xx * x)
    return np.stack(terms, axis=-1)


def distortion_precision() -> DoubleArray:
    """Shape (10,): inverse variances of the displacements, in pixels, that lenses may make.

    Of either axis at the sensor's upper border; 0 for the affine terms, of which nothing is known.
    """
    precision = np.zeros(TERMS[3])
    precision[TERMS[1] :] = _QUADRATIC_PX**-2
    precision[TERMS[2] :] = _CUBIC_PX**-2
    return precision
