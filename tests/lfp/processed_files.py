"""Processed files as Lytro's software made them, in every form, built byte by byte."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from lfdfp.lfp import Container, Section

LAMBDAS = (2.0, -3.0, 0.5, -1.0)
"""Not in order, as in real files."""

DEPTH = np.array([[-3.0, -1.0, 0.5], [2.0, 1.9, -2.6]], "<f4")


def jpeg(gray: int, shape: tuple[int, int] = (24, 36)) -> bytes:
    """A JPEG picture of one gray, with a white corner at the upper left."""
    values = np.full((*shape, 3), gray, np.uint8)
    values[:8, :8] = 255
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def grays() -> list[int]:
    return [40 + 50 * k for k in range(len(LAMBDAS))]


def _container(contents: Any, payloads: Sequence[bytes]) -> Container:
    table = Section.make("table", json.dumps(contents).encode())
    return Container(
        sections=(table, *(Section.make("component", payload) for payload in payloads))
    )


def _reference(payload: bytes) -> str:
    return Section.make("component", payload).reference


def _table(depth: np.ndarray) -> dict[str, object]:
    rows, columns = depth.shape
    return {"width": columns, "height": rows, "imageRef": _reference(depth.tobytes())}


def _older(content: dict[str, object]) -> dict[str, object]:
    frame = {"imageRef": "sha1-" + "1" * 40, "metadataRef": "sha1-" + "2" * 40}
    acceleration = {"type": "com.lytro.acceleration.refocusStack", "vendorContent": content}
    return {"picture": {"frameArray": [{"frame": frame}], "accelerationArray": [acceleration]}}


def older_file(pictures: Sequence[bytes] | None = None, depth: np.ndarray = DEPTH) -> Container:
    """``-stk.lfp`` of the F01's first software: JPEG pictures in ``imageArray``."""
    pictures = [jpeg(gray) for gray in grays()] if pictures is None else pictures
    listed = [
        {"lambda": focus, "representation": "jpeg", "imageRef": _reference(picture)}
        for focus, picture in zip(LAMBDAS, pictures, strict=True)
    ]
    contents = _older({"imageArray": listed, "depthLut": _table(depth)})
    return _container(contents, [depth.tobytes(), *pictures])


def video_file(stream: bytes, count: int = len(LAMBDAS)) -> Container:
    """``-stk.lfp`` of the F01's later software: an H.264 stream in ``blockOfImages``."""
    block = {
        "representation": "h264",
        "blockOfImagesRef": _reference(stream),
        "metadataArray": [{"lambda": float(k)} for k in range(count)],
    }
    contents = _older({"blockOfImages": block, "depthLut": _table(DEPTH)})
    return _container(contents, [stream, DEPTH.tobytes()])


def newer_file(pictures: Sequence[bytes] | None = None, **listed: object) -> Container:
    """A processed Illum file: pictures in ``perImage``, named or in the file."""
    pictures = [jpeg(gray) for gray in grays()] if pictures is None else pictures
    entries = [
        {"focus": focus} | ({"imageRef": _reference(one)} if one else {"imagePath": f"p_{k}.jpg"})
        for k, (focus, one) in enumerate(zip(LAMBDAS, pictures, strict=True))
    ]
    acceleration = {"kind": "focusStack", "perImage": entries, "depthMap": _table(DEPTH)} | listed
    contents = {
        "frames": [{"frame": {"metadata": {"camera": {"model": "ILLUM"}}}}],
        "views": [{"accelerations": [acceleration]}],
    }
    return _container(contents, [DEPTH.tobytes(), *(one for one in pictures if one)])


def h264(lumas: Sequence[np.ndarray]) -> bytes:
    """An H.264 stream of gray pictures (multiples of 16 pixels) in blocks that are not coded."""
    rows, columns = (side // 16 for side in lumas[0].shape)
    parameters = (
        "01000010"
        + "00000000"
        + "00110011"
        + _ue(0)
        + _ue(0)
        + _ue(2)
        + _ue(0)
        + "0"
        + _ue(columns - 1)
        + _ue(rows - 1)
        + "1"
        + "0"
        + "0"
        + "0"
        + "1"
    )
    picture = (
        _ue(0)
        + _ue(0)
        + "0"
        + "0"
        + _ue(0)
        + _ue(0)
        + _ue(0)
        + "0"
        + "00"
        + 3 * _ue(0)
        + "1"
        + "0"
        + "0"
        + "1"
    )
    units = [_unit(0x67, parameters), _unit(0x68, picture)]
    for number, luma in enumerate(lumas):
        bits = _ue(0) + _ue(7) + _ue(0) + "0000" + _ue(number % 2) + "00" + _ue(0) + _ue(1)
        for row, column in np.ndindex(rows, columns):
            bits += _ue(25)
            bits += "0" * (-len(bits) % 8)
            block = luma[16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
            content = block.astype(np.uint8).tobytes() + bytes([128]) * 128
            bits += "".join(f"{byte:08b}" for byte in content)
        units.append(_unit(0x65, bits + "1"))
    return b"".join(units)


def _ue(number: int) -> str:
    """A whole number as H.264 writes it: as many zeros as it has digits behind the first."""
    digits = f"{number + 1:b}"
    return "0" * (len(digits) - 1) + digits


def _unit(kind: int, bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    content = bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))
    safe, zeros = bytearray(), 0
    for byte in content:
        if zeros >= 2 and byte <= 3:
            safe.append(3)
            zeros = 0
        safe.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([kind]) + bytes(safe)
