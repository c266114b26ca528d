"""``lfdfp fuse``: a focal stack, or ordinary photographs, to one sharp picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lfdfp.cli.options import Align, Crop, Equalize, Json, ReferencePhotograph
from lfdfp.cli.parsing import parse_reference
from lfdfp.cli.reporting import (
    echo_json,
    echo_notes,
    reported_errors,
    say,
    stage_bar,
)
from lfdfp.datatypes import FloatArray, FocalStack, StackEvidence
from lfdfp.files import check_outputs, sha256_of
from lfdfp.settings import FusionSettings, Preset
from lfdfp.storage.images import Picture

if TYPE_CHECKING:
    from lfdfp.alignment.placement import Placement


def fuse_command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|FOLDER",
            help="A focal stack (.h5), two or more pictures (PNG, JPEG, TIFF with all its pages, "
            "WebP, AVIF, HEIC, JPEG XL, camera raw), or a folder of them.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Picture to create (.png, .tif, .jpg, .webp, .avif; .exr in linear light). "
            "Default: INPUT_fused.png.",
        ),
    ] = None,
    scale: Annotated[int, typer.Option(min=1, max=4, help="How many times finer.")] = 1,
    preset: Annotated[Preset, typer.Option(help="How much work fusion does.")] = "balanced",
    align: Align = True,
    equalize: Equalize = True,
    reference: ReferencePhotograph = "middle",
    crop: Crop = False,
    bits: Annotated[
        Literal["8", "16"] | None, typer.Option(help="Bits per channel. Default: as the input.")
    ] = None,
    decision_map: Annotated[
        Path | None,
        typer.Option("--decision-map", help="Also write which picture was taken where."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    verbose: Annotated[bool, typer.Option(help="Say what was found of each picture.")] = False,
    json_output: Json = False,
) -> None:
    """Fuse a focal stack, or photographs of different focus, into one sharp picture.

    Example:  lfdfp fuse near.jpg far.jpg -o sharp.png --scale 2

    Example:  lfdfp fuse capture/focal_stack.h5 -o sharp.png
    """
    from lfdfp.cli.inputs import told_of
    from lfdfp.fusion import fuse
    from lfdfp.storage.images import SCREEN_SUFFIXES, check_writable, write_picture

    with reported_errors():
        settings = FusionSettings(
            scale=scale, preset=preset, data="stack", seed=seed, device=device
        )
    first = inputs[0]
    target = first.with_name(f"{first.stem}_fused.png") if output is None else output
    targets = [target] if decision_map is None else [target, decision_map]
    with reported_errors():
        check_writable(target)
        check_outputs(*targets, inputs=inputs)
        if decision_map is not None:
            check_outputs(decision_map, endings=SCREEN_SUFFIXES)
        aligning = _Alignment(align=align, equalize=equalize, reference=reference, crop=crop)
        stack, template, placement = _read(inputs, targets, scale, aligning)
        with stage_bar("fuse") as progress:
            result = fuse(stack, settings, progress=progress)
        light, made = result.super_resolved, result.provenance
        told = told_of(first)
        shown = light if target.suffix.lower() == ".exr" else _rendered(light, told, scale)
        picture = replace(template, light=shown, alpha=_enlarged(template.alpha, scale))
        if bits is not None:
            picture = replace(picture, bits=16 if bits == "16" else 8)
        provenance: dict[str, object] = {
            "inputs": {path.name: sha256_of(path) for path in inputs if path.is_file()},
            "settings": asdict(settings) | asdict(aligning),
            "history": made.history,
        }
        provenance |= told
        left_out = write_picture(target, picture, provenance)
        if decision_map is not None and isinstance(result.evidence, StackEvidence):
            _write_decision_map(decision_map, result.evidence.decision_map, provenance)
    warnings = (*template.notes, *made.warnings, *left_out)
    facts = {
        "picture": str(target),
        "rows": light.shape[0],
        "columns": light.shape[1],
        "data_term": made.data_term,
        "prior": made.prior,
        "losses": dict(made.losses),
        "warnings": list(warnings),
    }
    if json_output:
        echo_json(facts | _placement_facts(placement))
        return
    echo_notes(warnings)
    if verbose and placement is not None:
        _say_placement(placement)
    say(
        f"{target}: {light.shape[1]} x {light.shape[0]} from {len(stack.slices)} pictures, "
        f"prior: {made.prior}"
    )


def _rendered(light: FloatArray, told: dict[str, object], scale: int) -> FloatArray:
    """As pictures are shown whose stack comes from a camera; photographs stay as they are."""
    from lfdfp.imaging.rendition import COLORS, CameraColors, rendered, rendition_for
    from lfdfp.settings import DisplaySettings

    colors = CameraColors.told(told.get(COLORS))
    return rendered(light, rendition_for(DisplaySettings(), light, colors), scale=scale)


@dataclass(frozen=True, kw_only=True)
class _Alignment:
    """How photographs are made to fit together."""

    align: bool
    equalize: bool
    reference: str
    crop: bool


def _read(
    inputs: Sequence[Path], targets: Sequence[Path], scale: int, aligning: _Alignment
) -> tuple[FocalStack, Picture, Placement | None]:
    from lfdfp.alignment import stack_of_photographs
    from lfdfp.fusion.fuse import check_size
    from lfdfp.pipeline.batch import CAPTURE_SUFFIXES
    from lfdfp.storage.hdf5 import load_focal_stack
    from lfdfp.storage.images import check_writable
    from lfdfp.storage.photographs import list_frames, read_photographs
    from lfdfp.storage.refocus_stacks import load_refocus_stack

    reference = parse_reference(aligning.reference)
    if len(inputs) == 1 and inputs[0].suffix == ".h5":
        stack = load_focal_stack(inputs[0])
        return stack, Picture(light=stack.slices[0]), None
    if len(inputs) == 1 and inputs[0].suffix.lower() in CAPTURE_SUFFIXES:
        stack = load_refocus_stack(inputs[0])
        return stack, Picture(light=stack.slices[0]), None
    frames = list_frames(inputs)
    check_size(*frames.size, scale)
    check_outputs(*targets, inputs=[frame.path for frame in frames.frames])
    check_writable(targets[0], (scale * frames.size[0], scale * frames.size[1]))
    photographs, template = read_photographs(frames)
    made = stack_of_photographs(
        photographs,
        names=[str(frame) for frame in frames.frames],
        align=aligning.align,
        equalize=aligning.equalize,
        reference=reference,
        crop=aligning.crop,
    )
    alpha = template.alpha
    if alpha is not None and made.window is not None:
        alpha = alpha[made.window]
    return made.stack, replace(template, light=made.stack.slices[0], alpha=alpha), made.placement


def _placement_facts(placement: Placement | None) -> dict[str, object]:
    if placement is None:
        return {}
    exposure = placement.exposure
    gains = None if exposure is None or not exposure.applied else exposure.gains.tolist()
    return {
        "motion": placement.model,
        "reference": placement.photographs[placement.reference].name,
        "pictures": [asdict(one) for one in placement.photographs],
        "exposure_gains": gains,
    }


def _say_placement(placement: Placement) -> None:
    from lfdfp.alignment.placement import placement_lines

    for line in placement_lines(placement):
        say(line, err=True)


def _enlarged(alpha: FloatArray | None, scale: int) -> FloatArray | None:
    import cv2
    import numpy as np

    if alpha is None or scale == 1:
        return alpha
    size = (alpha.shape[1] * scale, alpha.shape[0] * scale)
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _write_decision_map(path: Path, maps: FloatArray, provenance: dict[str, object]) -> None:
    from lfdfp.report.maps import decision_picture, mean_index
    from lfdfp.storage.images import write_screen_image

    write_screen_image(path, decision_picture(mean_index(maps), len(maps)), provenance)
