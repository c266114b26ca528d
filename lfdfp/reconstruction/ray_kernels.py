"""What all compiled passes over a capture's rays take, and the steps that they share.

A pass works on a band of fine-grid rows and writes nothing outside it, and the rays that reach a
fine pixel are added in the order of the lenslets. So the result does not depend on the number of
bands or threads, to the last bit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray


class RayArrays(NamedTuple):
    """What the pixels of the sensor measured, as `RayLight` holds it.

    Attributes
    ----------
    light, response
        Shape (H, W), float32: light, or a mark of `ray_marks`; share of full response.
    colors
        Shape (2, 2), int64: color (0 red, 1 green, 2 blue) of the Bayer cell.
    terms
        Shape (2, 2, 3), float32: `RayLight.noise_terms`.
    """

    light: FloatArray
    response: FloatArray
    colors: NDArray[np.int64]
    terms: FloatArray


class LensletPlaces(NamedTuple):
    """Where the lenslets are, on the sensor and on the fine grid.

    Attributes
    ----------
    centers
        Shape (L, 2), float32: (row, column) of the image centers, in sensor pixels.
    origins
        Shape (L, 2), float32: (row, column) in fine pixels.
    turn
        Shape (2,): (cos, sin) of the lattice's rotation (`LensletTable.turn`).
    radius
        Largest distance of a pixel from its lenslet's center that is used, in sensor pixels.
    """

    centers: FloatArray
    origins: FloatArray
    turn: Any
    radius: Any


class Band(NamedTuple):
    """What one call works on: each first and last + 1.

    Attributes
    ----------
    lenslets
        All whose rays can reach the rows.
    rows
        Of the fine grid.
    """

    lenslets: tuple[int, int]
    rows: tuple[int, int]


@njit(inline="always")
def light_variance(read: Any, shot: Any, relative: Any, response: Any, signal: Any) -> Any:
    """Variance of the light of a ray that should measure `signal` (`RayLight.noise_terms`)."""
    return (read / response + shot * signal) / response + relative * signal * signal


@njit(inline="always")
def bilinear(below: Any, right: Any) -> Any:
    """Factors of the upper left, upper right, lower left and lower right pixel around a place.

    Parameters
    ----------
    below, right
        How far the place lies from the upper left pixel, 0 to 1.
    """
    above, left = 1 - below, 1 - right
    return above * left, above * right, below * left, below * right


@njit(inline="always")
def add_upper(here: FloatArray, beside: FloatArray, corners: Any, weight: Any, amount: Any) -> None:
    """Add a ray's share of the normal equations to the upper two of the pixels around it.

    Parameters
    ----------
    here, beside
        Shape (6 or more,): of the upper left and the upper right pixel, couplings with the pixel
        itself, right, below, below right and below left, and the right-hand side.
    corners
        Bilinear factors of the upper left, upper right, lower left and lower right pixel.
    weight, amount
        Of the ray; weight times light.
    """
    w00, w01, w10, w11 = corners
    here[0] += weight * w00 * w00
    here[1] += weight * w00 * w01
    here[2] += weight * w00 * w10
    here[3] += weight * w00 * w11
    here[5] += amount * w00
    beside[0] += weight * w01 * w01
    beside[2] += weight * w01 * w11
    beside[4] += weight * w01 * w10
    beside[5] += amount * w01


@njit(inline="always")
def add_lower(here: FloatArray, beside: FloatArray, corners: Any, weight: Any, amount: Any) -> None:
    """As `add_upper`, to the lower two: `here` is the lower left, `beside` the lower right pixel.

    What couples them with the upper ones is there already.
    """
    _, _, w10, w11 = corners
    here[0] += weight * w10 * w10
    here[1] += weight * w10 * w11
    here[5] += amount * w10
    beside[0] += weight * w11 * w11
    beside[5] += amount * w11
