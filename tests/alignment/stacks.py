"""Stacks whose blur, motion and noise are known."""

from __future__ import annotations

import cv2
import numpy as np

from lfdfp.alignment.motions import motion_matrix, moved_points, warped
from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.imaging.display import decode_srgb, encode
from lfdfp.simulation.rendered_stacks import rendered_stack
from tests.factories import textured_picture

SHAPE = (240, 320)


def grainy_picture(seed: int = 0) -> FloatArray:
    """A picture with detail nearly everywhere, encoded, shape (240, 320, 3)."""
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.standard_normal(SHAPE).astype(np.float32), (0, 0), 0.9)
    return np.clip(textured_picture(SHAPE, seed) + 0.25 * grain[..., None], 0.02, 0.98)


def focused(light: FloatArray, depth: FloatArray, focus: float, widest_px: float) -> FloatArray:
    """Linear light seen with a blur that grows with the distance from `focus`, disc by disc."""
    radii = widest_px * np.abs(depth - focus)
    made = np.zeros_like(light)
    steps = np.arange(np.ceil(radii.max()) + 1)
    for radius in steps:
        share = np.clip(1 - np.abs(radii - radius), 0, 1)[..., None]
        made += share * (light if radius == 0 else cv2.filter2D(light, -1, _disc(radius)))
    return np.asarray(made, np.float32)


def _disc(radius: float) -> FloatArray:
    axis = np.arange(-int(radius) - 1, int(radius) + 2)
    inside = np.clip(radius + 0.5 - np.hypot(axis[:, None], axis), 0, 1)
    return np.asarray(inside / inside.sum(), np.float32)


def terraced(light: FloatArray, depth: FloatArray, focus: float, widest_px: float) -> FloatArray:
    """Linear light of 16 terraces: each, as it blurs, spreads over those behind it."""
    steps = np.rint(15 * depth)
    made = np.zeros_like(light)
    for step in range(16):
        near = (steps >= step).astype(np.float32)[..., None]
        blurred = cv2.filter2D(
            np.dstack([light * near, near]),
            -1,
            _disc(widest_px * abs(step / 15 - focus)),
            borderType=cv2.BORDER_REPLICATE,
        )
        made = made * (1 - blurred[..., 3:]) + blurred[..., :3]
    return np.asarray(made, np.float32)


def still_stack(number: int, widest_px: float = 6.0) -> FloatArray:
    """Linear light (N, T, S, 3): a slope from near to far, focused from one end to the other."""
    light = decode_srgb(grainy_picture())
    depth = np.broadcast_to(np.linspace(0, 1, SHAPE[1], dtype=np.float32), SHAPE)
    return np.stack(
        [focused(light, depth, focus, widest_px) for focus in np.linspace(0, 1, number)]
    )


def leaning_depth(kind: str) -> FloatArray:
    """Depth from 0 to 1, shape (240, 320): a slope from bottom to top, or a hill."""
    rows, columns = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j].astype(np.float32)
    depth = (1 - rows) / 2 if kind == "slope" else np.minimum(np.hypot(rows, columns), 1)
    return np.asarray(depth, np.float32)


def leaning_stack(kind: str, number: int) -> FloatArray:
    """Linear light (N, T, S, 3) of a camera on a stand: what is near spreads over what is far."""
    light = decode_srgb(grainy_picture())
    depth = leaning_depth(kind)
    return rendered_stack(light, depth, number, blur_px=9.0, layers=50).slices


def moved_stack(
    number: int, *, reference: int, noise: float = 0.0
) -> tuple[FloatArray, list[DoubleArray]]:
    """A stack of a hand that drifts and a lens that breathes, and the motions from `reference`."""
    rng = np.random.default_rng(3)
    drift = np.cumsum(rng.normal(0, 1.0, (number, 2)), axis=0)
    parameters = [
        np.array([*(drift[k] - drift[reference]), 0.8 * (k - reference), 0.2 * (k - reference)])
        for k in range(number)
    ]
    motions = [motion_matrix(p, SHAPE) for p in parameters]
    made = []
    for one, motion in zip(still_stack(number), motions, strict=True):
        seen = warped(one, np.linalg.inv(motion))
        shown = encode(seen) + rng.normal(0, noise, seen.shape).astype(np.float32)
        made.append(decode_srgb(np.clip(shown, 0, 1)))
    return np.stack(made), motions


def largest_error(found: DoubleArray, truth: DoubleArray) -> tuple[float, float]:
    """Root mean square and largest distance between two motions over the picture, in pixels."""
    rows, columns = np.mgrid[: SHAPE[0] : 16, : SHAPE[1] : 16]
    points = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
    apart = np.hypot(*(moved_points(found, points) - moved_points(truth, points)).T)
    return float(np.sqrt(np.square(apart).mean())), float(apart.max())
