"""Processed files give their refocused pictures and depth table, or say what is inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lfdfp.errors import LfdfpError, LfpFormatError, MetadataError, NotRawError
from lfdfp.lfp import Container, Section, container_of, write_container
from lfdfp.lfp.refocus_stack import read_refocus_stack, refocus_stack_of
from tests.lfp.processed_files import (
    DEPTH,
    LAMBDAS,
    grays,
    jpeg,
    newer_file,
    older_file,
    video_file,
)


def _changed(container: Container, change: Callable[[dict], None]) -> Container:
    contents = json.loads(container.table().payload)
    change(contents)
    table = Section.make("table", json.dumps(contents).encode())
    return replace(container, sections=(table, *container.sections[1:]))


@pytest.mark.parametrize("file", [older_file, newer_file])
def test_pictures_and_depth_come_back_as_they_were_stored(file, tmp_path: Path) -> None:
    write_container(tmp_path / "a-stk.lfp", file())
    stack = read_refocus_stack(tmp_path / "a-stk.lfp")
    assert [frame.focus_lambda for frame in stack.frames] == list(LAMBDAS)
    assert [frame.content for frame in stack.frames] == [jpeg(gray) for gray in grays()]
    np.testing.assert_array_equal(stack.depth_lambda, DEPTH)
    assert stack.history == ("4 pictures that Lytro's software had refocused, lambda -3 to 2",)


def test_a_video_comes_with_the_lambdas_of_its_frames() -> None:
    stack = refocus_stack_of(video_file(b"\0\0\0\1stream", count=3))
    assert stack.video == b"\0\0\0\1stream"
    assert [(frame.focus_lambda, frame.content) for frame in stack.frames] == [
        (0.0, b""),
        (1.0, b""),
        (2.0, b""),
    ]


def test_pictures_beside_the_file_come_by_name() -> None:
    stack = refocus_stack_of(newer_file([b""] * len(LAMBDAS)))
    assert [frame.file_name for frame in stack.frames] == [f"p_{k}.jpg" for k in range(4)]


@pytest.mark.parametrize("name", ["../p.jpg", "/etc/passwd", "a\\b.jpg", "", ".hidden"])
def test_a_name_never_leads_out_of_the_folder(name: str) -> None:
    def rename(contents: dict) -> None:
        contents["views"][0]["accelerations"][0]["perImage"][1]["imagePath"] = name

    with pytest.raises(MetadataError, match="must be the name of a file"):
        refocus_stack_of(_changed(newer_file([b""] * len(LAMBDAS)), rename))


@pytest.mark.parametrize(
    "change",
    [
        {"width": 4},
        {"height": -1},
        {"width": "3"},
        {"imageRef": "sha1-" + "0" * 40},
        {"imageRef": None},
    ],
)
def test_a_depth_table_that_makes_no_sense_is_left_out(change: dict) -> None:
    def spoil(contents: dict) -> None:
        contents["picture"]["accelerationArray"][0]["vendorContent"]["depthLut"] |= change

    assert refocus_stack_of(_changed(older_file(), spoil)).depth_lambda is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_depth_that_is_not_finite_is_left_out(value: float) -> None:
    depth = DEPTH.copy()
    depth[1, 1] = value
    assert refocus_stack_of(older_file(depth=depth)).depth_lambda is None


def test_a_picture_that_was_cut_off_is_told() -> None:
    container = older_file()
    short = replace(container, sections=container.sections[:-1])
    with pytest.raises(LfpFormatError, match="leads to no section; the file was cut short"):
        refocus_stack_of(short)


@pytest.mark.parametrize("focus", ["near", float("1e300"), True, [1]])
def test_an_impossible_lambda_is_refused(focus: object) -> None:
    def spoil(contents: dict) -> None:
        listed = contents["picture"]["accelerationArray"][0]["vendorContent"]["imageArray"]
        listed[2]["lambda"] = focus

    with pytest.raises(MetadataError, match=r"imageArray\[2\]\.lambda must be a number"):
        refocus_stack_of(_changed(older_file(), spoil))


def test_thousands_of_pictures_are_refused() -> None:
    def repeat(contents: dict) -> None:
        content = contents["picture"]["accelerationArray"][0]["vendorContent"]
        content["imageArray"] = 100 * content["imageArray"]

    with pytest.raises(MetadataError, match="400 refocused pictures; up to 256"):
        refocus_stack_of(_changed(older_file(), repeat))


def test_pictures_of_one_focus_or_of_perspectives_are_no_stack() -> None:
    def perspectives(contents: dict) -> None:
        for one in contents["views"][0]["accelerations"][0]["perImage"]:
            one["perspective"] = {"u": one.pop("focus")}

    def one_focus(contents: dict) -> None:
        for one in contents["views"][0]["accelerations"][0]["perImage"]:
            one["focus"] = 1.0

    for change in (perspectives, one_focus):
        with pytest.raises(NotRawError, match="neither a raw capture nor refocused pictures"):
            refocus_stack_of(_changed(newer_file(), change))


def test_a_raw_capture_is_no_refocus_stack(make_capture) -> None:
    with pytest.raises(NotRawError, match=r"it holds .*1 raw image: use `lfdfp run`"):
        refocus_stack_of(container_of(make_capture(), layout="f01"))


def test_what_is_no_container_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.lfp").write_bytes(jpeg(10))
    with pytest.raises(LfdfpError, match=r"a\.lfp: this is a JPEG picture"):
        read_refocus_stack(tmp_path / "a.lfp")


REAL = [
    ("containers/f01_IMG_0007-stk.lfp", 5, (20, 20)),
    ("processed/f01_IMG_0001-stk.lfp", 12, (20, 20)),
    ("containers/illum_processed_demo.LFP", 10, (60, 88)),
]


@pytest.mark.data
@pytest.mark.parametrize(("name", "count", "shape"), REAL)
def test_real_files_are_read(data_dir: Path, name: str, count: int, shape: tuple[int, int]) -> None:
    stack = read_refocus_stack(data_dir / "lytro" / name)
    assert len(stack.frames) == count
    assert all(frame.content.startswith(b"\xff\xd8") for frame in stack.frames)
    assert stack.depth_lambda is not None
    assert stack.depth_lambda.shape == shape
    lambdas = [frame.focus_lambda for frame in stack.frames]
    assert np.ptp(stack.depth_lambda) <= 1.2 * (max(lambdas) - min(lambdas))


@pytest.mark.data
@pytest.mark.parametrize("name", ["f01_IMG_0002-dm.lfp", "processed_stack_1.lfp"])
def test_other_processed_files_say_what_is_inside(data_dir: Path, name: str) -> None:
    with pytest.raises(NotRawError, match=r"holds .*depth table|holds .*pictures in files of"):
        read_refocus_stack(data_dir / "lytro/containers" / name)
