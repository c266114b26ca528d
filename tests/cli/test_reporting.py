"""One line and an exit code for what went wrong; bars that are quiet where nobody looks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    fail,
    printable,
    reported_errors,
    stage_bar,
)
from lfdfp.errors import CaptureError


def test_bad_input_is_one_line_that_names_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, reported_errors(Path("folder/a.lfp")):
        raise CaptureError("the picture is black")
    assert ended.value.exit_code == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("lfdfp: ")
    assert "a.lfp" in said.err
    assert said.err.endswith("the picture is black\n")
    assert said.err.count("\n") == 1


def test_memory_that_is_not_there_is_no_defect(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), reported_errors():
        raise MemoryError
    assert capsys.readouterr().err == "lfdfp: not enough memory\n"


def test_a_closed_pipe_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), reported_errors():
        raise BrokenPipeError
    assert capsys.readouterr().err == ""


def test_a_defect_is_let_through() -> None:
    with pytest.raises(ZeroDivisionError), reported_errors():
        _ = 1 / 0


def test_notes_and_failures_stay_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    echo_notes(["one", "two"])
    fail("three")
    assert capsys.readouterr() == ("", "note: one\nnote: two\nlfdfp: three\n")


def test_json_knows_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    echo_json({"a": float("nan"), "b": 0.5, "c": [float("inf")]})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": 0.5, "c": [None]}


def test_escape_sequences_do_not_reach_a_terminal() -> None:
    assert printable("a\x1b[31m\nb\u202ec") == "a [31m b c"


def test_a_bar_is_quiet_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with stage_bar("decode") as update:
        update(1, 3)
        update(7, 3)
    assert capsys.readouterr() == ("", "")


def test_compilation_is_announced_only_where_nothing_is_compiled(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("lfdfp.cli.reporting.__file__", str(tmp_path / "cli" / "reporting.py"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    announce_compilation()
    assert "first run: kernels are compiled" in capsys.readouterr().err
    (tmp_path / "kernel.nbi").touch()
    announce_compilation()
    assert capsys.readouterr().err == ""
