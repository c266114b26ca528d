"""Light field to focal stack.

This room stands above `lfdfp.disparity`, from which it takes the scene's range and the splines.
"""

from lfdfp.refocusing.shift_and_sum import Planes, refocus, refocus_planes
from lfdfp.refocusing.stack import focal_stack, stack_parts
from lfdfp.refocusing.surface import refocus_on_surface, tilted_slopes

__all__ = [
    "Planes",
    "focal_stack",
    "refocus",
    "refocus_on_surface",
    "refocus_planes",
    "stack_parts",
    "tilted_slopes",
]
