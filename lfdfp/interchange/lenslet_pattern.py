"""How many pixels lie under a lenslet, seen from the picture: its period shows in the differences.

Within a lenslet's image neighboring pixels see the same point from neighboring directions and are
alike; across its border they see another point, and often pass a dark rim. So the mean difference
between neighboring rows (or columns) of pixels repeats with the lenslets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray

_PART_PX: Final = 3000
"""Side of the part that is looked at, from the middle of the picture."""


def lenslet_evidence(values: NDArray[Any], sizes: Iterable[int]) -> dict[int, float]:
    """Share of the variation of neighboring pixels' differences that repeats, for every size.

    Parameters
    ----------
    values
        Shape (T, S, C), codes of a picture; its second channel is looked at.
    sizes
        Periods in pixels.

    Returns
    -------
    dict
        For every size the lesser share of rows and columns: about 0 without such a pattern, 1
        where it is all there is. Measured with the right size 0.34 to 0.97 on real views of an F01
        and an Illum, down to 8 x 8 lenslets; up to 0.24 where right and wrong size share a factor,
        else below 0.01; up to 0.07 on sixty photographs, below 0.01 on mosaics of views. Blocks of
        JPEG repeat too, with 8 pixels. A scene that is one plane, just as far that its disparity
        times the size is -1, looks like a photograph.
    """
    light = np.asarray(values[..., min(1, values.shape[2] - 1)], np.float32)
    middle = tuple(
        slice(max((side - _PART_PX) // 2, 0), (side + _PART_PX) // 2) for side in light.shape
    )
    part = light[middle]
    rows = np.abs(np.diff(part, axis=0)).mean(axis=1, dtype=np.float64)
    columns = np.abs(np.diff(part, axis=1)).mean(axis=0, dtype=np.float64)
    return {n: min(_repeated_share(rows, n), _repeated_share(columns, n)) for n in sizes}


def _repeated_share(line: DoubleArray, period: int) -> float:
    """Variance between the phases of a period over the whole variance, less what chance gives."""
    if len(line) <= period + 1:
        return 0.0
    phase = np.arange(len(line)) % period
    count = np.bincount(phase, minlength=period)
    means = np.bincount(phase, line, period) / count
    center = line.mean()
    whole = float(np.square(line - center).sum())
    if whole <= 1e-12 * center * center * len(line):
        return 0.0
    between = float((count * np.square(means - center)).sum())
    return 1 - (1 - between / whole) * (len(line) - 1) / (len(line) - period)
