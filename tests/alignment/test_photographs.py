"""Photographs become a stack: moved, left out or refused, never fused in silence."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.alignment.photographs import stack_of_photographs
from lfdfp.alignment.placement import placement_lines
from lfdfp.errors import ImageError
from lfdfp.imaging.display import decode_srgb
from tests.alignment.stacks import SHAPE, grainy_picture, moved_stack, still_stack

pytestmark = pytest.mark.slow


def test_moved_photographs_fit_again() -> None:
    moved, _ = moved_stack(5, reference=2)
    made = stack_of_photographs(moved)
    still = still_stack(5)
    inner = np.s_[12:-12, 12:-12]
    for number in range(5):
        before = np.abs(moved[number] - still[number])[inner].mean()
        after = np.abs(made.stack.slices[number] - still[number])[inner].mean()
        assert after < 0.3 * before or number == 2
    assert made.placement.reference == 2
    assert [p.state for p in made.placement.photographs].count("moved") == 4
    assert made.stack.coverage is not None
    assert made.stack.coverage[2].min() == 1
    assert made.stack.coverage.min() == 0


def test_what_fits_is_left_untouched() -> None:
    still = still_stack(4)
    made = stack_of_photographs(still)
    np.testing.assert_array_equal(made.stack.slices, still)
    assert made.stack.coverage is None
    assert made.placement.model == "none"
    assert {p.moved_px for p in made.placement.photographs} == {0.0}


def test_a_picture_of_another_scene_is_left_out_by_name() -> None:
    stack = list(still_stack(4))
    stack[2] = decode_srgb(grainy_picture(seed=9)[::-1])
    made = stack_of_photographs(stack, names=["a.jpg", "b.jpg", "holiday.jpg", "c.jpg"])
    assert len(made.stack.slices) == 3
    assert made.placement.kept == (0, 1, 3)
    assert [w for w in made.stack.warnings if w.startswith("holiday.jpg: left out")]
    assert "holiday.jpg: left out" in placement_lines(made.placement)[2]
    np.testing.assert_array_equal(made.stack.slices[2], stack[3])


def test_two_scenes_are_refused() -> None:
    pair = [still_stack(2)[0], decode_srgb(grainy_picture(seed=9)[::-1])]
    with pytest.raises(ImageError, match=r"a\.jpg and b\.jpg do not show the same scene"):
        stack_of_photographs(pair, names=["a.jpg", "b.jpg"])
    assert len(stack_of_photographs(pair, align=False).stack.slices) == 2


def test_the_reference_can_be_chosen() -> None:
    moved, _ = moved_stack(4, reference=1)
    for reference, number in (("first", 0), ("middle", 1), (4, 3)):
        made = stack_of_photographs(moved, reference=reference)
        assert made.placement.reference == number
        np.testing.assert_array_equal(made.stack.slices[number], moved[number])
    with pytest.raises(ImageError, match="photograph 5 cannot be the reference"):
        stack_of_photographs(moved, reference=5)
    moved[3] = decode_srgb(grainy_picture(seed=9)[::-1])
    with pytest.raises(ImageError, match="photograph 4: cannot be the reference"):
        stack_of_photographs(moved, reference=4)


def test_cropping_leaves_what_all_photographs_show() -> None:
    moved, _ = moved_stack(4, reference=1)
    made = stack_of_photographs(moved, crop=True)
    assert made.window is not None
    assert made.stack.coverage is None
    rows, columns = made.window
    assert made.stack.slices.shape[1:3] == (rows.stop - rows.start, columns.stop - columns.start)
    assert 0.8 * SHAPE[0] < rows.stop - rows.start < SHAPE[0]
    np.testing.assert_array_equal(made.stack.slices[1], moved[1][rows, columns])


def test_photographs_without_detail_stay_where_they_are() -> None:
    flat = np.full((3, 80, 90, 3), 0.2, np.float32)
    np.testing.assert_array_equal(stack_of_photographs(flat).stack.slices, flat)


def test_photographs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ImageError, match="at least two"):
        stack_of_photographs([np.zeros((8, 8, 3), np.float32)])
    with pytest.raises(ImageError, match=r"\(8, 8, 3\).*\(8, 9, 3\)"):
        stack_of_photographs([np.zeros((8, n, 3), np.float32) for n in (8, 9)])


def test_pictures_too_long_to_be_moved_are_refused() -> None:
    with pytest.raises(ImageError, match="40000 x 8 pixels cannot be aligned"):
        stack_of_photographs(np.zeros((2, 8, 40_000, 1), np.float32))


def test_what_was_found_is_recorded() -> None:
    moved, _ = moved_stack(3, reference=1)
    moved[2] *= np.float32(1.04)
    history = stack_of_photographs(moved, names=["a", "b", "c"]).stack.history
    assert history[0] == "3 photographs"
    assert history[1].startswith("motion: similarity, against b by at most")
    assert history[2].startswith("exposure multiplied by")
