"""Run ``lfdfp run`` with its n-th writing call failing, and tell as JSON what came of it.

The stages that compute are remembered from a first run: what is at stake here is what is written.
Started with `failing_calls.c` loaded before the C library, as ``driver.py FOLDER CAPTURE TASKS``.
A task is ``[what, n]``, where `what` is "error", "memory" or the name of a signal.
"""

from __future__ import annotations

import ctypes
import functools
import json
import pickle
import signal
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from lfdfp.cli.interruption import end_cleanly_on_termination
from lfdfp.cli.main import app
from lfdfp.cli.reporting import reported_defects
from lfdfp.pipeline import stages
from tests.digests import digests

_COMPUTING = ("calibration", "light_field", "focal_stack", "sharp_picture")
_LEAST_MEMORY = 1 << 18


def remember_stages(memory: Path) -> None:
    """Compute every stage once for all runs of this process and the ones after it."""
    known: dict[str, Any] = pickle.loads(memory.read_bytes()) if memory.exists() else {}

    def remembered(name: str, compute: Any, *arguments: Any, **options: Any) -> Any:
        if name not in known:
            known[name] = compute(*arguments, **options)
            memory.write_bytes(pickle.dumps(known))
        return known[name]

    for name in _COMPUTING:
        setattr(stages, name, functools.partial(remembered, name, getattr(stages, name)))


def run(capture: Path, folder: Path, *options: str) -> dict[str, Any]:
    """What the command answers; its last net is in ``main``, which ends the process."""
    arguments = ["run", str(capture), "-o", str(folder), *options]
    runner = CliRunner()
    with runner.isolation() as (_, errors, _out):
        code = 0
        try:
            with reported_defects(traceback=False):
                app(arguments, standalone_mode=True)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        said = errors.getvalue().decode()
    return {"code": code, "said": said.splitlines()}


def main(folder: Path, capture: Path, tasks: list[list[Any]]) -> None:
    library = ctypes.CDLL(None)
    remember_stages(folder / "memory")
    end_cleanly_on_termination()
    whole = folder / "whole"
    if not whole.exists():
        assert run(capture, whole)["code"] == 0
    wanted = digests(whole)
    for what, n in tasks:
        place = folder / f"{what}{n}"
        number = getattr(signal, what, 0)
        memory = _LEAST_MEMORY if what == "memory" else 0
        library.faults_arm(str(place).encode(), n, int(number), ctypes.c_size_t(memory))
        answer = run(capture, place)
        counted = library.faults_disarm()
        before = digests(place)
        folder_left = place.exists()
        again = run(capture, place, "--resume")
        after = digests(place)
        print(
            json.dumps(
                answer
                | {
                    "what": what,
                    "n": n,
                    "counted": counted,
                    "half": [k for k, v in before.items() if wanted.get(k) != v],
                    "empty_folder": folder_left and not before,
                    "again": again["code"],
                    "same": after == wanted,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
