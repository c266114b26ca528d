"""Gauss-Newton steps that fit the disparity of smooth surfaces to the rays' residuals."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.disparity import ray_sweep_kernels as kernels
from lfdfp.disparity.guided_filter import GuidedFilter
from lfdfp.disparity.ray_plane_sweep import RayBundle


def slope_steps(
    bundle: RayBundle,
    slopes: FloatArray,
    blurred: FloatArray,
    *,
    outlier_error: float,
    robustness: float,
) -> FloatArray:
    """Σ ω J e and Σ ω J² per fine pixel, shape (2, Y, X): one linearized step on the slope.

    Parameters
    ----------
    slopes
        Shape (H, W): slope of every ray.
    blurred
        Shape (3, Y, X): the picture behind the lenslets' footprint.
    """
    height, width = bundle.grid.shape
    origins, table, light = bundle.origins(), bundle.lenslets, bundle.light
    steepest = float(np.abs(slopes, where=slopes < 1e8, out=np.zeros_like(slopes)).max())
    terms, turn = light.noise_terms(), np.asarray(table.turn, np.float32)
    steps = np.empty((2, height, width), np.float32)

    def work(first: int, last: int) -> None:
        sums = np.zeros((last - first, width, 2), np.float32)
        kernels.gather_slope_steps(
            light.light, light.response, light.colors, terms, table.centers_px, origins, turn,
            slopes, np.float32(bundle.radius_px), blurred, np.float32(outlier_error),
            np.float32(robustness), bundle.lenslets_within(origins, first, last, steepest),
            (first, last), sums,
        )  # fmt: skip
        steps[:, first:last] = np.moveaxis(sums, -1, 0)

    bundle.runner.map(work, height)
    return steps


def refined(
    slope_map: FloatArray,
    steps: FloatArray,
    smooth: GuidedFilter,
    *,
    typical_error: float,
    largest: float,
) -> FloatArray:
    """`slope_map` after one step, averaged inside the guide's regions.

    Parameters
    ----------
    typical_error
        Standard deviation to expect of the slopes before the step: damps it where the rays say
        little.
    largest
        Steps are cut off here.
    """
    gradient, curvature = smooth(steps[0]), np.maximum(smooth(steps[1]), 0.0)
    step = gradient / (curvature + np.float32(1 / typical_error**2))
    return np.asarray(slope_map + np.clip(step, -largest, largest), np.float32)
