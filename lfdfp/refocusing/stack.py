"""The focal stack: which planes, and all of them at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from math import ceil

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray, FocalStack, LightField
from lfdfp.disparity import slope_range_from_views
from lfdfp.errors import SettingsError
from lfdfp.progress import Progress, ignore_progress, progress_from
from lfdfp.refocusing.aperture import SyntheticAperture, named_aperture
from lfdfp.refocusing.focus_curves import coarse_focus_curves
from lfdfp.refocusing.shift_and_sum import Planes, refocus_planes
from lfdfp.refocusing.surface import surface_plane, tilted_slopes
from lfdfp.settings import RefocusSettings

_MOST_PLANES = 64
_PLANES_AT_ONCE = 8  # in a part of a stack: 35 MB of an F01 or Illum capture
_DEFAULTS = RefocusSettings()


def focal_stack(
    field: LightField,
    settings: RefocusSettings = _DEFAULTS,
    *,
    planes: int | None = None,
    tilt: tuple[float, float] = (0.0, 0.0),
    viewpoint: tuple[float, float] = (0.0, 0.0),
    threads: int | None = None,
    device: str | None = None,
    progress: Progress = ignore_progress,
) -> FocalStack:
    """Refocus a light field on planes that are even in disparity over the scene's range.

    Parameters
    ----------
    settings
        Range, number of planes, kernel and aperture; what is None is chosen from the scene.
    planes
        In place of the settings'.
    tilt
        Change of the slope over the whole picture, downwards and rightwards (Scheimpflug): focal
        planes then lean, and `slopes` are those of the picture's center.
    viewpoint
        (v, u) in angular steps from the center view: whose perspective the slices have.
    threads
        Bands of rows computed at the same time; None takes numba's setting.
    device
        A torch device ("cuda") for the sums; None takes compiled kernels on the processor.
    progress
        Told the planes done and their number.

    Raises
    ------
    SettingsError
        For an aperture or device that is not known, a viewpoint beside all views, or a tilt with
        another kernel than ``cubic`` or on a device.
    MetadataError
        For an f-number as aperture where that of the lens is not known.
    """
    if planes is not None:
        settings = dataclasses.replace(settings, planes=planes)
    slopes = choose_slopes(field, settings, threads=threads)
    maker = _ViewSlices(field, settings, tilt, viewpoint, threads, device)
    return maker.stack(slopes, maker.story(slopes), progress)


def stack_parts(
    field: LightField,
    settings: RefocusSettings = _DEFAULTS,
    *,
    tilt: tuple[float, float] = (0.0, 0.0),
    viewpoint: tuple[float, float] = (0.0, 0.0),
    threads: int | None = None,
    device: str | None = None,
    progress: Progress = ignore_progress,
) -> Iterator[FocalStack]:
    """The stack in parts of a few neighboring planes, so that it need not fit into memory.

    Raises
    ------
    SettingsError, MetadataError
        As `focal_stack`.
    """
    maker = _ViewSlices(field, settings, tilt, viewpoint, threads, device)
    slopes = choose_slopes(field, settings, threads=threads)
    line = maker.story(slopes)
    for first in range(0, len(slopes), _PLANES_AT_ONCE):
        ahead = progress_from(progress, first, len(slopes))
        yield maker.stack(slopes[first : first + _PLANES_AT_ONCE], line, ahead)


class _ViewSlices:
    """Makes slices by shift-and-sum of the views."""

    def __init__(
        self,
        field: LightField,
        settings: RefocusSettings,
        tilt: tuple[float, float],
        viewpoint: tuple[float, float],
        threads: int | None,
        device: str | None,
    ) -> None:
        if any(tilt) and device is not None:
            raise SettingsError(f"tilted planes are made on the processor, not on {device}")
        if any(tilt) and settings.kernel != "cubic":
            raise SettingsError(
                f"tilted planes are made with the cubic kernel, not {settings.kernel}"
            )
        self._field, self._settings = field, settings
        self._threads, self._device = threads, device
        self._tilt, self._viewpoint = tilt, viewpoint
        self._aperture = _aperture_of(field, settings, viewpoint)

    def stack(self, slopes: DoubleArray, line: str, progress: Progress) -> FocalStack:
        """Slices of planes (N,), with a line of history."""
        field = self._field
        make = self._tilted_planes if any(self._tilt) else self._planes
        planes = make(slopes, progress)
        return FocalStack(
            slices=planes.slices,
            slopes=slopes,
            coverage=planes.coverage,
            reference_view=_view_at(field, self._aperture.viewpoint),
            focus_curves=coarse_focus_curves(planes.slices),
            warnings=field.warnings,
            history=(*field.history, line),
        )

    def story(self, slopes: DoubleArray) -> str:
        """How the stack is made; what is as usual is not mentioned."""
        settings, tilt, viewpoint = self._settings, self._tilt, self._viewpoint
        unusual = {
            f"{settings.aperture} aperture": settings.aperture != _DEFAULTS.aperture,
            "equal weights": settings.equal_weights,
            f"tilted by {tilt[0]:g} down, {tilt[1]:g} right": any(tilt),
            f"viewpoint moved by {viewpoint[0]:g}, {viewpoint[1]:g}": any(viewpoint),
        }
        parts = [f"refocused on {range_text(slopes)}", f"{settings.kernel} kernel"]
        return ", ".join(parts + [text for text, said in unusual.items() if said])

    def _planes(self, slopes: DoubleArray, progress: Progress) -> Planes:
        return refocus_planes(
            self._field,
            slopes,
            kernel=self._settings.kernel,
            aperture=self._aperture,
            threads=self._threads,
            device=self._device,
            progress=progress,
        )

    def _tilted_planes(self, slopes: DoubleArray, progress: Progress) -> Planes:
        field = self._field
        down, right = (
            change / max(n - 1, 1)
            for change, n in zip(self._tilt, field.spatial_shape, strict=True)
        )
        slices = np.empty((len(slopes), *field.views.shape[2:]), np.float32)
        coverage = np.empty(slices.shape[:3], np.float32)
        for n, slope in enumerate(slopes):
            progress(n, len(slopes))
            surface = tilted_slopes(field, float(slope), per_row=down, per_column=right)
            one = surface_plane(field, surface, self._aperture, threads=self._threads)
            slices[n], coverage[n] = one.slices[0], one.coverage[0]
        progress(len(slopes), len(slopes))
        return Planes(slices, coverage)


def _aperture_of(
    field: LightField, settings: RefocusSettings, viewpoint: tuple[float, float]
) -> SyntheticAperture:
    """What all planes of a stack gather, seen from `viewpoint` steps beside the center view."""
    moved = field.center[0] + viewpoint[0], field.center[1] + viewpoint[1]
    if not all(0 <= at <= n - 1 for at, n in zip(moved, field.angular_shape, strict=True)):
        reach = field.center
        raise SettingsError(
            f"viewpoint {viewpoint} is beside all views, which reach {reach} steps from the center"
        )
    return SyntheticAperture(
        factors=named_aperture(field, settings.aperture),
        viewpoint=moved,
        equal_weights=settings.equal_weights,
    )


def _view_at(field: LightField, viewpoint: tuple[float, float] | None) -> FloatArray | None:
    """The view with a stack's perspective; None where it lies between views."""
    v, u = (round(at) for at in (viewpoint or field.center))
    return field.view(v, u) if viewpoint is None or (v, u) == viewpoint else None


def range_text(slopes: DoubleArray) -> str:
    """How many planes there are, and from where to where; `slopes` has the shape (K,)."""
    return f"{len(slopes)} planes, slopes {slopes[0]:.3f} to {slopes[-1]:.3f}"


def choose_slopes(
    field: LightField, settings: RefocusSettings, *, threads: int | None = None
) -> DoubleArray:
    """Slopes (N,) of the planes, even in disparity."""
    if settings.slopes is None:
        first, last = slope_range_from_views(field, threads=threads)
        count = settings.planes or planes_for(max(field.angular_shape), first, last)
    else:
        first, last, given = settings.slopes
        count = settings.planes or given
    return np.linspace(first, last, count)


def planes_for(views: int, first: float, last: float) -> int:
    """Planes that resolve everything between two slopes, for an aperture of so many views.

    Away from its plane by a slope of δ, a point spreads over δ·(views − 1) pixels. Sampled at
    twice the rate at which that reaches one pixel, no detail falls between two planes.
    """
    step = 1.0 / (views - 1) if views > 1 else 1.0
    return int(np.clip(ceil((last - first) / step) + 1, 3, _MOST_PLANES))
