"""Error of the lenslet grid over whole sensors of simulated cameras.

    python -m lfdfp.benchmarks.lattice [--cameras f01 illum] [--seeds 4] [--size N] [--realistic]

Every camera has its own pitch (± 2 %), rotation (± 0.01 rad), offset, scale of the rows (± 0.1 %)
and third-order distortion (up to 1 px at the sensor's upper border). Its metadata are falsified:
pitch by up to 3 %, rotation 0, offset 0. The error is that of every lenslet's center, after whole
lenslets were taken off: a wrong lattice row would show as an error of half a pitch somewhere.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from lfdfp.calibration import fit_lenslet_grid
from lfdfp.datatypes import LensletGrid, RawCapture
from lfdfp.lenslets.arrays import LensletArray
from lfdfp.simulation import (
    REALISTIC,
    CameraModel,
    Imperfections,
    camera_model,
    make_scene,
    simulate_capture,
)
from lfdfp.simulation.names import CameraName

_LARGEST_FALSE_PITCH = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeError:
    """Of all lenslets of one sensor, in pixels."""

    source: str
    rms_px: float
    largest_px: float
    cpu_s: float


def random_camera(name: CameraName, seed: int, *, size: int | None, realistic: bool) -> CameraModel:
    """A camera whose lattice nobody knows."""
    rng = np.random.default_rng(seed)
    model = camera_model(name, size=size)
    array = model.microlens_array
    # Distortion is given at the border of the full sensor and grows with the third power.
    enlarged = (model.full_shape[0] / model.shape[0]) ** 3
    return replace(
        model,
        microlens_array=replace(
            array,
            pitch_m=array.pitch_m * rng.uniform(0.98, 1.02),
            rotation_rad=rng.uniform(-0.01, 0.01),
            scale=(rng.uniform(0.999, 1.001), 1.0),
            sensor_offset_m=(*rng.uniform(-1e-5, 1e-5, 2), array.sensor_offset_m[2]),
        ),
        imperfections=replace(
            REALISTIC if realistic else Imperfections(),
            distortion_px=rng.uniform(-1, 1) * enlarged,
        ),
    )


def falsified(capture: RawCapture, rng: np.random.Generator) -> RawCapture:
    """The capture with metadata that are off by more than real ones."""
    array = capture.microlens_array
    false = replace(
        array,
        pitch_m=array.pitch_m * (1 + rng.uniform(-1, 1) * _LARGEST_FALSE_PITCH),
        rotation_rad=0.0,
        sensor_offset_m=(0.0, 0.0, array.sensor_offset_m[2]),
    )
    return replace(capture, microlens_array=false)


def lattice_error(capture: RawCapture, truth: LensletGrid, source: str) -> LatticeError:
    """Fit the grid and compare all its centers with the truth."""
    start = time.process_time()
    found = fit_lenslet_grid(capture, is_white=source == "white image")
    seconds = time.process_time() - start
    lenslets = LensletArray.over(truth).centers_px
    inside = lenslets[((lenslets > 0) & (lenslets < np.array(truth.sensor_shape) - 1)).all(axis=-1)]
    lattice = np.rint(found.lattice_coordinates(inside[:, 0], inside[:, 1]))
    square = ((found.centers(lattice[0], lattice[1]).T - inside) ** 2).sum(axis=1)
    return LatticeError(
        source=source,
        rms_px=float(np.sqrt(square.mean())),
        largest_px=float(np.sqrt(square.max())),
        cpu_s=seconds,
    )


def table(found: dict[str, list[LatticeError]]) -> str:
    """Markdown: mean and worst over the seeds."""
    lines = [
        "| camera, from | seeds | rms px, mean | worst | largest error px | CPU s |",
        "|---|---|---|---|---|---|",
    ]
    for name, errors in found.items():
        rms = [error.rms_px for error in errors]
        lines.append(
            f"| {name} | {len(errors)} | {np.mean(rms):.3f} | {max(rms):.3f} "
            f"| {max(e.largest_px for e in errors):.3f} "
            f"| {np.median([e.cpu_s for e in errors]):.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Simulate cameras, fit their grids, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = get_args(CameraName)
    parser.add_argument("--cameras", nargs="+", choices=names, default=list(names))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--size", type=int, default=None, help="sensor side; default: full")
    parser.add_argument("--realistic", action="store_true")
    options = parser.parse_args()
    found: dict[str, list[LatticeError]] = {}
    for name in options.cameras:
        for seed in range(1, options.seeds + 1):
            camera = random_camera(name, seed, size=options.size, realistic=options.realistic)
            scene = make_scene("layers", camera.field_pitch, seed=seed)
            simulated = simulate_capture(scene, camera, seed=seed, rays_per_pixel=16)
            rng = np.random.default_rng(seed)
            for source, capture in (
                ("white image", simulated.white_capture()),
                ("scene", simulated.raw_capture()),
            ):
                error = lattice_error(falsified(capture, rng), camera.grid, source)
                found.setdefault(f"{name}, {source}", []).append(error)
    print(table(found))


if __name__ == "__main__":
    main()
