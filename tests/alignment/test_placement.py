"""Placement: found while photographs pass by once, applied to one photograph at a time."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from lfdfp.alignment.photographs import stack_of_photographs
from lfdfp.alignment.placement import (
    common_coverage,
    common_window,
    placed_photograph,
    placement_of,
)
from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from tests.alignment.stacks import moved_stack, still_stack

pytestmark = pytest.mark.slow

NAMES = [f"{n}.jpg" for n in range(5)]


def _drifting() -> FloatArray:
    moved, _ = moved_stack(5, reference=2)
    return moved * np.array([1, 1, 1.04, 1, 1], np.float32)[:, None, None, None]


@pytest.mark.parametrize(("align", "equalize"), [(True, True), (True, False), (False, True)])
def test_one_photograph_at_a_time_gives_the_stack(align: bool, equalize: bool) -> None:
    photographs = _drifting()
    placement = placement_of(iter(photographs), NAMES, align=align, equalize=equalize)
    stack = stack_of_photographs(photographs, align=align, equalize=equalize).stack
    for number, one in enumerate(photographs):
        light, coverage = placed_photograph(one, placement, number)
        np.testing.assert_array_equal(light, stack.slices[number])
        if coverage is not None:
            assert stack.coverage is not None
            np.testing.assert_array_equal(coverage, stack.coverage[number])
    assert (placement.exposure is not None and placement.exposure.applied) == equalize


def test_no_more_than_two_photographs_are_held_while_they_pass_by() -> None:
    passed: list[weakref.ref[FloatArray]] = []

    def photographs() -> Iterator[FloatArray]:
        for one in still_stack(6):
            assert sum(ref() is not None for ref in passed) <= 2
            made = one.copy()
            passed.append(weakref.ref(made))
            yield made

    placement_of(photographs(), [f"{n}" for n in range(6)])
    assert len(passed) == 6


def test_what_all_show_is_what_none_lacks() -> None:
    photographs = _drifting()
    placement = placement_of(photographs, NAMES)
    coverage = stack_of_photographs(photographs).stack.coverage
    assert coverage is not None
    np.testing.assert_array_equal(common_coverage(placement), coverage.min(axis=0) > 0)


def test_the_common_window_holds_no_hole() -> None:
    common = np.ones((30, 40), bool)
    common[:3], common[:, 38:], common[29, 20] = False, False, False
    assert common_window(common) == (slice(3, 29), slice(0, 38))
    with pytest.raises(ImageError, match="nothing is left to crop to"):
        common_window(np.zeros((4, 5), bool))
