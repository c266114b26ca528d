"""Where the pixels of one lenslet's image lie: shared by all compiled passes over raw rays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(inline="always")
def span(
    center: float,
    half: float,
    size: int,
) -> tuple[int, int]:
    """First and last + 1 whole pixel within `half` of `center`, on a sensor of `size`."""
    return max(0, int(np.ceil(center - half))), min(size, int(np.floor(center + half)) + 1)


@njit(inline="always")
def half_width(
    down: Any,
    radius: Any,
) -> Any:
    """Half the width of a circle at the distance `down` from its center."""
    return np.sqrt(max(radius * radius - down * down, np.float32(0.0)))
