"""Folders appear whole or not at all, and never in the place of something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lfdfp.errors import StorageError
from lfdfp.files import json_text, replacing_folder, write_text


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder"
    with replacing_folder(target) as folder:
        (folder / "a.txt").write_text("a")
        assert not target.exists()
    assert [path.name for path in target.iterdir()] == ["a.txt"]
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "a.txt").write_text("a")
        raise KeyError

    with pytest.raises(KeyError), replacing_folder(tmp_path / "folder") as folder:
        fail(folder)
    assert not list(tmp_path.iterdir())


def test_json_holds_no_numbers_that_json_does_not_know() -> None:
    text = json_text({"a": [1.5, float("nan")], "b": {"c": float("-inf")}, "d": Path("x")})
    assert json.loads(text) == {"a": [1.5, None], "b": {"c": None}, "d": "x"}


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with replacing_folder(tmp_path / "folder") as folder:
        (folder / "a.txt").write_text("a")
    with pytest.raises(StorageError, match="exists already"), replacing_folder(tmp_path / "folder"):
        raise AssertionError("the block must not be entered")
    assert (tmp_path / "folder" / "a.txt").read_text() == "a"


def test_names_of_another_encoding_do_not_stop_a_text(tmp_path: Path) -> None:
    write_text(tmp_path / "a.html", "näme \udcff")
    assert (tmp_path / "a.html").read_bytes() == "näme ?".encode()
