"""``lfdfp run``: captures to pictures."""

from __future__ import annotations

import webbrowser
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.batch import work_on
from lfdfp.cli.batch_work import BatchArguments
from lfdfp.cli.options import (
    Bits,
    CalibrationFolder,
    DataTerm,
    Device,
    Exposure,
    Format,
    FusionPreset,
    Jobs,
    Json,
    JsonLines,
    KeepLightField,
    KeptFiles,
    NoVerify,
    OutputFolder,
    PicturePrior,
    Planes,
    Scale,
    Seed,
    SettingsFile,
    Slopes,
    ToneCurve,
    WhiteBalance,
    WhiteImageFile,
)
from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    fail,
    reported_errors,
    run_bar,
    say,
)
from lfdfp.cli.run_settings import ShownAs, run_settings
from lfdfp.errors import LfdfpError, about
from lfdfp.files import check_output_folder, path_kind
from lfdfp.pipeline.batch import Job, plan_jobs
from lfdfp.pipeline.batch.estimate import stages_of_job
from lfdfp.pipeline.record import PhotographOptions, RunOptions, RunRecord
from lfdfp.pipeline.run_capture import run_material
from lfdfp.settings import Settings


def run_command(
    captures: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|FOLDER",
            help="Raw captures (.lfp, .lfr, .lfx, .raw with its .txt), processed files (-stk.lfp), "
            "or folders of them.",
        ),
    ],
    output: OutputFolder = None,
    scale: Scale = None,
    planes: Planes = None,
    slopes: Slopes = None,
    preset: FusionPreset = None,
    data: DataTerm = None,
    prior: PicturePrior = None,
    bits: Bits = "8",
    picture_format: Format = "png",
    exposure: Exposure = None,
    white_balance: WhiteBalance = None,
    tone: ToneCurve = None,
    keep: KeptFiles = "all",
    keep_light_field: KeepLightField = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Make nothing again whose input and settings are the same."),
    ] = False,
    device: Device = None,
    seed: Seed = None,
    calibration: CalibrationFolder = None,
    white_image: WhiteImageFile = None,
    settings_file: SettingsFile = None,
    no_verify: NoVerify = False,
    jobs: Jobs = "1",
    json_output: Json = False,
    json_lines: JsonLines = False,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page of a single capture in a browser.")
    ] = False,
) -> None:
    """Turn raw captures into sharp, super-resolved pictures.

    Writes into the output folder: all_in_focus_x2.png (the picture; the number is the scale),
    all_in_focus.png, center_view.png, contact_sheet.png, decision_map.png, disparity.png,
    inspect.html (open it in a browser), thumbnail.webp, focal_stack.h5, fusion.h5 and run.json.
    Several captures, or folders of them, are worked through as by `lfdfp batch`.

    Example:  lfdfp run IMG_0001.lfp --scale 2

    Example:  lfdfp run shots/ -o results/ --resume
    """
    with reported_errors():
        settings = run_settings(
            settings_file,
            scale=scale,
            planes=planes,
            slopes=slopes,
            preset=preset,
            data=data,
            prior=prior,
            device=device,
            seed=seed,
            display=ShownAs(exposure=exposure, white_balance=white_balance, tone=tone),
        )
        single = len(captures) == 1 and path_kind(captures[0]) != "folder"
    options = RunOptions(
        picture_format=picture_format,
        bits=16 if bits == "16" else 8,
        photographs=PhotographOptions(scale=1 if scale is None else scale),
        keep=keep,
        keep_light_field=keep_light_field,
        resume=resume,
        verify=not no_verify,
        calibration=calibration,
        white_image=white_image,
    )
    if not single:
        arguments = BatchArguments(jobs=jobs, json_output=json_output, json_lines=json_lines)
        work_on(captures, output, settings, options, arguments)
        return
    with reported_errors():
        (job,) = plan_jobs(captures, output)
        if output is not None:
            check_output_folder(output, captures)
    as_json = json_output or json_lines
    record = _run_one(job, settings, options, json_output=as_json)
    if as_json:
        echo_json([{"ok": True, **asdict(record)}])
    else:
        _describe(record)
    if open_page:
        webbrowser.open(_page_of(record).resolve().as_uri())


def _run_one(job: Job, settings: Settings, options: RunOptions, *, json_output: bool) -> RunRecord:
    first = announce_compilation()
    try:
        with run_bar(hidden=json_output) as bar:
            if not first:  # nobody knows how long compiling takes
                bar.expect(stages_of_job(job, settings.fusion))
            return run_material(job.material, job.folder, settings, options, stage_progress=bar)
    except LfdfpError as error:
        raise _failed(job, about(job.path, error), json_output=json_output) from None
    except MemoryError:
        text = f"{job.path}: not enough memory for this capture"
        raise _failed(job, text, json_output=json_output) from None


def _page_of(record: RunRecord) -> Path:
    return next(Path(one) for one in record.pictures if one.endswith("inspect.html"))


def _failed(job: Job, error: str, *, json_output: bool) -> typer.Exit:
    if not json_output:
        return fail(error)
    echo_json([{"ok": False, "capture": str(job.path), "skipped": False, "error": error}])
    return typer.Exit(1)


def _describe(record: RunRecord) -> None:
    """What was made, how long it took, what to try next."""
    echo_notes(record.warnings)
    say(f"{record.folder}:")
    for picture in record.pictures:
        say(f"  {Path(picture).name}")
    calibration = record.facts.get("calibration")
    if isinstance(calibration, dict):  # the facts of an earlier run may lack it
        say(f"calibration: {calibration['source']}")
    say(f"made from: {record.facts['data_term']}, prior: {record.facts['prior']}")
    times = ", ".join(
        f"{stage.name} {'reused' if stage.reused else f'{stage.wall_s:.1f} s'}"
        for stage in record.stages
    )
    total = sum(stage.wall_s for stage in record.stages)
    say(f"time: {times}; {total:.1f} s in all, {record.peak_memory_mib:.0f} MiB at most")
    say(f"next: open {_page_of(record)} in a browser, or try --scale 4, or --bits 16 --format tif")
