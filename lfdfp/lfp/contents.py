"""The table of contents: which frame a file holds, and what each section is called in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lfdfp.lfp.container import Container, Section
from lfdfp.lfp.document import Node, leaves, parse_json

_FRAME_PATHS: tuple[tuple[str | int, ...], ...] = (
    ("picture", "frameArray", 0, "frame"),
    ("frames", 0, "frame"),
    ("master", "picture", "frameArray", 0, "frame"),
)
_REFERENCE = re.compile(r"sha1-[0-9a-fA-F]{40}")


def read_contents(container: Container) -> Node:
    """The table of contents as a document."""
    return parse_json(container.table().payload, "contents")


def find_frame(document: Node) -> Node | None:
    """The first frame of a table of contents or of a white image's text, or None.

    F01 files keep it at ``picture.frameArray[0].frame``, newer ones at ``frames[0].frame``,
    white-image texts at ``master.picture.frameArray[0].frame``; no camera is bound to one of them.
    """
    candidates = (document.get(*path) for path in _FRAME_PATHS)
    return next((frame for frame in candidates if frame and isinstance(frame.value, dict)), None)


def referenced(container: Container, frame: Node, key: str) -> Section | None:
    """The section that an entry of the frame refers to; None without entry or section."""
    node = frame.get(key)
    return container.find(node.value) if node and isinstance(node.value, str) else None


def is_missing(container: Container, frame: Node, key: str) -> bool:
    """Whether an entry of the frame refers to a section that is not in the file."""
    node = frame.get(key)
    named = node is not None and isinstance(node.value, str)
    return named and referenced(container, frame, key) is None


def is_processed(contents: Node) -> bool:
    """Whether the contents list what desktop software makes from a capture.

    Such files keep the references to the raw image, but not the image.
    """
    views = contents.get("views")
    listed = [contents.get("picture", "accelerationArray", 0)]
    listed += [view.get("accelerations", 0) for view in views.items()] if views else []
    return any(one is not None for one in listed)


def frame_document(container: Container, frame: Node, key: str) -> Node | None:
    """``metadata`` or ``privateMetadata`` of a frame: written inline, or in a section of its own.

    Raises
    ------
    MetadataError
        If the section is not JSON text.
    """
    inline = frame.get(key)
    if inline is not None and isinstance(inline.value, dict):
        return Node(inline.value, key)
    section = referenced(container, frame, f"{key}Ref")
    return None if section is None else parse_json(section.payload, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a table of contents names a section.

    Attributes
    ----------
    path
        From the root of the document, for people to read.
    key
        The last key on the path, such as ``imageRef``.
    ancestors
        The objects and lists around it, the nearest last.
    """

    path: str
    key: str
    ancestors: tuple[Node, ...]


def references(document: Node) -> dict[str, Reference]:
    """Every reference (``sha1-...`` in lower case) in a document, and where it first stands."""
    found: dict[str, Reference] = {}
    for leaf in leaves(document):
        if not (isinstance(leaf.value, str) and _REFERENCE.fullmatch(leaf.value)):
            continue
        if leaf.value.lower() not in found:
            ancestors = tuple(Node(container, document.path) for container, _ in leaf.trail)
            found[leaf.value.lower()] = Reference(path=leaf.path, key=leaf.key, ancestors=ancestors)
    return found


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
