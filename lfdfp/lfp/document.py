"""JSON text whose values are not trusted: every value knows its path and is checked when taken."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lfdfp.errors import MetadataError

_BLANKS = "\0 \t\r\n"
_SHA1_OR_NOTHING = re.compile(r"[\0\s]*(?:(?:sha1-)?[0-9a-fA-F]{40})?")
_DEEPEST = 32
"""Levels of a document; the deepest seen has 11."""

LARGEST_TEXT = 1 << 20
"""Bytes of JSON text; the longest seen has 58 thousand."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a JSON document and the path that leads to it, for messages."""

    value: object
    path: str

    def get(self, *keys: str | int) -> Node | None:
        """The value below these keys and indices; None where one is missing or null."""
        value, path = self.value, self.path
        for key in keys:
            value = _step(value, key)
            path += f"[{key}]" if isinstance(key, int) else f".{key}"
        return None if value is None else Node(value, path)

    def need(self, *keys: str | int) -> Node:
        """Like `get`, but a missing value is an error."""
        node = self.get(*keys)
        if node is None:
            path = self.path + "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys)
            raise MetadataError(f"{path} is missing; the file is damaged or not a raw capture")
        return node

    def number(self, least: float, greatest: float) -> float:
        """The value as a finite number within bounds."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._unfit(f"a number from {least:g} to {greatest:g}")
        # Compared before it is converted: a JSON integer can be too large for a float.
        if not (least <= value <= greatest) or not math.isfinite(value):
            raise self._unfit(f"a number from {least:g} to {greatest:g}")
        return float(value)

    def integer(self, least: int, greatest: int) -> int:
        """The value as a whole number within bounds."""
        number = self.number(least, greatest)
        if not number.is_integer():
            raise self._unfit(f"a whole number from {least} to {greatest}")
        return int(number)

    def text(self) -> str:
        """The value as text without control characters, cut to a sensible length."""
        if not isinstance(self.value, str):
            raise self._unfit("text")
        return printable(self.value)

    def items(self) -> list[Node]:
        """The elements of a list."""
        if not isinstance(self.value, list):
            raise self._unfit("a list")
        return [Node(value, f"{self.path}[{i}]") for i, value in enumerate(self.value)]

    def _unfit(self, expected: str) -> MetadataError:
        # The text form of a deeply nested value could exceed the interpreter's depth.
        nested = isinstance(self.value, dict | list)
        found = "an object or a list" if nested else printable(repr(self.value))
        return MetadataError(f"{self.path} must be {expected}, found {found}")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that is neither object nor list.

    `trail` leads from the root to it: pairs of a container and the key or index in it. It is
    reused for the next leaf.
    """

    value: object
    trail: Sequence[tuple[object, str | int]]

    @property
    def key(self) -> str:
        """The last key, of a value or of the list that holds it."""
        return next((key for _, key in self.trail[:-3:-1] if isinstance(key, str)), "")

    @property
    def path(self) -> str:
        """The trail for people to read: ``frames[0].frame.imageRef``."""
        steps = (f"[{k}]" if isinstance(k, int) else f".{k[:64]}" for _, k in self.trail)
        return printable("".join(steps).removeprefix("."))


def leaves(document: Node) -> Iterator[Leaf]:
    """All leaves of a document in the order of the text, as deep as any camera writes.

    Takes memory for the depth only, and none for paths: text that is not trusted can be long.
    """
    trail: list[tuple[object, str | int]] = []
    pending = [_children(document.value)]
    while pending:
        step = next(pending[-1], None)
        if step is None:
            pending.pop()
            del trail[-1:]
            continue
        container, key, value = step
        trail.append((container, key))
        if isinstance(value, dict | list) and len(trail) < _DEEPEST:
            pending.append(_children(value))
            continue
        if not isinstance(value, dict | list):
            yield Leaf(value, trail)
        trail.pop()


def parse_json(payload: bytes, name: str) -> Node:
    """Read JSON text; zeros, white space and a SHA-1 behind it are ignored.

    Programs that cut texts out of a container leave the name of the section there.

    Raises
    ------
    MetadataError
        If it is not JSON, or far too large or too deeply nested to be a camera's.
    """
    if len(payload) > LARGEST_TEXT:
        raise MetadataError(
            f"{name} has {len(payload)} bytes; no camera writes more than {LARGEST_TEXT}"
        )
    try:
        text = payload.decode("utf-8-sig").strip(_BLANKS)
        value, end = json.JSONDecoder().raw_decode(text)
        if not _SHA1_OR_NOTHING.fullmatch(text, end):
            raise ValueError(f"extra data: {text[end:][:40]!r}")
        return Node(value, name)
    except (ValueError, RecursionError) as error:
        raise MetadataError(f"{name} is not readable JSON text: {printable(str(error))}") from error


def printable(text: str, limit: int = 200) -> str:
    """Text that is safe to show on a terminal: no control characters, not too long."""
    clean = "".join(c if c.isprintable() else " " for c in text[: 2 * limit]).strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _children(container: object) -> Iterator[tuple[object, str | int, object]]:
    if isinstance(container, dict):
        return ((container, str(key), value) for key, value in container.items())
    if isinstance(container, list):
        return ((container, index, value) for index, value in enumerate(container))
    return iter(())


def _step(value: object, key: str | int) -> object:
    if isinstance(key, str):
        return value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        return value[key] if -len(value) <= key < len(value) else None
    # The LF Toolbox writes a list of one element as the element.
    return value if key == 0 else None
