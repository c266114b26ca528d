"""Sub-aperture views from lens images: directions, gains, hexagonal to square."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import (
    ROW_STEP_PITCHES,
    CodeArray,
    DoubleArray,
    FloatArray,
    LensletGrid,
    ViewSampling,
)
from lfdfp.decoding.demosaic import LensImages
from lfdfp.decoding.hexagonal import REACH_ROWS, interpolation_table
from lfdfp.decoding.lens_images import LensImageModel
from lfdfp.decoding.view_kernels import LensRows, assemble_row, scatter_row, trust_row
from lfdfp.lenslets.arrays import LensletArray
from lfdfp.progress import Progress

_MARGIN_LENSLETS = 4
_FULL_TRUST_PITCH = 0.40
_NO_TRUST_PITCH = 0.49
_WIDEST_DIRECTION_PITCH = 0.495
_BLOCK_LENSLETS = 12
_GAIN_LIMITS = (0.5, 2.0)
_LEAST_LIGHT = 0.004


def lenslets_around(grid: LensletGrid, sampling: ViewSampling) -> LensletArray:
    """The lenslets, (rows, columns), that the samples of views draw on, with a margin all around.

    The first and last `REACH_ROWS` rows lie beyond the samples.
    """
    rows, columns = sampling.shape
    y, x = sampling.origin_pitch
    first_r = round(y / ROW_STEP_PITCHES) - REACH_ROWS
    r = first_r + np.arange(rows + 2 * REACH_ROWS)
    first_q = np.ceil(x - r / 2).astype(np.int64) - _MARGIN_LENSLETS
    count = int(columns * sampling.step_pitch) + 2 * _MARGIN_LENSLETS + 2
    return LensletArray.of_rows(grid, first_r, first_q, count)


def view_offsets_px(grid: LensletGrid, sampling: ViewSampling, size: int) -> FloatArray:
    """Shape (size, size, 2): (row, column) on the sensor from a lens center to each view's ray."""
    steps = sampling.angular_step_px * (np.arange(size) - size // 2)
    v, u = np.meshgrid(steps, steps, indexing="ij")
    cosine, sine = grid.turn
    return np.stack([v * cosine + u * sine, u * cosine - v * sine], axis=-1).astype(np.float32)


def angular_size(grid: LensletGrid, sampling: ViewSampling) -> int:
    """Odd number of views whose rays lie within the lens image along both axes."""
    return 2 * int(_WIDEST_DIRECTION_PITCH * grid.pitch_px / sampling.angular_step_px) + 1


def view_gains(images: LensImages, offsets_px: FloatArray) -> FloatArray:
    """Gains, shape (V, U, 3), that bring every view to the center view's exposure and color.

    Median over blocks of lenslets of the ratio of the block means: parallax moves light within
    a block and hardly out of it, and the median ignores the blocks where it does.
    """
    blocks = _block_means(images)
    light = _block_light(images.model, blocks, offsets_px)
    n_v, n_u = offsets_px.shape[:2]
    center = light[:, n_v // 2, n_u // 2]
    lit = (center > _LEAST_LIGHT).all(axis=-1)
    if lit.sum() < 4:
        return np.ones((n_v, n_u, 3), np.float32)
    ratio = center[lit, None, None] / np.maximum(light[lit], _LEAST_LIGHT / 4)
    return np.clip(np.median(ratio, axis=0), *_GAIN_LIMITS).astype(np.float32)


def _block_light(model: LensImageModel, blocks: DoubleArray, offsets_px: FloatArray) -> DoubleArray:
    positions = offsets_px.astype(np.float64)
    colors = [np.tensordot(blocks, model.design(positions, c), axes=(1, 2)) for c in range(3)]
    return np.stack(colors, axis=-1)


def _block_means(images: LensImages) -> DoubleArray:
    """Mean coefficients, shape (blocks, count), over blocks of valid lenslets."""
    rows, columns, count = images.coefficients.shape
    n = _BLOCK_LENSLETS
    means = []
    for j in range(0, rows, n):
        for i in range(0, columns, n):
            valid = images.valid[j : j + n, i : i + n]
            if 2 * valid.sum() >= n * n:
                means.append(images.coefficients[j : j + n, i : i + n][valid].mean(axis=0))
    return np.array(means, np.float64).reshape(-1, count)


def rendering_matrix(
    model: LensImageModel, offsets_px: FloatArray, gains: FloatArray, camera_to_srgb: DoubleArray
) -> FloatArray:
    """Matrix, shape (count, V U 3): coefficients of a lens image to all its rays in linear sRGB."""
    positions = offsets_px.astype(np.float64)
    camera = np.stack([model.design(positions, c) for c in range(3)], axis=2)
    srgb = np.einsum("kc,vuc,vucn->nvuk", camera_to_srgb, gains, camera)
    return np.ascontiguousarray(srgb.reshape(model.count, -1), np.float32)


def render_views(
    images: LensImages,
    lenslets: LensletArray,
    sampling: ViewSampling,
    matrix: FloatArray,
    *,
    scale: float,
    offset: float,
    views: CodeArray,
    progress: Progress,
) -> None:
    """Fill `views`, shape (V, U, T, S, 3), with ``light / scale + offset``, row by row."""
    table = interpolation_table()
    n_t, n_s = sampling.shape
    positions = sampling.origin_pitch[1] + sampling.step_pitch * np.arange(n_s)
    window = 2 * REACH_ROWS + 1
    lens_rows = np.empty((window, images.valid.shape[1], matrix.shape[1]), np.float32)
    for row in range(window - 1):
        lens_rows[row + 1] = images.coefficients[row] @ matrix
    codes = np.empty((n_s, matrix.shape[1]), np.uint16)
    first_x = lenslets.first_x
    for t in range(n_t):
        lens_rows[:-1] = lens_rows[1:]
        np.matmul(images.coefficients[t + window - 1], matrix, out=lens_rows[-1])
        rows = slice(t, t + window)
        window_rows = LensRows(lens_rows, images.valid[rows], first_x[rows])
        assemble_row(window_rows, positions, table, scale, offset, codes)
        scatter_row(codes, t, views)
        progress(t + 1, n_t)


def ray_weights(
    response: FloatArray, grid: LensletGrid, sampling: ViewSampling, offsets_px: FloatArray
) -> NDArray[np.uint8]:
    """Trust in every ray, shape (V, U, T, S), 255 for full trust.

    The share of light that the ray's pixel under the nearest lenslet receives. It fades out
    towards the rim of the lens image, where the light of two lenslets mixes, and is 0 beyond.
    """
    n_t, n_s = sampling.shape
    radius = np.hypot(offsets_px[..., 0], offsets_px[..., 1]) / grid.pitch_px
    fade = np.clip((_NO_TRUST_PITCH - radius) / (_NO_TRUST_PITCH - _FULL_TRUST_PITCH), 0, 1)
    rim = (fade * fade * (3 - 2 * fade)).astype(np.float32)
    weights = np.empty((*rim.shape, n_t, n_s), np.uint8)
    x = sampling.origin_pitch[1] + sampling.step_pitch * np.arange(n_s)
    for t in range(n_t):
        y = sampling.origin_pitch[0] + sampling.step_pitch * t
        r = y / ROW_STEP_PITCHES
        q = np.rint(x - r / 2).astype(np.float64)
        centers = grid.centers(q, np.full(n_s, r))
        trust_row(response, centers.astype(np.float32), offsets_px, rim, t, weights)
    return weights
