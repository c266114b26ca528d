"""Light field to focal stack.

This room stands above `lfdfp.disparity`, from which it takes the scene's range and the splines.
"""

from lfdfp.reconstruction.plane import SuperResolvedSlice, refocus_super_resolved
from lfdfp.refocusing.shift_and_sum import Planes, refocus, refocus_planes
from lfdfp.refocusing.stack import focal_stack, stack_parts, super_resolved_stack
from lfdfp.refocusing.surface import refocus_on_surface, tilted_slopes

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
