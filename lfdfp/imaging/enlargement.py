"""The base: a fused picture enlarged until shrinking it gives the picture back, noise left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from lfdfp.datatypes import BoolArray, FloatArray
from lfdfp.imaging.display import LUMA_WEIGHTS, luma
from lfdfp.imaging.guided_filter import GuidedFilter
from lfdfp.imaging.resampling import Downsampling
from lfdfp.imaging.tiles import tiles

_VARIANCE_WINDOW_PX = 7
VISIBLE_SIGMA = 1.0 / 255
"""Less noise than this is left alone."""

_TILE_FINE_PX = 3072
_HALO_PX = 64
"""Coarse pixels beyond a tile that its back-projection and networks look at."""

_CHROMA_RADIUS_PX = 4


class Upscaler(Protocol):
    """Enlarges luma (T, S) by a fixed factor."""

    def __call__(self, luma: FloatArray) -> FloatArray: ...


class Enlarger:
    """Enlarges pictures (T, S, C), encoded, that share size, scale and noise.

    Parameters
    ----------
    upscalers
        Applied to luma, their answers averaged; `repeats` times in a row, which must reach the
        model's scale. None at all: bicubic interpolation.
    sigma
        Standard deviation of the noise in one channel.
    """

    def __init__(
        self,
        model: Downsampling,
        sigma: float,
        back_projections: int,
        upscalers: Sequence[Upscaler] = (),
        repeats: int = 1,
    ) -> None:
        self.model, self.sigma, self.back_projections = model, sigma, back_projections
        self.upscalers, self.repeats = upscalers, repeats

    def __call__(self, picture: FloatArray, held_out: BoolArray | None = None) -> FloatArray:
        """Picture (T, S, C) to (kT, kS, C); where `held_out` (T, S) is True it is not trusted."""
        if self.model.scale == 1:
            return picture.copy()
        if not self.upscalers:
            return self.back_projected(self.model.interpolate(picture), picture, held_out)
        coarse = luma(picture)
        fine = coarse
        for _ in range(self.repeats):
            fine = np.mean([upscale(fine) for upscale in self.upscalers], axis=0, dtype=np.float32)
        chroma = self._chroma(picture, coarse, fine)
        made = fine[..., None] + self.model.interpolate(chroma)
        return self.back_projected(made, picture, held_out)

    def by_tiles(self, picture: FloatArray) -> FloatArray:
        """The picture (Y, X, C) enlarged to (kY, kX, C), with the temporaries of one tile only.

        The result is as if called with the whole picture: tiles leave no seam.
        """
        k, shape = self.model.scale, (picture.shape[0], picture.shape[1])
        fine = np.empty((*self.model.fine_shape, picture.shape[2]), np.float32)
        for inner in tiles(shape, _TILE_FINE_PX // k, 0):
            outer = tuple(
                slice(max(span.start - _HALO_PX, 0), min(span.stop + _HALO_PX, length))
                for span, length in zip(inner, shape, strict=True)
            )
            tile = picture[outer]
            model = replace(self.model, shape=(tile.shape[0], tile.shape[1]))
            kept = tuple(
                slice(k * (i.start - o.start), k * (i.stop - o.start))
                for i, o in zip(inner, outer, strict=True)
            )
            target = tuple(slice(k * span.start, k * span.stop) for span in inner)
            fine[target] = self.on(model)(tile)[kept]
        return fine

    def on(self, model: Downsampling) -> Enlarger:
        """The same for a picture of another size, such as a tile."""
        return Enlarger(model, self.sigma, self.back_projections, self.upscalers, self.repeats)

    def _chroma(self, picture: FloatArray, coarse: FloatArray, fine: FloatArray) -> FloatArray:
        """Color without luma, shape (T, S, C), smoothed along the luma's edges under noise."""
        chroma = picture - coarse[..., None]
        if self.sigma < VISIBLE_SIGMA:
            return chroma
        guide = self.model.forward(fine[..., None])[..., 0]
        smooth = GuidedFilter(guide, radius_px=_CHROMA_RADIUS_PX, regularization=4 * self.sigma**2)
        return np.stack([smooth(channel) for channel in np.moveaxis(chroma, -1, 0)], axis=-1)

    def back_projected(
        self, fine: FloatArray, picture: FloatArray, held_out: BoolArray | None = None
    ) -> FloatArray:
        """`fine` (kY, kX, C) corrected by what shrinking it misses of `picture` (Y, X, C).

        Only what is more than noise counts, and nothing where `held_out` (Y, X) is True.
        """
        for _ in range(self.back_projections):
            missing = picture - self.model.forward(fine)
            if self.sigma >= VISIBLE_SIGMA:
                missing = without_noise(missing, self.sigma)
            if held_out is not None:
                missing[held_out] = 0.0
            fine = fine + self.model.interpolate(missing)
        return fine


def luma_sigma(sigma: float, channels: int) -> float:
    """Standard deviation of luma's noise where that of every channel is `sigma`."""
    return sigma * float(np.linalg.norm(LUMA_WEIGHTS)) if channels == 3 else sigma


def without_noise(residual: FloatArray, sigma: float) -> FloatArray:
    """What noise does not explain of a residual (T, S, C), in luma and in color by itself.

    Luma holds most of the detail and the least noise: it would be held back by its colors.
    """
    bright = luma(residual)[..., None]
    made = signal_share(bright, luma_sigma(sigma, residual.shape[2])) * bright
    if residual.shape[2] == 3:
        color = residual - bright
        variances = 1 - 2 * np.array(LUMA_WEIGHTS) + np.square(LUMA_WEIGHTS).sum()
        made = made + signal_share(color, sigma * float(np.sqrt(variances.mean()))) * color
    return np.asarray(made, np.float32)


def signal_share(residual: FloatArray, sigma: float) -> FloatArray:
    """Wiener's factor, shape (T, S, 1): share of the local variance that noise does not explain."""
    import cv2

    size = (_VARIANCE_WINDOW_PX, _VARIANCE_WINDOW_PX)
    power = np.square(residual).mean(axis=-1, dtype=np.float32)
    variance = cv2.blur(power, size, borderType=cv2.BORDER_REFLECT)
    return np.asarray(np.maximum(1.0 - sigma**2 / np.maximum(variance, 1e-12), 0.0))[..., None]
