"""``lfdfp export``: results as animations, stereo pictures, quilts, depth and single views."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lfdfp.cli.parsing import parse_grid, parse_pair
from lfdfp.cli.reporting import announce_compilation, reported_errors, say, stage_bar
from lfdfp.errors import SettingsError

if TYPE_CHECKING:
    from lfdfp.datatypes import SharpPicture

_MOST_VIEWS = 200


def export_command(
    result: Annotated[
        Path,
        typer.Argument(metavar="FOLDER|FILE", help="Folder that run made, or its fusion.h5."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to create. Default: beside the result."),
    ] = None,
    animate: Annotated[
        Literal["focus", "wiggle", "orbit", "dolly"] | None,
        typer.Option(
            help="A loop as .webp, .gif or .mp4: focus travels, the eye moves, or the camera moves "
            "back while it zooms in (dolly)."
        ),
    ] = None,
    stereo: Annotated[
        Literal["sbs", "cross", "anaglyph"] | None,
        typer.Option(help="Two views side by side, for crossed eyes, or for red-cyan glasses."),
    ] = None,
    quilt: Annotated[
        str | None,
        typer.Option(metavar="COLUMNSxROWS", help="Views for a light-field display, such as 8x6."),
    ] = None,
    depth: Annotated[
        bool,
        typer.Option(
            "--depth",
            help="Depth as 16-bit .png, float .tif, .pfm or .exr; .jpg is the picture with a "
            "depth map.",
        ),
    ] = False,
    white: Annotated[
        Literal["near", "far"], typer.Option(help="Of --depth as .png: what is white.")
    ] = "near",
    focus_at: Annotated[
        str | None,
        typer.Option(metavar="X,Y", help="One picture, in focus at this place; 0 to 1 each."),
    ] = None,
    slope: Annotated[
        float | None, typer.Option(help="One picture, in focus on this plane.")
    ] = None,
    aperture: Annotated[
        str, typer.Option(help="Of that picture: round:0 (all sharp) to round:4.")
    ] = "round:1",
    viewpoint: Annotated[
        str | None,
        typer.Option(metavar="V,U", help="Of that picture, in views down and right of the middle."),
    ] = None,
    frames: Annotated[int, typer.Option(min=4, max=600, help="Of an animation.")] = 36,
    frames_per_second: Annotated[float, typer.Option(min=1, max=60)] = 18.0,
    width: Annotated[int, typer.Option(min=64, max=8192, help="Of an animation at most.")] = 960,
) -> None:
    """Turn a result into what other programs, displays and people take.

    Example:  lfdfp export IMG_0001/ --animate orbit

    Example:  lfdfp export IMG_0001/ --depth -o IMG_0001_depth.png

    Example:  lfdfp export IMG_0001/ --focus-at 0.4,0.6 --aperture round:2 -o near.png
    """
    from lfdfp.files import check_outputs
    from lfdfp.pipeline import export
    from lfdfp.pipeline.shown import shown_picture

    single = focus_at is not None or slope is not None or viewpoint is not None
    asked = [animate is not None, stereo is not None, quilt is not None, depth, single]
    if sum(asked) != 1:
        raise typer.BadParameter(
            "say what to make, one at a time: --animate, --stereo, --quilt, --depth, or a picture "
            "by --focus-at, --slope or --viewpoint"
        )
    announce_compilation()
    name = animate or stereo or ("depth" if depth else "view")
    target = output or _beside(result, f"{name}{'.webp' if animate else '.png'}")
    with reported_errors(result):
        check_outputs(target, inputs=[result], endings=_endings(animate is not None, depth))
        picture = shown_picture(result)
        with stage_bar("render") as progress:
            if animate is not None:
                how = export.AnimationSettings(
                    frames=frames, frames_per_second=frames_per_second, width=width
                )
                export.export_animation(picture, target, animate, how, progress=progress)
            elif stereo is not None:
                export.export_stereo(picture, target, stereo)
            elif quilt is not None:
                target = export.export_quilt(picture, target, _grid(quilt), progress=progress)
            elif depth:
                export.export_depth(picture, target, white)
            else:
                _export_view(picture, target, focus_at, slope, aperture, viewpoint)
    say(str(target))


def _endings(animated: bool, depth: bool) -> tuple[str, ...]:
    from lfdfp.interchange.depth_picture import DEPTH_SUFFIXES
    from lfdfp.report.animation import ANIMATION_SUFFIXES
    from lfdfp.storage.images import WRITTEN_SUFFIXES

    if animated:
        return ANIMATION_SUFFIXES
    return DEPTH_SUFFIXES if depth else tuple(WRITTEN_SUFFIXES)


def _export_view(
    picture: SharpPicture,
    target: Path,
    focus_at: str | None,
    slope: float | None,
    aperture: str,
    viewpoint: str | None,
) -> None:
    from lfdfp.pipeline.export import slope_at
    from lfdfp.pipeline.opening import save
    from lfdfp.rendering.render import render

    if focus_at is not None:
        slope = slope_at(picture, parse_pair(focus_at, "--focus-at") or (0.5, 0.5))
    eye = parse_pair(viewpoint, "--viewpoint") or (0.0, 0.0)
    save(render(picture, slope or 0.0, aperture=aperture, viewpoint=eye), target)


def _beside(result: Path, name: str) -> Path:
    return (result if result.is_dir() else result.parent) / name


def _grid(text: str) -> tuple[int, int]:
    grid = parse_grid(text, "--quilt", "columns")
    if grid is None or not 2 <= grid[0] * grid[1] <= _MOST_VIEWS:
        raise SettingsError(f"--quilt {text}: 2 to {_MOST_VIEWS} views are possible")
    return grid
