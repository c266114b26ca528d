"""How the correcting network is taught."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lfdfp.learning.examples import Example, load_example, save_example
from lfdfp.learning.train import (
    CorrectionTraining,
    gain_db,
    lesson_of,
    taught,
    turned,
    turned_planes,
)
from lfdfp.reconstruction.learned.features import Hints, planes_of
from lfdfp.reconstruction.learned.network import Committee
from tests.factories.corrections import some_hints, some_light


def some_example(seed: int) -> Example:
    """A truth, and a picture that is darker than it everywhere."""
    rng = np.random.default_rng(seed)
    truth = 0.2 + 0.6 * some_light((128, 128), rng)
    light = np.float32(0.8) * truth
    return Example(light=light, loose=light, truth=truth, hints=some_hints((128, 128), rng))


@pytest.mark.parametrize("turn", range(8))
def test_planes_turn_with_the_picture(turn: int) -> None:
    example = some_example(0)
    hints = example.hints
    maps = {
        one.name: turned(getattr(hints, one.name)[None], turn)[0]
        for one in fields(Hints)
        if one.name != "strength"
    }
    wanted = planes_of(
        turned(example.light, turn), turned(example.loose, turn), replace(hints, **maps)
    )
    found = turned_planes(planes_of(example.light, example.loose, hints), turn)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_examples_come_back_from_files(tmp_path: Path) -> None:
    example = some_example(1)
    save_example(tmp_path / "one.npz", example)
    back = load_example(tmp_path / "one.npz")
    np.testing.assert_allclose(back.truth, example.truth, rtol=1e-3)
    np.testing.assert_allclose(
        back.hints.standard_error, example.hints.standard_error, rtol=2e-3, atol=1e-9
    )
    assert back.hints.strength == example.hints.strength


def test_what_is_wrong_everywhere_is_learned_and_alike_in_two_runs() -> None:
    lessons = [lesson_of(some_example(seed)) for seed in range(3)]
    training = CorrectionTraining(steps=25, batch=2)
    one, same = (taught(lessons, training) for _ in range(2))
    for mine, other in zip(one.parameters(), same.parameters(), strict=True):
        torch.testing.assert_close(mine, other)
    assert gain_db(Committee([one]).eval(), some_example(9), 2) > 1
