"""The solution of the rays on its finest grid, and the pictures and maps made from it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import cv2
import numpy as np

from lfdfp.datatypes import FloatArray, FusionResult, NoiseModel, Rays, ViewSampling
from lfdfp.imaging.color import display_matrix, oriented
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.settings import FusionSettings

FINEST = 4
"""Pixels of the solution's grid per pixel of a view, along each axis."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RaySolution:
    """The reconstruction on its finest grid, before colors and orientation.

    Attributes
    ----------
    picture
        Shape (3, Y, X): white-balanced camera colors.
    slope_map
        Shape (Y, X): fine pixels per raw pixel.
    confidence
        Shape (Y, X), in [0, 1].
    grid
        The grid of all three.
    noise
        Learned from held-out rays, errors of the model included.
    strength
        λ of total variation, chosen by held-out rays.
    radius_pitch
        How far from their lenslets' centers rays were used, in the end.
    observability
        Shape (Y, X), in [0, 1]: how much the rays determine detail of the settings' scale.
    standard_error
        Shape (Y, X): what the noise of the rays leaves in the display's luma, linear light, over a
        pixel of the settings' scale.
    """

    picture: FloatArray
    slope_map: FloatArray
    confidence: FloatArray
    grid: FineGrid
    noise: NoiseModel
    strength: float
    radius_pitch: float
    observability: FloatArray
    standard_error: FloatArray
    warnings: tuple[str, ...] = ()


def fusion_result(
    solution: RaySolution,
    rays: Rays,
    settings: FusionSettings,
    *,
    scale: int,
    sampling: ViewSampling,
) -> FusionResult:
    grid = solution.grid
    colors = np.moveaxis(
        np.tensordot(display_matrix(rays.capture.color), solution.picture, 1), 0, -1
    )
    finest = np.ascontiguousarray(grid.inner(colors))
    slope = grid.inner(solution.slope_map) / np.float32(grid.slope_scale)

    def upright(picture: FloatArray) -> FloatArray:
        return np.ascontiguousarray(oriented(picture, sampling.orientation))

    def averaged(fine_map: FloatArray) -> FloatArray:
        return upright(area_average(grid.inner(fine_map)[..., None], sampling.shape, scale)[..., 0])

    return FusionResult(
        all_in_focus=upright(area_average(finest, sampling.shape, 1)),
        super_resolved=upright(area_average(finest, sampling.shape, scale)),
        scale=scale,
        disparity=upright(_middle(slope)),
        disparity_confidence=upright(_middle(grid.inner(solution.confidence))),
        fine_disparity=upright(_picked(slope, sampling.shape, scale)),
        observability=averaged(solution.observability),
        standard_error=averaged(solution.standard_error),
        data_term="rays",
        losses={
            "prior_strength": solution.strength,
            "ray_radius_pitch": solution.radius_pitch,
            "noise_read_variance": solution.noise.read_variance,
            "noise_shot_gain": solution.noise.shot_gain,
            "noise_relative": solution.noise.relative,
        },
        prior="total variation",
        seed=settings.seed,
        device="cpu" if settings.device == "auto" else settings.device,
        warnings=solution.warnings,
        settings=dataclasses.asdict(settings),
        history=(*rays.capture.history, f"reconstructed from rays at scale {scale}"),
    )


def area_average(finest: FloatArray, shape: tuple[int, int], scale: int) -> FloatArray:
    """Average (4T, 4S, C) over the pixels of a grid `scale` times finer than `shape`."""
    size = (scale * shape[1], scale * shape[0])
    if scale == FINEST:
        return finest
    average = cv2.resize(finest, size, interpolation=cv2.INTER_AREA)
    return np.asarray(average.reshape(*size[::-1], finest.shape[2]), np.float32)


def _picked(finest: FloatArray, shape: tuple[int, int], scale: int) -> FloatArray:
    """One of the values (4T, 4S) under every pixel of a grid `scale` times finer than `shape`.

    Not their mean: at a border it would lie on neither surface.
    """
    rows, columns = (
        ((np.arange(scale * n) + 0.5) * FINEST / scale).astype(np.int64) for n in shape
    )
    return np.ascontiguousarray(finest[np.ix_(rows, columns)])


def _middle(fine: FloatArray) -> FloatArray:
    """Median of every block of 4 x 4, shape (T, S)."""
    t, s = fine.shape[0] // FINEST, fine.shape[1] // FINEST
    blocks = fine.reshape(t, FINEST, s, FINEST).swapaxes(1, 2).reshape(t, s, -1)
    return np.asarray(np.median(blocks, axis=-1), np.float32)
