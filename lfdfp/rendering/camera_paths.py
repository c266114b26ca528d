"""Ways of the eye and of focus through a picture with depth: what an animation or a quilt shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from lfdfp.datatypes import FloatArray, SharpPicture
from lfdfp.rendering.dolly import render_dolly
from lfdfp.rendering.render import Aperture, render_slice, slope_range_of_picture

Path = Literal["focus", "wiggle", "orbit", "dolly"]

_VIEWS: Final = 9
"""Across the aperture, where a picture does not say how many its camera had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One frame: the plane that stays in place, the aperture, and where its center is.

    Attributes
    ----------
    slope
        In pixels of a view per angular step.
    half_width
        Of a round aperture, in angular steps; 0 is a pinhole.
    viewpoint
        (v, u) in angular steps from the center view.
    dolly
        How far the camera moves back, as in `render_dolly`; with a pinhole in the center alone.
    """

    slope: float
    half_width: float = 0.0
    viewpoint: tuple[float, float] = (0.0, 0.0)
    dolly: float = 0.0


def camera_path(picture: SharpPicture, path: Path, frames: int) -> list[Shot]:
    """A seamless loop: the last frame leads to the first.

    ``focus`` goes from the near to the far and back through the camera's aperture; ``wiggle``
    moves the eye to and fro, ``orbit`` in a circle, by half the aperture, around the middle depth;
    ``dolly`` moves the camera back and forth and zooms against it, so that the middle stays.

    Raises
    ------
    ImageError
        For a picture without depth.
    """
    near, far = slope_range_of_picture(picture)
    middle, reach, half = (near + far) / 2, (far - near) / 2, aperture_reach(picture)
    turn = 2 * np.pi * np.arange(frames) / frames
    if path == "focus":
        return [Shot(slope=middle - reach * float(np.cos(t)), half_width=half) for t in turn]
    if path == "dolly":
        return [Shot(slope=middle, dolly=half * float(np.sin(t))) for t in turn]
    down = 0.0 if path == "wiggle" else half
    return [
        Shot(slope=middle, viewpoint=(down * float(np.cos(t)), half * float(np.sin(t))))
        for t in turn
    ]


def row_of_views(picture: SharpPicture, count: int) -> list[Shot]:
    """The eye goes evenly from the left end of the aperture to its right end.

    Raises
    ------
    ImageError
        For a picture without depth.
    """
    near, far = slope_range_of_picture(picture)
    half = aperture_reach(picture)
    return [
        Shot(slope=(near + far) / 2, viewpoint=(0.0, float(u)))
        for u in np.linspace(-half, half, count)
    ]


def aperture_reach(picture: SharpPicture) -> float:
    """Half the width of the camera's aperture, in angular steps."""
    known = None if picture.depth is None else picture.depth.angular_shape
    return (max(known) if known else _VIEWS) / 2


def taken(picture: SharpPicture, shot: Shot) -> FloatArray:
    """The frame, shape (kT, kS, C), in the units of `picture.super_resolved`.

    Raises
    ------
    ImageError
        For a picture without depth.
    """
    if shot.dolly:
        return render_dolly(picture, shot.slope, shot.dolly)
    aperture = Aperture(shape="round", half_width=shot.half_width)
    return render_slice(picture, shot.slope, aperture=aperture, viewpoint=shot.viewpoint)
