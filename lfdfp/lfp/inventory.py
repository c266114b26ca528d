"""What each section of a container is: by its first bytes and by what the contents call it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from lfdfp.errors import MetadataError
from lfdfp.lfp.container import Container, Section
from lfdfp.lfp.contents import Reference, find_frame, frame_document, referenced, references
from lfdfp.lfp.document import Node, leaves
from lfdfp.lfp.metadata import parse_sensor_format
from lfdfp.lfp.signature import jpeg_shape, png_shape, signature

Content = Literal[
    "contents",
    "JSON text",
    "raw image",
    "white image",
    "JPEG picture",
    "PNG picture",
    "depth table",
    "confidence table",
    "H.264 stream",
    "data",
    "nothing",
]
_BY_SIGNATURE: dict[str, Content] = {
    "JSON text": "JSON text",
    "a JPEG picture": "JPEG picture",
    "a PNG picture": "PNG picture",
    "an H.264 stream": "H.264 stream",
}
CodesKey = Literal["imageRef", "modulationDataRef"]
_CODES: dict[CodesKey, Content] = {
    "imageRef": "raw image",
    "modulationDataRef": "white image",
}
_BYTES_PER_FLOAT = 4
_LARGEST_SIDE = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One section and what it is.

    Attributes
    ----------
    index
        Place in the file, from 0.
    reference
        Where the contents name it; None for the contents themselves and for strays.
    content
        What it is.
    shape
        (height, width) of pictures and tables, when known.
    """

    index: int
    section: Section
    reference: Reference | None
    content: Content
    shape: tuple[int, int] | None = None


def inventory(container: Container, contents: Node) -> list[Item]:
    """All sections of a container in the order of the file."""
    named = references(contents)
    codes = {key: find_codes(container, contents, key) for key in _CODES}
    items = []
    for index, section in enumerate(container.sections):
        reference = named.get(section.reference)
        as_codes = (name for key, name in _CODES.items() if codes[key] is section)
        content, shape = next(as_codes, None), None
        if content is None:
            content, shape = _classify(section, reference)
        items.append(
            Item(index=index, section=section, reference=reference, content=content, shape=shape)
        )
    return items


def find_codes(container: Container, contents: Node, key: CodesKey) -> Section | None:
    """The section with the frame's packed codes; None if it is missing or an ordinary picture.

    Codes can begin like anything, so their size decides before their first bytes do.
    """
    frame = find_frame(contents)
    section = None if frame is None else referenced(container, frame, key)
    if frame is None or section is None:
        return None
    if len(section.payload) == _expected_size(container, frame):
        return section
    return section if signature(section.payload[:16]) is None else None


def _expected_size(container: Container, frame: Node) -> int | None:
    try:
        metadata = frame_document(container, frame, "metadata")
        return None if metadata is None else parse_sensor_format(metadata).size_bytes
    except MetadataError:
        return None


def summary(container: Container, contents: Node) -> str:
    """What a container holds, in words: ``"5 JPEG pictures (1080 x 1080), 1 depth table ..."``."""
    kinds = Counter(
        (item.content, item.shape)
        for item in inventory(container, contents)
        if item.content not in ("contents", "nothing")
    )
    words = [_counted(content, shape, count) for (content, shape), count in kinds.items()]
    elsewhere = sum(leaf.key == "imagePath" for leaf in leaves(contents))
    if elsewhere:
        words.append(f"the names of {elsewhere} pictures in files of their own")
    held = ", ".join(words) if words else "nothing but its table of contents"
    has_raw = find_codes(container, contents, "imageRef") is not None
    return held if has_raw or find_frame(contents) is None else f"{held}, but no raw image"


def _counted(content: Content, shape: tuple[int, int] | None, count: int) -> str:
    plural = "" if count == 1 or content == "data" else "s"
    size = f" ({shape[1]} x {shape[0]})" if shape else ""
    amount = f"{count} section{'s' * (count > 1)} of data" if content == "data" else ""
    return (amount or f"{count} {content}{plural}") + size


def _classify(
    section: Section, reference: Reference | None
) -> tuple[Content, tuple[int, int] | None]:
    if section.kind == "table":
        return "contents", None
    if not section.payload:
        return "nothing", None
    content = _BY_SIGNATURE.get(signature(section.payload[:16]) or "")
    if content == "JPEG picture":
        return content, jpeg_shape(section.payload)
    if content == "PNG picture":
        return content, png_shape(section.payload)
    if content is not None:
        return content, None
    if reference is None:
        return "data", None
    return _classify_by_reference(section, reference)


def _classify_by_reference(
    section: Section, reference: Reference
) -> tuple[Content, tuple[int, int] | None]:
    shape = table_shape(section, reference)
    if shape is not None:
        return ("confidence table" if "onfidence" in reference.path else "depth table"), shape
    return ("H.264 stream" if reference.key == "blockOfImagesRef" else "data"), None


def table_shape(section: Section, reference: Reference) -> tuple[int, int] | None:
    """(height, width) of a table of 32-bit floats, where the contents give a size that fits."""
    for node in reversed(reference.ancestors):
        sides = [node.get(key) for key in ("height", "width")]
        values = [side.value for side in sides if side is not None]
        whole = [v for v in values if type(v) is int and 0 < v < _LARGEST_SIDE]
        if len(whole) == len(values) == 2:
            height, width = whole
            fits = height * width * _BYTES_PER_FLOAT == len(section.payload)
            return (height, width) if fits else None
    return None
