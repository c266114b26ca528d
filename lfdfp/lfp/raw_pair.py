"""Bare raw images with their metadata in a text beside them.

Two kinds are known: the cameras' white images, ``MOD_nnnn.RAW`` with ``MOD_nnnn.TXT``, and the
samples of the LF Toolbox, ``NAME__frame.raw`` with ``NAME__frame.json`` and
``NAME__private_metadata.json``. The raw file holds the packed codes and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path

from lfdfp.datatypes import RawCapture
from lfdfp.errors import LfpFormatError, NotRawError
from lfdfp.lfp.document import Node, parse_json
from lfdfp.lfp.metadata import PACKINGS, Layout, compose_white_text
from lfdfp.lfp.packing import pack
from lfdfp.lfp.writing import replacing

_FRAME_MARK = "__frame"
_LARGEST_RAW = 1 << 30


def is_raw_name(path: Path) -> bool:
    """Whether a file is called like a bare raw image."""
    return path.suffix.lower() == ".raw"


def find_texts(path: Path) -> list[Path]:
    """The metadata beside a raw image: the frame's first, then the private ones if any.

    Raises
    ------
    NotRawError
        If there are none.
    """
    stem = path.stem
    base = stem.removesuffix(_FRAME_MARK)
    beside = {entry.name.lower(): entry for entry in path.parent.iterdir()}
    frame = [f"{stem}.txt", f"{stem}.json", f"{stem}_metadata.json"]
    private = [f"{base}__private_metadata.json", f"{stem}_private_metadata.json"]
    found = [
        next((beside[n.lower()] for n in names if n.lower() in beside), None)
        for names in (frame, private)
    ]
    if found[0] is None:
        raise NotRawError(
            f"a bare raw image needs its metadata beside it: put {stem}.TXT or {stem}.json there"
        )
    return [text for text in found if text is not None]


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
    try:
        texts = [parse_json(text.read_bytes(), text.name) for text in find_texts(path)]
        size = path.stat().st_size
        if size > _LARGEST_RAW:
            raise LfpFormatError(f"{size} bytes are too many for a raw image of a Lytro camera")
        return path.read_bytes(), texts
    except OSError as error:
        raise LfpFormatError(f"cannot be read: {error.strerror or error}") from error


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
    with replacing(path) as raw_stream, replacing(text) as text_stream:
        raw_stream.write(pack(capture.mosaic, PACKINGS[layout]))
        text_stream.write(json.dumps(compose_white_text(capture, layout), indent="\t").encode())
    return text
