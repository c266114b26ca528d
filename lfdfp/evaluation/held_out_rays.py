"""Evidence without a truth: rays that are left out everywhere, and then predicted.

A reconstruction that invents detail predicts rays that it has not seen no better than a smooth
one. Three ways of leaving out: a random share of the pixels, whole lenslets, one sub-aperture.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lfdfp.datatypes import BoolArray, Calibration, FloatArray, LensletGrid
from lfdfp.errors import CaptureError
from lfdfp.evaluation.protocol import encoded
from lfdfp.imaging.color import luminance
from lfdfp.reconstruction.ray_marks import LEAST_MEASURED

HoldOut = Literal["pixels", "lenslets", "sub-aperture"]

_DETAIL_WINDOW_PX = 5


def held_out_mask(
    grid: LensletGrid,
    kind: HoldOut,
    *,
    share: float = 0.1,
    direction_px: tuple[float, float] = (0.0, 2.0),
    seed: int = 0,
) -> BoolArray:
    """Which pixels of the sensor are held out, shape (H, W): True for those.

    Parameters
    ----------
    share
        Of the pixels or of the lenslets.
    direction_px
        (v, u) of the sub-aperture: pixels within half a pixel of it under every lenslet.
    seed
        Of the random choice.
    """
    rng = np.random.default_rng(seed)
    if kind == "pixels":
        return np.asarray(rng.random(grid.sensor_shape, np.float32) < share)
    q, r, down, right = _lenslet_coordinates(grid)
    if kind == "lenslets":
        q, r = q - q.min(), r - r.min()
        return np.asarray(rng.random((r.max() + 1, q.max() + 1))[r, q] < share)
    cos, sin = grid.turn
    v, u = cos * down - sin * right, sin * down + cos * right
    near = (np.abs(v - direction_px[0]) <= 0.5) & (np.abs(u - direction_px[1]) <= 0.5)
    return np.asarray(near)


def _lenslet_coordinates(grid: LensletGrid) -> tuple[np.ndarray, ...]:
    """Lenslet (q, r) of every pixel, by rounding in cubic coordinates, and the offset from it."""
    row, column = np.indices(grid.sensor_shape, dtype=np.float64)
    q, r = grid.lattice_coordinates(row, column)
    whole_q, whole_r, third = np.rint(q), np.rint(r), np.rint(-q - r)
    error_q, error_r, error_t = abs(q - whole_q), abs(r - whole_r), abs(-q - r - third)
    mend_q = (error_q > error_r) & (error_q > error_t)
    mend_r = ~mend_q & (error_r > error_t)
    whole_q = np.where(mend_q, -whole_r - third, whole_q)
    whole_r = np.where(mend_r, -whole_q - third, whole_r)
    center = grid.centers(whole_q, whole_r)
    return whole_q.astype(int), whole_r.astype(int), row - center[0], column - center[1]


def without(calibration: Calibration, held: BoolArray) -> Calibration:
    """The same calibration with the held-out pixels dead, so that no stage can use them.

    The noise that it states is forgotten: it was measured on all pixels.
    """
    response = np.where(held, np.float32(0), calibration.response)
    return dataclasses.replace(calibration, response=response, noise=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutScore:
    """How well pictures predict held-out rays.

    Attributes
    ----------
    rays, detailed_rays
        How many were compared.
    error, detailed_error
        Root mean square error of each picture, over all rays and in detailed areas.
    """

    rays: int
    detailed_rays: int
    error: Mapping[str, float]
    detailed_error: Mapping[str, float]

    def gain_db(self, name: str, over: str) -> float:
        """How much smaller the error of `name` is than that of `over`, in dB."""
        return _decibel(self.error[over] / self.error[name])

    def detailed_gain_db(self, name: str, over: str) -> float:
        """The same in detailed areas."""
        return _decibel(self.detailed_error[over] / self.detailed_error[name])


def _decibel(ratio: float) -> float:
    return float(20 * np.log10(ratio))


def comparable_rays(
    measured: FloatArray, predictions: Mapping[str, FloatArray], held: BoolArray
) -> BoolArray:
    """Shape (H, W): the held-out rays that are measured and that all predictions reach.

    Parameters
    ----------
    measured
        Shape (H, W), light; below -1 where missing or saturated.
    predictions
        By name, shape (H, W); 0 where there is none.
    held
        Shape (H, W).

    Raises
    ------
    CaptureError
        Where there is none.
    """
    used = held & (measured > LEAST_MEASURED)
    for prediction in predictions.values():
        used &= prediction != 0
    if not used.any():
        raise CaptureError("no held-out ray is measured and predicted by all pictures")
    return used


def detail_around(view: FloatArray) -> FloatArray:
    """Root mean square gradient of display luma around every pixel of a view (T, S, 3): (T, S)."""
    import cv2

    shown = encoded(luminance(view))
    down, right = (cv2.Sobel(shown, cv2.CV_32F, *order) for order in ((0, 1), (1, 0)))
    window = (_DETAIL_WINDOW_PX, _DETAIL_WINDOW_PX)
    return np.asarray(np.sqrt(cv2.blur(down * down + right * right, window)), np.float32)


def detailed_rays(used: BoolArray, detail: FloatArray, share: float = 0.3) -> BoolArray:
    """Shape (H, W): of the rays `used`, the share with most detail.

    Parameters
    ----------
    detail
        Shape (H, W): how much the scene varies around each ray, from what was not held out.
    """
    return used & (detail >= np.quantile(detail[used], 1 - share))


def held_out_score(
    measured: FloatArray,
    predictions: Mapping[str, FloatArray],
    used: BoolArray,
    detailed: BoolArray,
) -> HeldOutScore:
    """Compare predictions with the held-out rays of two masks (`comparable_rays`).

    All arrays have the sensor's shape (rows, columns); values are linear light, 1 is white.
    """
    return HeldOutScore(
        rays=int(used.sum()),
        detailed_rays=int(detailed.sum()),
        error={name: _rms(measured, p, used) for name, p in predictions.items()},
        detailed_error={name: _rms(measured, p, detailed) for name, p in predictions.items()},
    )


def _rms(measured: FloatArray, predicted: FloatArray, where: BoolArray) -> float:
    return float(np.sqrt(np.mean((measured[where] - predicted[where]) ** 2, dtype=np.float64)))


def detail_regression(
    measured: FloatArray, fine: FloatArray, coarse: FloatArray, used: BoolArray
) -> tuple[float, float]:
    """Slope of (measured - coarse) on (fine - coarse) over the rays `used`, and its error.

    1: the detail that the fine prediction adds is real and of the right size; 0: invented.

    Parameters
    ----------
    measured, fine, coarse
        Shape (H, W): light, its prediction from the solution, and from the same solution limited
        to the resolution of the views.
    """
    added = (fine[used] - coarse[used]).astype(np.float64)
    missing = (measured[used] - coarse[used]).astype(np.float64)
    power = float(added @ added)
    if power == 0.0:
        return 0.0, float("inf")
    slope = float(added @ missing) / power
    rest = missing - slope * added
    return slope, float(np.sqrt(rest @ rest / max(len(rest) - 1, 1) / power))
