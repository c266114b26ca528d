"""Many captures, in processes that can die alone; interrupted and gone on with at any moment."""

from lfdfp.pipeline.batch.outcome import Event, Outcome, Progressed, Started
from lfdfp.pipeline.batch.plan import Job, plan_jobs
from lfdfp.pipeline.batch.pool import run_batch

__all__ = [
    "Event",
    "Job",
    "Outcome",
    "Progressed",
    "Started",
    "plan_jobs",
    "run_batch",
]
