"""Photographs of one scene made to fit together: alignment and exposure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray, FocalStack
from lfdfp.errors import ImageError
from lfdfp.fusion.exposure import described, exposure_windows, match_exposures
from lfdfp.imaging.display import encode, luma
from lfdfp.imaging.resampling import resample

Motion = Literal["translation", "affine"]

_EQUALIZING_BLUR_PX = 2.5
"""Blur before comparing, so that different focus looks more alike."""

_LARGEST_MISFIT_LEFT = 0.9
"""A motion that explains less of the difference than this is taken for a difference of focus."""

_LARGEST_MOTION_SHARE = 0.1
_PYRAMID_PX = 64
_LARGEST_WORKING_PX = 1_500_000
_LARGEST_SIDE_PX = 32_766
"""OpenCV addresses pixels by 16 bits when it moves a picture."""


def stack_of_photographs(
    photographs: Sequence[FloatArray] | FloatArray,
    *,
    align: bool = True,
    equalize: bool = True,
    motion: Motion = "affine",
) -> FocalStack:
    """A stack of two or more photographs (T, S, C) of one scene, linear light.

    Parameters
    ----------
    align
        Move every photograph onto the first by sub-pixel registration.
    equalize
        Bring the photographs to the first one's exposure and white balance, where a difference is
        certain (`lfdfp.fusion.exposure`).

    Raises
    ------
    ImageError
        For fewer than two photographs, or photographs of different size or number of channels.
    """
    if len(photographs) < 2:
        raise ImageError(f"fusion needs at least two photographs, got {len(photographs)}")
    shapes = [p.shape for p in photographs]
    if len(set(shapes)) > 1:
        raise ImageError(
            f"photographs must have one size and one number of channels, got {shapes}; "
            "crop or resize them first"
        )
    slices = np.asarray(photographs, np.float32)
    coverage: FloatArray | None = None
    history = [f"{len(slices)} photographs"]
    if align:
        slices, coverage, moved = aligned(slices, motion)
        history.append("moved by at most " + ", ".join(f"{m:.2f}" for m in moved) + " px")
    if equalize:
        covers = [None] * len(slices) if coverage is None else coverage
        windows = [exposure_windows(s, c) for s, c in zip(slices, covers, strict=True)]
        match = match_exposures(windows)
        if match.applied:
            slices = slices * match.gains[:, None, None]
        history.append(described(match))
    return FocalStack(slices=slices, coverage=coverage, history=tuple(history))


def aligned(
    slices: FloatArray, motion: Motion = "affine"
) -> tuple[FloatArray, FloatArray | None, list[float]]:
    """Slices moved onto the first one.

    Parameters
    ----------
    slices
        Shape (N, T, S, C), linear light.

    Returns
    -------
    slices, coverage, moved
        (N, T, S, C), `slices` itself where none moved; (N, T, S), 0 where a moved slice shows
        nothing, or None; and how far each corner moved at most, in pixels. A slice whose motion
        cannot be found, or explains little of the difference, is left untouched.

    Raises
    ------
    ImageError
        For pictures too long to be moved.
    """
    shape = slices.shape[1:3]
    if max(shape) > _LARGEST_SIDE_PX:
        raise ImageError(
            f"pictures of {shape[1]} x {shape[0]} pixels cannot be aligned, {_LARGEST_SIDE_PX} a "
            "side are the most; crop them, or leave out the alignment"
        )
    lumas = [_comparable(luma(encode(s))) for s in slices]
    warps, moved = [np.eye(2, 3, dtype=np.float32)], [0.0]
    for comparable in lumas[1:]:
        warp = find_motion(lumas[0], comparable, motion)
        distance = corner_motion(warp, shape)
        if distance > _LARGEST_MOTION_SHARE * max(shape) or not _explains(
            warp, lumas[0], comparable
        ):
            warp, distance = warps[0], 0.0
        warps.append(warp)
        moved.append(distance)
    if not any(moved):
        return slices, None, moved
    del lumas
    made, coverage = slices.copy(), np.ones(slices.shape[:3], np.float32)
    for number, (warp, distance) in enumerate(zip(warps, moved, strict=True)):
        if distance:
            made[number] = warped(slices[number], warp)
            coverage[number] = _covered(shape, warp)
    return made, coverage, moved


def _explains(warp: NDArray[np.float32], reference: FloatArray, moving: FloatArray) -> bool:
    """Whether `warp` removes a good part of what differs between the two."""
    inside = tuple(slice(n // 16, n - n // 16) for n in reference.shape)
    before = np.mean(np.square(reference - moving)[inside])
    after = np.mean(np.square(reference - warped(moving[..., None], warp)[..., 0])[inside])
    return bool(after < _LARGEST_MISFIT_LEFT * before)


def _comparable(channel: FloatArray) -> FloatArray:
    import cv2

    return np.asarray(cv2.GaussianBlur(channel, (0, 0), _EQUALIZING_BLUR_PX))


def find_motion(reference: FloatArray, moving: FloatArray, motion: Motion) -> NDArray[np.float32]:
    """Affine matrix (2, 3) that maps (column, row) of `reference` to `moving` [1]_.

    Coarse to fine; the identity where the correlation cannot be raised.

    References
    ----------
    .. [1] G. D. Evangelidis and E. Z. Psarakis, "Parametric image alignment using enhanced
       correlation coefficient maximization", IEEE TPAMI 30, 2008.
    """
    import cv2

    kind = cv2.MOTION_TRANSLATION if motion == "translation" else cv2.MOTION_AFFINE
    warp = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    for factor in _pyramid_factors(reference.shape):
        size = (reference.shape[0] // factor, reference.shape[1] // factor)
        fixed, other = (resample(x[..., None], size)[..., 0] for x in (reference, moving))
        scaled = warp.copy()
        scaled[:, 2] /= factor
        try:
            _, scaled = cv2.findTransformECC(fixed, other, scaled, kind, stop, None, 1)
        except cv2.error:
            return np.eye(2, 3, dtype=np.float32)
        warp = np.asarray(scaled, np.float32)
        warp[:, 2] *= factor
    return warp


def _pyramid_factors(shape: tuple[int, ...]) -> list[int]:
    """Shrinking factors, coarsest first; very large pictures are not compared at full size."""
    factors = [1]
    while min(shape) // (factors[-1] * 2) >= _PYRAMID_PX:
        factors.append(factors[-1] * 2)
    pixels = shape[0] * shape[1]
    return [
        f for f in reversed(factors) if f == factors[-1] or pixels / f**2 <= _LARGEST_WORKING_PX
    ]


def corner_motion(warp: NDArray[np.float32], shape: Sequence[int]) -> float:
    """Largest distance in pixels that `warp` moves a corner of a picture (T, S)."""
    t, s = shape
    corners = np.array([[0, 0, 1], [s - 1, 0, 1], [0, t - 1, 1], [s - 1, t - 1, 1]], np.float64)
    return float(np.hypot(*(corners @ warp.T - corners[:, :2]).T).max())


def warped(picture: FloatArray, warp: NDArray[np.float32]) -> FloatArray:
    """`picture` (T, S, C) seen on the reference's grid; the border is repeated outwards."""
    import cv2

    size = (picture.shape[1], picture.shape[0])
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    made = cv2.warpAffine(picture, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(made, np.float32).reshape(picture.shape)


def _covered(shape: Sequence[int], warp: NDArray[np.float32]) -> FloatArray:
    rows, columns = (axis.astype(np.float32) for axis in np.ogrid[: shape[0], : shape[1]])
    x = warp[0, 0] * columns + warp[0, 1] * rows + warp[0, 2]
    y = warp[1, 0] * columns + warp[1, 1] * rows + warp[1, 2]
    inside = (x >= -0.5) & (x <= shape[1] - 0.5) & (y >= -0.5) & (y <= shape[0] - 0.5)
    return np.asarray(inside, np.float32)
