"""Packed layers are the layers, and empty cells are empty."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.simulation.layers import Layer, pack_layers


def layer(texture: np.ndarray, disparity: float = 0.1) -> Layer:
    return Layer(
        texture=texture.astype(np.float32),
        texture_frame=(-3.0, -4.0, 6.0, 5.0),
        disparity=np.full((2, 2), disparity, np.float32),
        disparity_frame=(-3.0, -4.0, 0.2, 0.2),
    )


def test_layers_come_first_and_as_they_are() -> None:
    rng = np.random.default_rng(0)
    layers = [layer(rng.random((40, 30, 4)), d) for d in (-0.2, 0.3)]
    packed = pack_layers(layers)
    for k, one in enumerate(layers):
        np.testing.assert_array_equal(packed.textures[k], one.texture)
        np.testing.assert_array_equal(packed.disparities[k], one.disparity)
        np.testing.assert_allclose(packed.texture_frames[k], one.texture_frame)
    assert not any(texture.any() for texture in packed.textures[2:])


def test_a_layer_without_light_has_no_occupied_cells() -> None:
    packed = pack_layers([layer(np.zeros((60, 50, 4)))])
    assert not packed.occupied[0].any()


@pytest.mark.parametrize("place", [(30, 25), (0, 0), (59, 49)])
def test_cells_near_light_are_occupied_and_far_ones_are_not(place: tuple[int, int]) -> None:
    texture = np.zeros((60, 50, 4))
    texture[place] = 1
    occupied = pack_layers([layer(texture)]).occupied[0]
    own = place[0] // 6, place[1] // 5
    assert occupied[own]
    rows, columns = np.indices(occupied.shape)
    far = np.maximum(np.abs(rows - own[0]), np.abs(columns - own[1])) > 3
    assert not occupied[far].any()
    assert occupied[~far].all()
