"""The page of fused photographs says of each what was found, and holds not more than it has to."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lfdfp.alignment.placement import PlacedPhotograph, Placement
from lfdfp.pipeline import photograph_page
from lfdfp.pipeline.photograph_page import FusedForPage, findings, write_photograph_page
from lfdfp.storage.images import Picture, write_picture
from lfdfp.storage.photographs import FrameList, list_frames


def _made(folder: Path, count: int) -> tuple[FusedForPage, FrameList]:
    rng = np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(count)]
    for path in paths:
        write_picture(path, Picture(light=rng.random((12, 16, 3), np.float32)), {})
    states = ["reference"] + ["in place"] * (count - 2) + ["left out"]
    placement = Placement(
        shape=(12, 16),
        photographs=tuple(
            PlacedPhotograph(name=str(path), state=state)  # type: ignore[arg-type]
            for path, state in zip(paths, states, strict=True)
        ),
        reference=0,
    )
    index = np.zeros((12, 16), np.uint16)
    index[:, 4:] = 1
    made = FusedForPage(
        light=rng.random((12, 16, 3), np.float32),
        index=index,
        position=index.astype(np.float32),
        placement=placement,
    )
    return made, list_frames(paths)


def _data(page: Path) -> dict[str, object]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)
    assert found is not None
    return dict(json.loads(found[1]))


def test_every_photograph_has_its_share_of_the_picture(tmp_path: Path) -> None:
    made, _ = _made(tmp_path, 3)
    assert findings(made) == {
        "1. 0.png": "reference; 25% of the picture",
        "2. 1.png": "in place; 75% of the picture",
        "3. 2.png": "left out; 0% of the picture",
    }


def test_the_page_holds_the_photographs_that_were_fused(tmp_path: Path) -> None:
    made, frames = _made(tmp_path, 3)
    page = tmp_path / "page.html"
    story = {"Steps": f"against {tmp_path / '0.png'}"}
    write_photograph_page(page, made, frames, title="t", facts=story, warnings=["note"])
    slices = _data(page)["slices"]
    assert isinstance(slices, dict)
    assert slices["labels"] == ["0.png", "1.png"]  # the third does not belong to the picture
    assert slices["numbers"] == [0, 1]
    text = page.read_text(encoding="utf-8")
    assert "against 0.png" in text
    assert str(tmp_path) not in text


def test_of_many_photographs_the_page_holds_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photograph_page, "_MOST_FRAMES", 3)
    made, frames = _made(tmp_path, 7)
    page = tmp_path / "page.html"
    write_photograph_page(page, made, frames, title="t", facts={}, warnings=[])
    slices = _data(page)["slices"]
    assert isinstance(slices, dict)
    assert slices["numbers"] == [0, 2, 5]
