"""What of a mosaic repeats with the lenslets, and its phase in blocks over the sensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray, FloatArray, RawCapture

_DARK_SHARE = 0.005
"""Local means below this share of the white level count less: noise outweighs the lattice."""

_RATIO_LIMIT = 2.0

BLOCK_OVERLAP = 2.25
"""Blocks that a Hann window of two steps makes of one independent one, along both axes."""

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LatticePlane:
    """One Bayer plane, divided by its local mean.

    Attributes
    ----------
    signal
        Shape (h, w): (light / local mean - 1) * trust; trust is near 1 where the plane is
        bright, 0 where dark or saturated.
    trust
        Shape (h, w).
    corner
        (row, column) of the plane's first pixel on the sensor; its step is two pixels.
    """

    signal: FloatArray
    trust: FloatArray
    corner: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockPhases:
    """Demodulated lattice frequencies in overlapping blocks.

    Attributes
    ----------
    position
        Shape (N, 2): (row, column) of the block centers in pixels from the sensor's center.
    phasor
        Shape (F, N): contrast and phase of each frequency at the block center, where a lenslet
        at the block's center has phase 0.
    weight
        Shape (N,): share of the block that carries light.
    shape
        (rows, columns) of blocks, N in all.
    """

    position: DoubleArray
    phasor: ComplexArray
    weight: DoubleArray
    shape: tuple[int, int]


def lattice_planes(capture: RawCapture, pitch_px: float) -> list[LatticePlane]:
    """Divide every Bayer plane by its own Gaussian local mean of half a pitch.

    Each color is divided by its own mean, so that the scene's colors leave no mark.
    """
    import cv2

    planes = []
    sigma = 0.25 * pitch_px
    for k, (_, rows, columns, black, white) in enumerate(capture.bayer_planes()):
        light = capture.mosaic[rows, columns].astype(np.float32)
        light -= np.float32(black)
        light *= np.float32(1.0 / (white - black))
        mean = cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        np.maximum(mean, 1e-6, out=mean)
        ratio = np.divide(light, mean, out=light)
        np.clip(ratio, -1.0, _RATIO_LIMIT, out=ratio)
        ratio -= 1.0
        trust = mean / (mean + np.float32(_DARK_SHARE))
        ratio *= trust
        planes.append(LatticePlane(signal=ratio, trust=trust, corner=(k // 2, k % 2)))
    return planes


def block_phases(
    planes: list[LatticePlane],
    frequencies: DoubleArray,
    *,
    sensor_shape: tuple[int, int],
    block_px: int,
) -> BlockPhases:
    """Demodulate the planes at `frequencies` under overlapping Hann windows.

    Parameters
    ----------
    planes
        From `lattice_planes`.
    frequencies
        Shape (F, 2): (row, column) in cycles per sensor pixel.
    block_px
        Distance between blocks in sensor pixels, even; every window is twice as long.
    """
    step = block_px // 2
    center = (np.array(sensor_shape) - 1) / 2
    height = min(p.signal.shape[0] for p in planes) // step * step
    width = min(p.signal.shape[1] for p in planes) // step * step
    total = np.zeros((len(frequencies), height // step - 1, width // step - 1), np.complex128)
    weight = np.zeros(total.shape[1:])
    for plane in planes:
        row = 2.0 * np.arange(height) + plane.corner[0] - center[0]
        column = 2.0 * np.arange(width) + plane.corner[1] - center[1]
        total += _windowed_sums(plane.signal[:height, :width], frequencies, row, column, step)
        weight += _windowed_sums(
            plane.trust[:height, :width], np.zeros((1, 2)), row, column, step
        ).real[0]
    middle = 2.0 * step * np.arange(1, max(total.shape[1:]) + 1) - 0.5
    row_of = middle[: total.shape[1]] - center[0]
    column_of = middle[: total.shape[2]] - center[1]
    position = np.stack(np.meshgrid(row_of, column_of, indexing="ij"), axis=-1).reshape(-1, 2)
    carrier = np.exp(2j * np.pi * (frequencies @ position.T))
    phasor = total.reshape(len(frequencies), -1) / np.maximum(weight.reshape(-1), 1e-9) * carrier
    full = len(planes) * step * step
    return BlockPhases(
        position=position,
        phasor=phasor,
        weight=weight.reshape(-1) / full,
        shape=(total.shape[1], total.shape[2]),
    )


def _windowed_sums(
    image: FloatArray,
    frequencies: DoubleArray,
    row: DoubleArray,
    column: DoubleArray,
    step: int,
) -> ComplexArray:
    """Σ image · window · exp(-2πi f·p) over windows of two steps: rows first, then columns."""
    taper = 0.5 - 0.5 * np.cos(np.pi * (np.arange(2 * step) + 0.5) / step)
    halves = taper.reshape(2, step)
    n_rows, n_columns = len(row) // step, len(column) // step
    along_rows = np.exp(-2j * np.pi * np.outer(frequencies[:, 0], row)).reshape(-1, n_rows, step)
    weights = np.einsum("fns,hs->nhfs", along_rows, halves).reshape(n_rows, -1, step)
    real = np.concatenate([weights.real, weights.imag], axis=1).astype(np.float32)
    partial = real @ image.reshape(n_rows, step, -1)
    half = partial.shape[1] // 2
    sums = (partial[:, :half] + 1j * partial[:, half:]).reshape(n_rows, 2, -1, len(column))
    strips = sums[:-1, 0] + sums[1:, 1]
    along_columns = np.exp(-2j * np.pi * np.outer(frequencies[:, 1], column))
    strips = (strips * along_columns).reshape(n_rows - 1, len(frequencies), n_columns, step)
    first, second = strips @ halves[0], strips @ halves[1]
    blocks = first[..., :-1] + second[..., 1:]
    return np.ascontiguousarray(np.moveaxis(blocks, 0, 1))
