"""Decoding against simulated truth: PSNR at the lenslet samples and on the square grid.

    python -m lfdfp.benchmarks.decode_quality [--size 500] [--seeds 1 2] [--realistic]

Prints one JSON object per camera, seed and calibration. `noise_bound` is what one noisy pixel of
each color, exactly at every ray, would reach: averaging over a lens image may pass it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from lfdfp.calibration import calibrate
from lfdfp.datatypes import ROW_STEP_PITCHES, BoolArray, Calibration, DoubleArray, FloatArray
from lfdfp.decoding.demosaic import demosaic_lens_images
from lfdfp.decoding.sensor import sensor_light
from lfdfp.decoding.views import lenslets_around, rendering_matrix, view_gains, view_offsets_px
from lfdfp.evaluation import metrics
from lfdfp.evaluation.plain_decode import PlainDecode
from lfdfp.evaluation.protocol import encoded
from lfdfp.imaging.color import camera_to_srgb_matrix, display_matrix
from lfdfp.progress import ignore_progress
from lfdfp.simulation import (
    REALISTIC,
    Imperfections,
    SimulatedCapture,
    camera_model,
    make_scene,
    simulate_capture,
)

_REACH = 3


def psnr(a: FloatArray, b: FloatArray) -> float:
    """PSNR in dB of linear light, encoded as the protocol has it."""
    return metrics.psnr(encoded(a), encoded(b))


def lenslets_inside(simulated: SimulatedCapture) -> tuple[DoubleArray, DoubleArray, BoolArray]:
    """q, r of the lenslets around the views' samples, and which lie well inside the sensor."""
    grid = simulated.camera.grid
    lenslets = lenslets_around(grid, simulated.sampling)
    limits = np.array(grid.sensor_shape) - grid.pitch_px
    centers = lenslets.centers_px
    inside = ((centers > grid.pitch_px) & (centers < limits)).all(axis=-1)
    return *lenslets.coordinates(), np.asarray(inside)


def decoded_samples(simulated: SimulatedCapture, calibration: Calibration) -> FloatArray:
    """Shape (rows, lenslets, 7, 7, 3): the inner views at the lenslets, in linear sRGB."""
    capture, grid = simulated.raw_capture(), calibration.grid
    lenslets = lenslets_around(grid, simulated.sampling)
    images = demosaic_lens_images(
        sensor_light(capture, calibration),
        calibration.response,
        lenslets,
        capture.color.white_balance,
        progress=ignore_progress,
    )
    size = 2 * _REACH + 1
    offsets = view_offsets_px(grid, simulated.sampling, size)
    matrix = rendering_matrix(
        images.model, offsets, view_gains(images, offsets), display_matrix(capture.color)
    )
    return (images.coefficients @ matrix).reshape(*images.valid.shape, size, size, 3)


def one_pixel_per_color(
    truth: FloatArray, response: FloatArray, simulated: SimulatedCapture
) -> FloatArray:
    """`truth`, shape (n, 3), with the noise of single pixels of this response, shape (n,)."""
    camera, noise = simulated.camera, simulated.camera.noise
    matrix = camera_to_srgb_matrix(camera.color)
    span = camera.white_code - camera.black_code
    light = np.maximum(truth @ np.linalg.inv(matrix).T, 0)
    codes = light * response[:, None] * span
    variance = noise.read_variance + noise.shot_gain * codes + (noise.relative * codes) ** 2
    draw = np.random.default_rng(0).standard_normal(codes.shape)
    measured = light + draw * np.sqrt(variance) / span / response[:, None]
    return np.asarray(measured @ matrix.T, np.float32)


def compare(simulated: SimulatedCapture, calibrations: dict[str, Calibration]) -> dict[str, Any]:
    """PSNR of the center view, the mean over the inner 7 x 7, and the corner view (3, 3)."""
    q, r, inside = lenslets_inside(simulated)
    plain = PlainDecode(simulated.raw_capture(), simulated.true_calibration())
    ours = {name: decoded_samples(simulated, c) for name, c in calibrations.items()}
    offsets = view_offsets_px(simulated.camera.grid, simulated.sampling, 2 * _REACH + 1)
    found: dict[str, dict[tuple[int, int], float]] = {
        n: {} for n in ("plain", "noise_bound", *ours)
    }
    for v, u in np.ndindex(2 * _REACH + 1, 2 * _REACH + 1):
        key = (v - _REACH, u - _REACH)
        truth = simulated.light_at(r * ROW_STEP_PITCHES, q + r / 2, *key, rays=64)[inside]
        samples = plain.at_lenslets(q, r, *key)[inside]
        found["plain"][key] = psnr(samples, truth)
        place = simulated.camera.grid.centers(q, r)[:, inside] + offsets[v, u][:, None]
        row, column = np.rint(place).astype(int)
        response = np.maximum(simulated.response[row, column], 0.02)
        noisy = one_pixel_per_color(truth, response, simulated)
        found["noise_bound"][key] = psnr(noisy, truth)
        for name, views in ours.items():
            found[name][key] = psnr(views[:, :, v, u][inside], truth)
    return {
        name: {
            "center": round(values[0, 0], 2),
            "inner_7x7": round(float(np.mean(list(values.values()))), 2),
            "corner_3_3": round(values[_REACH, _REACH], 2),
        }
        for name, values in found.items()
    }


def cases(size: int, seeds: list[int], realistic: bool) -> Iterator[tuple[str, SimulatedCapture]]:
    """Captures of the `layers` scene by both cameras."""
    flaws = REALISTIC if realistic else Imperfections()
    for camera in ("f01", "illum"):
        for seed in seeds:
            model = camera_model(camera, size=(size, size + 40), imperfections=flaws)
            scene = make_scene("layers", model.field_pitch, seed=seed)
            simulated = simulate_capture(scene, model, seed=seed, rays_per_pixel=16)
            yield f"{camera} seed {seed}", simulated


def main() -> None:
    """Print the comparison as lines of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--realistic", action="store_true")
    options = parser.parse_args()
    for name, simulated in cases(options.size, options.seeds, options.realistic):
        calibrations = {
            "true_calibration": simulated.true_calibration(),
            "white_image": calibrate(simulated.raw_capture(with_white_image=True)),
            "no_white_image": calibrate(simulated.raw_capture()),
        }
        print(json.dumps({"case": name, **compare(simulated, calibrations)}), flush=True)


if __name__ == "__main__":
    main()
