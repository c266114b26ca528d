"""Scenes with known truth: textured layers and surfaces of known disparity, evaluated ray by ray.

A surface of disparity D (lenslet pitches per raw pixel; near is negative) shows its point (Y, X)
to the ray that passes the lens plane at (y, x) with direction (v, u), where ::

    Y = y - D(Y, X) v        X = x - D(Y, X) u

so (Y, X) is where the center view sees that point. Layers hide one another in their order, front
first. A scene *is* the bilinear interpolation of its textures: radiance is exact for any ray.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.simulation.layers import REACH_PITCH, Layer, pack_layers
from lfdfp.simulation.scene_kernels import (
    MAX_LAYERS,
    PackedLayers,
    front_disparity,
    render_rays,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """Layers, front first, over a field of `field_pitch` (rows, columns) around the lens center."""

    layers: tuple[Layer, ...]
    field_pitch: tuple[float, float]
    name: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.layers) <= MAX_LAYERS:
            raise ValueError(f"a scene has 1 to {MAX_LAYERS} layers, got {len(self.layers)}")

    @property
    def disparity_range(self) -> tuple[float, float]:
        """(nearest, farthest) disparity of any layer, pitches per raw pixel."""
        fields = [layer.disparity for layer in self.layers]
        return float(min(map(np.min, fields))), float(max(map(np.max, fields)))

    def render(self, rays: FloatArray, bundles: FloatArray) -> FloatArray:
        """Mean radiance, shape (n, 3), over bundles of rays.

        Parameters
        ----------
        rays
            Shape (4, n): y, x in pitches, v, u in raw pixels.
        bundles
            Shape (S, 4, K): offsets around each ray; ray n takes bundle ``n % S``.
        """
        reach = self._reach(bundles)
        if reach > REACH_PITCH:
            raise ValueError(f"bundles reach {reach:.2f} pitches, more than {REACH_PITCH}")
        light = np.empty((rays.shape[1], 3), np.float32)
        render_rays(
            self._packed,
            len(self.layers),
            np.ascontiguousarray(rays, np.float32),
            np.ascontiguousarray(bundles, np.float32),
            light,
        )
        return light

    def radiance(self, y: DoubleArray, x: DoubleArray, v: float, u: float) -> FloatArray:
        """Radiance, shape (..., 3), of single rays at lens-plane points, seen in (v, u)."""
        y, x = np.broadcast_arrays(y, x)
        rays = np.stack([y.ravel(), x.ravel(), np.full(y.size, v), np.full(y.size, u)])
        light = self.render(rays.astype(np.float32), np.zeros((1, 4, 1), np.float32))
        return light.reshape(*y.shape, 3)

    def disparity(self, y: DoubleArray, x: DoubleArray) -> FloatArray:
        """Disparity, pitches per raw pixel, of what the center view sees at (y, x), or NaN.

        `y` and `x` have the same shape; so has the disparity.
        """
        y, x = np.broadcast_arrays(y, x)
        found = np.empty(y.size, np.float32)
        points = np.stack([y.ravel(), x.ravel()]).astype(np.float32)
        front_disparity(self._packed, len(self.layers), points, found)
        return found.reshape(y.shape)

    @cached_property
    def _packed(self) -> PackedLayers:
        return pack_layers(self.layers)

    def _reach(self, bundles: FloatArray) -> float:
        """How far from its central ray a bundle touches a layer, at most, in pitches."""
        steepest = max(abs(disparity) for disparity in self.disparity_range)
        widest = np.abs(bundles).max(axis=(0, 2))
        return float(max(widest[0] + steepest * widest[2], widest[1] + steepest * widest[3]))


def scene_from_pictures(
    pictures: Sequence[FloatArray],
    disparities: Sequence[float],
    field_pitch: tuple[float, float],
) -> Scene:
    """A scene of a person's own pictures, front first, each stretched over the field.

    Parameters
    ----------
    pictures
        Shapes (rows, columns, 3), opaque, or (rows, columns, 4), with opacity (not
        premultiplied); linear sRGB.
    disparities
        One per picture, in pitches per raw pixel.
    """
    if len(pictures) != len(disparities):
        raise ValueError(f"{len(pictures)} pictures but {len(disparities)} disparities")
    layers = []
    for picture, disparity in zip(pictures, disparities, strict=True):
        opacity = picture[..., 3] if picture.shape[2] == 4 else np.ones(picture.shape[:2])
        texture = np.dstack([picture[..., :3] * opacity[..., None], opacity])
        scale = (picture.shape[0] / field_pitch[0], picture.shape[1] / field_pitch[1])
        frame = (-field_pitch[0] / 2 + 0.5 / scale[0], -field_pitch[1] / 2 + 0.5 / scale[1])
        layers.append(
            Layer(
                texture=np.ascontiguousarray(texture, np.float32),
                texture_frame=(*frame, *scale),
                disparity=even_disparity(disparity),
                disparity_frame=corner_frame(field_pitch),
            )
        )
    return Scene(layers=tuple(layers), field_pitch=field_pitch, name="pictures")


def even_disparity(disparity: float) -> FloatArray:
    """Disparity field, shape (2, 2), of a plane that faces the camera."""
    return np.full((2, 2), disparity, np.float32)


def corner_frame(field_pitch: tuple[float, float]) -> tuple[float, float, float, float]:
    """Frame of a (2, 2) disparity field whose samples are the corners of the scene's field."""
    rows, columns = field_pitch
    return (-rows / 2, -columns / 2, 1 / rows, 1 / columns)
