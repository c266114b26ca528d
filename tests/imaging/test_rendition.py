from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, FocalStack, RayEvidence, SharpPicture
from lfdfp.imaging.color import camera_to_srgb_matrix, luminance
from lfdfp.imaging.rendition import (
    SHOULDER_END,
    SHOULDER_START,
    CameraColors,
    ErasedColor,
    Rendition,
    balanced,
    rendered,
    rendered_picture,
    rendered_stack,
    rendition_for,
    shoulder,
)
from lfdfp.settings import DisplaySettings
from lfdfp.simulation import camera_model

CAMERA = camera_model("f01").color
PLAIN = Rendition(camera=CAMERA, balance=CAMERA.white_balance)
LINEAR = replace(PLAIN, tone="linear")


def _flat(*rgb: float, size: int = 24) -> FloatArray:
    return np.tile(np.array(rgb, np.float32), (size, size, 1))


def _seen_as(raw: FloatArray) -> FloatArray:
    """Linear sRGB of raw light."""
    return np.asarray(raw @ camera_to_srgb_matrix(CAMERA).T.astype(np.float32), np.float32)


def _colors(seed: int) -> FloatArray:
    return np.random.default_rng(seed).uniform(0.1, 0.6, (24, 24, 3)).astype(np.float32)


def test_mid_tones_of_any_color_are_shown_as_they_are() -> None:
    light = _flat(0.5, 0.3, 0.2)
    np.testing.assert_allclose(rendered(light, PLAIN), light, rtol=1e-4)


def test_the_shoulder_is_smooth_rises_and_ends_in_white() -> None:
    light = np.linspace(-0.2, 3, 20_001, dtype=np.float32)
    shown = shoulder(light)
    below = light <= SHOULDER_START
    np.testing.assert_array_equal(shown[below], light[below])
    np.testing.assert_array_equal(shown[light >= SHOULDER_END], 1)
    slope = np.diff(shown) / np.diff(light)
    assert slope.min() > -1e-3
    assert np.abs(np.diff(slope)).max() < 0.01  # no corner


def test_a_linear_tone_has_no_shoulder() -> None:
    light = _flat(1.2, 1.2, 1.2)
    np.testing.assert_allclose(rendered(light, LINEAR), 1.2, rtol=1e-5)


@pytest.mark.parametrize("ev", [-1.5, 0.0, 2.0])
def test_exposure_is_a_factor(ev: float) -> None:
    light = _colors(1)
    settings = DisplaySettings(exposure_ev=ev)
    rendition = rendition_for(settings, light, CameraColors(data=CAMERA))
    np.testing.assert_allclose(balanced(light, rendition), light * 2**ev, rtol=1e-3, atol=1e-4)


def test_gains_are_those_of_the_raw_channels() -> None:
    raw = _colors(2)
    settings = DisplaySettings(white_balance="1.9,1,1.4")
    rendition = rendition_for(settings, raw, CameraColors(data=CAMERA))
    other = replace(CAMERA, white_balance=(1.9, 1.0, 1.4))
    wanted = raw @ camera_to_srgb_matrix(other).T
    np.testing.assert_allclose(balanced(_seen_as(raw), rendition), wanted, rtol=1e-3, atol=1e-3)


def test_an_automatic_balance_makes_a_gray_wall_gray() -> None:
    wall = _seen_as(_flat(0.30, 0.25, 0.11))
    rendition = rendition_for(
        DisplaySettings(white_balance="auto"), wall, CameraColors(data=CAMERA)
    )
    shown = balanced(wall, rendition)
    assert np.ptp(shown, axis=-1).max() < 0.01 * shown.max()


def test_light_in_which_a_channel_is_saturated_is_neutral() -> None:
    """Green stops at its white level, so that a bright white would turn pink."""
    clipped = _seen_as(np.minimum(1.4 / np.array(CAMERA.white_balance), 1.3) * _flat(1, 1, 1))
    assert np.ptp(clipped, axis=-1).max() > 0.1
    assert np.ptp(rendered(clipped, LINEAR), axis=-1).max() < 1e-3


def test_no_channel_falls_below_black_and_luminance_stays() -> None:
    noise = np.random.default_rng(3).normal(0.02, 0.02, (32, 32, 3)).astype(np.float32)
    shown = rendered(noise, LINEAR)
    bright = luminance(noise) > 0
    assert (shown[bright] >= -1e-6).all()
    np.testing.assert_allclose(luminance(shown), luminance(noise), atol=1e-6)


def test_chroma_within_its_noise_goes_and_certain_chroma_stays() -> None:
    rng = np.random.default_rng(4)
    error = np.full((64, 64), 0.012, np.float32)
    dark = _flat(0.02, 0.02, 0.02, size=64)
    noisy = dark + rng.normal(0, 0.02, dark.shape).astype(np.float32)
    held = rendered(noisy, LINEAR, standard_error=error)
    before, after = (np.ptp(x, axis=-1).mean() for x in (rendered(noisy, LINEAR), held))
    assert after < 0.25 * before
    colored = _flat(0.5, 0.2, 0.1, size=64)
    kept = rendered(colored, LINEAR, standard_error=error)
    assert np.abs(kept - colored).max() < 0.03


def test_noise_around_a_certain_color_goes_and_a_certain_edge_stays() -> None:
    rng = np.random.default_rng(5)
    error = np.full((64, 64), 0.004, np.float32)
    flat = _flat(0.4, 0.15, 0.1, size=64)
    noisy = flat + rng.normal(0, 0.008, flat.shape).astype(np.float32)
    shown = rendered(noisy, LINEAR, standard_error=error)
    chroma = [x - luminance(x)[..., None] for x in (flat, noisy, shown)]
    before, after = (float(np.abs(x - chroma[0]).mean()) for x in chroma[1:])
    assert after < 0.5 * before
    edge = flat.copy()
    edge[:, 32:] = (0.1, 0.15, 0.4)
    np.testing.assert_allclose(rendered(edge, LINEAR, standard_error=error), edge, atol=0.03)


def test_equal_raw_codes_are_gray_where_compression_erased_colors() -> None:
    """White balance makes them purple; a color that survived stays."""
    dark = _seen_as(_flat(0.05, 0.05, 0.05))
    erased = replace(LINEAR, erased=ErasedColor(green=0.03, red_blue=0.04))
    assert np.ptp(rendered(dark, LINEAR), axis=-1).min() > 0.01
    assert np.ptp(rendered(dark, erased), axis=-1).max() < 1e-3
    orange = _seen_as(_flat(0.36, 0.16, 0.08))
    np.testing.assert_allclose(rendered(orange, erased), rendered(orange, LINEAR), atol=0.02)


def test_pictures_of_others_keep_their_tone_and_colors() -> None:
    light = _colors(5) + 0.5
    np.testing.assert_array_equal(rendered(light, Rendition()), light)


def test_gray_pictures_are_rendered_too() -> None:
    gray = np.full((8, 8, 1), 1.5, np.float32)
    shown = rendered(gray, replace(PLAIN, gain=0.5))
    np.testing.assert_allclose(shown, 0.75, rtol=1e-6)


def test_a_whole_picture_is_rendered_and_its_input_stays() -> None:
    fine = _colors(6)
    coarse = fine[::2, ::2].copy()
    evidence = RayEvidence(
        observability=np.ones((24, 24), np.float32),
        standard_error=np.full((24, 24), 1e-5, np.float32),
    )
    picture = SharpPicture(all_in_focus=coarse, super_resolved=fine, scale=2, evidence=evidence)
    before = fine.copy()
    brighter = replace(LINEAR, gain=2.0)
    shown = rendered_picture(picture, brighter)
    assert shown.evidence is evidence
    assert shown.super_resolved.mean() == pytest.approx(2 * fine.mean(), rel=0.05)
    np.testing.assert_array_equal(fine, before)
    stack = FocalStack(slices=np.stack([coarse, coarse]), reference_view=coarse)
    slices = rendered_stack(stack, brighter)
    assert slices.reference_view is not None
    np.testing.assert_array_equal(slices.reference_view, slices.slices[0])


@pytest.mark.parametrize("erased", [None, ErasedColor(green=0.03, red_blue=0.04)])
def test_what_is_known_of_colors_comes_back_from_a_file(erased: ErasedColor | None) -> None:
    known = CameraColors(data=CAMERA, model="F01", erased=erased)
    assert CameraColors.told(json.loads(json.dumps(asdict(known)))) == known


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"data": {}, "model": "", "erased": None},
        {"data": {"white_balance": [1, 1], "camera_to_srgb": [], "exposure_bias_ev": 0}},
        asdict(CameraColors(data=replace(CAMERA, camera_to_srgb=((0, 0, 0),) * 3))),
    ],
)
def test_other_records_say_nothing_of_colors(record: object) -> None:
    assert CameraColors.told(record) is None
