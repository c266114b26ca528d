"""One capture to its pictures: the whole chain, from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lfdfp.computing.blas_threads import with_one_blas_thread
from lfdfp.computing.memory import peak_memory_mib
from lfdfp.datatypes import FocalStack, LightField, RawCapture, SharpPicture
from lfdfp.errors import NotRawError
from lfdfp.files import json_text, remove_leftovers, write_bytes, write_text
from lfdfp.pipeline import stages
from lfdfp.pipeline.material import Material
from lfdfp.pipeline.record import (
    RunOptions,
    RunRecord,
    StageTime,
    capture_facts,
    checksummed,
    picture_facts,
    readable_facts,
    rendition_facts,
    run_document,
    summed,
    timed,
)
from lfdfp.pipeline.reuse import (
    FOCAL_STACK,
    FUSION,
    LIGHT_FIELD,
    RECORD,
    THUMBNAIL,
    FileKeys,
    Reuse,
    file_keys,
    finished_record,
    input_digest,
    reusable,
)
from lfdfp.progress import StageProgress, silent_stage
from lfdfp.settings import Settings
from lfdfp.version import __version__

if TYPE_CHECKING:
    from lfdfp.calibration import Match
    from lfdfp.imaging.rendition import CameraColors
    from lfdfp.storage.images import Picture

_SETTINGS, _OPTIONS = Settings(), RunOptions()


def run_capture(
    path: Path,
    folder: Path,
    settings: Settings = _SETTINGS,
    options: RunOptions = _OPTIONS,
    *,
    stage_progress: StageProgress = silent_stage,
) -> RunRecord:
    """Turn one raw capture into pictures in `folder`.

    Nothing is written, and `folder` is not made, before the capture was decoded. Of a file without
    a raw capture, the pictures that Lytro's software had refocused are fused.

    Parameters
    ----------
    path
        A raw capture (.lfp, .lfr, .lfx, or .raw with its .txt), or a processed file (-stk.lfp).
    folder
        Where the outputs go; files of the same names are replaced.
    settings
        Of all stages.
    stage_progress
        Called with a stage's name; gives a context that yields its progress callback.

    Returns
    -------
    RunRecord
        What was made, also written to ``run.json``.

    Raises
    ------
    LfdfpError
        If the file holds neither a raw capture nor refocused pictures, or its pixels cannot be
        decoded.
    """
    material = Material(path=path)
    return run_material(material, folder, settings, options, stage_progress=stage_progress)


@with_one_blas_thread
def run_material(
    material: Material,
    folder: Path,
    settings: Settings = _SETTINGS,
    options: RunOptions = _OPTIONS,
    *,
    stage_progress: StageProgress = silent_stage,
) -> RunRecord:
    """Turn a capture, a light field or photographs into pictures in `folder`; as `run_capture`.

    Light fields and photographs have no rays: their focal stack is fused.

    Raises
    ------
    LfdfpError
        If the material is not what it is said to be, is damaged or too large.
    """
    from lfdfp.storage.images import check_writable, shot_of

    check_writable(folder / f"all_in_focus.{options.picture_format}")
    source = _source(material, options)
    times: list[StageTime] = []
    stage = timed(stage_progress, times)
    held = _capture_of(material, source, stage)
    settings = _settings_for(material, held, settings, options)
    known = None if held.capture is None else stages.stored_calibration(source, held.capture)
    digest = input_digest(material.files())
    placed = (options.photographs,) if material.kind == "photographs" else ()
    keys = file_keys(digest, _calibration_files(source, known), settings, *placed)
    finished = finished_record(folder, keys.of_the_run(options), options)
    if finished is not None:
        return _read_again(finished, material.path, folder, times)
    run = _Run(
        source=source,
        input_sha256=digest,
        shot={} if held.capture is None else shot_of(held.capture),
        colors=None if held.capture is None else stages.camera_colors(held.capture),
        folder=folder,
        settings=settings,
        options=options,
        keys=keys,
        reuse=reusable(folder, keys, settings, options),
        stage=stage,
        read_back=timed(stage_progress, times, reused=True),
    )
    remove_leftovers(folder)
    record = _worked_through(run, _others_of(material, held, options, stage), known, times)
    write_text(folder / RECORD, json_text(run_document(record, settings, options)) + "\n")
    return record


def _source(material: Material, options: RunOptions) -> stages.CaptureSource:
    return stages.CaptureSource(
        path=material.path,
        calibration=options.calibration,
        white_image=options.white_image,
        verify=options.verify,
        usual=options.usual_calibrations,
    )


def _worked_through(
    run: _Run, held: _Held, known: Match | None, times: Sequence[StageTime]
) -> RunRecord:
    """Every stage, from what was read to the pictures; `times` grows meanwhile."""
    decoded = None
    if held.capture is not None and not run.reuse.light_field:
        decoded = _decoded(run, held.capture, known)
    field = held.field if decoded is None else decoded.field
    stack = _focal_stack(run, decoded, field, held.stack)
    picture = _sharp_picture(run, field, stack)
    facts = _capture_facts(run, decoded)
    template = held.template
    del decoded, field, held  # a light field takes hundreds of megabytes
    pictures, facts = _exported(run, picture, stack, facts, template)
    with run.stage("save"):
        outputs = checksummed([*pictures, *(run.folder / name for name in _files_kept(run))])
    return RunRecord(
        capture=str(run.source.path),
        folder=str(run.folder),
        input_sha256=run.input_sha256,
        key=run.keys.of_the_run(run.options),
        stages=summed(times),
        pictures=tuple(str(one) for one in pictures),
        files=tuple(str(run.folder / name) for name in _files_written(run)),
        outputs=outputs,
        facts=picture_facts(picture, stack) | facts,
        warnings=_warnings(picture, stack),
        peak_memory_mib=peak_memory_mib(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What every stage of one run needs to know.

    Attributes
    ----------
    shot
        Camera, time and exposure, which all pictures tell.
    colors
        Of the capture; None for what others have rendered.
    stage, read_back
        What a stage is done in, and what its result is read from an earlier run's file in.
    """

    source: stages.CaptureSource
    input_sha256: str
    shot: Mapping[str, str | float]
    colors: CameraColors | None
    folder: Path
    settings: Settings
    options: RunOptions
    keys: FileKeys
    reuse: Reuse
    stage: StageProgress
    read_back: StageProgress

    def provenance(self, key: str) -> dict[str, object]:
        """What is recorded in a file that carries this key."""
        from lfdfp.imaging.rendition import COLORS
        from lfdfp.storage.images import SHOT

        colors = {} if self.colors is None else {COLORS: asdict(self.colors)}
        return colors | {
            "program": f"lfdfp {__version__}",
            "input": self.source.path.name,
            "input_sha256": self.input_sha256,
            SHOT: dict(self.shot),
            "settings": asdict(self.settings),
            "key": key,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Held:
    """What was read: one of the first three, with photographs the look of their picture."""

    capture: RawCapture | None = None
    field: LightField | None = None
    stack: FocalStack | None = None
    template: Picture | None = None


def _capture_of(material: Material, source: stages.CaptureSource, stage: StageProgress) -> _Held:
    """The raw capture of a file, or else its refocused pictures; nothing of other materials."""
    from lfdfp.lfp import is_container

    if material.kind != "capture":
        return _Held()
    try:
        return _Held(capture=stages.raw_capture(source, stage=stage))
    except NotRawError:
        if not is_container(source.path):
            raise
        return _Held(stack=stages.refocus_stack(source, stage=stage))


def _others_of(material: Material, held: _Held, options: RunOptions, stage: StageProgress) -> _Held:
    """What has to be read of a material that is no capture."""
    if material.kind == "light field":
        return _Held(field=stages.foreign_light_field(material.path, stage=stage))
    if material.kind == "photographs":
        stack, template = stages.photograph_stack(
            material.photographs, options.photographs, stage=stage
        )
        return _Held(stack=stack, template=template)
    return held


def _settings_for(
    material: Material, held: _Held, settings: Settings, options: RunOptions
) -> Settings:
    """The settings that count for this material."""
    if held.capture is not None:
        return settings
    fusion = replace(settings.fusion, data="stack")
    if material.kind == "photographs":
        fusion = replace(fusion, scale=options.photographs.scale)
    return replace(settings, fusion=fusion)


def _read_again(
    record: RunRecord, path: Path, folder: Path, times: Sequence[StageTime]
) -> RunRecord:
    """The record of a run that had nothing left to do: nothing is written."""
    earlier = [stage.name for stage in record.stages if stage.name not in {t.name for t in times}]
    reused = [StageTime(name=name, wall_s=0, cpu_s=0, reused=True) for name in earlier]
    return replace(
        record,
        capture=str(path),
        folder=str(folder),
        stages=(*summed(times), *reused),
        files=(),
        peak_memory_mib=peak_memory_mib(),
    )


def _calibration_files(source: stages.CaptureSource, known: Match | None) -> list[Path]:
    used = [source.white_image, None if known is None else known.path]
    return [path for path in used if path is not None]


def _decoded(run: _Run, capture: RawCapture, known: Match | None) -> stages.DecodedCapture:
    calibration = stages.calibration(run.source, capture, known, stage=run.stage)
    field = stages.light_field(capture, calibration, run.settings.decode, stage=run.stage)
    if run.options.keep_light_field:
        from lfdfp.storage.hdf5 import save_light_field

        with run.stage("save"):
            provenance = run.provenance(run.keys.light_field)
            save_light_field(run.folder / LIGHT_FIELD, field, provenance)
    return stages.DecodedCapture(capture=capture, calibration=calibration, field=field)


def _focal_stack(
    run: _Run,
    decoded: stages.DecodedCapture | None,
    field: LightField | None,
    processed: FocalStack | None,
) -> FocalStack:
    from lfdfp.storage.hdf5 import load_focal_stack, save_focal_stack

    if processed is not None:
        if FOCAL_STACK in _files_kept(run):
            with run.stage("save"):
                provenance = run.provenance(run.keys.focal_stack)
                save_focal_stack(run.folder / FOCAL_STACK, processed, provenance)
        return processed
    if run.reuse.focal_stack or field is None:
        with run.read_back("refocus"):
            return load_focal_stack(run.folder / FOCAL_STACK)
    stack = stages.focal_stack(field, run.settings.refocus, stage=run.stage)
    before = field.warnings if decoded is None else decoded.warnings
    heard = dict.fromkeys((*before, *stack.warnings))
    stack = replace(stack, warnings=tuple(heard))
    if FOCAL_STACK in _files_kept(run):
        with run.stage("save"):
            provenance = run.provenance(run.keys.focal_stack)
            provenance |= {"facts": _capture_facts(run, decoded)}
            save_focal_stack(run.folder / FOCAL_STACK, stack, provenance)
    return stack


def _sharp_picture(run: _Run, field: LightField | None, stack: FocalStack) -> SharpPicture:
    from lfdfp.storage.hdf5 import load_sharp_picture, save_sharp_picture

    settings = run.settings.fusion
    if run.reuse.fusion:
        with run.read_back("reconstruct" if settings.data == "rays" else "fuse"):
            return load_sharp_picture(run.folder / FUSION)
    picture = stages.sharp_picture(field, stack, settings, stage=run.stage)
    if FUSION in _files_kept(run):
        with run.stage("save"):
            save_sharp_picture(run.folder / FUSION, picture, run.provenance(run.keys.fusion))
    return picture


def _capture_facts(run: _Run, decoded: stages.DecodedCapture | None) -> dict[str, object]:
    """On camera and calibration; of the earlier run where nothing was calibrated in this one."""
    from lfdfp.storage.hdf5 import provenance_of

    if decoded is not None:
        return capture_facts(decoded.capture, decoded.calibration)
    return dict(provenance_of(run.folder / FOCAL_STACK).get("facts", {}))


def _exported(
    run: _Run,
    picture: SharpPicture,
    stack: FocalStack,
    facts: Mapping[str, object],
    template: Picture | None,
) -> tuple[list[Path], dict[str, object]]:
    """Write the pictures and the page; their paths, the main one first, and facts on them."""
    from lfdfp.imaging.rendition import (
        balanced_picture,
        balanced_stack,
        rendered_picture,
        rendered_stack,
        rendition_for,
    )
    from lfdfp.report.run_outputs import for_page, screen_maps, write_page, write_pictures
    from lfdfp.report.thumbnail import thumbnail

    name = run.source.path.name
    words = f"{name} (SHA-256 {run.input_sha256[:16]}…)"
    page = run.folder / "inspect.html"
    with run.stage("export"):
        rendition = rendition_for(run.settings.display, picture.all_in_focus, run.colors)
        as_light = run.options.picture_format == "exr"
        shown, slices = rendered_picture(picture, rendition), rendered_stack(stack, rendition)
        maps = screen_maps(shown, slices)
        paths = write_pictures(
            run.folder,
            balanced_picture(picture, rendition) if as_light else shown,
            balanced_stack(stack, rendition) if as_light else slices,
            maps,
            picture_format=run.options.picture_format,
            bits=run.options.bits,
            template=template,
            provenance=run.provenance(run.keys.fusion),
        )
        write_page(
            page,
            *for_page(_halved(shown) if shown.scale == 4 else shown, slices),
            title=name,
            facts=readable_facts(words, picture, stack, facts, shot=run.shot),
            warnings=_warnings(picture, stack),
        )
        small = thumbnail(shown, slices)
        write_bytes(run.folder / THUMBNAIL, small.content)
    told = {"frames": small.frames, "columns": small.size[0], "rows": small.size[1]}
    facts = {**facts, "rendition": rendition_facts(rendition), "thumbnail": told}
    return [*paths, page, run.folder / THUMBNAIL], facts


def _halved(picture: SharpPicture) -> SharpPicture:
    """At half the size, so that the page of a Lytro capture stays below 10 MB."""
    from lfdfp.rendering.render import reduced

    return picture if picture.depth is None else reduced(picture, 2)


def _warnings(picture: SharpPicture, stack: FocalStack) -> tuple[str, ...]:
    """Every warning of every stage, once, in the order of the chain."""
    return tuple(dict.fromkeys((*stack.warnings, *picture.provenance.warnings)))


def _files_kept(run: _Run) -> list[str]:
    """Which files for programs belong to the result."""
    kept = {
        LIGHT_FIELD: run.options.keep_light_field,
        FOCAL_STACK: run.options.keep == "all",
        FUSION: run.options.keep != "pictures",
    }
    return [name for name, keep in kept.items() if keep]


def _files_written(run: _Run) -> list[str]:
    reused = {
        LIGHT_FIELD: run.reuse.light_field,
        FOCAL_STACK: run.reuse.focal_stack,
        FUSION: run.reuse.fusion,
    }
    return [name for name in _files_kept(run) if not reused[name]]
