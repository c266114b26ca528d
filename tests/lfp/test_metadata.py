from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from lfdfp.datatypes import BayerPattern, RawCapture
from lfdfp.errors import MetadataError
from lfdfp.lfp.capture import documents_of_pair
from lfdfp.lfp.document import Node, parse_json
from lfdfp.lfp.metadata import (
    FrameMetadata,
    compose_metadata,
    compose_private_metadata,
    compose_white_text,
    parse_metadata,
)

REAL_METADATA = (
    "f01_Guitar_lfp_metadata.json",
    "f01_IMG_0001__frame.json",
    "illum_Ankylosaurus_LFR_metadata.json",
    "illum_B5143909630_white_MOD.TXT",
    "illum_B5152102610_MOD_0015.TXT",
)
CARRIED = ("pixel_pitch_m", "microlens_array", "camera", "lens", "color", "iso", "exposure_s")


def parsed(metadata: dict[str, Any], private: dict[str, Any] | None = None) -> FrameMetadata:
    private_node = None if private is None else Node(private, "privateMetadata")
    return parse_metadata(Node(metadata, "metadata"), private_node)


def changed(metadata: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    result = copy.deepcopy(metadata)
    *parents, last = path.split(".")
    node = result
    for key in parents:
        node = node[key]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return result


@pytest.fixture
def f01(make_capture) -> dict[str, Any]:
    return compose_metadata(make_capture(), "f01")


@pytest.mark.parametrize("layout", ["f01", "illum"])
def test_composed_metadata_say_the_same_again(make_capture, layout: str) -> None:
    capture: RawCapture = make_capture()
    text = json.dumps(compose_metadata(capture, layout))
    read = parsed(json.loads(text), compose_private_metadata(capture))
    for name in CARRIED:
        assert getattr(read, name) == getattr(capture, name), name
    assert read.sensor.shape == capture.mosaic.shape
    assert read.sensor.bayer == capture.bayer
    assert read.sensor.black_codes == capture.black_codes
    assert read.sensor.white_codes == capture.white_codes
    assert read.sensor.packing.bits_per_pixel == {"f01": 12, "illum": 10}[layout]
    assert read.orientation == capture.orientation


def test_a_white_image_text_says_the_same_again(make_capture) -> None:
    capture = make_capture()
    text = json.dumps(compose_white_text(capture, "illum")).encode()
    read = parse_metadata(*documents_of_pair([parse_json(text, "MOD_0000.TXT")]))
    assert all(getattr(read, name) == getattr(capture, name) for name in CARRIED)
    assert read.sensor.packing.bits_per_pixel == 10


@pytest.mark.data
@pytest.mark.parametrize("name", REAL_METADATA)
def test_real_metadata_are_read(data_dir: Path, name: str) -> None:
    document = parse_json((data_dir / "lytro/metadata" / name).read_bytes(), name)
    read = parse_metadata(*documents_of_pair([document]))
    illum = "illum" in name
    assert read.sensor.shape == ((5368, 7728) if illum else (3280, 3280))
    assert read.sensor.bayer == (("gr", "r", "b", "gb") if illum else ("b", "gb", "gr", "r"))
    assert read.sensor.size_bytes == (51_854_880 if illum else 16_137_600)
    assert read.sensor.black_codes == ((64,) * 4 if illum else (168,) * 4)
    assert read.pixel_pitch_m == pytest.approx(1.4e-6)
    # The rows of a matrix that keeps white white sum to one.
    for row in read.color.camera_to_srgb:
        assert sum(row) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("first", "bayer"),
    [
        ("r", ("r", "gr", "gb", "b")),
        ("gr", ("gr", "r", "b", "gb")),
        ("gb", ("gb", "b", "r", "gr")),
        ("b", ("b", "gb", "gr", "r")),
    ],
)
def test_the_tile_is_turned_to_the_upper_left_pixel(
    f01: dict[str, Any], first: str, bayer: BayerPattern
) -> None:
    read = parsed(changed(f01, "image.rawDetails.mosaic.upperLeftPixel", first))
    assert read.sensor.bayer == bayer
    # Levels stay with their channels.
    stored = f01["image"]["rawDetails"]["pixelFormat"]["black"]
    assert read.sensor.black_codes == tuple(stored[channel] for channel in bayer)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("image", ..., "metadata.image is missing"),
        ("image.width", ..., "metadata.image.width is missing"),
        ("image", [], "metadata.image.pixelPacking is missing"),
        ("image.width", "24", "metadata.image.width must be a number from 2 to 65535, found '24'"),
        ("image.width", -24, "metadata.image.width must be a number .* found -24"),
        ("image.width", 24.5, "metadata.image.width must be a whole number .* found 24.5"),
        ("image.width", True, "metadata.image.width must be a number .* found True"),
        ("image.height", 10**400, "metadata.image.height must be a number from 2 to 65535"),
        ("image.rawDetails.pixelPacking", None, "pixelPacking is missing"),
        ("image.rawDetails.pixelPacking.bitsPerPixel", 14, "14 bits, big endian, is not known"),
        ("image.rawDetails.pixelPacking.endianness", "pdp", "must be 'big' or 'little'"),
        ("image.rawDetails.pixelPacking.endianness", 3, "endianness must be text, found 3"),
        ("image.rawDetails.pixelFormat.rightShift", 12, "rightShift must be a number from 0 to 11"),
        ("image.rawDetails.pixelFormat.black.gr", ..., r"pixelFormat.black.gr is missing"),
        ("image.rawDetails.pixelFormat.white.gb", 61, r"white.gb \(61\) must exceed black \(61\)"),
        ("image.rawDetails.pixelFormat.white.r", 4096, "white.r must be a number from 0 to 4095"),
        ("image.rawDetails.mosaic.tile", "monochrome", "mosaic.tile must be like 'r,gr:gb,b'"),
        ("image.rawDetails.mosaic.tile", "r:gr:gb:b", "mosaic.tile must be like 'r,gr:gb,b'"),
        ("image.rawDetails.mosaic.upperLeftPixel", "x", "upperLeftPixel must be one of r, gr"),
        ("image.orientation", 9, "image.orientation must be a number from 1 to 8, found 9"),
        ("image.color.ccmRgbToSrgbArray", [1, 2], "ccmRgbToSrgbArray must have 9 numbers"),
        ("image.color.ccmRgbToSrgbArray", {}, "ccmRgbToSrgbArray must be a list"),
        ("image.color.whiteBalanceGain.b", 0, "whiteBalanceGain.b must be a number from 0.001"),
        ("devices.sensor.pixelPitch", float("nan"), "pixelPitch must be a number .* found nan"),
        ("devices.mla.lensPitch", float("inf"), "lensPitch must be a number .* found inf"),
        ("devices.mla.scaleFactor.y", 3, "scaleFactor.y must be a number from 0.5 to 2"),
        ("devices.lens.exitPupilOffset.z", 0, "exitPupilOffset.z must be a number"),
        ("devices.lens.zoomStep", "near", "devices.lens.zoomStep must be a number"),
        ("camera.make", ["\x1b[2J"], "camera.make must be text, found an object or a list"),
    ],
)
def test_a_bad_value_is_named_with_its_path(
    f01: dict[str, Any], path: str, value: object, message: str
) -> None:
    with pytest.raises(MetadataError, match=message):
        parsed(changed(f01, path, value))


def test_absurd_sizes_are_refused_by_their_product(f01: dict[str, Any]) -> None:
    f01["image"] |= {"width": 60_000, "height": 60_000}
    with pytest.raises(MetadataError, match="60000 x 60000; no Lytro camera has more than 256"):
        parsed(f01)


@pytest.mark.parametrize(
    "path",
    [
        "camera",
        "devices.lens",
        "devices.shutter",
        "image.color",
        "image.modulationExposureBias",
        "image.orientation",
        "devices.mla.sensorOffset",
        "devices.sensor.iso",
    ],
)
def test_what_no_decoding_needs_may_be_missing(f01: dict[str, Any], path: str) -> None:
    complete, without = parsed(f01), parsed(changed(f01, path, ...))
    assert without != complete
    assert without.sensor == complete.sensor


def test_levels_of_shifted_codes_lose_the_meaningless_bits(f01: dict[str, Any]) -> None:
    pixel_format = f01["image"]["rawDetails"]["pixelFormat"]
    pixel_format |= {"rightShift": 2}
    assert parsed(f01).sensor.white_codes == (1020.0, 1021.0, 1022.0, 1023.0)
    pixel_format["white"] = dict.fromkeys(("r", "gr", "gb", "b"), 4092)
    assert parsed(f01).sensor.white_codes == (1023.0,) * 4
    assert parsed(f01).sensor.black_codes == (15.0, 15.25, 15.5, 15.75)


def test_a_serial_number_never_acts_as_a_path(f01: dict[str, Any]) -> None:
    read = parsed(f01, {"camera": {"serialNumber": "../../etc/passwd\x1b[31m"}})
    assert read.camera.serial == "______etc_passwd__31m"


def test_text_from_the_file_is_safe_to_show(f01: dict[str, Any]) -> None:
    read = parsed(changed(f01, "camera.firmware", "v1\x1b]0;title\x07\r\n" + "x" * 999))
    assert read.camera.firmware.isprintable()
    assert len(read.camera.firmware) <= 200
