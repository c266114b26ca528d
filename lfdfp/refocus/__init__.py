"""Light field to focal stack.

This room stands above `lfdfp.disparity`, from which it takes the scene's range and the splines.
"""

from lfdfp.refocus.shift_and_sum import Planes, refocus, refocus_planes
from lfdfp.refocus.slope_map import refocus_on_surface, tilted_slopes
from lfdfp.refocus.stack import focal_stack, stack_parts, super_resolved_stack
from lfdfp.refocus.super_resolved import SuperResolvedSlice, refocus_super_resolved

__all__ = [
    "Planes",
    "SuperResolvedSlice",
    "focal_stack",
    "refocus",
    "refocus_on_surface",
    "refocus_planes",
    "refocus_super_resolved",
    "stack_parts",
    "super_resolved_stack",
    "tilted_slopes",
]
