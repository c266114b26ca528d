"""Names that people choose from: kept apart, so that a command line need not load the rest."""

from __future__ import annotations

from typing import Literal

CameraName = Literal["f01", "illum"]

ScenePreset = Literal["layers", "plane", "slanted", "curved", "thin", "specular", "flat", "mix"]
"""Names that `make_scene` knows."""
