"""Raw file to picture on simulated captures: quality against the truth, time and memory.

``python -m lfdfp.benchmarks.captures --camera f01 --size 984 --scenes 4`` prints the table of
``docs/measurements/captures.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import numpy as np

from lfdfp.computing.memory import peak_memory_mib
from lfdfp.evaluation.protocol import Score
from lfdfp.evaluation.simulated_captures import CaptureResult, run_scene
from lfdfp.settings import Data
from lfdfp.simulation import camera_model, make_scene, simulate_capture
from lfdfp.simulation.camera import REALISTIC
from lfdfp.simulation.names import CameraName, ScenePreset


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
