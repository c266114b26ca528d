"""How much the rays determine the detail of a reconstruction, pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.observation import NormalEquations
from lfdfp.fusion.ray_solver import RaySolver, Variation

_PROBES = 2
_WINDOW = 9


def observability(
    solver: RaySolver,
    equations: NormalEquations,
    picture: FloatArray,
    variation: Variation,
    *,
    pixels_per_view_pixel: int,
    seed: int,
) -> FloatArray:
    """Share of the data in what holds detail finer than the views in place, 0 to 1.

    Random probes without any light below the views' resolution are sent through the data's and
    the prior's part of the normal operator; the probe times its image is, on average, the
    curvature with which either holds the detail around each pixel (Hutchinson's estimate of the
    diagonal). 1: measured; 0: filled in by the prior.

    Parameters
    ----------
    picture
        Shape (3, Y, X): the solution.
    pixels_per_view_pixel
        Along each axis.

    Returns
    -------
    ndarray of shape (Y, X)
    """
    rng = np.random.default_rng(seed)
    shape = picture.shape[1:]
    data, prior = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    size = (pixels_per_view_pixel + 1, pixels_per_view_pixel + 1)
    for _ in range(_PROBES):
        noise = rng.choice(np.array([-1, 1], np.float32), shape)
        detail = noise - cv2.blur(noise, size)
        probe = np.stack([detail] * 3)
        by_data, by_prior = solver.images(equations, picture, variation, probe)
        data += (probe * by_data).sum(axis=0)
        prior += (probe * by_prior).sum(axis=0)
    data, prior = (np.maximum(cv2.blur(part, (_WINDOW, _WINDOW)), 0.0) for part in (data, prior))
    return np.asarray(data / np.maximum(data + prior, np.float32(1e-20)), np.float32)
