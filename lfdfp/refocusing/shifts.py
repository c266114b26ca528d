"""How far each view is shifted for each plane, and how much it counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from lfdfp.datatypes import DoubleArray, LightField
from lfdfp.errors import SettingsError
from lfdfp.refocusing.aperture import SyntheticAperture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shifts:
    """Where the slices look in the views.

    Attributes
    ----------
    along_t, along_s
        Shapes (N, V) and (N, U), in pixels: pixel (t, s) of slice n is seen in view (v, u) at
        ``(t + along_t[n, v], s + along_s[n, u])``.
    gains
        Shape (V, U): factor on the stored weights of each view.
    equal_weights
        Whether every stored weight above 0 is taken as 1.
    """

    along_t: DoubleArray
    along_s: DoubleArray
    gains: DoubleArray
    equal_weights: bool = False

    @property
    def count(self) -> int:
        """Number of slices."""
        return len(self.along_t)

    @classmethod
    def of(cls, field: LightField, slopes: DoubleArray, aperture: SyntheticAperture) -> Self:
        """Shifts that bring planes of the given slopes (N,) into focus.

        Raises
        ------
        SettingsError
            For an aperture that is closed or does not fit, or slopes that are not finite.
        """
        if not np.all(np.isfinite(slopes)):
            raise SettingsError(f"slopes must be finite, got {slopes}")
        v, u = field.center if aperture.viewpoint is None else aperture.viewpoint
        n_v, n_u = field.angular_shape
        return cls(
            along_t=np.multiply.outer(slopes, np.arange(n_v) - float(v)),
            along_s=np.multiply.outer(slopes, np.arange(n_u) - float(u)),
            gains=_view_gains(field, aperture.factors),
            equal_weights=aperture.equal_weights,
        )

    def of_planes(self, some: slice) -> Shifts:
        """The same for some of the planes."""
        return replace(self, along_t=self.along_t[some], along_s=self.along_s[some])


def full_weight(field: LightField, shifts: Shifts) -> float:
    """What the weights of one pixel sum to where every open view is at its best."""
    best = field.weights.max(axis=(2, 3)).astype(np.float64)
    return float(np.sum(shifts.gains * (best > 0 if shifts.equal_weights else best)))


def _view_gains(field: LightField, aperture: DoubleArray | None) -> DoubleArray:
    """Factor on the stored weights of each view, shape (V, U)."""
    if aperture is None:
        return np.full(field.angular_shape, field.weight_scale)
    if aperture.shape != field.angular_shape:
        raise SettingsError(
            f"aperture of shape {aperture.shape} does not fit {field.angular_shape} views"
        )
    if not np.all(aperture >= 0) or not np.any(aperture > 0):
        raise SettingsError("an aperture has factors of at least 0, and some above")
    return np.asarray(aperture, np.float64) * field.weight_scale
