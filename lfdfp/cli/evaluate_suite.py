"""``lfdfp evaluate --suite``: simulated captures with known truth, beside other methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from lfdfp.cli.parsing import parse_names
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

    with reported_errors():
        if output is not None:
            check_output_folder(output)
        chosen = _chosen_cases(name, camera, whole, cases)
    announce_compilation()
    with reported_errors():
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


def _chosen_cases(name: str, camera: str, whole: bool, cases: str | None) -> list[CaptureCase]:
    from lfdfp.evaluation.suites import suite_cases
    from lfdfp.simulation.names import CameraName

    cameras = cast("list[CameraName]", parse_names(camera, get_args(CameraName), "--camera"))
    every = [case for one in cameras for case in suite_cases(name, one, whole=whole)]
    if cases is None:
        return every
    known = dict.fromkeys(case.name for case in every)
    wanted = parse_names(cases, known, "--cases", what=f"a case of {name}:")
    return [case for case in every if case.name in wanted]


def _typed_line(name: str, camera: str, whole: bool, cases: str | None) -> str:
    words = ["lfdfp", "evaluate", "--suite", name, "--camera", camera]
    words += ["--whole"] * whole + (["--cases", f"'{cases}'"] if cases else [])
    return " ".join([*words, "--output", "DIR"])
