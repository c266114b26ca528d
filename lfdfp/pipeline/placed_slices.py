"""A photograph as a slice: its stored values, moved and encoded only where somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lfdfp.alignment.motions import corners, covered, moved_points, warped
from lfdfp.alignment.placement import Placement
from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray
from lfdfp.fusion.seen_slices import HeldChannel, Rows
from lfdfp.imaging.display import encode, luma
from lfdfp.imaging.lookup import looked_up
from lfdfp.storage.pictures.picture import CodedPicture

_ROWS_AT_ONCE: Final = 256
_REACH_PX: Final = 6
"""Pixels around a place that interpolation looks at, and one for rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class PlacedSlice:
    """Part of a photograph on the reference's grid and with its exposure.

    Attributes
    ----------
    coded
        The photograph.
    gains
        Shape (C,): factors on its light.
    encoded_curves
        Shape (levels, C): the encoded value of every code; None where the codes are light.
    matrix
        Motion (3, 3) from the reference to the photograph; None where it is not moved.
    rows, columns
        Of the reference, that the slice shows.
    """

    coded: CodedPicture
    gains: FloatArray
    encoded_curves: FloatArray | None
    matrix: DoubleArray | None
    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, S, C) of the part."""
        rows, columns = self.rows, self.columns
        return rows.stop - rows.start, columns.stop - columns.start, len(self.gains)

    def cut(self, rows: slice) -> PlacedSlice:
        """Some of its rows."""
        start = self.rows.start
        return replace(self, rows=slice(start + rows.start, start + rows.stop))

    def luma(self) -> Rows:
        """Shape (T, S); interpolated as it is encoded, which is a third of the work."""
        whole = slice(0, self.shape[1])
        if self.encoded_curves is None:
            return np.concatenate(
                [luma(self.encoded(band, whole)) for band in _bands(self.shape[0])]
            )
        held = HeldChannel.empty(self.shape[:2], float(self.encoded_curves.max()))
        for band in _bands(self.shape[0]):
            window = self._source(band, whole)
            part = luma(looked_up(self.coded.codes[window], self.encoded_curves))
            held.put(band, self._moved(part, window, band, whole))
        return held

    def encoded(self, rows: slice, columns: slice) -> FloatArray:
        """Shape (t, s, C)."""
        window = self._source(rows, columns)
        codes = self.coded.codes[window]
        if self.matrix is None and self.encoded_curves is not None:
            return looked_up(codes, self.encoded_curves)
        curves = self.coded.curves
        light = np.asarray(codes, np.float32) if curves is None else looked_up(codes, curves)
        return encode(self._moved(light, window, rows, columns) * self.gains)

    def usable(self, rows: slice) -> BoolArray | None:
        """Shape (t, S): where the photograph shows something; None: everywhere."""
        if self.matrix is None:
            return None
        band, columns = self._on_reference(rows, slice(0, self.shape[1]))
        shape = self.coded.codes.shape[:2]
        places = self._ends(band, columns)
        if (places >= 0).all() and (places <= np.array(shape[::-1]) - 1).all():
            return None
        return covered(shape, self.matrix, rows=band)[:, columns]

    def prior(self, rows: slice) -> None:
        """Nothing was known before."""

    def _source(self, rows: slice, columns: slice) -> tuple[slice, slice]:
        """Rows and columns of the photograph that part of the slice is made of."""
        t, s = self._on_reference(rows, columns)
        if self.matrix is None:
            return t, s
        rows_there, columns_there = self.coded.codes.shape[:2]
        places = self._ends(t, s)
        (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
        return _span(top, bottom, rows_there), _span(left, right, columns_there)

    def _ends(self, t: slice, s: slice) -> DoubleArray:
        """Where the photograph shows the corners of a part of the reference, shape (4, 2)."""
        ends = corners((t.stop - t.start, s.stop - s.start)) + np.array([s.start, t.start])
        return ends if self.matrix is None else moved_points(self.matrix, ends)

    def _on_reference(self, rows: slice, columns: slice) -> tuple[slice, slice]:
        top, left = self.rows.start, self.columns.start
        return (
            slice(top + rows.start, top + rows.stop),
            slice(left + columns.start, left + columns.stop),
        )

    def _moved(
        self, part: FloatArray, window: tuple[slice, slice], rows: slice, columns: slice
    ) -> FloatArray:
        """Part of the photograph, `window` of it, on the grid of part of the slice."""
        if self.matrix is None:
            return part
        t, s = self._on_reference(rows, columns)
        there = _shift(-window[1].start, -window[0].start)
        return warped(
            part,
            np.asarray(there @ self.matrix @ _shift(s.start, t.start)),
            shape=(t.stop - t.start, s.stop - s.start),
        )


def placed_slice(
    coded: CodedPicture,
    placement: Placement,
    number: int,
    window: tuple[slice, slice] | None = None,
) -> PlacedSlice:
    """Photograph `number` as a slice; `window` of the reference alone, where it is given."""
    channels = coded.codes.shape[2]
    exposure = placement.exposure
    gains = np.ones(channels, np.float32)
    if exposure is not None and exposure.applied:
        gains = exposure.gains[placement.kept.index(number)]
    rows, columns = window or (slice(0, placement.shape[0]), slice(0, placement.shape[1]))
    return PlacedSlice(
        coded=coded,
        gains=gains,
        encoded_curves=None if coded.curves is None else encode(coded.curves * gains),
        matrix=placement.matrices.get(number),
        rows=rows,
        columns=columns,
    )


def _bands(rows: int) -> Iterator[slice]:
    for start in range(0, rows, _ROWS_AT_ONCE):
        yield slice(start, min(start + _ROWS_AT_ONCE, rows))


def _span(first: float, last: float, size: int) -> slice:
    """Rows (or columns) from one place to another with what interpolation needs, at least one."""
    start = min(max(int(np.floor(first)) - _REACH_PX, 0), size - 1)
    return slice(start, max(min(int(np.ceil(last)) + _REACH_PX + 1, size), start + 1))


def _shift(columns: int, rows: int) -> DoubleArray:
    return np.array([[1, 0, columns], [0, 1, rows], [0, 0, 1.0]])
