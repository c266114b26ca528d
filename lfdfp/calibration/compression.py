"""What a lossy compression has taken from raw codes before they came into the file.

Research data sets hold raw mosaics that somebody has stored as JPEG pictures with 8 bits. JPEG
rounds every 8 x 8 block's frequencies to multiples of a step, and the steps are largest where the
Bayer pattern is: differences between the colors of neighboring pixels fall to zero where they are
small. A dark surface of any color then has equal codes in all channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import DoubleArray, RawCapture
from lfdfp.imaging.rendition import ErasedColor
from lfdfp.imaging.sensor_noise import QUANTIZATION_VARIANCE

_BLOCK = 8
_MOST_BLOCKS = 20_000
_CODES_OF_8_BITS = 256
_LEAST_SPACING = 3.0
_CLEAR = 0.8
_FEWEST = 100
_LEAST_STEP = 2.0
_FEWEST_PROBES = 4
_BEST = 95
"""Above this quality, steps are too small to be seen, and to do harm."""

_STEPS_AT_50 = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
"""Steps for luminance in ITU-T T.81, table K.1, which encoders scale by quality."""

_PROBES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2))
"""Frequencies at which scenes are strong enough to show the steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossyCodes:
    """A JPEG compression that raw codes show.

    Attributes
    ----------
    quality
        1 to 100, as encoders count it.
    erased
        Differences between channels up to which they are lost.
    """

    quality: int
    erased: ErasedColor


def lossy_codes(capture: RawCapture) -> LossyCodes | None:
    """The compression that a capture's codes went through; None where they show none.

    Codes have to be 8 bits spread over the range of the capture's own, and the frequencies of
    their blocks have to lie on the multiples of one quality's steps.
    """
    spacing = _spacing(capture)
    if spacing < _LEAST_SPACING:
        return None
    frequencies = _block_frequencies(capture, spacing)
    scores = {quality: _agreement(frequencies, quality) for quality in range(_BEST, 0, -1)}
    best = max(scores, key=scores.__getitem__)
    if scores[best] < _CLEAR:
        return None
    return LossyCodes(quality=best, erased=_erased(capture, _steps(best) * spacing))


def _spacing(capture: RawCapture) -> float:
    """Raw codes for one step of 8 bits; 0 where there are more codes than that."""
    used = np.flatnonzero(np.bincount(capture.mosaic.ravel()))
    if not 2 <= len(used) <= _CODES_OF_8_BITS:
        return 0.0
    return max(capture.white_codes) / (_CODES_OF_8_BITS - 1) if np.diff(used).min() > 1 else 0.0


def _block_frequencies(capture: RawCapture, spacing: float) -> DoubleArray:
    """Shape (N, 8, 8): cosine transforms of blocks, in steps of 8 bits."""
    from scipy.fft import dctn

    rows, columns = (n // _BLOCK for n in capture.mosaic.shape)
    cut = capture.mosaic[: rows * _BLOCK, : columns * _BLOCK]
    blocks = cut.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK, _BLOCK)
    chosen = blocks[:: -(-len(blocks) // _MOST_BLOCKS)]
    levels = np.rint(chosen / spacing)
    kept = levels[(levels.min(axis=(1, 2)) > 0) & (levels.max(axis=(1, 2)) < _CODES_OF_8_BITS - 1)]
    return np.asarray(dctn(kept, axes=(1, 2), norm="ortho"))


def _steps(quality: int) -> DoubleArray:
    """Steps of all frequencies, shape (8, 8), at a quality, as the reference encoder scales."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.asarray(((_STEPS_AT_50 * percent + 50) // 100).clip(1, 255), np.float64)


def _agreement(frequencies: DoubleArray, quality: int) -> float:
    """How well frequencies lie on multiples of the steps: 1 exactly, 0 by chance."""
    steps = _steps(quality)
    found = []
    for down, right in _PROBES:
        step, values = steps[down, right], frequencies[:, down, right]
        beyond = values[np.abs(values) > step / 2]
        if step >= _LEAST_STEP and len(beyond) >= _FEWEST:
            blurred = np.exp(-2 * np.pi**2 * QUANTIZATION_VARIANCE / step**2)
            found.append(float(np.cos(2 * np.pi * beyond / step).mean()) / blurred)
    return float(np.mean(found)) if len(found) >= _FEWEST_PROBES else 0.0


def _erased(capture: RawCapture, steps: DoubleArray) -> ErasedColor:
    """Differences between channels that half a step hides, with white at 1.

    A pattern of period two has the amplitude a; its frequency in a block is a times the sums of
    the highest cosine over alternating signs.
    """
    place = np.arange(_BLOCK)
    highest = np.cos((2 * place + 1) * (_BLOCK - 1) * np.pi / (2 * _BLOCK)) / 2
    along = float(np.abs((highest * (-1.0) ** place).sum()))
    even = np.sqrt(_BLOCK)
    span = float(np.mean(np.subtract(capture.white_codes, capture.black_codes)))
    both = steps[-1, -1] / 2 / along**2  # (red + blue - 2 green) / 4
    one = (steps[0, -1] + steps[-1, 0]) / 4 / (along * even)  # (blue - red) / 4
    return ErasedColor(green=float(2 * both / span), red_blue=float(4 * one / span))
