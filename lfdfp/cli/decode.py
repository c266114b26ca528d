"""``lfdfp decode``: a raw capture to a light field."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.options import CalibrationFolder, Json, NoVerify, RawCaptureFile, WhiteImageFile
from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    reported_errors,
    say,
    stage_bar,
)
from lfdfp.files import check_outputs
from lfdfp.settings import DecodeSettings


def decode_command(
    capture: RawCaptureFile,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Light field to create. Default: CAPTURE.lf.h5."),
    ] = None,
    angular_size: Annotated[
        int | None, typer.Option(min=1, max=31, help="Views along each axis. Default: all good.")
    ] = None,
    calibration: CalibrationFolder = None,
    white_image: WhiteImageFile = None,
    no_verify: NoVerify = False,
    json_output: Json = False,
) -> None:
    """Decode a raw capture to a light field (.h5): views in linear light, with weights.

    Example:  lfdfp decode IMG_0001.lfp -o field.h5
    """
    from lfdfp.imaging.rendition import COLORS
    from lfdfp.pipeline.stages import CaptureSource, camera_colors, decoded_capture
    from lfdfp.storage.hdf5 import save_light_field
    from lfdfp.storage.images import SHOT, shot_of

    with reported_errors():
        settings = DecodeSettings(angular_size=angular_size)
    announce_compilation()
    target = capture.with_suffix(".lf.h5") if output is None else output
    with reported_errors(capture):
        inputs = (capture, *([] if white_image is None else [white_image]))
        check_outputs(target, inputs=inputs, endings=(".h5", ".hdf5"))
        source = CaptureSource(
            path=capture, calibration=calibration, white_image=white_image, verify=not no_verify
        )
        decoded = decoded_capture(source, settings, stage=stage_bar)
        field, calibrated = decoded.field, decoded.calibration
        provenance = {
            "input_sha256": decoded.capture.source_sha256,
            SHOT: shot_of(decoded.capture),
            COLORS: asdict(camera_colors(decoded.capture)),
            "settings": {"decode": asdict(settings)},
        }
        save_light_field(target, field, provenance)
    warnings = list(decoded.warnings)
    facts = {
        "light_field": str(target),
        "shape": list(field.views.shape),
        "axes": "v u t s c",
        "calibration": calibrated.source,
        "grid_residual_px": calibrated.grid.residual_px,
        "warnings": warnings,
    }
    if json_output:
        echo_json(facts)
        return
    echo_notes(warnings)
    v, u, t, s, _ = field.views.shape
    say(f"{target}: {v} x {u} views of {t} x {s} pixels")
    say(f"calibration: {calibrated.source}")
