"""Motion of stacks: found to a tenth of a pixel where there is one, none where focus changes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lfdfp.alignment.motions import motion_matrix, warped
from lfdfp.alignment.stack_motion import measured_links, solved
from lfdfp.alignment.tile_shifts import levels_of
from lfdfp.datatypes import FloatArray
from lfdfp.imaging.display import decode_srgb, encode
from tests.alignment.stacks import (
    SHAPE,
    focused,
    grainy_picture,
    largest_error,
    leaning_stack,
    moved_stack,
    still_stack,
    terraced,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_drift_and_breathing_are_found_to_a_tenth_of_a_pixel(noise: float) -> None:
    stack, motions = moved_stack(8, reference=3, noise=noise)
    found = solved(measured_links(map(levels_of, stack)), 3, range(8))
    assert found.model == "similarity"
    errors = [largest_error(found.matrices[k], motions[k]) for k in range(8)]
    assert max(rms for rms, _ in errors) < 0.1
    assert max(largest for _, largest in errors) < 0.2
    assert max(found.uncertainties_px.values()) < 0.15


@pytest.mark.parametrize("number", [2, 6])
def test_a_still_camera_stays_still(number: int) -> None:
    links = measured_links(map(levels_of, still_stack(number)))
    found = solved(links, 0, range(number))
    assert found.model == "none"
    for matrix in found.matrices.values():
        np.testing.assert_array_equal(matrix, np.eye(3))


@pytest.mark.parametrize("kind", ["slope", "hill"])
def test_surfaces_that_lean_and_spread_as_they_blur_are_no_motion(kind: str) -> None:
    stack = leaning_stack(kind, 7)
    found = solved(measured_links(map(levels_of, stack)), 3, range(7))
    assert found.model == "none"
    assert all(np.array_equal(matrix, np.eye(3)) for matrix in found.matrices.values())


def test_breathing_is_found_although_surfaces_lean() -> None:
    steps = [motion_matrix(np.array([0.7, -0.4, 0.9]) * (k - 3), SHAPE) for k in range(7)]
    stack = [
        warped(one, np.linalg.inv(step))
        for one, step in zip(leaning_stack("hill", 7), steps, strict=True)
    ]
    found = solved(measured_links(map(levels_of, stack)), 3, range(7))
    assert found.model == "similarity"
    assert max(largest_error(found.matrices[k], steps[k])[0] for k in range(7)) < 0.4


@pytest.mark.parametrize("brightness", [0.8, 2.5])
def test_blur_of_a_bright_specimen_on_black_is_no_magnification(brightness: float) -> None:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot((columns - 160) / 100, (rows - 120) / 80).astype(np.float32)
    light = brightness * decode_srgb(grainy_picture()) * (distance < 1)[..., None]
    depth = np.clip(1 - distance, 0, 1)
    stack = [np.clip(focused(light, depth, f, 9.0), 0, 1) for f in np.linspace(0, 1, 6)]
    assert solved(measured_links(map(levels_of, stack)), 2, range(6)).model == "none"


def _terraces(brightness: float) -> list[FloatArray]:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot((columns - 160) / 110, (rows - 120) / 90).astype(np.float32)
    light = brightness * decode_srgb(grainy_picture()) * (distance < 1)[..., None]
    depth = np.clip(1 - distance, 0, 1)
    return [np.clip(terraced(light, depth, f, 9.0), 0, 1) for f in np.linspace(0, 1, 6)]


@pytest.mark.parametrize("brightness", [0.8, 2.5])
def test_terraces_that_spread_as_they_blur_are_no_magnification(brightness: float) -> None:
    stack = _terraces(brightness)
    assert solved(measured_links(map(levels_of, stack)), 2, range(6)).model == "none"


def test_a_shift_of_terraces_is_no_magnification_either() -> None:
    stack = _terraces(0.8)
    moved = [
        np.clip(warped(one, motion_matrix(np.array([1.2 * k, -0.7 * k]), SHAPE)), 0, 1)
        for k, one in enumerate(stack)
    ]
    found = solved(measured_links(map(levels_of, moved)), 2, range(6))
    assert found.model == "shift"
    truth = [motion_matrix(np.array([-1.2, 0.7]) * (k - 2), SHAPE) for k in range(6)]
    assert max(largest_error(found.matrices[k], truth[k])[0] for k in range(6)) < 0.4


def test_blur_that_a_program_made_in_encoded_values_is_no_motion() -> None:
    picture = grainy_picture()
    half = np.s_[:, : SHAPE[1] // 2]
    blurred = cv2.GaussianBlur(picture, (0, 0), 3.0)
    near, far = blurred.copy(), picture.copy()
    near[half], far[half] = picture[half], blurred[half]
    links = measured_links(levels_of(decode_srgb(one)) for one in (near, far))
    assert solved(links, 0, range(2)).model == "none"


def test_photographs_pass_by_once() -> None:
    stack = still_stack(9)
    links = measured_links(levels_of(one) for one in stack)
    assert {k.second - k.first for k in links.links} == {1, 2, 6}


def test_flat_photographs_have_no_motion() -> None:
    flat = np.full((3, 80, 90, 3), 0.2, np.float32)
    links = measured_links(map(levels_of, flat))
    assert all(k.motion.agreement is None for k in links.links)
    assert solved(links, 1, range(3)).model == "none"


def _turned(light: FloatArray, degrees: float, magnification: float) -> FloatArray:
    matrix = cv2.getRotationMatrix2D((159.5, 119.5), degrees, magnification)
    return np.asarray(cv2.warpAffine(light, matrix, SHAPE[::-1], flags=cv2.INTER_CUBIC))


@pytest.mark.parametrize(("degrees", "magnification"), [(180, 1.0), (25, 1.0), (0, 1.15)])
def test_large_turns_and_breathing_are_found(degrees: float, magnification: float) -> None:
    stack = list(still_stack(3, widest_px=3.0))
    stack[2] = _turned(stack[2], degrees, magnification)
    truth = np.vstack([cv2.getRotationMatrix2D((159.5, 119.5), degrees, magnification), [0, 0, 1]])
    found = solved(measured_links(map(levels_of, stack)), 0, range(3))
    assert largest_error(found.matrices[2], truth)[0] < 0.15
    assert largest_error(found.matrices[1], np.eye(3))[0] < 0.1


def test_encoding_is_undone_before_levels_are_made() -> None:
    light = still_stack(2)[0]
    levels = levels_of(light)
    weights = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(levels.linear[0], light @ weights, atol=1e-5)
    np.testing.assert_allclose(levels.encoded[0], encode(light) @ weights, atol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "model"),
    [
        ([1.5, -0.8], "shift"),
        ([1.5, -0.8, 1.0, 0.6], "similarity"),
        ([1.5, -0.8, 1.0, 0.6, 0.0, 2.0], "affine"),
        ([1.5, -0.8, 1.0, 0.6, 0.0, 0.0, 2.5, 1.5], "perspective"),
    ],
)
def test_the_simplest_motion_is_taken(parameters: list[float], model: str) -> None:
    still = still_stack(4, widest_px=4.0)
    steps = [motion_matrix(k * np.array(parameters), SHAPE) for k in range(4)]
    moved = [warped(s, np.linalg.inv(m)) for s, m in zip(still, steps, strict=True)]
    found = solved(measured_links(map(levels_of, moved)), 0, range(4))
    assert found.model == model
    assert max(largest_error(found.matrices[k], steps[k])[0] for k in range(4)) < 0.15
