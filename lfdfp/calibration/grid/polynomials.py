"""The polynomials that a smooth displacement over the sensor is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray

TERMS = {1: 3, 2: 6, 3: 10}
"""Number of leading monomials of a polynomial of degree 1, 2, 3."""

_ZONES_PER_SIDE = 8


def monomials(position: DoubleArray) -> DoubleArray:
    """Shape (..., 10): 1, y, x, y², yx, x², y³, y²x, yx², x³ of positions (y, x), (..., 2)."""
    y, x = position[..., 0], position[..., 1]
    yy, xx = y * y, x * x  # powers of arrays are slow
    terms = (np.ones_like(y), y, x, yy, y * x, xx, yy * y, yy * x, y * xx, xx * x)
    return np.stack(terms, axis=-1)


def fold_of_positions(position_px: DoubleArray, folds: int) -> NDArray[np.int64]:
    """Fold of every position (N, 2): square zones, so that near neighbors share their fold."""
    low, high = position_px.min(axis=0), position_px.max(axis=0)
    zone_px = max(float((high - low).min()) / _ZONES_PER_SIDE, 1e-6)
    zone = ((position_px - low) // zone_px).astype(np.int64)
    return np.asarray((zone[:, 0] + 2 * zone[:, 1]) % folds)
