"""OpenEXR files hold the light itself, and say what it means."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from lfdfp.errors import ImageError, StorageError
from lfdfp.storage.images import Picture, write_picture

LIGHT = np.linspace(-0.1, 7.0, 6 * 5 * 3, dtype=np.float32).reshape(6, 5, 3)


@pytest.mark.parametrize(("channels", "name"), [(1, "Y"), (3, "RGB")])
def test_light_is_linear_and_not_clipped(tmp_path: Path, channels: int, name: str) -> None:
    openexr = pytest.importorskip("OpenEXR")
    path, light = tmp_path / "a.exr", LIGHT[..., :channels]
    write_picture(path, Picture(light=light), {"input_sha256": "abc"})
    with openexr.File(str(path)) as file:
        read = file.channels()[name].pixels
        header = dict(file.header())  # it is emptied on closing
    np.testing.assert_allclose(read.reshape(light.shape), light, rtol=1e-3, atol=1e-4)
    assert header["chromaticities"] == pytest.approx(
        (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
    )
    assert json.loads(header["comments"]) == {"input_sha256": "abc"}
    assert header["compression"] == openexr.ZIP_COMPRESSION


def test_colors_are_multiplied_by_alpha(tmp_path: Path) -> None:
    openexr = pytest.importorskip("OpenEXR")
    path, alpha = tmp_path / "a.exr", np.full((6, 5), 0.5, np.float32)
    write_picture(path, Picture(light=LIGHT, alpha=alpha), {})
    with openexr.File(str(path), separate_channels=True) as file:
        planes = {name: channel.pixels for name, channel in file.channels().items()}
    np.testing.assert_array_equal(planes["A"], alpha)
    np.testing.assert_allclose(planes["G"], 0.5 * LIGHT[..., 1], rtol=1e-3, atol=1e-4)


def test_without_the_package_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(ImageError, match=r"pip install 'lfdfp\[exr\]'"):
        write_picture(tmp_path / "a.exr", Picture(light=LIGHT), {})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("OpenEXR")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        write_picture(tmp_path / "file" / "a.exr", Picture(light=LIGHT), {})
