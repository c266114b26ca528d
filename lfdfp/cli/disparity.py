"""``lfdfp disparity``: a light field or a raw capture to a disparity map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.options import CalibrationFolder, Json, LightFieldFile, WhiteImageFile
from lfdfp.cli.parsing import parse_slopes
from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    reported_errors,
    say,
    stage_bar,
)
from lfdfp.files import check_outputs


def disparity_command(
    light_field: LightFieldFile,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Map to create (.pfm). Default: INPUT.disparity.pfm."),
    ] = None,
    slopes: Annotated[
        str,
        typer.Option(
            metavar="FIRST:LAST:COUNT",
            help="auto, or planes to try in pixels per angular step: -0.6:0.4:41.",
        ),
    ] = "auto",
    calibration: CalibrationFolder = None,
    white_image: WhiteImageFile = None,
    json_output: Json = False,
) -> None:
    """Estimate the disparity of every pixel of the center view.

    Creates, for -o map.pfm: map.pfm (float, pixels per angular step, near is negative), map.png
    (16 bits), map_confidence.png (16 bits), map_preview.png (colored, near is red) and map.json
    (unit, sign, scale and offset of the 16 bits, how it was made).

    Example:  lfdfp disparity field.h5 -o map.pfm

    Example:  lfdfp disparity capture.lfp -o map.pfm --json
    """
    import numpy as np

    from lfdfp.cli.inputs import field_input
    from lfdfp.disparity import estimate_disparity
    from lfdfp.interchange.disparity_map import MapFiles, write_disparity_map
    from lfdfp.report.maps import disparity_picture
    from lfdfp.storage.images import write_screen_image

    given = parse_slopes(slopes)
    announce_compilation()
    target = light_field.with_suffix(".disparity.pfm") if output is None else output
    with reported_errors(light_field):
        files = MapFiles.beside(target)
        preview = target.with_name(f"{target.stem}_preview.png")
        names = (files.pfm, files.png, files.confidence, preview, files.facts)
        inputs = (light_field, *([] if white_image is None else [white_image]))
        check_outputs(*names, inputs=inputs)
        found = field_input(light_field, calibration=calibration, white_image=white_image)
        planes = None if given is None else np.linspace(*given)
        with stage_bar("disparity") as progress:
            estimate = estimate_disparity(found.field, planes, progress=progress)
        tried = [float(estimate.slopes[0]), float(estimate.slopes[-1]), len(estimate.slopes)]
        provenance = found.provenance | {
            "settings": {"disparity": {"slopes": tried}},
            "history": list(estimate.history),
        }
        facts = write_disparity_map(files, estimate.disparity, estimate.confidence, provenance)
        picture = disparity_picture(estimate.disparity, estimate.confidence)
        write_screen_image(preview, picture, provenance)
    if json_output:
        warnings = list(found.warnings)
        echo_json(facts | {"files": [str(name) for name in names], "warnings": warnings})
        return
    echo_notes(found.warnings)
    rows, columns = estimate.disparity.shape
    say(
        f"{target}: {columns} x {rows} pixels, disparity {facts['least']:+.3f} to "
        f"{facts['greatest']:+.3f} px per step"
    )
