"""Noise level of a picture, from the picture alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.display import luma
from lfdfp.imaging.resampling import block_means

_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
"""Difference of two Laplacians: blind to planes and edges, unit gain for white noise [1]."""

_BLOCK = 16
_BLOCKS_AT_ONCE = 32
_QUIETEST_SHARE = 0.15


def noise_sigma(channel: FloatArray) -> float:
    """Standard deviation of white noise in one channel (T, S), encoded to [0, 1].

    The quietest blocks of a picture hold noise and no texture; their mean energy under the mask
    of [1]_ is the estimate. Blocks at the ends of the range, where clipping hides the noise, are
    left out.

    References
    ----------
    .. [1] J. Immerkær, "Fast noise variance estimation", CVIU 64, 1996.
    """
    block = min(_BLOCK, *(n - 2 for n in channel.shape))
    if block < 2:
        return 0.0
    found = [_energies(channel[rows], block) for rows in _bands(channel.shape[0] - 2, block)]
    energies, levels = (np.concatenate(part) for part in zip(*found, strict=True))
    usable = energies[(levels > 0.03) & (levels < 0.97)]
    if usable.size == 0:
        return 0.0
    quiet = np.sort(usable)[: max(int(_QUIETEST_SHARE * usable.size), 1)]
    return float(np.sqrt(quiet.mean()))


def _bands(rows: int, block: int) -> Iterator[slice]:
    """Whole blocks of rows inside a picture, each with a row more on either side."""
    for first in range(0, rows // block, _BLOCKS_AT_ONCE):
        last = min(first + _BLOCKS_AT_ONCE, rows // block)
        yield slice(first * block, last * block + 2)


def _energies(band: FloatArray, block: int) -> tuple[FloatArray, FloatArray]:
    """Mean energy under the mask, and level, of the blocks inside a band."""
    import cv2

    energy = np.square(cv2.filter2D(band, cv2.CV_32F, _MASK))[1:-1, 1:-1]
    return block_means(energy, block), block_means(band[1:-1, 1:-1], block)


@dataclass(frozen=True, kw_only=True)
class StackNoise:
    """Standard deviations of the noise of one slice, in luma and in one channel."""

    luma: float
    channel: float


def stack_noise(slices: Iterable[FloatArray]) -> StackNoise:
    """Noise of encoded slices (T, S, C), which are looked at one after the other.

    Detail can pass for noise where a picture has no quiet part. It is nearly the same in all
    colors, and a defocused slice has little of it, while noise is independent everywhere: so for
    a channel the least of the estimates is taken, from channels and from differences of channels.
    Noise that is equal in all colors (a JPEG with coarse chroma) is not seen by this.
    """
    found = [(noise_sigma(luma(one)), _picture_sigma(one)) for one in slices]
    of_luma, of_channel = zip(*found, strict=True)
    return StackNoise(luma=float(np.median(of_luma)), channel=min(of_channel))


def _picture_sigma(picture: FloatArray) -> float:
    channels = [np.ascontiguousarray(c) for c in np.moveaxis(picture, -1, 0)]
    plain = float(np.median([noise_sigma(c) for c in channels]))
    if len(channels) < 3:
        return plain
    differences = [0.5 + channels[0] - channels[1], 0.5 + channels[2] - channels[1]]
    return min(plain, *(noise_sigma(d) / float(np.sqrt(2)) for d in differences))
