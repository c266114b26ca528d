"""Figures of merit for pictures: against a truth, and of a picture by itself.

Pictures are encoded for display in [0, 1], shape (T, S, C) or (T, S); what lies outside is clipped
as a file would. The five figures of the paper's Table 1 work on luma in 0 to 255; its "(R)" columns
are `relative_to_truth`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray

_LUMA = np.array([0.299, 0.587, 0.114])
_HARMONIC_SIZE, _HARMONIC_SIGMA = 17, 2.0


def _displayed(picture: FloatArray | DoubleArray) -> DoubleArray:
    return np.clip(np.asarray(picture, np.float64), 0.0, 1.0)


def luma_codes(picture: FloatArray) -> DoubleArray:
    """Rec. 601 luma, shape (T, S), in 0 to 255."""
    shown = _displayed(picture)
    if shown.ndim == 2:
        return 255.0 * shown
    if shown.shape[-1] == 3:
        return np.asarray(255.0 * (shown @ _LUMA))
    return np.asarray(255.0 * shown.mean(axis=-1))


def psnr(truth: FloatArray | DoubleArray, picture: FloatArray | DoubleArray) -> float:
    """Peak signal-to-noise ratio in dB, peak 1, over all channels; infinite for equal pictures.

    Both have the same shape, gray (Y, X) or (Y, X, 3), and values in [0, 1].
    """
    _check_shapes(truth, picture)
    error = float(np.mean((_displayed(truth) - _displayed(picture)) ** 2))
    return float("inf") if error == 0 else float(-10.0 * np.log10(error))


def psnr_luma(truth: FloatArray, picture: FloatArray) -> float:
    """PSNR of Rec. 601 luma in dB (PSNR_Y in the literature, full range); shapes as in `psnr`."""
    return psnr(luma_codes(truth) / 255.0, luma_codes(picture) / 255.0)


def ssim(truth: FloatArray, picture: FloatArray) -> float:
    """Structural similarity of luma: Gaussian window of 1.5 px, as in Wang et al. 2004.

    Shapes and range as in `psnr`.
    """
    from skimage.metrics import structural_similarity

    _check_shapes(truth, picture)
    return float(
        structural_similarity(
            luma_codes(truth),
            luma_codes(picture),
            data_range=255.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def mean_gradient(picture: FloatArray) -> float:
    """MG of a picture (Y, X[, 3]): mean of √((dx² + dy²)/2), forward differences of luma 0..255."""
    y = luma_codes(picture)
    dx = y[:-1, 1:] - y[:-1, :-1]
    dy = y[1:, :-1] - y[:-1, :-1]
    return float(np.mean(np.sqrt((dx * dx + dy * dy) / 2)))


def edge_intensity(picture: FloatArray) -> float:
    """EI of a picture (Y, X[, 3]): mean magnitude of the 3 x 3 Sobel gradient of luma 0..255."""
    from scipy import ndimage

    y = luma_codes(picture)
    return float(np.mean(np.hypot(ndimage.sobel(y, 0), ndimage.sobel(y, 1))))


def information_entropy(picture: FloatArray) -> float:
    """IE of a picture (Y, X[, 3]): entropy of the 256-bin histogram of rounded luma, in bits."""
    codes = np.rint(luma_codes(picture)).astype(np.int64).ravel()
    share = np.bincount(codes, minlength=256) / codes.size
    share = share[share > 0]
    return float(-np.sum(share * np.log2(share))) + 0.0


def mean_gray(picture: FloatArray) -> float:
    """MGA of a picture (Y, X[, 3]): mean luma, 0 to 255."""
    return float(np.mean(luma_codes(picture)))


def circular_harmonic(order: int) -> DoubleArray:
    """Laguerre-Gauss circular harmonic filter of an order, complex, shape (17, 17) [1]_.

    ``r^n exp(-r²/σ²) exp(i n θ)`` with unit energy.
    """
    half = _HARMONIC_SIZE // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    position = (x + 1j * y) / _HARMONIC_SIGMA
    kernel = position**order * np.exp(-(np.abs(position) ** 2))
    return np.asarray(kernel / np.sqrt(np.sum(np.abs(kernel) ** 2)))


def edge_coherence(picture: FloatArray) -> float:
    """ECO of a picture (Y, X[, 3]): polar edge coherence [1]_ in [-1, 1]; 1 if edges are straight.

    At an edge the responses to the harmonics of order 1 and 3 have phases in the ratio 1 : 3; ECO
    adds up ``-|y3||y1| cos(∠y3 - 3∠y1)`` and is divided here by ``Σ |y3||y1|``.

    References
    ----------
    .. [1] V. Baroncini et al., "The polar edge coherence: a quasi blind metric for video quality
       assessment", EUSIPCO 2009.
    """
    from scipy import ndimage

    y = luma_codes(picture) / 255.0
    first, third = (
        ndimage.convolve(y, circular_harmonic(n).real)
        + 1j * ndimage.convolve(y, circular_harmonic(n).imag)
        for n in (1, 3)
    )
    strength = np.abs(first) * np.abs(third)
    total = float(strength.sum())
    if total == 0.0:
        return 0.0
    return float(-np.sum(strength * np.cos(np.angle(third) - 3 * np.angle(first))) / total)


TABLE_1: Mapping[str, Callable[[FloatArray], float]] = {
    "MG": mean_gradient,
    "EI": edge_intensity,
    "IE": information_entropy,
    "MGA": mean_gray,
    "ECO": edge_coherence,
}
"""The five figures of the paper's Table 1, under its names."""


def relative_to_truth(truth: FloatArray, picture: FloatArray) -> dict[str, float]:
    """The "(R)" columns of the paper's Table 1, for two pictures (Y, X[, 3]): 0 is best.

    ``|M(truth) - M(x)|``, for ECO ``|1 - (ECO(x) + 1)/(ECO(truth) + 1)|``.
    """
    figures = {}
    for name, measure in TABLE_1.items():
        of_truth, of_picture = measure(truth), measure(picture)
        if name == "ECO":
            figures[name] = abs(1.0 - (of_picture + 1.0) / (of_truth + 1.0))
        else:
            figures[name] = abs(of_truth - of_picture)
    return figures


def _check_shapes(truth: FloatArray | DoubleArray, picture: FloatArray | DoubleArray) -> None:
    if np.shape(truth) != np.shape(picture):
        raise ValueError(f"truth {np.shape(truth)} and picture {np.shape(picture)} differ in shape")
