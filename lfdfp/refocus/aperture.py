"""Synthetic apertures: how much each view counts.

An aperture is an array (V, U) of factors in [0, 1] on the weights of the views. Views stand in
the aperture as they are counted: one angular step is one unit of length.
"""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import DoubleArray
from lfdfp.errors import SettingsError

_CELL = 16  # samples a side by which the share of a view inside a round aperture is counted


def square_aperture(angular_shape: tuple[int, int], *, stop: float = 1.0) -> DoubleArray:
    """All views, or with `stop` > 1 those of a square smaller by that factor.

    Parameters
    ----------
    angular_shape
        (V, U).
    stop
        Relative f-number: 1 is the whole grid of views, 2 half its width.

    Raises
    ------
    SettingsError
        For a relative f-number below 1.
    """
    radius_v, radius_u = _radii(angular_shape, stop)
    return np.outer(_covered(angular_shape[0], radius_v), _covered(angular_shape[1], radius_u))


def round_aperture(
    angular_shape: tuple[int, int],
    *,
    stop: float = 1.0,
    center: tuple[float, float] = (0.0, 0.0),
) -> DoubleArray:
    """A disc, at `stop` 1 as wide as the grid of views; cut views count by their share.

    Parameters
    ----------
    angular_shape
        (V, U).
    stop
        Relative f-number: diameter of the full grid over that of the disc.
    center
        (v, u) of the disc, in angular steps from the center view.

    Raises
    ------
    SettingsError
        For a relative f-number below 1, or a disc beside all views.
    """
    radius_v, radius_u = _radii(angular_shape, stop)
    steps = (np.arange(_CELL) + 0.5) / _CELL - 0.5
    v = _positions(angular_shape[0])[:, None] + steps - center[0]
    u = _positions(angular_shape[1])[:, None] + steps - center[1]
    distance = (v / radius_v)[:, None, :, None] ** 2 + (u / radius_u)[None, :, None, :] ** 2
    aperture = np.asarray((distance <= 1).mean(axis=(2, 3)), np.float64)
    if not aperture.any():
        raise SettingsError(f"an aperture around {center} leaves no view of {angular_shape} open")
    return aperture


def relative_stop(full_f_number: float, f_number: float) -> float:
    """Relative f-number of a stop, given that of the whole aperture.

    Raises
    ------
    SettingsError
        Where the stop is wider than the aperture.
    """
    if not f_number >= full_f_number > 0:
        raise SettingsError(f"f/{f_number} is wider than the lens's f/{full_f_number}")
    return f_number / full_f_number


def _positions(views: int) -> DoubleArray:
    return np.arange(views, dtype=np.float64) - views // 2


def _radii(angular_shape: tuple[int, int], stop: float) -> tuple[float, float]:
    if not stop >= 1:
        raise SettingsError(f"a relative f-number is at least 1, got {stop}")
    return angular_shape[0] / (2 * stop), angular_shape[1] / (2 * stop)


def _covered(views: int, radius: float) -> DoubleArray:
    """Share of each view's cell within `radius` of the center."""
    return np.clip(radius - np.abs(_positions(views)) + 0.5, 0.0, 1.0)
