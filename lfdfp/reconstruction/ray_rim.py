"""Whether the rims of the lenslets' images are as good as what lies further inside."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import BoolArray, FloatArray
from lfdfp.reconstruction.held_out import held_out_rays
from lfdfp.reconstruction.observation import RayObservation

_LEAST_RAYS = 400


def rim_is_clean(
    observation: RayObservation,
    picture: FloatArray,
    held: BoolArray,
    *,
    inner_px: float,
    outer_px: float,
    tolerance: float,
) -> bool:
    """Whether held-out rays of the rim are predicted about as well as those beside it.

    Light of one lenslet that falls into its neighbor's image is found at the rim: the picture
    predicts such pixels worse than others.

    Parameters
    ----------
    observation
        Of all rays, held-out ones too, as far as `outer_px` from their lenslets' centers.
    picture
        Shape (3, Y, X).
    held
        Shape (H, W): rays that the picture has not seen.
    inner_px, outer_px
        Where the rim begins and ends. What lies within `inner_px` by as much is compared with it.
    tolerance
        How many times as large the rim's misfit may be.
    """
    discs = []
    for radius_px in (2 * inner_px - outer_px, inner_px, outer_px):
        prediction = observation.within(radius_px).forward(picture)
        rays = held_out_rays(observation.light, held, prediction)
        number = len(rays.measured)
        discs.append((number, number * rays.misfit(observation.light.noise)))
    (beside, beside_misfit), (rim, rim_misfit) = np.diff(discs, axis=0)
    if min(beside, rim) < _LEAST_RAYS:
        return False
    return bool(rim_misfit / rim <= tolerance * beside_misfit / beside)
