"""White images are found wherever owners keep them, and those of two cameras are never mixed."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import io
import json
import lzma
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lfdfp.datatypes import RawCapture
from lfdfp.errors import CalibrationError, ChecksumError, LfdfpError, LfpFormatError
from lfdfp.lfp import Container, Section, write_container, write_pair
from lfdfp.lfp.white_images import WhiteImage, by_camera, find_white_images, loaded

Parts = dict[str, bytes]


def parts_of(
    folder: Path, make_capture, numbers: range = range(2), *, serial: str = "A1", name: str = "{}"
) -> Parts:
    """Raw files and texts of white images, by name; those of each number differ."""
    made: Parts = {}
    for number in numbers:
        capture = make_capture(seed=100 * ord(serial[0]) + number)
        lens = dataclasses.replace(capture.lens, zoom_step=number)
        camera = dataclasses.replace(capture.camera, serial=serial)
        path = folder / f"MOD_{number:04d}.RAW"
        text = write_pair(
            path, dataclasses.replace(capture, lens=lens, camera=camera), layout="f01"
        )
        for part in (path, text):
            made[name.format(part.name)] = part.read_bytes()
            part.unlink()
    return made


def write_parts(folder: Path, parts: Parts) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in parts.items():
        (folder / name).write_bytes(content)
    return folder


def write_tar(path: Path, parts: Parts) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_bundle(path: Path, parts: Parts, stored: Parts | None = None) -> Path:
    """A volume that lists `parts` and holds `stored` (by default, the same)."""
    sections = {name: Section.make("component", content) for name, content in parts.items()}
    listed = [{"name": name, "dataRef": one.reference} for name, one in sections.items()]
    table = Section.make("table", json.dumps({"files": listed}).encode())
    held = (
        sections.values()
        if stored is None
        else [Section.make("component", content) for content in stored.values()]
    )
    write_container(path, Container(sections=(table, *held)))
    return path


def mosaics(images: list[WhiteImage]) -> list[bytes]:
    return [image.load().mosaic.tobytes() for image in images]


@pytest.fixture
def parts(tmp_path: Path, make_capture) -> Parts:
    return parts_of(tmp_path, make_capture)


@pytest.fixture
def expected(make_capture) -> list[bytes]:
    return [make_capture(seed=100 * ord("A") + number).mosaic.tobytes() for number in range(2)]


@pytest.mark.parametrize(
    "name",
    [
        "{}",
        "T1CALIB__{}",
        "data.C.3__C__T1CALIB__{}",
        "data.C.1__T1CALIB__{}",
        "small_{}",
    ],
)
def test_pairs_are_found_under_the_names_that_programs_give_them(
    tmp_path: Path, make_capture, expected: list[bytes], name: str
) -> None:
    folder = write_parts(tmp_path / "unit", parts_of(tmp_path, make_capture, name=name))
    images = find_white_images(folder)
    assert mosaics(images) == expected
    assert [image.serial for image in images] == ["A1", "A1"]
    assert [image.load().lens.zoom_step for image in images] == [0, 1]


def test_names_in_small_letters_and_a_sha1_behind_the_text_are_read(
    tmp_path: Path, parts: Parts, expected: list[bytes]
) -> None:
    small = {
        name.lower(): content + (b"sha1-" + 40 * b"0" if name.endswith("TXT") else b"")
        for name, content in parts.items()
    }
    assert mosaics(find_white_images(write_parts(tmp_path / "unit", small))) == expected


@pytest.mark.parametrize("name", ["XMOD_0001.RAW", "MOD_001.RAW", "MOD_0001.RAW.bak", "MOD_0001"])
def test_other_names_are_passed_over(tmp_path: Path, parts: Parts, name: str) -> None:
    folder = write_parts(tmp_path / "unit", {name: parts["MOD_0001.RAW"]})
    (folder / name).with_suffix(".TXT").write_bytes(parts["MOD_0001.TXT"])
    with pytest.raises(CalibrationError, match="no white image in it; expected MOD_nnnn"):
        find_white_images(folder)


def test_folders_tars_and_bundles_hold_the_same_white_images(
    tmp_path: Path, parts: Parts, expected: list[bytes]
) -> None:
    inside = {f"../../unitdata/{name}": content for name, content in parts.items()}
    stored = {f"C:\\T1CALIB\\{name}": content for name, content in parts.items()}
    names = list(stored)
    store = tmp_path / "sn-A1"
    write_bundle(store / "data.C.0", stored, {name: stored[name] for name in names[:1]})
    rest = [Section.make("component", stored[name]) for name in names[1:]]
    write_container(store / "data.C.1", Container(sections=(Section.make("table", b"{}"), *rest)))
    for source in (
        write_parts(tmp_path / "unit", parts),
        write_tar(tmp_path / "caldata-A1.tar", inside),
        store,
        write_bundle(tmp_path / "data.C.7", stored),
    ):
        assert mosaics(find_white_images(source)) == expected
    everything = sorted(path.name for path in tmp_path.rglob("*"))
    names = ["MOD_0000.RAW", "MOD_0000.TXT", "MOD_0001.RAW", "MOD_0001.TXT", "caldata-A1.tar"]
    assert everything == [*names, "data.C.0", "data.C.1", "data.C.7", "sn-A1", "unit"]


def test_an_archive_in_a_folder_is_found_and_its_copies_count_once(
    tmp_path: Path, parts: Parts, expected: list[bytes]
) -> None:
    camera = tmp_path / "from the camera"
    camera.mkdir()
    write_tar(camera / "caldata-A1.tar", parts)
    assert mosaics(find_white_images(tmp_path)) == expected
    write_parts(camera / "unpacked", parts)
    write_bundle(camera / "data.C.0", parts)
    assert mosaics(find_white_images(tmp_path)) == expected


def test_the_same_text_with_other_pixels_is_another_image(tmp_path: Path, parts: Parts) -> None:
    write_parts(tmp_path / "a", parts)
    other = parts | {"MOD_0000.RAW": parts["MOD_0001.RAW"]}
    write_parts(tmp_path / "b", other)
    assert len(find_white_images(tmp_path)) == 3


def test_equal_numbers_of_two_cameras_are_never_mixed(tmp_path: Path, make_capture) -> None:
    for serial in ("A1", "B2"):
        parts = parts_of(tmp_path, make_capture, serial=serial)
        write_parts(tmp_path / "all" / f"folder {serial}", parts)
        write_tar(tmp_path / "all" / f"caldata-{serial}.tar", parts)
        write_bundle(tmp_path / "all" / f"data.C.{ord(serial[0])}", parts)
    cameras = by_camera(find_white_images(tmp_path / "all"))
    for serial, images in cameras.items():
        made = [make_capture(seed=100 * ord(serial[0]) + k).mosaic.tobytes() for k in range(2)]
        assert mosaics(images) == made
        assert {image.load().camera.serial for image in images} == {serial}
    assert list(cameras) == ["A1", "B2"]


def test_half_a_pair_does_not_take_its_other_half_from_another_place(
    tmp_path: Path, parts: Parts
) -> None:
    raw = {name: content for name, content in parts.items() if name.endswith("RAW")}
    texts = {name: content for name, content in parts.items() if name.endswith("TXT")}
    write_parts(tmp_path / "a", raw)
    write_parts(tmp_path / "b", texts)
    write_tar(tmp_path / "c.tar", {f"x/{name}": content for name, content in raw.items()})
    write_tar(
        tmp_path / "d.tar",
        {f"y/{name}": content for name, content in (raw | texts).items() if (name.endswith("RAW"))},
    )
    with pytest.raises(CalibrationError, match="no white image in it"):
        find_white_images(tmp_path)


def test_the_cameras_own_papers_count_for_more_than_the_texts(tmp_path: Path, parts: Parts) -> None:
    papers = json.dumps({"camera": {"serialNumber": "B514/3"}}).encode()
    inside = {f"unitdata/{name}": content for name, content in parts.items()}
    path = write_tar(tmp_path / "caldata.tar", inside | {"unitdata/unit_info.json": papers})
    images = find_white_images(path)
    assert {image.serial for image in images} == {"B514_3"}
    assert {image.load().camera.serial for image in images} == {"B514_3"}


def test_what_macos_writes_beside_files_is_passed_over(
    tmp_path: Path, parts: Parts, expected: list[bytes]
) -> None:
    beside = {f"._{name}": b"\0\5\x16\7" for name in parts} | {"._caldata.tar": b"\0\5\x16\7"}
    folder = write_parts(tmp_path / "unit", parts | beside)
    assert mosaics(find_white_images(folder)) == expected


def test_one_photograph_is_a_white_image(tmp_path: Path, parts: Parts) -> None:
    folder = write_parts(tmp_path / "unit", parts)
    (image,) = find_white_images(folder / "MOD_0001.RAW")
    assert image.serial == "A1"
    assert image.load().lens.zoom_step == 1


def test_a_damaged_image_does_not_hide_the_others(tmp_path: Path, parts: Parts) -> None:
    parts["MOD_0000.RAW"] = b"short"
    folder = write_parts(tmp_path / "unit", parts | {"MOD_0009.RAW": b"", "MOD_0009.TXT": b"{"})
    write_parts(folder, {"damaged.tar": b"MOD_0000.RAW".ljust(257, b"\0")})
    cameras = by_camera(find_white_images(folder))
    assert list(cameras) == ["A1"]
    results = dict(loaded(cameras["A1"]))
    assert isinstance(results["MOD_0001.RAW"], RawCapture)
    assert "take 720 bytes" in str(results["MOD_0000.RAW"])
    assert "not readable JSON" in str(results["MOD_0009.RAW"])


def _tar_member(kind: bytes, **about: object) -> Callable[[tarfile.TarFile, Parts], None]:
    def add(archive: tarfile.TarFile, parts: Parts) -> None:
        member = tarfile.TarInfo("MOD_0000.RAW")
        member.type = kind
        for key, value in about.items():
            setattr(member, key, value)
        archive.addfile(member)

    return add


@pytest.mark.parametrize(
    "add",
    [
        _tar_member(tarfile.CHRTYPE, devmajor=1, devminor=5),
        _tar_member(tarfile.FIFOTYPE),
        _tar_member(tarfile.LNKTYPE, linkname="etc/passwd"),
        _tar_member(tarfile.SYMTYPE, linkname="/etc/passwd"),
        _tar_member(tarfile.DIRTYPE),
        _tar_member(tarfile.REGTYPE, size=1 << 40),
    ],
)
def test_only_plain_files_of_an_archive_are_read(tmp_path: Path, parts: Parts, add) -> None:
    path = tmp_path / "caldata.tar"
    with tarfile.open(path, "w") as archive:
        text = tarfile.TarInfo("MOD_0000.TXT")
        text.size = len(parts["MOD_0000.TXT"])
        archive.addfile(text, io.BytesIO(parts["MOD_0000.TXT"]))
        add(archive, parts)
    with pytest.raises(CalibrationError, match=r"caldata\.tar: "):
        find_white_images(path)


@pytest.mark.parametrize("real", ["abc", str(1 << 40), "-5"])
def test_sparse_members_are_passed_over(tmp_path: Path, parts: Parts, real: str) -> None:
    path = tmp_path / "caldata.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if name.endswith("RAW"):
                member.pax_headers = {
                    "GNU.sparse.major": "1",
                    "GNU.sparse.minor": "0",
                    "GNU.sparse.name": name,
                    "GNU.sparse.realsize": real,
                }
            archive.addfile(member, io.BytesIO(content))
    tracemalloc.start()
    with pytest.raises(CalibrationError, match=r"caldata\.tar: (the archive is damaged|no white)"):
        find_white_images(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("keep", [1.0, 0.5])
def test_a_compressed_archive_has_to_be_unpacked_first(
    tmp_path: Path, parts: Parts, compress: Callable[[bytes], bytes], keep: float
) -> None:
    content = compress(write_tar(tmp_path / "a.tar", parts).read_bytes())
    path = tmp_path / "caldata.tar"
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(CalibrationError, match=r"caldata\.tar: a compressed archive; unpack it"):
        find_white_images(path)


@pytest.mark.parametrize("length", [512, 700, 1700, 3000])
def test_an_archive_that_is_cut_short_is_named(tmp_path: Path, parts: Parts, length: int) -> None:
    path = write_tar(tmp_path / "caldata.tar", parts)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CalibrationError, match=r"caldata\.tar: (the archive is damaged|no white)"):
        find_white_images(path)


@pytest.mark.parametrize("table", [b"[" * 100_000, b'{"files": [{"name": "MOD_0000.RAW"}]}'])
def test_a_bundle_with_a_broken_list_is_named(tmp_path: Path, table: bytes) -> None:
    path = tmp_path / "data.C.0"
    write_container(path, Container(sections=(Section.make("table", table),)))
    with pytest.raises(CalibrationError, match="list of files cannot be read"):
        find_white_images(path)


def test_a_section_in_a_volume_that_is_not_there_is_told(tmp_path: Path, parts: Parts) -> None:
    raw = {name: content for name, content in parts.items() if name.endswith("RAW")}
    texts = {name: content for name, content in parts.items() if name.endswith("TXT")}
    path = write_bundle(tmp_path / "data.C.0", parts, texts)
    images = find_white_images(path)
    assert len(images) == 2
    with pytest.raises(LfpFormatError, match=r"data\.C\.0 to data\.C\.3 belong together"):
        images[0].load()
    rest = [Section.make("component", content) for content in raw.values()]
    write_container(
        tmp_path / "data.C.1", Container(sections=(Section.make("table", b"{}"), *rest))
    )
    assert len(mosaics(find_white_images(tmp_path))) == 2


def test_a_damaged_section_of_a_bundle_is_told(tmp_path: Path, parts: Parts) -> None:
    path = write_bundle(tmp_path / "data.C.0", parts)
    content = path.read_bytes()
    at = content.index(parts["MOD_0001.RAW"])
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    good, bad = find_white_images(path)
    assert good.load().lens.zoom_step == 0
    with pytest.raises(ChecksumError, match="is damaged"):
        bad.load()


@pytest.mark.parametrize("name", ["n" * 300, "missing", "a\0b"])
def test_an_impossible_source_is_a_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(LfdfpError, match=r"cannot be looked at|no such file or folder"):
        find_white_images(tmp_path / name)


def test_pipes_among_white_images_are_not_waited_for(tmp_path: Path, parts: Parts) -> None:
    folder = write_parts(tmp_path / "unit", parts)
    for name in ("MOD_0007.RAW", "MOD_0007.TXT", "data.C.0", "caldata.tar"):
        os.mkfifo(folder / name)
    images = find_white_images(folder)
    assert len([image for image in images if image.serial == "A1"]) == 2
    os.mkfifo(tmp_path / "pipe.lfp")
    with pytest.raises(LfdfpError, match="no regular file"):
        find_white_images(tmp_path / "pipe.lfp")


def test_the_order_of_a_folder_is_that_of_the_names(tmp_path: Path, make_capture) -> None:
    parts = parts_of(tmp_path, make_capture, range(3, 0, -1))
    images = find_white_images(write_parts(tmp_path / "unit", parts))
    assert [image.name for image in images] == [f"MOD_{k:04d}.RAW" for k in (1, 2, 3)]
    np.testing.assert_array_equal([i.load().lens.zoom_step for i in images], [1, 2, 3])
