"""The lenslet grid, found in the capture itself or in a white image.

A lenslet's center here is the point about which its image is symmetric, on average over the
aperture: the image of the chief ray. Fall-off of light over the field does not move it, since
every block is divided by its local mean first.
"""

from __future__ import annotations

import numpy as np

from lfdfp.calibration.grid.centers import refine_centers
from lfdfp.calibration.grid.frequencies import INDICES, find_frequencies
from lfdfp.calibration.grid.from_metadata import grid_from_metadata
from lfdfp.calibration.grid.phases import PhaseFit, fit_phases, grid_from_fit
from lfdfp.calibration.grid.signal import (
    BlockPhases,
    LatticePlane,
    block_phases,
    lattice_planes,
)
from lfdfp.calibration.noise import noise_from_iso
from lfdfp.datatypes import FloatArray, LensletGrid, RawCapture
from lfdfp.errors import CalibrationError
from lfdfp.lenslets.table import lenslet_table

_BLOCK_PITCHES = 6
_FEWEST_BLOCKS_PER_SIDE = 4
_LARGEST_RMS_RAD = 0.5
_LARGEST_CLOSURE_RAD = 1.0
_LEAST_CONTRAST = 4.0
_LEAST_SUPPORT = 0.15
_ZONES = 6
_MOST_CHECKED = 40_000
_FEWEST_CHECKED = 10
_LEAST_MODULATION = 0.6
_LEAST_SHARE = 0.3
_MOST_ZONES = 0.8

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
    shape = capture.mosaic.shape
    planes = lattice_planes(capture, seed.pitch_px)
    two, contrast = find_frequencies(planes, seed)
    if contrast < _LEAST_CONTRAST:
        raise CalibrationError(
            f"no lenslet lattice found near a pitch of {seed.pitch_px:.2f} px: its frequencies "
            f"stand out of their surroundings only {contrast:.1f} times"
        )
    blocks = block_phases(
        planes,
        INDICES @ two,
        sensor_shape=(shape[0], shape[1]),
        block_px=_block_px(shape, seed.pitch_px),
    )
    fit = fit_phases(blocks, two, shape[0] / 2)
    _check(fit, blocks)
    source = "fitted to the white image" if is_white else "fitted to the capture itself"
    grid = grid_from_fit(fit, blocks, (shape[0], shape[1]), source)
    grid = refine_centers(capture, grid, noise_from_iso(capture))
    _check_everywhere(planes, grid)
    return grid


def _check_everywhere(planes: list[LatticePlane], grid: LensletGrid) -> None:
    """Raise CalibrationError where lenslets are not brighter in their middle than between them.

    A lattice that is one row or column off somewhere is right in one part of the sensor and half
    a pitch off in another; its phases alone would not tell.
    """
    centers = lenslet_table(grid).centers_px
    centers = centers[:: -(-len(centers) // _MOST_CHECKED)]
    between = np.array(grid.basis_px @ (1 / 3, 1 / 3), np.float32)
    middle, trust = _signal_at(planes, centers)
    above = middle - _signal_at(planes, centers + between)[0]
    zone = (centers * _ZONES / np.array(grid.sensor_shape)).astype(np.int64).clip(0, _ZONES - 1)
    place = zone[:, 0] * _ZONES + zone[:, 1]
    count = np.bincount(place, minlength=_ZONES**2)
    trusted = np.maximum(np.bincount(place, trust, _ZONES**2), 1e-9)
    mean = np.bincount(place, above, _ZONES**2) / trusted
    seen = count >= _FEWEST_CHECKED
    if not seen.any():
        return
    bright = mean[seen] > _LEAST_SHARE * np.percentile(mean[seen], 75)
    typical = float(np.median(mean[seen]))
    if typical < _LEAST_MODULATION or bright.mean() < _MOST_ZONES:
        raise CalibrationError(
            f"the lattice found, of {grid.pitch_px:.2f} px, is not that of the lenslets: its "
            f"middles are brighter than its gaps by {typical:.2f} of the mean, in "
            f"{100 * bright.mean():.0f} % of the sensor"
        )


def _signal_at(planes: list[LatticePlane], position_px: FloatArray) -> FloatArray:
    """Signal and trust (see `LatticePlane`), shape (2, N), at the pixels nearest to (N, 2)."""
    pixel = np.rint(position_px).astype(np.int64)
    plane = 2 * (pixel[:, 0] & 1) + (pixel[:, 1] & 1)
    found = np.zeros((2, len(pixel)), np.float32)
    for k, one in enumerate(planes):
        chosen = plane == k
        row, column = (pixel[chosen] // 2).T
        rows, columns = one.signal.shape
        nearest = row.clip(0, rows - 1), column.clip(0, columns - 1)
        found[0, chosen], found[1, chosen] = one.signal[nearest], one.trust[nearest]
    return found


def _block_px(shape: tuple[int, ...], pitch_px: float) -> int:
    wanted = _BLOCK_PITCHES * pitch_px
    largest = min(shape) / (_FEWEST_BLOCKS_PER_SIDE + 1)
    return max(2 * int(min(wanted, largest) / 2), 8)


def _check(fit: PhaseFit, blocks: BlockPhases) -> None:
    """Raise CalibrationError unless most of the sensor agrees with the fit."""
    base = np.sqrt(np.abs(blocks.phasor)) * blocks.weight
    support = float(fit.weight.sum() / max(float(base.sum()), 1e-12))
    rms = (
        2
        * np.pi
        * float(
            np.sqrt(
                (fit.weight * fit.residual_cycles**2).sum() / max(float(fit.weight.sum()), 1e-12)
            )
        )
    )
    closure = fit.residual_cycles[0] + fit.residual_cycles[1] - fit.residual_cycles[2]
    turned = (np.exp(2j * np.pi * closure) * fit.weight.prod(axis=0)).sum()
    if support < _LEAST_SUPPORT or rms > _LARGEST_RMS_RAD:
        raise CalibrationError(
            f"the lenslet lattice is not the same over the sensor: {100 * support:.0f} % of the "
            f"blocks agree, to {rms:.2f} rad"
        )
    if abs(np.angle(turned)) > _LARGEST_CLOSURE_RAD:
        raise CalibrationError(
            "the lattice found is not that of bright lenslets: its three phases do not close "
            f"({np.angle(turned):.2f} rad)"
        )
