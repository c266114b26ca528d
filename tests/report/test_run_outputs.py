"""A run's folder holds every picture and map that there is, and a page that shows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lfdfp.datatypes import Depth, FocalStack, RayEvidence, SharpPicture, StackEvidence
from lfdfp.report.run_outputs import screen_maps, write_page, write_pictures

rng = np.random.default_rng(0)
STACK = FocalStack(
    slices=rng.random((3, 20, 24, 3), np.float32),
    slopes=np.linspace(-0.5, 0.5, 3),
    reference_view=rng.random((20, 24, 3), np.float32),
)
PICTURE = SharpPicture(
    all_in_focus=rng.random((20, 24, 3), np.float32),
    super_resolved=rng.random((40, 48, 3), np.float32),
    scale=2,
    depth=Depth(disparity=rng.uniform(-0.5, 0.5, (20, 24)).astype(np.float32)),
)
ERROR = rng.random((40, 48), np.float32)


@pytest.mark.parametrize(
    ("picture", "names"),
    [
        (PICTURE, ["decision_map", "disparity"]),
        (replace(PICTURE, depth=None), []),
        (
            replace(
                PICTURE,
                depth=None,
                evidence=StackEvidence(decision_map=np.full((3, 20, 24), 1 / 3, np.float32)),
            ),
            ["decision_map"],
        ),
        (
            replace(PICTURE, evidence=RayEvidence(observability=ERROR, standard_error=ERROR)),
            ["decision_map", "disparity", "observability", "standard_error"],
        ),
        (
            replace(PICTURE, evidence=RayEvidence(observability=ERROR, standard_error=None)),
            ["decision_map", "disparity", "observability"],
        ),
    ],
)
def test_maps_are_those_that_the_picture_has(picture: SharpPicture, names: list[str]) -> None:
    maps = screen_maps(picture, STACK)
    assert list(maps) == [*names, "contact_sheet"]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pictures_are_written_the_main_one_first(tmp_path: Path, suffix: str) -> None:
    maps = screen_maps(PICTURE, STACK)
    paths = write_pictures(
        tmp_path, PICTURE, STACK, maps, picture_format=suffix, bits=8, provenance={}
    )
    assert [path.name for path in paths] == [
        f"all_in_focus_x2.{suffix}",
        f"all_in_focus.{suffix}",
        f"center_view.{suffix}",
        "decision_map.png",
        "disparity.png",
        "contact_sheet.png",
    ]
    with Image.open(paths[0]) as image:
        assert image.size == (48, 40)


def test_the_page_holds_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "inspect.html"
    words = {"title": "a capture", "facts": {"Input": "a.lfp"}, "warnings": ["a warning"]}
    write_page(path, PICTURE, STACK, **words)
    text = path.read_text()
    assert "a warning" in text
    assert "Center view" in text
    assert '"depth":null' in text  # slices alone cannot be refocused from
    fine = Depth(
        disparity=PICTURE.depth.disparity,
        fine_disparity=np.repeat(np.repeat(PICTURE.depth.disparity, 2, 0), 2, 1),
        angular_shape=(9, 9),
    )
    write_page(path, replace(PICTURE, depth=fine), None, **words)
    text = path.read_text()
    assert '"halfAperture":4.5' in text
    assert "Center view" not in text
