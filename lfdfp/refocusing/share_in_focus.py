"""How much of each pixel of a slice shows its plane, and not something blurred."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray


def share_in_focus(disparity: FloatArray, slope: float, *, views: int) -> FloatArray:
    """How far each pixel of a slice shows what lies on its plane, and nothing else.

    Away from the plane by δ, a point spreads over δ (views − 1) pixels: below one pixel it is
    sharp, above two it holds no detail that the views' own grid cannot. What is nearer than the
    plane also spreads over its neighbors, by half of that.

    Parameters
    ----------
    disparity
        Shape (T, S), pixels per angular step, near negative.
    slope
        Of the plane.
    views
        Along the wider side of the aperture.

    Returns
    -------
    ndarray of shape (T, S)
        1 where the plane is seen, 0 where only blur is.
    """
    import cv2

    spread = (disparity - np.float32(slope)) * np.float32(max(views - 1, 1))
    share = np.clip(2 - np.abs(spread), 0, 1).astype(np.float32)
    reach = np.ceil(np.maximum(-spread, 0) / 2) * (spread < -1)
    covered = np.zeros(share.shape, np.uint8)
    for radius in range(1, int(reach.max(initial=0)) + 1):
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
        covered |= np.asarray(cv2.dilate((reach >= radius).astype(np.uint8), disc), np.uint8)
    share[covered > 0] = 0
    return np.asarray(cv2.blur(share, (3, 3)), np.float32)
