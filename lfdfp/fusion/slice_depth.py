"""Depth from the order of slices: where each pixel is sharp, and a guess where nothing shows it."""

from __future__ import annotations

from typing import Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.running_fusion import RunningFusion
from lfdfp.imaging.gaussian import gaussian

_SPREADS_PX: Final = (64.0, 16.0, 4.0)
"""Neighborhoods from which depth is taken where a pixel shows none, the widest first."""

_LEAST_SURETY: Final = 0.05
"""Surety of what wider neighborhoods say."""


_LEAST_EVIDENCE: Final = 0.7
"""Score above that of noise from which on a pixel's own slice counts: noise comes that far when
the best of many slices is taken."""


def slice_depth(fusion: RunningFusion) -> FloatArray:
    """Depth in slices (T, S), from 0 to `count` - 1.

    Where one slice has nearly all of the share, its number; where many share a pixel because it is
    flat, what surer neighbors say, near ones before distant ones.

    Raises
    ------
    ValueError
        Where the fusion did not keep what tells of the order.
    """
    order = fusion.order
    if order is None:
        raise ValueError("depth needs what the order of slices tells: fuse with in_order")
    if fusion.count == 1:
        return np.zeros_like(order.position)
    even = 1 / fusion.count
    surety = np.square(np.clip((order.share - even) / (1 - even), 0, 1))
    surety *= np.clip(order.evidence.astype(np.float32) - _LEAST_EVIDENCE, 0, 1)
    weighted = surety * order.position
    depth = np.full_like(surety, float(weighted.sum()) / max(float(surety.sum()), 1e-6))
    for spread in _SPREADS_PX:
        around, sure = gaussian(weighted, spread), gaussian(surety, spread)
        depth = (around + _LEAST_SURETY * depth) / (sure + _LEAST_SURETY)
    depth = (weighted + _LEAST_SURETY * depth) / (surety + _LEAST_SURETY)
    return np.asarray(np.clip(depth, 0, fusion.count - 1), np.float32)
