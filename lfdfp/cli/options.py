"""Arguments and options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from lfdfp.pipeline.record import Keep, PictureFormat
from lfdfp.settings import Data, Preset, Prior, Tone

RawCaptureFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="Raw capture (.lfp, .lfr, .raw with its .txt).")
]

LightFieldFile = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT",
        help="Light field: .h5 of decode, or any that convert reads; "
        "or a raw capture (.lfp, .lfr), which is decoded first.",
    ),
]

CalibrationFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="For captures: folder of calibrations that is searched first."
    ),
]

WhiteImageFile = Annotated[
    Path | None,
    typer.Option(metavar="RAW", help="For captures: white image of the same camera and zoom."),
]

NoVerify = Annotated[
    bool, typer.Option("--no-verify", help="Go on where a checksum does not match.")
]

Json = Annotated[bool, typer.Option("--json", help="Facts as JSON on stdout.")]

OutputFolder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Folder for the outputs. Default: one named after each capture, beside it.",
    ),
]

Scale = Annotated[int | None, typer.Option(min=1, max=4, help="How many times finer. Default: 2.")]

Planes = Annotated[
    int | None, typer.Option(min=2, max=256, help="Slices in the stack. Default: automatic.")
]

Slopes = Annotated[
    str | None,
    typer.Option(
        metavar="FIRST:LAST:COUNT",
        help="Slices in pixels per angular step. Default: auto, the range of the scene.",
    ),
]

PRESETS_HELP = (
    "How much work enlarging a stack does; CPU seconds for two pictures of 260 x 260 at --scale 2: "
    "fast 0.3, scratch 7 (nothing is learned beforehand), balanced 14, best 29, paper 500 (the "
    "published recipe). At --scale 1 all but paper do the same."
)

FusionPreset = Annotated[Preset | None, typer.Option(help=f"{PRESETS_HELP} Default: balanced.")]

DataTerm = Annotated[
    Data | None,
    typer.Option(help="Make the picture from the raw rays or from the focal stack."),
]

PicturePrior = Annotated[
    Prior | None,
    typer.Option(
        help="Prior of the picture from rays: total variation alone, or with a learned correction. "
        "Default: variation."
    ),
]

Exposure = Annotated[
    float | None,
    typer.Option(
        "--exposure", metavar="EV", help="Stops by which pictures are made brighter. Default: 0."
    ),
]

WhiteBalance = Annotated[
    str | None,
    typer.Option(
        metavar="camera|auto|KELVIN|R,G,B",
        help="White balance of the pictures: the camera's, one from the picture, the light's color "
        "temperature, or gains. Default: camera.",
    ),
]

ToneCurve = Annotated[
    Tone | None,
    typer.Option(
        "--tone", help="Highlights reach white softly (standard) or are clipped. Default: standard."
    ),
]

Bits = Annotated[Literal["8", "16"], typer.Option(help="Bits per channel.")]

Format = Annotated[
    PictureFormat,
    typer.Option(
        "--format",
        help="Format of the pictures; jpg, webp and avif have 8 bits, exr holds linear light "
        "as half floats, not clipped.",
    ),
]

KeptFiles = Annotated[
    Keep,
    typer.Option(
        "--keep",
        help="Beside the pictures and their page: nothing, the solution in fusion.h5, or also "
        "the focal stack.",
    ),
]

KeepLightField = Annotated[
    bool, typer.Option("--keep-light-field", help="Also write light_field.h5 (large).")
]

Align = Annotated[
    bool,
    typer.Option(help="For photographs: move them onto the reference, to a fraction of a pixel."),
]

Equalize = Annotated[
    bool,
    typer.Option(
        help="For photographs: bring them to the reference's exposure, where they surely differ."
    ),
]

ReferencePhotograph = Annotated[
    str,
    typer.Option(
        metavar="first|middle|N",
        help="For photographs: the one that the others are moved onto; N from 1.",
    ),
]

Crop = Annotated[bool, typer.Option(help="For photographs: cut off what some do not show.")]

Device = Annotated[
    str | None,
    typer.Option(help="auto, cpu or cuda. From rays, cuda has to be named. Default: auto."),
]

Seed = Annotated[int | None, typer.Option(min=0, help="Seed of everything random. Default: 0.")]

SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", metavar="TOML", help="Settings; options given here win."),
]

Jobs = Annotated[
    str,
    typer.Option(
        metavar="N|auto",
        help="Captures worked on at the same time; auto: as many as processors and memory allow.",
    ),
]

Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Most memory for all captures together, such as 8G. Default: what is free now.",
    ),
]

RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Also try captures again that have failed before.")
]

JsonLines = Annotated[
    bool,
    typer.Option("--json-lines", help="Events on stdout as they happen, a JSON document a line."),
]

Order = Annotated[
    Literal["name", "newest", "oldest", "smallest"],
    typer.Option(help="Which captures come first; newest and oldest by the files' times."),
]

DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Only say what would be done: what, where, how long, how much disk."
    ),
]

LimitCpu = Annotated[
    int | None,
    typer.Option("--limit-cpu", min=1, metavar="N", help="Use at most N processors."),
]
