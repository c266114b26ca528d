"""What a folder of results holds, in a form that a failed comparison can show."""

from __future__ import annotations

from pathlib import Path

from lfdfp.files import sha256_of


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its name within `folder`, without the records, which tell times."""
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }
