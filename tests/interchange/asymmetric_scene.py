"""A small scene that no flip, transposition or exchange of axes leaves as it was."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import LightField

ANGULAR, SPATIAL = (3, 5), (24, 37)
SPOTS = {"red": ((12.0, 12.0), 1.0, 0), "green": ((13.0, 24.0), -1.0, 1)}
"""Center (t, s) in the center view, disparity d, color channel."""


def asymmetric_field(*, weighted: bool = False) -> LightField:
    """Two spots of known disparity and color on a ramp; every extent is different.

    With `weighted`, one corner view is dark and the view below the center weighs 0.6.
    """
    rows, columns = ANGULAR
    t, s = np.arange(SPATIAL[0])[:, None], np.arange(SPATIAL[1])[None, :]
    views = np.empty((rows, columns, *SPATIAL, 3), np.float32)
    views[...] = (0.05 + 0.002 * t + 0.001 * s)[..., None]
    for v, u in np.ndindex(ANGULAR):
        for (t0, s0), disparity, color in SPOTS.values():
            dt = t - t0 - disparity * (v - rows // 2)
            ds = s - s0 - disparity * (u - columns // 2)
            views[v, u, ..., color] += 0.8 * np.exp(-(dt**2 / 4 + ds**2 / 9))
    weights = np.ones(views.shape[:4], np.float32)
    if weighted:
        views[0, 0], weights[0, 0] = 0.0, 0.0
        weights[2, 2] = 0.6
    return LightField(views=views, weights=weights)


def spot(field: LightField, name: str, v: int, u: int) -> tuple[float, float]:
    """Where (t, s) a spot is seen in one view: the mean position of its own color's excess."""
    color = SPOTS[name][2]
    light = field.view(v, u).astype(np.float64)
    excess = np.clip(light[..., color] - light[..., 2] - 0.05, 0, None)
    assert excess.sum() > 1, f"no {name} spot in view {(v, u)}"
    t, s = np.mgrid[: light.shape[0], : light.shape[1]]
    return float((excess * t).sum() / excess.sum()), float((excess * s).sum() / excess.sum())


def assert_axes_and_signs(field: LightField, *, views: list[tuple[int, int]] | None = None) -> None:
    """Every spot lies at ``center + d (v - v_center, u - u_center)`` in every view."""
    assert field.angular_shape == ANGULAR
    assert field.spatial_shape == SPATIAL
    for v, u in views or list(np.ndindex(ANGULAR)):
        for name, ((t0, s0), disparity, _) in SPOTS.items():
            expected = (
                t0 + disparity * (v - ANGULAR[0] // 2),
                s0 + disparity * (u - ANGULAR[1] // 2),
            )
            np.testing.assert_allclose(spot(field, name, v, u), expected, atol=0.05)


def assert_same_light(read: LightField, written: LightField, tolerance: float) -> None:
    """Linear light agrees in every view."""
    assert read.views.shape == written.views.shape
    for v, u in np.ndindex(written.angular_shape):
        np.testing.assert_allclose(read.view(v, u), written.view(v, u), atol=tolerance)


def assert_same_weights(read: LightField, written: LightField) -> None:
    """Weights agree to 8 bits in every view."""
    for v, u in np.ndindex(written.angular_shape):
        np.testing.assert_allclose(read.weight(v, u), written.weight(v, u), atol=0.6 / 255)
