"""The floor under decoding is itself right: gray stays gray, views look the right way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.evaluation.plain_decode import PlainDecode
from tests.factories import tiny_capture


def test_its_views_are_near_the_truth() -> None:
    capture = tiny_capture()
    plain = PlainDecode(capture.raw_capture(), capture.true_calibration())
    for v, u in ((0, 0), (2, -1)):
        truth = capture.view(v, u, rays=16)[2:-2, 2:-2]
        error = plain.view(capture.sampling, v, u)[2:-2, 2:-2] - truth
        assert np.abs(error).mean() < 0.35 * np.abs(truth - truth.mean()).mean()


def test_a_view_is_nearer_to_its_own_direction_than_to_the_opposite() -> None:
    capture = tiny_capture(scene="plane", disparities=(0.3,))
    plain = PlainDecode(capture.raw_capture(), capture.true_calibration())
    for v, u in ((3, 0), (0, 3)):
        found = plain.view(capture.sampling, v, u)[3:-3, 3:-3]
        own, opposite = (
            np.abs(found - capture.view(sign * v, sign * u, rays=16)[3:-3, 3:-3]).mean()
            for sign in (1, -1)
        )
        assert own < 0.8 * opposite


def test_dead_pixels_are_made_up_from_their_neighbors() -> None:
    capture = tiny_capture()
    raw, calibration = capture.raw_capture(), capture.true_calibration()
    clean = PlainDecode(raw, calibration).view(capture.sampling, 0, 0)
    dead = np.random.default_rng(0).random(raw.mosaic.shape) < 0.01
    damaged = replace(raw, mosaic=np.where(dead, np.uint16(0), raw.mosaic))
    blind = replace(calibration, response=np.where(dead, np.float32(0), calibration.response))
    filled = PlainDecode(damaged, blind).view(capture.sampling, 0, 0)
    assert np.abs(filled - clean).mean() == pytest.approx(0, abs=0.01)
