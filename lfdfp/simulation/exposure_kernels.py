"""Compiled geometry behind the lens array: which lenslets light a pixel, and how much."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import ROW_STEP_PITCHES, DoubleArray, FloatArray
from lfdfp.lenslets.kernels import direction

OwnerArray: TypeAlias = NDArray[np.int32]

N_PATHS = 7
"""A pixel's light may come through its own lenslet (path 0) and its six neighbors."""


class LensletImages(NamedTuple):
    """The lenslet images of a camera, in the frame of `LensletArray.over`.

    Attributes
    ----------
    centers
        Shape (R, X, 2): (row, column) on the sensor.
    first
        Lenslet (q, r) is at ``[r - first[0], q + (r >> 1) - first[1]]``.
    gains
        Shape (R, X), float32: of each lenslet, with the fall-off over the field.
    turn
        (cos, sin) of the lattice's rotation.
    """

    centers: DoubleArray
    first: tuple[int, int]
    gains: FloatArray
    turn: tuple[float, float]


class LensletProfile(NamedTuple):
    """Light by the distance from a lenslet image's center.

    Attributes
    ----------
    light
        Shape (K,), float32; 0 beyond its end.
    samples_per_px
        Entries per sensor pixel.
    """

    light: FloatArray
    samples_per_px: float


class Band(NamedTuple):
    """Rows of the sensor that are worked on at once.

    Attributes
    ----------
    first_row
        On the sensor.
    owners
        Shape (rows, W, 2): place (j, i) of the lenslet image nearest to each pixel.
    """

    first_row: int
    owners: OwnerArray


class SecondAperture(NamedTuple):
    """An edge far from the main lens's aperture, which cuts the bundle towards the corners.

    Attributes
    ----------
    shift_per_px
        Its displacement in a lenslet's image per pixel from the sensor's `middle`; 0 for none.
    edge_px
        Its radius; the edge is one pixel soft.
    middle
        (row, column).
    """

    shift_per_px: float
    edge_px: float
    middle: tuple[float, float]


_LEAST_SHARE = 0.01
_STEP_R = np.array([0, 0, 0, -1, -1, 1, 1])
_STEP_Q = np.array([0, -1, 1, 0, 1, 0, -1])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _neighbor(j: int, i: int, first_r: int, path: int) -> tuple[int, int]:
    """Place in the list of lenslets of the neighbor along a path."""
    r = first_r + j
    near_r = r + _STEP_R[path]
    return j + _STEP_R[path], i + _STEP_Q[path] + (near_r >> 1) - (r >> 1)


@njit(cache=True, nogil=True, error_model="numpy")
def find_owners(images: LensletImages, band: Band) -> None:
    """Fill `band.owners`.

    Every search starts at the pixel before and walks from neighbor to neighbor.
    """
    centers, first_r = images.centers, images.first[0]
    first_row, owners = band
    n_r, n_q = centers.shape[0], centers.shape[1]
    j, i = n_r // 2, n_q // 2
    for row in range(owners.shape[0]):
        if row > 0:
            j, i = owners[row - 1, 0, 0], owners[row - 1, 0, 1]
        for column in range(owners.shape[1]):
            y, x = first_row + row, column
            best = (y - centers[j, i, 0]) ** 2 + (x - centers[j, i, 1]) ** 2
            walking = True
            while walking:
                walking = False
                for path in range(1, N_PATHS):
                    jj, ii = _neighbor(j, i, first_r, path)
                    if jj < 0 or ii < 0 or jj >= n_r or ii >= n_q:
                        continue
                    distance = (y - centers[jj, ii, 0]) ** 2 + (x - centers[jj, ii, 1]) ** 2
                    if distance < best:
                        best, j, i, walking = distance, jj, ii, True
                        break
            owners[row, column, 0], owners[row, column, 1] = j, i


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _profile_at(profile: LensletProfile, radius: float) -> float:
    light = profile.light
    place = radius * profile.samples_per_px
    k = int(place)
    if k >= len(light) - 1:
        return 0.0
    return float(light[k] + (place - k) * (light[k + 1] - light[k]))


@njit(cache=True, nogil=True, error_model="numpy")
def share_light(
    images: LensletImages,
    band: Band,
    profile: LensletProfile,
    crosstalk: float,
    shares: FloatArray,
) -> None:
    """Share of each pixel's light that comes along each of the seven paths.

    Parameters
    ----------
    crosstalk
        1 shares the light among the lenslets in proportion to their profiles; 0 leaves it all to
        the nearest. Shares below 1 % go to the nearest.
    shares
        Shape (7, rows, W), overwritten; they sum to 1.
    """
    centers, first_r = images.centers, images.first[0]
    first_row, owners = band
    n_r, n_q = centers.shape[0], centers.shape[1]
    light = np.empty(N_PATHS)
    for row in range(owners.shape[0]):
        for column in range(owners.shape[1]):
            y, x = first_row + row, column
            j, i = owners[row, column, 0], owners[row, column, 1]
            total = 0.0
            for path in range(N_PATHS):
                jj, ii = _neighbor(j, i, first_r, path)
                light[path] = 0.0
                if 0 <= jj < n_r and 0 <= ii < n_q:
                    distance = math.hypot(y - centers[jj, ii, 0], x - centers[jj, ii, 1])
                    light[path] = _profile_at(profile, distance)
                    total += light[path]
            own = 1.0
            for path in range(1, N_PATHS):
                share = crosstalk * light[path] / max(total, 1e-6)
                if share < _LEAST_SHARE:
                    share = 0.0
                shares[path, row, column] = share
                own -= share
            shares[0, row, column] = own


@njit(cache=True, nogil=True, error_model="numpy")
def rays_along(
    images: LensletImages,
    band: Band,
    path: int,
    widest_px: float,
    shares: FloatArray,
    rays: FloatArray,
) -> None:
    """Rays into the pixels of a band of rows along one path.

    Parameters
    ----------
    path
        0 for the pixel's own lenslet, 1 to 6 for its neighbors.
    widest_px
        Light of neighbors comes from inside this radius of their images.
    shares
        Shape (rows, W): where 0, no ray is needed.
    rays
        Shape (4, rows, W), overwritten: y, x in pitches and v, u in sensor pixels, or NaN.
    """
    centers, first, turn = images.centers, images.first, images.turn
    first_row, owners = band
    for row in range(shares.shape[0]):
        for column in range(shares.shape[1]):
            if shares[row, column] <= 0.0:
                rays[:, row, column] = np.nan
                continue
            j, i = _neighbor(owners[row, column, 0], owners[row, column, 1], first[0], path)
            r = first[0] + j
            down, right = first_row + row - centers[j, i, 0], column - centers[j, i, 1]
            if path > 0:
                closer = min(1.0, widest_px / max(math.hypot(down, right), 1e-6))
                down, right = down * closer, right * closer
            rays[0, row, column] = r * ROW_STEP_PITCHES
            rays[1, row, column] = first[1] + i - (r >> 1) + 0.5 * r
            rays[2, row, column], rays[3, row, column] = direction(turn, down, right)


@njit(cache=True, nogil=True, error_model="numpy")
def lenslet_response(
    images: LensletImages,
    band: Band,
    profile: LensletProfile,
    aperture: SecondAperture,
    response: FloatArray,
) -> None:
    """Fill `response` (rows, W) to uniform light: lenslet profile, second aperture, gain."""
    centers, gains = images.centers, images.gains
    first_row, owners = band
    for row in range(response.shape[0]):
        for column in range(response.shape[1]):
            j, i = owners[row, column, 0], owners[row, column, 1]
            down = first_row + row - centers[j, i, 0]
            right = column - centers[j, i, 1]
            light = _profile_at(profile, math.hypot(down, right))
            if aperture.shift_per_px != 0:
                down += aperture.shift_per_px * (centers[j, i, 0] - aperture.middle[0])
                right += aperture.shift_per_px * (centers[j, i, 1] - aperture.middle[1])
                inside = aperture.edge_px - math.hypot(down, right)
                light *= 0.5 + 0.5 * math.tanh(2.0 * inside)
            response[row, column] = light * gains[j, i]
