"""A batch on one processor and on two, and what it needed beside what had been foretold.

    python -m lfdfp.benchmarks.library [--captures 12] [--size 600] [--json FILE]

Simulated captures of an F01 with photographic scenes are worked through by one process with one
thread, by one with two, and by two with one each. The first capture compiles and is not counted.
CPU seconds tell of a busy machine what wall seconds cannot: two processes that need no more of them
than one are as fast as the machine lets them be.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lfdfp.pipeline.batch import Job, Outcome, plan_jobs, run_batch
from lfdfp.pipeline.batch.estimate import needs_of, size_of
from lfdfp.pipeline.batch.pool import Limits
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import Settings
from lfdfp.simulation.names import ScenePreset

_SCENES: Final[tuple[ScenePreset, ...]] = ("motorcycle", "portrait", "foliage", "page", "tissue")
_WAYS: Final = (
    ("1 process, 1 thread", 1, 1),
    ("1 process, 2 threads", 1, 2),
    ("2 processes", 2, 2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way to work through all captures; `peak_mib` is the largest of one process."""

    name: str
    wall_s: float
    cpu_s: float
    peak_mib: float
    foretold_mib: float
    written_mb: float
    foretold_mb: float


def simulate(folder: Path, count: int, size: int) -> None:
    """Write so many captures into `folder`."""
    from lfdfp.simulation import camera_model, make_scene, simulate_capture
    from lfdfp.simulation.files import write_simulated_capture

    model = camera_model("f01", size=size)
    for number in range(count):
        name = _SCENES[number % len(_SCENES)]
        scene = make_scene(name, model.field_pitch, seed=number)
        made = simulate_capture(scene, model, seed=number)
        write_simulated_capture(folder / f"{number:03}", made, white_image=False, truth=False)


def measured(name: str, jobs: Sequence[Job], processes: int, processors: int) -> Row:
    """Work through `jobs`."""
    limits = Limits(processes=processes, processors=processors)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    outcomes = [
        event
        for event in run_batch(jobs, Settings(), RunOptions(), limits)
        if isinstance(event, Outcome)
    ]
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    records = [one.record for one in outcomes if one.record is not None]
    if len(records) < len(jobs):
        raise RuntimeError("; ".join(one.error for one in outcomes if one.record is None))
    needs = [needs_of(size_of(job), Settings(), RunOptions()) for job in jobs]
    return Row(
        name=name,
        wall_s=wall,
        cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        peak_mib=max(record.peak_memory_mib for record in records),
        foretold_mib=max(one.memory_mib for one in needs),
        written_mb=sum(file.size for record in records for file in record.outputs.values()) / 1e6,
        foretold_mb=sum(one.disk_bytes for one in needs) / 1e6,
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captures", type=int, default=12)
    parser.add_argument("--size", type=int, default=600)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate(folder / "shots", arguments.captures + 1, arguments.size)
        first, *jobs = plan_jobs([folder / "shots"], folder / "out")
        measured("compiling", [first], 1, 1)
        rows = [measured(way, jobs, processes, threads) for way, processes, threads in _WAYS]
    print(f"| | wall s | CPU s | peak MiB (foretold) | MB written (foretold) |\n|{'---|' * 5}")
    for row in rows:
        print(
            f"| {row.name} | {row.wall_s:.1f} | {row.cpu_s:.1f} | "
            f"{row.peak_mib:.0f} ({row.foretold_mib:.0f}) | "
            f"{row.written_mb:.1f} ({row.foretold_mb:.1f}) |"
        )
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
