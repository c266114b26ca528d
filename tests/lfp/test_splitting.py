from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from lfdfp.errors import ChecksumError, LfpFormatError, StorageError
from lfdfp.lfp import (
    Container,
    Section,
    container_of,
    read_capture,
    read_container,
    splitting,
    write_container,
)
from lfdfp.lfp.splitting import split


def test_what_is_split_can_be_read_again(tmp_path: Path, make_capture) -> None:
    capture = make_capture()
    write_container(tmp_path / "IMG_0001.lfp", container_of(capture, layout="f01"))
    written = split(tmp_path / "IMG_0001.lfp", tmp_path / "out")
    assert [path.name for path in written] == [
        "IMG_0001_table.json",
        "IMG_0001_metadataRef0.json",
        "IMG_0001_privateMetadataRef1.json",
        "IMG_0001_imageRef0.raw",
    ]
    again = read_capture(tmp_path / "out/IMG_0001_imageRef0.raw")
    np.testing.assert_array_equal(again.mosaic, capture.mosaic)
    assert (again.camera, again.lens) == (capture.camera, capture.lens)


def test_files_that_exist_are_kept_unless_unwanted(tmp_path: Path, make_capture) -> None:
    path = tmp_path / "a.lfp"
    write_container(path, container_of(make_capture(), layout="f01"))
    kept = tmp_path / "a_imageRef0.raw"
    kept.write_bytes(b"mine")
    with pytest.raises(StorageError, match=r"a_imageRef0.raw exists already; .* overwriting"):
        split(path, tmp_path)
    assert sorted(tmp_path.iterdir()) == [path, kept]
    assert len(split(path, tmp_path, overwrite=True)) == 4
    assert kept.stat().st_size == 720


def test_names_inside_the_file_never_become_paths(tmp_path: Path) -> None:
    sections = [Section.make("component", bytes([i]) * 20) for i in range(6)]
    references = [section.reference for section in sections]
    contents = {
        "../../escape": references[0],
        "/etc/passwd": references[1],
        "": references[2],
        "files": [
            {"name": "C:\\T1CALIB\\MOD_0000.RAW", "dataRef": references[3]},
            {"name": "..\\..\\..", "dataRef": references[4]},
            {"name": "../../mod_0000.raw", "dataRef": references[5]},
        ],
    }
    table = Section.make("table", json.dumps(contents).encode())
    path = tmp_path / "in/data.C.0"
    path.parent.mkdir()
    write_container(path, Container(sections=(table, *sections)))
    written = split(path, tmp_path / "out")
    assert [file.name for file in written] == [
        "data.C.0_table.json",
        "data.C.0_unknown0.bin",
        "data.C.0_unknown1.bin",
        "data.C.0_unknown2.bin",
        "data.C.0_MOD_0000.RAW",
        "data.C.0_dataRef4.bin",
        "data.C.0_mod_0000_section6.raw",
    ]
    assert sorted(written) == sorted((tmp_path / "out").iterdir())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in", "out"]


def test_no_two_sections_share_a_file(tmp_path: Path) -> None:
    names = ["a.RAW", "A.raw", "a_section3.RAW", "A_SECTION3_section4.RAW", "a.RAW"]
    sections = [Section.make("component", bytes([i]) * 20) for i in range(len(names))]
    files = [
        {"name": name, "dataRef": section.reference}
        for name, section in zip(names, sections, strict=True)
    ]
    table = Section.make("table", json.dumps({"files": files}).encode())
    for order in (sections, sections[::-1], [sections[2], sections[3], *sections]):
        path = tmp_path / "data.C.0"
        write_container(path, Container(sections=(table, *order)))
        written = split(path, tmp_path / "out", overwrite=True)
        assert len({one.name.lower() for one in written}) == len(written) == len(order) + 1
        assert [one.read_bytes() for one in written[1:]] == [s.payload for s in order]


def test_a_disk_that_fails_leaves_no_file(
    tmp_path: Path, make_capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.lfp"
    write_container(path, container_of(make_capture(), layout="f01"))
    left = iter([True, True, False])
    written = splitting._written

    def failing(item: object) -> object:
        if not next(left):
            raise OSError(28, "No space left on device")
        return written(item)

    monkeypatch.setattr(splitting, "_written", failing)
    with pytest.raises(StorageError, match="No space left on device"):
        split(path, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_streams_and_pictures_are_counted_apart(tmp_path: Path) -> None:
    payloads = (
        b"\x89PNG\r\n\x1a\n",
        b"\0\0\0\1\x67 one",
        b"any two",
        b"\xff\xd8\xff\xe0",
        b"stray",
    )
    sections = [Section.make("component", payload) for payload in payloads]
    references = [section.reference for section in sections]
    contents = {"a": references[0], "b": [{"blockOfImagesRef": r} for r in references[1:3]]}
    table = Section.make("table", json.dumps(contents).encode())
    write_container(tmp_path / "x.lfp", Container(sections=(table, *sections)))
    assert [path.name for path in split(tmp_path / "x.lfp", tmp_path)] == [
        "x_table.json",
        "x_00.png",
        "x_blockOfImagesRef_00.h264",
        "x_blockOfImagesRef_01.h264",
        "x_00.jpg",
        "x_unknown0.bin",
    ]


def test_empty_sections_make_no_file(tmp_path: Path) -> None:
    sections = (Section.make("component", b""), Section.make("table", b"{}"))
    write_container(tmp_path / "a.lfp", Container(sections=sections))
    assert [path.name for path in split(tmp_path / "a.lfp", tmp_path)] == ["a_table.json"]


def test_damage_stops_it_before_anything_is_written(tmp_path: Path, make_capture) -> None:
    container = container_of(make_capture(), layout="f01")
    *others, raw = container.sections
    broken = dataclasses.replace(raw, payload=bytes(len(raw.payload)))
    write_container(tmp_path / "a.lfp", Container(sections=(*others, broken)))
    with pytest.raises(ChecksumError):
        split(tmp_path / "a.lfp", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert len(split(tmp_path / "a.lfp", tmp_path / "out", verify=False)) == 4


def test_what_is_no_container_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.lfp").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    with pytest.raises(LfpFormatError, match="this is a PNG picture"):
        split(tmp_path / "a.lfp", tmp_path / "out")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, make_capture) -> None:
    write_container(tmp_path / "a.lfp", container_of(make_capture(), layout="f01"))
    with pytest.raises(StorageError, match="cannot be made"):
        split(tmp_path / "a.lfp", tmp_path / "a.lfp")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "suffixes"),
    [
        ("f01_IMG_0002-dm.lfp", ["table.json", "lut_depth.txt", "lut_confidence.txt"]),
        (
            "f01_IMG_0007-stk.lfp",
            ["table.json", "depth.txt", *(f"{i:02d}.jpg" for i in range(5))],
        ),
        (
            "illum_processed_demo.LFP",
            ["table.json", "lut_depth.txt", *(f"{i:02d}.jpg" for i in range(10))],
        ),
        (
            "processed_stack_1.lfp",
            ["table.json", "metadataRef0.json", "privateMetadataRef1.json", "00.jpg"],
        ),
    ],
)
def test_real_files_get_the_names_of_lfpsplitter(
    data_dir: Path, tmp_path: Path, name: str, suffixes: list[str]
) -> None:
    path = data_dir / "lytro/containers" / name
    written = split(path, tmp_path)
    assert [file.name for file in written] == [f"{path.stem}_{suffix}" for suffix in suffixes]
    for file, section in zip(written, read_container(path).sections, strict=True):
        if file.suffix == ".txt":
            numbers = np.loadtxt(file, np.float32)
            np.testing.assert_array_equal(numbers, np.frombuffer(section.payload, "<f4"))
        else:
            assert file.read_bytes() == section.payload
