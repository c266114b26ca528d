"""`lfdfp info` tells files and folders apart that are no Lytro files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lfdfp.datatypes import FocalStack
from lfdfp.errors import LfdfpError
from lfdfp.pipeline.file_facts import file_facts
from lfdfp.storage.hdf5 import save_focal_stack


def test_a_file_of_ours_tells_arrays_steps_and_origin(tmp_path: Path) -> None:
    stack = FocalStack(
        slices=np.zeros((3, 4, 5, 3), np.float32),
        slopes=np.array([-1.0, 0.0, 1.0]),
        history=("refocused",),
        warnings=("too few planes",),
    )
    save_focal_stack(tmp_path / "s.h5", stack, {"input_sha256": "12ab"})
    facts = file_facts(tmp_path / "s.h5")
    assert facts is not None
    assert facts.kind == "lfdfp focal_stack"
    assert facts.facts["slices"] == "3 x 4 x 5 x 3, float32"
    assert facts.facts["history"] == ["refocused"]
    assert facts.facts["warnings"] == ["too few planes"]
    assert facts.as_dict()["input_sha256"] == "12ab"
    assert any(line.startswith("warnings:") for line in facts.lines())


def test_a_picture_tells_its_upright_size(tmp_path: Path) -> None:
    picture = Image.new("RGB", (7, 5))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    facts = file_facts(tmp_path / "a.jpg")
    assert facts is not None
    assert facts.facts["size"] == "5 x 7 pixels"


def test_folders_are_told_apart(tmp_path: Path) -> None:
    for name in ("captures", "pictures", "results", "nothing"):
        (tmp_path / name).mkdir()
    (tmp_path / "captures" / "IMG_0001.LFP").write_bytes(b"")
    (tmp_path / "nothing" / "._IMG_0001.lfp").write_bytes(b"")  # what macOS leaves behind
    Image.new("RGB", (2, 2)).save(tmp_path / "pictures" / "a.png")
    record = {"version": "0.1.0", "capture": "a.lfp", "warnings": []}
    (tmp_path / "results" / "run.json").write_text(json.dumps(record))
    kinds = {}
    for folder in tmp_path.iterdir():
        facts = file_facts(folder)
        assert facts is not None
        kinds[folder.name] = facts.kind
    assert kinds == {
        "captures": "folder of captures",
        "pictures": "folder of pictures: frames of a stack, or views of a light field",
        "results": "results of a run",
        "nothing": "folder",
    }


def test_what_may_be_a_lytro_file_is_left_to_its_reader(tmp_path: Path) -> None:
    (tmp_path / "a.lfp").write_bytes(b"\x89LFP")
    assert file_facts(tmp_path / "a.lfp") is None
    assert file_facts(tmp_path / "missing") is None


def test_damage_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    (tmp_path / "b.h5").write_bytes(b"no HDF5")
    (tmp_path / "run.json").write_text("[1]")
    for path in (tmp_path / "a.png", tmp_path / "b.h5", tmp_path):
        with pytest.raises(LfdfpError, match=r"a\.png|b\.h5|run\.json"):
            file_facts(path)
