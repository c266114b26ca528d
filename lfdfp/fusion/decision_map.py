"""Soft decision maps: which slice each pixel of the fused picture comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.fusion.focus_evidence import focus_scores
from lfdfp.imaging.display import encode, luma
from lfdfp.imaging.guided_filter import GuidedFilter
from lfdfp.imaging.noise_level import noise_sigma
from lfdfp.imaging.tiles import tiles

_BAND_VALUES = 3_000_000
_HALO_PX = 48
"""Rows that a decision depends on: the windows of both focus measures and the guided filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSettings:
    """How decision maps are made.

    Attributes
    ----------
    window_px
        Standard deviation of the window in which focus is measured.
    guide_radius_px, guide_epsilon
        Guided filter that carries decisions up to the edges of the picture.
    sharpness
        Inverse temperature of the softmax over slices; large gives hard decisions.
    least_coverage
        Share of the best covered slice below which a slice is not used at a pixel.
    """

    window_px: float = 2.5
    guide_radius_px: int = 4
    guide_epsilon: float = 1e-3
    sharpness: float = 2.0
    least_coverage: float = 0.5


def decision_maps(
    slices: FloatArray,
    coverage: FloatArray | None = None,
    settings: DecisionSettings | None = None,
    *,
    prior: FloatArray | None = None,
    sigma: float | None = None,
) -> FloatArray:
    """Soft decision maps of encoded slices.

    Parameters
    ----------
    slices
        Shape (N, T, S, C), encoded for display, N >= 1.
    coverage
        Shape (N, T, S): slices that the light hardly reached are not chosen.
    prior
        Shape (N, T, S): log evidence that was known before the slices were looked at.
    sigma
        Standard deviation of the noise in luma; None measures it.

    Returns
    -------
    ndarray of shape (N, T, S)
        In [0, 1], summing to 1 over N.
    """
    settings = DecisionSettings() if settings is None else settings
    lumas = np.stack([luma(s) for s in slices])
    if sigma is None:
        sigma = float(np.median([noise_sigma(y) for y in lumas]))
    scores = np.clip(focus_scores(lumas, sigma, settings.window_px), -4.0, 4.0)
    if prior is not None:
        scores += prior
    guide = lumas.mean(axis=0)
    smooth = GuidedFilter(
        guide, radius_px=settings.guide_radius_px, regularization=settings.guide_epsilon
    )
    refined = np.stack([smooth(s) for s in scores])
    return softmax(
        settings.sharpness * refined, usable_slices(coverage, slices.shape[:3], settings)
    )


def usable_slices(
    coverage: FloatArray | None, shape: tuple[int, ...], settings: DecisionSettings
) -> FloatArray:
    """1 where a slice may be chosen, else 0; where no slice was covered all may."""
    if coverage is None:
        return np.ones(shape, np.float32)
    best = coverage.max(axis=0)
    usable = (coverage >= settings.least_coverage * best) & (coverage > 0)
    return np.where(best > 0, usable, True).astype(np.float32)


def softmax(scores: FloatArray, usable: FloatArray) -> FloatArray:
    """exp(scores) over the usable slices, normalized to sum to 1 over the first axis."""
    allowed = np.where(usable > 0, scores, -np.inf)
    weights = np.exp(allowed - allowed.max(axis=0))
    return np.asarray(weights / weights.sum(axis=0), np.float32)


def fuse_slices(slices: FloatArray, maps: FloatArray) -> FloatArray:
    """u = Σ_k m_k i_k (paper Eq. 2) for slices (N, T, S, C) and maps (N, T, S)."""
    fused = np.zeros(slices.shape[1:], np.float32)
    for one, share in zip(slices, maps, strict=True):
        fused += one * share[..., None]
    return fused


def fused_in_bands(
    light: FloatArray,
    coverage: FloatArray | None = None,
    settings: DecisionSettings | None = None,
    *,
    prior: FloatArray | None = None,
    sigma: float,
) -> tuple[FloatArray, FloatArray]:
    """Decide and fuse slices of linear light (N, T, S, C), a band of rows at a time.

    Only the band that is worked on is held encoded; the result does not depend on the bands.
    `coverage` and `prior` are as those of `decision_maps`, `sigma` is the standard deviation of the
    noise in luma.

    Returns
    -------
    fused, maps
        Encoded, shape (T, S, C), and shape (N, T, S).
    """
    fused = np.empty(light.shape[1:], np.float32)
    maps = np.empty(light.shape[:3], np.float32)
    height, width = light.shape[1:3]
    side = max(_BAND_VALUES // (width * len(light)), 2 * _HALO_PX)
    for rows, _ in tiles((height, 1), side, 0):
        first, last = max(rows.start - _HALO_PX, 0), min(rows.stop + _HALO_PX, height)
        band = encode(light[:, first:last])
        covered = None if coverage is None else coverage[:, first:last]
        known = None if prior is None else prior[:, first:last]
        found = decision_maps(band, covered, settings, prior=known, sigma=sigma)
        kept = slice(rows.start - first, rows.stop - first)
        maps[:, rows], fused[rows] = found[:, kept], fuse_slices(band, found)[kept]
    return fused, maps


def disparity_from_maps(maps: FloatArray, slopes: DoubleArray) -> FloatArray:
    """Mean slope under the decision maps, shape (T, S), pixels per angular step."""
    return np.tensordot(slopes, maps, axes=1).astype(np.float32)
