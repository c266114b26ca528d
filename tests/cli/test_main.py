"""The last net: whatever happens, a person reads one line and programs an exit code of 1."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lfdfp.cli import info
from lfdfp.cli.main import app, main
from lfdfp.cli.reporting import printable
from lfdfp.errors import LfdfpError


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["lfdfp", *arguments])
    main()


def _break_info(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("lfdfp.lfp.describe", broken)


def test_an_unexpected_exception_says_what_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _break_info(monkeypatch, IndexError("index -1\nis out of bounds"))
    with pytest.raises(SystemExit) as exit_:
        _main(monkeypatch, "info", "a.lfp")
    assert exit_.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("lfdfp: unexpected IndexError: index -1 is out of bounds (cli/info.py:")
    assert "please report it as an issue" in line


@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    _break_info(monkeypatch, IndexError("index -1"))
    arguments = ["info", "a.lfp"]
    arguments.insert(place, "--debug")
    with pytest.raises(IndexError, match="index -1"):
        _main(monkeypatch, *arguments)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(13, "Permission denied", "/a/b"), "lfdfp: /a/b: Permission denied"),
        (OSError("the disk is gone"), "lfdfp: the disk is gone"),
        (MemoryError(), "lfdfp: not enough memory"),
        (ImportError("a.so: failed to map segment from shared object"), "lfdfp: not enough memory"),
        (LfdfpError("a bad value"), "lfdfp: a bad value"),
    ],
)
def test_what_the_system_refuses_is_no_defect(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    line: str,
) -> None:
    _break_info(monkeypatch, error)
    with pytest.raises(SystemExit) as exit_:
        _main(monkeypatch, "info", "a.lfp")
    assert exit_.value.code == 1
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.parametrize("name", ["a\x1b[31mred", "a\udc80b", "a\u202eb", "a\rb", "a\x9b2Jb"])
def test_names_never_reach_the_terminal_raw(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        _main(monkeypatch, "info", name)
    captured = capsys.readouterr()
    assert printable(name) in captured.err
    assert captured.err[:-1].isprintable()


def test_commands_speak_through_one_function_alone() -> None:
    for path in Path(info.__file__).parent.glob("*.py"):
        raw = [line for line in path.read_text().splitlines() if "typer.echo(" in line]
        allowed = {"reporting.py": 2, "main.py": 1, "run.py": 1}.get(path.name, 0)
        assert len(raw) <= allowed, f"{path.name}: use say(), which frees text of control codes"


@pytest.mark.parametrize(
    "command", ["run", "info", "split", "decode", "refocus", "disparity", "fuse", "simulate"]
)
def test_help_holds_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"lfdfp {command} " in result.stdout


def test_quiet_tells_nothing_of_results_but_what_went_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    for arguments in (("--quiet", "info"), ("info", "--quiet")):
        with pytest.raises(SystemExit) as exit_:
            _main(monkeypatch, *arguments, str(tmp_path / "folder"))
        assert exit_.value.code == 0
        assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit):
        _main(monkeypatch, "info", str(tmp_path / "missing"), "--quiet")
    assert "missing" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        _main(monkeypatch, "info", str(tmp_path / "folder"))
    assert "folder" in capsys.readouterr().out
