"""Files in folders, tar archives and a camera's bundles, listed before any of them is read.

Names inside archives and bundles are only compared and shown, never used as paths.
"""

from __future__ import annotations

import re
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from lfdfp.errors import CalibrationError, LfpFormatError, MetadataError
from lfdfp.files import read_small_file
from lfdfp.lfp.container import SectionPlace, read_section, section_places
from lfdfp.lfp.document import Node, parse_json
from lfdfp.lfp.opening import named

BUNDLE_NAME: Final = re.compile(r"data\.C\.\d+", re.IGNORECASE)
_MOST_MEMBERS: Final = 100_000
_COMPRESSED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file, wherever it lies.

    Attributes
    ----------
    path
        Within its folder, archive or bundle, with slashes.
    read
        Gives its content, for up to so many bytes; raises `LfdfpError` for larger ones.
    """

    path: str
    read: Callable[[int], bytes]

    @property
    def folder(self) -> str:
        """The path up to the last slash."""
        return self.path.rpartition("/")[0]


def files_of_folder(paths: Iterable[Path]) -> list[StoredFile]:
    """Files on disk that lie in one folder."""
    return [StoredFile(path=path.name, read=partial(_read_file, path)) for path in paths]


def _read_file(path: Path, most: int) -> bytes:
    return read_small_file(path, most=most)


def is_tar(path: Path) -> bool:
    """Whether a file is a tar archive that is not compressed; even one that is cut short."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_BLOCK)
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except (OSError, ValueError, tarfile.TarError):
        return False
    return True


def refuse_compressed(path: Path) -> None:
    """Refuse compressed archives: they have to be unpacked to be listed, to whatever size.

    Raises
    ------
    CalibrationError
        With what to do.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError:
        return  # whoever reads the file says why it cannot be read
    if head.startswith(_COMPRESSED):
        raise CalibrationError(f"{path}: a compressed archive; unpack it and give what was in it")


def files_of_tar(path: Path) -> list[StoredFile]:
    """The plain files of a tar archive; links, devices and sparse files are passed over.

    Raises
    ------
    CalibrationError
        If the archive is damaged.
    """
    size = path.stat().st_size
    try:
        with tarfile.open(path, "r:") as archive:
            members = []
            for member in archive:
                members.append(member)
                if len(members) > _MOST_MEMBERS:
                    raise tarfile.ReadError(f"more than {_MOST_MEMBERS} files")
    except (tarfile.TarError, OSError, ValueError, ArithmeticError, RecursionError) as error:
        raise _damaged(path, error) from error
    return [
        StoredFile(path=member.name, read=partial(_read_member, path, member))
        for member in members
        if member.isreg() and not member.issparse() and member.offset_data + member.size <= size
    ]


def _read_member(path: Path, member: tarfile.TarInfo, most: int) -> bytes:
    if member.size > most:
        raise CalibrationError(f"{member.size} bytes, where up to {most} can be read")
    try:
        with path.open("rb") as stream:
            stream.seek(member.offset_data)
            content = stream.read(member.size)
    except OSError as error:
        raise _damaged(path, error) from error
    return content


def _damaged(path: Path, error: Exception) -> CalibrationError:
    return CalibrationError(
        f"{path}: the archive is damaged ({error}); copy it again from its source"
    )


def files_of_bundles(volumes: list[Path]) -> list[StoredFile]:
    """The files that the volumes of one camera's store (``data.C.0``, ...) list.

    A section may lie in another volume than the one that lists it. Where two volumes list the
    same name, they are of two cameras, or of two times: the volume then is a part of the path.

    Raises
    ------
    LfdfpError
        If a volume is damaged, or its list cannot be read.
    """
    places: dict[str, tuple[Path, SectionPlace]] = {}
    listed: list[tuple[Path, str, str]] = []
    for volume in volumes:
        with named(volume):
            found = section_places(volume)
            places |= {one.reference: (volume, one) for one in found}
            tables = [read_section(volume, one) for one in found if one.kind == "table"]
        for table in tables:
            listed += [(volume, *entry) for entry in _listed(volume, table.payload)]
    times = Counter(name for _, name, _ in listed)
    return [
        StoredFile(
            path=f"{volume.name}/{name}" if times[name] > 1 else name,
            read=partial(_read_bundled, places.get(reference)),
        )
        for volume, name, reference in listed
    ]


def _listed(volume: Path, table: bytes) -> list[tuple[str, str]]:
    """(name with slashes, reference) of all files that a table of contents lists."""
    try:
        files = parse_json(table, "contents").get("files")
        return [_entry(entry) for entry in files.items()] if files else []
    except MetadataError as error:
        raise CalibrationError(f"{volume}: its list of files cannot be read: {error}") from error


def _entry(entry: Node) -> tuple[str, str]:
    name, reference = entry.need("name").text(), entry.need("dataRef").text()
    return name.replace("\\", "/"), reference.lower()


def _read_bundled(place: tuple[Path, SectionPlace] | None, most: int) -> bytes:
    if place is None:
        raise LfpFormatError(
            "it is in a volume that is not here; data.C.0 to data.C.3 belong together"
        )
    volume, section = place
    if section.length > most:
        raise LfpFormatError(f"{section.length} bytes, where up to {most} can be read")
    return read_section(volume, section).payload
