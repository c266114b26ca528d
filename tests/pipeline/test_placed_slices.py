"""A placed photograph looked at in parts is the photograph that was placed as a whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.alignment.exposure import ExposureMatch
from lfdfp.alignment.placement import PlacedPhotograph, Placement, placed_photograph
from lfdfp.datatypes import DoubleArray
from lfdfp.imaging.display import decode_srgb, encode, luma
from lfdfp.pipeline.placed_slices import placed_slice
from lfdfp.storage.pictures.picture import CodedPicture, Picture
from tests.factories import textured_picture

_TURNED = np.array([[1.01, 0.02, -3.2], [-0.02, 1.01, 2.6], [1e-5, -1e-5, 1.0]])
_EVERYWHERE = slice(0, 200), slice(0, 300)


def _coded() -> CodedPicture:
    ramp = decode_srgb(np.linspace(0, 1, 256, dtype=np.float32))
    return CodedPicture(
        codes=np.rint(255 * textured_picture((200, 300))).astype(np.uint8),
        curves=np.repeat(ramp[:, None], 3, axis=1),
        told=Picture(light=np.zeros((1, 1, 3), np.float32)),
    )


def _placement(matrix: DoubleArray | None) -> Placement:
    gains = np.array([[1.0, 1, 1], [1.1, 1.0, 0.9]], np.float32)
    return Placement(
        shape=(200, 300),
        photographs=(
            PlacedPhotograph(name="a", state="reference"),
            PlacedPhotograph(name="b", state="moved"),
        ),
        reference=0,
        exposure=ExposureMatch(gains=gains, measured=gains, uncertainty=0 * gains),
        matrices={} if matrix is None else {1: matrix},
    )


@pytest.mark.parametrize("matrix", [None, _TURNED])
def test_parts_are_those_of_the_whole(matrix: DoubleArray | None) -> None:
    coded, placement = _coded(), _placement(matrix)
    light, covers = placed_photograph(coded.light(), placement, 1)
    seen = placed_slice(coded, placement, 1)
    part = slice(37, 111), slice(120, 290)
    np.testing.assert_allclose(seen.encoded(*part), encode(light)[part], atol=2e-5)
    np.testing.assert_allclose(seen.encoded(*_EVERYWHERE), encode(light), atol=2e-5)
    for rows in (slice(0, 200), slice(60, 140), slice(150, 200)):
        usable = seen.usable(rows)
        known = np.ones((200, 300), bool) if covers is None else covers
        assert known[rows].all() if usable is None else np.array_equal(usable, known[rows])


@pytest.mark.parametrize("matrix", [None, _TURNED])
def test_luma_is_nearly_that_of_the_moved_light(matrix: DoubleArray | None) -> None:
    coded, placement = _coded(), _placement(matrix)
    light, _ = placed_photograph(coded.light(), placement, 1)
    found = placed_slice(coded, placement, 1).luma()[slice(0, 200)]
    difference = found - luma(encode(light))
    assert np.sqrt(np.mean(np.square(difference))) < (2e-5 if matrix is None else 3e-3)


def test_a_window_is_part_of_the_reference() -> None:
    coded, placement = _coded(), _placement(_TURNED)
    whole = placed_slice(coded, placement, 1)
    window = slice(20, 180), slice(30, 270)
    seen = placed_slice(coded, placement, 1, window)
    assert seen.shape == (160, 240, 3)
    inner = slice(10, 40), slice(50, 90)
    np.testing.assert_allclose(
        seen.encoded(*inner), whole.encoded(slice(30, 60), slice(80, 120)), atol=2e-5
    )
    cut = seen.cut(slice(10, 40))
    np.testing.assert_allclose(cut.encoded(slice(0, 30), inner[1]), seen.encoded(*inner), atol=2e-5)


def test_light_without_curves_is_placed_alike() -> None:
    coded, placement = _coded(), _placement(_TURNED)
    plain = replace(coded, codes=coded.light(), curves=None)
    by_code, by_light = (placed_slice(one, placement, 1) for one in (coded, plain))
    np.testing.assert_allclose(
        by_light.encoded(*_EVERYWHERE), by_code.encoded(*_EVERYWHERE), atol=1e-6
    )
    rows = slice(20, 90)
    difference = by_light.luma()[rows] - by_code.luma()[rows]
    assert np.sqrt(np.mean(np.square(difference))) < 3e-3
