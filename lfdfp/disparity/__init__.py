"""Light field to disparity, from its views."""

from lfdfp.disparity.estimate import DisparityEstimate, estimate_disparity
from lfdfp.disparity.scene_range import scene_range

__all__ = ["DisparityEstimate", "estimate_disparity", "scene_range"]
