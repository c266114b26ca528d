"""``lfdfp refocus``: options reach the files; what cannot be is named."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app
from lfdfp.datatypes import Depth, Provenance, SharpPicture
from lfdfp.imaging.rendition import COLORS, CameraColors
from lfdfp.refocusing import focal_stack
from lfdfp.rendering.render import Aperture, render_slice, render_view
from lfdfp.settings import RefocusSettings
from lfdfp.simulation import camera_model
from lfdfp.storage.hdf5 import (
    load_focal_stack,
    load_light_field,
    load_sharp_picture,
    provenance_of,
    save_light_field,
    save_sharp_picture,
)
from tests.factories import smooth_texture, textured_plane

runner = CliRunner()


def _run(*arguments: object) -> Result:
    return runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def field_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("field") / "field.h5"
    save_light_field(path, textured_plane(0.3, angular=(7, 7))[0], {})
    return path


def test_every_option_reaches_the_stack_and_its_provenance(
    field_file: Path, tmp_path: Path
) -> None:
    target, pictures, sheet = tmp_path / "s.h5", tmp_path / "png", tmp_path / "sheet.png"
    look = ("--aperture", "round:0.5", "--equal-weights", "--tilt", "0.1,-0.2", "--viewpoint")
    extras = ("--previews", pictures, "--contact-sheet", sheet, "--json", "-o", target)
    result = _run("refocus", field_file, "--slopes", "-0.3:0.5:20", *look, "1,0", *extras)
    assert result.exit_code == 0, result.output
    settings = RefocusSettings(slopes=(-0.3, 0.5, 20), aperture="round:0.5", equal_weights=True)
    expected = focal_stack(
        load_light_field(field_file), settings, tilt=(0.1, -0.2), viewpoint=(1, 0)
    )
    stack = load_focal_stack(target)
    np.testing.assert_array_equal(stack.slices, expected.slices)
    np.testing.assert_array_equal(stack.slopes, expected.slopes)
    np.testing.assert_array_equal(stack.coverage, expected.coverage)
    np.testing.assert_array_equal(stack.focus_curves, expected.focus_curves)
    assert stack.history == expected.history
    recorded = provenance_of(target)["settings"]["refocus"]
    assert recorded["aperture"] == "round:0.5"
    assert (recorded["tilt"], recorded["viewpoint"]) == ([0.1, -0.2], [1, 0])
    facts = json.loads(result.stdout)
    assert len(facts["focus"]) == 20
    assert sorted(map(str, pictures.iterdir())) == sorted(facts["previews"])
    assert (pictures / "slice_001_-0.300.png").is_file()
    assert sheet.is_file()


@pytest.mark.slow
def test_a_capture_is_refocused_on_a_finer_grid(small_capture: Path, tmp_path: Path) -> None:
    target = tmp_path / "fine.h5"
    arguments = ("--scale", 2, "--slopes", "-0.2:0.2:2", "-o", target)
    result = _run("refocus", small_capture, *arguments)
    assert result.exit_code == 0, result.output
    assert "2 times finer" in result.stdout
    fine = load_focal_stack(target)
    plain = tmp_path / "plain.h5"
    assert _run("refocus", small_capture, "--slopes", "-0.2:0.2:2", "-o", plain).exit_code == 0
    coarse = load_focal_stack(plain)
    assert fine.scale == 2
    assert fine.slices.shape[1] == 2 * coarse.slices.shape[1]
    reduced = cv2.resize(fine.slices[0], coarse.slices.shape[2:0:-1], interpolation=cv2.INTER_AREA)
    inner = np.s_[6:-6, 6:-6]
    alike = np.corrcoef(reduced[inner].ravel(), coarse.slices[0][inner].ravel())[0, 1]
    assert alike > 0.95
    assert provenance_of(target)["settings"]["refocus"]["scale"] == 2


def test_a_field_without_rays_cannot_be_refined(field_file: Path, tmp_path: Path) -> None:
    result = _run("refocus", field_file, "--scale", 2, "-o", tmp_path / "no.h5")
    assert result.exit_code == 1
    assert "views but no rays" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "no.h5").exists()


@pytest.fixture(scope="module")
def solution_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A leaning plane, as `run` writes it."""
    path = tmp_path_factory.mktemp("solution") / "fusion.h5"
    picture = smooth_texture(2)(np.arange(40.0)[:, None] / 2, np.arange(48.0) / 2)
    slopes = np.broadcast_to(np.linspace(-0.4, 0.4, 40, dtype=np.float32)[:, None], (40, 48))
    result = SharpPicture(
        all_in_focus=cv2.resize(picture, (24, 20), interpolation=cv2.INTER_AREA),
        super_resolved=picture,
        scale=2,
        depth=Depth(disparity=slopes[::2, ::2], fine_disparity=slopes, angular_shape=(9, 9)),
        provenance=Provenance(data_term="rays"),
    )
    save_sharp_picture(path, result, {})
    return path


def test_slices_are_rendered_from_a_solution(solution_file: Path, tmp_path: Path) -> None:
    target, pictures = tmp_path / "s.h5", tmp_path / "png"
    look = ("--aperture", "round:0.5", "--viewpoint", "1,0", "--tilt", "0.2,0")
    extras = ("--slopes", "-0.3:0.3:3", "--previews", pictures, "--json", "-o", target)
    result = _run("refocus", "--from-solution", solution_file, *look, *extras)
    assert result.exit_code == 0, result.output
    stack = load_focal_stack(target)
    solution = load_sharp_picture(solution_file)
    options = {"viewpoint": (1, 0), "tilt": (0.2, 0)}
    expected = render_slice(solution, 0.3, aperture=Aperture(half_width=2.25), **options)
    np.testing.assert_array_equal(stack.slices[2], expected)
    assert stack.scale == 2
    assert stack.focus_curves is not None
    assert len(list(pictures.iterdir())) == 3
    facts = json.loads(result.stdout)
    assert facts["scale"] == 2
    assert provenance_of(target)["data_term"] == "rays"


def test_a_pinhole_gives_one_slice_the_view_itself(solution_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "s.h5"
    look = ("--aperture", "round:0", "--viewpoint", "0,-2")
    result = _run("refocus", "--from-solution", solution_file, *look, "-o", target)
    assert result.exit_code == 0, result.output
    assert "1 slice" in result.stdout
    (view,) = load_focal_stack(target).slices
    np.testing.assert_array_equal(view, render_view(load_sharp_picture(solution_file), v=0, u=-2))


def test_planes_of_a_solution_cover_its_range(solution_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "s.h5"
    assert _run("refocus", "--from-solution", solution_file, "-o", target).exit_code == 0
    slopes = load_focal_stack(target).slopes
    assert slopes is not None
    assert (slopes[0], slopes[-1]) == pytest.approx((-0.4, 0.4), abs=0.02)
    assert len(slopes) > 5


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--aperture", "star"), 1, "square or round is possible"),
        (("--aperture", "round:f/4"), 1, "round or square is possible"),
        (("--viewpoint", "900,0"), 1, "steps from the center"),
        (("--kernel", "linear"), 2, "renders what is solved already"),
        (("--scale", "2"), 2, "renders what is solved already"),
    ],
)
def test_what_a_solution_cannot_give_is_named(
    solution_file: Path, tmp_path: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    target = tmp_path / "no.h5"
    result = _run("refocus", "--from-solution", solution_file, *options, "-o", target)
    assert result.exit_code == code
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--from-solution",), 1, "where a fusion_result is needed"),
        (("--device", "abacus"), 1, "device 'abacus' cannot be used"),
        (("--device", "cuda", "--tilt", "0.1,0"), 1, "made on the processor"),
        (("--aperture", "star"), 1, "square or round is possible"),
        (("--aperture", "round:f/4"), 1, "no f-number of the lens"),
        (("--viewpoint", "9,0"), 1, "is beside all views"),
        (("--tilt", "0.1,0", "--kernel", "linear"), 1, "cubic kernel, not linear"),
        (("--tilt", "much"), 2, "is not two numbers"),
        (("--scale", "2", "--tilt", "0.1,0"), 2, "takes every ray by its noise"),
    ],
)
def test_what_cannot_be_is_named(
    field_file: Path, tmp_path: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    result = _run("refocus", field_file, *options, "-o", tmp_path / "no.h5")
    assert result.exit_code == code
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


def test_previews_of_a_cameras_light_are_shown_as_asked_and_the_stack_stays(tmp_path: Path) -> None:
    field, _ = textured_plane(0.3, angular=(5, 5))
    colors = CameraColors(data=camera_model("f01").color, model="F01")
    told, untold = tmp_path / "told.h5", tmp_path / "untold.h5"
    save_light_field(told, field, {COLORS: asdict(colors)})
    save_light_field(untold, field, {})
    means = {}
    for name, path, options in (
        ("plain", told, ()),
        ("brighter", told, ("--exposure", "1", "--tone", "linear")),
        ("redder", told, ("--white-balance", "2,1,1.2578125")),
        ("rendered by others", untold, ("--tone", "standard")),
    ):
        folder, target = tmp_path / name, tmp_path / f"{name}.h5"
        slopes = ("--slopes", "0.2:0.4:2", "--previews", folder, "-o", target)
        result = _run("refocus", path, *slopes, *options)
        assert result.exit_code == 0, result.output
        first = sorted(folder.iterdir())[0]
        means[name] = cv2.imread(str(first)).reshape(-1, 3).mean(axis=0)[::-1]
        np.testing.assert_array_equal(
            load_focal_stack(target).slices, load_focal_stack(tmp_path / "plain.h5").slices
        )
    assert (means["brighter"] > means["plain"] + 5).all()
    assert means["redder"][0] > means["plain"][0] + 5
    assert np.abs(means["rendered by others"] - means["plain"]).max() < 12


def test_an_impossible_white_balance_is_one_line(field_file: Path) -> None:
    result = _run("refocus", field_file, "--white-balance", "sunny")
    assert result.exit_code == 1
    assert "white balance 'sunny': camera, auto, a color temperature" in result.output
