"""DoubleReblur, the paper's focus measure (section 6.1), mended where it breaks.

The kernel that takes one slice to the other is estimated from their spectra; what that kernel
removes from a slice, and a Gaussian then removes again, is the slice's own detail. Departures from
the authors' code, whose figures ``docs/method.md`` gives: the division is Wiener-regularized, the
kernel is normalized, holes are filled from the border inwards (a flood fill from one corner
inverts regions that touch it), and an empty or full region falls back to comparing the responses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BoolArray, FloatArray

_KERNEL_HALF = 4
_NOISE_TO_SIGNAL = 1e-3
_FALLBACK_WINDOW_PX = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleReblurSettings:
    """The paper's five parameters [k_l, k_d, k_e, t, f].

    Attributes
    ----------
    blur_size
        k_l, size of the Gaussian of the second reblur, odd.
    dilation_size, erosion_size
        k_d and k_e of the closing.
    threshold
        t on encoded luma in [0, 1].
    largest_region
        f: keep the largest region only, with its holes filled.
    """

    blur_size: int = 5
    dilation_size: int = 3
    erosion_size: int = 3
    threshold: float = 0.01
    largest_region: bool = True


def spread_kernel(sharp: FloatArray, blurred: FloatArray) -> FloatArray:
    """Kernel h of (9, 9), summing to one, with ``blurred ≈ sharp * h`` (Eq. 13).

    The quotient of spectra is regularized as Wiener's filter is, which takes the place of the
    low-pass T; a window against the picture's border keeps the jump there out of the spectrum.
    """
    window = _window(sharp.shape)
    f_sharp = np.fft.rfft2((sharp - sharp.mean()) * window)
    f_blurred = np.fft.rfft2((blurred - blurred.mean()) * window)
    power = np.abs(f_sharp) ** 2
    quotient = np.conj(f_sharp) * f_blurred / (power + _NOISE_TO_SIGNAL * power.mean() + 1e-12)
    whole = np.fft.fftshift(np.fft.irfft2(quotient, s=sharp.shape))
    row, column = sharp.shape[0] // 2, sharp.shape[1] // 2
    half_r, half_c = (min(_KERNEL_HALF, (n - 1) // 2) for n in sharp.shape)
    kernel = whole[row - half_r : row + half_r + 1, column - half_c : column + half_c + 1]
    kernel = np.maximum(kernel, 0.0)
    total = kernel.sum()
    if total <= 0.0:
        kernel = np.zeros_like(kernel)
        kernel[half_r, half_c] = total = 1.0
    return np.asarray(kernel / total, np.float32)


def _window(shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.outer(np.hanning(shape[0] + 2)[1:-1], np.hanning(shape[1] + 2)[1:-1])


def reblur_response(
    sharp: FloatArray, other: FloatArray, settings: DoubleReblurSettings
) -> FloatArray:
    """s of Eq. 15, shape (T, S): detail of `sharp` that both reblurs take away."""
    import cv2

    kernel = spread_kernel(sharp, other)
    reflect = cv2.BORDER_REFLECT_101
    lost = np.abs(sharp - cv2.filter2D(sharp, -1, kernel[::-1, ::-1], borderType=reflect))
    size = (settings.blur_size, settings.blur_size)
    return np.asarray(np.abs(lost - cv2.GaussianBlur(lost, size, 0, borderType=reflect)))


def filled_largest_region(region: BoolArray) -> BoolArray:
    """The largest connected part of `region` (Y, X), with the holes that it encloses."""
    from scipy import ndimage

    labels, count = ndimage.label(region)
    if count == 0:
        return region
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(ndimage.binary_fill_holes(labels == sizes.argmax()))


def sharp_region(response: FloatArray, settings: DoubleReblurSettings) -> BoolArray:
    """Threshold, closing and region filling (Eq. 16-18), shape (T, S)."""
    import cv2

    found = (response > settings.threshold).astype(np.uint8)
    dilation, erosion = (
        np.ones((n, n), np.uint8) for n in (settings.dilation_size, settings.erosion_size)
    )
    closed = cv2.erode(cv2.dilate(found, dilation), erosion).astype(bool)
    return filled_largest_region(closed) if settings.largest_region else np.asarray(closed)


def double_reblur_maps(lumas: FloatArray, settings: DoubleReblurSettings) -> FloatArray:
    """Hard decision maps, shape (N, T, S), of encoded lumas (N, T, S), N >= 2.

    Two slices as in the paper: what is not in the first one's region belongs to the second. More
    slices: a pixel goes to the slice that claims it, and among several claims, or none, to the
    one of strongest response.
    """
    import cv2

    others = [np.delete(lumas, k, axis=0).mean(axis=0) for k in range(len(lumas))]
    responses = [reblur_response(y, o, settings) for y, o in zip(lumas, others, strict=True)]
    smooth = np.stack([cv2.GaussianBlur(r, (0, 0), _FALLBACK_WINDOW_PX) for r in responses])
    regions = [sharp_region(r, settings) for r in responses]
    if len(lumas) == 2 and regions[0].any() and not regions[0].all():
        return np.stack([regions[0], ~regions[0]]).astype(np.float32)
    # A claim outweighs any response; among several claims, or none, the response decides.
    claims = np.stack(regions) * smooth.max()
    chosen = (claims + smooth).argmax(axis=0)
    return np.asarray(np.arange(len(lumas))[:, None, None] == chosen, np.float32)
