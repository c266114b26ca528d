from __future__ import annotations

import numpy as np
import pytest

from lfdfp.simulation.depth_layers import layers_from_depth
from lfdfp.simulation.scene import Scene

_FIELD = (30.0, 40.0)


def _square_before_a_wall(near: float, far: float) -> tuple[np.ndarray, np.ndarray]:
    """A red square in front of a green wall."""
    picture = np.zeros((90, 120, 3), np.float32)
    picture[..., 1] = 0.5
    disparity = np.full((90, 120), far, np.float32)
    picture[30:60, 45:75] = (0.8, 0.0, 0.0)
    disparity[30:60, 45:75] = near
    return picture, disparity


def test_the_center_view_is_the_picture_and_its_disparity_the_map() -> None:
    picture, disparity = _square_before_a_wall(-0.3, 0.2)
    layers = layers_from_depth(picture, disparity, _FIELD)
    scene = Scene(layers=layers, field_pitch=_FIELD)
    y = (np.arange(90) + 0.5) / 3 - 15
    x = (np.arange(120) + 0.5) / 3 - 20
    yy, xx = np.meshgrid(y, x, indexing="ij")
    edge = np.zeros((90, 120), bool)
    edge[27:63, 42:78] = True
    edge[33:57, 48:72] = False
    seen = scene.radiance(yy, xx, 0.0, 0.0)
    np.testing.assert_allclose(seen[~edge], picture[~edge], atol=0.01)
    np.testing.assert_allclose(scene.disparity(yy, xx)[~edge], disparity[~edge], atol=0.02)


def test_near_parts_move_against_the_far_ones_and_uncover_the_wall() -> None:
    picture, disparity = _square_before_a_wall(-0.3, 0.3)
    scene = Scene(layers=layers_from_depth(picture, disparity, _FIELD), field_pitch=_FIELD)
    x = np.arange(-19.0, 19.0, 0.1)
    red = [scene.radiance(np.zeros_like(x), x, 0.0, u)[:, 0] for u in (0.0, 4.0)]
    centers = [float((x * line).sum() / line.sum()) for line in red]
    assert centers[1] - centers[0] == pytest.approx(-0.3 * 4.0, abs=0.05)
    green = scene.radiance(np.zeros_like(x), x, 0.0, 4.0)[:, 1]
    assert np.all((green > 0.4) | (red[1] > 0.05))


def test_unknown_disparity_takes_the_farther_neighbor_of_its_row() -> None:
    picture, disparity = _square_before_a_wall(-0.3, 0.2)
    disparity[30:60, 75:80] = np.nan
    layers = layers_from_depth(picture, disparity, _FIELD)
    scene = Scene(layers=layers, field_pitch=_FIELD)
    beside = scene.disparity(np.array([0.0]), np.array([(78 - 60) / 3]))
    assert beside[0] == pytest.approx(0.2, abs=0.05)


def test_sizes_that_do_not_fit_and_maps_without_values_are_refused() -> None:
    picture, disparity = _square_before_a_wall(-0.3, 0.2)
    with pytest.raises(ValueError, match=r"disparity \(89, 120\) does not fit"):
        layers_from_depth(picture, disparity[1:], _FIELD)
    with pytest.raises(ValueError, match="no disparity is known"):
        layers_from_depth(picture, np.full_like(disparity, np.nan), _FIELD)
