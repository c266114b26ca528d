"""The plain decode that the real one has to beat.

Devignette, demosaic the whole sensor bilinearly as if it were a photograph, read it at the lens
centers, interpolate linearly along rows: what first decoders of lenslet cameras do. Written
independently of `lfdfp.decoding`.
"""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import (
    BAYER_COLOR,
    ROW_STEP_PITCHES,
    BoolArray,
    Calibration,
    DoubleArray,
    FloatArray,
    RawCapture,
    ViewSampling,
)
from lfdfp.imaging.color import camera_to_linear_srgb

_LEAST_RESPONSE = 0.05
_LEAST_SUPPORT = 0.2  # of a dead pixel's surroundings that has to work
_FILL_SIGMAS_PX = (8.0, 1.0)  # in pixels of one color; the nearer one wins


class PlainDecode:
    """Plain views of a capture, in linear sRGB.

    Parameters
    ----------
    capture, calibration
        As for `lfdfp.decoding.decode`.
    """

    def __init__(self, capture: RawCapture, calibration: Calibration) -> None:
        self._grid = calibration.grid
        self._picture = _demosaiced(capture, calibration.response)

    def at_lenslets(self, q: DoubleArray, r: DoubleArray, v: float, u: float) -> FloatArray:
        """Samples, shape (..., 3), of view (v, u) at lenslets (q, r); direction in raw pixels."""
        import cv2

        cosine, sine = self._grid.turn
        row, column = self._grid.centers(q, r).astype(np.float32)
        row += np.float32(v * cosine + u * sine)
        column += np.float32(u * cosine - v * sine)
        return np.asarray(cv2.remap(self._picture, column, row, cv2.INTER_LINEAR), np.float32)

    def view(self, sampling: ViewSampling, v: float, u: float) -> FloatArray:
        """One view, shape (T, S, 3), on the square grid: rows interpolated linearly."""
        n_t, n_s = sampling.shape
        r = round(sampling.origin_pitch[0] / ROW_STEP_PITCHES) + np.arange(n_t)[:, None]
        x = sampling.origin_pitch[1] + sampling.step_pitch * np.arange(n_s)[None, :]
        place = x - r / 2
        left = np.floor(place)
        share = (place - left)[..., None].astype(np.float32)
        row = np.broadcast_to(r, left.shape).astype(np.float64)
        before, after = (self.at_lenslets(left + k, row, v, u) for k in (0, 1))
        return (1 - share) * before + share * after


def _demosaiced(capture: RawCapture, response: FloatArray) -> FloatArray:
    """Bilinear demosaicing with OpenCV's kernels, in float: linear sRGB."""
    import cv2

    channels = np.zeros((*capture.mosaic.shape, 3), np.float32)
    for channel, rows, columns, black, white in capture.bayer_planes():
        light = (capture.mosaic[rows, columns] - np.float32(black)) / np.float32(white - black)
        light /= np.maximum(response[rows, columns], _LEAST_RESPONSE)
        channels[rows, columns, BAYER_COLOR[channel]] += _filled(light, response[rows, columns] > 0)
    cross = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
    square = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4
    kernels = (square, cross, square)
    border = cv2.BORDER_REFLECT_101
    camera = np.stack(
        [
            cv2.filter2D(np.ascontiguousarray(channels[..., c]), -1, kernels[c], borderType=border)
            for c in range(3)
        ],
        axis=-1,
    )
    return camera_to_linear_srgb(camera, capture.color)


def _filled(light: FloatArray, works: BoolArray) -> FloatArray:
    """One Bayer plane with dead pixels made up from those around: near ones, else farther ones."""
    import cv2

    if works.all():
        return light
    filled = np.where(works, light, np.float32(0))
    known = works.astype(np.float32)
    for sigma in _FILL_SIGMAS_PX:
        amount, weight = (cv2.GaussianBlur(p, (0, 0), sigma) for p in (light * known, known))
        filled = np.where(works | (weight < _LEAST_SUPPORT), filled, amount / (weight + 1e-12))
    return np.asarray(filled, np.float32)
