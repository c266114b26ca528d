"""A real file system that is full: one line, nothing half-written, and a second try finishes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lfdfp.simulation import write_simulated_capture
from tests.digests import digests
from tests.factories import tiny_capture

pytestmark = pytest.mark.slow

_ENOUGH_KIB = 5000
_QUICK = ("--preset", "fast", "--planes", "4", "--data", "stack", "--scale", "1")


def _mount(folder: Path, *options: str) -> None:
    command = ["mount", *options, "tmpfs", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A file system of some KiB; called again, its size changes and its files stay."""
    if sys.platform != "linux":
        pytest.skip("tmpfs is of Linux")
    folder = tmp_path / "disk"
    folder.mkdir()

    def sized(kib: int) -> Path:
        if os.path.ismount(folder):
            _mount(folder, "-o", f"remount,size={kib}k")
        else:
            _mount(folder, "-t", "tmpfs", "-o", f"size={kib}k")
        return folder

    yield sized
    subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("capture") / "tiny.lfp"
    made = tiny_capture(size=200)
    return write_simulated_capture(target, made, white_image=False, truth=False).capture


def _run(capture: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from lfdfp.cli.main import main; main()", "run"]
    return subprocess.run(
        [*command, str(capture), "-o", str(out), *_QUICK, "--resume", "--quiet"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_disk_that_fills_up_is_named_and_a_larger_one_finishes(
    disk: Callable[[int], Path], capture: Path, tmp_path: Path
) -> None:
    assert _run(capture, tmp_path / "whole").returncode == 0
    whole = digests(tmp_path / "whole")
    room_kib = sum(p.stat().st_size for p in (tmp_path / "whole").iterdir()) // 1024
    stopped_at = set()
    for share in (0.02, 0.4, 0.6, 0.8):
        out = disk(max(4, int(share * room_kib))) / "out"
        done = _run(capture, out)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert "cannot be written: No space left on device" in line
        assert not list(out.rglob(".lfdfp-*"))
        assert digests(out).items() <= whole.items()
        stopped_at.add(line)
        disk(_ENOUGH_KIB)
        assert _run(capture, out).returncode == 0
        assert digests(out) == whole
        for path in out.iterdir():
            path.unlink()
        out.rmdir()
    assert len(stopped_at) > 2  # in different files
