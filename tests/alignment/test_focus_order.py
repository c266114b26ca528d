"""Order of focus: where each place is sharpest, which way surfaces lean, how fast blur grows."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.alignment.focus_order import FocusOrder, focus_order, sharpness
from lfdfp.alignment.tile_shifts import levels_of
from tests.alignment.stacks import SHAPE, leaning_depth, leaning_stack

_MIDDLE = np.array([[160.0, 60.0], [160.0, 120.0], [160.0, 180.0]])


def _order(stack: np.ndarray) -> FocusOrder:
    maps = [sharpness(levels_of(one).encoded[0]) for one in stack]
    return focus_order(maps, {k: np.eye(3) for k in range(len(stack))}, SHAPE, SHAPE)


@pytest.fixture(scope="module")
def slope() -> FocusOrder:
    return _order(leaning_stack("slope", 7))


def test_number_is_that_of_the_photograph_in_focus(slope: FocusOrder) -> None:
    cells = 6 * leaning_depth("slope")[4::8, 4::8]
    assert np.abs(slope.number - cells)[2:-2, 2:-2].mean() < 0.4


def test_lean_points_to_what_is_focused_later(slope: FocusOrder) -> None:
    inner = slope.lean[4:-4, 4:-4]
    assert inner[..., 1].mean() < -0.8
    assert abs(inner[..., 0].mean()) < 0.1


def test_blur_per_step_is_that_of_the_lens(slope: FocusOrder) -> None:
    assert slope.blur_per_step_px == pytest.approx(9.0 / 6, rel=0.3)
    every_other = _order(leaning_stack("slope", 7)[::2])
    assert every_other.blur_per_step_px == pytest.approx(2 * 9.0 / 6, rel=0.3)


def test_displacements_turn_around_at_focus(slope: FocusOrder) -> None:
    at = slope.displacements(np.array([[160.0, 119.5]]), 2, 4)
    before = slope.displacements(np.array([[160.0, 119.5]]), 0, 1)
    after = slope.displacements(np.array([[160.0, 119.5]]), 5, 6)
    assert np.hypot(*at[0]) < 0.3
    assert before[0, 1] > 0.5 > -0.5 > after[0, 1]


def test_what_is_in_focus_is_most_certain(slope: FocusOrder) -> None:
    uncertainty = slope.uncertainties(_MIDDLE, 3, 3)
    assert uncertainty.argmin() == 1
    assert uncertainty[1] < 0.2


def test_a_picture_without_detail_has_an_order_all_the_same() -> None:
    order = _order(np.full((3, *SHAPE, 1), 0.5, np.float32))
    assert np.isfinite(order.number).all()
    assert not order.lean.any()
