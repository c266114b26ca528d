"""Bare raw images with their metadata in a text beside them.

Three kinds are known: the cameras' white images, ``MOD_nnnn.RAW`` with ``MOD_nnnn.TXT``; the
samples of the LF Toolbox, ``NAME__frame.raw`` with ``NAME__frame.json`` and
``NAME__private_metadata.json``; and what `split` writes, ``NAME_imageRef0.raw`` with
``NAME_metadataRef0.json`` and ``NAME_privateMetadataRef1.json``. The raw file holds the packed
codes and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path

from lfdfp.datatypes import RawCapture
from lfdfp.errors import LfpFormatError, NotRawError
from lfdfp.files import replacing
from lfdfp.lfp.document import LARGEST_TEXT, Node, parse_json
from lfdfp.lfp.metadata import PACKINGS, Layout, compose_white_text
from lfdfp.lfp.packing import pack
from lfdfp.lfp.signature import signature

_LARGEST_RAW = 1 << 30


def is_raw_pair(path: Path, head: bytes) -> bool:
    """Whether a file is called like a bare raw image, and nothing speaks against it.

    Packed codes can begin like anything: a text beside them counts more than their first bytes.
    """
    return path.suffix.lower() == ".raw" and (signature(head) is None or bool(_texts(path)))


def read_pair(path: Path) -> tuple[bytes, list[Node]]:
    """Packed codes of a bare raw image, and the documents that describe it.

    Raises
    ------
    NotRawError
        If the text is missing.
    LfpFormatError
        If a file cannot be read.
    MetadataError
        If the text is not JSON.
    """
    texts = _texts(path)
    if not texts:
        raise NotRawError(
            "a bare raw image needs its metadata beside it: "
            f"put {path.stem}.TXT or {path.stem}.json there"
        )
    try:
        documents = [_read_text(text) for text in texts]
        size = path.stat().st_size
        if size > _LARGEST_RAW:
            raise LfpFormatError(f"{size} bytes are too many for a raw image of a Lytro camera")
        return path.read_bytes(), documents
    except OSError as error:
        raise LfpFormatError(f"cannot be read: {error.strerror or error}") from error


def _read_text(path: Path) -> Node:
    with path.open("rb") as stream:
        return parse_json(stream.read(LARGEST_TEXT + 1), path.name)


def _texts(path: Path) -> list[Path]:
    """The metadata beside a raw image: the frame's, then the private ones; empty if none."""
    stem = path.stem
    base = stem.removesuffix("__frame")
    split_base = stem.removesuffix("_imageRef0")
    frame = (f"{stem}.txt", f"{stem}.json", f"{split_base}_metadataRef0.json")
    private = (f"{base}__private_metadata.json", f"{split_base}_privateMetadataRef1.json")
    try:
        beside = {entry.name.lower(): entry for entry in path.parent.iterdir()}
    except OSError:
        return []
    found = [
        next((beside[name.lower()] for name in names if name.lower() in beside), None)
        for names in (frame, private)
    ]
    return [] if found[0] is None else [text for text in found if text is not None]


def write_pair(path: Path, capture: RawCapture, *, layout: Layout) -> Path:
    """Write a white image as the cameras' stores have it: packed codes and a text beside them.

    Parameters
    ----------
    path
        The raw file, such as ``MOD_0004.RAW``; the text gets the suffix ``.TXT``.
    capture
        The white image.
    layout
        Decides the packing: 12 bits for the F01, 10 bits for the Illum. The text has the F01's
        keys either way, as both cameras write it.

    Returns
    -------
    Path of the text.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    text = path.with_suffix(".TXT")
    with replacing(path) as raw_part, replacing(text) as text_part:
        raw_part.write_bytes(pack(capture.mosaic, PACKINGS[layout]))
        text_part.write_text(json.dumps(compose_white_text(capture, layout), indent="\t"))
    return text
