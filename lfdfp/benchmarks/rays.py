"""The reconstruction from raw rays against the truth of simulated captures.

    python -m lfdfp.benchmarks.rays --camera f01 --size 656
    python -m lfdfp.benchmarks.rays --camera illum --size 936 --scenes layers:1 slanted:4
    python -m lfdfp.benchmarks.rays --camera f01 --size 656 --realistic

PSNR after a gamma of 1/2.2, borders of two view pixels cropped, beside a perfect, noise-free view
enlarged by bicubic interpolation. Disparity errors are in pitches per raw pixel. The truth is
used to judge and for nothing else; lattice, response and noise of the calibration are the true
ones.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.decoding import decode
from lfdfp.reconstruction.reconstruct import reconstruct
from lfdfp.reconstruction.solution import area_average
from lfdfp.settings import FusionSettings
from lfdfp.simulation import (
    REALISTIC,
    CameraName,
    ScenePreset,
    camera_model,
    make_scene,
    simulate_capture,
)

_SCENES = (
    "layers:1", "layers:2", "layers:3", "slanted:4", "curved:5", "thin:6", "flat:7", "layers:8",
)  # fmt: skip
_BAD_PITCH = 0.1
_BORDER_VIEW_PX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RayScore:
    """One capture; PSNR in dB at x2 and x4, gains over the perfect view, disparity, cost."""

    scene: str
    psnr_x2: float
    psnr_x4: float
    gain_x2: float
    gain_x4: float
    disparity_median: float
    disparity_bad: float
    prior_strength: float
    cpu_s: float
    wall_s: float


def measure(camera: CameraName, size: int | None, scene: str, *, realistic: bool) -> RayScore:
    """Simulate, reconstruct and compare one capture; `scene` is ``preset:seed``."""
    preset, seed = scene.split(":")
    model = camera_model(camera, size=size, imperfections=REALISTIC if realistic else None)
    made = make_scene(cast(ScenePreset, preset), model.field_pitch, seed=int(seed))
    capture = simulate_capture(made, model, seed=int(seed))
    field = decode(capture.raw_capture(), capture.true_calibration())
    cpu, wall = time.process_time(), time.perf_counter()
    result = reconstruct(field, FusionSettings(scale=4))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    view = capture.view(0.0, 0.0)
    found, gain = {}, {}
    for k in (2, 4):
        truth = capture.all_in_focus(k)
        picture = area_average(result.super_resolved, capture.sampling.shape, k)
        bicubic = cv2.resize(view, None, fx=k, fy=k, interpolation=cv2.INTER_CUBIC)
        found[k] = _psnr(picture, truth, k)
        gain[k] = found[k] - _psnr(bicubic, truth, k)
    assert result.depth is not None
    error = (
        np.abs(result.depth.disparity - capture.disparity(1)) / capture.sampling.pixels_per_pitch
    )
    error = error[_BORDER_VIEW_PX:-_BORDER_VIEW_PX, _BORDER_VIEW_PX:-_BORDER_VIEW_PX]
    return RayScore(
        scene=scene,
        psnr_x2=found[2],
        psnr_x4=found[4],
        gain_x2=gain[2],
        gain_x4=gain[4],
        disparity_median=float(np.median(error)),
        disparity_bad=float(np.mean(error > _BAD_PITCH)),
        prior_strength=result.provenance.losses["prior_strength"],
        cpu_s=cpu,
        wall_s=wall,
    )


def _psnr(picture: FloatArray, truth: FloatArray, k: int) -> float:
    border = _BORDER_VIEW_PX * k
    shown, wanted = (
        np.clip(p[border:-border, border:-border], 0, 1) ** (1 / 2.2) for p in (picture, truth)
    )
    return float(-10 * np.log10(np.mean((shown - wanted) ** 2, dtype=np.float64)))


def main() -> None:
    """Print one line per scene, the means, and write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--camera", choices=("f01", "illum"), default="f01")
    parser.add_argument("--size", type=int, default=656, help="side in pixels; 0 for all")
    parser.add_argument("--scenes", nargs="*", default=list(_SCENES))
    parser.add_argument("--realistic", action="store_true", help="all imperfections at once")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    scores = []
    for scene in options.scenes:
        score = measure(options.camera, options.size or None, scene, realistic=options.realistic)
        scores.append(score)
        print(_line(score), flush=True)
    print(
        f"mean gain over a perfect view: x2 {np.mean([s.gain_x2 for s in scores]):+.2f} dB, "
        f"x4 {np.mean([s.gain_x4 for s in scores]):+.2f} dB; least "
        f"{min(s.gain_x2 for s in scores):+.2f} / {min(s.gain_x4 for s in scores):+.2f}; "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"
    )
    if options.json:
        options.json.write_text(json.dumps([asdict(s) for s in scores], indent=1))


def _line(score: RayScore) -> str:
    return (
        f"{score.scene:12s} {score.psnr_x2:.2f} / {score.psnr_x4:.2f} dB "
        f"({score.gain_x2:+.2f} / {score.gain_x4:+.2f}), disparity {score.disparity_median:.4f}, "
        f"bad {100 * score.disparity_bad:.1f} %, λ {score.prior_strength:g}, "
        f"{score.cpu_s:.1f} CPU-s, {score.wall_s:.1f} s"
    )


if __name__ == "__main__":
    main()
