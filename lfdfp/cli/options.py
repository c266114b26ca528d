"""Arguments and options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RawCaptureFile = Annotated[
    Path, typer.Argument(help="Raw capture (.lfp, .lfr, .raw with its .txt).")
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
