"""``lfdfp fuse``: a focal stack, or ordinary photographs, to one sharp picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lfdfp.cli.options import PRESETS_HELP, Align, Crop, Equalize, Json, ReferencePhotograph
from lfdfp.cli.parsing import parse_reference
from lfdfp.cli.reporting import (
    echo_json,
    echo_notes,
    reported_errors,
    run_bar,
    say,
)
from lfdfp.datatypes import FloatArray, FocalStack, SharpPicture, StackEvidence
from lfdfp.files import PAGE_SUFFIXES, check_outputs, sha256_of
from lfdfp.pipeline.record import PhotographOptions
from lfdfp.progress import StageProgress
from lfdfp.settings import FusionSettings, Preset
from lfdfp.storage.images import Picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lfdfp.alignment.placement import Placement
    from lfdfp.cli.run_bar import HiddenBar, RunBar
    from lfdfp.storage.photographs import FrameList


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
    preset: Annotated[Preset, typer.Option(help=PRESETS_HELP)] = "balanced",
    align: Align = True,
    equalize: Equalize = True,
    reference: ReferencePhotograph = "middle",
    crop: Crop = False,
    bits: Annotated[
        Literal["8", "16"] | None, typer.Option(help="Bits per channel. Default: as the input.")
    ] = None,
    decision_map: Annotated[
        Path | None,
        typer.Option(
            "--decision-map",
            help="Also write which picture was taken where: its number, from 0, as gray value "
            "(.png, .tif).",
        ),
    ] = None,
    depth: Annotated[
        Path | None,
        typer.Option(
            "--depth",
            help="Also write the depth that the order of pictures gives: 16 bits from the first "
            "to the last (.png), or numbers of pictures (.tif, .pfm).",
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--page",
            help="Also write a page to look at (.html): the picture beside the photographs, which "
            "was taken where, and what was found of each.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    verbose: Annotated[bool, typer.Option(help="Say what was found of each picture.")] = False,
    json_output: Json = False,
) -> None:
    """Fuse a focal stack, or photographs of different focus, into one sharp picture.

    Example:  lfdfp fuse near.jpg far.jpg -o sharp.png --scale 2

    Example:  lfdfp fuse stack/ -o sharp.png --page sharp.html

    Example:  lfdfp fuse capture/focal_stack.h5 -o sharp.png
    """
    from lfdfp.cli.inputs import told_of
    from lfdfp.interchange.slice_maps import DEPTH_SUFFIXES, INDEX_SUFFIXES
    from lfdfp.storage.images import check_writable, write_picture

    with reported_errors():
        settings = FusionSettings(
            scale=scale, preset=preset, data="stack", seed=seed, device=device
        )
    options = PhotographOptions(
        scale=scale,
        align=align,
        equalize=equalize,
        reference=parse_reference(reference),
        crop=crop,
    )
    first = inputs[0]
    target = first.with_name(f"{first.stem}_fused.png") if output is None else output
    maps = [path for path in (decision_map, depth, page) if path is not None]
    with reported_errors():
        check_writable(target)
        check_outputs(target, *maps, inputs=inputs)
        kinds = (decision_map, INDEX_SUFFIXES), (depth, DEPTH_SUFFIXES), (page, PAGE_SUFFIXES)
        for path, endings in kinds:
            if path is not None:
                check_outputs(path, endings=endings)
        with run_bar(hidden=json_output) as bar:
            with_depth = depth is not None or page is not None
            made = _made(inputs, [target, *maps], settings, options, bar, with_depth=with_depth)
            if page is not None:
                with bar("page"):
                    _write_page(page, made, title=target.name, cropped=crop)
        light = made.picture.light
        told = told_of(first)
        as_it_is = target.suffix.lower() == ".exr" or made.placement is not None
        shown = light if as_it_is else _rendered(light, told, scale)
        picture = replace(made.picture, light=shown)
        if bits is not None:
            picture = replace(picture, bits=16 if bits == "16" else 8)
        provenance: dict[str, object] = {
            "inputs": {path.name: sha256_of(path) for path in inputs if path.is_file()},
            "settings": asdict(settings) | asdict(options),
            "history": made.history,
        }
        provenance |= told
        left_out = write_picture(target, picture, provenance)
        _write_maps(made, decision_map, depth, provenance)
    warnings = (*made.warnings, *left_out)
    facts = {
        "picture": str(target),
        "rows": light.shape[0],
        "columns": light.shape[1],
        "data_term": "stack",
        "page": None if page is None else str(page),
        "prior": made.prior,
        "losses": dict(made.losses),
        "warnings": list(warnings),
    }
    if json_output:
        echo_json(facts | _placement_facts(made.placement))
        return
    echo_notes(warnings)
    if made.placement is not None:
        _say_placement(made.placement, verbose=verbose)
    say(
        f"{target}: {light.shape[1]} x {light.shape[0]} from {made.fused_count} pictures, "
        f"prior: {made.prior}"
    )


def _rendered(light: FloatArray, told: dict[str, object], scale: int) -> FloatArray:
    """As pictures are shown whose stack comes from a camera."""
    from lfdfp.imaging.rendition import COLORS, CameraColors, rendered, rendition_for
    from lfdfp.settings import DisplaySettings

    colors = CameraColors.told(told.get(COLORS))
    return rendered(light, rendition_for(DisplaySettings(), light, colors), scale=scale)


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A sharp picture and what is said of it.

    Attributes
    ----------
    index, position
        Shape (T, S): number of the picture that each pixel comes from, and the depth that follows;
        None where depth was not asked for.
    count
        Of the pictures that were given.
    frames, result
        What a page is made of: the photographs; or a picture with its stack.
    """

    picture: Picture
    index: NDArray[np.uint16]
    position: FloatArray | None
    count: int
    history: Sequence[str]
    warnings: tuple[str, ...]
    prior: str = "none"
    losses: Mapping[str, float] = field(default_factory=dict)
    placement: Placement | None = None
    frames: FrameList | None = None
    result: tuple[SharpPicture, FocalStack] | None = None

    @property
    def fused_count(self) -> int:
        """How many pictures the result is made of: those that are not left out."""
        return self.count if self.placement is None else len(self.placement.kept)


def _made(
    inputs: Sequence[Path],
    targets: Sequence[Path],
    settings: FusionSettings,
    options: PhotographOptions,
    bar: RunBar | HiddenBar,
    *,
    with_depth: bool,
) -> _Made:
    from lfdfp.lfp import CAPTURE_SUFFIXES
    from lfdfp.storage.hdf5 import load_focal_stack
    from lfdfp.storage.refocus_stacks import load_refocus_stack

    if len(inputs) == 1 and inputs[0].suffix == ".h5":
        stack = load_focal_stack(inputs[0])
        return _of_stack(stack, Picture(light=stack.slices[0]), settings, bar)
    if len(inputs) == 1 and inputs[0].suffix.lower() in CAPTURE_SUFFIXES:
        stack = load_refocus_stack(inputs[0])
        return _of_stack(stack, Picture(light=stack.slices[0]), settings, bar)
    return _of_photographs(inputs, targets, settings, options, bar, with_depth=with_depth)


def _of_stack(
    stack: FocalStack, template: Picture, settings: FusionSettings, stage: StageProgress
) -> _Made:
    import numpy as np

    from lfdfp.fusion import fuse
    from lfdfp.report.maps import mean_index

    with stage("enlarge" if settings.scale > 1 else "fuse") as progress:
        result = fuse(stack, settings, progress=progress)
    evidence = result.evidence
    shares = (
        evidence.decision_map if isinstance(evidence, StackEvidence) else stack.slices[:, ..., 0]
    )
    return _Made(
        picture=replace(
            template,
            light=result.super_resolved,
            alpha=_enlarged(template.alpha, settings.scale),
        ),
        index=shares.argmax(axis=0).astype(np.uint16),
        position=mean_index(shares),
        count=len(stack.slices),
        history=result.provenance.history,
        warnings=(*template.notes, *result.provenance.warnings),
        prior=result.provenance.prior,
        losses=result.provenance.losses,
        result=(result, stack),
    )


def _of_photographs(
    inputs: Sequence[Path],
    targets: Sequence[Path],
    settings: FusionSettings,
    options: PhotographOptions,
    bar: RunBar | HiddenBar,
    *,
    with_depth: bool,
) -> _Made:
    from lfdfp.fusion.fuse import check_size
    from lfdfp.pipeline.forecast import about, photograph_stages
    from lfdfp.storage.images import check_writable
    from lfdfp.storage.photographs import MAX_TOTAL_PIXELS, list_frames

    frames = list_frames(inputs)
    rows, columns = frames.size
    check_size(rows, columns, settings.scale)
    check_outputs(*targets, inputs=[frame.path for frame in frames.frames])
    check_writable(targets[0], (settings.scale * rows, settings.scale * columns))
    few = len(frames.frames) * rows * columns <= MAX_TOTAL_PIXELS
    at_hand = settings.preset == "paper" or (settings.scale > 1 and few)
    if settings.preset != "paper":
        first = "align" if at_hand else "fuse"
        stages = photograph_stages(first, len(frames.frames), rows * columns, settings)
        bar.expect(stages)
        if settings.scale > 1:
            echo_notes([f"this takes {about(sum(stages.values()))} on two idle cores"])
    if at_hand:
        return _all_at_hand(frames, settings, options, bar)
    return _one_after_the_other(frames, settings, options, bar, with_depth=with_depth)


def _all_at_hand(
    frames: FrameList, settings: FusionSettings, options: PhotographOptions, stage: StageProgress
) -> _Made:
    """Enlarging, and the paper's method, look at all photographs again and again."""
    import numpy as np

    from lfdfp.alignment import stack_of_photographs
    from lfdfp.storage.photographs import read_photographs

    with stage("align"):
        photographs, template = read_photographs(frames)
        stack = stack_of_photographs(
            photographs,
            names=[str(frame) for frame in frames.frames],
            align=options.align,
            equalize=options.equalize,
            reference=options.reference,
            crop=options.crop,
        )
    alpha = template.alpha
    if alpha is not None and stack.window is not None:
        alpha = alpha[stack.window]
    made = _of_stack(stack.stack, replace(template, alpha=alpha), settings, stage)
    kept = np.array(stack.placement.kept)
    return replace(
        made,
        index=kept[made.index].astype(np.uint16),
        position=None if made.position is None else _among_all(made.position, kept),
        count=len(frames.frames),
        placement=stack.placement,
        frames=frames,
    )


def _one_after_the_other(
    frames: FrameList,
    settings: FusionSettings,
    options: PhotographOptions,
    stage: StageProgress,
    *,
    with_depth: bool,
) -> _Made:
    """Fuse any number of photographs, then enlarge the result alone."""
    import numpy as np

    from lfdfp.computing.blocks import map_blocks
    from lfdfp.fusion.slice_depth import slice_depth
    from lfdfp.pipeline.photographs import fuse_photographs

    with stage("fuse") as progress:
        found = fuse_photographs(frames, options, in_order=with_depth, progress=progress)
    kept = np.array(found.placement.kept)
    made = _Made(
        picture=found.picture,
        index=map_blocks(lambda part: kept[part], found.fusion.chosen, np.uint16),
        position=_among_all(slice_depth(found.fusion), kept) if with_depth else None,
        count=len(frames.frames),
        history=found.history,
        warnings=(*found.picture.notes, *found.placement.warnings),
        placement=found.placement,
        frames=frames,
    )
    if settings.scale == 1:
        return made
    alone = FocalStack(slices=found.picture.light[None])
    larger = _of_stack(alone, found.picture, settings, stage)
    history = (*made.history, *larger.history)
    return replace(
        made,
        picture=larger.picture,
        history=history,
        prior=larger.prior,
        losses=larger.losses,
    )


def _among_all(position: FloatArray, kept: NDArray[np.int64]) -> FloatArray:
    """Places among the pictures that are kept as places among all that were given."""
    import numpy as np

    return np.interp(position, np.arange(len(kept)), kept).astype(np.float32)


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


def _say_placement(placement: Placement, *, verbose: bool) -> None:
    """Line by line where asked; else in one, if photographs were moved."""
    from lfdfp.alignment.placement import placement_lines

    if verbose:
        for line in placement_lines(placement):
            say(line, err=True)
        return
    moved = max(one.moved_px for one in placement.photographs)
    if moved > 0:
        echo_notes(
            [
                f"photographs were aligned ({placement.model}) by up to {moved:.1f} px; "
                "--no-align takes them as they are, --verbose says more"
            ]
        )


def _enlarged(alpha: FloatArray | None, scale: int) -> FloatArray | None:
    import cv2
    import numpy as np

    if alpha is None or scale == 1:
        return alpha
    size = (alpha.shape[1] * scale, alpha.shape[0] * scale)
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _write_page(page: Path, made: _Made, *, title: str, cropped: bool) -> None:
    from lfdfp.pipeline.photograph_page import FusedForPage, write_photograph_page
    from lfdfp.report.run_outputs import for_page, write_page
    from lfdfp.version import __version__

    facts = {"Program": f"lfdfp {__version__}", "Steps": "; ".join(made.history)}
    if made.frames is not None and made.placement is not None and made.position is not None:
        shown = FusedForPage(
            light=made.picture.light,
            index=made.index,
            position=made.position,
            placement=made.placement,
            cropped=cropped,
        )
        write_photograph_page(
            page, shown, made.frames, title=title, facts=facts, warnings=made.warnings
        )
    elif made.result is not None:
        picture, stack = for_page(*made.result)
        write_page(page, picture, stack, title=title, facts=facts, warnings=made.warnings)


def _write_maps(
    made: _Made, index: Path | None, depth: Path | None, provenance: dict[str, object]
) -> None:
    from lfdfp.interchange.slice_maps import write_slice_depth, write_slice_index

    if index is not None:
        write_slice_index(index, made.index, made.count, provenance)
    if depth is not None and made.position is not None:
        write_slice_depth(depth, made.position, made.count, provenance)
