"""Where the fused picture of a light field gives way to its center view."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.enlargement import signal_share
from lfdfp.imaging.noise_level import noise_sigma

_REFERENCE_NOISE_FACTOR = 1.5
"""Noise of a decoded view is smooth from one pixel to the next; estimates from fine detail miss
some of it."""


def with_reference_view(fused: FloatArray, reference: FloatArray) -> tuple[FloatArray, float]:
    """`fused` (T, S, C), replaced by the center view where they differ by more than noise.

    Slices of a wide aperture are ghosted where something nearer hides part of the light; the
    center view is sharp everywhere, but noisier. Wiener's factor weighs one against the other.

    Returns
    -------
    picture, sigma
        The mixture, and the standard deviation of the noise that came with the center view.
    """
    difference = reference - fused
    channels = np.moveaxis(0.5 + difference, -1, 0)
    sigma = float(np.median([noise_sigma(np.ascontiguousarray(c)) for c in channels]))
    share = signal_share(difference, _REFERENCE_NOISE_FACTOR * sigma)
    return fused + share * difference, sigma * float(share.mean())
