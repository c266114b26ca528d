"""Light fields of textured planes, exact for any disparity: the texture is a formula."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray, LightField


def smooth_texture(
    seed: int = 0, *, colors: int = 3, waves: int = 24, highest: float = 0.3
) -> Texture:
    """A band-limited texture that can be evaluated anywhere: a sum of plane waves."""
    return Texture(seed=seed, colors=colors, waves=waves, highest=highest)


class Texture:
    """Sum of plane waves of at most `highest` cycles per pixel, with values in [0.1, 0.9]."""

    def __init__(self, *, seed: int, colors: int, waves: int, highest: float) -> None:
        rng = np.random.default_rng(seed)
        radius, angle = rng.uniform(0.02, highest, waves), rng.uniform(0, 2 * np.pi, waves)
        self._frequency = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
        self._phase = rng.uniform(0, 2 * np.pi, waves)
        strength = rng.uniform(0.2, 1.0, (waves, colors))
        self._strength = 0.4 * strength / strength.sum(axis=0)

    def __call__(self, t: np.ndarray, s: np.ndarray) -> FloatArray:
        """Values, shape (..., colors), at positions in pixels."""
        t, s = np.broadcast_arrays(t, s)
        turns = t[..., None] * self._frequency[:, 0] + s[..., None] * self._frequency[:, 1]
        light = 0.5 + np.sin(2 * np.pi * turns + self._phase) @ self._strength
        return np.asarray(light, np.float32)


def textured_plane(
    disparity: float,
    *,
    angular: tuple[int, int] = (5, 5),
    shape: tuple[int, int] = (40, 48),
    seed: int = 0,
    highest: float = 0.3,
    noise: float = 0.0,
) -> tuple[LightField, FloatArray]:
    """A field of (V, U) views of one textured plane, and that plane's picture, shape (T, S, 3).

    Written out from the definition of disparity (pixels per angular step), and without any
    border: the texture is a formula of at most `highest` cycles per pixel.
    """
    texture = smooth_texture(seed, highest=highest)
    t, s = np.arange(shape[0], dtype=float)[:, None], np.arange(shape[1], dtype=float)[None, :]
    down, right = (np.arange(n) - n // 2 for n in angular)
    views = np.stack([[texture(t - disparity * v, s - disparity * u) for u in right] for v in down])
    views += noise * np.random.default_rng(seed + 1).standard_normal(views.shape).astype(np.float32)
    field = LightField(views=views, weights=np.ones(views.shape[:4], np.float32))
    return field, texture(t, s)


def two_planes(
    near: float, far: float, *, angular: int = 5, shape: tuple[int, int] = (40, 48), seed: int = 0
) -> tuple[LightField, FloatArray, FloatArray]:
    """A disk of disparity `near` before a plane of disparity `far`.

    Returns
    -------
    The field; the center view, shape (T, S, 3); its disparity, shape (T, S).
    """
    front, back = smooth_texture(seed), smooth_texture(seed + 1)
    t, s = np.arange(shape[0], dtype=float)[:, None], np.arange(shape[1], dtype=float)[None, :]
    steps = np.arange(angular) - angular // 2

    def inside(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        distance = np.hypot(y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2)
        return np.clip(min(shape) / 3.5 - distance + 0.5, 0, 1)

    def view(v: int, u: int) -> FloatArray:
        cover = inside(t - near * v, s - near * u)[..., None].astype(np.float32)
        behind = back(t - far * v, s - far * u)
        return cover * front(t - near * v, s - near * u) + (1 - cover) * behind

    views = np.stack([[view(v, u) for u in steps] for v in steps])
    field = LightField(views=views, weights=np.ones(views.shape[:4], np.float32))
    disparity = np.where(inside(t, s) > 0.5, near, far).astype(np.float32)
    return field, view(0, 0), disparity


def inner(picture: FloatArray, margin: int = 6) -> FloatArray:
    """A picture, shape (T, S, ...), without its border."""
    return picture[margin:-margin, margin:-margin]
