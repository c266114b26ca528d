"""``lfdfp calibrate``: white images, or several captures, to a camera's calibration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.options import Json
from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    reported_errors,
    say,
    stage_bar,
)


def calibrate_command(
    source: Annotated[
        Path,
        typer.Argument(
            help="Folder of MOD_nnnn.RAW/.TXT or of data.C.0..3, a caldata .tar, one data.C.0, "
            "or one photograph of a white surface (.lfp, .lfr, .raw)."
        ),
    ],
    from_captures: Annotated[
        bool,
        typer.Option("--from-captures", help="SOURCE is a folder of ordinary captures instead."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Where to keep it. Default: your data folder."
        ),
    ] = None,
    json_output: Json = False,
) -> None:
    """Build a camera's calibration file, once; `run` and `decode` then find it by themselves.

    Creates SERIAL.h5 in the output folder. Searched later, in this order: --calibration DIR,
    $LFDFP_CALIBRATION, ./calibration, your data folder.

    Example:  lfdfp calibrate caldata-B5143909630.tar

    Example:  lfdfp calibrate shots/ --from-captures -o calibration/
    """
    from lfdfp.calibration import calibrate_from_captures, calibrate_from_white_images
    from lfdfp.lfp import read_capture
    from lfdfp.lfp.white_images import count_white_images, white_images
    from lfdfp.pipeline.batch import plan_jobs
    from lfdfp.storage.camera_calibrations import save_camera_calibration, search_folders

    announce_compilation()
    folder = search_folders()[-1] if output is None else output
    with reported_errors(source):
        with stage_bar("calibrate") as progress:
            if from_captures:
                captures = [read_capture(job.path) for job in plan_jobs([source], None)]
                camera = calibrate_from_captures(captures, progress=progress)
            else:
                expected = count_white_images(source)
                camera = calibrate_from_white_images(
                    white_images(source), expected=expected, progress=progress
                )
        path = save_camera_calibration(folder, camera)
    facts = {
        "calibration": str(path),
        "serial": camera.serial,
        "model": camera.model,
        "origin": camera.origin,
        "settings": len(camera.lenslets),
        "notes": list(camera.notes),
    }
    if json_output:
        echo_json(facts)
        return
    echo_notes(camera.notes)
    say(
        f"{path}: camera {camera.serial or 'without serial number'}, "
        f"{len(camera.lenslets)} settings of zoom and focus, from {camera.origin}"
    )
