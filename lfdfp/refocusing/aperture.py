"""Synthetic apertures: how much each view counts.

An aperture is an array (V, U) of factors in [0, 1] on the weights of the views. Views stand in
the aperture as they are counted: one angular step is one unit of length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import DoubleArray, LightField
from lfdfp.errors import MetadataError, SettingsError
from lfdfp.settings import NamedAperture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticAperture:
    """Which light a refocused picture gathers.

    Attributes
    ----------
    factors
        Shape (V, U): factor, 0 to 1, on the weight of each view; None opens all of them.
    viewpoint
        (v, u) of the view whose perspective the picture has; None takes the center view.
    equal_weights
        Whether every measured ray counts alike.
    """

    factors: DoubleArray | None = None
    viewpoint: tuple[float, float] | None = None
    equal_weights: bool = False


WHOLE_APERTURE = SyntheticAperture()
"""All views, as seen from the center one, each ray by its weight."""

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


def named_aperture(field: LightField, name: str) -> DoubleArray | None:
    """The aperture (V, U) that a setting names; None for all views.

    Parameters
    ----------
    name
        ``square`` or ``round``, alone or with a size behind a colon: ``0.5`` for half the width
        of the grid of views, ``f/4`` for the lens stopped down to f/4, where the grid of views
        is taken for the whole of the lens's aperture.

    Raises
    ------
    SettingsError
        For a name that is not of this form, or a size above the whole aperture.
    MetadataError
        For an f-number where the field does not know that of its lens.
    """
    named = NamedAperture.parse(name)
    stop = _stop_of(field, named)
    if named.shape == "round":
        return round_aperture(field.angular_shape, stop=stop)
    return None if stop == 1 else square_aperture(field.angular_shape, stop=stop)


def _stop_of(field: LightField, named: NamedAperture) -> float:
    """Relative f-number of an aperture."""
    if named.f_number is not None:
        return relative_stop(_lens_f_number(field), named.f_number)
    if not 0 < named.width <= 1:
        raise SettingsError(
            f"an aperture of width {named.width:g} is not possible: it is above 0, and at most as "
            "wide as the grid of views (1)"
        )
    return 1 / named.width


def _lens_f_number(field: LightField) -> float:
    stated = None if field.rays is None else field.rays.capture.lens.f_number
    if stated is None:
        raise MetadataError(
            "no f-number of the lens: use a capture that states it, or a width such as round:0.5"
        )
    return stated


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
