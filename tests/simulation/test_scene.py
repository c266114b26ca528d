from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from lfdfp.errors import SettingsError
from lfdfp.simulation import Layer, Scene, ScenePreset, make_scene, scene_from_pictures

FIELD = (30.0, 34.0)


def sampled(texture, frame, y, x):
    """Bilinear sample by another implementation."""
    place = np.stack([(y - frame[0]) * frame[2], (x - frame[1]) * frame[3]])
    return np.stack(
        [map_coordinates(texture[..., c], place, order=1, mode="nearest") for c in range(4)], -1
    )


def reference_radiance(scene: Scene, y, x, v, u):
    """Radiance by definition: solve for each layer's point with many steps, then composite."""
    light, through = np.zeros((*y.shape, 3)), np.ones((*y.shape, 1))
    for layer in scene.layers:
        frame = layer.disparity_frame
        d = np.zeros(y.shape)
        for _ in range(30):
            place = np.stack([(y - d * v - frame[0]) * frame[2], (x - d * u - frame[1]) * frame[3]])
            d = map_coordinates(layer.disparity.astype(float), place, order=1, mode="nearest")
        texel = sampled(layer.texture, layer.texture_frame, y - d * v, x - d * u)
        light += through * texel[..., :3]
        through = through * (1 - texel[..., 3:])
    return light


@pytest.mark.parametrize("preset", get_args(ScenePreset))
def test_radiance_is_the_composite_of_the_layers(preset) -> None:
    field = (120.0, 136.0) if preset == "motorcycle" else FIELD  # its depth is in pixels
    scene = make_scene(preset, field, seed=5)
    rng = np.random.default_rng(0)
    y, x = rng.uniform(-13, 13, 400), rng.uniform(-13, 13, 400)
    for v, u in [(0.0, 0.0), (3.5, -1.0), (-2.0, 4.0)]:
        expected = reference_radiance(scene, y, x, v, u)
        np.testing.assert_allclose(scene.radiance(y, x, v, u), expected, atol=4e-3)
        assert expected.min() >= 0


@pytest.mark.parametrize("preset", get_args(ScenePreset))
def test_scenes_have_known_disparity_everywhere(preset) -> None:
    scene = make_scene(preset, FIELD, seed=6)
    y, x = np.meshgrid(np.linspace(-15, 15, 40), np.linspace(-17, 17, 40), indexing="ij")
    disparity = scene.disparity(y, x)
    nearest, farthest = scene.disparity_range
    assert np.all((disparity >= nearest) & (disparity <= farthest))
    assert -0.75 <= nearest <= farthest <= 0.75


def test_texture_holds_detail_up_to_the_finest_grid() -> None:
    scene = make_scene("plane", FIELD, seed=1)
    step = np.sqrt(3) / 2 / 4
    place = step * np.arange(-56, 56)
    picture = scene.radiance(place[:, None], place[None, :], 0.0, 0.0)[..., 1]
    power = np.abs(np.fft.fft2((picture - picture.mean()) * np.hanning(112)[:, None])) ** 2
    frequency = np.abs(np.fft.fftfreq(112))
    high = power[(frequency > 0.25)][:, frequency < 0.5].sum() / power.sum()
    assert 0.002 < high < 0.2


def test_near_layers_hide_far_ones_and_move_against_them() -> None:
    near = np.zeros((60, 68, 4), np.float32)
    near[:, :34] = (0.8, 0.1, 0.1, 1.0)
    far = np.zeros((60, 68, 3), np.float32) + np.float32([0.1, 0.1, 0.8])
    scene = scene_from_pictures([near, far], [-0.4, 0.3], FIELD)
    y, x = np.zeros(5), np.array([-3.0, -1.5, 0.5, 1.5, 3.0])
    red = scene.radiance(y, x, 0.0, 0.0)[:, 0] > 0.4
    assert red.tolist() == [True, True, False, False, False]
    # From the right of the aperture (u > 0) the near edge, D < 0, is seen further left.
    red = scene.radiance(y, x, 0.0, 5.0)[:, 0] > 0.4
    assert red.tolist() == [True, False, False, False, False]
    red = scene.radiance(y, x, 0.0, -5.0)[:, 0] > 0.4
    assert red.tolist() == [True, True, True, True, False]
    np.testing.assert_allclose(scene.disparity(y, x), [-0.4, -0.4, 0.3, 0.3, 0.3], rtol=1e-6)


def test_highlights_move_against_their_surface() -> None:
    scene = make_scene("specular", (60.0, 60.0), seed=2)
    highlights = scene.layers[0]
    assert highlights.texture[..., 3].max() == 0
    assert highlights.texture[..., :3].max() > 1
    surface = scene.layers[1]
    assert abs(highlights.disparity[0, 0] - surface.disparity[0, 0]) > 0.1


def test_pictures_lie_where_they_are_put() -> None:
    picture = np.random.default_rng(1).random((30, 34, 3), np.float32)
    scene = scene_from_pictures([picture], [0.0], FIELD)
    y, x = np.arange(30) - 14.5, np.arange(34) - 16.5
    np.testing.assert_allclose(scene.radiance(y[:, None], x[None, :], 2.0, 1.0), picture, atol=1e-4)


def test_the_seed_alone_decides() -> None:
    first, again, other = (make_scene("thin", FIELD, seed=s) for s in (3, 3, 4))
    for a, b in zip(first.layers, again.layers, strict=True):
        np.testing.assert_array_equal(a.texture, b.texture)
    assert not np.array_equal(first.layers[0].texture, other.layers[0].texture)


def test_wrong_requests_are_refused_with_a_reason() -> None:
    with pytest.raises(SettingsError, match="unknown scene 'moon'; known are layers"):
        make_scene("moon", FIELD, seed=0)
    with pytest.raises(SettingsError, match="takes 3 disparities, got 1"):
        make_scene("layers", FIELD, seed=0, disparities=(0.1,))
    with pytest.raises(ValueError, match="1 pictures but 2 disparities"):
        scene_from_pictures([np.zeros((2, 2, 3), np.float32)], [0.0, 0.1], FIELD)
    with pytest.raises(ValueError, match="1 to 8 layers, got 0"):
        Scene(layers=(), field_pitch=FIELD)


def test_bundles_that_reach_too_far_are_refused() -> None:
    layer = Layer(
        texture=np.ones((2, 2, 4), np.float32),
        texture_frame=(0.0, 0.0, 1.0, 1.0),
        disparity=np.full((2, 2), 3.0, np.float32),
        disparity_frame=(0.0, 0.0, 1.0, 1.0),
    )
    scene = Scene(layers=(layer,), field_pitch=FIELD)
    bundle = np.full((1, 4, 1), 0.6, np.float32)
    with pytest.raises(ValueError, match=r"reach 2\.40 pitches"):
        scene.render(np.zeros((4, 1), np.float32), bundle)
