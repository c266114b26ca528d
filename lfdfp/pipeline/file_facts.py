"""What a file or folder is that is no Lytro file: results, light fields, pictures."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lfdfp.errors import LfdfpError
from lfdfp.files import path_kind, read_small_file

_LARGEST_RECORD: Final = 1 << 24
_ARRAYS: Final = frozenset({".h5", ".hdf5", ".mat"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What was found.

    Attributes
    ----------
    kind
        In a few words.
    facts
        Name to value, in the order in which people want to read them.
    """

    path: Path
    kind: str
    facts: dict[str, Any]

    def lines(self) -> list[str]:
        """The facts as lines of text."""
        named = {"file": str(self.path), "kind": self.kind, **self.facts}
        return [f"{name + ':':<12} {_text(value)}" for name, value in named.items()]

    def as_dict(self) -> dict[str, Any]:
        """The facts as JSON has them."""
        return {"path": str(self.path), "kind": self.kind, **self.facts}


def file_facts(path: Path) -> FileFacts | None:
    """Facts of results, light fields and pictures; None for what may be a Lytro file.

    Raises
    ------
    LfdfpError
        If a folder, HDF5 file or picture is not readable.
    """
    from lfdfp.storage.images import PICTURE_SUFFIXES

    kind = path_kind(path)
    if kind == "folder":
        return _of_folder(path)
    if kind != "file":
        return None
    if path.suffix.lower() in _ARRAYS:
        return _of_arrays(path)
    return _of_picture(path) if path.suffix.lower() in PICTURE_SUFFIXES else None


def _of_arrays(path: Path) -> FileFacts:
    from lfdfp.storage.hdf5 import contents_of, kind_of, provenance_of

    kind = kind_of(path)
    if kind is None:
        return _of_light_field(path)
    arrays, story = contents_of(path)
    made = provenance_of(path)
    facts: dict[str, Any] = dict(arrays)
    facts |= {name: made[name] for name in ("program", "version", "input_sha256") if name in made}
    facts |= {name: list(lines) for name, lines in story.items() if lines}
    return FileFacts(path=path, kind=f"lfdfp {kind}", facts=facts)


def _of_light_field(path: Path) -> FileFacts:
    from lfdfp.interchange.formats import recognized_format

    return FileFacts(path=path, kind=f"light field, {recognized_format(path)}", facts={})


def _of_picture(path: Path) -> FileFacts:
    from lfdfp.storage.pictures.reading import page_headers

    pages = page_headers(path)
    rows, columns = pages[0].upright_size
    facts: dict[str, Any] = {"size": f"{columns} x {rows} pixels"}
    if len(pages) > 1:
        facts["pages"] = len(pages)
    if pages[0].orientation != 1:
        facts["orientation"] = pages[0].orientation
    return FileFacts(path=path, kind=f"picture, {path.suffix[1:].lower()}", facts=facts)


def _of_folder(path: Path) -> FileFacts:
    from lfdfp.lfp import CAPTURE_SUFFIXES
    from lfdfp.pipeline.reuse import RECORD
    from lfdfp.storage.images import PICTURE_SUFFIXES

    if (path / RECORD).is_file():
        return _of_results(path, path / RECORD)
    suffixes = [one.suffix.lower() for one in path.iterdir() if not one.name.startswith(".")]
    captures = sum(suffix in CAPTURE_SUFFIXES for suffix in suffixes)
    if captures:
        facts = {"captures": captures, "next": f"lfdfp batch {path}"}
        return FileFacts(path=path, kind="folder of captures", facts=facts)
    with suppress(LfdfpError):
        field = _of_light_field(path)
        if not field.kind.endswith("views"):
            return field
    pictures = sum(suffix in PICTURE_SUFFIXES for suffix in suffixes)
    if pictures:
        kind = "folder of pictures: frames of a stack, or views of a light field"
        return FileFacts(path=path, kind=kind, facts={"pictures": pictures})
    return FileFacts(path=path, kind="folder", facts={"entries": len(suffixes)})


def _of_results(path: Path, record: Path) -> FileFacts:
    try:
        told = dict(json.loads(read_small_file(record, most=_LARGEST_RECORD)))
        facts = {name: told[name] for name in ("version", "capture", "warnings") if name in told}
    except (ValueError, TypeError, KeyError) as error:
        raise LfdfpError(f"{record}: not a record of a run: {error}") from error
    files = sorted(child.name for child in path.iterdir() if child.is_file())
    return FileFacts(path=path, kind="results of a run", facts={**facts, "files": files})


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(str(one) for one in value) or "none"
    return str(value)
