"""``lfdfp refocus``: a light field to a focal stack."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.parsing import parse_slopes
from lfdfp.cli.reporting import announce_compilation, echo_json, reported_errors, stage_bar
from lfdfp.settings import Kernel, RefocusSettings


def refocus_command(
    light_field: Annotated[
        Path, typer.Argument(help="Light field: .h5 of decode, or any that convert reads.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Focal stack to create. Default: FIELD.stack.h5."),
    ] = None,
    slopes: Annotated[
        str,
        typer.Option(
            metavar="FIRST:LAST:COUNT", help="auto, or slices in pixels per angular step."
        ),
    ] = "auto",
    planes: Annotated[
        int | None, typer.Option(min=2, max=256, help="Slices. Default: automatic.")
    ] = None,
    kernel: Annotated[Kernel, typer.Option(help="How views are shifted.")] = "cubic",
    contact_sheet: Annotated[
        Path | None, typer.Option("--contact-sheet", help="Also write all slices as one picture.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Facts as JSON on stdout.")] = False,
) -> None:
    """Refocus a light field on planes that are even in disparity.

    Example:  lfdfp refocus field.h5 --slopes -0.6:0.4:11 -o stack.h5
    """
    from lfdfp.files import sha256_of
    from lfdfp.interchange.formats import read_light_field
    from lfdfp.refocus import focal_stack
    from lfdfp.report.contact_sheet import contact_sheet as slices_on_a_sheet
    from lfdfp.storage.hdf5 import save_focal_stack
    from lfdfp.storage.images import write_screen_image

    settings = RefocusSettings(planes=planes, slopes=parse_slopes(slopes), kernel=kernel)
    announce_compilation()
    target = light_field.with_suffix(".stack.h5") if output is None else output
    with reported_errors(light_field):
        field = read_light_field(light_field)
        with stage_bar("refocus") as progress:
            stack = focal_stack(field, settings, progress=progress)
        provenance: dict[str, object] = {
            "input_sha256": "" if light_field.is_dir() else sha256_of(light_field),
            "settings": {"refocus": asdict(settings)},
        }
        save_focal_stack(target, stack, provenance)
        if contact_sheet is not None:
            write_screen_image(contact_sheet, slices_on_a_sheet(stack), provenance)
    found = [] if stack.slopes is None else [float(slope) for slope in stack.slopes]
    if json_output:
        echo_json({"focal_stack": str(target), "slopes_px_per_step": found})
        return
    typer.echo(
        f"{target}: {len(found)} slices from {found[0]:+.3f} to {found[-1]:+.3f} px per step"
    )
