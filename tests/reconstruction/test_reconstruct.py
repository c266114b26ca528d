"""The whole reconstruction from rays on small simulated captures."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, RayEvidence, Rays, SharpPicture
from lfdfp.decoding import decode
from lfdfp.errors import CaptureError, ImageError, SettingsError
from lfdfp.imaging.color import LUMINANCE_WEIGHTS
from lfdfp.reconstruction.reconstruct import reconstruct
from lfdfp.reconstruction.solution import area_average
from lfdfp.settings import FusionSettings
from lfdfp.simulation import Imperfections, SimulatedCapture
from tests.factories import ray_field, tiny_capture, true_field

pytestmark = pytest.mark.slow


def run(capture: SimulatedCapture, scale: int = 2) -> SharpPicture:
    return reconstruct(ray_field(capture), FusionSettings(scale=scale))


def evidence(picture: SharpPicture) -> RayEvidence:
    assert isinstance(picture.evidence, RayEvidence)
    return picture.evidence


def psnr(picture: FloatArray, truth: FloatArray, border: int) -> float:
    a, b = (np.clip(p, 0, 1)[border:-border, border:-border] ** (1 / 2.2) for p in (picture, truth))
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="curved", size=400, seed=5)


@pytest.fixture(scope="module")
def result(capture: SimulatedCapture) -> SharpPicture:
    return run(capture, scale=4)


def test_it_beats_a_perfect_view(capture: SimulatedCapture, result: SharpPicture) -> None:
    view = capture.view(0.0, 0.0)
    bicubic = cv2.resize(view, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    truth = capture.all_in_focus(4)
    assert psnr(result.super_resolved, truth, 16) > psnr(bicubic, truth, 16) + 2


def test_disparity_is_right_and_near_is_negative(
    capture: SimulatedCapture, result: SharpPicture
) -> None:
    assert result.depth is not None
    error = np.abs(result.depth.disparity - capture.disparity(1))[3:-3, 3:-3]
    assert np.median(error) < 0.015
    assert result.depth.disparity.min() < -0.1


def test_it_says_how_it_was_made(result: SharpPicture) -> None:
    made, depth = result.provenance, result.depth
    assert (made.data_term, made.prior) == ("rays", "total variation")
    assert made.losses["prior_strength"] > 0
    assert made.settings["scale"] == 4
    assert depth is not None
    assert depth.angular_shape == (9, 9)
    assert depth.confidence is not None
    assert 0 <= depth.confidence.min() <= depth.confidence.max() <= 1
    seen = evidence(result).observability
    assert 0 <= seen.min() <= seen.max() <= 1


def test_rims_of_lens_images_are_used_unless_neighbors_shine_into_them(
    result: SharpPicture,
) -> None:
    leaking = tiny_capture(
        "f01", scene="curved", size=400, seed=5, imperfections=Imperfections(crosstalk=1.0)
    )
    assert result.provenance.losses["ray_radius_pitch"] == pytest.approx(0.5)
    assert run(leaking).provenance.losses["ray_radius_pitch"] == pytest.approx(0.42)


def test_scales_average_one_solution(capture: SimulatedCapture, result: SharpPicture) -> None:
    half = run(capture, scale=2)
    shape = capture.sampling.shape
    np.testing.assert_allclose(
        half.super_resolved, area_average(result.super_resolved, shape, 2), atol=1e-6
    )
    np.testing.assert_array_equal(half.all_in_focus, result.all_in_focus)
    third = area_average(result.super_resolved, shape, 3)
    assert third.shape == (3 * shape[0], 3 * shape[1], 3)
    np.testing.assert_allclose(area_average(third, shape, 1), half.all_in_focus, atol=1e-5)


def test_observability_tells_measured_detail_from_the_views_own_limit(
    capture: SimulatedCapture, result: SharpPicture
) -> None:
    coarse, fine = (evidence(one).observability for one in (run(capture, scale=1), result))
    assert np.median(coarse) > 0.5 > 5 * np.median(fine)
    level = tiny_capture("f01", scene="plane", size=256, disparities=(0.0,))
    moved = tiny_capture("f01", scene="plane", size=256, disparities=(0.3,))
    blind, seeing = (evidence(run(c, scale=2)).observability for c in (level, moved))
    assert np.median(seeing) > 2 * np.median(blind)


def test_the_standard_error_is_the_spread_over_draws_of_the_noise() -> None:
    capture = tiny_capture("f01", scene="plane", size=300, disparities=(0.3,))
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    noise = rays.calibration.noise
    assert noise is not None
    codes = rays.capture.mosaic.astype(float)
    variance = noise.read_variance + noise.shot_gain * np.clip(codes - 168, 0, None)
    lumas, stated = [], []
    for seed in range(4):
        more = np.sqrt(variance) * np.random.default_rng(seed).standard_normal(codes.shape)
        mosaic = np.clip(np.rint(codes + more), 0, 4095).astype(np.uint16)
        drawn = dataclasses.replace(rays, capture=dataclasses.replace(rays.capture, mosaic=mosaic))
        made = reconstruct(ray_field(capture, drawn))
        lumas.append(made.super_resolved[8:-8, 8:-8] @ LUMINANCE_WEIGHTS)
        error = evidence(made).standard_error
        assert error is not None
        stated.append(error[8:-8, 8:-8])
    spread = np.sqrt(np.var(lumas, axis=0, ddof=1).mean())
    # The noise that was added is half of what the rays hold in all.
    assert np.sqrt(np.square(stated).mean()) / np.sqrt(2) == pytest.approx(spread, rel=0.25)


def test_a_device_that_is_not_there_is_refused(capture: SimulatedCapture) -> None:
    with pytest.raises(SettingsError, match="device 'abacus' cannot be used"):
        reconstruct(ray_field(capture), FusionSettings(device="abacus"))


def test_solving_by_torch_gives_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    capture = tiny_capture("f01", scene="plane", size=256, disparities=(0.2,))
    compiled = run(capture)
    monkeypatch.setattr(
        "lfdfp.reconstruction.state.solver_device", lambda name: torch.device("cpu")
    )
    difference = run(capture).super_resolved - compiled.super_resolved
    assert np.sqrt(np.square(difference).mean()) < 1e-3


def test_a_flat_field_stays_flat() -> None:
    capture = tiny_capture("f01", scene="plane", size=256, disparities=(0.1,))
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    mosaic = np.rint(168 + 1500 * rays.calibration.response).astype(np.uint16)
    flat = dataclasses.replace(rays, capture=dataclasses.replace(rays.capture, mosaic=mosaic))
    picture = reconstruct(
        ray_field(capture, flat), FusionSettings(scale=1), disparity_range=(-0.3, 0.3)
    ).all_in_focus
    middle = picture[2:-2, 2:-2]
    assert np.abs(middle / middle.mean(axis=(0, 1)) - 1).max() < 0.01


def test_a_field_without_rays_is_refused_with_what_to_do(capture: SimulatedCapture) -> None:
    with pytest.raises(ImageError, match=r"give the raw capture itself, or fuse a focal stack"):
        reconstruct(true_field(capture, radius=0))


def test_a_black_capture_is_refused() -> None:
    capture = tiny_capture("f01", size=256)
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    black = dataclasses.replace(
        rays.capture, mosaic=np.full_like(rays.capture.mosaic, rays.capture.black_codes[0])
    )
    with pytest.raises(CaptureError, match="no pixel of the capture carries light"):
        reconstruct(ray_field(capture, dataclasses.replace(rays, capture=black)))


def test_bright_things_that_vanished_are_told_of() -> None:
    shown = [
        reconstruct(decode(capture.raw_capture(), capture.true_calibration()))
        for capture in (
            tiny_capture("illum", scene="nearly-black", size=800, seed=1),
            tiny_capture("f01", scene="night-sky", size=400, seed=1),
        )
    ]
    warnings = [" ".join(picture.provenance.warnings) for picture in shown]
    assert "of the light is missing from the picture" in warnings[0]
    assert "of the light is missing" not in warnings[1]
