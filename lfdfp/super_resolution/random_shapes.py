"""Pictures of nothing: random shapes that cover each other, to learn from without photographs.

The "dead leaves" model [1]_ shares with photographs what super-resolution lives from: edges of all
lengths and contrasts, occlusion, texture, the same statistics at every scale. Networks that learn
from it come close to networks that learn from photographs [2]_.

References
----------
.. [1] A. B. Lee, D. Mumford and J. Huang, "Occlusion models for natural images", IJCV 41, 2001.
.. [2] R. Achddou, Y. Gousseau and S. Ladjal, "Fully synthetic training for image restoration
   tasks", CVIU 233, 2023.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.resampling import resample

_OVERSAMPLING = 2
_LEAST_RADIUS_PX, _LARGEST_RADIUS_SHARE = 2.0, 0.6
_LEAVES_PER_PIXEL = 1 / 30
_LARGEST_BLUR_PX = 0.9
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def picture_of_shapes(side: int, rng: np.random.Generator) -> FloatArray:
    """One gray picture (side, side) in [0, 1]: leaves, lines and letters, antialiased."""
    import cv2

    large = _OVERSAMPLING * side
    canvas = np.full((large, large), rng.random(), np.float32)
    for radius in _radii(large, rng):
        _add_leaf(canvas, float(radius), rng)
    for _ in range(rng.integers(0, 12)):
        _add_line(canvas, rng)
    for _ in range(rng.integers(0, 8)):
        _add_letters(canvas, rng)
    small = resample(canvas[..., None], (side, side))[..., 0]
    blur = rng.uniform(-_LARGEST_BLUR_PX, _LARGEST_BLUR_PX)
    if blur > 0.2:
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), blur), np.float32)
    spread = rng.uniform(0.5, 1.0)
    shifted = rng.uniform(0, 1 - spread) + spread * small
    return np.asarray(np.clip(shifted, 0, 1), np.float32)


def _radii(side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Radii whose density falls as r⁻³, which makes the model look alike at every scale."""
    count = int(side * side / _OVERSAMPLING**2 * _LEAVES_PER_PIXEL)
    least, largest = _LEAST_RADIUS_PX * _OVERSAMPLING, _LARGEST_RADIUS_SHARE * side
    share = rng.random(count) * (1 - (least / largest) ** 2)
    return np.asarray(least / np.sqrt(1 - share))


def _add_leaf(canvas: FloatArray, radius: float, rng: np.random.Generator) -> None:
    import cv2

    center = rng.uniform(-0.1, 1.1, 2) * len(canvas)
    low = np.clip((center - radius).astype(int) - 1, 0, len(canvas))
    high = np.clip((center + radius).astype(int) + 2, 0, len(canvas))
    if (high - low).min() < 1:
        return
    window = canvas[low[0] : high[0], low[1] : high[1]]
    mask = np.zeros(window.shape, np.uint8)
    outline = _outline(radius, rng) + (center - low)[::-1]
    cv2.fillPoly(mask, [np.rint(16 * outline).astype(np.int32)], 1, shift=4)
    np.copyto(window, _texture(window.shape, rng), where=mask.astype(bool))


def _outline(radius: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Corners (n, 2) around the origin: an ellipse, or a polygon of 3 to 6 corners."""
    corners = int(rng.choice([3, 4, 4, 4, 5, 6, 48, 48]))
    angles = np.arange(corners) * 2 * np.pi / corners
    if corners < 48:
        angles = angles + rng.uniform(-0.3, 0.3, corners)
    squeeze = rng.uniform(0.25, 1.0)
    turn = rng.choice([0.0, rng.uniform(0, np.pi)])
    points = radius * np.stack([np.cos(angles), squeeze * np.sin(angles)], axis=1)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(points @ rotation.T)


def _texture(shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Flat, a gradient, stripes or cloudy noise, shape (T, S)."""
    level, kind = rng.random(), rng.random()
    contrast = 0.5 * rng.random() ** 2
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    angle = rng.uniform(0, np.pi)
    along = np.cos(angle) * rows + np.sin(angle) * columns
    if kind < 0.35:
        made = np.full(shape, level)
    elif kind < 0.55:
        made = level + contrast * along / max(shape)
    elif kind < 0.75:
        period = _OVERSAMPLING * 2.5 * 12 ** rng.random()
        wave = np.sin(2 * np.pi * along / period + rng.uniform(0, 6))
        made = level + contrast * (np.sign(wave) if rng.random() < 0.3 else wave)
    else:
        made = level + contrast * _clouds(shape, rng)
    return np.asarray(np.clip(made, 0, 1), np.float32)


def _clouds(shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Noise of three coarseness levels with random weights, shape (T, S)."""
    import cv2

    total = np.zeros(shape, np.float32)
    for size in (2, 4, 10):
        grid = (max(shape[1] // size, 2), max(shape[0] // size, 2))
        noise = rng.standard_normal((grid[1], grid[0]), np.float32)
        grown = cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
        total += np.float32(rng.random()) * np.asarray(grown, np.float32).reshape(shape)
    return total


def _add_line(canvas: FloatArray, rng: np.random.Generator) -> None:
    import cv2

    ends = rng.uniform(-0.1, 1.1, (2, 2)) * len(canvas)
    first, last = ((int(16 * x), int(16 * y)) for x, y in ends)
    width = int(rng.integers(1, 4 * _OVERSAMPLING))
    cv2.line(canvas, first, last, float(rng.random()), width, cv2.LINE_8, 4)


def _add_letters(canvas: FloatArray, rng: np.random.Generator) -> None:
    import cv2

    text = "".join(rng.choice(list(_LETTERS), rng.integers(2, 12)))
    place = rng.uniform(0, 0.9, 2) * len(canvas)
    size = _OVERSAMPLING * 0.25 * 4 ** rng.random()
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX]))
    width = int(rng.integers(1, 2 + int(2 * size)))
    mask = np.zeros(canvas.shape, np.uint8)
    cv2.putText(mask, text, (int(place[0]), int(place[1])), font, size, 1, width)
    canvas[mask > 0] = rng.random()
