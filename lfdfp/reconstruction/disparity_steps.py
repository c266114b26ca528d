"""Steps of the reconstruction that find disparity: from rays alone, then against the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.depth.plane_sweep import (
    consensus_costs,
    median_filtered,
    plane_picture,
    residual_costs,
)
from lfdfp.reconstruction.depth.refinement import (
    fitted_slopes,
    local_disagreement,
    slope_steps,
)
from lfdfp.reconstruction.depth.semi_global import semi_global_disparity
from lfdfp.reconstruction.depth.slope_range import slope_range_from_rays
from lfdfp.reconstruction.depth.visibility import visible_slopes
from lfdfp.reconstruction.fine_grid import FINEST
from lfdfp.reconstruction.state import MARGIN, RaySetup, RayState

_GUIDE_RADIUS_SHARE = 0.6
"""Of the aperture: its inner rays blur the guide of the first sweep less."""

_WIDENING_PITCH = 0.02
"""Per raw pixel: by so much the next sweep reaches beyond the slopes found so far."""

_RANGE_PERCENTILES = (0.2, 99.8)


def first_disparity(setup: RaySetup, disparity_range: tuple[float, float] | None) -> FloatArray:
    """The plane on which the rays around every pixel agree best; no picture is needed.

    Parameters
    ----------
    disparity_range
        First and last of the scene in view pixels per angular step; None finds it from the rays.

    Returns
    -------
    ndarray of shape (Y, X)
        Slopes in fine pixels per raw pixel, found on a grid half as fine as the finest.
    """
    import cv2

    parameters = setup.parameters
    bundle = RayBundle(
        light=setup.seen_light,
        lenslets=setup.lenslets,
        grid=replace(setup.grid, k=FINEST // 2, margin=MARGIN // 2),
        radius_px=setup.radius_px(parameters.radius_pitch),
        runner=setup.runner,
    )
    limits = _slope_limits(setup, bundle, disparity_range)
    slopes = _planes(bundle, limits, parameters.plane_step)
    inner = replace(bundle, radius_px=_GUIDE_RADIUS_SHARE * bundle.radius_px)
    guide = setup.displayed_luma(plane_picture(inner, 0.0))
    costs = consensus_costs(
        bundle,
        slopes,
        outlier_error=parameters.outlier_error,
        truncation=parameters.truncation,
        half_apertures=True,
    )
    swept = semi_global_disparity(costs, slopes, guide, parameters.smoothness, setup.runner)
    slope = 2 * median_filtered(swept.slope)
    size = (setup.grid.shape[1], setup.grid.shape[0])
    return np.asarray(cv2.resize(slope, size, interpolation=cv2.INTER_NEAREST), np.float32)


def _slope_limits(
    setup: RaySetup, bundle: RayBundle, disparity_range: tuple[float, float] | None
) -> tuple[float, float]:
    """First and last slope of the scene on the bundle's grid."""
    parameters = setup.parameters
    if disparity_range is None:
        return slope_range_from_rays(
            bundle,
            outlier_error=parameters.outlier_error,
            truncation=parameters.truncation,
        )
    widen, scale = parameters.widening, bundle.grid.slope_scale
    return (disparity_range[0] - widen) * scale, (disparity_range[1] + widen) * scale


def _planes(bundle: RayBundle, limits: tuple[float, float], shift_pitch: float) -> DoubleArray:
    """Slopes (N,) from one limit to the other, a shift at the aperture's rim apart."""
    step = shift_pitch * bundle.grid.pixels_per_pitch / bundle.radius_px
    return np.linspace(*limits, max(3, int(np.ceil((limits[1] - limits[0]) / step)) + 1))


def sweep_planes(setup: RaySetup, state: RayState) -> RayState:
    """Find the slope map anew, by comparing the rays with the sharp picture on planes."""
    parameters = setup.parameters
    widen = _WIDENING_PITCH * setup.grid.pixels_per_pitch
    low, high = np.percentile(state.slope_map, _RANGE_PERCENTILES)
    limits = float(low) - widen, float(high) + widen
    slopes = _planes(state.bundle, limits, parameters.fine_plane_step)
    guide = setup.displayed_luma(state.picture)
    costs = residual_costs(
        state.bundle,
        slopes,
        state.observation.blur(state.picture),
        _last_visible_slopes(setup, state),
        guide,
        outlier_error=parameters.outlier_error,
        truncation=parameters.truncation,
    )
    swept = semi_global_disparity(costs, slopes, guide, parameters.smoothness, setup.runner)
    return replace(
        state,
        slope_map=median_filtered(swept.slope),
        confidence=swept.confidence(parameters.truncation),
    )


def _last_visible_slopes(setup: RaySetup, state: RayState) -> FloatArray:
    """Slope of the last plane that every ray can see, shape (H, W).

    Surfaces block rays only where a pixel's neighbors belong to them too: their borders have
    yet to be found.
    """
    import cv2

    step = setup.parameters.visibility_step * setup.grid.pixels_per_pitch
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = np.asarray(cv2.dilate(state.slope_map, cross), np.float32)
    slopes = visible_slopes(state.bundle, inner, step=step)
    return np.add(slopes, np.float32(step), out=slopes)


def fit_surfaces(setup: RaySetup, state: RayState) -> RayState:
    """Fit the slopes of each surface to the rays' residuals, and see where rays disagree."""
    steps = slope_steps(state.observation, state.picture, setup.parameters.weighting)
    return replace(
        state,
        slope_map=fitted_slopes(state.slope_map, steps, state.bundle),
        disagreement=local_disagreement(steps),
    )
