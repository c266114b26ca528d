"""The simplest motion that the shifts of many tiles support.

Tiles that lie (occlusion, parallax, something that moved) are many, so errors are taken to follow
Student's distribution. The tiles' own uncertainties are never the whole truth: a scatter between
tiles is estimated and added. Between models Schwarz's criterion decides: a parameter more must
make the tiles that much likelier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lfdfp.alignment.motions import PARAMETERS, MotionModel, motion_basis
from lfdfp.alignment.tile_shifts import TileShifts
from lfdfp.datatypes import DoubleArray

DEGREES_OF_FREEDOM: Final = 4.0
_MEDIAN_OF_SQUARES: Final = 1.386
"""Median of the squared length of a normal vector of two unit components: 2 log 2."""

PAIR_PENALTY: Final = 1.5
STACK_PENALTY: Final = 1.5
"""On Schwarz's, since errors of neighboring tiles and of links of one stack are alike.

On eight rendered stacks a magnification by 1 % over 9 or 25 photographs gains 0.8 to 6 times
Schwarz's price, on a real one 7 and 19 times; where there is none, 0 to 1.3 times.
"""

MOTION_PENALTY: Final = 3.0
"""The same for any motion at all: a camera on a stand is to stay where it is.

Rendered stacks that do not move gain 0.1 to 0.8 times Schwarz's price for each parameter; drifts
of 1.5 pixels gain 4 to 7 times, of 5 pixels 22 to 50 times.
"""

STRETCH_PENALTY: Final = 8.0
"""The same for stretch, shear and perspective.

Blur of a tilted subject looks like a stretch: up to 3.3 times Schwarz's price on rendered stacks
that do not move. What is there gains more than 40 times. Lenses and hands seldom stretch pictures.
"""

_SCATTER_RANGE_PX = 0.01, 10.0
_VARIANCE_RANGE = 1e-6, 1e4
_TYPICAL_FINENESS: Final = 0.3
_FIT_ITERATIONS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedMotion:
    """Parameters of a model, how likely they make the tiles, and how much tiles scatter."""

    model: MotionModel
    parameters: DoubleArray
    scatter_px: float


def simplest_motion(
    tiles: TileShifts, shape: Sequence[int], richest: MotionModel = "perspective"
) -> FittedMotion:
    """The model that Schwarz's criterion prefers, among those that the tiles can determine."""
    able = [
        model
        for model, count in PARAMETERS.items()
        if count <= PARAMETERS[richest] and (count == 0 or len(tiles) >= 2 * count)
    ]
    scatter = _scatter(tiles, shape, PARAMETERS[able[-1]])
    precision = precisions(tiles, scatter)
    price = schwarz_price(len(tiles), PAIR_PENALTY)
    fits = [_fit(tiles, shape, precision, PARAMETERS[model]) for model in able]
    costs = [
        unlikelihood(squares) + PARAMETERS[model] * price
        for model, (_, squares) in zip(able, fits, strict=True)
    ]
    best = int(np.argmin(costs))
    return FittedMotion(model=able[best], parameters=fits[best][0], scatter_px=scatter)


def precisions(tiles: TileShifts, scatter_px: float) -> DoubleArray:
    """Inverse covariances (n, 2, 2) with the scatter between tiles.

    Scatter grows with the size of what is compared: sharp detail lies where it lies, while what
    is out of focus moves with the shape of the blur.
    """
    wider = tiles.scales / tiles.scales.min(initial=np.inf)
    coarser = np.square(_TYPICAL_FINENESS / (tiles.fineness + 0.01))
    scatter = np.square(scatter_px * wider * coarser)
    sizes, axes = np.linalg.eigh(tiles.covariances + scatter[:, None, None] * np.eye(2))
    sizes = np.clip(sizes, *_VARIANCE_RANGE)
    return np.asarray((axes / sizes[:, None]) @ np.swapaxes(axes, 1, 2))


def schwarz_price(tiles: int, penalty: float) -> float:
    """What a parameter more must gain in `unlikelihood`."""
    return float(penalty * np.log(max(tiles, 2)))


def robust_weights(squares: DoubleArray) -> DoubleArray:
    """Weights of Student's distribution in two dimensions, of the same shape as `squares`."""
    return (DEGREES_OF_FREEDOM + 2) / (DEGREES_OF_FREEDOM + squares)


def unlikelihood(squares: DoubleArray) -> float:
    """-2 log of Student's density, without what does not depend on the errors.

    `squares`, of any shape, are squared errors in units of their variance.
    """
    return float((DEGREES_OF_FREEDOM + 2) * np.log1p(squares / DEGREES_OF_FREEDOM).sum())


def _fit(
    tiles: TileShifts, shape: Sequence[int], precision: DoubleArray, count: int
) -> tuple[DoubleArray, DoubleArray]:
    """Parameters, and each tile's squared error in units of its uncertainty."""
    roots = np.swapaxes(np.linalg.cholesky(precision), 1, 2)
    basis = roots @ motion_basis(tiles.positions, shape)[:, :, :count]
    target = (roots @ tiles.shifts[..., None])[..., 0]
    parameters: DoubleArray = np.zeros(count)
    squares = np.square(target).sum(axis=1)
    for _ in range(_FIT_ITERATIONS if count else 0):
        weighted = robust_weights(squares)[:, None, None] * basis
        normal = np.tensordot(weighted, basis, axes=((0, 1), (0, 1))) + 1e-9 * np.eye(count)
        right = np.tensordot(weighted, target, axes=((0, 1), (0, 1)))
        parameters = np.asarray(np.linalg.solve(normal, right), np.float64)
        squares = np.square(target - basis @ parameters).sum(axis=1)
    return parameters, squares


def _scatter(tiles: TileShifts, shape: Sequence[int], count: int) -> float:
    """Scatter between tiles that makes their errors as large as they should be, by bisection."""
    low, high = _SCATTER_RANGE_PX
    if not len(tiles):
        return low
    for _ in range(9):
        middle = float(np.sqrt(low * high))
        _, squares = _fit(tiles, shape, precisions(tiles, middle), count)
        if np.median(squares) > _MEDIAN_OF_SQUARES:
            low = middle
        else:
            high = middle
    return float(np.sqrt(low * high))
