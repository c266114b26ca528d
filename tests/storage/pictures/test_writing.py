"""Pictures come back as written, and every format says the same of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from lfdfp.datatypes import Camera, Lens
from lfdfp.errors import ImageError, StorageError
from lfdfp.imaging.display import decode_srgb
from lfdfp.lfp.capture import read_capture
from lfdfp.storage.images import (
    Picture,
    check_writable,
    picture_size,
    read_picture,
    shot_of,
    write_picture,
    write_screen_image,
)
from lfdfp.storage.pictures.exif import (
    EXIF_POINTER,
    GPS_POINTER,
    MAKER_NOTE,
    Directory,
    Entry,
    Exif,
    comment_entry,
    exif_bytes,
    long_entry,
    parse_exif,
    rational_entry,
    short_entry,
    text_entry,
    text_of,
    undefined_entry,
)
from lfdfp.storage.pictures.metadata import SOFTWARE
from lfdfp.storage.pictures.stored import Resolution
from tests.storage.pictures.picture_files import RGB, codes8

rng = np.random.default_rng(0)
_NO_REAL_NOTE = "[minor] Unrecognized MakerNotes"
LOSSLESS = [".png", ".tif"]
CARRYING = [".png", ".tif", ".jpg", ".webp", ".avif"]
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/" tiff:Orientation="6" tiff:ImageWidth="6000" '
    b'xmp:Rating="4"><exif:PixelYDimension>4000</exif:PixelYDimension>'
    b"<xmp:Thumbnails>old</xmp:Thumbnails></rdf:Description></rdf:RDF></x:xmpmeta>"
    b'<?xpacket end="w"?>'
)


def _camera_exif(*, order: Any = ">", note: bytes = bytes(range(200))) -> Exif:
    """What a camera writes, its size, orientation and preview included."""
    camera = {
        0x829A: rational_entry(order, 1, 200),
        0x829D: rational_entry(order, 28, 10),
        0x8827: short_entry(order, 400),
        0x9003: text_entry("2020:01:02 03:04:05"),
        0x9102: rational_entry(order, 4, 1),
        0x920A: rational_entry(order, 50, 1),
        MAKER_NOTE: undefined_entry(note),
        0xA002: long_entry(order, 6000),
        0xA003: long_entry(order, 4000),
        0xA431: text_entry("SN 12"),
        0xA434: text_entry("A long lens"),
    }
    root = {
        0x0100: long_entry(order, 6000),
        0x010F: text_entry("Maker"),
        0x0110: text_entry("Model"),
        0x0112: short_entry(order, 6),
        0x0131: text_entry("Firmware 1.0"),
        0x0201: long_entry(order, 700),
        0x8298: text_entry("A. Photographer"),
    }
    gps = Directory(entries={0: Entry(kind=1, count=4, data=b"\2\3\0\0"), 1: text_entry("N")})
    below = {EXIF_POINTER: Directory(entries=camera), GPS_POINTER: gps}
    return Exif(order=order, root=Directory(entries=root, below=below))


def _photograph(**more: Any) -> Picture:
    light = rng.random((40, 60, 3), np.float32)
    defaults = {"exif": _camera_exif(), "xmp": XMP, "resolution": Resolution(across=300, down=300)}
    return Picture(light=light, **(defaults | more))


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_a_picture_comes_back(
    tmp_path: Path, suffix: str, bits: Any, channels: int, with_alpha: bool
) -> None:
    levels = 2**bits - 1
    codes = rng.integers(0, levels + 1, (5, 7, channels))
    picture = Picture(
        light=decode_srgb((codes / levels).astype(np.float32)),
        alpha=rng.integers(0, 256, (5, 7)).astype(np.float32) / 255 if with_alpha else None,
        bits=bits,
    )
    path = tmp_path / f"picture{suffix}"
    assert write_picture(path, picture, {"seed": 0}) == ()
    again = read_picture(path)
    assert again.bits == bits
    assert again.light.shape == picture.light.shape
    np.testing.assert_allclose(again.light, picture.light, atol=3 / levels)
    assert (again.alpha is not None) == with_alpha
    if again.alpha is not None and picture.alpha is not None:
        np.testing.assert_allclose(again.alpha, picture.alpha, atol=1e-4)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossy_formats_are_near(tmp_path: Path, suffix: str, channels: int) -> None:
    path, light = tmp_path / f"a{suffix}", decode_srgb(RGB[..., :channels])
    write_picture(path, Picture(light=light, bits=16), {})
    again = read_picture(path)
    assert again.bits == 8
    np.testing.assert_allclose(again.light, np.broadcast_to(light, again.light.shape), atol=0.08)


def test_orientation_is_applied_once(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    values = np.zeros((16, 32, 3), np.uint8)
    values[:8, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values).save(path, exif=exif, quality=95)
    assert picture_size(path) == (32, 16)
    picture = read_picture(path)
    assert picture.light.shape == (32, 16, 3)
    assert picture.light[:16, 8:].mean() > 0.9
    for suffix in CARRYING:
        again = tmp_path / f"again{suffix}"
        write_picture(again, picture, {})
        assert read_picture(again).light.shape == (32, 16, 3)
        assert picture_size(again) == (32, 16)


@pytest.mark.parametrize("suffix", CARRYING)
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_the_camera_said_is_kept_and_what_is_stale_corrected(
    tmp_path: Path, suffix: str, order: str
) -> None:
    path = tmp_path / f"a{suffix}"
    exif = _camera_exif(order=order)
    assert write_picture(path, _photograph(exif=exif), {"seed": 7}) == ()
    again = read_picture(path)
    assert again.exif is not None
    root, camera = again.exif.root.entries, again.exif.root.below[EXIF_POINTER].entries
    assert text_of(root[0x010F]) == "Maker"
    assert text_of(root[0x8298]) == "A. Photographer"
    assert text_of(root[0x0131]) == SOFTWARE
    assert json.loads(text_of(root[0x010E])) == {"seed": 7}
    assert 0x0201 not in root
    before = exif.root.below[EXIF_POINTER].entries
    for tag in (0x829A, 0x829D, 0x8827, 0x9003, 0x920A, MAKER_NOTE, 0xA431, 0xA434):
        assert camera[tag].data == before[tag].data
    assert 0x9102 not in camera
    assert camera[0xA002].data == long_entry(again.exif.order, 60).data
    assert camera[0xA003].data == long_entry(again.exif.order, 40).data
    assert again.exif.root.below[GPS_POINTER] == exif.root.below[GPS_POINTER]
    assert again.xmp is not None
    for said in (b'tiff:Orientation="1"', b'tiff:ImageWidth="60"', b'xmp:Rating="4"', b">40</exif"):
        assert said in again.xmp
    assert b"Thumbnails" not in again.xmp
    if suffix not in (".webp", ".avif"):
        assert again.resolution is not None
        assert again.resolution.across == pytest.approx(300, abs=0.1)


@pytest.mark.parametrize("suffix", [*CARRYING, ".exr"])
def test_exiftool_reads_the_same_of_every_format(tmp_path: Path, suffix: str) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    if suffix == ".exr":
        pytest.importorskip("OpenEXR")
    path = tmp_path / f"a{suffix}"
    write_picture(path, _photograph(bits=16), {"seed": 7})
    command = ["exiftool", "-j", "-n", "-G1", "-warning", "-all", str(path)]
    (said,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    flat = {name.split(":")[-1]: value for name, value in said.items()}
    assert said.get("ExifTool:Warning", _NO_REAL_NOTE) == _NO_REAL_NOTE
    if suffix == ".exr":
        assert flat["CameraMake"] == "Maker"
        assert flat["CameraSerialNumber"] == "SN 12"
        assert flat["Aperture"] == pytest.approx(2.8)
    else:
        assert (flat["Make"], flat["Model"], flat["SerialNumber"]) == ("Maker", "Model", "SN 12")
        assert (flat["FNumber"], flat["FocalLength"]) == (2.8, 50)
        assert json.loads(flat["ImageDescription"]) == {"seed": 7}
        assert flat["ProfileDescription"] == "sRGB built-in"
        assert flat["GPSLatitudeRef"] == "N"
        assert flat["Rating"] == 4
    assert flat["DateTimeOriginal"] == "2020:01:02 03:04:05"
    assert float(flat["ExposureTime"]) == pytest.approx(1 / 200)
    assert flat["ISO"] == 400
    assert flat["Software"] == SOFTWARE
    if suffix == ".png":
        assert said["PNG:SRGBRendering"] == 0
        assert said["PNG:Description"] == flat["ImageDescription"]


@pytest.mark.data
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_all_that_a_real_camera_said_is_kept(data_dir: Path, tmp_path: Path, suffix: str) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    source = data_dir / "multifocus" / "stacks" / "macro-handheld" / "DSC_0356.jpg"
    target = tmp_path / f"a{suffix}"
    write_picture(target, read_picture(source), {})
    command = ["exiftool", "-j", "-G1", "-u", "-ExifIFD:all", "-Nikon:all", "-IFD0:all"]
    before, after = (
        json.loads(subprocess.run([*command, path], capture_output=True, check=True).stdout)[0]
        for path in (source, target)
    )
    changed = {name.split(":")[-1] for name in before if before[name] != after.get(name)}
    assert changed <= {"SourceFile", "Software", "ExifImageWidth", "ExifImageHeight"} | {
        "CompressedBitsPerPixel"
    } | {name for name in changed if "Offset" in name}
    assert len([name for name in after if name.startswith("Nikon:")]) > 50


def test_deep_png_and_tiff_are_understood_by_others(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    picture = _photograph(bits=16)
    for suffix in LOSSLESS:
        write_picture(tmp_path / f"a{suffix}", picture, {})
    deep = tifffile.imread(tmp_path / "a.tif")
    np.testing.assert_array_equal(deep, cv2.imread(str(tmp_path / "a.png"), -1)[..., ::-1])
    assert deep.dtype == np.uint16
    with Image.open(tmp_path / "a.png") as image:
        assert image.text["Software"] == SOFTWARE
        assert image.info["srgb"] == 0


def test_a_description_of_the_photographer_is_kept(tmp_path: Path) -> None:
    exif = _camera_exif()
    described = dict(exif.root.entries) | {0x010E: text_entry("A fly")}
    exif = Exif(order=exif.order, root=Directory(entries=described, below=exif.root.below))
    path = tmp_path / "a.jpg"
    write_picture(path, _photograph(exif=exif), {"seed": 7})
    again = read_picture(path).exif
    assert again is not None
    assert text_of(again.root.entries[0x010E]) == "A fly"
    camera = again.root.below[EXIF_POINTER].entries
    assert camera[0x9286].data == comment_entry('{"seed": 7}').data


@pytest.mark.parametrize("suffix", CARRYING)
def test_too_much_metadata_never_fails(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    long_packet = XMP.replace(b"old", b"x" * 10).replace(b"<rdf:RDF", b"y" * 90_000 + b"<rdf:RDF")
    picture = _photograph(exif=_camera_exif(note=bytes(80_000)), xmp=long_packet)
    notes = write_picture(path, picture, {"inputs": {f"{n:064x}": f"{n}.jpg" for n in range(300)}})
    again = read_picture(path)
    assert again.exif is not None
    assert text_of(again.exif.root.entries[0x010F]) == "Maker"
    if suffix != ".jpg":
        assert notes == ()
        assert again.xmp is not None
        assert len(again.xmp) > 90_000
        return
    assert again.xmp is None
    assert len(notes) == 2
    assert notes[0] == "a.jpg: EXIF data are too long for this format: MakerNote is left out"
    assert "bytes of XMP are too many for this format and are left out" in notes[1]


def test_room_for_edits_goes_before_the_packet_does(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    padded = XMP.replace(b"<?xpacket end", b" " * 90_000 + b"<?xpacket end")
    assert write_picture(path, _photograph(xmp=padded), {}) == ()
    again = read_picture(path).xmp
    assert again is not None
    assert b'xmp:Rating="4"' in again


def test_the_same_picture_gives_the_same_bytes(tmp_path: Path) -> None:
    picture = _photograph()
    for suffix in CARRYING:
        first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
        for path in (first, second):
            write_picture(path, picture, {"seed": 1})
        assert first.read_bytes() == second.read_bytes()


def test_a_capture_says_what_camera_took_it(small_capture: Path, tmp_path: Path) -> None:
    capture = replace(
        read_capture(small_capture),
        camera=Camera(make="Lytro, Inc.", model="F01", serial="A102430881"),
        lens=Lens(focal_length_m=0.0064, f_number=1.9),
        iso=80.0,
        exposure_s=1 / 250,
        taken="2012-04-07T13:30:34Z",
    )
    provenance = json.loads(json.dumps({"shot": shot_of(capture)}))
    write_picture(tmp_path / "a.jpg", Picture(light=decode_srgb(RGB)), provenance)
    write_screen_image(tmp_path / "b.jpg", codes8(RGB), provenance)
    for name in ("a.jpg", "b.jpg"):
        with Image.open(tmp_path / name) as image:
            found = image.getexif()
            camera = found.get_ifd(EXIF_POINTER)
        assert (found[0x010F], found[0x0110]) == ("Lytro, Inc.", "F01")
        assert camera[0xA431] == "A102430881"
        assert camera[0x9003] == "2012:04:07 13:30:34"
        assert camera[0x8827] == 80
        assert camera[0x829A] == pytest.approx(1 / 250)
        assert camera[0x920A] == pytest.approx(6.4)
        assert camera[0x829D] == pytest.approx(1.9)


@pytest.mark.parametrize(
    "shot",
    [
        None,
        "text",
        {"make": 5, "iso": "much", "exposure_s": -1, "f_number": float("inf"), "taken": 7},
        {"iso": 1e8, "focal_length_mm": 1e-12, "serial": "\0", "exposure_s": True},
    ],
)
def test_a_shot_from_a_strange_file_never_fails(tmp_path: Path, shot: object) -> None:
    path = tmp_path / "a.png"
    write_picture(path, Picture(light=decode_srgb(RGB)), {"shot": shot})
    assert read_picture(path).exif is not None


def test_maps_are_written_as_they_are(tmp_path: Path) -> None:
    codes = codes8(RGB)
    write_screen_image(tmp_path / "map.png", codes, {"seed": 1})
    with Image.open(tmp_path / "map.png") as image:
        np.testing.assert_array_equal(np.asarray(image), codes)
        assert json.loads(image.text["Comment"]) == {"seed": 1}
    with pytest.raises(ImageError, match=r"maps are written as \.png or \.jpg, not '\.tif'"):
        write_screen_image(tmp_path / "map.tif", codes, {})


def test_names_and_sizes_are_judged_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"not '\.gif'"):
        check_writable(tmp_path / "picture.gif")
    check_writable(tmp_path / "picture.png", (70_000, 10))
    with pytest.raises(ImageError, match=r"10 x 70000 pixels; \.jpg holds at most 65500 a side"):
        check_writable(tmp_path / "picture.jpg", (70_000, 10))
    with pytest.raises(ImageError, match=r"\.webp holds at most 16383 a side"):
        check_writable(tmp_path / "picture.webp", (10, 17_000))


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    blocked = tmp_path / "folder"
    blocked.write_text("a file where a folder is needed")
    picture = Picture(light=np.zeros((4, 4, 3), np.float32))
    for suffix in CARRYING:
        with pytest.raises(StorageError, match="cannot be written"):
            write_picture(blocked / f"picture{suffix}", picture, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder"]


def test_exif_of_a_tiff_goes_on_and_its_layout_does_not(tmp_path: Path) -> None:
    """What describes the strips of one file would be wrong in another."""
    first, second = tmp_path / "a.tif", tmp_path / "b.jpg"
    write_picture(first, _photograph(), {"seed": 7})
    write_picture(second, read_picture(first), {"seed": 8})
    with Image.open(second) as image:
        found = parse_exif(image.info["exif"].removeprefix(b"Exif\0\0"))
    assert not {0x0100, 0x0101, 0x0111, 0x0117, 0x8773} & set(found.root.entries)
    assert text_of(found.root.entries[0x010F]) == "Maker"
    assert exif_bytes(found)
