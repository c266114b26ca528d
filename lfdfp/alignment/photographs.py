"""Photographs of one scene to a focal stack: moved onto a reference, brought to its exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lfdfp.alignment.placement import (
    Placement,
    Reference,
    common_coverage,
    common_window,
    placed_photograph,
    placement_history,
    placement_of,
)
from lfdfp.datatypes import FloatArray, FocalStack


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhotographStack:
    """A focal stack of photographs, and how it came about.

    Attributes
    ----------
    window
        Rows and columns of the reference that the stack shows; None for all.
    """

    stack: FocalStack
    placement: Placement
    window: tuple[slice, slice] | None = None


def stack_of_photographs(
    photographs: Sequence[FloatArray] | FloatArray,
    *,
    names: Sequence[str] = (),
    align: bool = True,
    equalize: bool = True,
    reference: Reference = "middle",
    crop: bool = False,
) -> PhotographStack:
    """A stack of two or more photographs (T, S, C) of one scene, linear light.

    Parameters
    ----------
    names
        What the photographs are called in messages; "photograph 1" and so on if not given.
    align
        Move every photograph onto the reference. What shows another scene is left out.
    equalize
        Bring the photographs to the reference's exposure and white balance, where a difference is
        certain (`lfdfp.alignment.exposure`).
    reference
        "middle" is the one in the middle of those that are kept: least has to move.
    crop
        Cut off the border that some photograph does not show.

    Raises
    ------
    ImageError
        For fewer than two photographs, photographs of different size or number of channels,
        pictures too long to be moved, photographs of which fewer than two show one scene, a
        reference that does not exist, or nothing left to crop to.
    """
    names = names or [f"photograph {n}" for n in range(1, len(photographs) + 1)]
    placement = placement_of(
        photographs, names, align=align, equalize=equalize, reference=reference
    )
    window = common_window(common_coverage(placement)) if crop else None
    slices, coverage = _placed(photographs, placement)
    if window is not None:
        slices, coverage = slices[:, *window], None
    stack = FocalStack(
        slices=slices,
        coverage=coverage,
        history=tuple(placement_history(placement)),
        warnings=placement.warnings,
    )
    return PhotographStack(stack=stack, placement=placement, window=window)


def _placed(
    photographs: Sequence[FloatArray] | FloatArray, placement: Placement
) -> tuple[FloatArray, FloatArray | None]:
    """The kept photographs as slices, and where they show something; None: everywhere."""
    kept = placement.kept
    slices = np.empty((len(kept), *photographs[0].shape), np.float32)
    moved = bool(placement.matrices)
    coverage = np.ones((len(kept), *placement.shape), np.float32) if moved else None
    for place, number in enumerate(kept):
        slices[place], covers = placed_photograph(photographs[number], placement, number)
        if coverage is not None and covers is not None:
            coverage[place] = covers
    return slices, coverage
