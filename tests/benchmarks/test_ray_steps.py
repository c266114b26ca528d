"""The table of steps names functions that run."""

from __future__ import annotations

import pytest

from lfdfp.benchmarks import ray_steps


@pytest.mark.slow
def test_every_step_of_the_table_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["ray_steps", "--size", "300"])
    ray_steps.main()
    table = capsys.readouterr().out
    assert "| strength of the prior | 1 |" in table
    assert "100 %" in table
