"""Slices as decisions look at them: a few rows at a time, so that a slice may stay as it is stored.

What a slice takes in memory is up to its kind: slices at hand are arrays of values, photographs
that pass by are the whole numbers of their files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BoolArray, FloatArray
from lfdfp.imaging.display import luma

_LEVELS: Final = 65535
_LOWEST, _HIGHEST = -0.125, 1.25
"""Where interpolation overshoots, luma leaves its range: in units of its greatest value."""


class Rows(Protocol):
    """A channel (T, S) that gives rows of it as an array of floats: an array, or `HeldChannel`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, S)."""

    def __getitem__(self, rows: slice, /) -> FloatArray:
        """Rows of the channel."""


class SeenSlice(Protocol):
    """A slice as decisions look at it."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, S, C)."""

    def luma(self) -> Rows:
        """Luma of the encoded slice, shape (T, S)."""

    def encoded(self, rows: slice, columns: slice) -> FloatArray:
        """Part of the slice, shape (t, s, C), encoded for display."""

    def usable(self, rows: slice) -> BoolArray | None:
        """Where the slice may be chosen, shape (t, S); None: everywhere.

        Every pixel has a slice that may.
        """

    def prior(self, rows: slice) -> FloatArray | None:
        """Log evidence (t, S) that was known before the slice was looked at, or None."""


SliceSource: TypeAlias = Callable[[], Iterator[SeenSlice]]
"""Lets all slices pass by, in the order of focus, as often as it is called."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class SliceAtHand:
    """A slice whose values are at hand.

    Attributes
    ----------
    values
        Shape (T, S, C), encoded for display.
    covered
        Shape (T, S): where it may be chosen; None: everywhere.
    evidence
        Shape (T, S): log evidence that was known before, or None.
    """

    values: FloatArray
    covered: BoolArray | None = None
    evidence: FloatArray | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, S, C)."""
        rows, columns, channels = self.values.shape
        return rows, columns, channels

    def luma(self) -> FloatArray:
        """Shape (T, S)."""
        return luma(self.values)

    def encoded(self, rows: slice, columns: slice) -> FloatArray:
        """Shape (t, s, C)."""
        return self.values[rows, columns]

    def usable(self, rows: slice) -> BoolArray | None:
        """Shape (t, S), or None."""
        return None if self.covered is None else self.covered[rows]

    def prior(self, rows: slice) -> FloatArray | None:
        """Shape (t, S), or None."""
        return None if self.evidence is None else self.evidence[rows]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldChannel:
    """A channel (T, S) in half of the memory: whole numbers that stand for evenly spaced values.

    Attributes
    ----------
    codes
        Shape (T, S).
    lowest, step
        The value of code 0, and between codes.
    """

    codes: NDArray[np.uint16]
    lowest: float
    step: float

    @classmethod
    def empty(cls, shape: tuple[int, int], greatest: float) -> HeldChannel:
        """Room for values of up to `greatest`, and for a little overshoot on either side."""
        reach = max(greatest, 1e-3)
        return cls(
            codes=np.empty(shape, np.uint16),
            lowest=_LOWEST * reach,
            step=(_HIGHEST - _LOWEST) * reach / _LEVELS,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(T, S)."""
        return self.codes.shape[0], self.codes.shape[1]

    def __getitem__(self, rows: slice, /) -> FloatArray:
        """Rows (t, S) of the channel."""
        values = self.codes[rows].astype(np.float32)
        values *= np.float32(self.step)
        values += np.float32(self.lowest)
        return values

    def put(self, rows: slice, values: FloatArray) -> None:
        """Take rows (t, S) of values; what is out of range becomes the nearest that is in it."""
        codes = (values - np.float32(self.lowest)) / np.float32(self.step)
        self.codes[rows] = np.rint(np.clip(codes, 0, _LEVELS))


def slices_at_hand(
    slices: FloatArray,
    usable: BoolArray | None,
    *,
    prior: FloatArray | None = None,
    encode: Callable[[FloatArray], FloatArray] = np.asarray,
) -> SliceSource:
    """Slices (N, T, S, C) at hand as a source; each is encoded by `encode` when it is its turn.

    `usable` and `prior` have shape (N, T, S).
    """

    def passing() -> Iterator[SeenSlice]:
        for number, one in enumerate(slices):
            yield SliceAtHand(
                values=encode(one),
                covered=None if usable is None else usable[number],
                evidence=None if prior is None else prior[number],
            )

    return passing
