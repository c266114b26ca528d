"""A plenoptic camera in software: scenes with known truth, and the captures made of them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lfdfp.simulation.names import CameraName, ScenePreset

if TYPE_CHECKING:
    from lfdfp.simulation.camera import NOISY, REALISTIC, CameraModel, Imperfections, camera_model
    from lfdfp.simulation.capture import SimulatedCapture, simulate_capture
    from lfdfp.simulation.files import SimulatedFiles, Truth, load_truth, write_simulated_capture
    from lfdfp.simulation.layers import Layer
    from lfdfp.simulation.presets import make_scene
    from lfdfp.simulation.scene import Scene, scene_from_pictures

__all__ = [
    "NOISY",
    "REALISTIC",
    "CameraModel",
    "CameraName",
    "Imperfections",
    "Layer",
    "Scene",
    "ScenePreset",
    "SimulatedCapture",
    "SimulatedFiles",
    "Truth",
    "camera_model",
    "load_truth",
    "make_scene",
    "scene_from_pictures",
    "simulate_capture",
    "write_simulated_capture",
]

_HOMES = {
    "camera": ("NOISY", "REALISTIC", "CameraModel", "Imperfections", "camera_model"),
    "capture": ("SimulatedCapture", "simulate_capture"),
    "files": ("SimulatedFiles", "Truth", "load_truth", "write_simulated_capture"),
    "layers": ("Layer",),
    "presets": ("make_scene",),
    "scene": ("Scene", "scene_from_pictures"),
}


def __getattr__(name: str) -> Any:
    """Import a module when one of its names is first used: compiled kernels load slowly."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"lfdfp.simulation.{module}"), name)
    raise AttributeError(f"module 'lfdfp.simulation' has no attribute {name!r}")
