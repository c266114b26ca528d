from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, LightField, Rays
from lfdfp.errors import ImageError, SettingsError
from lfdfp.evaluation.adjoint import dot_test
from lfdfp.imaging.color import oriented
from lfdfp.reconstruction.plane import SuperResolvedSlice, refocus_super_resolved
from lfdfp.reconstruction.plane_kernels import apply_sums
from lfdfp.simulation import SimulatedCapture, camera_model, make_scene, simulate_capture


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

    def applied(x: FloatArray) -> FloatArray:
        image = np.empty_like(x)
        apply_sums(sums, x, image)
        return image

    assert dot_test(applied, applied, (9, 11), (9, 11), rng) < 1e-6


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
