"""Levels and colors of the Bayer planes are those of the pixels they lie on."""

from __future__ import annotations

import numpy as np

from lfdfp.calibration.raw_codes import raw_codes
from lfdfp.datatypes import BAYER_COLOR
from tests.factories import tiny_capture


def test_levels_belong_to_the_bayer_planes() -> None:
    capture = tiny_capture().raw_capture()
    codes = raw_codes(capture, dark_share=0.25, saturation_share=0.5)
    assert codes.mosaic is capture.mosaic
    for k, (channel, rows, columns, black, white) in enumerate(capture.bayer_planes()):
        plane = 2 * (rows.start & 1) + (columns.start & 1)
        assert plane == k
        assert codes.colors[plane] == BAYER_COLOR[channel]
        assert (codes.black[plane], codes.white[plane]) == (black, white)
        np.testing.assert_allclose(codes.least_light[plane], 0.25 * (white - black))
        np.testing.assert_allclose(codes.saturated[plane], 0.5 * (black + white))
