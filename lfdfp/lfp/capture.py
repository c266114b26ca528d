"""Files to raw captures: LFP containers, and bare raw images with their text beside them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.datatypes import CodeArray, RawCapture
from lfdfp.errors import LfpFormatError, MetadataError, NotRawError
from lfdfp.lfp.container import FILE_MAGIC, Container, read_container
from lfdfp.lfp.contents import (
    find_frame,
    frame_metadata,
    is_missing,
    is_processed,
    read_contents,
    referenced,
)
from lfdfp.lfp.document import Node, parse_json
from lfdfp.lfp.inventory import find_codes, summary
from lfdfp.lfp.metadata import FrameMetadata, SensorFormat, parse_metadata
from lfdfp.lfp.opening import named, not_a_capture, read_head
from lfdfp.lfp.packing import narrowed, unpack
from lfdfp.lfp.raw_pair import is_raw_pair, read_pair

_CUT_SHORT: Final = "the file was cut short, copy it again from its source"


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
        raise _without_raw_image(container, contents, frame)
    metadata, private = frame_metadata(container, contents)
    if metadata is None:
        raise MetadataError(f"{frame.path}.metadataRef leads to no section; {_CUT_SHORT}")
    parsed = parse_metadata(metadata, private)
    sha256 = container.sha256()
    white, notes = _white_image(container, contents, parsed, sha256)
    return _capture(raw.payload, parsed, white_image=white, sha256=sha256, notes=notes)


def _without_raw_image(
    container: Container, contents: Node, frame: Node | None
) -> LfpFormatError | NotRawError:
    """Why there is no raw image: it was cut off, or never belonged in the file."""
    inside = summary(container, contents)
    if (
        frame is not None
        and is_missing(container, frame, "imageRef")
        and not is_processed(contents)
    ):
        return LfpFormatError(
            f"the raw image that its contents name is not in this file (it holds {inside}): "
            f"{_CUT_SHORT}"
        )
    return NotRawError(
        f"no raw capture in this file; it holds {inside}; "
        "give the camera's original file (.lfp, .lfr) instead"
    )


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
        taken=parsed.taken,
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
    """The packed white image that some files carry beside the capture.

    It is an extra: what is wrong with it is told in the history and does not stop the capture.
    """
    section = find_codes(container, contents, "modulationDataRef")
    if section is None:
        return None, ()
    metadata, notes = _white_metadata(container, contents, parsed)
    try:
        image = _capture(section.payload, metadata, sha256=sha256)
    except MetadataError as error:
        return None, (*notes, f"did not use the white image in the file: {error}")
    return image, (*notes, "took the white image that the file carries")


def _white_metadata(
    container: Container, contents: Node, parsed: FrameMetadata
) -> tuple[FrameMetadata, tuple[str, ...]]:
    """The white image's own metadata where they are there and readable, else the capture's.

    No file with such metadata has been seen, so what they look like is not certain.
    """
    frame = find_frame(contents)
    section = None if frame is None else referenced(container, frame, "modulationDataMetadataRef")
    if section is None:
        return parsed, ()
    try:
        document = parse_json(section.payload, "modulationDataMetadata")
        return parse_metadata(*documents_of_pair([document])), ()
    except MetadataError as error:
        return parsed, (f"took the capture's metadata for its white image: {error}",)


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
    return capture_from_pair(data, documents)


def capture_from_pair(data: bytes, documents: list[Node]) -> RawCapture:
    """The capture or white image of a bare raw image and the documents that describe it.

    Raises
    ------
    MetadataError
        As `read_capture`.
    """
    parsed = parse_metadata(*documents_of_pair(documents))
    sha256 = hashlib.sha256(data).hexdigest()
    narrow = narrowed(data, parsed.sensor.shape, parsed.sensor.packing)
    notes = () if narrow is data else ("its codes were widened to 16 bits: undone",)
    return _capture(narrow, parsed, sha256=sha256, notes=notes)
