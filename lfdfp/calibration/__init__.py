"""Raw capture (and a white image, if there is one) to `Calibration`: geometry and response."""

from __future__ import annotations

from lfdfp.calibration.assessment import Finding, assess
from lfdfp.calibration.calibrate import calibrate
from lfdfp.calibration.camera import (
    CameraCalibration,
    Match,
    calibrate_from_captures,
    calibrate_from_white_images,
)
from lfdfp.calibration.grid.fit import fit_lenslet_grid
from lfdfp.calibration.grid.from_metadata import grid_from_metadata

__all__ = [
    "CameraCalibration",
    "Finding",
    "Match",
    "assess",
    "calibrate",
    "calibrate_from_captures",
    "calibrate_from_white_images",
    "fit_lenslet_grid",
    "grid_from_metadata",
]
