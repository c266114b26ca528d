"""Motion between two photographs, from coarse to fine, and whether they show the same scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from lfdfp.alignment.motions import (
    MotionModel,
    corner_motion,
    level_to_full,
    motion_matrix,
    normalized,
)
from lfdfp.alignment.robust_motion import simplest_motion
from lfdfp.alignment.tile_shifts import (
    Levels,
    TileShifts,
    agreement,
    joined_shifts,
    tile_shifts,
)
from lfdfp.datatypes import DoubleArray

LEAST_AGREEMENT: Final = 0.2
_GOOD_AGREEMENT: Final = 0.5
_STEPS_PER_LEVEL: Final = 4
_SETTLED_PX: Final = 0.03
"""In pixels of the level."""

_FEATURE_PIXELS: Final = 400_000
_MOST_FEATURES: Final = 3000
_LEAST_MATCHES: Final = 12
_DISTINCT_RATIO: Final = 0.8
_MATCH_TOLERANCE_PX: Final = 3.0
_LARGEST_MAGNIFICATION: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairMotion:
    """Motion from a first photograph to a second.

    Attributes
    ----------
    matrix
        Shape (3, 3).
    tiles
        What it rests on, for solving for many photographs together.
    scatter_px
        Scatter between tiles beyond their own uncertainty.
    agreement
        Share of the tiles that show the same thing; None where there is hardly any detail.
    """

    matrix: DoubleArray
    tiles: TileShifts
    scatter_px: float
    agreement: float | None

    @property
    def trusted(self) -> bool:
        """Whether the two show the same scene."""
        return self.agreement is not None and self.agreement >= LEAST_AGREEMENT


def pair_motion(first: Levels, second: Levels, start: DoubleArray | None = None) -> PairMotion:
    """Motion from `first` to `second`: from `start` or none, from features where that fails.

    `start` is a matrix of shape (3, 3).
    """
    best = _refined(first, second, np.eye(3) if start is None else start)
    if best.agreement is None or best.agreement >= _GOOD_AGREEMENT:
        return best
    for other in _feature_starts(first, second):
        found = _refined(first, second, other)
        if (found.agreement or 0.0) > (best.agreement or 0.0):
            best = found
    return best


def _refined(first: Levels, second: Levels, start: DoubleArray) -> PairMotion:
    """Coarse to fine: the coarser a level, the fewer parameters its tiles may have."""
    matrix, shape, last = start, first.shape, len(first.encoded) - 1
    for level in range(last, -1, -1):
        richest: MotionModel = "affine" if level else "perspective"
        richest = "similarity" if level == last else richest
        scale = float(level_to_full(shape, first.encoded[level].shape)[0, 0])
        for _ in range(_STEPS_PER_LEVEL):
            tiles = _tiles(first, second, matrix, level, both_domains=False)
            step = simplest_motion(tiles, shape, richest).parameters
            update = motion_matrix(step, shape)
            matrix = normalized(matrix @ update)
            if corner_motion(update, shape) < _SETTLED_PX * scale:
                break
    tiles = _tiles(first, second, matrix, 0, both_domains=True)
    fit = simplest_motion(tiles, shape)
    update = motion_matrix(fit.parameters, shape)
    return PairMotion(
        matrix=normalized(matrix @ update),
        tiles=tiles,
        scatter_px=fit.scatter_px,
        agreement=agreement(first, second, normalized(matrix @ update)),
    )


def _tiles(
    first: Levels, second: Levels, matrix: DoubleArray, level: int, *, both_domains: bool
) -> TileShifts:
    """Tiles of a level and of the next coarser one, which sees where focus left no fine detail."""
    levels = range(level, min(level + 2, len(first.encoded)))
    return joined_shifts(
        [tile_shifts(first, second, matrix, n, both_domains=both_domains) for n in levels]
    )


def _feature_starts(first: Levels, second: Levels) -> Iterator[DoubleArray]:
    """Motions that many matched features agree on [1]_: any shift, turn or magnification.

    References
    ----------
    .. [1] D. G. Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 60, 2004.
    """
    import cv2

    level = next(
        (n for n, e in enumerate(first.encoded) if e.size <= _FEATURE_PIXELS),
        len(first.encoded) - 1,
    )
    detector = cv2.SIFT.create(nfeatures=_MOST_FEATURES, contrastThreshold=0.01)
    found = [
        detector.detectAndCompute(np.uint8(np.clip(255 * p.encoded[level], 0, 255)), None)
        for p in (first, second)
    ]
    if any(d is None or len(d) < _LEAST_MATCHES for _, d in found):
        return
    nearest = cv2.BFMatcher(cv2.NORM_L2).knnMatch(found[0][1], found[1][1], k=2)
    good = [m for m, *n in nearest if n and m.distance < _DISTINCT_RATIO * n[0].distance]
    if len(good) < _LEAST_MATCHES:
        return
    here = np.array([found[0][0][m.queryIdx].pt for m in good], np.float32)
    there = np.array([found[1][0][m.trainIdx].pt for m in good], np.float32)
    up = level_to_full(first.shape, first.encoded[level].shape)
    cv2.setRNGSeed(0)
    similar, _ = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_MATCH_TOLERANCE_PX
    )
    if similar is None:
        return
    size = float(np.sqrt(abs(np.linalg.det(similar[:, :2]))))
    if 1 / _LARGEST_MAGNIFICATION < size < _LARGEST_MAGNIFICATION:
        yield normalized(up @ np.vstack([similar, [0, 0, 1]]) @ np.linalg.inv(up))
