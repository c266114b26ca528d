"""Small synthetic fields, stacks and captures for everybody's tests."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lfdfp.datatypes import FloatArray, FocalStack, LightField, Rays, ViewSampling
from lfdfp.simulation import (
    CameraName,
    Imperfections,
    ScenePreset,
    SimulatedCapture,
    camera_model,
    make_scene,
    simulate_capture,
)


def smooth_texture(seed: int = 0, *, colors: int = 3, waves: int = 24) -> Texture:
    """A band-limited texture that can be evaluated anywhere: a sum of plane waves."""
    return Texture(seed=seed, colors=colors, waves=waves)


class Texture:
    """Sum of plane waves of less than 0.3 cycles per pixel, with values in [0.1, 0.9]."""

    def __init__(self, *, seed: int, colors: int, waves: int) -> None:
        rng = np.random.default_rng(seed)
        radius, angle = rng.uniform(0.02, 0.3, waves), rng.uniform(0, 2 * np.pi, waves)
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
    angular: int = 5,
    shape: tuple[int, int] = (40, 48),
    seed: int = 0,
    noise: float = 0.0,
) -> tuple[LightField, FloatArray]:
    """A field that sees one textured plane, and that plane's picture, shape (T, S, 3).

    Exact for any disparity (pixels per angular step), as the texture is a formula.
    """
    texture = smooth_texture(seed)
    t, s = np.arange(shape[0], dtype=float)[:, None], np.arange(shape[1], dtype=float)[None, :]
    steps = np.arange(angular) - angular // 2
    views = np.stack(
        [[texture(t - disparity * v, s - disparity * u) for u in steps] for v in steps]
    )
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


def defocused_pair(
    *, shape: tuple[int, int] = (48, 56), blur: float = 2.0, seed: int = 0
) -> tuple[FocalStack, FloatArray]:
    """Two photographs, each sharp in one half, and the sharp picture."""
    from scipy.ndimage import gaussian_filter

    texture = smooth_texture(seed, waves=40)
    sharp = texture(np.arange(shape[0], dtype=float)[:, None], np.arange(shape[1], dtype=float))
    soft = gaussian_filter(sharp, (blur, blur, 0))
    left = (np.arange(shape[1]) < shape[1] // 2)[None, :, None]
    pair = np.stack([np.where(left, sharp, soft), np.where(left, soft, sharp)])
    return FocalStack(slices=pair.astype(np.float32)), sharp


@lru_cache(maxsize=8)
def tiny_capture(
    camera: CameraName = "f01",
    *,
    scene: ScenePreset = "layers",
    size: int = 256,
    seed: int = 0,
    disparities: tuple[float, ...] | None = None,
    iso: float | None = None,
    imperfections: Imperfections | None = None,
) -> SimulatedCapture:
    """A simulated capture of the middle of the sensor, with its truth; a fraction of a second.

    The same object is given to every caller: leave its arrays as they are.
    """
    model = camera_model(camera, size=size, iso=iso, imperfections=imperfections)
    made = make_scene(scene, model.field_pitch, seed=seed, disparities=disparities)
    return simulate_capture(made, model, seed=seed, rays_per_pixel=32)


def true_field(capture: SimulatedCapture, *, radius: int = 3) -> LightField:
    """The light field of perfect, noise-free views of a simulated capture, rays not included."""
    steps = range(-radius, radius + 1)
    views = np.stack([[capture.view(v, u, rays=16) for u in steps] for v in steps])
    sampling: ViewSampling = capture.sampling
    weights = np.ones(views.shape[:4], np.float32)
    return LightField(views=views, weights=weights, sampling=sampling)


def ray_field(capture: SimulatedCapture, rays: Rays | None = None) -> LightField:
    """The rays of a simulated capture under its true calibration, with black 9 x 9 views."""
    if rays is None:
        rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    views = np.broadcast_to(np.float32(0), (9, 9, *capture.sampling.shape, 3))
    return LightField(views=views, weights=views[..., 0], sampling=capture.sampling, rays=rays)


def inner(picture: FloatArray, margin: int = 6) -> FloatArray:
    """A picture, shape (T, S, ...), without its border."""
    return picture[margin:-margin, margin:-margin]
