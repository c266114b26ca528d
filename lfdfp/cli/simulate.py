"""``lfdfp simulate``: a capture of a scene with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from lfdfp.cli.parsing import parse_size
from lfdfp.cli.reporting import echo_json, reported_errors, stage_bar


def simulate_command(
    camera: Annotated[Literal["f01", "illum"], typer.Option(help="Which camera.")] = "f01",
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Capture to create (.lfp for F01, .lfr for Illum)."),
    ] = Path("simulated.lfp"),
    size: Annotated[
        str | None,
        typer.Option(metavar="ROWSxCOLUMNS", help="Sensor size. Default: the camera's own."),
    ] = None,
    scene: Annotated[str, typer.Option(help="Kind of scene.")] = "layers",
    iso: Annotated[float | None, typer.Option(help="Sensitivity, which sets the noise.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of scene, camera and noise.")] = 0,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Do nothing where the output is there already.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Facts as JSON on stdout.")] = False,
) -> None:
    """Simulate a raw capture, format-true, with its white image and the truth beside it.

    Example:  lfdfp simulate --camera f01 --seed 1 -o sample/sample.lfp
    """
    from lfdfp.simulate import simulate_files

    if if_missing and output.is_file():
        typer.echo(f"{output}: is there already")
        return
    with reported_errors(), stage_bar("simulate") as progress:
        paths = simulate_files(
            output,
            camera=camera,
            scene=scene,
            size=parse_size(size),
            iso=iso,
            seed=seed,
            progress=progress,
        )
    if json_output:
        echo_json([str(path) for path in paths])
        return
    for path in paths:
        typer.echo(path)
