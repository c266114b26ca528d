from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, LightField, Rays
from lfdfp.decoding import decode
from lfdfp.errors import ImageError, SettingsError
from lfdfp.imaging.color import oriented
from lfdfp.reconstruction.plane import SuperResolvedSlice, refocus_super_resolved
from lfdfp.reconstruction.plane_kernels import apply_sums
from lfdfp.reconstruction.slices import super_resolved_stack
from lfdfp.refocusing import refocus
from lfdfp.refocusing.plane_mask import on_plane
from lfdfp.settings import RefocusSettings
from lfdfp.simulation import SimulatedCapture, camera_model, make_scene, simulate_capture
from tests.factories import tiny_capture


def psnr(picture: FloatArray, truth: FloatArray, border: int = 16) -> float:
    shown = [
        np.clip(x, 0, 1)[border:-border, border:-border] ** (1 / 2.2) for x in (picture, truth)
    ]
    return float(-10 * np.log10(np.mean((shown[0] - shown[1]) ** 2)))


def photographed(disparity_pitch: float) -> tuple[SimulatedCapture, LightField]:
    """A textured plane as a small capture, and a field of its rays (its views are not used)."""
    camera = camera_model("f01", size=(560, 560))
    scene = make_scene("plane", camera.field_pitch, seed=3, disparities=[disparity_pitch])
    capture = simulate_capture(scene, camera, seed=3, rays_per_pixel=16)
    shape = (1, 1, *capture.sampling.shape)
    field = LightField(
        views=np.zeros((*shape, 3), np.float32),
        weights=np.zeros(shape, np.float32),
        sampling=capture.sampling,
        rays=Rays(capture=capture.raw_capture(), calibration=capture.true_calibration()),
    )
    return capture, field


@pytest.fixture(scope="module")
def fractional() -> tuple[SimulatedCapture, LightField, SuperResolvedSlice]:
    capture, field = photographed(-0.217)
    assert field.sampling is not None
    slope = -0.217 * field.sampling.pixels_per_pitch
    return capture, field, refocus_super_resolved(field, slope)


def test_a_plane_shows_more_than_a_perfect_view(
    fractional: tuple[SimulatedCapture, LightField, SuperResolvedSlice],
) -> None:
    """One noisy capture against a view without any noise, aliasing or demosaicing."""
    capture, _, found = fractional
    truth = capture.all_in_focus(2)
    perfect = cv2.resize(capture.all_in_focus(1), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert psnr(found.picture, truth) > psnr(perfect, truth) + 1.5


def test_the_slope_has_the_sign_of_the_conventions(
    fractional: tuple[SimulatedCapture, LightField, SuperResolvedSlice],
) -> None:
    capture, field, found = fractional
    truth = capture.all_in_focus(2)
    wrong = refocus_super_resolved(field, 0.25)
    assert psnr(found.picture, truth) > psnr(wrong.picture, truth) + 5


def test_coverage_says_where_there_is_nothing_to_gain(
    fractional: tuple[SimulatedCapture, LightField, SuperResolvedSlice],
) -> None:
    """In focus, all rays of a lenslet fall on its own place: √3/2 of them per view pixel."""
    _, field, found = fractional
    in_focus = refocus_super_resolved(field, 0.0)
    assert found.coverage.mean() > 0.9
    assert in_focus.coverage.mean() == pytest.approx(np.sqrt(3) / 2 / 4, abs=0.02)


def test_the_normal_matrix_is_symmetric() -> None:
    rng = np.random.default_rng(1)
    sums = rng.random((9, 11, 6), np.float32)
    x, y = rng.random((2, 9, 11), np.float32)
    ax, ay = np.empty_like(x), np.empty_like(y)
    apply_sums(sums, x, ax)
    apply_sums(sums, y, ay)
    assert np.vdot(ax, y) == pytest.approx(np.vdot(x, ay), rel=1e-5)


def test_threads_change_nothing(
    fractional: tuple[SimulatedCapture, LightField, SuperResolvedSlice],
) -> None:
    _, field, _ = fractional
    one = refocus_super_resolved(field, 0.1, steps=1, threads=1)
    several = refocus_super_resolved(field, 0.1, steps=1, threads=3)
    np.testing.assert_array_equal(one.picture, several.picture)


def test_a_field_without_rays_is_refused(
    fractional: tuple[SimulatedCapture, LightField, SuperResolvedSlice],
) -> None:
    _, field, _ = fractional
    with pytest.raises(ImageError, match=r"views but no rays .* give the raw capture itself"):
        refocus_super_resolved(replace(field, rays=None), 0.0)
    with pytest.raises(SettingsError, match="scale must be 1 to 4, got 5"):
        refocus_super_resolved(field, 0.0, scale=5)


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_turned_field_gives_the_turned_picture(
    fractional: tuple[SimulatedCapture, LightField, SuperResolvedSlice], orientation: int
) -> None:
    _, field, _ = fractional
    assert field.sampling is not None
    upright = refocus_super_resolved(field, -0.2, steps=1)
    turned = replace(field, sampling=replace(field.sampling, orientation=orientation))
    found = refocus_super_resolved(turned, -0.2, steps=1)
    np.testing.assert_array_equal(found.picture, oriented(upright.picture, orientation))
    np.testing.assert_array_equal(found.coverage, oriented(upright.coverage, orientation))


def test_a_super_resolved_stack_takes_its_blur_from_the_views() -> None:
    """Near leaves before a far plane: detail on the plane, no pattern of lenslets off it."""
    capture = tiny_capture(size=400, seed=5, disparities=(-0.4, 0.0, 0.3))
    field = decode(capture.raw_capture(), capture.true_calibration())
    assert field.sampling is not None
    slope = 0.3 * field.sampling.pixels_per_pitch
    stack = super_resolved_stack(field, RefocusSettings(slopes=(slope, 1.0, 2)), scale=2)
    single, plain = refocus_super_resolved(field, slope), refocus(field, slope)
    enlarged = cv2.resize(plain, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    truth = capture.disparity(2)
    far = cv2.erode((truth > slope - 0.02).astype(np.uint8), np.ones((17, 17))) > 0
    near = cv2.erode((truth < slope - 0.5).astype(np.uint8), np.ones((9, 9))) > 0
    assert far.sum() > 100
    assert near.sum() > 100
    found = stack.slices[0]
    assert np.abs(found - single.picture)[far].mean() < 0.1 * np.abs(found - enlarged)[far].mean()
    np.testing.assert_allclose(found[near], enlarged[near], atol=1e-6)
    assert stack.coverage is not None
    assert stack.coverage[0][near].mean() < stack.coverage[0][far].mean()


def test_a_stack_without_rays_is_refused(
    fractional: tuple[SimulatedCapture, LightField, SuperResolvedSlice],
) -> None:
    _, field, _ = fractional
    with pytest.raises(ImageError, match="give the raw capture itself"):
        super_resolved_stack(replace(field, rays=None), scale=2)


def test_what_is_near_spreads_over_the_plane_and_what_is_far_is_hidden_by_it() -> None:
    disparity = np.zeros((21, 30), np.float32)
    disparity[:, 15:] = -0.5
    before, behind = (on_plane(disparity, slope, views=9) for slope in (0.0, -0.5))
    np.testing.assert_array_equal(before[:, :12], 1)
    np.testing.assert_array_equal(before[:, 14:], 0)
    np.testing.assert_array_equal(behind[:, 16:], 1)
    np.testing.assert_array_equal(behind[:, :14], 0)
