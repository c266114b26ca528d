"""Soft decisions: how much of each slice goes into each pixel of the fused picture.

Slices pass by twice, in the order of focus. The first time, the best score at every pixel is
found and a first guess of the sharp picture; the second time, the scores, held close to the best
and smoothed along the edges of that guess, become shares. No more than a few slices are at hand
at any time, so memory does not grow with their number, and neither does the work for each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray
from lfdfp.fusion.focus_evidence import (
    FocusScore,
    bands_of,
    detail_reach,
    focus_scores,
    sharper_reach,
    with_halo,
)
from lfdfp.fusion.seen_slices import Rows, SeenSlice, slices_at_hand
from lfdfp.imaging.display import luma
from lfdfp.imaging.guided_filter import GuidedFilter
from lfdfp.imaging.noise_level import noise_sigma

_MOST_OVERSHOOT: Final = 1.0
"""By which a smoothed score may pass the best one; keeps exponentials finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSettings:
    """How decisions are made.

    Attributes
    ----------
    window_px
        Standard deviation of the window in which focus is measured.
    guide_radius_px, guide_epsilon
        Guided filter that carries decisions up to the edges of the picture.
    sharpness
        Inverse temperature of the softmax over slices; large gives hard decisions.
    largest_gap
        Scores below the best one by more than this are raised to it, lest strong texture decide
        for all that is around it.
    least_coverage
        Share of the best covered slice below which a slice is not used at a pixel.
    """

    window_px: float = 1.5
    guide_radius_px: int = 3
    guide_epsilon: float = 1e-3
    sharpness: float = 12.0
    largest_gap: float = 1.5
    least_coverage: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FirstLook:
    """What is known once all slices have passed by.

    Attributes
    ----------
    best
        Shape (T, S): the best score of any usable slice. In half precision: what it is off by is
        the same for all slices.
    guide
        Shape (T, S): luma of the slice that has it, in half precision.
    """

    best: NDArray[np.float16]
    guide: NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredSlice:
    """A slice, and how sharp it is; of use until the next one is asked for.

    Attributes
    ----------
    luma
        Shape (T, S).
    score_of
        The score of a band of rows, shape (t, S): -inf nowhere, even where it is not usable.
    """

    seen: SeenSlice
    luma: Rows
    score_of: Callable[[slice], FloatArray]

    def held(self) -> ScoredSlice:
        """The same with its whole score at hand: of use for as long as it is kept."""
        score = self.score_of(slice(0, self.luma.shape[0]))
        return replace(self, score_of=score.__getitem__)


def scored_slices(
    slices: Iterator[SeenSlice],
    settings: DecisionSettings,
    sigma: float,
    *,
    compact: bool = False,
) -> Iterator[ScoredSlice]:
    """Each slice with its score; the next one is read before.

    Parameters
    ----------
    sigma
        Standard deviation of the noise in luma.
    compact
        Hold what neighbors say in half precision.
    """
    waiting: deque[tuple[SeenSlice, Rows]] = deque()

    def lumas() -> Iterator[Rows]:
        for one in slices:
            waiting.append((one, one.luma()))
            del one  # before the next one is read
            yield waiting[-1][1]

    dtype = np.float16 if compact else np.float32
    for score in focus_scores(lumas(), sigma, settings.window_px, dtype):
        one, own = waiting.popleft()
        yield ScoredSlice(seen=one, luma=own, score_of=_with_prior(score, one))
        del one, own, score


def _with_prior(score: FocusScore, seen: SeenSlice) -> Callable[[slice], FloatArray]:
    def of(band: slice) -> FloatArray:
        prior = seen.prior(band)
        return score.of(band) if prior is None else score.of(band) + prior

    return of


def first_look(slices: Iterable[ScoredSlice]) -> FirstLook:
    """The best scores, and a first guess of the sharp picture's luma."""
    look: FirstLook | None = None
    for one in slices:
        if look is None:
            shape = one.luma.shape
            look = FirstLook(
                best=np.full(shape, -np.inf, np.float16), guide=np.zeros(shape, np.float16)
            )
        for band in bands_of(one.luma.shape[0]):
            score = one.score_of(band).astype(np.float16)
            usable = one.seen.usable(band)
            if usable is not None:
                score[~usable] = -np.inf
            best = look.best[band]
            np.copyto(look.guide[band], one.luma[band], where=score > best, casting="same_kind")
            np.maximum(best, score, out=best)
        del one  # before the next one is read
    if look is None:
        raise ValueError("there are no slices")
    return look


def weight_of(
    one: ScoredSlice, look: FirstLook, band: slice, settings: DecisionSettings
) -> FloatArray:
    """exp(sharpness · smoothed distance from the best score) of rows, shape (t, S), > 0.

    0 where the slice is not usable; not yet normalized.
    """
    gap = settings.largest_gap

    def of_band(rows: slice) -> FloatArray:
        smooth = GuidedFilter(
            look.guide[rows].astype(np.float32),
            radius_px=settings.guide_radius_px,
            regularization=settings.guide_epsilon,
        )
        distance = one.score_of(rows) - look.best[rows].astype(np.float32)
        below = smooth(np.maximum(distance, -gap))
        held = np.clip(below, -2 * gap, _MOST_OVERSHOOT)
        return np.asarray(np.exp(np.float32(settings.sharpness) * held), np.float32)

    halo = 2 * settings.guide_radius_px + 1
    weight = with_halo(of_band, band, one.luma.shape[0], halo)
    usable = one.seen.usable(band)
    return weight if usable is None else weight * usable


def reach_of(settings: DecisionSettings) -> int:
    """Rows on either side that the decision of a row depends on."""
    guided = 2 * settings.guide_radius_px + 1
    return guided + max(sharper_reach(settings.window_px), detail_reach(settings.window_px))


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
        Shape (N, T, S, C), encoded for display, N >= 1, in the order of focus.
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
    if sigma is None:
        sigma = float(np.median([noise_sigma(luma(one)) for one in slices]))
    usable = usable_slices(coverage, settings)
    scored = scored_slices(slices_at_hand(slices, usable, prior=prior)(), settings, sigma)
    at_hand = [one.held() for one in scored]
    look = first_look(at_hand)
    return normalized_weights(at_hand, look, settings)


def normalized_weights(
    slices: Iterable[ScoredSlice], look: FirstLook, settings: DecisionSettings
) -> FloatArray:
    """Shares (N, T, S) of all slices, summing to 1 over N."""
    rows = look.best.shape[0]
    maps = np.stack(
        [
            np.concatenate([weight_of(one, look, band, settings) for band in bands_of(rows)])
            for one in slices
        ]
    )
    maps /= maps.sum(axis=0)
    return maps


def usable_slices(coverage: FloatArray | None, settings: DecisionSettings) -> BoolArray | None:
    """Where slices may be chosen, shape (N, T, S); where none was covered all may. None: always."""
    if coverage is None:
        return None
    best = coverage.max(axis=0)
    usable = (coverage >= settings.least_coverage * best) & (coverage > 0)
    return np.asarray(np.where(best > 0, usable, True), bool)


def fuse_slices(slices: FloatArray, maps: FloatArray) -> FloatArray:
    """u = Σ_k m_k i_k (paper Eq. 2) for slices (N, T, S, C) and maps (N, T, S)."""
    fused = np.zeros(slices.shape[1:], np.float32)
    for one, share in zip(slices, maps, strict=True):
        fused += one * share[..., None]
    return fused


def disparity_from_maps(maps: FloatArray, slopes: DoubleArray) -> FloatArray:
    """Mean slope under the decision maps, shape (T, S), pixels per angular step."""
    return np.tensordot(slopes, maps, axes=1).astype(np.float32)
