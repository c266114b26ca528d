"""The memory that is told is this process's own, and counting can begin anew."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from lfdfp.computing.memory import forget_peak_memory, peak_memory_mib, return_freed_memory


def test_memory_is_that_of_this_process() -> None:
    assert 10 < peak_memory_mib() < 1e6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can count anew")
def test_the_peak_is_forgotten() -> None:
    large = np.ones(25_000_000)
    with_it = peak_memory_mib()
    del large
    return_freed_memory()
    forget_peak_memory()
    assert peak_memory_mib() < with_it - 150
