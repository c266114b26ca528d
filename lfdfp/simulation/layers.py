"""Layers of a scene, and how the compiled kernels take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import BoolArray, FloatArray
from lfdfp.simulation.scene_kernels import MAX_LAYERS, PackedLayers

REACH_PITCH = 2.0
"""Bundles may touch a layer this far from their central ray, at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One textured surface.

    Attributes
    ----------
    texture
        Shape (rows, columns, 4), float32: premultiplied linear RGB and opacity. Opacity 0 with
        color above 0 is light without a body (a reflection).
    texture_frame
        (y, x) of the first texel in pitches, then texels per pitch along y and x. Beyond its
        border a texture goes on with its border's values.
    disparity
        Shape (rows, columns), at least (2, 2), float32: pitches per raw pixel over the surface.
    disparity_frame
        As `texture_frame`, for `disparity`.
    """

    texture: FloatArray
    texture_frame: tuple[float, float, float, float]
    disparity: FloatArray
    disparity_frame: tuple[float, float, float, float]


def pack_layers(layers: Sequence[Layer]) -> PackedLayers:
    """Pad to `MAX_LAYERS`, and note where each layer is empty."""
    nothing = Layer(
        texture=np.zeros((2, 2, 4), np.float32),
        texture_frame=(0.0, 0.0, 1.0, 1.0),
        disparity=np.zeros((2, 2), np.float32),
        disparity_frame=(0.0, 0.0, 1.0, 1.0),
    )
    padded = (*layers, *(nothing,) * (MAX_LAYERS - len(layers)))
    sizes = [_cell_size(layer) for layer in padded]
    return PackedLayers(
        textures=tuple(np.ascontiguousarray(layer.texture, np.float32) for layer in padded),
        texture_frames=np.array([layer.texture_frame for layer in padded], np.float32),
        disparities=tuple(np.ascontiguousarray(layer.disparity, np.float32) for layer in padded),
        disparity_frames=np.array([layer.disparity_frame for layer in padded], np.float32),
        occupied=tuple(_occupied(e.texture, size) for e, size in zip(padded, sizes, strict=True)),
        cells=np.reciprocal(np.array(sizes, np.float32)),
    )


def _cell_size(layer: Layer) -> tuple[int, int]:
    """Texels per cell: at least a pitch."""
    _, _, per_y, per_x = layer.texture_frame
    return int(np.ceil(per_y)), int(np.ceil(per_x))


def _occupied(texture: FloatArray, size: tuple[int, int]) -> BoolArray:
    """False for cells that lie more than `REACH_PITCH` from any light or opacity."""
    import cv2

    rows = np.arange(0, texture.shape[0], size[0])
    columns = np.arange(0, texture.shape[1], size[1])
    brightest = np.maximum.reduceat(texture.max(axis=2), rows, axis=0)
    touched = np.maximum.reduceat(brightest, columns, axis=1) > 0
    return np.asarray(cv2.dilate(touched.astype(np.uint8), np.ones((7, 7), np.uint8)), np.bool_)
