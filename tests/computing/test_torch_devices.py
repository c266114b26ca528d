"""Devices by name; PyTorch's threads are given back as they were."""

from __future__ import annotations

import os

import pytest
import torch

from lfdfp.computing.torch_devices import deliberate_threads, torch_device
from lfdfp.errors import SettingsError


def test_devices_by_name() -> None:
    assert torch_device("cpu") == torch.device("cpu")
    assert torch_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"device '{name}' cannot be used: .*; try auto or cpu"):
        torch_device(name)


def test_threads_are_within_what_is_allowed_and_come_back() -> None:
    before = torch.get_num_threads()
    seen = []

    def fail() -> None:
        with deliberate_threads():
            seen.append(torch.get_num_threads())
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert 1 <= seen[0] <= len(os.sched_getaffinity(0))
    assert torch.get_num_threads() == before
