"""What each section of a container is: by its first bytes and by what the contents call it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from lfdfp.lfp.container import Container, Section
from lfdfp.lfp.contents import Reference, referenced, references
from lfdfp.lfp.document import Node
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
_BY_KEY: dict[str, Content] = {
    "imageRef": "raw image",
    "modulationDataRef": "white image",
    "blockOfImagesRef": "H.264 stream",
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
    return [
        _item(index, section, named.get(section.reference))
        for index, section in enumerate(container.sections)
    ]


def find_raw(container: Container, frame: Node | None) -> Section | None:
    """The section with the frame's raw image; None if it is missing or an ordinary picture."""
    raw = None if frame is None else referenced(container, frame, "imageRef")
    return raw if raw is not None and signature(raw.payload[:16]) is None else None


def summary(container: Container, contents: Node) -> str:
    """What a container holds, in words: ``"5 JPEG pictures (1080 x 1080), 1 depth table ..."``."""
    kinds = Counter(
        (item.content, item.shape)
        for item in inventory(container, contents)
        if item.content not in ("contents", "nothing")
    )
    words = [_counted(content, shape, count) for (content, shape), count in kinds.items()]
    elsewhere = sum(leaf.path.endswith(".imagePath") for leaf, _ in contents.leaves())
    if elsewhere:
        words.append(f"the names of {elsewhere} pictures in files of their own")
    return ", ".join(words) if words else "nothing but its table of contents"


def _counted(content: Content, shape: tuple[int, int] | None, count: int) -> str:
    plural = "" if count == 1 or content == "data" else "s"
    size = f" ({shape[1]} x {shape[0]})" if shape else ""
    amount = f"{count} section{'s' * (count > 1)} of data" if content == "data" else ""
    return (amount or f"{count} {content}{plural}") + size


def _item(index: int, section: Section, reference: Reference | None) -> Item:
    content, shape = _classify(section, reference)
    return Item(index=index, section=section, reference=reference, content=content, shape=shape)


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
    return _BY_KEY.get(reference.key, "data"), None


def table_shape(section: Section, reference: Reference) -> tuple[int, int] | None:
    """(height, width) of a table of 32-bit floats, where the contents give a size that fits."""
    for node in reversed(reference.ancestors):
        sides = [node.get(key) for key in ("height", "width")]
        values = [side.value for side in sides if side is not None]
        if all(isinstance(v, int) and 0 < v < _LARGEST_SIDE for v in values) and len(values) == 2:
            height, width = (int(str(v)) for v in values)
            fits = height * width * _BYTES_PER_FLOAT == len(section.payload)
            return (height, width) if fits else None
    return None
