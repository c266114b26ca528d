"""Compiled evaluation of a scene's radiance along rays, and the rays of a band of sensor rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from lfdfp.datatypes import BoolArray, FloatArray

MAX_LAYERS = 8
"""Layers of a scene; shorter scenes are padded, so that one compiled kernel serves all."""


class PackedLayers(NamedTuple):
    """`MAX_LAYERS` layers, front first, padded with empty ones (`pack_layers`).

    Attributes
    ----------
    textures
        Per layer, shape (rows, columns, 4): premultiplied linear RGB and opacity.
    texture_frames, disparity_frames
        Shape (layers, 4): (y, x) of the first sample in pitches, and samples per pitch along y
        and x.
    disparities
        Per layer, shape (rows, columns): pitches per raw pixel, at surface points.
    occupied
        Per layer: False where no texel within three cells has light or opacity.
    cells
        Shape (layers, 2): cells of `occupied` per texel, along rows and columns.
    """

    textures: tuple[FloatArray, ...]
    texture_frames: FloatArray
    disparities: tuple[FloatArray, ...]
    disparity_frames: FloatArray
    occupied: tuple[BoolArray, ...]
    cells: FloatArray


_ONE = np.uint64(1)
_FAST = {"nsz", "arcp", "contract", "afn", "reassoc"}
"""Fast arithmetic that still knows NaN, which marks rays to skip."""

_BELOW = 1 - 1e-6
"""Keeps the last place of a texture below its last texel, whatever the rounding."""

_OPAQUE = np.float32(1e-3)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST, inline="always")
def _disparity(field: FloatArray, frame: FloatArray, y: float, x: float) -> tuple[float, ...]:
    """(disparity, its slope along y, along x) at surface point (y, x), by bilinear sampling."""
    rows, columns = field.shape
    fy = min(max((y - frame[0]) * frame[2], np.float32(0)), np.float32(rows - 1.0001))
    fx = min(max((x - frame[1]) * frame[3], np.float32(0)), np.float32(columns - 1.0001))
    j, i = int(fy), int(fx)
    wy, wx = np.float32(fy - j), np.float32(fx - i)
    a, b, c, d = field[j, i], field[j, i + 1], field[j + 1, i], field[j + 1, i + 1]
    top, bottom = a + wx * (b - a), c + wx * (d - c)
    left, right = a + wy * (c - a), b + wy * (d - b)
    return top + wy * (bottom - top), (bottom - top) * frame[2], (right - left) * frame[3]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST, inline="always")
def _blend(texture: FloatArray, j: Any, i: Any, corners: Any, channel: int) -> Any:
    """A channel at a place between four texels, the upper left of which is (j, i)."""
    w00, w01, w10, w11 = corners
    return (
        w00 * texture[j, i, channel]
        + w01 * texture[j, i + _ONE, channel]
        + w10 * texture[j + _ONE, i, channel]
        + w11 * texture[j + _ONE, i + _ONE, channel]
    )


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST, inline="always")
def _surface_point(field: FloatArray, frame: FloatArray, ray: Any) -> tuple[Any, ...]:
    """(disparity, its slope along y, along x, and y, x) where a ray meets a layer's surface."""
    y, x, v, u = ray
    d, slope_y, slope_x = _disparity(field, frame, y, x)
    for _ in range(3):
        d, slope_y, slope_x = _disparity(field, frame, y - d * v, x - d * u)
    return d, slope_y, slope_x, y - d * v, x - d * u


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST, inline="always")
def _add_layer(
    texture: FloatArray,
    frame: FloatArray,
    surface: Any,
    ray: Any,
    offsets: FloatArray,
    through: FloatArray,
    light: Any,
) -> tuple[Any, int]:
    """Add a layer's light to that of a bundle, (red, green, blue); count rays that end at it.

    Parameters
    ----------
    surface, ray
        As `_surface_point` gives it; y, x, v, u.
    offsets, through
        Shape (4, K) and (K,): rays of the bundle, and what of each is left; changed.
    """
    d, slope_y, slope_x, surface_y, surface_x = surface
    y, x, v, u = ray
    last_row = np.float32((texture.shape[0] - 1) * _BELOW)
    last_column = np.float32((texture.shape[1] - 1) * _BELOW)
    y0, x0, scale_y, scale_x = frame[0], frame[1], frame[2], frame[3]
    red, green, blue = light
    ended = 0
    for k in range(through.size):
        t = through[k]
        if t <= _OPAQUE:
            continue
        y_k, x_k = y + offsets[0, k], x + offsets[1, k]
        v_k, u_k = v + offsets[2, k], u + offsets[3, k]
        d_k = (d + slope_y * (y_k - surface_y) + slope_x * (x_k - surface_x)) / (
            np.float32(1) + slope_y * v_k + slope_x * u_k
        )
        row = min(max((y_k - d_k * v_k - y0) * scale_y, np.float32(0)), last_row)
        column = min(max((x_k - d_k * u_k - x0) * scale_x, np.float32(0)), last_column)
        row_floor, column_floor = np.int32(row), np.int32(column)
        j, i = np.uint64(row_floor), np.uint64(column_floor)
        wy, wx = row - np.float32(row_floor), column - np.float32(column_floor)
        w11 = t * wy * wx
        w10 = t * wy - w11
        w01 = t * wx - w11
        corners = t - t * wy - w01, w01, w10, w11
        red += _blend(texture, j, i, corners, 0)
        green += _blend(texture, j, i, corners, 1)
        blue += _blend(texture, j, i, corners, 2)
        t -= _blend(texture, j, i, corners, 3)
        through[k] = t
        if t <= _OPAQUE:
            ended += 1
    return (red, green, blue), ended


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def render_rays(
    layers: PackedLayers, n_layers: int, rays: FloatArray, bundles: FloatArray, light: FloatArray
) -> None:
    """Mean radiance over the bundle of rays around each ray, front layer first.

    Parameters
    ----------
    rays
        Shape (4, n): y, x (pitches) and v, u (raw pixels). NaN in y skips the ray.
    bundles
        Shape (S, 4, K): bundles, as offsets of y, x, v, u; ray n takes bundle ``n % S``.
    light
        Shape (n, 3), overwritten: linear sRGB.
    """
    textures, frames, disparities, disparity_frames, occupied, cells = layers
    n_offsets = bundles.shape[2]
    share = np.float32(1.0 / n_offsets)
    through = np.empty(n_offsets, np.float32)
    for n in range(rays.shape[1]):
        ray = rays[0, n], rays[1, n], rays[2, n], rays[3, n]
        if np.isnan(ray[0]):
            light[n, :] = 0
            continue
        total = np.float32(0), np.float32(0), np.float32(0)
        offsets = bundles[n % bundles.shape[0]]
        through[:] = 1
        remaining = n_offsets
        for layer in range(n_layers):
            texture, frame = textures[layer], frames[layer]
            surface = _surface_point(disparities[layer], disparity_frames[layer], ray)
            last_row = np.float32((texture.shape[0] - 1) * _BELOW)
            last_column = np.float32((texture.shape[1] - 1) * _BELOW)
            row = min(max((surface[3] - frame[0]) * frame[2], np.float32(0)), last_row)
            column = min(max((surface[4] - frame[1]) * frame[3], np.float32(0)), last_column)
            if not occupied[layer][int(row * cells[layer, 0]), int(column * cells[layer, 1])]:
                continue
            total, ended = _add_layer(texture, frame, surface, ray, offsets, through, total)
            remaining -= ended
            if remaining == 0:
                break
        light[n, 0], light[n, 1], light[n, 2] = total[0] * share, total[1] * share, total[2] * share


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def front_disparity(
    layers: PackedLayers, n_layers: int, points: FloatArray, found: FloatArray
) -> None:
    """Disparity of the first layer more than half opaque at points of the center view.

    Parameters
    ----------
    points
        Shape (2, n): y, x in pitches.
    found
        Shape (n,), overwritten: pitches per raw pixel; NaN where all layers are transparent.
    """
    for n in range(points.shape[1]):
        y, x = points[0, n], points[1, n]
        found[n] = np.nan
        for layer in range(n_layers):
            texture, frame = layers.textures[layer], layers.texture_frames[layer]
            last_row, last_column = texture.shape[0] - 1, texture.shape[1] - 1
            row = min(max((y - frame[0]) * frame[2], np.float32(0)), np.float32(last_row))
            column = min(max((x - frame[1]) * frame[3], np.float32(0)), np.float32(last_column))
            j, i = min(int(row), last_row - 1), min(int(column), last_column - 1)
            wy, wx = row - np.float32(j), column - np.float32(i)
            top = texture[j, i, 3] * (1 - wx) + texture[j, i + 1, 3] * wx
            bottom = texture[j + 1, i, 3] * (1 - wx) + texture[j + 1, i + 1, 3] * wx
            if top * (1 - wy) + bottom * wy > 0.5:
                field, field_frame = layers.disparities[layer], layers.disparity_frames[layer]
                found[n] = _disparity(field, field_frame, y, x)[0]
                break
