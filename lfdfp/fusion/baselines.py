"""What fusion and super-resolution must beat: classical methods in a few lines each.

All work on pictures as they are given (linear or encoded) and know nothing of each other, so any
fused picture can be followed by any enlargement.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.display import luma
from lfdfp.imaging.resampling import Downsampling, DownsamplingKernel


def mean_of_slices(slices: FloatArray) -> FloatArray:
    """Average of slices (N, T, S, C): what one gets with no decision at all."""
    return np.asarray(slices.mean(axis=0), np.float32)


def sharpest_slice(slices: FloatArray, window: int = 9) -> FloatArray:
    """At every pixel the slice with the largest Laplacian energy in a window, undecorated.

    Parameters
    ----------
    slices
        Shape (K, Y, X, C).

    Returns
    -------
    ndarray
        Shape (Y, X, C), in the unit of the slices.
    """
    import cv2

    energy = [
        cv2.boxFilter(np.square(cv2.Laplacian(luma(s), cv2.CV_32F)), -1, (window, window))
        for s in slices
    ]
    chosen = np.argmax(energy, axis=0)
    return _take(slices, chosen)


def _take(slices: FloatArray, chosen: NDArray[np.intp]) -> FloatArray:
    """At every pixel the chosen one of slices (N, T, S, C)."""
    return np.asarray(np.take_along_axis(slices, chosen[None, :, :, None], axis=0)[0])


def _pyramid(picture: FloatArray, levels: int) -> list[FloatArray]:
    """Laplacian pyramid: band-pass levels, finest first, then what is left."""
    import cv2

    bands = []
    for _ in range(levels):
        smaller = cv2.pyrDown(picture)
        size = (picture.shape[1], picture.shape[0])
        bands.append(picture - cv2.pyrUp(smaller, dstsize=size).reshape(picture.shape))
        picture = smaller.reshape(*smaller.shape[:2], -1)
    return [*bands, picture]


def _collapse(bands: list[FloatArray]) -> FloatArray:
    import cv2

    picture = bands[-1]
    for band in reversed(bands[:-1]):
        size = (band.shape[1], band.shape[0])
        picture = band + cv2.pyrUp(picture, dstsize=size).reshape(band.shape)
    return picture


def laplacian_pyramid(slices: FloatArray, levels: int | None = None, window: int = 5) -> FloatArray:
    """Fuse slices (N, T, S, C) by their Laplacian pyramids [1]_.

    In every band the slice whose luma has the most energy in the window around the pixel is
    taken; the lowest level is averaged.

    References
    ----------
    .. [1] P. J. Burt and R. J. Kolczynski, "Enhanced image capture through fusion", ICCV 1993.
    """
    import cv2

    shorter = min(slices.shape[1:3])
    levels = max(int(np.log2(shorter)) - 3, 1) if levels is None else levels
    pyramids = [_pyramid(s, levels) for s in slices]
    fused = [mean_of_slices(np.stack([p[-1] for p in pyramids]))]
    for level in reversed(range(levels)):
        bands = np.stack([p[level] for p in pyramids])
        energy = [cv2.boxFilter(np.square(luma(b)), -1, (window, window)) for b in bands]
        chosen = np.argmax(energy, axis=0)
        fused.insert(0, _take(bands, chosen))
    return _collapse(fused).astype(np.float32)


def back_projection(
    picture: FloatArray,
    scale: int,
    iterations: int = 5,
    kernel: DownsamplingKernel = "bicubic",
) -> FloatArray:
    """Bicubic enlargement, then corrected until shrinking it gives the picture back [1]_.

    ``x <- x + up(y - D x)`` with bicubic interpolation `up`; `picture` is (Y, X, C), the result
    (scale Y, scale X, C).

    References
    ----------
    .. [1] M. Irani and S. Peleg, "Improving resolution by image registration", CVGIP 53, 1991.
    """
    model = Downsampling(shape=(picture.shape[0], picture.shape[1]), scale=scale, kernel=kernel)
    fine = model.interpolate(picture)
    for _ in range(iterations):
        fine += model.interpolate(picture - model.forward(fine))
    return fine
