"""The fixed downsampler D between the fine grid and the measured one, with its adjoint.

D is separable: ``D x = R x Cᵀ`` with one banded matrix per axis. Pixel j of the grid that is k
times finer lies at ``(j + 0.5)/k - 0.5`` of the coarse one, and the kernel is stretched by k so
that it also removes what the coarse grid cannot hold. At the border the kernel is cut off and its
weights normalized (as Pillow does), so no size needs padding or cropping.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray

if TYPE_CHECKING:
    from scipy import sparse

DownsamplingKernel = Literal["bilinear", "bicubic", "lanczos2", "lanczos3"]


def _triangle(x: DoubleArray) -> DoubleArray:
    return np.maximum(1.0 - np.abs(x), 0.0)


def _keys(x: DoubleArray) -> DoubleArray:
    """Cubic convolution with a = -1/2 (R. Keys, IEEE Trans. ASSP 29, 1981)."""
    x = np.abs(x)
    inner = (1.5 * x - 2.5) * x * x + 1.0
    outer = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1, inner, np.where(x < 2, outer, 0.0))


def _lanczos(x: DoubleArray, lobes: int) -> DoubleArray:
    return np.where(np.abs(x) < lobes, np.sinc(x) * np.sinc(x / lobes), 0.0)


_KERNELS: dict[DownsamplingKernel, tuple[Callable[[DoubleArray], DoubleArray], float]] = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_keys, 2.0),
    "lanczos2": (lambda x: _lanczos(x, 2), 2.0),
    "lanczos3": (lambda x: _lanczos(x, 3), 3.0),
}


def resampling_matrix(
    n_in: int, n_out: int, kernel: DownsamplingKernel = "bicubic"
) -> sparse.csr_array:
    """Matrix (n_out, n_in) that resamples a line covering the same length with other pixels.

    Rows sum to one. Shrinking stretches the kernel by the ratio; growing interpolates.
    """
    from scipy import sparse

    shape, support = _KERNELS[kernel]
    stretch = max(n_in / n_out, 1.0)
    centers = (np.arange(n_out) + 0.5) * n_in / n_out - 0.5
    first = np.ceil(centers - support * stretch).astype(int)
    taps = np.arange(int(np.floor(2 * support * stretch)) + 1)
    columns = first[:, None] + taps
    weights = shape((columns - centers[:, None]) / stretch)
    weights[(columns < 0) | (columns >= n_in)] = 0.0
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(n_out), len(taps))
    matrix = sparse.csr_array(
        (weights.ravel(), (rows, np.clip(columns, 0, n_in - 1).ravel())), shape=(n_out, n_in)
    )
    matrix.eliminate_zeros()
    return matrix.astype(np.float32)


def _apply_separable(
    rows: sparse.csr_array, columns: sparse.csr_array, picture: FloatArray
) -> FloatArray:
    """``rows @ picture @ columnsᵀ`` for a picture (T, S, C)."""
    t, s, c = picture.shape
    tall = (rows @ picture.reshape(t, s * c)).reshape(rows.shape[0], s, c)
    wide = columns @ np.ascontiguousarray(tall.swapaxes(0, 1)).reshape(s, -1)
    made = wide.reshape(columns.shape[0], rows.shape[0], c).swapaxes(0, 1)
    return np.ascontiguousarray(made, dtype=np.float32)


def resample(
    picture: FloatArray, shape: tuple[int, int], kernel: DownsamplingKernel = "bicubic"
) -> FloatArray:
    """Resample a picture (T, S, C) to `shape` (rows, columns) over the same area."""
    t, s, _ = picture.shape
    return _apply_separable(
        resampling_matrix(t, shape[0], kernel), resampling_matrix(s, shape[1], kernel), picture
    )


@dataclass(frozen=True, kw_only=True)
class Downsampling:
    """D: from the fine grid (kT, kS) to the measured one (T, S).

    Attributes
    ----------
    shape
        (T, S) of the measured picture.
    scale
        k, a whole number of at least 1; with 1 D is the identity.
    """

    shape: tuple[int, int]
    scale: int
    kernel: DownsamplingKernel = "bicubic"

    @property
    def fine_shape(self) -> tuple[int, int]:
        """(kT, kS)."""
        return self.shape[0] * self.scale, self.shape[1] * self.scale

    @cached_property
    def matrices(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        """R of shape (T, kT) and C of shape (S, kS)."""
        t, s = self.shape
        return (
            resampling_matrix(self.scale * t, t, self.kernel),
            resampling_matrix(self.scale * s, s, self.kernel),
        )

    def forward(self, fine: FloatArray) -> FloatArray:
        """D x: shape (kT, kS, C) to (T, S, C)."""
        return _apply_separable(*self.matrices, fine)

    def adjoint(self, coarse: FloatArray) -> FloatArray:
        """Dᵀ y: shape (T, S, C) to (kT, kS, C)."""
        rows, columns = self.matrices
        return _apply_separable(rows.T.tocsr(), columns.T.tocsr(), coarse)

    def interpolate(self, coarse: FloatArray) -> FloatArray:
        """Bicubic interpolation of (T, S, C) to (kT, kS, C); not the adjoint."""
        return resample(coarse, self.fine_shape)


def bicubic(picture: FloatArray, scale: int) -> FloatArray:
    """Enlarge (T, S, C) k times by cubic convolution (a = -1/2)."""
    t, s, _ = picture.shape
    return resample(picture, (scale * t, scale * s))


def block_means(values: FloatArray, block: int) -> FloatArray:
    """Means of `block` x `block` pixels of (T, S), shape (T // block, S // block)."""
    rows, columns = values.shape[0] // block, values.shape[1] // block
    cut = values[: rows * block, : columns * block]
    return np.asarray(cut.reshape(rows, block, columns, block).mean(axis=(1, 3)), np.float32)
