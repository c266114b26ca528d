"""Functions of single values on large arrays, without temporaries of the same size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_VALUES_AT_ONCE = 1 << 20


def map_blocks(
    function: Callable[[Any], NDArray[Any]], values: NDArray[Any], dtype: Any = np.float32
) -> NDArray[Any]:
    """``function(values)`` of an elementwise function, a few rows at a time; of the same shape."""
    if values.size <= _VALUES_AT_ONCE:
        return function(values).astype(dtype, copy=False)
    made = np.empty(values.shape, dtype)
    for rows in _rows(values):
        made[rows] = function(values[rows])
    return made


def map_blocks_in_place(function: Callable[[Any], NDArray[Any]], values: NDArray[Any]) -> None:
    """Put ``function(values)`` of an elementwise function in place of the values, of any shape."""
    for rows in _rows(values):
        values[rows] = function(values[rows])


def _rows(values: NDArray[Any]) -> Iterator[slice]:
    rows = max(_VALUES_AT_ONCE * len(values) // max(values.size, 1), 1)
    for start in range(0, len(values), rows):
        yield slice(start, start + rows)
