"""Bundles of rays: what one sensor pixel, or one pixel of a picture, gathers.

A sensor pixel integrates over its lenslet's area in the lens plane and over its own extent in
direction, a box of four dimensions. A bundle replaces the integral by K rays on a rank-1 lattice
[1]_, turned into the footprint's shape. Bundles with different shifts take turns from pixel to
pixel, so that what the sum leaves of the integral is noise far below the sensor's, not a bias.

References
----------
.. [1] I. H. Sloan, S. Joe, "Lattice Methods for Multiple Integration", Oxford, 1994.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, DoubleArray, FloatArray
from lfdfp.simulation.camera import Imperfections

BundleSize = Literal[16, 32, 64, 128, 256]

_GENERATORS: Mapping[int, tuple[int, int, int, int]] = {
    16: (1, 10, 6, 2),
    32: (1, 6, 9, 23),
    64: (1, 17, 53, 7),
    128: (1, 109, 33, 87),
    256: (1, 49, 63, 165),
}
"""Chosen for the smallest error of the footprint's transfer function below 3 cycles per pitch."""

_SHIFTS = 31


def lenslet_bundles(optics: Imperfections, size: BundleSize) -> FloatArray:
    """Shape (31, 4, K): offsets of y, x (pitches) and v, u (raw pixels), with 31 shifts."""
    if size not in get_args(BundleSize):
        raise ValueError(f"bundles have 16, 32, 64, 128 or 256 rays, got {size}")
    lattice = np.outer(_GENERATORS[size], np.arange(size) + 0.5) / size
    shifts = np.outer(np.arange(_SHIFTS), [0.7548776662, 0.5698402910, 0.4301597090, 0.2451223338])
    unit = (lattice[None] + shifts[..., None]) % 1.0
    plane = _in_hexagon(unit[:, :2]) if optics.footprint == "hexagon" else _in_square(unit[:, :2])
    direction = _in_pixel(unit[:, 2:], optics.diffraction_px)
    return np.concatenate([optics.footprint_scale * plane, direction], axis=1).astype(np.float32)


def pixel_bundle(step_pitch: float, side: int) -> FloatArray:
    """Shape (1, 4, side²): rays of the center view over a square picture pixel."""
    place = step_pitch * ((np.arange(side) + 0.5) / side - 0.5)
    y, x = (axis.ravel() for axis in np.meshgrid(place, place, indexing="ij"))
    return np.stack([y, x, 0 * y, 0 * y])[None].astype(np.float32)


def _in_square(unit: DoubleArray) -> DoubleArray:
    """The unit square onto the square of a lenslet cell's area."""
    return np.asarray((unit - 0.5) * np.sqrt(ROW_STEP_PITCHES))


def _in_hexagon(unit: DoubleArray) -> DoubleArray:
    """The unit square onto a lenslet's hexagon, as three rhombi."""
    sector = np.minimum((3 * unit[:, 0]).astype(int), 2)
    along, across = 3 * unit[:, 0] - sector, unit[:, 1]
    angle = 2 * np.pi / 3 * sector
    radius = 1 / np.sqrt(3.0)
    y = radius * (along * np.cos(angle) + across * np.cos(angle + 2 * np.pi / 3))
    x = radius * (along * np.sin(angle) + across * np.sin(angle + 2 * np.pi / 3))
    return np.stack([y, x], axis=1)


def _in_pixel(unit: DoubleArray, blur_px: float) -> DoubleArray:
    """Directions over the pixel's width, blurred by diffraction.

    The quantile of box and Gaussian together is taken from a table of their distribution.
    """
    from scipy.special import ndtri

    if blur_px == 0:
        return unit - 0.5
    position = (np.arange(512) + 0.5) / 512
    samples = np.sort((position - 0.5)[:, None] + blur_px * ndtri(position)[None], axis=None)
    return np.asarray(np.interp(unit, (np.arange(samples.size) + 0.5) / samples.size, samples))
