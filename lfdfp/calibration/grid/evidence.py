"""How certain it is that a lattice is that of the lenslets, over the sensor as a whole.

Single blocks may disagree, where the scene is dark or full of detail: what counts is whether all
of them together agree far better than chance, nowhere disagree, and show no lattice that is
coarser.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.calibration.grid.frequencies import INDICES
from lfdfp.calibration.grid.signal import (
    BLOCK_OVERLAP,
    BlockPhases,
    ComplexArray,
    LatticePlane,
    block_phases,
)
from lfdfp.datatypes import DoubleArray, LensletGrid

_LARGEST_SHARE = 0.9
_BLOCKS_PER_ZONE_SIDE = 4.0
_FEWEST_ZONES, _MOST_ZONES = 4, 12

_COARSER = np.array(
    [(1 / 2, 0), (0, 1 / 2), (1 / 2, 1 / 2), (1 / 3, 1 / 3), (2 / 3, -1 / 3), (1 / 3, -2 / 3)]
)
"""Indices at which lattices of twice and of √3 times the pitch repeat, and this one does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeEvidence:
    """In standard deviations of what blocks of random phase would give.

    Attributes
    ----------
    significance
        Of the three lowest frequencies, lenslets bright in their middle.
    weakest_zone
        The same for all three together in the part of the sensor where it is least; strongly
        negative where the lattice is a row or column off.
    coarser
        The strongest frequency that a lattice with fewer lenslets would have.
    """

    significance: tuple[float, float, float]
    weakest_zone: float
    coarser: float

    @property
    def mean(self) -> float:
        """Mean significance of the three frequencies."""
        return float(np.mean(self.significance))


def lattice_evidence(
    planes: list[LatticePlane], grid: LensletGrid, *, block_px: int
) -> LatticeEvidence:
    """Evidence for a grid in the mosaic that it is meant for.

    Parameters
    ----------
    planes
        From `lattice_planes`.
    block_px
        Size of the blocks whose agreement is asked for.
    """
    turned = _turned(planes, grid, INDICES, block_px)
    zone = _zones(turned, grid.sensor_shape)
    zones = [turned.phasor[:, zone == k] for k in np.unique(zone)]
    coarser = _turned(planes, grid, _COARSER, block_px).phasor
    q, r, both = (_significance(one.real, one) for one in turned.phasor)
    return LatticeEvidence(
        significance=(q, r, both),
        weakest_zone=min(_significance(part.real, part) for part in zones),
        coarser=max(
            abs(complex(_significance(one.real, one), _significance(one.imag, one)))
            for one in coarser
        ),
    )


def phase_significance(phasor: ComplexArray, weight: DoubleArray, cycles: DoubleArray) -> float:
    """Mean over frequencies of how far blocks (F, N) agree with predicted phases (F, N).

    In standard deviations of blocks of random phase.
    """
    turned = _limited(phasor * weight * np.exp(-2j * np.pi * cycles))
    return float(np.mean([_significance(one.real, one) for one in turned]))


def _turned(
    planes: list[LatticePlane], grid: LensletGrid, indices: DoubleArray, block_px: int
) -> BlockPhases:
    """Blocks at a grid's frequencies, turned by the phases that it predicts."""
    inverse = np.linalg.inv(grid.basis_px)
    blocks = block_phases(
        planes, indices @ inverse, sensor_shape=grid.sensor_shape, block_px=block_px
    )
    middle = (np.array(grid.sensor_shape) - 1) / 2
    place = blocks.position + middle
    lattice = grid.lattice_coordinates(place[:, 0], place[:, 1])
    phasor = blocks.phasor * blocks.weight * np.exp(-2j * np.pi * (indices @ lattice))
    return BlockPhases(
        position=blocks.position, phasor=_limited(phasor), weight=blocks.weight, shape=blocks.shape
    )


def _limited(phasor: ComplexArray) -> ComplexArray:
    """No block counts more than nine tenths of them do."""
    size = np.abs(phasor)
    most = np.quantile(size, _LARGEST_SHARE, axis=1, keepdims=True)
    return np.asarray(phasor * np.minimum(1, most / np.maximum(size, 1e-12)))


def _significance(part: DoubleArray, phasor: ComplexArray) -> float:
    """Sum of one part of the phasors over its standard deviation for random phases."""
    spread = np.sqrt(BLOCK_OVERLAP * (np.abs(phasor) ** 2).sum() / 2)
    return float(part.sum() / max(float(spread), 1e-12))


def _zones(blocks: BlockPhases, sensor_shape: tuple[int, int]) -> NDArray[np.int64]:
    """Which part of the sensor every block lies in: parts of about 4 x 4 blocks, 16 at least."""
    wanted = round(min(blocks.shape) / _BLOCKS_PER_ZONE_SIDE)
    side = min(max(wanted, _FEWEST_ZONES), _MOST_ZONES)
    share = blocks.position / np.array(sensor_shape) + 0.5
    row, column = (share * side).astype(np.int64).clip(0, side - 1).T
    return np.asarray(row * side + column)
