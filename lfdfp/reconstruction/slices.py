"""A focal stack finer than the views: what lies on each plane comes from the rays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, DoubleArray, FloatArray, FocalStack, LightField
from lfdfp.disparity import estimate_disparity
from lfdfp.progress import Progress, ignore_progress, progress_from
from lfdfp.reconstruction.plane import refocus_super_resolved
from lfdfp.reconstruction.ray_light import rays_of
from lfdfp.refocusing.focus_curves import coarse_focus_curves
from lfdfp.refocusing.share_in_focus import share_in_focus
from lfdfp.refocusing.shift_and_sum import refocus
from lfdfp.refocusing.stack import choose_slopes, range_text
from lfdfp.settings import RefocusSettings

_DEFAULTS = RefocusSettings()


def super_resolved_stack(
    field: LightField,
    settings: RefocusSettings = _DEFAULTS,
    *,
    scale: int = 2,
    threads: int | None = None,
    progress: Progress = ignore_progress,
) -> FocalStack:
    """As `focal_stack`, on a grid `scale` times finer than the views, from the rays.

    What an estimate of the disparity finds on the plane comes from the rays; what is off it is
    blurred beyond the views' own pixels, and comes from their shift-and-sum. Kernel, aperture and
    weights of the settings do not matter. Slopes are in pixels of the views.

    Raises
    ------
    ImageError
        For a field without rays.
    SettingsError
        As `focal_stack`, or for a scale outside 1 to 4.
    """
    maker = _RaySlices(field, scale, threads)
    slopes = choose_slopes(field, settings, threads=threads)
    return maker.stack(slopes, maker.story(slopes), progress)


def super_resolved_parts(
    field: LightField,
    settings: RefocusSettings = _DEFAULTS,
    *,
    scale: int = 2,
    threads: int | None = None,
    progress: Progress = ignore_progress,
) -> Iterator[FocalStack]:
    """As `super_resolved_stack`, plane by plane, so that the stack need not fit into memory.

    Raises
    ------
    ImageError, SettingsError
        As `super_resolved_stack`.
    """
    maker = _RaySlices(field, scale, threads)
    slopes = choose_slopes(field, settings, threads=threads)
    line = maker.story(slopes)
    for n in range(len(slopes)):
        yield maker.stack(slopes[n : n + 1], line, progress_from(progress, n, len(slopes)))


class _RaySlices:
    """Makes slices on a finer grid: from the rays what is on the plane, from the views its blur.

    Rays that cross the plane close to their lenslet show whatever is off it as a pattern of
    lenslets, and agree with one another about it.
    """

    def __init__(self, field: LightField, scale: int, threads: int | None) -> None:
        rays_of(field)  # refused before the work begins
        self._field, self._scale, self._threads = field, scale, threads
        self._disparity = estimate_disparity(field, threads=threads).disparity

    def stack(self, slopes: DoubleArray, line: str, progress: Progress) -> FocalStack:
        """Slices of planes (N,), with a line of history."""
        field = self._field
        parts = []
        for n, slope in enumerate(slopes.tolist()):
            progress(n, len(slopes))
            parts.append(self._slice(slope))
        progress(len(slopes), len(slopes))
        slices = np.stack([picture for picture, _ in parts])
        return FocalStack(
            slices=slices,
            slopes=slopes,
            coverage=np.stack([coverage for _, coverage in parts]),
            focus_curves=coarse_focus_curves(slices, scale=self._scale),
            scale=self._scale,
            warnings=field.warnings,
            history=(*field.history, line),
        )

    def _slice(self, slope: float) -> tuple[FloatArray, FloatArray]:
        """Picture (kT, kS, C) and coverage (kT, kS)."""
        import cv2

        field, scale = self._field, self._scale
        fine = refocus_super_resolved(field, slope, scale=scale, threads=self._threads)
        views = max(field.angular_shape)
        share = self._enlarged(
            share_in_focus(self._disparity, slope, views=views), cv2.INTER_LINEAR
        )
        blurred = refocus(field, slope, threads=self._threads)
        coarse = self._enlarged(blurred, cv2.INTER_CUBIC)
        picture = coarse + share[..., None] * (fine.picture - coarse)
        least = np.float32(ROW_STEP_PITCHES / scale**2)
        return picture, least + share * (fine.coverage - least)

    def _enlarged(self, image: FloatArray, method: int) -> FloatArray:
        import cv2

        k = self._scale
        return np.asarray(cv2.resize(image, None, fx=k, fy=k, interpolation=method), np.float32)

    def story(self, slopes: DoubleArray) -> str:
        """How the stack is made."""
        return f"super-resolved {self._scale} times on {range_text(slopes)}, from the rays"
