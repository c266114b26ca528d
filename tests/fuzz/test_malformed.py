"""Files that once ended in a traceback, a hang or much memory: one line each, or a right result."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lfdfp.errors import LfdfpError
from lfdfp.interchange.formats import read_light_field
from lfdfp.lfp import read_capture
from lfdfp.lfp.white_images import find_white_images
from lfdfp.settings import read_settings
from lfdfp.storage.camera_calibrations import load_camera_calibration
from lfdfp.storage.hdf5 import load_focal_stack, load_sharp_picture
from lfdfp.storage.images import read_picture

_READERS: dict[str, Callable[[Path], object]] = {
    "cal_": load_camera_calibration,
    "fr_": load_sharp_picture,
    "fs_": load_focal_stack,
    "lf_": read_light_field,
    "h5_": read_light_field,
    "eslf_": read_light_field,
    "mat_": read_light_field,
    "tar_": find_white_images,
    "png_": read_picture,
    "eps_": read_picture,
    "tiff_": read_picture,
}
_TAKEN = {"fr_losses_1.h5", "lf_2x2.h5", "lf_f16.h5", "lf_version_0.h5", "tiff_rows_huge.tif"}
"""Sound enough: an old version, or an odd but harmless value."""

_LONGEST_S = 30.0
"""On an idle machine 10 s; tests share theirs."""


@pytest.mark.data
def test_malformed_files_are_refused_in_one_line(data_dir: Path) -> None:
    taken = set()
    files = [path for path in sorted((data_dir / "malformed").iterdir()) if path.suffix != ".md"]
    assert files
    for path in files:
        by_suffix = {".toml": read_settings, ".lfp": read_capture}.get(path.suffix)
        read = by_suffix or next(r for start, r in _READERS.items() if path.name.startswith(start))
        begun, said = time.monotonic(), ""
        try:
            read(path)
            taken.add(path.name)
        except LfdfpError as error:
            said = str(error)
        assert time.monotonic() - begun < _LONGEST_S, path.name
        assert not said or (path.name in said and "\n" not in said), said
    assert taken - {"pixels_tiny.lfp"} == _TAKEN
