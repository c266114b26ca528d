"""Views and refocused slices from a fused picture and its disparity: denoised, super-resolved.

The picture is a surface with known colors and disparity, as seen from the aperture's center. From
another direction its near parts move against the far ones and hide or uncover them; a slice is the
mean over the directions of an aperture, which may be wider than the camera's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lfdfp.datatypes import DoubleArray, FloatArray, FocalStack, FusionResult
from lfdfp.errors import ImageError, SettingsError
from lfdfp.fusion.rendering_kernels import render_rows
from lfdfp.progress import Progress, ignore_progress
from lfdfp.row_bands import BandRunner

_SURFACE = 0.07  # view pixels per angular step: closer slopes belong to one surface
_AREA_PER_RAY_PX = 4.0
_FEWEST_RAYS, _MOST_RAYS = 8, 256
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

    shape: Literal["round", "square"] = "round"
    half_width: float


PINHOLE = Aperture(half_width=0.0)


def solution_aperture(result: FusionResult, name: str) -> Aperture:
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
        Where the result does not know how wide its camera's aperture was.
    """
    shape, _, size = name.partition(":")
    try:
        factor = float(size) if size else 1.0
    except ValueError:
        factor = -1.0
    if shape not in ("round", "square") or not 0 <= factor <= _WIDEST:
        raise SettingsError(
            f"aperture {name!r}: round or square is possible, with a width of 0 to {_WIDEST:g} "
            "grids of views, such as round:0.5"
        )
    if factor and result.angular_shape is None:
        raise ImageError(
            "the solution does not say how wide the camera's aperture was: make it again, or ask "
            "for the aperture round:0"
        )
    views = max(result.angular_shape) if result.angular_shape else 0
    return Aperture(shape="round" if shape == "round" else "square", half_width=factor * views / 2)


def render_view(result: FusionResult, *, v: float, u: float) -> FloatArray:
    """The picture seen through one point of the aperture.

    Parameters
    ----------
    v, u
        Direction, in angular steps from the center view.

    Returns
    -------
    ndarray of shape (kT, kS, 3)
        In the units of `result.super_resolved`, which it equals for (0, 0).

    Raises
    ------
    ImageError
        For a result without disparity.
    SettingsError
        For a direction of more than 64 steps.
    """
    return render_slice(result, 0.0, aperture=PINHOLE, viewpoint=(v, u))


def render_slice(
    result: FusionResult,
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
        In the units of `result.super_resolved`, which it equals for a pinhole in the center.

    Raises
    ------
    ImageError
        For a result without disparity.
    """
    return _Surface(result).slice(slope, aperture, viewpoint, tilt)


def rendered_parts(
    result: FusionResult,
    slopes: Sequence[float] | DoubleArray,
    *,
    aperture: Aperture,
    viewpoint: tuple[float, float] = (0.0, 0.0),
    tilt: tuple[float, float] = (0.0, 0.0),
    progress: Progress = ignore_progress,
) -> Iterator[FocalStack]:
    """Slices on several planes, ascending in slope, as parts of one stack: a plane in each.

    Raises
    ------
    ImageError
        For a result without disparity.
    """
    surface = _Surface(result)
    line = (
        f"rendered {len(slopes)} planes from the solution at scale {result.scale}, "
        f"{aperture.shape} aperture of {2 * aperture.half_width:g} steps"
    )
    for n, slope in enumerate(slopes):
        progress(n, len(slopes))
        yield FocalStack(
            slices=surface.slice(float(slope), aperture, viewpoint, tilt)[None],
            slopes=np.array([float(slope)]),
            scale=result.scale,
            warnings=result.warnings,
            history=(*result.history, line),
        )
    progress(len(slopes), len(slopes))


def rendered_stack(
    result: FusionResult,
    slopes: Sequence[float] | DoubleArray,
    *,
    aperture: Aperture,
    progress: Progress = ignore_progress,
) -> FocalStack:
    """As `rendered_parts`, in one piece, from the center.

    Raises
    ------
    ImageError
        For a result without disparity.
    """
    parts = list(rendered_parts(result, slopes, aperture=aperture, progress=progress))
    slices = np.concatenate([part.slices for part in parts])
    return replace(parts[0], slices=slices, slopes=np.asarray(slopes, np.float64))


def reduced(result: FusionResult, factor: int) -> FusionResult:
    """The same result on a grid coarser by a divisor of its scale.

    Raises
    ------
    ValueError
        Where `factor` does not divide the scale.
    """
    if result.scale % factor:
        raise ValueError(f"{factor} does not divide the scale {result.scale}")
    rows, columns = (n // factor for n in result.super_resolved.shape[:2])
    picture = cv2.resize(result.super_resolved, (columns, rows), interpolation=cv2.INTER_AREA)
    return replace(
        result,
        super_resolved=np.asarray(picture, np.float32).reshape(rows, columns, -1),
        scale=result.scale // factor,
        fine_disparity=fine_disparity(result)[factor // 2 :: factor, factor // 2 :: factor],
        observability=None,
    )


def solution_range(result: FusionResult) -> tuple[float, float]:
    """First and last slope of what a result shows.

    Raises
    ------
    ImageError
        For a result without disparity.
    """
    slopes = fine_disparity(result)
    first, last = np.percentile(slopes, (0.5, 99.5))
    return float(first), float(last)


def fine_disparity(result: FusionResult) -> FloatArray:
    """Disparity on the grid of `super_resolved`, in pixels of a view per angular step.

    Raises
    ------
    ImageError
        For a result without disparity.
    """
    if result.fine_disparity is not None:
        return result.fine_disparity
    if result.disparity is None:
        raise ImageError("the result has no disparity, so nothing can be rendered from it")
    rows, columns = result.super_resolved.shape[:2]
    enlarged = cv2.resize(result.disparity, (columns, rows), interpolation=cv2.INTER_NEAREST)
    return np.asarray(enlarged, np.float32)


class _Surface:
    """Colors and slopes of a result, in pixels of its fine grid."""

    def __init__(self, result: FusionResult) -> None:
        self._scale = result.scale
        light = result.super_resolved
        gray = light.shape[2] == 1
        self._picture = np.repeat(light, 3, axis=2) if gray else np.ascontiguousarray(light)
        self._channels = light.shape[2]
        self._slopes = np.ascontiguousarray(fine_disparity(result) * np.float32(result.scale))
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
        height, width = self._slopes.shape
        plane = (
            float(self._scale * slope),
            self._scale * tilt[0] / max(height - 1, 1),
            self._scale * tilt[1] / max(width - 1, 1),
        )
        center = float(viewpoint[0]), float(viewpoint[1])
        ends = plane[0] + np.abs(self._scale * np.array(tilt)).sum() / 2 * np.array([-1, 1])
        nearest, farthest = self._limits(ends, aperture.half_width, center)
        counts = self._counts(nearest, farthest, ends, aperture.half_width)
        rendered = np.empty_like(self._picture)

        def work(first: int, last: int) -> None:
            render_rows(
                self._picture, self._slopes, nearest, farthest, counts, plane, center,
                aperture.half_width, aperture.shape == "round", self._scale * _SURFACE,
                (first, last), rendered,
            )  # fmt: skip

        self._runner.map(work, height)
        return np.ascontiguousarray(rendered[..., : self._channels])

    def _limits(
        self, plane: DoubleArray, half_width: float, viewpoint: tuple[float, float]
    ) -> tuple[FloatArray, FloatArray]:
        """Least and greatest slope that the rays through every pixel can meet."""
        ends = np.array([self._slopes.min(), self._slopes.max()], np.float64)
        reach = half_width * np.abs(ends[:, None] - plane).max()
        reach += max(abs(at) for at in viewpoint) * np.abs(ends).max()
        size = 2 * int(np.ceil(min(reach, max(self._slopes.shape)))) + 1
        return (
            ndimage.minimum_filter(self._slopes, size, mode="nearest"),
            ndimage.maximum_filter(self._slopes, size, mode="nearest"),
        )

    def _counts(
        self, nearest: FloatArray, farthest: FloatArray, plane: DoubleArray, half_width: float
    ) -> NDArray[np.int64]:
        """Rays per pixel: as many as the disc of confusion of what they can meet needs."""
        if half_width == 0:
            return np.ones(nearest.shape, np.int64)
        blur = np.max([abs(s - p) for s in (nearest, farthest) for p in plane], axis=0)
        area = np.pi * (half_width * blur) ** 2
        counts = np.clip(area / _AREA_PER_RAY_PX, _FEWEST_RAYS, _MOST_RAYS)
        return np.asarray(counts, np.int64)
