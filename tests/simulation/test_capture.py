from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import BAYER_COLOR
from lfdfp.simulation import (
    NOISY,
    Imperfections,
    SimulatedCapture,
    camera_model,
    make_scene,
    scene_from_pictures,
    simulate_capture,
)
from lfdfp.simulation.capture import sample_positions
from tests.factories import tiny_capture

GRAY = (0.4, 0.4, 0.4)


def even_capture(name, color=GRAY, **flaws) -> SimulatedCapture:
    model = camera_model(name, size=256, imperfections=Imperfections(**flaws))
    picture = np.full((4, 4, 3), color, np.float32)
    scene = scene_from_pictures([picture], [0.1], model.field_pitch)
    return simulate_capture(scene, model, seed=1, rays_per_pixel=16)


@pytest.mark.parametrize("name", ["f01", "illum"])
def test_an_even_scene_gives_response_times_its_camera_color(name) -> None:
    capture = even_capture(name)
    raw = capture.raw_capture()
    gain = 2.0 ** -(raw.color.exposure_bias_ev + (1 if name == "f01" else 0))
    for channel, rows, columns, black, white in raw.bayer_planes():
        level = GRAY[0] / gain / raw.color.white_balance[BAYER_COLOR[channel]]
        codes = raw.mosaic[rows, columns].astype(float)
        expected = black + (white - black) * level * capture.response[rows, columns]
        assert np.mean(codes - expected) == pytest.approx(0.0, abs=2e-4 * (white - black))


def test_colors_come_back_through_the_metadata() -> None:
    color = np.array([0.5, 0.2, 0.1])
    capture = even_capture("illum", tuple(color))
    raw = capture.raw_capture()
    camera = np.zeros(3)
    for channel, rows, columns, black, white in raw.bayer_planes():
        signal = (raw.mosaic[rows, columns] - black).sum() / (white - black)
        camera[BAYER_COLOR[channel]] = signal / capture.response[rows, columns].sum()
    seen = np.array(raw.color.camera_to_srgb) @ (camera * raw.color.white_balance)
    np.testing.assert_allclose(seen * 2.0**-raw.color.exposure_bias_ev, color, atol=2e-3)


def test_noise_has_the_variance_of_the_model() -> None:
    capture = even_capture("f01", relative_noise=0.03)
    raw, noise = capture.raw_capture(), capture.camera.noise
    channel, rows, columns, black, white = raw.bayer_planes()[1]
    gain = 2.0 ** (1.11 - 1)
    level = GRAY[0] / gain / raw.color.white_balance[BAYER_COLOR[channel]]
    signal = (white - black) * level * capture.response[rows, columns].astype(float)
    error = raw.mosaic[rows, columns] - black - signal
    for low, high in [(0, 700), (700, 1100), (1100, 1600)]:
        chosen = (signal >= low) & (signal < high)
        s = signal[chosen]
        model = noise.read_variance + noise.shot_gain * s + (noise.relative * s) ** 2
        assert np.mean(error[chosen] ** 2 / model) == pytest.approx(1.0, abs=0.06)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first, second = (tiny_capture.__wrapped__(seed=s) for s in (4, 4))
    other = tiny_capture.__wrapped__(seed=5)
    assert first.mosaic.tobytes() == second.mosaic.tobytes()
    assert first.white_mosaic.tobytes() == second.white_mosaic.tobytes()
    assert first.mosaic.tobytes() != other.mosaic.tobytes()


def test_pictures_average_one_another() -> None:
    capture = tiny_capture()
    fine = capture.all_in_focus(4)
    rows, columns, _ = fine.shape
    boxed = fine.reshape(rows // 2, 2, columns // 2, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(capture.all_in_focus(2), boxed, atol=1e-6)
    third = capture.all_in_focus(3)
    boxed = third.reshape(rows // 4, 3, columns // 4, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(capture.all_in_focus(1), boxed, atol=0.03)


def test_a_plane_is_seen_shifted_by_its_disparity() -> None:
    capture = tiny_capture(scene="plane", disparities=(-0.25,))
    y, x = np.meshgrid(np.arange(-6, 6, 0.7), np.arange(-6, 6, 0.7), indexing="ij")
    v, u = 3.0, -2.0
    center = capture.light_at(y, x, 0.0, 0.0)
    seen = capture.light_at(y - 0.25 * v, x - 0.25 * u, v, u)
    np.testing.assert_allclose(seen, center, atol=2e-5)


def test_disparity_is_given_in_view_pixels_per_step() -> None:
    capture = tiny_capture(scene="plane", disparities=(-0.25,))
    np.testing.assert_allclose(capture.disparity(), -0.25 * 2 / np.sqrt(3), rtol=1e-5)
    np.testing.assert_allclose(capture.disparity_pitch(2), -0.25, rtol=1e-6)


def test_raw_pixels_see_what_their_lenslets_direction_shows() -> None:
    capture = tiny_capture(scene="plane", disparities=(0.2,), camera="illum")
    raw, grid = capture.raw_capture(), capture.camera.grid
    channel, rows, columns, black, white = raw.bayer_planes()[0]
    row, column = np.mgrid[0:256:2, 0:256:2] + 0.0
    q, r = grid.lattice_coordinates(row, column)
    near_q, near_r = np.round(q), np.round(r)
    v = (r - near_r) * np.sqrt(3) / 2 * grid.pitch_px
    u = (q - near_q + (r - near_r) / 2) * grid.pitch_px
    chosen = (np.hypot(v, u) < 4) & (capture.response[rows, columns] > 0.5)
    y, x = near_r * np.sqrt(3) / 2, near_q + near_r / 2
    points = np.flatnonzero(chosen)[::37]
    measured = (
        (raw.mosaic[rows, columns] - black) / (white - black) / capture.response[rows, columns]
    )
    expected = [capture.light_at(y.flat[[n]], x.flat[[n]], v.flat[n], u.flat[n])[0] for n in points]
    gain = 2.0**0.26
    matrix = np.linalg.inv(
        gain * np.array(raw.color.camera_to_srgb) @ np.diag(raw.color.white_balance)
    )
    light = np.array(expected) @ matrix[BAYER_COLOR[channel]]
    error = measured.flat[points] - light
    assert np.std(error) < 0.02
    assert abs(np.mean(error)) < 0.004


def test_crosstalk_leaves_an_even_scene_even_and_mixes_a_detailed_one() -> None:
    even = even_capture("f01", crosstalk=1.0)
    level = np.median((even.mosaic - 168.0)[::2, ::2] / np.maximum(even.response[::2, ::2], 0.3))
    other = even_capture("f01")
    plain = np.median((other.mosaic - 168.0)[::2, ::2] / np.maximum(other.response[::2, ::2], 0.3))
    assert level == pytest.approx(plain, rel=2e-3)
    clean = tiny_capture(scene="plane", disparities=(0.3,))
    mixed = tiny_capture(
        scene="plane", disparities=(0.3,), imperfections=Imperfections(crosstalk=1.0)
    )
    change = np.abs(mixed.mosaic.astype(float) - clean.mosaic)
    rim = clean.response < 0.3
    assert change[rim].mean() > 4 * change[clean.response > 0.9].mean()


def test_the_white_image_can_be_wrong_by_a_given_share() -> None:
    right = even_capture("f01", white_image_error=0.0)
    wrong = even_capture("f01", white_image_error=0.02)
    bright = right.response > 0.3
    ratio = (wrong.white_mosaic[bright] - 168.0) / (right.white_mosaic[bright] - 168.0)
    assert 0.003 < abs(np.mean(ratio) - 1) + np.std(ratio) < 0.06
    np.testing.assert_array_equal(wrong.mosaic, right.mosaic)


def test_the_white_image_measures_the_response() -> None:
    capture = even_capture(
        "illum", cat_eye_px=1.0, lenslet_gain_spread=0.03, pixel_gain_spread=0.01
    )
    white = capture.white_capture()
    _, rows, columns, black, level = white.bayer_planes()[0]
    seen = (white.mosaic[rows, columns] - black) / (level - black)
    truth = capture.response[rows, columns]
    gain = (seen * truth).sum() / (truth * truth).sum()
    assert np.std(seen / gain - truth) < 0.02
    assert gain == pytest.approx(0.7, abs=0.01)


def test_too_much_light_saturates() -> None:
    capture = even_capture("illum", (3.0, 3.0, 3.0))
    assert capture.mosaic.max() == 1023
    assert np.mean(capture.mosaic == 1023) > 0.5


def test_hot_pixels_are_bright_in_both_images_and_marked() -> None:
    capture = even_capture("f01", (0.02, 0.02, 0.02), hot_pixels=1e-3)
    hot = capture.response == 0
    assert 40 < hot.sum() <= 66
    assert capture.mosaic[hot].mean() > 3 * capture.mosaic[~hot].mean()


def test_threads_do_not_change_the_result() -> None:
    model = camera_model("f01", size=200)
    picture = np.random.default_rng(0).random((40, 40, 3), np.float32)
    scene = scene_from_pictures([picture], [-0.2], model.field_pitch)
    done = []
    one = simulate_capture(scene, model, seed=3, rays_per_pixel=16)
    two = simulate_capture(
        scene,
        model,
        seed=3,
        rays_per_pixel=16,
        threads=2,
        progress=lambda n, of: done.append((n, of)),
    )
    np.testing.assert_array_equal(one.mosaic, two.mosaic)
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_more_rays_change_less_than_the_noise() -> None:
    model = camera_model("f01", size=128, imperfections=Imperfections(noise_factor=0.0))
    scene = make_scene("layers", model.field_pitch, seed=2)
    few, many = (
        simulate_capture(scene, model, seed=3, rays_per_pixel=n).mosaic.astype(float)
        for n in (64, 256)
    )
    assert np.std(few - many) / (4095 - 168) < 0.003


def test_real_files_views_and_truth_share_one_grid() -> None:
    capture = tiny_capture("illum", size=320)
    y, x = sample_positions(capture.sampling, 1)
    rows, columns = capture.sampling.shape
    assert (y.size, x.size) == (rows, columns)
    fine_y, _ = sample_positions(capture.sampling, 4)
    np.testing.assert_allclose(fine_y.reshape(-1, 4).mean(axis=1), y[:, 0], atol=1e-12)
    assert np.abs(y).min() == pytest.approx(0, abs=1e-12)
    assert capture.all_in_focus(4).shape == (4 * rows, 4 * columns, 3)
    blur = np.abs(capture.view(0, 0) - capture.all_in_focus(1)).mean()
    assert blur < 0.01


def test_every_scene_and_flaw_makes_a_capture() -> None:
    for scene in ("slanted", "curved", "thin", "specular", "flat"):
        capture = tiny_capture(scene=scene, imperfections=NOISY, size=160, iso=800)
        assert 168 < np.median(capture.mosaic) < 3000
