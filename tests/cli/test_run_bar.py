"""One bar over a whole command: there at once, honest about time, quiet where nobody looks."""

from __future__ import annotations

import io
import time

import pytest

from lfdfp.cli.run_bar import HiddenBar, RunBar, times_in_words, whole_bar
from lfdfp.pipeline.forecast import Outlook


def _last_line(file: io.StringIO) -> str:
    return file.getvalue().rstrip("\n").split("\r")[-1]


def test_the_bar_is_there_at_once_and_ends_whole() -> None:
    file = io.StringIO()
    bar = RunBar(file, "done")
    assert "start" in file.getvalue()
    bar.expect({"read": 0.1, "fuse": 0.2})
    with bar("read") as progress:
        progress(1, 2)
    with bar("fuse"):
        time.sleep(0.5)  # silent: the bar goes on by itself
        assert "fuse" in file.getvalue()
        assert "left" in file.getvalue() or "nearly done" in file.getvalue()
    bar.close(done=True)
    assert "100%" in _last_line(file)
    assert "done" in _last_line(file)
    assert "it/s" not in file.getvalue()


def test_a_bar_of_what_failed_does_not_claim_to_be_done() -> None:
    file = io.StringIO()
    bar = RunBar(file, "done")
    bar.expect({"read": 10.0})
    with pytest.raises(ValueError, match="x"), bar("read"):
        raise ValueError("x")
    bar.close(done=False)
    assert "100%" not in file.getvalue()


def test_where_nobody_looks_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with whole_bar("done", hidden=False) as bar:  # stderr of tests is no terminal
        assert isinstance(bar, HiddenBar)
        bar.expect({"read": 1.0})
        with bar("read") as progress:
            progress(1, 1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("now", "left", "words"),
    [
        (5.0, 65.0, "0:05, about 1:05 left"),
        (5.0, 0.4, "0:05, nearly done"),
        (5.0, None, "0:05"),
        (3605.0, 7300.0, "1:00:05, about 2:01:40 left"),
    ],
)
def test_times_are_said_in_words(now: float, left: float | None, words: str) -> None:
    assert times_in_words(now, Outlook(share=0.5, remaining_s=left)) == words
