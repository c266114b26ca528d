"""Light field to disparity, from its views."""

from lfdfp.disparity.estimate import DisparityEstimate, estimate_disparity
from lfdfp.disparity.slope_range import slope_range_from_views

__all__ = ["DisparityEstimate", "estimate_disparity", "slope_range_from_views"]
