"""Bare raw images with their metadata in a text beside them.

Three kinds are known: the cameras' white images, ``MOD_nnnn.RAW`` with ``MOD_nnnn.TXT``; the
samples of the LF Toolbox, ``NAME__frame.raw`` with ``NAME__frame.json`` and
``NAME__private_metadata.json`` (other programs put ``_metadata`` and ``_private_metadata`` behind
``__frame``); and what `split` and every version of ``lfpsplitter`` write, ``NAME_imageRef0.raw``
with ``NAME_metadataRef0.json`` and ``NAME_privateMetadataRef1.json``, with or without a number,
or as ``.txt``. The raw file holds the packed codes and nothing else, or codes widened to 16 bits.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from lfdfp.datatypes import RawCapture
from lfdfp.errors import NotRawError
from lfdfp.files import read_small_file, replacing
from lfdfp.lfp.document import LARGEST_TEXT, Node, parse_json, printable
from lfdfp.lfp.metadata import PACKINGS, Layout, compose_white_text
from lfdfp.lfp.packing import pack
from lfdfp.lfp.signature import signature

_LARGEST_RAW = 1 << 30


def is_raw_pair(path: Path, head: bytes) -> bool:
    """Whether a file is called like a bare raw image, and nothing speaks against it.

    Packed codes can begin like anything: a text beside them counts more than their first bytes.
    """
    return path.suffix.lower() == ".raw" and (signature(head) is None or bool(_texts(path)))


def source_files(path: Path) -> tuple[Path, ...]:
    """All files that a capture is read from: its own, and the texts beside a bare raw image."""
    return (path, *_texts(path)) if path.suffix.lower() == ".raw" else (path,)


def read_pair(path: Path) -> tuple[bytes, list[Node]]:
    """Packed codes of a bare raw image, and the documents that describe it.

    Raises
    ------
    NotRawError
        If the text is missing.
    StorageError
        If a file cannot be read, or is far too large.
    MetadataError
        If the text is not JSON.
    """
    texts = _texts(path)
    if not texts:
        raise NotRawError(
            "a bare raw image needs its metadata beside it: "
            f"put {path.stem}.TXT or {path.stem}.json there"
        )
    documents = [
        parse_json(read_small_file(text, most=LARGEST_TEXT), printable(text.name)) for text in texts
    ]
    return read_small_file(path, most=_LARGEST_RAW), documents


def _texts(path: Path) -> list[Path]:
    """The metadata beside a raw image: the frame's, then the private ones; empty if none."""
    try:
        beside = sorted(path.parent.iterdir())
    except OSError:
        return []
    found = [
        next((one for name in names for one in beside if name.fullmatch(one.name)), None)
        for names in _names_of_texts(path.stem)
    ]
    return [] if found[0] is None else [text for text in found if text is not None]


def _names_of_texts(stem: str) -> list[list[re.Pattern[str]]]:
    """What the frame's and the private metadata of a raw image may be called, likeliest first."""
    whole = re.escape(stem)
    frameless = re.escape(re.sub(r"__frame$", "", stem, flags=re.IGNORECASE))
    base = re.escape(re.sub(r"_imageref\d*$", "", stem, flags=re.IGNORECASE))
    frame = (rf"{whole}", rf"{whole}_metadata", rf"{base}_metadataref\d*")
    private = (
        rf"{frameless}__private_metadata",
        rf"{whole}_private_metadata",
        rf"{base}_privatemetadataref\d*",
    )
    return [
        [re.compile(rf"{name}\.(txt|json)", re.IGNORECASE) for name in names]
        for names in (frame, private)
    ]


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
