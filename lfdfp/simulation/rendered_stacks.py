"""Focal stacks of a picture with depth, rendered as a lens blurs it, with the sharp picture known.

Light is blurred, not encoded values, and what stands in front covers what lies behind: the picture
is cut into layers of depth, and every slice is composed of the layers from back to front, each
blurred by a disc that grows with its distance from the plane in focus. Behind nearer layers a layer
goes on with the colors of its own border, which no picture shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray
from lfdfp.simulation.depth_layers import nearest_known

_EDGE_PX: Final = 0.5
"""Gaussian blur of a layer's outline."""

_LEAST_BLUR_PX: Final = 0.2
_LEAST_DISC_PX: Final = 1.5

_SAME_SURFACE: Final = 2.5
"""Layers whose depths differ by no more steps than this continue each other."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RenderedStack:
    """A focal stack and what is true of it.

    Attributes
    ----------
    slices
        Shape (N, T, S, C), linear light, nearest plane first.
    truth
        Shape (T, S, C), linear light: everything in focus.
    sharpest
        Shape (T, S): number of the slice that was focused closest to each pixel.
    """

    slices: FloatArray
    truth: FloatArray
    sharpest: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What a camera in the hand adds to a rendered stack.

    Attributes
    ----------
    drift_px, breathing
        Motion of the last slice against the first one, and its enlargement.
    exposure
        Standard deviation of the logarithm of every slice's exposure.
    noise
        Standard deviation of the noise of encoded values.
    """

    drift_px: float = 0.0
    breathing: float = 0.0
    exposure: float = 0.0
    noise: float = 0.0


def rendered_stack(
    picture: FloatArray,
    depth: FloatArray,
    count: int,
    *,
    blur_px: float,
    layers: int = 24,
) -> RenderedStack:
    """Slices focused on `count` evenly spaced depths, from 0 to 1.

    Parameters
    ----------
    picture
        Shape (T, S, C), linear light.
    depth
        Shape (T, S), in [0, 1], nearest 0.
    blur_px
        Radius of the disc as which a point at depth 1 appears when depth 0 is in focus.
    layers
        How many depths are told apart.
    """
    rank = np.minimum((depth * layers).astype(np.intp), layers - 1)
    used = np.unique(rank)
    cut = [(_layer(picture, rank, int(number)), (number + 0.5) / layers) for number in used[::-1]]
    planes = np.linspace(0, 1, count) if count > 1 else np.array([0.5])
    slices = np.empty((count, *picture.shape), np.float32)
    for number, plane in enumerate(planes):
        slices[number] = _composed(cut, [blur_px * abs(at - plane) for _, at in cut])
    nearest = np.abs(depth[None] - planes[:, None, None]).argmin(axis=0)
    truth = _composed(cut, [0.0] * len(cut))
    return RenderedStack(slices=slices, truth=truth, sharpest=nearest)


def handled(
    stack: RenderedStack, handling: Handling, rng: np.random.Generator
) -> tuple[FloatArray, tuple[DoubleArray, ...]]:
    """The slices (N, T, S, C) as a hand-held camera takes them, and the motion of each.

    Motions are 2 × 3 matrices that take a place (column, row) of the middle slice to where the
    slice shows it; the middle slice stays. Exposures vary around that of the middle slice. Noise
    is added to encoded values, which are then rounded to 16 bits and clipped.
    """
    import cv2

    from lfdfp.imaging.display import decode_srgb, encode

    count, rows, columns = stack.slices.shape[:3]
    middle = (count - 1) // 2
    direction = rng.uniform(0, 2 * np.pi)
    made, motions = np.empty_like(stack.slices), []
    for number, one in enumerate(stack.slices):
        share = (number - middle) / max(count - 1, 1)
        scale = 1 + handling.breathing * share
        shift = handling.drift_px * share * np.array([np.cos(direction), np.sin(direction)])
        center = np.array([(columns - 1) / 2, (rows - 1) / 2])
        motion = np.column_stack([scale * np.eye(2), center * (1 - scale) + shift])
        motions.append(motion)
        light = one
        if share and (handling.drift_px or handling.breathing):
            light = cv2.warpAffine(
                one,
                motion,
                (columns, rows),
                flags=cv2.INTER_LANCZOS4,
                borderMode=cv2.BORDER_REFLECT_101,
            ).reshape(one.shape)
        gain = 1.0 if number == middle else np.exp(handling.exposure * rng.standard_normal())
        encoded = encode(np.maximum(light, 0) * np.float32(gain))
        encoded += handling.noise * rng.standard_normal(encoded.shape, np.float32)
        codes = np.rint(np.clip(encoded, 0, 1) * np.float32(65535)).astype(np.float32)
        made[number] = decode_srgb(codes / np.float32(65535))
    return made, tuple(motions)


def disc_blurred(picture: FloatArray, radius_px: float) -> FloatArray:
    """A picture (T, S) or (T, S, C) out of focus by a disc of this radius, mirrored at the border.

    On a grid of pixels a disc of less than `_LEAST_DISC_PX` has no shape: a Gaussian of the same
    variance takes its place.
    """
    import cv2

    mirrored = cv2.BORDER_REFLECT_101
    if radius_px < _LEAST_BLUR_PX:
        return picture
    if radius_px < _LEAST_DISC_PX:
        made = cv2.GaussianBlur(picture, (0, 0), radius_px / 2, borderType=mirrored)
    else:
        made = cv2.filter2D(picture, -1, disc(radius_px), borderType=mirrored)
    return np.asarray(made, np.float32).reshape(picture.shape)


def disc(radius_px: float) -> FloatArray:
    """An antialiased disc that sums to 1, on a square (n, n) of pixels, n odd."""
    half = int(np.ceil(radius_px))
    along = np.arange(-half, half + 1, dtype=np.float32)
    distance = np.hypot(along[:, None], along[None])
    kernel = np.clip(radius_px + 0.5 - distance, 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _layer(picture: FloatArray, rank: NDArray[np.intp], number: int) -> FloatArray:
    """Premultiplied color and opacity, shape (T, S, C + 1)."""
    import cv2

    own = rank == number
    body = rank <= number
    colors = nearest_known(picture, _known(rank, number, own))
    opacity = body.astype(np.float32)
    if not body.all():
        opacity = np.asarray(cv2.GaussianBlur(opacity, (0, 0), _EDGE_PX), np.float32)
    return np.dstack([colors * opacity[..., None], opacity]).astype(np.float32)


def _known(rank: NDArray[np.intp], number: int, own: BoolArray) -> BoolArray:
    """Where a layer's colors are those of the picture: on its own surface, off its outline."""
    import cv2

    near = (np.abs(rank - number) <= _SAME_SURFACE).astype(np.uint8)
    inner = cv2.erode(near, np.ones((3, 3), np.uint8)).astype(bool)
    return np.asarray(inner if (inner & own).any() else own)


def _composed(cut: list[tuple[FloatArray, float]], radii_px: list[float]) -> FloatArray:
    """Layers over each other, the farthest first; shape (T, S, C)."""
    made = np.zeros_like(cut[0][0][..., :-1])
    for (layer, _), radius in zip(cut, radii_px, strict=True):
        blurred = disc_blurred(layer, radius)
        made = made * (1 - blurred[..., -1:]) + blurred[..., :-1]
    return np.asarray(made, np.float32)
