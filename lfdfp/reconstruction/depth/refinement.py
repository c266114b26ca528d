"""Gauss-Newton steps that fit the disparity of smooth surfaces to the rays' residuals."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.depth import surface_kernels as kernels
from lfdfp.reconstruction.observation import RayObservation, RayWeighting

_MISFIT_WINDOW_PX = 5
_SAME_SURFACE_PITCH = 0.08
_USUAL_ERROR_PITCH = 0.1
_REACH_PX = 9
_STRIDE = 3
_FITS = 2


def slope_steps(
    observation: RayObservation, picture: FloatArray, weighting: RayWeighting
) -> FloatArray:
    """Σ ω J e, Σ ω J², Σ e²/σ² and number of rays per fine pixel, shape (4, Y, X).

    e is the residual of a ray and J how its prediction changes with its slope.

    Parameters
    ----------
    picture
        Shape (3, Y, X).
    weighting
        Its model error counts as noise, and its robustness holds for single rays.
    """
    bundle, slopes, blurred = observation.bundle, observation.slopes, observation.blur(picture)
    height, width = bundle.grid.shape
    rays, places = bundle.rays(weighting.model_error), bundle.places
    robustness = np.float32(weighting.robustness)
    steps = np.empty((4, height, width), np.float32)

    def work(first: int, last: int) -> None:
        sums = np.zeros((last - first, width, 4), np.float32)
        band = bundle.band(first, last, observation.steepest)
        kernels.gather_slope_steps(rays, places, slopes, blurred, robustness, band, sums)
        steps[:, first:last] = np.moveaxis(sums, -1, 0)

    bundle.runner.map(work, height)
    return steps


def fitted_slopes(slope_map: FloatArray, steps: FloatArray, bundle: RayBundle) -> FloatArray:
    """`slope_map` moved to where the rays want it, smoothed over each surface.

    Around every pixel a plane is fitted to the slopes of the same surface and to the steps that
    the rays ask for, each by its curvature; twice, the second time from the result of the first.

    Parameters
    ----------
    steps
        From `slope_steps`.
    """
    import cv2

    scale = bundle.grid.pixels_per_pitch
    fit = kernels.SurfaceFit(
        reach=_REACH_PX,
        stride=_STRIDE,
        tolerance=np.float32(_SAME_SURFACE_PITCH * scale),
        damping=np.float32(1 / (_USUAL_ERROR_PITCH * scale) ** 2),
    )
    gradient, curvature = (cv2.blur(s, (_STRIDE, _STRIDE)) * _STRIDE**2 for s in steps[:2])
    current = slope_map
    for _ in range(_FITS):
        fitted = np.empty_like(slope_map)
        moves = np.stack([gradient, curvature])

        def work(
            first: int,
            last: int,
            current: FloatArray = current,
            moves: FloatArray = moves,
            fitted: FloatArray = fitted,
        ) -> None:
            kernels.fit_surfaces(current, moves, fit, (first, last), fitted)

        bundle.runner.map(work, slope_map.shape[0])
        gradient = gradient - curvature * (fitted - current)
        current = fitted
    return current


def local_disagreement(steps: FloatArray) -> FloatArray:
    """Mean e²/σ² of the rays around every pixel, at least 1, shape (Y, X).

    Where the model does not hold (a wrong disparity, the border of an occluder), rays contradict
    each other by far more than noise; there they count less against the prior.

    Parameters
    ----------
    steps
        Shape (4, Y, X), from `slope_steps`.
    """
    import cv2

    window = (_MISFIT_WINDOW_PX, _MISFIT_WINDOW_PX)
    misfit, count = (cv2.blur(s, window) for s in steps[2:])
    disagreement = 0.5 * misfit / (count + np.float32(0.05))
    return np.asarray(np.maximum(disagreement, 1.0), np.float32)
