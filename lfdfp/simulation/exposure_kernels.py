"""Compiled geometry behind the lens array: which lenslets light a pixel, and how much.

Lenslet images are listed as ``centers[j, i]`` for lattice row ``r = first_r + j`` and lattice
column ``q = first_q + i - (r >> 1)``, so that the list is an upright rectangle on the sensor.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import ROW_STEP_PITCHES, DoubleArray, FloatArray

OwnerArray: TypeAlias = NDArray[np.int32]

N_PATHS = 7
"""A pixel's light may come through its own lenslet (path 0) and its six neighbors."""

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
def find_owners(centers: DoubleArray, first_r: int, first_row: int, owners: OwnerArray) -> None:
    """Place (j, i) of the nearest lenslet image for every pixel of a band of rows.

    Every search starts at the pixel before and walks from neighbor to neighbor.
    """
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
def _profile_at(profile: FloatArray, radius: float, samples_per_px: float) -> float:
    place = radius * samples_per_px
    k = int(place)
    if k >= len(profile) - 1:
        return 0.0
    return float(profile[k] + (place - k) * (profile[k + 1] - profile[k]))


@njit(cache=True, nogil=True, error_model="numpy")
def share_light(
    centers: DoubleArray,
    first_r: int,
    first_row: int,
    owners: OwnerArray,
    profile: FloatArray,
    samples_per_px: float,
    crosstalk: float,
    shares: FloatArray,
) -> None:
    """Share of each pixel's light that comes along each of the seven paths.

    Parameters
    ----------
    profile
        Light by the distance from a lenslet image's center, `samples_per_px` entries per pixel.
    crosstalk
        1 shares the light among the lenslets in proportion to their profiles; 0 leaves it all to
        the nearest. Shares below 1 % go to the nearest.
    shares
        Shape (7, rows, columns), overwritten; they sum to 1.
    """
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
                    light[path] = _profile_at(profile, distance, samples_per_px)
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
    centers: DoubleArray,
    first: tuple[int, int],
    first_row: int,
    owners: OwnerArray,
    turn: tuple[float, float],
    path: int,
    widest_px: float,
    shares: FloatArray,
    rays: FloatArray,
) -> None:
    """Rays into the pixels of a band of rows along one path.

    Parameters
    ----------
    centers, first
        Lenslet images, and (first_r, first_q).
    turn
        (cos, sin) of the grid's rotation.
    widest_px
        Light of neighbors comes from inside this radius of their images.
    shares
        Shape (rows, columns): where 0, no ray is needed.
    rays
        Shape (4, rows, columns), overwritten: y, x, v, u, or NaN.
    """
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
            rays[2, row, column] = turn[0] * down - turn[1] * right
            rays[3, row, column] = turn[1] * down + turn[0] * right


@njit(cache=True, nogil=True, error_model="numpy")
def lenslet_response(
    centers: DoubleArray,
    gains: FloatArray,
    first_row: int,
    owners: OwnerArray,
    profile: FloatArray,
    samples_per_px: float,
    shift_per_px: float,
    far_edge_px: float,
    middle: tuple[float, float],
    response: FloatArray,
) -> None:
    """Response to uniform light of a band of rows: lenslet profile, second aperture, gain.

    Parameters
    ----------
    gains
        Per lenslet: its own gain, and the fall-off over the field.
    shift_per_px
        Displacement of the second aperture (cat's eye) per pixel from the sensor's `middle`.
    far_edge_px
        Radius of the second aperture, whose edge is one pixel soft.
    """
    for row in range(response.shape[0]):
        for column in range(response.shape[1]):
            j, i = owners[row, column, 0], owners[row, column, 1]
            down = first_row + row - centers[j, i, 0]
            right = column - centers[j, i, 1]
            light = _profile_at(profile, math.hypot(down, right), samples_per_px)
            if shift_per_px != 0:
                down += shift_per_px * (centers[j, i, 0] - middle[0])
                right += shift_per_px * (centers[j, i, 1] - middle[1])
                inside = far_edge_px - math.hypot(down, right)
                light *= 0.5 + 0.5 * math.tanh(2.0 * inside)
            response[row, column] = light * gains[j, i]
