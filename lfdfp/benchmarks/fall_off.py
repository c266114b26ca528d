"""Error of the light over the field where no white image tells it.

    python -m lfdfp.benchmarks.fall_off --camera f01 --scenes layers:1 motorcycle:1 [--size N]

The response of a calibration from the capture alone is compared with the true one, both averaged
over some lenslets, as a relative difference whose mean over the field is taken off: "unknown" is
what would be left if the light were taken as even.
"""

from __future__ import annotations

import argparse
from typing import cast, get_args

import cv2
import numpy as np

from lfdfp.calibration import calibrate
from lfdfp.datatypes import Calibration, FloatArray
from lfdfp.simulation import REALISTIC, camera_model, make_scene, simulate_capture
from lfdfp.simulation.names import CameraName, ScenePreset

_WINDOW_PITCHES = 6


def measure(camera: CameraName, size: int | None, scene: str, *, realistic: bool) -> str:
    """A row of the table: `scene` is ``preset:seed``."""
    preset, seed = scene.split(":")
    model = camera_model(camera, size=size, imperfections=REALISTIC if realistic else None)
    made = make_scene(cast(ScenePreset, preset), model.field_pitch, seed=int(seed))
    capture = simulate_capture(made, model, seed=int(seed))
    truth = field_light(capture.true_calibration())
    found = field_light(calibrate(capture.raw_capture()))
    unknown, left = spread(truth), spread(found / truth)
    return f"| {camera} {size or 'full'} | {scene} | {unknown:.1f} % | {left:.1f} % |"


def field_light(calibration: Calibration) -> FloatArray:
    """Mean response over some lenslets around every pixel, sampled coarsely, 1 in the mean."""
    window = round(_WINDOW_PITCHES * calibration.grid.pitch_px)
    light = cv2.blur(calibration.response, (window, window))[::window, ::window]
    return np.asarray(light / light.mean(), np.float32)


def spread(light: FloatArray) -> float:
    """Standard deviation of the logarithm, in percent."""
    return float(100 * np.std(np.log(light)))


def main() -> None:
    """Print a row per scene."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--camera", choices=get_args(CameraName), default="f01")
    parser.add_argument("--size", type=int, help="sensor side; default: full")
    parser.add_argument("--scenes", nargs="*", default=["layers:1", "layers:2", "motorcycle:1"])
    parser.add_argument("--realistic", action="store_true", help="all imperfections at once")
    options = parser.parse_args()
    print("| captures | scene | unknown | left |\n|---|---|---|---|")
    for scene in options.scenes:
        row = measure(options.camera, options.size, scene, realistic=options.realistic)
        print(row, flush=True)


if __name__ == "__main__":
    main()
