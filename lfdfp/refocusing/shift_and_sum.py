"""Shift-and-sum: bring planes of a light field into focus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, get_args

import numpy as np

from lfdfp.computing.bands import thread_count
from lfdfp.datatypes import DoubleArray, FloatArray, LightField
from lfdfp.errors import SettingsError
from lfdfp.progress import Progress, ignore_progress
from lfdfp.refocusing.aperture import WHOLE_APERTURE, SyntheticAperture
from lfdfp.refocusing.fourier_sum import fourier_sum
from lfdfp.refocusing.shifts import Shifts
from lfdfp.refocusing.spline_sum import spline_sum
from lfdfp.settings import Kernel

if TYPE_CHECKING:
    import torch

_ADD_UP: Mapping[str, Callable[..., None]] = {
    "linear": partial(spline_sum, order=1),
    "cubic": partial(spline_sum, order=3),
    "fourier": fourier_sum,
}
_BATCH_BYTES = {"linear": 80 << 20, "cubic": 80 << 20, "fourier": 36 << 20}
"""Of slices made at once, which bounds the memory; more planes read the field again."""


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Refocused pictures, (N, T, S, C), and the share of the aperture behind them, (N, T, S)."""

    slices: FloatArray
    coverage: FloatArray


def refocus(
    field: LightField,
    slope: float,
    *,
    kernel: Kernel = "cubic",
    aperture: DoubleArray | None = None,
    viewpoint: tuple[float, float] | None = None,
    equal_weights: bool = False,
    threads: int | None = None,
    device: str | None = None,
) -> FloatArray:
    """Bring the plane of one slope into focus.

    Every view is shifted towards the viewpoint by `slope` pixels per angular step, then the views
    are averaged, each ray by its weight [1]_.

    Parameters
    ----------
    field
        In linear light; averaging gamma-encoded values darkens edges.
    slope
        Disparity of the plane, in pixels per angular step; near is negative on real cameras.
    kernel
        How views are shifted by fractions of a pixel: ``"linear"`` (fast, blurs), ``"cubic"``
        (cubic B-spline interpolation) or ``"fourier"`` (band-limited, exact).
    aperture
        Shape (V, U): factor on the weight of each view; None opens all of them. See
        `lfdfp.refocusing.aperture`.
    viewpoint
        (v, u) of the view whose perspective the picture has; None takes the center view.
    equal_weights
        Weigh every measured ray alike, which removes the cat's-eye shape that vignetting gives
        to the aperture towards the corners, at the price of noise.
    threads
        Bands of rows computed at the same time; None takes numba's setting.
    device
        A torch device ("cuda") to compute on; None takes compiled kernels on the processor.

    Returns
    -------
    ndarray of shape (T, S, C)
        Linear light, float32; 0 where no ray arrives.

    Raises
    ------
    SettingsError
        For an unknown kernel, a device that is not there, or an aperture that is closed or does
        not fit the field.

    References
    ----------
    .. [1] R. Ng et al., "Light Field Photography with a Hand-held Plenoptic Camera", Stanford
       Tech Report CTSR 2005-02, 2005.
    """
    planes = refocus_planes(
        field,
        np.array([slope], np.float64),
        kernel=kernel,
        aperture=SyntheticAperture(
            factors=aperture, viewpoint=viewpoint, equal_weights=equal_weights
        ),
        threads=threads,
        device=device,
    )
    picture: FloatArray = planes.slices[0]
    return picture


def refocus_planes(
    field: LightField,
    slopes: DoubleArray,
    *,
    kernel: Kernel = "cubic",
    aperture: SyntheticAperture = WHOLE_APERTURE,
    threads: int | None = None,
    device: str | None = None,
    progress: Progress = ignore_progress,
) -> Planes:
    """Bring several planes into focus, reading the field once for all of them.

    Parameters
    ----------
    slopes
        Shape (N,), in pixels per angular step, in any order; each plane equals what `refocus`
        gives for its slope.
    kernel, threads, device
        As in `refocus`.
    progress
        Called with (planes done, planes).

    Raises
    ------
    SettingsError
        For an unknown kernel, a device that is not there, or an aperture that is closed or does
        not fit the field.
    """
    if kernel not in get_args(Kernel):
        raise SettingsError(f"unknown kernel {kernel!r}; known are {', '.join(get_args(Kernel))}")
    shifts = Shifts.of(field, slopes, aperture)
    target = None if device is None else _torch_device(device)
    height, width = field.spatial_shape
    slices = np.empty((len(slopes), height, width, field.views.shape[4]), np.float32)
    coverage = np.empty((len(slopes), height, width), np.float32)
    add_up = _ADD_UP[kernel]
    batch = max(1, _BATCH_BYTES[kernel] // (slices[0].nbytes + coverage[0].nbytes))
    for first in range(0, len(slopes), batch):
        progress(first, len(slopes))
        some = slice(first, first + batch)
        add_up(
            field,
            shifts.of_planes(some),
            slices[some],
            coverage[some],
            threads=thread_count(threads),
            device=target,
        )
    progress(len(slopes), len(slopes))
    return Planes(slices, coverage)


def _torch_device(name: str) -> torch.device:
    from lfdfp.computing.torch_devices import torch_device

    return torch_device(name)
