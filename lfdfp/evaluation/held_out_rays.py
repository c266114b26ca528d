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

from lfdfp.datatypes import BoolArray, FloatArray, LensletGrid, Rays

HoldOut = Literal["pixels", "lenslets", "sub-aperture"]

_UNMEASURED = -1.5  # measured light below it marks missing and saturated pixels


def held_out_mask(
    grid: LensletGrid,
    kind: HoldOut,
    *,
    share: float = 0.1,
    direction_px: tuple[float, float] = (0.0, 2.0),
    seed: int = 0,
) -> BoolArray:
    """Which pixels of the sensor are left out, shape (H, W).

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
    cos, sin = np.cos(grid.rotation_rad), np.sin(grid.rotation_rad)
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


def without(rays: Rays, held: BoolArray) -> Rays:
    """The same rays with the held-out pixels dead, so that no stage can use them."""
    response = np.where(held, np.float32(0), rays.calibration.response)
    return dataclasses.replace(
        rays, calibration=dataclasses.replace(rays.calibration, response=response)
    )


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
        """How much smaller the error of `name` is than that of `over` in detailed areas, in dB."""
        return float(20 * np.log10(self.detailed_error[over] / self.detailed_error[name]))


def held_out_score(
    measured: FloatArray,
    predictions: Mapping[str, FloatArray],
    held: BoolArray,
    detail: FloatArray,
    *,
    detailed_share: float = 0.3,
) -> HeldOutScore:
    """Compare predictions with the held-out rays that all of them reach.

    Parameters
    ----------
    measured
        Shape (H, W), light; below -1 where missing or saturated.
    predictions
        By name, shape (H, W); 0 where there is none.
    held
        Shape (H, W).
    detail
        Shape (H, W): how much the scene varies around each ray, from what was not held out.
    detailed_share
        Of the rays, those with most detail.
    """
    used = _comparable(measured, predictions, held)
    strong = used & (detail >= np.quantile(detail[used], 1 - detailed_share))
    return HeldOutScore(
        rays=int(used.sum()),
        detailed_rays=int(strong.sum()),
        error={name: _rms(measured, p, used) for name, p in predictions.items()},
        detailed_error={name: _rms(measured, p, strong) for name, p in predictions.items()},
    )


def _comparable(
    measured: FloatArray, predictions: Mapping[str, FloatArray], held: BoolArray
) -> BoolArray:
    used = held & (measured > _UNMEASURED)
    for prediction in predictions.values():
        used &= prediction != 0
    if not used.any():
        raise ValueError("no held-out ray is measured and predicted by all pictures")
    return used


def _rms(measured: FloatArray, predicted: FloatArray, where: BoolArray) -> float:
    return float(np.sqrt(np.mean((measured[where] - predicted[where]) ** 2, dtype=np.float64)))


def detail_regression(
    measured: FloatArray, fine: FloatArray, coarse: FloatArray, held: BoolArray
) -> tuple[float, float]:
    """Slope of (measured - coarse) on (fine - coarse) over the held-out rays, and its error.

    1: the detail that the fine prediction adds is real and of the right size; 0: invented.

    Parameters
    ----------
    measured, fine, coarse
        Shape (H, W): light, its prediction from the solution, and from the same solution limited
        to the resolution of the views.
    """
    used = _comparable(measured, {"fine": fine, "coarse": coarse}, held)
    added = (fine[used] - coarse[used]).astype(np.float64)
    missing = (measured[used] - coarse[used]).astype(np.float64)
    power = float(added @ added)
    if power == 0.0:
        return 0.0, float("inf")
    slope = float(added @ missing) / power
    rest = missing - slope * added
    return slope, float(np.sqrt(rest @ rest / max(len(rest) - 1, 1) / power))
