from __future__ import annotations

import json

import pytest

from lfdfp.errors import MetadataError
from lfdfp.lfp.document import Node, leaves, parse_json, printable


def test_trailing_zeros_and_line_ends_are_ignored() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}\r\n\0\0', "text").value == {"a": 1}


@pytest.mark.parametrize(
    "behind",
    [b"sha1-" + 40 * b"4", 40 * b"a", b"\n\0\0" + b"SHA1-".lower() + 40 * b"F" + b"\0\r\n"],
)
def test_a_sha1_behind_the_text_is_ignored(behind: bytes) -> None:
    assert parse_json(b'{"a": {"b": 1}}' + behind, "text").value == {"a": {"b": 1}}


@pytest.mark.parametrize("behind", [b"sha1-44", b"}", b'{"c": 2}', 80 * b"a", b"sha1-" + 40 * b"g"])
def test_anything_else_behind_the_text_is_refused(behind: bytes) -> None:
    with pytest.raises(MetadataError, match="text is not readable JSON text: extra data"):
        parse_json(b'{"a": 1}' + behind, "text")


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"a": ' + b"9" * 10_000 + b"}", b"{} {}"],
)
def test_what_is_no_json_is_refused(payload: bytes) -> None:
    with pytest.raises(MetadataError, match="contents is not readable JSON text"):
        parse_json(payload, "contents")


def test_text_that_is_far_too_long_is_not_read() -> None:
    with pytest.raises(MetadataError, match="has 2000000 bytes; no camera"):
        parse_json(bytes(2_000_000), "contents")


def test_leaves_come_in_order_with_their_paths() -> None:
    document = Node({"a": [1, {"b": "x"}], "c": {"d": None, "e": []}, "f": 2.5}, "text")
    found = [(leaf.path, leaf.key, leaf.value) for leaf in leaves(document)]
    assert found == [
        ("a[0]", "a", 1),
        ("a[1].b", "b", "x"),
        ("c.d", "d", None),
        ("f", "f", 2.5),
    ]


def test_leaves_know_what_is_around_them() -> None:
    document = Node({"a": {"width": 3, "ref": "x"}}, "text")
    around = [leaf.trail[-1][0] for leaf in leaves(document) if leaf.key == "ref"]
    assert around == [{"width": 3, "ref": "x"}]


def test_what_is_nested_deeper_than_any_camera_writes_is_passed_over() -> None:
    deep = json.loads('{"a":' + "[" * 500 + "1" + "]" * 500 + ', "b": 2}')
    assert [leaf.value for leaf in leaves(Node(deep, "text"))] == [2]


def test_a_missing_value_is_named_with_its_path() -> None:
    node = Node({"a": [{"b": None}]}, "text")
    assert node.get("a", 0, "b") is None
    assert node.get("a", 7, "b") is None
    with pytest.raises(MetadataError, match=r"text.a\[0\].b is missing"):
        node.need("a", 0, "b")


def test_a_list_of_one_may_be_written_as_its_element() -> None:
    found = Node({"a": {"b": 5}}, "text").get("a", 0, "b")
    assert found is not None
    assert found.integer(0, 9) == 5


def test_text_is_cut_and_made_safe() -> None:
    assert printable("a\x1b[2J\u202eb\n") == "a [2J b"
    assert len(printable("x" * 1000)) == 200
