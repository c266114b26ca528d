from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.datatypes import FocalStack
from lfdfp.errors import ImageError
from lfdfp.refocusing import focal_stack
from lfdfp.refocusing.focus_curves import focus_curve, focus_measure, slope_in_focus
from lfdfp.settings import RefocusSettings
from tests.factories import textured_plane


@pytest.fixture
def stack() -> FocalStack:
    field, _ = textured_plane(0.33, angular=(7, 7))
    return focal_stack(field, RefocusSettings(slopes=(-0.2, 0.8, 11)))


def test_a_click_finds_the_slope_of_what_lies_there(stack: FocalStack) -> None:
    measure = focus_measure(stack)
    assert slope_in_focus(stack, measure, (20, 26)) == pytest.approx(0.33, abs=0.03)


def test_a_curve_rises_towards_the_plane_and_falls_behind_it(stack: FocalStack) -> None:
    curve = focus_curve(focus_measure(stack), (20, 26))
    best = int(curve.argmax())
    assert np.all(np.diff(curve[: best + 1]) > 0)
    assert np.all(np.diff(curve[best:]) < 0)


def test_focus_does_not_depend_on_the_level_of_light(stack: FocalStack) -> None:
    brighter = replace(stack, slices=stack.slices + 1)
    np.testing.assert_allclose(focus_measure(brighter), focus_measure(stack), atol=1e-5)


def test_what_has_no_slope_is_refused(stack: FocalStack) -> None:
    measure = focus_measure(stack)
    with pytest.raises(ImageError, match="photographs"):
        slope_in_focus(replace(stack, slopes=None), measure, (2, 2))
    with pytest.raises(ImageError, match=r"\(99, 2\) is outside"):
        focus_curve(measure, (99, 2))
