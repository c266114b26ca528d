"""White images as cameras keep them: folders, tar archives, bundles, single files.

Names inside archives and bundles are only compared, never used as paths: what is taken out is
written under names of this module's own making into a temporary folder.
"""

from __future__ import annotations

import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from lfdfp.datatypes import RawCapture
from lfdfp.errors import CalibrationError, MetadataError
from lfdfp.lfp import Container, read_capture, read_container
from lfdfp.lfp.document import parse_json

_WHITE_NAME = re.compile(r"(?:^|[\\/])(MOD_\d{4})\.(RAW|TXT)$", re.IGNORECASE)
_LARGEST_MEMBER = 1 << 28
_BUNDLE_NAME = re.compile(r"data\.C\.\d+$", re.IGNORECASE)


def white_images(source: Path) -> Iterator[tuple[str, RawCapture]]:
    """(name, white image) of all that a source holds, one at a time.

    Parameters
    ----------
    source
        A folder of ``MOD_nnnn.RAW`` and ``.TXT`` (searched through its subfolders), or of
        ``data.C.n`` bundles; a ``.tar`` of such files; one bundle; or one white photograph.

    Raises
    ------
    CalibrationError
        When the source holds no white image, or is a damaged archive.
    """
    if source.is_dir():
        bundles = sorted(path for path in source.iterdir() if _BUNDLE_NAME.search(path.name))
        found = _from_bundles(bundles) if bundles else _from_folder(source)
    elif not source.is_file():
        raise CalibrationError(f"{source}: there is no such file or folder")
    elif tarfile.is_tarfile(source):
        found = _from_tar(source)
    elif _BUNDLE_NAME.search(source.name):
        found = _from_bundles([source])
    else:
        found = iter([(source.name, read_capture(source))])
    count = 0
    for name, image in found:
        count += 1
        yield name, image
    if not count:
        raise CalibrationError(
            f"{source}: no white image in it; expected MOD_nnnn.RAW with MOD_nnnn.TXT, "
            "data.C.0 to data.C.3, or a caldata tar"
        )


def count_white_images(source: Path) -> int:
    """How many white images a folder will give, at least 1; for progress only."""
    return max(1, len(_raw_files(source)) if source.is_dir() else 1)


def _raw_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if _is_raw(path.name) and path.is_file())


def _is_raw(name: str) -> bool:
    return _WHITE_NAME.search(name) is not None and name.lower().endswith(".raw")


def _from_folder(folder: Path) -> Iterator[tuple[str, RawCapture]]:
    for path in _raw_files(folder):
        yield path.name, read_capture(path)


def _from_tar(source: Path) -> Iterator[tuple[str, RawCapture]]:
    try:
        with tarfile.open(source) as archive, tempfile.TemporaryDirectory() as folder:
            for stem, parts in sorted(_pairs(archive).items()):
                for suffix, member in parts.items():
                    stream = archive.extractfile(member)
                    (Path(folder) / f"white.{suffix}").write_bytes(stream.read() if stream else b"")
                yield stem, read_capture(Path(folder) / "white.RAW")
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise CalibrationError(
            f"{source}: the archive is damaged ({error}); copy it again from its source"
        ) from error


def _pairs(archive: tarfile.TarFile) -> dict[str, dict[str, tarfile.TarInfo]]:
    """White images of which both files are there: by name, then by suffix."""
    pairs: dict[str, dict[str, tarfile.TarInfo]] = {}
    for member in archive.getmembers():
        name = _WHITE_NAME.search(member.name)
        if name and member.isfile() and member.size <= _LARGEST_MEMBER:
            pairs.setdefault(name[1].upper(), {})[name[2].upper()] = member
    return {stem: parts for stem, parts in pairs.items() if len(parts) == 2}


def _from_bundles(volumes: list[Path]) -> Iterator[tuple[str, RawCapture]]:
    """Images listed in a bundle's table of contents; their sections may lie in any volume."""
    wanted: dict[str, tuple[str, str]] = {}
    for volume in volumes:
        wanted.update(_listed(read_container(volume, verify=False), volume))
    complete: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for volume in volumes:
            for section in read_container(volume).sections:
                if section.reference not in wanted:
                    continue
                stem, suffix = wanted[section.reference]
                (Path(folder) / f"{stem}.{suffix}").write_bytes(section.payload)
                complete.setdefault(stem, set()).add(suffix)
                if len(complete[stem]) == 2:
                    yield stem, read_capture(Path(folder) / f"{stem}.RAW")
                    (Path(folder) / f"{stem}.RAW").unlink()


def _listed(container: Container, volume: Path) -> dict[str, tuple[str, str]]:
    """Reference of every section that a table of contents names MOD_nnnn.RAW or .TXT."""
    listed = {}
    for table in (section for section in container.sections if section.kind == "table"):
        try:
            files = parse_json(table.payload, "contents").get("files")
            for entry in files.items() if files else ():
                name = _WHITE_NAME.search(str(entry.need("name").value))
                if name:
                    reference = str(entry.need("dataRef").value).lower()
                    listed[reference] = name[1].upper(), name[2].upper()
        except MetadataError as error:
            raise CalibrationError(
                f"{volume}: its list of files cannot be read: {error}"
            ) from error
    return listed
