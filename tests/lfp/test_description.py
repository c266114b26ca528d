from __future__ import annotations

import json
from pathlib import Path

import pytest

from lfdfp.errors import LfpFormatError
from lfdfp.lfp import Container, Section, container_of, write_container, write_pair
from lfdfp.lfp.container import read_container
from lfdfp.lfp.description import FileDescription, describe, predicted_pitch_px
from lfdfp.lfp.metadata import compose_metadata


def described(tmp_path: Path, container: Container, *, verify: bool = True) -> FileDescription:
    write_container(tmp_path / "a.lfp", container)
    return describe(tmp_path / "a.lfp", verify=verify)


def test_a_raw_capture_is_described(tmp_path: Path, make_capture) -> None:
    capture = make_capture(white_image=make_capture(seed=1))
    container = container_of(capture, layout="f01")
    file = described(tmp_path, container)
    assert file.kind == "raw capture"
    assert file.holds == "3 JSON texts, 1 raw image, 1 white image"
    assert file.size_bytes == (tmp_path / "a.lfp").stat().st_size
    assert (file.camera, file.lens, file.color) == (capture.camera, capture.lens, capture.color)
    assert (file.iso, file.exposure_s, file.orientation) == (87.0, 0.004, 6)
    assert file.sensor is not None
    assert file.sensor.shape == (20, 24)
    assert file.warnings == ()
    assert all(section.intact for section in file.sections)


def test_sections_are_listed_with_their_place(tmp_path: Path, make_capture) -> None:
    file = described(tmp_path, container_of(make_capture(), layout="f01"))
    data = (tmp_path / "a.lfp").read_bytes()
    for section in file.sections:
        assert data[section.offset : section.offset + 3] == b"\x89LF"
        start = section.offset + 16
        assert data[start : start + 45].decode() == section.reference
    assert [section.content for section in file.sections] == [
        "contents",
        "JSON text",
        "JSON text",
        "raw image",
    ]
    assert file.sections[3].name == "picture.frameArray[0].frame.imageRef"


def test_damage_is_reported_and_does_not_hide_the_rest(tmp_path: Path, make_capture) -> None:
    path = tmp_path / "a.lfp"
    write_container(path, container_of(make_capture(), layout="f01"))
    data = bytearray(path.read_bytes())
    position = describe(path).sections[3].offset + 96
    data[position] ^= 1
    path.write_bytes(data)
    file = describe(path)
    assert [section.intact for section in file.sections] == [True, True, True, False]
    assert len(file.warnings) == 1
    assert file.warnings[0].startswith("section 3 (raw image, sha1-")
    assert any("DAMAGED" in line for line in file.lines())
    assert {section.intact for section in describe(path, verify=False).sections} == {None}


def test_one_bad_value_does_not_hide_the_others(tmp_path: Path, make_capture) -> None:
    metadata = compose_metadata(make_capture(), "f01")
    metadata["devices"]["sensor"]["pixelPitch"] = "small"
    frame = {"metadata": metadata}
    table = json.dumps({"frames": [{"frame": frame}]}).encode()
    file = described(tmp_path, Container(sections=(Section.make("table", table),)))
    assert file.kind == "other"
    assert file.pixel_pitch_m is None
    assert file.predicted_pitch_px is None
    assert file.lens == make_capture().lens
    assert "devices.sensor.pixelPitch must be a number" in file.warnings[0]


def test_metadata_that_are_no_json_are_a_warning(tmp_path: Path) -> None:
    text = Section.make("component", b"no JSON")
    table = json.dumps({"frames": [{"frame": {"metadataRef": text.reference}}]}).encode()
    file = described(tmp_path, Container(sections=(Section.make("table", table), text)))
    assert file.camera is None
    assert "metadata is not readable JSON text" in file.warnings[0]


def test_a_raw_pair_is_described(tmp_path: Path, make_capture) -> None:
    path = tmp_path / "MOD_0001.RAW"
    write_pair(path, make_capture(), layout="f01")
    assert describe(path).kind == "bare raw image"
    assert describe(path).warnings == ()
    path.write_bytes(path.read_bytes()[:-3])
    assert describe(path).warnings == ("the raw codes take 720 bytes, found 717",)


def test_a_description_is_plain_json_and_safe_to_show(tmp_path: Path, make_capture) -> None:
    metadata = compose_metadata(make_capture(), "f01")
    metadata["camera"]["make"] = "\x1b[31mLytro\x07"
    hostile = {
        "\x1b]0;key\x07\n": "sha1-" + "a" * 40,
        "frames": [{"frame": {"metadata": metadata}}],
    }
    stray = Section(
        kind="component", payload=b"?", digest=b"\x1b[2Jsha1-\n".ljust(80, b"\0"), padding=bytes(15)
    )
    sections = (Section.make("table", json.dumps(hostile).encode()), stray)
    file = described(tmp_path, Container(sections=sections))
    assert json.loads(json.dumps(file.as_dict(), allow_nan=False))["camera"]["make"] == "[31mLytro"
    assert all(line.isprintable() for line in file.lines())


def test_a_picture_is_no_lfp_file(tmp_path: Path) -> None:
    (tmp_path / "a.lfp").write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    with pytest.raises(LfpFormatError, match="this is a JPEG picture"):
        describe(tmp_path / "a.lfp")


@pytest.mark.data
def test_the_exit_pupil_widens_the_predicted_pitch(data_dir: Path) -> None:
    """The values that others get from the same metadata."""
    for name, pitch_px in (
        ("exiftool_F01_raw_truncated.lfp", 9.9297),
        ("processed_stack_1.lfp", 14.2916),
    ):
        file = describe(data_dir / "lytro/containers" / name)
        assert file.predicted_pitch_px is not None
        assert file.predicted_pitch_px[1] == pytest.approx(pitch_px, abs=1e-4)


def test_an_infinitely_far_exit_pupil_does_not_widen_the_pitch(make_capture) -> None:
    capture = make_capture()
    rows, columns = predicted_pitch_px(capture.microlens_array, 1.4e-6, type(capture.lens)())
    assert columns == pytest.approx(13.8986 / 1.4 * 0.9998)
    assert rows / columns == pytest.approx(1.0003 / 0.9998)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "kind", "lambdas"),
    [
        ("exiftool_F01_raw_truncated.lfp", "other", None),
        ("f01_IMG_0002-dm.lfp", "processed picture", (-20, 11)),
        ("f01_IMG_0007-stk.lfp", "processed picture", (-3.8585407733917236, 1.2)),
        ("illum_processed_demo.LFP", "processed picture", (-15, 12.5)),
        ("processed_stack_1.lfp", "processed picture", (-35, 4)),
        ("processed_stack_2.lfp", "processed picture", (-35, 28)),
        ("../guitar.lfp", "raw capture", None),
    ],
)
def test_real_files_are_described(
    data_dir: Path, name: str, kind: str, lambdas: tuple[float, float] | None
) -> None:
    path = data_dir / "lytro/containers" / name
    file = describe(path)
    assert file.kind == kind
    assert file.lambda_range == (None if lambdas is None else pytest.approx(lambdas, abs=1e-6))
    assert file.size_bytes == path.stat().st_size
    assert len(file.sections) == len(read_container(path).sections)
    assert all(section.intact for section in file.sections)
    cut_short = name.endswith("truncated.lfp")
    assert [warning for warning in file.warnings if "cut short" not in warning] == []
    assert len(file.warnings) == cut_short
    assert all(section.content != "data" for section in file.sections)
    json.dumps(file.as_dict(), allow_nan=False)
