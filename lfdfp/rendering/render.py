"""Views and refocused slices from a sharp picture and its disparity: denoised, super-resolved.

The picture is a surface with known colors and disparity, as seen from the aperture's center. From
another direction its near parts move against the far ones and hide or uncover them; a slice is the
mean over the directions of an aperture, which may be wider than the camera's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import (
    BoolArray,
    Depth,
    DoubleArray,
    FloatArray,
    FocalStack,
    RayEvidence,
    SharpPicture,
)
from lfdfp.errors import ImageError, SettingsError
from lfdfp.progress import Progress, ignore_progress
from lfdfp.rendering.kernels import ApertureRays, Surface, render_rows
from lfdfp.settings import ApertureShape, NamedAperture

_SURFACE = 0.07  # view pixels per angular step: closer slopes belong to one surface
_AREA_PER_RAY_PX = 4.0
_FEWEST_RAYS, _MOST_RAYS = 10, 96
_FINE_BLUR_PX, _COARSE_BLUR_PX = 4.0, 6.0  # radii between which a coarser level takes over
_SMALLEST_LEVEL = 32
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
_PLASTIC = 1.32471795724474602596
_WIDEST = 4.0
_FARTHEST_STEPS = 64.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aperture:
    """What the rays of a slice pass through.

    Attributes
    ----------
    half_width
        In angular steps; 0 is a pinhole.
    """

    shape: ApertureShape = "round"
    half_width: float


PINHOLE = Aperture(half_width=0.0)


def solution_aperture(picture: SharpPicture, name: str) -> Aperture:
    """The aperture that a setting names.

    Parameters
    ----------
    name
        ``square`` or ``round``, alone for the width of the grid of views, or with a factor on it
        behind a colon: ``round:0.5`` is half as wide, ``round:0`` a pinhole, ``round:2`` twice as
        wide as the camera's.

    Raises
    ------
    SettingsError
        For a name that is not of this form.
    ImageError
        Where the picture does not know how wide its camera's aperture was.
    """
    named = NamedAperture.parse(name)
    if named.f_number is not None or named.width > _WIDEST:
        raise SettingsError(
            f"aperture {name!r}: round or square is possible, with a width of 0 to {_WIDEST:g} "
            "grids of views, such as round:0.5"
        )
    known = None if picture.depth is None else picture.depth.angular_shape
    if named.width and known is None:
        raise ImageError(
            "the solution does not say how wide the camera's aperture was: make it again, or ask "
            "for the aperture round:0"
        )
    views = max(known) if known else 0
    return Aperture(shape=named.shape, half_width=named.width * views / 2)


def render(
    picture: SharpPicture,
    slope: float = 0.0,
    *,
    aperture: str = "round",
    viewpoint: tuple[float, float] = (0.0, 0.0),
    tilt: tuple[float, float] = (0.0, 0.0),
) -> FloatArray:
    """Any view or any refocused slice of a picture with depth.

    Parameters
    ----------
    slope
        Disparity of the plane in focus, in pixels of a view per angular step.
    aperture
        What the slice is seen through, as `solution_aperture` reads it: ``round:0`` is a pinhole,
        which gives a view; ``round:2`` is twice as wide as the camera's.
    viewpoint
        (v, u) of the aperture's center, in angular steps from the center view.
    tilt
        Change of the slope over the whole picture, downwards and rightwards.

    Returns
    -------
    ndarray of shape (kT, kS, C)
        In the units of `picture.super_resolved`, which it equals for a pinhole in the center.

    Raises
    ------
    ImageError
        For a picture without depth, or one that does not say how wide its camera's aperture was.
    SettingsError
        For an aperture that is not of this form, or a viewpoint of more than 64 steps.
    """
    opened = solution_aperture(picture, aperture)
    return render_slice(picture, slope, aperture=opened, viewpoint=viewpoint, tilt=tilt)


def render_view(picture: SharpPicture, *, v: float, u: float) -> FloatArray:
    """The picture seen through one point of the aperture.

    Parameters
    ----------
    v, u
        Direction, in angular steps from the center view.

    Returns
    -------
    ndarray of shape (kT, kS, 3)
        In the units of `picture.super_resolved`, which it equals for (0, 0).

    Raises
    ------
    ImageError
        For a picture without depth.
    SettingsError
        For a direction of more than 64 steps.
    """
    return render_slice(picture, 0.0, aperture=PINHOLE, viewpoint=(v, u))


def render_slice(
    picture: SharpPicture,
    slope: float,
    *,
    aperture: Aperture,
    viewpoint: tuple[float, float] = (0.0, 0.0),
    tilt: tuple[float, float] = (0.0, 0.0),
) -> FloatArray:
    """Refocus: the mean over an aperture, shifted so that one plane is sharp.

    Parameters
    ----------
    slope
        Disparity of the plane, in pixels of a view per angular step.
    viewpoint
        (v, u) of the aperture's center, in angular steps from the center view.
    tilt
        Change of the slope over the whole picture, downwards and rightwards.

    Returns
    -------
    ndarray of shape (kT, kS, 3)
        In the units of `picture.super_resolved`, which it equals for a pinhole in the center.

    Raises
    ------
    ImageError
        For a picture without depth.
    """
    return _Surface(picture).slice(slope, aperture, viewpoint, tilt)


def rendered_parts(
    picture: SharpPicture,
    slopes: Sequence[float] | DoubleArray,
    *,
    aperture: Aperture,
    viewpoint: tuple[float, float] = (0.0, 0.0),
    tilt: tuple[float, float] = (0.0, 0.0),
    draft: bool = False,
    progress: Progress = ignore_progress,
) -> Iterator[FocalStack]:
    """Slices on several planes, slopes (K,) ascending, as parts of one stack: a plane in each.

    Raises
    ------
    ImageError
        For a picture without depth.
    """
    surface = _Surface(picture, draft=draft)
    line = (
        f"rendered {len(slopes)} planes from the solution at scale {picture.scale}, "
        f"{aperture.shape} aperture of {2 * aperture.half_width:g} steps"
    )
    for n, slope in enumerate(slopes):
        progress(n, len(slopes))
        yield FocalStack(
            slices=surface.slice(float(slope), aperture, viewpoint, tilt)[None],
            slopes=np.array([float(slope)]),
            scale=picture.scale,
            warnings=picture.provenance.warnings,
            history=(*picture.provenance.history, line),
        )
    progress(len(slopes), len(slopes))


def rendered_stack(
    picture: SharpPicture,
    slopes: Sequence[float] | DoubleArray,
    *,
    aperture: Aperture,
    draft: bool = False,
    progress: Progress = ignore_progress,
) -> FocalStack:
    """As `rendered_parts`, in one piece, from the center.

    Parameters
    ----------
    draft
        Half the rays in half the time, up to 0.7 dB farther from the truth: to look at.

    Raises
    ------
    ImageError
        For a picture without depth.
    """
    parts = rendered_parts(picture, slopes, aperture=aperture, draft=draft, progress=progress)
    whole = list(parts)
    slices = np.concatenate([part.slices for part in whole])
    return replace(whole[0], slices=slices, slopes=np.asarray(slopes, np.float64))


def reduced(picture: SharpPicture, factor: int) -> SharpPicture:
    """The same picture on a grid coarser by a divisor of its scale; what rays tell of it stays out.

    Raises
    ------
    ValueError
        Where `factor` does not divide the scale.
    ImageError
        For a picture without depth.
    """
    import cv2

    if picture.scale % factor:
        raise ValueError(f"{factor} does not divide the scale {picture.scale}")
    rows, columns = (n // factor for n in picture.super_resolved.shape[:2])
    light = cv2.resize(picture.super_resolved, (columns, rows), interpolation=cv2.INTER_AREA)
    fine = fine_disparity(picture)[factor // 2 :: factor, factor // 2 :: factor]
    return replace(
        picture,
        super_resolved=np.asarray(light, np.float32).reshape(rows, columns, -1),
        scale=picture.scale // factor,
        depth=replace(_depth(picture), fine_disparity=fine),
        evidence=None if isinstance(picture.evidence, RayEvidence) else picture.evidence,
    )


def slope_range_of_picture(picture: SharpPicture) -> tuple[float, float]:
    """First and last slope of what a picture shows.

    Raises
    ------
    ImageError
        For a picture without depth.
    """
    slopes = fine_disparity(picture)
    first, last = np.percentile(slopes, (0.5, 99.5))
    return float(first), float(last)


def fine_disparity(picture: SharpPicture) -> FloatArray:
    """Disparity (kY, kX), on the grid of `super_resolved`, in view pixels per angular step.

    Raises
    ------
    ImageError
        For a picture without depth.
    """
    import cv2

    depth = _depth(picture)
    if depth.fine_disparity is not None:
        return depth.fine_disparity
    rows, columns = picture.super_resolved.shape[:2]
    enlarged = cv2.resize(depth.disparity, (columns, rows), interpolation=cv2.INTER_NEAREST)
    return np.asarray(enlarged, np.float32)


def _depth(picture: SharpPicture) -> Depth:
    if picture.depth is None:
        raise ImageError("the picture has no depth, so nothing can be rendered from it")
    return picture.depth


def _places(shape: ApertureShape) -> FloatArray:
    """Shape (K, 2): places of rays in an aperture of half width 1, the first n of them even too.

    A spiral with the golden angle, its radius √(k + ½) to be divided by √n; over the square the
    powers of the plastic number [1]_.

    References
    ----------
    .. [1] M. Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018.
    """
    k = np.arange(_MOST_RAYS)
    if shape == "round":
        angle = k * _GOLDEN_ANGLE
        places = np.sqrt(k + 0.5)[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    else:
        places = 2 * ((0.5 + (k[:, None] + 1) / [_PLASTIC, _PLASTIC**2]) % 1.0) - 1
    return np.asarray(places, np.float32)


class _Surface:
    """Colors and slopes of a picture, in pixels of its fine grid."""

    def __init__(self, picture: SharpPicture, *, draft: bool = False) -> None:
        self._scale = picture.scale
        self._share = 0.5 if draft else 1.0
        light = picture.super_resolved
        self._channels = light.shape[2]
        colors = np.repeat(light, 3, axis=2) if self._channels == 1 else light
        slopes = fine_disparity(picture) * np.float32(picture.scale)
        self._levels = [_Level(np.ascontiguousarray(colors), np.ascontiguousarray(slopes))]
        self._tolerance = picture.scale * _SURFACE
        self._runner = BandRunner()

    def slice(
        self,
        slope: float,
        aperture: Aperture,
        viewpoint: tuple[float, float],
        tilt: tuple[float, float],
    ) -> FloatArray:
        if not max(abs(at) for at in viewpoint) <= _FARTHEST_STEPS:
            raise SettingsError(
                f"viewpoint {viewpoint} is more than {_FARTHEST_STEPS:g} steps from the center"
            )
        per_pixel = [
            self._scale * change / max(n - 1, 1)
            for change, n in zip(tilt, self._levels[0].slopes.shape, strict=True)
        ]
        corner = self._scale * (slope - sum(tilt) / 2)
        center = float(viewpoint[0]), float(viewpoint[1])
        rendered = self._render(0, (corner, per_pixel[0], per_pixel[1]), aperture, center)
        return np.ascontiguousarray(rendered[..., : self._channels])

    def _render(
        self,
        depth: int,
        plane: tuple[float, float, float],
        aperture: Aperture,
        viewpoint: tuple[float, float],
    ) -> FloatArray:
        """One level; where it is blurred anyway, the next coarser one, enlarged."""
        import cv2

        level = self._level(depth)
        nearest, farthest = level.limits(plane, aperture.half_width, viewpoint)
        sharp = level.plane(plane)
        ahead, behind = nearest - sharp, sharp - farthest
        coarse = _share_of_coarse(aperture.half_width * np.maximum(ahead, behind))
        if min(level.slopes.shape) < _SMALLEST_LEVEL:
            coarse[:] = 0
        most = aperture.half_width * np.maximum(-ahead, -behind)
        counts = _rays_for(np.maximum(most, 0), coarse < 1, aperture.half_width, self._share)
        rendered = np.empty_like(level.picture)
        surface = Surface(level.picture, level.slopes, self._tolerance / 2**depth)
        rays = ApertureRays(
            counts=counts,
            nearest=nearest,
            farthest=farthest,
            places=_places(aperture.shape),
            viewpoint=viewpoint,
            half_width=aperture.half_width,
            is_round=aperture.shape == "round",
        )

        def work(first: int, last: int) -> None:
            render_rows(surface, rays, plane, (first, last), rendered)

        self._runner.map(work, level.slopes.shape[0])
        if not coarse.any():
            return rendered
        corner, per_row, per_column = plane
        halved = (corner + (per_row + per_column) / 2) / 2, per_row, per_column
        below = self._render(depth + 1, halved, aperture, viewpoint)
        height, width = level.slopes.shape
        size = 2 * below.shape[1], 2 * below.shape[0]
        enlarged = cv2.resize(below, size, interpolation=cv2.INTER_CUBIC)[:height, :width]
        share = coarse[..., None]
        return np.asarray((1 - share) * rendered + share * enlarged, np.float32)

    def _level(self, depth: int) -> _Level:
        while len(self._levels) <= depth:
            self._levels.append(self._levels[-1].halved())
        return self._levels[depth]


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Colors (Y, X, 3) and slopes (Y, X), in this level's pixels per angular step."""

    picture: FloatArray
    slopes: FloatArray

    def halved(self) -> _Level:
        """Pixels twice as large; an odd last row or column is repeated."""
        import cv2

        height, width = self.slopes.shape
        odd = (height % 2, width % 2)
        picture = np.pad(self.picture, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
        slopes = np.pad(self.slopes, ((0, odd[0]), (0, odd[1])), mode="edge")
        size = picture.shape[1] // 2, picture.shape[0] // 2
        return _Level(
            np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32),
            np.ascontiguousarray(slopes[1::2, 1::2] / np.float32(2)),
        )

    def limits(
        self, plane: tuple[float, float, float], half_width: float, viewpoint: tuple[float, float]
    ) -> tuple[FloatArray, FloatArray]:
        """Least and greatest slope, (Y, X) each, that the rays through every pixel can meet.

        A part of the surface meets rays of the pixels within its own circle of confusion.
        """
        from scipy import ndimage

        nearest, farthest = np.full((2, *self.slopes.shape), np.inf, np.float32)
        reach = half_width * np.abs(self.slopes - self.plane(plane)) + 1
        reach += max(abs(at) for at in viewpoint) * np.abs(self.slopes)
        last, radius = 0, 1
        while last < min(reach.max(), max(reach.shape)):
            part = (reach > last) & (reach <= radius)
            if part.any():
                size = 2 * min(radius, max(reach.shape)) + 1
                low = ndimage.minimum_filter(np.where(part, self.slopes, np.inf), size)
                high = ndimage.minimum_filter(np.where(part, -self.slopes, np.inf), size)
                np.minimum(nearest, low, out=nearest)
                np.minimum(farthest, high, out=farthest)
            last, radius = radius, 2 * radius
        none = nearest > -farthest  # such a pixel shows what lies behind an edge
        nearest[none], farthest[none] = self.slopes[none], -self.slopes[none]
        return nearest, -farthest

    def plane(self, plane: tuple[float, float, float]) -> FloatArray:
        """Slope of the sharp plane at every pixel (Y, X)."""
        rows, columns = (np.arange(n, dtype=np.float32) for n in self.slopes.shape)
        return np.asarray(plane[0] + plane[1] * rows[:, None] + plane[2] * columns, np.float32)


def _share_of_coarse(least_blur: FloatArray) -> FloatArray:
    """How much of a pixel comes from the next level: all where nothing that it meets is sharp."""
    share = (least_blur - _FINE_BLUR_PX) / (_COARSE_BLUR_PX - _FINE_BLUR_PX)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def _rays_for(
    blur: FloatArray, wanted: BoolArray, half_width: float, share: float
) -> NDArray[np.int64]:
    """Rays per pixel: a share of what its widest circle of confusion needs, or none."""
    if half_width == 0:
        return np.ones(blur.shape, np.int64)
    needed = share * np.pi * blur * blur / _AREA_PER_RAY_PX
    counts = np.clip(needed, _FEWEST_RAYS, share * _MOST_RAYS)
    return np.asarray(np.where(wanted, counts, 0), np.int64)
