"""Detail of a picture, as focus measures take it."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray

_SECOND_DIFFERENCE = np.array([[-1.0, 2.0, -1.0]], np.float32)


def modified_laplacian(channel: FloatArray) -> FloatArray:
    """Modified Laplacian [1]_ |∂²x| + |∂²y| of a channel (T, S), in its units per pixel squared.

    The picture is mirrored at its border.

    References
    ----------
    .. [1] S. K. Nayar, Y. Nakagawa, "Shape from Focus", IEEE TPAMI 16(8), 1994, eq. (5)-(7).
    """
    import cv2

    mirrored = cv2.BORDER_REFLECT_101
    bend = np.abs(cv2.filter2D(channel, -1, _SECOND_DIFFERENCE, borderType=mirrored))
    bend += np.abs(cv2.filter2D(channel, -1, _SECOND_DIFFERENCE.T, borderType=mirrored))
    return np.asarray(bend, np.float32)
