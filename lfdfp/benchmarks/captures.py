"""Raw file to picture on simulated captures: quality against the truth, time and memory.

``python -m lfdfp.benchmarks.captures --camera f01 --size 984 --scenes 4`` prints the table of
``docs/measurements/captures.md``. Nothing in the chain sees the truth; without ``--white-image``
the calibration comes from the capture alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from lfdfp.computing.memory import peak_memory_mib
from lfdfp.datatypes import FloatArray, FocalStack, LightField
from lfdfp.evaluation.protocol import Score, score
from lfdfp.fusion.baselines import laplacian_pyramid
from lfdfp.imaging.resampling import bicubic
from lfdfp.pipeline import stages
from lfdfp.pipeline.record import StageTime, timed
from lfdfp.progress import silent_stage, stages_of
from lfdfp.settings import Data, FusionSettings
from lfdfp.simulation import SimulatedCapture, camera_model, make_scene, simulate_capture
from lfdfp.simulation.camera import REALISTIC
from lfdfp.simulation.names import CameraName, ScenePreset


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureResult:
    """Scores of one capture, and the times of its stages."""

    scene: str
    seed: int
    scores: tuple[Score, ...]
    times: tuple[StageTime, ...]


def run_scene(
    capture: SimulatedCapture, *, scales: tuple[int, ...], data: tuple[Data, ...], white_image: bool
) -> CaptureResult:
    """One simulated capture through the chain, every result scored against the truth."""
    from lfdfp.calibration import calibrate

    raw, white = capture.raw_capture(), capture.white_capture() if white_image else None
    times: list[StageTime] = []
    stage = timed(silent_stage, times)
    with stage("calibrate") as progress:
        calibration = calibrate(raw, white, progress=progress)
    field = stages.light_field(raw, calibration, stage=stage)
    stack = stages.focal_stack(field, stage=stage)
    truth = aligned_truth(capture, field)
    with stage("baselines"):
        scores = list(_baseline_scores(truth, field, stack, scales))
    for term in data:
        for scale in scales:
            settings = FusionSettings(scale=scale, data=term)
            own = stages_of(f"x{scale}", stage)
            result = stages.sharp_picture(field, stack, settings, stage=own)
            name = f"lfdfp, {term}"
            picture = result.super_resolved
            scores.append(score(name, truth.all_in_focus(scale), picture, scale=scale))
            if scale == scales[0]:
                scores.append(score(name, truth.all_in_focus(1), result.all_in_focus))
    return CaptureResult(
        scene=capture.scene.name, seed=capture.seed, scores=tuple(scores), times=tuple(times)
    )


def aligned_truth(capture: SimulatedCapture, field: LightField) -> SimulatedCapture:
    """The same capture with its truth on the samples that decoding chose.

    The fitted grid may call another lenslet (0, 0) than the true one; positions are carried over
    through the sensor, and only by whole lenslets, so that a grid error still counts.
    """
    assert field.sampling is not None
    assert field.rays is not None
    fitted = field.rays.calibration.grid.origin_px
    q, r = np.rint(
        capture.camera.grid.lattice_coordinates(np.array(fitted[0]), np.array(fitted[1]))
    )
    moved = replace(
        field.sampling,
        origin_pitch=(
            field.sampling.origin_pitch[0] + float(r) * np.sqrt(3) / 2,
            field.sampling.origin_pitch[1] + float(q) + float(r) / 2,
        ),
    )
    return replace(capture, sampling=moved, _pictures={})


def _baseline_scores(
    truth: SimulatedCapture, field: LightField, stack: FocalStack, scales: tuple[int, ...]
) -> Iterator[Score]:
    center, perfect = field.view(*field.center), truth.view(0.0, 0.0)
    fused = laplacian_pyramid(stack.slices)
    yield score("center view against the true view", perfect, center)
    sharpest = _nearest_slice(stack, truth.disparity())
    yield score("slice at the true disparity", truth.all_in_focus(1), sharpest)
    for scale in (1, *scales):
        target = truth.all_in_focus(scale)
        for name, picture in (
            ("perfect noise-free view", perfect),
            ("center view", center),
            ("stack, Laplacian pyramid", fused),
        ):
            enlarged = picture if scale == 1 else bicubic(picture, scale)
            suffix = "" if scale == 1 else " + bicubic"
            yield score(name + suffix, target, np.asarray(enlarged, np.float32), scale=scale)


def _nearest_slice(stack: FocalStack, disparity: FloatArray) -> FloatArray:
    """Every pixel from the slice nearest to its true disparity: what a perfect decision gives."""
    assert stack.slopes is not None
    index = np.abs(stack.slopes[:, None, None] - disparity).argmin(axis=0)
    chosen: FloatArray = np.take_along_axis(stack.slices, index[None, ..., None], axis=0)[0]
    return chosen


def table(results: list[CaptureResult]) -> str:
    """Markdown: mean over the captures of every method and scale."""
    rows: dict[tuple[int, str], list[Score]] = defaultdict(list)
    for result in results:
        for one in result.scores:
            rows[one.scale, one.name].append(one)
    lines = ["| scale | method | PSNR dB | SSIM | least PSNR |", "|---|---|---|---|---|"]
    for (scale, name), scores in sorted(rows.items(), key=lambda row: row[0][0]):
        psnr = np.mean([s.psnr_db for s in scores])
        ssim = np.mean([s.ssim for s in scores])
        least = min(s.psnr_db for s in scores)
        lines.append(f"| ×{scale} | {name} | {psnr:.2f} | {ssim:.3f} | {least:.2f} |")
    lines += ["", "| stage | CPU s | wall s |", "|---|---|---|"]
    for own in zip(*(result.times for result in results), strict=True):
        stage = own[0].name
        cpu = np.mean([one.cpu_s for one in own])
        wall = np.mean([one.wall_s for one in own])
        lines.append(f"| {stage} | {cpu:.1f} | {wall:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--camera", choices=get_args(CameraName), default="f01")
    parser.add_argument("--size", type=int, default=None, help="sensor side; default: full")
    parser.add_argument("--scene", choices=get_args(ScenePreset), default="layers")
    parser.add_argument("--scenes", type=int, default=2, help="number of seeds")
    parser.add_argument("--scale", type=int, nargs="+", default=[2])
    parser.add_argument("--data", choices=get_args(Data), nargs="+", default=["stack"])
    parser.add_argument("--iso", type=float, default=None)
    parser.add_argument("--white-image", action="store_true")
    parser.add_argument("--realistic", action="store_true")
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    flaws = REALISTIC if options.realistic else None
    camera = camera_model(options.camera, size=options.size, iso=options.iso, imperfections=flaws)
    results = []
    for seed in range(1, options.scenes + 1):
        scene = make_scene(options.scene, camera.field_pitch, seed=seed)
        capture = simulate_capture(scene, camera, seed=seed)
        result = run_scene(
            capture,
            scales=tuple(options.scale),
            data=tuple(options.data),
            white_image=options.white_image,
        )
        results.append(result)
        print(f"{scene.name} seed {seed} done", file=sys.stderr)
    print(table(results))
    print(f"\npeak memory {peak_memory_mib():.0f} MiB (the simulation included)")
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=2))


if __name__ == "__main__":
    main()
