"""Gaussian blur."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray


def gaussian(image: FloatArray, sigma_px: float) -> FloatArray:
    """Blur of (T, S) or (T, S, C) by a Gaussian of this standard deviation, mirrored at borders."""
    import cv2

    return np.asarray(cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), sigma_px), np.float32)
