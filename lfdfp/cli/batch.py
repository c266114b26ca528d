"""``lfdfp batch``: folders of captures to a folder of results; also what `run` does with many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from lfdfp.cli.batch_display import outcome_line
from lfdfp.cli.batch_work import Batch, BatchArguments
from lfdfp.cli.interruption import stopping_on_signals
from lfdfp.cli.options import (
    Align,
    Bits,
    CalibrationFolder,
    Crop,
    DataTerm,
    Device,
    DryRun,
    Equalize,
    Exposure,
    Format,
    FusionPreset,
    Jobs,
    Json,
    JsonLines,
    KeepLightField,
    KeptFiles,
    LimitCpu,
    Memory,
    NoVerify,
    Order,
    OutputFolder,
    PicturePrior,
    Planes,
    ReferencePhotograph,
    RetryFailed,
    Scale,
    Seed,
    SettingsFile,
    Slopes,
    ToneCurve,
    WhiteBalance,
    WhiteImageFile,
)
from lfdfp.cli.parsing import parse_jobs, parse_memory, parse_reference
from lfdfp.cli.reporting import announce_compilation, echo_json, fail, reported_errors, say
from lfdfp.cli.run_settings import ShownAs, run_settings
from lfdfp.files import check_output_folder
from lfdfp.pipeline.batch import Outcome
from lfdfp.pipeline.batch.index import PAGE, check_index
from lfdfp.pipeline.batch.library import opened_library
from lfdfp.pipeline.batch.plan import Stacks, results_root
from lfdfp.pipeline.batch.state import LOG
from lfdfp.pipeline.batch.survey import request_of
from lfdfp.pipeline.record import PhotographOptions, RunOptions
from lfdfp.settings import Settings

_LISTED: Final = 20


def batch_command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER|FILE",
            help="Folders of captures, which are searched whole, or captures.",
        ),
    ],
    output: OutputFolder = None,
    jobs: Jobs = "auto",
    memory: Memory = None,
    limit_cpu: LimitCpu = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Let the workers of this Dask scheduler do it, such as tcp://host:8786; --jobs, "
            "--memory and --limit-cpu then count for nothing.",
        ),
    ] = None,
    transfer: Annotated[
        Literal["path", "upload"],
        typer.Option(
            help="With --scheduler: workers see the same files under the same paths, or captures "
            "and results are sent."
        ),
    ] = "path",
    order: Order = "name",
    dry_run: DryRun = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="When all is done, wait for new files; Ctrl-C ends it."),
    ] = False,
    stacks: Annotated[
        Stacks | None,
        typer.Option(
            help="Also fuse the pictures of each folder, or those of it that were taken in a row."
        ),
    ] = None,
    retry_failed: RetryFailed = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Make everything again, finished or not.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Read all finished outputs and compare their checksums."),
    ] = False,
    keep: KeptFiles = "all",
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
    keep_light_field: KeepLightField = False,
    align: Align = True,
    equalize: Equalize = True,
    reference: ReferencePhotograph = "middle",
    crop: Crop = False,
    device: Device = None,
    seed: Seed = None,
    calibration: CalibrationFolder = None,
    white_image: WhiteImageFile = None,
    settings_file: SettingsFile = None,
    no_verify: NoVerify = False,
    json_output: Json = False,
    json_lines: JsonLines = False,
) -> None:
    """Turn folders of captures into a folder of results, on all processors.

    Writes what `lfdfp run` writes, in a folder for each capture, and beside these index.html (open
    it in a browser), index.csv, index.json, and lfdfp-batch.sqlite, which remembers what is done:
    the same command, given again after any interruption or with more captures, goes on from there.

    Example:  lfdfp batch shots/ -o results/

    Example:  lfdfp batch shots/ -o results/ --memory 8G --keep pictures --dry-run
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
    options = RunOptions(
        picture_format=picture_format,
        bits=16 if bits == "16" else 8,
        photographs=PhotographOptions(
            scale=1 if scale is None else scale,
            align=align,
            equalize=equalize,
            reference=parse_reference(reference),
            crop=crop,
        ),
        keep=keep,
        keep_light_field=keep_light_field,
        resume=not anew,
        verify=not no_verify,
        calibration=calibration,
        white_image=white_image,
    )
    arguments = BatchArguments(
        jobs=jobs,
        memory=memory,
        limit_cpu=limit_cpu,
        scheduler=scheduler,
        upload=transfer == "upload",
        order=order,
        dry_run=dry_run,
        watch=watch,
        stacks=stacks,
        retry_failed=retry_failed,
        check=check,
        json_output=json_output,
        json_lines=json_lines,
    )
    work_on(inputs, output, settings, options, arguments)


def work_on(
    inputs: Sequence[Path],
    output: Path | None,
    settings: Settings,
    options: RunOptions,
    arguments: BatchArguments,
) -> None:
    """Work through captures and folders of them; tell of each, then of all."""
    parse_jobs(arguments.jobs)
    parse_memory(arguments.memory)
    with reported_errors():
        if output is not None:
            check_output_folder(output, inputs)
        root = results_root(inputs, output)
        check_index(root)
        batch = Batch(inputs, output, root, request_of(settings, options), arguments)
        planned = batch.planned()
    if not planned and not arguments.watch:
        raise fail(f"{inputs[0]}: no captures (.lfp, .lfr, .lfx) in this folder")
    if arguments.dry_run:
        with reported_errors():
            batch.foretell(planned)
        return
    announce_compilation()
    with reported_errors(), stopping_on_signals() as stop, opened_library(root) as library:
        outcomes = batch.outcomes(library, planned, stop)
    if arguments.json_output:
        echo_json([outcome_facts(outcome) for outcome in outcomes])
    elif not arguments.json_lines:
        _summarize(outcomes, root)
    if stop():
        again = "the same command" + " with --resume" * (not options.resume)
        fail(f"interrupted; what is finished is kept: {again} goes on from there")
        raise typer.Exit(stop.exit_code)
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(1)


def outcome_facts(outcome: Outcome) -> dict[str, object]:
    """An outcome for programs."""
    if outcome.record is not None:
        return {"ok": True, **asdict(outcome.record)}
    facts: dict[str, object] = {
        "ok": outcome.status == "done",
        "capture": str(outcome.job.path),
        "folder": str(outcome.job.folder),
    }
    if outcome.status == "done":
        return {**facts, "unchanged": True}
    return {**facts, "skipped": outcome.status == "skipped", "error": outcome.error}


def _summarize(outcomes: Sequence[Outcome], root: Path) -> None:
    counts = Counter(outcome.status for outcome in outcomes)
    unchanged = sum(outcome.remembered and outcome.status == "done" for outcome in outcomes)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    told = [
        f"{counts['done']} of {len(outcomes)} captures done"
        + (f" ({unchanged} unchanged)" if unchanged else ""),
        f"{len(failed)} failed",
    ]
    if counts["skipped"]:
        told.append(f"{counts['skipped']} passed over")
    say(", ".join(told))
    for outcome in failed[:_LISTED]:
        say(f"  failed: {outcome_line(outcome)}")
    if len(failed) > _LISTED:
        say(f"  and {len(failed) - _LISTED} more: see {root / 'index.csv'}")
    if (root / LOG).is_file() and (root / LOG).stat().st_size:
        say(f"log: {root / LOG}")
    say(f"next: open {root / PAGE} in a browser")
