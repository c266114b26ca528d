"""Light field to focal stack."""

from lfdfp.refocus.shift_and_sum import Planes, refocus, refocus_planes
from lfdfp.refocus.stack import focal_stack
from lfdfp.refocus.super_resolved import SuperResolvedSlice, refocus_super_resolved

__all__ = [
    "Planes",
    "SuperResolvedSlice",
    "focal_stack",
    "refocus",
    "refocus_planes",
    "refocus_super_resolved",
]
