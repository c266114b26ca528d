"""Scenes that are drawn to learn from."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.learning.scenes import training_scene


@pytest.mark.parametrize("seed", range(12))
def test_a_scene_is_light_that_a_sensor_can_measure(seed: int) -> None:
    scene = training_scene((20.0, 24.0), np.random.default_rng(seed))
    assert scene.layers[-1].texture[..., 3].min() > 0.99
    for layer in scene.layers:
        assert np.isfinite(layer.texture).all()
        assert 0 <= layer.texture.min() <= layer.texture.max() <= 1.01
    assert -0.8 < scene.disparity_range[0] <= scene.disparity_range[1] < 0.8


def test_a_seed_gives_one_scene() -> None:
    one, same, other = (training_scene((16.0, 16.0), np.random.default_rng(n)) for n in (3, 3, 4))
    np.testing.assert_array_equal(one.layers[0].texture, same.layers[0].texture)
    assert (
        one.layers[0].texture.shape != other.layers[0].texture.shape
        or (one.layers[0].texture != other.layers[0].texture).any()
    )
