"""Numbers that stand for what a ray does not tell: the light of a pixel, the slope of a surface.

A measurement is stored as one number. It is the light itself, which noise may make slightly
negative; or far below zero it says that there is none. All that reads such arrays, compiled or
not, compares with the names of this module.
"""

from __future__ import annotations

import numpy as np

MISSING = np.float32(-1e9)
"""Light of a pixel that carries no usable measurement: dead, too dim, or held out."""

LEAST_PRESENT = np.float32(-5e8)
"""Light below it is `MISSING`; what lies above has been measured, or is saturated."""

LEAST_MEASURED = np.float32(-1.5)
"""Light below it is missing or saturated; what lies above is a measurement."""

SATURATION_OFFSET = np.float32(-2.0)
"""A saturated pixel is stored as ``SATURATION_OFFSET - light``: at least that much arrived."""

HIDDEN = np.float32(1e9)
"""Slope of a ray that no visible surface explains."""

STEEPEST = np.float32(1e8)
"""A slope above it is `HIDDEN`."""
