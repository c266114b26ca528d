"""A run that is ended in any stage leaves nothing half-written and can be taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lfdfp.simulation import write_simulated_capture
from tests.digests import digests
from tests.factories import tiny_capture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL"),
]

STAGES = ("read", "calibrate", "decode", "refocus", "save", "reconstruct", "export")

_RUN = """
import contextlib, os, sys
from lfdfp.cli import run
from lfdfp.cli.main import main
number, wanted = int(sys.argv[1]), sys.argv[2]
class Bar:
    def expect(self, stages):
        pass
    @contextlib.contextmanager
    def __call__(self, name):
        if name == wanted:
            os.kill(os.getpid(), number)
        yield lambda done, total: None
run.run_bar = lambda hidden: contextlib.nullcontext(Bar())
sys.argv = ["lfdfp", "run", *sys.argv[3:]]
main()
"""


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("capture") / "tiny.lfp"
    made = tiny_capture(size=200)
    return write_simulated_capture(target, made, white_image=False, truth=False).capture


def _run(capture: Path, folder: Path, *options: str, number: int = 0, stage: str = "") -> int:
    arguments = [str(number), stage, str(capture), "-o", str(folder), "--planes", "3", *options]
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr
    return done.returncode


@pytest.fixture(scope="module")
def whole(capture: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("whole") / "out"
    assert _run(capture, folder) == 0
    return digests(folder)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_run_ended_in_a_stage_is_taken_up_again(
    capture: Path, whole: dict[str, str], tmp_path: Path, stage: str, name: str
) -> None:
    number, folder = int(getattr(signal, name)), tmp_path / "out"
    code = _run(capture, folder, number=number, stage=stage)
    assert code == (143 if name == "SIGTERM" else -number)
    there = digests(folder) if folder.exists() else {}
    assert all(whole.get(file) == digest for file, digest in there.items())
    assert _run(capture, folder, "--resume") == 0
    assert digests(folder) == whole
