"""``docs/conventions.md``, held by tests: axes, signs, scales."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, LensletGrid, LightField, ViewSampling
from lfdfp.disparity import estimate_disparity
from lfdfp.fusion import fuse
from lfdfp.imaging.resampling import bicubic
from lfdfp.lenslets.view_sampling import default_view_sampling
from lfdfp.refocusing import focal_stack, refocus
from lfdfp.settings import FusionSettings, RefocusSettings
from lfdfp.simulation import camera_model, make_scene, simulate_capture
from tests.factories import textured_plane

SHAPE = (48, 60)


def _plane(disparity: float) -> LightField:
    return textured_plane(disparity, shape=SHAPE)[0]


def _inner(picture: FloatArray) -> FloatArray:
    return picture[8:-8, 8:-8]


@pytest.mark.parametrize("disparity", [-1.0, 0.0, 2.0])
def test_refocusing_at_its_disparity_brings_a_plane_back(disparity: float) -> None:
    field, texture = textured_plane(disparity, shape=SHAPE)
    picture = refocus(field, disparity)
    np.testing.assert_allclose(_inner(picture), _inner(texture), atol=2e-2)
    wrong = refocus(field, disparity + 1.0)
    assert np.abs(_inner(wrong) - _inner(texture)).mean() > 0.03


def test_disparity_has_the_sign_of_the_definition() -> None:
    estimate = estimate_disparity(_plane(0.5), np.linspace(-1, 1, 9))
    assert np.median(_inner(estimate.disparity)) == pytest.approx(0.5, abs=0.05)


def test_fused_disparity_has_the_sign_of_the_definition() -> None:
    stack = focal_stack(_plane(-0.5), RefocusSettings(slopes=(-1.0, 1.0, 5)))
    result = fuse(stack, FusionSettings(scale=1, preset="fast"))
    assert result.depth is not None
    assert np.median(_inner(result.depth.disparity)) == pytest.approx(-0.5, abs=0.15)


def test_near_is_negative_in_a_simulated_camera() -> None:
    camera = camera_model("f01", size=200)
    scene = make_scene("layers", camera.field_pitch, seed=1)
    disparity = simulate_capture(scene, camera, seed=1).disparity()
    front_first = [float(layer.disparity.mean()) for layer in scene.layers]
    assert front_first == sorted(front_first)
    assert disparity.min() < 0


def test_a_fine_pixel_lies_where_the_formula_says() -> None:
    columns = np.arange(16, dtype=np.float32)
    ramp = np.repeat(columns[None, :, None], 12, axis=0)
    for scale in (2, 3, 4):
        fine = bicubic(ramp, scale)
        expected = (np.arange(16 * scale) + 0.5) / scale - 0.5
        middle = slice(3 * scale, -3 * scale)
        np.testing.assert_allclose(fine[6 * scale, middle, 0], expected[middle], atol=1e-3)


def test_lattice_positions_and_sensor_positions_undo_each_other() -> None:
    rng = np.random.default_rng(0)
    grid = LensletGrid(
        origin_px=(1639.0, 1640.5),
        right_px=(-0.049, 9.93),
        down_px=(8.58, 5.01),
        sensor_shape=(3280, 3280),
        distortion_px=rng.normal(0, 0.3, (2, 10)),
    )
    q, r = rng.uniform(-150, 150, (2, 1000))
    np.testing.assert_allclose(grid.lattice_coordinates(*grid.centers(q, r)), [q, r], atol=1e-8)


def test_a_view_sample_lies_on_lenslet_zero() -> None:
    camera = camera_model("f01", size=400)
    sampling = default_view_sampling(camera.grid)
    steps = -np.array(sampling.origin_pitch) / sampling.step_pitch
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    assert sampling.step_pitch == pytest.approx(np.sqrt(3) / 2)


def test_disparity_in_pitches_per_raw_pixel_converts_by_the_sampling() -> None:
    sampling = ViewSampling(origin_pitch=(0.0, 0.0), angular_step_px=1.0, shape=(4, 4))
    assert sampling.pixels_per_pitch == pytest.approx(2 / np.sqrt(3))
