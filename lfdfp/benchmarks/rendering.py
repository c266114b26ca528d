"""Views and slices rendered from the solution, against the truth from any direction.

``python -m lfdfp.benchmarks.rendering`` prints the table of
``docs/measurements/refocusing.md``: PSNR at ×2 of views off the center and of refocused slices,
beside the decoded views and the slices of the plain stack, enlarged bicubically. True lattice,
response and noise.
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.decoding import decode
from lfdfp.evaluation.protocol import score
from lfdfp.imaging.resampling import bicubic
from lfdfp.pipeline.stages import sharp_picture
from lfdfp.refocusing import focal_stack, refocus
from lfdfp.refocusing.aperture import round_aperture
from lfdfp.rendering.render import Aperture, render_slice, render_view, slope_range_of_picture
from lfdfp.settings import FusionSettings
from lfdfp.simulation import SimulatedCapture, camera_model, make_scene, simulate_capture
from lfdfp.simulation.names import CameraName, ScenePreset

_CASES: tuple[tuple[CameraName, ScenePreset, int, int], ...] = (
    ("f01", "curved", 656, 5),
    ("f01", "layers", 656, 1),
    ("f01", "thin", 656, 2),
    ("illum", "layers", 936, 1),
)
_DIRECTIONS = ((0, 0), (1, 1), (0, -3), (-2, 3))
_SCALE = 2
_FINENESS = 8
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
_RAYS = 64


def true_view(capture: SimulatedCapture, v: float, u: float, slope: float = 0.0) -> FloatArray:
    """The sharp picture from a direction in raw pixels, shape (2T, 2S, 3).

    Moved so that a plane of `slope`, in pixels of a view per angular step, stays where it is.
    """
    sampling = capture.sampling
    y, x = (
        origin
        + sampling.step_pitch
        * ((np.arange(_FINENESS * n) + 0.5) / _FINENESS - 0.5 + slope * direction)
        for origin, n, direction in zip(sampling.origin_pitch, sampling.shape, (v, u), strict=True)
    )
    sharp = capture.scene.radiance(y[:, None], x[None, :], v, u)
    size = (_SCALE * sampling.shape[1], _SCALE * sampling.shape[0])
    return np.asarray(cv2.resize(sharp, size, interpolation=cv2.INTER_AREA), np.float32)


def true_slice(capture: SimulatedCapture, slope: float, half_width: float) -> FloatArray:
    """The mean of true views over a round aperture, shape (2T, 2S, 3)."""
    total: FloatArray | None = None
    for k in range(_RAYS):
        radius, angle = half_width * np.sqrt((k + 0.5) / _RAYS), k * _GOLDEN_ANGLE
        view = true_view(capture, radius * np.sin(angle), radius * np.cos(angle), slope)
        total = view if total is None else total + view
    assert total is not None
    return total / np.float32(_RAYS)


def _psnr(truth: FloatArray, picture: FloatArray) -> float:
    return score("", truth, picture, scale=_SCALE).psnr_db


def measure(camera: CameraName, scene: ScenePreset, size: int, seed: int) -> list[str]:
    """Lines of the table for one capture."""
    model = camera_model(camera, size=size)
    capture = simulate_capture(make_scene(scene, model.field_pitch, seed=seed), model, seed=seed)
    field = decode(capture.raw_capture(), capture.true_calibration())
    result = sharp_picture(field, focal_stack(field), FusionSettings(scale=_SCALE))
    name, lines = f"{camera}, {scene}", []
    for v, u in _DIRECTIONS:
        truth = true_view(capture, v, u)
        decoded = bicubic(field.view(field.center[0] + v, field.center[1] + u), _SCALE)
        ours, theirs = _psnr(truth, render_view(result, v=v, u=u)), _psnr(truth, decoded)
        lines.append(f"| {name} | view {v}, {u} | {ours:.1f} | {theirs:.1f} | |")
    half_width = field.angular_shape[0] / 2
    aperture = round_aperture(field.angular_shape)
    first, last = slope_range_of_picture(result)
    for place, slope in (("nearest", first), ("middle", (first + last) / 2), ("farthest", last)):
        truth = true_slice(capture, slope, half_width)
        start = time.process_time()
        rendered = render_slice(result, slope, aperture=Aperture(half_width=half_width))
        seconds = time.process_time() - start
        plain = refocus(field, slope, aperture=aperture, equal_weights=True)
        lines.append(
            f"| {name} | {place} slice | {_psnr(truth, rendered):.1f} | "
            f"{_psnr(truth, bicubic(plain, _SCALE)):.1f} | {seconds:.2f} |"
        )
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    print("| capture | what | from the solution | decoded, enlarged | CPU-s |")
    print("|---|---|---|---|---|")
    for case in _CASES:
        print("\n".join(measure(*case)), flush=True)


if __name__ == "__main__":
    main()
