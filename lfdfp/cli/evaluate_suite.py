"""``lfdfp evaluate --suite``: simulated captures with known truth, beside other methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import typer

from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    reported_errors,
    say,
    stage_bar,
)
from lfdfp.files import check_output_folder

if TYPE_CHECKING:
    from lfdfp.evaluation.suites import CaptureCase
    from lfdfp.simulation.names import CameraName


def evaluate_suite(
    name: str,
    *,
    camera: str,
    whole: bool,
    cases: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Run a suite, print its tables, and write them where asked."""
    from dataclasses import asdict

    announce_compilation()
    with reported_errors(None):
        if output is not None:
            check_output_folder(output)
        chosen = _chosen_cases(name, _cameras(camera), whole, cases)
        from lfdfp.evaluation.suite_report import machine_class, write_suite
        from lfdfp.evaluation.suites import run_case, suite_table

        results = [run_case(case, stage=stage_bar) for case in chosen]
        written: list[str] = []
        if output is not None:
            command = _typed_line(name, camera, whole, cases)
            output.mkdir(parents=True, exist_ok=True)
            written = [str(path) for path in write_suite(output, name, command, results)]
    if as_json:
        facts = {"suite": name, "machine": machine_class(), "written": written}
        echo_json(facts | {"cases": [asdict(result) for result in results]})
        return
    for line in (suite_table(results), *written):
        say(line)


def _cameras(text: str) -> list[CameraName]:
    from lfdfp.simulation.names import CameraName

    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in get_args(CameraName)]
    if unknown:
        raise typer.BadParameter(
            f"{unknown[0]!r} is not one of {', '.join(get_args(CameraName))}",
            param_hint="--camera",
        )
    return [cast("CameraName", name) for name in names]


def _chosen_cases(
    name: str, cameras: list[CameraName], whole: bool, cases: str | None
) -> list[CaptureCase]:
    from lfdfp.evaluation.suites import suite_cases

    every = [case for camera in cameras for case in suite_cases(name, camera, whole=whole)]
    if cases is None:
        return every
    wanted = [one.strip() for one in cases.split(",")]
    known = list(dict.fromkeys(case.name for case in every))
    unknown = [one for one in wanted if one not in known]
    if unknown:
        raise typer.BadParameter(
            f"{unknown[0]!r} is not a case of {name}: {', '.join(known)}", param_hint="--cases"
        )
    return [case for case in every if case.name in wanted]


def _typed_line(name: str, camera: str, whole: bool, cases: str | None) -> str:
    words = ["lfdfp", "evaluate", "--suite", name, "--camera", camera]
    words += ["--whole"] * whole + (["--cases", f"'{cases}'"] if cases else [])
    return " ".join([*words, "--output", "DIR"])
