from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from scipy import ndimage

from lfdfp.datatypes import FloatArray, LightField
from lfdfp.errors import SettingsError
from lfdfp.refocusing.aperture import SyntheticAperture
from lfdfp.refocusing.shift_and_sum import refocus, refocus_planes
from lfdfp.settings import Kernel
from tests.factories import textured_plane

KERNELS = get_args(Kernel)
TOLERANCE = {"linear": 0.04, "cubic": 1e-3, "fourier": 1e-3}


def inner(image: FloatArray, border: int = 10) -> FloatArray:
    return image[..., border:-border, border:-border, :]


def random_field(seed: int, *, shape: tuple[int, ...] = (3, 5, 20, 24, 3)) -> LightField:
    rng = np.random.default_rng(seed)
    return LightField(
        views=rng.random(shape, np.float32), weights=rng.random(shape[:4], np.float32) + 0.1
    )


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("disparity", [-1.0, -0.37, 0.0, 0.5, 1.3])
def test_a_plane_is_sharp_at_its_own_slope(kernel: Kernel, disparity: float) -> None:
    field, center = textured_plane(disparity, angular=(5, 7), highest=0.2)
    picture = refocus(field, disparity, kernel=kernel)
    np.testing.assert_allclose(inner(picture), inner(center), atol=TOLERANCE[kernel])


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_sign_of_the_slope_is_that_of_the_conventions(kernel: Kernel) -> None:
    """One bright point that moves right as u grows and down as v grows has positive disparity."""
    views = np.zeros((3, 3, 21, 25, 1), np.float32)
    for v, u in np.ndindex(3, 3):
        views[v, u, 8 + 2 * (v - 1), 15 + 2 * (u - 1)] = 1.0
    field = LightField(views=views, weights=np.ones(views.shape[:4], np.float32))
    picture = refocus(field, 2.0, kernel=kernel)
    assert np.unravel_index(picture.argmax(), picture.shape) == (8, 15, 0)
    assert picture[8, 15, 0] == pytest.approx(1.0, abs=1e-4)
    assert refocus(field, -2.0, kernel=kernel).max() < 0.2


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_constant_field_gives_the_constant(kernel: Kernel) -> None:
    field = random_field(3)
    field = replace(field, views=np.full_like(field.views, 0.7))
    planes = refocus_planes(field, np.array([-1.4, 0.0, 0.6]), kernel=kernel)
    seen = planes.coverage > 0.05
    np.testing.assert_allclose(planes.slices[seen], 0.7, atol=2e-4)


@pytest.mark.parametrize("kernel", KERNELS)
def test_refocusing_is_linear_in_the_light(kernel: Kernel) -> None:
    one, other = random_field(4), random_field(5)
    other = replace(other, weights=one.weights)
    both = replace(one, views=2 * one.views - 3 * other.views)
    expected = 2 * refocus(one, 0.4, kernel=kernel) - 3 * refocus(other, 0.4, kernel=kernel)
    seen = refocus_planes(one, np.array([0.4]), kernel=kernel).coverage[0] > 0.05
    np.testing.assert_allclose(refocus(both, 0.4, kernel=kernel)[seen], expected[seen], atol=2e-4)


@pytest.mark.parametrize(("kernel", "order"), [("linear", 1), ("cubic", 3)])
def test_splines_agree_with_scipy(kernel: Kernel, order: int) -> None:
    """Shift every weighted view in zeros, sum, divide by the same of the weights."""
    field, slope = random_field(6), 0.43
    light, rays = np.zeros((60, 64, 3)), np.zeros((60, 64))
    for v, u in np.ndindex(*field.angular_shape):
        shift = -slope * (v - 1), -slope * (u - 2)
        weight = np.pad(field.weights[v, u].astype(np.float64), 20)
        weighted = np.pad(field.views[v, u].astype(np.float64), ((20, 20), (20, 20), (0, 0)))
        weighted *= weight[..., None]
        light += ndimage.shift(weighted, (*shift, 0), order=order)
        rays += ndimage.shift(weight, shift, order=order)
    planes = refocus_planes(field, np.array([slope]), kernel=kernel)
    expected = light[20:-20, 20:-20] / rays[20:-20, 20:-20, None]
    seen = planes.coverage[0] > 0.05
    np.testing.assert_allclose(planes.slices[0][seen], expected[seen], atol=2e-5)


def test_where_no_ray_arrives_coverage_is_zero_and_so_is_the_light() -> None:
    field = random_field(7)
    weights = field.weights.copy()
    weights[..., :6] = 0
    planes = refocus_planes(replace(field, weights=weights), np.array([0.0]))
    assert np.all(planes.coverage[0, :, :4] == 0)
    assert np.all(planes.slices[0, :, :4] == 0)
    assert np.all(planes.coverage[0, :, 8:] > 0)


def test_coverage_falls_where_views_end() -> None:
    field, _ = textured_plane(0.0, angular=(5, 7), shape=(40, 52))
    coverage = refocus_planes(field, np.array([2.0])).coverage[0]
    assert coverage[20, 26] == pytest.approx(1.0, abs=1e-5)
    assert coverage[20, 0] == pytest.approx(4 / 7, abs=1e-5)
    assert coverage[0, 0] == pytest.approx(4 / 7 * 3 / 5, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_integer_codes_give_what_their_light_gives(kernel: Kernel) -> None:
    rng = np.random.default_rng(8)
    codes = rng.integers(0, 65536, (3, 3, 18, 22, 3), dtype=np.uint16)
    weights = rng.integers(1, 256, codes.shape[:4], dtype=np.uint8)
    field = LightField(
        views=codes, weights=weights, scale=2e-5, offset=4000.0, weight_scale=1 / 255
    )
    light = np.stack([[field.view(v, u) for u in range(3)] for v in range(3)])
    plain = LightField(views=light, weights=weights.astype(np.float32) / 255)
    np.testing.assert_allclose(
        refocus(field, 0.3, kernel=kernel), refocus(plain, 0.3, kernel=kernel), atol=1e-4
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_planes_together_are_what_they_are_alone(kernel: Kernel) -> None:
    field, slopes = random_field(9), np.array([-0.8, 0.25, 1.1])
    together = refocus_planes(field, slopes, kernel=kernel).slices
    alone = np.stack([refocus(field, slope, kernel=kernel) for slope in slopes])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_threads_change_nothing(kernel: Kernel) -> None:
    field = random_field(10)
    one = refocus(field, 0.7, kernel=kernel)
    np.testing.assert_allclose(refocus(field, 0.7, kernel=kernel, threads=3), one, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_field_comes_back_unchanged(kernel: Kernel) -> None:
    field = random_field(11)
    views, weights = field.views.copy(), field.weights.copy()
    refocus(field, 0.7, kernel=kernel)
    np.testing.assert_array_equal(field.views, views)
    np.testing.assert_array_equal(field.weights, weights)


def test_weights_decide_among_views_that_disagree() -> None:
    views = np.zeros((1, 3, 12, 12, 1), np.float32)
    views[0, 2] = 1.0
    weights = np.full(views.shape[:4], 0.25, np.float32)
    weights[0, 2] = 0.5
    field = LightField(views=views, weights=weights)
    np.testing.assert_allclose(refocus(field, 0.0), 0.5, atol=1e-6)
    np.testing.assert_allclose(refocus(field, 0.0, equal_weights=True), 1 / 3, atol=1e-6)
    open_left = np.array([[1.0, 1.0, 0.0]])
    np.testing.assert_allclose(refocus(field, 0.0, aperture=open_left), 0.0, atol=1e-6)


def test_a_moved_viewpoint_gives_that_views_perspective() -> None:
    field, _ = textured_plane(0.8, angular=(5, 7))
    picture = refocus(field, 0.8, viewpoint=(4, 1))
    np.testing.assert_allclose(inner(picture), inner(field.view(4, 1)), atol=2e-3)


def test_an_impossible_request_is_refused() -> None:
    field = random_field(12)
    with pytest.raises(SettingsError, match="unknown kernel 'nearest'"):
        refocus(field, 0.0, kernel="nearest")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"\(2, 2\) does not fit \(3, 5\)"):
        refocus(field, 0.0, aperture=np.ones((2, 2)))
    with pytest.raises(SettingsError, match="some above"):
        refocus(field, 0.0, aperture=np.zeros((3, 5)))
    with pytest.raises(SettingsError, match="finite"):
        refocus(field, float("nan"))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("codes", [False, True])
def test_torch_and_the_compiled_kernels_agree(kernel: Kernel, codes: bool) -> None:
    field = random_field(13, shape=(3, 5, 32, 40, 3))
    if codes:
        field = replace(field, views=(field.views * 65535).astype(np.uint16), scale=1 / 65535)
    aperture = np.ones((3, 5))
    aperture[0, 0] = 0.0
    slopes = np.array([-0.7, 0.4])
    gathered = SyntheticAperture(factors=aperture, equal_weights=codes)
    compiled = refocus_planes(field, slopes, kernel=kernel, aperture=gathered)
    by_torch = refocus_planes(field, slopes, kernel=kernel, aperture=gathered, device="cpu")
    np.testing.assert_allclose(by_torch.slices, compiled.slices, atol=2e-4)
    np.testing.assert_allclose(by_torch.coverage, compiled.coverage, atol=2e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("kernel", KERNELS)
def test_cuda_and_the_compiled_kernels_agree(kernel: Kernel) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    field, slopes = random_field(14, shape=(3, 5, 32, 40, 3)), np.array([-0.7, 0.4])
    compiled = refocus_planes(field, slopes, kernel=kernel)
    by_cuda = refocus_planes(field, slopes, kernel=kernel, device="cuda")
    np.testing.assert_allclose(by_cuda.slices, compiled.slices, atol=2e-4)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match="device 'abacus' cannot be used"):
        refocus(random_field(15), 0.0, device="abacus")
