"""``lfdfp fuse`` on photographs of every kind."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from typer.testing import CliRunner, Result

from lfdfp.alignment.motions import warped
from lfdfp.cli.main import app
from lfdfp.datatypes import ColorData, FloatArray, FocalStack
from lfdfp.evaluation.metrics import psnr
from lfdfp.imaging.display import decode_srgb, encode
from lfdfp.imaging.rendition import COLORS, CameraColors
from lfdfp.storage.hdf5 import save_focal_stack
from tests.factories import multi_focus, textured_picture

_TRUTH = textured_picture((97, 131))
_SLICES, _ = multi_focus(_TRUTH, 2)


def _fuse(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["fuse", *map(str, arguments), "--json"])


def _fused(target: Path, *arguments: object) -> FloatArray:
    """The picture that is written, encoded in [0, 1], shape (T, S, C)."""
    result = _fuse(*arguments, "-o", target)
    assert result.exit_code == 0, result.output
    values = tifffile.imread(target) if target.suffix == ".tif" else np.asarray(Image.open(target))
    return np.asarray(values / np.float32(np.iinfo(values.dtype).max), np.float32)


def _codes(picture: FloatArray) -> np.ndarray:
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _saved(folder: Path, pictures: FloatArray | list[FloatArray]) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(_codes(picture)).save(path)
    return paths


def test_orientation_and_color_profile_are_kept(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    paths = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for path, one in zip(paths, _SLICES, strict=True):
        turned = Image.fromarray(np.rot90(_codes(one)))
        turned.save(path, quality=97, exif=exif, icc_profile=profile)
    target = tmp_path / "sharp.png"
    assert psnr(_TRUTH, _fused(target, *paths)) > 34
    with Image.open(target) as image:
        assert image.info["icc_profile"] == profile
        assert image.getexif()[0x0112] == 1
        assert image.getexif()[0x010F] == "Maker"


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_sixteen_bits_stay_sixteen(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{n}{suffix}" for n in range(2)]
    for path, one in zip(paths, _SLICES, strict=True):
        deep = np.rint(65535 * one).astype(np.uint16)
        if suffix == ".tif":
            tifffile.imwrite(path, deep, photometric="rgb")
        else:
            cv2.imwrite(str(path), deep[..., ::-1])
    target = tmp_path / "sharp.tif"
    assert psnr(_TRUTH, _fused(target, *paths)) > 42
    assert tifffile.imread(target).dtype == np.uint16
    _fused(target, *paths, "--bits", 8)
    assert tifffile.imread(target).dtype == np.uint8


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_any_size_is_enlarged_without_cropping(tmp_path: Path, scale: int) -> None:
    paths = _saved(tmp_path, _SLICES)
    made = _fused(tmp_path / "sharp.png", *paths, "--scale", scale, "--preset", "fast")
    assert made.shape == (97 * scale, 131 * scale, 3)


def test_identical_flat_and_black_pictures_come_back(tmp_path: Path) -> None:
    for number, picture in enumerate((_TRUTH, np.full((40, 50, 3), 0.5), np.zeros((9, 7, 3)))):
        path = tmp_path / f"{number}.png"
        Image.fromarray(_codes(picture)).save(path)
        made = _fused(tmp_path / "sharp.png", path, path)
        np.testing.assert_array_equal(_codes(made), _codes(picture))
        larger = _fused(tmp_path / "sharp.png", path, path, "--scale", 2, "--preset", "fast")
        assert np.abs(larger.mean() - picture.mean()) < 2e-3


def test_a_subject_that_touches_every_border(tmp_path: Path) -> None:
    rows, columns = np.ogrid[:97, :131]
    cross = ((abs(rows - 48) < 16) | (abs(columns - 65) < 20))[..., None]
    blurred = cv2.GaussianBlur(_TRUTH, (0, 0), 2.5)
    paths = _saved(tmp_path, [np.where(cross, _TRUTH, blurred), np.where(cross, blurred, _TRUTH)])
    assert psnr(_TRUTH, _fused(tmp_path / "sharp.png", *paths)) > 40


def test_nine_pictures_in_a_folder(tmp_path: Path) -> None:
    truth = textured_picture((90, 200))
    _saved(tmp_path, multi_focus(truth, 9, 1.5)[0])
    assert psnr(truth, _fused(tmp_path / "out" / "sharp.png", tmp_path)) > 38


def test_exposure_and_a_moved_camera_are_made_up_for(tmp_path: Path) -> None:
    truth = textured_picture((160, 270))
    near, far = multi_focus(truth, 2)[0]
    brighter = encode(np.float32(1.03) * decode_srgb(far))
    moved = warped(far, np.array([[1, 0, 0.8], [0, 1, -0.6], [0, 0, 1.0]]))
    for picture, option in ((brighter, "--no-equalize"), (moved, "--no-align")):
        paths = _saved(tmp_path, [near, picture])
        with_it = psnr(truth, _fused(tmp_path / "sharp.png", *paths))
        without = psnr(truth, _fused(tmp_path / "sharp.png", *paths, option))
        assert with_it > max(without + 4, 42)


def test_what_was_found_of_each_picture_is_told(tmp_path: Path) -> None:
    near, middle, far = multi_focus(textured_picture((160, 270)), 3)[0]
    moved = warped(far, np.array([[1, 0, 3.0], [0, 1, -2.0], [0, 0, 1.0]]))
    foreign = textured_picture((160, 270), seed=9)[::-1]
    paths = _saved(tmp_path, [near, middle, moved, foreign])
    target = tmp_path / "sharp.png"
    options = ("-o", target, "--reference", "2", "--crop")
    facts = json.loads(_fuse(*paths, *options).stdout)
    assert facts["motion"] == "shift"
    assert facts["reference"] == str(paths[1])
    states = [one["state"] for one in facts["pictures"]]
    assert states[1:] == ["reference", "moved", "left out"]
    assert facts["pictures"][0]["moved_px"] < 0.2
    assert abs(facts["pictures"][2]["moved_px"] - np.hypot(3, 2)) < 0.2
    assert (facts["rows"], facts["columns"]) == (158, 267)
    assert facts["warnings"][0].startswith(f"{paths[3]}: left out")
    told = CliRunner().invoke(app, ["fuse", *map(str, (*paths, *options)), "--verbose"])
    assert "2.png: moved by 3." in told.output
    assert "from 3 pictures" in told.output
    refused = _fuse(paths[0], paths[3], "-o", target)
    assert refused.exit_code == 1
    assert "0.png and" in refused.output
    assert "do not show the same scene" in refused.output


def test_what_is_too_large_or_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        Image.new("1", (10_000, 10_000)).save(path)
    result = _fuse(*paths, "--scale", 2, "-o", tmp_path / "sharp.png")
    assert result.exit_code == 1
    assert "10000 x 10000 pixels at scale 2 make 400 megapixels" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "not '.gif'" in _fuse(*paths, "-o", tmp_path / "sharp.gif").stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_a_damaged_picture_leaves_nothing_behind(tmp_path: Path) -> None:
    first, second = _saved(tmp_path, _SLICES)
    second.write_bytes(second.read_bytes()[:1500])
    result = _fuse(first, second, "-o", tmp_path / "sharp.png")
    assert result.exit_code == 1
    assert "the picture is damaged" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "sharp.png").exists()


def test_the_summary_is_json_with_what_was_done(tmp_path: Path) -> None:
    result = _fuse(*_saved(tmp_path, _SLICES), "-o", tmp_path / "sharp.png", "--scale", 1)
    facts = json.loads(result.stdout)
    assert facts["picture"] == str(tmp_path / "sharp.png")
    assert (facts["rows"], facts["columns"], facts["prior"]) == (97, 131, "none")


def test_all_pages_of_two_stacks_are_fused(tmp_path: Path) -> None:
    truth = textured_picture((90, 200))
    slices = multi_focus(truth, 6, 1.5)[0]
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for path, part in zip(paths, (slices[:4], slices[4:]), strict=True):
        deep = np.rint(65535 * np.clip(part, 0, 1)).astype(np.uint16)
        tifffile.imwrite(path, deep, photometric="rgb", compression="lzw", metadata=None)
    target = tmp_path / "sharp.tif"
    result = _fuse(*paths, "-o", target)
    assert result.exit_code == 0, result.output
    made = tifffile.imread(target).astype(np.float32) / 65535
    assert psnr(truth, made) > 38


def test_pictures_a_pixel_larger_are_cropped_with_a_note(tmp_path: Path) -> None:
    near, far = _codes(_SLICES[0]), _codes(_SLICES[1])
    Image.fromarray(np.pad(near, ((1, 1), (1, 0), (0, 0)))).save(tmp_path / "near.png")
    Image.fromarray(far).save(tmp_path / "far.png")
    target = tmp_path / "sharp.png"
    result = _fuse(tmp_path / "near.png", tmp_path / "far.png", "-o", target, "--no-align")
    assert result.exit_code == 0, result.output
    assert "cropped to 131 x 97" in json.loads(result.stdout)["warnings"][0]
    with Image.open(target) as image:
        assert image.size == (131, 97)


def test_metadata_too_long_for_the_format_never_fail_after_the_work(tmp_path: Path) -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + b"x" * 90_000 + b"</x:xmpmeta>"
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for path, one in zip(paths, _SLICES, strict=True):
        extra = [(700, 1, len(packet), packet, True)]
        tifffile.imwrite(path, _codes(one), photometric="rgb", extratags=extra, metadata=None)
    result = _fuse(*paths, "-o", tmp_path / "sharp.jpg")
    assert result.exit_code == 0, result.output
    assert "bytes of XMP are too many" in json.loads(result.stdout)["warnings"][0]


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_other_formats_are_written_with_what_the_camera_said(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    paths = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for path, one in zip(paths, _SLICES, strict=True):
        Image.fromarray(_codes(one)).save(path, quality=97, exif=exif, dpi=(300, 300))
    target = tmp_path / f"sharp{suffix}"
    assert psnr(_TRUTH, _fused(target, *paths)) > 30
    with Image.open(target) as image:
        assert image.getexif()[0x010F] == "Maker"
        assert "icc_profile" in image.info


def _photograph(path: Path, seed: int, size: tuple[int, int] = (48, 40), mode: str = "RGB") -> Path:
    """One scene, whose noise is another with each seed."""
    shape = (size[1], size[0], len(Image.new(mode, (1, 1)).getbands()))
    scene = np.random.default_rng(0).integers(0, 240, shape, np.uint8)
    values = scene + np.random.default_rng(seed).integers(0, 16, shape, np.uint8)
    Image.fromarray(values.squeeze()).convert(mode).save(path)
    return path


def test_photographs_are_fused(tmp_path: Path) -> None:
    a = _photograph(tmp_path / "a.png", 1)
    b = _photograph(tmp_path / "b.png", 2)
    result = _fuse(a, b, "-o", tmp_path / "c.tif", "--preset", "fast")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert (facts["rows"], facts["columns"]) == (40, 48)


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_gray_and_alpha_pass_through(tmp_path: Path, mode: str) -> None:
    a = _photograph(tmp_path / "a.png", 1, mode=mode)
    b = _photograph(tmp_path / "b.png", 2, mode=mode)
    target = tmp_path / "c.png"
    result = _fuse(a, b, "-o", target, "--preset", "fast", "--scale", 2)
    assert result.exit_code == 0, result.output
    with Image.open(target) as image:
        assert (image.mode, image.size) == (mode, (96, 80))


def test_photographs_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    a = _photograph(tmp_path / "a.png", 1)
    other = _photograph(tmp_path / "other.png", 2, size=(40, 40))
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    cases = {
        (a,): "one picture alone cannot be fused",
        (a, other): "other.png: 40 x 40 pixels, but a.png has 48 x 40",
        (a, text): "text.jpg: is not a picture",
        (a, tmp_path / "none.png"): "none.png: no such file",
    }
    for inputs, message in cases.items():
        result = _fuse(*inputs, "-o", tmp_path / "out.png")
        assert result.exit_code == 1
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_a_folder_of_photographs_is_fused(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        _photograph(tmp_path / f"{seed}.png", seed)
    target = tmp_path / "out" / "sharp.jpg"
    result = _fuse(tmp_path, "-o", target, "--preset", "fast")
    assert result.exit_code == 0, result.output
    assert target.is_file()


def test_a_stack_of_a_camera_is_shown_as_its_run_shows_it(tmp_path: Path) -> None:
    """Light above white ends in a soft shoulder; without a camera's colors it is clipped."""
    ramp = np.linspace(0.2, 1.6, 40, dtype=np.float32)[None, :, None]
    slices = np.broadcast_to(ramp, (2, 40, 40, 3)).copy()
    stack = FocalStack(slices=slices, slopes=np.array([-0.1, 0.1]))
    colors = {COLORS: asdict(CameraColors(data=ColorData()))}
    clipped = []
    for name, told in (("plain", {}), ("camera", colors)):
        save_focal_stack(tmp_path / f"{name}.h5", stack, told)
        target = tmp_path / f"{name}.png"
        assert _fuse(tmp_path / f"{name}.h5", "-o", target).exit_code == 0
        clipped.append((np.asarray(Image.open(target)) == 255).mean())
    assert clipped[0] > 0.3
    assert clipped[1] < 0.7 * clipped[0]


def test_where_the_picture_comes_from_is_written_as_numbers(tmp_path: Path) -> None:
    slices, owner = multi_focus(textured_picture((80, 200)), 4)
    paths = _saved(tmp_path, slices)
    index, depth = tmp_path / "index.png", tmp_path / "depth.tif"
    options = ("--no-align", "--decision-map", index, "--depth", depth)
    _fused(tmp_path / "sharp.png", *paths, *options)
    numbers = np.asarray(Image.open(index))
    assert numbers.dtype == np.uint8
    assert np.mean(numbers == owner) > 0.93
    assert np.mean(np.abs(tifffile.imread(depth) - owner) < 0.5) > 0.9


def test_more_photographs_than_fit_at_once_are_fused_then_enlarged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = _saved(tmp_path, _SLICES)
    options = ("--scale", 2, "--preset", "fast")
    at_hand = _fused(tmp_path / "at_hand.png", *paths, *options)
    monkeypatch.setattr("lfdfp.storage.photographs.MAX_TOTAL_PIXELS", 1000)
    passing = _fused(tmp_path / "passing.png", *paths, *options)
    assert passing.shape == at_hand.shape
    assert psnr(at_hand, passing) > 40


def test_a_page_shows_the_photographs_beside_the_picture(tmp_path: Path) -> None:
    paths, page = _saved(tmp_path, _SLICES), tmp_path / "sharp.html"
    _fused(tmp_path / "sharp.png", *paths, "--page", page)
    text = page.read_text(encoding="utf-8")
    assert "2. 1.png" in text
    assert "of the picture" in text
    assert str(tmp_path) not in text
    refused = _fuse(*paths, "-o", tmp_path / "sharp.png", "--page", tmp_path / "sharp.txt")
    assert refused.exit_code == 1


def test_a_page_of_a_stored_stack_shows_its_slices(tmp_path: Path) -> None:
    stack, page = tmp_path / "stack.h5", tmp_path / "sharp.html"
    slopes = np.array([-0.5, 0.5])
    save_focal_stack(stack, FocalStack(slices=decode_srgb(_SLICES), slopes=slopes), {})
    _fused(tmp_path / "sharp.png", stack, "--page", page)
    assert '"slopes":[-0.5,0.5]' in page.read_text(encoding="utf-8")
