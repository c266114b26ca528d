from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lfdfp.errors import StorageError
from lfdfp.lfp import read_capture
from lfdfp.simulation.files import load_truth, write_simulated_capture
from tests.factories import tiny_capture


@pytest.mark.parametrize(("camera", "suffix"), [("f01", ".lfp"), ("illum", ".lfr")])
def test_what_is_written_is_read_again(tmp_path: Path, camera, suffix) -> None:
    capture = tiny_capture(camera)
    files = write_simulated_capture(tmp_path / "scene", capture)
    assert files.capture.name == f"scene{suffix}"
    for path, made in [
        (files.capture, capture.raw_capture()),
        (files.white_image, capture.white_capture()),
    ]:
        read = read_capture(path)
        np.testing.assert_array_equal(read.mosaic, made.mosaic)
        for field in ("bayer", "black_codes", "white_codes", "microlens_array", "lens", "color"):
            assert getattr(read, field) == getattr(made, field)
        assert read.camera == made.camera
        assert read.iso == made.iso


def test_the_file_can_carry_its_white_image(tmp_path: Path) -> None:
    capture = tiny_capture("illum")
    files = write_simulated_capture(
        tmp_path / "a.lfr", capture, white_image=False, truth=False, embed_white_image=True
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.lfr"]
    white = read_capture(files.capture).white_image
    np.testing.assert_array_equal(white.mosaic, capture.white_mosaic)


def test_truth_comes_back_as_it_was(tmp_path: Path) -> None:
    capture = tiny_capture()
    truth = load_truth(write_simulated_capture(tmp_path / "a.lfp", capture).truth)
    for scale in (1, 2, 4):
        np.testing.assert_array_equal(truth.pictures[scale], capture.all_in_focus(scale))
    np.testing.assert_array_equal(truth.disparity, capture.disparity())
    assert truth.center_view.shape == (*capture.sampling.shape, 3)
    assert truth.sampling == capture.sampling


def test_other_files_are_refused_as_truth(tmp_path: Path) -> None:
    path = tmp_path / "no.h5"
    path.write_bytes(b"not hdf5")
    with pytest.raises(StorageError, match=r"no\.h5: is not a truth file"):
        load_truth(path)
