"""``lfdfp batch``: folders of captures to a folder of results; also what `run` does with many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from lfdfp.cli.batch_display import display_of, outcome_line
from lfdfp.cli.interruption import Interruption, stopping_on_signals
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
    RetryFailed,
    Scale,
    Seed,
    SettingsFile,
    Slopes,
    ToneCurve,
    WhiteBalance,
    WhiteImageFile,
)
from lfdfp.cli.parsing import parse_jobs
from lfdfp.cli.reporting import announce_compilation, echo_json, fail, reported_errors, say
from lfdfp.cli.run_settings import ShownAs, run_settings
from lfdfp.files import check_output_folder
from lfdfp.pipeline.batch import Job, Outcome, plan_jobs
from lfdfp.pipeline.batch.index import PAGE, check_index
from lfdfp.pipeline.batch.library import Library, opened_library
from lfdfp.pipeline.batch.plan import placed_before, results_root
from lfdfp.pipeline.batch.pool import available_processors
from lfdfp.pipeline.batch.state import LOG, read_entries
from lfdfp.pipeline.batch.survey import request_of
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import Settings

_LISTED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchArguments:
    """How a batch is worked through and told of, beside what is wanted of each capture."""

    jobs: str = "auto"
    retry_failed: bool = False
    check: bool = False
    json_output: bool = False
    json_lines: bool = False


def batch_command(
    inputs: Annotated[
        list[Path],
        typer.Argument(help="Folders of captures, which are searched whole, or captures."),
    ],
    output: OutputFolder = None,
    jobs: Jobs = "auto",
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

    Example:  lfdfp batch shots/ -o results/ --jobs 2 --keep pictures --retry-failed
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
        keep=keep,
        keep_light_field=keep_light_field,
        resume=not anew,
        verify=not no_verify,
        calibration=calibration,
        white_image=white_image,
    )
    arguments = BatchArguments(
        jobs=jobs,
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
    wanted_jobs = parse_jobs(arguments.jobs)
    with reported_errors():
        if output is not None:
            check_output_folder(output, inputs)
        root = results_root(inputs, output)
        check_index(root)
        planned = plan_jobs(inputs, output, placed_before(read_entries(root).values(), root))
    if not planned:
        raise fail(f"{inputs[0]}: no captures (.lfp, .lfr, .lfx) in this folder")
    processes = wanted_jobs or available_processors()
    announce_compilation()
    with reported_errors(), stopping_on_signals() as stop, opened_library(root) as library:
        outcomes = _outcomes(library, planned, settings, options, arguments, processes, stop)
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


def _outcomes(
    library: Library,
    planned: Sequence[Job],
    settings: Settings,
    options: RunOptions,
    arguments: BatchArguments,
    processes: int,
    stop: Interruption,
) -> list[Outcome]:
    request = request_of(settings, options)
    found = library.survey(
        planned, request, retry_failed=arguments.retry_failed, check=arguments.check
    )
    quiet = arguments.json_output
    if not (quiet or arguments.json_lines):
        finished = sum(outcome.status == "done" for outcome in found.remembered)
        unchanged = f", {finished} of them finished and unchanged" if finished else ""
        say(f"{len(planned)} captures{unchanged}; {processes} at a time", err=True)
    outcomes: list[Outcome] = []
    with display_of(len(planned), json_lines=arguments.json_lines, quiet=quiet) as display:
        for outcome in found.remembered:
            outcomes.append(outcome)
            display.tell(outcome, None)
        for event in library.work_through(found.due, request, processes=processes, stop=stop):
            if isinstance(event, Outcome):
                outcomes.append(event)
            display.tell(event, None)
    return outcomes


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
