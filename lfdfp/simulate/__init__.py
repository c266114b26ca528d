"""A plenoptic camera in software: scenes with known truth, and the captures made of them."""

from __future__ import annotations

from lfdfp.simulate.camera import (
    NOISY,
    REALISTIC,
    CameraModel,
    CameraName,
    Imperfections,
    camera_model,
)
from lfdfp.simulate.capture import SimulatedCapture, simulate_capture
from lfdfp.simulate.files import (
    SimulatedFiles,
    Truth,
    load_truth,
    write_simulated_capture,
)
from lfdfp.simulate.layers import Layer
from lfdfp.simulate.presets import ScenePreset, make_scene
from lfdfp.simulate.scene import Scene, scene_from_pictures

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
