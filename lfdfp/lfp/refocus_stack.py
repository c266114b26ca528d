"""Processed files: the refocused pictures that Lytro's software made of a capture, and their depth.

Three forms are known. The older ``-stk.lfp`` lists JPEG pictures in ``imageArray``, or one H.264
stream in ``blockOfImages`` with a list of what its frames are; newer files list pictures in
``perImage``, inside the file or as files beside it. The depth table says at which lambda each part
of the picture is sharp.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.errors import LfpFormatError, MetadataError, NotRawError
from lfdfp.lfp.container import FILE_MAGIC, Container, Section, read_container
from lfdfp.lfp.contents import read_contents
from lfdfp.lfp.document import Node
from lfdfp.lfp.inventory import find_codes, summary
from lfdfp.lfp.opening import named, not_a_capture, read_head

_MOST_FRAMES: Final = 256
_MOST_CELLS: Final = 1 << 24
_FARTHEST_LAMBDA: Final = 1e6
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFrame:
    """One refocused picture.

    Attributes
    ----------
    focus_lambda
        Depth at which it is sharp, in units of lambda.
    content
        The encoded picture; b"" where it lies elsewhere.
    file_name
        Of the picture beside the LFP file, where `content` is empty; "" where it is a frame of
        the stack's video.
    """

    focus_lambda: float
    content: bytes = b""
    file_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RefocusStack:
    """What a processed file holds.

    Attributes
    ----------
    frames
        At least two, in the order of the file.
    video
        The H.264 stream that holds the frames, in their order; b"" where they are pictures.
    depth_lambda
        Shape (Y, X): at which lambda each part of the picture is sharp; None where there is no
        table.
    history
        One line: what was read.
    """

    frames: tuple[StackFrame, ...]
    video: bytes = b""
    depth_lambda: FloatArray | None = None
    history: tuple[str, ...] = ()


def read_refocus_stack(path: str | os.PathLike[str], *, verify: bool = True) -> RefocusStack:
    """Read the refocused pictures of a processed file (``-stk.lfp``, processed ``.lfp``).

    Raises
    ------
    NotRawError
        If the file holds no two pictures of different focus; says what is inside.
    LfpFormatError, ChecksumError, MetadataError
        If the file is damaged.
    """
    path = Path(path)
    with named(path):
        head = read_head(path)
        if not head.startswith(FILE_MAGIC):
            raise not_a_capture(head)
        return refocus_stack_of(read_container(path, verify=verify))


def refocus_stack_of(container: Container) -> RefocusStack:
    """The refocused pictures in a container that was read or built.

    Raises
    ------
    NotRawError, LfpFormatError, MetadataError
        As `read_refocus_stack`.
    """
    contents = read_contents(container)
    for stack in _accelerations(contents):
        frames, video = _frames(container, stack)
        if len({frame.focus_lambda for frame in frames}) < 2:
            continue
        lambdas = [frame.focus_lambda for frame in frames]
        kind = "video frames" if video else "pictures"
        line = (
            f"{len(frames)} {kind} that Lytro's software had refocused, "
            f"lambda {min(lambdas):g} to {max(lambdas):g}"
        )
        return RefocusStack(
            frames=tuple(frames),
            video=video,
            depth_lambda=_depth(container, stack),
            history=(line,),
        )
    inside = summary(container, contents)
    if find_codes(container, contents, "imageRef") is not None:
        raise NotRawError(f"no refocused pictures in this file; it holds {inside}: use `lfdfp run`")
    raise NotRawError(
        f"neither a raw capture nor refocused pictures in this file; it holds {inside}; "
        "give the camera's original file (.lfp, .lfr) instead"
    )


def _accelerations(contents: Node) -> Iterator[Node]:
    """What was made of the capture, in either form of the contents; the older one without wrap."""
    for one in _elements(contents.get("picture", "accelerationArray")):
        inner = one.get("vendorContent")
        if inner is not None:
            yield inner
    for view in _elements(contents.get("views")):
        yield from _elements(view.get("accelerations"))


def _elements(node: Node | None) -> list[Node]:
    return node.items() if node is not None and isinstance(node.value, list) else []


def _frames(container: Container, stack: Node) -> tuple[list[StackFrame], bytes]:
    """The frames that an acceleration lists, and the video that they are in."""
    block = stack.get("blockOfImages")
    video = b"" if block is None else _payload(container, block, "blockOfImagesRef")
    listed = (
        _elements(stack.get("imageArray"))
        or _elements(stack.get("perImage"))
        or (_elements(block.get("metadataArray")) if block else [])
    )
    if len(listed) > _MOST_FRAMES:
        raise MetadataError(f"{len(listed)} refocused pictures; up to {_MOST_FRAMES} can be read")
    frames = [_frame(container, one, in_video=bool(video)) for one in listed]
    return [frame for frame in frames if frame is not None], video


def _frame(container: Container, one: Node, *, in_video: bool) -> StackFrame | None:
    """A listed picture; None where it is not refocused, such as a view of another perspective."""
    focus = one.get("lambda") or one.get("focus")
    if focus is None:
        return None
    depth = focus.number(-_FARTHEST_LAMBDA, _FARTHEST_LAMBDA)
    if in_video:
        return StackFrame(focus_lambda=depth)
    path = one.get("imagePath")
    if path is not None and one.get("imageRef") is None:
        if not _FILE_NAME.fullmatch(path.text()):
            raise MetadataError(f"{path.path} must be the name of a file, found {path.text()!r}")
        return StackFrame(focus_lambda=depth, file_name=path.text())
    return StackFrame(focus_lambda=depth, content=_payload(container, one, "imageRef"))


def _payload(container: Container, node: Node, key: str) -> bytes:
    """The section that a listed picture refers to."""
    section = _section(container, node, key)
    if section is None:
        raise LfpFormatError(
            f"{node.path}.{key} leads to no section; the file was cut short, copy it again from "
            "its source"
        )
    return section.payload


def _section(container: Container, node: Node, key: str) -> Section | None:
    reference = node.get(key)
    text = "" if reference is None else reference.value
    return container.find(text) if isinstance(text, str) else None


def _depth(container: Container, stack: Node) -> FloatArray | None:
    """The table of 32-bit floats; None where there is none, or none that makes sense."""
    table = stack.get("depthLut") or stack.get("depthMap")
    section = None if table is None else _section(container, table, "imageRef")
    if table is None or section is None:
        return None
    try:
        rows = table.need("height").integer(1, _MOST_CELLS)
        columns = table.need("width").integer(1, _MOST_CELLS)
    except MetadataError:
        return None
    if 4 * rows * columns != len(section.payload):
        return None
    values = np.frombuffer(section.payload, "<f4").reshape(rows, columns).astype(np.float32)
    return values if np.isfinite(values).all() else None
