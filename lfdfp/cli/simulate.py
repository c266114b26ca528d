"""``lfdfp simulate``: a capture of a scene with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.options import Json
from lfdfp.cli.parsing import parse_size
from lfdfp.cli.reporting import announce_compilation, echo_json, reported_errors, stage_bar
from lfdfp.simulation.names import CameraName, ScenePreset


def simulate_command(
    camera: Annotated[CameraName, typer.Option(help="Which camera.")] = "f01",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Capture to create. Default: simulated.lfp or .lfr."),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="ROWSxCOLUMNS", help="Middle part of the sensor. Default: all of it."),
    ] = None,
    scene: Annotated[ScenePreset, typer.Option(help="Kind of scene.")] = "layers",
    iso: Annotated[
        float | None, typer.Option(min=20, max=25600, help="Sensitivity, which sets the noise.")
    ] = None,
    realistic: Annotated[
        bool, typer.Option("--realistic", help="With crosstalk, diffraction, hot pixels and more.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of scene, camera and noise.")] = 0,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Do nothing where the output is there already.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Simulate a raw capture, format-true, with its white image and the truth beside it.

    Example:  lfdfp simulate --camera f01 --seed 1 -o sample/sample.lfp
    """
    from lfdfp.simulation.camera import REALISTIC, camera_model
    from lfdfp.simulation.capture import simulate_capture
    from lfdfp.simulation.files import SUFFIXES, write_simulated_capture
    from lfdfp.simulation.presets import make_scene

    target = Path("simulated").with_suffix(SUFFIXES[camera]) if output is None else output
    if if_missing and target.is_file():
        typer.echo(f"{target}: is there already")
        return
    announce_compilation()
    flaws = REALISTIC if realistic else None
    with reported_errors():
        model = camera_model(camera, size=parse_size(size), iso=iso, imperfections=flaws)
        picture = make_scene(scene, model.field_pitch, seed=seed)
        with stage_bar("simulate") as progress:
            capture = simulate_capture(picture, model, seed=seed, progress=progress)
        files = write_simulated_capture(target, capture)
    written = [p for p in (files.capture, files.white_image, files.truth) if p is not None]
    if json_output:
        echo_json([str(path) for path in written])
        return
    for path in written:
        typer.echo(path)
