"""Natural-looking textures from a seed: leaves upon leaves, patterns, marks and 1/f detail.

Dead-leaves pictures (shapes with power-law sizes, each hiding what lies below) have the edges
and the scale invariance of photographs [1]_. Lengths are in texels.

References
----------
.. [1] A. B. Lee, D. Mumford, J. Huang, "Occlusion Models for Natural Images: A Statistical Study
   of a Scale-Invariant Dead Leaves Model", Int. J. Computer Vision 41, 2001.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.simulation.painting_kernels import SHAPE_DTYPE, paint_shapes

_HUES_DEG = (10, 25, 40, 40, 55, 95, 110, 130, 205, 220, 300)
"""Hues that photographs are full of: skin and wood, leaves, sky; few others."""

_REGION_TEXELS = 150
_BAND_LIMIT_TEXELS = 0.6
"""Gaussian that keeps the spectrum of a texture inside what its samples can carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextureStyle:
    """How a texture looks.

    Attributes
    ----------
    smallest, largest
        Radii of the shapes in texels.
    patterned
        Share of the shapes that carry stripes, checkers, stars or marks.
    roughness
        Strength of the 1/f detail, as the standard deviation of log light.
    flat_share
        Share of the area where the 1/f detail fades out.
    saturation
        0 gray, 1 vivid.
    """

    smallest: float = 7.0
    largest: float = 220.0
    patterned: float = 0.35
    roughness: float = 0.25
    flat_share: float = 0.2
    saturation: float = 0.7


def palette(rng: np.random.Generator, count: int, saturation: float) -> FloatArray:
    """Shape (count, 3): linear RGB colors, dark to bright, most of them muted."""
    light = np.exp(rng.uniform(np.log(0.03), np.log(0.75), count))
    hue = np.radians(rng.choice(_HUES_DEG, count) + 18 * rng.standard_normal(count))
    vivid = saturation * rng.beta(1.5, 1.5, count)
    tint = 1 + vivid[:, None] * np.cos(hue[:, None] - np.radians([0, 120, 240]))
    tint /= tint @ np.array([0.2126, 0.7152, 0.0722])[:, None]
    return np.asarray(np.clip(light[:, None] * tint, 0.01, 0.9), np.float32)


def random_shapes(
    rng: np.random.Generator, count: int, area: tuple[int, int], style: TextureStyle
) -> NDArray[Any]:
    """`count` shapes with power-law radii (density ~ r⁻³) spread over `area` (rows, columns)."""
    shapes = np.zeros(count, SHAPE_DTYPE)
    low, high = style.smallest**-2.0, style.largest**-2.0
    radius = (high + rng.random(count) * (low - high)) ** -0.5
    aspect = np.exp(rng.uniform(-0.9, 0.9, count))
    angle = rng.uniform(0, 2 * np.pi, count)
    shapes["row"] = rng.uniform(-0.05, 1.05, count) * area[0]
    shapes["column"] = rng.uniform(-0.05, 1.05, count) * area[1]
    shapes["half_height"], shapes["half_width"] = radius * aspect, radius / aspect
    shapes["cos"], shapes["sin"] = np.cos(angle), np.sin(angle)
    shapes["outline"] = rng.integers(0, 3, count)
    regions = _regional_colors(rng, shapes, area, style.saturation)
    colors = palette(rng, 24, style.saturation)
    for name in ("color", "other_color"):
        own = colors[rng.integers(0, len(colors), count)]
        shapes[name] = np.sqrt(regions * own)
    _add_patterns(rng, shapes, style.patterned)
    return shapes


def _regional_colors(
    rng: np.random.Generator, shapes: NDArray[Any], area: tuple[int, int], saturation: float
) -> FloatArray:
    """One color per shape, alike among neighbors: the nearest of a few scattered ones."""
    from scipy.spatial import cKDTree

    count = 4 + int(area[0] * area[1] / _REGION_TEXELS**2)
    places = rng.random((count, 2)) * area
    tree = cKDTree(places)
    _, nearest = tree.query(np.stack([shapes["row"], shapes["column"]], axis=1))
    return np.asarray(palette(rng, count, saturation)[nearest], np.float32)


def _add_patterns(rng: np.random.Generator, shapes: NDArray[Any], share: float) -> None:
    count = len(shapes)
    shapes["pattern"] = np.where(rng.random(count) < share, rng.integers(1, 6, count), 0)
    shapes["frequency"] = np.exp(rng.uniform(np.log(0.03), np.log(0.3), count))
    star, chirp = shapes["pattern"] == 3, shapes["pattern"] == 5
    shapes["frequency"][star] = rng.integers(6, 20, int(star.sum()))
    reach = np.maximum(shapes["half_width"][chirp], 1.0)
    shapes["frequency"][chirp] = np.sqrt(np.pi * 0.6 / (2 * reach))
    shapes["seed"] = rng.integers(0, 1 << 20, count)


def pink_noise(rng: np.random.Generator, shape: tuple[int, int], coarsest: float) -> FloatArray:
    """1/f noise of the given shape and unit standard deviation: equally strong octaves.

    They go from 2 texels up to `coarsest`.
    """
    import cv2

    total = np.zeros(shape, np.float32)
    cell, octaves = 2.0, 0
    while cell <= coarsest:
        grid = (int(shape[0] / cell) + 4, int(shape[1] / cell) + 4)
        coarse = rng.standard_normal(grid, np.float32)
        size = (round(grid[1] * cell), round(grid[0] * cell))
        fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        margin = int(cell)
        total += fine[margin : margin + shape[0], margin : margin + shape[1]]
        cell, octaves = 2 * cell, octaves + 1
    return total / np.float32(0.75 * np.sqrt(octaves))


def dead_leaves(
    rng: np.random.Generator, shape: tuple[int, int], style: TextureStyle
) -> FloatArray:
    """Opaque texture of `shape` (rows, columns, 3), linear RGB."""
    rgb = np.empty((*shape, 3), np.float32)
    rgb[:] = palette(rng, 1, style.saturation)[0]
    mean_area = 2 * np.pi * style.smallest**2 * np.log(style.largest / style.smallest)
    count = int(2.5 * shape[0] * shape[1] / mean_area) + 8
    largest_last = random_shapes(rng, count, shape, style)
    paint_shapes(largest_last, rgb, np.ones(shape, np.float32))
    return _with_detail(rng, rgb, style)


def _with_detail(rng: np.random.Generator, rgb: FloatArray, style: TextureStyle) -> FloatArray:
    """Multiply 1/f detail on, in places; chroma moves a little along."""
    shape = (rgb.shape[0], rgb.shape[1])
    where = pink_noise(rng, shape, 128.0)
    threshold = np.float32(np.quantile(where[::7, ::7], style.flat_share))
    strength = np.float32(style.roughness) * np.clip(where - threshold, 0, 1)
    detail = strength * pink_noise(rng, shape, 64.0)
    tilt = rng.uniform(0.85, 1.15, 3).astype(np.float32)
    for c in range(3):
        rgb[..., c] *= np.exp(tilt[c] * detail)
    return np.clip(rgb, 0.005, 0.95, out=rgb)


def matte(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    share: float,
    smallest: float,
    largest: float,
) -> FloatArray:
    """Opacity of `shape`: leaves and blobs, with holes, over about `share` of the area."""
    style = TextureStyle(smallest=smallest, largest=largest, patterned=0.0)
    opacity = np.zeros(shape, np.float32)
    scratch = np.zeros((*shape, 3), np.float32)
    while opacity[::5, ::5].mean() < share:
        paint_shapes(random_shapes(rng, 6, shape, style), scratch, opacity)
    holes = np.zeros(shape, np.float32)
    paint_shapes(random_shapes(rng, 6, shape, style), scratch, holes)
    pierced = opacity * (1 - holes)
    return pierced if pierced[::5, ::5].mean() > share / 2 else opacity


def premultiplied(rgb: FloatArray, opacity: FloatArray) -> FloatArray:
    """Shape (rows, columns, 4): premultiplied color and opacity, band-limited together."""
    import cv2

    texture = np.concatenate([rgb * opacity[..., None], opacity[..., None]], axis=2)
    return np.asarray(
        cv2.GaussianBlur(texture, (0, 0), _BAND_LIMIT_TEXELS, borderType=cv2.BORDER_REPLICATE)
    )
