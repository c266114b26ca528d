"""plenpy's light fields: same axes under other letters, opposite slope."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.errors import ImageError
from lfdfp.interchange.plenpy import from_plenpy, to_plenpy
from tests.interchange.asymmetric_scene import (
    SPATIAL,
    assert_axes_and_signs,
    assert_same_light,
    asymmetric_field,
)


def test_an_array_with_its_axes_becomes_a_field() -> None:
    field = asymmetric_field()
    read = from_plenpy(field.views.astype(np.float64))
    assert_axes_and_signs(read)
    assert read.views.dtype == np.float32
    assert not np.shares_memory(from_plenpy(field.views).views, field.views)


def test_wrong_arrays_are_refused() -> None:
    with pytest.raises(ImageError, match=r"five axes .* got float64 of shape \(3, 4\)"):
        from_plenpy(np.zeros((3, 4)))
    with pytest.raises(ImageError, match="got uint8"):
        from_plenpy(np.zeros((1, 1, 2, 2, 3), np.uint8))


@pytest.mark.filterwarnings("ignore")
def test_objects_come_back() -> None:
    pytest.importorskip("plenpy.lightfields", exc_type=ImportError)
    field = asymmetric_field()
    made = to_plenpy(field)
    assert type(made).__module__ == "plenpy.lightfields"
    assert_same_light(from_plenpy(made), field, 1e-6)


@pytest.mark.filterwarnings("ignore")
def test_plenpy_unfolds_lenslet_images_to_the_same_axes() -> None:
    lightfields = pytest.importorskip("plenpy.lightfields", exc_type=ImportError)
    field = asymmetric_field()
    mosaic = field.views.transpose(2, 0, 3, 1, 4).reshape(3 * SPATIAL[0], 5 * SPATIAL[1], 3)
    made = lightfields.LightField.from_img_data(mosaic, *SPATIAL, method="MLI")
    assert_same_light(from_plenpy(made), field, 1e-6)
