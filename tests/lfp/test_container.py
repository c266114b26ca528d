from __future__ import annotations

import dataclasses
import hashlib
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from lfdfp.errors import ChecksumError, LfdfpError, LfpFormatError, StorageError
from lfdfp.lfp import container_of, read_capture
from lfdfp.lfp.container import Container, Section, read_container, write_container
from lfdfp.lfp.description import describe

REAL_CONTAINERS = (
    "containers/exiftool_F01_raw_truncated.lfp",
    "containers/f01_IMG_0002-dm.lfp",
    "containers/f01_IMG_0007-stk.lfp",
    "containers/illum_processed_demo.LFP",
    "containers/processed_stack_1.lfp",
    "containers/processed_stack_2.lfp",
    "guitar.lfp",
)


def to_bytes(container: Container) -> bytes:
    stream = io.BytesIO()
    container.write(stream)
    return stream.getvalue()


def from_bytes(data: bytes, *, verify: bool = True) -> Container:
    return Container.read(io.BytesIO(data), verify=verify)


def sample() -> Container:
    payloads = (b"first", b"0123456789abcdef", b"", b"x" * 31)
    components = (Section.make("component", payload) for payload in payloads)
    return Container(sections=(Section.make("table", b'{"frames": []}'), *components))


@pytest.mark.data
@pytest.mark.parametrize("name", REAL_CONTAINERS)
def test_a_real_file_comes_back_byte_for_byte(data_dir: Path, name: str) -> None:
    path = data_dir / "lytro" / name
    container = read_container(path)
    data = path.read_bytes()
    assert to_bytes(container) == data
    assert container.sha256() == hashlib.sha256(data).hexdigest()


@pytest.mark.data
@pytest.mark.parametrize("name", REAL_CONTAINERS)
def test_sections_made_anew_are_those_of_the_real_file(data_dir: Path, name: str) -> None:
    container = read_container(data_dir / "lytro" / name)
    made = tuple(Section.make(section.kind, section.payload) for section in container.sections)
    assert made == container.sections


def test_a_container_survives_the_way_through_bytes() -> None:
    assert from_bytes(to_bytes(sample())) == sample()


def test_every_section_starts_at_a_multiple_of_sixteen() -> None:
    data = to_bytes(sample())
    starts = [i for i in range(len(data)) if data[i : i + 3] == b"\x89LF"]
    assert len(starts) == 6
    assert all(start % 16 == 0 for start in starts)


def test_an_empty_section_is_its_header_alone() -> None:
    assert b"".join(Section.make("component", b"").pieces()) == b"\x89LFC\r\n\x1a\n" + bytes(8)


def test_the_table_may_stand_anywhere() -> None:
    container = sample()
    turned = dataclasses.replace(container, sections=container.sections[::-1])
    assert from_bytes(to_bytes(turned)).table() == container.table()


@pytest.mark.parametrize("count", [0, 2])
def test_there_must_be_one_table(count: int) -> None:
    container = Container(sections=(Section.make("table", b"{}"),) * count)
    with pytest.raises(LfpFormatError, match=f"one table of contents .* found {count}"):
        from_bytes(to_bytes(container)).table()


def test_find_ignores_the_case_of_a_reference() -> None:
    section = sample().sections[1]
    assert sample().find(section.reference.upper()) == section
    assert sample().find("sha1-" + "0" * 40) is None
    assert sample().find("") is None


def test_a_damaged_payload_is_named_and_can_be_read_on_request() -> None:
    data = bytearray(to_bytes(sample()))
    position = data.index(b"first")
    data[position] ^= 1
    reference = sample().sections[1].reference
    with pytest.raises(ChecksumError, match=f"section 1 .component, {reference}.* .at byte 128"):
        from_bytes(bytes(data))
    damaged = from_bytes(bytes(data), verify=False)
    assert [s.is_intact for s in damaged.sections] == [True, False, True, True, True]
    assert to_bytes(damaged) == bytes(data)


def test_every_truncation_is_refused_or_loses_only_padding() -> None:
    data = to_bytes(sample())
    payloads = [section.payload for section in sample().sections]
    complete, refused = [], []
    for length in range(len(data)):
        try:
            complete.append(from_bytes(data[:length]))
        except LfpFormatError as error:
            refused.append(str(error))
    assert all("copy it again" in message for message in refused)
    assert len(complete) < 16 * len(payloads) < len(refused)
    for container in complete:
        found = [section.payload for section in container.sections]
        assert found == payloads[: len(found)]


def test_something_appended_is_refused_with_its_offset() -> None:
    data = to_bytes(sample())
    with pytest.raises(LfpFormatError, match=f"appended.*at byte {len(data)}.$"):
        from_bytes(data + b"garbage, sixteen bytes and more")


def test_a_size_is_checked_before_memory_is_taken() -> None:
    data = bytearray(to_bytes(sample()))
    data[16 + 12 : 16 + 16] = b"\xff\xff\xff\xff"
    tracemalloc.start()
    try:
        with pytest.raises(LfpFormatError, match="needs 4294967391 bytes but the file has only"):
            from_bytes(bytes(data))
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_file_of_empty_sections_is_refused_before_it_fills_the_memory() -> None:
    head = to_bytes(Container(sections=()))
    empty = b"".join(Section.make("component", b"").pieces())
    assert len(from_bytes(head + empty * 10_000).sections) == 10_000
    with pytest.raises(LfpFormatError, match="more than 10000 sections"):
        from_bytes(head + empty * 10_001)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "this is a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "this is a PNG picture"),
        (b"II*\0" + bytes(40), "this is a TIFF picture"),
        (b"no such thing", "this is unknown data"),
        (b"\x89LFP\r\n\x1a\n\0\0", "cut short after 10 bytes"),
        (b"\x89LFP\r\n\x1a\n\0\0\0\x01\0\0\0\x05", "file header of length 0, found 5"),
    ],
)
def test_what_is_no_container_is_named(data: bytes, message: str) -> None:
    with pytest.raises(LfpFormatError, match=message):
        from_bytes(data)


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a file where a folder is needed")
    with pytest.raises(StorageError, match="cannot be written"):
        write_container(tmp_path / "file" / "a.lfp", sample())
    (tmp_path / "folder.lfp").mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        write_container(tmp_path / "folder.lfp", sample())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder.lfp"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.lfp"
    path.write_bytes(b"old")
    write_container(path, sample())
    assert read_container(path) == sample()
    assert list(tmp_path.iterdir()) == [path]


def _mutated(data: bytes, generator: np.random.Generator) -> bytes:
    """Flip, cut, repeat or overwrite something, mostly where the structure is."""
    mutant = bytearray(data)
    for _ in range(int(generator.integers(1, 4))):
        position = int(generator.integers(0, len(mutant)))
        match int(generator.integers(0, 6)):
            case 0:
                mutant[position] ^= 1 << int(generator.integers(0, 8))
            case 1:
                del mutant[position:]
            case 2:
                del mutant[position : position + int(generator.integers(1, 64))]
            case 3:
                mutant[position:position] = generator.bytes(int(generator.integers(1, 40)))
            case 4:
                digits = [b"-1", b"1e999", b"NaN", b"null", b"{}", b"[]", b'"x"', b"99999999999"]
                start = mutant.find(b": ", position)
                if start >= 0:
                    mutant[start + 2 : start + 3] = digits[int(generator.integers(0, 8))]
            case _:
                mutant[position : position + 4] = generator.bytes(4)
        if not mutant:
            return b""
    return bytes(mutant)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["f01", "illum"])
@pytest.mark.parametrize("verify", [True, False])
def test_no_bytes_can_crash_the_reader(
    tmp_path: Path, make_capture, layout: str, verify: bool
) -> None:
    white = make_capture(bits=10, seed=1)
    data = to_bytes(container_of(make_capture(bits=10, white_image=white), layout=layout))
    generator = np.random.default_rng(20120815)
    path = tmp_path / "mutant.lfp"
    outcomes = {"read": 0, "refused": 0}
    messages: list[str] = []
    for _ in range(400):
        path.write_bytes(_mutated(data, generator))
        for reader in (read_capture, describe):
            try:
                reader(path, verify=verify)
                outcomes["read"] += 1
            except LfdfpError as error:
                outcomes["refused"] += 1
                messages.append(str(error))
    assert min(outcomes.values()) > 20
    assert all(message.isprintable() for message in messages)
