"""Refocusing on surfaces instead of planes that face the camera."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np

from lfdfp.computing.bands import BandRunner, thread_count
from lfdfp.datatypes import DoubleArray, FloatArray, LightField
from lfdfp.errors import SettingsError
from lfdfp.imaging.splines import SPLINE_MARGIN, spline_coefficients
from lfdfp.refocusing.aperture import SyntheticAperture
from lfdfp.refocusing.shift_and_sum import Planes
from lfdfp.refocusing.shifts import Shifts, full_weight
from lfdfp.refocusing.spline_kernels import normalize
from lfdfp.refocusing.spline_sum import LEAST_COVERAGE
from lfdfp.refocusing.surface_kernels import add_gathered, weighted_view


def tilted_slopes(
    field: LightField, slope: float, *, per_row: float = 0.0, per_column: float = 0.0
) -> FloatArray:
    """Slopes (T, S) of a tilted focal plane (Scheimpflug), for `refocus_on_surface`.

    Parameters
    ----------
    slope
        At the center of the picture.
    per_row, per_column
        Change of the slope from one pixel to the next, downwards and rightwards. A plane in
        space has slopes that vary linearly over the picture.
    """
    height, width = field.spatial_shape
    rows = per_row * (np.arange(height) - (height - 1) / 2)
    columns = per_column * (np.arange(width) - (width - 1) / 2)
    return (slope + rows[:, None] + columns[None, :]).astype(np.float32)


def refocus_on_surface(
    field: LightField,
    slopes: FloatArray,
    *,
    aperture: DoubleArray | None = None,
    viewpoint: tuple[float, float] | None = None,
    equal_weights: bool = False,
    threads: int | None = None,
) -> FloatArray:
    """Bring a surface into focus: every pixel by its own slope, with cubic splines.

    With the disparity of the center view as slopes, everything is in focus. Where something in
    front hides part of the aperture, it is mixed in.

    Parameters
    ----------
    slopes
        Shape (T, S): slope of each pixel of the picture, as seen from the viewpoint.
    aperture, viewpoint, equal_weights, threads
        As in `refocus`.

    Returns
    -------
    ndarray of shape (T, S, C)
        Linear light; 0 where no ray arrives.

    Raises
    ------
    SettingsError
        For slopes that do not fit the field or are not finite, or an aperture that is closed or
        does not fit.
    """
    gathered = SyntheticAperture(factors=aperture, viewpoint=viewpoint, equal_weights=equal_weights)
    planes = surface_plane(field, slopes, gathered, threads=threads)
    picture: FloatArray = planes.slices[0]
    return picture


def surface_plane(
    field: LightField,
    slopes: FloatArray,
    aperture: SyntheticAperture,
    *,
    threads: int | None = None,
) -> Planes:
    """As `refocus_on_surface`, with the coverage: one slice (1, T, S, C)."""
    if slopes.shape != field.spatial_shape or not np.all(np.isfinite(slopes)):
        raise SettingsError(f"slopes must be finite and {field.spatial_shape}, got {slopes.shape}")
    height, width = field.spatial_shape
    colors, margin = field.views.shape[4], SPLINE_MARGIN
    shifts = Shifts.of(field, np.ones(1), aperture)
    total = np.zeros((height, width, colors + 1), np.float32)
    view = np.empty((height + 2 * margin, width + 2 * margin, colors + 1), np.float32)
    surface = np.ascontiguousarray(slopes, np.float32)
    count = thread_count(threads)
    edges = np.linspace(0, height, count + 1).astype(int).tolist()
    for v, u in np.argwhere(shifts.gains > 0):
        gain = shifts.gains[v, u]
        weighted_view(
            field.views[v, u], field.weights[v, u], gain, shifts.equal_weights, margin, view
        )
        spline_coefficients(view)
        steps = float(shifts.along_t[0, v]), float(shifts.along_s[0, u])
        add = partial(_add_band, view, surface, steps, total)
        BandRunner(count).each(add, pairwise(edges))
    picture = np.empty((height, width, colors), np.float32)
    coverage = np.empty((height, width), np.float32)
    full = full_weight(field, shifts)
    light, rays = total[..., :colors], np.ascontiguousarray(total[..., colors])
    codes, limits = (field.scale, field.offset), (full, LEAST_COVERAGE * full)
    normalize(np.ascontiguousarray(light), rays, 0, codes, limits, picture, coverage)
    return Planes(picture[None], coverage[None])


def _add_band(
    view: FloatArray,
    slopes: FloatArray,
    steps: tuple[float, float],
    total: FloatArray,
    band: tuple[int, int],
) -> None:
    add_gathered(view, slopes, steps, SPLINE_MARGIN, band, total)
