"""Folders appear whole or not at all, and never in the place of something."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lfdfp.errors import StorageError
from lfdfp.files import (
    check_output_folder,
    check_outputs,
    json_text,
    remove_leftovers,
    replacing,
    replacing_folder,
    sha256_of,
    write_text,
)


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


def test_an_input_is_never_an_output_under_whatever_name(tmp_path: Path) -> None:
    source = tmp_path / "near.jpg"
    source.write_bytes(b"precious")
    (tmp_path / "link.jpg").symlink_to(source)
    (tmp_path / "hard.jpg").hardlink_to(source)
    (tmp_path / "folder").mkdir()
    for name in ("near.jpg", "link.jpg", "hard.jpg", "folder/../near.jpg"):
        with pytest.raises(StorageError, match="is one of the inputs and would be replaced"):
            check_outputs(tmp_path / name, inputs=[source])
    check_outputs(tmp_path / "new.jpg", inputs=[source, tmp_path / "missing.jpg"])
    with pytest.raises(StorageError, match="is one of the inputs"):
        check_output_folder(tmp_path, [tmp_path / "folder" / ".."])


def test_two_outputs_have_two_names(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"a\.png: two outputs have this name"):
        check_outputs(tmp_path / "a.png", tmp_path / "x" / ".." / "a.png")


def test_an_ending_that_is_not_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"out\.png: this is written as \.h5 or \.hdf5, not"):
        check_outputs(tmp_path / "out.png", endings=(".h5", ".hdf5"))
    check_outputs(tmp_path / "OUT.H5", endings=(".h5",))


def test_a_place_that_cannot_be_written_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling.h5").symlink_to(tmp_path / "nowhere")
    cases = {
        tmp_path: "is a folder, where a file is needed",
        tmp_path / "dangling.h5": "is a link to .*nowhere, which does not exist",
        tmp_path / "file" / "a.h5": "file is not a folder",
        tmp_path / ("x" * 300): "File name too long",
    }
    for target, message in cases.items():
        with pytest.raises(StorageError, match=message):
            check_outputs(target)
    with pytest.raises(StorageError, match="is a file, where a folder is needed"):
        check_output_folder(tmp_path / "file")
    check_output_folder(tmp_path / "new" / "newer")
    check_outputs(tmp_path / "new" / "a.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling.h5", "file"]
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(StorageError, match="no permission to write"):
            check_outputs(tmp_path / "closed" / "a.h5")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes in folders")
def test_a_pipe_has_no_digest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        sha256_of(tmp_path / "pipe")


def test_a_folder_is_named_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(StorageError, match=r"file: is a file, where a folder is needed"):
        check_output_folder(tmp_path / "file")
    with pytest.raises(StorageError, match=r"file/sub: cannot be written: .*file is not a folder"):
        check_output_folder(tmp_path / "file" / "sub")
    with pytest.raises(StorageError, match=r"link: is a link to .*gone, which does not exist"):
        check_output_folder(tmp_path / "link")
    with pytest.raises(StorageError, match=r"link is a link to .*gone, which does not exist"):
        check_output_folder(tmp_path / "link" / "sub")


@pytest.mark.skipif(os.name != "posix", reason="other processes cannot be asked after")
def test_only_what_the_dead_have_left_is_removed(tmp_path: Path) -> None:
    for name in (".lfdfp-999999999-a.png", ".lfdfp-a-x1y2.png", f".lfdfp-{os.getppid()}-a.png"):
        (tmp_path / name).write_bytes(b"half")
    with replacing(tmp_path / "b.png"):
        assert remove_leftovers(tmp_path) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f".lfdfp-{os.getppid()}-a.png",
        "b.png",
    ]


@pytest.mark.parametrize("write", [replacing, replacing_folder])
def test_folders_made_for_what_failed_go_with_it(tmp_path: Path, write: Any) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(KeyboardInterrupt), write(tmp_path / "a" / "b" / "c" / "d.png"):
        raise KeyboardInterrupt
    assert not list((tmp_path / "a").iterdir())


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    with replacing(tmp_path / "a"):
        pass
    (tmp_path / "b").write_bytes(b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode
