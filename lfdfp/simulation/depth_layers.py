"""A picture with depth, cut into layers: what stands in front hides what lies behind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BoolArray, FloatArray
from lfdfp.simulation.layers import Layer

_FIELD_STEP = 8
"""Picture pixels per sample of a layer's disparity."""

_EDGE_PX = 0.6
"""Gaussian blur of a layer's outline, in picture pixels."""


def layers_from_depth(
    picture: FloatArray,
    disparity: FloatArray,
    field_pitch: tuple[float, float],
    *,
    count: int = 5,
) -> tuple[Layer, ...]:
    """Cut a picture into layers of similar disparity, front first.

    Every layer keeps its measured disparity as a smooth surface. Behind nearer layers it goes on
    with the colors of its own border, since no picture shows what is there.

    Parameters
    ----------
    picture
        Shape (rows, columns, 3), linear sRGB, stretched over the field.
    disparity
        Shape (rows, columns), pitches per raw pixel, near negative; NaN where it is not known:
        such pixels take the farther one of their known neighbors along the row.
    field_pitch
        (rows, columns) of the field of view in lenslet pitches.
    count
        Layers at most.

    Raises
    ------
    ValueError
        For a disparity of another size than the picture's, or none that is known.
    """
    if disparity.shape != picture.shape[:2]:
        raise ValueError(f"disparity {disparity.shape} does not fit a picture {picture.shape}")
    if not np.isfinite(disparity).any():
        raise ValueError("no disparity is known anywhere")
    known = _filled_from_behind(disparity)
    nearness = _ranks(known, count)
    layers = []
    for rank in range(int(nearness.max()) + 1):
        own, nearer = nearness == rank, nearness < rank
        layers.append(_layer(picture, known, own, own | nearer, field_pitch))
    return tuple(layers)


def _filled_from_behind(disparity: FloatArray) -> FloatArray:
    """Unknown values from the known neighbors in the row, the farther one; else the nearest."""
    unknown = ~np.isfinite(disparity)
    if not unknown.any():
        return np.asarray(disparity, np.float32)
    columns = np.arange(disparity.shape[1])
    left = np.maximum.accumulate(np.where(unknown, -1, columns), axis=1)
    right = np.minimum.accumulate(np.where(unknown, disparity.shape[1], columns)[:, ::-1], axis=1)[
        :, ::-1
    ]
    rows = np.arange(disparity.shape[0])[:, None]
    before = np.where(left >= 0, disparity[rows, np.maximum(left, 0)], -np.inf)
    after = np.where(
        right < disparity.shape[1],
        disparity[rows, np.minimum(right, disparity.shape[1] - 1)],
        -np.inf,
    )
    farther = np.maximum(before, after)
    filled = np.where(unknown, farther, disparity).astype(np.float32)
    return nearest_known(filled, np.isfinite(filled))


def nearest_known(values: NDArray[Any], known: BoolArray) -> NDArray[Any]:
    """`values` (rows, columns, ...), where not `known` those of the nearest pixel that is."""
    from scipy import ndimage

    if known.all():
        return values
    indices = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(values[tuple(indices)])


def _ranks(disparity: FloatArray, count: int) -> NDArray[np.int64]:
    """Layer of every pixel, 0 nearest: one-dimensional k-means from evenly spaced centers."""
    sample = np.sort(disparity.ravel()[::7])
    nearest, farthest = np.quantile(sample, (0.002, 0.998))
    centers = np.linspace(float(nearest), float(farthest), count)
    for _ in range(20):
        edges = (centers[1:] + centers[:-1]) / 2
        parts = np.split(sample, np.searchsorted(sample, edges))
        centers = np.array([part.mean() for part in parts if part.size])
    found = np.digitize(disparity, (centers[1:] + centers[:-1]) / 2)
    return np.unique(found, return_inverse=True)[1].reshape(disparity.shape)


def _layer(
    picture: FloatArray,
    disparity: FloatArray,
    own: BoolArray,
    body: BoolArray,
    field_pitch: tuple[float, float],
) -> Layer:
    """The pixels that are a layer's `own`, over its whole `body`."""
    import cv2

    inner = cv2.erode(own.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    colors = nearest_known(picture, inner if inner.any() else own)
    opacity = cv2.GaussianBlur(body.astype(np.float32), (0, 0), _EDGE_PX)
    texture = np.dstack([colors * opacity[..., None], opacity]).astype(np.float32)
    rows, columns = own.shape
    scale = rows / field_pitch[0], columns / field_pitch[1]
    first = -field_pitch[0] / 2, -field_pitch[1] / 2
    surface = cv2.GaussianBlur(nearest_known(disparity, own), (0, 0), _FIELD_STEP)
    samples = (max(2, rows // _FIELD_STEP), max(2, columns // _FIELD_STEP))
    field = cv2.resize(surface, samples[::-1], interpolation=cv2.INTER_AREA)
    field_scale = samples[0] / field_pitch[0], samples[1] / field_pitch[1]
    return Layer(
        texture=np.ascontiguousarray(texture),
        texture_frame=(first[0] + 0.5 / scale[0], first[1] + 0.5 / scale[1], *scale),
        disparity=np.ascontiguousarray(field, np.float32),
        disparity_frame=(
            first[0] + 0.5 / field_scale[0],
            first[1] + 0.5 / field_scale[1],
            *field_scale,
        ),
    )
