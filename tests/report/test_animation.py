"""Animations hold the frames that were given, for as long as was asked, again and again."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lfdfp.errors import ImageError
from lfdfp.report.animation import write_animation

FRAMES = [np.full((7, 9, 3), value, np.uint8) for value in (0, 90, 180, 255)]


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_frames_come_back_in_an_endless_loop(name: str, tmp_path: Path) -> None:
    write_animation(tmp_path / name, FRAMES, frames_per_second=20)
    with Image.open(tmp_path / name) as animation:
        assert animation.n_frames == len(FRAMES)
        assert animation.info["loop"] == 0
        for number, frame in enumerate(FRAMES):
            animation.seek(number)
            animation.load()
            assert animation.info["duration"] == 50
            shown = np.asarray(animation.convert("RGB"))
            assert abs(int(shown[3, 4, 0]) - int(frame[3, 4, 0])) <= 2


def test_a_video_holds_the_frames(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    frames = [np.repeat(np.repeat(frame, 8, 0), 8, 1) for frame in FRAMES]
    write_animation(tmp_path / "a.mp4", frames, frames_per_second=10)
    with av.open(str(tmp_path / "a.mp4")) as video:
        shown = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(shown) == len(FRAMES)
    for one, frame in zip(shown, frames, strict=True):
        assert abs(int(one[20, 30, 0]) - int(frame[20, 30, 0])) <= 4


def test_other_endings_and_missing_packages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImageError, match=r"a\.png: an animation is written as \.gif"):
        write_animation(tmp_path / "a.png", FRAMES, frames_per_second=10)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImageError, match=r"lfdfp\[video\]"):
        write_animation(tmp_path / "a.mp4", FRAMES, frames_per_second=10)
    assert not list(tmp_path.iterdir())
