"""White images as cameras and their owners keep them: folders, tar archives, bundles, single files.

Every place gives pairs of a raw file and a text, under names that end in ``MOD_nnnn``: as the
cameras write them, or behind a path that a program that unpacks bundles made a part of the name
(``data.C.3__C__T1CALIB__MOD_0003.RAW``). Texts are read when the images are looked for, since they
name the camera; pixels when they are asked for. A pair is only ever made within one folder, one
archive or one bundle: the same number in two of them means two images.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from lfdfp.datatypes import RawCapture
from lfdfp.errors import CalibrationError, LfdfpError
from lfdfp.files import path_kind
from lfdfp.lfp.capture import capture_from_pair, documents_of_pair, read_capture
from lfdfp.lfp.document import LARGEST_TEXT, parse_json, printable
from lfdfp.lfp.metadata import parse_camera
from lfdfp.lfp.opening import named
from lfdfp.lfp.stored_files import (
    BUNDLE_NAME,
    StoredFile,
    files_of_bundles,
    files_of_folder,
    files_of_tar,
    is_tar,
    refuse_compressed,
)

_WHITE_NAME: Final = re.compile(r"(?:^|[^A-Za-z0-9])MOD_\d{4}\.(RAW|TXT)$", re.IGNORECASE)
_UNIT_INFO: Final = "unit_info.json"
_LARGEST_RAW: Final = 1 << 28
_EXPECTED: Final = "expected MOD_nnnn.RAW with MOD_nnnn.TXT, data.C.0 to data.C.3, or a caldata tar"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteImage:
    """One white image (or dark frame), found but not read.

    Attributes
    ----------
    name
        Where it lies, for people to read.
    serial
        Of its camera; None where the text beside it cannot be read.
    load
        Reads the pixels; raises `LfdfpError` where they or their text are damaged.
    """

    name: str
    serial: str | None
    load: Callable[[], RawCapture]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A raw file and its text; `serial` is what the camera's own papers say, if anything."""

    where: str
    raw: StoredFile
    text: StoredFile
    serial: str | None

    @property
    def name(self) -> str:
        return printable(f"{self.where}{self.raw.path}", 4096)


def find_white_images(source: Path) -> list[WhiteImage]:
    """All white images that a source holds.

    Parameters
    ----------
    source
        A folder, searched through its subfolders for ``MOD_nnnn.RAW`` and ``.TXT``, ``data.C.n``
        bundles and ``.tar`` archives of them; one archive or bundle; or one white photograph.

    Raises
    ------
    CalibrationError
        When the source holds no white image.
    LfdfpError
        When it is a single file that cannot be read.
    """
    kind = path_kind(source)
    if kind == "missing":
        raise CalibrationError(f"{source}: there is no such file or folder")
    if kind == "other":
        raise CalibrationError(f"{source}: this is no regular file")
    if kind == "folder":
        found = _in_folder(source)
    elif is_tar(source):
        found = _distinct(_pairs(files_of_tar(source), f"{source.name}: "))
    elif BUNDLE_NAME.fullmatch(source.name):
        found = _distinct(_pairs(files_of_bundles([source]), f"{source.name}: "))
    else:
        refuse_compressed(source)
        image = read_capture(source)
        return [WhiteImage(name=source.name, serial=image.camera.serial, load=lambda: image)]
    if not found:
        raise CalibrationError(f"{source}: no white image in it; {_EXPECTED}")
    return found


def by_camera(images: Iterable[WhiteImage]) -> dict[str, list[WhiteImage]]:
    """The images of each camera, by its serial number.

    Those whose text cannot be read come with the first camera's, so that they are told of.
    """
    images = list(images)
    known = [image.serial for image in images if image.serial is not None]
    cameras: dict[str, list[WhiteImage]] = {serial: [] for serial in known or [""]}
    first = next(iter(cameras))
    for image in images:
        cameras[first if image.serial is None else image.serial].append(image)
    return cameras


def loaded(images: Iterable[WhiteImage]) -> Iterator[tuple[str, RawCapture | LfdfpError]]:
    """(name, white image) one at a time; in place of one that cannot be read, why."""
    for image in images:
        try:
            yield image.name, image.load()
        except LfdfpError as error:
            yield image.name, error


def _in_folder(folder: Path) -> list[WhiteImage]:
    """Of the folder and every subfolder: its pairs, its bundles, its archives."""
    pairs: list[_Pair] = []
    damaged: list[WhiteImage] = []
    for where, files in _files_by_folder(folder):
        pairs += _pairs(files_of_folder(files), where)
        for name, stored_files in _archives(files):
            try:
                pairs += _pairs(stored_files(), where + name)
            except LfdfpError as error:
                damaged.append(_unreadable(f"{where}{name}", error))
    return [*_distinct(pairs), *damaged]


def _files_by_folder(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """(path within `folder` with a slash behind it, its regular files) of all folders in it."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        place = Path(root)
        where = "" if place == folder else f"{place.relative_to(folder).as_posix()}/"
        # What macOS writes beside a file on foreign disks begins with a dot and a line.
        files = (place / name for name in sorted(names) if not name.startswith("._"))
        yield where, [path for path in files if path.is_file()]


def _archives(files: list[Path]) -> Iterator[tuple[str, Callable[[], list[StoredFile]]]]:
    """Name and content of what lies packed among the files of one folder."""
    bundles = [path for path in files if BUNDLE_NAME.fullmatch(path.name)]
    if bundles:
        yield "data.C: ", lambda: files_of_bundles(bundles)
    for path in files:
        if path.suffix.lower() == ".tar" and is_tar(path):
            yield f"{path.name}: ", partial(files_of_tar, path)


def _pairs(files: list[StoredFile], where: str) -> list[_Pair]:
    """Raw files with their texts among the files of one folder, archive or bundle."""
    parts: dict[str, dict[str, StoredFile]] = {}
    for file in files:
        name = _WHITE_NAME.search(file.path)
        if name:
            parts.setdefault(file.path[: name.start(1)].upper(), {})[name[1].upper()] = file
    papers = _serials_of_papers(files)
    return [
        _Pair(where=where, raw=one["RAW"], text=one["TXT"], serial=papers.get(one["RAW"].folder))
        for _, one in sorted(parts.items())
        if len(one) == 2
    ]


def _serials_of_papers(files: list[StoredFile]) -> dict[str, str]:
    """Serial number by folder, where a ``unit_info.json`` states it.

    It counts for more than the texts: those of some Illums carry the number of another camera.
    """
    serials = {}
    for file in files:
        if file.path.rpartition("/")[2].lower() == _UNIT_INFO:
            try:
                papers = parse_json(file.read(LARGEST_TEXT), _UNIT_INFO)
                serials[file.folder] = parse_camera(papers, None).serial
            except LfdfpError:
                continue  # papers that cannot be read state nothing
    return {folder: serial for folder, serial in serials.items() if serial}


def _distinct(pairs: list[_Pair]) -> list[WhiteImage]:
    """The images of pairs; copies (an archive and what was unpacked from it) count once."""
    images: list[WhiteImage] = []
    seen: dict[bytes, list[_Pair]] = {}
    for pair in pairs:
        try:
            text = pair.text.read(LARGEST_TEXT)
            alike = seen.setdefault(hashlib.sha256(text).digest(), [])
            if any(_digest(pair.raw) == _digest(other.raw) for other in alike):
                continue
            alike.append(pair)
            images.append(_white_image(pair, text))
        except LfdfpError as error:
            images.append(_unreadable(pair.name, error))
    return images


def _digest(file: StoredFile) -> bytes:
    return hashlib.sha256(file.read(_LARGEST_RAW)).digest()


def _white_image(pair: _Pair, text: bytes) -> WhiteImage:
    documents = [parse_json(text, "its text")]
    serial = pair.serial or parse_camera(*documents_of_pair(documents)).serial

    def load() -> RawCapture:
        with named(Path(pair.name)):
            image = capture_from_pair(pair.raw.read(_LARGEST_RAW), documents)
        return replace(image, camera=replace(image.camera, serial=serial))

    return WhiteImage(name=pair.name, serial=serial, load=load)


def _unreadable(name: str, error: LfdfpError) -> WhiteImage:
    def load() -> RawCapture:
        raise error

    return WhiteImage(name=name, serial=None, load=load)
