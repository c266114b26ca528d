from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from lfdfp.datatypes import RawCapture
from lfdfp.errors import (
    ChecksumError,
    LfpFormatError,
    MetadataError,
    NotRawError,
    StorageError,
)
from lfdfp.lfp import (
    Container,
    Section,
    build_container,
    container_of,
    describe,
    read_capture,
    read_container,
    write_container,
    write_pair,
)
from lfdfp.lfp.metadata import compose_metadata, compose_private_metadata
from lfdfp.lfp.packing import F01_PACKING, pack

LAYOUTS = pytest.mark.parametrize(("layout", "bits"), [("f01", 12), ("illum", 10)])


def same(first: RawCapture, second: RawCapture) -> bool:
    """All but where the capture comes from."""
    names = {field.name for field in dataclasses.fields(RawCapture)}
    names -= {"mosaic", "white_image", "source_sha256", "history"}
    return np.array_equal(first.mosaic, second.mosaic) and all(
        getattr(first, name) == getattr(second, name) for name in names
    )


@LAYOUTS
def test_a_capture_survives_the_way_through_a_file(
    tmp_path: Path, make_capture, layout: str, bits: int
) -> None:
    capture = make_capture(bits=bits)
    path = tmp_path / "capture.lfp"
    write_container(path, container_of(capture, layout=layout))
    read = read_capture(path)
    assert same(read, capture)
    assert read.white_image is None
    assert read.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@LAYOUTS
def test_a_white_image_travels_in_the_same_file(
    tmp_path: Path, make_capture, layout: str, bits: int
) -> None:
    white = dataclasses.replace(make_capture(bits=bits, seed=1), black_codes=(50.0,) * 4)
    path = tmp_path / "capture.lfr"
    container = container_of(make_capture(bits=bits, white_image=white), layout=layout)
    write_container(path, container)
    read = read_capture(path).white_image
    assert read is not None
    assert same(read, white)


def test_a_white_image_without_metadata_takes_those_of_the_capture(
    tmp_path: Path, make_capture
) -> None:
    capture = make_capture()
    white = capture.mosaic[::-1]
    container = build_container(
        capture.mosaic,
        compose_metadata(capture, "f01"),
        compose_private_metadata(capture),
        layout="illum",
        white_image=white,
    )
    write_container(tmp_path / "a.lfr", container)
    read = read_capture(tmp_path / "a.lfr").white_image
    assert read is not None
    np.testing.assert_array_equal(read.mosaic, white)
    assert read.lens == capture.lens


def _with_white_image(make_capture, *, pixels: bytes, text: bytes) -> Container:
    """A capture whose white image and white metadata are these bytes."""
    container = container_of(make_capture(white_image=make_capture(seed=1)), layout="f01")
    table, metadata, private, raw, *old = container.sections
    new = [Section.make("component", payload) for payload in (pixels, text)]
    contents = table.payload
    for before, after in zip(old, new, strict=True):
        contents = contents.replace(before.reference.encode(), after.reference.encode())
    return Container(sections=(Section.make("table", contents), metadata, private, raw, *new))


def test_white_metadata_that_cannot_be_read_are_replaced(tmp_path: Path, make_capture) -> None:
    pixels = pack(make_capture(seed=2).mosaic, F01_PACKING)
    container = _with_white_image(make_capture, pixels=pixels, text=b"{}")
    write_container(tmp_path / "a.lfp", container)
    read = read_capture(tmp_path / "a.lfp")
    assert read.white_image is not None
    assert same(read.white_image, make_capture(seed=2))
    assert "took the capture's metadata for its white image: modulat" in read.history[1]


def test_a_bad_white_image_is_told_and_left_out(tmp_path: Path, make_capture) -> None:
    container = _with_white_image(make_capture, pixels=bytes(7), text=b"{}")
    write_container(tmp_path / "a.lfp", container)
    read = read_capture(tmp_path / "a.lfp")
    assert same(read, make_capture())
    assert read.white_image is None
    assert "did not use the white image in the file: 20 x 24 pixels" in read.history[-1]


@LAYOUTS
def test_a_white_image_survives_the_way_through_a_raw_pair(
    tmp_path: Path, make_capture, layout: str, bits: int
) -> None:
    capture = make_capture(bits=bits)
    path = tmp_path / "MOD_0004.RAW"
    text = write_pair(path, capture, layout=layout)
    assert sorted(tmp_path.iterdir()) == [path, text]
    assert same(read_capture(path), capture)
    assert read_capture(path).source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_samples_of_the_lf_toolbox_are_read(tmp_path: Path, make_capture) -> None:
    capture = make_capture()
    container = container_of(capture, layout="f01")
    _, metadata, private, raw = (section.payload for section in container.sections)
    (tmp_path / "IMG_0001__frame.raw").write_bytes(raw)
    (tmp_path / "IMG_0001__frame.json").write_bytes(metadata)
    (tmp_path / "IMG_0001__private_metadata.json").write_bytes(private)
    assert same(read_capture(tmp_path / "IMG_0001__frame.raw"), capture)


@pytest.mark.parametrize("start", [b"{\n\t", b"\xff\xd8\xff", b"\x1f\x8b\0"])
def test_codes_may_begin_like_any_other_file(tmp_path: Path, make_capture, start: bytes) -> None:
    capture = make_capture()
    first, second = int.from_bytes(start) >> 12, int.from_bytes(start) & 0xFFF
    capture.mosaic[0, :2] = first, second
    write_container(tmp_path / "a.lfp", container_of(capture, layout="f01"))
    write_pair(tmp_path / "MOD_0000.RAW", capture, layout="f01")
    assert same(read_capture(tmp_path / "a.lfp"), capture)
    assert same(read_capture(tmp_path / "MOD_0000.RAW"), capture)


def test_the_newer_tree_with_old_keys_in_any_order_is_read(tmp_path: Path, make_capture) -> None:
    capture = make_capture()
    container = build_container(
        capture.mosaic,
        compose_metadata(capture, "f01"),
        compose_private_metadata(capture),
        layout="illum",
    )
    turned = dataclasses.replace(container, sections=container.sections[::-1])
    write_container(tmp_path / "a.lfp", turned)
    assert same(read_capture(tmp_path / "a.lfp"), capture)


def test_inline_metadata_and_collapsed_lists_are_read(tmp_path: Path, make_capture) -> None:
    capture = make_capture()
    raw = container_of(capture, layout="f01").sections[-1]
    frame = {
        "metadata": compose_metadata(capture, "f01"),
        "privateMetadata": compose_private_metadata(capture),
        "imageRef": raw.reference.upper().replace("SHA1", "sha1"),
    }
    table = json.dumps({"picture": {"frameArray": {"frame": frame}}}).encode()
    write_container(
        tmp_path / "a.lfp", Container(sections=(Section.make("table", table + b"\0\n"), raw))
    )
    assert same(read_capture(tmp_path / "a.lfp"), capture)


def test_meaningless_low_bits_are_dropped(tmp_path: Path, make_capture) -> None:
    capture = make_capture()
    metadata = compose_metadata(capture, "f01")
    metadata["image"]["rawDetails"]["pixelFormat"]["rightShift"] = 2
    codes = (capture.mosaic >> 2).astype(np.uint16)
    container = build_container(codes, metadata, {}, layout="f01")
    write_container(tmp_path / "a.lfp", container)
    np.testing.assert_array_equal(read_capture(tmp_path / "a.lfp").mosaic, codes)


def test_a_mosaic_that_the_metadata_do_not_describe_is_not_written(make_capture) -> None:
    metadata = compose_metadata(make_capture(), "f01")
    with pytest.raises(MetadataError, match=r"mosaic of \(20, 24\), but imageRef is \(8, 8\)"):
        build_container(np.zeros((8, 8), np.uint16), metadata, {}, layout="f01")


def test_a_raw_image_of_the_wrong_size_is_refused(tmp_path: Path, make_capture) -> None:
    capture = make_capture()
    write_pair(tmp_path / "a.raw", capture, layout="f01")
    (tmp_path / "a.raw").write_bytes(bytes(99))
    with pytest.raises(MetadataError, match=r"a.raw: 20 x 24 pixels .* take 720 bytes, .*99"):
        read_capture(tmp_path / "a.raw")


def test_a_damaged_capture_is_refused_unless_wanted(tmp_path: Path, make_capture) -> None:
    path = tmp_path / "a.lfp"
    write_container(path, container_of(make_capture(), layout="f01"))
    data = bytearray(path.read_bytes())
    data[-1 - data[::-1].index(max(data[-100:]))] ^= 0x55
    path.write_bytes(data)
    with pytest.raises(
        ChecksumError, match=r"a.lfp: section 3 .component, sha1-.* \(--no-verify\)"
    ) as caught:
        read_capture(path)
    assert caught.value.offset is not None
    assert read_capture(path, verify=False).mosaic.shape == (20, 24)


@pytest.mark.parametrize(
    ("name", "data", "kind", "message"),
    [
        ("a.lfp", b"", LfpFormatError, "the file is empty"),
        ("a.lfp", b"\xff\xd8\xff\xe0" + bytes(99), LfpFormatError, "this is a JPEG picture, not"),
        ("a.lfr", b"\x89PNG\r\n\x1a\n" + bytes(99), LfpFormatError, "this is a PNG picture"),
        ("a.LFP", b"nothing known", LfpFormatError, "this is unknown data"),
        ("a.txt", b'{"master": {}}', NotRawError, "this is JSON text; give the .RAW file"),
        ("a.raw", bytes(99), NotRawError, "put a.TXT or a.json there"),
        ("a.raw", b"\xff\xd8\xff\xe0" + bytes(99), LfpFormatError, "this is a JPEG picture"),
        ("a.lfp", b"\x89LFP\n\x1a\n" + bytes(99), LfpFormatError, "a transfer in text mode"),
        ("a.lfp", b"\x89LFP\r\r\n\x1a\r\n" + bytes(99), LfpFormatError, "in binary mode"),
        ("a.lfp", b"\tLFP\r\n\x1a\n" + bytes(99), LfpFormatError, "a transfer in text mode"),
        ("a.lfp", "\x89LFP\r\n".encode() + bytes(99), LfpFormatError, "a transfer in text mode"),
    ],
)
def test_what_is_no_capture_is_named(
    tmp_path: Path, name: str, data: bytes, kind: type[Exception], message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(kind, match=message) as caught:
        read_capture(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert str(caught.value).isprintable()


def test_a_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(LfpFormatError, match="this is a folder; give a file"):
        read_capture(tmp_path)
    with pytest.raises(LfpFormatError, match="there is no such file"):
        read_capture(tmp_path / "none.lfp")


def test_a_container_without_a_frame_is_not_raw(tmp_path: Path) -> None:
    files = json.dumps({"files": [{"name": "C:\\T1CALIB\\MOD_0000.RAW"}]}).encode()
    write_container(tmp_path / "a.lfp", Container(sections=(Section.make("table", files),)))
    with pytest.raises(NotRawError, match="holds nothing but its table of contents"):
        read_capture(tmp_path / "a.lfp")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("f01_IMG_0002-dm.lfp", r"1 depth table \(330 x 330\), 1 confidence table \(330 x 330\)"),
        ("f01_IMG_0007-stk.lfp", r"1 depth table \(20 x 20\), 5 JPEG pictures \(1080 x 1080\)"),
        ("illum_processed_demo.LFP", r"1 depth table \(88 x 60\), 10 JPEG pictures \(704 x 480\)"),
        ("processed_stack_1.lfp", r"1 JPEG picture \(450 x 300\), the names of 8 pictures in"),
    ],
)
def test_a_processed_file_says_what_is_inside(data_dir: Path, name: str, inside: str) -> None:
    with pytest.raises(NotRawError, match=f"{inside}.*; give the camera's original file"):
        read_capture(data_dir / "lytro/containers" / name)


@pytest.mark.data
def test_a_real_file_that_was_cut_short_says_so(data_dir: Path) -> None:
    path = data_dir / "lytro/containers/exiftool_F01_raw_truncated.lfp"
    with pytest.raises(
        LfpFormatError, match=r"holds 2 JSON texts, .*: the file was cut short, copy"
    ):
        read_capture(path)


@LAYOUTS
@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_raw_image_that_is_named_but_not_there_was_cut_off(
    tmp_path: Path, make_capture, layout: str, bits: int, kept: int
) -> None:
    container = container_of(make_capture(bits=bits), layout=layout)
    path = tmp_path / "a.lfp"
    write_container(path, dataclasses.replace(container, sections=container.sections[:kept]))
    with pytest.raises(LfpFormatError, match="the file was cut short, copy it again"):
        read_capture(path)
    assert "the raw image that the contents name is not there" in describe(path).warnings[-1]


def test_metadata_that_are_named_but_not_there_were_cut_off(tmp_path: Path, make_capture) -> None:
    container = container_of(make_capture(), layout="f01")
    sections = container.sections[:1] + container.sections[2:]
    write_container(tmp_path / "a.lfp", dataclasses.replace(container, sections=sections))
    with pytest.raises(MetadataError, match="metadataRef leads to no section; the file was cut"):
        read_capture(tmp_path / "a.lfp")


def _split_by_lfpsplitter(folder: Path, make_capture, texts: tuple[str, str], raw: bytes) -> Path:
    """The files that `lfpsplitter` makes of a capture."""
    _, metadata, private, _ = container_of(make_capture(), layout="f01").sections
    for name, section in zip(texts, (metadata, private), strict=True):
        (folder / f"IMG_0001_{name}").write_bytes(section.payload)
    path = folder / "IMG_0001_imageRef0.raw"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    "texts",
    [
        ("metadataRef0.json", "privateMetadataRef1.json"),
        ("metadataRef.json", "privateMetadataRef.json"),
        ("metadataRef0.txt", "privateMetadataRef1.txt"),
        ("metadataRef1.txt", "privateMetadataRef0.txt"),
    ],
)
@pytest.mark.parametrize("order", ["<u2", ">u2"])
@pytest.mark.parametrize("shift", [0, 4])
def test_files_of_lfpsplitter_are_read(
    tmp_path: Path, make_capture, texts: tuple[str, str], order: str, shift: int
) -> None:
    widened = (make_capture().mosaic << shift).astype(order).tobytes()
    read = read_capture(_split_by_lfpsplitter(tmp_path, make_capture, texts, widened))
    assert same(read, make_capture())
    assert read.history[-1] == "its codes were widened to 16 bits: undone"


def test_two_bytes_a_pixel_that_hold_no_codes_are_refused(tmp_path: Path, make_capture) -> None:
    raw = np.full((20, 24), 0xFFFF, "<u2").tobytes()
    texts = ("metadataRef0.json", "privateMetadataRef1.json")
    with pytest.raises(MetadataError, match="but they hold no codes of 12 bits"):
        read_capture(_split_by_lfpsplitter(tmp_path, make_capture, texts, raw))


def test_metadata_of_one_capture_are_not_taken_for_another(tmp_path: Path, make_capture) -> None:
    raw = pack(make_capture().mosaic, F01_PACKING)
    texts = ("metadataRef0.json", "privateMetadataRef1.json")
    path = _split_by_lfpsplitter(tmp_path, make_capture, texts, raw)
    with pytest.raises(NotRawError, match="needs its metadata beside it"):
        read_capture(path.rename(tmp_path / "IMG_0002_imageRef0.raw"))


@pytest.mark.parametrize("suffix", [".TXT", ".json"])
def test_a_pipe_in_place_of_the_metadata_is_not_waited_for(
    tmp_path: Path, make_capture, suffix: str
) -> None:
    write_pair(tmp_path / "MOD_0001.RAW", make_capture(), layout="f01").unlink()
    os.mkfifo(tmp_path / f"MOD_0001{suffix}")
    with pytest.raises(StorageError, match=rf"MOD_0001{suffix}: this is no regular file"):
        read_capture(tmp_path / "MOD_0001.RAW")


@pytest.mark.parametrize("name", ["n" * 300, "a\0b", "f/g.lfp"])
def test_an_impossible_path_is_a_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(LfpFormatError, match="cannot be read: "):
        read_capture(tmp_path / name)


@pytest.mark.data
def test_the_real_capture_is_read(data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "lytro/guitar.lfp"
    capture = read_capture(path)
    assert capture.mosaic.shape == (3280, 3280)
    assert capture.bayer == ("b", "gb", "gr", "r")
    assert capture.camera.model == "F01"
    raw = read_container(path).sections[-1].payload
    assert int(capture.mosaic[0, 0]) == raw[0] << 4 | raw[1] >> 4
    assert capture.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.data
def test_the_real_capture_written_anew_is_the_same_capture(data_dir: Path, tmp_path: Path) -> None:
    capture = read_capture(data_dir / "lytro/guitar.lfp")
    write_container(tmp_path / "f01.lfp", container_of(capture, layout="f01"))
    assert same(read_capture(tmp_path / "f01.lfp"), capture)
    newer = build_container(
        capture.mosaic,
        compose_metadata(capture, "illum", packed_as="f01"),
        compose_private_metadata(capture),
        layout="illum",
    )
    write_container(tmp_path / "named_otherwise.bin", newer)
    assert same(read_capture(tmp_path / "named_otherwise.bin"), capture)
