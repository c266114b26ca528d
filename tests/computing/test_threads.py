"""All libraries get the number of threads that is wanted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numba
import pytest
import torch

from lfdfp.computing.threads import use_threads


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = torch.get_num_threads(), cv2.getNumThreads(), numba.get_num_threads()
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])
    numba.set_num_threads(before[2])


def test_every_library_gets_its_number() -> None:
    use_threads(1, load_torch=True)
    assert (torch.get_num_threads(), cv2.getNumThreads(), numba.get_num_threads()) == (1, 1, 1)


def test_more_than_numba_has_is_no_error() -> None:
    use_threads(numba.config.NUMBA_NUM_THREADS + 1, load_torch=True)
    assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS
    assert torch.get_num_threads() == numba.config.NUMBA_NUM_THREADS + 1


def test_torch_is_not_loaded_for_nothing() -> None:
    told = (
        "import sys; from lfdfp.computing.threads import use_threads;"
        "use_threads(1, load_torch=False); print('torch' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", told]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert run.stdout == "False\n"
