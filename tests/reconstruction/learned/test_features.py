"""What the correcting network looks at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from lfdfp.reconstruction.learned.features import (
    PLANES,
    brighter_planes,
    cut_planes,
    encoded,
    planes_of,
)
from tests.factories.corrections import some_hints, some_light


def test_planes_hold_every_pixel_once() -> None:
    rng = np.random.default_rng(0)
    light, loose = some_light((16, 24), rng), some_light((16, 24), rng)
    planes = planes_of(light, loose, some_hints((16, 24), rng))
    assert planes.shape == (PLANES, 8, 12)
    shown = torch.from_numpy(encoded(light))
    wanted = functional.pixel_unshuffle(shown, 2).numpy()
    middle = (wanted - planes[:12]).mean()
    np.testing.assert_allclose(planes[:12] + middle, wanted, atol=1e-5)


def test_a_part_has_the_planes_of_the_whole_inside() -> None:
    rng = np.random.default_rng(1)
    light, loose, hints = (
        some_light((48, 48), rng),
        some_light((48, 48), rng),
        some_hints((48, 48), rng),
    )
    whole = planes_of(light, loose, hints)
    part = cut_planes(light, loose, hints, (slice(8, 40), slice(4, 44)))
    np.testing.assert_allclose(part[:, 4:-4, 4:-4], whole[:, 8:16, 6:18], atol=1e-4)


def test_negative_light_is_no_light() -> None:
    rng = np.random.default_rng(2)
    hints = some_hints((8, 8), rng)
    dark, darker = np.zeros((3, 8, 8), np.float32), np.full((3, 8, 8), -0.01, np.float32)
    np.testing.assert_array_equal(planes_of(dark, dark, hints), planes_of(darker, darker, hints))


def test_brighter_planes_are_those_of_a_brighter_picture() -> None:
    rng = np.random.default_rng(4)
    light, loose, hints = some_light((8, 8), rng), some_light((8, 8), rng), some_hints((8, 8), rng)
    light, loose = light + 0.1, loose + 0.1
    bright = replace(hints, standard_error=hints.standard_error * np.float32(0.8**2.2))
    factor = np.float32(0.8**2.2)
    np.testing.assert_allclose(
        brighter_planes(planes_of(light, loose, hints), 0.8),
        planes_of(factor * light, factor * loose, bright),
        atol=1e-4,
    )
