"""The camera moves along its axis while the lens zooms: one plane keeps its size."""

from __future__ import annotations

from typing import Final

import numpy as np

from lfdfp.datatypes import FloatArray, SharpPicture
from lfdfp.rendering.render import fine_disparity

_PLANES: Final = 64
_EDGE_PX: Final = np.float32(1.5)


def render_dolly(picture: SharpPicture, slope: float, viewpoint: float) -> FloatArray:
    """The picture from a place before or behind the camera, zoomed so that `slope` keeps its size.

    Seen from there, the ray through each pixel meets the aperture the farther out, the farther the
    pixel lies from the middle: no pixel needs a ray that the camera has not seen.

    Parameters
    ----------
    slope
        In pixels of a view per angular step.
    viewpoint
        Where rays of the outermost pixels meet the aperture, in angular steps from its middle;
        above 0 the camera moves back: what is nearer than the plane becomes smaller.

    Returns
    -------
    ndarray of shape (kT, kS, C)
        In the units of `picture.super_resolved`; what nothing shows repeats its surroundings.

    Raises
    ------
    ImageError
        For a picture without depth.
    """
    import cv2

    disparity = fine_disparity(picture)
    down, right = (axis.astype(np.float32) for axis in np.indices(disparity.shape))
    below, aside = (axis - axis.mean(dtype=np.float64).astype(np.float32) for axis in (down, right))
    reach = max(float(np.hypot(below.max(), aside.max())), 1.0)
    factor = np.float32(picture.scale * viewpoint / reach)
    share = _shares_of_the_way(disparity, below, aside, factor, np.float32(slope))
    seen = cv2.remap(
        picture.super_resolved,
        right - share * aside,
        down - share * below,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(seen, np.float32).reshape(picture.super_resolved.shape)


def _shares_of_the_way(
    disparity: FloatArray,
    below: FloatArray,
    aside: FloatArray,
    factor: np.float32,
    slope: np.float32,
) -> FloatArray:
    """How far towards the middle lies what each pixel shows, as a share of its way there.

    Planes are passed from the nearest to the farthest; the first surface that is met is seen. Where
    a ray meets the side of something, which nobody has seen, what lies beside it is taken.
    """
    import cv2

    rows, columns = disparity.shape
    down, right = below - below[0, 0], aside - aside[0, 0]
    planes = np.linspace(disparity.min(), disparity.max(), _PLANES, dtype=np.float32)
    step = planes[1] - planes[0]
    share = np.full((rows, columns), factor * (planes[-1] - slope), np.float32)
    open_yet = np.ones((rows, columns), bool)
    before = factor * (planes[0] - slope)
    # Far enough from an edge that its color is not mixed in.
    back = np.sign(factor) * _EDGE_PX / np.maximum(np.hypot(below, aside), _EDGE_PX)
    for plane in planes:
        here = factor * (plane - slope)
        surface = cv2.remap(
            disparity,
            right - here * aside,
            down - here * below,
            cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        )
        met = open_yet & (surface <= plane + step / 2)
        behind = surface < plane - 2 * step  # the side of something
        share[met] = np.where(behind, before - back, factor * (surface - slope))[met]
        open_yet &= ~met
        before = here
    return share
