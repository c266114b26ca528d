"""``lfdfp simulate``: a capture of a scene with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from lfdfp.cli.options import Json
from lfdfp.cli.parsing import parse_numbers, parse_size
from lfdfp.cli.reporting import announce_compilation, echo_json, reported_errors, say, stage_bar
from lfdfp.errors import SettingsError
from lfdfp.files import check_outputs
from lfdfp.simulation.names import CameraName, ScenePreset

if TYPE_CHECKING:
    from lfdfp.datatypes import FloatArray
    from lfdfp.simulation import Scene


def simulate_command(
    more_pictures: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Further pictures for --pictures.", hidden=True),
    ] = None,
    *,
    camera: Annotated[CameraName, typer.Option(help="Which camera.")] = "f01",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Capture to create. Default: simulated.lfp or .lfr."),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="ROWSxCOLUMNS", help="Middle part of the sensor. Default: all of it."),
    ] = None,
    scene: Annotated[
        ScenePreset,
        typer.Option(help="Painted from the seed (layers to mix), or of photographs (the others)."),
    ] = "layers",
    pictures: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE...",
            help="Your own pictures instead of a named scene, front first; transparent parts of "
            "PNGs show what is behind them.",
        ),
    ] = None,
    depth: Annotated[
        str | None,
        typer.Option(
            metavar="VALUES|FILE",
            help="Disparity of each picture in lenslet pitches per raw pixel, near negative, such "
            "as -0.3,0.2; or, for one picture, its depth map: .pfm in that unit, or a picture "
            "where brighter is nearer. Default: even steps from -0.4 to 0.33.",
        ),
    ] = None,
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

    Example:  lfdfp simulate --scene motorcycle -o sample/sample.lfp

    Example:  lfdfp simulate --pictures cat.png wall.jpg --depth -0.3,0.2 -o mine.lfp
    """
    from lfdfp.simulation.camera import REALISTIC, camera_model
    from lfdfp.simulation.capture import simulate_capture
    from lfdfp.simulation.files import (
        SUFFIXES,
        simulated_files,
        write_simulated_capture,
    )
    from lfdfp.simulation.presets import make_scene

    target = Path("simulated").with_suffix(SUFFIXES[camera]) if output is None else output
    if if_missing and target.is_file():
        say(f"{target}: is there already")
        return
    announce_compilation()
    flaws = REALISTIC if realistic else None
    with reported_errors():
        given = [*(pictures or []), *(more_pictures or [])]
        described = [Path(depth)] if depth is not None else []
        names = simulated_files(target, camera)
        check_outputs(*names, inputs=[*given, *described])
        check_outputs(names.capture, endings=tuple(SUFFIXES.values()))
        model = camera_model(camera, size=parse_size(size), iso=iso, imperfections=flaws)
        if given:
            made = _scene_of_pictures(given, depth, model.field_pitch)
        else:
            made = make_scene(scene, model.field_pitch, seed=seed)
        with stage_bar("simulate") as progress:
            capture = simulate_capture(made, model, seed=seed, progress=progress)
        files = write_simulated_capture(target, capture)
    written = [p for p in (files.capture, files.white_image, files.truth) if p is not None]
    if json_output:
        echo_json([str(path) for path in written])
        return
    for path in written:
        say(str(path))


def _scene_of_pictures(
    paths: list[Path], depth: str | None, field_pitch: tuple[float, float]
) -> Scene:
    """A scene of a person's pictures: planes of given disparity, or one picture with its depth."""
    from lfdfp.simulation.depth_layers import layers_from_depth
    from lfdfp.simulation.photographs import FAR, NEAR
    from lfdfp.simulation.scene import Scene, scene_from_pictures

    pictures = [_linear_picture(path) for path in paths]
    if depth is not None and Path(depth).is_file():
        if len(pictures) != 1:
            raise SettingsError(f"{depth}: a depth map belongs to one picture, not {len(paths)}")
        disparity = _depth_map(Path(depth), near=NEAR, far=FAR)
        if disparity.shape != pictures[0].shape[:2]:
            raise SettingsError(
                f"{depth}: its size {disparity.shape[::-1]} is not that of {paths[0]}, "
                f"{pictures[0].shape[1::-1]}"
            )
        layers = layers_from_depth(pictures[0][..., :3], disparity, field_pitch)
        return Scene(layers=layers, field_pitch=field_pitch, name=paths[0].name)
    if depth is None:
        values = np.linspace(NEAR, FAR, len(paths) + 2)[1:-1].tolist()
    else:
        values = parse_numbers(depth, "--depth")
    if len(values) != len(paths):
        raise SettingsError(f"{len(paths)} pictures but {len(values)} values of --depth")
    return scene_from_pictures(pictures, values, field_pitch)


def _linear_picture(path: Path) -> FloatArray:
    """Linear light, shape (rows, columns, 3), or 4 with opacity."""
    from lfdfp.storage.images import read_picture

    picture = read_picture(path)
    light = np.broadcast_to(picture.light, (*picture.light.shape[:2], 3))
    return light if picture.alpha is None else np.dstack([light, picture.alpha])


def _depth_map(path: Path, *, near: float, far: float) -> FloatArray:
    """Disparity, shape (rows, columns), pitches per raw pixel, of a map's file."""
    if path.suffix.lower() == ".pfm":
        from lfdfp.interchange.netpbm import read_pfm

        return read_pfm(path)
    from lfdfp.imaging.display import encode
    from lfdfp.storage.images import read_picture

    nearness = encode(read_picture(path).light).mean(axis=2)
    return np.asarray(far + (near - far) * nearness, np.float32)
