"""``lfdfp convert``: a light field from one format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from lfdfp.cli.options import Json
from lfdfp.cli.parsing import parse_grid
from lfdfp.cli.reporting import echo_json, echo_notes, reported_errors, say
from lfdfp.files import check_output_folder, check_outputs


def convert_command(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN",
            help="Light field: .h5, LF Toolbox .mat, ESLF picture, HCI, JPEG Pleno or view folder; "
            "with --grid also a mosaic of views.",
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File or folder to create.")],
    format: Annotated[
        Literal["eslf", "lf-toolbox", "hci", "jpeg-pleno", "views", "hdf5"] | None,
        typer.Option(
            help="Format of OUT. Default: .h5 hdf5, .mat lf-toolbox, .png eslf, a folder views."
        ),
    ] = None,
    bits: Annotated[
        Literal["8", "16"] | None,
        typer.Option(help="Depth of PNG pictures. Default: 16; hci 8."),
    ] = None,
    angular_size: Annotated[
        int | None,
        typer.Option(min=1, max=99, help="Pixels per lenslet of an ESLF picture that is read."),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            metavar="ROWSxCOLUMNS",
            help="Views of a mosaic that is read, or of a folder with one running number: 8x8.",
        ),
    ] = None,
    order: Annotated[
        Literal["auto", "row_col", "col_row"],
        typer.Option(help="What the two numbers in the names of views that are read count."),
    ] = "auto",
    json_output: Json = False,
) -> None:
    """Convert a light field between formats; axes, signs and light are translated.

    Creates OUT, a file or a folder. Example:  lfdfp convert IMG_0001_eslf.png field.h5
    """
    from lfdfp.interchange.formats import format_of_target, read_light_field, write_light_field

    with reported_errors(source):
        chosen = format_of_target(target) if format is None else format
        if chosen in ("eslf", "lf-toolbox", "hdf5"):
            of_views = source.rglob("*.png") if source.is_dir() else ()
            check_outputs(target, inputs=[source, *of_views])
        else:
            check_output_folder(target, inputs=[source])
        field = read_light_field(
            source, angular_size=angular_size, grid=parse_grid(grid), order=order
        )
        write_light_field(
            target,
            field,
            chosen,
            bits=None if bits is None else 8 if bits == "8" else 16,
            provenance={"converted_from": source.name},
        )
    shape = [int(extent) for extent in field.views.shape]
    if json_output:
        echo_json(
            {
                "output": str(target),
                "format": chosen,
                "shape_vutsc": shape,
                "history": list(field.history),
                "warnings": list(field.warnings),
            }
        )
        return
    echo_notes(field.warnings)
    views, size = f"{shape[0]} x {shape[1]} views", f"{shape[3]} x {shape[2]} pixels"
    say(f"{target}: {chosen}, {views} of {size}")
