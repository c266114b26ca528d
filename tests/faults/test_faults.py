"""Every call that writes fails once: one line, nothing half-written, and a second try finishes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lfdfp.simulation import write_simulated_capture
from tests.factories import tiny_capture

HERE = Path(__file__).parent
_WRITES, _REQUESTS = 65, 40
"""More than a run has of each; what lies beyond the last one changes nothing."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None,
    reason="calls are made to fail by a library, which needs Linux and a compiler",
)


class Faults:
    """Runs of one capture, each with a fault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = folder / "failing_calls.so"
        source = str(HERE / "failing_calls.c")
        command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(self._library), source, "-ldl"]
        subprocess.run(command, check=True)
        capture = tiny_capture(size=200)
        target = folder / "tiny.lfp"
        self.capture = write_simulated_capture(target, capture, white_image=False, truth=False)

    def started(self, tasks: list[tuple[str, int]], **options: Any) -> Any:
        places = {"LD_PRELOAD": str(self._library), "PYTHONPATH": str(HERE.parents[1])}
        environment = os.environ | places
        command = [sys.executable, str(HERE / "driver.py"), str(self._folder)]
        command += [str(self.capture.capture), json.dumps(tasks)]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, **options
        )

    def answers(self, tasks: list[tuple[str, int]]) -> list[dict[str, Any]]:
        done = self.started(tasks)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    return Faults(tmp_path_factory.mktemp("faults"))


def _check(answer: dict[str, Any]) -> None:
    """Either the fault did no harm, or the run ended in good order; then it is taken up again."""
    assert not answer["half"]
    assert not answer["empty_folder"]
    assert answer["again"] == 0
    assert answer["same"]
    if answer["code"] == 0:
        return
    assert answer["code"] == {"error": 1, "memory": 1}.get(answer["what"], 143)
    words = {"error": "cannot be written: No space left on device", "memory": "memory"}
    if answer["what"] in words:
        (line,) = answer["said"]
        assert words[answer["what"]] in line


def _check_all(answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        _check(answer)
    for what in {answer["what"] for answer in answers}:
        assert any(a["code"] for a in answers if a["what"] == what), f"no {what} ever took effect"


@pytest.mark.slow
def test_a_call_that_fails_ends_in_good_order(faults: Faults) -> None:
    error = [("error", n) for n in (0, 2, 3, 9, 23, _WRITES - 2)]
    signals = [("SIGTERM", n) for n in (1, 3, 4, 33)]
    _check_all(faults.answers([*error, *signals, ("memory", 1), ("memory", 8)]))


@pytest.mark.slow
def test_every_write_fails_once(faults: Faults) -> None:
    answers = faults.answers([("error", n) for n in range(_WRITES)])
    assert answers[-1]["counted"] < _WRITES or answers[-1]["code"], "there are more writes"
    _check_all(answers)


@pytest.mark.slow
def test_every_large_request_for_memory_fails_once(faults: Faults) -> None:
    answers = faults.answers([("memory", n) for n in range(_REQUESTS)])
    assert answers[-1]["counted"] < _REQUESTS, "there are more requests"
    _check_all(answers)


@pytest.mark.slow
def test_termination_is_in_order_at_every_write(faults: Faults) -> None:
    _check_all(faults.answers([("SIGTERM", n) for n in range(_WRITES)]))


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2, 3, 4, 33, 63])
def test_a_killed_run_is_taken_up_again(faults: Faults, tmp_path: Path, n: int) -> None:
    faults.answers([])  # the whole run is there to be compared with
    assert faults.started([("SIGKILL", n)]).returncode == -signal.SIGKILL
    left = faults._folder / f"SIGKILL{n}"
    (answer,) = faults.answers([("SIGKILL", 10_000)])
    _check(answer)
    again = faults._folder / "SIGKILL10000"
    if left.exists():
        shutil.rmtree(again)
        left.rename(again)
    (answer,) = faults.answers([("SIGKILL", 10_000)])
    _check(answer)
    assert not list(again.glob(".lfdfp-*"))


@pytest.mark.slow
@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("room", [0, 4 << 10, 40 << 10])
def test_files_may_not_be_larger_than_the_system_allows(
    faults: Faults, tmp_path: Path, room: int
) -> None:
    import resource

    command = [sys.executable, "-c", "from lfdfp.cli.main import main; main()", "run"]
    done = subprocess.run(
        [*command, str(faults.capture.capture), "-o", str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].endswith("cannot be written: File too large")
    assert not list(tmp_path.rglob(".lfdfp-*"))
