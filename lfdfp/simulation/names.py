"""Names that people choose from: kept apart, so that a command line need not load the rest."""

from __future__ import annotations

from typing import Literal

CameraName = Literal["f01", "illum"]

PhotographicScene = Literal[
    "motorcycle",
    "portrait",
    "foliage",
    "page",
    "tissue",
    "night-sky",
    "lamps",
    "low-light",
    "nearly-black",
    "nearly-flat",
]
"""Scenes made of the pictures that scikit-image ships."""

DrawnScene = Literal[
    "layers", "plane", "slanted", "curved", "thin", "specular", "flat", "chart", "mix"
]
"""Scenes that are painted from a seed."""

ScenePreset = Literal[DrawnScene, PhotographicScene]
"""Scenes that `make_scene` knows: painted from a seed, then photographic ones."""
