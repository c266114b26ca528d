"""What a batch tells as it goes: what was begun, how far it is, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from lfdfp.pipeline.batch.plan import Job
from lfdfp.pipeline.record import RunRecord

Status = Literal["done", "failed", "skipped", "interrupted"]
"""A file without a capture that was found in a folder is skipped; what was ended by the user, or
lost its time to it, is interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A job was given to a process; `attempt` counts from 1."""

    job: Job
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """A job has begun this stage."""

    job: Job
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one job ended: a record, or why there is none.

    Attributes
    ----------
    error
        One line, with the file named.
    traceback
        Of an exception that nobody expected; it goes into the log, not on the terminal.
    seconds
        Since it was started.
    remembered
        It ended so in an earlier batch, and nothing that it depends on has changed since.
    attempts
        How many were made.
    """

    job: Job
    status: Status
    record: RunRecord | None = None
    error: str = ""
    traceback: str = ""
    seconds: float = 0.0
    remembered: bool = False
    attempts: int = 1


Event: TypeAlias = Started | Progressed | Outcome
