"""The lenslet grid, found in the capture itself or in a white image.

A lenslet's center here is the point about which its image is symmetric, on average over the
aperture: the image of the chief ray. Fall-off of light over the field does not move it, since
every block is divided by its local mean first.
"""

from __future__ import annotations

import numpy as np

from lfdfp.calibration.grid.centers import refine_centers
from lfdfp.calibration.grid.evidence import (
    LatticeEvidence,
    lattice_evidence,
    phase_significance,
)
from lfdfp.calibration.grid.frequencies import INDICES, find_frequencies
from lfdfp.calibration.grid.from_metadata import grid_from_metadata
from lfdfp.calibration.grid.phases import PhaseFit, fit_phases, grid_from_fit, predicted_phase
from lfdfp.calibration.grid.polynomials import monomials
from lfdfp.calibration.grid.signal import (
    BlockPhases,
    LatticePlane,
    block_phases,
    lattice_planes,
)
from lfdfp.datatypes import DoubleArray, LensletGrid, RawCapture
from lfdfp.errors import CalibrationError
from lfdfp.imaging.sensor_noise import noise_from_iso

_BLOCK_PITCHES = 6
_EVIDENCE_PITCHES = 3
"""Blocks of another size than the fit's own: what fits one by chance does not fit the other."""

_FEWEST_BLOCKS_PER_SIDE = 4
CERTAIN_GRID_PX = 0.1
"""Standard error of the lenslets' centers from which on a picture loses visibly."""

_BEYOND_DOUBT = 0.5
"""Significance over the square root of the number of blocks (at most 0.94): no other is sought."""

_LEAST_SIGNIFICANCE = 4.5
_LEAST_BALANCE = 0.75
"""Of right lattices 0.95 and more, of those a row or column off somewhere 0.65 at most (photographs
at three exposures, crops of F01 and Illum)."""

_WORST_ZONE = 3.0
_COARSER_SHARE = 0.8

__all__ = ["fit_lenslet_grid", "grid_from_metadata"]


def fit_lenslet_grid(
    capture: RawCapture, seed: LensletGrid | None = None, *, is_white: bool = False
) -> LensletGrid:
    """Find the lenslet grid by the phase of the lattice's frequencies in the mosaic.

    Every Bayer plane is divided by its local mean; the three lowest frequencies of the lattice
    are located near those of the seed and demodulated in blocks; their phases give the lattice
    coordinates (q, r) as a polynomial of the position, fitted robustly. Works on any capture
    with light in it; the better lit and the plainer the scene, the better.

    Parameters
    ----------
    capture
        A capture or a white image.
    seed
        Where to look: pitch within 4 % and rotation within 0.025 rad of the truth, the offset
        does not matter. None takes the metadata's grid.
    is_white
        Only names the source in the result.

    Raises
    ------
    CalibrationError
        When no lattice is found that the whole sensor agrees on.

    References
    ----------
    The lattice's phase as a ruler: M. Takeda, H. Ina, S. Kobayashi, "Fourier-transform method
    of fringe-pattern analysis", J. Opt. Soc. Am. 72, 1982.
    """
    seed = grid_from_metadata(capture) if seed is None else seed
    shape = (capture.mosaic.shape[0], capture.mosaic.shape[1])
    planes = lattice_planes(capture, seed.pitch_px)
    block_px = _block_px(shape, seed.pitch_px, _BLOCK_PITCHES)
    fit, blocks = _likeliest_fit(planes, find_frequencies(planes, seed), shape, block_px)
    source = "fitted to the white image" if is_white else "fitted to the capture itself"
    grid = grid_from_fit(fit, blocks, shape, source)
    grid = refine_centers(capture, grid, noise_from_iso(capture))
    require_lattice(planes, grid)
    return grid


def require_lattice(planes: list[LatticePlane], grid: LensletGrid) -> None:
    """Make sure that a grid is that of the lenslets.

    Parameters
    ----------
    planes
        Of the mosaic that the grid is meant for, from `lattice_planes`.

    Raises
    ------
    CalibrationError
        Unless the mosaic shows this lattice beyond doubt.
    """
    block_px = _block_px(grid.sensor_shape, grid.pitch_px, _EVIDENCE_PITCHES)
    _check(lattice_evidence(planes, grid, block_px=block_px), grid)


def _likeliest_fit(
    planes: list[LatticePlane],
    candidates: list[DoubleArray],
    shape: tuple[int, int],
    block_px: int,
) -> tuple[PhaseFit, BlockPhases]:
    """Of the candidates' fits the one that the blocks agree with most."""
    best: tuple[float, PhaseFit, BlockPhases] | None = None
    for two in candidates:
        blocks = block_phases(planes, INDICES @ two, sensor_shape=shape, block_px=block_px)
        fit = fit_phases(blocks, two, shape[0] / 2)
        terms = monomials(blocks.position / (shape[0] / 2))
        cycles = predicted_phase(fit.coefficients, terms)
        significance = phase_significance(blocks.phasor, blocks.weight, cycles)
        if best is None or significance > best[0]:
            best = significance, fit, blocks
        if significance > _BEYOND_DOUBT * np.sqrt(len(blocks.weight)):
            break
    if best is None:
        raise CalibrationError("no lenslet lattice found: the mosaic has no frequencies at all")
    return best[1], best[2]


def _check(evidence: LatticeEvidence, grid: LensletGrid) -> None:
    """Raise CalibrationError unless the lattice is that of the lenslets beyond doubt."""
    lattice = f"the lattice found, of {grid.pitch_px:.2f} px, is not that of the lenslets"
    if evidence.mean < _LEAST_SIGNIFICANCE:
        raise CalibrationError(
            f"no lenslet lattice found near a pitch of {grid.pitch_px:.2f} px: the best one agrees "
            f"with the capture by {evidence.mean:.1f} standard deviations of chance, and "
            f"{_LEAST_SIGNIFICANCE:g} are asked"
        )
    if min(evidence.significance) < _LEAST_BALANCE * evidence.mean:
        one, two, three = evidence.significance
        raise CalibrationError(
            f"{lattice}: its three directions disagree ({one:.1f}, {two:.1f}, {three:.1f} "
            "standard deviations)"
        )
    if evidence.weakest_zone < -_WORST_ZONE:
        raise CalibrationError(
            f"{lattice}: it is a row or column off in a part of the sensor, which contradicts it "
            f"by {-evidence.weakest_zone:.1f} standard deviations"
        )
    if evidence.coarser > max(_LEAST_SIGNIFICANCE, _COARSER_SHARE * evidence.mean):
        raise CalibrationError(
            f"{lattice}: a coarser one stands out by {evidence.coarser:.1f} standard deviations"
        )


def _block_px(shape: tuple[int, ...], pitch_px: float, pitches: int) -> int:
    wanted = pitches * pitch_px
    largest = min(shape) / (_FEWEST_BLOCKS_PER_SIDE + 1)
    return max(2 * int(min(wanted, largest) / 2), 8)
