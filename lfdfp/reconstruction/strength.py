"""How strong the prior has to be: as held-out rays say, but not too weak to hold fine detail."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.reconstruction.certainty import curvature_ratio, probed_system
from lfdfp.reconstruction.fine_grid import FINEST, FineGrid
from lfdfp.reconstruction.held_out import held_out_rays, strongest_within
from lfdfp.reconstruction.picture_steps import solve_rounds
from lfdfp.reconstruction.state import RaySetup, RayState

_TILE_PX = 128
_TILE_RANKS = (1.0, 0.8, 0.5)
"""Of the tiles in order of their detail: the most detailed one, and lesser ones."""


def choose_strength(setup: RaySetup, state: RayState) -> float:
    """λ by which tiles of the picture predict the held-out rays best, but not too weak."""
    ratio = curvature_ratio(*probed_system(setup, state, 1.0, FINEST))
    return max(setup.parameters.detail_ratio * ratio, _predicting_strength(setup, state))


def _predicting_strength(setup: RaySetup, state: RayState) -> float:
    """λ by which tiles of the picture predict the held-out rays best, or nearly."""
    parameters = setup.parameters
    tiles = detailed_tiles(setup.displayed_luma(state.picture), setup.grid)
    strengths, misfits = np.empty(0), np.empty(0)
    for more in (parameters.strengths, parameters.strengths_in_the_dark):
        found = sum(_misfits(setup, state, tile, more) for tile in tiles)
        strengths, misfits = np.append(strengths, more), np.append(misfits, found)
        best = strongest_within(strengths, misfits, parameters.misfit_tolerance)
        if best < strengths.max():
            break
    return best


def _misfits(
    setup: RaySetup, state: RayState, part: tuple[slice, slice], strengths: tuple[float, ...]
) -> DoubleArray:
    """Misfit of the held-out rays to a tile, solved with each strength, from the largest down."""
    rows, columns = part
    tile = state.observation.on_grid(setup.grid.tile(rows, columns))
    everything = tile.with_light(setup.all_light)
    solution = state.picture[:, rows, columns].copy()
    disagreement = np.ascontiguousarray(state.disagreement[rows, columns])
    misfits = np.zeros(len(strengths))
    for k in np.argsort(strengths)[::-1]:
        rounds = setup.parameters.final_rounds(float(strengths[k]))
        solution = solve_rounds(setup, tile, solution, rounds, disagreement)
        prediction = everything.forward(solution)
        rays = held_out_rays(setup.all_light, setup.held_out, prediction)
        misfits[k] = rays.misfit(state.noise)
    return misfits


def detailed_tiles(
    guide: FloatArray,
    grid: FineGrid,
    *,
    side_px: int = _TILE_PX,
    ranks: tuple[float, ...] = _TILE_RANKS,
) -> list[tuple[slice, slice]]:
    """Rows and columns of some tiles of a `guide` (Y, X).

    Parameters
    ----------
    ranks
        Of the tiles in order of their detail, 1 for the most detailed one; by default one with
        much, one with some and one with average detail.
    """
    import cv2

    side = min(side_px, *(n - n % FINEST for n in grid.shape))
    detail = cv2.Laplacian(guide, cv2.CV_32F) ** 2
    tops = np.arange(grid.margin, grid.shape[0] - side - grid.margin + 1, side)
    lefts = np.arange(grid.margin, grid.shape[1] - side - grid.margin + 1, side)
    corners = [(int(i), int(j)) for i in tops for j in lefts] or [(0, 0)]
    energy = [detail[i : i + side, j : j + side].mean() for i, j in corners]
    order = np.argsort(energy, kind="stable")
    places = sorted({round(q * (len(order) - 1)) for q in ranks})
    chosen = [corners[order[place]] for place in places]
    return [(slice(i, i + side), slice(j, j + side)) for i, j in chosen]
