"""The nouns are frozen, and refuse what does not fit together when they are made."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import numpy as np
import pytest

from lfdfp import datatypes
from lfdfp.datatypes import (
    Calibration,
    Depth,
    FocalStack,
    LensletGrid,
    LightField,
    MicrolensArray,
    RawCapture,
    RayEvidence,
    Rays,
    SharpPicture,
    StackEvidence,
)

NOUNS = [kind for _, kind in inspect.getmembers(datatypes, dataclasses.is_dataclass)]


def zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


def a_capture(**changed: Any) -> RawCapture:
    values: dict[str, Any] = {
        "mosaic": np.zeros((8, 10), np.uint16),
        "bayer": ("b", "gb", "gr", "r"),
        "black_codes": (1.0, 2.0, 3.0, 4.0),
        "white_codes": (101.0, 102.0, 103.0, 104.0),
        "pixel_pitch_m": 1.4e-6,
        "microlens_array": MicrolensArray(pitch_m=1.4e-5),
    }
    return RawCapture(**(values | changed))


def a_grid(**changed: Any) -> LensletGrid:
    values: dict[str, Any] = {
        "origin_px": (4.0, 5.0),
        "right_px": (0.1, 10.0),
        "down_px": (8.6, 5.1),
        "sensor_shape": (8, 10),
    }
    return LensletGrid(**(values | changed))


@pytest.mark.parametrize("kind", NOUNS)
def test_every_noun_is_frozen_and_takes_names_only(kind: Any) -> None:
    assert kind.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(kind))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mosaic": zeros(8, 10)}, "uint16, got float32"),
        ({"mosaic": np.zeros((2, 2, 2), np.uint16)}, r"of shape \(2, 2, 2\)"),
        ({"bayer": ("r", "r", "gb", "b")}, "once each"),
        ({"white_codes": (101.0, 2.0, 103.0, 104.0)}, "must exceed black"),
        ({"orientation": 9}, "orientation must be 1 to 8, got 9"),
    ],
)
def test_an_impossible_capture_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        a_capture(**changed)


def test_the_four_planes_make_up_the_mosaic() -> None:
    seen = np.zeros((8, 10), int)
    planes = a_capture().bayer_planes()
    for k, (channel, rows, columns, black, white) in enumerate(planes):
        seen[rows, columns] += 1
        assert (black, white) == (k + 1, k + 101)
        assert channel == ("b", "gb", "gr", "r")[k]
    assert np.all(seen == 1)


def test_a_grid_that_spans_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="span no grid"):
        a_grid(down_px=(0.2, 20.0))
    with pytest.raises(ValueError, match=r"\(2, 10\)"):
        a_grid(distortion_px=np.zeros((2, 9)))


@pytest.mark.parametrize("rotation", [-0.3, 0.0, 0.02])
def test_pitch_and_rotation_are_those_of_the_lattice(rotation: float) -> None:
    angles = rotation + np.array([0.0, np.pi / 3])
    right, down = 9.7 * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    grid = a_grid(right_px=tuple(right), down_px=tuple(down))
    assert grid.pitch_px == pytest.approx(9.7)
    assert grid.rotation_rad == pytest.approx(rotation)
    assert np.hypot(*grid.turn) == pytest.approx(1)


def test_light_is_scale_times_code_minus_offset() -> None:
    codes = np.random.default_rng(0).integers(0, 65536, (3, 2, 4, 5, 3), dtype=np.uint16)
    weights = np.random.default_rng(1).integers(0, 256, (3, 2, 4, 5), dtype=np.uint8)
    field = LightField(views=codes, weights=weights, scale=1e-4, offset=200.0, weight_scale=1 / 255)
    np.testing.assert_allclose(field.view(2, 1), 1e-4 * (codes[2, 1] - 200.0), rtol=1e-5)
    np.testing.assert_allclose(field.weight(0, 1), weights[0, 1] / 255, rtol=1e-6)
    assert (field.angular_shape, field.spatial_shape, field.center) == ((3, 2), (4, 5), (1, 1))
    field.view(0, 0)[...] = 7
    np.testing.assert_array_equal(field.views, codes)


STACK = {"slices": zeros(2, 4, 5, 3)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LightField(views=zeros(3, 3, 4, 5), weights=zeros(3, 3, 4, 5)), "views must be"),
        (lambda: LightField(views=zeros(3, 3, 4, 5, 3), weights=zeros(3, 3, 4, 4)), "do not fit"),
        (lambda: Calibration(grid=a_grid(), response=zeros(8, 8)), "does not fit the sensor"),
        (
            lambda: Rays(
                capture=a_capture(mosaic=np.zeros((8, 8), np.uint16)),
                calibration=Calibration(grid=a_grid(), response=zeros(8, 10)),
            ),
            "does not fit a mosaic",
        ),
        (lambda: FocalStack(slices=zeros(4, 5, 3)), "slices must be"),
        (lambda: FocalStack(**STACK, slopes=np.zeros(3)), "2 slices but slopes"),
        (lambda: FocalStack(**STACK, slopes=np.array([1.0, 0.0])), "must ascend"),
        (lambda: FocalStack(**STACK, coverage=zeros(2, 4, 4)), "coverage"),
        (lambda: FocalStack(**STACK, focus_curves=zeros(3, 1, 1)), "focus_curves"),
        (lambda: Depth(disparity=zeros(4, 5, 1)), "disparity must be"),
        (lambda: Depth(disparity=zeros(4, 5), confidence=zeros(4, 4)), "confidence"),
        (lambda: StackEvidence(decision_map=zeros(4, 5)), "decision_map must be"),
        (lambda: RayEvidence(observability=zeros(4), standard_error=None), "observability must"),
        (
            lambda: RayEvidence(observability=zeros(4, 5), standard_error=zeros(5, 5)),
            "standard_error",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "parts",
    [
        {"depth": Depth(disparity=zeros(8, 10))},
        {"depth": Depth(disparity=zeros(4, 5), fine_disparity=zeros(4, 5))},
        {"evidence": StackEvidence(decision_map=zeros(2, 8, 10))},
        {"evidence": RayEvidence(observability=zeros(4, 5), standard_error=None)},
        {"super_resolved": zeros(8, 9, 3)},
    ],
)
def test_a_picture_has_one_size_and_one_scale(parts: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "all_in_focus": zeros(4, 5, 3),
        "super_resolved": zeros(8, 10, 3),
        "scale": 2,
    }
    assert SharpPicture(**whole).scale == 2
    with pytest.raises(ValueError, match=r"does not fit|is not 2 times"):
        SharpPicture(**(whole | parts))


def test_nouns_show_themselves_in_one_line() -> None:
    stack = FocalStack(
        slices=np.zeros((40, 8, 9, 3), np.float32),
        slopes=np.linspace(-1, 1, 40),
        history=("read", "refocused", "a step with a very long description " * 9),
    )
    shown = repr(stack)
    assert shown.startswith("FocalStack(slices=<40 x 8 x 9 x 3 float32>, slopes=<40 float64>")
    assert "coverage" not in shown
    assert "\n" not in shown
    assert len(shown) < 300
