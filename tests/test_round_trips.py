"""What is written comes back, whatever it is: laws over generated values."""

from __future__ import annotations

import io
import tempfile
import tomllib
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lfdfp.errors import SettingsError
from lfdfp.interchange.netpbm import read_pfm, write_pfm
from lfdfp.lfp import Container, Section, container_of
from lfdfp.lfp.capture import capture_from_container
from lfdfp.lfp.packing import Packing, pack, unpack
from lfdfp.settings import FusionSettings, RefocusSettings, read_settings
from tests.factories import tiny_capture

generated = settings(deadline=None, database=None, max_examples=60)

PACKINGS = [(12, "big"), (10, "little"), (8, "little"), (16, "big"), (16, "little")]


@st.composite
def _mosaics(draw: st.DrawFn) -> tuple[np.ndarray, Packing]:
    bits, order = draw(st.sampled_from(PACKINGS))
    packing = Packing(bits_per_pixel=bits, endianness=order)  # type: ignore[arg-type]
    shape = draw(st.integers(1, 9)), 4 * draw(st.integers(1, 9))
    codes = st.integers(0, packing.largest_code)
    return draw(arrays.arrays(np.uint16, shape, elements=codes)), packing


@generated
@given(_mosaics())
def test_codes_come_back_from_every_packing(drawn: tuple[np.ndarray, Packing]) -> None:
    mosaic, packing = drawn
    packed = pack(mosaic, packing)
    assert len(packed) == packing.size_bytes(mosaic.shape)
    np.testing.assert_array_equal(unpack(packed, mosaic.shape, packing), mosaic)


@generated
@given(st.binary(min_size=30, max_size=30), st.sampled_from(PACKINGS[:2]))
def test_bytes_come_back_from_their_codes(data: bytes, layout: tuple[int, Any]) -> None:
    packing = Packing(bits_per_pixel=layout[0], endianness=layout[1])
    shape = 1, len(data) * 8 // layout[0]
    assert pack(unpack(data, shape, packing), packing) == data


@generated
@given(st.lists(st.tuples(st.sampled_from(["table", "component"]), st.binary(max_size=99))))
def test_containers_come_back_byte_by_byte(parts: list[tuple[Any, bytes]]) -> None:
    sections = (Section.make("table", b"{}"), *(Section.make(*part) for part in parts))
    written = io.BytesIO()
    Container(sections=sections).write(written)
    read = Container.read(io.BytesIO(written.getvalue()))
    assert read.sections == sections
    again = io.BytesIO()
    read.write(again)
    assert again.getvalue() == written.getvalue()


@generated
@given(
    layout=st.sampled_from(["f01", "illum"]),
    black=st.integers(0, 200),
    white=st.integers(600, 1023),
    iso=st.integers(50, 3200),
    exposure_s=st.floats(1e-4, 8),
    rotation_rad=st.floats(-0.02, 0.02),
    focal_length_m=st.floats(5e-3, 0.1),
    model=st.text("abcXYZ 019-", min_size=1, max_size=20),
    orientation=st.sampled_from([1, 3, 6, 8]),
)
def test_metadata_come_back(layout: Any, **drawn: Any) -> None:
    plain = tiny_capture(layout, size={"f01": 80, "illum": 116}[layout]).raw_capture()
    capture = replace(
        plain,
        black_codes=(float(drawn["black"]),) * 4,
        white_codes=(float(drawn["white"]),) * 4,
        iso=float(drawn["iso"]),
        exposure_s=drawn["exposure_s"],
        orientation=drawn["orientation"],
        microlens_array=replace(plain.microlens_array, rotation_rad=drawn["rotation_rad"]),
        lens=replace(plain.lens, focal_length_m=drawn["focal_length_m"]),
        camera=replace(plain.camera, model=drawn["model"].strip() or "x"),
    )
    read = capture_from_container(container_of(capture, layout=layout))
    np.testing.assert_array_equal(read.mosaic, capture.mosaic)
    for name in ("bayer", "black_codes", "white_codes", "orientation", "camera"):
        assert getattr(read, name) == getattr(capture, name), name
    for part, name in [("lens", "focal_length_m"), ("microlens_array", "rotation_rad")]:
        np.testing.assert_allclose(
            getattr(getattr(read, part), name), getattr(getattr(capture, part), name), rtol=1e-6
        )
    np.testing.assert_allclose(
        (read.iso, read.exposure_s), (capture.iso, capture.exposure_s), rtol=1e-6
    )


@generated
@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 7), st.integers(1, 7), st.just(3))
        | arrays.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    )
)
def test_pfm_comes_back_bit_by_bit(values: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pfm"
        write_pfm(path, values)
        np.testing.assert_array_equal(read_pfm(path), values)


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
_TABLES = {
    "refocus": [one.name for one in fields(RefocusSettings)],
    "fusion": [one.name for one in fields(FusionSettings)],
}


@st.composite
def _settings_text(draw: st.DrawFn) -> str:
    lines = []
    for table, names in _TABLES.items():
        lines.append(f"[{table}]")
        for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=3)):
            value = draw(_PLAIN | st.lists(_PLAIN, max_size=3))
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return (
            '"' + "".join(f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) < 0xE000) + '"'
        )
    return '""' if value is None else repr(value)


@generated
@given(_settings_text())
def test_settings_are_taken_as_they_are_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.toml"
        path.write_text(text, encoding="utf-8")
        try:
            read = read_settings(path)
        except SettingsError as error:
            refused = str(error)
        else:
            refused = None
    if refused is not None:
        assert refused.startswith(f"{path}: ")
        assert "\n" not in refused
        return
    given_values = tomllib.loads(text)
    for table in _TABLES:
        for name, value in given_values.get(table, {}).items():
            found = asdict(getattr(read, table))[name]
            assert found == (tuple(value) if isinstance(value, list) else value)
