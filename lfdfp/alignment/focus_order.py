"""At which photograph of a stack each place is in focus, and how blur displaces what is not.

A slanted surface spreads over what lies behind it, the more the wider its blur: what is out of
focus is seen towards the far side, and comes back as it gets into focus. Between neighbors of a
stack that looks like a shift, a stretch or a magnification, although nothing moved. Where in the
order of the photographs a place is sharpest says how its blur changes between any two of them, and
in which direction that order changes says where a surface leans: one number more for a whole stack,
pixels per step, tells such displacements from motion. What is in focus in both photographs is
displaced by neither, and counts most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lfdfp.alignment.motions import level_to_full, moved_points
from lfdfp.datatypes import DoubleArray, FloatArray

_GRID_PX: Final = 8
_FINE_SIGMA_PX, _COARSE_SIGMA_PX, _WINDOW_SIGMA_PX = 0.8, 1.6, 8.0
_SMOOTHING_CELLS, _LEAN_CELLS = 2.0, 1.5

_FOCUS_DEPTH_PX: Final = 3.9
"""Radii of blur, from before focus to behind it, over which the finest detail is seen."""

_BLUR_PER_STEP_PX: Final = (0.05, 4.0)
"""Between which the change of blur from a photograph to the next is believed."""

_SOFT_PX: Final = 2.0
"""Radius up to which blur hardly spreads."""

_SHARP_UNCERTAINTY_PX, _UNCERTAINTY_PER_BLUR, _LARGEST_UNCERTAINTY_PX = 0.05, 0.2, 2.0
"""Of a tile in focus, per pixel of blur radius, and at most."""

SPREAD_PER_BLUR: Final = 0.7
"""Standard deviation of the displacement per pixel of blur radius, before it is measured."""


def sharpness(channel: FloatArray) -> FloatArray:
    """Mean square of the finest detail of a picture (T, S), shape (Y, X): a cell per 8 pixels."""
    import cv2

    fine, coarse = (
        cv2.GaussianBlur(channel, (0, 0), s) for s in (_FINE_SIGMA_PX, _COARSE_SIGMA_PX)
    )
    around = cv2.GaussianBlur(np.square(fine - coarse), (0, 0), _WINDOW_SIGMA_PX)
    half = _GRID_PX // 2
    return np.ascontiguousarray(around[half::_GRID_PX, half::_GRID_PX], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FocusOrder:
    """Where in the order of a stack each cell of the reference's picture is sharpest.

    Attributes
    ----------
    number
        Shape (Y, X), counted from 0, between photographs too.
    lean
        Shape (Y, X, 2), (column, row): the direction in which `number` grows, shorter than 1 where
        it hardly does.
    to_cells
        Shape (3, 3): from pixels of the reference to cells.
    blur_per_step_px
        How much the radius of blur grows from a photograph to the next, roughly.
    """

    number: FloatArray
    lean: FloatArray
    to_cells: DoubleArray
    blur_per_step_px: float

    def displacements(self, points: DoubleArray, first: int, second: int) -> DoubleArray:
        """How what the reference shows at `points` (n, 2) moves from one photograph to another.

        Shape (n, 2), in pixels if a surface spreads by as much as its blur grows.
        """
        radii = [_softened(self._radii(points, k)) for k in (first, second)]
        return np.asarray((radii[1] - radii[0])[:, None] * self._at(self.lean, points), np.float64)

    def uncertainties(self, points: DoubleArray, first: int, second: int) -> DoubleArray:
        """Of displacements of `points` (n, 2) of the reference, in pixels, shape (n,)."""
        radii = np.maximum(self._radii(points, first), self._radii(points, second))
        return np.minimum(
            _SHARP_UNCERTAINTY_PX + _UNCERTAINTY_PER_BLUR * radii, _LARGEST_UNCERTAINTY_PX
        )

    def _radii(self, points: DoubleArray, photograph: int) -> DoubleArray:
        """Radii of blur in pixels at `points` (n, 2) of the reference, shape (n,)."""
        return self.blur_per_step_px * np.abs(photograph - self._at(self.number, points))

    def _at(self, cells: FloatArray, points: DoubleArray) -> DoubleArray:
        return _sampled(cells, moved_points(self.to_cells, points)[:, None])[:, 0]


def focus_order(
    maps: Sequence[FloatArray],
    matrices: Mapping[int, DoubleArray],
    shape: Sequence[int],
    level: Sequence[int],
) -> FocusOrder:
    """Order of focus of the photographs that are kept.

    Parameters
    ----------
    maps
        `sharpness` (Y, X) of every photograph, of pictures of size `level` (T, S).
    matrices
        Motions (3, 3) from the reference to the photographs that are kept, by number.
    shape
        (T, S) of the photographs.
    """
    import cv2

    cells_to_level = np.array(
        [[_GRID_PX, 0, _GRID_PX // 2], [0, _GRID_PX, _GRID_PX // 2], [0, 0, 1.0]]
    )
    to_full = level_to_full(shape, level) @ cells_to_level
    to_cells = np.asarray(np.linalg.inv(to_full), np.float64)
    rows, columns = np.indices(maps[0].shape)
    places = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
    weighted, weights, depth = (np.zeros(maps[0].shape) for _ in range(3))
    moved = {k: to_cells @ m @ to_full for k, m in matrices.items()}
    seen = {
        k: _sampled(maps[k], moved_points(m, places).reshape(*maps[k].shape, 2))
        for k, m in moved.items()
    }
    lowest = np.min(list(seen.values()), axis=0) * (1 - 1 / max(len(seen) - 1, 1))
    highest = np.max(list(seen.values()), axis=0) - lowest
    for k, energy in seen.items():
        share = (energy - lowest) / (highest + 1e-12)
        weighted, weights = weighted + k * np.square(share), weights + np.square(share)
        depth += share
    trust = np.sqrt(highest) + 1e-9
    number = cv2.GaussianBlur(trust * weighted / (weights + 1e-12), (0, 0), _SMOOTHING_CELLS)
    number = number / cv2.GaussianBlur(trust, (0, 0), _SMOOTHING_CELLS)
    return FocusOrder(
        number=np.asarray(number, np.float32),
        lean=_lean(number),
        to_cells=to_cells,
        blur_per_step_px=float(
            np.clip(_FOCUS_DEPTH_PX / (np.median(depth) + 1e-9), *_BLUR_PER_STEP_PX)
        ),
    )


def _lean(number: DoubleArray) -> FloatArray:
    """Direction in which `number` (Y, X) grows, shape (Y, X, 2)."""
    import cv2

    if min(number.shape) < 2:
        return np.zeros((*number.shape, 2), np.float32)
    row, column = np.gradient(number)
    size = np.hypot(row, column)
    size = np.sqrt(np.square(size) + np.square(np.median(size) / 2) + 1e-12)
    lean = np.dstack([column / size, row / size])
    return np.asarray(cv2.GaussianBlur(lean, (0, 0), _LEAN_CELLS), np.float32)


def _softened(radii_px: DoubleArray) -> DoubleArray:
    return np.asarray(np.hypot(radii_px, _SOFT_PX) - _SOFT_PX, np.float64)


def _sampled(cells: FloatArray, places: DoubleArray) -> DoubleArray:
    """`cells` (Y, X) or (Y, X, 2) at `places` (..., ..., 2), (column, row); borders go on."""
    import cv2

    x, y = np.moveaxis(places.astype(np.float32), -1, 0)
    made = cv2.remap(
        cells, np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(made, np.float64)
