"""Small synthetic pictures and multi-focus pairs with known truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lfdfp.datatypes import FloatArray, FocalStack
from tests.factories.planes import smooth_texture


def textured_picture(shape: tuple[int, int], seed: int = 0, channels: int = 3) -> FloatArray:
    """Encoded picture (T, S, C) with edges, texture and flat parts, in [0.1, 0.9]."""
    rng = np.random.default_rng(seed)
    picture = np.full((*shape, channels), 0.5, np.float32)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for _ in range(60):
        center = rng.uniform(0, shape)
        radius = rng.uniform(2, max(shape) / 4)
        inside = np.hypot(rows - center[0], columns - center[1]) < radius
        stripes = 0.1 * np.sin(rng.uniform(0.2, 1.5) * (rows + columns * rng.uniform(-1, 1)))
        picture[inside] = rng.uniform(0.2, 0.8, channels) + stripes[inside][:, None]
    return np.clip(ndimage.gaussian_filter(picture, (0.6, 0.6, 0)), 0.1, 0.9).astype(np.float32)


def multi_focus(
    picture: FloatArray, number: int, blur_px: float = 2.5
) -> tuple[FloatArray, NDArray[np.intp]]:
    """`number` slices, each sharp in one vertical band, and the band of every pixel (T, S)."""
    columns = np.arange(picture.shape[1]) * number // picture.shape[1]
    owner = np.broadcast_to(columns, picture.shape[:2])
    slices = []
    for n in range(number):
        far = np.abs(owner - n)[..., None]
        one = picture.copy()
        for distance in range(1, number):
            blurred = ndimage.gaussian_filter(picture, (blur_px * distance,) * 2 + (0,))
            one = np.where(far == distance, blurred, one)
        slices.append(one)
    return np.stack(slices).astype(np.float32), owner


def defocused_pair(
    *, shape: tuple[int, int] = (48, 56), blur: float = 2.0, seed: int = 0
) -> tuple[FocalStack, FloatArray]:
    """Two photographs, each sharp in one half, and the sharp picture."""
    texture = smooth_texture(seed, waves=40)
    sharp = texture(np.arange(shape[0], dtype=float)[:, None], np.arange(shape[1], dtype=float))
    soft = ndimage.gaussian_filter(sharp, (blur, blur, 0))
    left = (np.arange(shape[1]) < shape[1] // 2)[None, :, None]
    pair = np.stack([np.where(left, sharp, soft), np.where(left, soft, sharp)])
    return FocalStack(slices=pair.astype(np.float32)), sharp
