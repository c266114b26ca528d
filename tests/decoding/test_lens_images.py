"""Polynomials on the disk: orthonormal, exact derivatives, colors that vary together."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.decoding.lens_images import LensImageModel, disk_polynomials, texture_covariance

RADIUS_PX = 4.3


def disk(number: int = 20_000) -> np.ndarray:
    rng = np.random.default_rng(0)
    radius, angle = np.sqrt(rng.random(number)), rng.uniform(0, 2 * np.pi, number)
    return RADIUS_PX * np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=-1)


def test_they_are_orthonormal_over_the_disk() -> None:
    values = disk_polynomials(3, RADIUS_PX).at(disk())
    np.testing.assert_allclose(values.T @ values / len(values), np.eye(10), atol=0.06)


def test_the_first_one_is_one() -> None:
    np.testing.assert_allclose(disk_polynomials(4, RADIUS_PX).at(disk(50))[:, 0], 1)


def test_derivatives_are_those_of_finite_differences() -> None:
    polynomials = disk_polynomials(4, RADIUS_PX)
    places = 0.9 * disk(40)
    coefficients = np.random.default_rng(1).standard_normal(polynomials.count)
    for axis, matrix in enumerate(polynomials.derivatives()):
        step = np.eye(2)[axis] * 1e-4
        ahead, behind = (polynomials.at(places + sign * step) @ coefficients for sign in (1, -1))
        found = polynomials.at(places) @ (matrix @ coefficients)
        np.testing.assert_allclose(found, (ahead - behind) / 2e-4, atol=1e-5)


def test_outside_the_disk_the_rim_is_taken() -> None:
    polynomials = disk_polynomials(3, RADIUS_PX)
    rim = RADIUS_PX * np.array([[0.6, 0.8]])
    np.testing.assert_allclose(polynomials.at(1.7 * rim), polynomials.at(rim), atol=1e-12)


@pytest.mark.parametrize("scale_px", [1.5, 6.0])
def test_texture_of_any_scale_has_a_covariance(scale_px: float) -> None:
    covariance = texture_covariance(disk_polynomials(4, RADIUS_PX), scale_px)
    np.testing.assert_allclose(covariance, covariance.T, atol=1e-12)
    assert np.linalg.eigvalsh(covariance).min() > -1e-12
    assert np.trace(covariance) <= 1 + 1e-6  # of the unit process, as far as polynomials follow it


def test_coarse_texture_is_nearly_constant_under_a_lenslet() -> None:
    polynomials = disk_polynomials(4, RADIUS_PX)
    fine, coarse = (texture_covariance(polynomials, scale) for scale in (2.0, 40.0))
    assert coarse[0, 0] > 0.95
    assert fine[0, 0] < 0.8


def test_gray_is_its_green_in_every_color() -> None:
    model = LensImageModel(polynomials=disk_polynomials(3, RADIUS_PX), chroma_count=3)
    coefficients = np.zeros(model.count)
    coefficients[: model.polynomials.count] = np.random.default_rng(2).standard_normal(10)
    red, green, blue = (model.design(disk(30), color) @ coefficients for color in range(3))
    np.testing.assert_array_equal(red, green)
    np.testing.assert_array_equal(blue, green)


def test_nothing_is_assumed_of_the_mean_colors() -> None:
    model = LensImageModel(polynomials=disk_polynomials(3, RADIUS_PX), chroma_count=3)
    precision = model.precision(3.0)
    assert not precision[model.constants].any()
    free = np.setdiff1d(np.arange(model.count), model.constants)
    assert np.linalg.eigvalsh(precision[np.ix_(free, free)]).min() > 0
