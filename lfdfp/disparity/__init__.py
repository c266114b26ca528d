"""Light field to disparity.

This room lies below `lfdfp.refocusing`: it imports nothing from there, while the refocuser takes the
scene's range and the splines from here.
"""

from lfdfp.disparity.estimate import DisparityEstimate, estimate_disparity
from lfdfp.disparity.scene_range import scene_range

__all__ = ["DisparityEstimate", "estimate_disparity", "scene_range"]
