"""The disparity of every pixel from costs of planes: neighbors prefer to lie on the same one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.reconstruction.depth import semi_global_kernels as kernels

_MOST = np.iinfo(np.uint16).max
_HEADROOM = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothness:
    """What it costs two neighbors to lie on different planes.

    Attributes
    ----------
    step, jump
        On neighboring planes, and on any others.
    edge
        Change of the guide between neighbors that halves the price of a jump.
    """

    step: float = 0.2
    jump: float = 3.0
    edge: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneCosts:
    """What it costs every pixel to lie on each of many planes.

    Attributes
    ----------
    values
        Shape (Y, planes, X), uint16, in units of `unit`: by rows, because sweeps and paths go
        from row to row, and at half the memory of floats.
    unit
        Cost of 1.
    """

    values: NDArray[np.uint16]
    unit: float

    @classmethod
    def empty(cls, shape: tuple[int, int], planes: int, *, most: float) -> PlaneCosts:
        """Costs of pixels (Y, X), not set yet, which can hold 1.25 times the cost `most`."""
        values = np.empty((shape[0], planes, shape[1]), np.uint16)
        return cls(values=values, unit=_HEADROOM * most / _MOST)

    def set_rows(self, first: int, plane: int, cost: FloatArray) -> None:
        """Set the rows of one plane from the row `first` on to a `cost` of shape (rows, X)."""
        rounded = np.rint(cost * np.float32(1 / self.unit))
        self.values[first : first + len(cost), plane] = np.clip(rounded, 0, _MOST)

    def plane(self, index: int) -> FloatArray:
        """Costs (Y, X) of one plane."""
        return np.multiply(self.values[:, index], np.float32(self.unit), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweptDisparity:
    """Result of a sweep.

    Attributes
    ----------
    slope
        Shape (Y, X), in fine pixels per raw pixel.
    cost
        Shape (Y, X): misfit of the best plane.
    contrast
        Shape (Y, X): how much worse the planes are on average.
    """

    slope: FloatArray
    cost: FloatArray
    contrast: FloatArray

    def confidence(self, truncation: float) -> FloatArray:
        """How much better the best plane is than the average one, (Y, X), 0 to 1.

        Parameters
        ----------
        truncation
            What the cost of a single ray approaches.
        """
        contrast = np.maximum(self.contrast, 0.0)
        return np.asarray(contrast / (contrast + np.float32(0.05 * truncation)), np.float32)


def semi_global_disparity(
    costs: PlaneCosts,
    slopes: DoubleArray,
    guide: FloatArray,
    smoothness: Smoothness,
    runner: BandRunner,
) -> SweptDisparity:
    """Semi-global minimum over the planes [1]_, with a parabola through it.

    Parameters
    ----------
    slopes
        Of the planes: ascending and evenly spaced, at least two.
    guide
        Shape (Y, X), display signal: surfaces may end where it changes.

    References
    ----------
    .. [1] H. Hirschmüller, "Stereo Processing by Semiglobal Matching and Mutual Information",
       IEEE TPAMI 30(2), 2008.
    """
    total = semi_global_costs(costs, guide, smoothness, runner)
    slope, cost, contrast = np.empty((3, *guide.shape), np.float32)
    runner.map(
        lambda first, last: kernels.cheapest(
            total, costs.values, costs.unit, slopes, (first, last), slope, cost, contrast
        ),
        len(guide),
    )
    return SweptDisparity(slope=slope, cost=cost, contrast=contrast)


def semi_global_costs(
    costs: PlaneCosts, guide: FloatArray, smoothness: Smoothness, runner: BandRunner
) -> FloatArray:
    """Costs (Y, N, X) summed along the best paths from eight directions; `guide` has shape (Y, X).

    Two walks, one down and one up, take half of the rows each and then the other's: no row is
    worked on by both at a time, and sums are taken in the same order for any number of threads.
    """
    price = np.zeros((2, *guide.shape), np.float32)
    price[0, :-1] = np.abs(np.diff(guide, axis=0))
    price[1, :, :-1] = np.abs(np.diff(guide, axis=1))
    price = smoothness.jump / (1 + price / np.float32(smoothness.edge))
    price = np.maximum(price, smoothness.step).astype(np.float32)
    total = np.empty(costs.values.shape, np.float32)
    terms = kernels.PathTerms(
        costs.values, np.float32(costs.unit), price, np.float32(smoothness.step)
    )
    down, up = (_Walk(terms, total, step=step) for step in (1, -1))
    middle, height = len(guide) // 2, len(guide)
    upper, lower = range(middle), range(middle, height)
    runner.each(lambda half: half[0].begin(half[1]), [(down, upper), (up, lower[::-1])])
    runner.each(lambda half: half[0].go_on(half[1]), [(down, lower), (up, upper[::-1])])
    return total


class _Walk:
    """Adds the paths that come down from the first row, or up from the last one, row by row."""

    def __init__(self, terms: kernels.PathTerms, total: FloatArray, *, step: int) -> None:
        _, planes, width = total.shape
        self._terms, self._total, self._step = terms, total, step
        paths = np.zeros((2, 3, planes + 2, width + 2), np.float32)
        paths[:, :, (0, -1)] = kernels.NO_PLANE
        self._state = kernels.PathState(paths, np.zeros((2, 3, width + 2), np.float32))

    def begin(self, rows: range) -> None:
        """Rows that nobody was in before: they get the paths along them, too."""
        for row in rows:
            kernels.along_row(self._terms, row, self._total)
            self._extend(row)

    def go_on(self, rows: range) -> None:
        """Rows that the other walk has left."""
        for row in rows:
            self._extend(row)

    def _extend(self, row: int) -> None:
        kernels.from_row_to_row(self._terms, row, row - self._step, self._state, self._total)
