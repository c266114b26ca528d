"""Photographs that are read one after the other give the picture of photographs at hand."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from lfdfp.alignment import stack_of_photographs
from lfdfp.alignment.motions import warped
from lfdfp.datatypes import FloatArray
from lfdfp.fusion import fuse
from lfdfp.imaging.display import encode
from lfdfp.pipeline.photographs import fuse_photographs
from lfdfp.pipeline.record import PhotographOptions
from lfdfp.settings import FusionSettings
from lfdfp.storage.photographs import list_frames, read_photographs
from tests.factories import multi_focus, textured_picture

pytestmark = pytest.mark.slow


def _written(folder: Path, pictures: FloatArray) -> list[Path]:
    paths = [folder / f"{number:02d}.tif" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        codes = np.rint(65535 * np.clip(picture, 0, 1)).astype(np.uint16)
        tifffile.imwrite(path, codes, photometric="rgb")
    return paths


def _moved_stack() -> FloatArray:
    slices, _ = multi_focus(textured_picture((200, 300)), 3)
    shift = np.array([[1, 0, 2.0], [0, 1, -1.0], [0, 0, 1.0]])
    return np.stack([warped(slices[0], shift), slices[1], slices[2]])


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("crop", [False, True])
def test_reading_one_by_one_changes_nothing(tmp_path: Path, crop: bool, keep: bool) -> None:
    frames = list_frames(_written(tmp_path, _moved_stack()))
    found = fuse_photographs(frames, PhotographOptions(crop=crop), keep=keep)
    photographs, _ = read_photographs(frames)
    stack = stack_of_photographs(photographs, crop=crop).stack
    at_hand = fuse(stack, FusionSettings(scale=1))
    assert found.picture.light.shape == at_hand.all_in_focus.shape
    difference = encode(found.picture.light) - encode(at_hand.all_in_focus)
    assert np.sqrt(np.mean(np.square(difference))) < 1e-3
    assert found.picture.bits == 16
    assert found.placement.photographs[0].state == "moved"


def test_every_file_is_read_three_times_and_progress_ends_at_all(tmp_path: Path) -> None:
    frames = list_frames(_written(tmp_path, _moved_stack()))
    told: list[tuple[int, int]] = []
    fuse_photographs(frames, keep=False, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 9) for number in range(1, 10)]


def test_few_files_are_read_once_and_windows_leave_no_seam(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = list_frames(_written(tmp_path, _moved_stack()))
    told: list[tuple[int, int]] = []
    passing = fuse_photographs(frames, keep=False)
    monkeypatch.setattr("lfdfp.pipeline.photographs._WINDOW_VALUES", 0)
    monkeypatch.setattr("lfdfp.pipeline.photographs._LEAST_WINDOW_ROWS", 50)
    found = fuse_photographs(frames, progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == list(range(1, 8))
    assert told[-1] == (7, 7)
    difference = encode(found.picture.light) - encode(passing.picture.light)
    assert np.sqrt(np.mean(np.square(difference))) < 1e-4
    assert np.mean(found.fusion.chosen == passing.fusion.chosen) > 0.999
    assert found.fusion.squares == pytest.approx(passing.fusion.squares, rel=0.02)


def test_memory_does_not_grow_with_the_number_of_photographs(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        slices, _ = multi_focus(textured_picture((300, 400)), 8)
        folder = tmp_path / str(count)
        folder.mkdir()
        frames = list_frames(_written(folder, np.concatenate([slices] * (count // 8))))
        tracemalloc.start()
        try:
            fuse_photographs(
                frames, PhotographOptions(align=False, equalize=False), keep=False, in_order=False
            )
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(8), peak(32)
    assert many < 1.1 * few
    assert many < 120 * 300 * 400  # of 16 bits, and small: bands are most of it


def test_gray_and_color_photographs_go_together(tmp_path: Path) -> None:
    slices, _ = multi_focus(textured_picture((60, 80)), 2)
    gray = tmp_path / "00.tif"
    tifffile.imwrite(gray, np.rint(255 * slices[0].mean(axis=2)).astype(np.uint8))
    color = tmp_path / "01.tif"
    tifffile.imwrite(color, np.rint(255 * slices[1]).astype(np.uint8), photometric="rgb")
    found = fuse_photographs(list_frames([gray, color]), PhotographOptions(align=False))
    assert found.picture.light.shape == (60, 80, 3)


def test_the_picture_says_which_photograph_it_comes_from(tmp_path: Path) -> None:
    slices, owner = multi_focus(textured_picture((80, 250)), 5)
    frames = list_frames(_written(tmp_path, slices))
    fusion = fuse_photographs(frames, PhotographOptions(align=False)).fusion
    assert fusion.count == 5
    assert fusion.order is not None
    assert np.mean(fusion.chosen == owner) > 0.93
    assert np.mean(np.abs(fusion.order.position - owner) < 0.5) > 0.93


def test_hot_pixels_of_a_moved_stack_are_mended_before_decisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices, _ = multi_focus(textured_picture((400, 600)), 6)
    shifts = np.random.default_rng(4).uniform(-5, 5, (6, 2))
    moved = np.stack(
        [
            warped(one, np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]]))
            for one, (x, y) in zip(slices, shifts, strict=True)
        ]
    )
    spoiled = moved.copy()
    spoiled[:, 20:200:40, 30:300:60] = (1.0, 0.1, 1.0)  # 25 of them

    def fused(name: str, pictures: FloatArray) -> tuple[FloatArray, str]:
        folder = tmp_path / name
        folder.mkdir()
        found = fuse_photographs(list_frames(_written(folder, pictures)))
        return encode(found.picture.light)[12:-12, 12:-12], " ".join(found.history)

    def spots(picture: FloatArray) -> int:
        return int(ndimage.label(np.abs(picture - clean).max(axis=2) > 0.15)[1])

    clean, said = fused("clean", moved)
    assert "hot pixels" not in said
    mended, said = fused("mended", spoiled)
    assert "mended 25 hot pixels" in said
    assert spots(mended) <= 5
    monkeypatch.setattr("lfdfp.fusion.hot_pixels.LEAST_PEAK", 9.0)
    left, _ = fused("left", spoiled)
    assert spots(left) >= 20
