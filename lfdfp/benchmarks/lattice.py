"""Error of the lenslet grid over whole sensors of simulated cameras.

    python -m lfdfp.benchmarks.lattice [--cameras f01 illum] [--seeds 4] [--size N] [--realistic]
    python -m lfdfp.benchmarks.lattice --photographs [--seeds 4]

Every camera has its own pitch (± 2 %), rotation (± 0.01 rad), offset, scale of the rows (± 0.1 %)
and third-order distortion (up to 1 px at the sensor's upper border). Its metadata are falsified:
pitch by up to 3 %, rotation 0, offset 0. The error is that of every lenslet's center, after whole
lenslets were taken off: a wrong lattice row would show as an error of half a pitch somewhere.

With --photographs: every scene of photographs, at three exposures, by cameras with all
imperfections, whose metadata are off by up to 2 % in pitch, 0.01 rad and any offset. Besides the
fit, lattices that are a row or column off, half a pitch off, turned, or of another order are held
against every capture: none of them may pass.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from lfdfp.calibration.grid.fit import fit_lenslet_grid, require_lattice
from lfdfp.calibration.grid.signal import LatticePlane, lattice_planes
from lfdfp.datatypes import DoubleArray, LensletGrid, RawCapture
from lfdfp.errors import CalibrationError
from lfdfp.lenslets.arrays import LensletArray
from lfdfp.simulation import (
    REALISTIC,
    CameraModel,
    Imperfections,
    camera_model,
    make_scene,
    simulate_capture,
)
from lfdfp.simulation.names import CameraName, PhotographicScene

_LARGEST_FALSE_PITCH = 0.03
_EXPOSURES = (1.0, 0.15, 0.03)
_LARGEST_PITCH_ERROR, _LARGEST_TURN_RAD, _LARGEST_OFFSET_M = 0.02, 0.01, 1e-5
_WRONG_PITCH = 0.4
_SIZES: dict[CameraName, int] = {"f01": 800, "illum": 1100}


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
    rms, largest = rms_error_px(found, truth)
    return LatticeError(source=source, rms_px=rms, largest_px=largest, cpu_s=seconds)


def rms_error_px(found: LensletGrid, truth: LensletGrid) -> tuple[float, float]:
    """Root mean square and largest error of all lenslets' centers, whole lenslets taken off."""
    lenslets = LensletArray.over(truth).centers_px
    inside = lenslets[((lenslets > 0) & (lenslets < np.array(truth.sensor_shape) - 1)).all(axis=-1)]
    lattice = np.rint(found.lattice_coordinates(inside[:, 0], inside[:, 1]))
    square = ((found.centers(lattice[0], lattice[1]).T - inside) ** 2).sum(axis=1)
    return float(np.sqrt(square.mean())), float(np.sqrt(square.max()))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One capture of a photograph.

    Attributes
    ----------
    error_px
        Root mean square over all lenslets; None where the lattice was refused.
    wrong
        Whether the fit was taken and is a row or column off somewhere.
    standard_error_px
        What the fit says of itself.
    wrong_accepted
        How many of the wrong lattices of `wrong_lattices` pass as this capture's.
    """

    scene: str
    exposure: float
    error_px: float | None
    wrong: bool
    standard_error_px: float
    wrong_accepted: int


def wrong_lattices(grid: LensletGrid) -> list[LensletGrid]:
    """Lattices that nearly fit: half a pitch, a row, a column or a turn off; of another order."""
    right, down = np.array(grid.right_px), np.array(grid.down_px)
    origin = np.array(grid.origin_px)
    one_more = grid.pitch_px / max(grid.sensor_shape)
    turn = 1.2 * one_more
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    half, third = 0.5, 1 / 3

    def moved(share_right: float, share_down: float) -> LensletGrid:
        return replace(grid, origin_px=_pair(origin + share_right * right + share_down * down))

    def based(new_right: DoubleArray, new_down: DoubleArray) -> LensletGrid:
        return replace(grid, right_px=_pair(new_right), down_px=_pair(new_down))

    return [
        moved(half, 0),
        moved(0, half),
        moved(third, third),
        based(right, down * (1 + 0.87 * one_more)),
        based(right * (1 + one_more), down),
        based(rotation @ right, rotation @ down),
        based(right / 2, down / 2),
    ]


def _pair(values: DoubleArray) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def photograph_trial(
    camera: CameraModel, name: PhotographicScene, exposure: float, seed: int
) -> Trial:
    """Photograph a photograph, falsify the metadata, fit the grid."""
    scene = make_scene(name, camera.field_pitch, seed=seed)
    dimmed = np.array([exposure] * 3 + [1.0], np.float32)
    layers = tuple(replace(layer, texture=layer.texture * dimmed) for layer in scene.layers)
    simulated = simulate_capture(
        replace(scene, layers=layers), camera, seed=seed, rays_per_pixel=16, threads=2
    )
    capture = simulated.raw_capture()
    array = capture.microlens_array
    rng = np.random.default_rng([seed, round(1000 * exposure)])
    false = replace(
        array,
        pitch_m=array.pitch_m * (1 + rng.uniform(-1, 1) * _LARGEST_PITCH_ERROR),
        rotation_rad=array.rotation_rad + rng.uniform(-1, 1) * _LARGEST_TURN_RAD,
        sensor_offset_m=(
            *(rng.uniform(-1, 1, 2) * _LARGEST_OFFSET_M),
            array.sensor_offset_m[2],
        ),
    )
    capture = replace(capture, microlens_array=false)
    planes = lattice_planes(capture, camera.grid.pitch_px)
    wrong = sum(_passes(planes, lattice) for lattice in wrong_lattices(camera.grid))
    try:
        found = fit_lenslet_grid(capture)
    except CalibrationError:
        return Trial(
            scene=name,
            exposure=exposure,
            error_px=None,
            wrong=False,
            standard_error_px=np.nan,
            wrong_accepted=wrong,
        )
    rms, largest = rms_error_px(found, camera.grid)
    return Trial(
        scene=name,
        exposure=exposure,
        error_px=rms,
        wrong=largest > _WRONG_PITCH * camera.grid.pitch_px,
        standard_error_px=found.standard_error_px,
        wrong_accepted=wrong,
    )


def photograph_trials(
    cameras: list[CameraName], seeds: int, size: int | None
) -> dict[CameraName, list[Trial]]:
    """Every scene of photographs at every exposure, by `seeds` cameras of each name."""
    found: dict[CameraName, list[Trial]] = {}
    for name in cameras:
        found[name] = [
            photograph_trial(
                random_camera(name, seed, size=size or _SIZES[name], realistic=True),
                scene,
                exposure,
                seed,
            )
            for scene in get_args(PhotographicScene)
            for seed in range(1, seeds + 1)
            for exposure in _EXPOSURES
        ]
    return found


def _passes(planes: list[LatticePlane], lattice: LensletGrid) -> bool:
    try:
        require_lattice(planes, lattice)
    except CalibrationError:
        return False
    return True


def photograph_table(found: dict[CameraName, list[Trial]]) -> str:
    """Markdown: a row for each camera and exposure, then the scenes that are worst."""
    lines = [
        "| camera, exposure | captures | refused | rms px: median, 90 %, worst | of the captures "
        "above 0.05, 0.1 px | wrong fits accepted | wrong lattices that pass | error over standard "
        "error, median, worst |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, trials in found.items():
        for exposure in _EXPOSURES:
            lines.append(_photograph_row(name, [t for t in trials if t.exposure == exposure]))
    lines += ["", "| scene, worst rms px at | " + " | ".join(map(str, _EXPOSURES)) + " |"]
    lines.append("|---" * (len(_EXPOSURES) + 1) + "|")
    for name, trials in found.items():
        for scene in dict.fromkeys(trial.scene for trial in trials):
            worst = [
                max(
                    (t.error_px or np.nan)
                    for t in trials
                    if t.scene == scene and t.exposure == exposure
                )
                for exposure in _EXPOSURES
            ]
            lines.append(f"| {name}, {scene} | " + " | ".join(f"{w:.3f}" for w in worst) + " |")
    return "\n".join(lines)


def _photograph_row(name: str, trials: list[Trial]) -> str:
    fits = [(t.error_px, t.standard_error_px) for t in trials if t.error_px is not None]
    errors, expected = (np.array(column) for column in zip(*fits, strict=True))
    quantiles = ", ".join(f"{q:.3f}" for q in np.quantile(errors, [0.5, 0.9, 1.0]))
    ratio = errors / expected
    return (
        f"| {name}, {trials[0].exposure:g} | {len(trials)} | {len(trials) - len(fits)} "
        f"| {quantiles} | {(errors > 0.05).sum()}, {(errors > 0.1).sum()} "
        f"| {sum(t.wrong for t in trials)} "
        f"| {sum(t.wrong_accepted for t in trials)} of {7 * len(trials)} "
        f"| {np.nanmedian(ratio):.1f}, {np.nanmax(ratio):.1f} |"
    )


def main() -> None:
    """Simulate cameras, fit their grids, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = get_args(CameraName)
    parser.add_argument("--cameras", nargs="+", choices=names, default=list(names))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--size", type=int, default=None, help="sensor side; default: full")
    parser.add_argument("--realistic", action="store_true")
    parser.add_argument("--photographs", action="store_true")
    options = parser.parse_args()
    if options.photographs:
        print(photograph_table(photograph_trials(options.cameras, options.seeds, options.size)))
        return
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
