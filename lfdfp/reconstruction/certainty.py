"""How much the rays determine the detail of a picture, and how noisy it is, pixel by pixel.

Random probes stand for detail of one scale: one sign per cell of that scale, and for the share that
is measured no light below the views' resolution where the cells are finer than a view's pixel.
"""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.fine_grid import FINEST
from lfdfp.reconstruction.picture_steps import system_at
from lfdfp.reconstruction.solver.system import RaySystem
from lfdfp.reconstruction.state import RaySetup, RayState

_WINDOW_PX = 13
_ITERATIONS = 20
_NOISE_ITERATIONS = 10


def detail_probe(
    shape: tuple[int, ...],
    rng: np.random.Generator,
    *,
    pixels_per_view_pixel: int,
    pixels_per_cell: int,
) -> FloatArray:
    """Random detail of one scale, equal in all colors, shape (3, Y, X) for `shape` (Y, X).

    Parameters
    ----------
    pixels_per_view_pixel, pixels_per_cell
        Along each axis; cells of one pixel are the finest detail.
    """
    import cv2

    detail = _signs(shape, rng, pixels_per_cell)
    if pixels_per_cell < pixels_per_view_pixel:
        size = (pixels_per_view_pixel + 1, pixels_per_view_pixel + 1)
        detail = detail - cv2.blur(detail, size)
    return np.stack([detail] * 3)


def _signs(shape: tuple[int, ...], rng: np.random.Generator, pixels_per_cell: int) -> FloatArray:
    """One random sign per cell, shape (Y, X)."""
    cell = np.ones((pixels_per_cell, pixels_per_cell), np.float32)
    cells = tuple(-(-n // pixels_per_cell) for n in shape)
    signs = rng.choice(np.array([-1, 1], np.float32), cells)
    return np.asarray(np.kron(signs, cell)[: shape[0], : shape[1]])


def observability(system: RaySystem, probe: FloatArray) -> FloatArray:
    """Share of the detail that would come back if the rays saw it and nothing else, 0 to 1.

    With D the data's and P the prior's part of the normal operator at `picture`, the rays'
    image of a probe z is solved for as the picture is: ``w = (D + P)⁻¹ D z``. Around each pixel
    ``Σ z w / Σ z z`` estimates the mean diagonal of the resolution matrix (Hutchinson). 1:
    measured; 0: filled in by the prior, because rays are noisy, few, or all see the same places.

    Parameters
    ----------
    system
        At the solution.
    probe
        Shape (3, Y, X), from `detail_probe`.

    Returns
    -------
    ndarray of shape (Y, X)
    """
    import cv2

    found = system.answer(system.by_data(probe), _ITERATIONS)
    size = (_WINDOW_PX, _WINDOW_PX)
    product, power = (cv2.blur((probe * p).sum(axis=0), size) for p in (found, probe))
    share = product / np.maximum(power, np.float32(1e-12))
    return np.asarray(np.clip(share, 0.0, 1.0), np.float32)


def standard_error(
    system: RaySystem,
    readout: FloatArray,
    rng: np.random.Generator,
    *,
    pixels_per_cell: int,
) -> FloatArray:
    """Standard deviation that the rays' noise leaves in the mean over a cell of the solution.

    Noise of the rays reaches the solution linearly where the prior is held: with D the data's and
    P the prior's part of the normal operator at `picture`, its covariance is
    ``(D + P)⁻¹ D (D + P)⁻¹``. For a probe z of one sign per cell, ``v = (D + P)⁻¹ z`` and
    ``Σ v D v`` around a pixel estimate the variance there (Hutchinson). What the prior itself
    takes away, and errors of the disparity, are not in it.

    Parameters
    ----------
    system
        At the solution.
    readout
        Shape (3,): weights of the colors whose sum is looked at, such as those of the luma.
    pixels_per_cell
        Along each axis.

    Returns
    -------
    ndarray of shape (Y, X)
        In the unit of `readout` times `picture`.
    """
    import cv2

    probe = readout.astype(np.float32)[:, None, None] * _signs(
        system.observation.grid.shape, rng, pixels_per_cell
    )
    moved = system.answer(probe, _NOISE_ITERATIONS)
    del probe  # it was used up
    power = (moved * system.by_data(moved)).sum(axis=0)
    variance = np.maximum(cv2.blur(power, (_WINDOW_PX, _WINDOW_PX)), 0.0)
    return np.asarray(np.sqrt(variance) / pixels_per_cell, np.float32)


def curvature_ratio(system: RaySystem, probe: FloatArray) -> float:
    """How many times as tightly as the prior the rays hold a probe's detail: the median pixel.

    The probe times its image is, on average, the curvature with which the data's or the prior's
    part of the normal operator holds the detail around each pixel.

    Parameters
    ----------
    probe
        Shape (3, Y, X), from `detail_probe`.
    """
    import cv2

    size = (_WINDOW_PX, _WINDOW_PX)
    data, prior = (
        np.maximum(cv2.blur((probe * image).sum(axis=0), size), 0.0)
        for image in (system.by_data(probe), system.by_prior(probe))
    )
    return float(np.median(data / np.maximum(prior, np.float32(1e-20))))


def certainty(setup: RaySetup, state: RayState, strength: float) -> tuple[FloatArray, FloatArray]:
    """Observability and standard error of the display's luma, each of shape (Y, X).

    Both are for pixels of the picture that is wanted (`RaySetup.scale`), from a prior of that
    strength. The error is in linear light.
    """
    system, probe = probed_system(setup, state, strength, setup.scale)
    seen = observability(system, probe)
    del probe  # before memory is taken for the next one
    error = standard_error(
        system,
        setup.luma_weights,
        np.random.default_rng(setup.seed),
        pixels_per_cell=round(FINEST / setup.scale),
    )
    return seen, error


def probed_system(
    setup: RaySetup, state: RayState, strength: float, scale: int
) -> tuple[RaySystem, FloatArray]:
    """The rays' system at the picture of a state, and a probe (3, Y, X) of a scale's detail."""
    probe = detail_probe(
        setup.grid.shape,
        np.random.default_rng(setup.seed),
        pixels_per_view_pixel=FINEST,
        pixels_per_cell=round(FINEST / scale),
    )
    prior = setup.parameters.final_variation(strength)
    system = system_at(setup, state.observation, state.picture, prior, state.disagreement)
    return system, probe
