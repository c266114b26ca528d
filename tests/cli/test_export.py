"""`lfdfp export`: one thing at a time, from a run's folder or its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app
from lfdfp.datatypes import Depth, Provenance, SharpPicture
from lfdfp.pipeline.export import slope_at
from lfdfp.storage.hdf5 import save_sharp_picture


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A folder with a solution: left half near, right half far."""
    light = np.random.default_rng(0).random((32, 40, 3), np.float32)
    disparity = np.full((32, 40), 0.5, np.float32)
    disparity[:, :20] = -0.5
    picture = SharpPicture(
        all_in_focus=light,
        super_resolved=light,
        scale=1,
        depth=Depth(disparity=disparity, angular_shape=(5, 5)),
        provenance=Provenance(data_term="rays", prior="variation"),
    )
    (tmp_path / "shot").mkdir()
    save_sharp_picture(tmp_path / "shot" / "fusion.h5", picture, {})
    return tmp_path / "shot"


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["export", *(str(argument) for argument in arguments)])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--animate", "wiggle", "--frames", "4"], "wiggle.webp"),
        (["--animate", "dolly", "--frames", "4"], "dolly.webp"),
        (["--stereo", "cross"], "cross.png"),
        (["--quilt", "2x2", "-o", "shown.jpg"], "shown_qs2x2a1.25.jpg"),
        (["--depth"], "depth.png"),
        (["--depth", "-o", "map.jpg"], "map.jpg"),
        (["--focus-at", "0.1,0.5"], "view.png"),
        (["--viewpoint", "0,2", "--aperture", "round:0", "-o", "eye.tif"], "eye.tif"),
    ],
)
def test_every_export_is_written(
    options: list[str], name: str, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(result)
    ran = _run(result, *options)
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.strip().endswith(name)
    with Image.open(result / name) as picture:
        assert picture.size[0] >= 40


def test_the_plane_is_that_of_the_place(result: Path) -> None:
    from lfdfp.pipeline.shown import shown_picture

    picture = shown_picture(result)
    assert slope_at(picture, (0.2, 0.5)) == pytest.approx(-0.5)
    assert slope_at(picture, (0.8, 0.5)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "one at a time"),
        (["--depth", "--stereo", "sbs"], "one at a time"),
        (["--focus-at", "2,0"], "both go from 0 to 1"),
        (["--quilt", "8"], "columns first"),
        (["--quilt", "1x1"], "2 to 200 views"),
        (["--animate", "orbit", "-o", "a.png"], "written as .gif or .webp or .mp4"),
        (["--depth", "-o", "fusion.h5"], "is one of the inputs"),
    ],
)
def test_what_cannot_be_is_named(
    options: list[str], said: str, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(result)
    ran = _run(result / "fusion.h5", *options)
    assert ran.exit_code
    assert said in " ".join(ran.output.split())


def test_a_folder_without_a_solution_says_how_to_keep_one(tmp_path: Path) -> None:
    ran = _run(tmp_path, "--depth")
    assert ran.exit_code == 1
    assert "--keep solution" in ran.output
