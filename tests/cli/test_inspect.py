from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from lfdfp.cli.main import app
from lfdfp.datatypes import FocalStack, LightField, Provenance, SharpPicture
from lfdfp.imaging.rendition import COLORS, CameraColors
from lfdfp.simulation import camera_model
from lfdfp.storage.hdf5 import save_focal_stack, save_light_field, save_sharp_picture


def _inspect(*arguments: object):
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)])


def _stack() -> FocalStack:
    slices = np.random.default_rng(0).random((3, 20, 24, 3), np.float32)
    return FocalStack(slices=slices, slopes=np.linspace(-0.5, 0.5, 3))


def test_a_folder_a_stack_and_a_field_become_pages(tmp_path: Path) -> None:
    light = _stack().slices[0]
    made = Provenance(data_term="stack", prior="none")
    picture = SharpPicture(all_in_focus=light, super_resolved=light, scale=1, provenance=made)
    save_sharp_picture(tmp_path / "fusion.h5", picture, {"input": "a.lfp"})
    save_focal_stack(tmp_path / "focal_stack.h5", _stack(), {})
    views = np.random.default_rng(1).random((3, 3, 20, 24, 3), np.float32)
    field = LightField(views=views, weights=np.ones(views.shape[:4], np.float32))
    save_light_field(tmp_path / "field.h5", field, {})
    for target, page, text in (
        (tmp_path, tmp_path / "inspect.html", "a.lfp"),
        (tmp_path / "focal_stack.h5", tmp_path / "focal_stack.html", "+0.500 px/step"),
        (tmp_path / "field.h5", tmp_path / "field.html", "px/step"),
    ):
        result = _inspect(target)
        assert result.exit_code == 0, result.output
        assert str(page) in result.output
        assert text in page.read_text()


def test_the_element_is_written_beside_the_page(tmp_path: Path) -> None:
    save_focal_stack(tmp_path / "stack.h5", _stack(), {})
    result = _inspect(tmp_path / "stack.h5", "--element", "-o", tmp_path / "web.html")
    assert result.exit_code == 0, result.output
    assert "lf-picture" in (tmp_path / "lf-picture.js").read_text(encoding="utf-8")
    assert "lf-picture.js" in result.output


def test_what_is_missing_or_no_page_is_one_line(tmp_path: Path) -> None:
    save_focal_stack(tmp_path / "stack.h5", _stack(), {})
    for arguments, message in (
        ((tmp_path / "nothing.h5",), "no such file"),
        ((tmp_path / "stack.h5", "-o", tmp_path / "page.png"), "page.png"),
    ):
        result = _inspect(*arguments)
        assert result.exit_code == 1
        assert message in result.output
        assert "Traceback" not in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stack.h5"]


def test_a_page_shows_light_as_its_run_did(tmp_path: Path) -> None:
    """The same solution with and without what is known of its camera: highlights differ."""
    light = 2 * _stack().slices[0]
    picture = SharpPicture(all_in_focus=light, super_resolved=light, scale=1)
    colors = {COLORS: asdict(CameraColors(data=camera_model("f01").color))}
    pages = []
    for name, told in (
        ("plain", {}),
        ("shown", colors),
        ("darker", colors | {"settings": {"display": {"exposure_ev": -2.0}}}),
    ):
        save_sharp_picture(tmp_path / f"{name}.h5", picture, told)
        assert _inspect(tmp_path / f"{name}.h5").exit_code == 0
        pages.append((tmp_path / f"{name}.html").read_text().replace(name, ""))
    assert len(set(pages)) == 3
