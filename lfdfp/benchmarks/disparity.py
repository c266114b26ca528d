"""Disparity and super-resolved refocus against the truth of simulated captures.

    python -m lfdfp.benchmarks.disparity --size 984 --scenes layers:12 slanted:13 curved:14
    python -m lfdfp.benchmarks.disparity --size 984 --scenes --planes 11:0.3
    python -m lfdfp.benchmarks.disparity --size 984 --scenes --layers 12 15

Raw codes are decoded with the true lattice and response; noise and demosaicing are as in any
capture. Errors are in pixels per angular step, over all pixels of the picture; *textured* are
those where the true picture varies by more than 0.03 (standard deviation in 7 x 7 pixels, at
gamma 2.2), *edges* those where the true disparity differs by more than 0.1 within 7 x 7 pixels.
The truth is used to judge and for nothing else. CPU-seconds are of one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, FloatArray, LightField
from lfdfp.evaluation.disparity_score import DisparityScore, disparity_score
from lfdfp.evaluation.protocol import BORDER_VIEW_PX, encoded, score
from lfdfp.settings import RefocusSettings
from lfdfp.simulation import SimulatedCapture, camera_model, make_scene, simulate_capture
from lfdfp.simulation.names import ScenePreset

_LEAST_SHARE = 0.04  # of the picture: layers that are judged


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneScore:
    """PSNR in dB at x2 of one plane: shift-and-sum with bicubic enlargement, and from the rays."""

    seed: int
    slope: float
    fourier_bicubic_db: float
    super_resolved_db: float
    coverage: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerScore:
    """PSNR in dB at x2 of one layer where it is in focus: views, one slice of rays, the stack."""

    seed: int
    slope: float
    fourier_bicubic_db: float
    rays_alone_db: float
    stack_db: float


def measure_disparity(scene: ScenePreset, seed: int, size: int) -> DisparityScore:
    """Simulate, decode, estimate, judge."""
    from lfdfp.disparity import estimate_disparity

    capture, field = decoded(scene, seed, size)
    start = time.process_time()
    estimate = estimate_disparity(field, threads=1)
    return disparity_score(capture, estimate.disparity, cpu_s=time.process_time() - start)


def measure_plane(seed: int, slope: float, size: int) -> PlaneScore:
    """One textured plane at ×2: exact shift-and-sum with bicubic enlargement, and from the rays."""
    from lfdfp.imaging.resampling import bicubic
    from lfdfp.reconstruction.plane import refocus_super_resolved
    from lfdfp.refocusing import refocus

    capture, field = decoded("plane", seed, size, slope=slope)
    truth = capture.all_in_focus(2)
    views = bicubic(refocus(field, slope, kernel="fourier", threads=1), 2)
    start = time.process_time()
    rays = refocus_super_resolved(field, slope, scale=2, threads=1)
    seconds = time.process_time() - start
    return PlaneScore(
        seed=seed,
        slope=slope,
        fourier_bicubic_db=score("views", truth, np.asarray(views, np.float32), scale=2).psnr_db,
        super_resolved_db=score("rays", truth, rays.picture, scale=2).psnr_db,
        coverage=float(rays.coverage.mean()),
        cpu_s=seconds,
    )


def measure_layers(seed: int, size: int) -> list[LayerScore]:
    """Every layer of a scene of layers at ×2, judged where the truth has it in focus."""
    from lfdfp.imaging.resampling import bicubic
    from lfdfp.reconstruction.plane import refocus_super_resolved
    from lfdfp.reconstruction.slices import super_resolved_stack
    from lfdfp.refocusing import refocus

    capture, field = decoded("layers", seed, size)
    truth, disparity = encoded(capture.all_in_focus(2)), capture.disparity(2)
    inside = np.zeros(disparity.shape, np.bool_)
    inside[2 * BORDER_VIEW_PX : -2 * BORDER_VIEW_PX, 2 * BORDER_VIEW_PX : -2 * BORDER_VIEW_PX] = (
        True
    )
    values, counts = np.unique(np.round(disparity, 3), return_counts=True)
    scores = []
    for slope in values[counts > _LEAST_SHARE * disparity.size].astype(float).tolist():
        focused = inside & (np.abs(disparity - slope) < 0.02)
        settings = RefocusSettings(slopes=(slope, slope + 1, 2))
        pictures = (
            bicubic(refocus(field, slope, kernel="fourier", threads=1), 2),
            refocus_super_resolved(field, slope, threads=1).picture,
            super_resolved_stack(field, settings, threads=1).slices[0],
        )
        found = [_psnr(truth[focused], encoded(one)[focused]) for one in pictures]
        scores.append(
            LayerScore(
                seed=seed,
                slope=slope,
                fourier_bicubic_db=found[0],
                rays_alone_db=found[1],
                stack_db=found[2],
            )
        )
    return scores


def _psnr(truth: FloatArray, picture: FloatArray) -> float:
    return float(-10 * np.log10(np.mean((truth - picture) ** 2, dtype=np.float64)))


def decoded(
    scene: ScenePreset, seed: int, size: int, *, slope: float | None = None
) -> tuple[SimulatedCapture, LightField]:
    """A simulated F01 capture, and its light field by the true lattice and response."""
    from lfdfp.decoding import decode

    camera = camera_model("f01", size=size)
    disparities = None if slope is None else [slope * ROW_STEP_PITCHES]
    made = make_scene(scene, camera.field_pitch, seed=seed, disparities=disparities)
    capture = simulate_capture(made, camera, seed=seed)
    return capture, decode(capture.raw_capture(), capture.true_calibration())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scenes", nargs="*", default=["layers:12", "slanted:13", "curved:14"])
    parser.add_argument("--planes", nargs="*", default=[], metavar="SEED:SLOPE")
    parser.add_argument("--layers", nargs="*", type=int, default=[], metavar="SEED")
    parser.add_argument("--size", type=int, default=984, help="sensor side in pixels")
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    maps = [_disparity_row(text, options.size) for text in options.scenes]
    if len(maps) > 1:
        mean_error = np.mean([one.mean_absolute_px for one in maps])
        bad = np.mean([one.bad for one in maps])
        print(f"| mean | | {mean_error:.4f} | | {bad:.1%} | | |")
    planes = [_plane_row(text, options.size) for text in options.planes]
    layers = [row for seed in options.layers for row in _layer_rows(seed, options.size)]
    if options.json is not None:
        facts = {
            "disparity": [asdict(one) for one in maps],
            "planes": [asdict(one) for one in planes],
            "layers": [asdict(one) for one in layers],
        }
        options.json.write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _disparity_row(text: str, size: int) -> DisparityScore:
    scene, _, seed = text.partition(":")
    one = measure_disparity(cast(ScenePreset, scene), int(seed), size)
    print(
        f"| {one.scene}, {one.seed} | {one.textured:.0%} | {one.mean_absolute_px:.4f} "
        f"| {one.median_px:.4f} | {one.bad:.1%} | {one.bad_off_edges:.1%} | {one.cpu_s:.1f} |",
        flush=True,
    )
    return one


def _plane_row(text: str, size: int) -> PlaneScore:
    seed, _, slope = text.partition(":")
    one = measure_plane(int(seed), float(slope), size)
    print(
        f"| plane, {one.seed}, {one.slope:+.2f} | {one.fourier_bicubic_db:.1f} "
        f"| {one.super_resolved_db:.1f} | {one.coverage:.2f} | {one.cpu_s:.1f} |",
        flush=True,
    )
    return one


def _layer_rows(seed: int, size: int) -> list[LayerScore]:
    rows = measure_layers(seed, size)
    for one in rows:
        print(
            f"| layers, {one.seed}, {one.slope:+.2f} | {one.fourier_bicubic_db:.1f} "
            f"| {one.rays_alone_db:.1f} | {one.stack_db:.1f} |",
            flush=True,
        )
    return rows


if __name__ == "__main__":
    main()
