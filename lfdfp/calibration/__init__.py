"""Raw capture (and a white image, if there is one) to `Calibration`: geometry and response."""

from __future__ import annotations

from lfdfp.calibration.ladder import calibrate
from lfdfp.calibration.lenslet_grid import fit_lenslet_grid
from lfdfp.calibration.metadata_grid import grid_from_metadata

__all__ = ["calibrate", "fit_lenslet_grid", "grid_from_metadata"]
