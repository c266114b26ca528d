"""Hot pixels of a camera that moved: what stays on the sensor while the scene does not.

A hot pixel is the sharpest thing there is, so fusion would take it from every photograph. It is a
lone peak at the same pixel of nearly all photographs; a star or a speck moves with the scene. Where
the camera stood still the two cannot be told apart, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BoolArray, DoubleArray
from lfdfp.fusion.focus_evidence import bands_of, with_halo

LEAST_PEAK: Final = 0.06
"""By which a peak stands above what is around it, as a share of encoded white."""

_RING_PX: Final = 2
"""Pixels from a peak to what it is compared with: demosaicking and JPEG spread it by one."""

_LEAST_PHOTOGRAPHS: Final = 4
_LEAST_SHARE: Final = 0.7
"""Of the photographs in which a hot pixel shows; some show it before a background as bright."""

_SAME_PX: Final = 1.0
_MOST_ALIKE: Final = 0.5
"""Share of the photographs that may show one point of the scene at one place of the sensor."""

_COMPARED: Final = 16
"""Photographs that all are compared with."""

_LARGEST_CROWD: Final = 0.01
"""Share of lone peaks around a hot pixel, in all photographs; where there are more, they are what
the scene is made of."""

_CROWD_PX: Final = 33


class SensorPeaks:
    """Counts at every pixel of the sensor in how many photographs it is a lone peak."""

    def __init__(self) -> None:
        self._votes: NDArray[np.uint16] | None = None
        self._count = 0

    def add(self, values: NDArray[Any], white: float) -> None:
        """Look at one more photograph (T, S, C), encoded values up to `white`."""
        if self._votes is None:
            self._votes = np.zeros(values.shape[:2], np.uint16)
        rows = values.shape[0]
        for band in bands_of(rows):
            self._votes[band] += with_halo(
                lambda part: lone_peaks(values[part], LEAST_PEAK * white), band, rows, _RING_PX
            )
        self._count += 1

    def hot(self, motions: Callable[[DoubleArray], DoubleArray]) -> NDArray[np.intp]:
        """Rows and columns (n, 2) of hot pixels.

        Parameters
        ----------
        motions
            Where the photographs show what a first one shows at places (column, row) of shape
            (n, 2): shape (N, n, 2).
        """
        nowhere = np.empty((0, 2), np.intp)
        if self._votes is None or self._count < _LEAST_PHOTOGRAPHS:
            return nowhere
        found = np.argwhere(self._votes >= _LEAST_SHARE * self._count)
        if not len(found):
            return nowhere
        found = found[
            _crowd(np.divide(self._votes, self._count, dtype=np.float32))[*found.T] < _LARGEST_CROWD
        ]
        if not len(found):
            return nowhere
        alike = _largest_alike(motions(found[:, ::-1].astype(np.float64)))
        return np.asarray(found[alike <= _MOST_ALIKE], np.intp)


def lone_peaks(values: NDArray[Any], least: float) -> BoolArray:
    """Where a channel of (T, S, C) stands above everything two pixels away, shape (T, S)."""
    import cv2

    side = 2 * _RING_PX + 1
    ring = np.ones((side, side), np.uint8)
    ring[1:-1, 1:-1] = 0
    values = np.ascontiguousarray(values)
    around = cv2.dilate(values, ring, borderType=cv2.BORDER_REFLECT_101).reshape(values.shape)
    near = cv2.dilate(values, np.ones((3, 3), np.uint8)).reshape(values.shape)
    found = np.zeros(values.shape[:2], bool)
    for channel in range(values.shape[2]):
        own, others = values[..., channel], around[..., channel]
        above = np.subtract(own, others, dtype=np.float32) > least
        found |= above & (own == near[..., channel])
    return found


def without_hot(values: NDArray[Any], hot: NDArray[np.intp]) -> NDArray[Any]:
    """Values (T, S, C) with hot pixels, and those beside them, as the median of what is around."""
    if not len(hot):
        return values
    mended = np.array(values)
    rows, columns = values.shape[:2]
    for row, column in hot:
        outer = _around(row, rows, _RING_PX), _around(column, columns, _RING_PX)
        inner = _around(row, rows, 1), _around(column, columns, 1)
        ring = np.ones((outer[0].stop - outer[0].start, outer[1].stop - outer[1].start), bool)
        ring[
            inner[0].start - outer[0].start : inner[0].stop - outer[0].start,
            inner[1].start - outer[1].start : inner[1].stop - outer[1].start,
        ] = False
        mended[inner] = np.median(values[outer][ring], axis=0)
    return mended


def _around(place: int, size: int, reach: int) -> slice:
    return slice(max(place - reach, 0), min(place + reach + 1, size))


def _crowd(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean share of lone peaks around every pixel, without those of the pixel itself."""
    import cv2

    around = cv2.boxFilter(shares, -1, (_CROWD_PX, _CROWD_PX), borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(around - shares / np.float32(_CROWD_PX**2))


def _largest_alike(places: DoubleArray) -> DoubleArray:
    """Largest share of photographs that show a point at nearly one place, shape (n,)."""
    best = np.zeros(places.shape[1])
    for one in places[:: max(len(places) // _COMPARED, 1)]:
        near = np.hypot(*np.moveaxis(places - one, -1, 0)) < _SAME_PX
        best = np.maximum(best, near.mean(axis=0))
    return best
