"""Colors mean what the legend says."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import Depth, SharpPicture, StackEvidence
from lfdfp.report.maps import (
    colored,
    decision_picture,
    disparity_picture,
    mean_index,
    observability_picture,
    screen_image,
    slice_index,
    standard_error_picture,
)


def test_near_is_red_far_is_blue_unknown_is_gray() -> None:
    disparity = np.linspace(-1, 1, 60, dtype=np.float32)[None].repeat(40, axis=0)
    disparity[:, 30] = np.nan
    picture = disparity_picture(disparity)[:40].astype(int)
    near, far = picture[20, 2], picture[20, 57]
    assert near[0] > near[2]
    assert far[2] > far[0]
    assert tuple(picture[20, 30]) == (128, 128, 128)


def test_what_is_uncertain_is_darker() -> None:
    disparity = np.random.default_rng(0).random((30, 40), np.float32)
    sure, unsure = (
        disparity_picture(disparity, np.full((30, 40), c, np.float32))[:30].mean()
        for c in (1.0, 0.1)
    )
    assert unsure < 0.6 * sure


def test_a_map_without_any_value_is_gray() -> None:
    picture = disparity_picture(np.full((10, 20), np.nan, np.float32))
    assert np.all(picture[:10] == 128)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_screen_image_has_three_channels_and_the_standards_codes(channels: int) -> None:
    image = screen_image(np.full((2, 3, channels), 0.18, np.float32))
    assert image.shape == (2, 3, 3)
    assert np.all(image == 118)


def test_the_index_of_a_pure_decision_is_its_slice() -> None:
    owner = np.random.default_rng(1).integers(0, 4, (5, 6))
    maps = (owner == np.arange(4)[:, None, None]).astype(np.float32)
    np.testing.assert_array_equal(mean_index(maps), owner)


def test_the_index_comes_from_decisions_or_else_from_depth() -> None:
    whole = {"all_in_focus": np.zeros((2, 3, 3), np.float32), "scale": 1}
    whole["super_resolved"] = whole["all_in_focus"]
    maps = np.zeros((2, 2, 3), np.float32)
    maps[1] = 1
    slopes = np.array([-0.2, 0.0, 0.2])
    by_maps = SharpPicture(**whole, evidence=StackEvidence(decision_map=maps))
    np.testing.assert_array_equal(slice_index(by_maps, slopes), 1)
    by_depth = SharpPicture(**whole, depth=Depth(disparity=np.full((2, 3), 0.1, np.float32)))
    np.testing.assert_allclose(slice_index(by_depth, slopes), 1.5, rtol=1e-5)
    assert slice_index(by_depth, None) is None
    assert slice_index(SharpPicture(**whole), slopes) is None


@pytest.mark.parametrize("draw", [observability_picture, standard_error_picture])
def test_more_is_brighter(draw) -> None:
    values = np.linspace(0, 1, 100, dtype=np.float32)[None].repeat(30, axis=0)
    gray = draw(values)[:30].astype(float).mean(axis=(0, 2))
    assert np.all(np.diff(gray[:95]) > -1)
    assert gray[90] > gray[10] + 80


def test_maps_stand_above_their_legends() -> None:
    values = np.zeros((30, 100), np.float32)
    for picture in (decision_picture(values, 3), observability_picture(values)):
        assert picture.shape[0] > 30
        assert picture.shape[1:] == (100, 3)
    assert np.all(colored(np.array([[0.0, 1.0]]), 0, 1)[0, 0] == colored(np.array([[-9.0]]), 0, 1))
