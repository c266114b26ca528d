"""Light field to focal stack."""

from lfdfp.refocus.shift_and_sum import Planes, refocus, refocus_planes
from lfdfp.refocus.stack import focal_stack

__all__ = ["Planes", "focal_stack", "refocus", "refocus_planes"]
