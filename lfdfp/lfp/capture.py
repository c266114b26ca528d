"""Files to raw captures: LFP containers, and bare raw images with their text beside them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lfdfp.datatypes import CodeArray, RawCapture
from lfdfp.errors import LfdfpError, LfpFormatError, MetadataError, NotRawError
from lfdfp.lfp.container import FILE_MAGIC, Container, read_container
from lfdfp.lfp.contents import (
    find_frame,
    frame_document,
    read_contents,
    referenced,
)
from lfdfp.lfp.document import Node, parse_json, printable
from lfdfp.lfp.inventory import find_codes, summary
from lfdfp.lfp.metadata import FrameMetadata, SensorFormat, parse_metadata
from lfdfp.lfp.packing import unpack
from lfdfp.lfp.raw_pair import is_raw_pair, read_pair
from lfdfp.lfp.signature import signature


def read_capture(path: str | os.PathLike[str], *, verify: bool = True) -> RawCapture:
    """Read a raw capture or white image.

    Parameters
    ----------
    path
        A camera's .lfp, .lfr or .lfx file, or a bare .raw image with its .txt or .json metadata
        beside it (white images ``MOD_nnnn.RAW``, ``*__frame.raw``). The content decides, not
        the name.
    verify
        Check the SHA-1 of every section; False reads damaged files as far as possible.

    Returns
    -------
    RawCapture
        Raw codes with everything that the metadata say about them. A white image that the file
        carries is in `white_image`.

    Raises
    ------
    LfpFormatError
        If the file cannot be read or is not a well-formed file of these kinds.
    ChecksumError
        With `verify`, if a section is damaged.
    NotRawError
        If the file is sound but holds no raw capture, such as a processed refocus stack.
    MetadataError
        If the metadata are missing, of the wrong type, or do not fit the pixels.
    """
    path = Path(path)
    with named(path):
        head = read_head(path)
        if head.startswith(FILE_MAGIC):
            return capture_from_container(read_container(path, verify=verify))
        if is_raw_pair(path, head):
            return _capture_from_pair(path)
        raise not_a_capture(head)


def capture_from_container(container: Container) -> RawCapture:
    """The raw capture in a container that was read or built.

    Raises
    ------
    NotRawError, MetadataError, LfpFormatError
        As `read_capture`.
    """
    contents = read_contents(container)
    frame = find_frame(contents)
    raw = find_codes(container, contents, "imageRef")
    if frame is None or raw is None:
        raise NotRawError(
            f"no raw capture in this file; it holds {summary(container, contents)}; "
            "give the camera's original file (.lfp, .lfr) instead"
        )
    metadata, private = frame_metadata(container, contents)
    if metadata is None:
        raise MetadataError(f"{frame.path}.metadataRef leads to no section; the file is damaged")
    parsed = parse_metadata(metadata, private)
    sha256 = container.sha256()
    white, notes = _white_image(container, contents, parsed, sha256)
    return _capture(raw.payload, parsed, white_image=white, sha256=sha256, notes=notes)


def frame_metadata(container: Container, contents: Node) -> tuple[Node | None, Node | None]:
    """Metadata and private metadata of the first frame, each None where there are none.

    Raises
    ------
    MetadataError
        If a section that should hold them is not JSON text.
    """
    frame = find_frame(contents)
    if frame is None:
        return None, None
    metadata = frame_document(container, frame, "metadata")
    return metadata, frame_document(container, frame, "privateMetadata")


def read_head(path: Path) -> bytes:
    """The first bytes of a file.

    Raises
    ------
    LfpFormatError
        If it is missing, empty, a folder, or cannot be read.
    """
    if path.is_dir():
        raise LfpFormatError("this is a folder; give a file (.lfp, .lfr, or .raw with its .txt)")
    if path.exists() and not path.is_file():
        raise LfpFormatError("this is no regular file; give a file (.lfp, .lfr)")
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except FileNotFoundError as error:
        raise LfpFormatError("there is no such file; check the path") from error
    except (OSError, ValueError) as error:
        raise LfpFormatError(f"cannot be read: {error}") from error
    if not head:
        raise LfpFormatError("the file is empty; copy it again from its source")
    return head


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Put the file's name before the text of every error of this project."""
    try:
        yield
    except LfdfpError as error:
        named_error = type(error)(f"{printable(str(path), 4096)}: {error}")
        if isinstance(error, LfpFormatError) and isinstance(named_error, LfpFormatError):
            named_error.offset = error.offset
        raise named_error from error


def _capture(
    data: bytes,
    parsed: FrameMetadata,
    *,
    sha256: str,
    white_image: RawCapture | None = None,
    notes: tuple[str, ...] = (),
) -> RawCapture:
    sensor = parsed.sensor
    height, width = sensor.shape
    read = (
        f"read {width} x {height} raw codes of {sensor.packing.bits_per_pixel} bits, "
        f"sha256 {sha256[:16]}"
    )
    return RawCapture(
        mosaic=_mosaic(data, sensor),
        bayer=sensor.bayer,
        black_codes=sensor.black_codes,
        white_codes=sensor.white_codes,
        pixel_pitch_m=parsed.pixel_pitch_m,
        microlens_array=parsed.microlens_array,
        camera=parsed.camera,
        lens=parsed.lens,
        color=parsed.color,
        iso=parsed.iso,
        exposure_s=parsed.exposure_s,
        orientation=parsed.orientation,
        white_image=white_image,
        source_sha256=sha256,
        history=(read, *notes),
    )


def _mosaic(data: bytes, sensor: SensorFormat) -> CodeArray:
    mosaic = unpack(data, sensor.shape, sensor.packing)
    if sensor.right_shift:
        np.right_shift(mosaic, sensor.right_shift, out=mosaic)
    return mosaic


def _white_image(
    container: Container, contents: Node, parsed: FrameMetadata, sha256: str
) -> tuple[RawCapture | None, tuple[str, ...]]:
    """The packed white image beside the capture; it has the capture's format unless it says so.

    It is an extra: what is wrong with it is told in the history and does not stop the capture.
    """
    section = find_codes(container, contents, "modulationDataRef")
    if section is None:
        return None, ()
    try:
        white = _white_metadata(container, contents) or parsed
        image = _capture(section.payload, white, sha256=sha256)
    except MetadataError as error:
        return None, (f"the white image in the file was not used: {error}",)
    return image, ("took the white image that the file carries",)


def _white_metadata(container: Container, contents: Node) -> FrameMetadata | None:
    frame = find_frame(contents)
    section = None if frame is None else referenced(container, frame, "modulationDataMetadataRef")
    if section is None:
        return None
    document = parse_json(section.payload, "modulationDataMetadata")
    return parse_metadata(*documents_of_pair([document]))


def documents_of_pair(documents: list[Node]) -> tuple[Node, Node | None]:
    """Metadata and private metadata of a bare raw image.

    The first document is a frame with both parts, or the metadata alone; then a second one may
    hold the private metadata.
    """
    frame = find_frame(documents[0])
    if frame is not None:
        return frame.need("metadata"), frame.get("privateMetadata")
    return documents[0], documents[1] if len(documents) > 1 else None


def _capture_from_pair(path: Path) -> RawCapture:
    data, documents = read_pair(path)
    sha256 = hashlib.sha256(data).hexdigest()
    return _capture(data, parse_metadata(*documents_of_pair(documents)), sha256=sha256)


def not_a_capture(head: bytes) -> LfdfpError:
    """The error for a file that begins with these bytes and is none of Lytro's."""
    known = signature(head)
    what = known or f"unknown data ({head[:8]!r})"
    if known == "JSON text":
        return NotRawError(f"this is {what}; give the .RAW file that it belongs to")
    return LfpFormatError(
        f"this is {what}, not a Lytro capture; give the camera's original file (.lfp, .lfr)"
    )
