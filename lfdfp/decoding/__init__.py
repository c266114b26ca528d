"""Raw capture and calibration to light field: what the sensor measured, as views."""

from __future__ import annotations

from lfdfp.decoding.light_field import decode

__all__ = ["decode"]
