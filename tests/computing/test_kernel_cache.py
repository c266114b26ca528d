"""Kernels run from a place where nothing can be written."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lfdfp
from lfdfp.computing.kernel_cache import allow_kernels_without_a_cache

_RUN = """
import os, sys
import numpy as np
from lfdfp.lenslets import kernels
assert kernels.__file__.startswith(sys.argv[1]), kernels.__file__
names = [name for name in vars(kernels) if hasattr(getattr(kernels, name), "py_func")]
assert names
print(os.environ.get("NUMBA_CACHE_DIR", "usual"))
"""


def _without_roots_rights() -> None:
    """Root may write everywhere: these two rights are given up for good."""
    for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, right, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.mark.skipif(sys.platform != "linux", reason="rights are dropped as Linux does it")
@pytest.mark.parametrize("home", ["/proc/nowhere", "writable"])
def test_a_read_only_installation_runs(tmp_path: Path, home: str) -> None:
    package = tmp_path / "lfdfp"
    ignored = shutil.ignore_patterns("__pycache__", "*.npz", "templates")
    shutil.copytree(Path(lfdfp.__file__).parent, package, ignore=ignored)
    for folder in (package, *(path for path in package.rglob("*") if path.is_dir())):
        folder.chmod(0o555)
    (tmp_path / "writable").mkdir()
    environment = {k: v for k, v in os.environ.items() if "CACHE" not in k}
    environment |= {"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path / home)}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(package)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_without_roots_rights,
    )
    assert done.returncode == 0, done.stderr
    chosen = done.stdout.strip()
    assert (chosen == "usual") == (home == "writable")
    assert not Path(chosen).exists(), "the temporary folder goes with the process"


def test_a_choice_of_the_user_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "chosen")
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    allow_kernels_without_a_cache(tmp_path / "gone")
    assert os.environ["NUMBA_CACHE_DIR"] == "chosen"
