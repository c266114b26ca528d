"""Slices to one picture while they pass by: running sums, and the largest share so far.

Slices pass by twice; memory does not grow with their number. Where all of them are at hand anyway,
as they are stored, a window of rows is done at a time: then nothing is computed twice, and no sums
of the whole picture are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.decision_map import (
    DecisionSettings,
    FirstLook,
    ScoredSlice,
    first_look,
    normalized_weights,
    reach_of,
    scored_slices,
    weight_of,
)
from lfdfp.fusion.focus_evidence import flat_score
from lfdfp.fusion.seen_slices import SeenSlice, SliceSource

_ROWS_AT_ONCE, _COLUMNS_AT_ONCE = 256, 512
_SQUARES_STEP: Final = 4

_LEAST_SHARE: Final = 1e-6
"""Tiles of which a slice has less everywhere are not looked at: the slice need not be made there.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderEvidence:
    """What tells of depth by the order of slices.

    Attributes
    ----------
    position
        Shape (T, S): mean number of the slices by their shares.
    share
        Shape (T, S), in (0, 1]: the largest share.
    evidence
        Shape (T, S): by how much the best score exceeds what noise alone gives.
    """

    position: FloatArray
    share: FloatArray
    evidence: NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunningFusion:
    """A fused picture and where it comes from.

    Attributes
    ----------
    fused
        Shape (T, S, C), encoded.
    chosen
        Shape (T, S): number of the slice with the largest share.
    order
        None where it was not asked for.
    squares
        Sum of squared shares, by how much the noise's variance falls: mean over a sixteenth of
        the pixels.
    count
        How many slices there were.
    """

    fused: FloatArray
    chosen: NDArray[np.uint16]
    order: OrderEvidence | None
    squares: float
    count: int


def fused_running(
    source: SliceSource,
    settings: DecisionSettings | None = None,
    *,
    sigma: float,
    in_order: bool = True,
    compact: bool = False,
) -> RunningFusion:
    """Fuse slices that pass by twice.

    Parameters
    ----------
    sigma
        Standard deviation of the noise in luma.
    in_order
        Keep what depth by the order of slices needs.
    compact
        Hold what neighbors say of each other in half precision.
    """
    settings = DecisionSettings() if settings is None else settings
    look = first_look(scored_slices(source(), settings, sigma, compact=compact))
    sums = _Sums(look, settings, in_order=in_order)
    for one in scored_slices(source(), settings, sigma, compact=compact):
        sums.add(one)
        del one  # before the next one is read
    return sums.result(sigma)


def fused_at_hand(
    slices: Iterable[SeenSlice],
    settings: DecisionSettings,
    *,
    sigma: float,
    in_order: bool = True,
) -> RunningFusion:
    """As `fused_running`, of slices that are looked at once; their scores are kept."""
    scored = [one.held() for one in scored_slices(iter(slices), settings, sigma)]
    sums = _Sums(first_look(scored), settings, in_order=in_order)
    for one in scored:
        sums.add(one)
    return sums.result(sigma)


def fused_by_windows(
    source_of: Callable[[slice], Iterable[SeenSlice]],
    shape: tuple[int, int, int],
    settings: DecisionSettings | None = None,
    *,
    sigma: float,
    rows_at_once: int,
    in_order: bool = True,
) -> RunningFusion:
    """Fuse slices that are at hand, a window of rows after the other.

    Parameters
    ----------
    source_of
        The slices, cut to these rows.
    shape
        (T, S, C) of a slice.
    rows_at_once
        Rows of a window; as many as decisions reach are added on either side.
    """
    settings = DecisionSettings() if settings is None else settings
    whole = _Whole(shape, in_order=in_order)
    reach = reach_of(settings)
    for start in range(0, shape[0], rows_at_once):
        rows = slice(start, min(start + rows_at_once, shape[0]))
        top, bottom = max(rows.start - reach, 0), min(rows.stop + reach, shape[0])
        part = fused_at_hand(
            source_of(slice(top, bottom)), settings, sigma=sigma, in_order=in_order
        )
        whole.put(rows, part, slice(rows.start - top, rows.stop - top))
    return whole.result()


def fused_with_maps(
    source: SliceSource, settings: DecisionSettings | None = None, *, sigma: float
) -> tuple[FloatArray, FloatArray]:
    """As `fused_running`, with every slice's share: (T, S, C) encoded and (N, T, S)."""
    settings = DecisionSettings() if settings is None else settings
    scored = [one.held() for one in scored_slices(source(), settings, sigma)]
    look = first_look(scored)
    maps = normalized_weights(scored, look, settings)
    everywhere = slice(None)
    fused = np.zeros(scored[0].seen.shape, np.float32)
    for one, share in zip(scored, maps, strict=True):
        fused += one.seen.encoded(everywhere, everywhere) * share[..., None]
    return fused, maps


class _Sums:
    """Sums over slices by their weights, and the largest weight so far."""

    def __init__(self, look: FirstLook, settings: DecisionSettings, *, in_order: bool) -> None:
        self._look, self._settings, self._count = look, settings, 0
        shape = look.best.shape
        self._light: FloatArray | None = None
        self._total, self._largest = (np.zeros(shape, np.float32) for _ in "12")
        self._position = np.zeros(shape, np.float32) if in_order else None
        self._chosen = np.zeros(shape, np.uint16)
        self._squares = np.zeros_like(self._total[::_SQUARES_STEP, ::_SQUARES_STEP])

    def add(self, one: ScoredSlice) -> None:
        """Count the next slice."""
        if self._light is None:
            self._light = np.zeros(one.seen.shape, np.float32)
        rows, columns = one.luma.shape
        for start in range(0, rows, _ROWS_AT_ONCE):
            band = slice(start, min(start + _ROWS_AT_ONCE, rows))
            weight = weight_of(one, self._look, band, self._settings)
            self._squares[_sparse(band)] += np.square(weight[::_SQUARES_STEP, ::_SQUARES_STEP])
            for left in range(0, columns, _COLUMNS_AT_ONCE):
                part = slice(left, min(left + _COLUMNS_AT_ONCE, columns))
                self._add_tile(one.seen, self._light, band, part, weight[:, part])
        self._count += 1

    def _add_tile(
        self, seen: SeenSlice, light: FloatArray, band: slice, part: slice, own: FloatArray
    ) -> None:
        largest = self._largest[band, part]
        if not (own > _LEAST_SHARE * largest).any():
            return
        light[band, part] += seen.encoded(band, part) * own[..., None]
        self._total[band, part] += own
        if self._position is not None:
            self._position[band, part] += np.float32(self._count) * own
        np.copyto(self._chosen[band, part], np.uint16(self._count), where=own > largest)
        np.maximum(largest, own, out=largest)

    def result(self, sigma: float) -> RunningFusion:
        """What they make; the sums are of no use afterwards."""
        if self._light is None:
            raise ValueError("there are no slices")
        for channel in np.moveaxis(self._light, -1, 0):
            channel /= self._total
        total = self._total[::_SQUARES_STEP, ::_SQUARES_STEP]
        squares = float(np.mean(self._squares / np.square(total)))
        order = None
        if self._position is not None:
            self._position /= self._total
            order = OrderEvidence(
                position=self._position,
                share=np.divide(self._largest, self._total, out=self._largest),
                evidence=self._look.best - np.float16(flat_score(sigma)),
            )
        return RunningFusion(
            fused=self._light,
            chosen=self._chosen,
            order=order,
            squares=squares,
            count=self._count,
        )


def _sparse(band: slice) -> slice:
    """Rows of the sums of squares that a band of rows belongs to."""
    return slice(band.start // _SQUARES_STEP, -(-band.stop // _SQUARES_STEP))


class _Whole:
    """A fusion put together from windows of rows."""

    def __init__(self, shape: tuple[int, int, int], *, in_order: bool) -> None:
        self._fused = np.empty(shape, np.float32)
        self._chosen = np.empty(shape[:2], np.uint16)
        self._order = (
            OrderEvidence(
                position=np.empty(shape[:2], np.float32),
                share=np.empty(shape[:2], np.float32),
                evidence=np.empty(shape[:2], np.float16),
            )
            if in_order
            else None
        )
        self._squares, self._count = 0.0, 0

    def put(self, rows: slice, part: RunningFusion, inner: slice) -> None:
        """Take the inner rows of a window as rows of the whole."""
        self._fused[rows], self._chosen[rows] = part.fused[inner], part.chosen[inner]
        if self._order is not None and part.order is not None:
            for whole, own in (
                (self._order.position, part.order.position),
                (self._order.share, part.order.share),
                (self._order.evidence, part.order.evidence),
            ):
                whole[rows] = own[inner]
        self._squares += part.squares * (rows.stop - rows.start)
        self._count = part.count

    def result(self) -> RunningFusion:
        """The whole."""
        return RunningFusion(
            fused=self._fused,
            chosen=self._chosen,
            order=self._order,
            squares=self._squares / len(self._fused),
            count=self._count,
        )
