"""Color errors of a photographed chart, as pictures show it, by ISO.

    python -m lfdfp.benchmarks.colors [--camera f01] [--size 656] [--iso 80 400 1600]
    python -m lfdfp.benchmarks.colors --capture FILE --solution fusion.h5 --areas 60x60+300+450

The chart (`simulate --scene chart`) is photographed at each ISO, calibrated from itself, decoded
and reconstructed at x2. Every field's picture is compared with its true color by CIEDE2000: once
the mean of the field (casts), once pixel by pixel (casts and noise). "Clipped" is plain light,
cut off at black and white; "shown" is what pictures show, without the shoulder, which darkens
whites on purpose.

With --capture: the chroma of plain parts of a real capture's picture, which `run` has solved, where
one cause of false colors after the other is taken away.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from lfdfp.calibration import calibrate, fit_lenslet_grid
from lfdfp.calibration.black_level import measured_black_level
from lfdfp.datatypes import BAYER_COLOR, FloatArray, RawCapture, RayEvidence, SharpPicture
from lfdfp.evaluation.simulated_captures import aligned_truth
from lfdfp.imaging.color import display_matrix, exposure_gain
from lfdfp.imaging.display import encode_srgb
from lfdfp.imaging.rendition import rendered, rendered_picture, rendition_for
from lfdfp.lfp import read_capture
from lfdfp.pipeline import stages
from lfdfp.settings import DisplaySettings, FusionSettings
from lfdfp.simulation import REALISTIC, camera_model, make_scene, simulate_capture
from lfdfp.simulation.chart import chart_fields
from lfdfp.simulation.names import CameraName
from lfdfp.storage.hdf5 import load_sharp_picture

_ERODED_PX = 3
_GROUPS = ("colors", "grays", "dark grays", "grays beyond white")
_ROWS = (slice(0, 3), slice(3, 4), slice(4, 5), slice(5, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldErrors:
    """CIEDE2000 of the chart's fields, shape (6, 6): of their means, and mean over their pixels."""

    of_means: FloatArray
    of_pixels: FloatArray


def field_errors(picture: FloatArray, labels: FloatArray) -> FieldErrors:
    """Compare linear light (T, S, 3) with the chart, by the field (T, S) of each pixel."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    fields = chart_fields()
    of_means, of_pixels = (np.zeros(fields.shape[:2], np.float32) for _ in range(2))
    for n, color in enumerate(fields.reshape(-1, 3)):
        chosen = picture[labels == n]
        true = rgb2lab(encode_srgb(color[None]))
        mean = rgb2lab(encode_srgb(chosen.mean(axis=0, keepdims=True)))
        of_means.flat[n] = deltaE_ciede2000(true, mean)[0]
        of_pixels.flat[n] = deltaE_ciede2000(true, rgb2lab(encode_srgb(chosen))).mean()
    return FieldErrors(of_means=of_means, of_pixels=of_pixels)


def field_labels(truth: FloatArray) -> FloatArray:
    """Which field every pixel of the true picture (T, S, 3) lies well inside of; -1 elsewhere."""
    import cv2

    labels = np.full(truth.shape[:2], -1.0, np.float32)
    kernel = np.ones((2 * _ERODED_PX + 1,) * 2, np.uint8)
    for n, color in enumerate(chart_fields().reshape(-1, 3)):
        near = (np.abs(truth - color) < 2e-4 + 2e-3 * color).all(axis=-1)
        labels[cv2.erode(near.astype(np.uint8), kernel) > 0] = n
    return labels


def measure(camera: CameraName, size: int | None, iso: float) -> dict[str, FieldErrors]:
    """Errors of the center view and of the picture, clipped and as shown."""
    model = replace(camera_model(camera, size=size), imperfections=REALISTIC, iso=iso)
    scene = make_scene("chart", model.field_pitch, seed=1)
    simulated = simulate_capture(scene, model, seed=1, rays_per_pixel=16, threads=2)
    capture = simulated.raw_capture()
    field = stages.light_field(capture, calibrate(capture, simulated.white_capture()))
    stack = stages.focal_stack(field)
    picture = stages.sharp_picture(field, stack, FusionSettings(scale=2))
    truth = aligned_truth(simulated, field)
    linear = DisplaySettings(tone="linear")
    rendition = rendition_for(linear, picture.all_in_focus, stages.camera_colors(capture))
    view = field.view(*field.center)
    fine, coarse = (field_labels(truth.all_in_focus(k)) for k in (2, 1))
    return {
        "picture, clipped": field_errors(picture.super_resolved, fine),
        "picture, shown": field_errors(rendered_picture(picture, rendition).super_resolved, fine),
        "center view, clipped": field_errors(view, coarse),
        "center view, shown": field_errors(rendered(view, rendition), coarse),
    }


def chroma_by_cause(
    capture: RawCapture, picture: SharpPicture, area: tuple[slice, slice]
) -> list[float]:
    """Mean CIELAB chroma of an area: as it is, and without one cause of false colors each.

    The black level (as the gaps between lenslets show it, also where a compression has moved it),
    the color matrix, noise, JPEG, and the last two together.
    """
    colors = stages.camera_colors(capture)
    plain = rendition_for(DisplaySettings(tone="linear"), picture.all_in_focus, colors)
    untouched = replace(plain, erased=None)
    light = picture.super_resolved
    evidence = picture.evidence
    error = evidence.standard_error if isinstance(evidence, RayEvidence) else None
    to_display = display_matrix(colors.data)
    camera = light @ np.linalg.inv(to_display).T
    pictures = (
        light,
        (camera - _black_offset(capture)) @ to_display.T,
        camera * exposure_gain(colors.data),
        rendered(light, untouched, standard_error=error, scale=picture.scale),
        rendered(light, plain, scale=picture.scale),
        rendered(light, plain, standard_error=error, scale=picture.scale),
    )
    return [_chroma(np.asarray(one[area], np.float32)) for one in pictures]


def _black_offset(capture: RawCapture) -> FloatArray:
    """Error of the metadata's black level, shape (3,), in white-balanced light."""
    black = measured_black_level(capture, fit_lenslet_grid(capture))
    offset = np.zeros(3, np.float32)
    for n, (channel, _, _, stated, white) in enumerate(capture.bayer_planes()):
        color = BAYER_COLOR[channel]
        share = 0.0 if black is None else (black.codes[n] - stated) / (white - stated)
        share *= capture.color.white_balance[color]
        offset[color] += share / (2 if color == 1 else 1)
    return offset


def _chroma(light: FloatArray) -> float:
    from skimage.color import rgb2lab

    _, a, b = rgb2lab(encode_srgb(light)).reshape(-1, 3).mean(axis=0)
    return float(np.hypot(a, b))


def cause_table(capture: RawCapture, picture: SharpPicture, areas: list[str]) -> str:
    """Markdown: a row per area, ``ROWSxCOLUMNS+TOP+LEFT`` in pixels of the picture."""
    lines = [
        "| area | as it was | black level as measured | without the color matrix | noise held "
        "| JPEG's losses neutral | both |",
        "|---|---|---|---|---|---|---|",
    ]
    for text in areas:
        rows, columns, top, left = (int(n) for n in re.split(r"[x+]", text))
        area = slice(top, top + rows), slice(left, left + columns)
        cells = (f"{chroma:.1f}" for chroma in chroma_by_cause(capture, picture, area))
        lines.append(f"| {text} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def table(found: dict[float, dict[str, FieldErrors]]) -> str:
    """Markdown: a row per ISO and picture, a column per group of fields."""
    lines = [
        "| ISO, picture | " + " | ".join(f"{name}: means / pixels" for name in _GROUPS) + " |",
        "|---" * (1 + len(_GROUPS)) + "|",
    ]
    for iso, pictures in found.items():
        for name, errors in pictures.items():
            cells = [
                f"{errors.of_means[rows].mean():.1f} / {errors.of_pixels[rows].mean():.1f}"
                for rows in _ROWS
            ]
            lines.append(f"| {iso:g}, {name} | " + " | ".join(cells) + " |")
    lines += ["", "Gray fields one by one, means, brightest first:", ""]
    for iso, pictures in found.items():
        for name, errors in pictures.items():
            of_grays = [errors.of_means[rows][0] for rows in _ROWS[1:]]
            cells = ["  ".join(f"{e:.1f}" for e in row) for row in of_grays]
            lines.append(f"| {iso:g}, {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Photograph the chart and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--camera", choices=get_args(CameraName), default="f01")
    parser.add_argument("--size", type=int, default=656, help="sensor side")
    parser.add_argument("--iso", type=float, nargs="+", default=[80, 400, 1600])
    parser.add_argument("--capture", type=Path)
    parser.add_argument("--solution", type=Path, help="fusion.h5 of run on that capture")
    parser.add_argument("--areas", nargs="+", default=[])
    options = parser.parse_args()
    if options.capture is not None:
        picture = load_sharp_picture(options.solution)
        print(cause_table(read_capture(options.capture), picture, options.areas))
        return
    print(table({iso: measure(options.camera, options.size, iso) for iso in options.iso}))


if __name__ == "__main__":
    main()
