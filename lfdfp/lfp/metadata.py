"""Frame metadata: JSON to typed values and back.

The cameras write two layouts of keys. Either may come with either camera, so every value is
looked up by structure, never by the camera's name. Nothing in the text is trusted: a value that
is missing, of the wrong type or out of range raises a `MetadataError` that names its path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from lfdfp.datatypes import (
    BayerChannel,
    BayerPattern,
    Camera,
    ColorData,
    Lens,
    MicrolensArray,
    RawCapture,
)
from lfdfp.errors import MetadataError
from lfdfp.lfp.document import Node
from lfdfp.lfp.packing import F01_PACKING, ILLUM_PACKING, Endianness, Packing

Layout = Literal["f01", "illum"]

PACKINGS: Mapping[Layout, Packing] = {"f01": F01_PACKING, "illum": ILLUM_PACKING}

_Triple = tuple[float, float, float]
_Levels = tuple[float, float, float, float]

_CHANNELS: tuple[BayerChannel, ...] = ("r", "gr", "gb", "b")
_LARGEST_SIDE = 65_535
_MOST_PIXELS = 1 << 28
_TILE = "r,gr:gb,b"


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorFormat:
    """How the sensor's codes are stored and what they mean.

    Attributes
    ----------
    shape
        (height, width) in pixels.
    right_shift
        Number of low bits of every stored code that mean nothing.
    bayer
        Channels of the top left 2 x 2 cell, row by row.
    black_codes, white_codes
        Levels in the order of `bayer`, of codes without their meaningless bits.
    """

    shape: tuple[int, int]
    packing: Packing
    right_shift: int
    bayer: BayerPattern
    black_codes: _Levels
    white_codes: _Levels

    @property
    def size_bytes(self) -> int:
        """Bytes of the packed raw image."""
        return self.packing.size_bytes(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameMetadata:
    """Everything that a `RawCapture` carries beside its pixels; fields as there."""

    sensor: SensorFormat
    pixel_pitch_m: float
    microlens_array: MicrolensArray
    camera: Camera
    lens: Lens
    color: ColorData
    iso: float | None
    exposure_s: float | None
    orientation: int
    taken: str


def parse_metadata(metadata: Node, private: Node | None = None) -> FrameMetadata:
    """Read the metadata of one frame.

    Parameters
    ----------
    metadata
        The frame's metadata, in the layout of the F01 or of the Illum.
    private
        The frame's private metadata, which hold the serial numbers.

    Raises
    ------
    MetadataError
        For a value that is missing, of the wrong type or out of range; names its path.
    """
    return FrameMetadata(
        sensor=parse_sensor_format(metadata),
        pixel_pitch_m=parse_pixel_pitch(metadata),
        microlens_array=parse_microlens_array(metadata),
        camera=parse_camera(metadata, private),
        lens=parse_lens(metadata),
        color=parse_color(metadata),
        iso=parse_iso(metadata),
        exposure_s=parse_exposure(metadata),
        orientation=parse_orientation(metadata),
        taken=parse_time(metadata),
    )


def parse_sensor_format(metadata: Node) -> SensorFormat:
    """Size, packing, levels and Bayer pattern of the raw image."""
    image = metadata.need("image")
    details = image.get("rawDetails") or image
    packing = _packing(details)
    bayer = _bayer(details)
    right_shift = _optional_integer(
        details.get("pixelFormat", "rightShift"), 0, packing.bits_per_pixel - 1, default=0
    )
    black, white = _levels(details, bayer, packing.largest_code, right_shift)
    return SensorFormat(
        shape=_shape(image),
        packing=packing,
        right_shift=right_shift,
        bayer=bayer,
        black_codes=black,
        white_codes=white,
    )


def parse_camera(metadata: Node, private: Node | None) -> Camera:
    """Make, model, firmware, and the serial number from the private metadata."""
    texts = {key: _text(metadata.get("camera", key)) for key in ("make", "model", "firmware")}
    serial = private.get("camera", "serialNumber") if private else None
    serial = serial or metadata.get("camera", "serialNumber")
    # The serial number finds calibration files: it must never act as a path.
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", _text(serial))[:64]
    return Camera(**texts, serial=safe)


def parse_lens(metadata: Node) -> Lens:
    """State of the main lens, as far as the metadata tell."""
    lens = metadata.get("devices", "lens") or Node({}, "devices.lens")
    steps = {
        name: None if (node := lens.get(key)) is None else node.integer(-(10**6), 10**6)
        for name, key in (("zoom_step", "zoomStep"), ("focus_step", "focusStep"))
    }
    return Lens(
        **steps,
        focal_length_m=_optional(lens.get("focalLength"), 0.0, 10.0),
        f_number=_optional(lens.get("fNumber"), 0.0, 1e3),
        infinity_lambda=_optional(lens.get("infinityLambda"), -1e6, 1e6),
        exit_pupil_offset_m=_optional(lens.get("exitPupilOffset", "z"), 1e-4, 1e12),
    )


def parse_microlens_array(metadata: Node) -> MicrolensArray:
    """Geometry of the microlens array."""
    mla = metadata.need("devices", "mla")
    pitch_m = mla.need("lensPitch").number(1e-6, 1e-3)
    return MicrolensArray(
        pitch_m=pitch_m,
        rotation_rad=_or(mla.get("rotation"), -3.2, 3.2, default=0.0),
        scale=(
            _or(mla.get("scaleFactor", "y"), 0.5, 2.0, default=1.0),
            _or(mla.get("scaleFactor", "x"), 0.5, 2.0, default=1.0),
        ),
        sensor_offset_m=(
            _or(mla.get("sensorOffset", "y"), -0.1, 0.1, default=0.0),
            _or(mla.get("sensorOffset", "x"), -0.1, 0.1, default=0.0),
            _or(mla.get("sensorOffset", "z"), -0.1, 0.1, default=0.0),
        ),
    )


def parse_color(metadata: Node) -> ColorData:
    """Gains, color matrix and exposure bias; neutral ones where the metadata have none."""
    gains = _first(
        metadata, ("image", "color", "whiteBalanceGain"), ("algorithms", "awb", "computed", "gain")
    )
    bias = _or(metadata.get("image", "modulationExposureBias"), -16.0, 16.0, default=0.0)
    return ColorData(
        white_balance=(1.0, 1.0, 1.0) if gains is None else _rgb(gains, 1e-3, 1e3),
        camera_to_srgb=_color_matrix(metadata),
        exposure_bias_ev=bias,
        sensor_response=_sensor_response(metadata),
    )


def parse_pixel_pitch(metadata: Node) -> float:
    """Distance between neighboring sensor pixels, in meters."""
    return metadata.need("devices", "sensor", "pixelPitch").number(1e-7, 1e-4)


def parse_iso(metadata: Node) -> float | None:
    """Sensitivity of the exposure."""
    return _optional(_first(metadata, ("devices", "sensor", "iso"), ("image", "iso")), 0.0, 1e8)


def parse_time(metadata: Node) -> str:
    """When the picture was taken, to the second, in universal time; empty if unknown."""
    node = metadata.get("devices", "clock", "zuluTime")
    text = node.value if node is not None and isinstance(node.value, str) else ""
    found = re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", text)
    return f"{found[0]}Z" if found else ""


def parse_exposure(metadata: Node) -> float | None:
    """Exposure time of a pixel, in seconds."""
    shutter = metadata.get("devices", "shutter") or Node({}, "devices.shutter")
    duration = _first(shutter, ("pixelExposureDuration",), ("frameExposureDuration",))
    return _optional(duration, 0.0, 1e6)


def parse_orientation(metadata: Node) -> int:
    """EXIF orientation, 1 to 8; 1 where the metadata have none."""
    return _optional_integer(metadata.get("image", "orientation"), 1, 8, default=1)


def compose_metadata(
    capture: RawCapture, layout: Layout, *, packed_as: Layout | None = None
) -> dict[str, Any]:
    """Metadata from which `parse_metadata` reads this capture's values again.

    Parameters
    ----------
    capture
        Its pixels are not looked at beyond their shape.
    layout
        Keys of the F01 or of the Illum.
    packed_as
        Packing of the F01 (12 bits, big endian) or of the Illum (10 bits), where it is not that
        of the keys: white images have the F01's keys with either camera.
    """
    packing = PACKINGS[packed_as or layout]
    details = {
        "pixelPacking": {
            "bitsPerPixel": packing.bits_per_pixel,
            "endianness": packing.endianness,
        },
        "pixelFormat": {
            "rightShift": 0,
            "black": dict(zip(capture.bayer, capture.black_codes, strict=True)),
            "white": dict(zip(capture.bayer, capture.white_codes, strict=True)),
        },
        "mosaic": {"tile": _TILE, "upperLeftPixel": capture.bayer[0]},
    }
    height, width = capture.mosaic.shape
    matrix = [entry for row in capture.color.camera_to_srgb for entry in row]
    image: dict[str, Any] = {
        "width": width,
        "height": height,
        "orientation": capture.orientation,
        "modulationExposureBias": capture.color.exposure_bias_ev,
        "limitExposureBias": 0.0,
        "color": {
            "whiteBalanceGain": _four(capture.color.white_balance),
            "ccmRgbToSrgbArray" if layout == "f01" else "ccm": matrix,
        },
    }
    if layout == "f01":
        image |= {"representation": "rawPacked", "rawDetails": details}
    else:
        image |= details | ({} if capture.iso is None else {"iso": capture.iso})
    camera = capture.camera
    return {
        "type": "lightField",
        "image": image,
        "devices": _compose_devices(capture, packing, layout),
        "camera": {"make": camera.make, "model": camera.model, "firmware": camera.firmware},
    }


def compose_private_metadata(capture: RawCapture) -> dict[str, Any]:
    """Private metadata with the capture's serial number."""
    return {"camera": {"serialNumber": capture.camera.serial}}


def compose_white_text(capture: RawCapture, layout: Layout) -> dict[str, Any]:
    """The text beside a white image: frame and private metadata in one tree, in the F01's keys.

    `layout` is the packing's alone: both cameras write this text with the same keys.
    """
    frame = {
        "metadata": compose_metadata(capture, "f01", packed_as=layout),
        "privateMetadata": compose_private_metadata(capture),
        "imageRef": "unknown",
    }
    tags = {"darkFrame": False, "modulationFrame": True}
    parameters = {"vendorContent": {"com.lytro.tags": tags}}
    picture = {
        "viewArray": [],
        "accelerationArray": [],
        "frameArray": [{"frame": frame, "parameters": parameters}],
        "derivationArray": [],
    }
    version = {"major": 1, "minor": 0, "provisionalDate": "2011-08-03"}
    return {"master": {"version": version, "picture": picture, "thumbnailArray": []}}


def _compose_devices(capture: RawCapture, packing: Packing, layout: Layout) -> dict[str, Any]:
    mla, lens = capture.microlens_array, capture.lens
    row, column, distance = mla.sensor_offset_m
    sensor: dict[str, Any] = {
        "bitsPerPixel": packing.bits_per_pixel,
        "mosaic": {"tile": _TILE, "upperLeftPixel": capture.bayer[0]},
        "pixelPitch": capture.pixel_pitch_m,
    }
    if layout == "f01" and capture.iso is not None:
        sensor["iso"] = capture.iso
    if capture.color.sensor_response is not None:
        sensor["normalizedResponses"] = [{"cct": 5100, **_four(capture.color.sensor_response)}]
    state = {
        "zoomStep": lens.zoom_step,
        "focusStep": lens.focus_step,
        "focalLength": lens.focal_length_m,
        "fNumber": lens.f_number,
        "infinityLambda": lens.infinity_lambda,
        "exitPupilOffset": lens.exit_pupil_offset_m and {"z": lens.exit_pupil_offset_m},
    }
    devices: dict[str, Any] = {
        "sensor": sensor,
        "lens": {key: value for key, value in state.items() if value is not None},
        "mla": {
            "tiling": "hexUniformRowMajor",
            "lensPitch": mla.pitch_m,
            "rotation": mla.rotation_rad,
            "scaleFactor": {"x": mla.scale[1], "y": mla.scale[0]},
            "sensorOffset": {"x": column, "y": row, "z": distance},
        },
    }
    if capture.taken:
        devices["clock"] = {"zuluTime": capture.taken}
    if capture.exposure_s is not None:
        devices["shutter"] = {
            "frameExposureDuration": capture.exposure_s,
            "pixelExposureDuration": capture.exposure_s,
        }
    return devices


def _four(rgb: _Triple) -> dict[str, float]:
    red, green, blue = rgb
    return {"r": red, "gr": green, "gb": green, "b": blue}


def _shape(image: Node) -> tuple[int, int]:
    width = image.need("width").integer(2, _LARGEST_SIDE)
    height = image.need("height").integer(2, _LARGEST_SIDE)
    if width * height > _MOST_PIXELS:
        raise MetadataError(
            f"{image.path}.width x height is {width} x {height}; no Lytro camera has more than "
            f"{_MOST_PIXELS >> 20} million pixels"
        )
    return height, width


def _packing(details: Node) -> Packing:
    node = details.need("pixelPacking")
    bits = node.need("bitsPerPixel").integer(1, 64)
    endianness = node.need("endianness").text()
    if endianness not in ("big", "little"):
        raise MetadataError(
            f"{node.path}.endianness must be 'big' or 'little', found {endianness!r}"
        )
    return Packing(bits_per_pixel=bits, endianness=cast("Endianness", endianness))


def _bayer(details: Node) -> BayerPattern:
    """Turn the basic tile so that the pixel of the upper left corner comes first."""
    mosaic = details.need("mosaic")
    tile, first = mosaic.need("tile").text(), mosaic.need("upperLeftPixel").text()
    rows = [row.split(",") for row in tile.replace(" ", "").split(":")]
    if sorted(name for row in rows for name in row) != sorted(_CHANNELS) or len(rows) != 2:
        raise MetadataError(f"{mosaic.path}.tile must be like {_TILE!r}, found {tile!r}")
    if first not in _CHANNELS or len(rows[0]) != 2:
        raise MetadataError(
            f"{mosaic.path}.upperLeftPixel must be one of {', '.join(_CHANNELS)}, found {first!r}"
        )
    top, left = next((i, row.index(first)) for i, row in enumerate(rows) if first in row)
    cell = [rows[(top + i) % 2][(left + j) % 2] for i in range(2) for j in range(2)]
    return cast("BayerPattern", tuple(cell))


def _levels(
    details: Node, bayer: BayerPattern, largest: int, right_shift: int
) -> tuple[_Levels, _Levels]:
    levels = details.need("pixelFormat")
    black = [levels.need("black", c).number(0, largest) for c in bayer]
    white = [levels.need("white", c).number(0, largest) for c in bayer]
    # Whether levels count the meaningless bits is not documented; their size tells.
    scale = 1 << right_shift if max(white) > largest >> right_shift else 1
    for channel, low, high in zip(bayer, black, white, strict=True):
        if high <= low:
            raise MetadataError(
                f"{levels.path}.white.{channel} ({high:g}) must exceed black ({low:g})"
            )
    black_codes = tuple(level / scale for level in black)
    white_codes = tuple(level / scale for level in white)
    return cast("_Levels", black_codes), cast("_Levels", white_codes)


def _color_matrix(metadata: Node) -> tuple[_Triple, _Triple, _Triple]:
    node = _first(metadata, ("image", "color", "ccmRgbToSrgbArray"), ("image", "color", "ccm"))
    if node is None:
        return ColorData().camera_to_srgb
    entries = [item.number(-100.0, 100.0) for item in node.items()]
    if len(entries) != 9:
        raise MetadataError(f"{node.path} must have 9 numbers, found {len(entries)}")
    return cast(
        "tuple[_Triple, _Triple, _Triple]", tuple(tuple(entries[i : i + 3]) for i in (0, 3, 6))
    )


def _sensor_response(metadata: Node) -> _Triple | None:
    node = metadata.get("devices", "sensor", "normalizedResponses", 0)
    if node is None:
        return None
    red, green, blue = _rgb(node, 1e-3, 1e3)
    return red / green, 1.0, blue / green


def _rgb(node: Node, least: float, greatest: float) -> _Triple:
    """Red, mean of the greens, blue."""
    red, gr, gb, blue = (node.need(channel).number(least, greatest) for channel in _CHANNELS)
    return red, (gr + gb) / 2, blue


def _first(node: Node, *paths: tuple[str | int, ...]) -> Node | None:
    return next((found for path in paths if (found := node.get(*path)) is not None), None)


def _optional(node: Node | None, least: float, greatest: float) -> float | None:
    return None if node is None else node.number(least, greatest)


def _or(node: Node | None, least: float, greatest: float, *, default: float) -> float:
    return default if node is None else node.number(least, greatest)


def _optional_integer(node: Node | None, least: int, greatest: int, *, default: int) -> int:
    return default if node is None else node.integer(least, greatest)


def _text(node: Node | None) -> str:
    return "" if node is None else node.text()
