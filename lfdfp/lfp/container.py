"""The LFP container: a file header, then sections, each with a kind, a SHA-1 and a payload.

Reader and writer work on the same record, and what a reader made a writer gives back byte for
byte. All integers are big endian, and every section starts at a multiple of 16 bytes.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, Self

from lfdfp.errors import ChecksumError, LfpFormatError
from lfdfp.files import replacing
from lfdfp.lfp.document import printable
from lfdfp.lfp.opening import not_a_capture

SectionKind = Literal["table", "component"]

FILE_MAGIC = b"\x89LFP\r\n\x1a\n"
_SECTION_MAGIC: dict[SectionKind, bytes] = {
    "table": b"\x89LFM\r\n\x1a\n",
    "component": b"\x89LFC\r\n\x1a\n",
}
_SECTION_KIND = {magic: kind for kind, magic in _SECTION_MAGIC.items()}
_HEADER = struct.Struct(">8sII")
_DIGEST_BYTES = 80
_ALIGNMENT = 16
_MOST_SECTIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section as it lies in the file.

    Attributes
    ----------
    kind
        "table" for the one table of contents, "component" for all others.
    payload
        The content, without padding.
    digest
        The 80 bytes that name the payload: ``sha1-``, 40 hexadecimal digits, zeros. Empty when
        the payload is empty, for such a section is its header alone.
    padding
        What follows the payload up to the next multiple of 16.
    version
        0 in every file seen.
    """

    kind: SectionKind
    payload: bytes
    digest: bytes
    padding: bytes
    version: int = 0

    @classmethod
    def make(cls, kind: SectionKind, payload: bytes) -> Self:
        """A well-formed section around a payload."""
        digest = reference_of(payload).encode().ljust(_DIGEST_BYTES, b"\0") if payload else b""
        padding = bytes(-len(payload) % _ALIGNMENT)
        return cls(kind=kind, payload=payload, digest=digest, padding=padding)

    @property
    def reference(self) -> str:
        """The stored name, ``sha1-...`` in lower case; "" for an empty section."""
        return reference_text(self.digest)

    @property
    def is_intact(self) -> bool:
        """Whether the payload still has the SHA-1 under which it was stored."""
        return not self.payload or self.reference == reference_of(self.payload)

    @classmethod
    def read(cls, stream: BinaryIO, available: int) -> Self:
        """Read the section at which `stream` stands, with `available` bytes left in the file."""
        start = stream.tell()
        head = _read_head(stream, available)
        payload = _read_exactly(stream, head.length, "a payload")
        # A last section that is complete but for its padding loses nothing.
        left = available - (stream.tell() - start)
        padding = stream.read(min(-head.length % _ALIGNMENT, left)) if payload else b""
        return cls(
            kind=head.kind,
            payload=payload,
            digest=head.digest,
            padding=padding,
            version=head.version,
        )

    def pieces(self) -> Iterator[bytes]:
        """The section's bytes, in order, without copying the payload."""
        yield _HEADER.pack(_SECTION_MAGIC[self.kind], self.version, len(self.payload))
        yield self.digest
        yield self.payload
        yield self.padding


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPlace:
    """Where a section of a large file lies; `read_section` fetches it.

    `offset` is that of its header, `length` that of its payload.
    """

    kind: SectionKind
    reference: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A whole LFP file: its sections in the order of the file.

    Attributes
    ----------
    sections
        In any order; the table of contents need not come first.
    version
        1 in every file seen.
    """

    sections: tuple[Section, ...]
    version: int = 1

    @classmethod
    def read(cls, stream: BinaryIO, *, verify: bool = True) -> Self:
        """Read a container from a seekable stream, from its start to its end.

        Parameters
        ----------
        stream
            Positioned at the file header.
        verify
            Check the SHA-1 of every payload.

        Raises
        ------
        LfpFormatError
            Where the bytes do not follow the format, before memory is taken for sizes that
            the file does not have.
        ChecksumError
            With `verify`, for the first payload that is not the one that was stored.
        """
        start = stream.tell()
        end = stream.seek(0, os.SEEK_END)
        stream.seek(start)
        version = _read_file_header(stream, end - start)
        sections: list[Section] = []
        while (position := stream.tell()) < end:
            section = Section.read(stream, end - position)
            if verify:
                _check(section, position, index=len(sections))
            sections.append(section)
            _refuse_too_many(len(sections))
        return cls(sections=tuple(sections), version=version)

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes, in order, without copying the payloads."""
        yield _HEADER.pack(FILE_MAGIC, self.version, 0)
        for section in self.sections:
            yield from section.pieces()

    def write(self, stream: BinaryIO) -> None:
        """Write the container; a container that was read gives the same bytes again."""
        for piece in self.pieces():
            stream.write(piece)

    def sha256(self) -> str:
        """SHA-256 of the whole file, in hexadecimal digits."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    def find(self, reference: str) -> Section | None:
        """The section stored under a reference (``sha1-...``), or None."""
        wanted = reference.lower()
        return next((s for s in self.sections if s.payload and s.reference == wanted), None)

    def table(self) -> Section:
        """The table of contents.

        Raises
        ------
        LfpFormatError
            If there is none, or more than one.
        """
        tables = [section for section in self.sections if section.kind == "table"]
        if len(tables) != 1:
            raise LfpFormatError(
                f"expected one table of contents (LFM section), found {len(tables)} "
                f"among {len(self.sections)} sections; copy the file again from its source"
            )
        return tables[0]


def reference_text(digest: bytes) -> str:
    """A section's name as the contents refer to it, of the bytes that hold it."""
    return digest.rstrip(b"\0").decode("ascii", "replace").lower()


def reference_of(payload: bytes) -> str:
    """The name under which a payload is stored: ``sha1-`` and its SHA-1 in lower case."""
    return f"sha1-{hashlib.sha1(payload, usedforsecurity=False).hexdigest()}"


def read_container(path: Path, *, verify: bool = True) -> Container:
    """Read an LFP file (.lfp, .lfr, .lfx, data.C.N).

    Raises
    ------
    LfpFormatError
        If the file cannot be opened or is not a well-formed LFP file.
    ChecksumError
        With `verify`, if a payload is not the one that was stored.
    """
    with _opened(path) as (stream, _):
        return Container.read(stream, verify=verify)


def is_container(path: Path) -> bool:
    """Whether a file begins as an LFP file does.

    Raises
    ------
    LfpFormatError
        If it cannot be opened.
    """
    with _opened(path) as (stream, _):
        return stream.read(len(FILE_MAGIC)) == FILE_MAGIC


def section_places(path: Path) -> list[SectionPlace]:
    """Where the sections of an LFP file lie, without reading their payloads.

    Raises
    ------
    LfpFormatError
        As `read_container`.
    """
    places: list[SectionPlace] = []
    with _opened(path) as (stream, end):
        _read_file_header(stream, end)
        while (offset := stream.tell()) < end:
            head = _read_head(stream, end - offset)
            reference = reference_text(head.digest)
            places.append(
                SectionPlace(kind=head.kind, reference=reference, offset=offset, length=head.length)
            )
            after = stream.tell() + head.length
            stream.seek(min(after + -head.length % _ALIGNMENT, end))
            _refuse_too_many(len(places))
    return places


def read_section(path: Path, place: SectionPlace) -> Section:
    """One section of an LFP file.

    Raises
    ------
    LfpFormatError, ChecksumError
        As `read_container`.
    """
    with _opened(path) as (stream, end):
        stream.seek(place.offset)
        section = Section.read(stream, end - place.offset)
    _check(section, place.offset)
    return section


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """A file and its size, with what the system refuses as this project's error."""
    try:
        with path.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            yield stream, end
    except OSError as error:
        raise LfpFormatError(f"cannot be read: {error.strerror or error}") from error


def write_container(path: Path, container: Container) -> None:
    """Write an LFP file, beside the target first and then renamed.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as stream:
        container.write(stream)


def _read_file_header(stream: BinaryIO, size: int) -> int:
    if size == 0:
        raise LfpFormatError("the file is empty; copy it again from its source")
    head = stream.read(_HEADER.size)
    if not head.startswith(FILE_MAGIC[: len(head)]):
        raise not_a_capture(head)
    if len(head) < _HEADER.size:
        raise LfpFormatError(
            f"the file is cut short after {size} bytes; copy it again from its source", offset=size
        )
    _, version, length = _HEADER.unpack(head)
    if length != 0:
        raise LfpFormatError(
            f"expected a file header of length 0, found {length}; this kind of LFP is not known",
            offset=12,
        )
    return int(version)


def _read_exactly(stream: BinaryIO, count: int, what: str) -> bytes:
    start = stream.tell()
    data = stream.read(count)
    if len(data) < count:
        raise LfpFormatError(
            f"the file ends within {what}: {count} bytes expected, {len(data)} found; "
            "it is cut short: copy it again from its source",
            offset=start,
        )
    return data


class _Head(NamedTuple):
    """What stands before a section's payload."""

    kind: SectionKind
    version: int
    length: int
    digest: bytes


def _read_head(stream: BinaryIO, available: int) -> _Head:
    """The head of the section at which `stream` stands, its length found possible."""
    start = stream.tell()
    magic, version, length = _HEADER.unpack(_read_exactly(stream, _HEADER.size, "a section"))
    if magic not in _SECTION_KIND:
        raise LfpFormatError(
            f"expected a section (\\x89LFM or \\x89LFC), found {magic!r}; "
            "the file is damaged or has something appended: copy it again from its source",
            offset=start,
        )
    if length == 0:
        return _Head(_SECTION_KIND[magic], version, 0, b"")
    needed = _HEADER.size + _DIGEST_BYTES + length
    if needed > available:
        raise LfpFormatError(
            f"the section needs {needed} bytes but the file has only {available} left; "
            "it is cut short: copy it again from its source",
            offset=start,
        )
    digest = _read_exactly(stream, _DIGEST_BYTES, "a SHA-1")
    return _Head(_SECTION_KIND[magic], version, length, digest)


def _refuse_too_many(sections: int) -> None:
    if sections > _MOST_SECTIONS:
        raise LfpFormatError(f"more than {_MOST_SECTIONS} sections; no camera writes so many")


def _check(section: Section, offset: int, *, index: int | None = None) -> None:
    if not section.is_intact:
        number = "a section" if index is None else f"section {index}"
        raise ChecksumError(
            f"{number} ({section.kind}, {printable(section.reference)}) is damaged: its "
            f"payload has {reference_of(section.payload)}; copy the file again from its source, "
            "or go on without checking (--no-verify)",
            offset=offset,
        )
