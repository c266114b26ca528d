"""``lfdfp run``: captures to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lfdfp.cli.options import CalibrationFolder, Json, NoVerify, WhiteImageFile
from lfdfp.cli.parsing import parse_slopes
from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    fail,
    reported_errors,
    say,
    stage_bar,
)
from lfdfp.files import check_output_folder
from lfdfp.pipeline.batch import Job, Outcome, plan_jobs, run_batch
from lfdfp.pipeline.record import PictureFormat, RunOptions, RunRecord
from lfdfp.progress import silent_stage
from lfdfp.settings import Data, Preset, Prior, Settings, read_settings


def run_command(
    captures: Annotated[
        list[Path],
        typer.Argument(
            help="Raw captures (.lfp, .lfr, .lfx, .raw with its .txt), processed files (-stk.lfp), "
            "or folders of them."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder for the outputs. Default: one named after each capture, beside it.",
        ),
    ] = None,
    scale: Annotated[
        int | None, typer.Option(min=1, max=4, help="How many times finer. Default: 2.")
    ] = None,
    planes: Annotated[
        int | None, typer.Option(min=2, max=256, help="Slices in the stack. Default: automatic.")
    ] = None,
    slopes: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST:LAST:COUNT",
            help="Slices in pixels per angular step. Default: auto, the range of the scene.",
        ),
    ] = None,
    preset: Annotated[
        Preset | None, typer.Option(help="How much work fusion does. Default: balanced.")
    ] = None,
    data: Annotated[
        Data | None,
        typer.Option(help="Make the picture from the raw rays or from the focal stack."),
    ] = None,
    prior: Annotated[
        Prior | None,
        typer.Option(help="Prior of the picture from rays. Default: variation (the only one)."),
    ] = None,
    bits: Annotated[Literal["8", "16"], typer.Option(help="Bits per channel.")] = "8",
    picture_format: Annotated[
        PictureFormat,
        typer.Option(
            "--format",
            help="Format of the pictures; jpg, webp and avif have 8 bits, exr holds linear light "
            "as half floats, not clipped.",
        ),
    ] = "png",
    keep_light_field: Annotated[
        bool, typer.Option("--keep-light-field", help="Also write light_field.h5 (large).")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Reuse stages whose input and settings are the same.")
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(help="auto, cpu or cuda. From rays, cuda has to be named. Default: auto."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of everything random. Default: 0.")
    ] = None,
    calibration: CalibrationFolder = None,
    white_image: WhiteImageFile = None,
    settings_file: Annotated[
        Path | None,
        typer.Option("--settings", metavar="TOML", help="Settings; options given here win."),
    ] = None,
    no_verify: NoVerify = False,
    jobs: Annotated[int, typer.Option(min=1, help="Captures worked on at the same time.")] = 1,
    json_output: Json = False,
) -> None:
    """Turn raw captures into sharp, super-resolved pictures.

    Writes into the output folder: all_in_focus_x2.png (the picture; the number is the scale),
    all_in_focus.png, center_view.png, contact_sheet.png, decision_map.png, disparity.png,
    inspect.html (open it in a browser), focal_stack.h5, fusion.h5 and run.json.

    Example:  lfdfp run IMG_0001.lfp --scale 2

    Example:  lfdfp run shots/ -o results/ --resume
    """
    with reported_errors():
        settings = Settings() if settings_file is None else read_settings(settings_file)
        refocus = _given(settings.refocus, planes=planes, slopes=parse_slopes(slopes))
        wanted = "stack" if preset == "paper" and data is None else data
        fusion = _given(
            settings.fusion,
            scale=scale,
            preset=preset,
            data=wanted,
            prior=prior,
            device=device,
            seed=seed,
        )
        settings = replace(settings, refocus=refocus, fusion=fusion)
        planned = plan_jobs(captures, output)
        if output is not None:
            check_output_folder(output, captures)
    if not planned:
        raise fail(f"{captures[0]}: no captures (.lfp, .lfr, .lfx) in this folder")
    options = RunOptions(
        picture_format=picture_format,
        bits=16 if bits == "16" else 8,
        keep_light_field=keep_light_field,
        resume=resume,
        verify=not no_verify,
        calibration=calibration,
        white_image=white_image,
    )
    quiet = json_output or jobs > 1
    announce_compilation()
    outcomes = []
    for outcome in run_batch(
        planned,
        settings,
        options,
        processes=jobs,
        stage_progress=silent_stage if quiet else stage_bar,
        on_start=lambda job: _announce(job, len(planned), quiet=json_output),
    ):
        outcomes.append(outcome)
        if not json_output:
            _tell(outcome)
    if json_output:
        echo_json([_facts(outcome) for outcome in outcomes])
    elif len(outcomes) > 1:
        _summarize(outcomes)
    if any(outcome.error and not outcome.skipped for outcome in outcomes):
        raise typer.Exit(1)


def _given(settings: Any, **options: object) -> Any:
    """`settings` with those options that were given."""
    return replace(settings, **{k: v for k, v in options.items() if v is not None})


def _announce(job: Job, count: int, *, quiet: bool) -> None:
    if count > 1 and not quiet:
        say(str(job.path), err=True)


def _tell(outcome: Outcome) -> None:
    if outcome.record is not None:
        _describe(outcome.record)
    elif outcome.skipped:
        say(f"lfdfp: passed over: {outcome.error}", err=True)
    else:
        say(f"lfdfp: {outcome.error}", err=True)


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
    page = next(p for p in record.pictures if p.endswith("inspect.html"))
    say(f"next: open {page} in a browser, or try --scale 4, or --bits 16 --format tif")


def _facts(outcome: Outcome) -> dict[str, object]:
    if outcome.record is not None:
        return {"ok": True, **asdict(outcome.record)}
    return {
        "ok": False,
        "capture": str(outcome.job.path),
        "skipped": outcome.skipped,
        "error": outcome.error,
    }


def _summarize(outcomes: Sequence[Outcome]) -> None:
    failed = [o for o in outcomes if o.error and not o.skipped]
    skipped = sum(o.skipped for o in outcomes)
    done = len(outcomes) - len(failed) - skipped
    passed_over = f", {skipped} passed over" if skipped else ""
    typer.echo("")
    say(f"{done} of {len(outcomes)} captures done, {len(failed)} failed{passed_over}")
    for outcome in failed:
        say(f"  failed: {outcome.error}")
