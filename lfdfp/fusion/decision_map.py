"""Soft decisions: how much of each slice goes into each pixel of the fused picture.

Slices pass by twice, in the order of focus. The first time, the best score at every pixel is
found and a first guess of the sharp picture; the second time, the scores, held close to the best
and smoothed along the edges of that guess, become shares. No more than a few slices are at hand
at any time, so memory does not grow with their number, and neither does the work for each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray
from lfdfp.fusion.focus_evidence import flat_score, focus_scores, in_bands
from lfdfp.imaging.display import luma
from lfdfp.imaging.guided_filter import GuidedFilter
from lfdfp.imaging.noise_level import noise_sigma

_ROWS_AT_ONCE: Final = 512
_SQUARES_STEP: Final = 4

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class SeenSlice:
    """A slice as decisions look at it.

    Attributes
    ----------
    encoded
        Shape (T, S, C), encoded for display.
    usable
        Shape (T, S): where it may be chosen; None: everywhere. Every pixel has a slice that may.
    prior
        Shape (T, S): log evidence that was known before the slice was looked at, or None.
    """

    encoded: FloatArray
    usable: BoolArray | None = None
    prior: FloatArray | None = None


SliceSource: TypeAlias = Callable[[], Iterator[SeenSlice]]
"""Lets all slices pass by, in the order of focus, as often as it is called."""


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
class RunningFusion:
    """A fused picture and where it comes from.

    Attributes
    ----------
    fused
        Shape (T, S, C), encoded.
    chosen
        Shape (T, S): number of the slice with the largest share.
    position
        Shape (T, S): mean number of the slices by their shares.
    share
        Shape (T, S), in (0, 1]: the largest share.
    evidence
        Shape (T, S): by how much the best score exceeds what noise alone gives.
    squares
        Sum of squared shares, by how much the noise's variance falls: mean over a sixteenth of
        the pixels.
    count
        How many slices there were.
    """

    fused: FloatArray
    chosen: NDArray[np.uint16]
    position: FloatArray
    share: FloatArray
    evidence: NDArray[np.float16]
    squares: float
    count: int


def first_look(slices: Iterator[SeenSlice], settings: DecisionSettings, sigma: float) -> FirstLook:
    """The best scores, and a first guess of the sharp picture's luma.

    `sigma` is the standard deviation of the noise in luma.
    """
    best = guide = None
    for one, own, score in _scored(slices, settings, sigma):
        if one.usable is not None:
            score[~one.usable] = -np.inf
        if best is None or guide is None:
            best, guide = score, own.copy()
        else:
            np.copyto(guide, own, where=score > best)
            np.maximum(best, score, out=best)
        del one, own, score  # before the next one is read
    if best is None or guide is None:
        raise ValueError("there are no slices")
    return FirstLook(best=best.astype(np.float16), guide=guide.astype(np.float16))


def weighted_slices(
    slices: Iterator[SeenSlice],
    look: FirstLook,
    settings: DecisionSettings,
    sigma: float,
) -> Iterator[tuple[SeenSlice, FloatArray]]:
    """Each slice with its weight (T, S) > 0, or 0 where it is not usable; not yet normalized."""
    for one, own, score in _scored(slices, settings, sigma):
        weight = _weight(score, look, settings)
        if one.usable is not None:
            weight *= one.usable
        del own, score
        yield one, weight
        del one, weight


def _weight(score: FloatArray, look: FirstLook, settings: DecisionSettings) -> FloatArray:
    """exp(sharpness · smoothed distance from the best score), shape (T, S), by bands of rows."""
    gap = settings.largest_gap

    def of_band(band: slice) -> FloatArray:
        smooth = GuidedFilter(
            look.guide[band].astype(np.float32),
            radius_px=settings.guide_radius_px,
            regularization=settings.guide_epsilon,
        )
        distance = score[band] - look.best[band].astype(np.float32)
        below = smooth(np.maximum(distance, -gap))
        held = np.clip(below, -2 * gap, _MOST_OVERSHOOT)
        return np.asarray(np.exp(np.float32(settings.sharpness) * held), np.float32)

    return in_bands(of_band, *score.shape, halo=2 * settings.guide_radius_px + 1)


def fused_running(
    source: SliceSource, settings: DecisionSettings | None = None, *, sigma: float
) -> RunningFusion:
    """Fuse slices that pass by twice."""
    settings = DecisionSettings() if settings is None else settings
    look = first_look(source(), settings, sigma)
    sums = _Sums(look.best.shape)
    # No enumerate, which keeps the last pair while the next is made.
    for one, weight in weighted_slices(source(), look, settings, sigma):
        sums.add(one.encoded, weight)
        del one, weight
    return sums.result(look.best - np.float16(flat_score(sigma)))


class _Sums:
    """Sums over slices by their weights, and the largest weight so far."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._light: FloatArray | None = None
        self._count = 0
        self._total, self._position, self._largest = (np.zeros(shape, np.float32) for _ in "123")
        self._chosen = np.zeros(shape, np.uint16)
        self._squares = np.zeros_like(self._total[::_SQUARES_STEP, ::_SQUARES_STEP])

    def add(self, encoded: FloatArray, weight: FloatArray) -> None:
        """Count the next slice."""
        number = self._count
        self._count += 1
        if self._light is None:
            self._light = np.zeros(encoded.shape, np.float32)
        for start in range(0, len(weight), _ROWS_AT_ONCE):
            band = slice(start, start + _ROWS_AT_ONCE)
            own, largest = weight[band], self._largest[band]
            self._light[band] += encoded[band] * own[..., None]
            self._total[band] += own
            self._position[band] += np.float32(number) * own
            np.copyto(self._chosen[band], np.uint16(number), where=own > largest)
            np.maximum(largest, own, out=largest)
        self._squares += np.square(weight[::_SQUARES_STEP, ::_SQUARES_STEP])

    def result(self, evidence: NDArray[np.float16]) -> RunningFusion:
        """What they make; the sums are of no use afterwards."""
        if self._light is None:
            raise ValueError("there are no slices")
        self._light /= self._total[..., None]
        self._position /= self._total
        total = self._total[::_SQUARES_STEP, ::_SQUARES_STEP]
        return RunningFusion(
            fused=self._light,
            chosen=self._chosen,
            position=self._position,
            share=np.divide(self._largest, self._total, out=self._largest),
            evidence=evidence,
            squares=float(np.mean(self._squares / np.square(total))),
            count=self._count,
        )


def fused_with_maps(
    source: SliceSource, settings: DecisionSettings | None = None, *, sigma: float
) -> tuple[FloatArray, FloatArray]:
    """As `fused_running`, with every slice's share: (T, S, C) encoded and (N, T, S)."""
    settings = DecisionSettings() if settings is None else settings
    look = first_look(source(), settings, sigma)
    sums, weights = _Sums(look.best.shape), []
    for one, weight in weighted_slices(source(), look, settings, sigma):
        sums.add(one.encoded, weight)
        weights.append(weight)
    maps = np.stack(weights)
    maps /= maps.sum(axis=0)
    return sums.result(look.best).fused, maps


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
    source = source_of(slices, coverage, settings, prior=prior)
    return fused_with_maps(source, settings, sigma=sigma)[1]


def source_of(
    slices: FloatArray,
    coverage: FloatArray | None,
    settings: DecisionSettings,
    *,
    prior: FloatArray | None = None,
    encode: Callable[[FloatArray], FloatArray] = np.asarray,
) -> SliceSource:
    """Slices (N, T, S, C) at hand as a source; each is encoded by `encode` when it is its turn."""
    usable = usable_slices(coverage, settings)

    def passing() -> Iterator[SeenSlice]:
        for number, one in enumerate(slices):
            yield SeenSlice(
                encoded=encode(one),
                usable=None if usable is None else usable[number],
                prior=None if prior is None else prior[number],
            )

    return passing


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


def _scored(
    slices: Iterator[SeenSlice], settings: DecisionSettings, sigma: float
) -> Iterator[tuple[SeenSlice, FloatArray, FloatArray]]:
    """Each slice with its luma and its score, (T, S); the next one is read before."""
    waiting: deque[tuple[SeenSlice, FloatArray]] = deque()

    def lumas() -> Iterator[FloatArray]:
        for one in slices:
            waiting.append((one, luma(one.encoded)))
            yield waiting[-1][1]

    for score in focus_scores(lumas(), sigma, settings.window_px):
        one, own = waiting.popleft()
        if one.prior is not None:
            score += one.prior
        yield one, own, score
        del one, own, score
