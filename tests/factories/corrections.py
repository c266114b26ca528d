"""Random light and hints, as the correcting network takes them."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.learned.features import Hints


def some_hints(shape: tuple[int, int], rng: np.random.Generator) -> Hints:
    """Hints of a picture of `shape` (Y, X)."""

    def draw() -> FloatArray:
        return rng.uniform(0.1, 1, shape).astype(np.float32)

    return Hints(
        observability=draw(),
        standard_error=0.01 * draw(),
        confidence=draw(),
        disagreement=1 + draw(),
        disparity=draw() - 0.5,
        strength=14.0,
    )


def some_light(shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Light (3, Y, X) for `shape` (Y, X)."""
    return rng.uniform(0, 1, (3, *shape)).astype(np.float32)
