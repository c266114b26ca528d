"""``LightField`` objects of the Python package plenpy (install ``lfdfp[plenpy]``).

plenpy's axes are (u, v, s, t, channel) with u and s along rows, v and t along columns: this
project's ``[v, u, t, s, c]`` under other letters. Values are float32 in [0, 1], as the camera gave
them; they are taken to be linear light, as plenpy's own decoder gives. Its refocusing slope has the
opposite sign of ours (see `lfdfp.interchange.slopes`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError


def from_plenpy(light_field: Any) -> LightField:
    """A plenpy ``LightField`` (or an array with its axes) as a field of weight 1; a copy.

    Raises
    ------
    ImageError
        If there are not five axes of floating-point values.
    """
    values = np.asarray(light_field)
    if values.ndim != 5 or values.dtype.kind != "f":
        raise ImageError(
            f"a plenpy light field has five axes of floating-point values, got {values.dtype} of "
            f"shape {values.shape}"
        )
    return LightField(
        views=np.array(values, np.float32, order="C"),
        weights=np.ones(values.shape[:4], np.uint8),
        history=("taken from plenpy",),
    )


def to_plenpy(field: LightField) -> Any:
    """A plenpy ``LightField`` of linear light, clipped to [0, 1]; weights have no place in it.

    Raises
    ------
    ImportError
        If plenpy is not installed.
    """
    from plenpy.lightfields import LightField as PlenpyLightField

    values = np.empty(field.views.shape, np.float32)
    for v, u in np.ndindex(field.angular_shape):
        np.clip(field.view(v, u), 0.0, 1.0, out=values[v, u])
    return PlenpyLightField(values, copy=False)
