"""JSON text whose values are not trusted: every value knows its path and is checked when taken."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from lfdfp.errors import MetadataError

_LARGEST_TEXT = 16 << 20


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

    def leaves(self) -> Iterator[tuple[Node, tuple[Node, ...]]]:
        """All values below that are neither object nor list, in the order of the text.

        Each comes with its ancestors, the nearest last. Depth is bounded by the parser only, so
        nothing here calls itself.
        """
        pending: list[tuple[Node, tuple[Node, ...]]] = [(self, ())]
        while pending:
            node, ancestors = pending.pop()
            if isinstance(node.value, dict):
                children = [Node(v, f"{node.path}.{k}") for k, v in node.value.items()]
            elif isinstance(node.value, list):
                children = node.items()
            else:
                yield node, ancestors
                continue
            pending.extend((child, (*ancestors, node)) for child in reversed(children))

    def _unfit(self, expected: str) -> MetadataError:
        return MetadataError(f"{self.path} must be {expected}, found {printable(repr(self.value))}")


def parse_json(payload: bytes, name: str) -> Node:
    """Read JSON text; trailing zeros and white space are ignored.

    Raises
    ------
    MetadataError
        If it is not JSON, or far too large or too deeply nested to be a camera's.
    """
    if len(payload) > _LARGEST_TEXT:
        raise MetadataError(
            f"{name} has {len(payload)} bytes; metadata have at most a few thousand"
        )
    try:
        text = payload.rstrip(b"\0 \t\r\n").decode("utf-8-sig")
        return Node(json.loads(text), name)
    except (ValueError, RecursionError) as error:
        raise MetadataError(f"{name} is not readable JSON text: {printable(str(error))}") from error


def printable(text: str, limit: int = 200) -> str:
    """Text that is safe to show on a terminal: no control characters, not too long."""
    clean = "".join(c if c.isprintable() else " " for c in text[: 2 * limit]).strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _step(value: object, key: str | int) -> object:
    if isinstance(key, str):
        return value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        return value[key] if -len(value) <= key < len(value) else None
    # The LF Toolbox writes a list of one element as the element.
    return value if key == 0 else None
