"""Rendered views and slices agree with the simulated camera, and with the solution itself."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lfdfp.benchmarks.rendering import true_slice, true_view
from lfdfp.datatypes import Depth, LightField, SharpPicture
from lfdfp.decoding import decode
from lfdfp.errors import ImageError, SettingsError
from lfdfp.evaluation.protocol import score
from lfdfp.imaging.resampling import bicubic
from lfdfp.reconstruction.reconstruct import reconstruct
from lfdfp.refocusing import refocus
from lfdfp.refocusing.aperture import round_aperture
from lfdfp.rendering.render import (
    PINHOLE,
    Aperture,
    fine_disparity,
    reduced,
    render,
    render_slice,
    render_view,
    rendered_parts,
    rendered_stack,
    slope_range_of_picture,
    solution_aperture,
)
from lfdfp.simulation import SimulatedCapture
from tests.factories import smooth_texture, tiny_capture

pytestmark = pytest.mark.slow

ROUND = Aperture(half_width=4.5)


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="curved", size=400, seed=5)


@pytest.fixture(scope="module")
def decoded(capture: SimulatedCapture) -> tuple[SharpPicture, LightField]:
    """A solution at scale 2, and the decoded field."""
    field = decode(capture.raw_capture(), capture.true_calibration())
    return reconstruct(field), field


def flat(slope: float, *, scale: int = 2) -> SharpPicture:
    """A solution that shows one plane."""
    t, s = np.arange(48.0)[:, None] / scale, np.arange(56.0)[None, :] / scale
    picture = smooth_texture(3)(t, s)
    return SharpPicture(
        all_in_focus=cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        super_resolved=picture,
        scale=scale,
        depth=Depth(
            disparity=np.full((picture.shape[0] // 2, picture.shape[1] // 2), slope, np.float32),
            fine_disparity=np.full(picture.shape[:2], slope, np.float32),
            angular_shape=(9, 9),
        ),
    )


def disk_before_plane(near: float, far: float) -> SharpPicture:
    """A white disk before a black plane, at scale 1."""
    y, x = np.mgrid[0:60, 0:60] - 29.5
    inside = np.hypot(y, x) < 12
    picture = np.repeat(inside[..., None], 3, axis=2).astype(np.float32)
    disparity = np.where(inside, near, far).astype(np.float32)
    return SharpPicture(
        all_in_focus=picture,
        super_resolved=picture,
        scale=1,
        depth=Depth(disparity=disparity, fine_disparity=disparity),
    )


def test_the_center_view_and_a_pinhole_slice_are_the_solution(
    decoded: tuple[SharpPicture, LightField],
) -> None:
    result, _ = decoded
    np.testing.assert_array_equal(render_view(result, v=0, u=0), result.super_resolved)
    slice_ = render_slice(result, 0.3, aperture=PINHOLE)
    np.testing.assert_array_equal(slice_, result.super_resolved)


@pytest.mark.parametrize(("v", "u"), [(-2, 3), (0, -3), (1, 1)])
def test_a_view_beats_the_decoded_one_enlarged(
    capture: SimulatedCapture, decoded: tuple[SharpPicture, LightField], v: int, u: int
) -> None:
    result, field = decoded
    truth = true_view(capture, v, u)
    ours = score("rendered", truth, render_view(result, v=v, u=u), scale=2)
    view = field.view(field.center[0] + v, field.center[1] + u)
    theirs = score("decoded", truth, bicubic(view, 2), scale=2)
    assert ours.psnr_db > theirs.psnr_db + 2


def test_a_slice_beats_the_plain_one_enlarged(
    capture: SimulatedCapture, decoded: tuple[SharpPicture, LightField]
) -> None:
    result, field = decoded
    nearest, _ = slope_range_of_picture(result)
    truth = true_slice(capture, nearest, 4.5)
    ours = score("rendered", truth, render_slice(result, nearest, aperture=ROUND), scale=2)
    plain = refocus(field, nearest, aperture=round_aperture((9, 9)), equal_weights=True)
    theirs = score("plain", truth, bicubic(plain, 2), scale=2)
    assert ours.psnr_db > theirs.psnr_db + 1


@pytest.mark.parametrize("aperture", [ROUND, Aperture(shape="square", half_width=4.5)])
def test_a_plane_is_sharp_at_its_own_slope_and_blurred_elsewhere(aperture: Aperture) -> None:
    result = flat(0.4)
    inner = np.s_[12:-12, 12:-12]
    sharp = render_slice(result, 0.4, aperture=aperture)[inner]
    np.testing.assert_allclose(sharp, result.super_resolved[inner], atol=1e-5)
    blurred = render_slice(result, 0.0, aperture=aperture)[inner]
    assert blurred.std() < 0.8 * sharp.std()


def test_a_tilted_plane_is_sharp_where_the_tilt_meets_the_slope() -> None:
    result = flat(0.4)
    error = np.abs(
        render_slice(result, 0.0, aperture=ROUND, tilt=(1.6, 0.0)) - result.super_resolved
    ).mean(axis=(1, 2))
    assert abs(int(error[6:-6].argmin()) + 6 - 0.75 * 47) <= 2


def test_a_near_disk_moves_before_the_plane_and_leaves_no_ghost() -> None:
    result = disk_before_plane(-2.0, 0.0)
    y, x = np.mgrid[0:60, 0:60] - 29.5
    moved = np.hypot(y, x + 2.0 * 3) < 12  # near: s falls as u grows
    np.testing.assert_array_equal(render_view(result, v=0, u=3)[..., 0] > 0.5, moved)


def test_a_far_disk_is_hidden_by_a_near_plane() -> None:
    result = disk_before_plane(1.0, 0.0)
    y, x = np.mgrid[0:60, 0:60] - 29.5
    hole = np.hypot(y, x) < 12
    seen = render_view(result, v=0, u=4)[..., 0] > 0.5
    assert not seen[~hole].any()
    assert seen[hole & (np.hypot(y, x - 4) < 11)].all()


def test_a_sharp_near_edge_stays_sharp_in_its_own_slice() -> None:
    result = disk_before_plane(-1.0, 0.5)
    focused = render_slice(result, -1.0, aperture=Aperture(half_width=3.0))[..., 0]
    disk = result.super_resolved[..., 0] > 0.5
    assert focused[disk].min() > 0.99


def test_one_door_gives_views_and_slices_by_the_apertures_name() -> None:
    result = flat(0.4)
    view = render(result, aperture="round:0", viewpoint=(1.0, -2.0))
    np.testing.assert_array_equal(view, render_view(result, v=1.0, u=-2.0))
    slice_ = render(result, 0.1, aperture="square:0.5", tilt=(0.2, 0.0))
    half = Aperture(shape="square", half_width=2.25)
    np.testing.assert_array_equal(slice_, render_slice(result, 0.1, aperture=half, tilt=(0.2, 0.0)))
    with pytest.raises(ImageError, match="how wide"):
        render(disk_before_plane(-1.0, 0.5))


def test_slices_come_as_parts_of_a_stack() -> None:
    result = flat(0.1)
    parts = list(rendered_parts(result, [-0.2, 0.1], aperture=ROUND))
    assert [float(part.slopes[0]) for part in parts if part.slopes is not None] == [-0.2, 0.1]
    assert all(part.scale == 2 for part in parts)
    expected = render_slice(result, 0.1, aperture=ROUND)
    np.testing.assert_array_equal(parts[1].slices[0], expected)
    whole = rendered_stack(result, [-0.2, 0.1], aperture=ROUND)
    np.testing.assert_array_equal(whole.slices[1], expected)
    np.testing.assert_array_equal(whole.slopes, [-0.2, 0.1])
    assert slope_range_of_picture(result) == pytest.approx((0.1, 0.1))


def test_a_reduced_result_shows_the_same_scene() -> None:
    result = flat(0.3)
    half = reduced(result, 2)
    assert half.scale == 1
    np.testing.assert_allclose(half.super_resolved, result.all_in_focus, atol=1e-6)
    np.testing.assert_array_equal(fine_disparity(half), np.full((24, 28), 0.3, np.float32))
    with pytest.raises(ValueError, match="3 does not divide"):
        reduced(result, 3)


def test_a_coarse_disparity_serves_where_there_is_no_fine_one() -> None:
    result = replace(flat(0.2), depth=Depth(disparity=np.full((24, 28), 0.2, np.float32)))
    np.testing.assert_array_equal(fine_disparity(result), np.full((48, 56), 0.2, np.float32))
    with pytest.raises(ImageError, match="no depth"):
        render_view(replace(result, depth=None), v=0, u=1)


def test_apertures_are_named_in_widths_of_the_grid_of_views() -> None:
    result = flat(0.0)
    assert solution_aperture(result, "round:0.5") == Aperture(half_width=2.25)
    assert solution_aperture(result, "square") == Aperture(shape="square", half_width=4.5)
    unknown = replace(result, depth=Depth(disparity=np.zeros((24, 28), np.float32)))
    assert solution_aperture(unknown, "round:0") == PINHOLE
    for name in ("oval", "round:-1", "round:9", "round:f/4"):
        with pytest.raises(SettingsError, match="aperture"):
            solution_aperture(result, name)
    with pytest.raises(ImageError, match="how wide"):
        solution_aperture(unknown, "round")
