"""What stays on the sensor while the scene moves is mended, and nothing of the scene is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.fusion.hot_pixels import SensorPeaks, without_hot
from tests.factories import textured_picture

_SHAPE = (160, 200)
_COUNT = 9
_SHIFTS = np.random.default_rng(5).uniform(-6, 6, (_COUNT, 2))


def _stars() -> FloatArray:
    picture = np.full(_SHAPE, 0.05)
    places = np.random.default_rng(1).integers(3, 150, (80, 2))
    picture[places[:, 0], places[:, 1]] = 6.0
    return ndimage.gaussian_filter(picture, 0.8).astype(np.float32)


def _dots(period: int) -> FloatArray:
    picture = np.full(_SHAPE, 0.1, np.float32)
    picture[::period, ::period] = 0.9
    return picture


def _checkerboard(side: int) -> FloatArray:
    y, x = np.indices(_SHAPE) // side
    return np.where((x + y) % 2, 0.9, 0.1).astype(np.float32)


_SCENES: dict[str, Callable[[], FloatArray]] = {
    "stars": _stars,
    "dots": lambda: _dots(6),
    "fine dots": lambda: _dots(3),
    "checkerboard": lambda: _checkerboard(4),
    "fine checkerboard": lambda: _checkerboard(1),
    "texture": lambda: textured_picture(_SHAPE).mean(axis=2),
}


def _photographs(scene: FloatArray, shifts: DoubleArray) -> FloatArray:
    """Shape (N, T, S, 1): noisy, sharp in the middle ones."""
    rng = np.random.default_rng(2)
    made = []
    for number, (down, right) in enumerate(shifts):
        moved = ndimage.shift(scene, (down, right), order=1, mode="mirror")
        soft = ndimage.gaussian_filter(moved, 0.5 * abs(number - _COUNT // 2))
        made.append(soft + rng.normal(0, 0.008, _SHAPE))
    return np.stack(made)[..., None].astype(np.float32)


def _found(photographs: FloatArray, shifts: DoubleArray) -> set[tuple[int, int]]:
    peaks = SensorPeaks()
    for one in photographs:
        peaks.add(one, 1.0)
    hot = peaks.hot(lambda places: np.stack([places + shift[::-1] for shift in shifts]))
    return {(int(row), int(column)) for row, column in hot}


def _planted() -> list[tuple[int, int]]:
    rng = np.random.default_rng(3)
    cells = rng.permutation(12 * 16)[:25]
    return [(10 + 12 * int(c // 16), 5 + 12 * int(c % 16)) for c in cells]


@pytest.mark.parametrize("scene", _SCENES)
def test_a_clean_moved_stack_has_no_hot_pixels(scene: str) -> None:
    assert _found(_photographs(_SCENES[scene](), _SHIFTS), _SHIFTS) == set()


@pytest.mark.parametrize("scene", _SCENES)
def test_nothing_is_mended_where_the_camera_stood_still(scene: str) -> None:
    still = np.zeros_like(_SHIFTS)
    assert _found(_photographs(_SCENES[scene](), still), still) == set()


@pytest.mark.parametrize("scene", ["stars", "texture"])
def test_planted_hot_pixels_are_found_and_no_others(scene: str) -> None:
    photographs = _photographs(_SCENES[scene](), _SHIFTS)
    planted = _planted()
    for row, column in planted:
        photographs[:, row, column] = np.maximum(photographs[:, row, column], 0.95)
    found = _found(photographs, _SHIFTS)
    assert found <= set(planted)
    assert len(found) >= 24


def test_three_photographs_are_too_few_to_tell() -> None:
    photographs = _photographs(_stars(), _SHIFTS)[:3]
    photographs[:, 20, 30] = 1.0
    assert _found(photographs, _SHIFTS[:3]) == set()


def test_a_hot_pixel_becomes_what_is_around_it() -> None:
    y, x = np.mgrid[:30, :40].astype(np.float32)
    plane = np.stack([0.2 + 0.01 * x, 0.3 + 0.01 * y, 0.5 + 0 * x], axis=-1)
    spoiled = plane.copy()
    spoiled[9:12, 14:17] += 0.2
    spoiled[10, 15] = 1.0
    spoiled[0, 0] = 1.0
    mended = without_hot(spoiled, np.array([[10, 15], [0, 0]]))
    np.testing.assert_allclose(mended, plane, atol=0.03)
    untouched = np.ones((30, 40), bool)
    untouched[9:12, 14:17] = untouched[:2, :2] = False
    np.testing.assert_array_equal(mended[untouched], spoiled[untouched])
