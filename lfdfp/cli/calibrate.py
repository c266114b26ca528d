"""``lfdfp calibrate``: white images, or several captures, to a camera's calibration file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from lfdfp.cli.options import Json
from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    fail,
    reported_errors,
    say,
    stage_bar,
)
from lfdfp.errors import CalibrationError, LfdfpError, about
from lfdfp.files import check_output_folder
from lfdfp.pipeline.batch import plan_jobs
from lfdfp.progress import Progress

if TYPE_CHECKING:
    from lfdfp.calibration import CameraCalibration

Calibrated: TypeAlias = "Callable[[Progress], CameraCalibration]"


def calibrate_command(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|FILE",
            help="Folder of MOD_nnnn.RAW/.TXT, data.C.0..3 or caldata .tar, one of these archives, "
            "or one photograph of a white surface (.lfp, .lfr, .raw).",
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

    Creates SERIAL.h5 in the output folder, one for every camera that SOURCE has images of. Searched
    later, in this order: --calibration DIR, $LFDFP_CALIBRATION, ./calibration, your data folder.

    Example:  lfdfp calibrate caldata-B5143909630.tar

    Example:  lfdfp calibrate shots/ --from-captures -o calibration/
    """
    from lfdfp.storage.camera_calibrations import save_camera_calibration, search_folders

    announce_compilation()
    folder = search_folders()[-1] if output is None else output
    with reported_errors(source):
        check_output_folder(folder, [] if source.is_dir() else [source])
        cameras = _from_captures(source) if from_captures else _from_white_images(source)
    made: list[dict[str, object]] = []
    failed = False
    for serial, calibrated in cameras.items():
        try:
            with stage_bar("calibrate") as progress:
                camera = calibrated(progress)
            made.append(_facts(save_camera_calibration(folder, camera), camera))
        except LfdfpError as error:
            fail(_about_camera(about(source, error), serial, alone=len(cameras) == 1))
            failed = True
            continue
        if not json_output:
            _tell(made[-1])
    if json_output:
        echo_json(made)
    if failed:
        raise typer.Exit(1)


def _from_white_images(source: Path) -> dict[str, Calibrated]:
    from lfdfp.calibration import calibrate_from_white_images
    from lfdfp.lfp.white_images import WhiteImage, by_camera, find_white_images, loaded

    def calibrated(images: list[WhiteImage], progress: Progress) -> CameraCalibration:
        return calibrate_from_white_images(loaded(images), expected=len(images), progress=progress)

    cameras = by_camera(find_white_images(source))
    return {serial: partial(calibrated, images) for serial, images in cameras.items()}


def _from_captures(source: Path) -> dict[str, Calibrated]:
    from lfdfp.calibration import calibrate_from_captures
    from lfdfp.datatypes import RawCapture
    from lfdfp.lfp import read_capture

    def calibrated(captures: list[RawCapture], progress: Progress) -> CameraCalibration:
        return calibrate_from_captures(captures, progress=progress)

    cameras: dict[str, list[RawCapture]] = {}
    for job in plan_jobs([source], None):
        capture = read_capture(job.path)
        cameras.setdefault(capture.camera.serial, []).append(capture)
    if not cameras:
        raise CalibrationError(f"{source}: no captures (.lfp, .lfr, .lfx) in this folder")
    return {serial: partial(calibrated, captures) for serial, captures in cameras.items()}


def _about_camera(message: str, serial: str, *, alone: bool) -> str:
    return message if alone else f"camera {serial or 'without serial number'}: {message}"


def _facts(path: Path, camera: CameraCalibration) -> dict[str, object]:
    return {
        "calibration": str(path),
        "serial": camera.serial,
        "model": camera.model,
        "origin": camera.origin,
        "settings": len(camera.lenslets),
        "notes": list(camera.notes),
    }


def _tell(facts: dict[str, Any]) -> None:
    echo_notes(facts["notes"])
    say(
        f"{facts['calibration']}: camera {facts['serial']}, {facts['settings']} settings of zoom "
        f"and focus, from {facts['origin']}"
    )
