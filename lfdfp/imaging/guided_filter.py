"""Edge-aware smoothing in constant time per pixel."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray


class GuidedFilter:
    """Smooth pictures so that their edges are those of a guide [1]_.

    In every window the output is a linear function of the guide, fitted to the input. What
    depends on the guide alone is computed once, for any number of inputs.

    Parameters
    ----------
    guide
        Shape (T, S).
    radius_px
        Windows have 2 radius + 1 pixels a side.
    regularization
        Variance of the guide, in its units squared, that counts as an edge.

    References
    ----------
    .. [1] K. He, J. Sun, X. Tang, "Guided Image Filtering", IEEE TPAMI 35(6), 2013, eq. (5)-(8).
    """

    def __init__(self, guide: FloatArray, *, radius_px: int, regularization: float) -> None:
        self._guide = np.ascontiguousarray(guide, np.float32)
        self._size = 2 * radius_px + 1
        self._mean = self._average(self._guide)
        variance = self._average(self._guide * self._guide) - self._mean * self._mean
        self._scale = 1.0 / (np.maximum(variance, 0.0) + np.float32(regularization))

    def __call__(self, image: FloatArray) -> FloatArray:
        """The smoothed image, shape (T, S)."""
        mean = self._average(image)
        covariance = self._average(self._guide * image) - self._mean * mean
        slope = covariance * self._scale
        intercept = mean - slope * self._mean
        return np.asarray(self._average(slope) * self._guide + self._average(intercept), np.float32)

    def _average(self, image: FloatArray) -> FloatArray:
        import cv2

        size = (self._size, self._size)
        return np.asarray(cv2.blur(image, size, borderType=cv2.BORDER_REFLECT_101), np.float32)
