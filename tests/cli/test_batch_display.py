"""What is shown of a batch fits where it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lfdfp.cli.batch_display import display_of
from lfdfp.cli.reporting import QUIET
from lfdfp.pipeline.batch import Event, Job, Outcome, Started

JOB = Job(path=Path("a.lfp"), folder=Path("a"))
EVENTS: tuple[Event, ...] = (
    Started(job=JOB, attempt=1),
    Outcome(job=JOB, status="done"),
    Outcome(job=JOB, status="failed", error="a.lfp: is damaged"),
)


@pytest.mark.parametrize("quiet", [True, False])
def test_quiet_tells_only_what_went_wrong(capsys: pytest.CaptureFixture[str], quiet: bool) -> None:
    token = QUIET.set(quiet)
    try:
        with display_of(2, json_lines=False, quiet=False) as display:
            for event in EVENTS:
                display.tell(event, None)
    finally:
        QUIET.reset(token)
    said = capsys.readouterr()
    assert "a.lfp: is damaged" in said.err
    assert ("begun" in said.err) is not quiet
    assert bool(said.out) is not quiet
