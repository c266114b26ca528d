"""How a batch is shown while it goes: a bar on a terminal, lines elsewhere, events for programs."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm

from lfdfp.cli.reporting import QUIET, printable, say
from lfdfp.files import plain_json
from lfdfp.pipeline.batch import Event, Outcome, Progressed, Started

_BAR = "{percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt}{postfix}"


class Display(Protocol):
    """What is told of a batch."""

    def tell(self, event: Event, remaining_s: float | None) -> None:
        """Show what happened, and how long the rest may take."""


@contextmanager
def display_of(count: int, *, json_lines: bool, quiet: bool) -> Iterator[Display]:
    """The display that fits where the output goes.

    Parameters
    ----------
    count
        How many captures there are.
    quiet
        Show nothing but what went wrong.
    """
    if json_lines:
        yield _Events()
    elif quiet or QUIET.get():
        yield _Nothing()
    elif sys.stderr.isatty():
        with tqdm(total=count, bar_format=_BAR, file=sys.stderr, dynamic_ncols=True) as bar:
            yield _Bar(bar)
    else:
        yield _Lines(count)


def outcome_line(outcome: Outcome) -> str:
    """One line on how a capture ended."""
    if outcome.status == "skipped":
        return f"passed over: {outcome.error}"
    if outcome.status in ("failed", "interrupted"):
        return outcome.error
    if outcome.remembered:
        return f"{outcome.job.path}: unchanged; {outcome.job.folder}"
    record = outcome.record
    told = [f"done in {duration(outcome.seconds)}"]
    if record is not None:
        told.append(f"{record.peak_memory_mib:.0f} MiB")
        if record.warnings:
            told.append(f"{len(record.warnings)} warning{'s' * (len(record.warnings) > 1)}")
    return f"{outcome.job.path}: {', '.join(told)}; {outcome.job.folder}"


def duration(seconds: float) -> str:
    """A time as people say it: ``8.2 s``, ``12 min``, ``3 h 5 min``, ``2 d 4 h``."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


class _Nothing:
    def tell(self, event: Event, remaining_s: float | None) -> None:
        del remaining_s
        if isinstance(event, Outcome) and event.status == "failed":
            say(f"lfdfp: {event.error}", err=True)


class _Lines:
    def __init__(self, count: int) -> None:
        self._count, self._ended = count, 0

    def tell(self, event: Event, remaining_s: float | None) -> None:
        if isinstance(event, Started) and self._ended == 0:
            say(f"begun: {event.job.path}", err=True)
        if not isinstance(event, Outcome):
            return
        self._ended += 1
        left = "" if not remaining_s else f" ({duration(remaining_s)} to go)"
        if event.remembered and event.status == "done":
            return
        bad = event.status == "failed"
        line = f"{'lfdfp: ' * bad}[{self._ended}/{self._count}] {outcome_line(event)}{left}"
        say(line, err=event.status != "done")


class _Bar:
    def __init__(self, bar: tqdm[None]) -> None:
        self._bar = bar
        self._doing: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def tell(self, event: Event, remaining_s: float | None) -> None:
        name = event.job.folder.name
        if isinstance(event, Started):
            self._doing[name] = "read"
        elif isinstance(event, Progressed):
            self._doing[name] = event.stage
        else:
            self._doing.pop(name, None)
            self._counts[event.status] += 1
            self._bar.update(1)
            if event.status != "done":
                with self._bar.external_write_mode(file=sys.stderr):
                    say(f"lfdfp: {outcome_line(event)}", err=True)
        left = [] if remaining_s is None else [f"{duration(remaining_s)} to go"]
        failed = [f"{self._counts['failed']} failed"] if self._counts["failed"] else []
        doing = [printable(f"{one}: {stage}") for one, stage in list(self._doing.items())[:2]]
        self._bar.set_postfix_str("; ".join([*left, *failed, *doing]), refresh=True)


class _Events:
    def tell(self, event: Event, remaining_s: float | None) -> None:
        facts: dict[str, object] = {
            "event": type(event).__name__.lower(),
            "time": round(time.time(), 3),
            "capture": str(event.job.path),
            "folder": str(event.job.folder),
        }
        if isinstance(event, Started):
            facts["attempt"] = event.attempt
        elif isinstance(event, Progressed):
            facts["stage"] = event.stage
        else:
            facts |= {
                "event": "ended",
                "status": event.status,
                "unchanged": event.remembered,
                "error": event.error,
                "seconds": round(event.seconds, 3),
                "remaining_s": None if remaining_s is None else round(remaining_s, 1),
            }
            if event.record is not None:
                facts["peak_memory_mib"] = event.record.peak_memory_mib
                facts["warnings"] = event.record.warnings
        say(json.dumps(plain_json(facts), default=str))
        sys.stdout.flush()
