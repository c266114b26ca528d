"""Where compiled kernels are kept, so that only the first run has to compile them."""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Final

_CHOSEN: Final = "NUMBA_CACHE_DIR"


def allow_kernels_without_a_cache(package: Path) -> None:
    """Let kernels run where nothing can be kept: a read-only installation, no writable home.

    Numba keeps what it has compiled beside the source or in the user's cache, and fails where it
    can write to neither. Then a temporary folder serves this process and those that it starts.

    Parameters
    ----------
    package
        The folder of the installed package.
    """
    if _CHOSEN in os.environ or any(_can_be_made(place) for place in _usual_places(package)):
        return
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="lfdfp-kernels-")
    os.environ[_CHOSEN] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _usual_places(package: Path) -> list[Path]:
    """Where numba looks, in its order."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - where there is no home, "~" comes back
    return [package / "__pycache__", Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")]


def _can_be_made(folder: Path) -> bool:
    """Whether files can be written to a folder, or to one that can be made."""
    try:
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    except OSError:
        return False
